"""What the export dialog offers, and how each is made on the engine thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.core.ensemble import Progress
from engine.core.views import View

if TYPE_CHECKING:
    from engine.run.session import Session

Kind = Literal["page", "figure", "data", "weights", "folder"]
FORMATS: dict[Kind, tuple[str, ...]] = {
    "page": ("png", "svg", "pdf"),
    "figure": ("png", "svg", "pdf"),
    "data": ("csv", "npz"),
    "weights": ("npz", "safetensors"),
    "folder": (),
}
HINTS: dict[Kind, str] = {
    "page": "All plots shown at first on one page, with the settings at its foot.",
    "figure": "One plot for paper, from the same data as on the screen.",
    "data": "Every step at full resolution, computed again where the screen shows a band.",
    "weights": "What was learned, by name, with the settings beside it.",
    "folder": "The whole run made again into a folder: run.json, run.toml, trace and figures.",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A thing to export."""

    kind: Kind
    title: str
    view: View | None = None


def choices(views: Sequence[View], rewindable: bool) -> list[Choice]:
    """List what can be exported of a run with these views."""
    found = [Choice("page", "Page of all plots")]
    found += [Choice("figure", f"Plot: {view.title}", view) for view in views]
    found += [Choice("data", f"Data: {view.title}", view) for view in views]
    found.append(Choice("weights", "Learned parameters"))
    if rewindable:
        found.append(Choice("folder", "Whole run"))
    return found


def file_name(experiment_id: str, choice: Choice, suffix: str) -> str:
    """Propose a name for the file."""
    from engine.storage.files import safe_name

    part = choice.kind if choice.view is None else choice.view.id
    return safe_name(f"{experiment_id}-{part}") + (f".{suffix}" if suffix else "")


def job(
    choice: Choice, path: Path, views: Sequence[View], dpi: int
) -> Callable[[Session, Progress], bool]:
    """Return the function that makes a choice into a file; it returns False if it was cancelled."""
    if choice.kind == "page" or choice.kind == "figure":
        wanted = list(views) if choice.view is None else [choice.view]
        return lambda session, progress: _save_figure(session, wanted, choice.kind, path, dpi)
    if choice.kind == "data" and choice.view is not None:
        view = choice.view
        return lambda session, progress: _save_data(session, view, path, progress)
    if choice.kind == "weights":
        return lambda session, progress: _save_weights(session, path)
    return lambda session, progress: _save_folder(session, path, progress)


def figure_png(view: View | None, views: Sequence[View], dpi: int) -> Callable[..., bytes]:
    """Return the function that draws a figure for the clipboard."""

    def draw_it(session: Session, progress: Progress) -> bytes:
        from engine.figures.data import FigureData
        from engine.figures.paper import draw, draw_page, render

        data = FigureData.of(session)
        figure = draw_page(views, data) if view is None else draw(view, data)
        return render(figure, "png", data, dpi=dpi)

    return draw_it


def _save_figure(session: Session, views: Sequence[View], kind: Kind, path: Path, dpi: int) -> bool:
    from engine.figures.data import FigureData
    from engine.figures.paper import draw, draw_page, save

    data = FigureData.of(session)
    figure = draw_page(views, data) if kind == "page" else draw(views[0], data)
    save(figure, path, data, dpi=dpi)
    return True


def _save_data(session: Session, view: View, path: Path, progress: Progress) -> bool:
    from engine.storage.export import export_view

    return export_view(session, view, path, progress=progress)


def _save_weights(session: Session, path: Path) -> bool:
    from engine.storage.learned import save_learned

    save_learned(session, path)
    return True


def _save_folder(session: Session, path: Path, progress: Progress) -> bool:
    from engine.cli.headless import Job, execute
    from engine.run.spec import RunSpec

    figures = ("svg", "png", "pdf")
    result = execute(Job(run=RunSpec.of(session), folder=path, figures=figures), progress)
    return bool(result["outcome"]["kind"] != "cancelled")
