"""The cells of a map that are computed by now, at some level of detail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.maps.kind import Cells, Overlay, Prepared
from engine.maps.picture import (
    CLASSES,
    POINTS,
    Picture,
    picture_of_classes,
    picture_of_field,
    picture_of_points,
)
from engine.maps.shown import Look, shown_layer
from engine.maps.tiles import Tile, grid, tiles


class Level:
    """What is known of a map at some stride, the cells of coarser ones included.

    Attributes
    ----------
    prepared : Prepared
    shape : tuple of two int
        Rows and columns of the whole map.
    stride : int
        Cells of the map that a cell of the arrays stands for; 0 before any is computed.
    done : int
        Cells that are computed.
    seconds : float
        What was spent on them before the present attempt.
    arrays, known
        As of `MapShown`.
    overlays : tuple of Overlay
    has_asked : bool
        Whether these were asked for.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.shape = grid(prepared.spec)
        self.stride, self.done, self.seconds = 0, 0, 0.0
        self._made: set[int] = set()
        self.arrays: dict[str, NDArray[Any]] = {}
        self.known = np.zeros((0, 0), np.bool_)
        self.overlays: tuple[Overlay, ...] = ()
        self.has_asked = False
        self._found: tuple[Overlay, ...] | None = None

    def found(self) -> tuple[Overlay, ...]:
        """Return the curves that the cells show; none before all are computed."""
        if not self.is_whole:
            return ()
        if self._found is None:
            self._found = self.prepared.found(self.arrays)
        return self._found

    @property
    def total(self) -> int:
        """Cells of the map."""
        return self.shape[0] * self.shape[1]

    @property
    def is_whole(self) -> bool:
        """Whether all cells are computed."""
        return self.done == self.total

    def missing(self) -> Iterator[Tile]:
        """Yield the tiles that are not computed, about the coarsest first."""
        for tile in tiles(self.prepared.spec, self.prepared.cells_a_job):
            if tile.number not in self._made:
                yield tile

    @property
    def size(self) -> int:
        """Bytes of the arrays."""
        return sum(values.nbytes for values in self.arrays.values())

    def put(self, tile: Tile, cells: Cells) -> None:
        """Take the values of some cells, of a finer level of detail if need be."""
        if not self.stride or tile.scale < self.stride:
            self._refine(tile.scale)
        place = _slice(tile.rows, self.stride), _slice(tile.columns, self.stride)
        for name, values in self.arrays.items():
            block = values[place]
            block[...] = cells[name].reshape(block.shape)
        self.known[place] = True
        self.done += tile.count
        self._made.add(tile.number)

    def _refine(self, stride: int) -> None:
        """Go on to a finer stride; cells that are not computed repeat a neighbour."""
        rows, columns = (-(-count // stride) for count in self.shape)
        known = np.zeros((rows, columns), np.bool_)
        if not self.stride:
            self.arrays = {each.name: each.empty(rows, columns) for each in self.prepared.fields}
        else:
            ratio = self.stride // stride
            nearest = (
                np.minimum((np.arange(fine) + ratio // 2) // ratio, coarse - 1)
                for fine, coarse in zip((rows, columns), self.known.shape, strict=True)
            )
            place = np.ix_(*nearest)
            self.arrays = {name: values[place] for name, values in self.arrays.items()}
            known[::ratio, ::ratio] = self.known
        self.stride, self.known = stride, known

    def picture(self, look: Look) -> Picture:
        """Draw what is known."""
        prepared = self.prepared
        layer = shown_layer(prepared, look.layer)
        if layer == CLASSES:
            return picture_of_classes(
                prepared.classes,
                prepared.fields,
                self.arrays,
                self.known,
                look.palette,
                has_hatching=False,
            )
        if layer == POINTS:
            y = prepared.spec.y
            low, high = look.ends or (y.low, y.high)
            return picture_of_points(self.arrays[POINTS][0], low, high, look.rows, look.palette)
        each = next(each for each in prepared.fields if each.name == layer)
        return picture_of_field(each, self.arrays[layer], self.known, look.palette)


def _slice(places: range, stride: int) -> slice:
    """Return where cells are in arrays of every `stride`-th cell."""
    first, step = places.start // stride, max(1, places.step // stride)
    return slice(first, first + (len(places) - 1) * step + 1, step)
