"""Cycles of a map at one value of its parameter, by Newton's method from many starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.family import Family, Lap
from engine.core.arrays import FloatArray

TOLERANCE = 1e-12
"""Residual of a corrected point, relative to its size."""
NEWTON = 12
"""Newton's steps at most along a branch; more mean that the step along it was too long."""
SEARCH = 4 * NEWTON
"""Newton's steps at most from a start."""
ON_CIRCLE = 1e-8
"""Distance of a multiplier from 1 up to which it counts as 1."""
BLURRED = 1e-9
"""Last Newton step at a point that is determined, relative to its size, at most."""
STRIDE = 1e-3
"""Length of a step along a manifold of cycles, relative to the size of the point."""
SAME = 1e-7
"""Distance relative to the size of the points, below which two are one."""


def always() -> bool:
    """Go on."""
    return True


@dataclass(frozen=True, slots=True, eq=False)
class BranchPoint:
    """A point of a branch.

    Attributes
    ----------
    x : ndarray, shape (k,)
        One point of the cycle.
    parameter : float
    multipliers : ndarray of complex, shape (k,)
        Of a lap, within the set.
    tangent : ndarray, shape (k + 1,)
        Unit direction of the branch, the parameter last and in units of its range.
    across : ndarray of complex, shape (n - k,)
        Transverse multipliers of a lap.
    """

    x: FloatArray
    parameter: float
    multipliers: NDArray[np.complex128]
    tangent: FloatArray
    across: NDArray[np.complex128]

    def ones(self, circle: float = ON_CIRCLE) -> int:
        """Return how many multipliers are 1, up to a distance."""
        return int(np.count_nonzero(np.abs(self.multipliers - 1.0) < circle))

    @property
    def radius(self) -> float:
        """Largest multiplier in magnitude, those that are 1 left out."""
        rest = np.abs(self.multipliers)[np.abs(self.multipliers - 1.0) >= ON_CIRCLE]
        return float(np.max(rest, initial=0.0))

    @property
    def is_stable(self) -> bool:
        """Whether displacements within the set fade, but for those along a manifold of cycles."""
        return self.radius < 1.0

    @property
    def is_repelling_across(self) -> bool:
        """Whether some displacement out of the set grows."""
        return bool(np.max(np.abs(self.across), initial=0.0) > 1.0 + ON_CIRCLE)


def null_directions(lap: Lap, unit: float, rank: int) -> FloatArray:
    """Return the directions in which a zero of G goes on, as rows, shape (m, k + 1).

    Parameters
    ----------
    lap : Lap
    unit : float
        What the last coordinate is multiplied by to give a change of the parameter.
    rank : int
        Of the derivative of G.
    """
    rows = np.column_stack([lap.slope - np.eye(len(lap.image)), unit * lap.by_parameter])
    return np.asarray(np.linalg.svd(rows)[2][rank:])


def point_of(
    x: FloatArray,
    a: float,
    lap: Lap,
    unit: float,
    along: FloatArray | None = None,
    neutral: int = 0,
) -> BranchPoint:
    """Describe a zero of G, with the tangent that goes on along a direction (or rises).

    Of a manifold of `neutral` dimensions the tangent is that at which the parameter changes most.
    """
    multipliers = np.linalg.eigvals(lap.slope).astype(np.complex128)
    across = np.linalg.eigvals(lap.across).astype(np.complex128)
    rows = null_directions(lap, unit, len(x) - neutral)
    tangent = rows[-1]
    if neutral and float(np.linalg.norm(rows[:, -1])) > 0.0:
        tangent = rows.T @ rows[:, -1] / float(np.linalg.norm(rows[:, -1]))
    way = tangent[-1] if along is None else float(tangent @ along)
    return BranchPoint(x, a, multipliers, tangent if way >= 0.0 else -tangent, across)


def newton(family: Family, x: FloatArray, a: float, period: int) -> FloatArray | None:
    """Return the zero of G that Newton's steps at a fixed parameter lead to, None for none."""
    with np.errstate(all="ignore"):
        for _ in range(SEARCH):
            lap = family.lap(x, a, period, by_parameter=False)
            gap = lap.image - x
            if not lap.is_finite:
                return None
            if float(np.linalg.norm(gap)) <= TOLERANCE * max(float(np.linalg.norm(x)), 1.0):
                return x
            x = x - np.linalg.lstsq(lap.slope - np.eye(len(x)), gap, rcond=1e-10)[0]
    return None


def is_sharp(family: Family, point: BranchPoint, period: int) -> bool:
    """Return whether Newton's steps determine a point: alone, or as one of a manifold of cycles.

    Where a multiplier is 1 and no other cycles are around, as at 0 of x - x³, they come to rest at
    points that depend on where they began.
    """
    lap = family.lap(point.x, point.parameter, period, by_parameter=False)
    size = max(float(np.linalg.norm(point.x)), 1.0)
    left, sizes, rows = np.linalg.svd(lap.slope - np.eye(len(point.x)))
    flat = sizes < ON_CIRCLE * max(float(sizes[0]), 1.0)
    off = np.abs(left.T @ (lap.image - point.x))[~flat] / sizes[~flat]
    if np.max(off, initial=0.0) > BLURRED * size:
        return False
    for direction in rows[flat]:
        for side in (STRIDE * size, -STRIDE * size):
            near = newton(family, point.x + side * direction, point.parameter, period)
            if near is None or float((near - point.x) @ direction) / side < 0.5:
                return False
    return True


def has_shorter(family: Family, x: FloatArray, a: float, period: int) -> bool:
    """Return whether a point belongs to a cycle of a shorter period."""
    size = max(float(np.linalg.norm(x)), 1.0)
    divisors = [q for q in range(1, period) if period % q == 0]
    return any(float(np.linalg.norm(family.image(x, a, q) - x)) < SAME * size for q in divisors)


def on_cycle(family: Family, x: FloatArray, y: FloatArray, a: float, period: int) -> bool:
    """Return whether a point is one of the cycle through another."""
    size = max(float(np.linalg.norm(x)), 1.0)
    for _ in range(period):
        if float(np.linalg.norm(x - y)) < SAME * size:
            return True
        y = family.image(y, a, 1)
    return False


def cycles(
    family: Family,
    parameter: float,
    period: int,
    starts: Iterable[FloatArray],
    go_on: Callable[[], bool] = always,
) -> tuple[BranchPoint, ...]:
    """Find cycles of exactly a period at a value of the parameter, by Newton's method.

    Parameters
    ----------
    family : Family
    parameter : float
    period : int
    starts : iterable of ndarray, shape (k,)
    go_on : callable
        Asked before each start; where it says no, what was found until then is returned.

    Returns
    -------
    tuple of BranchPoint
        One point of each cycle that was found, with its multipliers.
    """
    found: list[BranchPoint] = []
    for start in starts:
        if not go_on():
            break
        x = newton(family, np.asarray(start, np.float64), parameter, period)
        if x is None or has_shorter(family, x, parameter, period):
            continue
        if any(on_cycle(family, x, each.x, parameter, period) for each in found):
            continue
        lap = family.lap(x, parameter, period)
        if lap.is_finite:
            found.append(point_of(x, parameter, lap, family.high - family.low))
    return tuple(found)


def all_cycles(
    family: Family,
    parameter: float,
    longest: int,
    starts: Iterable[FloatArray],
    go_on: Callable[[], bool] = always,
) -> dict[int, tuple[BranchPoint, ...]]:
    """Find the cycles of all periods up to one, by period; as `cycles` does."""
    some = [np.asarray(start, np.float64) for start in starts]
    periods = range(1, longest + 1)
    return {period: cycles(family, parameter, period, some, go_on) for period in periods}
