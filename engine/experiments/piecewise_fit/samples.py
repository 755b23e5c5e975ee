"""Points of a function of one variable: the paper's, other shapes, typed, drawn or from a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.families.functions.expression import Expression, parse
from engine.storage.tables import Table, read_thinned
from engine.text.numbers import whole

LEAST_GAP = 1e-9
"""Least distance of two points drawn: the slope between them must be a number."""
MOST_POINTS = 2000
"""Points that a fit uses; longer files are thinned out to this many."""
MOST_BYTES = 256 * 1024 * 1024
"""Bytes of a file of points, which is read line by line: some ten million rows, half a minute."""
MOST_SIZE = 1e150
"""Size of a number below which the square of a difference is finite."""
FINE = 20_001
"""Grid points on which the largest slope is looked for first."""
ZOOMS, PEAKS, INSIDE = 6, 8, 101
"""Rounds of looking for the largest slope, intervals kept in each, points in each of those."""
NEAR = 1e-9
"""Distance from a grid point at which a slope is looked for on both sides."""
GROWTH = 1.1
"""A slope that grows by more in the last round has no bound, at the resolution of floats."""
SHAPES = ("figure 4", "sawtooth", "absolute value", "sine", "convex")


@dataclass(frozen=True, slots=True)
class Samples:
    """Points (x, y) sorted by x, which runs from 0 to 1, and the function behind them.

    Attributes
    ----------
    x, y : ndarray, shape (N,)
        No x occurs twice.
    line_x, line_y : ndarray, shape (m,)
        The function on a finer grid, or the points themselves where there is none.
    lipschitz : float or None
        Lipschitz constant of the function on [0, 1], None where its slope has no bound.
    steepest : float
        Largest slope of the polyline through `line_x`, `line_y`.
    note : str
        What was done to the data, one sentence or empty.
    """

    x: FloatArray
    y: FloatArray
    line_x: FloatArray
    line_y: FloatArray
    lipschitz: float | None
    steepest: float
    note: str = ""


def figure_4(x: FloatArray) -> FloatArray:
    """Evaluate the paper's f: f(0) = 0, slopes 1, -2, 1, -1 with kinks at 0.3, 0.5, 0.7."""
    return _polyline(x, [0.0, 0.3, 0.5, 0.7, 1.0], [0.0, 0.3, -0.1, 0.1, -0.2])


def _sawtooth(x: FloatArray) -> FloatArray:
    return _polyline(x, np.arange(9) / 8.0, 0.2 * (np.arange(9) % 2))


def _polyline(x: FloatArray, places: Any, values: Any) -> FloatArray:
    return np.asarray(np.interp(x, places, values), np.float64)


_SHAPES: dict[str, tuple[Callable[[FloatArray], FloatArray], FloatArray]] = {
    "figure 4": (figure_4, np.array([0.0, 0.3, 0.5, 0.7, 1.0])),
    "sawtooth": (_sawtooth, np.arange(9) / 8.0),
    "absolute value": (lambda x: np.abs(x - 0.5), np.array([0.0, 0.5, 1.0])),
    "sine": (lambda x: 0.25 * np.sin(2 * np.pi * x), np.linspace(0.0, 1.0, 2001)),
    "convex": (lambda x: x * x, np.linspace(0.0, 1.0, 2001)),
}


_STEEPEST = {"sine": 0.5 * np.pi, "convex": 2.0}
"""Lipschitz constants of the shapes that are no polylines."""


def of_shape(shape: str, count: int) -> Samples:
    """Take `count` equispaced points of one of `SHAPES`, both ends included."""
    function, grid = _SHAPES[shape]
    x = np.linspace(0.0, 1.0, count)
    return _of_line(x, function(x), grid, function(grid), lipschitz=_STEEPEST.get(shape, 0.0))


def of_expression(text: str, count: int, field: str = "expression") -> Samples:
    """Take `count` equispaced points of a typed function of x on [0, 1].

    Raises
    ------
    InputError
        If the text is no function of x, or not finite on [0, 1].
    """
    function = parse(text, 1, field)
    x, grid = np.linspace(0.0, 1.0, count), np.linspace(0.0, 1.0, 2001)
    y, fine = function(x), function(grid)
    bad = ~np.isfinite(fine)
    if bad.any() or not np.isfinite(y).all() or np.abs(fine).max() > 1e6:
        place = grid[bad][0] if bad.any() else grid[np.abs(fine).argmax()]
        raise InputError(
            field, text, f"give a function between -1e6 and 1e6 on [0, 1], unlike at {place:g}"
        )
    return _of_line(x, y, grid, fine, lipschitz=_largest_slope(function))


def _largest_slope(function: Expression) -> float:
    """Compute the supremum of |f'| on [0, 1] from exact derivatives; infinite without a bound.

    The derivative is followed into the intervals around its largest values. Halves of kinks and
    poles lie beside grid points, so slopes are looked for a little away from them, too.
    """
    grid = np.linspace(0.0, 1.0, FINE)
    places = np.unique(np.clip(np.concatenate([grid, grid - NEAR, grid + NEAR]), 0.0, 1.0))
    best = before = 0.0
    for _ in range(ZOOMS):
        before = best
        slopes = np.abs(function.jet(places).gradient[0])
        if np.isinf(slopes).any():
            return math.inf
        slopes = np.where(np.isnan(slopes), 0.0, slopes)
        best = max(best, float(slopes.max()))
        peaks = np.argsort(slopes)[-PEAKS:]
        low, high = places[np.maximum(peaks - 1, 0)], places[np.minimum(peaks + 1, len(places) - 1)]
        places = np.unique(np.linspace(low, high, INSIDE))
    return best if best <= GROWTH * before else math.inf


def of_points(points: Sequence[Sequence[float]], field: str = "points") -> Samples:
    """Take given points (x, y) with x in [0, 1].

    Raises
    ------
    InputError
        If a row is no pair, x leaves [0, 1], or fewer than three different x remain.
    """
    for row in points:
        if len(row) != 2 or not 0.0 <= row[0] <= 1.0 or not abs(row[1]) <= 1e6:
            raise InputError(field, list(row), "give rows x, y with x from 0 to 1")
    table = np.array(points, float).reshape(-1, 2)
    x, y, merged = _merge(table)
    if x.size < 3:
        raise InputError(field, table.tolist(), "give at least three points of different x")
    if np.diff(x).min() < LEAST_GAP:
        rule = f"give points whose x are equal or differ by at least {LEAST_GAP:g}"
        raise InputError(field, table.tolist(), rule)
    return _of_line(x, y, x, y, f"{merged} points shared an x and were averaged." if merged else "")


def of_file(path: str | Path, field: str = "file") -> Samples:
    """Read two columns x, y of a CSV file and scale both to an interval of length one.

    Of a file with more than `MOST_POINTS` rows, rows at equal distances are taken and only those
    are checked (see `engine.storage.tables`).

    Raises
    ------
    InputError
        If there is no such file, it is no text, too large, or a row that is taken does not hold
        two finite numbers; also with fewer than three different x.
    FileError
        If it cannot be read.
    """
    table = read_thinned(path, field, 2, MOST_POINTS, MOST_BYTES)
    large = np.argwhere(np.abs(table.values) >= MOST_SIZE)
    if len(large):
        value = float(table.values[tuple(large[0])])
        raise InputError(field, value, f"give numbers between -{MOST_SIZE:g} and {MOST_SIZE:g}")
    return _scaled(Path(path), table, field)


def _scaled(path: Path, table: Table, field: str) -> Samples:
    x, y, merged = _merge(table.values)
    if x.size < 3:
        raise InputError(field, path.name, "give a file with at least three rows of different x")
    notes = [f"{table.size_in_words} were read"]
    if table.rows > len(table.values):
        notes = [
            f"{whole(len(table.values))} of {whole(table.rows)} rows were taken, at equal distances"
        ]
    if merged:
        notes.append(f"{whole(merged)} rows shared an x and were averaged")
    low, width = x[0], x[-1] - x[0]
    bottom, height = y.min(), float(np.ptp(y)) or 1.0
    notes.append(f"x is shown as (x - {low:.6g}) / {width:.6g}")
    notes.append(f"y is shown as (y - {bottom:.6g}) / {height:.6g}")
    x, y = (x - low) / width, (y - bottom) / height
    return _of_line(x, y, x, y, "; ".join(notes) + ".")


def _merge(table: FloatArray) -> tuple[FloatArray, FloatArray, int]:
    """Sort by x and average rows of equal x; also return how many rows were merged."""
    x, place = np.unique(table[:, 0], return_inverse=True)
    y = np.bincount(place, table[:, 1]) / np.bincount(place)
    return x, y, len(table) - x.size


def _of_line(
    x: FloatArray,
    y: FloatArray,
    line_x: FloatArray,
    line_y: FloatArray,
    note: str = "",
    lipschitz: float = 0.0,
) -> Samples:
    """Make samples; `lipschitz` counts where it is larger than the slopes of the polyline."""
    steepest = float(np.abs(np.diff(line_y) / np.diff(line_x)).max())
    constant = max(lipschitz, steepest)
    bounded = constant if math.isfinite(constant) else None
    return Samples(x, y, line_x, line_y, bounded, steepest, note)
