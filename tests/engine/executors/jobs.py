"""Jobs that workers in other processes can import."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from engine.core.errors import InputError


def power(shared: int, job: int, stop: threading.Event) -> tuple[int, float]:
    """Return a number and a float whose bits depend on both."""
    return job**shared, (job + 0.1) ** (1.0 / shared)


def letter(shared: bytes, job: int, stop: threading.Event) -> int:
    """Return one of the bytes that all jobs have in common."""
    return shared[job]


def who(shared: object, job: int, stop: threading.Event) -> int:
    """Return the process that carries it out."""
    return os.getpid()


def refuse(shared: str, job: int, stop: threading.Event) -> int:
    """Refuse job 3."""
    if job == 3:
        raise InputError(shared, job, "give another")
    return job


def unportable(shared: object, job: int, stop: threading.Event) -> int:
    """Raise an error that cannot be made again elsewhere."""

    class Local(Exception):
        pass

    raise Local("only here")


def killed_once(folder: Path, job: int, stop: threading.Event) -> int:
    """Kill the worker the first time that job 5 is carried out."""
    if job == 5 and not (folder / "killed").exists():
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return job * job


def deadly(shared: object, job: int, stop: threading.Event) -> int:
    """Kill every worker that carries out job 2."""
    if job == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return job


class OnceBegun(threading.Event):
    """Is set once a job has left a mark in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def is_set(self) -> bool:
        return any(self._folder.iterdir())


def obedient(folder: Path, job: int, stop: threading.Event) -> int:
    """Leave a mark, and go on until it should stop."""
    (folder / str(job)).touch()
    stop.wait(60)
    return job


def stubborn(shared: object, job: int, stop: threading.Event) -> int:
    """Go on for ever, but for the first two."""
    if job > 1:
        threading.Event().wait(60)
    return job
