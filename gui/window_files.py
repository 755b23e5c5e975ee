"""Opening and saving runs, from menus, dropped files and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from engine.errors import LabError
from gui.bridge import Bridge
from gui.run_control import RunControl
from gui.settings import Settings

if TYPE_CHECKING:
    from engine.runfile import RunFile
    from engine.session import Session

FILTER = "Runs (*.toml run.json);;All files (*)"


class RunFiles(QObject):
    """Run files in and out of the window.

    Attributes
    ----------
    said : Signal(str)
        One sentence on what was done.
    refused : Signal(str)
        One sentence on what could not be done; nothing has changed.
    """

    said = Signal(str)
    refused = Signal(str)

    def __init__(
        self, window: QWidget, control: RunControl, bridge: Bridge, settings: Settings
    ) -> None:
        super().__init__(window)
        self._window = window
        self._control = control
        self._bridge = bridge
        self._settings = settings

    def ask_open(self) -> None:
        """Let the user choose a run to open."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a run", self._folder(), FILTER)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> bool:
        """Open a run file, a `run.json` or the folder that holds one, and replay it."""
        from engine.experiments import get
        from engine.params import update
        from engine.runfile import carry_out, load

        try:
            run = load(path)
            last = run.params
            for change in run.changes:
                last = update(last, **change.values)
            experiment = get(run.experiment)
        except LabError as error:
            self.refused.emit(str(error))
            return False
        self._control.choose(experiment, run.params, run.seed)
        if run.steps:
            self._bridge.call(lambda session: carry_out(run, session))
            self._bridge.live()
            self._control.accept(last)
        self._remember(path)
        self.said.emit(f"Opened {path.name}.")
        return True

    def ask_save(self) -> None:
        """Let the user choose where to save the run's settings."""
        start = str(Path(self._folder()) / f"{self._control.experiment.id}.toml")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save settings", start, FILTER)
        if name:
            path = Path(name)
            self.save(path if path.suffix else path.with_suffix(".toml"))

    def save(self, path: Path) -> None:
        """Save the run: its settings, live changes and length."""
        from engine.runfile import RunFile

        def describe(session: Session) -> RunFile:
            return RunFile.of(session)

        self._bridge.ask(describe, lambda run: self._write(path, run))

    def _write(self, path: Path, run: RunFile | Exception) -> None:
        from engine.runfile import save

        try:
            if isinstance(run, Exception):
                raise run
            save(path, run)
        except LabError as error:
            self.refused.emit(str(error))
        else:
            self._remember(path)
            self.said.emit(f"Saved {path.name}.")

    def show_recent(self, menu: QMenu) -> None:
        """Fill a menu with the files opened or saved last."""
        menu.clear()
        for path in self._settings.recent_files():
            action = menu.addAction(path.name)
            action.setToolTip(str(path))
            action.triggered.connect(lambda checked=False, path=path: self.open(path))
        menu.setEnabled(not menu.isEmpty())

    def _remember(self, path: Path) -> None:
        self._settings.add_recent_file(path)
        self._settings.set_text("folder", str(path.resolve().parent))

    def _folder(self) -> str:
        folder = self._settings.text("folder")
        return folder if folder and Path(folder).is_dir() else str(Path.home())
