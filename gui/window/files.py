"""Opening and saving runs, from menus, dropped files and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from engine.core.errors import LabError
from engine.text.numbers import whole
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.run.remake import begin, remake
from gui.sessions.kept import SUFFIX
from gui.settings import Settings
from gui.widgets.background import Background

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.core.experiment import AbstractExperiment
    from engine.run.spec import RunSpec
    from engine.run.trace import TraceView

FILTER = (
    f"Runs, sessions, learned parameters (*.toml run.json *{SUFFIX} *.npz *.safetensors)"
    ";;All files (*)"
)
LEARNED = (".npz", ".safetensors")


class RunFiles(QObject):
    """Run files in and out of the window.

    Attributes
    ----------
    message_requested : Signal(str)
        One sentence on what was done.
    refused : Signal(str)
        One sentence on what could not be done; nothing has changed.
    session_chosen : Signal(Path)
        The file is that of a whole session.
    trace_opened : Signal(str, object, object, object)
        Name, parameters, seed and trace of a finished run that cannot be replayed in a moment.
    """

    message_requested = Signal(str)
    refused = Signal(str)
    session_chosen = Signal(object)
    trace_opened = Signal(str, object, object, object)

    def __init__(
        self, window: QWidget, control: RunControl, bridge: Bridge, settings: Settings
    ) -> None:
        super().__init__(window)
        self._window = window
        self._control = control
        self._bridge = bridge
        self._settings = settings
        self.background = Background(window)

    def ask_open(self) -> None:
        """Open a run that the user chooses."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a run", self.folder(), FILTER)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Open a run file, a `run.json`, its folder, or learned parameters, read in the background.

        A run is made again to where it was; learned parameters are where a new one begins.
        A run that keeps no old states (a training) is not made again: its recorded trace is shown.
        """
        if path.suffix.lower() == SUFFIX:
            self.session_chosen.emit(path)
            return
        self.background.start(
            f"Reading {path.name}…",
            lambda progress: _watched(path, progress),
            lambda opened: self._on_read(path, opened),
        )

    def _on_read(self, path: Path, opened: Opened | Exception) -> None:
        if isinstance(opened, LabError):
            self.refused.emit(str(opened))
            return
        if isinstance(opened, Exception):
            raise opened
        run = opened.run
        if opened.trace is not None:
            self.trace_opened.emit(run.experiment, run.params, run.seed, opened.trace)
        if opened.experiment.rewindable and run.steps:
            remake(self._control, self._bridge, opened.experiment, run, self._on_replayed)
        else:
            begin(self._control, opened.experiment, run)
        self.remember(path)
        self.message_requested.emit(" ".join(filter(None, (f"Opened {path.name}.", opened.notice))))

    def _on_replayed(self, result: bool | Exception) -> None:
        if isinstance(result, LabError):
            self.refused.emit(str(result))
        elif isinstance(result, Exception):
            raise result

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
            self.message_requested.emit(f"Saved {path.name}{self._what_it_holds(run)}.")

    def _what_it_holds(self, run: RunSpec) -> str:
        """Return what a saved run file holds, where the window shows an earlier step."""
        shown = self._control.snapshot
        if shown is None or shown.is_live or run.steps is None:
            return ""
        return (
            f": it holds the whole run (steps = {run.steps}), of which step "
            f"{whole(shown.cursor)} is shown"
        )

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


@dataclass(frozen=True, slots=True)
class Opened:
    """A run that was read, and a notice for the user.

    `trace` is what a run that is not made again recorded, None where there is none.
    """

    run: RunSpec
    experiment: AbstractExperiment[Any, Any]
    notice: str
    trace: TraceView | None


def _watched(path: Path, progress: Progress) -> Opened:
    """Read and check a file, unless that is cancelled; called in the background."""
    from engine.core.interrupt import watched

    with watched(progress):
        return _read(path)


def _read(path: Path) -> Opened:
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
    experiment = get(run.experiment)
    return Opened(
        run,
        experiment,
        notice=" ".join(filter(None, (said, notice))),
        trace=None if experiment.rewindable else _trace(path),
    )


def _trace(path: Path) -> TraceView | None:
    """Read what a run recorded, if that lies beside its file."""
    from engine.storage.files import is_file, is_folder
    from engine.storage.recording import load_trace

    folder = path if is_folder(path, "run folder") else path.parent
    if path.suffix == ".toml" or not is_file(folder / "trace.npz", "trace"):
        return None
    return load_trace(folder / "trace.npz")
