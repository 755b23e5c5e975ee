r"""Period doublings of the symmetric map, computed to rounding.

Equal weights follow :math:`w\mapsto w-\delta\sigma w^{L-1}(w^L-\lambda)`. In units of
:math:`|\lambda|^{1/L}` and of :math:`\delta_{\max}` this is one family of maps per depth,
:math:`u\mapsto u-\tfrac{2x}{L}u^{L-1}(u^L-1)` with :math:`x=\delta/\delta_{\max}`, so the
thresholds below depend on L alone and hold for every positive target.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

FEIGENBAUM = 4.669201609102990
"""Limit of the ratio of successive distances between period doublings."""
SETTLE = 4000
"""Steps after which an orbit well inside its window has settled."""


@dataclass(frozen=True, slots=True)
class Orbit:
    """A cycle of the map at `x`: one of its points, as y = L log u, and its multiplier."""

    x: float
    point: float
    multiplier: float


def step(u: float, x: float, depth: int) -> float:
    """Apply the map once, in units of the root and of the largest stable step size."""
    power = u ** (depth - 1)
    return u - 2.0 * x / depth * power * (power * u - 1.0)


def slope(u: float, x: float, depth: int) -> float:
    """Return the derivative of the map."""
    bend = (2 * depth - 1) * u ** (2 * depth - 2)
    if depth > 1:
        bend -= (depth - 1) * u ** (depth - 2)
    return 1.0 - 2.0 * x / depth * bend


def _log_step(y: float, x: float, depth: int) -> tuple[float, float]:
    """Apply the map to y = L log u, which stays of order 1 for deep networks; and its slope."""
    part = 2.0 * x / depth * math.exp((depth - 2) * y / depth)
    ratio = -part * math.expm1(y)
    bend = -part * ((depth - 2) / depth * math.expm1(y) + math.exp(y))
    return y + depth * math.log1p(ratio), 1.0 + depth * bend / (1.0 + ratio)


def _turn(y: float, x: float, depth: int, period: int) -> tuple[float, float]:
    """Go round once: where the point ends, and the product of the slopes."""
    product = 1.0
    for _ in range(period):
        y, factor = _log_step(y, x, depth)
        product *= factor
    return y, product


def orbit(x: float, depth: int, period: int, near: float) -> Orbit:
    """Find the point of a cycle near a given one, stable or not, by Newton's method."""
    y = near
    for _ in range(40):
        after, product = _turn(y, x, depth, period)
        change = (after - y) / (product - 1.0)
        y -= change
        if abs(change) <= 1e-15:
            break
    return Orbit(x, y, _turn(y, x, depth, period)[1])


def _bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """Find the zero of a function that is positive at `low` and negative at `high`."""
    while True:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            return middle
        if function(middle) > 0.0:
            low = middle
        else:
            high = middle


@cache
def doublings(depth: int, count: int = 5) -> tuple[float, ...]:
    r"""Find the step sizes at which the period doubles, in units of :math:`\delta_{\max}`.

    The first is 1 (Proposition 1: the fixed point's multiplier is -1), then periods 2 to 4, 4 to 8
    and so on: where the multiplier of the cycle passes -1.

    Parameters
    ----------
    depth : int
        At least 2; the map of one weight is linear and has none.
    count : int
        How many.
    """
    found = [1.0]
    gap = 0.25 * FEIGENBAUM  # the second distance is near 0.25 for every depth
    for index in range(1, count):
        period = 2**index
        if index > 1:
            gap = found[-1] - found[-2]
        start = found[-1] + 0.45 * gap / FEIGENBAUM
        known = [orbit(start, depth, period, _turn(0.01, start, depth, SETTLE * period)[0])]
        margin = partial(_margin, depth=depth, period=period, known=known)
        found.append(_bisect(margin, start, found[-1] + 1.4 * gap / FEIGENBAUM))
    return tuple(found)


def _margin(x: float, depth: int, period: int, known: list[Orbit]) -> float:
    """Follow a known cycle to `x` and return its multiplier plus 1; the cycle joins the known."""
    begin = min(known, key=lambda cycle: abs(cycle.x - x))
    point = begin.point
    for piece in range(1, 9):
        cycle = orbit(begin.x + (x - begin.x) * piece / 8, depth, period, point)
        point = cycle.point
    known.append(cycle)
    return cycle.multiplier + 1.0


@cache
def crisis(depth: int) -> float:
    r"""Find where the orbit of the critical point reaches 0, in units of :math:`\delta_{\max}`.

    Beyond it orbits of positive weights leave to negative ones: hopping between the two minima
    for even L, creeping to the saddle at 0 for odd L.
    """

    def reach(x: float) -> float:
        top = _bisect(lambda u: slope(u, x, depth), 0.1, 1.0)
        return step(step(top, x, depth), x, depth)

    low = high = doublings(depth, 2)[-1]
    while reach(high) >= 0.0:  # in small parts: the orbit may come back from 0 for larger steps
        low, high = high, 1.1 * high
    return _bisect(reach, low, high)


@cache
def heavy_ball_doubling(depth: int, momentum: float) -> float:
    r"""Find where period 2 becomes period 4 with heavy-ball momentum, in units of GD's delta_max.

    On a 2-cycle the momentum only divides the step size by :math:`1+\beta`, and the lap's Jacobian
    has the eigenvalue -1 where gradient descent's multiplier is
    :math:`-\left(\tfrac{1-\beta}{1+\beta}\right)^2`.
    """
    threshold = -(((1.0 - momentum) / (1.0 + momentum)) ** 2)
    start = 1.0 + 0.1 * (doublings(depth, 2)[-1] - 1.0)
    known = [orbit(start, depth, 2, _turn(0.01, start, depth, 2 * SETTLE)[0])]

    def margin(x: float) -> float:
        return _margin(x, depth=depth, period=2, known=known) - 1.0 - threshold

    return (1.0 + momentum) * _bisect(margin, 1.0 + 1e-6, 1.001 * doublings(depth, 2)[-1])
