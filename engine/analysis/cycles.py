"""Whether a series repeats itself after some steps, or is drawn to a cycle that does."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

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
