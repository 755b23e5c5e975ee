"""Small random pushes of a run's state, the same for the same seed.

A run that stands exactly on a minimum stays there at any step size, stable or not; a push shows
which of the two it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.snapshot import Nudge

FloatArray = NDArray[np.float64]

SMALLEST, LARGEST = 1e-14, 1.0
"""Sizes that may be asked for: rounding swallows what is below."""
_STREAM = 0x6E756467
"""Keeps the numbers of a push apart from those that the same seed makes a start of."""


def checked(nudge: Nudge) -> Nudge:
    """Give a push back that may be made.

    Raises
    ------
    InputError
        If its size or its seed is out of range.
    """
    if not SMALLEST <= nudge.size <= LARGEST:
        raise InputError(
            "nudge.size", nudge.size, f"give a number from {SMALLEST:g} to {LARGEST:g}"
        )
    if nudge.seed < 0:
        raise InputError("nudge.seed", nudge.seed, "give a whole number of at least 0")
    return nudge


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
