"""Whether a run goes round a cycle that attracts."""

from __future__ import annotations

import math
from typing import Any

from engine.kernels.jit import inner
from engine.kernels.maps.advance import (
    CHUNK,
    HYPERPARAMETERS,
    Motion,
    Pack,
    Room,
    constants_of,
)
from engine.kernels.optimisers.steps import FIXED, GRADIENT_DESCENT, HEAVY_BALL, NESTEROV
from engine.kernels.tape.program import hessian

LONGEST = 16
"""Longest period that is looked for; two laps fit into the steps that are seen at once."""
CLOSE = 1e-5
"""Change over a lap, relative to the distance of two points, from which on a cycle is looked at."""
LEFT = 1e-3
"""The same for what is left of the way to the cycle."""
CONTRACTS = 1.0 - 1e-5
"""Largest factor of a lap of a cycle that counts as one that attracts."""
DISTINCT = 1e-9
"""Distance relative to the size of the point, from which on two points are different."""
SQUARINGS = 24
"""Squarings of the derivative of a lap: its spectral radius to a part in 10^6."""


@inner
def change(pack: Pack, lane: int, period: int, laps: int) -> float:
    """Return the largest change of a state over a lap, in the last so many laps.

    Parameters
    ----------
    pack : Pack
        After `CHUNK` steps.
    lane, period, laps : int
    """
    largest = 0.0
    for k in range(CHUNK + 1 - period * laps, CHUNK + 1):
        for i in range(pack.trail.shape[1]):
            moved = abs(pack.trail[k, i, lane] - pack.trail[k - period, i, lane])
            largest = largest if largest >= moved else moved
    return largest


@inner
def size_of(pack: Pack, lane: int) -> float:
    """Return the largest number in the last state, or 1 if that is less."""
    size = 1.0
    for i in range(pack.points.shape[0]):
        size = max(size, abs(pack.points[i, lane]))
    return size


@inner
def has_derivative(motion: Motion) -> bool:
    """Return whether a step is a smooth map, the same at every step."""
    base = motion.base
    is_linear = base.method in (GRADIENT_DESCENT, HEAVY_BALL, NESTEROV)
    return is_linear and base.rule == FIXED


@inner
def _derivative(motion: Motion, pack: Pack, lane: int, k: int, room: Room) -> None:
    """Write the derivative of a step from a state of the trail to ``room.factor``."""
    n, method = room.weights.size, motion.base.method
    first = room.constants.size
    beta = 0.0
    if method != GRADIENT_DESCENT:
        beta = pack.fixed[pack.fixed.shape[0] - HYPERPARAMETERS, lane]
    for i in range(n):
        room.point[i] = pack.trail[k, i, lane]
        if method == NESTEROV:
            room.point[i] += beta * pack.trail[k, n + i, lane]
    hessian(
        motion.program,
        room.point,
        room.constants,
        room.direction,
        room.slopes,
        room.curved,
        room.work,
    )
    factor = room.factor
    for i in range(n):
        rate = pack.fixed[first + i, lane]
        for j in range(n):
            pull, same = rate * room.curved[i, j], 1.0 if i == j else 0.0
            factor[i, j] = same - pull
            if method != GRADIENT_DESCENT:
                kept = beta * (same - pull) if method == NESTEROV else beta * same
                factor[i, n + j] = kept
                factor[n + i, j] = -pull
                factor[n + i, n + j] = kept


@inner
def _multiply(a: Any, b: Any, out: Any) -> float:
    """Write the product of two matrices; return its largest entry."""
    n, largest = a.shape[0], 0.0
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += a[i, k] * b[k, j]
            out[i, j] = total
            largest = largest if largest >= abs(total) else abs(total)
    return largest


@inner
def log_radius(a: Any, scratch: Any) -> float:
    """Return the log of the spectral radius of a matrix, which is overwritten.

    By squaring: the norm of the 2^k-th power to the power 2^-k.
    """
    n, log = a.shape[0], 0.0
    for squaring in range(SQUARINGS):
        size = _multiply(a, a, scratch)
        if not 0.0 < size < math.inf:
            return -math.inf if size == 0.0 else math.nan
        log += math.log(size) / 2.0 ** (squaring + 1)
        for i in range(n):
            for j in range(n):
                a[i, j] = scratch[i, j] / size
    return log


@inner
def log_lap(motion: Motion, pack: Pack, lane: int, period: int, room: Room) -> float:
    """Return the log of the factor by which errors change over a lap that was just made."""
    constants_of(pack, lane, room)
    size = pack.points.shape[0]
    for i in range(size):
        for j in range(size):
            room.lap[i, j] = 1.0 if i == j else 0.0
    for k in range(CHUNK - period, CHUNK):
        _derivative(motion, pack, lane, k, room)
        _multiply(room.factor, room.lap, room.product)
        for i in range(size):
            for j in range(size):
                room.lap[i, j] = room.product[i, j]
    return log_radius(room.lap, room.product)


@inner
def candidate(pack: Pack, lane: int, size: float) -> int:
    """Return the period after which a run nearly repeats, 0 for none.

    A period of 1 is a run that hardly moves.
    """
    if change(pack, lane, 1, 1) <= DISTINCT * size:
        return 1
    spread = change(pack, lane, 1, LONGEST)
    for period in range(2, LONGEST + 1):
        is_far = False
        for i in range(pack.trail.shape[1]):
            moved = abs(pack.trail[CHUNK, i, lane] - pack.trail[CHUNK - period, i, lane])
            is_far = is_far or moved > CLOSE * spread
        if is_far:
            continue
        apart = change(pack, lane, 1, period)
        for divisor in range(2, period):
            if period % divisor == 0:
                apart = min(apart, change(pack, lane, divisor, period // divisor))
        if apart > DISTINCT * size and change(pack, lane, period, 1) <= CLOSE * apart:
            return period
    return 0


@inner
def period_of(motion: Motion, pack: Pack, lane: int, room: Room) -> int:
    """Return the period of the attracting cycle that a run is on or at whose end it is; else 0.

    Its states must repeat, and its multipliers say that it attracts; only where they repeat to the
    last bit, and so always will, the multipliers are not asked.
    """
    size = size_of(pack, lane)
    period = candidate(pack, lane, size)
    if period < 2:
        return 0
    once, twice = change(pack, lane, period, 1), change(pack, lane, period, 2)
    if twice == 0.0:
        return period
    if not has_derivative(motion):
        return 0
    log = log_lap(motion, pack, lane, period, room)
    if not log < math.log(CONTRACTS):
        return 0
    apart = change(pack, lane, 1, period)
    for divisor in range(2, period):
        if period % divisor == 0:
            apart = min(apart, change(pack, lane, divisor, period // divisor))
    return period if once <= LEFT * apart * -math.expm1(log) else 0
