"""A run at a terminal: one line of progress, and Ctrl+C that loses nothing."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any, TextIO

from engine.core.ensemble import Progress
from engine.text.numbers import duration

_ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Interrupt:
    """While open, the first Ctrl+C asks the run to stop; the second one stops the program.

    So do the signals by which the system or a closing terminal ends a program, unless they are
    ignored, as under nohup.
    """

    def __init__(self) -> None:
        self.go_on = True
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        with contextlib.suppress(ValueError):  # only the main thread hears signals
            for number in _ENDING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        if not self.go_on:
            raise KeyboardInterrupt
        self.go_on = False


@contextlib.contextmanager
def progress_line(stream: TextIO | None) -> Iterator[Progress]:
    """Return what rewrites one line with the share done and the time left, if a person watches.

    The time left is by the speed since the first share that was done, as workers take their time to
    start.
    """
    if stream is None or not stream.isatty():
        yield lambda done, text: True
        return
    shown = time.monotonic()
    before, begin, first = 0.0, shown, 0.0

    def show(done: float, text: str) -> bool:
        nonlocal begin, first, shown, before
        now = time.monotonic()
        if done < before or first == 0.0:  # the next part of the work, or its beginning
            begin, first = now, done
        before = done
        if now - shown > 0.1:
            shown = now
            left = (now - begin) * (1 - done) / (done - first) if done > first else None
            ending = "" if left is None else f", {duration(left)} left"
            _rewrite(stream, f"{done:4.0%}  {text}{ending}")
        return True

    try:
        yield show
    finally:
        _rewrite(stream, "")


def _rewrite(stream: TextIO, line: str) -> None:
    """Write over the last line; a terminal that was closed is no reason to lose a run."""
    with contextlib.suppress(OSError):
        stream.write(f"\r\x1b[K{line}")
        stream.flush()
