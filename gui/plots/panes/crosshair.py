"""What lies over lines along time: the crosshair with what it reads, and the newest points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter

from engine.core.arrays import FloatArray
from engine.core.views import Series
from engine.run.trace import TraceView
from engine.text.mathtext import component_label
from engine.text.numbers import number
from gui.plots.canvas.groups import draw_groups
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.lines import Mapper
from gui.plots.canvas.paint import Group, Scene, crisp, draw_dots, draw_straight, hair_pen
from gui.plots.link import values_at
from gui.plots.panes.pane import ReadingItem

HEADS = 8
"""Lines up to which the newest point is marked."""


DOTTED = 6
"""Lines of a series up to which each gets a dot on the crosshair."""


@dataclass
class Crosshair(Layer):
    """A vertical line at a step, dots on the lines there, and the line nearest the pointer."""

    x: float | None = None
    dots: tuple[tuple[float, QColor], ...] = ()
    line: Group | None = None

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw it."""
        if self.x is None:
            return
        at = float(scene.mapper.px(np.array([self.x]))[0])
        place = crisp(at, scene.ratio)
        pen = hair_pen(scene.theme.color("muted"))
        top, bottom = QPointF(place, scene.plot.top()), QPointF(place, scene.plot.bottom())
        draw_straight(painter, top, bottom, pen)
        if self.line is not None:
            draw_groups(painter, scene, (self.line,))
        for value, color in self.dots:
            y = scene.mapper.py(np.array([value]))
            draw_dots(painter, np.array([at]), y, scene.theme.color("surface"), 8.0)
            draw_dots(painter, np.array([at]), y, color, 5.5)


@dataclass
class Heads(Layer):
    """Dots at the newest point of each line."""

    groups: tuple[Group, ...] = ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw a dot at the end of each line, unless they are many or predictions."""
        for group in self.groups:
            if len(group.x) == 0 or group.dash != "solid" or len(group.colors) > HEADS:
                continue
            x, heights = scene.mapper.px(group.x[-1:]), scene.mapper.py(group.y[-1])
            for height, color in zip(heights, group.colors, strict=True):
                draw_dots(painter, x, height[None], color, 5.0)


@dataclass(frozen=True, slots=True)
class SeriesReading:
    """The text of a series at a step, dots on its lines, and the line nearest the pointer."""

    item: ReadingItem
    dots: tuple[tuple[float, QColor], ...] = ()
    line: Group | None = None


def read_series(
    series: Series, group: Group, trace: TraceView, at: int, mapper: Mapper, pointer: float | None
) -> SeriesReading | None:
    """Read a series at a step.

    Of many lines the one nearest the pointer is read, or all as a span if the pointer (its
    vertical pixel) is over another plot. In the older part of a run only the least and greatest
    value around the step are known.
    """
    known = values_at(trace, series.key, at)
    if known is None:
        return None
    low, high = known
    if series.component is not None and len(low) > series.component:
        low, high = low[series.component][None], high[series.component][None]
    if series.magnitude:
        low, high = np.sort(np.abs(np.stack([low, high])), axis=0)
    finite = np.isfinite(low)
    if len(low) != len(group.colors) or not finite.any():
        return None
    if len(low) == 1:
        item = ReadingItem(series.label, span_text(low[0], high[0]), series.color)
        return SeriesReading(item, _dots(low, high, group.colors))
    if pointer is None:
        span = span_text(float(np.nanmin(low)), float(np.nanmax(high)))
        item = ReadingItem(series.label, span, series.color)
        return SeriesReading(item, _dots(low, high, group.colors))
    gap = np.maximum(mapper.py(high) - pointer, pointer - mapper.py(low))
    index = int(np.argmin(np.where(finite, np.maximum(gap, 0.0), np.inf)))
    color = group.colors[index]
    name = component_label(series.label, index)
    item = ReadingItem(name, span_text(low[index], high[index]), color.name())
    one = slice(index, index + 1)
    line = Group(group.x, group.y[:, one], (color,), weight=2.6)
    return SeriesReading(item, _dots(low[one], high[one], (color,)), line)


def _dots(
    low: FloatArray, high: FloatArray, colors: tuple[QColor, ...]
) -> tuple[tuple[float, QColor], ...]:
    if len(low) > DOTTED:
        return ()
    return tuple(
        (value, color)
        for value, other, color in zip(low.tolist(), high.tolist(), colors, strict=True)
        if value == other and math.isfinite(value)
    )


def span_text(low: float, high: float) -> str:
    """Write a value, or the two between which it is."""
    if not math.isfinite(low) or low == high:
        return number(float(low))
    return f"{number(float(low), 4)} … {number(float(high), 4)}"
