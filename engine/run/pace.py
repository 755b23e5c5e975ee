"""How fast a run goes: steps of one call, steps due per drawn frame, rest between pictures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.core.interrupt import Interrupted, watched

CHUNK_SECONDS = 0.008
"""Time of one kernel call of a run that is watched; commands are obeyed between calls."""
LONG_CHUNK_SECONDS = 0.1
"""Time of one call of a run that nobody watches; progress and Cancel are served between calls."""
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
GROWTH = 8
"""A call makes at most so many times the steps of the longest one before it."""
FRESH = 0.3
"""Weight of the newest call in the average time per step."""


@dataclass(slots=True)
class ChunkSize:
    """How many steps one call should make, learned from the time that earlier calls took.

    Attributes
    ----------
    seconds : float
        Time that a call should take.
    most : int
        Most steps of a call (`Listing.steps_per_call`).
    seconds_per_step : float
        Average time per step, weighted towards recent calls; a guess until the first call.
    """

    seconds: float
    most: int = sys.maxsize
    seconds_per_step: float = 1e-5
    _longest: int = 0

    @property
    def steps(self) -> int:
        """Steps for the next call, at least one; a first call makes only one."""
        fitting = int(self.seconds / self.seconds_per_step)
        return max(1, min(fitting, self.most, GROWTH * self._longest))

    def timed(self, advance: Callable[[int], int], n: int) -> int:
        """Call `advance(n)`, learn from the time it takes, and return the steps it made."""
        begin = time.perf_counter()
        made = advance(n)
        self.learn(made, time.perf_counter() - begin)
        return made

    def learn(self, made: int, elapsed: float) -> None:
        """Take a call into account that made some steps in `elapsed` seconds."""
        if made > 0:
            per_step = max(elapsed, 1e-9) / made
            self.seconds_per_step += FRESH * (per_step - self.seconds_per_step)
            self._longest = max(self._longest, made)


class Chunks:
    """Splits a long stretch of steps into calls of about `LONG_CHUNK_SECONDS`.

    Parameters
    ----------
    advance : callable
        Makes up to a number of steps and returns how many it made.
    report : callable
        Called after each call with an empty text, and now and then within a long step with one
        that says what the step does; returns False to cancel.
    most : int
        Most steps of a call (`Listing.steps_per_call`).

    Attributes
    ----------
    cancelled : bool
        Whether `report` returned False.
    """

    def __init__(
        self, advance: Callable[[int], int], report: Callable[[str], bool], most: int
    ) -> None:
        self._advance = advance
        self._report = report
        self._size = ChunkSize(LONG_CHUNK_SECONDS, most)
        self.cancelled = False

    def advance(self, n: int) -> int:
        """Make some of `n` steps and return how many; 0 at the end of the run or when cancelled."""
        if self.cancelled:
            return 0
        try:
            with watched(lambda fraction, text: self._report(f"{text}, {fraction:.0%}")):
                made = self._size.timed(self._advance, min(n, self._size.steps))
        except Interrupted:
            self.cancelled = True
            return 0
        self.cancelled = not self._report("")
        return made


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

    def due(self, fits: int) -> int:
        """Take the steps for one kernel call, at most `fits` of them; 0 if it is too early."""
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
