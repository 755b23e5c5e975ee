"""Small random pushes of a run's state, the same for the same seed."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.change import Nudge

_STREAM = 0x6E756467
"""Keeps the numbers of a push apart from those that the same seed makes a start of."""


def pushed(values: FloatArray, nudge: Nudge, least: float = 0.0) -> FloatArray:
    """Move numbers in a random direction, by a share of their own norm.

    Parameters
    ----------
    values : ndarray
        Of any shape, finite.
    nudge : Nudge
        Share and seed.
    least : float
        Norm that counts at least, so that numbers that are all 0 move too.

    Returns
    -------
    ndarray
        New numbers of the same shape; what they moved by has the norm
        ``nudge.size * max(norm(values), least)`` to rounding.
    """
    generator = np.random.default_rng([_STREAM, nudge.seed])
    direction = generator.standard_normal(values.shape)
    length = max(float(np.linalg.norm(values)), least) * nudge.size
    moved: FloatArray = values + direction * (length / float(np.linalg.norm(direction)))
    return moved
