"""Gradient descent (5) on products of square matrices, and the gradient flow, n steps a call.

Shapes, and how single and double networks are one, are as in `engine.kernels.matrix.calculus`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import kernel
from engine.kernels.matrix.calculus import (
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


@kernel
def _descend(
    w: FloatArray,
    r: FloatArray,
    sigma: FloatArray,
    identity: bool,
    parts: FloatArray,
    stride: int,
    step_size: float,
    momentum: float,
    nesterov: bool,
    alpha: float,
    direction: FloatArray,
    iterations: int,
    record: FloatArray,
    limit: float,
    room: FloatArray,
    branches: int,
    depth: int,
    m: int,
) -> tuple[int, bool, int]:
    """Make steps on flat arrays: `w` holds the weights, those of one step before, and room."""
    size = m * m
    count = branches * depth * size
    prefix = room[:count]
    back = room[count : 2 * count]
    slope = room[2 * count : 3 * count]
    d_prefix = room[3 * count : 4 * count]
    d_back = room[4 * count : 5 * count]
    e = room[5 * count : 5 * count + size]
    product = room[5 * count + size :]
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
                for q in range(count):
                    w[base + q] = w[now + q] + momentum * (w[now + q] - w[other + q])
            forward(w, base, prefix, branches, depth, m)
            square = residual(prefix, r, e, branches, depth, m)
            if part == 0 and step > 0:  # what the last step led to
                diverged = not square <= limit * limit
                if diverged:
                    break
                record[done, 0] = math.sqrt(square)
                record[done, 1] = 0.5 * square if identity else loss(e, sigma, product, m)
                record[done, 2] = delta
                record[done, 3] = curvature
                along = 0.0
                for q in range(size):
                    along += e[q] * r[q]
                record[done, 4] = along / scale
                done += 1
        if diverged or step == steps:
            break
        at = step * stride
        backward(w, base, e, parts, at, back, branches, depth, m)
        delta = step_size
        curvature = 0.0
        if alpha > 0.0:
            curvature = dominant(
                w,
                base,
                prefix,
                back,
                parts,
                at,
                direction,
                iterations,
                slope,
                d_prefix,
                d_back,
                product,
                branches,
                depth,
                m,
            )
            if curvature * step_size > alpha:
                delta = alpha / curvature
        gradients(prefix, back, slope, branches, depth, m)
        heavy = 0.0 if nesterov else momentum
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
    branches, depth, m = weights.shape[0], weights.shape[1], weights.shape[3]
    count = weights.size
    w = np.empty(3 * count)
    w[:count] = weights.ravel()
    w[count : 2 * count] = previous.ravel()
    sigma = np.ascontiguousarray(moment).ravel()
    side = int(np.count_nonzero(np.diagonal(moment)))
    identity = bool(np.array_equal(moment[:side, :side], np.eye(side)))
    vector = np.zeros(0) if direction is None else direction.ravel().copy()
    record = np.empty((steps, 5))
    done, diverged, now = _descend(
        w,
        np.ascontiguousarray(target).ravel(),
        sigma,
        identity,
        sigma if batches is None else batches.ravel(),
        0 if batches is None else m * m,
        step_size,
        momentum,
        nesterov,
        alpha,
        vector,
        iterations,
        record,
        divergence_limit(target) if limit is None else limit,
        np.empty(5 * count + 2 * m * m),
        branches,
        depth,
        m,
    )
    other = count - now
    shape = weights.shape
    return Descent(
        done,
        diverged,
        w[now : now + count].reshape(shape),
        w[other : other + count].reshape(shape),
        weights if direction is None else vector.reshape(shape),
        record[:done],
    )


@kernel
def _flow(
    w: FloatArray,
    r: FloatArray,
    sigma: FloatArray,
    times: FloatArray,
    substeps: int,
    errors: FloatArray,
    limit: float,
    room: FloatArray,
    branches: int,
    depth: int,
    m: int,
) -> int:
    """Integrate the gradient flow on flat arrays; `w` ends at the last point within the limit."""
    size = m * m
    count = branches * depth * size
    prefix = room[:count]
    back = room[count : 2 * count]
    slope = room[2 * count : 3 * count]
    total = room[3 * count : 4 * count]
    point = room[4 * count : 5 * count]
    saved = room[5 * count : 6 * count]
    e = room[6 * count :]
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
            forward(point, 0, prefix, branches, depth, m)
            square = residual(prefix, r, e, branches, depth, m)
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
            backward(point, 0, e, sigma, 0, back, branches, depth, m)
            gradients(prefix, back, slope, branches, depth, m)
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
    m = weights.shape[3]
    done = _flow(
        w,
        np.ascontiguousarray(target).ravel(),
        np.ascontiguousarray(moment).ravel(),
        times,
        substeps,
        errors,
        divergence_limit(target) if limit is None else limit,
        np.empty(6 * w.size + m * m),
        weights.shape[0],
        weights.shape[1],
        m,
    )
    return w.reshape(weights.shape), errors[:done]
