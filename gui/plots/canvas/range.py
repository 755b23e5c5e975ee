"""How an axis follows its data: it grows at once, in generous steps, and shrinks with patience."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray

LARGEST = 1e300
"""Values beyond it are shown as this, so that differences stay finite."""
SMALLEST_LOG = -320.0
Ends = tuple[float, float]

NOTHING: Ends = (-0.1, 1.0)
"""Ends around data that are 0 and nothing else: an error or a violation that is not there."""
GROW = 0.3
"""Share of the new span that is added as headroom where data left the axis."""
PAD = 0.05
SHRINK_BELOW = 0.4
SETTLE_BELOW = 0.8
SHRINK_AFTER = 45
"""Frames for which the data must fill less than `SHRINK_BELOW` of the axis before it shrinks."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds an axis, in its own coordinates: powers of ten on a log axis.

    Attributes
    ----------
    low, high : float or None
        Ends it may not pass.
    fixed : tuple of float or None
        Ends it has whatever the data.
    least : float
        The shortest it may be.
    """

    low: float | None = None
    high: float | None = None
    fixed: Ends | None = None
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many frames data must fill less than a share of an axis before it shrinks."""

    share: float = SHRINK_BELOW
    frames: int = SHRINK_AFTER


class CalmRange:
    """The ends of an axis in its own coordinates: powers of ten on a log axis.

    Parameters
    ----------
    limits : Limits
    pad : float
        Share of the data's span that is left free on each side.
    patience : Patience
    """

    def __init__(
        self,
        limits: Limits | None = None,
        pad: float = PAD,
        patience: Patience = Patience(),
    ) -> None:
        self.limits = limits or Limits()
        self._pad, self._patience = pad, patience
        self._ends: Ends | None = self.limits.fixed
        self._small_for = 0
        self._settling = False

    @property
    def ends(self) -> Ends:
        """The ends now, low < high."""
        return self._ends or (0.0, 1.0)

    @property
    def is_nothing(self) -> bool:
        """Whether all data so far are 0, so that the axis has no scale."""
        return self._ends == NOTHING

    def forget(self) -> None:
        """Take the next data as if they were the first."""
        self._ends, self._small_for, self._settling = self.limits.fixed, 0, False

    def settle(self) -> None:
        """Fit the next data closely, for example because the run paused."""
        self._settling = True

    def follow(self, data: Ends | None) -> bool:
        """Take the ends of the data shown; returns whether those of the axis changed."""
        if data is None or self.limits.fixed is not None:
            return False
        settling, self._settling = self._settling, False
        before = self._ends
        low, high = self._within(data[0]), self._within(data[1])
        if before is None or (self.is_nothing and low < high):
            self._ends = self._limited(self._padded(low, high))
        elif low < before[0] or high > before[1]:
            grown = self._padded(low, high) if settling else _grown(low, high, before)
            self._ends = self._limited(grown)
            self._small_for = 0
        else:
            self._shrink(low, high, before, settling)
        return self._ends != before

    def _shrink(self, low: float, high: float, before: Ends, settling: bool) -> None:
        wanted = self._padded(low, high)
        share = (wanted[1] - wanted[0]) / (before[1] - before[0])
        self._small_for = self._small_for + 1 if share < self._patience.share else 0
        if self._small_for > self._patience.frames or (settling and share < SETTLE_BELOW):
            self._ends, self._small_for = self._limited(wanted), 0

    def _padded(self, low: float, high: float) -> Ends:
        low, high = padded(low, high, self._pad)
        missing = (self.limits.least - (high - low)) / 2
        return (low - missing, high + missing) if missing > 0 else (low, high)

    def _within(self, value: float) -> float:
        limits = self.limits
        value = value if limits.low is None else max(value, limits.low)
        return value if limits.high is None else min(value, limits.high)

    def _limited(self, ends: Ends) -> Ends:
        limits = self.limits
        low, high = self._within(ends[0]), self._within(ends[1])
        if low < high:
            return low, high
        if limits.low is not None and limits.high is not None:
            return limits.low, limits.high
        return (low, low + 1.0) if limits.low is not None else (high - 1.0, high)


def padded(low: float, high: float, pad: float = PAD) -> Ends:
    """Return ends around `low` and `high` that are apart even where these are equal."""
    span = high - low
    if span < max(abs(low), abs(high)) * 1e-9 + 1e-30:
        if low == high == 0:
            return NOTHING
        half = max(0.1 * max(abs(low), abs(high)), 1e-300)
        return low - half, high + half
    return low - pad * span, high + pad * span


def _grown(low: float, high: float, before: Ends) -> Ends:
    span = max(high, before[1]) - min(low, before[0])
    end = before[0] if low >= before[0] else low - GROW * span
    if low >= 0 and end < 0:
        end = max(end, min(before[0], -PAD * span))  # no empty half below what is never negative
    return end, before[1] if high <= before[1] else high + GROW * span


def data_ends(arrays: Iterable[FloatArray], log: bool = False) -> Ends | None:
    """Return the least and greatest finite value, as axis coordinates; None if there is none.

    On a log axis values that are not positive do not count.
    """
    low, high = math.inf, -math.inf
    for values in arrays:
        if values.size == 0:
            continue
        least, most = float(np.min(values)), float(np.max(values))
        if not (math.isfinite(least) and math.isfinite(most)) or (log and least <= 0):
            keep = np.isfinite(values) if not log else np.isfinite(values) & (values > 0)
            if not keep.any():
                continue
            least, most = float(values[keep].min()), float(values[keep].max())
        low, high = min(low, least), max(high, most)
    if low > high:
        return None
    if log:
        return max(math.log10(low), SMALLEST_LOG), math.log10(high)
    return max(low, -LARGEST), min(high, LARGEST)


def next_horizon(reached: float) -> float:
    """Return the round end of a step axis with room to grow after `reached` steps."""
    wanted = max(40.0, 1.04 * reached)
    scale = 10.0 ** math.floor(math.log10(wanted))
    for factor in (1.0, 1.25, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0):
        if factor * scale >= wanted:
            return factor * scale
    return 10.0 * scale
