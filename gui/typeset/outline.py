r"""Mathtext to outlines by matplotlib, imported at the first formula; no Qt, any thread.

Importing matplotlib takes a second or two, in which Python's lock is busy. Outlines are therefore
kept in a file: formulas that were ever set are at hand at the next start without the import.
One thread at a time may call `outline_of`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import LabError
from engine.storage.files import write_text
from engine.text.mathtext import with_commands

FONT = "cm"
"""Computer Modern, the face of the paper."""
POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}
"""Letters of the strokes (move, line, quadratic, cubic, close) with their number of points."""
VERSION = 2
_LETTERS = {1: "M", 2: "L", 3: "Q", 4: "C"}
_EM = 100.0
_ACCENT_GAP = 3.0
"""Distance of an accent from its letter, in strokes; matplotlib leaves 2, and hats touch an f."""
_LARGEST_FILE = 8_000_000
_MOST_FORMULAS = 2000


@dataclass(frozen=True, slots=True)
class Outline:
    """Strokes of a formula and its measures, in units of the font size.

    The baseline is at y = 0 and y grows downward. `points` holds x and y of the points of all
    strokes in a row; `height` includes `descent`.
    """

    strokes: str
    points: tuple[float, ...]
    width: float
    height: float
    descent: float


def display_style(mathtext: str) -> str:
    r"""Set the fractions of the outermost level in full size, as in a displayed equation."""
    depth = 0
    out = []
    for token in re.findall(r"\\[A-Za-z]+|\\.|.", mathtext, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token, 0)
        out.append(r"\dfrac" if token == r"\frac" and depth == 0 else token)
    return "".join(out)


def outline_of(mathtext: str) -> Outline | None:
    """Typeset with matplotlib: None for what it cannot read."""
    text = f"${display_style(with_commands(mathtext))}$"
    try:
        maker, properties = _maker()
        width, height, descent = maker.get_text_width_height_descent(text, properties, ismath=True)
        glyphs, shapes, bars = maker.get_glyphs_mathtext(properties, text)
    except Exception:  # a formula that cannot be set is shown as text, whatever the reason
        return None
    strokes, points = "", []
    placed = [(*shapes[name], x, y, size) for name, x, y, size in glyphs]
    for vertices, codes, x, y, size in [*placed, *((*bar, 0.0, 0.0, 1.0) for bar in bars)]:
        letters, counted = _letters(codes)
        strokes += letters
        for (vx, vy), drawn in zip(vertices, counted, strict=True):
            if drawn:
                points += [round((vx * size + x) / _EM, 4), round(-(vy * size + y) / _EM, 4)]
    sizes = (float(number) / _EM for number in (width, height, descent))
    return Outline(strokes, tuple(float(number) for number in points), *sizes)


def _letters(codes: Any) -> tuple[str, list[bool]]:
    """Turn matplotlib's codes, one a point, into strokes; say which points are drawn."""
    letters, drawn = "", []
    at = 0
    while at < len(codes):
        letter = _LETTERS.get(int(codes[at]), "Z")
        count = max(POINTS[letter], 1)
        letters += letter
        drawn += [letter != "Z"] * count
        at += count
    return letters, drawn


_own: list[Any] = []


def _maker() -> tuple[Any, Any]:
    """Make matplotlib's converter, with a parser of its own.

    The parser that matplotlib shares keeps its state in itself, and figures are exported from
    another thread.
    """
    if not _own:
        from matplotlib.font_manager import FontProperties
        from matplotlib.mathtext import MathTextParser
        from matplotlib.textpath import TextToPath

        own_parser: Any = type("Parser", (MathTextParser,), {"_parser": _reader()})
        maker = TextToPath()
        maker.mathtext_parser = own_parser("path")
        _own.extend((maker, FontProperties(math_fontfamily=FONT, size=_EM)))
    return _own[0], _own[1]


def _reader() -> Any:
    """Return a reader of mathtext that sets accents farther from their letters."""
    from matplotlib import _mathtext

    class Reader(_mathtext.Parser):
        def accent(self, toks: Any) -> Any:
            above, _, letter = super().accent(toks).children
            gap = self.get_state().get_current_underline_thickness() * _ACCENT_GAP
            return _mathtext.Vlist([above, _mathtext.Vbox(0.0, gap), letter])

    return Reader()


def load_outlines(path: Path) -> dict[str, Outline]:
    """Read the kept outlines; none if the file is missing, damaged or of another version."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return {}
        data = json.loads(path.read_text("utf-8"))
        if data["version"] != VERSION or data["font"] != FONT:
            return {}
        return {str(key): _checked(*fields) for key, fields in data["formulas"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _checked(strokes: Any, points: Any, *sizes: Any) -> Outline:
    numbers = [float(number) for number in (*points, *sizes)]
    expected = 2 * sum(POINTS[letter] for letter in strokes)
    if len(points) != expected or len(sizes) != 3 or not all(map(math.isfinite, numbers)):
        raise ValueError("not an outline")
    return Outline(str(strokes), tuple(numbers[:expected]), *numbers[expected:])


def save_outlines(path: Path, outlines: dict[str, Outline]) -> None:
    """Keep outlines for the next start, the newest if there are very many; a full disk is borne."""
    kept = list(outlines.items())[-_MOST_FORMULAS:]
    formulas = {
        key: [o.strokes, o.points, round(o.width, 4), round(o.height, 4), round(o.descent, 4)]
        for key, o in kept
    }
    data = {"version": VERSION, "font": FONT, "formulas": formulas}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(data, separators=(",", ":")))
    except (OSError, LabError):
        return
