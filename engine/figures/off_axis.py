"""Points of a plane outside the range of its axes, and the side of the plot that marks each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OffAxis:
    """The points outside the range of an axis, x (0) or y (1), below (-1) or above (1) it.

    `value` is the farthest along that axis, `across` its other coordinate, `count` how many points
    this side marks.
    """

    axis: int
    sign: int
    value: float
    across: float
    count: int

    def label(self, value: str) -> str:
        """Return the text at this side, given the farthest value as written there."""
        return f"{value} +{self.count - 1}" if self.count > 1 else value


def off_axis(
    points: Array, ends: Array, log: tuple[bool, bool] = (False, False)
) -> tuple[OffAxis, ...]:
    """Return the points outside the ranges of a plot's axes, by side.

    A point outside both ranges is marked once: at the side that it exceeds by more, in units of the
    plot's own width and height, so that its larger number is the one that is read; where both are
    the same, at the side along x.

    Parameters
    ----------
    points : ndarray, shape (2, m)
        Coordinates x and y; a point with a NaN is left out.
    ends : ndarray, shape (2, 2)
        Low and high end of what is shown, of x and of y; positive along a log axis.
    log : pair of bool
        Whether x and y are log axes, on which what has no logarithm lies below the range.

    Returns
    -------
    tuple of OffAxis
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
                found.append(OffAxis(axis, sign, float(value), float(across), count))
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
