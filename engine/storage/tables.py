"""Tables of numbers from CSV and NPY files, checked before they are believed.

All files of numbers from outside are read here. A CSV file has one row a line; blank lines and
lines that begin with # are skipped. Its delimiter is the first of tab, semicolon, comma and space
that its first row holds outside quotes, and the same in all rows. Cells may be quoted, exponents
written with D as Fortran does. Between semicolons or tabs a comma is a decimal mark. A number with
separators of thousands is refused, since 1,200 has two readings. Where a caller
allows it a column may hold texts, which are labels.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from array import array
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from engine.core import interrupt
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.storage.files import human_size, opened, user_path
from engine.storage.npy import NotNumbersError, NpyError, read_entries, read_header
from engine.text.numbers import whole

LINE_LIMIT = 2**20
"""Characters of a line, so that a file without line ends is not taken into memory as one."""
_BYTES_PER_NUMBER = 32
_LEAST_BYTES = 2
"""Of a number and what parts it from the next."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_ALL_QUOTED = re.compile(r'\s*(?:"(?:[^"]|"")*"\s*[,;\t ]?\s*)+')
_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers that were read, and what the file holds.

    Attributes
    ----------
    values : ndarray, shape (rows taken, columns)
    rows : int
        Rows of the file, of which fewer may have been taken.
    names : tuple of str
        Headings of the columns; empty where the file has none.
    labels : dict of int to tuple of str
        For each column of labels that holds texts, these in sorted order; the column's values are
        their places.
    """

    values: FloatArray
    rows: int
    names: tuple[str, ...] = ()
    labels: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])

    @property
    def size_in_words(self) -> str:
        """What was read, such as "3 rows of 2 columns"."""
        rows = f"{whole(self.rows)} row{'' if self.rows == 1 else 's'}"
        return f"{rows} of {whole(self.columns)} column{'' if self.columns == 1 else 's'}"


LabelColumns = Callable[[tuple[str, ...], int], Collection[int]]
"""Names the columns that may hold texts, from the headings and the number of columns."""


def no_labels(_names: tuple[str, ...], _columns: int) -> Collection[int]:
    """Return that all columns hold numbers."""
    return ()


def read_table(
    path: str | Path, field: str, max_numbers: int, label_columns: LabelColumns = no_labels
) -> Table:
    """Read a table of finite numbers from a ``.csv`` or ``.npy`` file.

    A first row of nothing but names, or the only row in which all cells are quoted, gives the
    headings. A one-dimensional NPY array is taken as one column.

    Parameters
    ----------
    path : str or Path
    field : str
        The parameter that names the file, for the error sentences.
    max_numbers : int
        Numbers that the table may hold; larger files are refused before they are read.
    label_columns : callable
        Which columns of a CSV file may hold texts, all of whose cells then are labels.

    Raises
    ------
    InputError
        If there is no such file, it is too large, ragged, empty, or a cell is no finite number.
    FileError
        If it cannot be read.
    """
    path = user_path(path, field)
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".csv", ".tsv", ".txt"):
        raise InputError(field, path.name, "give a file whose name ends in .csv or .npy")
    with opened(path, field) as file:
        if suffix == ".npy":
            return _read_npy(file, path, field, max_numbers)
        limit, size = max_numbers * _BYTES_PER_NUMBER, os.fstat(file.fileno()).st_size
        if size > limit:
            rule = f"give at most {whole(max_numbers)} numbers in at most {human_size(limit)}"
            raise InputError(field, path.name, rule)
        reader = _CsvReader(file, path, field)
        reader.label_columns = label_columns
        if size > max_numbers * _LEAST_BYTES:
            reader.refuse_more(max_numbers)
        return reader.read(max_numbers)


def read_thinned(path: str | Path, field: str, columns: int, most: int, limit: int) -> Table:
    """Read at most `most` rows of a CSV file, at equal distances where it has more.

    It is read twice, once to count its rows, and never held in memory. Rows that are not taken are
    not checked.

    Raises
    ------
    InputError
        As `read_table`; also for another number of columns, or more than `limit` bytes.
    FileError
        If it cannot be read.
    """
    path = user_path(path, field)
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError(field, path.name, "give a file whose name ends in .csv")
    with opened(path, field) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise InputError(field, path.name, f"give a file of at most {human_size(limit)}")
        reader = _CsvReader(file, path, field)
        count = reader.count()
        if count > most:
            reader.kept = set(np.linspace(0, count - 1, most).round().astype(int).tolist())
        return reader.read(most * columns, columns)


LINES_APART = 4096
"""Lines between two looks whether the reading should stop."""


class _Line(NamedTuple):
    """A line that is neither blank nor a comment, with its number in the file."""

    number: int
    text: str


class _CsvReader:
    """One CSV file, from its encoding to its numbers.

    `kept` holds the indices of the rows to take; None takes all. `label_columns` names the columns
    that may hold texts.
    """

    def __init__(self, file: BinaryIO, path: Path, field: str) -> None:
        self._path, self._field = path, field
        self._file = file
        start = file.read(4)
        self._begin, encoding = 0, "utf-8"
        for mark, name in _ENCODINGS:
            if start.startswith(mark):
                self._begin, encoding = len(mark), name
                break
        self._encoding = encoding
        self.kept: set[int] | None = None
        self.label_columns: LabelColumns = no_labels
        first = next(self._lines(), None)
        self._delimiter = "," if first is None else _delimiter(first[1])
        self._commas = self._points = False
        self._names = self._headings()

    def _lines(self) -> Generator[tuple[int, str]]:
        """Yield number and text of the lines that hold anything: millions in a second or two."""
        self._file.seek(self._begin)
        text = io.TextIOWrapper(self._file, self._encoding)
        number = 0
        try:
            while line := text.readline(LINE_LIMIT + 1):
                number += 1
                if number % LINES_APART == 0:
                    interrupt.check()
                if len(line) > LINE_LIMIT:
                    rule = f"give lines of at most {whole(LINE_LIMIT)} characters"
                    raise InputError(self._field, self._path.name, rule)
                # digits, signs and letters come after #; most lines need no closer look
                if line[0] > "#" or (line.strip() and not line.lstrip().startswith("#")):
                    yield number, line
        except UnicodeError:
            rule = "give a text file in UTF-8, or in UTF-16 with its mark"
            raise InputError(self._field, self._path.name, rule) from None
        finally:
            text.detach()

    def _rows(self) -> Generator[tuple[int, str]]:
        """Yield the lines below the headings."""
        lines = self._lines()
        if self._names:
            next(lines, None)
        return lines

    def count(self) -> int:
        """Count the rows below the headings."""
        return sum(1 for _ in self._rows())

    def refuse_more(self, max_numbers: int) -> None:
        """Refuse a file of too many rows before its numbers are read, at a tenth of the time.

        Raises
        ------
        InputError
            If it has as many rows as its first one leaves no room for.
        """
        first = next(self._rows(), None)
        columns = 1 if first is None else len(self._cells(_Line(*first)))
        if (count := self.count()) * columns > max_numbers:
            rule = f"give at most {whole(max_numbers)} numbers; it has {whole(count)} rows of "
            raise InputError(self._field, self._path.name, f"{rule}{columns}")

    def _headings(self) -> tuple[str, ...]:
        """Return the names in the first row; none where it holds a number, inf or nan."""
        lines = self._lines()
        first, second = next(lines, None), next(lines, None)
        lines.close()
        if first is None:
            return ()
        names = self._cells(_Line(*first))
        if all(cell and not _is_number(cell) for cell in names):
            return tuple(names)
        quoted = _ALL_QUOTED.fullmatch(first[1]) is not None
        return tuple(names) if quoted and second is not None and '"' not in second[1] else ()

    def _cells(self, line: _Line) -> list[str]:
        text = line.text.strip(" \r\n")
        text = " ".join(text.split()) if self._delimiter == " " else text
        try:
            reader = csv.reader(
                [text], delimiter=self._delimiter, strict=True, skipinitialspace=True
            )
            return [cell.strip() for cell in next(reader)]
        except (csv.Error, StopIteration):
            rule = f"close all quotes in line {line.number} of {self._path.name}"
            raise InputError(self._field, line.text.strip()[:40], rule) from None

    def read(self, max_numbers: int, columns: int | None = None) -> Table:
        """Read the rows that are to be taken."""
        numbers, taken, index = array("d"), 0, -1
        labels: dict[int, _Labels] | None = None
        for index, found in enumerate(self._rows()):
            if self.kept is not None and index not in self.kept:
                continue
            line = _Line(*found)
            cells = self._cells(line)
            columns = len(cells) if columns is None else columns
            if len(cells) != columns:
                which = "as in the others" if taken else "one a column"
                rule = f"give {columns} cells in line {line.number} of {self._path.name}, {which}"
                raise InputError(self._field, f"{len(cells)} cells", rule)
            if labels is None:
                labels = {i: _Labels() for i in self.label_columns(self._names, columns)}
            texts = {i for i, each in labels.items() if each.add(cells[i])}
            numbers.extend(
                math.nan if i in texts else self._number(cell, line, i)
                for i, cell in enumerate(cells)
            )
            taken += 1
            if len(numbers) > max_numbers:
                rule = f"give at most {whole(max_numbers)} numbers; it holds more"
                raise InputError(self._field, self._path.name, rule)
        if columns is None or not taken:
            rule = "give a file with at least one row of numbers"
            raise InputError(self._field, self._path.name, rule)
        values = np.frombuffer(numbers, np.float64).reshape(taken, columns)
        names: dict[int, tuple[str, ...]] = {}
        for i, each in (labels or {}).items():
            if each.has_texts:
                values[:, i], names[i] = each.places(), each.sorted()
        return Table(values, index + 1, self._names, names)

    def _number(self, cell: str, line: _Line, column: int) -> float:
        place = f"in row {line.number}, column {column + 1} of {self._path.name}"
        number = cell.replace("\N{MINUS SIGN}", "-")
        if "," in number:
            if self._delimiter in ", " or not _NUMBER.fullmatch(number.replace(",", ".", 1)):
                raise InputError(self._field, cell, f"give a number without commas {place}")
            self._commas, number = True, number.replace(",", ".", 1)
        else:
            self._points |= "." in number
        if self._commas and self._points:
            raise InputError(self._field, cell, f"give all cells one decimal mark, unlike {place}")
        value = math.nan
        if _NUMBER.fullmatch(number):
            value = float(number.replace("d", "e").replace("D", "e"))
        if not math.isfinite(value):
            raise InputError(self._field, cell, f"give a finite number {place}")
        return value


class _Labels:
    """The cells of one column, as labels if any of them is a text."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._cells = array("q")
        self.has_texts = False

    def add(self, cell: str) -> bool:
        """Keep a cell, and return whether it is a text: neither empty nor meant as a number."""
        self._cells.append(self._codes.setdefault(cell, len(self._codes)))
        is_text = bool(cell) and not _is_number(cell)
        self.has_texts |= is_text
        return is_text

    def sorted(self) -> tuple[str, ...]:
        """Return the different labels in sorted order."""
        return tuple(sorted(self._codes))

    def places(self) -> FloatArray:
        """Return the place of each cell among the sorted labels, shape (rows,)."""
        place = {label: float(place) for place, label in enumerate(self.sorted())}
        places = np.array([place[label] for label in self._codes])
        return np.asarray(places[np.frombuffer(self._cells, np.int64)])


def _delimiter(line: str) -> str:
    """Return what parts the cells of a line, outside quotes."""
    bare = re.sub(r'"(?:[^"]|"")*"', "", line)
    return next((mark for mark in "\t;," if mark in bare), " ")


def _is_number(cell: str) -> bool:
    """Return whether a cell holds a number, or is meant to: inf, nan, one with commas."""
    text = cell.replace(",", "").replace("\N{MINUS SIGN}", "-").replace("_", "")
    return bool(_NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text))


def _read_npy(file: BinaryIO, path: Path, field: str, max_numbers: int) -> Table:
    """Read an NPY array whose header gives a size that the file has and memory allows."""
    try:
        header = read_header(file)
        if header.dtype.kind not in "biuf":
            raise NotNumbersError("it holds texts or complex numbers")
        if len(header.shape) not in (1, 2) or min(header.shape) < 1:
            rule = "give an array of one or two dimensions, not empty"
            raise InputError(field, path.name, rule)
        if header.count > max_numbers:
            rule = f"give at most {whole(max_numbers)} numbers, it holds {whole(header.count)}"
            raise InputError(field, path.name, rule)
        held = os.fstat(file.fileno()).st_size - file.tell()
        if held != header.size:
            raise NpyError("it is cut short" if held < header.size else "it is too long")
        loaded = np.asarray(read_entries(file, header), dtype=np.float64)
    except NotNumbersError as error:
        raise InputError(field, path.name, f"give an array of real numbers ({error})") from None
    except NpyError as error:
        raise InputError(field, path.name, f"give an undamaged NPY file ({error})") from None
    table = np.ascontiguousarray(loaded.reshape(len(loaded), -1))
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        rule = f"give a finite number in row {row + 1}, column {column + 1} of {path.name}"
        raise InputError(field, float(table[row, column]), rule)
    return Table(table, len(table))
