"""The convolution block of the MNIST network: 6 × 6 patches, 4 × 4 maxima, and their gradient.

Only the upper left 25 × 25 pixels matter: 4 × 4 windows over 23 × 23 outputs leave out the last
three rows and columns. The maximum is taken before the ReLU, which gives the same numbers, and the
gradient visits only the patch that won each window instead of all sixteen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import helper, kernel
from engine.kernels.network.blas import ACROSS, PLAIN, Part, multiply
from engine.kernels.vectors.singles import LANES, load, multiply_add, splat, store

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
WINDOWS = GRID * GRID
"""Windows per image."""
OUTPUTS = GRID * POOL
"""Rows and columns of the convolution's output that are used."""

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


@helper
def crop(
    images: NDArray[np.uint8], index: NDArray[np.int64], table: F32, low: int, high: int, out: F32
) -> None:
    """Copy the used part of chosen images as numbers from `table` (256,) to `out` (·, PIXELS)."""
    for i in range(low, high):
        image = images[index[i]]
        for r in range(CROP):
            for s in range(CROP):
                out[i, r * CROP + s] = table[image[r, s]]


@helper
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


@helper
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
def convolve(
    images: NDArray[np.uint8],
    index: NDArray[np.int64],
    table: F32,
    low: int,
    high: int,
    filters: F32,
    bias: F32,
    cropped: F32,
    patch: F32,
    outputs: F32,
    features: F32,
    winner: I32,
) -> None:
    """Compute the features of chosen images, numbers `low` to `high` of the batch, in one call.

    Twelve parameters: each is an array of its own of whoever calls, for pieces of a few images.
    `filters` has shape (F, 36); `patch`, shape (·, 36), and `outputs`, shape (·, F), are scratch
    with a row for each of the 400 outputs of these images; for the rest see `crop` and `pool`.
    """
    size = KERNEL * KERNEL
    count = len(bias)
    crop(images, index, table, low, high, cropped)
    patches(cropped, low, high, patch)
    multiply(
        (high - low) * OUTPUTS * OUTPUTS,
        count,
        size,
        Part(patch.reshape(-1), 0, size, PLAIN),
        Part(filters.reshape(-1), 0, size, ACROSS),
        Part(outputs.reshape(-1), 0, count, PLAIN),
        False,
    )
    best, place = np.empty(count, np.float32), np.empty(count, np.int32)
    pool(outputs, bias, low, high, best, place, features, winner)


@kernel
def filter_gradient(
    cropped: F32, slopes: F32, winner: I32, first: int, weight: F32, bias: F32
) -> None:
    """Sum the gradient with respect to some filters, from number `first` on, and their biases.

    `slopes`, shape (B, 25 f), is the gradient with respect to the features of these f filters;
    `weight` has shape (f, 36), `bias` (f,). The six rows of a filter are kept in packs of eight,
    of which the last two belong to pixels that no one asks for.
    """
    sums = np.zeros((len(bias), KERNEL * LANES), np.float32)
    bias[:] = 0
    for i in range(len(slopes)):
        for f in range(len(bias)):
            at = f * KERNEL * LANES
            row0, row1 = load(sums, at), load(sums, at + LANES)
            row2, row3 = load(sums, at + 2 * LANES), load(sums, at + 3 * LANES)
            row4, row5 = load(sums, at + 4 * LANES), load(sums, at + 5 * LANES)
            total = np.float32(0)
            for window in range(WINDOWS):
                start = winner[i, (first + f) * WINDOWS + window]
                if start >= 0:
                    slope = slopes[i, f * WINDOWS + window]
                    total += slope
                    many, pixel = splat(slope), i * PIXELS + start
                    row0 = multiply_add(many, load(cropped, pixel), row0)
                    row1 = multiply_add(many, load(cropped, pixel + CROP), row1)
                    row2 = multiply_add(many, load(cropped, pixel + 2 * CROP), row2)
                    row3 = multiply_add(many, load(cropped, pixel + 3 * CROP), row3)
                    row4 = multiply_add(many, load(cropped, pixel + 4 * CROP), row4)
                    row5 = multiply_add(many, load(cropped, pixel + 5 * CROP), row5)
            bias[f] += total
            store(sums, at, row0)
            store(sums, at + LANES, row1)
            store(sums, at + 2 * LANES, row2)
            store(sums, at + 3 * LANES, row3)
            store(sums, at + 4 * LANES, row4)
            store(sums, at + 5 * LANES, row5)
    for f in range(len(bias)):
        for r in range(KERNEL):
            for s in range(KERNEL):
                weight[f, r * KERNEL + s] = sums[f, r * LANES + s]


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
