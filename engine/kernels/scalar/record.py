"""Gradient descent on the scalar product network with everything recorded.

Every recorded quantity belongs to the weights after a step. Where buckets of several steps are
asked for, each holds the smallest and largest value within it. The Hessian's eigenvalues cost
more than a step, so they are measured at the first steps and then at two of every so many (two,
because one would show one phase of a period-2 orbit only): which ones depends on the step's number
alone, and NaN stands for the others.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.core.arrays import FloatArray
from engine.kernels.jit import helper, inner, kernel
from engine.kernels.scalar.passes import (
    GRADIENT_DESCENT,
    NESTEROV,
    Run,
    Tied,
    chain,
    finish,
    largest,
    look_ahead,
    move,
    padded,
    product,
    smallest,
)
from engine.kernels.scalar.spectrum import eigenvalues, extremes
from engine.kernels.vectors.doubles import larger, load, smaller, store

FIXED_STEP, SHARPNESS_STEP, HESSIAN_STEP = 0, 1, 2
SCALARS = 7
"""Product, loss, balancing gap, sharpness, step size x sharpness / 2, step size, distance."""
SHARPNESS_LIMIT = 1e150
"""Beyond this sharpness products of recorded numbers leave the range of a float."""
QUANTILES = 7
EARLY = 2048
"""Up to this step the eigenvalues are measured at every one."""


class Motion(NamedTuple):
    """The law of motion of a run.

    Attributes
    ----------
    method, rule : int
        Optimiser and step rule.
    setting : float
        Step size, or its numerator where it depends on the state.
    momentum, target, sigma : float
        Momentum factor, target, input power.
    cap : float
        Largest step size of a state-dependent rule.
    root : float
        Magnitude of the balanced weights, from which the distance is measured.
    """

    method: int
    rule: int
    setting: float
    momentum: float
    target: float
    sigma: float
    cap: float
    root: float


class Span(NamedTuple):
    """Which steps to make and to record.

    `first` were made before, `n` are to make, `stride` of them belong to a bucket; the eigenvalues
    are measured at steps k <= `EARLY` and at those with k mod `every` < 2.
    """

    first: int
    n: int
    stride: int
    every: int


class Ranges(NamedTuple):
    """One side of the buckets, or of the bucket that is filling (then without the first axis).

    Scalars (buckets, 7), weights (buckets, L or 7), eigenvalues (buckets, 2 L + 1 or 5).
    """

    scalars: FloatArray
    weights: FloatArray
    eigenvalues: FloatArray


class _Room(NamedTuple):
    """Arrays to work in: Nesterov's point with its slopes and chain, a spectrum, an order."""

    y: FloatArray
    y_slopes: FloatArray
    y_prefix: FloatArray
    d: FloatArray
    poles: FloatArray
    values: FloatArray
    order: npt.NDArray[np.int64]


class _Point(NamedTuple):
    """What is known of the weights after a step; `top` and `bottom` bound their magnitudes."""

    value: float
    error: float
    sharpness: float
    step: float
    top: float
    bottom: float


@inner
def multiplier(eigenvalue: float, step: float, momentum: float, method: int) -> float:
    """Return the Jacobian's eigenvalue that belongs to one of the Hessian's.

    For gradient descent 1 - step * eigenvalue. With momentum there are two per eigenvalue, the
    roots of a quadratic, and the larger modulus is returned.
    """
    if method == GRADIENT_DESCENT:
        return 1.0 - step * eigenvalue
    trace, determinant = 1.0 + momentum - step * eigenvalue, momentum
    if method == NESTEROV:
        trace = (1.0 + momentum) * (1.0 - step * eigenvalue)
        determinant = momentum * (1.0 - step * eigenvalue)
    discriminant = trace * trace - 4.0 * determinant
    if discriminant < 0.0:
        return math.sqrt(determinant)
    return 0.5 * (abs(trace) + math.sqrt(discriminant))


@inner
def _sort(w: Any, order: Any, n: int) -> None:
    """Sort the order of the weights by insertion; nearly free where it hardly changes."""
    for i in range(1, n):
        item, j = order[i], i
        while j > 0 and w[order[j - 1]] > w[item]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = item


@inner
def _quantile(w: Any, order: Any, n: int, fraction: float) -> float:
    """Return a quantile of sorted weights by linear interpolation."""
    place = fraction * (n - 1)
    below = min(int(place), n - 2)
    part = place - below
    value: float = w[order[below]] * (1.0 - part) + w[order[below + 1]] * part
    return value


@inner
def _widen(low: Any, high: Any, column: int, value: float, fresh: bool) -> None:
    """Widen a range to a value, or start it there."""
    low[column] = value if fresh or value < low[column] else low[column]
    high[column] = value if fresh or value > high[column] else high[column]


@inner
def _note_scalars(point: _Point, law: Motion, lowest: Ranges, highest: Ranges, fresh: bool) -> None:
    """Note the `SCALARS` of a point."""
    low, high = lowest.scalars, highest.scalars
    value, error, sharpness, step, top, bottom = point
    _widen(low, high, 0, value, fresh)
    _widen(low, high, 1, 0.5 * law.sigma * error * error, fresh)
    _widen(low, high, 2, top - bottom, fresh)
    _widen(low, high, 3, sharpness, fresh)
    _widen(low, high, 4, 0.5 * step * sharpness, fresh)
    _widen(low, high, 5, step, fresh)
    _widen(low, high, 6, max(abs(top - law.root), abs(bottom - law.root)), fresh)


@inner
def _note_quantiles(w: Any, order: Any, low: Any, high: Any, fresh: bool) -> None:
    """Note quantiles of many weights."""
    n = order.size
    _sort(w, order, n)
    for column in range(QUANTILES):
        fraction = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)[column]
        _widen(low, high, column, _quantile(w, order, n, fraction), fresh)


@inner
def _note_weights(run: Run, room: _Room, lowest: Ranges, highest: Ranges, fresh: bool) -> None:
    """Note every weight, in whole rows of four, or quantiles of many."""
    w, low, high = run.w, lowest.weights, highest.weights
    if low.size < room.order.size:
        _note_quantiles(w, room.order, low, high, fresh)
    elif fresh:
        for j in range(0, w.size, 4):
            row = load(w, j)
            store(low, j, row)
            store(high, j, row)
    else:
        for j in range(0, w.size, 4):
            row = load(w, j)
            store(low, j, smaller(row, load(low, j)))
            store(high, j, larger(row, load(high, j)))


@inner
def _note_spectrum(
    point: _Point, run: Run, law: Motion, room: _Room, lowest: Ranges, highest: Ranges, fresh: bool
) -> None:
    """Note the eigenvalues of the Hessian, those of the Jacobian, and step x greatest / 2."""
    n, values = room.order.size, room.values
    low, high = lowest.eigenvalues, highest.eigenvalues
    width = (low.size - 1) // 2
    if width == n:
        eigenvalues(run.w, run.g, point.error, law.sigma, n, room.d, room.poles, values)
    else:
        ends = extremes(run.w, run.g, point.error, law.sigma, n, room.d, room.poles)
        values[0], values[1] = ends
    for i in range(width):
        of_jacobian = multiplier(values[i], point.step, law.momentum, law.method)
        _widen(low, high, i, values[i], fresh)
        _widen(low, high, width + i, of_jacobian, fresh)
    _widen(low, high, 2 * width, 0.5 * point.step * values[width - 1], fresh)


@inner
def _blank(lowest: Ranges, highest: Ranges) -> None:
    """Begin a bucket without eigenvalues."""
    low, high = lowest.eigenvalues, highest.eigenvalues
    for i in range(low.size):
        low[i], high[i] = np.nan, np.nan


@inner
def _flush(ranges: Ranges, rows: Ranges, bucket: int) -> None:
    """Copy one side of a bucket's ranges to its row."""
    for i in range(ranges.scalars.size):
        rows.scalars[bucket, i] = ranges.scalars[i]
    for i in range(rows.weights.shape[1]):
        rows.weights[bucket, i] = ranges.weights[i]
    for i in range(ranges.eigenvalues.size):
        rows.eigenvalues[bucket, i] = ranges.eigenvalues[i]


@inner
def _gradient_ahead(run: Run, law: Motion, room: _Room, forward: bool) -> tuple[float, float]:
    """Find the slopes at Nesterov's point; return signed error and sharpness there."""
    total = look_ahead(run.w, run.v, law.momentum, forward, room.y, room.y_prefix)
    rows = run.w.size // 4
    squares = finish(room.y, rows, forward, total, room.y_prefix, run.mask, room.y_slopes)
    return product(total) - law.target, law.sigma * squares


@inner
def _take_slopes(run: Run, room: _Room) -> None:
    """Take the slopes at Nesterov's point for the update."""
    for i in range(run.g.size):
        run.g[i] = room.y_slopes[i]


@inner
def _step_size(
    run: Run, law: Motion, room: _Room, error: float, curvature: float
) -> tuple[float, bool]:
    """Return the step size and whether the cap holds, where the gradient is taken."""
    if law.rule == FIXED_STEP:
        return law.setting, False
    n = room.order.size
    if law.rule == HESSIAN_STEP:
        if law.method != NESTEROV:
            for i in range(n):
                room.y[i], room.y_slopes[i] = run.w[i], run.g[i]
        least, most = extremes(room.y, room.y_slopes, error, law.sigma, n, room.d, room.poles)
        curvature = max(abs(least), abs(most))
    if law.setting < law.cap * curvature:
        return law.setting / curvature, False
    return law.cap, True


@helper
def _start(weights: Any, velocity: Any) -> tuple[Run, _Room]:
    """Lay out the arrays of a run and room to work in."""
    size = weights.size
    rows = (size + 3) // 4
    run = Run(
        padded(weights, rows, 1.0),
        padded(velocity, rows, 0.0),
        padded(weights, rows, 1.0),
        padded(velocity, rows, 0.0),
        np.zeros(4 * rows),
        np.ones(4 * rows),
        padded(np.ones(size), rows, 0.0),
    )
    room = _Room(
        np.ones(4 * rows),
        np.zeros(4 * rows),
        np.ones(4 * rows),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.arange(size),
    )
    return run, room


@helper
def _bucket(rows: Ranges, size: int) -> Ranges:
    """Make room for one side of a bucket; weights of which all are shown lie in rows of four."""
    all_shown = rows.weights.shape[1] == size
    shown = (size + 3) // 4 * 4 if all_shown else QUANTILES
    return Ranges(np.empty(SCALARS), np.empty(shown), np.empty(rows.eigenvalues.shape[1]))


@kernel
def record(
    weights: FloatArray,
    velocity: FloatArray,
    ties: Tied,
    law: Motion,
    limits: tuple[float, float],
    span: Span,
    low: Ranges,
    high: Ranges,
) -> tuple[int, bool, int]:
    """Make up to n steps and record buckets of them.

    Parameters
    ----------
    weights, velocity : ndarray, shape (L,)
        The state; overwritten by the last good one.
    ties, law, span
    limits : tuple (product, weight)
        Magnitudes beyond which the run has diverged.
    low, high : Ranges
        Receive the buckets; the same arrays where a bucket holds one step.

    Returns
    -------
    made, diverged, capped : int, bool, int
        Steps made, whether the next one diverges, steps at which the cap held.
    """
    first, n, stride, every = span
    size = weights.size
    rows = (size + 3) // 4
    run, room = _start(weights, velocity)
    w, v, old_w, old_v, g, prefix, mask = run
    lowest, highest = _bucket(low, size), _bucket(high, size)
    forward = first % 2 == 0
    total = chain(w, rows, forward, prefix)
    value, top, bottom = product(total), 0.0, 0.0
    made, diverged, capped = 0, False, 0
    bucket, place, pending, measured, turn = 0, -1, False, False, first % every
    for k in range(n + 1):
        error = value - law.target
        sharpness = law.sigma * finish(w, rows, forward, total, prefix, mask, g)
        if not sharpness <= SHARPNESS_LIMIT:
            made, diverged = max(made - 1, 0), True
            break
        slope_error, curvature = error, sharpness
        if law.method == NESTEROV:
            slope_error, curvature = _gradient_ahead(run, law, room, forward)
        step, held = _step_size(run, law, room, slope_error, curvature)
        capped += 1 if held and k < n else 0
        if k > 0:
            place += 1
            if place == stride:
                bucket, place = bucket + 1, 0
            fresh = place == 0
            point = _Point(value, error, sharpness, step, top, bottom)
            _note_scalars(point, law, lowest, highest, fresh)
            _note_weights(run, room, lowest, highest, fresh)
            if fresh:
                _blank(lowest, highest)
                measured = False
            turn = turn + 1 if turn + 1 < every else 0
            if turn < 2 or first + k <= EARLY:
                _note_spectrum(point, run, law, room, lowest, highest, not measured)
                measured = True
            pending = place < min(stride, n - bucket * stride) - 1
            if not pending:
                _flush(lowest, low, bucket)
                if stride > 1:
                    _flush(highest, high, bucket)
        if k == n:
            break
        if law.method == NESTEROV:
            _take_slopes(run, room)
        rate = step * law.sigma * slope_error
        total, tops, bottoms = move(run, ties, law.method, rate, law.momentum, not forward)
        value, top, bottom = product(total), largest(tops), smallest(bottoms)
        made = k + 1
        forward = not forward
        if not (abs(value) <= limits[0] and top <= limits[1]):
            made, diverged = k, True
            break
    if pending:
        _flush(lowest, low, bucket)
        _flush(highest, high, bucket)
    for i in range(size):
        weights[i] = old_w[i] if diverged else w[i]
        velocity[i] = old_v[i] if diverged else v[i]
    return made, diverged, capped
