r"""Branches of equilibria and cycles of a map over one parameter, with their bifurcations.

A cycle of period p is a zero of :math:`G(x,a)=F_a^p(x)-x`. Branches are followed in arc length
(Keller's pseudo-arclength method: a step along the tangent, then Newton's steps across it), so
that they go round folds. Between two points of a branch a bifurcation shows as a change of sign of
a test function of the multipliers :math:`\mu_i` of a lap, and is located by Brent's method along
the arc:

- flip (period doubling): :math:`\prod(\mu_i+1)`;
- fold: the parameter turns round, :math:`\prod(\mu_i-1)` changes its sign with the direction;
- branch point: :math:`\prod(\mu_i-1)` changes its sign while the parameter goes on, or keeps it
  while the parameter turns round, at the fork of two branches that mirror one another;
- Neimark-Sacker: :math:`\prod_{i<j}(\mu_i\mu_j-1)`, where the pair is complex.

What is listed was found by these steps; a branch shorter than a step can be missed. Multipliers
that are 1 at the first point belong to a manifold of cycles and are left out of all of these.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.analysis.branch import TESTED, Branch, End, Event, Special
from engine.analysis.critical import Coefficient, flip_form, fold_form, neimark_sacker_form
from engine.analysis.family import Family
from engine.analysis.multistart import (
    NEWTON,
    ON_CIRCLE,
    TOLERANCE,
    BranchPoint,
    always,
    newton,
    point_of,
)
from engine.core.arrays import FloatArray

SHORTEST = 1e-6
"""Step along a branch, relative to the longest, below which it is given up."""
BEND = 0.9
"""Least cosine between the tangents at the two ends of a step."""
OFF = 0.3
"""Farthest that the branch leads away from the tangent in a step, relative to its length."""
CHANGE = 0.5
"""Most that multipliers change in a step, relative to the largest or to 1."""
COARSE, FINE = 1e-2, 1e-4
"""Steps, relative to the longest, below which multipliers may change and near 1 faster."""
NEAR = 1e-3
"""Distance of a multiplier from 1 down to which a step changes it by a factor of e at most: where
branches cross, one of them may turn so sharply that a longer step leads onto the other."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Walker:
    """What is the same at every step along a branch.

    Points are `u`: the coordinates x, then the parameter in units of `unit`.

    Attributes
    ----------
    family : Family
    period : int
    unit : float
        Makes the parameter's range as long as the point is large.
    longest : float
        Longest step.
    largest : float
        Multiplier in magnitude beyond which a branch is not followed.
    neutral : int
    go_on : callable
    """

    family: Family
    period: int
    unit: float
    longest: float
    largest: float = np.inf
    neutral: int = 0
    go_on: Callable[[], bool] = always

    def place(self, point: BranchPoint) -> FloatArray:
        """Return where a point is, shape (k + 1,)."""
        return np.append(point.x, point.parameter / self.unit)

    def longest_at(self, point: BranchPoint) -> float:
        """Return the longest step from a point: so much of its size and of the range at most."""
        size = self.family.size_at(point.x) * self.unit / (self.family.high - self.family.low)
        return self.longest * min(max(size, 1.0), 1.0 / max(abs(self.slant(point)), 1e-3))

    def corrected(
        self, start: FloatArray, direction: FloatArray, along: FloatArray
    ) -> BranchPoint | None:
        """Return the point of the branch in the plane through `start` across a direction.

        Its tangent points the same way as `along`. None where Newton's steps do not converge.
        """
        u = start.copy()
        one = np.eye(len(u) - 1)
        with np.errstate(all="ignore"):
            for _ in range(NEWTON):
                a = float(u[-1] * self.unit)
                lap = self.family.lap(u[:-1], a, self.period)
                gap = np.append(lap.image - u[:-1], direction @ (u - start))
                if not (lap.is_finite and np.isfinite(gap).all()):
                    return None
                if float(np.linalg.norm(gap)) <= TOLERANCE * max(float(np.linalg.norm(u)), 1.0):
                    return point_of(u[:-1], a, lap, self.unit, along, self.neutral)
                rows = np.empty((len(u), len(u)))
                rows[:-1, :-1], rows[:-1, -1] = lap.slope - one, self.unit * lap.by_parameter
                rows[-1] = direction
                u = u - self._solved(rows, gap)
        return None

    def _solved(self, rows: FloatArray, gap: FloatArray) -> FloatArray:
        """Solve for Newton's step, the shortest where the solutions fill a manifold."""
        if not self.neutral:
            with contextlib.suppress(np.linalg.LinAlgError):
                return np.asarray(np.linalg.solve(rows, gap), np.float64)
        return np.asarray(np.linalg.lstsq(rows, gap, rcond=1e-12)[0])

    def isolating(self, point: BranchPoint) -> NDArray[np.complex128]:
        """Return the multipliers but for those that are 1 all along the branch."""
        mu = point.multipliers
        return mu[np.argsort(np.abs(mu - 1.0))][self.neutral :] if self.neutral else mu

    def test(self, event: Event, point: BranchPoint) -> float:
        """Return the test function of an event at a point, which is real."""
        mu = self.isolating(point)
        if event is Event.FLIP:
            return float(np.prod(mu + 1.0).real)
        if event is Event.FOLD:
            return float(np.prod(mu - 1.0).real)
        i, j = np.triu_indices(len(mu), 1)
        return float(np.prod(mu[i] * mu[j] - 1.0).real)

    def least(self, point: BranchPoint) -> float:
        """Return how far the least real multiplier is above -1."""
        mu = point.multipliers
        real = mu.real[np.abs(mu.imag) <= ON_CIRCLE * np.maximum(np.abs(mu), 1.0)]
        return float(np.min(real, initial=0.0)) + 1.0

    def slant(self, point: BranchPoint) -> float:
        """Return how fast the parameter changes along the branch."""
        return float(point.tangent[-1])

    def gap(self, point: BranchPoint) -> float:
        """Return how far the nearest multiplier is from 1: logarithmic, signed as the test is."""
        away = np.abs(self.isolating(point) - 1.0)
        if not away.size:
            return 0.0
        return math.copysign(math.asinh(float(away.min()) / NEAR), self.test(Event.FOLD, point))

    def half(self, point: BranchPoint) -> FloatArray | None:
        """Return the difference of the points half a period apart, None of an odd period."""
        if self.period % 2:
            return None
        return self.family.image(point.x, point.parameter, self.period // 2) - point.x


def follow(
    family: Family,
    begin: BranchPoint,
    period: int,
    *,
    step: float = 0.02,
    most: int = 2000,
    both: bool = True,
    largest: float = np.inf,
    circle: float = ON_CIRCLE,
    go_on: Callable[[], bool] = always,
) -> Branch:
    """Follow a branch from a point as far as the parameter's limits.

    Parameters
    ----------
    family : Family
    begin : BranchPoint
        As `engine.analysis.multistart.cycles` finds it.
    period : int
    step : float
        Longest step along the branch, where the parameter's range and the size of the point are 1.
    most : int
        Points at most in each direction.
    both : bool
        Whether to follow it in both directions, or only along the tangent.
    largest : float
        The branch ends where a multiplier of a lap is larger in magnitude.
    circle : float
        Distance of a multiplier from 1 at the first point up to which it is 1 all along.
    go_on : callable
        Asked before each point; where it says no, the branch ends.
    """
    size = family.size_at(begin.x)
    walker = Walker(
        family=family,
        period=period,
        unit=(family.high - family.low) / size,
        longest=step * size,
        largest=largest,
        neutral=begin.ones(circle),
        go_on=go_on,
    )
    begin = _turned(walker, begin)
    forth, last = _walk(walker, begin, most)
    back, first = [begin], End.LIMIT
    if both and last is not End.CLOSED:
        back, first = _walk(walker, _reversed(begin), most)
    made = [*(_reversed(each) for each in back[:0:-1]), *forth]
    points, events = made[:1], []
    for before, after in pairwise(made):
        found = _events(walker, before, after)
        points += [*(each.at for each in found), after]
        events += found
    return Branch(period, tuple(points), tuple(events), walker.neutral, (first, last))


def _turned(walker: Walker, begin: BranchPoint) -> BranchPoint:
    """Return the first point with its tangent in the walker's units."""
    lap = walker.family.lap(begin.x, begin.parameter, walker.period)
    return point_of(begin.x, begin.parameter, lap, walker.unit, begin.tangent, walker.neutral)


def _reversed(point: BranchPoint) -> BranchPoint:
    return BranchPoint(point.x, point.parameter, point.multipliers, -point.tangent, point.across)


def _walk(walker: Walker, begin: BranchPoint, most: int) -> tuple[list[BranchPoint], End]:
    """Follow a branch along the tangent at its first point; return why it ends, too."""
    points, here, length = [begin], begin, walker.longest_at(begin)
    family, before = walker.family, walker.half(begin)
    while len(points) < most:
        if not walker.go_on():
            return points, End.MOST
        there = _next(walker, here, length)
        if there is None:
            length *= 0.5
            if length > SHORTEST * walker.longest:
                continue
            return points, End.LOST
        if not family.low <= there.parameter <= family.high:
            last = _at_limit(walker, here, there)
            return points if last is None else [*points, last], End.LIMIT
        after = walker.half(there)
        if before is not None and after is not None and _turns_over(before, after):
            return points, End.HALVED
        points.append(there)
        if there.radius > walker.largest:
            return points, End.FADED
        here, before, length = there, after, min(1.3 * length, walker.longest_at(there))
        if len(points) > 8 and _is_back(walker, begin, points[-2], there):
            return [*points, begin], End.CLOSED
    return points, End.MOST


def _next(walker: Walker, here: BranchPoint, length: float) -> BranchPoint | None:
    """Return the point a step further; None where the step is too long."""
    ahead = walker.place(here) + length * here.tangent
    there = walker.corrected(ahead, here.tangent, here.tangent)
    if there is None or float(np.linalg.norm(walker.place(there) - ahead)) > OFF * length:
        return None  # it does not converge, or to another branch
    if float(there.tangent @ here.tangent) < BEND:
        return None
    if length > COARSE * walker.longest and _change(here, there) > CHANGE:
        return None
    gaps = [walker.gap(each) for each in (here, there)]
    if length > FINE * walker.longest and abs(gaps[1] - gaps[0]) > 1.0:
        return None
    return there


def _change(here: BranchPoint, there: BranchPoint) -> float:
    """Return how much the multipliers change, relative to the largest or to 1."""
    first, second = (np.sort_complex(each.multipliers) for each in (here, there))
    return float(np.max(np.abs(second - first))) / max(float(np.max(np.abs(first))), 1.0)


def _at_limit(walker: Walker, here: BranchPoint, there: BranchPoint) -> BranchPoint | None:
    """Return the point of the branch at the end of the range that a step went beyond."""
    family = walker.family
    a = family.high if there.parameter > family.high else family.low
    part = (a - here.parameter) / (there.parameter - here.parameter)
    x = newton(family, here.x + part * (there.x - here.x), a, walker.period)
    if x is None or float(np.linalg.norm(x - here.x)) > 3.0 * walker.longest_at(here):
        return None
    lap = family.lap(x, a, walker.period)
    if not lap.is_finite:
        return None
    return point_of(x, a, lap, walker.unit, here.tangent, walker.neutral)


def _turns_over(before: FloatArray, after: FloatArray) -> bool:
    """Return whether the points half a period apart have met and changed places."""
    return float(before @ after) < -0.5 * float(np.linalg.norm(before) * np.linalg.norm(after))


def _is_back(walker: Walker, begin: BranchPoint, here: BranchPoint, there: BranchPoint) -> bool:
    """Return whether a step passed the first point of the branch in the first direction."""
    start, u, v = (walker.place(each) for each in (begin, here, there))
    chord = v - u
    part = float((start - u) @ chord) / float(chord @ chord)
    off = float(np.linalg.norm(start - u - part * chord))
    near = 0.0 < part <= 1.0 and off < 0.1 * float(np.linalg.norm(chord))
    return near and float(there.tangent @ begin.tangent) > BEND


def _events(walker: Walker, before: BranchPoint, after: BranchPoint) -> list[Special]:
    """Locate the bifurcations between two neighbouring points of a branch."""
    found: list[tuple[float, Special]] = []
    turns = walker.slant(before) * walker.slant(after) < 0.0
    for event in TESTED:
        if walker.neutral and event is Event.FOLD:
            continue
        crosses = walker.test(event, before) * walker.test(event, after) < 0.0
        kind = event
        test: Callable[[BranchPoint], float] = partial(walker.test, event)
        if event is Event.FLIP and not crosses:  # of two multipliers at once the product is blind
            crosses, test = walker.least(before) * walker.least(after) < 0.0, walker.least
        if event is Event.FOLD and crosses is not turns:
            # it crosses another branch, or where two that mirror meet turns round at their fork
            kind, crosses = Event.BRANCH_POINT, True
            test = walker.slant if turns else test
        located = _locate(walker, before, after, test) if crosses else None
        if located is None:
            continue
        place, at = located
        if event is Event.NEIMARK_SACKER and not _has_complex_pair(at.multipliers):
            continue
        found.append((place, Special(kind, at, _form(walker, kind, at))))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _form(walker: Walker, event: Event, at: BranchPoint) -> Coefficient | None:
    forms = {
        Event.FLIP: flip_form,
        Event.FOLD: fold_form,
        Event.NEIMARK_SACKER: neimark_sacker_form,
    }
    made = forms.get(event)
    if made is None:
        return None
    return made(walker.family, at.x, at.parameter, walker.period)


def _has_complex_pair(multipliers: NDArray[np.complex128]) -> bool:
    """Return whether a complex pair lies on the unit circle."""
    on = np.abs(np.abs(multipliers) - 1.0) < 1e-5
    return bool(np.any(on & (np.abs(multipliers.imag) > 1e-6)))


def _locate(
    walker: Walker,
    before: BranchPoint,
    after: BranchPoint,
    test: Callable[[BranchPoint], float],
) -> tuple[float, BranchPoint] | None:
    """Find where a test function vanishes on the arc between two points."""
    from scipy.optimize import brentq  # takes 0.2 s to load

    u = walker.place(before)
    chord = walker.place(after) - u
    direction = chord / float(np.linalg.norm(chord))
    kept: dict[float, BranchPoint] = {}

    def along(s: float) -> float:
        found = walker.corrected(u + s * chord, direction, before.tangent)
        if found is None:
            raise ArithmeticError
        kept[s] = found
        return test(found)

    try:
        s = float(brentq(along, 0.0, 1.0, xtol=1e-14, rtol=1e-14))
        if s not in kept:
            along(s)
    except (ArithmeticError, ValueError):
        return None
    return s, replace(kept[s], tangent=direction)  # there the derivative may not tell it
