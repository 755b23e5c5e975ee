"""The dialog that exports figures, data and learned parameters, beside a run that goes on.

While an earlier step is looked at, that step is exported unless the last one is chosen.
"""

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
from engine.core.views import TimeView, View
from engine.text.numbers import whole
from gui.compare.pins import Pin, Pins
from gui.export.folders import Folders
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.style import scaling
from gui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.core.experiment import AbstractExperiment
    from engine.figures.data import FigureData
    from engine.run.session import Session
    from engine.run.snapshot import Snapshot

_T = TypeVar("_T")

RESOLUTIONS = (100, 150, 200, 300, 600)
Kind = Literal["page", "figure", "data", "weights", "folder"]
FORMATS: dict[Kind, tuple[str, ...]] = {
    "page": ("png", "svg", "pdf"),
    "figure": ("png", "svg", "pdf"),
    "data": ("csv", "dat", "npz"),
    "weights": ("npz", "safetensors"),
    "folder": (),
}
HINTS: dict[Kind, str] = {
    "page": "All plots shown at first on one page, with the settings at its foot.",
    "figure": "One plot for paper, from the same data as on the screen.",
    "data": "What the plot is drawn from, as numbers; DAT with a document that draws it by "
    "pgfplots.",
    "weights": "What was learned, by name, with the settings beside it.",
    "folder": "The run made again into a folder, up to this step: run.json, run.toml, trace and "
    "figures.",
}
ALL_STEPS = (
    "Every step at full resolution, computed again where the screen shows a band; DAT with a "
    "document that draws it by pgfplots."
)
"""Hint on the data of plots along the steps."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A thing to export."""

    kind: Kind
    title: str
    view: View | None = None

    @property
    def has_all_steps(self) -> bool:
        """Whether it holds every step, whichever is shown."""
        return self.kind == "data" and isinstance(self.view, TimeView)


@dataclass(frozen=True, slots=True)
class Moment:
    """What of a run is exported: an earlier step or (None) its last, and the runs pinned to it."""

    step: int | None = None
    pins: tuple[Pin, ...] = ()

    def data(self, session: Session) -> FigureData:
        """Return what figures are drawn from.

        Raises
        ------
        InputError
            If the run has not come to the step any more.
        """
        from engine.figures.data import FigureData, PinnedRun

        pins = tuple(PinnedRun(pin.title, pin.color, pin.trace) for pin in self.pins)
        return FigureData.of(session, self.step, pins)


def choices(views: Sequence[View], rewindable: bool) -> list[Choice]:
    """List what can be exported of a run with these views."""
    found = [Choice("page", "Page of all plots")]
    found += [Choice("figure", f"Plot: {view.title}", view) for view in views]
    found += [Choice("data", f"Data: {view.title}", view) for view in views]
    found.append(Choice("weights", "Learned parameters"))
    if rewindable:
        found.append(Choice("folder", "Whole run"))
    return found


def step_titles(snapshot: Snapshot) -> list[str]:
    """List the steps that can be exported, in words: that shown, and the last if it is another."""
    last = f"step {whole(snapshot.step)}, the last"
    if snapshot.is_live:
        return [last]
    return [f"step {whole(snapshot.cursor)} of {whole(snapshot.step)}, as shown", last]


def file_name(experiment_id: str, choice: Choice, suffix: str, step: int | None = None) -> str:
    """Propose a name for the file; `step` is one before the run's last."""
    from engine.storage.files import safe_name

    part = choice.kind if choice.view is None else choice.view.id
    part += "" if step is None or choice.has_all_steps else f"-step-{step}"
    return safe_name(f"{experiment_id}-{part}") + (f".{suffix}" if suffix else "")


class ExportDialog(Dialog):
    """Choose what, in which format, and where to.

    Parameters
    ----------
    control : RunControl
        Whose experiment's runs are exported.
    bridge : Bridge
        To the engine thread, which does it.
    files : Folders
        Knows the folder last used.
    pins : Pins, optional
        Pinned runs; those that are shown are drawn in figures.

    Attributes
    ----------
    moment : QComboBox
        The step that is exported.
    """

    def __init__(
        self,
        control: RunControl,
        bridge: Bridge,
        files: Folders,
        parent: QWidget | None = None,
        pins: Pins | None = None,
    ) -> None:
        super().__init__("Export", parent)
        self._experiment = control.experiment
        self._pins = pins
        self._cursor: int | None = None
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
        self.moment = QComboBox()
        self.moment.setAccessibleName("Step")
        self.hint = QLabel()
        self.hint.setObjectName("hint")
        self.hint.setWordWrap(True)
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self._lay_out()
        self.what.currentIndexChanged.connect(self._show_choice)
        self.format.currentTextChanged.connect(self._show_format)
        self._show_choice()
        self._show_steps(control.snapshot)
        bridge.snapshot_ready.connect(self._show_steps)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("What", self.what)
        form.addRow("Step", self.moment)
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
        scaling.least(self, width=440)

    @property
    def choice(self) -> Choice:
        """What is to be exported."""
        return self._choices[self.what.currentIndex()]

    def _show_steps(self, snapshot: Snapshot | None) -> None:
        """Offer the step that is shown now, and the last; a choice of the last is kept."""
        if snapshot is None or snapshot.experiment != self._experiment.id:
            return
        wants_last = self._cursor is not None and self.moment.currentIndex() == 1
        titles = step_titles(snapshot)
        self._cursor = None if snapshot.is_live else snapshot.cursor
        if titles != [self.moment.itemText(row) for row in range(self.moment.count())]:
            self.moment.clear()
            self.moment.addItems(titles)
            self.moment.setCurrentIndex(1 if wants_last and len(titles) > 1 else 0)
        self._enable_steps()

    def _enable_steps(self) -> None:
        self.moment.setEnabled(self._cursor is not None and not self.choice.has_all_steps)

    @property
    def step(self) -> int | None:
        """The step to be exported, None for the last."""
        return self._cursor if self.moment.currentIndex() == 0 else None

    def _moment(self) -> Moment:
        pins = () if self._pins is None else self._pins.of(self._experiment.id)
        return Moment(self.step, tuple(pin for pin in pins if pin.visible))

    def _show_choice(self) -> None:
        formats = FORMATS[self.choice.kind]
        if self.choice.kind == "weights":
            formats += tuple(each.removeprefix(".") for each in self._experiment.model_endings)
        self.format.clear()
        self.format.addItems([name.upper() if len(name) < 4 else name for name in formats])
        self.format.setEnabled(bool(formats))
        choice = self.choice
        self.hint.setText(ALL_STEPS if choice.has_all_steps else HINTS[choice.kind])
        self._enable_steps()
        self.copy_button.setEnabled(self.choice.kind in ("page", "figure"))
        self._show_format()

    def _show_format(self) -> None:
        self.dpi.setEnabled(self.format.currentText() == "PNG")

    def _on_save(self) -> None:
        suffix = self.format.currentText().lower()
        name = file_name(self._experiment.id, self.choice, suffix, self.step)
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
        work = job(self.choice, path, self._shown_views(), self.dpi.currentData(), self._moment())
        self._begin(f"Writing {path.name}…")
        self._bridge.ask(_only_of(self._experiment, work), lambda done: self._on_saved(path, done))

    def copy(self) -> None:
        """Copy the figure to the clipboard."""
        dpi, moment = self.dpi.currentData(), self._moment()
        work = figure_png(self.choice.view, self._shown_views(), dpi, moment)
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
    choice: Choice, path: Path, views: Sequence[View], dpi: int, moment: Moment
) -> Callable[[Session, Progress], bool]:
    """Return the function that makes a choice into a file; it returns False if it was cancelled."""
    if choice.kind == "page" or choice.kind == "figure":
        wanted = list(views) if choice.view is None else [choice.view]
        return lambda session, progress: _save_figure(
            moment.data(session), wanted, choice.kind, path, dpi
        )
    if choice.kind == "data" and choice.view is not None:
        view = choice.view
        return lambda session, progress: _save_data(session, view, path, moment, progress)
    if choice.kind == "weights":
        return lambda session, progress: _save_weights(session, path, moment)
    return lambda session, progress: _save_folder(session, path, moment, progress)


def figure_png(
    view: View | None, views: Sequence[View], dpi: int, moment: Moment
) -> Callable[..., bytes]:
    """Return the function that draws a figure for the clipboard."""

    def draw_it(session: Session, progress: Progress) -> bytes:
        from engine.figures.paper import draw, draw_page, render

        data = moment.data(session)
        figure = draw_page(views, data) if view is None else draw(view, data)
        return render(figure, "png", data, dpi=dpi)

    return draw_it


def _save_figure(data: FigureData, views: Sequence[View], kind: Kind, path: Path, dpi: int) -> bool:
    from engine.figures.paper import draw, draw_page, save

    figure = draw_page(views, data) if kind == "page" else draw(views[0], data)
    save(figure, path, data, dpi=dpi)
    return True


def _save_data(
    session: Session, view: View, path: Path, moment: Moment, progress: Progress
) -> bool:
    from engine.storage.export import export_view

    return export_view(session, view, path, step=moment.step, progress=progress)


def _save_weights(session: Session, path: Path, moment: Moment) -> bool:
    from engine.storage.learned import save_model

    save_model(session, path, moment.step)
    return True


def _save_folder(session: Session, path: Path, moment: Moment, progress: Progress) -> bool:
    from engine.cli.headless import Job, execute
    from engine.run.spec import RunSpec

    figures = ("svg", "png", "pdf")
    run = RunSpec.of(session)
    run = run if moment.step is None else run.until(moment.step)
    result = execute(Job(run=run, folder=path, figures=figures), progress)
    return result["outcome"]["kind"] != "cancelled" and progress(1.0, "written")
