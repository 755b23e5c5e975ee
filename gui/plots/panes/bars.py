"""Bars per category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QMenu, QWidget

from engine.core.arrays import FloatArray
from engine.core.views import BarView
from engine.text.numbers import number, short
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.paint import Scene, crisp, draw_straight, hair_pen
from gui.plots.canvas.range import Limits, data_ends
from gui.plots.panes.canvas_pane import CanvasPane
from gui.plots.panes.pane import Entry, Reading, ReadingItem, numbers, texts

FILLED = 0.76
"""Share of a category's width that its bars take."""


@dataclass
class BarsLayer(Layer):
    """Bars of shape (categories, groups), grouped by category."""

    values: FloatArray
    colors: tuple[str, ...]
    font: QFont

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw bars from zero, or from the lower end of a log axis, with numbers if few."""
        count, groups = self.values.shape
        mapper, plot = scene.mapper, scene.plot
        edges = mapper.px(np.arange(count + 1) - 0.5)
        width = (edges[1] - edges[0]) * FILLED / groups
        zero = plot.bottom() if mapper.log_y else float(mapper.py(np.zeros(1))[0])
        zero = min(max(zero, plot.top()), plot.bottom())
        tops = np.clip(mapper.py(self.values), plot.top() - 2, plot.bottom() + 2)
        painter.setPen(Qt.PenStyle.NoPen)
        for group, role in enumerate(self.colors):
            painter.setBrush(scene.theme.color(role))
            for index in range(count):
                top = float(tops[index, group])
                if not np.isfinite(top):
                    continue
                middle = (edges[index] + edges[index + 1]) / 2
                left = middle + (group - groups / 2) * width
                bar = QRectF(QPointF(left + 0.5, top), QPointF(left + width - 0.5, zero))
                radius = min(2.0, width / 4)
                painter.drawRoundedRect(bar.normalized(), radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        line = crisp(zero, scene.ratio)
        base = hair_pen(scene.theme.color("strong_border"))
        draw_straight(painter, QPointF(plot.left(), line), QPointF(plot.right(), line), base)
        self._write(painter, scene, edges, tops, width)

    def _write(
        self, painter: QPainter, scene: Scene, edges: FloatArray, tops: FloatArray, width: float
    ) -> None:
        metrics = QFontMetricsF(self.font)
        painter.setFont(self.font)
        groups = self.values.shape[1]
        for (index, group), value in np.ndenumerate(self.values):
            text = short(float(value), 3)
            wide = metrics.horizontalAdvance(text)
            if wide > width + 4 or not np.isfinite(value):
                continue
            middle = (edges[index] + edges[index + 1]) / 2 + (group - groups / 2 + 0.5) * width
            above = float(tops[index, group])
            base = above - 3 if value >= 0 else above + metrics.ascent() + 2
            if base - metrics.ascent() < scene.plot.top():  # no room above: inside the bar
                base = above + metrics.ascent() + 2
                painter.setPen(scene.theme.color("surface"))
            else:
                painter.setPen(scene.theme.color("muted"))
            painter.drawText(QPointF(middle - wide / 2, base), text)


class BarPane(CanvasPane[BarView]):
    """Draws a `BarView`."""

    def __init__(self, view: BarView, parent: QWidget | None = None) -> None:
        super().__init__(view, parent)
        self.canvas.zoom_x = False
        self.canvas.pointer.drawable = False
        self._values: FloatArray | None = None

    def redraw(self) -> None:
        """Draw what was given last."""
        canvas, view = self.canvas, self.view
        canvas.x_axis.text, canvas.y_axis.text = view.x_label, view.y_label
        self._values = None
        canvas.layers = []
        if self._shown is None:
            canvas.refresh_axes()
            return
        observation = self._shown.observation
        kept = [i for i in range(len(view.keys)) if str(i) not in self.hidden]
        columns = [numbers(observation, view.keys[i]) for i in kept]
        known = [(i, c.ravel()) for i, c in zip(kept, columns, strict=True) if c is not None]
        count = min((len(column) for _, column in known), default=0)
        if count == 0:
            canvas.refresh_axes()
            return
        values = np.stack([column[:count] for _, column in known], axis=1)
        self._values = values
        names = tuple(texts(observation, view.categories_key, count))
        if names != canvas.x_axis.names:
            canvas.x_axis.names = names
            canvas.refresh_axes()
        canvas.x_axis.manual = (-0.6, count - 0.4)
        colors = tuple(view.colors[i] for i, _ in known)
        canvas.layers = [BarsLayer(values, colors, canvas.small_font)]
        positive = bool((np.nan_to_num(values) >= 0).all()) and not canvas.y_axis.log
        low, high = (None, None) if canvas.y_axis.log else view.y_limit
        canvas.y_axis.auto.limits = Limits(0.0 if positive and low is None else low, high)
        ends = data_ends([values], canvas.y_axis.log)
        if ends is not None and not canvas.y_axis.log:
            room = 0.06 * (max(ends[1], 0.0) - min(ends[0], 0.0))  # for the numbers
            ends = min(ends[0] - room * (ends[0] < 0), 0.0), max(ends[1] + room, 0.0)
        self.follow(None, ends)

    def entries(self) -> tuple[Entry, ...]:
        """List the groups."""
        pairs = zip(self.view.labels, self.view.colors, strict=True)
        return tuple(
            Entry(str(i), text, color, "area") for i, (text, color) in enumerate(pairs) if text
        )

    def set_log_axis(self, axis: str, log: bool) -> None:
        """Measure the y axis in powers of ten, or not."""
        if axis == "y":
            self.set_log(self.canvas.y_axis, log, Limits())
            self.redraw()

    def fill_axes_menu(self, menu: QMenu) -> None:
        """Offer a log axis."""
        action = self.checkable(menu, "Log y", self.canvas.y_axis.log)
        action.toggled.connect(lambda on: self.set_log_axis("y", on))

    def _on_hovered(self, at: QPointF | None) -> None:
        values = self._values
        index = -1 if at is None else round(self.canvas.frame.mapper.x_at(at.x()))
        if values is None or not 0 <= index < len(values):
            self.reading_changed.emit(None)
            return
        kept = [i for i in range(len(self.view.keys)) if str(i) not in self.hidden]
        items = tuple(
            ReadingItem(self.view.labels[i], number(float(value)), self.view.colors[i])
            for i, value in zip(kept, values[index], strict=False)
        )
        self.reading_changed.emit(Reading(self.canvas.x_axis.names[index], items))
