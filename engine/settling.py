"""The first step at which a run counts as converged, whenever it was looked at."""

from __future__ import annotations

from engine.experiment import OutcomeKind
from engine.session import Session


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
