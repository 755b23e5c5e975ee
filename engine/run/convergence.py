"""When a run has newly converged, and since which step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.core.experiment import Recent, State
from engine.core.outcome import Outcome, OutcomeKind
from engine.run.session import Session
from engine.run.trace import WINDOW


@dataclass(slots=True)
class Convergence:
    """What is known of the convergence of one run.

    Attributes
    ----------
    reported : bool
        Whether the present convergence was reported, so that it is not reported again.
    unsettled_at : int
        The latest step at which the run was seen not to have converged.
    nudged_at : int or None
        The step of a nudge after which the run was never seen not to have converged.
    """

    reported: bool = False
    unsettled_at: int = 0
    nudged_at: int | None = None

    def note_nudge(self, step: int) -> None:
        """Record a nudge: rows before it may still show a minimum, which is nothing new."""
        self.reported, self.nudged_at = True, step

    def observe(self, session: Session, outcome: Outcome) -> bool:
        """Record an outcome, and return whether it is a convergence not yet reported.

        A run that was reported can converge anew once it has left the minimum, and once no recent
        row is older than its last nudge.
        """
        if outcome.kind is not OutcomeKind.CONVERGED:
            self.reported, self.unsettled_at, self.nudged_at = False, outcome.step, None
        elif self.nudged_at is not None and session.step >= self.nudged_at + WINDOW:
            self.reported = False
        return outcome.kind is OutcomeKind.CONVERGED and not self.reported

    def report(self, session: Session) -> int:
        """Mark the convergence as reported.

        Returns
        -------
        int
            The step after which it may have happened: changes, and rows older than a nudge, lie
            before it.
        """
        known = [change.step for change in session.changes]
        if self.unsettled_at < session.step:
            known.append(self.unsettled_at)
        if self.nudged_at is not None:
            known.append(self.nudged_at + WINDOW)
        self.reported, self.nudged_at = True, None
        return max(known, default=0)


def first_converged(session: Session, unsettled: int = 0) -> int:
    """Find the first step at which a run that has converged counts as converged.

    The step of the first picture that shows the convergence depends on how fast pictures are made;
    this one does not.

    Parameters
    ----------
    session : Session
        Of an experiment that keeps its old states; its outcome is "converged".
    unsettled : int
        A step, not after the run's own, at which it was not.

    Returns
    -------
    int
        From `unsettled` to the run's own step, which is returned where earlier rows do not show it.

    Raises
    ------
    Interrupted
        If it was stopped (`engine.core.interrupt`); the session is left as it is.
    """

    def is_converged(state: State[Any], recent: Recent) -> bool:
        return session.experiment.outcome(state, recent).kind is OutcomeKind.CONVERGED

    low, high = unsettled, session.step
    if high > 0 and not is_converged(*session.look(high - 1)):
        return high
    near: State[Any] | None = None  # so that the ways to the steps tried add up to one way there
    while high - low > 1:
        middle = (low + high) // 2
        rows_known = session.knows_rows_of(middle)
        way_from = low if rows_known else max(0, middle - WINDOW + 1)
        begin = session.state_at(way_from, near)
        state, recent = session.look(middle, begin)
        if is_converged(state, recent):
            high = middle
            near = begin if rows_known else near
        else:
            low, near = middle, state if rows_known else begin
    return high
