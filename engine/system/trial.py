"""A trial start of Qt in a process of its own, for where Qt would end this one."""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TRIAL_SECONDS = 20.0
_LONGEST = 4000
_READY = b"\0ready "


def start(platform: str) -> str | int:
    """Start Qt with a platform in a child process.

    Parameters
    ----------
    platform : str
        As for ``QT_QPA_PLATFORM``.

    Returns
    -------
    str or int
        The number of families of fonts with Greek letters that Qt finds if it started, else what
        it said when it gave up, in one line. Only on Linux does Qt end a process that has no
        display; elsewhere nothing is tried, and the number is 1.
    """
    if not sys.platform.startswith("linux"):
        return 1
    reading, writing = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    child = os.fork()  # not a new program: that of a package cannot run other code
    if child == 0:
        _try(platform, reading, writing)
    os.close(writing)
    said = _read_all(reading, child)
    os.close(reading)
    os.waitpid(child, 0)
    words, ready, families = said.rpartition(_READY)
    if ready and families.isdigit():
        return int(families)
    lines = [line.strip() for line in (words + families).decode("utf-8", "replace").splitlines()]
    return next((line for line in lines if line), "it ended without a word")


def refusal_of(platform: str) -> str:
    """Return what Qt says where it does not start with a platform, nothing where it does."""
    found = start(platform)
    return found if isinstance(found, str) else ""


def _read_all(reading: int, child: int) -> bytes:
    """Read what a child writes until it ends; one that takes too long is ended."""
    said, end = b"", time.monotonic() + TRIAL_SECONDS
    while True:
        ready, _, _ = select.select([reading], [], [], max(end - time.monotonic(), 0.0))
        if not ready:
            os.kill(child, signal.SIGKILL)
            return b"it takes too long"
        part = os.read(reading, _LONGEST)
        if not part:
            return said
        said = (said + part)[-_LONGEST:]


def _try(platform: str, reading: int, writing: int) -> None:
    """Start Qt, write what was found, and end the process."""
    try:
        os.close(reading)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number, target in ((0, nowhere), (1, writing), (2, writing)):
            os.dup2(target, number)
        os.environ["QT_QPA_PLATFORM"] = platform
        # By name, because the engine knows no Qt.
        from importlib import import_module

        _app = import_module("PySide6.QtWidgets").QApplication(["trial"])
        fonts = import_module("PySide6.QtGui").QFontDatabase
        families = len(fonts.families(fonts.WritingSystem.Greek))
        os.write(writing, _READY + str(families).encode())
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(0)
