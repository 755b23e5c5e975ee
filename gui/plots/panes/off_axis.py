"""Points that lie too far away to be shown: an arrow at the edge, with the farthest one's value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from engine.figures.off_axis import Beyond, beyond
from engine.text.numbers import short
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.paint import Scene, polygon
from gui.plots.canvas.points import PointsLayer

ARROW = 5.0
"""Half the width of an arrow, in pixels."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """What one side of a plot tells of the points of one layer, in their colour."""

    beyond: Beyond
    color: str

    @property
    def text(self) -> str:
        """What is written beside the arrow."""
        return self.beyond.told(short(self.beyond.value, 3))


@dataclass
class BeyondLayer(Layer):
    """Arrows at the edges of a plot towards the points beyond it."""

    font: QFont
    points: tuple[PointsLayer, ...] = ()
    shown: tuple[Arrow, ...] = ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw an arrow and a value on every side where there is something beyond."""
        plot, mapper = scene.plot, scene.mapper
        x = (mapper.x_at(plot.left()), mapper.x_at(plot.right()))
        y = (mapper.y_at(plot.bottom()), mapper.y_at(plot.top()))
        ends, log = np.array([x, y]), (mapper.log_x, mapper.log_y)
        self.shown = tuple(
            Arrow(item, layer.color)
            for layer in self.points
            for item in beyond(np.array([layer.x, layer.y]), ends, log)
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for arrow in self.shown:
            self._paint(painter, scene, arrow)

    def _paint(self, painter: QPainter, scene: Scene, arrow: Arrow) -> None:
        plot, color, item = scene.plot, scene.theme.color(arrow.color), arrow.beyond
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
        self._write(painter, scene, arrow.text, foot + inward * 4, inward)

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
