r"""The largest sublevel set of a Lyapunov function that is proved, in one to six dimensions.

Let V be continuous, D a box, and c such that :math:`V>c` on the border of D. Let every box that
meets :math:`K=\{w\in D:V(w)\leq c\}` be either within a core A, or have an image within D and
:math:`V(F(w))<V(w)` proved for all its w, but for the equilibria. The core is an ellipsoid within
D that is mapped into itself and from which all runs converge. Then a run in K stays there and has
V fall until it comes into A, where it remains. As V is bounded from below, it comes into A, or its
limit points are points of K where V does not fall: equilibria.

Within A nothing is proved of V, unless V is the quadratic form of the ellipsoid, which falls there
(`cycles`). For any other V the core is to be tiny, and what is proved ends at it.

`certified_level` finds the greatest such c at once: it takes the boxes in the order of their lowest
V, cuts those that fail in two, and stops where one is too small to be cut or too many were looked
at. That box is the first doubtful one, and its lowest V is c.

*Where V is the loss of gradient descent* it also falls where
:math:`1-\tfrac s2H` is positive definite for all Hessians on the steps from the box, by Taylor's
theorem: :math:`f(F(w))-f(w)=-s\,g^\top(1-s\int_0^1(1-t)H(w-tsg)\,dt)\,g<0` for
:math:`g=\nabla f(w)\neq0`. This holds up to the equilibria, where a comparison of values cannot.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.analysis.regions.cycles import Core
from engine.analysis.regions.definite import is_positive_definite
from engine.analysis.regions.interval import Bools, Interval, applied, dot, interval
from engine.analysis.regions.maps import Descent, EnclosedMap, Slopes
from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress

MOST_BOXES = 120_000
_AT_ONCE = 2048
_FINEST = 1.0 / 4096.0
"""Least side of a box, in units of the domain's."""
_FINEST_TO_CENTER = 1.0 / 64.0
"""Least side of a box, in units of its distance to the core's centre, where that is less."""

Falls = Callable[[Interval], Bools]


@dataclass(frozen=True, eq=False)
class Quadratic:
    """V(w) = (w - c)ᵀP(w - c); implements `engine.analysis.regions.maps.Slopes`.

    Attributes
    ----------
    center : Interval, shape (n,)
        Holds c.
    weight : ndarray, shape (n, n)
        P.
    """

    center: Interval
    weight: FloatArray

    @property
    def dimension(self) -> int:
        """Number of variables."""
        return self.center.shape[0]

    def value(self, box: Interval) -> Interval:
        """Enclose the values over boxes, shape (m, n); by the mean value theorem, too."""
        middle = Interval.point(box.mid)
        slope = 2.0 * applied(self.weight, box - self.center)
        away = middle - self.center
        here = dot(away, applied(self.weight, away))
        return here + dot(slope, box - middle)

    def slopes(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose values and gradients, shapes (m,) and (m, n)."""
        return self.value(box), 2.0 * applied(self.weight, box - self.center)


def falls(map: EnclosedMap, function: Slopes) -> Falls:
    r"""Return what proves that a function falls from boxes to their images.

    The change V(F(w)) - V(w) is enclosed by values, and by the mean value theorem: it is that at
    the middle plus :math:`(DF^\top\nabla V(F)-\nabla V)(w-c)`.
    """

    def proved(box: Interval) -> Bools:
        image, slope = map.both(box)
        before, first = function.slopes(box)
        after, second = function.slopes(image)
        center = Interval.point(box.mid)
        change = function.value(map.plain_image(center)) - function.value(center)
        slopes = applied(slope.turned(), second) - first
        mean = change + dot(slopes, box - center)
        return np.asarray((after.hi < before.lo) | (mean.hi < 0.0))

    return proved


def loss_falls(descent: Descent) -> Falls:
    """Return what proves that the loss falls, also next to equilibria; without momentum."""
    by_value = falls(descent, descent.loss)

    def proved(box: Interval) -> Bools:
        made = by_value(box)
        left = np.flatnonzero(~made)
        if left.size:
            chosen = box[left]
            step = descent.step(chosen)
            curve = descent.loss.curves(chosen.hull(descent.image(chosen)))[2]
            one = interval(np.eye(descent.dimension))
            definite = is_positive_definite(one - (0.5 * step)[:, None, None] * curve)
            made[left] = definite & (step.lo > 0.0)
        return made

    return proved


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A sublevel set that is proved.

    Attributes
    ----------
    value : float or None
        c: all of V < c is proved; None where nothing is.
    doubtful : Interval or None, shape (n,)
        The first box that is not proved, or the part of the border where V is least.
    is_border : bool
        Whether it is the border of the domain that bounds the level.
    boxes : int
    seconds : float
    """

    value: float | None
    doubtful: Interval | None
    is_border: bool
    boxes: int
    seconds: float


def certified_level(
    map: EnclosedMap,
    function: Slopes,
    domain: Interval,
    proved: Falls,
    core: Core | None,
    progress: Progress,
    most: int = MOST_BOXES,
) -> Level | None:
    """Find the greatest level below which a function is proved to fall.

    Parameters
    ----------
    map : EnclosedMap
    function : Slopes
        V.
    domain : Interval, shape (n,)
    proved : callable
        Of boxes, shape (m, n), whether V falls there; `falls` or `loss_falls`.
    core : Core or None
        Of it, the part within the domain is used. V is proved to fall outside it alone, unless V
        is its quadratic form.
    progress : callable
    most : int
        Boxes that are looked at.

    Returns
    -------
    Level or None
        None if `progress` asked to stop.
    """
    begin = time.perf_counter()
    core = None if core is None else core.within(domain)
    border, edge = _border(function, domain)
    boxes, lows = domain[None], function.value(domain[None]).lo
    count, least, bound, doubtful = 0, float(lows[0]), border, edge
    smallest = (domain.hi - domain.lo) * _FINEST
    while boxes.shape[0] and count < most:
        if not progress(count / most, "Sublevel set"):
            return None
        order = np.argsort(lows, kind="stable")
        chosen, rest = order[:_AT_ONCE], order[_AT_ONCE:]
        lot = boxes[chosen]
        good = _is_good(map, lot, domain, proved, core)
        count += lot.shape[0]
        bad = lot[~good]
        small = _is_small(bad, smallest, core)
        if small.any():
            at = int(np.argmin(np.where(small, lows[chosen][~good], np.inf)))
            if lows[chosen][~good][at] < bound:
                bound, doubtful = float(lows[chosen][~good][at]), bad[at]
        halves = _halves(bad[~small])
        kept = boxes[rest]
        boxes = Interval(np.concatenate([kept.lo, halves.lo]), np.concatenate([kept.hi, halves.hi]))
        lows = np.concatenate([lows[rest], function.value(halves).lo if halves.shape[0] else []])
        wanted = lows < bound
        boxes, lows = boxes[wanted], lows[wanted]
    if boxes.shape[0]:
        at = int(np.argmin(lows))
        if lows[at] < bound:
            bound, doubtful = float(lows[at]), boxes[at]
    is_proved = bound > max(least, float(_lowest(function, domain)))
    value = bound if is_proved and np.isfinite(bound) else None
    return Level(value, doubtful, doubtful is edge, count, time.perf_counter() - begin)


def _is_good(
    map: EnclosedMap, box: Interval, domain: Interval, proved: Falls, core: Core | None
) -> Bools:
    image = map.image(box)
    stays = ((image.lo >= domain.lo) & (image.hi <= domain.hi)).all(axis=1)
    made = stays & proved(box)
    return made if core is None else made | core.holds(box)


def _is_small(box: Interval, smallest: FloatArray, core: Core | None) -> Bools:
    """Return which boxes, shape (m, n), are not cut; those next to the core's centre are."""
    sides = box.hi - box.lo
    small = (sides <= smallest).all(axis=1)
    if core is None:
        return np.asarray(small)
    far = (box - core.center).size.max(axis=1, initial=0.0)
    return np.asarray(small & (sides.max(axis=1, initial=0.0) <= _FINEST_TO_CENTER * far))


def _halves(box: Interval) -> Interval:
    """Cut boxes, shape (m, n), in two along their longest sides; returns shape (2m, n)."""
    rows = np.arange(box.shape[0])
    axis = np.argmax(box.hi - box.lo, axis=1) if box.shape[0] else rows
    middle = box.mid[rows, axis]
    first, second = box.hi.copy(), box.lo.copy()
    first[rows, axis], second[rows, axis] = middle, middle
    return Interval(np.concatenate([box.lo, second]), np.concatenate([first, box.hi]))


def _border(function: Slopes, domain: Interval) -> tuple[float, Interval]:
    """Return a lower bound of a function on the border of a box, and a part where it is least."""
    n = domain.shape[0]
    pieces = []
    for i in range(n):
        for end in (domain.lo, domain.hi):
            lo, hi = domain.lo.copy(), domain.hi.copy()
            lo[i] = hi[i] = end[i]
            pieces.append(Interval(lo, hi))
    boxes = Interval(np.stack([p.lo for p in pieces]), np.stack([p.hi for p in pieces]))
    while boxes.shape[0] < 4 * _AT_ONCE and n > 1:
        boxes = _halves(boxes)
    lows = function.value(boxes).lo
    at = int(np.argmin(lows))
    return float(lows[at]), boxes[at]


def _lowest(function: Slopes, domain: Interval) -> float:
    """Return a value of the function in a box that is near its least, from points of a grid."""
    rng = np.random.default_rng(0)
    points = rng.uniform(domain.lo, domain.hi, (4096, domain.shape[0]))
    return float(np.min(function.value(Interval.point(points)).hi))
