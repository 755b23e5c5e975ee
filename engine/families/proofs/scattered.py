"""What is proved of starts one by one, in three to six and more dimensions: shares and slices."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from engine.analysis.regions.interval import Bools
from engine.analysis.regions.starts import proved_starts
from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress
from engine.families.proofs.task import Attractor, Task, settles

STARTS = 1200
"""Random starts by which shares are measured."""
SIDE = 28
"""Cells along an axis of a slice."""
_BUDGET = 3e5
"""Starts times operations of the loss over all rows: fewer starts where it is long."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """Starts in a plane through the attractor, along two coordinates.

    Attributes
    ----------
    axes : tuple of int
    seen, proved : ndarray of bool, shape (side, side)
        Whether each is seen, and proved, to come to the attractor; row 0 at the smallest value of
        the second coordinate.
    """

    axes: tuple[int, int]
    seen: Bools
    proved: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scattered:
    """Starts of which each is proved to converge, or not.

    Attributes
    ----------
    starts : ndarray, shape (m, d)
        Random ones, spread evenly over the domain.
    seen, proved : ndarray of bool, shape (m,)
    slices : tuple of Slice
    is_start_proved : bool or None
        Of the run's own start.
    """

    starts: FloatArray
    seen: Bools
    proved: Bools
    slices: tuple[Slice, ...] = ()
    is_start_proved: bool | None = None

    @property
    def seen_share(self) -> tuple[float, float]:
        """Share of the domain that was seen to come to the attractor, with its standard error."""
        return _share(self.seen)

    @property
    def proved_share(self) -> tuple[float, float]:
        """Share of the domain that can be proved, with its standard error."""
        return _share(self.proved)


def _share(chosen: Bools) -> tuple[float, float]:
    """Return a share and its standard error; never 0, by Laplace's rule."""
    count = len(chosen)
    smooth = (chosen.sum() + 1.0) / (count + 2.0)
    return float(chosen.mean()), float(np.sqrt(smooth * (1.0 - smooth) / count))


def scatter(task: Task, attractor: Attractor, progress: Progress) -> Scattered | None:
    """Prove what can be of random starts, of slices and of the run's start; None if stopped."""
    n, scale = len(task.low), min(_BUDGET / (task.law.operations * STARTS), 1.0)
    side, count = max(int(SIDE * np.sqrt(scale)), 8), max(int(STARTS * scale), 100)
    starts = np.random.default_rng(0).uniform(task.low, task.high, (count, n))
    planes = []
    middle = 0.5 * (task.low + task.high) if attractor.point is None else attractor.point
    pairs = list(combinations(range(min(n, 3)), 2)) if attractor.point is not None else []
    for i, j in pairs:
        grid = [
            task.low[k] + (np.arange(side) + 0.5) / side * (task.high[k] - task.low[k])
            for k in (i, j)
        ]
        points = np.tile(middle, (side * side, 1))
        x, y = np.meshgrid(*grid)
        points[:, i], points[:, j] = x.ravel(), y.ravel()
        planes.append(points)
    own = [] if task.start is None else [task.start[None]]
    points = np.concatenate([starts, *planes, *own])
    square = task.law.square if attractor.kind == "manifold" else None
    proved = proved_starts(task.law.descent, points, attractor.cores, square, progress)
    seen = None if proved is None else settles(task, attractor, points, progress)
    if proved is None or seen is None:
        return None
    seen |= proved  # slow ones, too
    slices, shape = [], (side, side)
    for k, axes in enumerate(pairs):
        part = slice(count + k * side * side, count + (k + 1) * side * side)
        slices.append(
            Slice(axes=axes, seen=seen[part].reshape(shape), proved=proved[part].reshape(shape))
        )
    return Scattered(
        starts=starts,
        seen=seen[:count],
        proved=proved[:count],
        slices=tuple(slices),
        is_start_proved=bool(proved[-1]) if own else None,
    )
