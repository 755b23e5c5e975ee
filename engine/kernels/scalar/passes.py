r"""Passes over the weights of the scalar product network, four lanes at a time.

Products over all weights but one come from prefix and suffix products, so a weight may be zero.
Weight i lives in lane i mod 4 and each lane has a chain of its own, forward at even steps and
backward at odd ones, so that the pass that makes an update also begins the next chain. Weights
are padded with ones to whole rows of four. The order of operations depends on the step's number
alone: a run has the same bits however it is split into calls and whatever is recorded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.core.arrays import FloatArray
from engine.kernels.jit import helper, inner, kernel
from engine.kernels.vectors.doubles import (
    add,
    gather,
    halves,
    lane,
    larger,
    load,
    magnitude,
    mul,
    neighbours,
    smaller,
    splat,
    store,
    sub,
)

GRADIENT_DESCENT, HEAVY_BALL, NESTEROV = 0, 1, 2
HUGE = 1e300


class Tied(NamedTuple):
    """Classes of tied weights, padded: see `engine.kernels.scalar.descent.Ties`."""

    leader: npt.NDArray[np.int64]
    sign: FloatArray
    any: bool


class Run(NamedTuple):
    """Arrays of a run, padded to whole rows of four and overwritten at every step.

    Attributes
    ----------
    w, v : ndarray
        Weights and velocities.
    old_w, old_v : ndarray
        Those of one step before, in case the new ones have diverged.
    g, prefix : ndarray
        Products over all weights but one, and the chain from which they come.
    mask : ndarray
        1 at weights and 0 at the padding.
    """

    w: FloatArray
    v: FloatArray
    old_w: FloatArray
    old_v: FloatArray
    g: FloatArray
    prefix: FloatArray
    mask: FloatArray


@helper
def padded(values: Any, rows: int, fill: float) -> Any:
    """Copy values into an array of whole rows of four."""
    made = np.empty(4 * rows)
    for i in range(4 * rows):  # loops compile much faster than assignments to slices
        made[i] = values[i] if i < values.size else fill
    return made


@helper
def chain(w: Any, rows: int, forward: bool, prefix: Any) -> Any:
    """Store each lane's product of the rows before every row; return the lanes' totals."""
    total = splat(1.0)
    j = 0 if forward else 4 * (rows - 1)
    for _ in range(rows):
        store(prefix, j, total)
        total = mul(total, load(w, j))
        j += 4 if forward else -4
    return total


@helper
def product(total: Any) -> float:
    """Multiply the lanes' totals."""
    pairs = mul(total, neighbours(total))
    value: float = lane(pairs, 0) * lane(pairs, 2)
    return value


@helper
def finish(w: Any, rows: int, forward: bool, total: Any, prefix: Any, mask: Any, g: Any) -> float:
    """Make the products over all weights but one from a finished chain; return their squares' sum.

    `forward` is the direction of the chain; `mask` is 1 at weights and 0 at the padding.
    """
    swapped = neighbours(total)
    suffix = mul(swapped, halves(mul(total, swapped)))
    squares = splat(0.0)
    j = 4 * (rows - 1) if forward else 0
    for _ in range(rows):
        row = mul(mul(load(prefix, j), suffix), load(mask, j))
        suffix = mul(suffix, load(w, j))
        squares = add(squares, mul(row, row))
        store(g, j, row)
        j -= 4 if forward else -4
    value: float = (lane(squares, 0) + lane(squares, 1)) + (lane(squares, 2) + lane(squares, 3))
    return value


@inner
def move(run: Run, ties: Tied, method: int, rate: float, momentum: float, forward: bool) -> Any:
    """Apply an update in place, and begin the new weights' chain in the direction `forward`.

    Parameters
    ----------
    run : Run
        With products over all weights but one in `g`.
    ties : Tied
    rate : float
        Step size times input power times signed error.

    Returns
    -------
    total, top, bottom : pack
        The chain's totals; the largest and the smallest magnitudes of the new weights.
    """
    w, v, old_w, old_v, slopes, prefix, mask = run
    leader, sign, tied = ties
    rows = mask.size // 4
    rates, keep = splat(rate), splat(momentum)
    total, top, bottom = splat(1.0), splat(0.0), splat(HUGE)
    j = 0 if forward else 4 * (rows - 1)
    for _ in range(rows):
        slope = mul(gather(slopes, leader, j), load(sign, j)) if tied else load(slopes, j)
        x = load(w, j)
        if method == GRADIENT_DESCENT:
            y = sub(x, mul(rates, slope))
        else:
            speed = load(v, j)
            store(old_v, j, speed)
            speed = sub(mul(keep, speed), mul(rates, slope))
            store(v, j, speed)
            y = add(x, speed)
        store(old_w, j, x)
        store(w, j, y)
        store(prefix, j, total)
        total = mul(total, y)
        size, inside = magnitude(y), load(mask, j)
        top = larger(mul(size, inside), top)
        bottom = smaller(add(size, mul(splat(HUGE), sub(splat(1.0), inside))), bottom)
        j += 4 if forward else -4
    return total, top, bottom


@helper
def look_ahead(w: Any, v: Any, momentum: float, forward: bool, y: Any, prefix: Any) -> Any:
    """Write Nesterov's point w + momentum v and its chain; return the chain's totals."""
    rows = w.size // 4
    keep = splat(momentum)
    total = splat(1.0)
    j = 0 if forward else 4 * (rows - 1)
    for _ in range(rows):
        point = add(load(w, j), mul(keep, load(v, j)))
        store(y, j, point)
        store(prefix, j, total)
        total = mul(total, point)
        j += 4 if forward else -4
    return total


@helper
def largest(pack: Any) -> float:
    """Return the largest lane."""
    value: float = max(max(lane(pack, 0), lane(pack, 1)), max(lane(pack, 2), lane(pack, 3)))
    return value


@helper
def smallest(pack: Any) -> float:
    """Return the smallest lane."""
    value: float = min(min(lane(pack, 0), lane(pack, 1)), min(lane(pack, 2), lane(pack, 3)))
    return value


@kernel
def descend(
    weights: FloatArray, ties: Tied, first: int, law: Any, limits: Any, errors: FloatArray
) -> int:
    """Descend with a fixed step and record nothing but the signed error after every step.

    Parameters
    ----------
    weights : ndarray, shape (L,)
        Weights before the first step; overwritten by those after the last one made.
    ties : Tied
    first : int
        Number of steps made before.
    law : tuple (scale, target)
        Step size times input power, and the target.
    limits : tuple (product, weight)
        Magnitudes beyond which the run has diverged.
    errors : ndarray, shape (n,)

    Returns
    -------
    int
        Steps made; less than n where the next one diverges.
    """
    scale, target = law
    rows = (weights.size + 3) // 4
    mask = padded(np.ones(weights.size), rows, 0.0)
    w, old = padded(weights, rows, 1.0), padded(weights, rows, 1.0)
    g, prefix = np.zeros(4 * rows), np.ones(4 * rows)
    run = Run(w, g, old, g, g, prefix, mask)  # without momentum no velocity is read or written
    forward = first % 2 == 0
    total = chain(w, rows, forward, prefix)
    error = product(total) - target
    last_mask = load(mask, 4 * (rows - 1))
    for k in range(errors.size):
        rate = scale * error
        rates, top = splat(rate), splat(0.0)
        if ties.any:
            finish(w, rows, forward, total, prefix, mask, g)
            total, top, _ = move(run, ties, GRADIENT_DESCENT, rate, 0.0, not forward)
        else:  # the same operations in one pass
            swapped = neighbours(total)
            suffix = mul(swapped, halves(mul(total, swapped)))
            total = splat(1.0)
            j = 4 * (rows - 1) if forward else 0
            for _ in range(rows):
                x = load(w, j)
                slope = mul(load(prefix, j), suffix)
                if j == 4 * (rows - 1):
                    slope = mul(slope, last_mask)
                y = sub(x, mul(rates, slope))
                suffix = mul(suffix, x)
                store(prefix, j, total)
                total = mul(total, y)
                store(old, j, x)
                store(w, j, y)
                top = larger(magnitude(y), top)
                j -= 4 if forward else -4
        value = product(total)
        if not (abs(value) <= limits[0] and largest(top) <= limits[1]):
            for i in range(weights.size):
                weights[i] = old[i]
            return k
        forward = not forward
        error = value - target
        errors[k] = error
    for i in range(weights.size):
        weights[i] = w[i]
    made: int = errors.size
    return made
