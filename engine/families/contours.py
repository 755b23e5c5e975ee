"""Level curves of values on a grid, as one polyline that plots can draw."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray


def level_curves(
    x: FloatArray, y: FloatArray, values: FloatArray, levels: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find level curves of values on a grid.

    Parameters
    ----------
    x, y : ndarray, shapes (columns,) and (rows,)
    values : ndarray, shape (rows, columns)
        Masked where there is none.
    levels : ndarray, shape (m,)

    Returns
    -------
    x, y : ndarray, shape (points,)
        Broken by NaN after every line; one NaN where there are none.
    """
    import contourpy  # takes a while to load

    lines = contourpy.contour_generator(x=x, y=y, z=values)
    gap = np.full((1, 2), np.nan)
    parts = [part for level in levels for line in lines.lines(float(level)) for part in (line, gap)]
    table = np.concatenate([np.asarray(part, float) for part in parts]) if parts else gap
    return table[:, 0], table[:, 1]
