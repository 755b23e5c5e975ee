"""A reader of shared objects: which libraries a file needs, and where it looks for them.

Only the dynamic section of 64-bit ELF files is read, little-endian ones as on x86-64 and ARM.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRINGS, _RPATH, _RUNPATH = 1, 5, 15, 29
_LONGEST_NAME = 4096


@dataclass(frozen=True, slots=True)
class Dynamic:
    """What a shared object says of the libraries it stands on.

    Attributes
    ----------
    needed : tuple of str
        Names of the libraries, such as ``libxcb.so.1``.
    folders : tuple of Path
        Where they are looked for before the system's folders, ``$ORIGIN`` replaced.
    """

    needed: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()


def read(path: Path) -> Dynamic:
    """Read the dynamic section of a shared object.

    Raises
    ------
    ValueError
        If the file is none, or is damaged.
    OSError
        If it cannot be read.
    """
    try:
        return parse(path.read_bytes(), path.parent)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def parse(content: bytes, origin: Path) -> Dynamic:
    """Read the dynamic section of a shared object that lies in a folder.

    Raises
    ------
    ValueError
        If the content is that of no shared object, or is damaged.
    """
    if content[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no 64-bit shared object")
    try:
        found = _dynamic_of(content)
    except (struct.error, IndexError, ValueError):
        raise ValueError("damaged") from None
    parts = [
        part for tag, text in found if tag in (_RPATH, _RUNPATH) for part in text.split(":") if part
    ]
    return Dynamic(
        tuple(text for tag, text in found if tag == _NEEDED),
        tuple(
            Path(part.replace("$ORIGIN", str(origin)).replace("${ORIGIN}", str(origin)))
            for part in parts
        ),
    )


def _dynamic_of(data: bytes) -> list[tuple[int, str]]:
    """Return the texts of the dynamic section, each with its tag."""
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<II4Q", data, table + i * size) for i in range(count)]
    loads = [
        (address, offset, length)
        for kind, _, offset, address, _, length in segments
        if kind == _LOAD
    ]
    entries = [
        entry
        for kind, _, offset, _, _, length in segments
        if kind == _DYNAMIC
        for entry in struct.iter_unpack("<QQ", data[offset : offset + length // 16 * 16])
    ]
    strings = next((value for tag, value in entries if tag == _STRINGS), None)
    if strings is None:
        return []
    start = next(
        (offset + strings - at for at, offset, length in loads if at <= strings < at + length),
        strings,
    )
    named = (_NEEDED, _RPATH, _RUNPATH)
    return [(tag, _text(data, start + value)) for tag, value in entries if tag in named]


def _text(data: bytes, start: int) -> str:
    end = data.index(b"\0", start, start + _LONGEST_NAME) if start < len(data) else -1
    if end < 0:
        raise IndexError(start)
    return data[start:end].decode()
