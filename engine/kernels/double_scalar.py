r"""The double scalar network, equations (9a) and (9b), in lockstep with the single one.

Three networks of L weights: w and z, whose difference of products is the double network's
estimate, and u, the single network. All weights of a network may be *tied* to one number, which
keeps the exact symmetry of (9a, b) and Proposition 3 and does not let rounding break it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import helper, kernel

COLUMNS = (
    "w",
    "z",
    "u",
    "spread",
    "error_double",
    "error_single",
    "sharpness_double",
    "sharpness_single",
)
"""What is recorded after a step: mean weights, the largest difference of weights within a network,
signed errors, and the curvatures along the gradients, sigma times the sum of squared cofactors."""


@helper
def _cofactors(weights: FloatArray, depth: int, out: FloatArray) -> tuple[float, float]:
    """Write the products of all weights but one; return the product and the sum of squares."""
    count = weights.shape[0]
    if count == 1:
        power = 1.0
        for _ in range(depth - 1):
            power *= weights[0]
        out[0] = power
        return power * weights[0], depth * power * power
    running = 1.0
    for i in range(count):
        out[i] = running
        running *= weights[i]
    product = running
    running = 1.0
    squares = 0.0
    for i in range(count - 1, -1, -1):
        out[i] *= running
        running *= weights[i]
        squares += out[i] * out[i]
    return product, squares


@helper
def _copy(source: FloatArray, target: FloatArray) -> None:
    """Copy a matrix; numba takes 5 s to compile the check of shapes in an assignment to a slice."""
    for s in range(target.shape[0]):
        for i in range(target.shape[1]):
            target[s, i] = source[s, i]


@helper
def _evaluate(
    weights: FloatArray, depth: int, target: float, power: float, slopes: FloatArray
) -> tuple[float, float, float, float]:
    """Write the gradients of all three networks; return errors and curvatures."""
    w, w_squares = _cofactors(weights[0], depth, slopes[0])
    z, z_squares = _cofactors(weights[1], depth, slopes[1])
    u, u_squares = _cofactors(weights[2], depth, slopes[2])
    double = w - z - target
    single = u - target
    for i in range(weights.shape[1]):
        slopes[0, i] *= power * double
        slopes[1, i] *= -power * double
        slopes[2, i] *= power * single
    return double, single, power * (w_squares + z_squares), power * u_squares


@helper
def _write(
    weights: FloatArray, measured: tuple[float, float, float, float], row: FloatArray
) -> None:
    """Write mean weights, the largest spread, and what `_evaluate` measured."""
    count = weights.shape[1]
    row[3] = 0.0
    for s in range(3):
        low = high = weights[s, 0]
        total = 0.0
        for i in range(count):
            value = weights[s, i]
            total += value
            low = min(low, value)
            high = max(high, value)
        row[s] = total / count
        row[3] = max(row[3], high - low)
    for column in range(4):
        row[4 + column] = measured[column]


@kernel
def _descend(
    weights: FloatArray,
    depth: int,
    target: float,
    power: float,
    step_size: float,
    record: FloatArray,
    limit: float,
) -> tuple[int, bool]:
    """Make steps in place; `weights` ends at the last point within the limit."""
    slopes = np.empty_like(weights)
    before = weights.copy()
    _evaluate(weights, depth, target, power, slopes)
    for step in range(record.shape[0]):
        for s in range(3):
            for i in range(weights.shape[1]):
                before[s, i] = weights[s, i]
                weights[s, i] -= step_size * slopes[s, i]
        measured = _evaluate(weights, depth, target, power, slopes)
        if not (abs(measured[0]) <= limit and abs(measured[1]) <= limit):
            _copy(before, weights)
            return step, True
        _write(weights, measured, record[step])
    return record.shape[0], False


class Descent(NamedTuple):
    """What `descend` leaves: see there."""

    done: int
    diverged: bool
    weights: FloatArray
    record: FloatArray


def descend(
    weights: FloatArray,
    depth: int,
    target: float,
    input_power: float,
    steps: int,
    step_size: float,
    limit: float = 1e12,
) -> Descent:
    """Make steps of (9a), (9b) and of the single network beside them.

    Parameters
    ----------
    weights : ndarray, shape (3, L) or, tied, (3, 1)
        Networks w, z and u.
    depth : int
    target, input_power : float
        Lambda and sigma.
    steps : int
    step_size : float
    limit : float
        Size of an error at which the run has diverged.

    Returns
    -------
    Descent
        Steps `done` within the limit, whether the next one left it, the new weights, and a record
        of shape (done, 8) with the `COLUMNS`.
    """
    weights = weights.copy()
    record = np.empty((steps, len(COLUMNS)))
    done, diverged = _descend(weights, depth, target, input_power, step_size, record, limit)
    return Descent(done, diverged, weights, record[:done])


@kernel
def _flow(
    weights: FloatArray,
    depth: int,
    target: float,
    power: float,
    time_step: float,
    substeps: int,
    record: FloatArray,
    limit: float,
) -> int:
    """Integrate the gradient flow in place by the classical Runge-Kutta method."""
    slopes = np.empty_like(weights)
    total = np.empty_like(weights)
    point = weights.copy()
    h = time_step / substeps
    for step in range(record.shape[0]):
        for _ in range(substeps):
            for stage in range(4):
                reach = (0.0, 0.5 * h, 0.5 * h, h)[stage]
                weight = (1.0, 2.0, 2.0, 1.0)[stage]
                for s in range(3):
                    for i in range(weights.shape[1]):
                        slope = slopes[s, i] if stage > 0 else 0.0
                        point[s, i] = weights[s, i] - reach * slope
                _evaluate(point, depth, target, power, slopes)
                for s in range(3):
                    for i in range(weights.shape[1]):
                        before = total[s, i] if stage > 0 else 0.0
                        total[s, i] = before + weight * slopes[s, i]
            for s in range(3):
                for i in range(weights.shape[1]):
                    weights[s, i] -= h / 6.0 * total[s, i]
        measured = _evaluate(weights, depth, target, power, slopes)
        if not (abs(measured[0]) <= limit and abs(measured[1]) <= limit):
            return step
        _write(weights, measured, record[step])
    return len(record)


def flow(
    weights: FloatArray,
    depth: int,
    target: float,
    input_power: float,
    steps: int,
    time_step: float,
    substeps: int = 4,
    limit: float = 1e12,
) -> tuple[FloatArray, FloatArray]:
    """Follow the gradient flow, whose time at step k of gradient descent is k times the step size.

    Returns
    -------
    weights : ndarray, shape of those given
    record : ndarray, shape (<= steps, 8)
        Rows as in `descend`, fewer than asked for where the integration left the limit.
    """
    weights = weights.copy()
    record = np.empty((steps, len(COLUMNS)))
    done = _flow(weights, depth, target, input_power, time_step, substeps, record, limit)
    return weights, record[:done]


@kernel
def _watch(
    weights: FloatArray,
    depth: int,
    target: float,
    power: float,
    step_size: float,
    errors: FloatArray,
    limit: float,
) -> tuple[int, float]:
    """Make steps of one network in place; `weights` ends at the last point within the limit."""
    slopes = np.empty_like(weights)
    before = weights.copy()
    squares = 0.0
    for step in range(errors.shape[0] + 1):
        error = total = 0.0
        for s in range(weights.shape[0]):
            product, part = _cofactors(weights[s], depth, slopes[s])
            error += product if s == 0 else -product
            total += part
        error -= target
        if not abs(error) <= limit:
            _copy(before, weights)
            return step, power * squares
        squares = total
        if step > 0:
            errors[step - 1] = error
        if step == errors.shape[0]:
            break
        for s in range(weights.shape[0]):
            pull = power * error if s == 0 else -power * error
            for i in range(weights.shape[1]):
                before[s, i] = weights[s, i]
                weights[s, i] -= step_size * (slopes[s, i] * pull)
    return -1, power * squares


class Watch(NamedTuple):
    """What `watch` leaves: see there."""

    weights: FloatArray
    errors: FloatArray
    sharpness: float
    diverged: bool


def watch(
    weights: FloatArray,
    depth: int,
    target: float,
    input_power: float,
    steps: int,
    step_size: float,
    limit: float = 1e12,
) -> Watch:
    """Make steps of one network alone, as `descend` makes them.

    Parameters
    ----------
    weights : ndarray, shape (1, L) or (2, L)
        The single network, or w and z; of one column where the weights are tied.

    Returns
    -------
    Watch
        New weights; signed errors after every step within the limit, and whether the next one
        left it; and sigma times the sum of squared cofactors at the end.
    """
    weights = weights.copy()
    errors = np.empty(steps)
    end, sharpness = _watch(weights, depth, target, input_power, step_size, errors, limit)
    return Watch(weights, errors if end < 0 else errors[: max(end - 1, 0)], sharpness, end >= 0)


@kernel
def growth(
    w: FloatArray, z: FloatArray, depth: int, target: float, rate: float, logs: FloatArray
) -> None:
    """Write the log growth per step of a displacement of equal weights w and equal weights z.

    It begins in a direction that has a part along every eigenvector, and turns into that of the
    largest growth.

    Parameters
    ----------
    w, z : ndarray, shape (m,)
        Consecutive weights of the pair.
    depth, target
    rate : float
        Step size times input power.
    logs : ndarray, shape (m - 1,)
    """
    a, b = 0.6, 0.8
    for k in range(w.size - 1):
        u, v = w[k] ** (depth - 1), z[k] ** (depth - 1)
        error = u * w[k] - v * z[k] - target
        bend_w = (depth - 1) * error * w[k] ** (depth - 2) if depth > 1 else 0.0
        bend_z = (depth - 1) * error * z[k] ** (depth - 2) if depth > 1 else 0.0
        pull = depth * (u * a - v * b)
        a, b = a - rate * (bend_w * a + u * pull), b + rate * (bend_z * b + v * pull)
        size = math.sqrt(a * a + b * b)
        logs[k] = math.log(max(size, 1e-300))
        a, b = (a / size, b / size) if size > 0.0 else (0.6, 0.8)
