"""Headers of NPY arrays, read without evaluating anything.

NumPy's own reader takes a header for an expression of Python, so that a forged one can ask for any
memory or raise any error. All that NumPy writes for arrays of numbers has one simple form.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.text.numbers import whole

MAGIC = b"\x93NUMPY"
_HEADER_LIMIT = 10_000
_DIMENSIONS = 32
_TEXT_LIMIT = 2**24
"""Characters of one text: a description of a run is the longest."""
_KEY = r"""\s*['"](?P<key{0}>descr|fortran_order|shape)['"]\s*:\s*(?P<value{0}>{1})\s*"""
_VALUE = r"""'[^'\\]*'|"[^"\\]*"|True|False|\((?:\s*\d{1,19}L?\s*,)*(?:\s*\d{1,19}L?)?\s*\)"""
_FORM = re.compile(r"\{" + ",".join(_KEY.format(i, _VALUE) for i in range(3)) + r",?\s*\}\s*")
_TYPE = re.compile(r"[<>|=]?([biufcU])(\d{1,8})")


class NpyError(Exception):
    """Explains briefly why bytes are no NPY array that this program reads."""


class NotNumbersError(NpyError):
    """Reports that an array holds objects, records or dates."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of an array says."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[np.generic]

    @property
    def count(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the entries."""
        return self.count * self.dtype.itemsize


def read_header(file: BinaryIO) -> Header:
    """Read the header of an array in a file of format 1, 2 or 3; the entries follow.

    Raises
    ------
    NpyError
        If there is none, or it describes an array that this program does not read.
    """
    start = file.read(8)
    if start[:6] != MAGIC or len(start) < 8:
        raise NpyError("it does not begin as an NPY array")
    if start[6] not in (1, 2, 3):
        raise NpyError(f"it has format {start[6]}.{start[7]}, and 1 to 3 are read")
    form = "<H" if start[6] == 1 else "<I"
    field = file.read(struct.calcsize(form))
    if len(field) < struct.calcsize(form):
        raise NpyError("it ends within its header")
    (length,) = struct.unpack(form, field)
    if length > _HEADER_LIMIT:
        raise NpyError(f"its header has {whole(length)} bytes, and {whole(_HEADER_LIMIT)} are read")
    text = file.read(length)
    if len(text) < length:
        raise NpyError("it ends within its header")
    return _parsed(text.decode("utf-8" if start[6] == 3 else "latin-1", "replace"))


def _parsed(text: str) -> Header:
    found = _FORM.fullmatch(text)
    table = {found[f"key{i}"]: found[f"value{i}"] for i in range(3)} if found else {}
    if len(table) < 3:
        if re.search(r"""['"]descr['"]\s*:\s*\[""", text):
            raise NotNumbersError("it holds records")
        raise NpyError("its header is not as NumPy writes it")
    descr, order, shape = table["descr"], table["fortran_order"], table["shape"]
    if descr[0] not in "'\"" or order not in ("True", "False") or shape[0] != "(":
        raise NpyError("its header is not as NumPy writes it")
    lengths = tuple(int(length) for length in re.findall(r"\d+", shape))
    if len(lengths) > _DIMENSIONS or (shape.count(",") == 0 and len(lengths) == 1):
        raise NpyError("its header is not as NumPy writes it")
    return Header(lengths, order == "True", _dtype(descr[1:-1]))


def _dtype(text: str) -> np.dtype[np.generic]:
    found = _TYPE.fullmatch(text)
    size = int(found[2]) if found else 0
    if re.fullmatch(r"[<>|=]?[OVSMmap]\d*(\[.*\])?|[<>|=]?U0+", text):
        raise NotNumbersError("it holds objects, bytes, dates or empty texts")
    if found is None or (found[1] == "U" and size > _TEXT_LIMIT):
        raise NpyError(f"its type {text[:20]!r} is none that is read")
    try:
        return np.dtype(text)
    except (TypeError, ValueError):
        raise NpyError(f"its type {text[:20]!r} is none that is read") from None


def read_entries(file: BinaryIO, header: Header) -> NDArray[np.generic]:
    """Read the entries of an array, in the byte order of this machine.

    Raises
    ------
    NpyError
        If the file ends before them.
    """
    values = np.empty(header.count, header.dtype)
    fill(file, values)
    if not header.dtype.isnative:
        values = values.astype(header.dtype.newbyteorder("="))
    if header.dtype.kind == "U" and values.size:
        _check_text(values)
    return shaped(values, header.shape, header.fortran_order)


def shaped(
    values: NDArray[np.generic], shape: tuple[int, ...], fortran_order: bool = False
) -> NDArray[np.generic]:
    """Reshape entries.

    Raises
    ------
    NpyError
        If no array has it, as one with sides of 0 and of 10^18.
    """
    try:
        return values.reshape(shape, order="F" if fortran_order else "C")
    except (ValueError, OverflowError):
        raise NpyError("it has an impossible shape") from None


def _check_text(values: NDArray[np.generic]) -> None:
    codes = values.view(np.uint32)
    if codes.max(initial=0) > 0x10FFFF:
        raise NpyError("a text holds what is no character")


def fill(file: BinaryIO, values: NDArray[np.generic]) -> None:
    """Read the bytes of an array from a file, without a second copy of them.

    Raises
    ------
    NpyError
        If the file ends before them.
    """
    if not values.size:
        return
    view = values.view(np.uint8).data
    done = 0
    while done < len(view):
        piece = file.read(min(1 << 20, len(view) - done))
        if not piece:
            raise NpyError("it is cut short")
        view[done : done + len(piece)] = piece
        done += len(piece)
