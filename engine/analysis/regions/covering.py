r"""The region of attraction that is proved, as a set of the cells of a grid.

Let A be a union of cells from which every run is known to converge (the *core*: ellipsoids around
the points of a stable cycle, or for a manifold of minima the cells of `residual`). If an enclosure
of the image of a cell meets only cells of A, each of its runs is in A after one step, so the cell
may join A. `covering` adds cells until none can join. Nothing is lost by rounding: the cells are
closed boxes between floats and have their edges in common, and an enclosure is covered by the cells
that it meets.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.regions.cycles import Core
from engine.analysis.regions.interval import Bools, Interval, interval
from engine.analysis.regions.maps import EnclosedMap, Iterated
from engine.analysis.regions.residual import Pace, SquareDescent
from engine.analysis.regions.sublevel import Level
from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress

Ints = NDArray[np.int64]
_AT_ONCE = 16384
"""Boxes that are enclosed between two looks at whether to stop."""
_CELLS_OF_A_CORE = 6.0
"""Cells that a core's half-width is to have."""
_STEPS = (2, 4, 8)
_FRONTS = 12
"""Most times that boxes at the border of what is proved are looked at for several steps."""
_MOST_AT_BORDER = 4000
_ROUNDS = 400
"""Most times that the cells are gone through."""
_BANDS = (
    *((-b, b) for b in (0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.997)),
    *((t - 1.0, 4.0 * t - 1.0) for t in 0.003 * 1.7 ** np.arange(10)),
)
"""Bounds of ρ that are tried; each has its own set Ω and reach."""
_LEVELS = (1.5, 3.0, 8.0, 25.0)
"""Bounds of |r| that are tried, in units of the least bound that a cell has."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Cells between edges along each of n axes.

    Attributes
    ----------
    edges : tuple of ndarray, each of shape (cells + 1,)
        Ascending.
    """

    edges: tuple[FloatArray, ...]

    @classmethod
    def of(cls, low: FloatArray, high: FloatArray, cells: int) -> Grid:
        """Make a grid of as many cells along each axis."""
        return cls(tuple(np.linspace(a, b, cells + 1) for a, b in zip(low, high, strict=True)))

    @classmethod
    def around(cls, low: FloatArray, high: FloatArray, cells: int, cores: Sequence[Core]) -> Grid:
        """Make a grid that is finer and finer towards the cores, where they are small.

        Half of the edges are spread evenly, the others by equal ratios around each core.
        """
        even = cls.of(low, high, cells)
        sides = (high - low) / cells
        if not cores or all((each.reach >= _CELLS_OF_A_CORE * sides).all() for each in cores):
            return even
        count = max(cells // (4 * len(cores)), 4)
        edges = []
        for i, (a, b) in enumerate(zip(low, high, strict=True)):
            parts = [np.linspace(a, b, cells // 2 + 1)]
            for each in cores:
                nearest = float(each.reach[i]) / _CELLS_OF_A_CORE
                away = np.geomspace(nearest, max(float(b - a), 2.0 * nearest), count)
                at = float(each.center.mid[i])
                parts += [at - away, at + away, np.array([at])]
            joined = np.unique(np.concatenate(parts))
            edges.append(joined[(joined >= a) & (joined <= b)])
        return cls(tuple(edges))

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return tuple(len(each) - 1 for each in self.edges)

    @property
    def volumes(self) -> FloatArray:
        """Volumes of the cells, of the grid's shape."""
        made = np.ones(())
        for each in self.edges:
            made = np.multiply.outer(made, np.diff(each))
        return np.asarray(made)

    def boxes(self, chosen: Ints) -> Interval:
        """Return some cells by their numbers, shape (m, n)."""
        places = np.unravel_index(chosen, self.shape)
        pairs = list(zip(self.edges, places, strict=True))
        return Interval(
            np.stack([each[at] for each, at in pairs], axis=-1),
            np.stack([each[at + 1] for each, at in pairs], axis=-1),
        )

    def met(self, box: Interval) -> Windows:
        """Return which cells boxes meet, shape (m, n)."""
        first, last = np.empty(box.shape, np.int64), np.empty(box.shape, np.int64)
        fits = np.ones(box.shape[0], bool)
        for i, each in enumerate(self.edges):
            lo, hi = box.lo[:, i], box.hi[:, i]
            fits &= (lo >= each[0]) & (hi <= each[-1])
            last_cell = len(each) - 2
            first[:, i] = np.clip(np.searchsorted(each, lo, "right") - 1, 0, last_cell)
            last[:, i] = np.clip(np.searchsorted(each, hi, "left") - 1, 0, last_cell)
        return Windows(first, np.maximum(first, last), fits)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Blocks of cells, one for each of m boxes.

    Attributes
    ----------
    first, last : ndarray of int64, shape (m, n)
    fits : ndarray of bool, shape (m,)
        Whether the box lies within the grid.
    """

    first: Ints
    last: Ints
    fits: Bools

    @classmethod
    def joined(cls, parts: Sequence[Windows]) -> Windows:
        """Join the blocks of several lots of boxes."""
        return cls(
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.last for part in parts]),
            np.concatenate([part.fits for part in parts]),
        )

    def __getitem__(self, chosen: Bools | Ints) -> Windows:
        """Return some of them."""
        return Windows(self.first[chosen], self.last[chosen], self.fits[chosen])

    def are_within(self, cells: Bools) -> Bools:
        """Return of which all cells are among some, a mask of the grid's shape."""
        return np.asarray(self.fits & (self._count(~cells) == 0))

    def meet(self, cells: Bools) -> Bools:
        """Return which have a cell among some, a mask of the grid's shape."""
        return np.asarray(self._count(cells) > 0)

    def _count(self, cells: Bools) -> Ints:
        """Return how many cells of each are among some."""
        sums = np.pad(cells.astype(np.int32), [(1, 0)] * cells.ndim)
        for axis in range(cells.ndim):
            np.cumsum(sums, axis=axis, out=sums)
        count = np.zeros(len(self.fits), np.int64)
        for corner in range(2**cells.ndim):
            upper = [(corner >> i) & 1 for i in range(cells.ndim)]
            at = tuple(
                self.last[:, i] + 1 if up else self.first[:, i] for i, up in enumerate(upper)
            )
            count += (1 if sum(upper) % 2 == cells.ndim % 2 else -1) * sums[at]
        return count


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A proved region of attraction.

    Attributes
    ----------
    grid : Grid
    proved, core : ndarray of bool, of the grid's shape
        Cells from which every run is proved to converge, and those that this was built on.
    boxes : int
        Enclosures that were computed.
    seconds : float
        Time that it took.
    loss_level : Level or None
        Where the loss is the square of a residual, the level below which it is proved to fall
        along every run from the region.
    """

    grid: Grid
    proved: Bools
    core: Bools
    boxes: int
    seconds: float
    loss_level: Level | None = None

    @property
    def volume(self) -> float:
        """Volume (area) that is proved."""
        return float(self.grid.volumes[self.proved].sum())

    def holds(self, points: Interval | FloatArray) -> Bools:
        """Return which points, shape (m, n), lie in proved cells, wherever in their boxes."""
        return self.grid.met(interval(points)).are_within(self.proved)

    def doubtful(self, point: FloatArray) -> Interval | None:
        """Return the cell nearest to a point that is not proved, shape (n,); None if all are."""
        left = np.flatnonzero(~self.proved)
        if not left.size:
            return None
        boxes = self.grid.boxes(left)
        away = np.maximum(np.maximum(boxes.lo - point, point - boxes.hi), 0.0)
        return boxes[int(np.argmin((away**2).sum(axis=1)))]


def covering(
    map: EnclosedMap,
    grid: Grid,
    cores: Sequence[Core],
    square: SquareDescent | None,
    progress: Progress,
) -> Region | None:
    """Prove as many cells of a grid as can be.

    Parameters
    ----------
    map : EnclosedMap
    grid : Grid
    cores : sequence of Core
        Around the points of stable cycles.
    square : SquareDescent or None
        Where the loss is the square of a residual.
    progress : callable

    Returns
    -------
    Region or None
        None if `progress` asked to stop.
    """
    begin = time.perf_counter()
    boxes = grid.boxes(np.arange(int(np.prod(grid.shape))))
    core = np.zeros(boxes.shape[0], bool)
    for each in cores:
        core |= each.holds(boxes)
    lots: list[tuple[Windows, Pace | None]] = []
    for first in range(0, boxes.shape[0], _AT_ONCE):
        if not progress(first / boxes.shape[0], "Images of boxes"):
            return None
        box = boxes[first : first + _AT_ONCE]
        image = map.image(box)
        lots.append((grid.met(image), None if square is None else square.pace(box, image)))
    paces = [pace for _, pace in lots if pace is not None]
    if paces:
        found = _residual_core(Pace.joined(paces), grid, boxes, progress)
        if found is None:
            return None
        core |= found
    core = core.reshape(grid.shape)
    growth = _Growth(map, grid, boxes, Windows.joined([windows for windows, _ in lots]))
    proved = growth.of(core, progress)
    if proved is None:
        return None
    count, seconds = boxes.shape[0] + growth.more, time.perf_counter() - begin
    level = None
    if square is not None and paces:
        rises = proved & ~core & ~growth.kept(proved, core)
        rises |= proved & ~core & ~(Pace.joined(paces).factor.size < 1.0).reshape(grid.shape)
        level = _loss_level(square, Pace.joined(paces), boxes, rises, count, seconds)
    return Region(grid, proved, core, count, seconds, level)


def _loss_level(
    square: SquareDescent, pace: Pace, boxes: Interval, rises: Bools, count: int, seconds: float
) -> Level:
    """Return the level of the loss below which it falls along every run from the region.

    From a cell of the core it falls for ever. Let R be the core with cells that one step maps into
    R, and on which |ρ| < 1 (`rises` has all others that are proved). From where the loss is lower
    than in any of these others, a run is in R, the loss falls, and the next point is such a one.
    """
    r = pace.residual
    least = Interval.point(np.maximum(np.maximum(r.lo, -r.hi), 0.0))
    loss = (0.5 * square.factor * least.squared()).lo
    chosen = np.flatnonzero(rises)
    if not chosen.size:
        return Level(None, None, False, count, seconds)
    at = int(chosen[np.argmin(loss[chosen])])
    value = float(loss[at])
    return Level(value if value > 0.0 else None, boxes[at], False, count, seconds)


@dataclass(slots=True, eq=False)
class _Growth:
    """Adds cells that lead into proved ones, by one step or by several."""

    map: EnclosedMap
    grid: Grid
    boxes: Interval
    images: Windows
    more: int = 0
    """Enclosures of several steps that were computed."""

    def of(self, core: Bools, progress: Progress) -> Bools | None:
        """Return the core with all cells that are found to lead there."""
        proved = core.copy()
        if not core.any() or not self._close(proved, progress):
            return proved if not core.any() else None
        tried = np.zeros(proved.size, bool)
        for _ in range(_FRONTS):
            front = np.flatnonzero(~proved.reshape(-1) & ~tried & self.images.meet(proved))
            if not front.size:
                break
            if not progress(1.0, "Several steps of boxes at the border"):
                return None
            front = front[:_MOST_AT_BORDER]
            tried[front] = True
            joined = self._join_later(front, proved)
            if joined and not self._close(proved, progress):
                return None
        return proved

    def kept(self, proved: Bools, core: Bools) -> Bools:
        """Return the greatest part of the proved cells that one step maps into itself or the core.

        Some cells were joined for what several steps make of them.
        """
        made = proved.copy()
        flat, others = made.reshape(-1), np.flatnonzero(proved & ~core)
        while others.size:
            leaves = ~self.images[others].are_within(made)
            if not leaves.any():
                break
            flat[others[leaves]] = False
            others = others[~leaves]
        return made

    def _close(self, proved: Bools, progress: Progress) -> bool:
        """Add the cells whose images lie in proved cells, again and again; False if stopped."""
        flat = proved.reshape(-1)
        left = np.flatnonzero(~flat & self.images.fits)
        for _ in range(_ROUNDS):
            if not progress(1.0, "Boxes that lead there"):
                return False
            joins = self.images[left].are_within(proved)
            if not joins.any():
                break
            flat[left[joins]] = True
            left = left[~joins]
        return True

    def _join_later(self, front: Ints, proved: Bools) -> bool:
        """Add those cells of which 2, 4 or 8 steps lead into proved ones."""
        flat, found = proved.reshape(-1), False
        for steps in _STEPS:
            windows = self.grid.met(Iterated(self.map, steps).image(self.boxes[front]))
            joins = windows.are_within(proved)
            self.more += front.size
            flat[front[joins]] = True
            found |= bool(joins.any())
            front = front[~joins]
            if not front.size:
                break
        return found


def _residual_core(pace: Pace, grid: Grid, boxes: Interval, progress: Progress) -> Bools | None:
    """Return the cells, flat, from which runs are proved to converge to a manifold of minima."""
    core = np.zeros(boxes.shape[0], bool)
    sizes, r = pace.residual.size, pace.residual
    least = np.maximum(np.maximum(r.lo, -r.hi), 0.0)  # of |r|
    for low, high in _BANDS:
        if not progress(1.0, "Residuals over boxes"):
            return None
        within = (pace.factor.lo >= low) & (pace.factor.hi <= high)
        unit = float(np.min(sizes, where=within, initial=np.inf))
        for level in unit * np.array(_LEVELS) if np.isfinite(unit) else ():
            starts = np.flatnonzero(within & (sizes <= level) & ~core)
            reached = np.flatnonzero(within & (least <= level))
            rates = pace.rates(reached, max(abs(low), abs(high))) if starts.size else None
            if rates is None:
                continue
            far = (Interval.point(rates) * sizes[starts, None]).hi
            around = grid.met(boxes[starts] + Interval(-far, far))
            core[starts] |= around.are_within((within | (least > level)).reshape(grid.shape))
    return core
