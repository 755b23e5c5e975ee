"""Small files in one: written aside and renamed, and checked before anything in it is used."""

from __future__ import annotations

import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from engine.core.errors import InputError
from engine.storage.files import atomic, human_size, opened

LIMIT = 512 * 2**20
"""Bytes of an archive, and of all that is in it."""
FREE = 64 * 2**20
"""Bytes to which even the smallest archive may unpack."""
RATIO = 64
"""Bytes to which each byte of a larger one may unpack; texts shrink tenfold."""
MEMBERS = 4096
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same members give the same file
_PACKED = (".npz",)
"""Endings of what is compressed already."""
LONGEST_NAME = 100
"""Letters of the name of a part, which becomes that of a file for a while."""
_END = struct.Struct("<4s4H2LH")
"""The end of an archive: its mark, four counts, bytes and place of its list, and a comment's."""
_LOCATOR = 20
"""Bytes before the end that say that the list is of the large form."""
_ENTRY = 256
"""Bytes of one part in the list at most, on average: 46, its name, and what others add."""
_NAME = re.compile(r"(?:[a-z0-9][a-z0-9-]*/)?[a-z0-9][a-z0-9.-]*\.[a-z]+")
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write files under their names in one.

    Raises
    ------
    FileError
        If it cannot be written; an older file stays as it was.
    """
    with atomic(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            is_packed = name.endswith(_PACKED)
            info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)


def read_archive(path: Path, what: str) -> dict[str, bytes]:
    """Return the files in one by their names; `what` names its kind.

    Raises
    ------
    InputError
        If it is no archive, is damaged, holds names that climb out of it, or would unpack to more
        than `LIMIT` bytes or to far more than its size warrants.
    FileError
        If it cannot be read.
    """
    path = Path(path)
    with opened(path, what) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LIMIT:
            raise InputError(what, path.name, f"give a file of at most {human_size(LIMIT)}")
        _check_directory(file, path, what)
        try:
            with zipfile.ZipFile(file) as archive:
                return _members(archive, path, what, min(LIMIT, max(FREE, RATIO * size)))
        except InputError:
            raise
        except _DAMAGE as error:
            reason = " ".join(str(error).split())[:80] or type(error).__name__
            rule = f"give a file that is whole; this one is damaged ({reason})"
            raise InputError(what, path.name, rule) from None


def _check_directory(file: IO[bytes], path: Path, what: str) -> None:
    """Refuse an archive whose list of parts is too long, before the list is read.

    The end of the file says where the list is and how many bytes it has; `zipfile` reads that many.
    What this finds no end in is left to it.
    """
    file.seek(0, os.SEEK_END)
    first = max(file.tell() - _END.size - 2**16, 0)
    file.seek(first)
    tail = file.read()
    place = len(tail) - _END.size
    if not (tail[place:].startswith(b"PK\5\6") and tail.endswith(b"\0\0")):  # as zipfile looks
        place = tail.rfind(b"PK\5\6")
    file.seek(0)
    if place < 0 or len(tail) - place < _END.size:
        return
    *_, count, size, _begin, _comment = _END.unpack_from(tail, place)
    is_large = tail[max(place - _LOCATOR, 0) : place].startswith(b"PK\6\7")
    if is_large or count > MEMBERS or size > MEMBERS * _ENTRY:
        rule = f"give a file that holds at most {MEMBERS} parts"
        raise InputError(what, path.name, rule)


def _members(archive: zipfile.ZipFile, path: Path, what: str, limit: int) -> dict[str, bytes]:
    listed = archive.infolist()
    if len(listed) > MEMBERS or sum(member.file_size for member in listed) > limit:
        rule = f"give a file that holds at most {MEMBERS} parts and {human_size(limit)}"
        raise InputError(what, path.name, rule)
    found: dict[str, bytes] = {}
    for member in listed:
        name = member.filename
        if len(name) > LONGEST_NAME or not _NAME.fullmatch(name) or name in found:
            raise InputError(what, name, "the parts of a file have names of their own, once each")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{name} is packed in a way that is not read")
        with archive.open(member) as part:
            data = part.read(member.file_size + 1)  # no more than it says, whatever it holds
        if len(data) != member.file_size:
            raise zipfile.BadZipFile(f"{name} has another length than it says")
        found[name] = data
    return found
