"""The convolution block of the MNIST network: 6 × 6 patches, 4 × 4 maxima, and their gradient.

Only the upper left 25 × 25 pixels matter: 4 × 4 windows over 23 × 23 outputs leave out the last
three rows and columns. The maximum is taken before the ReLU, which gives the same numbers, and the
gradient visits only the patch that won each window instead of all sixteen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import kernel

CROP = 25
"""Rows and columns of an image that can influence the features."""
KERNEL = 6
"""Rows and columns of a filter."""
POOL = 4
"""Rows and columns of a window, of which the largest output is kept."""
GRID = 5
"""Windows per row and column."""
PIXELS = CROP * CROP + 2
"""Numbers per cropped image: two more than pixels, so that eight can be read from any row."""
WIDE = 8
"""Numbers that are added at once."""
OUTPUTS = GRID * POOL
"""Rows and columns of the convolution's output that are used."""

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


@kernel
def crop(
    images: NDArray[np.uint8], index: NDArray[np.int64], table: F32, low: int, high: int, out: F32
) -> None:
    """Copy the used part of chosen images as numbers from `table` (256,) to `out` (·, PIXELS)."""
    for i in range(low, high):
        image = images[index[i]]
        for r in range(CROP):
            for s in range(CROP):
                out[i, r * CROP + s] = table[image[r, s]]


@kernel
def patches(cropped: F32, low: int, high: int, out: F32) -> None:
    """Write the patch under each output as a row of `out`, shape ((high − low)·400, 36)."""
    for i in range(low, high):
        for p in range(OUTPUTS):
            for q in range(OUTPUTS):
                row = out[((i - low) * OUTPUTS + p) * OUTPUTS + q]
                for r in range(KERNEL):
                    start = (p + r) * CROP + q
                    for s in range(KERNEL):
                        row[r * KERNEL + s] = cropped[i, start + s]


@kernel
def pool(
    outputs: F32, bias: F32, low: int, high: int, best: F32, place: I32, features: F32, winner: I32
) -> None:
    """Take the largest output of each window, add the bias and apply the ReLU.

    `outputs` has shape ((high − low)·400, F); `best` and `place` are scratch of shape (F,);
    `features` and `winner`, shape (·, 25 F), get the value and the first pixel of the winning
    patch in the cropped image, or −1 where the ReLU is off.
    """
    filters = len(best)
    for i in range(low, high):
        for p in range(GRID):
            for q in range(GRID):
                for r in range(POOL):
                    for s in range(POOL):
                        y, x = POOL * p + r, POOL * q + s
                        row = outputs[((i - low) * OUTPUTS + y) * OUTPUTS + x]
                        at = np.int32(y * CROP + x)
                        if r + s == 0:
                            for f in range(filters):
                                best[f] = row[f]
                                place[f] = at
                        else:
                            for f in range(filters):
                                wins = row[f] > best[f]
                                best[f] = row[f] if wins else best[f]
                                place[f] = at if wins else place[f]
                for f in range(filters):
                    value = best[f] + bias[f]
                    column = (f * GRID + p) * GRID + q
                    features[i, column] = value if value > 0 else np.float32(0)
                    winner[i, column] = place[f] if value > 0 else np.int32(-1)


@kernel
def filter_gradient(
    cropped: F32,
    slopes: F32,
    winner: I32,
    low: int,
    high: int,
    scratch: F32,
    weight: F32,
    bias: F32,
) -> None:
    """Sum the gradient with respect to filters (F, 36) and biases (F,) over samples low to high.

    `slopes`, shape (parts, ·, 25 F), are gradients with respect to the features in parts that
    are still to be added up. In `scratch`, shape (F, 48), a filter's row takes eight places, which
    a processor adds at once; the two beyond its six belong to pixels that no one asks for.
    """
    total = np.empty(slopes.shape[2], np.float32)
    scratch[:] = 0
    bias[:] = 0
    for i in range(low, high):
        for column in range(len(total)):
            total[column] = slopes[0, i, column]
        for part in range(1, len(slopes)):
            for column in range(len(total)):
                total[column] += slopes[part, i, column]
        pixels = cropped[i]
        for f in range(len(bias)):
            sums = scratch[f]
            for window in range(GRID * GRID):
                column = f * GRID * GRID + window
                start = winner[i, column]
                if start >= 0:
                    slope = total[column]
                    bias[f] += slope
                    for r in range(KERNEL):
                        for s in range(WIDE):
                            sums[r * WIDE + s] += slope * pixels[start + r * CROP + s]
    for f in range(len(bias)):
        for r in range(KERNEL):
            for s in range(KERNEL):
                weight[f, r * KERNEL + s] = scratch[f, r * WIDE + s]


@kernel
def feature_change(cropped: F32, winner: I32, weight: F32, bias: F32, change: F32) -> None:
    """Compute by how much features change when filters (F, 36) and biases (F,) do."""
    for i in range(len(change)):
        for f in range(len(bias)):
            filter_weight = weight[f]
            for window in range(GRID * GRID):
                column = f * GRID * GRID + window
                start = winner[i, column]
                total = np.float32(0)
                if start >= 0:
                    total = bias[f]
                    for r in range(KERNEL):
                        for s in range(KERNEL):
                            total += (
                                filter_weight[r * KERNEL + s] * cropped[i, start + r * CROP + s]
                            )
                change[i, column] = total
