"""Level curves of values on a grid, as one polyline that plots can draw."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray


def level_curves(
    x: FloatArray, y: FloatArray, values: FloatArray, levels: FloatArray, least: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Find level curves of values on a grid.

    Parameters
    ----------
    x, y : ndarray, shapes (columns,) and (rows,)
    values : ndarray, shape (rows, columns)
        Masked where there is none.
    levels : ndarray, shape (m,)
    least : float
        Area in cells of an even grid below which a closed line is left out. Along a valley narrower
        than a cell the grid has low values here and there, and each would be an island.

    Returns
    -------
    x, y : ndarray, shape (points,)
        Broken by NaN after every line; one NaN where there are none.
    """
    import contourpy  # takes a while to load

    lines = contourpy.contour_generator(x=x, y=y, z=values)
    gap = np.full((1, 2), np.nan)
    area = least * abs(float((x[1] - x[0]) * (y[1] - y[0])))
    found = (np.asarray(line, float) for level in levels for line in lines.lines(float(level)))
    parts = [part for line in found if not _is_speck(line, area) for part in (line, gap)]
    table = np.concatenate(parts) if parts else gap
    return table[:, 0], table[:, 1]


def _is_speck(line: FloatArray, least: float) -> bool:
    """Return whether a line (points, 2) is closed and encloses less than an area."""
    if not np.array_equal(line[0], line[-1]):
        return False
    x, y = (line - line[0]).T
    return 0.5 * abs(float(x[:-1] @ y[1:] - x[1:] @ y[:-1])) < least
