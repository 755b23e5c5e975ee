"""Opening and saving runs, from menus, dropped files and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from engine.core.errors import LabError
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.settings import Settings

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.run.session import Session
    from engine.run.spec import RunSpec

FILTER = "Runs and learned parameters (*.toml run.json *.npz *.safetensors);;All files (*)"
LEARNED = (".npz", ".safetensors")


class RunFiles(QObject):
    """Run files in and out of the window.

    Attributes
    ----------
    message_requested : Signal(str)
        One sentence on what was done.
    refused : Signal(str)
        One sentence on what could not be done; nothing has changed.
    trace_opened : Signal(str, object, object, object)
        Name, parameters, seed and trace of a finished run that cannot be replayed in a moment.
    """

    message_requested = Signal(str)
    refused = Signal(str)
    trace_opened = Signal(str, object, object, object)

    def __init__(
        self, window: QWidget, control: RunControl, bridge: Bridge, settings: Settings
    ) -> None:
        super().__init__(window)
        self._window = window
        self._control = control
        self._bridge = bridge
        self._settings = settings

    def ask_open(self) -> None:
        """Open a run that the user chooses."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a run", self.folder(), FILTER)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> bool:
        """Open a run file, a `run.json`, its folder, or learned parameters.

        A run is made again to where it was; learned parameters are where a new one begins.
        A run that keeps no old states (a training) is not made again: its recorded trace is shown.
        """
        from engine.core.registry import get

        try:
            run, notice = _read(path)
            experiment = get(run.experiment)
            if not experiment.rewindable:
                self._open_trace(path, run)
        except LabError as error:
            self.refused.emit(str(error))
            return False
        self._control.choose(experiment, run.params, run.seed, start=run.start)
        if experiment.rewindable and run.steps:
            self._replay(run)
        self.remember(path)
        self.message_requested.emit(" ".join(filter(None, (f"Opened {path.name}.", notice))))
        return True

    def _replay(self, run: RunSpec) -> None:
        from engine.core.params import update

        last = run.params
        for change in run.changes:
            last = update(last, **change.values)
        self._bridge.ask(
            lambda session, progress: _replay(run, session, progress), self._on_replayed
        )
        self._control.accept(last)

    def _on_replayed(self, result: Exception | None) -> None:
        if isinstance(result, LabError):
            self.refused.emit(str(result))
        elif result is not None:
            raise result

    def _open_trace(self, path: Path, run: RunSpec) -> None:
        from engine.storage.files import is_file, is_folder
        from engine.storage.recording import load_trace

        folder = path if is_folder(path, "run folder") else path.parent
        if path.suffix == ".toml" or not is_file(folder / "trace.npz", "trace"):
            return

        trace = load_trace(folder / "trace.npz")
        self.trace_opened.emit(run.experiment, run.params, run.seed, trace)

    def ask_save(self) -> None:
        """Save the run's settings where the user chooses."""
        start = str(Path(self.folder()) / f"{self._control.experiment.id}.toml")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save settings", start, "Runs (*.toml)")
        if name:
            path = Path(name)
            self.save(path if path.suffix else path.with_suffix(".toml"))

    def save(self, path: Path) -> None:
        """Save the run: its settings, live changes and length."""
        from engine.run.spec import RunSpec

        self._bridge.ask(
            lambda session, progress: RunSpec.of(session), lambda run: self._write(path, run)
        )

    def _write(self, path: Path, run: RunSpec | Exception) -> None:
        from engine.storage.runfile import save

        try:
            if isinstance(run, Exception):
                raise run
            save(path, run)
        except LabError as error:
            self.refused.emit(str(error))
        else:
            self.remember(path)
            self.message_requested.emit(f"Saved {path.name}.")

    def show_recent(self, menu: QMenu) -> None:
        """Fill a menu with the files opened or saved last."""
        menu.clear()
        for path in self._settings.recent_files():
            action = menu.addAction(path.name)
            action.setToolTip(str(path))
            action.triggered.connect(lambda checked=False, path=path: self.open(path))
        if menu.isEmpty():
            menu.addAction("None yet").setEnabled(False)

    def remember(self, path: Path) -> None:
        """Put a file among the recent ones, and its folder where the next dialog begins."""
        self._settings.add_recent_file(path)
        self.keep_folder(path)

    def keep_folder(self, path: Path) -> None:
        """Remember the folder of this file, where the next dialog begins."""
        self._settings.set_text("folder", str(path.resolve().parent))

    def folder(self) -> str:
        """Return the folder in which a dialog begins."""
        folder = self._settings.text("folder")
        return folder if folder and Path(folder).is_dir() else str(Path.home())


def _read(path: Path) -> tuple[RunSpec, str]:
    """Read a run, and a sentence on it for the user, which may be empty."""
    from engine.core.registry import get
    from engine.run import inputs
    from engine.run.replay import on_this_machine

    if path.suffix.lower() in LEARNED:
        from engine.storage.learned import ANEW, load_learned, to_run

        run, said = to_run(load_learned(path)), ANEW
    else:
        from engine.storage.runfile import load

        run, said = load(path), ""
    inputs.check(get(run.experiment), run.params, run.sha256)
    run, notice = on_this_machine(run)
    return run, " ".join(filter(None, (said, notice)))


def _replay(run: RunSpec, session: Session, progress: Progress) -> None:
    """Make the steps of a run again, in calls after which progress is reported."""
    from engine.run.replay import in_chunks

    in_chunks(run, session, progress)
