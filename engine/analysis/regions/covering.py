r"""The region of attraction that is proved, as a set of the cells of a grid.

Let A be a union of cells from which every run is known to converge (the *core*: ellipsoids around
the points of a stable cycle, or for a manifold of minima the cells of `residual`). If an enclosure
of the image of a cell meets only cells of A, each of its runs is in A after one step, so the cell
may join A. `covering` adds cells until none can join, at the border also by what several steps make
of a cell; halves those that are left along each axis, and goes on with the parts. Cells from which
every run leaves the grid are left out. Nothing is lost by rounding: the cells are closed boxes
between floats and have their edges in common, and an enclosure is covered by the cells that it
meets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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
Grow = Callable[[Ints, Ints, Ints, Ints, Bools], None]
"""Adds cells to a set, again and again, whose blocks of cells lie in it.

It is given the blocks' first and last cells, shape (m, n), the cells whose they are, shape (m,),
how many cells there are along each axis, shape (n,), and the set, flat, which it changes; it is
`engine.kernels.intervals.growing.grow`.
"""
_AT_ONCE = 16384
"""Boxes that are enclosed between two looks at whether to stop."""
_CELLS_OF_A_CORE = 6.0
"""Cells that a core's half-width is to have."""
_STEPS = (8,)
_FRONTS = 4
"""Most times that boxes at the border of what is proved are looked at for several steps."""
_MOST_AT_BORDER = 4000
_HALVINGS = 2
"""Most times that cells in doubt are halved along each axis."""
MOST_CUT = 600_000
"""Most cells that are cut out of others."""
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

    def halved(self) -> Grid:
        """Return the grid whose cells are the halves of these along each axis."""
        edges = []
        for each in self.edges:
            finer = np.empty(2 * len(each) - 1)
            finer[::2], finer[1::2] = each, 0.5 * each[:-1] + 0.5 * each[1:]
            edges.append(finer)
        return Grid(tuple(edges))

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
        fits, misses = np.ones(box.shape[0], bool), np.zeros(box.shape[0], bool)
        for i, each in enumerate(self.edges):
            lo, hi = box.lo[:, i], box.hi[:, i]
            fits &= (lo >= each[0]) & (hi <= each[-1])
            misses |= (lo > each[-1]) | (hi < each[0])
            last_cell = len(each) - 2
            first[:, i] = np.clip(np.searchsorted(each, lo, "right") - 1, 0, last_cell)
            last[:, i] = np.clip(np.searchsorted(each, hi, "left") - 1, 0, last_cell)
        return Windows(first, np.maximum(first, last), fits, misses)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Blocks of cells, one for each of m boxes.

    Attributes
    ----------
    first, last : ndarray of int64, shape (m, n)
    fits, misses : ndarray of bool, shape (m,)
        Whether the box lies within the grid, and whether outside it.
    """

    first: Ints
    last: Ints
    fits: Bools
    misses: Bools

    @classmethod
    def joined(cls, parts: Sequence[Windows]) -> Windows:
        """Join the blocks of several lots of boxes."""
        return cls(
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.last for part in parts]),
            np.concatenate([part.fits for part in parts]),
            np.concatenate([part.misses for part in parts]),
        )

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
        along every run from the uncut cells.
    uncut : Region or None
        What was proved before cells were cut; None where none were.
    """

    grid: Grid
    proved: Bools
    core: Bools
    boxes: int
    seconds: float
    loss_level: Level | None = None
    uncut: Region | None = None

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
    grow: Grow,
    progress: Progress,
    most: int = MOST_CUT,
) -> Region | None:
    """Prove as many cells of a grid as can be, and then as many parts of those that are left.

    Parameters
    ----------
    map : EnclosedMap
    grid : Grid
    cores : sequence of Core
        Around the points of stable cycles.
    square : SquareDescent or None
        Where the loss is the square of a residual.
    grow : callable
    progress : callable
    most : int
        Cells that are cut out of others at most.

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
    growth = _Growth(grid, core.copy(), np.zeros(core.size, bool))
    images = Windows.joined([windows for windows, _ in lots])
    growth.join(np.arange(core.size), images, grow)
    more = growth.join_later(map, images, grow, progress)
    if more is None:
        return None
    count, proved = boxes.shape[0], growth.proved.copy()
    level = None
    if square is not None and paces:
        falls = Pace.joined(paces).factor.size < 1.0
        rises = proved & ~core & ~(falls & images.are_within(proved.reshape(grid.shape)))
        seconds = time.perf_counter() - begin
        level = _loss_level(square, Pace.joined(paces), boxes, rises, count, seconds)
    more = _cut(map, growth, grow, progress, most) if core.any() else 0
    if more is None:
        return None
    seconds, shape = time.perf_counter() - begin, grid.shape
    core = core.reshape(shape)
    uncut = Region(grid, proved.reshape(shape), core, count, seconds, level)
    if not more:
        return uncut
    finest = growth.proved.reshape(growth.grid.shape)
    core = _parted(core, growth.grid.shape[0] // shape[0])
    return Region(growth.grid, finest, core, count + more, seconds, level, uncut)


def _loss_level(
    square: SquareDescent, pace: Pace, boxes: Interval, rises: Bools, count: int, seconds: float
) -> Level:
    """Return the level of the loss below which it falls along every run from the uncut cells.

    From a cell of the core it falls for ever. One step maps every other cell that is proved into
    proved ones, and the loss falls, but for those of `rises`. From where it is lower than in any of
    these, it falls, and the next point is such a one.
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
    """The cells that are proved, and those from which every run leaves the grid, both flat."""

    grid: Grid
    proved: Bools
    lost: Bools

    def join(self, cells: Ints, images: Windows, grow: Grow) -> None:
        """Add the cells, of which the images are given, that lead into either set."""
        sizes = np.array(self.grid.shape)
        stay = np.flatnonzero(images.fits)
        grow(images.first[stay], images.last[stay], cells[stay], sizes, self.proved)
        self.lost[cells[images.misses]] = True
        grow(images.first, images.last, cells, sizes, self.lost)

    def join_later(
        self, map: EnclosedMap, images: Windows, grow: Grow, progress: Progress
    ) -> int | None:
        """Add cells at the border of the proved ones that lead there by several steps.

        Parameters
        ----------
        images : Windows
            Of all cells, by one step.

        Returns
        -------
        int or None
            How many boxes were looked at; None if stopped.
        """
        sizes, cells = np.array(self.grid.shape), np.arange(self.proved.size)
        tried, count = self.proved | self.lost, 0
        for _ in range(_FRONTS):
            meets = images.meet(self.proved.reshape(self.grid.shape))
            front = np.flatnonzero(meets & ~tried & ~self.proved)[:_MOST_AT_BORDER]
            if not front.size:
                break
            if not progress(1.0, "Several steps of boxes at the border"):
                return None
            tried[front] = True
            before = int(self.proved.sum())
            for steps in _STEPS:
                front = front[~self.proved[front]]
                box = Iterated(map, steps).image(self.grid.boxes(front))
                later, count = self.grid.met(box), count + front.size
                stay = np.flatnonzero(later.fits)
                grow(later.first[stay], later.last[stay], front[stay], sizes, self.proved)
            if int(self.proved.sum()) > before:
                stay = np.flatnonzero(images.fits & ~self.proved)
                grow(images.first[stay], images.last[stay], cells[stay], sizes, self.proved)
        return count

    def cut(self) -> Ints:
        """Halve the cells along each axis; returns those that are in neither set."""
        shape, self.grid = self.grid.shape, self.grid.halved()
        self.proved, self.lost = (
            _parted(each.reshape(shape), 2).ravel() for each in (self.proved, self.lost)
        )
        return np.flatnonzero(~self.proved & ~self.lost)


def _parted(cells: Bools, parts: int) -> Bools:
    """Return a mask of cells for the parts of each along every axis."""
    for axis in range(cells.ndim):
        cells = np.repeat(cells, parts, axis=axis)
    return cells


def _cut(
    map: EnclosedMap, growth: _Growth, grow: Grow, progress: Progress, most: int
) -> int | None:
    """Halve the cells that are in neither set, again and again; returns how many there were.

    Ends before there would be more than `most`; returns None if stopped.
    """
    made, parts = 0, 2 ** len(growth.grid.shape)
    for _ in range(_HALVINGS):
        left = int((~growth.proved & ~growth.lost).sum()) * parts
        if not left or made + left > most:
            break
        cells = growth.cut()
        lots = []
        for first in range(0, cells.size, _AT_ONCE):
            if not progress(first / cells.size, "Images of smaller boxes"):
                return None
            chosen = cells[first : first + _AT_ONCE]
            lots.append(growth.grid.met(map.image(growth.grid.boxes(chosen))))
        growth.join(cells, Windows.joined(lots), grow)
        made += cells.size
    return made


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
