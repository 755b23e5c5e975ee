"""One run as it is watched: its session, what is shown of it, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from engine.core.change import Nudge, checked
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.errors import InputError, LabError, Refusal
from engine.core.interrupt import Interrupted, watched
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.params import Params
from engine.run.branches import Branch, DroppedSteps, Fork
from engine.run.convergence import Convergence, first_converged
from engine.run.pace import CHUNK_SECONDS, ChunkSize
from engine.run.session import Session
from engine.run.snapshot import Snapshot, Status
from engine.run.throttle import Pictures
from engine.run.trace import WINDOW

BETWEEN = 512
"""Exact rows of a call that more follow: each takes time, and pictures judge by those there are."""
OnDrop = Callable[[DroppedSteps], str]
"""Called when steps are given up; returns the sentence to be shown."""


def _unwatched() -> Progress:
    """Return a progress that nobody follows and nobody stops."""
    return lambda fraction, text: True


class Shown(NamedTuple):
    """What a picture shows besides the trace."""

    outcome: Outcome
    observation: Observation
    theory: tuple[Bound, ...]
    claims: tuple[Claim, ...]


class Run:
    """A run with all that belongs to it, whether it is going, at rest, or put aside.

    All methods are called on the engine thread, between two calls of the kernel.

    Parameters
    ----------
    session : Session
        The run itself.
    on_drop : callable
        Called when the run goes on from a scrubbed step and the steps after it are given up.

    Attributes
    ----------
    status : Status
        How the run stands.
    target : int or None
        The step at which it pauses.
    chunk : ChunkSize
        The steps of one call, and the time that a step takes.
    ensemble : Ensemble or None
        Result of the last ensemble of this run.
    message : str
        One sentence on what happened last.
    latest : Shown
        What the last picture showed.
    is_waiting : bool
        Whether it has made all steps that there are, and waits for more from outside.
    """

    def __init__(self, session: Session, on_drop: OnDrop) -> None:
        self.session = session
        self.status = Status.COMPILING
        self.target: int | None = None
        self.chunk = ChunkSize(CHUNK_SECONDS, session.experiment.listing.steps_per_call)
        self.ensemble: Ensemble | None = None
        self.message = ""
        self.latest = self.bare(OutcomeKind.CONVERGING)
        self.is_waiting = False
        self._refusal: Refusal | None = None
        self._on_drop = on_drop
        self._drop_sentence = ""
        self._pictures = Pictures(session)
        self._convergence = Convergence()

    @property
    def experiment_id(self) -> str:
        """The experiment it belongs to."""
        return self.session.experiment.id

    @property
    def is_running(self) -> bool:
        """Whether steps are being made."""
        return self.status is Status.RUNNING

    @property
    def shown_step(self) -> int:
        """The step that is shown: the run's own, or an earlier one that is looked at."""
        cursor = self._pictures.cursor
        return self.session.step if cursor is None else cursor

    # Commands.

    def rest(self) -> None:
        """Come to rest, to be put aside; where it stands and what is shown stay as they are."""
        self.status = Status.FINISHED if self.session.finished else Status.PAUSED
        self.target, self.message = None, ""

    def play(self, n: int | None = None) -> None:
        """Go on from the shown step, for `n` steps or until paused."""
        self._continue_from_shown()
        self.target = None if n is None else self.session.step + n
        self._wait()
        self.status = Status.FINISHED if self.session.finished else Status.RUNNING

    def refuse(self, error: LabError) -> None:
        """Report what could not be done, until another message replaces it."""
        self.message = str(error)
        self._refusal = error.refusal if isinstance(error, InputError) else None

    def pause(self) -> None:
        """Pause if it is running."""
        if self.is_running:
            self.status = Status.PAUSED

    def step(self, n: int) -> None:
        """Show the state `n` steps after the shown one; make those that are not there yet."""
        ahead = self.shown_step + n
        if ahead <= self.session.step:
            self.seek(ahead)
            return
        self._pictures.look(None)
        self.message = ""
        self.session.advance(ahead - self.session.step)
        self.status = Status.FINISHED if self.session.finished else Status.PAUSED

    def seek(self, step: int | None) -> None:
        """Pause, and show an earlier step, or (None) the run's own."""
        self.pause()
        self._pictures.look(step)

    def retune(self, params: Params) -> None:
        """Go on from the shown step with other live parameters."""
        if self.session.prepare(params):
            return
        self._continue_from_shown(params)
        self.session.retune(params)
        self._convergence.reported = False
        self._reopen()

    def nudge(self, size: float) -> None:
        """Push the shown state, and go on from there.

        Raises
        ------
        InputError
            If the size is out of range or the experiment has no pushes; no step is given up then.
        """
        nudge = checked(Nudge(size))
        why_not = self.session.experiment.why_no_nudge
        if why_not:
            raise InputError("nudge", size, why_not)
        self._continue_from_shown()
        self.session.nudge(size)
        self.message = f"Nudged by {nudge.size_text} of the state's size. {self.message}".rstrip()
        self._convergence.note_nudge(self.session.step)
        self._reopen()

    def advance(self, n: int) -> None:
        """Make up to `n` steps, but none beyond the target."""
        if self.target is not None:
            n = min(n, self.target - self.session.step)
        if n > 0:
            self.chunk.timed(self._advance, n)
        self._wait()
        if self.session.finished:
            self.status = Status.FINISHED
        elif self.target is not None and self.session.step >= self.target:
            self.status = Status.PAUSED

    def _wait(self) -> None:
        """Go on, at the end of what is there, if more may come."""
        session = self.session
        self.is_waiting = session.finished and session.experiment.waits(session.state)
        if self.is_waiting:
            session.finished = False

    def _advance(self, n: int) -> int:
        """Make steps in one call; the last `WINDOW` steps before the target have exact rows."""
        end = self.session.step + n
        is_near = self.target is not None and end >= self.target - WINDOW
        exact = WINDOW if is_near else BETWEEN
        return self.session.advance(n, coarse=True, exact=exact)

    def switch_branch(self, fork: Fork, progress: Progress) -> bool:
        """Exchange the branch in force for the other one, which is computed again.

        Returns
        -------
        bool
            False if `progress` asked to stop; the run is as it was then.
        """
        session = fork.other.recompute(self.session.experiment, progress)
        if session is None:
            return False
        fork.other = Branch.of(self.session)
        self.session.close()
        self.session, self._pictures = session, Pictures(session)
        self._convergence.reported, self.target = True, None
        return True

    def close(self) -> None:
        """Release what the state holds outside Python's memory."""
        self.session.close()

    def _continue_from_shown(self, params: Params | None = None) -> None:
        """Make the shown step the run's own; the steps after it are given up."""
        session, shown, last = self.session, self.shown_step, self.session.step
        self.message = self._drop_sentence = ""
        if shown < last:
            fork = Fork(Branch.of(session))
            session.rewind(shown)
            self._drop_sentence = self._on_drop(DroppedSteps(fork, shown + 1, last, params))
            self.message = self._drop_sentence
        self._pictures.look(None)

    def _reopen(self) -> None:
        """Pause a run that had ended, if it can go on after a change."""
        if self.status is Status.FINISHED and not self.session.finished:
            self.status = Status.PAUSED

    # Pictures.

    def show(self, *, force: bool, going_back: Callable[[], Progress] = _unwatched) -> Shown:
        """Compute what is due of a picture, or (`force`) all of it.

        A run that has newly converged is paused. If it went past the step at which it converged,
        it goes back to that step first, which may take long: `going_back` makes the progress.
        """
        shown = Shown(*self._pictures.take(force=force))
        if self._pauses_where_converged(shown.outcome, going_back):
            shown = Shown(*self._pictures.take(force=True))
        self.latest = shown
        return shown

    def _pauses_where_converged(self, outcome: Outcome, going_back: Callable[[], Progress]) -> bool:
        """Pause where the run converges, once, since who plays on from there wants to.

        Returns
        -------
        bool
            Whether the run went back to the first step at which it counts as converged.
        """
        if not self._convergence.observe(self.session, outcome) or self.target is not None:
            return False
        since = self._convergence.report(self.session)
        if not self.is_running:
            return False
        self.status = Status.PAUSED
        self.message = f"{outcome.message} {self._drop_sentence}".rstrip()
        if not self.session.experiment.rewindable:
            return False
        try:
            with watched(going_back()):
                self.session.rewind(first_converged(self.session, since))
        except Interrupted:
            self.message += " Cancelled: it stands after the step at which it converged."
            return False
        return True

    def bare(self, kind: OutcomeKind) -> Shown:
        """Return what is known of the run without asking its experiment."""
        outcome = Outcome(kind=kind, step=self.session.step, message=self.message)
        return Shown(outcome, {}, (), ())

    def snapshot(
        self, shown: Shown, *, run_id: int, frame: int, message: str | None = None, **more: Any
    ) -> Snapshot:
        """Put a picture together; `more` are `progress`, `seconds_left` and `error`.

        `message` stands in place of the run's own.
        """
        session = self.session
        return Snapshot(
            run_id=run_id,
            frame=frame,
            status=self.status,
            experiment=self.experiment_id,
            params=session.params_of(self._pictures.state),
            seed=session.seed,
            step=session.step,
            cursor=self.shown_step,
            target=self.target,
            trace=session.trace.view(),
            changes=session.changes,
            steps_per_second=1 / self.chunk.seconds_per_step,
            ensemble=self.ensemble,
            message=self.message if message is None else message,
            refusal=self._refusal if str(self._refusal) == self.message else None,
            **shown._asdict(),
            **more,
        )
