"""What lies on a map: its picture, the theory's curves, the run that goes on, and the pointer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from engine.core.arrays import FloatArray
from engine.core.views import Dash
from engine.maps.axis import Axis
from engine.maps.kind import Overlay
from engine.maps.picture import POINTS, hatch_color
from engine.maps.shown import MapShown
from gui.maps.hatch import hatching, mask_of
from gui.plots.canvas.layers import Layer, symbol_path
from gui.plots.canvas.lines import Mapper
from gui.plots.canvas.paint import Scene, crisp, draw_straight, hair_pen, line_pen, pieces, polygon
from gui.typeset.rich_text import label

NEAR = 7.0
"""Pixels from a curve within which the pointer is on it."""
_EDGE, _GAP = 7.0, 14.0
"""Pixels around the text of the pointer, and from it to the pointer."""


def image_of(rgba: np.ndarray) -> QImage:
    """Make an image of pixels, shape (rows, columns, 4), row 0 at the bottom."""
    pixels = np.ascontiguousarray(rgba[::-1])
    rows, columns, _ = pixels.shape
    image = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A picture of a part of the map, however coarse.

    Attributes
    ----------
    image : QImage
    x, y : tuple of float
        Ends of what it covers, in values.
    inside : tuple of float
        Ends of the map's axes, which it may reach beyond by a part of a cell: x0, x1, y0, y1.
    cell : tuple of float
        Width and height of one of its cells in axis coordinates (logarithms on a log axis).
    mask : QImage or None
        Its cells of which nothing is known.
    """

    image: QImage
    x: tuple[float, float]
    y: tuple[float, float]
    inside: tuple[float, float, float, float]
    cell: tuple[float, float]
    mask: QImage | None = None


def patch_of(shown: MapShown) -> Patch:
    """Return the picture of a map as it lies between the axes."""
    spec, rgba = shown.spec, shown.picture.rgba
    x, width = _reach(spec.x, rgba.shape[1], shown.stride)
    if shown.layer == POINTS:
        y = shown.look.ends or (spec.y.low, spec.y.high)
        height = (y[1] - y[0]) / rgba.shape[0]
        inside_y = y
    else:
        y, height = _reach(spec.y, rgba.shape[0], shown.stride)
        inside_y = (spec.y.low, spec.y.high)
    inside = (spec.x.low, spec.x.high, *inside_y)
    hatched = shown.picture.hatched
    mask = None if hatched is None else mask_of(hatched)
    return Patch(image_of(rgba), x, y, inside, (width, height), mask)


def _reach(axis: Axis, cells: int, stride: int) -> tuple[tuple[float, float], float]:
    """Return the ends of so many coarse cells, each in the middle of its own, and their width.

    The ends differ from those of the axis by less than a coarse cell.
    """
    first = 0.5 - stride / 2
    ends = float(axis.at(first)), float(axis.at(first + cells * stride))
    span = math.log(axis.high / axis.low) if axis.log else axis.high - axis.low
    return ends, span / axis.count * stride


@dataclass
class MapLayer(Layer):
    """Pictures of the map, the finest on top."""

    patches: tuple[Patch, ...] = ()
    _drawn: dict[tuple[Any, ...], QImage] = field(default_factory=dict, repr=False, compare=False)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw them, with sharp cells unless these are smaller than a pixel."""
        ordered = sorted(self.patches, key=lambda patch: -patch.cell[0] * patch.cell[1])
        before, self._drawn = self._drawn, {}
        for patch in ordered:
            painter.save()
            inside = _box(scene.mapper, patch.inside)
            painter.setClipRect(inside, Qt.ClipOperation.IntersectClip)
            place = _box(scene.mapper, (*patch.x, *patch.y))
            fine = place.width() * scene.ratio < 0.98 * patch.image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, fine)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.drawImage(place, patch.image)
            if patch.mask is not None:
                self._hatch(painter, scene, patch.mask, place, inside & scene.plot, before)
            painter.restore()

    def _hatch(
        self,
        painter: QPainter,
        scene: Scene,
        mask: QImage,
        place: QRectF,
        box: QRectF,
        before: dict[tuple[Any, ...], QImage],
    ) -> None:
        """Draw the hatching of a patch, anew only where it is seen otherwise than before."""
        if box.isEmpty():
            return
        ink = QColor(hatch_color(scene.theme))
        key = (mask.cacheKey(), place.getRect(), box.getRect(), scene.ratio, ink.rgba())
        drawn = before.get(key)
        if drawn is None:
            drawn = hatching(mask, place, box, scene.ratio, ink)
        self._drawn[key] = drawn
        painter.drawImage(box.topLeft(), drawn)


def _box(mapper: Mapper, ends: tuple[float, float, float, float]) -> QRectF:
    """Return the pixels between x0, x1, y0, y1."""
    x = mapper.px(np.array(ends[:2]))
    y = mapper.py(np.array(ends[2:]))
    return QRectF(QPointF(x[0], y[1]), QPointF(x[1], y[0]))


@dataclass
class OverlayLayer(Layer):
    """Curves and points of the theory, with a rim of the ground that keeps them off the picture."""

    overlays: tuple[Overlay, ...] = ()
    hidden: frozenset[str] = frozenset()

    @property
    def visible(self) -> tuple[Overlay, ...]:
        """Those that are drawn."""
        return tuple(each for each in self.overlays if each.label not in self.hidden)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw all rims, then all lines."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rim = scene.theme.color("surface")
        rim.setAlphaF(0.75)
        for each in self.visible:
            self._draw(painter, scene, each, rim, 4.0, "solid")
        for each in self.visible:
            self._draw(painter, scene, each, scene.theme.color(each.color), 1.8, dash_of(each))

    def _draw(
        self,
        painter: QPainter,
        scene: Scene,
        each: Overlay,
        color: QColor,
        width: float,
        dash: Dash,
    ) -> None:
        x, y = scene.mapper.px(each.x), scene.mapper.py(each.y)
        if each.dash == "points":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            path = symbol_path("o", 4.0 + width)
            for at in zip(x.tolist(), y.tolist(), strict=True):
                if scene.plot.adjusted(-9, -9, 9, 9).contains(QPointF(*at)):
                    painter.drawPath(path.translated(*at))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            return
        painter.setPen(line_pen(color, width, dash))
        for part_x, part_y in pieces(x, y):
            painter.drawPolyline(polygon(part_x, part_y))

    def near(self, mapper: Mapper, at: QPointF) -> Overlay | None:
        """Return the curve nearest a pixel, within reach of it."""
        best, least = None, NEAR
        for each in self.visible:
            distance = distance_to(mapper.px(each.x), mapper.py(each.y), at, each.dash == "points")
            if distance < least:
                best, least = each, distance
        return best


def dash_of(each: Overlay) -> Dash:
    """Return the dashes of a curve; solid ones for points."""
    dashes: dict[str, Dash] = {"dash": "dash", "dot": "dot"}
    return dashes.get(each.dash, "solid")


def distance_to(x: FloatArray, y: FloatArray, at: QPointF, points: bool = False) -> float:
    """Return the distance in pixels of a place from a polyline, or from points."""
    if len(x) == 0:
        return math.inf
    dx, dy = x - at.x(), y - at.y()
    with np.errstate(invalid="ignore", divide="ignore"):
        if points or len(x) == 1:
            squares = dx * dx + dy * dy
        else:
            ex, ey = np.diff(x), np.diff(y)
            share = -(dx[:-1] * ex + dy[:-1] * ey) / (ex * ex + ey * ey)
            share = np.clip(np.nan_to_num(share), 0.0, 1.0)
            squares = (dx[:-1] + share * ex) ** 2 + (dy[:-1] + share * ey) ** 2
        finite = squares[np.isfinite(squares)]
    return math.sqrt(float(finite.min())) if finite.size else math.inf


@dataclass
class RunLayer(Layer):
    """The run that goes on: where it is on the map, and the points it was at.

    Attributes
    ----------
    x, y : float
        NaN for one that the map does not vary: then a line is drawn at the other.
    path : ndarray, shape (m, 2)
        Points of the run in a map of starts.
    """

    x: float = math.nan
    y: float = math.nan
    path: FloatArray = field(default_factory=lambda: np.empty((0, 2)))

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw the path as dots, and a ring or a line where the run is."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink, ground = scene.theme.color("text"), scene.theme.color("surface")
        if len(self.path):
            x, y = scene.mapper.px(self.path[:, 0]), scene.mapper.py(self.path[:, 1])
            for color, size in ((ground, 5.0), (ink, 3.0)):
                pen = line_pen(color, size)
                painter.setPen(pen)
                painter.drawPoints(polygon(x, y))
        if math.isfinite(self.x) and math.isfinite(self.y):
            at = scene.mapper.point(self.x, self.y)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for color, width in ((ground, 5.0), (ink, 2.2)):
                painter.setPen(line_pen(color, width))
                painter.drawEllipse(at, 7.0, 7.0)
            return
        for value, vertical in ((self.x, True), (self.y, False)):
            if math.isfinite(value):
                self._draw_line(painter, scene, value, vertical)

    def _draw_line(self, painter: QPainter, scene: Scene, value: float, vertical: bool) -> None:
        plot = scene.plot
        if vertical:
            at = float(scene.mapper.px(np.array([value]))[0])
            ends = QPointF(at, plot.top()), QPointF(at, plot.bottom())
        else:
            at = float(scene.mapper.py(np.array([value]))[0])
            ends = QPointF(plot.left(), at), QPointF(plot.right(), at)
        for color, width in (("surface", 3.5), ("text", 1.4)):
            painter.setPen(line_pen(scene.theme.color(color), width))
            painter.drawLine(*ends)


@dataclass
class PointerLayer(Layer):
    """A crosshair, and what is known of the cell below it.

    Attributes
    ----------
    at : QPointF or None
        Pixels; None while the pointer is elsewhere.
    lines : tuple of str
        With mathtext.
    swatch : str
        Colour beside the first line, as ``#rrggbb``; empty for none.
    """

    at: QPointF | None = None
    lines: tuple[str, ...] = ()
    swatch: str = ""
    font: object = None

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw crosshair and text, the text on the side that has room."""
        if self.at is None:
            return
        plot, at = scene.plot, self.at
        x, y = crisp(at.x(), scene.ratio), crisp(at.y(), scene.ratio)
        for color in ("surface", "text"):
            pen = hair_pen(scene.theme.color(color), "solid" if color == "surface" else "dash")
            draw_straight(painter, QPointF(x, plot.top()), QPointF(x, plot.bottom()), pen)
            draw_straight(painter, QPointF(plot.left(), y), QPointF(plot.right(), y), pen)
        if self.lines:
            self._draw_text(painter, scene, at)

    def _draw_text(self, painter: QPainter, scene: Scene, at: QPointF) -> None:
        from PySide6.QtGui import QFont

        font = self.font if isinstance(self.font, QFont) else QFont()
        texts = [label(line, font) for line in self.lines]
        indent = 14.0 if self.swatch else 0.0
        widths = [each.size.width() + (indent if k == 0 else 0.0) for k, each in enumerate(texts)]
        width = max(widths) + 2 * _EDGE
        height = sum(each.size.height() for each in texts) + 2 * _EDGE - 2
        plot = scene.plot
        left = at.x() + _GAP if at.x() + _GAP + width < plot.right() else at.x() - _GAP - width
        top = at.y() - _GAP - height if at.y() - _GAP - height > plot.top() else at.y() + _GAP
        left, top = max(left, plot.left() + 2), min(top, plot.bottom() - height - 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = scene.theme.color("raised" if scene.theme.is_dark else "surface")
        ground.setAlphaF(0.95)
        painter.setPen(line_pen(scene.theme.color("strong_border"), 1.0))
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(left, top, width, height), 5, 5)
        y = top + _EDGE - 1
        for k, each in enumerate(texts):
            x = left + _EDGE
            if k == 0 and self.swatch:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self.swatch))
                painter.drawRoundedRect(QRectF(x, y + each.size.height() / 2 - 4.5, 9, 9), 2, 2)
                x += indent
            each.draw(painter, QPointF(x, y), scene.theme.color("text" if k < 2 else "muted"))
            y += each.size.height()
        painter.setBrush(Qt.BrushStyle.NoBrush)
