"""A child process on an odd machine: without some libraries, displays, a home or a package."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "QT_QPA_PLATFORM")


def child(
    *arguments: str, hidden: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python with some arguments, no display but those named, and some libraries hidden.

    Parameters
    ----------
    *arguments : str
        Of the interpreter, ``main.py`` for the program.
    hidden : Path, optional
        A folder made by `hide`.
    **variables : str
        Of the environment.
    """
    kept = {key: value for key, value in os.environ.items() if key not in SCREENS}
    if hidden is not None:
        kept["LD_LIBRARY_PATH"] = str(hidden)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def hide(folder: Path, *libraries: str) -> Path:
    """Make a folder in which the system's loader finds empty files in place of libraries."""
    folder.mkdir()
    for name in libraries:
        (folder / name).touch()
    return folder


@contextmanager
def listening_display() -> Iterator[str]:
    """Yield the name of an X display at which something listens that never says a word."""
    with socket.socket() as server:
        for number in range(200, 300):
            try:
                server.bind(("127.0.0.1", 6000 + number))
            except OSError:
                continue
            server.listen()
            yield f"127.0.0.1:{number}.0"
            return
        raise AssertionError("no port is free")
