"""IDX files, in which MNIST and its relatives are kept, packed with gzip or not."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.storage.files import is_file, unreachable
from engine.text.numbers import whole

ITEMS_LIMIT = 1_000_000
"""Images or labels that a file may hold; MNIST has 60,000."""
BYTES_LIMIT = 256 * 2**20
"""Bytes that a file may unpack to: five times MNIST. Gzip packs a thousand of them in one."""
FILES = {
    "train images": "train-images-idx3-ubyte",
    "train labels": "train-labels-idx1-ubyte",
    "test images": "t10k-images-idx3-ubyte",
    "test labels": "t10k-labels-idx1-ubyte",
}
"""Names of the four files of a data set, each with or without ``.gz``.

Some archives write a dot for the second hyphen, or put a file in a folder of its own name.
"""
Shape = tuple[int | None, ...]
"""Sides of an item; None for any length."""
_UNSIGNED_BYTE = 0x08
_PIECE = 2**20


def find_file(folder: Path, name: str, what: str = "data") -> Path:
    """Find one of `FILES` in a folder, or where torchvision puts it below that.

    Raises
    ------
    InputError
        If it is not there.
    """
    for place in (folder, folder / "MNIST" / "raw", folder / "FashionMNIST" / "raw"):
        for spelt in (name, name.replace("-idx", ".idx")):
            for packed in (spelt, f"{spelt}.gz"):
                for path in (place / packed, place / spelt / packed):
                    if is_file(path, what):
                        return path
    raise InputError(what, folder.name, f"give a folder that holds {name} or {name}.gz")


def read_idx(path: Path, item_shape: Shape, what: str = "data") -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, shape (items, *item_shape).

    No more is unpacked than the header announces, and the header may not announce more than
    `ITEMS_LIMIT` items, so a small file cannot fill the memory.

    Raises
    ------
    InputError
        If the file is no IDX file, holds items of another shape, or is shorter or longer than its
        header says; `what` names the field at fault.
    """
    path = Path(path)
    try:
        with _open(path) as file:
            return _read(file, path, item_shape, what)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise unreachable(path, what, error) from None
        reason = " ".join(str(error).split()).rstrip(".") or "it ends too early"
        raise InputError(what, path.name, f"give an undamaged file ({reason})") from None


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path, "rb")) if packed else path.open("rb")


def _read(file: BinaryIO, path: Path, item_shape: Shape, what: str) -> NDArray[np.uint8]:
    magic = file.read(4)
    dimensions = 1 + len(item_shape)
    if magic != bytes((0, 0, _UNSIGNED_BYTE, dimensions)):
        expected = f"{_UNSIGNED_BYTE:02x}{dimensions:02x}"
        raise InputError(
            what, path.name, f"give an IDX file that begins with the bytes 0000{expected}"
        )
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise InputError(what, path.name, "give a whole file (it ends within its header)")
    items, *shape = struct.unpack(f">{dimensions}I", header)
    if any(wanted not in (side, None) for side, wanted in zip(shape, item_shape, strict=True)):
        found, wanted = _times(tuple(shape)), _times(item_shape)
        raise InputError(what, path.name, f"give images of {wanted} pixels, not {found}")
    if not all(shape):
        raise InputError(what, path.name, "give images of one pixel or more")
    if not 1 <= items <= ITEMS_LIMIT:
        raise InputError(
            what, path.name, f"give a file of 1 to {whole(ITEMS_LIMIT)} items, not {whole(items)}"
        )
    size = items * math.prod(shape)
    if size > BYTES_LIMIT:
        most = BYTES_LIMIT // math.prod(shape)
        raise InputError(
            what, path.name, f"give a file of 1 to {whole(most)} items, not {whole(items)}"
        )
    values = np.empty(size, np.uint8)  # takes no memory before it is filled
    done = _fill(file, values)
    if done < size:
        raise InputError(
            what, path.name, f"give a whole file (it holds {whole(done)} of {whole(size)} bytes)"
        )
    if file.read(1):
        raise InputError(what, path.name, "give a file that ends where its header says")
    return values.reshape(items, *shape)


def _fill(file: BinaryIO, values: NDArray[np.uint8]) -> int:
    """Read into an array, a piece at a time; returns the number of bytes there were."""
    done = 0
    while piece := file.read(min(_PIECE, values.size - done)):
        values[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)
    return done


def _times(shape: Shape) -> str:
    return " × ".join(str(length) for length in shape)
