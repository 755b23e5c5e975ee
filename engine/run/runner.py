"""The commands by which other threads have the engine thread make runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from engine.core.ensemble import Progress
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params
from engine.run.branches import Fork
from engine.run.engine_thread import EngineThread
from engine.run.run import Run
from engine.run.session import Session
from engine.run.spec import SettingsInForce


class Runner(EngineThread):
    """One run at a time on a thread of its own, and one at rest for every other experiment.

    Methods may be called from any thread and return at once; their effect is seen in the snapshots
    of `mailbox`. A snapshot is made when the last one was taken, and whenever the status changes.
    A command is for the run that was asked for last when it was given, and no other run obeys it.
    """

    def start(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params,
        seed: int,
        paused: bool = True,
        start: Mapping[str, NDArray[Any]] | None = None,
    ) -> int:
        """Begin a new run and return its id.

        An older run of the same experiment is dropped, one of another put aside (`resume`).
        `start` holds learned parameters to begin from.
        """
        run_id = self._next_run_id()
        self._send(
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
        """Resume the run of an experiment that was put aside, paused, and return its new id.

        Where there is none, one begins as by `start`.
        """
        run_id = self._next_run_id()
        self._send(
            lambda: self._resume(
                run_id, experiment, lambda: Session(experiment, params, seed, start)
            )
        )
        return run_id

    def play(self) -> None:
        """Run until paused, from the shown step."""
        self._send_to_run(lambda: self._play(None))

    def pause(self) -> None:
        """Stop between two chunks, or within a step that takes long."""

        def pause() -> None:
            self._require().pause()
            self._publish(force=True)

        def obey() -> None:
            self._pause_waits.clear()
            pause_run()

        pause_run = self._for_run(pause)
        self._pause_waits.set()
        self._send(obey)

    def run(self, n: int) -> None:
        """Run `n` steps from the shown one, at the set speed, and pause."""
        self._send_to_run(lambda: self._play(n))

    def step(self, n: int = 1) -> None:
        """Make `n` steps at once and stay paused."""

        def step(run: Run) -> None:
            self._wait_for_kernels()
            run.step(n)

        self._command(lambda run: self._watched(run, lambda: step(run)))

    def back(self, n: int = 1) -> None:
        """Show the state `n` steps earlier and stay paused."""
        self._command(lambda run: self._look(run, max(0, run.shown_step - n)))

    def seek(self, step: int) -> None:
        """Show the state at a step that was already reached; the run keeps its place."""
        self._command(lambda run: self._look(run, step))

    def live(self) -> None:
        """Show the run's own state again."""
        self._command(lambda run: run.seek(None))

    def retune(self, params: Params) -> None:
        """Go on with other live parameters, from the shown step."""
        self._send_to_run(lambda: self._retune(params))

    def nudge(self, size: float) -> None:
        """Push the shown state by this share of its norm, and go on from there."""
        self._command(lambda run: run.nudge(size))

    def switch_branch(
        self, fork: Fork, then: Callable[[SettingsInForce | None], None] | None = None
    ) -> None:
        """Put the other branch of the run in force, computed again as a long job with progress.

        `then` is called on the engine thread with the branch's settings, None if it was cancelled.
        """
        self._send_to_run(lambda: self._switch_branch(fork, then or (lambda settings: None)))

    def set_speed(self, steps_per_frame: float | None) -> None:
        """Set the steps made per frame of 1/60 s; None for as many as possible."""
        self._send(lambda: setattr(self._pace, "steps_per_frame", steps_per_frame))

    def ensemble(self, steps: int | None = None) -> None:
        """Run the experiment's ensemble, as a long job with progress."""
        self._send_to_run(lambda: self._run_ensemble(steps))

    def call(self, function: Callable[[Session], None]) -> None:
        """Run a short function on the engine thread with the session, between chunks."""
        self._send_to_run(lambda: function(self._require().session))

    def survey(self, function: Callable[[tuple[Run, ...]], None]) -> None:
        """Run a short function on the engine thread with all runs, those put aside last."""

        def look() -> None:
            runs = () if self._run is None else (self._run,)
            function((*runs, *self._shelf.runs))

        self._send(look)

    def job(self, function: Callable[[Session, Progress], None]) -> None:
        """Run a long function on the engine thread, with progress; a run that was going goes on."""
        self._send_to_run(
            lambda: self._run_job(lambda run, progress: function(run.session, progress))
        )

    def cancel(self) -> None:
        """Stop a long job, or a step that takes long; the run is then paused before it."""
        self._cancel.set()

    def close(self, timeout: float = 10.0) -> bool:
        """Stop the thread and wait for it; returns whether it ended in time."""
        self._closing = True
        self._cancel.set()
        self._send(lambda: None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _next_run_id(self) -> int:
        self._latest_run_id += 1
        self._cancel.set()
        return self._latest_run_id

    def _command(self, change: Callable[[Run], None]) -> None:
        """Send a change of the run after which its picture is published."""

        def command() -> None:
            change(self._require())
            self._publish(force=True)

        self._send_to_run(command)

    def _send_to_run(self, command: Callable[[], None]) -> None:
        self._send(self._for_run(command))
