"""Fonts embedded in PDF figures, read without the tables that no PDF viewer uses."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont

_UNUSED = ("BASE", "DSIG", "GDEF", "GPOS", "GSUB", "JSTF", "MATH", "kern")
"""Tables for typesetting: matplotlib has placed each glyph already. Reading them takes long."""

_load = subset.load_font


@contextmanager
def lean() -> Iterator[None]:
    """Make fontTools load fonts without `_UNUSED`; the glyphs and their numbers stay the same."""
    subset.load_font = _load_lean
    try:
        yield
    finally:
        subset.load_font = _load


def _load_lean(path: Any, options: Any, **more: Any) -> TTFont:
    return _load(io.BytesIO(_without_unused(str(path), options.font_number)), options, **more)


@cache
def _without_unused(path: str, number: int) -> bytes:
    """Return the file of a font without the tables that are not used."""
    buffer = io.BytesIO()
    with TTFont(path, fontNumber=number, lazy=True, recalcTimestamp=False) as font:
        for tag in _UNUSED:
            if tag in font:
                del font[tag]
        font.save(buffer, reorderTables=None)
    return buffer.getvalue()
