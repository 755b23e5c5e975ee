"""The dialog that exports figures, data and learned parameters, beside a run that goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QWidget,
)

from engine.core.errors import LabError
from engine.core.views import View
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.window.about import Dialog
from gui.window.files import RunFiles

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.core.experiment import AbstractExperiment
    from engine.run.session import Session

_T = TypeVar("_T")

RESOLUTIONS = (100, 150, 200, 300, 600)
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


class ExportDialog(Dialog):
    """Choose what, in which format, and where to.

    Parameters
    ----------
    control : RunControl
        Whose experiment's runs are exported.
    bridge : Bridge
        To the engine thread, which does it.
    files : RunFiles
        Knows the folder last used.
    """

    def __init__(
        self,
        control: RunControl,
        bridge: Bridge,
        files: RunFiles,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Export", parent)
        self._experiment = control.experiment
        self._bridge = bridge
        self._files = files
        self._views = self._experiment.views(control.params)
        self._choices = choices(self._views, self._experiment.rewindable)
        self.what = QComboBox()
        self.what.setAccessibleName("What to export")
        self.what.addItems([choice.title for choice in self._choices])
        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        self.dpi = QComboBox()
        for dpi in RESOLUTIONS:
            self.dpi.addItem(f"{dpi} dpi", dpi)
        self.dpi.setCurrentIndex(RESOLUTIONS.index(200))
        self.dpi.setAccessibleName("Resolution")
        self.hint = QLabel()
        self.hint.setObjectName("hint")
        self.hint.setWordWrap(True)
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self._lay_out()
        self.what.currentIndexChanged.connect(self._show_choice)
        self.format.currentTextChanged.connect(self._show_format)
        self._show_choice()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("What", self.what)
        form.addRow("Format", self.format)
        form.addRow("Resolution", self.dpi)
        self.column.addLayout(form)
        self.column.addWidget(self.hint)
        self.column.addWidget(self.outcome)
        self.column.addStretch(1)
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.save_button = self.buttons.addButton("Save…", role)
        self.save_button.clicked.connect(self._on_save)
        self.copy_button = self.buttons.addButton("Copy", role)
        self.copy_button.setToolTip("Copy the figure to the clipboard")
        self.copy_button.clicked.connect(self.copy)
        self.finish(self.save_button)
        self.setMinimumWidth(440)

    @property
    def choice(self) -> Choice:
        """What is to be exported."""
        return self._choices[self.what.currentIndex()]

    def _show_choice(self) -> None:
        formats = FORMATS[self.choice.kind]
        self.format.clear()
        self.format.addItems([name.upper() if len(name) < 4 else name for name in formats])
        self.format.setEnabled(bool(formats))
        self.hint.setText(HINTS[self.choice.kind])
        self.copy_button.setEnabled(self.choice.kind in ("page", "figure"))
        self._show_format()

    def _show_format(self) -> None:
        self.dpi.setEnabled(self.format.currentText() == "PNG")

    def _on_save(self) -> None:
        suffix = self.format.currentText().lower()
        name = file_name(self._experiment.id, self.choice, suffix)
        start = str(Path(self._files.folder()) / name)
        if suffix:
            chosen, _ = QFileDialog.getSaveFileName(self, "Export", start, f"*.{suffix}")
        else:
            chosen = QFileDialog.getExistingDirectory(self, "Export into", self._files.folder())
        if chosen:
            self.save(Path(chosen))

    def save(self, path: Path) -> None:
        """Export into a file, whose name gets the format's ending if it has none."""
        suffix = self.format.currentText().lower()
        if suffix and not path.suffix:
            path = path.with_suffix(f".{suffix}")
        work = job(self.choice, path, self._shown_views(), self.dpi.currentData())
        self._begin(f"Writing {path.name}…")
        self._bridge.ask(_only_of(self._experiment, work), lambda done: self._on_saved(path, done))

    def copy(self) -> None:
        """Copy the figure to the clipboard."""
        work = figure_png(self.choice.view, self._shown_views(), self.dpi.currentData())
        self._begin("Drawing…")
        self._bridge.ask(_only_of(self._experiment, work), self._on_drawn)

    def _shown_views(self) -> list[View]:
        return [view for view in self._views if view.shown] or list(self._views)

    def _begin(self, text: str) -> None:
        self.save_button.setEnabled(False)
        self.copy_button.setEnabled(False)
        self.outcome.setText(text)

    def _on_saved(self, path: Path, done: bool | Exception) -> None:
        if not isinstance(done, Exception):
            self._files.keep_folder(path)
        self._end(done, f"Saved {path.name}." if done else "Cancelled; nothing was written.")

    def _on_drawn(self, data: bytes | Exception) -> None:
        if not isinstance(data, Exception):
            QGuiApplication.clipboard().setImage(QImage.fromData(data))
        self._end(data, "The figure is in the clipboard.")

    def _end(self, result: object, text: str) -> None:
        from shiboken6 import isValid

        if not isValid(self):  # closed meanwhile
            return
        self.save_button.setEnabled(True)
        self.copy_button.setEnabled(self.choice.kind in ("page", "figure"))
        if isinstance(result, LabError):
            self.outcome.setText(str(result))
        elif isinstance(result, Exception):
            self.outcome.setText("Something failed; the window shows the details.")
            raise result
        else:
            self.outcome.setText(text)


def _only_of(
    experiment: AbstractExperiment[Any, Any], work: Callable[[Session, Progress], _T]
) -> Callable[[Session, Progress], _T]:
    """Return the work with a check that the run is still one of the experiment it was chosen for.

    The dialog stays open while other experiments are shown; its choices are those of its own.
    """

    def checked(session: Session, progress: Progress) -> _T:
        if session.experiment.id != experiment.id:
            raise LabError(
                f"The run of {experiment.title} is not open any more; open that experiment again."
            )
        return work(session, progress)

    return checked


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
