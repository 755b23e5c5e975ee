r"""Passes over the weights of the scalar product network, four lanes at a time.

Products over all weights but one come from prefix and suffix products, so a weight may be zero.
Weight i lives in lane i mod 4 and each lane has a chain of its own, forward at even steps and
backward at odd ones, so that the pass that makes an update also begins the next chain. Weights
are padded with ones to whole rows of four. The order of operations depends on the step's number
alone: a run has the same bits however it is split into calls and whatever is recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.kernels.jit import helper, kernel
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


@helper
def move(
    w: Any,
    v: Any,
    slopes: Any,
    leader: Any,
    sign: Any,
    tied: bool,
    method: int,
    rate: float,
    momentum: float,
    forward: bool,
    mask: Any,
    old_w: Any,
    old_v: Any,
    prefix: Any,
) -> Any:
    """Apply an update in place, and begin the new weights' chain in the direction `forward`.

    Parameters
    ----------
    w, v, slopes, mask : ndarray
        Weights, velocities, products over all weights but one, and the mask of the padding.
    leader, sign, tied : ndarray, ndarray, bool
        Classes of tied weights.
    rate : float
        Step size times input power times signed error.
    old_w, old_v : ndarray
        Receive the weights and velocities before, in case the new ones have diverged.
    prefix : ndarray
        Receives the new chain.

    Returns
    -------
    total, top, bottom : pack
        The chain's totals; the largest and the smallest magnitudes of the new weights.
    """
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
def descend(weights: Any, ties: Any, first: int, law: Any, limits: Any, errors: Any) -> int:
    """Descend with a fixed step and record nothing but the signed error after every step.

    Parameters
    ----------
    weights : ndarray, shape (L,)
        Weights before the first step; overwritten by those after the last one made.
    ties : tuple (leader, sign, tied)
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
    leader, sign, tied = ties
    mask = padded(np.ones(weights.size), rows, 0.0)
    w, old = padded(weights, rows, 1.0), padded(weights, rows, 1.0)
    g, prefix = np.zeros(4 * rows), np.ones(4 * rows)
    forward = first % 2 == 0
    total = chain(w, rows, forward, prefix)
    error = product(total) - target
    last_mask = load(mask, 4 * (rows - 1))
    for k in range(errors.size):
        rate = scale * error
        rates, top = splat(rate), splat(0.0)
        if tied:
            finish(w, rows, forward, total, prefix, mask, g)
            total, top, _ = move(
                w,
                g,
                g,
                leader,
                sign,
                tied,
                GRADIENT_DESCENT,
                rate,
                0.0,
                not forward,
                mask,
                old,
                g,
                prefix,
            )
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
