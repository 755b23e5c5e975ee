"""Displacements that draw the equal weights of a scalar product network apart."""

from __future__ import annotations

import math

from engine.core.arrays import FloatArray
from engine.kernels.jit import kernel

FAR = 1e6
"""Size of an orbit that does not come back."""


@kernel
def parting_growth(
    step: float, depth: int, value: float, start: float, transient: int, logs: FloatArray
) -> bool:
    r"""Follow the orbit of equal weights and a displacement that draws them apart.

    Each step multiplies it by :math:`1+\delta w^{L-2}(w^L-\lambda)`.

    Parameters
    ----------
    step : float
    depth : int
        At least 2.
    value : float
        The target.
    start : float
        Weight from which the orbit begins.
    transient : int
        Steps before those whose growth is noted.
    logs : ndarray, shape (n,)
        Receives the log growth of the displacement in each step.

    Returns
    -------
    bool
        Whether the orbit stays bounded.
    """
    w = start
    for k in range(transient + logs.size):
        error = w**depth - value
        if k >= transient:
            factor = abs(1.0 + step * w ** (depth - 2) * error)
            logs[k - transient] = math.log(factor) if factor > 0.0 else -700.0
        w -= step * w ** (depth - 1) * error
        if not abs(w) < FAR:
            return False
    return True
