r"""Displacements that mix two eigenspaces of a decoupled network of matrices.

From the identity, with a normal R and second moment I, every eigenvalue :math:`\lambda` of R is
learned by the scalar map :math:`w\mapsto w-\delta w^{L-1}(w^L-\lambda)`. A displacement of entry ij
of the matrices, between the eigenspaces of :math:`w=a` and :math:`w=b`, moves by the linear map
below, which couples it to entry ji alone: 2 L numbers, x of the entries ij and y of the entries ji.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner, kernel

FAR = 1e6
"""Size of a scalar orbit that does not come back."""


@inner
def _change(
    step: float, a: float, b: float, first: float, second: float, x: Any, y: Any, out: Any
) -> None:
    r"""Write what a step makes of the entries x, from x and from the mirrored entries y.

    With the products U of the matrices above and V of those below one, the gradient is
    :math:`U^\top(P-R)V^\top`: P changes with x, U and V with y.

    Parameters
    ----------
    step : float
    a, b : float
        The scalar weights of the two eigenspaces.
    first, second : float
        Their errors, :math:`a^L-\lambda`.
    x, y, out : ndarray, shape (L,)
    """
    depth = x.size
    product = 0.0
    for i in range(depth):
        product += a ** (depth - 1 - i) * b**i * x[i]
    for i in range(depth):
        above, below = 0.0, 0.0
        for m in range(i + 1, depth):
            above += b ** (depth - 1 - m) * a ** (m - i - 1) * y[m]
        for m in range(i):
            below += b ** (i - 1 - m) * a**m * y[m]
        slope = a ** (depth - 1 - i) * b**i * product
        slope += above * second * b**i + a ** (depth - 1 - i) * first * below
        out[i] = x[i] - step * slope


@kernel
def mixing_growth(
    step: float,
    depth: int,
    first: float,
    second: float,
    start: float,
    transient: int,
    logs: FloatArray,
) -> bool:
    """Follow two scalar orbits and a displacement that mixes their eigenspaces.

    Parameters
    ----------
    step : float
    depth : int
    first, second : float
        Eigenvalues of R.
    start : float
        Weight from which both begin.
    transient : int
        Steps before those whose growth is noted.
    logs : ndarray, shape (n,)
        Receives the log growth of the displacement in each step.

    Returns
    -------
    bool
        Whether both orbits stay bounded.
    """
    x, y = np.empty(depth), np.empty(depth)
    new_x, new_y = np.empty(depth), np.empty(depth)
    for i in range(depth):  # any displacement that no symmetry singles out
        x[i], y[i] = math.sin(1.0 + 2.7 * i), math.cos(2.0 + 1.9 * i)
    a, b = start, start
    for k in range(transient + logs.size):
        error_a, error_b = a**depth - first, b**depth - second
        _change(step, a, b, error_a, error_b, x, y, new_x)
        _change(step, b, a, error_b, error_a, y, x, new_y)
        size = 0.0
        for i in range(depth):
            size += new_x[i] * new_x[i] + new_y[i] * new_y[i]
        size = math.sqrt(size)
        if k >= transient:
            logs[k - transient] = math.log(size) if size > 0.0 else -700.0
        for i in range(depth):
            x[i] = new_x[i] / size if size > 0.0 else 0.0
            y[i] = new_y[i] / size if size > 0.0 else 0.0
        a -= step * a ** (depth - 1) * error_a
        b -= step * b ** (depth - 1) * error_b
        if not (abs(a) < FAR and abs(b) < FAR):
            return False
    return True
