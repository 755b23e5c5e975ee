r"""Gradient descent on least squares (Section 2), from many starts at once.

:math:`w[k+1] = (I - \delta X X^\top) w[k] + \delta X y`, with or without momentum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import kernel

LIMIT = 1e12
"""Distance to the minimum, in units of max(1, first distance), at which a run has diverged."""


class _Task(NamedTuple):
    """The loss by X X^T and X y, the minima to approach, and the distance of divergence."""

    gram: FloatArray
    load: FloatArray
    minima: FloatArray
    limit: float


class _Rule(NamedTuple):
    """The update: see `descend`."""

    step_size: float
    momentum: float
    nesterov: bool


class _Records(NamedTuple):
    """What to record, along which directions: see `descend`."""

    directions: FloatArray
    tracked: FloatArray
    components: FloatArray
    distances: FloatArray
    excess: FloatArray


@kernel
def _descend(
    path: FloatArray, task: _Task, rule: _Rule, records: _Records
) -> tuple[int, bool, int]:
    """Make steps on `path`, shape (3, starts, n): points now, one step ago, and room."""
    gram, load, minima, limit = task
    step_size, momentum, nesterov = rule
    directions, tracked, components, distances, excess = records
    steps = tracked.shape[0]
    starts, n = path.shape[1], path.shape[2]
    gradient = np.empty((starts, n))
    now, other = 0, 1
    done = 0
    diverged = False
    for step in range(steps + 1):
        base = now
        for part in range(2 if nesterov and step < steps else 1):
            if part == 1:
                base = 2
                for s in range(starts):
                    for q in range(n):
                        path[2, s, q] = path[now, s, q] + momentum * (
                            path[now, s, q] - path[other, s, q]
                        )
            np.dot(path[base], gram, gradient)
            for s in range(starts):
                for q in range(n):
                    gradient[s, q] -= load[q]
            if part == 0 and step > 0:
                for s in range(starts):
                    square = 0.0
                    energy = 0.0
                    for q in range(n):
                        gap = path[now, s, q] - minima[s, q]
                        square += gap * gap
                        energy += gap * gradient[s, q]
                    distance = np.sqrt(square)
                    diverged = diverged or not distance <= limit
                    distances[step - 1, s] = distance
                    excess[step - 1, s] = max(0.5 * energy, 0.0)
                if diverged:
                    break
                for s in range(tracked.shape[1]):
                    for q in range(n):
                        tracked[step - 1, s, q] = path[now, s, q]
                for m in range(directions.shape[0]):
                    along = 0.0
                    for q in range(n):
                        along += directions[m, q] * (path[now, 0, q] - minima[0, q])
                    components[step - 1, m] = along
                done += 1
        if diverged or step == steps:
            break
        heavy = 0.0 if nesterov else momentum
        for s in range(starts):
            for q in range(n):
                path[other, s, q] = (
                    path[base, s, q]
                    - step_size * gradient[s, q]
                    + heavy * (path[now, s, q] - path[other, s, q])
                )
        now, other = other, now
    if diverged:
        now, other = other, now
        for s in range(starts):  # an assignment of slices takes 5 s to compile
            for q in range(n):
                path[other, s, q] = path[now, s, q]
    return done, diverged, now


class Descent(NamedTuple):
    """What `descend` leaves: see there."""

    done: int
    diverged: bool
    points: FloatArray
    previous: FloatArray
    tracked: FloatArray
    components: FloatArray
    distances: FloatArray
    excess: FloatArray


def descend(
    points: FloatArray,
    previous: FloatArray,
    gram: FloatArray,
    load: FloatArray,
    minima: FloatArray,
    steps: int,
    step_size: float,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
    tracked: int = 0,
    directions: FloatArray | None = None,
    limit: float = LIMIT,
) -> Descent:
    """Make steps of gradient descent on a quadratic from several starts.

    Parameters
    ----------
    points, previous : ndarray, shape (starts, n)
        Points now and one step ago (the same at the start).
    gram, load : ndarray, shape (n, n) and (n,)
        X X^T and X y.
    minima : ndarray, shape (starts, n)
        The minimum nearest to each start; there are many where X X^T is singular.
    steps : int
    step_size, momentum : float
    nesterov : bool
        Whether the momentum looks ahead.
    tracked : int
        How many of the points to record.
    directions : ndarray, shape (m, n), optional
        Vectors along which to record the first point's distance from its minimum.
    limit : float
        Distance at which the run has diverged.

    Returns
    -------
    Descent
        Steps `done`, those after which all distances were within the limit; whether the next one
        left it; new points; and after every step the tracked points (done, tracked, n), the
        components along the directions (done, m), the distances to
        the minima (done, starts) and the excess of the losses over the least (done, starts).
    """
    starts = len(points)
    path = np.stack([points, previous, points])
    record = np.empty((steps, tracked, points.shape[1]))
    distances, excess = np.empty((2, steps, starts))
    along = np.zeros((0, points.shape[1])) if directions is None else directions
    components = np.empty((steps, len(along)))
    done, diverged, now = _descend(
        path,
        _Task(gram, load, minima, float(limit)),
        _Rule(float(step_size), float(momentum), nesterov),
        _Records(np.ascontiguousarray(along), record, components, distances, excess),
    )
    return Descent(
        done,
        diverged,
        path[now].copy(),
        path[1 - now].copy(),
        record[:done],
        components[:done],
        distances[:done],
        excess[:done],
    )
