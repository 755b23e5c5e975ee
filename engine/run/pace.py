"""How fast a run goes: so many steps per drawn frame, or as many as fit."""

from __future__ import annotations

import time
from dataclasses import dataclass

CHUNK_SECONDS = 0.008
"""Aim for one kernel call; commands are obeyed between calls."""
FRAME_SECONDS = 1 / 60
"""A frame of the speed control: "steps per frame" are steps per this time."""
BUSY_SECONDS = 0.1
"""A run that always had steps due for so long takes all the time there is."""
LONGEST_WAIT = 0.1
"""Seconds after which a slow run looks at its clock again."""
ROUNDING = 1e-9
"""Part of a step by which a due one may seem to be missing."""
LONGEST_REST = 0.5
"""Seconds within which another picture is made, whatever it costs."""


@dataclass(slots=True)
class Pace:
    """How many steps are due: `steps_per_frame` of them every frame, or all one can (None)."""

    steps_per_frame: float | None = 1.0
    _credit: float = 0.0
    _since: float = 0.0
    _idle_at: float = 0.0
    _fits: int = 1

    def restart(self) -> None:
        """Begin to count from now, with one step due at once."""
        self._since = self._idle_at = time.monotonic()
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
        n = min(int(self._credit + ROUNDING), fits)
        self._credit -= n
        self._fits = fits
        return n

    @property
    def is_behind(self) -> bool:
        """Whether the steps take all the time there is."""
        return self.steps_per_frame is None or self._since - self._idle_at > BUSY_SECONDS

    def rest(self, cost: float, share: float) -> float:
        """Return the seconds from one picture to the next, so that they take a share of the time.

        Pictures of `cost` seconds are free while there is time between the steps.
        """
        return min(cost / share, LONGEST_REST) if self.is_behind else 0.0

    def wait(self) -> float:
        """Return the seconds until so many steps are due that they are worth a kernel call."""
        if self.steps_per_frame is None:
            return 0.0
        now = time.monotonic()
        worth = max(1.0, min(self._fits, self.steps_per_frame / 2))
        due_at = self._since + (worth - self._credit) / self.steps_per_frame * FRAME_SECONDS
        if due_at > now:
            self._idle_at = now
        return min(max(due_at - now, 0.0), LONGEST_WAIT)
