"""What is measured of the layers: norms, and how well neighbours are aligned."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray
from engine.experiments.network.look import Numbers
from engine.experiments.network.nets.architecture import Net

LARGEST_SIDE = 512
"""Side of a matrix up to which its singular vectors are computed while a run goes on."""


def norms(architecture: Net, weights: Numbers) -> FloatArray:
    """Return the Frobenius norm of each matrix, shape (networks * L,)."""
    found = [np.linalg.norm(each.astype(np.float64)) for each in architecture.matrices(weights)]
    return np.array(found) if found else np.full(1, np.nan)


def norm_count(architecture: Net) -> int:
    """Return the length of what `norms` returns."""
    return max(architecture.networks * architecture.depth, 1)


def alignments(architecture: Net, weights: Numbers) -> FloatArray:
    """Return how well neighbouring layers are aligned, shape (networks * (L - 1),).

    The magnitude of the product of the first right singular vector of a layer with the first left
    one of the layer before it: 1 where all that the one gives most to is what the other takes most
    from. NaN where a matrix is large, there is no neighbour, or one does not take what the other
    gives.
    """
    if not architecture.is_chain:
        return np.full(alignment_count(architecture), np.nan)
    depth, made = architecture.depth, []
    matrices = [each.astype(np.float64) for each in architecture.matrices(weights)]
    if max(max(each.shape) for each in matrices) > LARGEST_SIDE:
        return np.full(alignment_count(architecture), np.nan)
    ends = [_ends(each) for each in matrices]
    for index, (left, _) in enumerate(ends):
        if (index + 1) % depth:
            made.append(abs(float(ends[index + 1][1] @ left)))
    return np.array(made) if made else np.full(1, np.nan)


def alignment_count(architecture: Net) -> int:
    """Return the length of what `alignments` returns."""
    return max(architecture.networks * (architecture.depth - 1), 1)


def _ends(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first left and the first right singular vector."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return left[:, 0], right[0]
