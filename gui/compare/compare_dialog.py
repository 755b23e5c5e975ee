"""The window that compares runs: a table beside the plots, in which the runs are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent, QColor, QGuiApplication
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QWidget,
)

from engine.core.errors import LabError
from gui.compare.pins import ROLES, Pins
from gui.compare.table import RunsModel, RunsTable
from gui.run.control import RunControl
from gui.style import scaling
from gui.style.icons import swatch
from gui.widgets.background import Background
from gui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.storage.comparison import Compared

LOOK_MS = 500
"""Time between two looks at the present run."""
RUNS = "Runs (*.toml run.json);;All files (*)"
BORDER = 40
"""Room for the frame of the window, in pixels."""
SHARE = 0.94
"""Of the screen that the window takes at most at first."""
TABLES = "Comma-separated values (*.csv);;Markdown (*.md);;For pgfplots (*.dat)"


class CompareDialog(Dialog):
    """The present run beside those pinned to its experiment.

    Parameters
    ----------
    control : RunControl
        Whose run is the present one.
    pins : Pins
    color_of : callable
        Returns the colour of a role in the theme.
    folder : callable
        Returns the folder in which a dialog begins.
    side_by_side : callable
        Shows the runs that are drawn beside one another.

    Attributes
    ----------
    table : RunsTable
    outcome : QLabel
        What became of the last wish, in one sentence.
    """

    def __init__(
        self,
        control: RunControl,
        pins: Pins,
        color_of: Callable[[str], QColor],
        folder: Callable[[], str],
        parent: QWidget | None = None,
        side_by_side: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__("Compare runs", parent)
        self._side_by_side = side_by_side
        self._control = control
        self._pins = pins
        self._color_of = color_of
        self._folder = folder
        self._background = Background(self)
        self.model = RunsModel(pins, color_of)
        self.model.setParent(self)
        self.table = RunsTable(self.model)
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self._buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self.table.hovered.connect(self._mark)
        self.table.selectionModel().selectionChanged.connect(self._enable)
        pins.changed.connect(self.refresh)
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self.refresh)
        self._look.start()
        self.refresh()
        self._fit()

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        scaling.spacing(tools, 6)
        for name, text, tip, ask in (
            ("open", "Add runs…", "Compare runs from files", self._ask_files),
            ("folder", "Add a folder…", "Compare a run's folder, or all in one", self._ask_folder),
            ("up", "Up", "Move the chosen run up", lambda: self._move(-1)),
            ("down", "Down", "Move the chosen run down", lambda: self._move(1)),
            ("color", "Colour", "Draw the chosen run in another colour", None),
            ("remove", "Unpin", "Take the chosen run away", self._remove),
        ):
            button = self._buttons[name] = QPushButton(text)
            button.setToolTip(tip)
            button.setAutoDefault(False)
            if ask is not None:
                button.clicked.connect(lambda checked=False, ask=ask: ask())
            tools.addWidget(button)
        tools.insertStretch(2, 1)
        self._buttons["color"].setMenu(self._colors())
        self.column.addWidget(self.table, 1)
        self.column.addLayout(tools)
        self.column.addWidget(self.outcome)
        role = QDialogButtonBox.ButtonRole.ActionRole
        for text, act in (
            ("Side by side", self._side_by_side),
            ("Copy as Markdown", lambda: self.copy("md")),
            ("Copy as CSV", lambda: self.copy("csv")),
            ("Save…", self._ask_save),
        ):
            self.buttons.addButton(text, role).clicked.connect(lambda checked=False, act=act: act())
        self.finish()
        scaling.least(self, width=720, height=300)

    def _fit(self) -> None:
        """Be as large as the table needs, on the screen that there is."""
        screen = self.screen().availableSize() * SHARE
        wanted = self.sizeHint() - self.table.sizeHint() + self.table.room
        self.resize(wanted.boundedTo(screen).expandedTo(self.minimumSize()))
        beside = self.parentWidget()
        if beside is not None:  # at its foot, so that the plots stay in sight
            foot = beside.window().frameGeometry()
            room = self.screen().availableGeometry()
            left = min(max(foot.center().x() - self.width() // 2, room.left()), room.right())
            self.move(left, min(foot.bottom(), room.bottom()) - self.height() - BORDER)

    def _colors(self) -> QMenu:
        menu = QMenu(self)
        for number, role in enumerate(ROLES, start=1):
            action = menu.addAction(swatch(self._color_of(role), self), f"Colour {number}")
            action.triggered.connect(lambda checked=False, role=role: self._recolor(role))
        return menu

    def refresh(self) -> None:
        """Show the runs as they are now."""
        control = self._control
        pins = self._pins.of(control.experiment.id) if control.has_experiment else ()
        self.model.show_runs(control.snapshot, pins)
        self._enable()

    def _enable(self) -> None:
        chosen = self._chosen() is not None
        for name in ("up", "down", "color", "remove"):
            self._buttons[name].setEnabled(chosen)

    def _chosen(self) -> int | None:
        """Return the id of the pin that is chosen."""
        row = self.table.row
        pin = None if row is None else self.model.pin(row)
        return None if pin is None else pin.id

    def _mark(self, row: int | None) -> None:
        pin = None if row is None else self.model.pin(row)
        self._pins.set_mark(None if pin is None else pin.id)

    def _move(self, by: int) -> None:
        chosen = self._chosen()
        if chosen is None:
            return
        self.table.unsort()
        self._pins.move(chosen, by)
        rows = range(self.model.rowCount())
        self.table.choose(next(row for row in rows if self._id(row) == chosen))

    def _id(self, row: int) -> int | None:
        pin = self.model.pin(row)
        return None if pin is None else pin.id

    def _recolor(self, role: str) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self._pins.recolor(chosen, role)

    def _remove(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self._pins.remove(chosen)

    # Files.

    def _ask_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Compare runs", self._folder(), RUNS)
        if names:
            self.add([Path(name) for name in names])

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Compare the runs of", self._folder())
        if name:
            self.add([Path(name)])

    def add(self, paths: Sequence[Path]) -> None:
        """Pin the runs of files and folders, read or made again in the background."""
        self.outcome.setText("")
        self._background.start(
            "Reading runs…", lambda progress: _read(paths, progress), self._on_read
        )

    def _on_read(self, runs: list[Compared] | Exception) -> None:
        if isinstance(runs, LabError):
            self.outcome.setText(str(runs))
            return
        if isinstance(runs, Exception):
            raise runs
        for run in runs:
            self._pins.add_trace(
                run.experiment,
                run.params,
                run.seed,
                run.trace,
                name=run.label,
                result=run.result,
                changes=run.changes,
            )
        here = self._control.experiment.id if self._control.has_experiment else ""
        away = sum(run.experiment != here for run in runs)
        count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
        more = f"; {away} of other experiments, beside whose runs they are shown" if away else ""
        self.outcome.setText(f"Added {count}{more}.")

    def copy(self, form: str) -> None:
        """Copy the table as Markdown ("md") or CSV."""
        QGuiApplication.clipboard().setText(self._written(form))
        self.outcome.setText("The table is in the clipboard.")

    def _written(self, form: str) -> str:
        table = self.model.comparison
        return table.to_markdown() if form == "md" else table.to_csv()

    def _ask_save(self) -> None:
        start = str(Path(self._folder()) / "comparison.csv")
        name, chosen = QFileDialog.getSaveFileName(self, "Save the table", start, TABLES)
        if name:
            path = Path(name)
            suffix = chosen.rpartition("*")[2].rstrip(")") or ".csv"
            self.save(path if path.suffix else path.with_suffix(suffix))

    def save(self, path: Path) -> None:
        """Save the table: as Markdown or for pgfplots by the ending of its name, else as CSV."""
        from engine.storage.columns import Plot, write_rows
        from engine.storage.files import write_text

        suffix = path.suffix.lower()
        try:
            if suffix == ".dat":
                write_rows(path, self.model.comparison.to_rows(), Plot(typeset=True))
            else:
                write_text(path, self._written("md" if suffix == ".md" else "csv"))
        except LabError as error:
            self.outcome.setText(str(error))
        else:
            self.outcome.setText(f"Saved {path.name}.")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what is read, and let no run stand out any more."""
        self._background.cancel()
        self._pins.set_mark(None)
        super().closeEvent(event)


def _read(paths: Sequence[Path], progress: Progress) -> list[Compared]:
    """Read runs; called in the background."""
    from engine.core.interrupt import watched
    from engine.storage import comparing

    found = comparing.sources(paths)
    runs = []
    for number, source in enumerate(found):

        def within(share: float, text: str, number: int = number) -> bool:
            return progress((number + share) / len(found), text)

        with watched(within):
            runs.append(comparing.read(source, within))
    return comparing.labelled(runs)
