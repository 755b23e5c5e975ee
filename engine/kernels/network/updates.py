"""What a step of training does besides the network's products: losses, updates, norms.

Updates of gradient methods are made in one pass over the memory, projection included.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import kernel
from engine.kernels.vectors.singles import LANES, load, multiply_add, splat, store, subtract

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


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


@kernel
def descend(weights: F32, gradient: F32, step_size: np.float32, floor: np.float32) -> None:
    """Make w ← max(w − δ g, floor)."""
    for i in range(len(weights)):
        value = weights[i] - step_size * gradient[i]
        weights[i] = value if value > floor else floor


@kernel
def descend_with_momentum(
    weights: F32,
    gradient: F32,
    velocity: F32,
    step_size: np.float32,
    momentum: np.float32,
    nesterov: bool,
    floor: np.float32,
) -> None:
    """Make v ← μ v + g and w ← max(w − δ v, floor), or with Nesterov w − δ (g + μ v)."""
    ahead = momentum if nesterov else np.float32(1)
    own = np.float32(1) if nesterov else np.float32(0)
    for i in range(len(weights)):
        speed = momentum * velocity[i] + gradient[i]
        velocity[i] = speed
        value = weights[i] - step_size * (own * gradient[i] + ahead * speed)
        weights[i] = value if value > floor else floor


@kernel
def descend_adam(
    weights: F32,
    gradient: F32,
    mean: F32,
    square: F32,
    step_size: np.float32,
    mean_rate: np.float32,
    square_rate: np.float32,
    root_scale: np.float32,
    floor: np.float32,
) -> None:
    """Make one step of Adam (β = 0.9, 0.999, ε = 1e−8).

    Nine parameters: the arrays are pieces of flat ones, cut anew for every call, and a record of
    them would take longer to be handed over from Python than some of the pieces to be updated.
    `step_size` holds the correction δ/(1 − β₁^t), `root_scale` 1/√(1 − β₂^t); the rates are 1 − β.
    """
    for i in range(len(weights)):
        slope = gradient[i]
        mean[i] += mean_rate * (slope - mean[i])
        square[i] += square_rate * (slope * slope - square[i])
        root = np.sqrt(square[i]) * root_scale + np.float32(1e-8)
        value = weights[i] - step_size * mean[i] / root
        weights[i] = value if value > floor else floor


@kernel
def squared_lengths(rows: F32, others: F32, first: int, last: int, lengths: F64) -> None:
    """Write Σ (x − y)² of each row x of `rows` and y of `others`, from number `first` to `last`.

    With one row in `others` it is that of all.
    """
    size = rows.shape[1]
    whole = size - size % LANES
    parts = np.empty(LANES, np.float32)
    for r in range(first, last):
        sums = splat(np.float32(0))
        s = r if len(others) > 1 else 0
        for i in range(0, whole, LANES):
            difference = subtract(load(rows, r * size + i), load(others, s * size + i))
            sums = multiply_add(difference, difference, sums)
        store(parts, 0, sums)
        total = 0.0
        for part in parts:
            total += float(part)
        for i in range(whole, size):
            total += (np.float64(rows[r, i]) - others[s, i]) ** 2
        lengths[r] = total
