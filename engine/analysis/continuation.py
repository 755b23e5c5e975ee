r"""Branches of equilibria and cycles of a map over one parameter, with their bifurcations.

A cycle of period p is a zero of :math:`G(x,a)=F_a^p(x)-x`. Branches are followed in arc length
(Keller's pseudo-arclength method: a step along the tangent, then Newton's steps across it), so
that they go round folds. Between two points of a branch a bifurcation shows as a change of sign of
a test function of the multipliers :math:`\mu_i` of a lap, and is located by Brent's method along
the arc:

- flip (period doubling): :math:`\prod(\mu_i+1)`;
- fold: the parameter turns round, :math:`\prod(\mu_i-1)` changes its sign with the direction;
- branch point: :math:`\prod(\mu_i-1)` changes its sign while the parameter goes on;
- Neimark-Sacker: :math:`\prod_{i<j}(\mu_i\mu_j-1)`, where the pair is complex.

What is listed was found by these steps; a branch shorter than a step can be missed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.system import InvariantSet, System

TOLERANCE = 1e-12
"""Residual of a corrected point, relative to its size."""
NEWTON = 12
"""Newton's steps at most; more mean that the step along the branch was too long."""
ON_CIRCLE = 1e-9
"""Distance of a multiplier from 1 up to which it counts as 1 all along a branch."""
SLOPE = 1e-6
"""Relative width of the difference that gives the derivative by the parameter."""
OFF = 1e-3
"""Length of the first step onto a branch that begins at a bifurcation."""


class Event(StrEnum):
    """What happens at a special point of a branch."""

    FLIP = "flip"
    FOLD = "fold"
    BRANCH_POINT = "branch point"
    NEIMARK_SACKER = "Neimark-Sacker"


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """The maps of a system over one of its parameters, seen in a set that none of them leaves.

    Attributes
    ----------
    at : callable
        Returns the system at a value of the parameter.
    low, high : float
        The values between which branches are followed.
    within : InvariantSet or None
        Set in whose coordinates points are given; None for the whole space.
    """

    at: Callable[[float], System[Any]]
    low: float
    high: float
    within: InvariantSet | None = None

    @property
    def dimension(self) -> int:
        """Number of coordinates of a point."""
        if self.within is not None:
            return int(self.within.basis.shape[1])
        return self.at(0.5 * (self.low + self.high)).dimension

    def placed(self, x: FloatArray) -> FloatArray:
        """Return the point of the whole space that coordinates stand for."""
        return x if self.within is None else self.within.origin + self.within.basis @ x

    def seen(self, z: FloatArray) -> FloatArray:
        """Return the coordinates of a point of the whole space."""
        return z if self.within is None else self.within.basis.T @ (z - self.within.origin)

    def lap(self, x: FloatArray, a: float, period: int) -> tuple[FloatArray, FloatArray]:
        """Return where `period` steps lead from a point, and the derivative, (k,) and (k, k)."""
        system, z = self.at(a), self.placed(x)
        slope = np.eye(len(x)) if self.within is None else self.within.basis
        for _ in range(period):
            slope, z = system.jacobian(z) @ slope, system.step(z)
        return self.seen(z), slope if self.within is None else self.within.basis.T @ slope


@dataclass(frozen=True, slots=True, eq=False)
class BranchPoint:
    """A point of a branch.

    Attributes
    ----------
    x : ndarray, shape (k,)
        One point of the cycle.
    parameter : float
    multipliers : ndarray of complex, shape (k,)
        Of a lap.
    tangent : ndarray, shape (k + 1,)
        Unit direction of the branch, the parameter last.
    """

    x: FloatArray
    parameter: float
    multipliers: NDArray[np.complex128]
    tangent: FloatArray

    @property
    def is_stable(self) -> bool:
        """Whether all multipliers lie within the unit circle."""
        return bool(np.max(np.abs(self.multipliers)) < 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Special:
    """A bifurcation on a branch.

    Attributes
    ----------
    event : Event
    at : BranchPoint
    is_soft : bool or None
        Of a flip: whether the doubled cycle lies where this one is unstable, and is stable there;
        None where it was not found, and for other events.
    """

    event: Event
    at: BranchPoint
    is_soft: bool | None = None

    @property
    def parameter(self) -> float:
        """Value of the parameter."""
        return self.at.parameter


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Cycles of one period that are joined by a curve.

    Attributes
    ----------
    period : int
    points : tuple of BranchPoint
        In order along the branch.
    events : tuple of Special
        In order along the branch.
    is_degenerate : bool
        Whether a multiplier is 1 all along: the cycles fill a manifold at each parameter, and
        neither folds nor branch points are looked for.
    """

    period: int
    points: tuple[BranchPoint, ...]
    events: tuple[Special, ...] = ()
    is_degenerate: bool = False

    def of(self, event: Event) -> list[float]:
        """Return the parameters of all events of a kind."""
        return [each.parameter for each in self.events if each.event is event]


@dataclass(slots=True)
class _Walk:
    """The state of a continuation."""

    family: Family
    period: int
    step: float
    points: list[BranchPoint] = field(default_factory=list)


def cycles(
    family: Family, parameter: float, period: int, starts: Iterable[FloatArray]
) -> tuple[BranchPoint, ...]:
    """Find cycles of exactly a period at a value of the parameter, by Newton's method.

    Parameters
    ----------
    family : Family
    parameter : float
    period : int
    starts : iterable of ndarray, shape (k,)

    Returns
    -------
    tuple of BranchPoint
        One point of each cycle that was found.
    """
    found: list[BranchPoint] = []
    for start in starts:
        x = _newton(family, np.asarray(start, np.float64), parameter, period)
        if x is None or _has_shorter(family, x, parameter, period):
            continue
        if not any(_on_cycle(family, x, each.x, parameter, period) for each in found):
            found.append(_point(family, x, parameter, period))
    return tuple(found)


def _newton(family: Family, x: FloatArray, a: float, period: int) -> FloatArray | None:
    """Return the zero of G that Newton's steps at a fixed parameter lead to."""
    with np.errstate(all="ignore"):
        for _ in range(4 * NEWTON):
            image, slope = family.lap(x, a, period)
            gap = image - x
            if not (np.isfinite(gap).all() and np.isfinite(slope).all()):
                return None
            if float(np.linalg.norm(gap)) <= TOLERANCE * max(float(np.linalg.norm(x)), 1.0):
                return x
            x = x - np.linalg.lstsq(slope - np.eye(len(x)), gap, rcond=1e-10)[0]
    return None


def _has_shorter(family: Family, x: FloatArray, a: float, period: int) -> bool:
    """Return whether a point belongs to a cycle of a shorter period."""
    size = max(float(np.linalg.norm(x)), 1.0)
    divisors = [q for q in range(1, period) if period % q == 0]
    return any(float(np.linalg.norm(family.lap(x, a, q)[0] - x)) < 1e-7 * size for q in divisors)


def _on_cycle(family: Family, x: FloatArray, y: FloatArray, a: float, period: int) -> bool:
    """Return whether a point is one of the cycle through another."""
    for _ in range(period):
        if float(np.linalg.norm(x - y)) < 1e-7 * max(float(np.linalg.norm(x)), 1.0):
            return True
        y = family.lap(y, a, 1)[0]
    return False


def _point(
    family: Family, x: FloatArray, a: float, period: int, along: FloatArray | None = None
) -> BranchPoint:
    """Describe a zero of G, with the tangent that goes on along a direction (or rises)."""
    slope = family.lap(x, a, period)[1]
    multipliers = np.linalg.eigvals(slope).astype(np.complex128)
    *_, rows = np.linalg.svd(_jacobian(family, x, a, period, slope))
    tangent = rows[-1]
    way = tangent[-1] if along is None else float(tangent @ along)
    return BranchPoint(x, a, multipliers, tangent if way >= 0.0 else -tangent)


def _jacobian(
    family: Family, x: FloatArray, a: float, period: int, slope: FloatArray
) -> FloatArray:
    """Return the derivative of G by point and parameter, (k, k + 1), from that of a lap, (k, k)."""
    width = SLOPE * max(abs(a), family.high - family.low)
    ahead, behind = (family.lap(x, a + side * width, period)[0] for side in (1.0, -1.0))
    return np.column_stack([slope - np.eye(len(x)), (ahead - behind) / (2.0 * width)])


def _corrected(
    family: Family, start: FloatArray, tangent: FloatArray, period: int
) -> tuple[FloatArray, float] | None:
    """Return the point of the branch in the plane through `start` across a direction."""
    u = start.copy()
    with np.errstate(all="ignore"):
        for _ in range(NEWTON):
            image, slope = family.lap(u[:-1], u[-1], period)
            gap = np.append(image - u[:-1], tangent @ (u - start))
            if not np.isfinite(gap).all():
                return None
            if float(np.linalg.norm(gap)) <= TOLERANCE * max(float(np.linalg.norm(u)), 1.0):
                return u[:-1], float(u[-1])
            rows = np.vstack([_jacobian(family, u[:-1], float(u[-1]), period, slope), tangent])
            if not np.isfinite(rows).all():
                return None
            u = u - np.linalg.lstsq(rows, gap, rcond=1e-12)[0]
    return None


def follow(
    family: Family,
    begin: BranchPoint,
    period: int,
    *,
    step: float = 0.02,
    most: int = 2000,
    both: bool = True,
) -> Branch:
    """Follow a branch from a point as far as the parameter's limits.

    Parameters
    ----------
    family : Family
    begin : BranchPoint
        As `cycles` finds it.
    period : int
    step : float
        Longest step along the branch, relative to the sizes of the point and of the range.
    most : int
        Points at most in each direction.
    both : bool
        Whether to follow it in both directions, or only along the tangent.
    """
    degenerate = bool(np.min(np.abs(begin.multipliers - 1.0)) < ON_CIRCLE)
    forth = _walk(family, begin, period, step, most)
    back: list[BranchPoint] = []
    if both:
        turned = BranchPoint(begin.x, begin.parameter, begin.multipliers, -begin.tangent)
        back = [
            BranchPoint(each.x, each.parameter, each.multipliers, -each.tangent)
            for each in reversed(_walk(family, turned, period, step, most)[1:])
        ]
    points = [*back, *forth]
    events: list[Special] = []
    for before, after in pairwise(points):
        events += _events(family, before, after, period, degenerate=degenerate)
    return Branch(period, tuple(points), tuple(events), degenerate)


def _walk(
    family: Family, begin: BranchPoint, period: int, step: float, most: int
) -> list[BranchPoint]:
    points, here = [begin], begin
    scale = _scale(family, begin.x)
    length = longest = step
    while len(points) < most and length > 1e-6 * longest:
        u = np.append(here.x, here.parameter)
        found = _corrected(family, u + length * scale * here.tangent, here.tangent, period)
        if found is None or not _is_near(found, u, length * scale):
            length *= 0.5
            continue
        there = _point(family, *found, period, along=here.tangent)
        if float(there.tangent @ here.tangent) < 0.9:  # it bends too fast for the step
            length *= 0.5
            if length > 1e-6 * longest:
                continue
        if not family.low <= there.parameter <= family.high:
            break
        points.append(there)
        here, length = there, min(1.3 * length, longest)
    return points


def _scale(family: Family, x: FloatArray) -> float:
    return min(max(float(np.linalg.norm(x)), 1e-3), 10.0 * (family.high - family.low))


def _is_near(found: tuple[FloatArray, float], u: FloatArray, length: float) -> bool:
    """Return whether a corrected point did not jump to another branch."""
    return float(np.linalg.norm(np.append(*found) - u)) <= 3.0 * length


def _tests(point: BranchPoint) -> dict[Event, float]:
    """Return the test functions at a point, all real."""
    mu = point.multipliers
    pairs = [mu[i] * mu[j] - 1.0 for i in range(len(mu)) for j in range(i)]
    minus = float(np.prod(mu - 1.0).real)
    return {
        Event.FLIP: float(np.prod(mu + 1.0).real),
        Event.FOLD: minus,
        Event.NEIMARK_SACKER: float(np.prod(pairs).real) if pairs else 1.0,
    }


def _events(
    family: Family, before: BranchPoint, after: BranchPoint, period: int, *, degenerate: bool
) -> list[Special]:
    """Locate the bifurcations between two neighbouring points of a branch."""
    found: list[tuple[float, Special]] = []
    first, second = _tests(before), _tests(after)
    for event, value in first.items():
        if degenerate and event is Event.FOLD:
            continue
        if value * second[event] >= 0.0:
            continue
        located = _locate(family, before, after, period, event)
        if located is None:
            continue
        place, at = located
        kind = event
        if event is Event.FOLD and before.tangent[-1] * after.tangent[-1] > 0.0:
            kind = Event.BRANCH_POINT
        if event is Event.NEIMARK_SACKER and not _has_complex_pair(at):
            continue
        soft = _is_soft(family, at, before, after, period) if event is Event.FLIP else None
        found.append((place, Special(kind, at, soft)))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _has_complex_pair(point: BranchPoint) -> bool:
    """Return whether a complex pair lies on the unit circle."""
    mu = point.multipliers
    on = np.abs(np.abs(mu) - 1.0) < 1e-5
    return bool(np.any(on & (np.abs(mu.imag) > 1e-6)))


def _locate(
    family: Family, before: BranchPoint, after: BranchPoint, period: int, event: Event
) -> tuple[float, BranchPoint] | None:
    """Find where a test function vanishes on the arc between two points."""
    from scipy.optimize import brentq  # takes 0.2 s to load

    u, v = np.append(before.x, before.parameter), np.append(after.x, after.parameter)
    chord = v - u
    length = float(np.linalg.norm(chord))
    direction = chord / length
    kept: dict[float, BranchPoint] = {}

    def test(s: float) -> float:
        found = _corrected(family, u + s * length * direction, direction, period)
        if found is None:
            raise ArithmeticError
        kept[s] = _point(family, *found, period, along=before.tangent)
        return _tests(kept[s])[event]

    try:
        s = float(brentq(test, 0.0, 1.0, xtol=1e-14, rtol=1e-14))
        if s not in kept:
            test(s)
    except (ArithmeticError, ValueError):
        return None
    return s, kept[s]


def doubled(family: Family, flip: BranchPoint, period: int) -> BranchPoint | None:
    """Return a point of the doubled cycles that branch off at a flip, its tangent away from it.

    None where none is found.
    """
    values, vectors = np.linalg.eig(family.lap(flip.x, flip.parameter, period)[1])
    v = vectors[:, int(np.argmin(np.abs(values + 1.0)))].real
    tangent = np.append(v / np.linalg.norm(v), 0.0)
    u = np.append(flip.x, flip.parameter)
    for length in (OFF, 4.0 * OFF, 0.25 * OFF):
        size = length * _scale(family, flip.x)
        found = _corrected(family, u + size * tangent, tangent, 2 * period)
        if found is None or _has_shorter(family, *found, 2 * period):
            continue
        away = np.append(*found) - u
        return _point(family, *found, 2 * period, along=away)
    return None


def _is_soft(
    family: Family, flip: BranchPoint, before: BranchPoint, after: BranchPoint, period: int
) -> bool | None:
    """Return whether the doubled cycles stand where the single one is unstable."""
    born = doubled(family, flip, period)
    if born is None:
        return None
    radii = [float(np.max(np.abs(each.multipliers))) for each in (before, after)]
    unstable = after if radii[1] > radii[0] else before
    side = unstable.parameter - flip.parameter
    gap = born.parameter - flip.parameter
    if abs(gap) < 1e-13 * max(abs(flip.parameter), 1e-300) or side == 0.0:
        return None
    return bool(gap * side > 0.0) and math.isfinite(gap)
