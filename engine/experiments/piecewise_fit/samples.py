"""Points of a function of one variable: the paper's, other shapes, typed, drawn or from a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.families.functions.expression import parse
from engine.storage.files import read_text
from engine.text.numbers import whole

FloatArray = NDArray[np.float64]

MOST_POINTS = 2000
"""Points that a fit uses; longer files are thinned out to this many."""
MOST_BYTES = 256 * 1024 * 1024
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
    lipschitz : float
        Lipschitz constant of the polyline through `line_x`, `line_y`: that of the function.
    note : str
        What was done to the data, one sentence or empty.
    """

    x: FloatArray
    y: FloatArray
    line_x: FloatArray
    line_y: FloatArray
    lipschitz: float
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


def of_shape(shape: str, count: int) -> Samples:
    """Take `count` equispaced points of one of `SHAPES`, both ends included."""
    function, grid = _SHAPES[shape]
    x = np.linspace(0.0, 1.0, count)
    return _of_line(x, function(x), grid, function(grid))


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
    return _of_line(x, y, grid, fine)


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
    return _of_line(x, y, x, y, f"{merged} points shared an x and were averaged." if merged else "")


def of_file(path: str | Path, field: str = "file") -> Samples:
    """Read two columns x, y of a CSV file and scale both to an interval of length one.

    Of a file with more than `MOST_POINTS` rows, rows at equal distances are taken and only those
    are read. A first row of names is skipped.

    Raises
    ------
    InputError
        If there is no such file, it is no UTF-8 text, too large, or a row that is taken does not
        hold two finite numbers; also with fewer than three different x.
    """
    path = Path(path)
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError(field, path.name, "give a file whose name ends in .csv")
    lines = read_text(path, MOST_BYTES, field).splitlines()
    numbers = [index for index, line in enumerate(lines) if line and not line.isspace()]
    if numbers and _is_header(lines[numbers[0]]):
        numbers = numbers[1:]
    count = len(numbers)
    if count > MOST_POINTS:
        kept = np.linspace(0, count - 1, MOST_POINTS).round().astype(int)
        numbers = [numbers[index] for index in kept]
    table = np.empty((len(numbers), 2))
    for place, index in enumerate(numbers):
        row = _row(lines[index])
        if row is None:
            rule = f"give two finite numbers x, y in line {index + 1} of {path.name}"
            raise InputError(field, lines[index].strip()[:40], rule)
        table[place] = row
    return _scaled(path, table, count, field)


def _cells(line: str) -> list[str]:
    cells = (cell.strip().strip('"') for cell in re.split(r"[,;\t]|\s+", line.strip()))
    return [cell for cell in cells if cell]


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _is_header(line: str) -> bool:
    """Tell names from numbers; a line with any number, inf or nan is no header."""
    cells = _cells(line)
    return bool(cells) and all(_number(cell) is None for cell in cells)


def _row(line: str) -> tuple[float, float] | None:
    numbers = [_number(cell) for cell in _cells(line)]
    if len(numbers) != 2 or None in numbers:
        return None
    x, y = (float(number) for number in numbers if number is not None)
    return (x, y) if abs(x) < 1e150 and abs(y) < 1e150 else None


def _scaled(path: Path, table: FloatArray, count: int, field: str) -> Samples:
    x, y, merged = _merge(table)
    if x.size < 3:
        raise InputError(field, path.name, "give a file with at least three rows of different x")
    notes = []
    if count > len(table):
        notes.append(f"{whole(len(table))} of {whole(count)} rows were taken, at equal distances")
    if merged:
        notes.append(f"{whole(merged)} rows shared an x and were averaged")
    low, width = x[0], x[-1] - x[0]
    bottom, height = y.min(), float(np.ptp(y)) or 1.0
    notes.append(f"x is shown as (x - {low:.6g}) / {width:.6g}")
    notes.append(f"y is shown as (y - {bottom:.6g}) / {height:.6g}")
    x, y = (x - low) / width, (y - bottom) / height
    return _of_line(x, y, x, y, "; ".join(notes) + ".")


def _merge(table: FloatArray) -> tuple[FloatArray, FloatArray, int]:
    """Sort by x and average rows of equal x; also tell how many rows went."""
    x, place = np.unique(table[:, 0], return_inverse=True)
    y = np.bincount(place, table[:, 1]) / np.bincount(place)
    return x, y, len(table) - x.size


def _of_line(
    x: FloatArray, y: FloatArray, line_x: FloatArray, line_y: FloatArray, note: str = ""
) -> Samples:
    slopes = np.diff(line_y) / np.diff(line_x)
    return Samples(x, y, line_x, line_y, float(np.abs(slopes).max()), note)
