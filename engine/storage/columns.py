r"""Tables of numbers as texts: CSV, and files that a TeX document draws with pgfplots.

The ending of the name decides: ``.csv`` for programs, with empty cells where nothing was measured;
``.dat`` for pgfplots, with columns parted by spaces, ``nan`` where nothing was measured, and a
``.tex`` of the same name beside it that draws the table and compiles as it is. A ``.tex`` that
somebody else wrote is never replaced.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.versions import NAME
from engine.storage.files import FileError, atomic, encoded, write_text
from engine.text.tex import escaped, to_tex

Rows = Mapping[str, FloatArray]

TABLES = (".csv", ".dat")
"""Endings of tables that are texts."""
MARK = f"% Drawn by {NAME}"
"""First line of a document that may be written anew."""
DRAWN = 4000
"""Points of a line that TeX draws in a moment."""
TRIED = 20
"""How much farther apart points may be where there are none in the rows that would be drawn."""
CELLS = 4000
"""Cells of a grid that TeX has the memory for."""
HEIGHT, END, ENTRY = 12, "\\\\", r"    \addlegendentry"
"""Least height of a page in cm; how the line of a typeset row ends, and how an entry begins."""
TYPESET = 60
"""Rows of a table that is typeset."""
WIDE = 10
"""Columns of a typeset table that find room side by side."""
MOST = 60
"""Lines of a plot at most, where none are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line or points in a plot: a column against another, by their places in the table.

    Attributes
    ----------
    y : int
    x : int or None
        None for the number of the row.
    label : str
        Its name in the legend, mathematics between dollars; that of the column without it.
    magnitude : bool
        The absolute value is drawn.
    scatter : bool
        Points that no line joins.
    rows : (int, int), optional
        The rows that belong to it, the second of which does not; all without.
    value : int, optional
        The column whose numbers are the colours.
    across : int
        Cells side by side where the rows are those of a grid, one line of it after the other.
    every : int
        One of so many rows is drawn; 0: not decided yet.
    """

    y: int = 1
    x: int | None = 0
    label: str = ""
    magnitude: bool = False
    scatter: bool = False
    rows: tuple[int, int] | None = None
    value: int | None = None
    across: int = 0
    every: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """How a table is drawn; without lines, all columns of numbers against the first.

    A table that has none, or whose plot is `typeset`, is typeset as it is. `notes` are texts at
    points of the axes.
    """

    lines: tuple[Line, ...] = ()
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    log_y: bool = False
    y_down: bool = False
    typeset: bool = False
    notes: tuple[tuple[float, float, str], ...] = ()


def cell(value: Any) -> str:
    """Write one cell of a CSV file, quoted where it must be."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        quoted = value.replace('"', '""')
        return f'"{quoted}"' if any(mark in value for mark in ',"\n\r') else value
    return repr(value.item() if isinstance(value, np.generic) else value)


def word(value: Any) -> str:
    """Write one cell of a table for pgfplots: a number, or a text as one word in braces."""
    if value is None or value == "":
        return "nan"
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, str):
        kept = re.sub(r"[^A-Za-z0-9_.,:;()\[\]|=+*/<>-]+", "-", value).strip("-")
        return f"{{{kept}}}" if kept else "nan"
    return repr(value.item() if isinstance(value, np.generic) else value)


def _is_for_tex(path: Path) -> bool:
    return Path(path).suffix.lower() == ".dat"


def write_rows(path: Path, rows: Iterable[Sequence[Any]], plot: Plot | None = None) -> list[str]:
    """Write a table whose first row are its headings; return the names of the files.

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    if not _is_for_tex(path):
        write_text(path, "\n".join([*(",".join(map(cell, row)) for row in rows), ""]))
        return [Path(path).name]
    _check_document(path)
    table = [tuple(row) for row in rows]
    write_text(path, "\n".join([*(" ".join(map(word, row)) for row in table), ""]))
    return [Path(path).name, _write_tex(path, _drawing(path, table, plot or Plot()))]


def _drawing(path: Path, table: Sequence[Sequence[Any]], plot: Plot) -> list[str]:
    """Return the lines of the document that draws or typesets a table."""
    numbers = [_is_of_numbers([row[place] for row in table[1:]]) for place in range(len(table[0]))]
    lines = plot.lines
    if not lines and not plot.typeset:
        x = 0 if numbers[:1] == [True] else None
        lines = tuple(Line(x=x, y=y) for y in range(1, len(numbers)) if numbers[y])[:MOST]
    if not lines:
        return list(_tabular(table, plot.title))
    count, rows = len(table) - 1, table[1:]
    columns = {place: _numbers(rows, place) for line in lines for place in (line.y, line.x or 0)}
    shown = _Shown(lines, plot.log_y)
    shown.add(columns, count)
    plot = dataclasses.replace(plot, lines=shown.lines(count))
    return _axis(path.name, plot, [word(name) for name in table[0]], count, rows)


def _numbers(rows: Sequence[Sequence[Any]], place: int) -> FloatArray:
    """Return a column, not a number where it holds a gap or a word."""
    cells = [row[place] for row in rows]
    is_gap = [cell is None or isinstance(cell, str) for cell in cells]
    return np.array([math.nan if gap else cell for cell, gap in zip(cells, is_gap, strict=True)])


def _is_of_numbers(column: Sequence[Any]) -> bool:
    """Return whether a column holds a number, and nothing else but gaps."""
    filled = [value for value in column if value is not None and value != ""]
    return bool(filled) and not any(isinstance(value, str) for value in filled)


def write_series(
    path: Path,
    names: Sequence[str],
    blocks: Iterable[tuple[np.ndarray[Any, Any], Rows]],
    plot: Plot | None = None,
) -> list[str]:
    """Write blocks of steps and rows with exact decimals; return the names of the files.

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    is_for_tex, count = _is_for_tex(path), 0
    form, between, missing = (word, " ", "nan") if is_for_tex else (cell, ",", "")
    if is_for_tex:
        _check_document(path)
    drawn = plot or Plot(x_label="step $k$")
    if not drawn.lines:
        places = range(1, min(len(names), MOST + 1))
        drawn = dataclasses.replace(drawn, lines=tuple(Line(y=y) for y in places))
    shown = _Shown(drawn.lines, drawn.log_y)
    with atomic(path) as file:
        file.write((between.join(form(name) for name in names) + "\n").encode())
        for steps, rows in blocks:
            count += len(steps)
            if is_for_tex:
                columns = (part for values in rows.values() for part in _parts(values))
                shown.add({0: steps, **dict(enumerate(columns, 1))}, len(steps))
            file.write(encoded("\n".join([*_lines(steps, rows, between, missing), ""]), path))
    if not is_for_tex:
        return [Path(path).name]
    drawn = dataclasses.replace(drawn, lines=shown.lines(count))
    axis = _axis(Path(path).name, drawn, [word(name) for name in names], count)
    return [Path(path).name, _write_tex(path, axis)]


def _parts(values: FloatArray) -> Sequence[FloatArray]:
    return [values] if values.ndim == 1 else list(values.T)


class _Shown:
    """Finds the lines that have a point to draw, while their table is written.

    pgfplots passes over a line without a point and gives its entry of the legend to the next one.
    A bit is kept of each row, since which rows are drawn of a long table is known at its end.
    """

    def __init__(self, lines: Sequence[Line], log_y: bool) -> None:
        self._lines = tuple(lines)
        self._log_y = log_y
        self._sizes: list[int] = []
        self._bits: list[list[np.ndarray[Any, Any]]] = [[] for _ in lines]

    def add(self, columns: Mapping[int, np.ndarray[Any, Any]], count: int) -> None:
        """Look at the next rows of the table."""
        self._sizes.append(count)
        for line, bits in zip(self._lines, self._bits, strict=True):
            bits.append(np.packbits(self._is_point(line, columns)))

    def lines(self, count: int) -> tuple[Line, ...]:
        """Return the lines that have a point in a table of so many rows, and how many are drawn."""
        found = zip(self._lines, self._bits, strict=True)
        thinned = (
            line if line.across else self._thinned(line, bits, count) for line, bits in found
        )
        return tuple(line for line in thinned if line is not None)

    def _is_point(
        self, line: Line, columns: Mapping[int, np.ndarray[Any, Any]]
    ) -> np.ndarray[Any, Any]:
        y = np.asarray(columns[line.y], np.float64)
        is_point = np.isfinite(y)
        if self._log_y:
            is_point &= (y != 0.0) if line.magnitude else (y > 0.0)
        return is_point if line.x is None else is_point & np.isfinite(columns[line.x])

    def _thinned(self, line: Line, bits: Sequence[np.ndarray[Any, Any]], count: int) -> Line | None:
        parts = zip(bits, self._sizes, strict=True)
        is_point = np.concatenate(
            [np.zeros(0, np.uint8), *(np.unpackbits(part, count=size) for part, size in parts)]
        )
        first, last = line.rows or (0, count)
        points = first + np.flatnonzero(is_point[first:last])
        least = _every(last - first)
        for every in range(least, least + TRIED, 2) if least > 1 else (1,):
            if (points % every == 0).any():  # a column may hold numbers in other rows only
                return dataclasses.replace(line, every=every)
        return None


def _lines(steps: np.ndarray[Any, Any], rows: Rows, between: str, missing: str) -> Iterator[str]:
    table = np.column_stack(list(rows.values())).tolist() if rows else []
    for step, row in zip(steps.tolist(), table, strict=True):
        cells = (missing if value != value else repr(value) for value in row)
        yield between.join([str(step), *cells])


def headings(rows: Rows) -> list[str]:
    """Name the columns of series: ``weights[0]``, ``weights[1]``, ..., ``error``."""
    names = []
    for key, values in rows.items():
        if values.ndim == 1:
            names.append(key)
        else:
            names += [f"{key}[{index}]" for index in range(values.shape[1])]
    return names


# The document beside a table.

_CLASS = (
    r"\IfFileExists{standalone.cls}{\documentclass[border=4pt]{standalone}}"
    r"{\documentclass{article}\pagestyle{empty}"
    r"\usepackage[paperwidth=24cm,paperheight=%dcm,margin=5mm]{geometry}}"
)
"""A page about as large as the plot, also where the class for it is not installed."""
_PACKAGES = (
    r"\usepackage{amsmath,amssymb}",
    r"\usepackage{pgfplots}",
    r"\pgfplotsset{compat=1.16}",
)
_NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,;+=()@_-]*")
"""Names of tables that TeX reads as they stand."""


def _check_document(path: Path) -> None:
    """Refuse a table whose document would take the place of one that somebody else wrote.

    Raises
    ------
    InputError
        If TeX cannot read a file of this name.
    FileError
        If there is such a file; nothing was written.
    """
    if not _NAMES.fullmatch(Path(path).name):
        rule = "give letters of ASCII, digits, spaces and .,;+=()@_- for a table that TeX reads"
        raise InputError("name of the table", Path(path).name, rule)
    document = Path(path).with_suffix(".tex")
    try:
        with document.open("rb") as file:
            is_ours = file.read(len(MARK)) == MARK.encode()
    except FileNotFoundError:
        return
    except OSError as error:
        raise FileError(document, "written", error) from None
    if not is_ours:
        reason = "another file has this name, which the document beside the table takes"
        raise FileError(document, "written", reason)


def _write_tex(path: Path, body: Sequence[str]) -> str:
    """Write the document beside a table, and return its name."""
    name = Path(path).with_suffix(".tex")
    rows = sum(line.endswith(END) or line.startswith(ENTRY) for line in body)
    height = max(HEIGHT, math.ceil(0.5 * rows) + 3)
    text = [MARK, _CLASS % height, *_PACKAGES, r"\begin{document}", *body, r"\end{document}", ""]
    write_text(name, "\n".join(text))
    return name.name


def _axis(
    name: str,
    plot: Plot,
    heads: Sequence[str],
    count: int,
    rows: Sequence[Sequence[Any]] = (),
) -> list[str]:
    """Return what draws a table of so many rows, which are there where it holds grids."""
    options = ["width=12cm", "height=8cm", "legend pos=outer north east", "legend cell align=left"]
    options += ["unbounded coords=jump", "filter discard warning=false"]
    for key, label in (("title", plot.title), ("xlabel", plot.x_label), ("ylabel", plot.y_label)):
        if label:
            options.append(f"{key}={{{to_tex(label)}}}")
    options += ["ymode=log"] if plot.log_y else []
    options += ["y dir=reverse"] if plot.y_down else []
    if any(line.value is not None for line in plot.lines):
        options += ["colorbar", "colormap/viridis", "legend pos=north east"]
    return [
        r"\begin{tikzpicture}",
        f"  \\begin{{axis}}[{', '.join(options)}]",
        *(
            each
            for line in plot.lines
            for each in (_grid(line, rows) if line.across else _drawn(line, name, heads, count))
        ),
        *map(_note, plot.notes),
        r"  \end{axis}",
        r"\end{tikzpicture}",
    ]


def _drawn(line: Line, name: str, heads: Sequence[str], count: int) -> Iterator[str]:
    """Yield what draws a line, and its entry in the legend."""
    first, last = line.rows or (0, count)
    every = line.every
    style = ["only marks", "mark size=0.6pt"] if line.scatter else ["no marks"]
    if line.value is not None:
        style += ["scatter", "scatter src=explicit"]
    if every > 1:
        yield f"    % one of {every} rows is drawn: TeX takes long for all {last - first}"
        style.append(f"each nth point={every}")
    style += _skipped(line, count)
    x = r"x expr=\coordindex" if line.x is None else f"x index={line.x}"
    y = f"y expr=abs(\\thisrowno{{{line.y}}})" if line.magnitude else f"y index={line.y}"
    shade = "" if line.value is None else f", meta index={line.value}"
    yield f"    \\addplot+[{', '.join(style)}] table [{x}, {y}{shade}] {{{name}}};"
    named = to_tex(line.label) or rf"\texttt{{{escaped(heads[line.y].strip('{}'))}}}"
    yield f"{ENTRY}{{{named}}}"


def _skipped(line: Line, count: int) -> list[str]:
    """Return the options that leave out the rows of a table that belong to other lines."""
    if line.rows is None:
        return []
    first, last = line.rows
    ends = f"skip coords between index={{{last}}}{{{count}}}"
    return [f"skip coords between index={{0}}{{{first}}}", ends]


def _grid(line: Line, rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Yield what draws the cells of a grid; of a large one those at every so many places."""
    cells = rows[slice(*line.rows)] if line.rows else rows
    apart = max(math.ceil(math.sqrt(len(cells) / CELLS)), 1)
    if apart > 1:
        yield f"    % every {apart}th row and column: TeX has not the memory for all cells"
    across = math.ceil(line.across / apart)
    style = f"matrix plot*, mesh/cols={across}, point meta=explicit, forget plot"
    yield f"    \\addplot[{style}] table [x index=0, y index=1, meta index=2] {{"
    for number, row in enumerate(cells):
        if number // line.across % apart == 0 == number % line.across % apart:
            yield " ".join(word(row[place]) for place in (line.x or 0, line.y, line.value or 0))
    yield "};"


def _note(note: tuple[float, float, str]) -> str:
    """Return what draws a dot and the text beside it."""
    x, y, text = note
    style = "only marks, mark size=1.2pt, black, forget plot"
    node = "anchor=west, font=\\small, fill=white, fill opacity=0.85, text opacity=1, inner sep=1pt"
    style += f", every node near coord/.append style={{{node}}}"
    named = f"nodes near coords={{{to_tex(text)}}}"
    return f"    \\addplot[{style}, {named}] coordinates {{({x!r},{y!r})}};"


def _tabular(table: Sequence[Sequence[Any]], title: str) -> Iterator[str]:
    """Yield what typesets a table; one of few rows and many columns is turned."""
    if len(table[0]) > WIDE and len(table) <= WIDE:
        table = list(zip(*table, strict=True))
    yield rf"\begin{{tabular}}{{@{{}}{'l' * len(table[0])}@{{}}}}"
    if title:
        yield rf"\multicolumn{{{len(table[0])}}}{{@{{}}l@{{}}}}{{{to_tex(title)}}} \\[1ex]"
    for number, row in enumerate(table[: TYPESET + 1]):
        yield (r"\hline " if number == 1 else "") + f"{' & '.join(map(_typeset, row))} {END}"
    yield r"\end{tabular}"
    if len(table) > TYPESET + 1:
        yield f"% the first {TYPESET} of {len(table) - 1} rows"


def _typeset(value: Any) -> str:
    """Write a cell of a typeset table; numbers as one reads them."""
    if value is None or value == "" or value != value:
        return "--"
    if isinstance(value, float | np.floating):
        return to_tex(f"{value:.6g}".replace("-", "\N{MINUS SIGN}"))
    text = to_tex(str(value))
    return f"{{}}{text}" if text[:1] in ("[", "*") else text  # not what ends the row before


def _every(count: int) -> int:
    """Return how many rows go to one that is drawn: odd, so that cycles of even period stay."""
    every = max(1, math.ceil(count / DRAWN))
    return every if every % 2 else every + 1
