r"""Growth of a small displacement along a recorded orbit of the scalar product network.

The Jacobian of the iteration needs the Hessian times a vector,
:math:`Hv = \sigma\,(g\,(g^\top v) + e\,Pv)` with
:math:`(Pv)_i=\sum_{j\ne i}v_j\prod_{l\ne i,j}w_l`; Pv is the derivative of the prefix and
suffix products in the direction v: O(L) operations, no division.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import helper, kernel
from engine.kernels.scalar.passes import GRADIENT_DESCENT, NESTEROV, Tied
from engine.kernels.scalar.record import FIXED_STEP, Motion


@helper
def _slopes(w: Any, v: Any, g: Any, bent: Any) -> float:
    """Write g and Pv; return the product of all weights."""
    n = w.size
    prefix, moved = 1.0, 0.0
    for i in range(n):
        g[i], bent[i] = prefix, moved
        moved = moved * w[i] + prefix * v[i]
        prefix *= w[i]
    suffix, moved = 1.0, 0.0
    for i in range(n - 1, -1, -1):
        bent[i] = bent[i] * suffix + g[i] * moved
        g[i] *= suffix
        moved = moved * w[i] + suffix * v[i]
        suffix *= w[i]
    return prefix


@kernel
def growth(
    weights: FloatArray,
    steps: FloatArray,
    ties: Tied,
    law: Motion,
    begin_along: FloatArray,
    logs: FloatArray,
) -> None:
    """Write the logarithm of the growth of a displacement from each row to the next.

    The displacement obeys the same ties between weights as the run.

    Parameters
    ----------
    weights : ndarray, shape (m, L)
        Consecutive weights of a run.
    steps : ndarray, shape (m,)
        Step size that leads on from each row.
    ties : Tied
    law : Motion
        With the rule "over the sharpness" the step's own slope counts.
    begin_along : ndarray, shape (L,)
        Direction of the displacement at the first row; zeros for that of the gradient, in which a
        minimum can be unstable.
    logs : ndarray, shape (m - 1,)
        The first entry is 0 with momentum, whose velocity the first row does not contain.
    """
    leader, sign, _ = ties
    method, rule, _, momentum, target, sigma, cap, _ = law
    m, n = weights.shape
    g, bent = np.empty(n), np.empty(n)
    v, s, y, vy = np.empty(n), np.zeros(n), np.empty(n), np.empty(n)
    _slopes(weights[0], s, v, bent)
    size = 0.0
    for i in range(n):
        size += begin_along[i] * begin_along[i]
    if size > 0.0:
        for i in range(n):
            v[i] = begin_along[i]
    begin = 0
    if method != GRADIENT_DESCENT:
        logs[0] = 0.0
        begin = 1
    size = 0.0
    for i in range(n):
        v[i] = v[leader[i]] * sign[i]
        size += v[i] * v[i]
    size = math.sqrt(size)
    for i in range(n):
        v[i] = v[i] / size if size > 0.0 else sign[i] / math.sqrt(n)
    for k in range(begin, m - 1):
        ahead = momentum if method == NESTEROV else 0.0
        for i in range(n):
            y[i], vy[i] = weights[k, i], v[i] + ahead * s[i]
            if ahead != 0.0:
                y[i] += ahead * (weights[k, i] - weights[k - 1, i])
        error = _slopes(y, vy, g, bent) - target
        along, curved, squares = 0.0, 0.0, 0.0
        for i in range(n):
            along += g[i] * vy[i]
            curved += g[i] * bent[i]
            squares += g[i] * g[i]
        step = steps[k]
        stretch = 0.0
        if rule != FIXED_STEP and step < cap and squares > 0.0:
            stretch = -2.0 * step * curved / squares
        for i in range(n):
            j = leader[i]
            slope = sigma * (step * (g[j] * along + error * bent[j]) + stretch * error * g[j])
            if method == GRADIENT_DESCENT:
                y[i] = v[i] - sign[i] * slope
            else:
                s[i] = momentum * s[i] - sign[i] * slope
                y[i] = v[i] + s[i]
        size = 0.0
        for i in range(n):
            size += y[i] * y[i] + (s[i] * s[i] if method != GRADIENT_DESCENT else 0.0)
        size = math.sqrt(size)
        logs[k] = math.log(max(size, 1e-300))
        for i in range(n):
            v[i] = y[i] / size if size > 0.0 else sign[i] / math.sqrt(n)
            s[i] = s[i] / size if size > 0.0 else 0.0


@kernel
def growth_in_line(curvature: Any, method: int, momentum: float, logs: Any) -> None:
    """Write the log growth per step of a displacement along a fixed eigenvector of the Hessian.

    Parameters
    ----------
    curvature : ndarray, shape (m,)
        Step size times the Hessian's eigenvalue, where the step from each row takes its gradient.
    method, momentum
        The optimiser.
    logs : ndarray, shape (m,)
    """
    v, s = 1.0, 0.0
    for k in range(curvature.size):
        if method == GRADIENT_DESCENT:
            v, s = (1.0 - curvature[k]) * v, 0.0
        else:
            ahead = v + momentum * s if method == NESTEROV else v
            s = momentum * s - curvature[k] * ahead
            v += s
        size = math.sqrt(v * v + s * s)
        logs[k] = math.log(max(size, 1e-300))
        v, s = (v / size, s / size) if size > 0.0 else (1.0, 0.0)
