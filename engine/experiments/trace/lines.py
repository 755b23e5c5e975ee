"""JSON lines that may grow while they are read: an object a line, of which new ones are added."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from engine.core.errors import InputError
from engine.storage.files import read_text, unreachable

FIELD = "file"
TEXT_LIMIT = 128 * 2**20
"""Bytes of a file of JSON lines."""
ENDINGS = (".jsonl", ".ndjson")
SEEN = 4096
"""Bytes before the new ones that are compared with what was read, to find a file written anew."""
Row = dict[str, Any]


class Lines:
    """The rows of one file, as far as it was read.

    A file that only grew is read on from where it ended; any other is read anew. A last line that
    is no object yet is being written, and waits.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[Row] = []
        self._read, self._tail, self._count = 0, b"", 0

    def rows(self) -> list[Row]:
        """Return all rows that the file has now.

        Raises
        ------
        InputError
            If the file cannot be read, or a finished line is no object.
        """
        if not self._grew():
            self._rows, self._read, self._tail, self._count = [], 0, b"", 0
            if not self._is_utf8():
                return self._added(read_text(self._path, TEXT_LIMIT, FIELD), False)
        size = self._path.stat().st_size
        if size > TEXT_LIMIT:
            read_text(self._path, TEXT_LIMIT, FIELD)  # which refuses it
        with self._path.open("rb") as file:
            file.seek(self._read)
            fresh = file.read(size - self._read)
        end = fresh.rfind(b"\n") + 1
        rows = self._added(self._decoded(fresh[:end]), True)
        self._read += end
        self._tail = (self._tail + fresh[:end])[-SEEN:]
        rest = self._decoded(fresh[end:], strict=False)
        return rows + self._last(rest)

    def _grew(self) -> bool:
        """Return whether what was read still stands before the end of the file."""
        if not self._read:
            return False
        with self._path.open("rb") as file:
            file.seek(max(self._read - SEEN, 0))
            return file.read(self._read)[: len(self._tail)] == self._tail

    def _is_utf8(self) -> bool:
        with self._path.open("rb") as file:
            return file.read(2) not in (b"\xff\xfe", b"\xfe\xff")

    def _decoded(self, text: bytes, *, strict: bool = True) -> str:
        try:
            return text.decode("utf-8-sig" if not self._read else "utf-8")
        except UnicodeDecodeError:
            if not strict:
                return ""
            raise InputError(FIELD, self._path.name, "give a text in UTF-8") from None

    def _added(self, text: str, is_finished: bool) -> list[Row]:
        """Add the rows of lines, and return all; a last line that is not finished may be broken."""
        lines = text.split("\n")
        made = []
        for number, line in enumerate(lines, start=self._count + 1):
            if not line.strip():
                continue
            row = _object(line)
            if row is None and number == self._count + len(lines) and not is_finished:
                break
            if row is None:
                raise InputError(FIELD, line.strip()[:40], f"give a JSON object in line {number}")
            made.append(row)
        self._count += len(lines) - 1
        self._rows = [*self._rows, *made]
        return self._rows

    def _last(self, rest: str) -> list[Row]:
        row = _object(rest) if rest.strip() else None
        return [] if row is None else [row]


def _object(line: str) -> Row | None:
    """Return the numbers of a JSON object; None where a line is none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    return {key: value for key, value in row.items() if _is_numbers(value)}


def _is_numbers(value: object) -> bool:
    """Return whether a value is a number, None, or a list of numbers."""
    if isinstance(value, list):
        return bool(value) and all(map(_is_number, value))
    return value is None or _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_known: OrderedDict[Path, Lines] = OrderedDict()
_lock = threading.Lock()


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a file; of the last ones that were asked for only what is new is read.

    Raises
    ------
    InputError
        As `Lines.rows`.
    """
    with _lock:
        lines = _known.pop(path, None) or Lines(path)
        try:
            rows = lines.rows()
        except OSError as error:
            raise unreachable(path, FIELD, error) from None
        _known[path] = lines
        while len(_known) > 4:
            _known.popitem(last=False)
        return rows
