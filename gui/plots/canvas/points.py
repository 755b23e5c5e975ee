"""Points in the plane: markers while they are few, dots for more, a density for very many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from engine.core.arrays import FloatArray
from engine.core.views import Symbol
from gui.plots.canvas.layers import Layer, symbol_path
from gui.plots.canvas.paint import Scene, draw_dots, line_pen
from gui.style.theme import color_table

MARKERS = 600
"""Points up to which each is drawn as a marker with an outline."""
DOTS = 20_000
"""Points up to which each is drawn as a dot; beyond, pixels are coloured by how many they hold."""
SHADES = 32


@dataclass
class PointsLayer(Layer):
    """Markers at `x`, `y`, shape (m,); `values` of the same shape colours them."""

    x: FloatArray
    y: FloatArray
    color: str
    symbol: Symbol = "o"
    size: float = 7.0
    values: FloatArray | None = None
    hollow: bool = False
    name: str = ""

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw what lies inside the plot."""
        x, y = scene.mapper.px(self.x), scene.mapper.py(self.y)
        reach, plot = self.size, scene.plot
        inside = (x > plot.left() - reach) & (x < plot.right() + reach)
        inside &= (y > plot.top() - reach) & (y < plot.bottom() + reach)  # NaN is outside
        x, y = x[inside], y[inside]
        if len(x) == 0:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if len(x) > DOTS and self.values is None:
            _draw_density(painter, scene, x, y, scene.theme.color(self.color))
            return
        for color, chosen in self._by_color(scene, inside):
            if len(x) > MARKERS:
                draw_dots(painter, x[chosen], y[chosen], color, max(self.size * 0.7, 1.5))
            else:
                self._draw_markers(painter, scene, x[chosen], y[chosen], color)

    def _by_color(
        self, scene: Scene, inside: NDArray[np.bool_]
    ) -> list[tuple[QColor, NDArray[np.bool_]]]:
        count = int(inside.sum())
        if self.values is None:
            return [(scene.theme.color(self.color), np.ones(count, np.bool_))]
        values = self.values[inside]
        known = np.isfinite(self.values)
        low, high = (
            (float(self.values[known].min()), float(self.values[known].max()))
            if known.any()
            else (0.0, 1.0)
        )
        shade = (np.nan_to_num((values - low) / ((high - low) or 1.0)) * (SHADES - 1)).astype(int)
        table = color_table(scene.theme.ramp)
        return [
            (QColor(*map(int, table[level * 255 // (SHADES - 1)])), shade == level)
            for level in np.unique(np.clip(shade, 0, SHADES - 1)).tolist()
        ]

    def _draw_markers(
        self, painter: QPainter, scene: Scene, x: FloatArray, y: FloatArray, color: QColor
    ) -> None:
        path = symbol_path(self.symbol, self.size)
        if self.hollow or self.symbol in ("+", "x"):
            painter.setPen(line_pen(color, 1.6))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        else:  # a thin ring of the ground keeps neighbours apart
            painter.setPen(line_pen(scene.theme.color("surface"), 1.0))
            painter.setBrush(color)
        at = QPointF()
        for place_x, place_y in zip(x.tolist(), y.tolist(), strict=True):
            painter.translate(place_x - at.x(), place_y - at.y())
            at = QPointF(place_x, place_y)
            painter.drawPath(path)
        painter.translate(-at)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_density(
    painter: QPainter, scene: Scene, x: FloatArray, y: FloatArray, color: QColor
) -> None:
    """Colour each device pixel by the number of points on it, on a log scale."""
    plot, ratio = scene.plot, scene.ratio
    width, height = int(plot.width() * ratio), int(plot.height() * ratio)
    column = ((x - plot.left()) * ratio).astype(np.int64)
    row = ((y - plot.top()) * ratio).astype(np.int64)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    counts = np.bincount(row[inside] * width + column[inside], minlength=width * height)
    most = max(int(counts.max(initial=0)), 1)
    opacity = np.minimum(1.0, 0.25 + 0.75 * np.log1p(np.arange(most + 1)) / np.log1p(most))
    opacity[0] = 0.0
    channels = np.array([color.blue(), color.green(), color.red(), 255], np.float64)
    table = (channels * opacity[:, None]).astype(np.uint8).view(np.uint32)[:, 0]
    pixels = table[counts].reshape(height, width)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    painter.drawImage(QPoint(round(plot.left()), round(plot.top())), image)
