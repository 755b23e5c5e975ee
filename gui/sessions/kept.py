"""The files in which windows keep their sessions beside the settings, each window its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile

from engine.core.errors import LabError

if TYPE_CHECKING:
    from engine.storage.session_file import KeptSession

SUFFIX = ".lyapunov"
"""Ending of the name of a session."""
MOST = 20
"""Windows of one settings folder that keep a session at the same time."""


class KeptFiles:
    """A place beside the settings for the session of one window, and for that before it.

    The first window of a settings folder has ``session.lyapunov`` and ``last-session.lyapunov``, a
    second one that is open at the same time ``session-2.lyapunov`` and so on. The place is held by
    a lock, which ends with the process, however that ends.

    Parameters
    ----------
    folder : Path or None
        Of the settings; without one nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._number = 1
        self._lock: QLockFile | None = None
        self._guard = threading.Lock()  # sessions are written in a thread of their own
        self._is_own = False  # what is kept at the place is of this window

    @property
    def is_there(self) -> bool:
        """Whether anything is kept."""
        return self._folder is not None

    def write(self, session: KeptSession, *, as_last: bool = False) -> None:
        """Keep the session of this window, or as the one before it.

        Without room or right for it there is none.
        """
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._guard:
                self._set_aside()
                path = self._path("last-session" if as_last else "session")
            write_session(path, session)
        except (LabError, OSError):
            return

    def last(self) -> Path | None:
        """Return the newest session that no other window is at work on, besides the present one."""
        if self._folder is None or not self._folder.is_dir():
            return None
        with self._guard:
            self._claim()
            return max(self._free(), key=_written, default=None)

    def release(self) -> None:
        """Leave the place to another window; what is kept there stays."""
        with self._guard:
            if self._lock is not None:
                self._lock.unlock()
            self._lock, self._is_own = None, False

    def _free(self) -> Iterator[Path]:
        """Yield the files of all places that no other window holds, but for the present session."""
        for number in range(1, MOST + 1):
            is_here = number == self._number
            names = ("last-session",) if is_here and self._is_own else ("session", "last-session")
            paths = [self._path(name, number) for name in names]
            paths = [path for path in paths if path.is_file()]
            if is_here:
                yield from paths
            elif paths and (lock := self._locked(number)) is not None:
                lock.unlock()
                yield from paths

    def _claim(self) -> None:
        """Take the first place that nobody holds, once."""
        if self._lock is not None:
            return
        for number in range(1, MOST + 1):
            self._lock = self._locked(number)
            if self._lock is not None:
                self._number = number
                return

    def _locked(self, number: int) -> QLockFile | None:
        lock = QLockFile(str(self._path("session", number, ".lock")))
        lock.setStaleLockTime(0)  # it is held as long as its process lives
        return lock if lock.tryLock(0) else None

    def _set_aside(self) -> None:
        """Make the session that an earlier window kept at this place the last one, once."""
        self._claim()
        if not self._is_own:
            self._is_own = True
            former = self._path("session")
            if former.is_file():
                os.replace(former, self._path("last-session"))

    def _path(self, name: str, number: int = 0, suffix: str = SUFFIX) -> Path:
        number = number or self._number
        assert self._folder is not None
        return self._folder / (f"{name}{suffix}" if number == 1 else f"{name}-{number}{suffix}")


def write_session(path: Path, session: KeptSession) -> None:
    """Write a session, as `engine.storage.session_file.save` does."""
    from engine.storage.session_file import save  # loads what reads files of all kinds

    save(path, session)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
