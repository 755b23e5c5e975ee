"""Losses of scores and their gradients, both averaged over the samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import kernel

F32 = NDArray[np.float32]


@kernel
def cross_entropy(scores: F32, labels: NDArray[np.int64], slopes: F32) -> float:
    """Compute the mean of log Σ_j exp(f_j) − f_y; its gradient in `scores` goes to `slopes`."""
    count, classes = scores.shape
    loss = 0.0
    for i in range(count):
        top = scores[i, 0]
        for k in range(1, classes):
            top = max(top, scores[i, k])
        total = 0.0
        for k in range(classes):
            total += math.exp(scores[i, k] - top)
        for k in range(classes):
            slopes[i, k] = math.exp(scores[i, k] - top) / total / count
        label = labels[i]
        loss += math.log(total) + top - scores[i, label]
        slopes[i, label] -= np.float32(1 / count)
    return float(loss / count)


@kernel
def squared_error(scores: F32, labels: NDArray[np.int64], slopes: F32) -> float:
    """Compute the mean of ½ Σ_k (f_k − y_k)² with one-hot y, as `cross_entropy` does."""
    count, classes = scores.shape
    loss = 0.0
    for i in range(count):
        for k in range(classes):
            error = scores[i, k] - (1 if labels[i] == k else 0)
            loss += 0.5 * error * error
            slopes[i, k] = error / count
    return float(loss / count)
