"""Gradient descent on the scalar product network with everything recorded.

Every recorded quantity belongs to the weights after a step. Where buckets of several steps are
asked for, each holds the smallest and largest value within it. The Hessian's eigenvalues cost
more than a step, so they are measured at the first steps and then at two of every so many (two,
because one would show one phase of a period-2 orbit only): which ones depends on the step's number
alone, and NaN stands for the others.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.kernels.jit import helper, kernel
from engine.kernels.scalar.passes import (
    GRADIENT_DESCENT,
    NESTEROV,
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


@helper
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


@helper
def _sort(w: Any, order: Any, n: int) -> None:
    """Sort the order of the weights by insertion; nearly free where it hardly changes."""
    for i in range(1, n):
        item, j = order[i], i
        while j > 0 and w[order[j - 1]] > w[item]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = item


@helper
def _quantile(w: Any, order: Any, n: int, fraction: float) -> float:
    """Return a quantile of sorted weights by linear interpolation."""
    place = fraction * (n - 1)
    below = min(int(place), n - 2)
    part = place - below
    value: float = w[order[below]] * (1.0 - part) + w[order[below + 1]] * part
    return value


@helper
def _widen(low: Any, high: Any, column: int, value: float, fresh: bool) -> None:
    """Widen a range to a value, or start it there."""
    low[column] = value if fresh or value < low[column] else low[column]
    high[column] = value if fresh or value > high[column] else high[column]


@helper
def _note_weights(w: Any, low: Any, high: Any, fresh: bool) -> None:
    """Note every weight, in whole rows of four."""
    if fresh:
        for j in range(0, w.size, 4):
            row = load(w, j)
            store(low, j, row)
            store(high, j, row)
    else:
        for j in range(0, w.size, 4):
            row = load(w, j)
            store(low, j, smaller(row, load(low, j)))
            store(high, j, larger(row, load(high, j)))


@helper
def _note_quantiles(w: Any, order: Any, n: int, low: Any, high: Any, fresh: bool) -> None:
    """Note quantiles of many weights."""
    _sort(w, order, n)
    for column in range(QUANTILES):
        fraction = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)[column]
        _widen(low, high, column, _quantile(w, order, n, fraction), fresh)


@helper
def _note_spectrum(
    w: Any,
    g: Any,
    error: float,
    sigma: float,
    n: int,
    step: float,
    momentum: float,
    method: int,
    d: Any,
    y: Any,
    values: Any,
    low: Any,
    high: Any,
    fresh: bool,
) -> None:
    """Note the eigenvalues of the Hessian, those of the Jacobian, and step x greatest / 2."""
    width = (low.size - 1) // 2
    if width == n:
        eigenvalues(w, g, error, sigma, n, d, y, values)
    else:
        values[0], values[1] = extremes(w, g, error, sigma, n, d, y)
    for i in range(width):
        _widen(low, high, i, values[i], fresh)
        _widen(low, high, width + i, multiplier(values[i], step, momentum, method), fresh)
    _widen(low, high, 2 * width, 0.5 * step * values[width - 1], fresh)


@helper
def _flush(a: Any, b: Any, c: Any, to_a: Any, to_b: Any, to_c: Any, bucket: int) -> None:
    """Copy one side of a bucket's ranges to its row."""
    for i in range(a.size):
        to_a[bucket, i] = a[i]
    for i in range(to_b.shape[1]):
        to_b[bucket, i] = b[i]
    for i in range(c.size):
        to_c[bucket, i] = c[i]


@helper
def _norm(w: Any, g: Any, error: float, sigma: float, n: int, d: Any, y: Any) -> float:
    """Return the largest magnitude of the Hessian's eigenvalues."""
    least, most = extremes(w, g, error, sigma, n, d, y)
    return max(abs(least), abs(most))


@kernel
def record(
    weights: Any,
    velocity: Any,
    ties: Any,
    first: int,
    n: int,
    stride: int,
    law: Any,
    limits: Any,
    every: int,
    low: Any,
    high: Any,
) -> tuple[int, bool, int]:
    """Make up to n steps and record buckets of `stride` of them.

    Parameters
    ----------
    weights, velocity : ndarray, shape (L,)
        The state; overwritten by the last good one.
    ties : tuple (leader, sign, tied)
    first, n, stride : int
        Steps made before, steps to make, and steps per bucket.
    law : tuple (method, rule, step, momentum, target, sigma, cap, root)
        Optimiser, step rule, step size (or its numerator where it depends on the state), momentum
        factor, target, input power, largest step size of a state-dependent rule, and the
        magnitude of the balanced weights, from which the distance is measured.
    limits : tuple (product, weight)
        Magnitudes beyond which the run has diverged.
    every : int
        The eigenvalues are measured at steps k <= `EARLY` and at those with k mod every < 2.
    low, high : tuple of ndarray
        Scalars (buckets, 7), weights (buckets, L or 7), eigenvalues (buckets, 2 L + 1 or 5).

    Returns
    -------
    made, diverged, capped : int, bool, int
        Steps made, whether the next one diverges, steps at which the cap held.
    """
    method, rule, setting, momentum, target, sigma, cap, root = law
    size = weights.size
    rows = (size + 3) // 4
    mask = padded(np.ones(size), rows, 0.0)
    w, old_w = padded(weights, rows, 1.0), padded(weights, rows, 1.0)
    v, old_v = padded(velocity, rows, 0.0), padded(velocity, rows, 0.0)
    g, prefix = np.zeros(4 * rows), np.ones(4 * rows)
    y, y_slopes, y_prefix = np.ones(4 * rows), np.zeros(4 * rows), np.ones(4 * rows)
    d, poles, values = np.empty(size), np.empty(size), np.empty(size)
    now, low_s, high_s = np.empty(SCALARS), np.empty(SCALARS), np.empty(SCALARS)
    shown = 4 * rows if low[1].shape[1] == size else QUANTILES
    low_w, high_w = np.empty(shown), np.empty(shown)
    low_h, high_h = np.empty(low[2].shape[1]), np.empty(low[2].shape[1])
    leader, sign, tied = ties
    order = np.arange(size)
    forward = first % 2 == 0
    total = chain(w, rows, forward, prefix)
    value, top, bottom = product(total), 0.0, 0.0
    made, diverged, capped = 0, False, 0
    bucket, place, pending, counted, turn = 0, -1, False, 0, first % every
    for k in range(n + 1):
        error = value - target
        sharpness = sigma * finish(w, rows, forward, total, prefix, mask, g)
        if not sharpness <= SHARPNESS_LIMIT:
            diverged = True
            made = max(made - 1, 0)
            break
        slope_error, curvature = error, sharpness
        if method == NESTEROV:
            y_total = look_ahead(w, v, momentum, forward, y, y_prefix)
            curvature = sigma * finish(y, rows, forward, y_total, y_prefix, mask, y_slopes)
            slope_error = product(y_total) - target
        step = setting
        if rule != FIXED_STEP:
            if rule == HESSIAN_STEP:
                if method != NESTEROV:
                    for i in range(size):
                        y[i], y_slopes[i] = w[i], g[i]
                curvature = _norm(y, y_slopes, slope_error, sigma, size, d, poles)
            within = setting < cap * curvature
            step = setting / curvature if within else cap
            capped += 1 if k < n and not within else 0
        if k > 0:
            place += 1
            if place == stride:
                bucket, place = bucket + 1, 0
            fresh = place == 0
            now[0], now[1], now[2] = value, 0.5 * sigma * error * error, top - bottom
            now[3], now[4], now[5] = sharpness, 0.5 * step * sharpness, step
            now[6] = max(abs(top - root), abs(bottom - root))
            for i in range(SCALARS):
                _widen(low_s, high_s, i, now[i], fresh)
            if shown > QUANTILES or shown >= size:
                _note_weights(w, low_w, high_w, fresh)
            else:
                _note_quantiles(w, order, size, low_w, high_w, fresh)
            length = min(stride, n - bucket * stride)
            turn = turn + 1 if turn + 1 < every else 0
            if fresh:
                for i in range(low_h.size):
                    low_h[i], high_h[i] = np.nan, np.nan
                counted = 0
            if turn < 2 or first + k <= EARLY:
                _note_spectrum(
                    w,
                    g,
                    error,
                    sigma,
                    size,
                    step,
                    momentum,
                    method,
                    d,
                    poles,
                    values,
                    low_h,
                    high_h,
                    counted == 0,
                )
                counted += 1
            pending = place < length - 1
            if not pending:
                _flush(low_s, low_w, low_h, low[0], low[1], low[2], bucket)
                if stride > 1:
                    _flush(high_s, high_w, high_h, high[0], high[1], high[2], bucket)
        if k == n:
            break
        if method == NESTEROV:
            for i in range(4 * rows):
                g[i] = y_slopes[i]
        total, tops, bottoms = move(
            w,
            v,
            g,
            leader,
            sign,
            tied,
            method,
            step * sigma * slope_error,
            momentum,
            not forward,
            mask,
            old_w,
            old_v,
            prefix,
        )
        value, top, bottom = product(total), largest(tops), smallest(bottoms)
        made = k + 1
        forward = not forward
        if not (abs(value) <= limits[0] and top <= limits[1]):
            diverged = True
            made = k
            break
    if pending:
        _flush(low_s, low_w, low_h, low[0], low[1], low[2], bucket)
        _flush(high_s, high_w, high_h, high[0], high[1], high[2], bucket)
    for i in range(size):
        weights[i] = old_w[i] if diverged else w[i]
        velocity[i] = old_v[i] if diverged else v[i]
    return made, diverged, capped
