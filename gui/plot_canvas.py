"""The surface that plots are drawn on: a pyqtgraph view with two axes, layers, zoom and pan.

A canvas is a `pyqtgraph.GraphicsView` around one `ViewBox` and two `AxisItem`. The ends of the axes
are decided by `gui.plot_range` and given to the view box when they change, never by its auto-range;
the axes draw the ticks of `gui.plot_axes` and are kept as pixmaps, so that new data do not cost the
typesetting of numbers; and what lies on the plot is kept as another, so that moving a crosshair
over it costs next to nothing (see `gui.plot_graphics`). There is no `PlotItem` around them: its
form of transforms and averages takes 12 ms to build, for each plot, and none of it is used here.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.plot_axes import Axis, Frame, Margins, draw_grid, draw_x_axis, draw_y_axis, lay_out
from gui.plot_graphics import (
    GraphicsView,
    LayersItem,
    TickAxis,
    ViewItem,
    draw_layers,
    new_view_box,
)
from gui.plot_layers import Layer
from gui.plot_paint import Scene, line_pen, painting
from gui.plot_pointer import Pointer
from gui.plot_range import LARGEST, Ends
from gui.theme import current_theme

ZOOM_STEP = 1.2
LARGEST_DECADE = 330.0
SMALLEST_SPAN = 1e-11
"""Smallest span of an axis relative to its values."""


class Canvas(GraphicsView):
    """Two axes and layers between them.

    Attributes
    ----------
    x_axis, y_axis : Axis
        Change them, then call `refresh_axes`.
    layers, overlays : list of Layer
        What is drawn with the picture, and what is drawn over it at each paint.
    box : pyqtgraph.ViewBox
        The rectangle between the axes; its ranges are their ends, powers of ten on a log axis.
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

    _frame: Frame | None = None  # events come before there is anything to lay out

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.x_axis, self.y_axis = Axis(), Axis()
        self.overlays: list[Layer] = []
        self.margins = Margins()
        self.equal = False
        self.zoom_x = self.zoom_y = True
        self.paint_seconds = 0.0
        self.pointer = Pointer(self)
        self._layers: list[Layer] = []
        self._image_ratio = 0.0
        self._shows_focus = False
        self._make_items()
        self.setViewportUpdateMode(GraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)

    def _make_items(self) -> None:
        self._page = self.centralWidget
        self.box = new_view_box(self._page)
        self._left = TickAxis("left", self.box, self._draw_y_axis, self.drawing)
        self._bottom = TickAxis("bottom", self.box, self._draw_x_axis, self.drawing)
        self._inside = LayersItem(self.box, self.drawing)
        self._outside = ViewItem(self._page, self._draw_outside, self.drawing)
        self._over = ViewItem(self._page, self._draw_over, self.drawing)
        order = (self._left, self._bottom, self.box, self._outside, self._over)
        for height, item in enumerate(order):
            item.setZValue(height)

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
    def layers(self) -> list[Layer]:
        """What is drawn with the picture."""
        return self._layers

    @layers.setter
    def layers(self, layers: list[Layer]) -> None:
        self._layers = layers
        self._inside.layers = [layer for layer in layers if not layer.outside]

    @property
    def paints(self) -> int:
        """How often the layers were drawn."""
        return self._inside.paints

    @property
    def frame(self) -> Frame:
        """The axes as laid out now."""
        if self._frame is None or self._frame.size != self.size():
            self._frame = lay_out(
                self.size(), self.x_axis, self.y_axis, self.margins, self.small_font, self.equal
            )
            self._place(self._frame)
        return self._frame

    def _place(self, frame: Frame) -> None:
        """Give the items their room and the view box its ranges."""
        plot, width, height = frame.mapper.plot, frame.size.width(), frame.size.height()
        self.resetCachedContent()  # the ground and the grid
        self.box.setGeometry(plot)
        self.box.setRange(xRange=frame.mapper.x, yRange=frame.mapper.y, padding=0)
        self._left.place(QRectF(0, 0, plot.left(), height))
        self._bottom.place(QRectF(0, plot.bottom(), width, height - plot.bottom()))
        for item in (self._inside, self._outside, self._over):
            item.place()

    def refresh(self) -> None:
        """Draw the layers anew."""
        self._inside.refresh()
        self._outside.update()
        self._over.update()

    def refresh_axes(self) -> None:
        """Lay out and draw everything anew."""
        if self._frame is not None:
            self._frame = None
            before_painting = Qt.EventPriority.HighEventPriority.value
            QCoreApplication.postEvent(self, QEvent(QEvent.Type.LayoutRequest), before_painting)

    def refresh_overlays(self) -> None:
        """Draw the overlays and handles anew."""
        self._over.update()

    def set_margins(self, margins: Margins) -> None:
        """Give other room beside the plot."""
        if margins != self.margins:
            self.margins = margins
            self.refresh_axes()

    def drawing(self) -> Scene:
        """Give what layers need to draw themselves now."""
        ratio = self._image_ratio or self.devicePixelRatioF()
        return Scene(self.frame.mapper, current_theme(), ratio)

    def to_image(self, ratio: float = 2.0) -> QImage:
        """Draw everything, but no overlay, on an image with `ratio` pixels per logical pixel."""
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        self._image_ratio = ratio
        self._over.hide()
        try:
            with painting(image) as painter:
                self.render(painter, QRectF(self.rect()), self.rect())
        finally:
            self._image_ratio = 0.0
            self._over.show()
            self._inside.refresh()
        return image

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the scene, and learn how long it takes with new layers."""
        begin, before = time.perf_counter(), self.paints
        assert self.frame  # lays out, so that items have their room
        super().paintEvent(event)
        if self.paints != before:
            self.paint_seconds = time.perf_counter() - begin

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """Draw the ground and the grid, which the view keeps as a pixmap."""
        scene = self.drawing()
        painter.fillRect(self.rect(), scene.theme.color("surface"))
        draw_grid(painter, self.frame, scene.theme, scene.ratio)

    def _draw_x_axis(self, painter: QPainter, scene: Scene) -> None:
        text, font = self.x_axis.text, self.small_font
        draw_x_axis(painter, self.frame, text, scene.theme, font, scene.ratio)

    def _draw_y_axis(self, painter: QPainter, scene: Scene) -> None:
        draw_y_axis(painter, self.frame, self.y_axis.text, scene.theme, self.small_font)

    def _draw_outside(self, painter: QPainter, scene: Scene) -> None:
        draw_layers(painter, scene, [layer for layer in self._layers if layer.outside])

    def _draw_over(self, painter: QPainter, scene: Scene) -> None:
        draw_layers(painter, scene, self.overlays)
        self.pointer.paint(painter, scene)
        if self._shows_focus and self.hasFocus():
            painter.setClipping(False)
            painter.setPen(line_pen(scene.theme.color("accent"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew."""
        super().resizeEvent(event)
        self.refresh_axes()

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

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Leave the menu to the plot's dock."""
        event.ignore()

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
            event.ignore()  # pyqtgraph's view would keep it

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus that came by the keyboard."""
        self._shows_focus = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        )
        super().focusInEvent(event)
        self.refresh_overlays()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the sign of the focus away."""
        super().focusOutEvent(event)
        self.refresh_overlays()

    def event(self, event: QEvent) -> bool:
        """Lay out once for all that asked for it; claim the arrow keys while a handle is chosen."""
        if event.type() == QEvent.Type.LayoutRequest:
            assert self.frame  # before painting: items that move while they are painted, are again
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if self.pointer.wants(event.key()):
                event.accept()
                return True
        return super().event(event)


def _scaled(ends: Ends, factor: float, share: float) -> Ends:
    still = ends[0] + share * (ends[1] - ends[0])
    return still - factor * (still - ends[0]), still + factor * (ends[1] - still)
