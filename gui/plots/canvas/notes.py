"""Notes at the foot of a plot on what its axis cannot show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QPainter

from engine.figures.zero_notes import ZeroNote
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.paint import Scene
from gui.plots.canvas.rules import veil
from gui.typeset.rich_text import fitting_label

EDGE = 4.0
"""Pixels between a note and the plot's sides."""
ARROW = "↓ "


@dataclass
class NotesLayer(Layer):
    """Texts over each other at the bottom, each where what it tells of begins or near there."""

    font: QFont
    notes: tuple[ZeroNote, ...] = ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Write the notes, the first at the bottom."""
        for note, place in self.places(scene):
            veil(painter, scene, place)
            typeset = fitting_label(ARROW + note.text, self.font, _room(scene))
            typeset.draw(painter, place.topLeft(), scene.theme.color(note.color))

    def places(self, scene: Scene) -> list[tuple[ZeroNote, QRectF]]:
        """Return the notes and where they stand, inside the plot and apart."""
        plot, bottom = scene.plot, scene.plot.bottom() - EDGE
        found = []
        for note in self.notes:
            size = fitting_label(ARROW + note.text, self.font, _room(scene)).size
            wanted = float(scene.mapper.px(np.array([note.at]))[0]) + EDGE
            left = min(max(wanted, plot.left() + EDGE), plot.right() - EDGE - size.width())
            bottom -= size.height()
            found.append((note, QRectF(QPointF(max(left, plot.left()), bottom), size)))
        return found


def _room(scene: Scene) -> float:
    return max(scene.plot.width() - 2 * EDGE, 1.0)
