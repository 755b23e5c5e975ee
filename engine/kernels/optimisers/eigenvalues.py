"""The extreme eigenvalues of a small symmetric matrix, by Jacobi's rotations."""

from __future__ import annotations

import math
from typing import Any

from engine.kernels.jit import inner

SWEEPS = 30
"""Sweeps at most; convergence is quadratic, and a handful is enough."""


@inner
def rotate(a: Any, p: int, q: int) -> None:
    """Turn the plane of two coordinates so that their off-diagonal entry vanishes."""
    n = a.shape[0]
    half = 0.5 * (a[q, q] - a[p, p]) / a[p, q]
    sign = 1.0 if half >= 0.0 else -1.0
    t = sign / (abs(half) + math.sqrt(half * half + 1.0))
    c = 1.0 / math.sqrt(t * t + 1.0)
    s = t * c
    a[p, p] -= t * a[p, q]
    a[q, q] += t * a[p, q]
    a[p, q] = 0.0
    a[q, p] = 0.0
    for i in range(n):
        if i != p and i != q:
            x, y = a[i, p], a[i, q]
            a[i, p] = c * x - s * y
            a[i, q] = s * x + c * y
            a[p, i] = a[i, p]
            a[q, i] = a[i, q]


@inner
def extremes(a: Any) -> tuple[float, float]:
    """Return the least and the greatest eigenvalue of a symmetric matrix, which is overwritten.

    Not a number where an entry is not.
    """
    n = a.shape[0]
    size = 0.0
    for i in range(n):
        for j in range(n):
            if not abs(a[i, j]) < math.inf:
                return math.nan, math.nan
            size = max(size, abs(a[i, j]))
    for _ in range(SWEEPS):
        left = 0.0
        for p in range(n - 1):
            for q in range(p + 1, n):
                left = max(left, abs(a[p, q]))
        if left <= 1e-17 * size:
            break
        for p in range(n - 1):
            for q in range(p + 1, n):
                if a[p, q] != 0.0:
                    rotate(a, p, q)
    least, greatest = a[0, 0], a[0, 0]
    for i in range(1, n):
        least, greatest = min(least, a[i, i]), max(greatest, a[i, i])
    return least, greatest
