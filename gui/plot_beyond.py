"""Points that lie too far away to be shown: an arrow at the edge, with the farthest one's value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from engine.experiment import FloatArray
from gui.plot_layers import Layer
from gui.plot_numbers import short
from gui.plot_paint import Scene, polygon
from gui.plot_points import PointsLayer

ARROW = 5.0
"""Half the width of an arrow, in pixels."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """The points beyond one side of a plot: along x (0) or y (1), towards -1 or 1.

    `value` is the farthest along that axis, `across` its other coordinate, `count` how many are
    there.
    """

    axis: int
    sign: int
    value: float
    across: float
    count: int
    color: str

    @property
    def text(self) -> str:
        """What is written beside the arrow."""
        more = f" +{self.count - 1}" if self.count > 1 else ""
        return short(self.value, 3) + more


def beyond(layers: Iterable[PointsLayer], x: FloatArray, y: FloatArray) -> list[Beyond]:
    """Find the points that lie beyond the ends of a plot.

    Parameters
    ----------
    layers : iterable of PointsLayer
    x, y : ndarray, shape (2,)
        Ends of what is shown.
    """
    found: list[Beyond] = []
    for layer in layers:
        known = ~(np.isnan(layer.x) | np.isnan(layer.y))
        places = np.array([layer.x[known], layer.y[known]])
        far = np.maximum(np.abs(places[0]) / np.ptp(x), np.abs(places[1]) / np.ptp(y))
        for axis, ends in ((0, x), (1, y)):
            for sign, end in ((-1, ends[0]), (1, ends[1])):
                out = sign * places[axis] > sign * end
                if axis == 1:  # a corner counts once, for the side
                    out &= (places[0] >= x[0]) & (places[0] <= x[1])
                if out.any():
                    index = int(np.argmax(np.where(out, far, -1.0)))
                    value, across = float(places[axis, index]), float(places[1 - axis, index])
                    count = int(out.sum())
                    found.append(Beyond(axis, sign, value, across, count, layer.color))
    return found


@dataclass
class BeyondLayer(Layer):
    """Arrows at the edges of a plot towards the points beyond it."""

    font: QFont
    points: tuple[PointsLayer, ...] = ()
    shown: tuple[Beyond, ...] = ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw an arrow and a value on every side where there is something beyond."""
        plot, mapper = scene.plot, scene.mapper
        x = np.array([mapper.x_at(plot.left()), mapper.x_at(plot.right())])
        y = np.array([mapper.y_at(plot.bottom()), mapper.y_at(plot.top())])
        self.shown = tuple(beyond(self.points, x, y))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for item in self.shown:
            self._paint(painter, scene, item)

    def _paint(self, painter: QPainter, scene: Scene, item: Beyond) -> None:
        plot, color = scene.plot, scene.theme.color(item.color)
        across = np.array([item.across])
        if item.axis == 0:
            at = float(scene.mapper.py(across)[0])
            at = min(max(at, plot.top() + 3 * ARROW), plot.bottom() - ARROW)
            tip = QPointF(plot.left() + 1 if item.sign < 0 else plot.right() - 1, at)
            inward, side = QPointF(-item.sign, 0), QPointF(0, 1)
        else:
            at = float(scene.mapper.px(across)[0])
            at = min(max(at, plot.left() + ARROW), plot.right() - ARROW)
            tip = QPointF(at, plot.bottom() - 1 if item.sign < 0 else plot.top() + 1)
            inward, side = QPointF(0, item.sign), QPointF(1, 0)
        foot = tip + inward * (1.6 * ARROW)
        corners = [tip, foot + side * ARROW, foot - side * ARROW]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(
            polygon(np.array([c.x() for c in corners]), np.array([c.y() for c in corners]))
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._write(painter, scene, item.text, foot + inward * 4, inward)

    def _write(
        self, painter: QPainter, scene: Scene, text: str, at: QPointF, inward: QPointF
    ) -> None:
        metrics = QFontMetricsF(self.font)
        width, height = math.ceil(metrics.horizontalAdvance(text)), metrics.height()
        place = QRectF(at.x(), at.y() - height / 2, width, height)
        if inward.x() < 0:
            place.moveRight(at.x())
        elif inward.x() == 0:
            place.moveCenter(at + inward * (height / 2))
        place.moveLeft(min(max(place.left(), scene.plot.left()), scene.plot.right() - width))
        painter.setFont(self.font)
        painter.setPen(scene.theme.color("text"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
