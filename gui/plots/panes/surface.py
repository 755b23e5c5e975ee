"""The surface of a function, with what lies on it; it is turned by dragging."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTransform,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from engine.core.arrays import FloatArray
from engine.core.views import Curve, Points, SurfaceView
from engine.figures.relief import Eye, Line, Relief, relief_of
from engine.text.mathtext import to_plain
from engine.text.numbers import number
from gui.plots.canvas.layers import symbol_path
from gui.plots.canvas.paint import hair_pen, line_pen, painting, pieces, polygon
from gui.plots.canvas.view import small_font
from gui.plots.panes.pane import Entry, Pane, Reading, ReadingItem, numbers
from gui.plots.panes.plane import entry_of
from gui.style import scaling
from gui.style.theme import color_table, current_theme
from gui.typeset.rich_text import label

TURN, LIFT = 0.4, 0.3
"""Degrees that a pixel of dragging turns and lifts the eye."""
KEY = 15.0
"""Pixels of dragging that an arrow key stands for."""
LOWEST, HIGHEST = 15.0, 80.0
"""Elevations of the eye."""
BESIDE, ABOVE, BELOW = 46.0, 24.0, 36.0
"""Room for numbers and labels around the block."""
_ARROWS = {
    Qt.Key.Key_Left: (-KEY, 0.0),
    Qt.Key.Key_Right: (KEY, 0.0),
    Qt.Key.Key_Up: (0.0, -KEY),
    Qt.Key.Key_Down: (0.0, KEY),
}


class SurfacePane(Pane[SurfaceView]):
    """Draws a `SurfaceView`.

    Attributes
    ----------
    eye : Eye
        Where the surface is seen from.
    relief : Relief or None
        None where there is nothing to draw.
    """

    def __init__(self, view: SurfaceView, parent: QWidget | None = None) -> None:
        super().__init__(view, parent)
        self.eye = Eye()
        self.relief: Relief | None = None
        self._image: tuple[Relief, str, QImage] | None = None
        self._dragged: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        scaling.least(self, 120, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(view.title)
        self.setAccessibleDescription(to_plain(view.help))

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(360, 300)

    def redraw(self) -> None:
        """Draw what was given last; the surface itself only if it is another."""
        shown = self._shown
        made = None if shown is None else relief_of(self.view, shown.observation, self.eye)
        if made is None or self.relief is None or not _is_same(made, self.relief):
            self.relief = made
        self.update()

    def look_from(self, eye: Eye) -> None:
        """See the surface from elsewhere."""
        lift = min(max(eye.elevation, LOWEST), HIGHEST)
        self.eye = Eye((eye.azimuth + 180.0) % 360.0 - 180.0, lift)
        self.redraw()

    def entries(self) -> tuple[Entry, ...]:
        """List the items that have a label."""
        items = enumerate(self.view.items)
        return tuple(entry_of(str(index), item) for index, item in items if item.label)

    def fill_menu(self, menu: QMenu) -> None:
        """Offer the usual side as well."""
        super().fill_menu(menu)
        menu.addAction("Usual side").triggered.connect(lambda: self.look_from(Eye()))

    def save(self) -> dict[str, Any]:
        """Return what is hidden, and from where the surface is seen."""
        if self.eye == Eye():
            return super().save()
        return super().save() | {"eye": [self.eye.azimuth, self.eye.elevation]}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take what `save` gave; anything unexpected is ignored."""
        super().load(saved)
        match saved.get("eye"):
            case [int() | float() as azimuth, int() | float() as elevation] if np.isfinite(
                [azimuth, elevation]
            ).all():
                self.look_from(Eye(float(azimuth), float(elevation)))

    # Painting.

    def _transform(self) -> QTransform:
        """Return the map from positions of the picture to pixels, as large as fits."""
        assert self.relief is not None
        left, right, bottom, top = self.relief.box
        factor = scaling.factor()
        wide, high = self.width() / factor, self.height() / factor
        side = min((wide - 2 * BESIDE) / (right - left), (high - ABOVE - BELOW) / (top - bottom))
        side = max(side, 1.0)
        middle = QPointF(wide / 2, ABOVE + (high - ABOVE - BELOW) / 2)
        return QTransform(side, 0.0, 0.0, -side, middle.x(), middle.y())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the block, the surface, what lies on it and the axes."""
        begin, theme = time.perf_counter(), current_theme()
        with painting(self) as painter:
            painter.fillRect(self.rect(), theme.color("surface"))
            painter.scale(scaling.factor(), scaling.factor())
            if self.relief is not None:
                self._paint(painter, self.relief)
        self.seconds += 0.2 * (time.perf_counter() - begin - self.seconds)

    def _paint(self, painter: QPainter, relief: Relief) -> None:
        theme, to_pixels = current_theme(), self._transform()
        pen = hair_pen(theme.color("border"))
        for line in relief.walls():
            _draw_line(painter, to_pixels, line, pen)
        painter.setPen(hair_pen(theme.color("strong_border")))
        painter.setBrush(theme.color("raised" if theme.is_dark else "background"))
        for line in relief.sides():
            painter.drawPolygon(polygon(*_mapped(to_pixels, *line)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        left, right, bottom, top = relief.box
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = QRectF(to_pixels.map(QPointF(left, top)), to_pixels.map(QPointF(right, bottom)))
        painter.drawImage(box, self._picture(relief))
        white = QColor(255, 255, 255, 90)
        for line in relief.mesh():
            _draw_line(painter, to_pixels, line, line_pen(white, 0.8))
        for index, item in enumerate(self.view.items):
            if str(index) not in self.hidden:
                self._paint_item(painter, to_pixels, relief, item)
        self._write(painter, to_pixels, relief)

    def _picture(self, relief: Relief) -> QImage:
        """Return the shaded surface in the colours of the theme."""
        theme, known = current_theme(), self._image
        if known is None or known[0] is not relief or known[1] != theme.name:
            pixels = np.ascontiguousarray(relief.colored(color_table(theme.sequential)))
            rows, columns, _ = pixels.shape
            image = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888)
            image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
            self._image = known = relief, theme.name, image
        return known[2]

    def _paint_item(
        self, painter: QPainter, to_pixels: QTransform, relief: Relief, item: Curve | Points
    ) -> None:
        assert self._shown is not None
        x, y = (numbers(self._shown.observation, key) for key in (item.x, item.y))
        if x is None or y is None or x.shape != y.shape:
            return
        x, y, theme = np.atleast_1d(x), np.atleast_1d(y), current_theme()
        color = theme.color(item.color)
        if isinstance(item, Curve):
            seen, hidden = relief.line(x, y)
            ground = theme.color("surface")
            ground.setAlphaF(0.7)
            _draw_line(painter, to_pixels, seen, line_pen(ground, item.width + 1.6))
            _draw_line(painter, to_pixels, hidden, line_pen(color, 1.0, "dot"))
            _draw_line(painter, to_pixels, seen, line_pen(color, item.width, item.dash))
            return
        across, up, behind = relief.points(x, y)
        across, up = _mapped(to_pixels, across, up)
        path = symbol_path(item.symbol, item.size + 1.0)
        places = zip(across.tolist(), up.tolist(), behind.tolist(), strict=True)
        for at_x, at_y, is_hidden in places:
            if not np.isfinite(at_x + at_y):
                continue
            is_open = bool(is_hidden) or item.symbol in ("+", "x")
            painter.setPen(line_pen(color if is_open else theme.color("surface"), 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush if is_open else color)
            painter.drawPath(path.translated(at_x, at_y))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _write(self, painter: QPainter, to_pixels: QTransform, relief: Relief) -> None:
        """Write numbers and labels, pushed away from the block."""
        view, font = self.view, small_font(self.font())
        _, tall = _mapped(to_pixels, np.zeros(2), relief.heights_of_axis)
        apart = QFontMetricsF(font).height() / max(float(tall[0] - tall[1]), 1.0)
        for text in relief.texts(view.x_label, view.y_label, view.z_label, apart):
            words = label(text.text, font)
            size, (x, y) = words.size, text.away
            at = to_pixels.map(QPointF(*text.at))
            far = 20.0 if text.is_label and y < 0 else 5.0
            at += QPointF(far * x, -far * y)
            at += QPointF((x - 1) * size.width() / 2, (-y - 1) * size.height() / 2)
            room = self.width() / scaling.factor() - size.width() - 2
            at.setX(max(min(at.x(), room), 2.0))
            words.draw(painter, at, current_theme().color("text" if text.is_label else "muted"))

    # The pointer and keys.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to turn."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End turning."""
        self._dragged = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See the surface from the usual side."""
        self.look_from(Eye())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn, or read the surface under the pointer."""
        if self._dragged is not None:
            moved = (event.position() - self._dragged) / scaling.factor()
            self._dragged = event.position()
            self._turn(moved.x(), moved.y())
            return
        reading = None
        if self.relief is not None:
            back, _ = self._transform().inverted()
            at = back.map(event.position() / scaling.factor())
            reading = self._reading(self.relief, at)
        self.reading_changed.emit(reading)

    def _turn(self, x: float, y: float) -> None:
        eye = self.eye
        self.look_from(Eye(eye.azimuth - TURN * x, eye.elevation + LIFT * y))

    def _reading(self, relief: Relief, at: QPointF) -> Reading | None:
        place = relief.place_at(at.x(), at.y())
        if place is None:
            return None
        names = self.view.x_label, self.view.y_label, self.view.z_label
        items = (ReadingItem(n, number(v, 3)) for n, v in zip(names, place, strict=True))
        return Reading("", tuple(items))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn by the arrow keys."""
        moved = _ARROWS.get(Qt.Key(event.key()))
        if moved is None:
            super().keyPressEvent(event)
        else:
            self._turn(*moved)

    def leaveEvent(self, event: QEvent) -> None:
        """Take the reading away."""
        self.reading_changed.emit(None)
        super().leaveEvent(event)


def _is_same(one: Relief, other: Relief) -> bool:
    if (one.eye, one.extent) != (other.eye, other.extent):
        return False
    return one.values is other.values or np.array_equal(one.values, other.values, equal_nan=True)


def _mapped(
    to_pixels: QTransform, across: FloatArray, up: FloatArray
) -> tuple[FloatArray, FloatArray]:
    side, dx, dy = to_pixels.m11(), to_pixels.dx(), to_pixels.dy()
    return side * across + dx, dy - side * up


def _draw_line(painter: QPainter, to_pixels: QTransform, line: Line, pen: Any) -> None:
    painter.setPen(pen)
    for x, y in pieces(*_mapped(to_pixels, *line)):
        painter.drawPolyline(polygon(x, y))
