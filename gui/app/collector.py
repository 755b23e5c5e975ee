"""Garbage collection on the window's thread only."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

CHECK_MS = 250
GROWTH = 1.25
"""A full collection is made when this much more than after the last one has survived so far."""


class Collector(QObject):
    """Replaces Python's automatic collection of reference cycles by one from the event loop.

    Python collects on whatever thread happens to allocate. On the engine's or the typesetter's
    thread it would destroy widgets, scenes and timers that were left in cycles, and Qt objects must
    be destroyed on their own thread: else timers go wrong, and in the worst case the program hangs.

    Parameters
    ----------
    parent : QObject
        Lives on the window's thread, as this object then does.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._survived = 0
        self._timer = QTimer(self, interval=CHECK_MS)
        self._timer.timeout.connect(self.check)
        self._timer.start()

    def check(self) -> None:
        """Collect the generations whose thresholds are passed, as Python itself would."""
        young, middle, old = gc.get_count()
        first, second, third = gc.get_threshold()
        if young <= first:
            return
        if middle <= second:
            gc.collect(0)
        elif old <= third or len(gc.get_objects(generation=2)) <= GROWTH * self._survived:
            gc.collect(1)
        else:
            gc.collect()
            self._survived = len(gc.get_objects(generation=2))

    def stop(self) -> None:
        """Return to Python's automatic collection."""
        self._timer.stop()
        gc.enable()
