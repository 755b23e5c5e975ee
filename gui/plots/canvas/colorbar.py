"""The colour bar beside an image, and the levels between which colours run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from engine.core.arrays import FloatArray
from engine.core.views import Colormap
from engine.figures.data import level_ends
from gui.plots.canvas.layers import Layer, picture_of
from gui.plots.canvas.paint import Scene
from gui.plots.canvas.range import LARGEST, CalmRange, Ends
from gui.plots.canvas.ticks import Ticks, linear_ticks
from gui.style.theme import Theme
from gui.typeset.rich_text import label

BAR = 9.0
"""Width of the bar."""


def calm_levels(calm: CalmRange, values: FloatArray, colormap: Colormap) -> Ends:
    """Return the values of the first and the last colour, which change as calmly as an axis."""
    ends = level_ends(values, colormap)
    calm.follow(None if ends is None else (max(ends[0], -LARGEST), min(ends[1], LARGEST)))
    return calm.ends


@dataclass
class ColorBarLayer(Layer):
    """A colour bar to the right of a plot; nothing unless `shown`."""

    font: QFont
    text: str = ""
    ends: Ends = (0.0, 1.0)
    colormap: Colormap = "sequential"
    shown: bool = False
    outside = True

    def set(self, text: str, ends: Ends, colormap: Colormap) -> None:
        """Show these levels."""
        self.text, self.ends, self.colormap, self.shown = text, ends, colormap, True

    def width(self) -> float:
        """Return the room that bar and numbers take."""
        metrics = QFontMetricsF(self.font)
        numbers = max(
            (metrics.horizontalAdvance(text) for text in self.ticks(200.0).labels), default=0.0
        )
        return 8.0 * math.ceil((BAR + 18 + numbers + metrics.height()) / 8)

    def ticks(self, height: float) -> Ticks:
        """Place numbers along a bar of some height."""
        return linear_ticks(*self.ends, max(2.0, height / 44))

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw bar, numbers and label."""
        if self.shown:
            plot = scene.plot
            bar = QRectF(plot.right() + 10, plot.top(), BAR, plot.height())
            draw_color_bar(painter, bar, scene.theme, self)


def draw_color_bar(painter: QPainter, bar: QRectF, theme: Theme, of: ColorBarLayer) -> None:
    """Draw a vertical colour bar with its numbers and label to the right."""
    levels = np.arange(255, 0, -1, dtype=np.uint8)[:, None]
    painter.drawImage(bar, picture_of(levels, theme, of.colormap))
    metrics = QFontMetricsF(of.font)
    painter.setFont(of.font)
    painter.setPen(theme.color("muted"))
    ticks = of.ticks(bar.height())
    scale = bar.height() / (of.ends[1] - of.ends[0])
    widest = 0.0
    for place, text in zip(ticks.places, ticks.labels, strict=True):
        at = bar.bottom() - (place - of.ends[0]) * scale
        at = min(max(at, bar.top() + 3), bar.bottom() - 3)
        painter.drawText(QPointF(bar.right() + 4, at + metrics.capHeight() / 2), text)
        widest = max(widest, metrics.horizontalAdvance(text))
    name = f"{of.text}  ({ticks.common})" if of.text and ticks.common else of.text or ticks.common
    if name:
        typeset = label(name, of.font)
        painter.save()
        painter.translate(bar.right() + 6 + widest, bar.center().y() + typeset.size.width() / 2)
        painter.rotate(-90)
        typeset.draw(painter, QPointF(0, 0), theme.color("muted"))
        painter.restore()
