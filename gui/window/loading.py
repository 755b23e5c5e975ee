"""Work before the window can be used, in a thread of its own, so that it answers meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal


class Loader(QObject):
    """Runs a function once in the background; no Qt object may be touched by it.

    Parameters
    ----------
    load : callable
        What to run. An error in it is left to whoever then needs what was not loaded, on the
        window's own thread, where it can be shown.

    Attributes
    ----------
    done : Signal
        The function returned or failed.
    """

    done = Signal()

    def __init__(self, load: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load = load
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="loader")
            self._thread.start()

    def wait(self) -> None:
        """Wait for the end, if it was begun; an import cannot be broken off."""
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        with contextlib.suppress(Exception):
            self._load()
        self.done.emit()
