"""How square matrices are laid out for the kernels: zero-padded to whole vectors of numbers."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray

TILE = 4
"""Rows of a tile and lanes of a vector; sides are padded to a multiple of it."""


def padded_side(size: int) -> int:
    """Side of the padded square matrix that holds a matrix of this size."""
    return -(-size // TILE) * TILE


def padded(matrices: FloatArray) -> FloatArray:
    """Copy matrices into zero-padded ones, shape (..., n, n) to (..., m, m)."""
    n = matrices.shape[-1]
    m = padded_side(n)
    out = np.zeros((*matrices.shape[:-2], m, m))
    out[..., :n, :n] = matrices
    return out
