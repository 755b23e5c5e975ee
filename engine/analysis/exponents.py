"""Lyapunov exponents of a window: the mean log growth of a small displacement, and its error."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine.core.outcome import Exponent

Array = npt.NDArray[np.float64]

BATCHES = 16
"""Batches of consecutive steps whose means give the standard error, at most."""
FEWEST = 8
"""Fewest batches that give one."""
TURNS = 64
"""Longest unit of steps that a window and its batches are multiples of: a power of 2, so that the
laps of period doublings fit whole."""
SLOWEST = 0.01
"""Least share of what is left of the way to a cycle that a stretch of steps is taken to make."""
SHOWN = 5e-5
"""Relative error below which an exponent of four digits is exact."""
TINY = 1e-300
"""A factor below this is 0."""
SETTLED = 0.75
"""Part of a window, the later, over which an exponent is measured."""


def settled(logs: Array, period: int | None = None) -> Array:
    """Return the later rows, in which a displacement has turned into its direction of growth."""
    return logs[-max(int(SETTLED * logs.size), period or 0, 2) :]


def remaining(last: float, before: float, steps: int) -> float | None:
    """Return how far the exponent of a run that nears a cycle may be from that of the cycle.

    The distance to the cycle shrinks exponentially, and with it the difference.

    Parameters
    ----------
    last, before : float
        The exponents over the last laps, and over as many laps so many `steps` before them.
    steps : int

    Returns
    -------
    float or None
        None where it is too small to show.
    """
    shrinks = max(-math.expm1(min(last * steps, 0.0)), SLOWEST)
    error = abs(last - before) / shrinks
    return error if error > SHOWN * abs(last) else None


def at_minimum(points: Array, factor: Callable[[float], float], of: str) -> Exponent | None:
    """Compute the exponent at a minimum that a run nears, from the points that it came through.

    A negative factor lets the run be to both sides of the minimum in turn, so two points count.

    Parameters
    ----------
    points : ndarray, shape (n,)
        What the factor is a function of, at each of the last n points, in order.
    factor : callable
        Returns the largest factor of a displacement across the minima.
    of : str
        The directions that it is of.

    Returns
    -------
    Exponent or None
        In nats per step, its error what the run may still be off; None where the factor is 0.
    """

    def mean(pair: Array) -> float:
        logs = [math.log(max(abs(factor(x)), TINY)) for x in pair.tolist()]
        return sum(logs) / len(logs)

    if factor(float(points[-1])) == 0.0:
        return None
    back = points.size // 4 * 2
    last = mean(points[-2:])
    error = remaining(last, mean(points[-back - 2 : -back]), back) if back else None
    return Exponent(value=last, error=error, of=of)


def exponent_of(logs: Array, of: str, period: int | None = None) -> Exponent | None:
    """Compute an exponent, in nats per step, with the standard error of batch means.

    A window that cuts a lap of a cycle in two is off by the growth within a lap over its length,
    which near a bifurcation is far more than the exponent itself.

    Parameters
    ----------
    logs : ndarray, shape (n,)
        Log growth of a displacement in each of the last n steps.
    of : str
        The directions that it is of.
    period : int or None
        Length of a lap of the cycle that the run is on, of which a whole number is taken: the value
        is then that of the cycle and no average, and its error what a run that is still nearing the
        cycle can be off.

    Returns
    -------
    Exponent or None
        None of fewer than two steps, or less than a lap; its error is None where it is too small to
        show on a cycle, and where there are too few steps to tell.
    """
    if logs.size < max(period or 0, 2):
        return None
    if period is not None:
        return _on_cycle(logs, of, period)
    unit = min(TURNS, 2 ** int(math.log2(max(logs.size // FEWEST, 2))))
    laps = logs.size // unit
    used = logs[-laps * unit :]
    value = float(np.mean(used))
    if laps < FEWEST:
        return Exponent(value=value, of=of)
    many = min(laps, BATCHES)
    batches = used[-(laps // many) * many * unit :].reshape(many, -1).mean(axis=1)
    error = float(np.std(batches, ddof=1) / math.sqrt(many))
    return Exponent(value=value, error=error, of=of)


def _on_cycle(logs: Array, of: str, period: int) -> Exponent:
    """Average over whole laps of the later half; a complex multiplier lets the sum swing."""
    laps = logs.size // period
    stretch = laps // 4 * period
    if stretch == 0:
        return Exponent(value=float(np.mean(logs[-laps * period :])), of=of)
    last, before = float(np.mean(logs[-stretch:])), float(np.mean(logs[-2 * stretch : -stretch]))
    value = 0.5 * (last + before)
    sums = np.cumsum(logs[-2 * stretch :].reshape(-1, period).sum(axis=1) - period * value)
    swing = float(np.ptp(sums)) / (2 * stretch)
    error = max(remaining(last, before, stretch) or 0.0, swing)
    return Exponent(value=value, error=error if error > SHOWN * abs(value) else None, of=of)
