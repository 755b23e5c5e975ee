"""The figures of a run: a sheet for each view, and a page of those shown at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.core.ensemble import Ensemble
from engine.core.experiment import AbstractExperiment
from engine.core.views import View
from engine.figures.data import FigureData
from engine.figures.files.loading import load_matplotlib
from engine.figures.formats import DPI, Format
from engine.storage.files import safe_name

PAGE = "page"
"""Name of the figure that holds all views."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure to be drawn: the stem of its file's name, its views, what they are drawn from.

    A sheet that is no page has one view.
    """

    stem: str
    views: tuple[View, ...]
    data: FigureData
    is_page: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How figures are written: formats, pixels per inch, letters of SVG figures as text or not."""

    formats: tuple[Format, ...]
    dpi: int = DPI
    svg_text: bool = False


def sheets_of(data: FigureData, experiment: AbstractExperiment[Any, Any]) -> list[Sheet]:
    """Return a sheet for each view of a run, and the page of those shown at first."""
    views = experiment.views(data.run.params)
    shown = [view for view in views if view.shown] or list(views)
    sheets = [Sheet(safe_name(view.id), (view,), data) for view in views]
    return [*sheets, Sheet(PAGE, tuple(shown), data, is_page=True)]


def ensemble_sheets(data: FigureData, ensemble: Ensemble) -> list[Sheet]:
    """Return a sheet for each view of an ensemble."""
    whole = FigureData(
        title=f"{data.title}: ensemble",
        run=data.run,
        step=data.step,
        trace=data.trace,
        observation=ensemble.observation,
        theory=data.theory,
    )
    return [Sheet(safe_name(_ensemble_stem(view)), (view,), whole) for view in ensemble.views]


def _ensemble_stem(view: View) -> str:
    return view.id if view.id.startswith("ensemble") else f"ensemble-{view.id}"


def files_of(sheet: Sheet, look: Look) -> list[bytes]:
    """Draw a sheet and return its files, one a format."""
    load_matplotlib()
    from engine.figures import paper

    figure = (
        paper.draw_page(sheet.views, sheet.data)
        if sheet.is_page
        else paper.draw(sheet.views[0], sheet.data)
    )
    return paper.render_all(figure, look.formats, sheet.data, dpi=look.dpi, svg_text=look.svg_text)
