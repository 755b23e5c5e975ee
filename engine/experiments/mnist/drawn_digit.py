"""A digit drawn with the mouse, brought to the form of MNIST's images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 28
"""Width and height of an image of the data set, in pixels."""
BOX = 20
"""MNIST's digits were scaled to fit a box of this side, then centred by their mass."""


def as_digit(canvas: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale and centre a drawing the way the digits of MNIST were.

    Parameters
    ----------
    canvas : ndarray, shape (rows, columns)
        Ink from 0 (none) to 1, in any size.

    Returns
    -------
    ndarray of float32, shape (28, 28)
        Ink from 0 to 1; all zero for an empty canvas.
    """
    from scipy import ndimage

    rows, columns = np.nonzero(canvas > 0.05)
    if rows.size == 0:
        return np.zeros((SIDE, SIDE), np.float32)
    ink = np.asarray(
        canvas[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], np.float64
    )
    factor = BOX / max(ink.shape)
    if factor < 1:  # average before taking fewer samples, so that thin strokes stay
        ink = ndimage.gaussian_filter(ink, 0.35 / factor, mode="constant")
    small = np.clip(ndimage.zoom(ink, factor, order=1, grid_mode=True, mode="grid-constant"), 0, 1)
    small = small[:BOX, :BOX]
    image = np.zeros((SIDE, SIDE))
    top, left = (SIDE - small.shape[0]) // 2, (SIDE - small.shape[1]) // 2
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    offset = (SIDE - 1) / 2 - np.array(ndimage.center_of_mass(image))
    centred = np.clip(ndimage.shift(image, offset, order=1), 0, 1)
    return np.asarray(centred / max(centred.max(), 1e-9), np.float32)
