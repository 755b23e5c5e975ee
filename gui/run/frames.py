"""The time between frames of the window and the cost of drawing, measured where it is done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import islice

KEPT = 1200
"""Intervals kept: about 20 s at 60 frames/s."""
LEARNING = 0.3
"""Weight of the latest picture in what pictures are known to cost."""


class CostMeter:
    """Measures what a picture takes of the thread that draws it, its other work included.

    Parameters
    ----------
    clock : callable
        Gives the seconds that the calling thread has worked; tests pass their own.
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._last: float | None = None
        self.seconds = 0.0

    def tick(self) -> None:
        """Begin a picture, and end the one before."""
        now = self._clock()
        if self._last is not None:
            self.seconds += LEARNING * (now - self._last - self.seconds)
        self._last = now

    def pause(self) -> None:
        """Leave out what is done until the next picture."""
        self._last = None


class FrameMeter:
    """Records when frames were drawn and sums up the intervals between them.

    Parameters
    ----------
    clock : callable
        Gives seconds; tests pass their own.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._intervals: deque[float] = deque(maxlen=KEPT)
        self._count = 0
        self._last: float | None = None

    def tick(self) -> None:
        """Record a frame."""
        now = self._clock()
        if self._last is not None:
            self._intervals.append(now - self._last)
            self._count += 1
        self._last = now

    def pause(self) -> None:
        """Leave out the time until the next frame: nothing has to be drawn meanwhile."""
        self._last = None

    def clear(self) -> None:
        """Forget all intervals."""
        self._intervals.clear()
        self._count, self._last = 0, None

    @property
    def count(self) -> int:
        """Number of intervals recorded since the last `clear`."""
        return self._count

    def frames_per_second(self) -> float | None:
        """Mean rate over the last 60 frames, or None before there are any."""
        recent = list(islice(reversed(self._intervals), 60))
        total = sum(recent)
        return len(recent) / total if total > 0 else None

    def percentile(self, percent: float) -> float | None:
        """Percentile of the kept intervals in seconds, or None before there are any."""
        if not self._intervals:
            return None
        kept = sorted(self._intervals)
        whole, part = divmod(percent / 100 * (len(kept) - 1), 1)
        low, high = kept[int(whole)], kept[min(int(whole) + 1, len(kept) - 1)]
        return low + part * (high - low)
