"""The networks of a class by Gram matrices, forward and back.

Each round of a class is one call without the GIL, large matrix products included: with calls from
Python in between, a thread that draws would hold up those that train.

``A`` has shape (S, L·m + 1, n): the columns of all V of a network as rows, and c; ``W`` has shape
(S, L·m, n).

``G`` holds the products of a class's W and V, shape (S, L·m, L·m + 1): row q of network s is
``V_jᵀ W_i`` of column q of its W, one column per row of all V and, last, c. Of the row of a ReLU
in layer i only the columns after that layer are used. ``u`` has shape (capacity, S (L·m + 1)),
network s beginning at column s (L·m + 1); its gradient ``du`` has such rows of all classes side by
side. Of the capacity, `count` rows are in use.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import helper, kernel
from engine.kernels.network.blas import ACROSS, PLAIN, Part, multiply

F32 = NDArray[np.float32]

COLUMNS = 400
"""Features whose part of a gradient is made at once."""


@kernel
def prepare(A: F32, W: F32, m: int, G: F32) -> None:
    """Write the products of W and V that `G` holds, for layers of m ReLUs."""
    networks, rows, n = A.shape
    A, W, G = A.reshape(-1), W.reshape(-1), G.reshape(-1)
    for s in range(networks):
        for own in range(0, rows - 1, m):
            after, at = own + m, s * (rows - 1) + own
            multiply(
                m,
                rows - after,
                n,
                Part(W, at * n, n, PLAIN),
                Part(A, (s * rows + after) * n, n, ACROSS),
                Part(G, at * rows + after, rows, PLAIN),
                False,
            )


@kernel
def answer(h0: F32, A: F32, b: F32, G: F32, u: F32, z: F32) -> None:
    """Write u and z for the features `h0` (B, n); the last u of a network is its answer."""
    count, n = h0.shape
    width = u.shape[1]
    multiply(
        count,
        width,
        n,
        Part(h0.reshape(-1), 0, n, PLAIN),
        Part(A.reshape(-1), 0, n, ACROSS),
        Part(u.reshape(-1), 0, width, PLAIN),
        False,
    )
    carry_forward(u, b, G, count, z)


@kernel
def feature_slopes(du: F32, A: F32, first: int, out: F32) -> None:
    """Multiply the gradient with respect to all u with the rows of all A, from column `first` on.

    `A` holds the rows of all classes below each other; `out` has shape (B, columns).
    """
    count, columns = out.shape
    (inner, n), out = A.shape, out.reshape(-1)
    multiply(
        count,
        columns,
        inner,
        Part(du.reshape(-1), 0, inner, PLAIN),
        Part(A.reshape(-1), first, n, PLAIN),
        Part(out, 0, columns, PLAIN),
        False,
    )


@kernel
def gradient(
    h0: F32, A: F32, W: F32, m: int, du: F32, first: int, dG: F32, dA: F32, dW: F32
) -> None:
    """Write the gradients with respect to A and W, from those of u and G.

    Nine parameters, as arrays of torch and of the form come from Python one by one.
    By parts of the columns: what the products of a network read and write then fits into a core's
    second cache.
    """
    count, n = h0.shape
    networks, rows, _ = A.shape
    width = du.shape[1]
    h0, du, dG_flat = h0.reshape(-1), du.reshape(-1), dG.reshape(-1)
    A_flat, W_flat, dA_flat, dW_flat = (
        A.reshape(-1),
        W.reshape(-1),
        dA.reshape(-1),
        dW.reshape(-1),
    )
    for s in range(networks):
        for low in range(0, n, COLUMNS):
            columns = min(COLUMNS, n - low)
            multiply(
                rows,
                columns,
                count,
                Part(du, first + s * rows, width, ACROSS),
                Part(h0, low, n, PLAIN),
                Part(dA_flat, s * rows * n + low, n, PLAIN),
                False,
            )
            for own in range(0, rows - 1, m):
                after, at = own + m, s * (rows - 1) + own
                if after == rows - 1:  # c alone: no work for a BLAS
                    part, slopes = slice(low, low + columns), dG[s, own:after, rows - 1]
                    c, dc = A[s, rows - 1, part], dA[s, rows - 1, part]
                    for q in range(m):
                        slope, column, out = slopes[q], W[s, own + q, part], dW[s, own + q, part]
                        for j in range(columns):
                            out[j] = slope * c[j]
                            dc[j] += slope * column[j]
                else:
                    below = (s * rows + after) * n + low
                    multiply(
                        rows - after,
                        columns,
                        m,
                        Part(dG_flat, at * rows + after, rows, ACROSS),
                        Part(W_flat, at * n + low, n, PLAIN),
                        Part(dA_flat, below, n, PLAIN),
                        True,
                    )
                    multiply(
                        m,
                        columns,
                        rows - after,
                        Part(dG_flat, at * rows + after, rows, PLAIN),
                        Part(A_flat, below, n, PLAIN),
                        Part(dW_flat, at * n + low, n, PLAIN),
                        False,
                    )


@helper
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

    Nine parameters, as for `gradient`.
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
