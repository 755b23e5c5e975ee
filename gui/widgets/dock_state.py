"""The bytes in which Qt keeps a layout of docks, checked before Qt reads them.

Qt trusts them: a damaged or forged layout can end the program. So what does not have the form in
which `QMainWindow.saveState` writes it, with numbers that a layout can have, is not given to Qt.
"""

from __future__ import annotations

import struct

LONGEST = 2**16
"""Bytes of a layout at most."""
DEPTH = 12
"""Rows and columns within one another."""
MOST = 128
"""Docks at most."""
_START, _DOCKS, _BARS = 0xFF, 0xFD, 0xFC
_ROW, _TABS, _DOCK = 0xFC, 0xFA, 0xFB
_FLOATS, _FLAGS = 2, 15
_FAR = 2**20
_LARGEST = 2**30
"""Above the greatest size of many widgets beside one another."""
_AREAS, _CORNERS = 4, (1, 2, 4, 8)


class _UnsoundError(Exception):
    """The bytes are no layout."""


def is_sound(state: bytes, version: int) -> bool:
    """Return whether bytes are a layout of docks, of this version, as Qt writes it."""
    if len(state) > LONGEST:
        return False
    try:
        _Reader(state).read(version)
    except (_UnsoundError, struct.error, UnicodeDecodeError, IndexError):
        return False
    return True


class _Reader:
    """Goes through the bytes once; raises where they differ from what Qt writes."""

    def __init__(self, state: bytes) -> None:
        self._state = state
        self._at = 0
        self._names: set[str] = set()

    def read(self, version: int) -> None:
        self._demand(self._int(0, _START) == _START and self._int(0, 2**31 - 1) == version)
        self._demand(self._byte() == _DOCKS)
        count, last = self._int(0, _AREAS), -1
        for _ in range(count):
            area = self._int(last + 1, _AREAS - 1)
            last = area
            self._ints(2)
            self._demand(self._byte() in (_ROW, _TABS), back=True)
            self._items(0)
        self._ints(2)
        for _ in range(_AREAS):
            self._demand(self._int(0, 8) in _CORNERS)
        self._bars()
        self._demand(self._at == len(self._state))

    def _items(self, depth: int) -> None:
        """Read a row, a column or tabs, and what is in it."""
        self._demand(depth < DEPTH)
        kind = self._byte()
        top = self._int(-1, MOST) if kind == _TABS else -1
        self._demand(self._byte() in (1, 2))
        count = self._int(1, MOST)
        self._demand(top < count)
        for _ in range(count):
            marker = self._byte()
            if marker == _DOCK:
                self._name()
                floats = self._flags() & _FLOATS
                self._ints(4, -_FAR if floats else -1, _FAR if floats else _LARGEST)
            else:
                self._demand(marker == _ROW)
                self._ints(4)
                self._demand(self._byte() in (_ROW, _TABS), back=True)
                self._items(depth + 1)

    def _bars(self) -> None:
        self._demand(self._byte() == _BARS)
        for _ in range(self._int(0, _AREAS)):
            self._int(0, _AREAS - 1)
            for _ in range(self._int(1, _AREAS)):
                self._name()
                self._flags()
                self._ints(2)
                self._demand(self._int(0, 0) == 0 == self._int(0, 0))  # where it floats

    def _name(self) -> None:
        length = self._int(2, 200)
        name = self._take(length).decode("utf-16-be")
        self._demand(name not in self._names and len(self._names) < MOST)
        self._names.add(name)

    def _flags(self) -> int:
        flags = self._byte()
        self._demand(flags <= _FLAGS)
        return flags

    def _ints(self, count: int, low: int = -1, high: int = _LARGEST) -> None:
        for _ in range(count):
            self._int(low, high)

    def _int(self, low: int, high: int) -> int:
        value = int(struct.unpack(">i", self._take(4))[0])
        self._demand(low <= value <= high)
        return value

    def _byte(self) -> int:
        return self._take(1)[0]

    def _take(self, count: int) -> bytes:
        taken = self._state[self._at : self._at + count]
        self._demand(len(taken) == count)
        self._at += count
        return taken

    def _demand(self, holds: bool, back: bool = False) -> None:
        if not holds:
            raise _UnsoundError
        if back:  # the byte is read again by what it announces
            self._at -= 1
