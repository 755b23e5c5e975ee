"""The layers between the large matrix products of the batched networks, forward and back.

``G`` holds the products of a class's W and V, shape (S, L·m, L·m + 1): row q of network s is
``V_jᵀ W_i`` of column q of its W, one column per row of all V and, last, c. Of the row of a ReLU
in layer i only the columns after that layer are used. ``u`` has shape (capacity, S (L·m + 1)),
network s beginning at column s (L·m + 1); its gradient ``du`` has such rows of all classes side by
side. Of the capacity, `count` rows are in use.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import kernel

F32 = NDArray[np.float32]


@kernel
def carry_forward(u: F32, b: F32, G: F32, count: int, z: F32) -> None:
    """Write z_i = [u_i - b_i]_+ and u_j ← u_j + G z_i for j > i, layer by layer.

    `z` has shape (L, S, capacity, m).
    """
    layers, networks, _, m = z.shape
    rows = layers * m + 1
    for s in range(networks):
        for i in range(count):
            row = u[i, s * rows : (s + 1) * rows]
            for layer in range(layers):
                after = (layer + 1) * m
                tail = row[after:]
                for p in range(m):
                    q = layer * m + p
                    value = row[q] - b[s, q]
                    if value <= 0:
                        z[layer, s, i, p] = np.float32(0)
                    else:  # nan included, which must not be lost
                        z[layer, s, i, p] = value
                        weights = G[s, q, after:]
                        for j in range(len(tail)):
                            tail[j] += value * weights[j]


@kernel
def carry_back(
    outer: F32, z: F32, G: F32, count: int, across: F32, du: F32, first: int, db: F32, dG: F32
) -> None:
    """Write the gradients with respect to u, b and G, from that of the last u, shape (·, S).

    That of u goes to the columns of `du` from number `first` on.
    `across`, shape (L·m + 1, m), is scratch: a layer's part of G with rows and columns exchanged,
    so that the sums run over consecutive numbers.
    """
    layers, networks, _, m = z.shape
    rows = layers * m + 1
    db[:] = 0
    dG[:] = 0
    for s in range(networks):
        for i in range(count):
            du[i, first + (s + 1) * rows - 1] = outer[i, s]
        for layer in range(layers - 1, -1, -1):
            own, after = layer * m, (layer + 1) * m
            for p in range(m):
                for j in range(after, rows):
                    across[j, p] = G[s, own + p, j]
            for i in range(count):
                row = du[i, first + s * rows : first + (s + 1) * rows]
                slopes, tail = row[own:after], row[after:]
                slopes[:] = 0
                for j in range(len(tail)):
                    value = tail[j]
                    weights = across[after + j]
                    for p in range(len(slopes)):
                        slopes[p] += value * weights[p]
                for p in range(len(slopes)):
                    on = z[layer, s, i, p]
                    if on > 0:
                        db[s, own + p] -= slopes[p]
                        sums = dG[s, own + p, after:]
                        for j in range(len(tail)):
                            sums[j] += on * tail[j]
                    else:
                        slopes[p] = np.float32(0)
