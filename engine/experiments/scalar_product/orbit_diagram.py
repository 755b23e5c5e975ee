r"""The orbit diagram: where the map of equal weights settles, for every step size.

Below :math:`\delta_{\max}` it is one branch, the balanced minimum (Proposition 1); above follow
cycles of period 2, 4, 8, ..., chaos with windows of other periods, and divergence (the thresholds
are in `engine.theory.symmetric` for L = 2). The Lyapunov exponent is 0 where branches fork and
positive in chaos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine import theory
from engine.core.arrays import FloatArray

if TYPE_CHECKING:
    from engine.kernels.scalar.descent import Law

IntArray = NDArray[np.int64]

COLUMNS, ROWS = 720, 360
"""Step sizes, and cells of the weight, of a diagram."""
TRANSIENT, KEPT = 2000, 480
"""Steps of an orbit that are left out, and those that are drawn."""
REACH = 8.0
"""Largest step size that is tried, in units of delta_max; momentum can double what is stable."""
SCOUTS = 400
SCOUT_STEPS = 400
DENSE = 0.8
"""The diagram ends where less than this part of the orbits up to a step size stays bounded."""
ROUNDS = 6
"""Times that the range is searched, each 100 times finer, for a start that is far away."""
BESIDE = 1e-6
"""How far beside an equilibrium orbits begin that would stay on it, stable or not."""
FAR = 1e3
"""An orbit that is so far, in units of its start and its minimum, does not come back."""
GROWTH = 1.2
"""An orbit whose later half is larger by this factor than the earlier is on its way there."""


@dataclass(frozen=True, slots=True)
class OrbitDiagram:
    """Orbits of the map of equal weights over the step size.

    Attributes
    ----------
    steps : ndarray, shape (m,)
        Step sizes, the middles of m equal parts of 0 to `end`.
    exponents : ndarray, shape (m,)
        Lyapunov exponents, nats per step; NaN where the orbit diverges, and with momentum.
    density : ndarray, shape (rows, m)
        How often the settled orbit visits a cell or the one below it, as a level from 0 to 1,
        logarithmic; NaN if never. Row 0 is the lowest.
    counts : ndarray of int, shape (rows, m)
        How many of the `KEPT` points of the settled orbit lie in a cell.
    end : float
        Beyond this step size orbits diverge, but for islands of those that come to rest.
    low, high : float
        Ends of the weights.
    """

    steps: FloatArray
    exponents: FloatArray
    density: FloatArray
    counts: IntArray
    end: float
    low: float
    high: float

    @property
    def extent(self) -> FloatArray:
        """Ends of the density's axes, shape (4,): first and last step size and weight."""
        return np.array([0.0, self.end, self.low, self.high])


def orbit_diagram(law: Law, start: float) -> OrbitDiagram | None:
    """Compute the diagram of a law of motion with a fixed step size; the law's own is not used.

    None where delta_max, the unit of the step sizes, is outside the range of a float. The latest
    diagrams are kept: one with the same law and start is the same object.

    Parameters
    ----------
    law : Law
        Target, depth, input power, optimiser and momentum.
    start : float
        The weight that all orbits start from; just beside it if it is the
        equilibrium, on which no step size moves it.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        error = np.float64(start) ** law.depth / law.target - 1.0
    if abs(error) <= law.depth * BESIDE:  # to rounding: a minimum's weight is seldom exact
        start *= 1.0 + BESIDE
    return _diagram(
        law.target, law.depth, law.input_power, int(law.method), law.momentum, float(start)
    )


@lru_cache(maxsize=6)
def _diagram(
    target: float, depth: int, sigma: float, method: int, momentum: float, start: float
) -> OrbitDiagram | None:
    from engine.kernels.scalar.maps import Motion, settled_orbits

    limit = FAR * max(1.0, abs(target) ** (1.0 / depth), abs(start))
    law = Motion(target, sigma, depth, method, momentum, limit)

    def follow(steps: FloatArray, transient: int, kept: int) -> tuple[FloatArray, FloatArray]:
        points, exponents = np.empty((steps.size, kept)), np.empty(steps.size)
        settled_orbits(steps, start, law, transient, points, exponents)
        sizes = np.abs(points)
        half = kept // 2
        if half:
            leaves = sizes[:, half:].max(axis=1) > GROWTH * sizes[:, :half].max(axis=1)
            points[leaves], exponents[leaves] = np.nan, np.nan
        return points, exponents

    end = REACH * theory.delta_max(target, depth, sigma)
    if not 0.0 < end < math.inf:
        return None
    for _ in range(ROUNDS):
        scouts: FloatArray = (np.arange(SCOUTS) + 1) * np.float64(end / SCOUTS)
        bounded = np.isfinite(follow(scouts, SCOUT_STEPS, 1)[0][:, 0])
        dense = bounded & (np.cumsum(bounded) >= DENSE * (np.arange(SCOUTS) + 1))
        if dense.any():
            end = float(scouts[min(int(np.flatnonzero(dense)[-1]) + 1, SCOUTS - 1)])
            break
        end /= 100.0
    steps: FloatArray = (np.arange(COLUMNS) + 0.5) * np.float64(end / COLUMNS)
    points, exponents = follow(steps, TRANSIENT, KEPT)
    low, high = _ends(points)
    counts = _counts(points, low, high)
    density = _density(counts)
    for array in (steps, exponents, density, counts):
        array.setflags(write=False)  # many observations share them
    return OrbitDiagram(steps, exponents, density, counts, end, low, high)


def _ends(points: FloatArray) -> tuple[float, float]:
    """Choose the ends of the weights."""
    known = points[np.isfinite(points)]
    if known.size == 0:
        return -1.0, 1.0
    low, high = float(known.min()), float(known.max())
    pad = 0.06 * (high - low) or 0.5 * max(abs(high), 1e-3)
    return low - pad, high + pad


def _counts(points: FloatArray, low: float, high: float) -> IntArray:
    """Count the visits to every cell."""
    columns = len(points)
    place = np.floor((points - low) / (high - low) * ROWS)
    seen = (place >= 0) & (place < ROWS)  # NaN is neither
    column = np.broadcast_to(np.arange(columns)[:, None], points.shape)[seen]
    cells = place[seen].astype(np.int64) * columns + column
    return np.bincount(cells, minlength=ROWS * columns).reshape(ROWS, columns)


def _density(counts: IntArray) -> FloatArray:
    """Turn counts of visits into levels that can be told apart by eye."""
    with np.errstate(divide="ignore"):
        level = np.log(counts) / np.log(KEPT)
    level = np.where(counts > 0, level, np.nan)
    level[1:] = np.fmax(level[1:], level[:-1])  # two rows, or a branch falls between small pixels
    return level
