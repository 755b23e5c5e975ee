"""How fast a run goes: so many steps per drawn frame, or as many as fit."""

from __future__ import annotations

import time
from dataclasses import dataclass

CHUNK_SECONDS = 0.008
"""Aim for one kernel call; commands are obeyed between calls."""
FRAME_SECONDS = 1 / 60
"""A frame of the speed control: "steps per frame" are steps per this time."""


@dataclass(slots=True)
class Pace:
    """How many steps are due: `steps_per_frame` of them every frame, or all one can (None)."""

    steps_per_frame: float | None = 1.0
    _credit: float = 0.0
    _since: float = 0.0

    def restart(self) -> None:
        """Begin to count from now, with one step due at once."""
        self._since = time.monotonic()
        self._credit = 1.0

    def due(self, seconds_per_step: float) -> int:
        """Take the steps for one kernel call; 0 if it is too early."""
        fits = max(1, int(CHUNK_SECONDS / seconds_per_step))
        if self.steps_per_frame is None:
            return fits
        now = time.monotonic()
        self._credit += (now - self._since) / FRAME_SECONDS * self.steps_per_frame
        self._since = now
        # Time lost to a slow picture is not made up for in a burst.
        self._credit = min(self._credit, max(2 * self.steps_per_frame, 1.0), float(2 * fits))
        n = min(int(self._credit), fits)
        self._credit -= n
        return n

    @property
    def is_behind(self) -> bool:
        """Whether the steps take all the time there is."""
        return self.steps_per_frame is None or self._credit >= 1

    def wait(self) -> float:
        """Give the seconds until the next step is due."""
        if self.steps_per_frame is None:
            return 0.0
        missing = max(0.0, 1.0 - self._credit)
        return min(max(missing / self.steps_per_frame * FRAME_SECONDS, FRAME_SECONDS / 2), 0.1)
