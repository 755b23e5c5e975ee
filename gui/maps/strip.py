"""The Lyapunov exponent below an orbit diagram, along the same axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QWidget

from engine.core.arrays import FloatArray
from engine.maps.shown import MapShown
from gui.plots.canvas.canvas import Canvas
from gui.plots.canvas.layers import CurveLayer, Layer
from gui.plots.canvas.paint import Scene, crisp, draw_straight, hair_pen
from gui.plots.canvas.range import Ends
from gui.style import scaling

EXPONENT = "exponent"
"""Field of an orbit diagram that the strip shows."""
LEAST = 0.4
"""Reach of the axis on either side of 0 at least, and below it in units of that above."""
DEEPEST = 2.5


@dataclass
class ZeroLayer(Layer):
    """The line at 0, between order and chaos."""

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw it."""
        at = crisp(float(scene.mapper.py(np.zeros(1))[0]), scene.ratio)
        pen = hair_pen(scene.theme.color("muted"))
        ends = QPointF(scene.plot.left(), at), QPointF(scene.plot.right(), at)
        draw_straight(painter, *ends, pen)


class ExponentStrip(QWidget):
    """A low plot of the exponent, whose horizontal axis is that of the map above it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = Canvas()
        self.canvas.zoom_y = False
        self.canvas.y_axis.text = "Exponent"
        self.canvas.setAccessibleName("Lyapunov exponent")
        self.canvas.setAccessibleDescription(
            "Below 0 nearby runs meet, above 0 they part: the orbit is chaotic."
        )
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self.canvas)
        scaling.least(self, height=90)
        self.hide()

    def show_map(self, shown: MapShown) -> None:
        """Show the exponent of each column that is computed."""
        known = shown.known[0]
        x = shown.spec.x.values[np.arange(len(known)) * shown.stride][known]
        y = np.asarray(shown.arrays[EXPONENT][0], np.float64)[known]
        self.canvas.y_axis.manual = ends_of_exponents(y)
        self.canvas.layers = [ZeroLayer(), CurveLayer(x, y[:, None], "2", width=1.2)]
        self.canvas.refresh()
        self.canvas.refresh_axes()

    def show_ends(self, text: str, ends: Ends | None, log: bool) -> None:
        """Take the horizontal axis of the map."""
        axis = self.canvas.x_axis
        axis.text, axis.manual, axis.log = text, ends, log
        self.canvas.refresh_axes()

    def align(self, left: float) -> float:
        """Move the plot to begin at some pixels from the left, where the map does.

        Returns
        -------
        float
            By how much the map has to move instead, where its own labels are narrower.
        """
        missing = left - self.canvas.frame.mapper.plot.left()
        margin = max(0, round(scaling.px(missing)))
        if self._row.contentsMargins().left() != margin:
            self._row.setContentsMargins(margin, 0, 0, 0)
        return max(0.0, -missing)


def ends_of_exponents(values: FloatArray) -> Ends:
    """Return the ends of an axis on which both signs can be read, however deep the dips are."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return -LEAST, LEAST
    high = max(1.1 * float(finite.max()), LEAST)
    low = max(1.1 * float(finite.min()), -DEEPEST * high)
    return min(low, -LEAST), high
