"""Whether a run that hardly moves is at an equilibrium, and of what kind.

In the coordinates in which the optimiser has the step size 1 the Hessian is A = R^(1/2) H R^(1/2)
with the step sizes R of the weights; its eigenvalues decide whether the equilibrium attracts. The
sharpness is the largest eigenvalue of H itself; where a variable stands for several equal weights,
of the Hessian in all weights, whose negative eigenvalues show a saddle too.
"""

from __future__ import annotations

import math
from typing import Any

from engine.kernels.jit import inner
from engine.kernels.maps.advance import Motion, Pack, Room, constants_of, curvature_for, rule_of
from engine.kernels.optimisers.eigenvalues import extremes
from engine.kernels.optimisers.steps import (
    ADAM,
    ADAMW,
    FIXED,
    HEAVY_BALL,
    NESTEROV,
    NORMALISED,
    POLYAK,
    RMSPROP,
    SAM,
    Rule,
    step_size,
)
from engine.kernels.tape.program import gradient, hessian

NOWHERE, MINIMUM, MANIFOLD, REPELLING, NEUTRAL = range(5)
"""What is near: no equilibrium, an isolated minimum that attracts, one of a manifold, an
equilibrium that repels (a saddle, or a minimum that is too sharp), or one where it is open."""
FLAT = 1e-8
"""Eigenvalue relative to the largest, below which a direction counts as flat."""
CONTRACTS = 1.0 - 1e-9
"""Largest factor of errors, per step, of an equilibrium that attracts."""
EXACT = 1e-9
"""Length of a Newton step, relative to the size of the point, after which no other is made."""
POLISH = 5
"""Newton steps at most."""
SWEEPS = 30


@inner
def diagonalise(a: Any, vectors: Any) -> None:
    """Turn a symmetric matrix to its eigenvalues, by Jacobi's rotations; columns are vectors."""
    n = a.shape[0]
    size = 0.0
    for i in range(n):
        for j in range(n):
            vectors[i, j] = 1.0 if i == j else 0.0
            size = max(size, abs(a[i, j]))
    for _ in range(SWEEPS):
        left = 0.0
        for p in range(n - 1):
            for q in range(p + 1, n):
                left = max(left, abs(a[p, q]))
        if left <= 1e-17 * size:
            return
        for p in range(n - 1):
            for q in range(p + 1, n):
                if a[p, q] != 0.0:
                    _rotate(a, vectors, p, q)


@inner
def _rotate(a: Any, vectors: Any, p: int, q: int) -> None:
    n = a.shape[0]
    half = 0.5 * (a[q, q] - a[p, p]) / a[p, q]
    sign = 1.0 if half >= 0.0 else -1.0
    t = sign / (abs(half) + math.sqrt(half * half + 1.0))
    c = 1.0 / math.sqrt(t * t + 1.0)
    s = t * c
    a[p, p] -= t * a[p, q]
    a[q, q] += t * a[p, q]
    a[p, q] = 0.0
    a[q, p] = 0.0
    for i in range(n):
        x, y = vectors[i, p], vectors[i, q]
        vectors[i, p] = c * x - s * y
        vectors[i, q] = s * x + c * y
        if i != p and i != q:
            x, y = a[i, p], a[i, q]
            a[i, p] = c * x - s * y
            a[i, q] = s * x + c * y
            a[p, i] = a[i, p]
            a[q, i] = a[i, q]


@inner
def factor_at(rule: Rule, pull: float) -> float:
    """Return by how much a step changes an error, at most, along a direction.

    Parameters
    ----------
    rule : Rule
    pull : float
        Step size times curvature; for an adaptive optimiser with the least it can divide by.
    """
    beta = rule.momentum
    if rule.method == POLYAK:
        return 0.5 if pull > 0.0 else 2.0
    if rule.method in (SAM, NORMALISED) or (rule.method == ADAMW and rule.decay > 0.0):
        return 2.0  # they rest at no minimum
    trace, product = 1.0 - pull, 0.0
    if rule.method == HEAVY_BALL:
        trace, product = 1.0 + beta - pull, beta
    elif rule.method == NESTEROV:
        trace, product = (1.0 + beta) * (1.0 - pull), beta * (1.0 - pull)
    elif rule.method == ADAM or rule.method == ADAMW:
        trace, product = 1.0 + beta - (1.0 - beta) * pull, beta
    inside = 0.25 * trace * trace - product
    if inside <= 0.0:
        return math.sqrt(max(product, 0.0))
    return 0.5 * abs(trace) + math.sqrt(inside)


@inner
def _measure(motion: Motion, rule: Rule, made: int, at: Any, room: Room) -> bool:
    """Write A's eigenvalues and vectors at a point; return whether all is finite."""
    n = at.size
    step = step_size(rule, made, 0.0, 1.0, 0.0)  # where the state decides it, see below
    if rule.rule != FIXED and rule.method != POLYAK:
        curvature = curvature_for(motion, rule, at, room)
        step = rule.alpha / curvature if rule.alpha < rule.cap * curvature else rule.cap
    if rule.method == RMSPROP or rule.method == ADAM or rule.method == ADAMW:
        step /= rule.epsilon
    if rule.method == POLYAK:
        step = 1.0
    gradient(motion.program, at, room.constants, room.slope, room.work)
    hessian(motion.program, at, room.constants, room.direction, room.slopes, room.curved, room.work)
    for i in range(n):
        room.ahead[i] = math.sqrt(step * motion.scales[i])
    for i in range(n):
        for j in range(n):
            room.curved[i, j] *= room.ahead[i] * room.ahead[j]
            if not abs(room.curved[i, j]) < math.inf:
                return False
        if not abs(room.slope[i]) < math.inf:
            return False
    diagonalise(room.curved, room.vectors)
    return True


@inner
def judge(
    motion: Motion, pack: Pack, lane: int, near: float, room: Room
) -> tuple[int, float, float]:
    """Return what equilibrium a run is near, the sharpness there, and the factor of errors.

    The factor is the largest across a manifold.

    Parameters
    ----------
    motion, pack, lane, room
        The equilibrium is written to ``room.weights``.
    near : float
        Distance up to which it is near.
    """
    n = room.weights.size
    rule = rule_of(motion, pack, lane, n)
    constants_of(pack, lane, room)
    at, far, size = room.weights, 0.0, 1.0
    for i in range(n):
        at[i] = pack.points[i, lane]
        size = max(size, abs(at[i]))
    for _ in range(POLISH):
        if not _measure(motion, rule, pack.made[lane], at, room):
            return NOWHERE, math.nan, math.nan
        top = 0.0
        for i in range(n):
            top = max(top, abs(room.curved[i, i]))
        longest = 0.0
        for i in range(n):
            room.point[i] = 0.0
        for j in range(n):
            value = room.curved[j, j]
            if abs(value) > FLAT * top:
                part = 0.0
                for i in range(n):
                    part += room.vectors[i, j] * room.ahead[i] * room.slope[i]
                for i in range(n):
                    room.point[i] += room.ahead[i] * room.vectors[i, j] * part / value
        for i in range(n):
            longest = max(longest, abs(room.point[i]))
        if longest <= EXACT * size:
            break
        for i in range(n):
            at[i] -= room.point[i]
            far = max(far, abs(at[i] - pack.points[i, lane]))
        if far > near:
            return NOWHERE, math.nan, math.nan
    if top == 0.0 or longest > EXACT * size or not _is_level(room, top, size):
        return NOWHERE, math.nan, math.nan
    return _kind(motion, rule, room, top)


@inner
def _is_level(room: Room, top: float, size: float) -> bool:
    """Return whether the gradient vanishes in the flat directions, too."""
    n = room.weights.size
    for j in range(n):
        if abs(room.curved[j, j]) <= FLAT * top:
            part = 0.0
            for i in range(n):
                part += room.vectors[i, j] * room.ahead[i] * room.slope[i]
            if not abs(part) <= EXACT * top * size:
                return False
    return True


@inner
def _whole_extremes(motion: Motion, room: Room) -> tuple[float, float]:
    """Return the extreme eigenvalues of the Hessian in all weights, where some are merged.

    After the last of Newton's steps, in ``room.point``: across equal weights of a minimum the
    curvature is 0, but grows with the distance from it.
    """
    count = motion.variables.size
    for i in range(count):
        k = motion.variables[i]
        room.parts[i] = room.weights[k] - room.point[k]
    hessian(
        motion.whole,
        room.parts,
        room.constants,
        room.whole_direction,
        room.whole_slopes,
        room.whole_curved,
        room.whole_work,
    )
    for i in range(count):
        for j in range(count):
            room.whole_curved[i, j] *= motion.units[i] * motion.units[j]
    least, greatest = extremes(room.whole_curved)
    return least, greatest


@inner
def _kind(motion: Motion, rule: Rule, room: Room, top: float) -> tuple[int, float, float]:
    """Return what the eigenvalues at an equilibrium say of it, with sharpness and factor."""
    n = room.weights.size
    flat, largest, is_saddle, sharpness = 0, 0.0, False, -math.inf
    is_even = True
    for j in range(n):
        is_even = is_even and room.ahead[j] == room.ahead[0]
    for j in range(n):
        value = room.curved[j, j]
        sharpness = max(sharpness, value / (room.ahead[j] * room.ahead[j]))
        if abs(value) <= FLAT * top:
            flat += 1
        else:
            is_saddle = is_saddle or value < 0.0
            largest = max(largest, factor_at(rule, value))
    if motion.variables.size:
        least, sharpness = _whole_extremes(motion, room)
        is_saddle = is_saddle or least < -FLAT * max(abs(least), abs(sharpness))
    elif not is_even:  # the eigenvalues are those of another matrix than the Hessian
        hessian(
            motion.program,
            room.weights,
            room.constants,
            room.direction,
            room.slopes,
            room.curved,
            room.work,
        )
        sharpness = extremes(room.curved)[1]
    if is_saddle or largest > 2.0 - CONTRACTS:
        return REPELLING, sharpness, largest
    if largest >= CONTRACTS:
        return NEUTRAL, sharpness, largest
    return (MANIFOLD if flat else MINIMUM), sharpness, largest
