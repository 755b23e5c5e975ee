r"""Starts that are proved one by one, in any dimension.

Cells fill a plane, but not six dimensions. A single start, or a small box of starts, is followed by
enclosures instead: its run is proved to converge as soon as the box lies in the core of a stable
cycle (`cycles`), or, for a loss that is the square of a residual r, as soon as it fits into a box Ω
that it cannot leave: with :math:`|\rho|\leq\bar\rho<1` on Ω and K bounding the moves over
:math:`|r|` there, all of the run lies within :math:`K_i|r|/(1-\bar\rho)` (`residual`). So what is
proved is a set that can be tested anywhere: its share of a box is measured with random starts, and
it is shown in slices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.analysis.regions.cycles import Core
from engine.analysis.regions.interval import Bools, Interval
from engine.analysis.regions.maps import EnclosedMap
from engine.analysis.regions.residual import SquareDescent
from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress

MOST_STEPS = 120
"""Steps for which a start is followed."""
_ROOM = (1.5, 4.0)
"""Widths of Ω that are tried, in units of how far a run would go at the rates of its first box."""


def proved_starts(
    map: EnclosedMap,
    starts: FloatArray,
    cores: Sequence[Core],
    square: SquareDescent | None,
    progress: Progress,
) -> Bools | None:
    """Return which starts are proved to converge to the attractor.

    Parameters
    ----------
    map : EnclosedMap
    starts : ndarray, shape (m, n)
    cores : sequence of Core
        Around the points of a stable cycle.
    square : SquareDescent or None
        Where runs may converge to a manifold of minima.
    progress : callable

    Returns
    -------
    ndarray of bool, shape (m,), or None
        None if `progress` asked to stop.
    """
    made = np.zeros(len(starts), bool)
    left, box = np.arange(len(starts)), Interval.point(starts)
    far = 1e3 * max(float(np.abs(starts).max(initial=0.0)), 1.0)
    for k in range(MOST_STEPS):
        if not progress(k / MOST_STEPS, "Starts one by one"):
            return None
        arrived = np.zeros(left.size, bool)
        for core in cores:
            arrived |= core.holds(box)
        if square is not None:
            arrived |= _stays(square, box)
        made[left[arrived]] = True
        kept = ~arrived & (box.size <= far).all(axis=1)
        left, box = left[kept], box[kept]
        if not left.size:
            break
        box = map.image(box)
    return made


def _stays(square: SquareDescent, box: Interval) -> Bools:
    """Return which boxes, shape (m, n), are proved to converge to minima near by."""
    stays = np.zeros(box.shape[0], bool)
    value = square.residual.value(box).size
    first = square.pace(box, square.map.image(box))
    slack = 1.0 - first.factor.size
    chosen = np.flatnonzero((slack > 0.0) & np.isfinite(value))
    for room in _ROOM:
        chosen = chosen[~stays[chosen]]
        if not chosen.size:
            break
        guess = room * first.moves[chosen] * (value[chosen] / slack[chosen])[:, None] + 1e-300
        around = box[chosen] + Interval(-guess, guess)
        pace = square.pace(around, square.map.image(around))
        rest = (1.0 - Interval.point(pace.factor.size)).lo
        good = rest > 0.0
        over = Interval.point(np.where(good, rest, 1.0)).inverse()
        far = (Interval.point(pace.moves) * (Interval.point(value[chosen]) * over)[:, None]).hi
        stays[chosen] = good & (far <= guess).all(axis=1)
    return stays
