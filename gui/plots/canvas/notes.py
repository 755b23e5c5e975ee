"""What the axes of a plot cannot show: zeros on a log axis, and points outside its range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from engine.figures.off_axis import OffAxis, off_axis
from engine.figures.zero_notes import ZeroNote
from engine.text.numbers import short
from gui.plots.canvas.layers import Layer, PointsLayer
from gui.plots.canvas.paint import Scene, polygon
from gui.plots.canvas.rules import veil
from gui.typeset.rich_text import fitting_label

EDGE = 4.0
"""Pixels between a note and the plot's sides."""
DOWN = "↓ "


HALF_ARROW = 5.0
"""Half the width of an arrow, in pixels."""


@dataclass
class NotesLayer(Layer):
    """Texts over each other at the bottom, each near the place where its zeros begin."""

    font: QFont
    notes: tuple[ZeroNote, ...] = ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Write the notes, the first at the bottom."""
        for note, place in self.places(scene):
            veil(painter, scene, place)
            typeset = fitting_label(DOWN + note.text, self.font, _room(scene))
            typeset.draw(painter, place.topLeft(), scene.theme.color(note.color))

    def places(self, scene: Scene) -> list[tuple[ZeroNote, QRectF]]:
        """Return the notes and where they stand, inside the plot and apart."""
        plot, bottom = scene.plot, scene.plot.bottom() - EDGE
        found = []
        for note in self.notes:
            size = fitting_label(DOWN + note.text, self.font, _room(scene)).size
            wanted = float(scene.mapper.px(np.array([note.at]))[0]) + EDGE
            left = min(max(wanted, plot.left() + EDGE), plot.right() - EDGE - size.width())
            bottom -= size.height()
            found.append((note, QRectF(QPointF(max(left, plot.left()), bottom), size)))
        return found


def _room(scene: Scene) -> float:
    return max(scene.plot.width() - 2 * EDGE, 1.0)


@dataclass(frozen=True, slots=True)
class Arrow:
    """The mark at one side of a plot for the points of one layer, in their colour."""

    points: OffAxis
    color: str

    @property
    def text(self) -> str:
        """What is written beside the arrow."""
        return self.points.label(short(self.points.value, 3))


@dataclass
class OffAxisLayer(Layer):
    """Arrows at the edges of a plane towards the points outside its axes."""

    font: QFont
    points: tuple[PointsLayer, ...] = ()
    shown: tuple[Arrow, ...] = ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw an arrow and a value on every side outside which points lie."""
        plot, mapper = scene.plot, scene.mapper
        x = (mapper.x_at(plot.left()), mapper.x_at(plot.right()))
        y = (mapper.y_at(plot.bottom()), mapper.y_at(plot.top()))
        ends, log = np.array([x, y]), (mapper.log_x, mapper.log_y)
        self.shown = tuple(
            Arrow(item, layer.color)
            for layer in self.points
            for item in off_axis(np.array([layer.x, layer.y]), ends, log)
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for arrow in self.shown:
            self._paint(painter, scene, arrow)

    def _paint(self, painter: QPainter, scene: Scene, arrow: Arrow) -> None:
        plot, color, item = scene.plot, scene.theme.color(arrow.color), arrow.points
        across = np.array([item.across])
        if item.axis == 0:
            at = float(scene.mapper.py(across)[0])
            at = min(max(at, plot.top() + 3 * HALF_ARROW), plot.bottom() - HALF_ARROW)
            tip = QPointF(plot.left() + 1 if item.sign < 0 else plot.right() - 1, at)
            inward, side = QPointF(-item.sign, 0), QPointF(0, 1)
        else:
            at = float(scene.mapper.px(across)[0])
            at = min(max(at, plot.left() + HALF_ARROW), plot.right() - HALF_ARROW)
            tip = QPointF(at, plot.bottom() - 1 if item.sign < 0 else plot.top() + 1)
            inward, side = QPointF(0, item.sign), QPointF(1, 0)
        foot = tip + inward * (1.6 * HALF_ARROW)
        corners = [tip, foot + side * HALF_ARROW, foot - side * HALF_ARROW]
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
