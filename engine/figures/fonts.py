"""Fonts embedded in PDF figures: TrueType with the glyphs that are used, cut without fontTools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import Any, BinaryIO, NamedTuple

from matplotlib.backends import _backend_pdf_ps

from engine.figures.files.truetype import NotTrueTypeError, cut

_pdf: Any = _backend_pdf_ps  # it has no types
_own: Callable[..., Any] = _pdf.get_glyphs_subset
_cut = lru_cache(256)(cut)


class _File:
    """A font in the form in which matplotlib saves it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def save(self, file: BinaryIO, **_: object) -> None:
        """Write the font into a file."""
        file.write(self._content)


class _Subset(NamedTuple):
    """What matplotlib asks of a font that was cut."""

    font: _File
    glyph_index_map: dict[int, int]


@contextmanager
def lean() -> Iterator[None]:
    """Make matplotlib embed fonts cut by `engine.figures.files.truetype` within ``with``."""
    _pdf.get_glyphs_subset = _subset
    try:
        yield
    finally:
        _pdf.get_glyphs_subset = _own


def _subset(path: Any, glyphs: Set[int]) -> Any:
    """Return a font with some glyphs, by fontTools where its outlines are none of TrueType."""
    try:
        content, numbers = _cut(str(path), frozenset(glyphs))
    except NotTrueTypeError:
        return _own(path, glyphs)
    return nullcontext(_Subset(_File(content), numbers))
