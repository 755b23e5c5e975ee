"""A run at a terminal: one line of progress, and Ctrl+C that loses nothing."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any, TextIO

from engine.core.ensemble import Progress


class Interrupt:
    """While open, the first Ctrl+C asks the run to stop; the second one stops the program."""

    def __init__(self) -> None:
        self.go_on = True
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        with contextlib.suppress(ValueError):  # only the main thread hears signals
            for number in (signal.SIGINT, signal.SIGTERM):
                self._former[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _heard(self, number: int, _frame: object) -> None:
        if not self.go_on:
            raise KeyboardInterrupt
        self.go_on = False


@contextlib.contextmanager
def progress_line(stream: TextIO) -> Iterator[Progress]:
    """Return what rewrites one line with the share done and the time left, if a person watches."""
    if not stream.isatty():
        yield lambda done, text: True
        return
    begin = shown = time.monotonic()

    def show(done: float, text: str) -> bool:
        nonlocal shown
        now = time.monotonic()
        if now - shown > 0.1:
            shown = now
            left = (now - begin) * (1 - done) / done if done > 0 else 0.0
            stream.write(f"\r\x1b[K{done:4.0%}  {text}, {left:.0f} s left")
            stream.flush()
        return True

    try:
        yield show
    finally:
        stream.write("\r\x1b[K")
        stream.flush()
