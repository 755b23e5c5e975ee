r"""Orbits of the map of equal weights for many step sizes at once.

The scalar product network of equal weights is the one-dimensional map
:math:`w \mapsto w-\delta\sigma w^{L-1}(w^L-\lambda)`; with momentum it has a velocity besides.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.kernels.jit import kernel
from engine.kernels.scalar_passes import GRADIENT_DESCENT, NESTEROV

TINY = 1e-300


@kernel
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
    steps: Any,
    start: float,
    target: float,
    sigma: float,
    depth: int,
    method: int,
    momentum: float,
    limit: float,
    transient: int,
    points: Any,
    exponents: Any,
) -> None:
    """Follow the map from one start, for each of several step sizes.

    Parameters
    ----------
    steps : ndarray, shape (m,)
        Step sizes.
    start, target, sigma, depth, method, momentum
        The first weight and the law of motion.
    limit : float
        Magnitude beyond which an orbit has diverged.
    transient : int
        Steps that are left out.
    points : ndarray, shape (m, n)
        Receives the n weights after those; NaN for an orbit that diverged.
    exponents : ndarray, shape (m,)
        Receives the Lyapunov exponent over those weights, in nats per step; NaN with momentum.
    """
    kept = points.shape[1]
    for column in range(steps.size):
        rate = steps[column] * sigma
        w, v, logs = start, 0.0, 0.0
        for k in range(transient + kept):
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
        exponents[column] = logs / kept if method == GRADIENT_DESCENT else np.nan
