"""Fonts that are cut have the glyphs of the whole font, and nothing is made of damaged ones."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.ft2font import FT2Font, LoadFlags

from engine.figures.files.truetype import NotTrueTypeError, cut

FONTS = Path(mpl.get_data_path()) / "fonts/ttf"
TEXT = "Aé x̂ ½ λ"  # é and ½ are composed of other glyphs


@pytest.mark.parametrize("name", ["STIXGeneral.ttf", "DejaVuSans.ttf"])
def test_letters_are_those_of_the_whole_font(name: str) -> None:
    whole = FT2Font(str(FONTS / name))
    glyphs = [whole.get_char_index(ord(letter)) for letter in TEXT]
    content, numbers = cut(str(FONTS / name), glyphs)
    part = FT2Font(io.BytesIO(content))
    assert part.num_glyphs == len(numbers) < 20
    for glyph in glyphs:
        widths = []
        outlines = []
        for font, number in ((whole, glyph), (part, numbers[glyph])):
            font.set_size(100.0, 72)
            widths.append(font.load_glyph(number, flags=LoadFlags.NO_HINTING).horiAdvance)
            outlines.append(font.get_path()[0])
        assert widths[0] == widths[1]
        np.testing.assert_array_equal(*outlines)


def test_other_programs_can_read_the_file() -> None:
    content, numbers = cut(str(FONTS / "DejaVuSans.ttf"), [36, 37])
    with TTFont(io.BytesIO(content), checkChecksums=2) as font:
        assert len(font.getGlyphOrder()) == len(numbers)
        assert {"cvt ", "fpgm", "prep", "glyf"} <= set(font.keys())


@pytest.mark.parametrize(
    "content",
    [b"", b"OTTO" + bytes(40), b"\x00\x01\x00\x00\x00\x09" + bytes(6), b"ttcf" + bytes(99)],
)
def test_what_is_no_truetype_font_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "font.ttf"
    path.write_bytes(content)
    with pytest.raises(NotTrueTypeError):
        cut(str(path), [1])


def test_a_glyph_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotTrueTypeError):
        cut(str(FONTS / "DejaVuSans.ttf"), [60_000])
