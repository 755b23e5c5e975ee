"""TrueType fonts cut to the glyphs that a PDF file uses.

A PDF viewer asks for outlines, widths and instructions by the glyph's number and for nothing else,
so the outlines that are used are copied as they stand. fontTools would take every table of the font
apart and put it together again, which takes a hundred times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_COPIED = ("cvt ", "fpgm", "prep")
"""Tables of instructions, which belong to outlines."""
_NEEDED = frozenset(("glyf", "head", "hhea", "hmtx", "loca", "maxp"))
_VERSION = b"\x00\x01\x00\x00"
_WORDS, _SCALE, _MORE, _TWO_SCALES, _MATRIX = 0x1, 0x8, 0x20, 0x40, 0x80
"""Flags of a part of a glyph that is composed of others."""


class NotTrueTypeError(ValueError):
    """A font whose outlines are none of TrueType, or that is damaged."""


@dataclass(frozen=True, slots=True)
class _Font:
    """The tables of a font by their names, where its outlines lie, how many widths there are."""

    tables: dict[str, bytes]
    places: NDArray[np.uint32]
    widths: int

    def outline(self, glyph: int) -> bytes:
        return self.tables["glyf"][self.places[glyph] : self.places[glyph + 1]]

    def metrics(self, glyph: int) -> bytes:
        """Return the advance and the left side bearing of a glyph."""
        table, last = self.tables["hmtx"], 4 * self.widths
        if glyph < self.widths:
            return table[4 * glyph : 4 * glyph + 4]
        bearing = last + 2 * (glyph - self.widths)
        return table[last - 4 : last - 2] + table[bearing : bearing + 2]


def cut(path: str, glyphs: Iterable[int]) -> tuple[bytes, dict[int, int]]:
    """Return a font with some glyphs of a font file alone, and their new numbers by the old ones.

    Glyphs that others are composed of are added, and the one that stands for what is missing.

    Parameters
    ----------
    path : str
        A file with one font.
    glyphs : iterable of int
        Numbers of glyphs.

    Raises
    ------
    NotTrueTypeError
        If the file holds other outlines than those of TrueType, or several fonts.
    """
    font = _read(path)
    try:
        old = _with_parts(font, glyphs)
        numbers = {glyph: number for number, glyph in enumerate(old)}
        outlines = [_renumbered(font.outline(glyph), numbers) for glyph in old]
        metrics = b"".join(font.metrics(glyph) for glyph in old)
    except (IndexError, struct.error) as error:
        raise NotTrueTypeError(path) from error
    padded = [outline + bytes(-len(outline) % 4) for outline in outlines]
    places = np.cumsum([0, *map(len, padded)])
    head, hhea, maxp = (bytearray(font.tables[tag]) for tag in ("head", "hhea", "maxp"))
    struct.pack_into(">I", head, 8, 0)  # the sum of the file, see `_file`
    struct.pack_into(">h", head, 50, 1)  # places of 32 bits
    struct.pack_into(">H", hhea, 34, len(old))
    struct.pack_into(">H", maxp, 4, len(old))
    tables = {tag: font.tables[tag] for tag in _COPIED if tag in font.tables}
    tables |= {"head": bytes(head), "hhea": bytes(hhea), "maxp": bytes(maxp), "hmtx": metrics}
    tables |= {"glyf": b"".join(padded), "loca": places.astype(">u4").tobytes()}
    return _file(tables), numbers


@cache
def _read(path: str) -> _Font:
    content = Path(path).read_bytes()
    try:
        if content[:4] not in (_VERSION, b"true"):
            raise NotTrueTypeError(path)
        (count,) = struct.unpack_from(">H", content, 4)
        tables: dict[str, bytes] = {}
        for place in range(12, 12 + 16 * count, 16):
            tag, _, offset, length = struct.unpack_from(">4sIII", content, place)
            tables[tag.decode("latin-1")] = content[offset : offset + length]
        if not tables.keys() >= _NEEDED:
            raise NotTrueTypeError(path)
        (is_long,) = struct.unpack_from(">h", tables["head"], 50)
        (widths,) = struct.unpack_from(">H", tables["hhea"], 34)
        places = np.frombuffer(tables["loca"], ">u4" if is_long else ">u2").astype(np.uint32)
    except (struct.error, ValueError) as error:
        raise NotTrueTypeError(path) from error
    return _Font(tables, places if is_long else 2 * places, widths)


def _with_parts(font: _Font, glyphs: Iterable[int]) -> list[int]:
    """Return glyphs in their order, with all that they are composed of and number 0."""
    found: set[int] = set()
    left = [0, *glyphs]
    while left:
        glyph = left.pop()
        if glyph not in found:
            found.add(glyph)
            outline = font.outline(glyph)
            left += [struct.unpack_from(">H", outline, place)[0] for place in _parts(outline)]
    return sorted(found)


def _parts(outline: bytes) -> list[int]:
    """Return where an outline has the numbers of the glyphs that it is composed of."""
    if not outline or struct.unpack_from(">h", outline)[0] >= 0:
        return []
    places, place, flags = [], 10, _MORE
    while flags & _MORE:
        (flags,) = struct.unpack_from(">H", outline, place)
        places.append(place + 2)
        place += 8 if flags & _WORDS else 6
        place += 2 if flags & _SCALE else 4 if flags & _TWO_SCALES else 8 if flags & _MATRIX else 0
    return places


def _renumbered(outline: bytes, numbers: dict[int, int]) -> bytes:
    changed = bytearray(outline)
    for place in _parts(outline):
        (part,) = struct.unpack_from(">H", outline, place)
        struct.pack_into(">H", changed, place, numbers[part])
    return bytes(changed)


def _file(tables: dict[str, bytes]) -> bytes:
    """Return the file of a font, with the sums that tell whether it is damaged."""
    count = len(tables)
    power = count.bit_length() - 1
    header = struct.pack(
        ">4sHHHH", _VERSION, count, 16 << power, power, 16 * (count - (1 << power))
    )
    offset, entries, body, head = 12 + 16 * count, b"", b"", 0
    for tag, content in sorted(tables.items()):
        padded = content + bytes(-len(content) % 4)
        if tag == "head":
            head = offset
        entries += struct.pack(">4sIII", tag.encode(), _sum(padded), offset, len(content))
        body += padded
        offset += len(padded)
    file = bytearray(header + entries + body)
    struct.pack_into(">I", file, head + 8, (0xB1B0AFBA - _sum(file)) % 2**32)
    return bytes(file)


def _sum(content: bytes | bytearray) -> int:
    return int(np.frombuffer(content, ">u4").sum(dtype=np.uint64)) % 2**32
