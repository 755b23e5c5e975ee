"""One stream of random numbers for the biases of all seeds: a row each, both estimators alike.

The stream is that of the Mersenne twister begun at 0, as torch makes doubles of it: the biases of
seeds 0, 1, ..., S - 1 are ``torch.manual_seed(0); torch.rand(S, 2, L, dtype=torch.float64)``.
"""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray

ROWS = 10_000
"""Seeds that share a stream, which has to be made from its beginning; then the next one begins."""


def row_of_stream(seed: int, count: int) -> FloatArray:
    """Return `count` numbers in [0, 1), those of one seed where every seed takes as many."""
    stream, row = divmod(seed, ROWS)
    # The old generator: numpy promises that its streams never change.
    twister = np.random.RandomState(stream % 2**32)
    words = twister.randint(0, 2**32, 2 * count * (row + 1), dtype=np.uint32)[-2 * count :]
    pairs = words.astype(np.uint64)
    bits = (pairs[0::2] << np.uint64(32) | pairs[1::2]) & np.uint64(2**53 - 1)
    return bits.astype(np.float64) * 2.0**-53
