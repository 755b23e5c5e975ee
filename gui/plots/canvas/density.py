"""The values of lines that oscillate, each as a point: an orbit of period p shows p branches.

Between the least and the greatest value of a column of pixels a 2-cycle, a 4-cycle and chaos look
alike. Where every step is known its values are counted per pixel instead, in one pass whose time
depends on neither the number of lines nor their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from engine.core.arrays import FloatArray

OPAQUE, FAINT = 0.85, 0.25
"""Opacity of one point among few and among very many."""
WIDE = 0.75
"""Pixels between steps from which a point is two pixels wide."""
_MOST = 24
"""Points in a pixel beyond which more of them make no difference."""


def density_picture(
    x: FloatArray, y: FloatArray, colors: FloatArray, plot: QRectF, strength: float = 1.0
) -> NDArray[np.uint32]:
    """Count points per pixel and paint them, the denser the more opaque.

    Where lines of several colours meet the colour is their mean: the result does not depend on
    their order.

    Parameters
    ----------
    x : ndarray, shape (points,)
        Horizontal pixels.
    y : ndarray, shape (lines, points)
        Vertical pixels; NaN where there is nothing.
    colors : ndarray, shape (lines, 3)
        Red, green and blue, 0 to 255.
    plot : QRectF
        The rectangle of pixels that the picture covers.
    strength : float
        Opacity of the whole, 0 to 1.

    Returns
    -------
    ndarray of uint32, shape (rows, columns)
        Premultiplied ``0xAARRGGBB``.
    """
    rows, width = max(int(plot.height()), 2), max(int(np.ceil(plot.width())), 2)
    across = np.floor(x - plot.left())
    up = np.floor(y - plot.top() - 0.5)  # a point covers this row and the next
    with np.errstate(invalid="ignore"):
        seen = (across >= 0) & (across < width) & (up >= 0) & (up < rows - 1)
    cells = (up * width + across)[seen].astype(np.int64)
    wide = len(x) < 2 or (x[-1] - x[0]) / (len(x) - 1) >= WIDE

    def counted(weights: FloatArray | None) -> NDArray[Any]:
        found = np.bincount(cells, weights, rows * width).reshape(rows, width)
        found[1:] += found[:-1].copy()
        if wide:
            found[:, 1:] += found[:, :-1].copy()
        return found

    counts = counted(None).astype(np.int64)
    share = len(cells) * (4 if wide else 2) / counts.size
    single = FAINT + (OPAQUE - FAINT) / (1.0 + share)
    opacity = strength * (1.0 - (1.0 - single) ** np.arange(_MOST + 1))
    level = np.minimum(counts, _MOST)
    if (colors == colors[0]).all():
        table = np.append(colors[0, ::-1], 255.0) * opacity[:, None]
        one: NDArray[np.uint32] = table.astype(np.uint8).view(np.uint32)[:, 0][level]
        return one
    picture = np.empty((rows, width, 4), np.uint8)
    shade = opacity[level] / np.maximum(counts, 1)
    line = np.nonzero(seen)[0]
    for channel in range(3):
        picture[..., channel] = counted(colors[line, 2 - channel]) * shade
    picture[..., 3] = 255.0 * opacity[level]
    mean: NDArray[np.uint32] = picture.view(np.uint32)[..., 0]
    return mean


def draw_density(
    painter: QPainter,
    plot: QRectF,
    x: FloatArray,
    y: FloatArray,
    colors: tuple[QColor, ...],
    strength: float = 1.0,
) -> None:
    """Draw lines, pixels of shape (lines, points), as the points that they go through."""
    shades = np.array([[c.red(), c.green(), c.blue()] for c in colors], np.float64)
    pixels = density_picture(x, y, shades, plot, strength)
    rows, width = pixels.shape
    picture = QImage(pixels.data, width, rows, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(QRectF(plot.left(), plot.top(), width, rows), picture)
