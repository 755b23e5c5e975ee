"""The surface that plots are drawn on, with what the pointer and the keyboard do there.

The mouse is ours and not pyqtgraph's: zoom and pan ask the pane, which also knows the linked plots
and the axes that stay as they are, and a drag may take a handle or draw a stroke.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QWheelEvent,
)
from PySide6.QtWidgets import QScrollArea, QToolTip, QWidget

from engine.text.mathtext import to_html
from gui.plots.canvas.annotations import Annotations
from gui.plots.canvas.paint import line_pen
from gui.plots.canvas.pointer import Pointer
from gui.plots.canvas.range import LARGEST, Ends
from gui.plots.canvas.rules import RulesLayer
from gui.plots.canvas.view import PlotView
from gui.style import scaling

ZOOM_STEP = 1.2
LARGEST_DECADE = 330.0
SMALLEST_SPAN = 1e-11
"""Smallest span of an axis relative to its values."""


class Canvas(PlotView):
    """Two axes and layers between them, to be zoomed, panned and pointed at.

    Attributes
    ----------
    zoom_x, zoom_y : bool
        Whether the wheel and dragging change this axis.
    pointer : Pointer
    annotations : Annotations
        Notes of the user, which are in pictures of the plot too.
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
        self.zoom_x = self.zoom_y = True
        self.pointer = Pointer(self)
        self.pointer.grip_taken.connect(lambda: self.hovered.emit(None))
        self.pointer.panned.connect(self.pan)
        self.pointer.box_drawn.connect(self.ask)
        self.annotations = Annotations(self)
        self._menu_at: QPointF | None = None
        self._shows_focus = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def take_menu_place(self) -> QPointF:
        """Return where the menu was asked for, once; else the middle of the plot."""
        at, self._menu_at = self._menu_at, None
        plot = self.frame.mapper.plot
        return at if at is not None and plot.contains(at) else plot.center()

    def _draw_outside(self, painter: QPainter) -> None:
        super()._draw_outside(painter)
        self.annotations.paint(painter, self.drawing())

    def _draw_over(self, painter: QPainter) -> None:
        super()._draw_over(painter)
        scene = self.drawing()
        self.pointer.paint(painter, scene)
        if self._shows_focus and self.hasFocus():
            painter.setClipping(False)
            painter.setPen(line_pen(scene.theme.color("accent"), 1.5))
            painter.drawRoundedRect(QRectF(QPointF(), self.unit_size).adjusted(1, 1, -1, -1), 4, 4)

    # Zoom and pan.

    def zoom(self, factor: float, at: QPointF, x: bool = True, y: bool = True) -> None:
        """Request spans larger by a factor, with what is under a pixel kept there."""
        mapper = self.frame.mapper
        across = (at.x() - mapper.plot.left()) / mapper.plot.width()
        up = (mapper.plot.bottom() - at.y()) / mapper.plot.height()
        self.ask(
            _scaled(mapper.x, factor, across) if x else None,
            _scaled(mapper.y, factor, up) if y else None,
        )

    def pan(self, begin: tuple[Ends, Ends], moved: QPointF) -> None:
        """Request ends shifted by as many pixels as a drag has moved."""
        plot = self.frame.mapper.plot
        shift_x = -moved.x() * (begin[0][1] - begin[0][0]) / plot.width()
        shift_y = moved.y() * (begin[1][1] - begin[1][0]) / plot.height()
        self.ask(
            (begin[0][0] + shift_x, begin[0][1] + shift_x) if self.zoom_x else None,
            (begin[1][0] + shift_y, begin[1][1] + shift_y) if self.zoom_y else None,
        )

    def ask(self, x: Ends | None, y: Ends | None) -> None:
        """Request other ends unless they coincide in floating point or exceed its range."""
        for ends, axis in ((x, self.x_axis), (y, self.y_axis)):
            if ends is None:
                continue
            size = max(abs(ends[0]), abs(ends[1]))
            most = LARGEST_DECADE if axis.log else LARGEST
            if size > most or not SMALLEST_SPAN * size < ends[1] - ends[0]:
                return
        self.zoomed.emit(x, y)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer; over an axis only along it, with Ctrl only y, Shift only x.

        On a page that scrolls the wheel is the page's, unless the plot was chosen first.
        """
        if not self.hasFocus() and _scrolls(self.parentWidget()):
            event.ignore()
            return
        notches = event.angleDelta().y() or event.angleDelta().x()
        at = self.place_of(event)
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
        is_left = event.button() == Qt.MouseButton.LeftButton
        if is_left and self.annotations.press(self.place_of(event)):
            self.hovered.emit(None)
            return
        self.pointer.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or say what is under the pointer."""
        at = self.place_of(event)
        if self.annotations.move(at):
            return
        if not self.pointer.move(event):
            inside = self.frame.mapper.plot.contains(at)
            self.hovered.emit(at if inside else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        if not self.annotations.release():
            self.pointer.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Write in the note under the pointer, or else show all data again."""
        if event.button() == Qt.MouseButton.LeftButton:
            note = self.annotations.at(self.place_of(event))
            if note >= 0:
                self.annotations.edit(note)
            else:
                self.reset_requested.emit()

    def leaveEvent(self, event: QEvent) -> None:
        """Take the crosshair away."""
        self.hovered.emit(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Leave the menu to the plot's dock, which asks for the place."""
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        self._menu_at = QPointF(event.pos()) / scaling.factor() if by_mouse else None
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and −, show all with Home; Enter chooses a handle, which the arrows move."""
        middle = self.frame.mapper.plot.center()
        key = event.key()
        if self.annotations.key(key, event.modifiers()):
            return
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

    def viewportEvent(self, event: QEvent) -> bool:
        """Show the whole of a name that is cut, while the pointer rests on it."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.cut_text(QPointF(event.pos()) / scaling.factor())
            if text:
                QToolTip.showText(event.globalPos(), f"<p>{to_html(text)}</p>", self)
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def cut_text(self, at: QPointF) -> str:
        """Return in full the name of a rule at a place, if it is cut there."""
        scene = self.drawing()
        rules = (layer for layer in self.layers if isinstance(layer, RulesLayer))
        return next(filter(None, (layer.cut_at(scene, at) for layer in rules)), "")

    def event(self, event: QEvent) -> bool:
        """Claim the arrow keys while a handle is chosen, before the window takes them."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if self.annotations.wants(event.key()) or self.pointer.wants(event.key()):
                event.accept()
                return True
        return super().event(event)


def _scrolls(widget: QWidget | None) -> bool:
    """Return whether a widget, or one that it lies in, is a scroll area."""
    while widget is not None:
        if isinstance(widget, QScrollArea):
            return True
        widget = widget.parentWidget()
    return False


def _scaled(ends: Ends, factor: float, share: float) -> Ends:
    still = ends[0] + share * (ends[1] - ends[0])
    return still - factor * (still - ends[0]), still + factor * (ends[1] - still)
