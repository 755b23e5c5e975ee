"""Reduction of an image to fewer rows and columns that keeps what is largest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def largest_in_blocks(values: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Return the largest value of each block of an image that has more pixels than fit.

    A line of one pixel stays a line, where the nearest value or a mean would lose it.

    Parameters
    ----------
    values : ndarray, shape (m, n)
        NaN counts as less than any number.
    rows, columns : int
        Pixels that there are; a side that has no more than these is left as it is.

    Returns
    -------
    ndarray, shape (min(m, rows), min(n, columns))
    """
    for axis, most in enumerate((rows, columns)):
        count, most = values.shape[axis], max(most, 1)
        if count > most:
            starts = np.arange(most) * count // most
            values = np.fmax.reduceat(values, starts, axis=axis)
    return values
