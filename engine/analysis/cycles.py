"""Whether a series repeats itself after some steps, or is drawn to a cycle that does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.analysis.decay import PARTS, decay_of

Array = npt.NDArray[np.float64]

MAX_PERIOD = 64
"""Longest period looked for; three turns of it must fit into the window."""
REPEATS = 1e-12
"""Relative change over each of two laps up to which a cycle is exact, rounding aside."""
ROUNDED = 1e-14
"""Relative change over a lap that rounding alone can make."""
DISTINCT = 1e-9
"""Relative distance from which on two points of an orbit count as different."""
LEFT = 0.05
"""Part of the distance of its points by which a run may still be off a cycle that draws it in."""
AGREE = (0.6, 1.6)
"""Range of the rate at which laps draw together over that of the tangent: 1 near a cycle, 1/3
where the multiplier is -1 and the approach, slower than exponential, may end at twice the period.
"""
UNIFORM = 0.2
"""Least ratio of the changes over p steps in two quarters of motion that is stationary."""
LAPS = 6
"""Laps over which a run must come nearer to a cycle, for the cycle to be called its own."""


def gap(x: Array, p: int, rows: int, back: int = 0) -> float:
    """Return the largest change over p steps within the rows that end `back` rows ago.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        The states, with ``rows + p + back <= m``.
    p, rows, back : int
    """
    end = x.shape[0] - back
    return float(np.max(np.abs(x[end - rows : end] - x[end - rows - p : end - p])))


def settles(x: Array, p: int, apart: float) -> bool:
    """Return whether a cycle draws the run in, and what is left of the way is small.

    Chaos passes by a cycle often and may linger there, at rates that vary; an approach goes on lap
    after lap at the same rate. Two laps are taken together, for a complex rate makes a lap's change
    vanish at times. With a positive multiplier the changes add up, with a negative one they
    alternate and the first of them is all there is.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        The states.
    p : int
        The period.
    apart : float
        Distance between two points of the cycle, against which what is left must be small.
    """
    laps = min(x.shape[0] // p - 1, max(LAPS, 32 // p))
    if laps < LAPS:
        return False
    gaps = np.array([gap(x, p, p, p * back) for back in range(laps)])
    pairs = np.maximum(gaps[:-1], gaps[1:])
    if pairs[-1] > 0.3 * apart or pairs[0] >= pairs[-1] or pairs[0] <= 0.0:
        return False
    logs, back = np.log(pairs), np.arange(pairs.size)
    rate, start = np.polyfit(back, logs, 1)
    uneven = float(np.max(np.abs(logs - start - rate * back)))
    slower = float(logs[2] - logs[0]) < 1.2 * rate  # the last two laps, against 2 * rate
    if slower or uneven > 0.15 * float(logs[-1] - logs[0]):
        return False
    factor = math.exp(-rate)
    change, former = x[-p:] - x[-2 * p : -p], x[-2 * p : -p] - x[-3 * p : -2 * p]
    alternates = float(np.sum(change * former)) < 0.0
    return bool(gaps[0] / (1.0 + factor if alternates else 1.0 - factor) <= 0.05 * apart)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle that a run is on: exactly, its states repeating to the last bit, or nearly."""

    period: int
    is_exact: bool


def find_cycle(x: Array, growth: Array | None = None, *, is_whole: bool = True) -> Cycle | None:
    """Find the cycle that a run is on, or that draws it in and is almost reached.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        The states.
    growth : ndarray, shape (n,), or None
        Log growth of a small displacement in each of the last n steps, if known. Without it a
        cycle is taken for one only where it holds the run for long.
    is_whole : bool
        Whether the states are all that the next step depends on. If not, as without the velocity of
        a run with momentum, that they repeat to the last bit does not show that they always will.
    """
    m = x.shape[0]
    size = max(float(np.max(np.abs(x[-min(m, 3 * MAX_PERIOD) :]))), 1e-300)
    for p in range(2, min(MAX_PERIOD, m // 3) + 1):
        change = gap(x, p, p)
        if change > 0.02 * 2.0 * size:
            continue
        apart = min(gap(x, q, p) for q in range(1, p) if p % q == 0)
        if apart <= DISTINCT * size or change > 0.02 * apart:
            continue
        repeats = gap(x, p, 2 * p)
        if repeats == 0.0 and is_whole:
            return Cycle(p, is_exact=True)
        if repeats <= REPEATS * size:
            if _holds(x, p, repeats, apart, growth, size):
                return Cycle(p, is_exact=False)
        elif settles(x, p, apart) and _agrees(x, p, growth):
            return Cycle(p, is_exact=False)
    return None


def _lap_growth(p: int, growth: Array, most: int) -> float | None:
    """Return the log of the factor by which a displacement grows per lap, over the last laps."""
    laps = min(growth.size // p, most)
    return float(np.sum(growth[-laps * p :])) / laps if laps else None


def _late_lap_growth(p: int, growth: Array) -> float | None:
    """Return the growth per lap over the last half or quarter of the laps, whichever is larger.

    In the first of them the displacement has not turned into its direction of growth.
    """
    laps = min(growth.size // p, max(1, 256 // p))
    found = [_lap_growth(p, growth, max(1, laps // share)) for share in (2, 4)]
    return max((lap for lap in found if lap is not None), default=None)


def _holds(
    x: Array, p: int, repeats: float, apart: float, growth: Array | None, size: float
) -> bool:
    """Return whether a cycle that repeats up to rounding stays so, with nothing left of the way.

    A change of 1e-12 over a lap can be all that shows of a multiplier of 1 - 1e-9, and the way
    that is left a thousand million times as long.
    """
    lap = None if growth is None else _late_lap_growth(p, growth)
    if lap is not None:
        return lap < 0.0 and max(repeats, ROUNDED * size) <= LEFT * apart * -math.expm1(lap)
    back = (x.shape[0] - 3 * p) // (2 * p) * p
    before = gap(x, p, 2 * p, back) if back else repeats
    return back > 0 and repeats <= max(4.0 * before, 4.0 * ROUNDED * size)


def _agrees(x: Array, p: int, growth: Array | None) -> bool:
    """Return whether laps draw together at the rate of the tangent, as they do near a cycle.

    Where that is not known, whether they do so exponentially over eight laps: where the cycle is
    about to double, they draw together as a power of k.
    """
    if growth is None:
        change = np.max(np.abs(x[p:] - x[:-p]), axis=1)
        decay = decay_of(change[-PARTS * p :]) if change.size >= PARTS * p else None
        return decay is not None and decay.is_exponential
    laps = min(max(LAPS, 32 // p), x.shape[0] // p - 1)
    lap = _lap_growth(p, growth, laps)
    if lap is None or lap >= 0.0:
        return False
    pairs = ((laps - 2, laps - 1), (0, 1))
    first, last = (max(gap(x, p, p, p * back) for back in pair) for pair in pairs)
    if last <= 0.0 or first <= last:
        return False
    ratio = math.log(first / last) / ((laps - 2) * -lap)
    return bool(AGREE[0] <= ratio <= AGREE[1])


def repeats_nowhere(x: Array) -> bool:
    """Return whether states change alike over any number of steps in all quarters of the window.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        The states; False of fewer than three turns of the longest period.

    Returns
    -------
    bool
        False where the run is near a cycle for a quarter of the window, nears one, or leaves one.
    """
    m = x.shape[0]
    if m < 3 * MAX_PERIOD:
        return False
    size = float(np.max(np.abs(x)))
    length = (m - MAX_PERIOD) // 4
    for p in range(1, MAX_PERIOD + 1):
        changes = [gap(x, p, length, quarter * length) for quarter in range(4)]
        if min(changes) < max(UNIFORM * max(changes), REPEATS * size):
            return False
    return True
