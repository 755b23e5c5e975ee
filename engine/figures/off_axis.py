"""Points that lie too far away to be shown in a plane, and at which side each of them is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Beyond:
    """The points beyond one side of a plot: along x (0) or y (1), towards -1 or 1.

    `value` is the farthest along that axis, `across` its other coordinate, `count` how many points
    are told at this side.
    """

    axis: int
    sign: int
    value: float
    across: float
    count: int

    def told(self, value: str) -> str:
        """Return the text at the side, for the value as it is written there."""
        return f"{value} +{self.count - 1}" if self.count > 1 else value


def beyond(
    points: Array, ends: Array, log: tuple[bool, bool] = (False, False)
) -> tuple[Beyond, ...]:
    """Find the points that lie beyond the ends of a plot.

    A point beyond a corner is told once: at the side over which it reaches farther, in units of the
    plot's own width and height, so that its larger number is the one that is read; where both are
    the same, at the side along x.

    Parameters
    ----------
    points : ndarray, shape (2, m)
        Coordinates x and y; a point with a NaN is left out.
    ends : ndarray, shape (2, 2)
        Low and high end of what is shown, of x and of y; positive along a log axis.
    log : pair of bool
        Whether x and y are log axes, on which what has no logarithm lies beyond the low end.

    Returns
    -------
    tuple of Beyond
        At most one a side: left, right, below, above.
    """
    points = points[:, ~np.isnan(points).any(axis=0)]
    reach = np.array([_reach(points[axis], ends[axis], log[axis]) for axis in range(2)])
    most = reach.max(axis=1)  # over both sides of an axis, of which at most one is reached over
    along = np.where(most[1] > most[0], 1, 0)
    found = []
    for axis in range(2):
        for side, sign in enumerate((-1, 1)):
            here = np.where((along == axis) & (reach[axis, side] > 0.0), reach[axis, side], 0.0)
            count = int(np.count_nonzero(here))
            if count:
                farthest = int(np.argmax(here))
                value, across = points[axis, farthest], points[1 - axis, farthest]
                found.append(Beyond(axis, sign, float(value), float(across), count))
    return tuple(found)


def _reach(values: Array, ends: Array, log: bool) -> Array:
    """Return how far values lie below and above the ends, shape (2, m), in units of their span."""
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(values > 0.0, np.log10(values), -np.inf)
        ends = np.log10(ends)
    with np.errstate(over="ignore"):
        reach: Array = np.array([ends[0] - values, values - ends[1]]) / (ends[1] - ends[0])
    return reach
