"""The engine thread: obeys commands between chunks and leaves snapshots in a mailbox.

State machine of a run (`engine.run.snapshot.Status`)::

    start ──> compiling ──> paused <──play/pause──> running ──> finished (diverged or done)
                  │            ^                       │
                  └─> Failure  └────── seek, back ─────┘        an exception: ──> failed

A run that is paused has a picture. Kernels that its steps need besides are compiled in another
process (`engine.run.warming`), and steps wait for them.

No Qt object is touched here, and no run (`engine.run.run.Run`) by any other thread.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from engine.core.compiled import Compiling, NotCompiled, compile_kernels
from engine.core.ensemble import Progress
from engine.core.errors import LabError, Refusal, refusal_of
from engine.core.experiment import AbstractExperiment
from engine.core.interrupt import Interrupted, is_watched, watched
from engine.core.outcome import OutcomeKind
from engine.core.params import Params
from engine.run.analyst import Analyst
from engine.run.branches import DroppedSteps, Fork
from engine.run.mailbox import Mailbox
from engine.run.pace import Pace
from engine.run.parked import Shelf
from engine.run.run import Run, Shown
from engine.run.session import Session
from engine.run.snapshot import Failure, Snapshot, Status
from engine.run.spec import SettingsInForce
from engine.run.warming import Part, Warming, is_importable, lacks_picture
from engine.system.memory import give_back
from engine.text.numbers import whole

LONG_STEP = 1.0
"""Seconds after which a step shows what it does."""
STEP_NEWS = 0.1
"""Seconds between two pictures of how far it is."""
WAIT = 0.2
"""Seconds between two looks for steps that come from outside."""
COMPILE_NEWS = 0.05
"""Seconds between two looks at the processes that compile."""
REST = 1.5
"""Seconds without work after which memory that is not used any more is given back."""


class EngineThread:
    """What happens on the engine thread; `engine.run.runner.Runner` sends it commands.

    Parameters
    ----------
    on_snapshot : callable, optional
        Called on the engine thread after each snapshot was put; tests wait on it.

    Attributes
    ----------
    mailbox : Mailbox
        Snapshots and failures, the latest of them.
    drawing_seconds : float
        Time that a picture takes of the thread that draws it, which sets it (`engine.run.pace`).
    on_drop : callable, optional
        Called on the engine thread when a run goes on from a scrubbed step and the steps after it
        are given up; returns the sentence to be shown.
    """

    def __init__(self, on_snapshot: Callable[[Snapshot | Failure], None] | None = None) -> None:
        self.mailbox: Mailbox[Snapshot | Failure] = Mailbox()
        self._on_snapshot = on_snapshot
        self.on_drop: Callable[[DroppedSteps], str] | None = None
        self.drawing_seconds = 0.0
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._cancel = threading.Event()
        self._pause_waits = threading.Event()
        self._closing, self._is_tidy = False, True
        self._latest_run_id = 0
        self._run: Run | None = None
        self._run_id = self._frame = 0
        self._shelf = Shelf()
        self._analyst = Analyst(lambda: self._send(self._show_analysis))
        self._warming: Warming | None = None
        self._pace = Pace()
        self._pictured_at = self._picture_seconds = 0.0
        self._owes_picture = self._owes_fresh = False
        self._thread = threading.Thread(target=self._loop, name="engine-runner", daemon=True)
        self._thread.start()

    def _send(self, command: Callable[[], None]) -> None:
        self._commands.put(command)

    def _for_run(self, command: Callable[[], None]) -> Callable[[], None]:
        """Make a command one of the run that was asked for last, which no other run obeys.

        Where a newer start overtakes that run, another one is in force when the command's turn
        comes, perhaps of another experiment.
        """
        run_id = self._latest_run_id
        return lambda: command() if run_id == self._run_id else None

    def _is_overtaken(self, run_id: int) -> bool:
        return self._closing or run_id != self._latest_run_id

    # Everything below runs on the thread.

    def _loop(self) -> None:
        while not self._closing:
            self._guard(self._obey)
            self._guard(self._check_kernels)
            if self._is_running and not self._closing and self._warming is None:
                self._guard(self._advance)
        self._analyst.close()
        self._stop_compiling()
        if self._run is not None:
            self._run.close()
        self._shelf.close()

    @property
    def _is_running(self) -> bool:
        return self._run is not None and self._run.is_running

    def _require(self) -> Run:
        if self._run is None:
            raise LabError("There is no run yet.")
        return self._run

    def _guard(self, action: Callable[[], None]) -> None:
        """Do something; what goes wrong is shown, and the thread lives on."""
        try:
            action()
        except LabError as error:
            if self._run is not None:
                self._run.refuse(error)
                self._run.pause()
                self._publish(force=True)
        except Exception:
            message, details = "The engine stopped with an error.", traceback.format_exc()
            if self._run is None:
                self._put(Failure(run_id=self._run_id, message=message, error=details))
                return
            self._run.status, self._run.message = Status.FAILED, message
            self._put_snapshot(self._run, self._run.bare(OutcomeKind.FAILED), error=details)

    def _obey(self) -> None:
        timeout = self._pace.wait() if self._is_running else None
        if timeout is not None and self._require().is_waiting:
            timeout = WAIT
        if self._warming is not None:
            timeout = COMPILE_NEWS
        rests = timeout is None and not self._is_tidy
        if rests:
            timeout = REST
        try:
            command = (
                self._commands.get_nowait() if timeout == 0 else self._commands.get(timeout=timeout)
            )
            self._is_tidy = rests = False
            while True:
                command()
                command = self._commands.get_nowait()
        except queue.Empty:
            if rests:
                self._is_tidy = True
                give_back()
        if self._owes_picture:
            self._publish(force=self._owes_fresh or not self._is_running)

    def _start(
        self,
        run_id: int,
        experiment: AbstractExperiment[Any, Any],
        begin: Callable[[], Session],
        paused: bool,
    ) -> None:
        self._shelf.drop(experiment.id)
        if self._run is not None and self._run.experiment_id == experiment.id:
            run, self._run = self._run, None
            run.close()
        if run_id != self._latest_run_id:
            return  # a newer start is waiting
        self._leave(run_id)
        try:
            overtaken = watched(lambda fraction, text: not self._is_overtaken(run_id))
            with overtaken, self._analyst.held():
                shown = self._begin(experiment, begin)
        except Interrupted:
            return  # closing, or a newer start is waiting
        except LabError as error:
            self._fail_to_start(str(error), refusal=refusal_of(error))
        except Exception:
            self._fail_to_start("The run could not begin.", traceback.format_exc())
        else:
            run = self._require()
            run.status = Status.PAUSED
            if not paused:
                self._play(None)
            self._put_snapshot(run, shown)
            self._analyst.want(run.session.experiment, run.session.params, run.session.state)
            self._warm_up()

    def _begin(
        self, experiment: AbstractExperiment[Any, Any], begin: Callable[[], Session]
    ) -> Shown:
        """Make the run and its first picture; kernels that lack are compiled by other processes."""
        if lacks_picture(experiment):  # compiled while this thread loads what else it needs
            self._compile(experiment, Part.PICTURE, Part.STEPS)
        try:
            with compile_kernels(Compiling.NEVER):
                return self._make(begin)
        except NotCompiled:
            if self._warming is None:
                self._compile(experiment, Part.PICTURE, Part.STEPS)
            while self._warming is not None and not self._warming.is_done(Part.PICTURE):
                time.sleep(COMPILE_NEWS)
                if self._is_overtaken(self._run_id):
                    raise Interrupted from None
        return self._make(begin)

    def _make(self, begin: Callable[[], Session]) -> Shown:
        run = self._run = Run(begin(), self._on_drop)
        self._put_snapshot(run, run.bare(OutcomeKind.CONVERGING))
        return run.show(force=True)

    # Kernels.

    def _warm_up(self) -> None:
        """Load what the first steps need, or have it compiled."""
        experiment = self._require().session.experiment
        try:
            if self._warming is None:
                self._load_kernels(Compiling.NEVER)
        except NotCompiled:
            self._compile(experiment, Part.STEPS)
            if self._warming is None:
                self._load_kernels(Compiling.AS_NEEDED)
        if self._warming is not None:
            self._publish(force=False)

    def _load_kernels(self, how: Compiling) -> None:
        run_id, experiment = self._run_id, self._require().session.experiment
        with (
            contextlib.suppress(Interrupted),
            watched(lambda fraction, text: not self._is_overtaken(run_id)),
            compile_kernels(how),
        ):
            experiment.warm_up()

    def _compile(self, experiment: AbstractExperiment[Any, Any], *parts: Part) -> None:
        """Compile kernels in other processes, if there can be any."""
        self._stop_compiling()
        if is_importable(type(experiment)):
            with contextlib.suppress(OSError):
                self._warming = Warming(type(experiment), *parts)

    def _stop_compiling(self) -> None:
        warming, self._warming = self._warming, None
        if warming is not None:
            warming.close()

    def _check_kernels(self) -> None:
        """Show how far the processes are that compile; load what they made when they are done."""
        warming = self._warming
        if warming is None or self._run is None:
            return
        before = len(warming.compiled)
        if warming.is_done():
            self._stop_compiling()
            self._load_kernels(Compiling.AS_NEEDED)
            self._publish(force=True)
        elif len(warming.compiled) > before:
            self._publish(force=False)

    def _wait_for_kernels(self) -> None:
        """Wait until the kernels of the steps are there; a newer start interrupts it."""
        while self._warming is not None:
            if self._cancel.is_set() or self._is_overtaken(self._run_id):
                raise Interrupted
            self._check_kernels()
            time.sleep(COMPILE_NEWS)

    @property
    def _compiling(self) -> str:
        """How far the kernels are, in words; empty where none are being compiled."""
        run, warming = self._run, self._warming
        if run is None or warming is None:
            return ""
        done, count = len(warming.compiled), run.session.experiment.listing.kernels
        return f"{min(done + 1, count)} of {count} kernels" if count else "kernels"

    def _resume(
        self,
        run_id: int,
        experiment: AbstractExperiment[Any, Any],
        begin: Callable[[], Session],
    ) -> None:
        if run_id != self._latest_run_id:
            return  # a newer start is waiting
        self._leave(run_id)
        self._run = self._shelf.take(experiment.id)
        if self._run is None:
            self._start(run_id, experiment, begin, paused=True)
        else:
            self._publish(force=True)
            self._warm_up()  # it may have been left while it compiled

    def _leave(self, run_id: int) -> None:
        """Put the present run aside, unless it failed, and make ready for another."""
        self._cancel.clear()
        self._stop_compiling()
        run, self._run = self._run, None
        self._run_id, self._frame = run_id, 0
        if run is not None and run.status is Status.FAILED:
            run.close()
        elif run is not None:
            self._shelf.put(run)

    def _fail_to_start(self, message: str, error: str = "", refusal: Refusal | None = None) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.close()
        self._put(Failure(run_id=self._run_id, message=message, error=error, refusal=refusal))

    def _on_drop(self, dropped: DroppedSteps) -> str:
        return "" if self.on_drop is None else self.on_drop(dropped)

    def _play(self, n: int | None) -> None:
        self._cancel.clear()
        self._require().play(n)
        self._pace.restart()
        self._owes_picture = self._owes_fresh = True

    def _retune(self, params: Params) -> None:
        self._owes_picture = True  # one for all changes that are waiting, or a drag would lag
        self._require().retune(params)

    def _advance(self) -> None:
        run = self._require()
        self._watched(run, lambda: run.advance(self._pace.due(run.chunk.steps)))
        ended = not run.is_running
        if ended or self._picture_is_due(run):
            self._publish(force=ended)

    def _watched(self, run: Run, make_steps: Callable[[], None]) -> None:
        """Make steps, of which one that takes long shows how far it is and can be interrupted."""
        try:
            with watched(self._begin_steps(run)):
                make_steps()
        except Interrupted:
            if self._cancel.is_set():
                self._cancel.clear()
                run.pause()
                run.message = "Cancelled: the run stands before the step."

    def _look(self, run: Run, step: int) -> None:
        """Show an earlier step, which may have to be computed again from one long before it."""
        try:
            with watched(self._begin_looking_back(run)):
                run.seek(step)
        except Interrupted:
            self._cancel.clear()
            run.message = "Cancelled: the step is not shown."

    def _begin_steps(self, run: Run) -> Progress:
        """Make the progress of steps, which `pause` interrupts, too."""
        return self._news_of(
            run,
            lambda text: f"Step {whole(run.session.step + 1)}: {text}",
            lambda: self._cancel.is_set() or self._pause_waits.is_set(),
        )

    def _begin_looking_back(self, run: Run) -> Progress:
        """Make the progress of steps that are computed again."""
        self._cancel.clear()
        return self._news_of(run, str.capitalize, self._cancel.is_set)

    def _news_of(self, run: Run, word: Callable[[str], str], stops: Callable[[], bool]) -> Progress:
        """Make a progress that publishes once the work takes long, with the last picture."""
        begin, part_begin, shown_at = time.monotonic(), 0.0, 0.0
        part, run_id = "", self._run_id

        def progress(fraction: float, text: str) -> bool:
            nonlocal part, part_begin, shown_at
            now = time.monotonic()
            if text != part:
                part, part_begin = text, now
            is_due = now >= max(begin + LONG_STEP, shown_at + STEP_NEWS)
            if text and is_due and self.mailbox.is_empty:
                shown_at, elapsed = now, now - part_begin
                left = elapsed / fraction - elapsed if fraction > 0 else None
                self._put_snapshot(
                    run, run.latest, progress=fraction, seconds_left=left, message=word(text)
                )
            return not (stops() or self._is_overtaken(run_id))

        return progress

    def _switch_branch(self, fork: Fork, then: Callable[[SettingsInForce | None], None]) -> None:
        settings: SettingsInForce | None = None

        def work(run: Run, progress: Progress) -> str:
            nonlocal settings
            if not run.switch_branch(fork, progress):
                return "Cancelled: the run is left as it is."
            settings = SettingsInForce.of(run.session)
            return f"The run to step {whole(run.session.step)} is back."

        self._require().status = Status.PAUSED
        try:
            self._run_job(work)
        finally:
            then(settings)

    def _run_ensemble(self, steps: int | None) -> None:
        def work(run: Run, progress: Progress) -> str:
            experiment, session = run.session.experiment, run.session
            run.ensemble = experiment.ensemble(
                session.params, session.seed, steps or experiment.default_steps, progress
            )
            return "Ensemble cancelled." if run.ensemble.cancelled else "Ensemble done."

        self._run_job(work)

    def _run_job(self, function: Callable[[Run, Progress], str | None]) -> None:
        """Do long work while the run rests; the sentence it returns is shown when it is done."""
        run = self._require()
        was_running = run.is_running
        run.pause()
        try:
            message = function(run, self._begin_job(run))
        finally:
            if was_running and run.status is Status.PAUSED:
                run.status = Status.RUNNING
                self._pace.restart()
        run.message = message or ""
        if run.status is Status.PAUSED and run.session.finished:
            run.status = Status.FINISHED
        self._publish(force=True)

    def _begin_job(self, run: Run) -> Progress:
        """Make the progress of a long job: it publishes now and then, and obeys `cancel`."""
        self._cancel.clear()
        begin, run_id = time.monotonic(), self._run_id

        def progress(fraction: float, text: str) -> bool:
            elapsed = time.monotonic() - begin
            left = elapsed / fraction - elapsed if fraction > 0 else None
            run.message = text
            if self.mailbox.is_empty:
                if is_watched():  # a step asks: its state may be about to find what a picture needs
                    self._put_snapshot(run, run.latest, progress=fraction, seconds_left=left)
                else:
                    self._publish(force=False, progress=fraction, seconds_left=left)
            return not (self._cancel.is_set() or self._is_overtaken(run_id))

        return progress

    # Publishing.

    def _publish(
        self, *, force: bool, progress: float | None = None, seconds_left: float | None = None
    ) -> None:
        run = self._run
        if run is None:
            return
        self._owes_picture = self._owes_fresh = False
        begin = time.monotonic()
        self._analyst.want(run.session.experiment, run.session.params, run.session.state)
        shown = run.show(force=force, going_back=lambda: self._begin_looking_back(run))
        self._put_snapshot(run, shown, progress=progress, seconds_left=seconds_left)
        self._pictured_at = time.monotonic()
        self._picture_seconds = self._pictured_at - begin

    def _show_analysis(self) -> None:
        self._owes_picture = self._owes_fresh = True

    def _picture_is_due(self, run: Run) -> bool:
        cost = self._picture_seconds + self.drawing_seconds
        rest = self._pace.rest(cost, run.session.experiment.listing.picture_share)
        return self.mailbox.is_empty and time.monotonic() >= self._pictured_at + rest

    def _put_snapshot(self, run: Run, shown: Shown, **more: Any) -> None:
        self._frame += 1
        more["compiling"] = self._compiling
        self._put(run.snapshot(shown, run_id=self._run_id, frame=self._frame, **more))

    def _put(self, item: Snapshot | Failure) -> None:
        self.mailbox.put(item)
        if self._on_snapshot is not None:
            self._on_snapshot(item)
