"""Branches of equilibria and cycles over a parameter, and the bifurcations on them, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from engine.analysis.critical import Coefficient
from engine.analysis.multistart import BranchPoint


class Event(StrEnum):
    """What happens at a special point of a branch."""

    FLIP = "flip"
    FOLD = "fold"
    BRANCH_POINT = "branch point"
    NEIMARK_SACKER = "Neimark-Sacker"


TESTED = (Event.FLIP, Event.FOLD, Event.NEIMARK_SACKER)
"""Those that have a test function; that of the fold is the branch point's, too."""


class End(StrEnum):
    """Why a branch was followed no further."""

    LIMIT = "the end of the range"
    HALVED = "a flip of half the period"
    FADED = "a large multiplier"
    CLOSED = "where it began"
    LOST = "where Newton's steps fail"
    MOST = "the largest number of points"


@dataclass(frozen=True, slots=True, eq=False)
class Special:
    """A bifurcation on a branch.

    Attributes
    ----------
    event : Event
    at : BranchPoint
    form : Coefficient or None
        Of the normal form; None where it has none, as a branch point.
    """

    event: Event
    at: BranchPoint
    form: Coefficient | None = None

    @property
    def parameter(self) -> float:
        """Value of the parameter."""
        return self.at.parameter

    @property
    def others(self) -> float:
        """Largest multiplier in magnitude, within the set, but for those that the event is of."""
        return largest_other(self.at.multipliers, self.event)

    @property
    def is_soft(self) -> bool | None:
        """Of a flip: whether the doubled cycle is born stable within the set.

        None where the sign is not known, and where another multiplier within the set is not
        smaller than 1: neither side of the flip attracts then.
        """
        sign = None if self.form is None or self.event is not Event.FLIP else self.form.sign
        return None if not sign or not self.others < 1.0 else sign > 0


def largest_other(multipliers: NDArray[np.complex128], event: Event) -> float:
    """Return the largest multiplier in magnitude but for those that an event is of.

    These are the one nearest to -1 of a flip, the complex pair nearest to the unit circle of a
    Neimark-Sacker point, and the one nearest to 1 of all others.

    Parameters
    ----------
    multipliers : ndarray of complex, shape (k,)
    event : Event

    Returns
    -------
    float
        0 where there are no others.
    """
    sizes = np.abs(multipliers)
    if event is Event.NEIMARK_SACKER:
        away = np.where(multipliers.imag != 0.0, np.abs(sizes - 1.0), np.inf)
        gone = np.argsort(away, kind="stable")[:2]
    else:
        target = -1.0 if event is Event.FLIP else 1.0
        gone = np.argsort(np.abs(multipliers - target), kind="stable")[:1]
    return float(np.max(np.delete(sizes, gone), initial=0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Cycles of one period that are joined by a curve.

    Attributes
    ----------
    period : int
    points : tuple of BranchPoint
        In order along the branch, those of the events among them.
    events : tuple of Special
        In order along the branch.
    neutral : int
        Multipliers that are 1 all along: the cycles fill a manifold of this dimension at each
        parameter, and neither folds nor branch points are looked for.
    ends : tuple of End
        Why it was followed no further, before the first point and after the last.
    """

    period: int
    points: tuple[BranchPoint, ...]
    events: tuple[Special, ...] = ()
    neutral: int = 0
    ends: tuple[End, End] = (End.LIMIT, End.LIMIT)

    @property
    def is_degenerate(self) -> bool:
        """Whether the cycles fill a manifold at each parameter."""
        return self.neutral > 0

    def of(self, event: Event) -> list[float]:
        """Return the parameters of all events of a kind."""
        return [each.parameter for each in self.events if each.event is event]
