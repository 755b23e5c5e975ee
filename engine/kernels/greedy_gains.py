"""How much each of many candidate columns would lower a squared error, without the BLAS.

The products are too small for the BLAS's threads to pay: beside other work they wait for each
other many times longer than they compute.

It lies here, a kernel without a family, because all kernels must: the cache keys them on the
sources of this package, and the packaged program brings them compiled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import kernel

Floats = NDArray[np.float64]


@kernel
def gains(columns: Floats, rest: Floats, basis: Floats) -> Floats:
    """Fall of the squared error by each column with a factor >= 0, a basis being refitted.

    Parameters
    ----------
    columns : ndarray, shape (N, t)
    rest : ndarray, shape (N,)
        What is missing, orthogonal to the basis.
    basis : ndarray, shape (N, k)
        Orthonormal columns.

    Returns
    -------
    ndarray, shape (t,)
    """
    rows, count = columns.shape
    size = basis.shape[1]
    overlap, whole = np.zeros(count), np.zeros(count)
    shares = np.zeros((size, count))
    for i in range(rows):
        for t in range(count):
            value = columns[i, t]
            overlap[t] += rest[i] * value
            whole[t] += value * value
        for k in range(size):
            factor = basis[i, k]
            for t in range(count):
                shares[k, t] += factor * columns[i, t]
    found = np.zeros(count)
    for t in range(count):
        free = whole[t]
        for k in range(size):
            free -= shares[k, t] * shares[k, t]
        if overlap[t] > 0.0 and free > 1e-9 * whole[t]:
            found[t] = overlap[t] * overlap[t] / free
    return found
