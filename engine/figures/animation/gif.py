"""GIF, written picture by picture: only what changes, each time with its own colours."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from engine.figures.animation.reel import Reel
from engine.figures.animation.stage import Pixels
from engine.storage.files import atomic

COLORS = 255
"""Colours of a picture; one more number stands for what stays as it is."""
SEE_THROUGH = 255
LONGEST = 65_535
"""Hundredths of a second that a picture can last."""


def write_gif(path: Path, reel: Reel) -> None:
    """Write an animation that goes on from its beginning, the way it was made in a comment.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    durations = reel.durations(100)
    before: Pixels | None = None
    with atomic(path) as file:
        file.write(_header(reel))
        for number, picture in enumerate(reel.pictures):
            _write(file, picture, before, min(durations[number], LONGEST))
            before = picture
        file.write(b";")


def _header(reel: Reel) -> bytes:
    """Return the size, the endless loop and the comment."""
    size = struct.pack("<HHBBB", *reel.size, 0x70, 0, 0)  # 8 bits a colour, no common palette
    loop = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    words = f"{reel.title}\n{reel.about}".encode()
    blocks = [words[at : at + 255] for at in range(0, len(words), 255)]
    comment = b"".join(bytes([len(block)]) + block for block in blocks)
    return b"GIF89a" + size + loop + b"!\xfe" + comment + b"\0"


def _write(file: BinaryIO, picture: Pixels, before: Pixels | None, duration: int) -> None:
    """Write what differs from the picture before, at least one pixel."""
    height, width = picture.shape[:2]
    if before is None:
        changed = np.ones((height, width), bool)
    else:
        changed = (picture != before).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 1)
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    image = _in_few_colors(part, changed[top:bottom, left:right])
    for block in GifImagePlugin.getdata(
        image,
        (left, top),
        duration=duration * 10,
        transparency=SEE_THROUGH,
        disposal=1,  # the next picture is drawn over this one
        include_color_table=True,
    ):
        file.write(block)


def _in_few_colors(part: Pixels, changed: NDArray[np.bool_]) -> Image.Image:
    """Return an image with a palette, see-through where nothing changed.

    Parameters
    ----------
    part : ndarray, shape (rows, columns, 3)
    changed : ndarray of bool, shape (rows, columns)
    """
    numbers = np.full(changed.shape, SEE_THROUGH, np.uint8)
    wanted = part[changed]
    codes = wanted.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    kinds, index = np.unique(codes, return_inverse=True)
    if len(kinds) <= COLORS:
        palette = np.stack([kinds >> 16, kinds >> 8 & 255, kinds & 255], axis=1).astype(np.uint8)
        numbers[changed] = index
    else:
        strip = Image.fromarray(wanted[None])
        few = strip.quantize(COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        palette = np.array(few.getpalette(), np.uint8).reshape(-1, 3)
        numbers[changed] = np.asarray(few)[0]
    image = Image.fromarray(numbers, mode="P")
    whole = np.zeros((256, 3), np.uint8)
    whole[: len(palette)] = palette
    image.putpalette(whole.tobytes())
    return image
