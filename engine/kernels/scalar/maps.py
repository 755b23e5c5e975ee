r"""Many orbits of scalar product networks at once, for pictures of a family of runs.

The network of equal weights is the one-dimensional map
:math:`w \mapsto w-\delta\sigma w^{L-1}(w^L-\lambda)`, that of two weights is equation (2) for
L = 2; with momentum they have velocities besides.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import helper, kernel
from engine.kernels.scalar.passes import GRADIENT_DESCENT, NESTEROV

TINY = 1e-300
BESIDE = 1e-9
"""How far beside a diagonal of the plane runs begin: on it they would go to the saddle at 0."""


class Motion(NamedTuple):
    """The law of motion of an orbit, and the magnitude beyond which it has diverged."""

    target: float
    sigma: float
    depth: int
    method: int
    momentum: float
    limit: float


@helper
def _power(x: float, n: int) -> float:
    """Multiply x by itself, in about log2 n products."""
    result = 1.0
    while n > 0:
        if n & 1:
            result *= x
        x *= x
        n >>= 1
    return result


@kernel
def settled_orbits(
    steps: FloatArray,
    start: float,
    law: Motion,
    transient: int,
    points: FloatArray,
    exponents: FloatArray,
) -> None:
    """Follow the map from one start, for each of several step sizes.

    Where an orbit has come to a cycle (found as by Brent, 1980) the transient is not followed on.

    Parameters
    ----------
    steps : ndarray, shape (m,)
        Step sizes.
    start : float
        The first weight.
    law : Motion
    transient : int
        Steps that are left out.
    points : ndarray, shape (m, n)
        Receives the n weights after those; NaN for an orbit that diverged.
    exponents : ndarray, shape (m,)
        Receives the Lyapunov exponent over those weights, in nats per step; NaN with momentum.
    """
    target, sigma, depth, method, momentum, limit = law
    kept = points.shape[1]
    for column in range(steps.size):
        rate = steps[column] * sigma
        w, v, logs = start, 0.0, 0.0
        k, known, known_w, known_v = 0, 0, start, 0.0
        while k < transient + kept:
            if k >= transient:
                points[column, k - transient] = w
                if method == GRADIENT_DESCENT:
                    slope = (2 * depth - 1) * _power(w, 2 * depth - 2)
                    if depth > 1:
                        slope -= (depth - 1) * target * _power(w, depth - 2)
                    logs += math.log(max(abs(1.0 - rate * slope), TINY))
            x = w + momentum * v if method == NESTEROV else w
            power = _power(x, depth - 1)
            move = -rate * power * (power * x - target)
            if method != GRADIENT_DESCENT:
                v = momentum * v + move
                move = v
            w += move
            if not abs(w) <= limit:
                points[column, :] = np.nan
                logs = np.nan
                break
            k += 1
            if k < transient:
                if w == known_w and v == known_v:  # a cycle to the last bit: leave out whole laps
                    k = transient - (transient - k) % (k - known)
                elif k == 2 * known or known == 0:
                    known, known_w, known_v = k, w, v
        exponents[column] = logs / kept if method == GRADIENT_DESCENT else np.nan


@helper
def _landing(a: float, b: float, rate: float, law: Motion, most: int, near: float) -> float:
    """Follow two weights to a minimum; return rate times sharpness over 2 there, inf or NaN.

    A run that is given up while it still comes nearer goes to the minimum on its hyperbola
    a^2 - b^2 = const., along which short steps lead.
    """
    target, _, _, method, momentum, limit = law
    u, v, former, latter = 0.0, 0.0, 0.0, 0.0
    for k in range(most):
        x, y = a, b
        if method == NESTEROV:
            x, y = a + momentum * u, b + momentum * v
        pull = rate * (x * y - target)
        u, v = momentum * u - pull * y, momentum * v - pull * x
        a, b = a + u, b + v
        if not max(abs(a), abs(b)) <= limit:
            return np.nan
        error = a * b - target
        if abs(error) <= near and max(abs(u), abs(v)) <= near:
            return 0.5 * rate * (a * a + b * b)
        energy = rate * error * error + u * u + v * v
        if 4 * k >= 3 * most:
            latter = max(latter, energy)
        elif 2 * k >= most:
            former = max(former, energy)
    return 0.5 * rate * math.hypot(a * a - b * b, 2.0 * target) if latter < former else np.inf


@kernel
def landings(
    starts: FloatArray, step: float, law: Motion, most: int, near: float, stability: FloatArray
) -> None:
    """Follow two weights from every point of a square grid, to the minimum that they reach.

    Exchanging the weights, or both signs, changes nothing: a quarter of the grid is followed.

    Parameters
    ----------
    starts : ndarray, shape (m,)
        The first weights along both axes, ascending and symmetric about 0.
    step : float
        Step size.
    law : Motion
        Of depth 2; velocities begin at 0.
    most : int
        Steps after which a run that neither settled nor diverged is given up.
    near : float
        Magnitude of error and velocity at which a run has settled.
    stability : ndarray, shape (m, m)
        Receives step size times sharpness over 2 where the run settled or was about to (row: second
        weight), inf where it does not settle, NaN where it diverges.
    """
    rate, last = step * law.sigma, starts.size - 1
    for row in range(starts.size // 2, starts.size):
        for column in range(last - row, row + 1):
            above = starts[row] * (1.0 + BESIDE)
            reached = _landing(starts[column], above, rate, law, most, near)
            stability[row, column] = stability[column, row] = reached
            stability[last - row, last - column] = stability[last - column, last - row] = reached
