"""The surface that plots are drawn on: a widget with two axes, layers, zoom and pan.

The whole picture is kept as a pixmap, so that moving a crosshair over it costs next to nothing,
and the axes as another, so that new data do not cost the typesetting of numbers.
Written on QPainter because importing a plot library takes most of the time a start may take, and
because a curve here costs two calls and no scene graph.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.plot_axes import Axis, Frame, Margins, draw_axes, lay_out
from gui.plot_layers import Layer
from gui.plot_paint import Scene, line_pen, painting
from gui.plot_pointer import Pointer
from gui.plot_range import LARGEST, Ends
from gui.theme import Theme, current_theme

ZOOM_STEP = 1.2
LARGEST_DECADE = 330.0
SMALLEST_SPAN = 1e-11
"""Smallest span of an axis relative to its values."""


class Canvas(QWidget):
    """Two axes and layers between them.

    Attributes
    ----------
    x_axis, y_axis : Axis
        Change them, then call `refresh_axes`.
    layers, overlays : list of Layer
        What is drawn with the picture, and what is drawn over it at each paint.
    zoom_x, zoom_y : bool
        Whether the wheel and dragging change this axis.
    hovered : Signal(QPointF or None)
        The pointer moved inside the plot, or left it.
    zoomed : Signal(x ends, y ends)
        The user asks for other ends, in axis coordinates; None for an axis that stays.
    reset_requested : Signal
        The user asks for the ends that follow the data.
    """

    hovered = Signal(object)
    zoomed = Signal(object, object)
    reset_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.x_axis, self.y_axis = Axis(), Axis()
        self.layers: list[Layer] = []
        self.overlays: list[Layer] = []
        self.margins = Margins()
        self.equal = False
        self.zoom_x = self.zoom_y = True
        self._shows_focus = False
        self.paints = 0
        self.paint_seconds = 0.0
        self.pointer = Pointer(self)
        self._frame: Frame | None = None
        self._backdrop: QPixmap | None = None
        self._picture: QPixmap | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)

    def sizeHint(self) -> QSize:
        """Give a comfortable size."""
        return QSize(360, 220)

    @property
    def small_font(self) -> QFont:
        """The font of numbers and labels: a little smaller than the program's."""
        font = QFont(self.font())
        font.setPointSizeF(max(6.5, font.pointSizeF() - 1.0))
        return font

    @property
    def frame(self) -> Frame:
        """The axes as laid out now."""
        if self._frame is None or self._frame.size != self.size():
            self._frame = lay_out(
                self.size(), self.x_axis, self.y_axis, self.margins, self.small_font, self.equal
            )
            self._backdrop = self._picture = None
        return self._frame

    def refresh(self) -> None:
        """Draw the layers anew."""
        self._picture = None
        self.update()

    def refresh_axes(self) -> None:
        """Lay out and draw everything anew."""
        self._frame = self._backdrop = self._picture = None
        self.update()

    def set_margins(self, margins: Margins) -> None:
        """Give other room beside the plot."""
        if margins != self.margins:
            self.margins = margins
            self.refresh_axes()

    def scene(self, ratio: float | None = None, theme: Theme | None = None) -> Scene:
        """Give what layers need to draw themselves now."""
        return Scene(self.frame.mapper, theme or current_theme(), ratio or self.devicePixelRatioF())

    def to_image(self, ratio: float = 2.0) -> QImage:
        """Draw everything, but no overlay, on an image with `ratio` pixels per logical pixel."""
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        scene = self.scene(ratio)
        with painting(image) as painter:
            self._paint_axes(painter, scene)
            self._paint_layers(painter, scene, self.layers)
        return image

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bring the picture up to date and draw it, then the overlays."""
        begin = time.perf_counter()
        scene = self.scene()
        if self._backdrop is None or self._backdrop.devicePixelRatio() != scene.ratio:
            self._backdrop = self._new_pixmap(scene.ratio)
            with painting(self._backdrop) as painter:
                self._paint_axes(painter, scene)
            self._picture = None
        if self._picture is None:
            self._picture = QPixmap(self._backdrop)
            with painting(self._picture) as painter:
                self._paint_layers(painter, scene, self.layers)
            self.paints += 1
            self.paint_seconds = time.perf_counter() - begin
        with painting(self) as painter:
            painter.drawPixmap(0, 0, self._picture)
            self._paint_layers(painter, scene, self.overlays)
            self.pointer.paint(painter, scene)
            if self._shows_focus and self.hasFocus():
                painter.setClipping(False)
                painter.setPen(line_pen(scene.theme.color("accent"), 1.5))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)

    def _new_pixmap(self, ratio: float) -> QPixmap:
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _paint_axes(self, painter: QPainter, scene: Scene) -> None:
        painter.fillRect(self.rect(), scene.theme.color("surface"))
        font = self.small_font
        draw_axes(painter, self.frame, self.x_axis, self.y_axis, scene.theme, font, scene.ratio)

    def _paint_layers(self, painter: QPainter, scene: Scene, layers: Sequence[Layer]) -> None:
        for layer in layers:
            painter.save()
            if not layer.outside:
                painter.setClipRect(scene.plot)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            layer.paint(painter, scene)
            painter.restore()

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the colours and font of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.refresh_axes()

    # Zoom and pan.

    def zoom(self, factor: float, at: QPointF, x: bool = True, y: bool = True) -> None:
        """Ask for spans larger by a factor, with what is under a pixel kept there."""
        mapper = self.frame.mapper
        across = (at.x() - mapper.plot.left()) / mapper.plot.width()
        up = (mapper.plot.bottom() - at.y()) / mapper.plot.height()
        self.ask(
            _scaled(mapper.x, factor, across) if x else None,
            _scaled(mapper.y, factor, up) if y else None,
        )

    def pan(self, begin: tuple[Ends, Ends], moved: QPointF) -> None:
        """Ask for ends shifted from where a drag began by as many pixels as it moved."""
        plot = self.frame.mapper.plot
        shift_x = -moved.x() * (begin[0][1] - begin[0][0]) / plot.width()
        shift_y = moved.y() * (begin[1][1] - begin[1][0]) / plot.height()
        self.ask(
            (begin[0][0] + shift_x, begin[0][1] + shift_x) if self.zoom_x else None,
            (begin[1][0] + shift_y, begin[1][1] + shift_y) if self.zoom_y else None,
        )

    def ask(self, x: Ends | None, y: Ends | None) -> None:
        """Ask for other ends unless they cannot be told apart or are beyond all numbers."""
        for ends, axis in ((x, self.x_axis), (y, self.y_axis)):
            if ends is None:
                continue
            size = max(abs(ends[0]), abs(ends[1]))
            most = LARGEST_DECADE if axis.log else LARGEST
            if size > most or not SMALLEST_SPAN * size < ends[1] - ends[0]:
                return
        self.zoomed.emit(x, y)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer; over an axis only along it, with Ctrl only y, Shift only x."""
        notches = event.angleDelta().y() or event.angleDelta().x()
        at = event.position()
        plot = self.frame.mapper.plot
        keys = event.modifiers()
        over_y = at.x() < plot.left() or bool(keys & Qt.KeyboardModifier.ControlModifier)
        over_x = at.y() > plot.bottom() or bool(keys & Qt.KeyboardModifier.ShiftModifier)
        both = not over_x and not over_y
        if notches:
            factor = ZOOM_STEP ** (-notches / 120)
            x, y = over_x or (both and self.zoom_x), over_y or (both and self.zoom_y)
            self.zoom(factor, at, x or self.equal, y or self.equal)
        event.accept()

    # The pointer and the keyboard.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag."""
        self.pointer.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or say what is under the pointer."""
        at = event.position()
        if not self.pointer.move(event):
            inside = self.frame.mapper.plot.contains(at)
            self.hovered.emit(at if inside else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        self.pointer.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all data again."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.reset_requested.emit()

    def leaveEvent(self, event: QEvent) -> None:
        """Take the crosshair away."""
        self.hovered.emit(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and −, show all with Home, and move the chosen handle with the arrows."""
        middle = self.frame.mapper.plot.center()
        key = event.key()
        if self.pointer.key(key, event.modifiers()):
            return
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(1 / ZOOM_STEP, middle, self.zoom_x, self.zoom_y)
        elif key == Qt.Key.Key_Minus:
            self.zoom(ZOOM_STEP, middle, self.zoom_x, self.zoom_y)
        elif key == Qt.Key.Key_Home:
            self.reset_requested.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus that came by the keyboard."""
        self._shows_focus = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        )
        super().focusInEvent(event)

    def event(self, event: QEvent) -> bool:
        """Claim the arrow keys while a handle is chosen, before the window takes them."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if self.pointer.wants(event.key()):
                event.accept()
                return True
        return super().event(event)


def _scaled(ends: Ends, factor: float, share: float) -> Ends:
    still = ends[0] + share * (ends[1] - ends[0])
    return still - factor * (still - ends[0]), still + factor * (ends[1] - still)
