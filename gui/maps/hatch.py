"""Hatching over the cells of a map of which nothing is known, in pixels of the screen.

Its lines lie as close wherever the map is and however large its cells are.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QBrush, QColor, QImage, QPainter

from engine.maps.picture import HATCH


def mask_of(cells: NDArray[np.bool_]) -> QImage:
    """Make a mask of cells, shape (rows, columns), row 0 at the bottom."""
    pixels = np.ascontiguousarray(np.where(cells[::-1], 255, 0).astype(np.uint8))
    rows, columns = pixels.shape
    return QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Alpha8).copy()


def hatching(mask: QImage, place: QRectF, box: QRectF, ratio: float, ink: QColor) -> QImage:
    """Draw lines where a mask is.

    Parameters
    ----------
    mask : QImage
    place : QRectF
        What it covers, in units of the painter.
    box : QRectF
        What is seen of it; what is returned covers that.
    ratio : float
        Pixels a unit.
    ink : QColor
    """
    size = QSize(math.ceil(box.width() * ratio), math.ceil(box.height() * ratio))
    layer = QImage(size.expandedTo(QSize(1, 1)), QImage.Format.Format_ARGB32_Premultiplied)
    layer.fill(0)
    painter = QPainter(layer)
    painter.scale(ratio, ratio)
    painter.translate(-box.topLeft())
    painter.drawImage(place, mask)
    painter.resetTransform()
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.setBrushOrigin(-box.topLeft() * ratio)
    painter.fillRect(QRectF(QPointF(0.0, 0.0), layer.size().toSizeF()), _lines(ratio, ink))
    painter.end()
    layer.setDevicePixelRatio(ratio)
    return layer


def _lines(ratio: float, ink: QColor) -> QBrush:
    """Return diagonal lines of about one unit's width."""
    period, width = max(3, round(HATCH * ratio)), max(1, round(ratio))
    row, column = np.indices((period, period))
    pixels = np.zeros((period, period, 4), np.uint8)
    color = np.array([ink.red(), ink.green(), ink.blue(), 255], np.uint8)
    pixels[(row + column) % period < width] = color
    image = QImage(pixels.data, period, period, 4 * period, QImage.Format.Format_RGBA8888)
    return QBrush(image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied))
