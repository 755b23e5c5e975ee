"""What dragging on a plot does: move a handle, draw a stroke, zoom into a box, or pan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QCursor, QMouseEvent, QPainter, QPolygonF

from gui.plots.canvas.paint import Scene, line_pen
from gui.plots.canvas.range import Ends
from gui.plots.canvas.view import PlotView
from gui.typeset.rich_text import label

REACH = 11.0
"""Pixels from a handle within which a press takes it."""
CROWD = 40
"""Handles beyond which they are drawn as dots, with a halo under the pointer only."""
STROKE_STEP = 8.0
"""Pixels between the points of a stroke."""
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ARROWS = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}


@dataclass(slots=True)
class Grip:
    """A handle as it is on the plot: its id (or ``id:index``), place in values, and freedom."""

    id: str
    x: float
    y: float
    axis: Literal["x", "y", "xy"]
    color: str
    text: str = ""

    @property
    def is_one_of_many(self) -> bool:
        """Whether it stands for one number of an array; such a handle is named when pointed at."""
        return ":" in self.id


class _Drag(Enum):
    NONE = "none"
    GRIP = "grip"
    STROKE = "stroke"
    BOX = "box"
    PAN = "pan"


class Pointer(QObject):
    """The state of a drag on a view.

    Parameters
    ----------
    view : PlotView
        Whose frame turns pixels into values.

    Attributes
    ----------
    grips : list of Grip
        Handles that can be taken.
    drawable : bool
        Whether a click adds a point, and dragging draws a stroke.
    grip_moved : Signal(str, float, float)
        A handle is being dragged to a place, in values.
    grip_released : Signal
        The handle was released.
    stroke_drawn : Signal(list)
        Points of a stroke as ``[x, y]`` within the axes; a click is one of a single point.
    grip_taken : Signal
        A handle was taken: what is under the pointer matters no more.
    panned : Signal(ends, QPointF)
        The ends of both axes when a drag began, and by how many pixels it moved since.
    box_drawn : Signal(Ends, Ends)
        The ends of both axes, in axis coordinates, that show a box.
    """

    grip_moved = Signal(str, float, float)
    grip_released = Signal()
    stroke_drawn = Signal(list)
    grip_taken = Signal()
    panned = Signal(object, object)
    box_drawn = Signal(object, object)

    def __init__(self, view: PlotView) -> None:
        super().__init__(view)
        self._view = view
        self.grips: list[Grip] = []
        self.drawable = False
        self._drag = _Drag.NONE
        self._grip: str = ""
        self._hot: str = ""
        self._chosen: str = ""
        self._press = QPointF()
        self._offset = QPointF()
        self._here = QPointF()
        self._stroke: list[QPointF] = []
        self._begin: tuple[Ends, Ends] = ((0.0, 1.0), (0.0, 1.0))

    @property
    def is_busy(self) -> bool:
        """Whether any drag goes on."""
        return self._drag is not _Drag.NONE

    def set_grips(self, grips: list[Grip]) -> None:
        """Take the handles' new places; the one being dragged stays under the pointer."""
        if self._drag is _Drag.GRIP:
            held = self._find(self._grip)
            grips = [held if held is not None and g.id == held.id else g for g in grips]
        self.grips = grips

    def press(self, event: QMouseEvent) -> None:
        """Begin what a press here means."""
        at = self._view.place_of(event)
        plot = self._view.frame.mapper.plot
        if event.button() == Qt.MouseButton.RightButton:
            return
        self._press = self._here = at
        self._begin = (self._view.frame.mapper.x, self._view.frame.mapper.y)
        left = event.button() == Qt.MouseButton.LeftButton
        grip = self._near(at) if left else None
        self._chosen = grip.id if grip is not None else ""
        if grip is not None:
            self._drag, self._grip = _Drag.GRIP, grip.id
            self._offset = self._pixel(grip) - at
            self.grip_taken.emit()
        elif not plot.contains(at):
            self._drag = _Drag.NONE
        elif left and self.drawable:
            self._drag, self._stroke = _Drag.STROKE, [at]
        elif left and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._drag = _Drag.BOX
        else:
            self._drag = _Drag.PAN
        self._view.refresh_overlays()

    def move(self, event: QMouseEvent) -> bool:
        """Go on with a drag; returns whether there is one."""
        at = self._view.place_of(event)
        self._here = at
        if self._drag is _Drag.NONE:
            self._hover(at)
            return False
        if self._drag is _Drag.GRIP:
            self._move_grip(at + self._offset)
        elif self._drag is _Drag.STROKE:
            last = self._stroke[-1]
            if abs(at.x() - last.x()) + abs(at.y() - last.y()) >= STROKE_STEP:
                self._stroke.append(self._inside(at))
        elif self._drag is _Drag.PAN:
            self._view.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            self.panned.emit(self._begin, at - self._press)
        self._view.refresh_overlays()
        return True

    def release(self, event: QMouseEvent) -> None:
        """End a drag and do what it asked for."""
        drag, self._drag = self._drag, _Drag.NONE
        if drag is _Drag.GRIP:
            self.grip_released.emit()
        elif drag is _Drag.STROKE:
            mapper = self._view.frame.mapper
            points = [[mapper.x_at(p.x()), mapper.y_at(p.y())] for p in self._stroke]
            self.stroke_drawn.emit(points)
        elif drag is _Drag.BOX:
            self._zoom_to_box()
        self._stroke = []
        self._hover(self._view.place_of(event))
        self._view.refresh_overlays()

    def wants(self, key: int) -> bool:
        """Return whether a key chooses a handle, or moves or releases the chosen one."""
        if key in _ENTER:
            return bool(self.grips)
        return bool(self._chosen) and (key in _ARROWS or key == Qt.Key.Key_Escape)

    def key(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Choose the next handle with Enter, move it a pixel (Shift: ten), or let it go."""
        if not self.wants(key):
            return False
        if key in _ENTER:
            self._choose_next()
            return True
        grip = self._find(self._chosen)
        if key == Qt.Key.Key_Escape or grip is None:
            self._chosen = ""
        else:
            far = 10.0 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0
            self._grip = grip.id
            self._move_grip(self._pixel(grip) + _ARROWS[Qt.Key(key)] * far)
            self.grip_released.emit()
        self._view.refresh_overlays()
        return True

    def _choose_next(self) -> None:
        ids = [grip.id for grip in self.grips]
        following = ids.index(self._chosen) + 1 if self._chosen in ids else 0
        self._chosen = ids[following % len(ids)]
        self._view.refresh_overlays()

    @property
    def chosen(self) -> str:
        """Id of the handle that the arrow keys move, or empty."""
        return self._chosen

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw handles, and the stroke or box being dragged."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(scene.plot.adjusted(-8, -8, 8, 8), Qt.ClipOperation.IntersectClip)
        for grip in self.grips:
            self._paint_grip(painter, scene, grip)
        if self._drag is _Drag.STROKE:
            painter.setPen(line_pen(scene.theme.color("accent"), 2.0))
            painter.drawPolyline(QPolygonF(self._stroke))
        elif self._drag is _Drag.BOX:
            tint = scene.theme.color("accent")
            painter.setPen(line_pen(tint, 1.0))
            tint.setAlphaF(0.12)
            painter.fillRect(self._box(), tint)
            painter.drawRect(self._box())

    def _paint_grip(self, painter: QPainter, scene: Scene, grip: Grip) -> None:
        at, color = self._pixel(grip), scene.theme.color(grip.color)
        if not scene.plot.adjusted(-8, -8, 8, 8).contains(at):
            return
        active = grip.id in (self._hot, self._grip if self._drag is _Drag.GRIP else "")
        is_dot = len(self.grips) > CROWD
        if active or not is_dot:
            halo = QColor(color)
            halo.setAlphaF(0.3 if active else 0.16)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(halo)
            radius = 12.0 if active else 9.5
            painter.drawEllipse(at, radius, radius)
        painter.setPen(line_pen(scene.theme.color("surface"), 1.6))
        painter.setBrush(color)
        radius = 3.5 if is_dot and not active else 5.5
        painter.drawEllipse(at, radius, radius)
        if active or not grip.is_one_of_many:
            _draw_ways(painter, at, grip.axis, color, 12.5 if active else 10.0)
        if grip.id == self._chosen:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(line_pen(color, 1.2))
            painter.drawEllipse(at, 9.0, 9.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if grip.text and (active or not grip.is_one_of_many):
            typeset = label(grip.text, self._view.small_font)
            right = at.x() + 10 + typeset.size.width() < scene.plot.right()
            left = at.x() + 10 if right else at.x() - 10 - typeset.size.width()
            typeset.draw(painter, QPointF(left, at.y() - typeset.size.height() - 3), color)

    def _hover(self, at: QPointF) -> None:
        grip = self._near(at)
        hot = grip.id if grip is not None else ""
        if hot != self._hot:
            self._hot = hot
            self._view.refresh_overlays()
        shapes = {"x": Qt.CursorShape.SizeHorCursor, "y": Qt.CursorShape.SizeVerCursor}
        if grip is not None:
            self._view.viewport().setCursor(shapes.get(grip.axis, Qt.CursorShape.SizeAllCursor))
        elif self._view.frame.mapper.plot.contains(at):
            self._view.viewport().setCursor(QCursor(Qt.CursorShape.CrossCursor))
        else:
            self._view.viewport().unsetCursor()

    def _move_grip(self, to: QPointF) -> None:
        grip = self._find(self._grip)
        if grip is None:
            return
        mapper = self._view.frame.mapper
        if "x" in grip.axis:
            grip.x = mapper.x_at(to.x())
        if "y" in grip.axis:
            grip.y = mapper.y_at(to.y())
        self.grip_moved.emit(grip.id, grip.x, grip.y)

    def _zoom_to_box(self) -> None:
        box, mapper = self._box(), self._view.frame.mapper
        if box.width() < 4 or box.height() < 4:
            return
        across = (mapper.x[1] - mapper.x[0]) / mapper.plot.width()
        up = (mapper.y[1] - mapper.y[0]) / mapper.plot.height()
        left = mapper.x[0] + (box.left() - mapper.plot.left()) * across
        low = mapper.y[0] + (mapper.plot.bottom() - box.bottom()) * up
        self.box_drawn.emit((left, left + box.width() * across), (low, low + box.height() * up))

    def _inside(self, at: QPointF) -> QPointF:
        """Return the place within the axes that is nearest to the pointer."""
        plot = self._view.frame.mapper.plot
        x = min(max(at.x(), plot.left()), plot.right())
        return QPointF(x, min(max(at.y(), plot.top()), plot.bottom()))

    def _box(self) -> QRectF:
        return QRectF(self._press, self._here).normalized() & self._view.frame.mapper.plot

    def _pixel(self, grip: Grip) -> QPointF:
        return self._view.frame.mapper.point(grip.x, grip.y)

    def _find(self, grip_id: str) -> Grip | None:
        return next((grip for grip in self.grips if grip.id == grip_id), None)

    def _near(self, at: QPointF) -> Grip | None:
        """Find the nearest handle within reach."""
        best, best_distance = None, REACH
        for grip in self.grips:
            offset = self._pixel(grip) - at
            distance = (offset.x() ** 2 + offset.y() ** 2) ** 0.5
            if distance <= best_distance:
                best, best_distance = grip, distance
        return best


def _draw_ways(painter: QPainter, at: QPointF, axis: str, color: QColor, distance: float) -> None:
    """Draw small arrows where a handle can be dragged to."""
    painter.setPen(line_pen(color, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ways = [way for way in _ARROWS.values() if axis == "xy" or (way.x() != 0) == (axis == "x")]
    for way in ways:
        tip, side = at + way * (distance + 2.5), QPointF(way.y(), way.x()) * 2.5
        painter.drawPolyline([tip - way * 2.5 + side, tip, tip - way * 2.5 - side])
