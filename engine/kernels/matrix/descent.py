"""Gradient descent (5) on products of square matrices, and the gradient flow, n steps a call.

Shapes, and how single and double networks are one, are as in `engine.kernels.matrix.calculus`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner, kernel
from engine.kernels.matrix.calculus import (
    Derivatives,
    Point,
    Shape,
    backward,
    dominant,
    forward,
    gradients,
    loss,
    residual,
    squares,
)

LIMIT = 1e6
"""Frobenius error, in units of max(1, ||R||_F), above which a run counts as diverged.

The loss is then 10^12 times what it could have been by doing nothing.
"""


class _Task(NamedTuple):
    """What a run goes towards.

    `r` is the target and `sigma` the second moment in which the loss is measured (`identity`, if it
    is the unit matrix); a Frobenius error above `limit` is divergence.
    """

    r: FloatArray
    sigma: FloatArray
    identity: bool
    limit: float


class _Rule(NamedTuple):
    """The update: parameters as of `descend`.

    The second moments of the steps lie in `moments`, one every `stride` numbers.
    """

    moments: FloatArray
    stride: int
    step_size: float
    momentum: float
    nesterov: bool
    alpha: float
    iterations: int


@inner
def _look_ahead(w: FloatArray, now: int, other: int, count: int, momentum: float) -> None:
    """Write Nesterov's point behind the weights of the last two steps."""
    for q in range(count):
        w[2 * count + q] = w[now + q] + momentum * (w[now + q] - w[other + q])


@inner
def _along(e: FloatArray, r: FloatArray, size: int) -> float:
    """Return <E, R>."""
    along = 0.0
    for q in range(size):
        along += e[q] * r[q]
    return along


@kernel
def _descend(
    w: FloatArray,
    task: _Task,
    rule: _Rule,
    direction: FloatArray,
    record: FloatArray,
    room: FloatArray,
    shape: Shape,
) -> tuple[int, bool, int]:
    """Make steps on flat arrays: `w` holds the weights, those of one step before, and room."""
    size = shape.m * shape.m
    count = shape.branches * shape.depth * size
    prefix, back = room[:count], room[count : 2 * count]
    slope, e = room[2 * count : 3 * count], room[5 * count : 5 * count + size]
    product = room[5 * count + size :]
    derivatives = Derivatives(room[3 * count : 4 * count], room[4 * count : 5 * count], product)
    r, sigma, identity, limit = task
    moments, stride, step_size, momentum, nesterov, alpha, iterations = rule
    heavy = 0.0 if nesterov else momentum
    point = Point(w, prefix, back, moments)
    steps = record.shape[0]
    scale = math.sqrt(squares(r, size))
    delta = step_size
    curvature = 0.0
    now, other = 0, count
    done = 0
    diverged = False
    for step in range(steps + 1):
        base = now
        for part in range(2 if nesterov and step < steps else 1):
            if part == 1:
                base = 2 * count
                _look_ahead(w, now, other, count, momentum)
            forward(w, base, prefix, shape)
            square = residual(prefix, r, e, shape)
            if part == 0 and step > 0:  # what the last step led to
                diverged = not square <= limit * limit
                if diverged:
                    break
                record[done, 0] = math.sqrt(square)
                record[done, 1] = 0.5 * square if identity else loss(e, sigma, product, shape.m)
                record[done, 2] = delta
                record[done, 3] = curvature
                record[done, 4] = _along(e, r, size) / scale
                done += 1
        if diverged or step == steps:
            break
        at = step * stride
        backward(point, base, at, e, shape)
        delta = step_size
        curvature = 0.0
        if alpha > 0.0:
            curvature = dominant(point, base, at, direction, iterations, slope, derivatives, shape)
            if curvature * step_size > alpha:
                delta = alpha / curvature
        gradients(prefix, back, slope, shape)
        for q in range(count):
            w[other + q] = w[base + q] - delta * slope[q] + heavy * (w[now + q] - w[other + q])
        now, other = other, now
    if diverged:
        now, other = other, now
        for q in range(count):
            w[other + q] = w[now + q]
    return done, diverged, now


def divergence_limit(target: FloatArray) -> float:
    """Frobenius error above which a run towards this target counts as diverged."""
    return LIMIT * max(1.0, float(np.linalg.norm(target)))


class Descent(NamedTuple):
    """What `descend` leaves: see there."""

    done: int
    diverged: bool
    weights: FloatArray
    previous: FloatArray
    direction: FloatArray
    record: FloatArray


def descend(
    weights: FloatArray,
    previous: FloatArray,
    target: FloatArray,
    moment: FloatArray,
    steps: int,
    step_size: float,
    *,
    batches: FloatArray | None = None,
    momentum: float = 0.0,
    nesterov: bool = False,
    alpha: float = 0.0,
    direction: FloatArray | None = None,
    iterations: int = 3,
    limit: float | None = None,
) -> Descent:
    r"""Make steps of gradient descent (5) on a single or double network.

    Parameters
    ----------
    weights, previous : ndarray, shape (branches, L, m, m)
        Weights now and one step ago (the same at the start), padded.
    target, moment : ndarray, shape (m, m)
        R, and the full second moment Sigma, in which the loss is measured, padded.
    steps : int
    step_size : float
        The step, or its upper limit where `alpha` > 0.
    batches : ndarray, shape (steps, m, m), optional
        Second moment that each step descends on, in place of the full one.
    momentum : float
        Heavy-ball or, if `nesterov`, Nesterov's coefficient.
    alpha : float
        If > 0, the step is alpha / \|lambda\|_max(Hessian), estimated by `iterations` rounds of
        power iteration that go on from the last `direction` (a unit vector).
    limit : float, optional
        Frobenius error above which the run has diverged, by default from `LIMIT`.

    Returns
    -------
    Descent
        `done`, the number of steps after which the error was within the limit; whether the next
        one left it; new weights, previous weights and direction; and a record of shape (done, 5):
        after every step the Frobenius error, the loss, the step size used, the curvature it
        came from (0 for a fixed step), and the signed error along R, <F - R, R> / ||R||_F.
    """
    shape = Shape(weights.shape[0], weights.shape[1], weights.shape[3])
    count, size = weights.size, shape.m * shape.m
    w = np.empty(3 * count)
    w[:count] = weights.ravel()
    w[count : 2 * count] = previous.ravel()
    sigma = np.ascontiguousarray(moment).ravel()
    moments = sigma if batches is None else batches.ravel()
    stride = 0 if batches is None else size
    vector = np.zeros(0) if direction is None else direction.ravel().copy()
    record = np.empty((steps, 5))
    done, diverged, now = _descend(
        w,
        _task(target, moment, limit),
        _Rule(moments, stride, step_size, momentum, nesterov, alpha, iterations),
        vector,
        record,
        np.empty(5 * count + 2 * size),
        shape,
    )
    other = count - now
    return Descent(
        done,
        diverged,
        w[now : now + count].reshape(weights.shape),
        w[other : other + count].reshape(weights.shape),
        weights if direction is None else vector.reshape(weights.shape),
        record[:done],
    )


def _task(target: FloatArray, moment: FloatArray, limit: float | None) -> _Task:
    """Lay out target and second moment; without a limit, that of `divergence_limit` holds."""
    side = int(np.count_nonzero(np.diagonal(moment)))
    return _Task(
        np.ascontiguousarray(target).ravel(),
        np.ascontiguousarray(moment).ravel(),
        bool(np.array_equal(moment[:side, :side], np.eye(side))),
        divergence_limit(target) if limit is None else float(limit),
    )


@kernel
def _flow(
    w: FloatArray,
    task: _Task,
    times: FloatArray,
    substeps: int,
    errors: FloatArray,
    room: FloatArray,
    shape: Shape,
) -> int:
    """Integrate the gradient flow on flat arrays; `w` ends at the last point within the limit."""
    r, sigma, _, limit = task
    count = shape.branches * shape.depth * shape.m * shape.m
    prefix = room[:count]
    back = room[count : 2 * count]
    slope = room[2 * count : 3 * count]
    total = room[3 * count : 4 * count]
    point = room[4 * count : 5 * count]
    saved = room[5 * count : 6 * count]
    e = room[6 * count :]
    whole = Point(point, prefix, back, sigma)
    for q in range(count):
        slope[q] = 0.0
        total[q] = 0.0
    last = errors.shape[0] * substeps
    done = 0
    for step in range(last + 1):
        h = times[min(step // substeps, errors.shape[0] - 1)] / substeps
        for stage in range(4):
            reach = (0.0, 0.5 * h, 0.5 * h, h)[stage]
            weight = (1.0, 2.0, 2.0, 1.0)[stage]
            for q in range(count):
                point[q] = w[q] - reach * slope[q]
            forward(point, 0, prefix, shape)
            square = residual(prefix, r, e, shape)
            if stage == 0 and step % substeps == 0:
                if not square <= limit * limit:
                    for q in range(count):
                        w[q] = saved[q]
                    return done
                for q in range(count):
                    saved[q] = w[q]
                if step > 0:
                    errors[done] = math.sqrt(square)
                    done += 1
            if step == last:
                return done
            backward(whole, 0, 0, e, shape)
            gradients(prefix, back, slope, shape)
            for q in range(count):
                total[q] += weight * slope[q]
        for q in range(count):
            w[q] -= h / 6.0 * total[q]
            total[q] = 0.0
    return done


def flow(
    weights: FloatArray,
    target: FloatArray,
    moment: FloatArray,
    times: FloatArray,
    substeps: int = 4,
    limit: float | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Follow the gradient flow dW/dt = -gradient by the classical Runge-Kutta method.

    Parameters
    ----------
    weights : ndarray, shape (branches, L, m, m)
    target, moment : ndarray, shape (m, m)
    times : ndarray, shape (steps,)
        Time before each record; a step of gradient descent takes as long as its step size.
    substeps : int
        Runge-Kutta steps per record.

    Returns
    -------
    weights : ndarray
        Where the flow is, or was last while its error was within the limit.
    errors : ndarray, shape (<= steps,)
        Frobenius errors, fewer than asked for where the integration left the limit.
    """
    w = weights.ravel().copy()
    errors = np.empty(len(times))
    shape = Shape(weights.shape[0], weights.shape[1], weights.shape[3])
    room = np.empty(6 * w.size + shape.m * shape.m)
    done = _flow(w, _task(target, moment, limit), times, substeps, errors, room, shape)
    return w.reshape(weights.shape), errors[:done]
