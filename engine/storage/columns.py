r"""Tables of numbers as texts: CSV, and files that a TeX document draws with pgfplots.

The ending of the name decides: ``.csv`` for programs, with empty cells where nothing was measured;
``.dat`` for pgfplots, with columns parted by spaces, ``nan`` where nothing was measured, and a
``.tex`` of the same name beside it that draws the table and compiles as it is. A ``.tex`` that
somebody else wrote is never replaced.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.versions import NAME
from engine.storage.files import FileError, atomic, encoded, write_text

Rows = Mapping[str, FloatArray]

TABLES = (".csv", ".dat")
"""Endings of tables that are texts."""
MARK = f"% Drawn by {NAME}"
"""First line of a document that may be written anew."""
DRAWN = 4000
"""Points of a line that TeX draws in a moment."""


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
    """

    y: int = 1
    x: int | None = 0
    label: str = ""
    magnitude: bool = False
    scatter: bool = False
    rows: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """How a table is drawn; without lines, all columns against the first."""

    lines: tuple[Line, ...] = ()
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    log_y: bool = False


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
        kept = re.sub(r"[^\w.,:;()\[\]|=+*/<>-]+", "-", value).strip("-")
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
    lines = [" ".join(map(word, row)) for row in rows]
    write_text(path, "\n".join([*lines, ""]))
    return [Path(path).name, _write_tex(path, plot or Plot(), lines[0].split(" "), len(lines) - 1)]


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
    with atomic(path) as file:
        file.write((between.join(form(name) for name in names) + "\n").encode())
        for steps, rows in blocks:
            count += len(steps)
            file.write(encoded("\n".join([*_lines(steps, rows, between, missing), ""]), path))
    if not is_for_tex:
        return [Path(path).name]
    drawn = plot or Plot(x_label="step $k$")
    return [Path(path).name, _write_tex(path, drawn, [word(name) for name in names], count)]


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


def _check_document(path: Path) -> None:
    """Refuse a table whose document would take the place of one that somebody else wrote.

    Raises
    ------
    FileError
        If there is such a file; nothing was written.
    """
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


def _write_tex(path: Path, plot: Plot, heads: Sequence[str], count: int) -> str:
    """Write the document that draws a table, and return its name."""
    path = Path(path)
    options = ["width=12cm", "height=8cm", "legend pos=outer north east", "unbounded coords=jump"]
    for key, label in (("title", plot.title), ("xlabel", plot.x_label), ("ylabel", plot.y_label)):
        if label:
            options.append(f"{key}={{{tex_text(label)}}}")
    options += ["ymode=log"] if plot.log_y else []
    drawn = plot.lines or tuple(Line(y=y) for y in range(1, len(heads)))
    name = path.with_suffix(".tex")
    text = [
        MARK,
        r"\documentclass[border=4pt]{standalone}",
        r"\usepackage{amsmath}",
        r"\usepackage{pgfplots}",
        r"\pgfplotsset{compat=1.16}",
        r"\begin{document}",
        r"\begin{tikzpicture}",
        f"  \\begin{{axis}}[{', '.join(options)}]",
        *(each for line in drawn for each in _drawn(line, path.name, heads, count)),
        r"  \end{axis}",
        r"\end{tikzpicture}",
        r"\end{document}",
        "",
    ]
    write_text(name, "\n".join(text))
    return name.name


def _drawn(line: Line, name: str, heads: Sequence[str], count: int) -> Iterator[str]:
    """Yield what draws a line, and its entry in the legend."""
    first, last = line.rows or (0, count)
    every = _every(last - first)
    style = ["only marks", "mark size=0.6pt"] if line.scatter else ["no marks"]
    if every > 1:
        yield f"    % one of {every} rows is drawn: TeX takes long for all {last - first}"
        style += [f"each nth point={every}", "filter discard warning=false"]
    if line.rows is not None:
        style.append(f"skip coords between index={{0}}{{{first}}}")
        style.append(f"skip coords between index={{{last}}}{{{count}}}")
    x = r"x expr=\coordindex" if line.x is None else f"x index={line.x}"
    y = f"y expr=abs(\\thisrowno{{{line.y}}})" if line.magnitude else f"y index={line.y}"
    yield f"    \\addplot+[{', '.join(style)}] table [{x}, {y}] {{{name}}};"
    named = tex_text(line.label) or rf"\texttt{{{_escaped(heads[line.y].strip('{}'))}}}"
    yield f"    \\addlegendentry{{{named}}}"


def _every(count: int) -> int:
    """Return how many rows go to one that is drawn: odd, so that cycles of even period stay."""
    every = max(1, math.ceil(count / DRAWN))
    return every if every % 2 else every + 1


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


def tex_text(text: str) -> str:
    """Write a label of a plot for TeX: what is between dollars is mathematics, the rest is words.

    Letters of Greek in the words become mathematics, which every font of TeX has.
    """
    parts = text.split("$")
    if len(parts) % 2 == 0:
        return _escaped(text)
    return "".join(f"${part}$" if place % 2 else _words(part) for place, part in enumerate(parts))


_NAMES = "alpha beta gamma delta varepsilon eta kappa lambda mu rho sigma theta phi varphi"
_GREEK = dict(zip("αβγδεηκλμρσθϕφΣΔ", (*_NAMES.split(), "Sigma", "Delta"), strict=True))
_SIGNS = {"−": "-", "√": r"\surd ", "·": r"\cdot ", "≤": r"\le ", "≥": r"\ge ", "×": r"\times "}


def _words(text: str) -> str:
    """Escape words; what lies outside ASCII is mathematics or left out, as TeX may lack it."""
    kept = ""
    for letter in re.sub(r"\s+", " ", text):
        if letter in _GREEK:
            kept += f"$\\{_GREEK[letter]}$"
        elif letter in _SIGNS:
            kept += f"${_SIGNS[letter]}$"
        else:
            kept += _SPECIAL.get(letter, letter if letter.isascii() else "")
    return kept
