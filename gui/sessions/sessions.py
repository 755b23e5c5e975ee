"""Sessions in and out of the window: saved, opened, and kept aside while one works."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.core.errors import LabError
from engine.core.registry import Listed
from gui.compare.pins import Pins
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.run.remake import remake
from gui.sessions.kept import SUFFIX, KeptFiles, write_session
from gui.settings import Settings
from gui.story.player import StoryPlayer
from gui.widgets.background import Background

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.core.experiment import AbstractExperiment
    from engine.run.run import Run
    from engine.storage.session_file import KeptRun, KeptSession, Look

FILTER = f"Sessions (*{SUFFIX});;All files (*)"
KEEP_MS = 15_000
"""A change is in the session kept aside this much later, should the program be killed."""
PATIENCE_MS = 2000
"""Time for which the opening of a session waits until the present one is kept."""
CLOSING_SECONDS = 0.3
"""Time for which a window that closes waits for the state of its runs."""


class Place(Protocol):
    """What a session takes from the window, and gives back to it."""

    def look(self) -> Look:
        """Return how the window is set; the layout of the plots shown is among the settings."""

    def set_look(self, look: Look) -> None:
        """Set the window, and put the plots shown where the settings say."""

    def take_pins(self, experiments: set[str]) -> None:
        """Take the pins of these experiments as brought back already."""


class Recent(Protocol):
    """Knows the files opened and saved last."""

    def remember(self, path: Path) -> None:
        """Put a file among the recent ones."""

    def folder(self) -> str:
        """Return the folder in which a dialog begins."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was read, the runs that cannot be made again, and what is to be said."""

    session: KeptSession
    refused: Mapping[str, str]
    notice: str


class Sessions(QObject):
    """Saves and opens sessions.

    The run that is open is made again at once; another one when its experiment is shown. What a
    session does not hold, such as the runs of other experiments, stays as it is.

    Parameters
    ----------
    window : QWidget
        Parent of the dialogs.
    control, bridge, pins, story, settings
        Of the window.
    experiments : sequence of Listed
        What is in the list.
    place : Place
    files : Recent

    Attributes
    ----------
    message_requested : Signal(str)
        One sentence on what was done.
    refused : Signal(str)
        One sentence on what could not be done.
    """

    message_requested = Signal(str)
    refused = Signal(str)

    def __init__(
        self,
        window: QWidget,
        control: RunControl,
        bridge: Bridge,
        pins: Pins,
        story: StoryPlayer,
        settings: Settings,
        *,
        experiments: Sequence[Listed],
        place: Place,
        files: Recent,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._control = control
        self._bridge = bridge
        self._pins = pins
        self._story = story
        self._settings = settings
        self._experiments = {listed.id: listed for listed in experiments}
        self._place = place
        self._files = files
        self._pending: dict[str, KeptRun] = {}
        self._unopened: dict[str, KeptRun] = {}
        self._is_choosing = False
        self._aside = KeptFiles(settings.folder)
        self._kept: KeptSession | None = None
        self._is_asked = False  # for the runs, to keep them
        self._writing: threading.Thread | None = None
        self.background = Background(window)
        self._due = QTimer(self, singleShot=True, interval=KEEP_MS)
        self._due.timeout.connect(self.keep)
        for changed in (bridge.snapshot_ready, pins.changed, control.settings_changed):
            changed.connect(self._on_changed)
        control.restarted.connect(self._on_restarted)

    # Saving.

    def ask_save(self) -> None:
        """Save the session where the user chooses."""
        start = str(Path(self._files.folder()) / f"session{SUFFIX}")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save the session", start, FILTER)
        if name:
            path = Path(name)
            self.save(path if path.suffix else path.with_suffix(SUFFIX))

    def save(self, path: Path) -> None:
        """Save the session, in the background."""
        self._collect(lambda session: self._write(path, session))

    def _write(self, path: Path, session: KeptSession) -> None:
        self.background.start(
            f"Saving {path.name}…",
            lambda progress: write_session(path, session),
            lambda done: self._on_saved(path, session, done),
        )

    def _on_saved(self, path: Path, session: KeptSession, done: Exception | None) -> None:
        if isinstance(done, LabError):
            self.refused.emit(str(done))
        elif done is not None:
            raise done
        else:
            self._files.remember(path)
            runs, pins = len(session.runs), len(session.pins)
            held = "1 run" if runs == 1 else f"{runs} runs"
            pinned = f" and {pins} pinned" if pins else ""
            self.message_requested.emit(f"Saved {path.name}: {held}{pinned}.")

    def _collect(self, then: Callable[[KeptSession], None]) -> None:
        """Pass the session as it is now to `then`."""
        self._bridge.survey(_kept, lambda runs: then(self._session(runs)))

    def _session(self, found: tuple[KeptRun, ...]) -> KeptSession:
        from engine.run.spec import RunSpec
        from engine.storage.session_file import KeptPin, KeptRun, KeptSession

        look = self._place.look()
        runs = {kept.run.experiment: kept for kept in found}
        control, here = self._control, ""
        if control.has_experiment:
            here = control.experiment.id
            if here not in runs:  # it was refused
                run = RunSpec(experiment=here, params=control.params, seed=control.seed, steps=0)
                runs[here] = KeptRun(run=run, cursor=0)
        runs |= self._unopened | self._pending
        return KeptSession(
            experiment=here,
            runs=tuple(
                dataclasses.replace(kept, layout=bytes(self._settings.blob(f"plots/{name}").data()))
                for name, kept in runs.items()
            ),
            pins=tuple(
                KeptPin(
                    experiment=pin.experiment,
                    params=pin.params,
                    seed=pin.seed,
                    trace=pin.trace,
                    color=pin.color,
                    visible=pin.visible,
                    name=pin.name,
                    changes=pin.changes,
                    result=pin.result,
                )
                for pin in self._pins.all
            ),
            story=self._story.kept(),
            look=look,
        )

    # Opening.

    def ask_open(self) -> None:
        """Open a session that the user chooses."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open a session", self._files.folder(), FILTER
        )
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Open a session, read in the background; the present one is kept aside."""
        self._open(path, lambda: self._files.remember(path))

    def restore_last(self) -> None:
        """Open the session that was worked on before, also where the program was killed."""
        path = self._aside.last()
        if path is None:
            self.message_requested.emit("There is no earlier session to restore.")
        else:
            self._open(path, lambda: None)

    def _open(self, path: Path, remember: Callable[[], None]) -> None:
        self.background.start(
            f"Reading {path.name}…",
            lambda progress: _read(path, progress),
            lambda opened: self._on_read(path, opened, remember),
        )

    def _on_read(
        self, path: Path, opened: Opened | Exception, remember: Callable[[], None]
    ) -> None:
        if isinstance(opened, LabError):
            self.refused.emit(str(opened))
            return
        if isinstance(opened, Exception):
            raise opened
        waits = True

        def go_on(present: KeptSession | None = None) -> None:
            nonlocal waits
            if not waits:
                return
            waits = False
            if present is not None and _is_worth_keeping(present):
                self._aside.write(present, as_last=True)
            remember()
            self._apply(path, opened)

        self._bridge.cancel()
        self._collect(go_on)
        QTimer.singleShot(PATIENCE_MS, self, go_on)

    def _apply(self, path: Path, opened: Opened) -> None:
        session, refused = opened.session, opened.refused
        self._story.leave()
        self._show_pins(session)
        runs = {kept.run.experiment: kept for kept in session.runs}
        self._unopened = {name: kept for name, kept in runs.items() if name in refused}
        self._pending = {name: kept for name, kept in runs.items() if name not in refused}
        first = [session.experiment, *self._pending]
        for name in first:
            if name in self._pending and name in self._experiments:
                self.choose(self._experiments[name].load())
                break
        for name, kept in runs.items():
            self._settings.set_blob(f"plots/{name}", kept.layout)
        self._place.set_look(session.look)
        if session.story is not None:
            self._story.take_up(session.story)
        if self._aside.is_there:
            self._keep(session)  # at once: the file that it was read from may be the last one's
        self.message_requested.emit(" ".join(filter(None, (f"Opened {path.name}.", opened.notice))))
        if refused:
            self.refused.emit(" ".join(refused.values()))

    def _show_pins(self, session: KeptSession) -> None:
        self._place.take_pins(session.experiments)
        for name in session.experiments:
            self._pins.clear(name)
        for pin in session.pins:
            self._pins.add_trace(
                pin.experiment,
                pin.params,
                pin.seed,
                pin.trace,
                color=pin.color,
                visible=pin.visible,
                name=pin.name,
                result=pin.result,
                changes=pin.changes,
            )

    def choose(self, experiment: AbstractExperiment[Any, Any]) -> None:
        """Show an experiment with its run, which is made again if it is one of a session."""
        kept = self._pending.get(experiment.id)
        if kept is None:
            self._control.choose(experiment)
            return
        self._is_choosing = True
        try:
            remake(
                self._control,
                self._bridge,
                experiment,
                kept.run,
                lambda done: self._on_remade(kept, done),
                kept.finished,
            )
        finally:
            self._is_choosing = False

    def _on_remade(self, kept: KeptRun, done: bool | Exception) -> None:
        name = kept.run.experiment
        if self._pending.get(name) is not kept:
            return
        is_open = self._control.experiment.id == name
        if done is False and not is_open:
            return  # another experiment was chosen meanwhile: it is made when it is shown again
        del self._pending[name]
        if isinstance(done, LabError):
            self.refused.emit(str(done))
        elif isinstance(done, Exception):
            raise done
        elif done and is_open and kept.run.steps is not None and kept.cursor < kept.run.steps:
            self._control.seek(kept.cursor)

    def _on_restarted(self) -> None:
        """Forget the run of a session that the user has replaced."""
        if not self._is_choosing and self._control.has_experiment:
            for runs in (self._pending, self._unopened):
                runs.pop(self._control.experiment.id, None)

    # The session kept aside.

    def _on_changed(self) -> None:
        if not self._due.isActive() and self._aside.is_there:
            self._due.start()

    def keep(self) -> None:
        """Keep the session as it is, for `restore_last`, in a thread of its own."""
        self._due.stop()
        if self._aside.is_there:
            self._is_asked = True
            self._collect(self._keep)

    def _keep(self, session: KeptSession) -> None:
        self._is_asked = False
        if self._writing is not None and self._writing.is_alive():
            self._due.start()
        elif _is_worth_keeping(session) and session != self._kept:
            self._kept = session
            self._writing = threading.Thread(
                target=self._aside.write, args=(session,), name="background", daemon=True
            )
            self._writing.start()

    def keep_now(self) -> None:
        """Keep the session of a window that closes, whose place another one may take then."""
        try:
            self._keep_at_last()
        finally:
            self._aside.release()

    def _keep_at_last(self) -> None:
        if not self._due.isActive() and not self._is_asked:
            self._await_writing()
            return
        self._due.stop()
        found: list[tuple[KeptRun, ...]] = []
        has_answered = threading.Event()

        def look(runs: tuple[Run, ...]) -> None:
            found.append(_kept(runs))
            has_answered.set()

        self._bridge.survey(look, lambda done: None)
        if has_answered.wait(CLOSING_SECONDS):
            session = self._session(found[0])
            self._await_writing()
            if _is_worth_keeping(session) and session != self._kept:
                self._aside.write(session)

    def _await_writing(self) -> None:
        if self._writing is not None:
            self._writing.join()


def _kept(runs: tuple[Run, ...]) -> tuple[KeptRun, ...]:
    """Describe all runs; called on the engine thread."""
    from engine.storage.session_file import KeptRun

    return tuple(KeptRun.of(run) for run in runs)


def _is_worth_keeping(session: KeptSession) -> bool:
    """Return whether anything was done in it."""
    return bool(session.pins) or any(kept.run.steps for kept in session.runs)


def _read(path: Path, progress: Progress) -> Opened:
    """Read and check a session and the files of its runs; called in the background."""
    from engine.core.interrupt import watched
    from engine.core.registry import get
    from engine.run import inputs
    from engine.run.replay import on_this_machine
    from engine.storage.session_file import load

    with watched(progress):
        session = load(path)
        runs, refused, notices = [], {}, []
        for kept in session.runs:
            run, notice = on_this_machine(kept.run)
            experiment = get(run.experiment)
            try:
                inputs.check(experiment, run.params, run.sha256)
            except LabError as error:
                refused[run.experiment] = f"The run of {experiment.title} is not opened: {error}"
            runs.append(dataclasses.replace(kept, run=run))
            notices.append(notice)
    session = dataclasses.replace(session, runs=tuple(runs))
    return Opened(session, refused, next(filter(None, notices), ""))
