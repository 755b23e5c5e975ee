"""Lines of text typeset once, for all formats, sizes and figures that they appear in."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib import _text_helpers, font_manager
from matplotlib.ft2font import LoadFlags
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

_fonts: Any = font_manager
_helpers: Any = _text_helpers
_paths: Any = text_to_path

SIZE: float = _paths.FONT_SCALE
"""Points of the size at which lines are typeset; without hinting all sizes are alike."""
MOST = 4096
"""Lines and glyphs that are kept."""


class Glyph(NamedTuple):
    """A letter of a line: its font, number and characters, its place, its size, what precedes it.

    `kern` is the space before it that its font does not give by itself.
    """

    font: Any
    number: int
    characters: Any
    x: float
    y: float
    scale: float
    kern: float

    @property
    def name(self) -> str:
        """A name of the outline, the same in all figures."""
        name: str = _paths._get_glyph_repr(self.font, self.number)
        return name.replace("%20", "_")

    @property
    def outline(self) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """The corners and the codes of the outline, to be scaled by `scale`."""
        return _outline(self.font, self.number)


@dataclass(frozen=True, eq=False)
class Line:
    """A line of text: its letters and the bars of its fractions and roots, in points at `SIZE`."""

    glyphs: tuple[Glyph, ...]
    boxes: tuple[tuple[float, float, float, float], ...] = field(default=())

    @cached_property
    def path(self) -> Any:
        """The outlines of all letters as one path."""
        outlines = [glyph.outline for glyph in self.glyphs]
        corners = [
            corners * glyph.scale + (glyph.x, glyph.y)
            for glyph, (corners, _) in zip(self.glyphs, outlines, strict=True)
        ]
        if not corners:
            return Path(np.empty((0, 2)))
        return Path(np.concatenate(corners), np.concatenate([codes for _, codes in outlines]))


def typeset(text: str, prop: Any, is_formula: bool, mtext: Any = None) -> Line:
    """Return a line of text in a font, whatever its size.

    Parameters
    ----------
    text : str
    prop : matplotlib.font_manager.FontProperties
    is_formula : bool
    mtext : matplotlib.text.Text or None
        The artist, which may ask for features of the font and a language.
    """
    large = prop.copy()
    large.set_size(SIZE)
    if is_formula:
        return _formula(text, large)
    features, language = (mtext.get_fontfeatures(), mtext.get_language()) if mtext else (None, None)
    return _plain(text, large, None if features is None else tuple(features), language)


@lru_cache(MOST)
def _formula(text: str, prop: Any) -> Line:
    formula = _paths.mathtext_parser.parse(text, _paths.DPI, prop)
    return Line(
        tuple(
            Glyph(font, glyph, code, x, y, size / SIZE, 0.0)
            for font, size, code, glyph, x, y in formula.glyphs
        ),
        tuple(formula.rects),
    )


@lru_cache(MOST)
def _plain(text: str, prop: Any, features: Any, language: Any) -> Line:
    font = _fonts.get_font(_fonts.fontManager._find_fonts_by_props(prop))
    font.clear()
    font.set_size(SIZE, _paths.DPI)
    items = _helpers.layout(text, font, features=features, language=language)
    return Line(
        tuple(
            Glyph(i.ft_object, i.glyph_index, i.char, i.x, i.y, 1.0, i.prev_kern or 0.0)
            for i in items
        )
    )


@lru_cache(MOST)
def _outline(font: Any, number: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    font.clear()
    font.set_size(SIZE, _paths.DPI)
    font.load_glyph(number, flags=LoadFlags.NO_HINTING)
    corners, codes = font.get_path()
    return corners, codes
