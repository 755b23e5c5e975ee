"""The update rule of the scalar residual pair, compiled: n steps of a batch of pairs in one call.

Between affine pieces the sums over the data come from running sums
(`engine.kernels.residual.pieces`); only where a weight is <= -1 is each point visited
(`engine.kernels.residual.points`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from engine.kernels.jit import helper, kernel, plain_kernel
from engine.kernels.residual import pieces, points
from engine.kernels.residual.pieces import Data, Floats, Ints, Scratch

GRADIENT, HEAVY_BALL, NESTEROV = 0, 1, 2
SEQUENCE, RATIO, CONSTANT = 0, 1, 2
"""Momentum of Nesterov's method: t_k, k / (k + 3), or constant."""

COLUMNS = (
    "mse",
    "gradient_w",
    "gradient_b",
    "gradient_c",
    "gradient_d",
    "residual_12a",
    "residual_12b",
    "residual_b",
    "weight_movement",
    "bias_movement",
    "lipschitz",
    "smallest",
)
"""What is recorded at a step, always of the iterate itself (not of Nesterov's extrapolation)."""

LIMIT = 1e9
"""A parameter beyond this is divergence."""
LARGEST_MSE = 1e30
"""A recorded mean squared error beyond this is divergence; no other record can overflow then."""


class Rule(NamedTuple):
    """The update rule: step size, momentum and constraint.

    ``method`` is GRADIENT, HEAVY_BALL or NESTEROV; ``schedule`` SEQUENCE, RATIO or CONSTANT;
    ``projected`` clamps w and b at 0 and c at ``floor`` after each step; ``train_biases`` False
    leaves the biases where they started.
    """

    step_size: float
    method: int = NESTEROV
    schedule: int = SEQUENCE
    momentum: float = 0.9
    projected: bool = True
    floor: float = 1e-6
    train_biases: bool = True


class Records(NamedTuple):
    """Recorded rows.

    ``scalars`` (rows, pairs, 12), ``kinks`` (rows, pairs, 2, L), and ``path``
    (rows, pairs, 4L + 3), which has no rows where the parameters are not kept.
    """

    scalars: Floats
    kinks: Floats
    path: Floats


class Batch(NamedTuple):
    """Pairs of networks, a row each, as in `engine.kernels.residual.descent.Pairs`."""

    theta: Floats
    previous: Floats
    start: Floats
    diverged: Ints


class Span(NamedTuple):
    """How many steps were made before, how many to make, and how many for one row of records."""

    first: int
    steps: int
    every: int


class Row(NamedTuple):
    """Where a measurement of a pair goes."""

    records: Records
    row: int
    pair: int


@kernel
def make_scratch(depth: int, count: int) -> Scratch:
    """Scratch for networks of ``depth`` layers on ``count`` points."""
    return Scratch(
        np.zeros((3, 2, depth), np.int64),
        np.zeros((5, 2, depth + 1)),
        np.zeros((2, 2, depth, depth + 1)),
        np.zeros((2, 2, depth + 1)),
        np.zeros((2, depth + 1, count)),
        np.zeros(count),
        np.zeros(count),
    )


@kernel
def gradient(theta: Floats, data: Data, work: Scratch, grad: Floats, squares: bool) -> float:
    """Gradient of 1/(2N) sum e^2 at ``theta`` (4L + 3,) into ``grad``; the mean of e^2 if asked."""
    if pieces.is_increasing(theta, work.ranks.shape[2]):
        return pieces.gradient_by_pieces(theta, data, work, grad, squares)
    return points.gradient_by_points(theta, data, work, grad)


@helper
def norm(values: Floats, first: int, end: int) -> float:
    """Euclidean norm of values[first:end]."""
    total = 0.0
    for i in range(first, end):
        total += values[i] * values[i]
    return math.sqrt(total)


@helper
def distance(one: Floats, other: Floats, first: int, end: int) -> float:
    """Euclidean distance between one[first:end] and other[first:end]."""
    total = 0.0
    for i in range(first, end):
        total += (one[i] - other[i]) ** 2
    return math.sqrt(total)


@helper
def residual(
    theta: Floats, grad: Floats, first: int, end: int, bound: float, projected: bool
) -> float:
    """Largest violation of first-order optimality; at a bound only a descent direction counts."""
    worst = 0.0
    for i in range(first, end):
        if projected and theta[i] <= bound:
            worst = max(worst, -grad[i])
        else:
            worst = max(worst, abs(grad[i]))
    return worst


@helper
def measure(
    theta: Floats,
    start: Floats,
    grad: Floats,
    data: Data,
    work: Scratch,
    rule: Rule,
    mse: float,
    to: Row,
) -> None:
    """Fill one row of COLUMNS and of the kinks; ``grad`` was just computed at ``theta``."""
    records, row, pair = to
    depth = work.ranks.shape[2]
    count = data.x.size
    weights, biases, scales = 2 * depth, 4 * depth, 4 * depth + 2
    increasing = pieces.is_increasing(theta, depth)
    if increasing:
        steepest = pieces.steepest_by_pieces(theta, data, work)
    else:
        steepest = points.steepest_by_points(theta, work)
    for net in range(2):
        for layer in range(depth):
            if increasing:
                place = work.lines[0, net, work.ranks[1, net, layer]]
            else:
                place = points.crossing_by_points(theta, net, layer, data, work)
            records.kinks[row, pair, net, layer] = place
    smallest = theta[0]
    for i in range(scales):
        smallest = min(smallest, theta[i])
    out = records.scalars[row, pair]
    out[0] = mse
    out[1] = norm(grad, 0, weights)
    out[2] = norm(grad, weights, biases)
    out[3] = norm(grad, biases, scales)
    out[4] = abs(grad[scales])
    out[5] = count * residual(theta, grad, 0, weights, 0.0, rule.projected)
    out[6] = count * residual(theta, grad, biases, scales, rule.floor, rule.projected)
    out[7] = count * residual(theta, grad, weights, biases, 0.0, rule.projected)
    out[8] = distance(theta, start, 0, weights)
    out[9] = distance(theta, start, weights, biases)
    out[10] = steepest
    out[11] = smallest
    for i in range(theta.size if records.path.shape[0] > 0 else 0):
        records.path[row, pair, i] = theta[i]


@helper
def next_clock(clock: float) -> float:
    """Nesterov's t_{k+1} = (1 + sqrt(1 + 4 t_k^2)) / 2."""
    return (1.0 + math.sqrt(1.0 + 4.0 * clock * clock)) / 2.0


@helper
def coefficient(rule: Rule, step: int, clock: float) -> float:
    """Factor of theta_k - theta_{k-1} at step k; the first step has none."""
    if step == 0 or rule.method == GRADIENT:
        return 0.0
    if rule.method == HEAVY_BALL or rule.schedule == CONSTANT:
        return rule.momentum
    if rule.schedule == RATIO:
        return step / (step + 3.0)
    return (clock - 1.0) / next_clock(clock)


@helper
def take_step(
    theta: Floats, previous: Floats, base: Floats, grad: Floats, carry: float, rule: Rule
) -> bool:
    """Move theta to its successor and previous to theta; False, with both kept, on divergence.

    ``base``, where the gradient was taken, is theta or Nesterov's extrapolation, and is
    overwritten; the heavy ball adds ``carry`` times the last displacement.
    """
    depth = (theta.size - 3) // 4
    for i in range(theta.size):
        value = base[i] - rule.step_size * grad[i]
        if rule.method == HEAVY_BALL:
            value += carry * (theta[i] - previous[i])
        if rule.projected and i < 4 * depth:
            value = max(value, 0.0)
        elif rule.projected and i < 4 * depth + 2:
            value = max(value, rule.floor)
        if 2 * depth <= i < 4 * depth and not rule.train_biases:
            value = theta[i]
        if not abs(value) <= LIMIT:
            return False
        base[i] = value
    for i in range(theta.size):
        previous[i] = theta[i]
        theta[i] = base[i]
    return True


@kernel
def advance_pairs(
    batch: Batch, span: Span, first_clock: float, rule: Rule, data: Data, records: Records
) -> float:
    """Take steps of every pair that has not diverged, in place; return the new clock t_k.

    Row r of ``records`` is the iterate after step (r + 1) `every` of this call. Each step has
    two phases: the gradient for the update (phase 0; skipped where the last measurement has
    it), and the update with the measurement of its result (phase 1; skipped between records).
    """
    all_theta, all_previous, start, diverged = batch
    step, steps, every = span
    depth = (start.shape[1] - 3) // 4
    work = make_scratch(depth, data.x.size)
    grad, base = np.empty(start.shape[1]), np.empty(start.shape[1])
    for pair in range(start.shape[0]):
        theta, previous = all_theta[pair], all_previous[pair]
        clock, known = first_clock, False
        for phase in range(0 if diverged[pair] >= 0 else 2 * steps):
            k, measuring = phase // 2, phase % 2 == 1
            carry = coefficient(rule, step + k, clock)
            if measuring:
                alive = take_step(theta, previous, base, grad, carry, rule)
                clock = next_clock(clock) if step + k > 0 else clock
                known = alive and (k + 1) % every == 0
            else:
                ahead = carry if rule.method == NESTEROV else 0.0
                for i in range(theta.size):
                    base[i] = theta[i] + ahead * (theta[i] - previous[i])
                alive = True
                known = known and ahead == 0.0
            if alive and measuring == known:
                mse = gradient(base, data, work, grad, measuring)
                if measuring and not mse < LARGEST_MSE:
                    alive = False
                    for i in range(theta.size):
                        theta[i] = previous[i]
            if measuring and known and alive:
                to = Row(records, k // every, pair)
                measure(theta, start[pair], grad, data, work, rule, mse, to)
            if not alive:
                diverged[pair] = step + k + 1
                repeat_rows(records, pair, k // every)
                break
    clock = first_clock
    for k in range(steps):
        clock = next_clock(clock) if step + k > 0 else clock
    return clock


@helper
def repeat_rows(records: Records, pair: int, row: int) -> None:
    """Fill the rows from ``row`` > 0 on with the row before it."""
    scalars, kinks, path = records.scalars, records.kinks, records.path
    for r in range(row, scalars.shape[0] if row > 0 else 0):
        for i in range(scalars.shape[2]):
            scalars[r, pair, i] = scalars[row - 1, pair, i]
        for net in range(2):
            for layer in range(kinks.shape[3]):
                kinks[r, pair, net, layer] = kinks[row - 1, pair, net, layer]
        for i in range(path.shape[2] if path.shape[0] > 0 else 0):
            path[r, pair, i] = path[row - 1, pair, i]


@plain_kernel
def measure_pairs(theta: Floats, start: Floats, data: Data, rule: Rule, records: Records) -> None:
    """Fill row 0 of ``records`` for every pair as it is."""
    work = make_scratch((theta.shape[1] - 3) // 4, data.x.size)
    grad = np.empty(theta.shape[1])
    for pair in range(theta.shape[0]):
        mse = gradient(theta[pair], data, work, grad, True)
        measure(theta[pair], start[pair], grad, data, work, rule, mse, Row(records, 0, pair))
