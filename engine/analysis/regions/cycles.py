r"""Proofs that a map has a cycle, that it attracts, or that it repels.

*Existence.* Let G be p steps of the map F, X a box around c, and Y any matrix. The Krawczyk
operator is :math:`K(X)=c-Y(G(c)-c)+(1-Y(DG(X)-1))(X-c)`. For w in X the mean value theorem puts
:math:`w-Y(G(w)-w)` into K(X). If K(X) lies in the interior of X, that map sends X into itself, so
it has a fixed point in X by Brouwer's theorem; moreover Y and all matrices of DG(X) - 1 are then
invertible, so the fixed point is one of G, and the only one in X. The cycle has exactly p points if
enclosures of its other points do not meet that of the first.

*Attraction.* Let P be positive definite with :math:`P-M^\top PM\succ0` for all matrices M in DG(X),
X a box that holds the fixed point w*. For w in an ellipsoid
:math:`V(w)=(w-w^*)^\top P(w-w^*)\leq\gamma^2` within X, :math:`G(w)-w^*=M(w-w^*)` with the mean M
of DG along the segment, which an interval matrix contains as it is convex. So V falls by a constant
factor at every step of G: the ellipsoid is mapped into itself and all of it converges to w*, which
is asymptotically stable.

*Instability.* An eigenvalue of DG(w*) outside the unit circle (`definite.expands`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.analysis.regions.definite import contracts, expands, growth_matrix, half_widths
from engine.analysis.regions.definite import lyapunov_matrix as weight_of
from engine.analysis.regions.interval import Bools, Interval, applied, dot, product
from engine.analysis.regions.maps import EnclosedMap, Iterated
from engine.core.arrays import FloatArray

LONGEST = 8
"""Most points of a cycle that is proved."""
_NEWTON = 30
_LEAST_RADIUS = 1e-13
_NEAR = 1e-3
"""Largest distance of a fixed point from the guess, relative to one beyond 1."""
_BOXES = 16
"""Boxes that are tried around a fixed point, each four times as wide as the one before."""
_RADII = 110
"""Boxes that are tried for an ellipsoid, each wider than the one before by a quarter."""


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """An ellipsoid that p steps map into itself, and of which all points converge to its centre.

    Attributes
    ----------
    center : Interval, shape (n,)
        Holds w*.
    weight : ndarray, shape (n, n)
        P.
    level : float
        The ellipsoid is V(w) <= level.
    """

    center: Interval
    weight: FloatArray
    level: float

    def holds(self, box: Interval) -> Bools:
        """Return which boxes, shape (m, n), are proved to lie within the ellipsoid.

        V is convex, so it is greatest at a corner.
        """
        n = box.shape[1]
        inside = np.ones(box.shape[0], bool)
        near = np.all(np.abs(box.mid - self.center.mid) <= self.reach, axis=1)
        inside &= near
        chosen = np.flatnonzero(near)
        for corner in range(2**n):
            bits = np.array([(corner >> i) & 1 for i in range(n)], bool)
            at = np.where(bits, box.hi[chosen], box.lo[chosen])
            away = Interval.point(at) - self.center
            inside[chosen] &= dot(away, applied(self.weight, away)).hi <= self.level
        return inside

    def within_level(self, level: float) -> Core:
        """Return the part of the ellipsoid where V is at most a level; it is mapped into itself."""
        return Core(self.center, self.weight, min(level, self.level))

    def within(self, domain: Interval) -> Core | None:
        """Return the part V <= c of the ellipsoid that is proved to lie within a box, shape (n,).

        None where there is none.
        """
        widths = half_widths(self.weight)
        if widths is None:
            return None
        room = np.minimum((self.center - domain.lo).lo, (domain.hi - self.center).lo)
        ratio = (Interval.point(room) * Interval.point(widths).inverse()).lo
        if not (ratio > 0.0).all():
            return None
        return self.within_level(float(Interval.point(ratio.min()).squared().lo))

    @property
    def reach(self) -> FloatArray:
        """Half-widths of a box that holds the ellipsoid, nearly, shape (n,)."""
        return np.asarray(np.sqrt(self.level * np.diag(np.linalg.inv(self.weight))) * 1.001)


@dataclass(frozen=True, slots=True, eq=False)
class ProvedCycle:
    """A cycle that exists.

    Attributes
    ----------
    points : tuple of Interval, each of shape (n,)
        Boxes that hold one point of it each, in their order.
    is_stable : bool or None
        True if it attracts, False if it repels, each proved; None if neither is.
    cores : tuple of Core
        One around every point of a stable one.
    """

    points: tuple[Interval, ...]
    is_stable: bool | None
    cores: tuple[Core, ...] = ()

    @property
    def period(self) -> int:
        """Number p of points."""
        return len(self.points)


def prove_cycle(map: EnclosedMap, guess: FloatArray, period: int) -> ProvedCycle | None:
    """Prove that there is a cycle next to a point, and whether it attracts or repels.

    Parameters
    ----------
    map : EnclosedMap
    guess : ndarray, shape (n,)
        Within a thousandth of a point of the cycle; one that is farther is another one.
    period : int
        1 to `LONGEST`; 1 for an equilibrium.

    Returns
    -------
    ProvedCycle or None
        None where no cycle of exactly this period is proved.
    """
    lap = Iterated(map, period)
    found = _fixed_point(lap, guess)
    if found is None:
        return None
    points = [found]
    for _ in range(period - 1):
        points.append(map.image(points[-1][None])[0])
    if any(not bool(each.apart(found).any()) for each in points[1:]):
        return None
    slope = lap.enclosures(found[None])[1][0]
    weight = weight_of(slope.mid)
    if weight is not None and bool(contracts(slope, weight)):
        cores = tuple(core for each in points if (core := core_around(lap, each)) is not None)
        return ProvedCycle(tuple(points), True, cores if len(cores) == period else ())
    growth = growth_matrix(slope.mid)
    repels = growth is not None and expands(slope, growth)
    return ProvedCycle(tuple(points), False if repels else None)


def _fixed_point(lap: EnclosedMap, guess: FloatArray) -> Interval | None:
    """Return a box in which the map has exactly one fixed point, shape (n,)."""
    center = _polished(lap, guess)
    if center is None:
        return None
    one = np.eye(lap.dimension)
    least = _LEAST_RADIUS * max(1.0, float(np.abs(center).max()))
    residue = lap.plain_image(Interval.point(center[None]))[0] - Interval.point(center)
    radii = least * np.float64(4.0) ** np.arange(_BOXES)
    boxes = Interval.around(np.tile(center, (_BOXES, 1)), radii[:, None])
    slopes = lap.enclosures(boxes)[1] - one
    inverse = _inverse(slopes[0].mid)
    if inverse is None:
        return None
    spread = applied(one - product(inverse, slopes), boxes - center)
    made = Interval.point(center) - applied(inverse, residue) + spread
    proved = np.flatnonzero(made.inside(boxes).all(axis=1))
    return made[proved[0]] if len(proved) else None


def _polished(lap: EnclosedMap, guess: FloatArray) -> FloatArray | None:
    """Return the fixed point next to a guess, by Newton's method in floats; None far from one."""
    point, one = np.asarray(guess, np.float64), np.eye(lap.dimension)
    for _ in range(_NEWTON):
        image, slope = lap.enclosures(Interval.point(point[None]))
        inverse = _inverse(slope.mid[0] - one)
        if inverse is None or not np.isfinite(image.size).all():
            return None
        move = inverse @ (point - image.mid[0])
        point = point + move
        if np.abs(move).max() <= 4e-16 * max(1.0, float(np.abs(point).max())):
            break
    size = max(1.0, float(np.abs(guess).max()))
    is_near = bool(np.abs(point - guess).max() <= _NEAR * size)  # False for nan, too
    return point if is_near else None


def _inverse(matrix: FloatArray) -> FloatArray | None:
    try:
        made = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(made, np.float64) if np.isfinite(made).all() else None


def core_around(lap: EnclosedMap, center: Interval) -> Core | None:
    """Return the widest ellipsoid that is found around a stable fixed point."""
    weight = weight_of(lap.enclosures(center[None])[1][0].mid)
    widths = None if weight is None else half_widths(weight)
    if weight is None or widths is None:
        return None
    radii = 1e-9 * max(1.0, float(np.abs(center.mid).max())) * np.float64(1.25) ** np.arange(_RADII)
    boxes = Interval.around(
        np.tile(center.mid, (_RADII, 1)), radii[:, None] * (widths / widths.max())
    )
    failed = np.flatnonzero(~contracts(lap.enclosures(boxes)[1], weight))
    count = int(failed[0]) if len(failed) else _RADII
    if count == 0:
        return None
    box = boxes[count - 1]
    return Core(center, weight, np.inf).within(box)
