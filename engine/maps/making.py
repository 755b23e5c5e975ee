"""Making a map: its tiles are the jobs of a pool of workers, in whatever order they end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.executors.choice import pool
from engine.executors.executor import Executor
from engine.maps.kind import Cells, Prepared
from engine.maps.tiles import Tile, grid, tiles

Arrays = Mapping[str, NDArray[Any]]
"""The fields of a whole map by name, shape (rows, columns) or (rows, columns, width).

Those of an orbit diagram have shape (columns,) or (columns, width).
"""


def make(
    prepared: Prepared,
    pool: Executor,
    stop: threading.Event,
    chosen: Iterable[Tile] | None = None,
) -> Iterator[tuple[Tile, Cells]]:
    """Compute a map and yield its tiles as they get ready, about the coarsest first.

    Parameters
    ----------
    prepared : Prepared
    pool : Executor
    stop : threading.Event
        Once it is set the iterator ends.
    chosen : iterable of Tile, optional
        All by default.
    """
    jobs = tiles(prepared.spec, prepared.cells_a_job) if chosen is None else chosen
    return pool.run(compute, prepared, jobs, stop)


def compute(prepared: Prepared, tile: Tile, stop: threading.Event) -> Cells:
    """Compute the cells of a tile, row by row: the job of a worker."""
    x = prepared.spec.x.at(np.asarray(tile.columns, np.float64) + 0.5)
    if prepared.spec.kind == "orbit":
        return prepared.cells(x, np.empty(0), stop)
    y = prepared.spec.y.at(np.asarray(tile.rows, np.float64) + 0.5)
    return prepared.cells(np.broadcast_to(x, (len(y), len(x))).ravel(), np.repeat(y, len(x)), stop)


def empty(prepared: Prepared) -> dict[str, NDArray[Any]]:
    """Make the arrays of a map of which no cell is computed yet."""
    shape = shape_of(prepared)
    return {each.name: each.empty(*shape) for each in prepared.fields}


def shape_of(prepared: Prepared) -> tuple[int, ...]:
    """Return the shape of a field with one number a cell."""
    rows, columns = grid(prepared.spec)
    return (columns,) if prepared.spec.kind == "orbit" else (rows, columns)


def put(arrays: Arrays, tile: Tile, cells: Cells) -> None:
    """Write the values of a tile where they belong."""
    for name, values in cells.items():
        place = block_of(arrays[name], tile, values.ndim)
        place[...] = values.reshape(place.shape)


def block_of(array: NDArray[Any], tile: Tile, dimensions: int) -> NDArray[Any]:
    """Return the part of a field that a tile fills, as a view of it.

    `dimensions` is 1 of a field with one number a cell, and 2 of others.
    """
    rows, columns = tile.block
    return array[columns] if array.ndim == dimensions else array[rows, columns]


def made(prepared: Prepared, pool: Executor, stop: threading.Event) -> dict[str, NDArray[Any]]:
    """Compute a map whole, in memory."""
    arrays: dict[str, NDArray[Any]] = {}
    for tile, cells in make(prepared, pool, stop):
        arrays = arrays or empty(prepared)  # while the workers are at the next tiles
        put(arrays, tile, cells)
    return arrays or empty(prepared)


def pool_for(
    prepared: Prepared, scheduler: str = "", workers: int | None = None, niceness: int = 0
) -> Executor:
    """Start the workers for a map, as `engine.executors.choice.pool` does.

    Raises
    ------
    InputError
        If a cluster is asked for what only this process can compute.
    """
    if scheduler and prepared.here_only:
        rule = "leave it out: a Python file of yours is executed in this process alone"
        raise InputError("--scheduler", scheduler, rule)
    return pool(
        has_threads=prepared.has_threads,
        scheduler=scheduler,
        workers=workers,
        niceness=niceness,
    )
