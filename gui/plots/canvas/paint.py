"""Drawing with QPainter from arrays, at the raster engine's fast paths.

A pen of one device pixel has a stroker of its own, ten to a hundred times faster than the general
one, with and without antialiasing. Heavier lines are therefore drawn as a few such strokes side by
side, and only while there is little of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shiboken6
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPaintDevice, QPainter, QPen, QPolygonF

from engine.core.arrays import FloatArray
from engine.core.views import Dash
from gui.plots.canvas.lines import Mapper, Stroke
from gui.style.theme import Theme

HEAVY_INK = 8_000.0
LIGHT_INK = 15_000.0
"""Pixels of stroke in a plot up to which lines are drawn at full weight, and at half."""
_BESIDE = ((0.0, -0.25), (0.0, 0.25))
_THREE = ((-0.3, -0.15), (0.3, -0.15), (0.0, 0.4))
_FOUR = ((0.0, -0.4), (0.0, 0.4), (-0.4, 0.0), (0.4, 0.0))
_RING = (
    (0.0, 0.0),
    *((math.cos(turn * math.pi / 4), math.sin(turn * math.pi / 4)) for turn in range(8)),
)
RING_FROM = 2.25
"""Device pixels a unit from which a line takes a ring of strokes."""
WEIGHT = 1.6
"""Thickness of a line in logical pixels."""
_DASHES: dict[Dash, list[float]] = {"dash": [6.0, 4.0], "dot": [1.5, 3.5], "solid": []}


@contextmanager
def painting(device: QPaintDevice) -> Iterator[QPainter]:
    """Paint on a device, and end that even after an error: Qt cannot bear a painter left open."""
    painter = QPainter(device)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    try:
        yield painter
    finally:
        painter.end()


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and how something is drawn."""

    mapper: Mapper
    theme: Theme
    ratio: float = 1.0

    @property
    def plot(self) -> QRectF:
        """The rectangle between the axes."""
        return self.mapper.plot


@dataclass(frozen=True, slots=True)
class Group:
    """Lines over one x array: `y` has shape (points, lines), `colors` one colour a line.

    `fill` is the colour between the edges of bands; that of each line if None. `recent` are the
    points, like `x` and `y`, of the steps that are known exactly where `x` and `y` are not.
    """

    x: FloatArray
    y: FloatArray
    colors: tuple[QColor, ...]
    dash: Dash = "solid"
    weight: float = WEIGHT
    points: bool = False
    is_ghost: bool = False
    fill: QColor | None = None
    recent: tuple[FloatArray, FloatArray] | None = None


@lru_cache(maxsize=64)
def _scratch(count: int) -> tuple[QPolygonF, FloatArray]:
    """Make a polygon of some points and a view of its memory."""
    shape = QPolygonF()
    shape.resize(count)
    memory: Any = shiboken6.VoidPtr(shape.data(), count * 16, True)  # type: ignore[call-arg, arg-type]
    return shape, np.frombuffer(memory, np.float64).reshape(-1, 2)


def polygon(x: FloatArray, y: FloatArray) -> QPolygonF:
    """Make a polygon of two arrays without a loop over points; it lasts until the next one."""
    if len(x) == 0:
        return QPolygonF()
    shape, pairs = _scratch(len(x))
    pairs[:, 0] = x
    pairs[:, 1] = y
    return shape


def pieces(x: FloatArray, y: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Split a line where a pixel coordinate is NaN (none is infinite)."""
    if not math.isnan(float(np.add.reduce(x)) + float(np.add.reduce(y))):  # the quickest look
        return [(x, y)]
    missing = np.isnan(x) | np.isnan(y)
    bounds = np.flatnonzero(np.diff(np.concatenate(([True], missing, [True]))))
    return [
        (x[begin:end], y[begin:end]) for begin, end in zip(bounds[0::2], bounds[1::2], strict=True)
    ]


def hair_pen(color: QColor, dash: Dash = "solid", ratio: float = 1.0) -> QPen:
    """Return a pen of one device pixel."""
    pen = QPen(color, 1.0)
    pen.setCosmetic(True)
    if dash != "solid":
        pen.setDashPattern([length * ratio for length in _DASHES[dash]])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def line_pen(color: QColor, width: float, dash: Dash = "solid") -> QPen:
    """Return a pen of some logical pixels, for short lines."""
    pen = QPen(color, width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap if dash != "solid" else Qt.PenCapStyle.RoundCap)
    if dash != "solid":
        pen.setDashPattern([length / max(width, 0.1) for length in _DASHES[dash]])
    return pen


def draw_line(
    painter: QPainter,
    scene: Scene,
    stroke: Stroke,
    color: QColor,
    dash: Dash,
    weight: float,
    ink: float,
) -> None:
    """Draw a polyline as heavy as the ink in the plot allows."""
    painter.setPen(hair_pen(color, dash, scene.ratio))
    around = _offsets(weight, ink, scene.ratio)
    for x, y in pieces(stroke.x, stroke.y):
        shape = polygon(x, y)
        for dx, dy in around:
            painter.translate(dx, dy)
            painter.drawPolyline(shape)
            painter.translate(-dx, -dy)


def _offsets(weight: float, ink: float, ratio: float) -> tuple[tuple[float, float], ...]:
    """Choose where hair lines lie that make up one line, as many as the ink in the plot allows."""
    if weight <= 1.0 or ink > LIGHT_INK:
        return ((0.0, 0.0),) if ratio < 1.5 else _BESIDE
    if ink > HEAVY_INK:
        return _BESIDE
    spread = weight / WEIGHT
    if ratio > RING_FROM:  # so far apart, four strokes would leave gaps
        reach = (weight - 1.0 / ratio) / 2
        return tuple((reach * dx, reach * dy) for dx, dy in _RING)
    return tuple((spread * dx, spread * dy) for dx, dy in (_THREE if ratio < 1.5 else _FOUR))


def draw_dots(painter: QPainter, x: FloatArray, y: FloatArray, color: QColor, size: float) -> None:
    """Draw round dots of one colour; the fastest way for many."""
    pen = QPen(color, size)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawPoints(polygon(x, y))


def crisp(value: float, ratio: float) -> float:
    """Move a coordinate to the middle of a device pixel, where a hair line is sharp."""
    return (math.floor(value * ratio) + 0.5) / ratio


def draw_straight(painter: QPainter, begin: QPointF, end: QPointF, pen: QPen) -> None:
    """Draw a horizontal or vertical line without blurring it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(pen)
    painter.drawLine(begin, end)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
