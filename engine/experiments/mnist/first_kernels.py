"""The kernels of a first picture, called on tiny arrays without torch.

torch takes seconds to load, so a process that compiles does without it, and begins before the
process of the window has loaded it.
"""

from __future__ import annotations

import numpy as np

from engine.kernels.network import images, layers, updates


def call() -> None:
    """Call each with the types that a run with the usual parameters has."""
    networks, depth, m, filters, count = 2, 1, 1, 1, 1
    n, rows = filters * images.WINDOWS, depth * m + 1

    def zeros(*shape: int) -> images.F32:
        return np.zeros(shape, np.float32)

    lengths = np.zeros(1)
    updates.squared_lengths(zeros(1, n), zeros(1, n), 0, 1, lengths)
    patches = count * images.OUTPUTS**2
    pixels = images.KERNEL**2
    h0 = zeros(count, n)
    images.convolve(
        np.zeros((count, 28, 28), np.uint8),
        np.zeros(count, np.int64),
        zeros(256),
        0,
        count,
        zeros(filters, pixels),
        zeros(filters),
        zeros(count, images.PIXELS),
        zeros(patches, pixels),
        zeros(patches, filters),
        h0,
        np.zeros((count, n), np.int32),
    )
    A, W, G = zeros(networks, rows, n), zeros(networks, depth * m, n), zeros(networks, m, rows)
    layers.prepare(A, W, m, G)
    u, z = zeros(count, networks * rows), zeros(depth, networks, count, m)
    layers.answer(h0, A, zeros(networks, depth * m), G, u, z)
    updates.cross_entropy(zeros(count, 10), np.zeros(count, np.int64), zeros(count, 10))
