"""Several runs in one plot along the step, a colour for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from engine.core.palette import PINS, SERIES
from engine.core.registry import get
from engine.core.views import Series, TimeView, View
from engine.figures.data import PinnedRun
from engine.figures.formats import Format
from engine.figures.paper import About, rendered, settle
from engine.figures.parts import Entry, add_legend, set_log
from engine.figures.style import LINESTYLES, color, paper
from engine.figures.time import as_band, fit, keeps_turning, measured
from engine.storage.comparison import Compared
from engine.storage.files import safe_name, to_json

COLORS = (*SERIES[:6], *PINS)
"""Colours of runs in turn."""
THIN, WIDEST = 1.1, 2.2
"""Widths of the last line and, so that none hides behind an equal one, of those before it."""
WIDE, HIGH = 7.2, 3.8
"""Inches of a figure."""


def runs_colored(count: int) -> list[str]:
    """Return a colour for each of some runs, in turn."""
    return [COLORS[number % len(COLORS)] for number in range(count)]


def overlaid(views: Sequence[View], runs: Sequence[PinnedRun]) -> list[TimeView]:
    """Return the plots along the step of which at least two runs, or the only one, have a line."""
    least = min(2, len(runs))
    return [
        view
        for view in views
        if isinstance(view, TimeView) and sum(any(_lines(view, run)) for run in runs) >= least
    ]


def _lines(view: TimeView, run: PinnedRun) -> list[Series]:
    """Return the measured series of a view that were recorded of a run."""
    return [s for s in view.series if s.dash == "solid" and s.key in run.trace.low]


def draw_overlay(view: TimeView, runs: Sequence[PinnedRun]) -> Figure:
    """Draw what was measured of each run, in its colour; several series differ by their dashes."""
    with paper():
        figure = Figure(figsize=(WIDE, HIGH), layout="constrained")
        axes = figure.subplots()
        axes.set_title(view.title)
        axes.set_xlabel("step $k$")
        axes.set_ylabel(view.y_label)
        if view.log_y:
            set_log(axes, "y")
        entries = []
        for number, run in enumerate(runs, 1):
            for series, dash in zip(_lines(view, run), ("solid", "dash", "dot") * 4, strict=False):
                steps, table = measured(run.trace, series, 0, log=view.log_y)
                for line in axes.plot(
                    steps,
                    table,
                    color=color(run.color),
                    linestyle=LINESTYLES[dash],
                    linewidth=THIN + (WIDEST - THIN) * (1 - number / len(runs)),
                ):
                    line.set_gid(f"run-{number}-{series.key}")
                    if keeps_turning(np.asarray(line.get_ydata())):
                        as_band(axes, line, None)
            entries.append(_entry(run))
        fit(axes, view.y_limit, log=view.log_y)
        axes.set_xlim(0, max(1, *(run.trace.last for run in runs)))
        add_legend(axes, entries)
        settle(figure)
    return figure


def _entry(run: PinnedRun) -> Entry:
    return Entry(Line2D([], [], color=color(run.color)), run.label.replace("$", r"\$"))


@dataclass(frozen=True, slots=True)
class Overlay:
    """A figure to be drawn: the stem of its file's name, the plot, the runs in it."""

    stem: str
    view: TimeView
    runs: tuple[PinnedRun, ...]
    about: About

    def files(self, formats: Sequence[Format]) -> list[bytes]:
        """Draw it and return its files, one a format."""
        return rendered(draw_overlay(self.view, self.runs), formats, self.about)


def overlays(runs: Sequence[Compared]) -> Iterator[Overlay]:
    """Yield the figures of each experiment of which there are runs."""
    shades = dict(zip((run.label for run in runs), runs_colored(len(runs)), strict=True))
    experiments = dict.fromkeys(run.experiment for run in runs)
    for experiment in map(get, experiments):
        own = [run for run in runs if run.experiment == experiment.id]
        pinned = tuple(PinnedRun(run.label, shades[run.label], run.trace) for run in own)
        about = About(f"{experiment.title}: {len(own)} runs compared", _words(own))
        for view in overlaid(experiment.views(own[0].params), pinned):
            stem = view.id if len(experiments) == 1 else f"{experiment.id}-{view.id}"
            yield Overlay(safe_name(stem), view, pinned, about)


def _words(runs: Sequence[Compared]) -> str:
    """Return the names and settings of runs, for the metadata of their figures."""
    lines = []
    for run in runs:
        values = {k: v for k, v in run.params.model_dump().items() if v is not None}
        lines.append(f"{run.label}: seed = {run.seed}, {to_json(values, indent=None)}")
    return "\n".join(lines)
