"""The engine thread: obeys commands between chunks and leaves snapshots in a mailbox.

State machine of a run (`engine.run.snapshot.Status`)::

    start ──> compiling ──> paused <──play/pause──> running ──> finished (diverged or done)
                  │            ^                       │
                  └─> Failure  └── seek, back, reset ──┘        an exception: ──> failed

No Qt object is touched here, and no state of a run is touched by any other thread.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from engine.core.change import Nudge, checked
from engine.core.ensemble import Ensemble, Progress
from engine.core.errors import InputError, LabError
from engine.core.experiment import AbstractExperiment
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.params import Params
from engine.run.branches import Branch, Course, Dropped
from engine.run.convergence import Convergence, first_converged
from engine.run.mailbox import Mailbox
from engine.run.pace import Pace
from engine.run.parked import Parked, Shelf
from engine.run.session import Session
from engine.run.snapshot import Failure, Snapshot, Status
from engine.run.throttle import Pictures
from engine.text.numbers import whole


class Runner:
    """One run at a time on a thread of its own, and one at rest for every other experiment.

    Methods may be called from any thread and return at once; their effect is seen in the snapshots
    of `mailbox`. A snapshot is made when the last one was taken, and whenever the status changes.

    Parameters
    ----------
    on_snapshot : callable, optional
        Called on the engine thread after each snapshot was put; tests wait on it.

    Attributes
    ----------
    drawing_seconds : float
        What a picture takes of the thread that draws it; set by whoever does (`engine.run.pace`).
    on_drop : callable, optional
        Called on the engine thread when a run goes on from a scrubbed step and what came after is
        given up; gives the sentence to be shown.
    """

    def __init__(self, on_snapshot: Callable[[Snapshot | Failure], None] | None = None) -> None:
        self.mailbox: Mailbox[Snapshot | Failure] = Mailbox()
        self._on_snapshot = on_snapshot
        self.on_drop: Callable[[Dropped], str] | None = None
        self.drawing_seconds = 0.0
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._cancel = threading.Event()
        self._closing = False
        self._run_id = 0
        self._latest_run_id = 0
        self._session: Session | None = None
        self._pictures: Pictures | None = None
        self._shelf = Shelf()
        self._status = Status.IDLE
        self._pace = Pace()
        self._target: int | None = None
        self._frame = 0
        self._seconds_per_step = 1e-5
        self._pictured_at = self._picture_seconds = 0.0
        self._owes_picture = self._owes_fresh = False
        self._ensemble: Ensemble | None = None
        self._message = self._drop_sentence = ""
        self._convergence = Convergence()
        self._thread = threading.Thread(target=self._loop, name="engine-runner", daemon=True)
        self._thread.start()

    # Commands, called from any thread.

    def start(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params,
        seed: int,
        paused: bool = True,
        start: Mapping[str, NDArray[Any]] | None = None,
    ) -> int:
        """Begin a new run and return its id.

        An older one of the same experiment is dropped, one of another put aside (`resume`). `start`
        holds learned parameters to begin from.
        """
        run_id = self._next_run_id()
        self._commands.put(
            lambda: self._start(
                run_id, experiment, lambda: Session(experiment, params, seed, start), paused
            )
        )
        return run_id

    def resume(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params,
        seed: int,
        start: Mapping[str, NDArray[Any]] | None = None,
    ) -> int:
        """Take up the run of an experiment that was put aside, paused, and return its new id.

        Where there is none, one begins as by `start`.
        """
        run_id = self._next_run_id()
        self._commands.put(
            lambda: self._resume(
                run_id, experiment, lambda: Session(experiment, params, seed, start)
            )
        )
        return run_id

    def play(self) -> None:
        """Run until paused, from the shown step."""
        self._send(lambda: self._set_running(None))

    def pause(self) -> None:
        """Stop between two chunks."""
        self._send(self._pause)

    def run(self, n: int) -> None:
        """Run `n` steps from the shown one, at the set speed, and pause."""
        self._send(lambda: self._set_running(n))

    def step(self, n: int = 1) -> None:
        """Make `n` steps at once and stay paused."""
        self._send(lambda: self._step(n))

    def back(self, n: int = 1) -> None:
        """Show the state `n` steps earlier and stay paused."""
        self._send(lambda: self._seek(max(0, self._shown_step() - n)))

    def seek(self, step: int) -> None:
        """Show the state at a step that was already reached; the run keeps its place."""
        self._send(lambda: self._seek(step))

    def live(self) -> None:
        """Show the run's own state again."""
        self._send(lambda: self._seek(None))

    def reset(self) -> None:
        """Go back to step 0 with the parameters and the seed now in force."""
        session = self._session
        if session is not None:
            self.start(session.experiment, session.params, session.seed, start=session.start)

    def retune(self, params: Params) -> None:
        """Go on with other live parameters, from the shown step."""
        self._send(lambda: self._retune(params))

    def nudge(self, size: float) -> None:
        """Push the shown state by this share of its norm, and go on from there."""
        self._send(lambda: self._nudge(size))

    def exchange(
        self, course: Course, then: Callable[[Session | None], None] | None = None
    ) -> None:
        """Put the other course of the run in force, made again as a long job with progress.

        `then` is called on the engine thread with its session, or None if it was cancelled.
        """
        self._send(lambda: self._exchange(course, then or (lambda session: None)))

    def set_speed(self, steps_per_frame: float | None) -> None:
        """Set the steps made per frame of 1/60 s; None for as many as possible."""
        self._send(lambda: setattr(self._pace, "steps_per_frame", steps_per_frame))

    def ensemble(self, steps: int | None = None) -> None:
        """Run the experiment's ensemble, as a long job with progress."""
        self._send(lambda: self._run_ensemble(steps))

    def call(self, function: Callable[[Session], None]) -> None:
        """Run a short function on the engine thread with the session, between chunks."""
        self._send(lambda: function(self._require()))

    def job(self, function: Callable[[Session, Progress], None]) -> None:
        """Run a long function on the engine thread, with progress; a run that was going goes on."""
        self._send(lambda: self._run_job(function))

    def cancel(self) -> None:
        """Stop a long job."""
        self._cancel.set()

    def close(self, timeout: float = 10.0) -> bool:
        """Stop the thread and wait for it; returns whether it ended in time."""
        self._closing = True
        self._cancel.set()
        self._commands.put(lambda: None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _next_run_id(self) -> int:
        self._latest_run_id += 1
        self._cancel.set()
        return self._latest_run_id

    def _send(self, command: Callable[[], None]) -> None:
        self._commands.put(command)

    # Everything below runs on the engine thread.

    def _loop(self) -> None:
        while not self._closing:
            self._guard(self._obey)
            if self._status is Status.RUNNING and not self._closing:
                self._guard(self._advance)
        if self._session is not None:
            self._session.close()
        self._shelf.close()

    def _guard(self, action: Callable[[], None]) -> None:
        try:
            action()
        except LabError as error:
            self._message = str(error)
            if self._status is Status.RUNNING:
                self._status = Status.PAUSED
            self._publish(force=True)
        except Exception:
            self._status = Status.FAILED
            self._message = "The engine stopped with an error."
            self._publish_bare(OutcomeKind.FAILED, traceback.format_exc())

    def _obey(self) -> None:
        timeout = self._pace.wait() if self._status is Status.RUNNING else None
        try:
            command = (
                self._commands.get_nowait() if timeout == 0 else self._commands.get(timeout=timeout)
            )
            while True:
                command()
                command = self._commands.get_nowait()
        except queue.Empty:
            pass
        if self._owes_picture:
            self._publish(force=self._owes_fresh or self._status is not Status.RUNNING)

    def _start(
        self,
        run_id: int,
        experiment: AbstractExperiment[Any, Any],
        begin: Callable[[], Session],
        paused: bool,
    ) -> None:
        self._shelf.drop(experiment.id)
        if self._session is not None and self._session.experiment.id == experiment.id:
            self._session.close()
            self._session = self._pictures = None
        if run_id != self._latest_run_id:
            return  # a newer start is waiting
        self._leave(run_id)
        self._status = Status.COMPILING
        try:
            self._session = begin()
            self._pictures = Pictures(self._session)
            self._publish_bare(OutcomeKind.CONVERGING)
            self._session.experiment.warm_up()
        except LabError as error:
            self._fail_to_start(str(error))
        except Exception:
            self._fail_to_start("The run could not begin.", traceback.format_exc())
        else:
            self._seconds_per_step = 1e-5
            self._status = Status.PAUSED
            if not paused:
                self._set_running(None)
            self._publish(force=True)

    def _resume(
        self,
        run_id: int,
        experiment: AbstractExperiment[Any, Any],
        begin: Callable[[], Session],
    ) -> None:
        if run_id != self._latest_run_id:
            return  # a newer start is waiting
        self._leave(run_id)
        run = self._shelf.take(experiment.id)
        if run is None:
            self._start(run_id, experiment, begin, paused=True)
            return
        self._session, self._pictures, self._ensemble = run.session, run.pictures, run.ensemble
        self._seconds_per_step = run.seconds_per_step
        self._convergence = run.convergence
        self._status = Status.FINISHED if run.session.finished else Status.PAUSED
        self._publish(force=True)

    def _leave(self, run_id: int) -> None:
        """Put the present run aside, unless it failed, and make ready for another."""
        self._cancel.clear()
        if self._session is not None and self._pictures is not None:
            if self._status is Status.FAILED:
                self._session.close()
            else:
                run = Parked(
                    self._session,
                    self._pictures,
                    self._ensemble,
                    self._seconds_per_step,
                    self._convergence,
                )
                self._shelf.put(run)
        self._session, self._pictures, self._run_id, self._frame = None, None, run_id, 0
        self._status, self._message = Status.IDLE, ""
        self._target = self._ensemble = None
        self._convergence = Convergence()

    def _fail_to_start(self, message: str, error: str = "") -> None:
        self._session, self._status = None, Status.IDLE
        self._put(Failure(run_id=self._run_id, message=message, error=error))

    def _require(self) -> Session:
        if self._session is None:
            raise LabError("There is no run yet.")
        return self._session

    def _look(self, step: int | None) -> None:
        self._require()
        if self._pictures is not None:
            self._pictures.look(step)

    def _shown_step(self) -> int:
        session = self._require()
        cursor = None if self._pictures is None else self._pictures.cursor
        return session.step if cursor is None else cursor

    def _fork_at_cursor(self, params: Params | None = None) -> Session:
        """Make the shown step the run's own: what came after it will be computed again."""
        session, shown, last = self._require(), self._shown_step(), self._require().step
        self._message = self._drop_sentence = ""
        if shown < last:
            course = Course(Branch.of(session))
            session.rewind(shown)
            if self.on_drop is not None:
                self._drop_sentence = self.on_drop(Dropped(course, shown + 1, last, params))
                self._message = self._drop_sentence
        self._look(None)
        return session

    def _exchange(self, course: Course, then: Callable[[Session | None], None]) -> None:
        made: Session | None = None

        def work(present: Session, progress: Progress) -> str:
            nonlocal made
            made = course.other.remade(present.experiment, progress)
            if made is None:
                return "Cancelled: the run is left as it is."
            course.other = Branch.of(present)
            present.close()
            self._session, self._pictures = made, Pictures(made)
            self._convergence.told, self._target = True, None
            return f"The run to step {whole(made.step)} is back."

        self._require()
        self._status = Status.PAUSED
        try:
            self._run_job(work)
        finally:
            then(made)

    def _set_running(self, n: int | None) -> None:
        session = self._fork_at_cursor()
        self._target = None if n is None else session.step + n
        self._status = Status.FINISHED if session.finished else Status.RUNNING
        self._pace.restart()
        self._owes_picture = self._owes_fresh = True

    def _pause(self) -> None:
        if self._status is Status.RUNNING:
            self._status = Status.PAUSED
        self._publish(force=True)

    def _step(self, n: int) -> None:
        ahead = self._shown_step() + n
        if ahead <= self._require().step:  # the steps are there already
            self._seek(ahead)
            return
        session = self._require()
        self._look(None)
        self._message = ""
        session.advance(ahead - session.step)
        self._status = Status.FINISHED if session.finished else Status.PAUSED
        self._publish(force=True)

    def _seek(self, step: int | None) -> None:
        if self._status is Status.RUNNING:
            self._status = Status.PAUSED
        self._look(step)
        self._publish(force=True)

    def _retune(self, params: Params) -> None:
        self._owes_picture = True  # one of all that were waiting, or a drag would be late
        if self._require().prepare(params):
            return
        session = self._fork_at_cursor(params)
        session.retune(params)
        self._convergence.told = False
        if self._status is Status.FINISHED and not session.finished:
            self._status = Status.PAUSED

    def _nudge(self, size: float) -> None:
        session = self._require()
        nudge = checked(Nudge(size))  # refused before what came after is given up
        if session.experiment.why_no_nudge:
            raise InputError("nudge", size, session.experiment.why_no_nudge)
        session = self._fork_at_cursor()
        session.nudge(size)
        self._message = f"Nudged by {nudge.size_text} of the state's size. {self._message}".rstrip()
        self._convergence.push(session.step)
        if self._status is Status.FINISHED and not session.finished:
            self._status = Status.PAUSED
        self._publish(force=True)

    def _advance(self) -> None:
        session = self._require()
        n = min(self._pace.due(self._seconds_per_step), session.experiment.listing.steps_per_call)
        if self._target is not None:
            n = min(n, self._target - session.step)
        if n > 0:
            begin = time.perf_counter()
            made = session.advance(n, coarse=True)
            elapsed = time.perf_counter() - begin
            if made:
                self._seconds_per_step = 0.7 * self._seconds_per_step + 0.3 * elapsed / made
        if session.finished:
            self._status = Status.FINISHED
        elif self._target is not None and session.step >= self._target:
            self._status = Status.PAUSED
        ended = self._status is not Status.RUNNING
        if ended or self._picture_is_due(session):
            self._publish(force=ended)

    def _run_ensemble(self, steps: int | None) -> None:
        def work(session: Session, progress: Progress) -> str:
            experiment = session.experiment
            self._ensemble = experiment.ensemble(
                session.params, session.seed, steps or experiment.default_steps, progress
            )
            return "Ensemble cancelled." if self._ensemble.cancelled else "Ensemble done."

        self._run_job(work)

    def _run_job(self, function: Callable[[Session, Progress], str | None]) -> None:
        """Do long work while the run rests; what it returns is shown when it is done."""
        before = self._status
        if before is Status.RUNNING:
            self._status = Status.PAUSED
        message = None
        try:
            message = function(self._require(), self._begin_job())
        finally:
            if self._status is Status.PAUSED and before is Status.RUNNING:
                self._status = before
                self._pace.restart()
        self._message = message or ""
        if self._status is Status.PAUSED and self._require().finished:
            self._status = Status.FINISHED
        self._publish(force=True)

    def _begin_job(self) -> Progress:
        """Make the progress of a long job: publishes now and then, and heeds `cancel`."""
        self._cancel.clear()
        begin, run_id = time.monotonic(), self._run_id

        def progress(fraction: float, text: str) -> bool:
            elapsed = time.monotonic() - begin
            left = elapsed / fraction - elapsed if fraction > 0 else None
            self._message = text
            if self.mailbox.is_empty:
                self._publish(force=False, progress=fraction, seconds_left=left)
            return not (self._cancel.is_set() or self._closing or run_id != self._latest_run_id)

        return progress

    def _publish(
        self, *, force: bool, progress: float | None = None, seconds_left: float | None = None
    ) -> None:
        if self._session is None or self._pictures is None:
            return
        self._owes_picture = self._owes_fresh = False
        begin = time.monotonic()
        shown = self._pictures.take(force=force)
        if self._pauses_where_converged(self._session, shown[0]):
            shown = self._pictures.take(force=True)
        outcome, observation, theory, claims = shown
        self._put_snapshot(
            self._session,
            outcome=outcome,
            observation=observation,
            theory=theory,
            claims=claims,
            progress=progress,
            seconds_left=seconds_left,
        )
        self._pictured_at = time.monotonic()
        self._picture_seconds = self._pictured_at - begin

    def _picture_is_due(self, session: Session) -> bool:
        cost = self._picture_seconds + self.drawing_seconds
        rest = self._pace.rest(cost, session.experiment.listing.picture_share)
        return self.mailbox.is_empty and time.monotonic() >= self._pictured_at + rest

    def _pauses_where_converged(self, session: Session, outcome: Outcome) -> bool:
        """Pause where a run converges, once: a user who goes on wants to.

        Returns whether it went back to the first step at which it counts as converged, having run
        past it.
        """
        if not self._convergence.is_news(session, outcome) or self._target is not None:
            return False
        since = self._convergence.tell(session)
        if self._status is not Status.RUNNING:
            return False
        self._status = Status.PAUSED
        self._message = f"{outcome.message} {self._drop_sentence}".rstrip()
        if not session.experiment.rewindable:
            return False
        session.rewind(first_converged(session, since))
        return True

    def _publish_bare(self, kind: OutcomeKind, error: str = "") -> None:
        """Show where the run is without asking the experiment for anything."""
        if self._session is None:
            return
        outcome = Outcome(kind=kind, step=self._session.step, message=self._message)
        self._put_snapshot(
            self._session, outcome=outcome, observation={}, theory=(), claims=(), error=error
        )

    def _put_snapshot(self, session: Session, **shown: Any) -> None:
        self._frame += 1
        state = session.state if self._pictures is None else self._pictures.state
        self._put(
            Snapshot(
                run_id=self._run_id,
                frame=self._frame,
                status=self._status,
                experiment=session.experiment.id,
                params=session.params_of(state),
                seed=session.seed,
                step=session.step,
                cursor=self._shown_step(),
                target=self._target,
                trace=session.trace.view(),
                changes=session.changes,
                steps_per_second=1 / self._seconds_per_step,
                ensemble=self._ensemble,
                message=self._message,
                **shown,
            )
        )

    def _put(self, item: Snapshot | Failure) -> None:
        self.mailbox.put(item)
        if self._on_snapshot is not None:
            self._on_snapshot(item)
