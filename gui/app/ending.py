"""Requests of the system to end the program: Ctrl+C, a logout, a closed terminal; and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from engine.cli.output import INTERRUPTED, report

if TYPE_CHECKING:
    from PySide6.QtCore import QTimer

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that ask the program to end; Windows has no SIGHUP."""
INSIST_SECONDS = 3.0
"""Time after which a program that was asked to end does so without its event loop, which an import
or the building of panels may hold up for long."""
CHECK_MS = 200
"""Interval at which requests are looked for. The timer also lets Python run its handlers."""

GRACE = 0.5
"""Seconds for which threads may still end by themselves, once everything is saved."""
FOREIGN = "Dummy-"
"""How Python begins the names of threads that it did not start: those of libraries."""


def leave(status: int) -> int:
    """End the process at once where a thread is in work that cannot be stopped.

    That is the import of a large library, a compilation, an analysis. The interpreter would wait
    for it, or, where it is a daemon, take down the libraries that it is in. What such a thread
    writes, it writes aside and renames, so that no file is left in part.

    Parameters
    ----------
    status : int
        Exit status of the program.

    Returns
    -------
    int
        The status, where no such thread is left.
    """
    end = time.monotonic() + GRACE
    here = threading.current_thread()
    left = [
        thread
        for thread in threading.enumerate()
        if thread is not here and not thread.name.startswith(FOREIGN)
    ]
    for thread in left:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in left):
        end_at_once(status)
    return status


def end_at_once(status: int) -> NoReturn:
    """End the process without waiting for anything."""
    for stream in (sys.stdout, sys.stderr):
        # RuntimeError: a signal came while the stream was being written
        with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):
            stream.flush()
    os._exit(status)


@contextlib.contextmanager
def interrupted_at_once() -> Iterator[None]:
    """End the process at once by Ctrl+C, for a command that draws and has nothing to save.

    Python would raise an exception, at any instruction: within what Qt calls to paint it is lost,
    or leaves Qt in a state in which it crashes.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):
            report("stopped", INTERRUPTED)
        end_at_once(INTERRUPTED)

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # ignored, or a test's
        yield
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class EndRequests:
    """Notes that the program was asked to end, and ends it once its event loop runs.

    Python runs a signal's handler between any two instructions, for example while a panel is being
    built, or before the event loop runs, where a request to quit is lost. So the handler makes a
    note only; a timer acts on it.

    Parameters
    ----------
    early : callable, optional
        Ends the process at once, where a signal comes before there is anything to save.

    Attributes
    ----------
    is_pending : bool
        Whether a signal came that was not acted on yet.
    """

    def __init__(self, early: Callable[[], object] | None = None) -> None:
        self.is_pending = False
        self._early = early
        self._timer: QTimer | None = None
        self._end_at_once: Callable[[], object] | None = None
        self._before: dict[int, Any] = {}
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                self._before[number] = signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._early is not None:
            self._early()
        self.is_pending = True
        self._insist()

    def hold(self) -> None:
        """Only note signals from here on: there is something to save."""
        self._early = None

    def _insist(self) -> None:
        if self._end_at_once is None or not hasattr(signal, "setitimer"):
            return
        if signal.getitimer(signal.ITIMER_REAL)[0] == 0.0:  # asking again gives no more time
            signal.setitimer(signal.ITIMER_REAL, INSIST_SECONDS)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        if self._end_at_once is not None:
            self._end_at_once()

    def watch(
        self, end: Callable[[], object], end_at_once: Callable[[], object] | None = None
    ) -> None:
        """Call a function from the event loop when a signal came, also one that came before.

        Parameters
        ----------
        end : callable
            Ends the program in order.
        end_at_once : callable, optional
            Ends the process wherever it is; called where `end` has not done so after
            `INSIST_SECONDS`, on systems that have such a timer.
        """
        from PySide6.QtCore import QTimer

        def check() -> None:
            if self.is_pending:
                self.is_pending = False
                end()

        self._end_at_once = end_at_once
        if end_at_once is not None and hasattr(signal, "setitimer"):
            self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._on_alarm)
        if self.is_pending:
            self._insist()
        self._timer = QTimer(interval=CHECK_MS)
        self._timer.timeout.connect(check)
        self._timer.start()

    def stop(self) -> None:
        """Restore the handlers there were before."""
        if self._timer is not None:
            self._timer.stop()
        if self._end_at_once is not None and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
