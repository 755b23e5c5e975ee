"""Steps of a pack of runs, by machine code of its own or by the kernels of a single run."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner
from engine.kernels.optimisers.eigenvalues import extremes
from engine.kernels.optimisers.steps import (
    FIXED,
    GRADIENT_DESCENT,
    HEAVY_BALL,
    NESTEROV,
    POLYAK,
    SHARPNESS,
    Rule,
    length,
    look_ahead,
    move,
    step_size,
)
from engine.kernels.tape.intrinsics import call
from engine.kernels.tape.program import Program, differentiate, gradient, hessian

CHUNK = 48
"""Steps after which runs are looked at."""
HUGE = 1e300
"""Magnitude of the loss or of its gradient beyond which a run has diverged."""
MOMENTUM, STEP, ALPHA, CAP, SQUARE_DECAY, EPSILON, DECAY, RADIUS, LOWEST = range(9)
"""Places of hyperparameters, after the constants and the step sizes of the coordinates."""
HYPERPARAMETERS = 9


class Motion(NamedTuple):
    """What all runs of a map have in common.

    Attributes
    ----------
    program : Program
        The loss.
    address : int
        Of the machine code for packs, 0 where the kernels of a single run make the steps.
    copies : int
        Numbers that a weight has in the state of a run, itself included.
    base : Rule
        The optimiser; its numbers are those of the cells.
    scales : ndarray, shape (n,)
        Factors of the coordinates' step sizes.
    has_edges : bool
        Whether the loss may be no number where its gradient is one.
    whole : Program
        The loss in coordinates that tell equal weights apart; `program` where none are merged.
    variables : ndarray of int64, shape (p,)
        Variable that each of those coordinates belongs to; empty where none are merged.
    units : ndarray, shape (p,)
        Length of each coordinate of a unit displacement.
    """

    program: Program
    address: int
    copies: int
    base: Rule
    scales: FloatArray
    has_edges: bool
    whole: Program
    variables: NDArray[Any]
    units: FloatArray


class Pack(NamedTuple):
    """Runs in the lanes of a pack.

    Attributes
    ----------
    points, pushes : ndarray, shape (copies * n, W)
        States, and displacements.
    fixed : ndarray, shape (c + n + 9, W)
        Constants, step sizes of the coordinates, hyperparameters.
    trail : ndarray, shape (1 + CHUNK, copies * n, W)
        States before and after the last steps.
    peaks : ndarray, shape (W,)
        Largest weights after the last steps, nan where one was no number.
    made : ndarray of int64, shape (W,)
        Steps made.
    """

    points: FloatArray
    pushes: FloatArray
    fixed: FloatArray
    trail: FloatArray
    peaks: FloatArray
    made: NDArray[Any]


class Room(NamedTuple):
    """Working arrays of one thread.

    ``work`` of the program for 2 coefficients; vectors (n,) and (2 n,); ``moments`` (2, n);
    matrices (n, n) and (m, m) for m numbers a state. Of p coordinates that tell equal weights
    apart: work, ``parts`` and a vector (p,), a vector (2 p,) and a matrix (p, p).
    """

    work: FloatArray
    constants: FloatArray
    weights: FloatArray
    slope: FloatArray
    ahead: FloatArray
    point: FloatArray
    direction: FloatArray
    slopes: FloatArray
    moments: FloatArray
    curved: FloatArray
    vectors: FloatArray
    lap: FloatArray
    factor: FloatArray
    product: FloatArray
    whole_work: FloatArray
    parts: FloatArray
    whole_direction: FloatArray
    whole_slopes: FloatArray
    whole_curved: FloatArray


@inner
def constants_of(pack: Pack, lane: int, room: Room) -> None:
    """Copy the constants of a lane."""
    for i in range(room.constants.size):
        room.constants[i] = pack.fixed[i, lane]


@inner
def rule_of(motion: Motion, pack: Pack, lane: int, n: int) -> Rule:
    """Return the optimiser with the hyperparameters of a lane."""
    base, first = motion.base, pack.fixed.shape[0] - HYPERPARAMETERS
    return Rule(
        base.method,
        base.rule,
        pack.fixed[first + STEP, lane],
        pack.fixed[first + ALPHA, lane],
        pack.fixed[first + CAP, lane],
        pack.fixed[first + MOMENTUM, lane],
        pack.fixed[first + SQUARE_DECAY, lane],
        pack.fixed[first + EPSILON, lane],
        base.penalty,
        pack.fixed[first + DECAY, lane],
        pack.fixed[first + RADIUS, lane],
        pack.fixed[first + LOWEST, lane],
        base.schedule,
        base.warmup,
        base.length,
        base.end,
        base.begun,
    )


@inner
def curvature_for(motion: Motion, rule: Rule, at: Any, room: Room) -> float:
    """Return what the step size is to be divided by: an eigenvalue of the Hessian at a point."""
    if rule.rule == FIXED or rule.method == POLYAK:
        return 0.0
    hessian(motion.program, at, room.constants, room.direction, room.slopes, room.curved, room.work)
    least, greatest = extremes(room.curved)
    return greatest if rule.rule == SHARPNESS else max(abs(least), abs(greatest))


@inner
def _one_lane(motion: Motion, pack: Pack, lane: int, steps: int, room: Room) -> None:
    """Make steps of one run, as a run that is alone makes them."""
    n, copies = room.weights.size, motion.copies
    w, moments, slope, point = room.weights, room.moments, room.slope, room.point
    rule = rule_of(motion, pack, lane, n)
    constants_of(pack, lane, room)
    for i in range(n):
        w[i] = pack.points[i, lane]
        moments[0, i] = pack.points[n + i, lane] if copies > 1 else 0.0
        moments[1, i] = pack.points[2 * n + i, lane] if copies > 2 else 0.0
    peak, is_spoilt = 0.0, False
    for k in range(steps):
        loss = gradient(motion.program, w, room.constants, slope, room.work)
        size = length(slope)
        is_spoilt = is_spoilt or not (abs(loss) <= HUGE and size <= HUGE)
        is_elsewhere = look_ahead(rule, w, moments, slope, size, point)
        curvature = curvature_for(motion, rule, point, room)
        step = step_size(rule, pack.made[lane] + k, loss, size, curvature)
        if is_elsewhere:
            gradient(motion.program, point, room.constants, room.ahead, room.work)
            move(rule, pack.made[lane] + k, step, w, moments, room.ahead, point, motion.scales)
        else:
            move(rule, pack.made[lane] + k, step, w, moments, slope, point, motion.scales)
        for i in range(n):
            height = abs(w[i])
            peak = peak if peak >= height else height
            pack.trail[k + 1, i, lane] = w[i]
            if copies > 1:
                pack.trail[k + 1, n + i, lane] = moments[0, i]
            if copies > 2:
                pack.trail[k + 1, 2 * n + i, lane] = moments[1, i]
    for i in range(copies * n):
        pack.points[i, lane] = pack.trail[steps, i, lane]
    pack.peaks[lane] = math.nan if is_spoilt else peak


@inner
def _begin_trail(pack: Pack) -> None:
    """Write the points before the first step."""
    size, lanes = pack.points.shape
    for i in range(size):
        for lane in range(lanes):
            pack.trail[0, i, lane] = pack.points[i, lane]


@inner
def _make_at(address: int, motion: Motion, pack: Pack, steps: int, room: Room) -> None:
    """Make steps of all runs by the machine code at an address."""
    call(
        address,
        pack.points,
        pack.fixed,
        pack.pushes,
        steps,
        pack.trail[1:],
        pack.peaks,
        motion.program.table,
        room.work,
    )


@inner
def advance(motion: Motion, pack: Pack, steps: int, room: Room) -> None:
    """Make up to `CHUNK` steps of all runs."""
    lanes = pack.points.shape[1]
    _begin_trail(pack)
    if motion.address:
        _make_at(motion.address, motion, pack, steps, room)
    else:
        for lane in range(lanes):
            _one_lane(motion, pack, lane, steps, room)
    for lane in range(lanes):
        pack.made[lane] += steps


@inner
def _push_lane(motion: Motion, pack: Pack, lane: int, steps: int, room: Room) -> None:
    """Make steps of one run with a displacement; of an optimiser without or with momentum."""
    n, first = room.weights.size, room.constants.size
    method, plain = motion.base.method, motion.base.method == GRADIENT_DESCENT
    beta = 0.0 if plain else pack.fixed[pack.fixed.shape[0] - HYPERPARAMETERS, lane]
    constants_of(pack, lane, room)
    points, pushes, peak, spoilt = pack.points, pack.pushes, 0.0, 0.0
    for k in range(steps):
        for i in range(n):
            room.point[i], room.direction[i] = points[i, lane], pushes[i, lane]
            if method == NESTEROV:
                room.point[i] += beta * points[n + i, lane]
                room.direction[i] += beta * pushes[n + i, lane]
        differentiate(
            motion.program,
            room.point,
            room.constants,
            room.direction,
            2,
            room.work,
            room.slopes,
            room.work,
        )
        spoilt += 0.0 * room.work[0]
        for i in range(n):
            rate = pack.fixed[first + i, lane]
            pull, turn = rate * room.slopes[i], rate * room.slopes[n + i]
            if method == HEAVY_BALL or method == NESTEROV:
                points[n + i, lane] = beta * points[n + i, lane] - pull
                points[i, lane] += points[n + i, lane]
                pushes[n + i, lane] = beta * pushes[n + i, lane] - turn
                pushes[i, lane] += pushes[n + i, lane]
            else:
                points[i, lane] -= pull
                pushes[i, lane] -= turn
            height = abs(points[i, lane])
            peak = peak if peak >= height else height
        for i in range(points.shape[0]):
            pack.trail[k + 1, i, lane] = points[i, lane]
    pack.peaks[lane] = peak + spoilt


@inner
def advance_pushed(motion: Motion, address: int, pack: Pack, steps: int, room: Room) -> None:
    """Make up to `CHUNK` steps of all runs, each with its displacement.

    Parameters
    ----------
    motion : Motion
        Of gradient descent without or with momentum, with a fixed step size.
    address : int
        Of the machine code for packs with displacements; 0 for none.
    pack : Pack
    steps : int
    room : Room
    """
    lanes = pack.points.shape[1]
    _begin_trail(pack)
    if address:
        _make_at(address, motion, pack, steps, room)
    else:
        for lane in range(lanes):
            _push_lane(motion, pack, lane, steps, room)
    for lane in range(lanes):
        pack.made[lane] += steps
