"""The window's side of the engine: sends commands, and brings snapshots at the screen's rate.

The only module of the window that imports `engine.run.runner`.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from engine.run.snapshot import Failure, Snapshot, Status
from gui.run.frames import CostMeter, FrameMeter
from gui.run.gate import Admitted, Gate
from gui.run.undo import dropped_sentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.core.ensemble import Progress
    from engine.core.experiment import AbstractExperiment
    from engine.core.params import Params
    from engine.run.branches import DroppedSteps, Fork
    from engine.run.run import Run
    from engine.run.runner import Runner
    from engine.run.session import Session
    from engine.run.spec import SettingsInForce

_T = TypeVar("_T")

FRAME_MS = 16
IDLE_MS = 60
IDLE_TICKS = 60
"""Polls without news after which the timer slows down, so that a resting window costs nothing."""

CLOSE_SECONDS = 2.0
"""Time in which the engine thread leaves any step; a compilation it cannot leave."""


def _new_runner() -> Runner:
    from engine.run.runner import Runner

    return Runner()


class Bridge(QObject):
    """Passes commands to the engine thread and its newest snapshot to the window.

    Parameters
    ----------
    engine : Runner, optional
        The engine thread; by default a real one, made at the first run.

    Attributes
    ----------
    snapshot_ready : Signal(Snapshot)
        A newer picture of the run; at most one a frame.
    failed : Signal(str)
        The traceback of an error in the engine; once a run.
    rejected : Signal(Refusal or str)
        A run could not begin with what the user gave: the refusal, or a sentence.
    dropped : Signal(DroppedSteps)
        The run went on from a scrubbed step, and what came after was given up.
    frames : FrameMeter
        Intervals between polls while a run is going, the drawing of the picture included: how
        long the window is deaf at most.
    pictures : FrameMeter
        Intervals between snapshots shown while a run is going: no shorter than those above, and
        longer where the engine is asked for less than a step a frame or needs more than a frame.
    """

    snapshot_ready = Signal(object)
    failed = Signal(str)
    rejected = Signal(object)
    dropped = Signal(object)

    def __init__(self, engine: Runner | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._gate = Gate()
        self._run_id = 0
        self._failed_run = 0
        self._quiet = 0
        self._closed = False
        self._speed: float | None = 1.0
        self._running = False
        self._answers: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.frames = FrameMeter()
        self.pictures = FrameMeter()
        self._cost = CostMeter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._on_timeout)
        if engine is not None:
            engine.on_drop = self._on_drop

    @property
    def engine(self) -> Runner:
        """The runner, started at first use."""
        if self._engine is None:
            self._engine = _new_runner()
            self._engine.set_speed(self._speed)
            self._engine.on_drop = self._on_drop
        return self._engine

    def start(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params,
        seed: int,
        paused: bool = True,
        start: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Begin a new run, from learned parameters if given.

        While a run of the same experiment is beginning, it waits for the first picture of that one,
        and so do the commands that follow (`gui.run.gate`).
        """

        def begin() -> None:
            self._run_id = self.engine.start(experiment, params, seed, paused, start)
            self._set_running(False)

        self._carry_out(self._gate.start(experiment.id, begin))

    def resume(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params,
        seed: int,
        start: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Resume the run of an experiment where it was left, or begin one."""

        def begin() -> None:
            self._run_id = self.engine.resume(experiment, params, seed, start)
            self._set_running(False)

        self._carry_out(self._gate.start(experiment.id, begin))

    @property
    def is_starting(self) -> bool:
        """Whether a run was started that has not made its first picture."""
        return bool(self._gate.in_flight)

    def is_newest(self, snapshot: Snapshot) -> bool:
        """Return whether a picture is of the run that was asked for last."""
        return not self._gate.held and snapshot.run_id == self._run_id

    def play(self) -> None:
        """Run until paused."""
        self._send(lambda: self.engine.play())

    def pause(self) -> None:
        """Stop the run."""
        self._send(lambda: self.engine.pause())

    def run(self, n: int) -> None:
        """Run `n` steps and pause."""
        self._send(lambda: self.engine.run(n))

    def step(self, n: int = 1) -> None:
        """Make `n` steps."""
        self._send(lambda: self.engine.step(n))

    def back(self, n: int = 1) -> None:
        """Show the state `n` steps earlier."""
        self._send(lambda: self.engine.back(n))

    def seek(self, step: int) -> None:
        """Show the state at a step already reached."""
        self._send(lambda: self.engine.seek(step))

    def live(self) -> None:
        """Show the run's own state again."""
        self._send(lambda: self.engine.live())

    def retune(self, params: Params) -> None:
        """Go on with other live parameters."""
        self._send(lambda: self.engine.retune(params))

    def nudge(self, size: float) -> None:
        """Push the shown state by a share of its norm."""
        self._send(lambda: self.engine.nudge(size))

    def switch_branch(self, fork: Fork, then: Callable[[SettingsInForce | None], None]) -> None:
        """Put the other branch of the run in force; `then` gets its settings here, or None."""

        def answer(settings: SettingsInForce | None) -> None:
            self._answers.put(lambda: then(settings))

        self._send(lambda: self.engine.switch_branch(fork, answer))

    def set_speed(self, steps_per_frame: float | None) -> None:
        """Set the steps per frame, None for as many as possible."""
        self._speed = steps_per_frame
        if self._engine is not None:
            self._engine.set_speed(steps_per_frame)
        self._wake()

    def ensemble(self, steps: int | None = None) -> None:
        """Run many runs at once as a long job."""
        self._send(lambda: self.engine.ensemble(steps))

    def ask(
        self,
        function: Callable[[Session, Progress], _T],
        then: Callable[[_T | Exception], None],
    ) -> None:
        """Run a job on the engine thread, and give its result or error to `then` here."""

        def job(session: Session, progress: Progress) -> None:
            self._answer(lambda: function(session, progress), then)

        self._send(lambda: self.engine.job(job))

    def peek(
        self, function: Callable[[Session], _T], then: Callable[[_T | Exception], None]
    ) -> None:
        """Look at the session between two steps, without pausing the run as a job does."""

        def call(session: Session) -> None:
            self._answer(lambda: function(session), then)

        self._send(lambda: self.engine.call(call))

    def survey(self, function: Callable[[tuple[Run, ...]], _T], then: Callable[[_T], None]) -> None:
        """Look at all runs between two steps, whichever is asked for or waits to begin.

        `then` gets the result here, unless the function fails.
        """

        def call(runs: tuple[Run, ...]) -> None:
            result = function(runs)
            self._answers.put(lambda: then(result))

        self.engine.survey(call)
        self._wake()

    def _send(self, command: Callable[[], None]) -> None:
        self._carry_out(self._gate.send(command))

    def _carry_out(self, admitted: Admitted) -> None:
        self._gate, commands = admitted
        for command in commands:
            command()
        self._wake()

    def _on_drop(self, dropped: DroppedSteps) -> str:
        """Pass it on to the window's thread; called on the engine's."""
        self._answers.put(lambda: self.dropped.emit(dropped))
        return dropped_sentence(dropped.first, dropped.last)

    def _answer(self, function: Callable[[], _T], then: Callable[[_T | Exception], None]) -> None:
        result: _T | Exception
        try:
            result = function()
        except Exception as error:
            result = error
        self._answers.put(lambda: then(result))

    def cancel(self) -> None:
        """Stop a long job."""
        if self._engine is not None:
            self._engine.cancel()

    def close(self, timeout: float = 10.0) -> bool:
        """Stop polling and the engine thread; returns whether the thread ended in time."""
        self._closed = True
        self._timer.stop()
        return self._engine is None or self._engine.close(timeout)

    def poll(self) -> bool:
        """Take what is in the mailbox and pass it on; returns whether there was anything."""
        while not self._answers.empty():
            self._answers.get()()
        item = None if self._engine is None else self._engine.mailbox.take()
        if item is None or item.run_id < self._run_id:
            return False
        self._run_id = item.run_id
        if isinstance(item, Failure) or item.status is not Status.COMPILING:
            self._carry_out(self._gate.begun())
        if isinstance(item, Failure):
            self._on_failure(item)
        else:
            self._show(item)
        return True

    def _on_failure(self, failure: Failure) -> None:
        self._set_running(False)
        if failure.error:
            self.failed.emit(failure.error)
        elif not self.is_starting:  # else other settings were given meanwhile
            self.rejected.emit(failure.refusal or failure.message)

    def _show(self, item: Snapshot) -> None:
        self._set_running(item.status is Status.RUNNING)
        if self._running:
            self.pictures.tick()
            self._cost.tick()
            self.engine.drawing_seconds = self._cost.seconds
        self.snapshot_ready.emit(item)
        if item.error and self._failed_run != item.run_id:
            self._failed_run = item.run_id
            self.failed.emit(item.error)

    def _on_timeout(self) -> None:
        if self._running:
            self.frames.tick()
        if self.poll():
            self._wake()
            return
        self._quiet += 1
        if self._quiet == IDLE_TICKS and not self._running:
            self._timer.setInterval(IDLE_MS)
            self._timer.setTimerType(Qt.TimerType.CoarseTimer)

    def _set_running(self, running: bool) -> None:
        self._running = running
        if not running:
            self.frames.pause()
            self.pictures.pause()
            self._cost.pause()

    def _wake(self) -> None:
        if self._closed:
            return
        self._quiet = 0
        if self._timer.interval() != FRAME_MS:
            self._timer.setTimerType(Qt.TimerType.PreciseTimer)
            self._timer.setInterval(FRAME_MS)
        if not self._timer.isActive():
            self._timer.start()
