"""When a run has converged: whether that is news, and since which step."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.outcome import Outcome, OutcomeKind
from engine.run.session import LOOK, Session


@dataclass(slots=True)
class Convergence:
    """What a watcher of one run knows of its convergence.

    `told` is whether it was told and may be told no more, `unsettled` the latest step at which the
    run was seen not to have converged, `pushed_at` that of a push after which it was never seen so.
    """

    told: bool = False
    unsettled: int = 0
    pushed_at: int | None = None

    def push(self, step: int) -> None:
        """Learn of a push; the rows before it may tell of a minimum, which is no news."""
        self.told, self.pushed_at = True, step

    def is_news(self, session: Session, outcome: Outcome) -> bool:
        """Look at an outcome, and tell whether the run has converged, which nobody was told.

        It is news again once the run has left, and once no recent row is older than its last push.
        """
        if outcome.kind is not OutcomeKind.CONVERGED:
            self.told, self.unsettled, self.pushed_at = False, outcome.step, None
        elif self.pushed_at is not None and session.step >= self.pushed_at + LOOK:
            self.told = False
        return outcome.kind is OutcomeKind.CONVERGED and not self.told

    def tell(self, session: Session) -> int:
        """Have told it; gives the step from which on it was news: after changes and their rows."""
        known = [change.step for change in session.changes]
        if self.unsettled < session.step:
            known.append(self.unsettled)
        if self.pushed_at is not None:
            known.append(self.pushed_at + LOOK)
        self.told, self.pushed_at = True, None
        return max(known, default=0)


def first_converged(session: Session, unsettled: int = 0) -> int:
    """Find the step from which on a run that has converged counts as converged.

    Pictures are made when there is time for them, so the step at which one first tells of a minimum
    differs from time to time; this one does not.

    Parameters
    ----------
    session : Session
        Of an experiment that keeps its old states; its outcome is "converged".
    unsettled : int
        A step, not after the run's own, at which it was not.

    Returns
    -------
    int
        From `unsettled` to the run's own step, which it is where earlier rows tell nothing.
    """
    low, high = unsettled, session.step
    if high > 0 and not _converged(session, high - 1):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if _converged(session, middle):
            high = middle
        else:
            low = middle
    return high


def _converged(session: Session, step: int) -> bool:
    outcome = session.experiment.outcome(*session.look(step))
    return outcome.kind is OutcomeKind.CONVERGED
