"""Tables of numbers from CSV and NPY files, checked before they are believed."""

from __future__ import annotations

import math
import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.storage.files import human_size, read_bytes
from engine.text.numbers import whole

FloatArray = NDArray[np.float64]

_BYTES_PER_NUMBER = 32
_DAMAGE = (ValueError, EOFError, OSError, struct.error, SyntaxError, TypeError, OverflowError)


def read_table(path: str | Path, field: str, max_numbers: int) -> FloatArray:
    """Read a table of finite numbers from a ``.csv`` or ``.npy`` file.

    A CSV file has one row a line, cells parted by commas, semicolons, tabs or spaces; a first line
    of nothing but names is skipped. A one-dimensional NPY array is taken as one column.

    Parameters
    ----------
    path : str or Path
    field : str
        The parameter that names the file, for the error sentences.
    max_numbers : int
        Numbers that the table may hold; larger files are refused before they are read.

    Returns
    -------
    ndarray, shape (rows, columns)

    Raises
    ------
    InputError
        If there is no such file, it is too large, ragged, empty, or a cell is no finite number.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        table = _read_npy(path, field, max_numbers)
    elif suffix in (".csv", ".tsv", ".txt"):
        table = _read_csv(path, field, max_numbers)
    else:
        raise InputError(field, path.name, "give a file whose name ends in .csv or .npy")
    return table


def _cell_rule(path: Path, row: int, column: int) -> str:
    return f"give a finite number in row {row}, column {column} of {path.name}"


def _too_many(field: str, path: Path, count: int, limit: int) -> InputError:
    return InputError(
        field, path.name, f"give at most {whole(limit)} numbers, it holds {whole(count)}"
    )


def _read_npy(path: Path, field: str, max_numbers: int) -> FloatArray:
    """Read an NPY array after its header has said a size that the file has and we can take."""
    if not path.is_file():
        raise InputError(field, path.name, "give the name of a file that exists")
    try:
        with path.open("rb") as file:
            shape, dtype = _npy_header(file)
            begin = file.tell()
        size = path.stat().st_size - begin
    except _DAMAGE:
        raise InputError(field, path.name, "give an undamaged NPY file") from None
    count = math.prod(shape)
    if dtype.kind not in "biuf":
        raise InputError(field, path.name, "give an array of real numbers, not of objects or texts")
    if len(shape) not in (1, 2) or min(shape) < 1:
        raise InputError(field, path.name, "give an array of one or two dimensions, not empty")
    if count > max_numbers:
        raise _too_many(field, path, count, max_numbers)
    if size != count * dtype.itemsize:
        raise InputError(field, path.name, "give an undamaged NPY file; this one is cut short")
    data = read_bytes(path, begin + size, field)
    loaded = np.asarray(np.load(BytesIO(data), allow_pickle=False), dtype=np.float64)
    table = np.ascontiguousarray(loaded.reshape(len(loaded), -1))
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        rule = _cell_rule(path, row + 1, column + 1)
        raise InputError(field, float(table[row, column]), rule)
    return table


def _npy_header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError("unknown version")
    shape, _, dtype = readers[version](file)
    return tuple(int(length) for length in shape), dtype


def _read_csv(path: Path, field: str, max_numbers: int) -> FloatArray:
    limit = max_numbers * _BYTES_PER_NUMBER
    if path.is_file() and path.stat().st_size > limit:
        rule = f"give at most {whole(max_numbers)} numbers in at most {human_size(limit)}"
        raise InputError(field, path.name, rule)
    try:
        text = read_bytes(path, limit, field).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(field, path.name, "give a text file in UTF-8") from None
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    rows = [_cells(line) for line in lines]
    skipped = 1 if rows and all(cell and _number(cell) is None for cell in rows[0]) else 0
    rows = rows[skipped:]
    if not rows:
        raise InputError(field, path.name, "give a file with at least one row of numbers")
    width = len(rows[0])
    if len(rows) * width > max_numbers:
        raise _too_many(field, path, len(rows) * width, max_numbers)
    table = np.empty((len(rows), width))
    for index, cells in enumerate(rows):
        line = index + 1 + skipped
        if len(cells) != width:
            rule = f"give {width} cells in line {line} of {path.name}, as in the others"
            raise InputError(field, f"{len(cells)} cells", rule)
        for column, cell in enumerate(cells):
            number = _number(cell)
            if number is None or not math.isfinite(number):
                raise InputError(field, cell, _cell_rule(path, line, column + 1))
            table[index, column] = number
    return table


def _cells(line: str) -> list[str]:
    for mark in ",;\t":
        if mark in line:
            return [cell.strip().strip('"') for cell in line.split(mark)]
    return line.split() or [""]


def _number(cell: str) -> float | None:
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        return None
