"""The order in which the cells of a map are made: coarse to fine, none of them twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from engine.maps.spec import MapSpec

FIRST = 4
"""Jobs that the coarsest picture is made of."""
FEWEST, ENOUGH = 64, 2**14
"""Cells of the coarsest picture at least, where a job has only a few, and at most."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Cells that are computed together: rows and columns at equal distances.

    Attributes
    ----------
    rows, columns : range
        Of the cells; in an orbit diagram, where a cell is a column, there is one row.
    scale : int
        Cells between one column and the next at this level of detail: until a finer level is
        there, a cell stands for the square of this side of which it is the first row and column.
    number : int
        Its place in the order of the map's tiles.
    """

    rows: range
    columns: range
    scale: int
    number: int = 0

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.rows) * len(self.columns)

    @property
    def block(self) -> tuple[slice, slice]:
        """Where the cells are in an array of rows and columns."""
        return _slice(self.rows), _slice(self.columns)

    def __str__(self) -> str:
        """Name the cells, for a sentence."""
        return f"rows {_named(self.rows)} and columns {_named(self.columns)}"


def _slice(places: range) -> slice:
    return slice(places.start, places.stop, places.step)


def _named(places: range) -> str:
    return f"{places[0]} to {places[-1]}" if len(places) > 1 else str(places[0])


def tiles(spec: MapSpec, cells_a_job: int) -> Iterator[Tile]:
    """Yield all cells of a map once, the coarsest level of detail first.

    Parameters
    ----------
    spec : MapSpec
    cells_a_job : int
        Most cells of a tile; of those of the coarsest level there are `FIRST` or more.
    """
    number = count()
    for scale, rows, columns, most in _lattices(*grid(spec), cells_a_job):
        for part in _split(rows, columns, most):
            yield Tile(*part, scale, next(number))


def _lattices(rows: int, columns: int, cells_a_job: int) -> Iterator[tuple[int, range, range, int]]:
    """Yield the scale, the rows and columns of cells, and how many of them a tile has at most."""
    scale = coarsest(rows, columns, cells_a_job)
    down, across = range(0, rows, scale), range(0, columns, scale)
    share = math.ceil(len(down) * len(across) / FIRST)
    yield scale, down, across, max(1, min(cells_a_job, share))
    while scale > 1:
        known, scale = scale, scale // 2
        yield scale, range(0, rows, known), range(scale, columns, known), cells_a_job
        yield scale, range(scale, rows, known), range(0, columns, scale), cells_a_job


def grid(spec: MapSpec) -> tuple[int, int]:
    """Return the rows and columns of cells; an orbit diagram has one row."""
    return (1 if spec.kind == "orbit" else spec.y.count), spec.x.count


def coarsest(rows: int, columns: int, cells_a_job: int) -> int:
    """Return the distance of the cells that are made first: a power of 2."""
    most = min(max(FIRST * cells_a_job, FEWEST), ENOUGH)
    scale = 1
    while math.ceil(rows / scale) * math.ceil(columns / scale) > most:
        scale *= 2
    return scale


def _split(rows: range, columns: range, most: int) -> Iterator[tuple[range, range]]:
    """Cut a lattice into parts of at most so many cells: bands of whole rows if these fit."""
    height, width = max(1, most // max(len(columns), 1)), max(1, min(most, len(columns)))
    for top in range(0, len(rows), height):
        for left in range(0, len(columns), width):
            yield rows[top : top + height], columns[left : left + width]
