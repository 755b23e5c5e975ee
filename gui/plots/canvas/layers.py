"""What can lie on a plot between its axes: lines, curves, points, circles and images."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath

from engine.core.arrays import FloatArray
from engine.core.blocks import largest_in_blocks
from engine.core.palette import PALE
from engine.core.views import Colormap, Dash, Symbol
from gui.plots.canvas.groups import draw_groups
from gui.plots.canvas.paint import Group, Scene, draw_dots, hair_pen, line_pen, pieces, polygon
from gui.plots.canvas.range import Ends
from gui.style.ink import mixed
from gui.style.theme import Theme, color_table

LONG = 4000
"""Points of a curve from which those that share a pixel are left out."""
FULL_WEIGHT = 1500
"""Points of a curve up to which it is drawn at full weight."""


MARKERS = 600
"""Points up to which each is drawn as a marker with an outline."""
DOTS = 20_000
"""Points up to which each is drawn as a dot; beyond, pixels are coloured by how many they hold."""
SHADES = 32


class Layer(ABC):
    """Something drawn on a plot, inside the axes unless `outside` says otherwise."""

    outside = False

    @abstractmethod
    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw it."""


@dataclass
class Groups(Layer):
    """Lines along a time axis."""

    groups: tuple[Group, ...] = ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw all lines within a bounded time."""
        draw_groups(painter, scene, self.groups)


@dataclass
class CurveLayer(Layer):
    """Polylines in the plane: `x` of shape (m,), `y` (m, lines), shaded towards `fill_to`."""

    x: FloatArray
    y: FloatArray
    color: str
    dash: Dash = "solid"
    width: float = 1.5
    fill_to: FloatArray | None = None
    ground: bool = False

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw shade and lines."""
        x = scene.mapper.px(self.x)
        y = scene.mapper.py(self.y)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lines = y.shape[1]
        if self.fill_to is not None and lines == 1:
            self._shade(painter, scene, x, y[:, 0], scene.mapper.py(self.fill_to))
        for index in range(lines):
            self._line(painter, scene, x, y[:, index], index)

    def _shade(
        self, painter: QPainter, scene: Scene, x: FloatArray, y: FloatArray, other: FloatArray
    ) -> None:
        color = scene.theme.color(self.color)
        color.setAlphaF(0.16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        keep = ~(np.isnan(x) | np.isnan(y) | np.isnan(other))
        around = np.concatenate((x[keep], x[keep][::-1]))
        painter.drawPolygon(polygon(around, np.concatenate((y[keep], other[keep][::-1]))))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _line(
        self, painter: QPainter, scene: Scene, x: FloatArray, y: FloatArray, index: int
    ) -> None:
        color = scene.theme.line_colors(self.color, self.y.shape[1])[index]
        if len(x) > LONG:
            x, y = _without_repeats(x, y)
        heavy = len(x) * self.y.shape[1] > FULL_WEIGHT
        if heavy or self.width <= 1:
            pen = hair_pen(color, self.dash, scene.ratio)
        else:
            pen = line_pen(color, self.width, self.dash)
        painter.setPen(pen)
        for part_x, part_y in pieces(x, y):
            painter.drawPolyline(polygon(part_x, part_y))


def _without_repeats(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Leave out points that fall on the same pixel as the one before."""
    moved = (np.diff(np.rint(x)) != 0) | (np.diff(np.rint(y)) != 0)
    keep = np.concatenate(([True], moved | np.isnan(x[1:]) | np.isnan(y[1:])))
    return x[keep], y[keep]


@dataclass
class CircleLayer(Layer):
    """A circle or, on unequal axes, the ellipse that it looks like."""

    center: tuple[float, float]
    radius: float
    color: str
    dash: Dash = "dash"

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw the outline."""
        x = scene.mapper.px(np.array([self.center[0] - self.radius, self.center[0] + self.radius]))
        y = scene.mapper.py(np.array([self.center[1] + self.radius, self.center[1] - self.radius]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(line_pen(scene.theme.color(self.color), 1.4, self.dash))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(QPointF(x[0], y[0]), QPointF(x[1], y[1])))


def symbol_path(symbol: Symbol, size: float) -> QPainterPath:
    """Return a marker's outline around the origin."""
    path, half = QPainterPath(), size / 2
    if symbol == "o":
        path.addEllipse(QPointF(), half, half)
    elif symbol == "s":
        path.addRect(QRectF(-half * 0.9, -half * 0.9, size * 0.9, size * 0.9))
    elif symbol in ("+", "x"):
        turn, reach = (0.0, half) if symbol == "+" else (math.pi / 4, 1.25 * half)
        for angle in (turn, turn + math.pi / 2):
            tip = QPointF(reach * math.cos(angle), reach * math.sin(angle))
            path.moveTo(-tip)
            path.lineTo(tip)
    else:
        corners = {"t": 3, "d": 4, "star": 10}[symbol]
        for corner in range(corners):
            reach = half * 1.15 * (0.45 if symbol == "star" and corner % 2 else 1.0)
            angle = 2 * math.pi * corner / corners - math.pi / 2
            tip = QPointF(reach * math.cos(angle), reach * math.sin(angle))
            path.moveTo(tip) if corner == 0 else path.lineTo(tip)
        path.closeSubpath()
    return path


def areas_of(values: NDArray[np.generic], named: Sequence[float]) -> NDArray[np.uint8]:
    """Return the place of each value among some, from 1; 0 for any other."""
    levels = np.zeros(np.shape(values), np.uint8)
    for place, value in enumerate(named, 1):
        levels[np.asarray(values) == value] = place
    return levels


def to_levels(values: NDArray[np.generic], ends: Ends) -> NDArray[np.uint8]:
    """Return the place of each value between two ends as 1 to 255; 0 where it is not finite."""
    data = np.asarray(values, np.float64)
    finite = np.isfinite(data)
    span = ends[1] - ends[0]
    place = np.clip((np.where(finite, data, ends[0]) - ends[0]) / (span or 1.0), 0.0, 1.0)
    return np.where(finite, np.rint(1.0 + 254.0 * place), 0.0).astype(np.uint8)


def map_stops(theme: Theme, colormap: Colormap) -> tuple[str, ...]:
    """Return the colours of a map in a theme."""
    return {"sequential": theme.sequential, "diverging": theme.diverging, "gray": theme.gray}[
        colormap
    ]


def picture_of(levels: NDArray[np.uint8], theme: Theme, colormap: Colormap) -> QImage:
    """Make an image of levels; level 0 is transparent."""
    levels = np.ascontiguousarray(levels)
    rows, columns = levels.shape
    image = QImage(levels.data, columns, rows, columns, QImage.Format.Format_Indexed8).copy()
    table = color_table(map_stops(theme, colormap)).astype(np.int64)
    packed = (255 << 24) | (table[:, 0] << 16) | (table[:, 1] << 8) | table[:, 2]
    image.setColorTable([0, *packed[1:].tolist()])
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def paled(theme: Theme, role: str) -> QColor:
    """Return the colour in which an area of a role is filled."""
    return mixed(QColor(theme.surface), theme.color(role), PALE)


def tinted(levels: NDArray[np.uint8], theme: Theme, roles: Sequence[str]) -> QImage:
    """Make an image of areas, level i in the colour of the i-th role, paled; 0 is transparent."""
    levels = np.ascontiguousarray(levels)
    rows, columns = levels.shape
    image = QImage(levels.data, columns, rows, columns, QImage.Format.Format_Indexed8).copy()
    colors = [paled(theme, role).rgba() for role in roles]
    image.setColorTable([0, *colors])
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


@dataclass
class HeatLayer(Layer):
    """An image between x0, x1 and y0, y1; row 0 at the smallest y.

    With `roles` its levels are those of areas, see `tinted`.
    """

    levels: NDArray[np.uint8]
    extent: tuple[float, float, float, float]
    colormap: Colormap
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._made_for: tuple[str, int, int] = ("", 0, 0)
        self._image = QImage()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw the image, with sharp cells unless they are smaller than a few pixels."""
        x = scene.mapper.px(np.array(self.extent[:2]))
        y = scene.mapper.py(np.array(self.extent[2:]))
        place = QRectF(QPointF(x[0], y[1]), QPointF(x[1], y[0]))
        self._make_image(scene, place)
        fine = place.width() / max(self.levels.shape[1], 1) < 5
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, fine)
        painter.drawImage(place, self._image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)

    def _make_image(self, scene: Scene, place: QRectF) -> None:
        """Make the image of a theme, reduced where there are fewer pixels than levels.

        Reduced by maximum, since smoothing drops lines of one pixel; areas have no order.
        """
        rows, columns = self.levels.shape
        if not self.roles:
            rows = min(rows, max(1, int(abs(place.height()) * scene.ratio)))
            columns = min(columns, max(1, int(abs(place.width()) * scene.ratio)))
        wanted = scene.theme.name, rows, columns
        if self._made_for == wanted:
            return
        if self.roles:
            self._image = tinted(self.levels[::-1], scene.theme, self.roles)
        else:
            levels = largest_in_blocks(self.levels[::-1], rows, columns)
            self._image = picture_of(levels, scene.theme, self.colormap)
        self._made_for = wanted


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
