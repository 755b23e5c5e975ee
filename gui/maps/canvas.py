"""The surface of a map: as that of a plot, but a click chooses a point, and Alt+arrows go back."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from gui.plots.canvas.canvas import Canvas

SLACK = 4.0
"""Pixels that the pointer may move within a click."""
FAST = 10
"""Pixels by which Shift and an arrow move the crosshair."""
_MOVES = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_KEYPAD = Qt.KeyboardModifier.KeypadModifier


class MapCanvas(Canvas):
    """Axes around a map.

    Enter gives the crosshair to the keyboard: the arrows move it, Enter chooses the point there,
    and Escape gives it back.

    Attributes
    ----------
    picked : Signal(float, float)
        A point was chosen, in values.
    back_requested, forward_requested : Signal
        The part that was looked at before, or after, is asked for.
    """

    picked = Signal(float, float)
    back_requested = Signal()
    forward_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pressed_at: QPointF | None = None
        self._key_at: QPointF | None = None

    @property
    def has_key_crosshair(self) -> bool:
        """Whether the arrow keys move the crosshair."""
        return self._key_at is not None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag; the side buttons go back and forward."""
        self._key_at = None
        if event.button() in (Qt.MouseButton.BackButton, Qt.MouseButton.ForwardButton):
            back = event.button() == Qt.MouseButton.BackButton
            (self.back_requested if back else self.forward_requested).emit()
            event.accept()
            return
        plain = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.button() == Qt.MouseButton.LeftButton and plain:
            self._pressed_at = self.place_of(event)
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second click for one like the first."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag once the pointer moved by more than a click allows."""
        self._key_at = None
        begin = self._pressed_at
        if begin is not None:
            moved = self.place_of(event) - begin
            if abs(moved.x()) + abs(moved.y()) < SLACK:
                return
            self._pressed_at = None
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag, or choose the point of a click."""
        begin, self._pressed_at = self._pressed_at, None
        super().mouseReleaseEvent(event)
        if begin is not None and self.frame.mapper.plot.contains(begin):
            self._pick(begin)

    def _pick(self, at: QPointF) -> None:
        mapper = self.frame.mapper
        self.picked.emit(mapper.x_at(at.x()), mapper.y_at(at.y()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back and forward, or move the crosshair."""
        if not (self._go(event) or self._move_crosshair(event)):
            super().keyPressEvent(event)

    def _go(self, event: QKeyEvent) -> bool:
        if not _is_way(event):
            return False
        back = event.key() == Qt.Key.Key_Left
        (self.back_requested if back else self.forward_requested).emit()
        return True

    def _move_crosshair(self, event: QKeyEvent) -> bool:
        key, plot = event.key(), self.frame.mapper.plot
        if key in _ENTER:
            if self._key_at is None:
                self._key_at = plot.center()
                self.hovered.emit(self._key_at)
            else:
                self._pick(self._key_at)
            return True
        if self._key_at is None:
            return False
        if key == Qt.Key.Key_Escape:
            self._key_at = None
            self.hovered.emit(None)
            return True
        if key not in _MOVES:
            return False
        far = FAST if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        to = self._key_at + _MOVES[Qt.Key(key)] * far
        self._key_at = QPointF(
            min(max(to.x(), plot.left()), plot.right() - 1),
            min(max(to.y(), plot.top()), plot.bottom() - 1),
        )
        self.hovered.emit(self._key_at)
        return True

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the keyboard's crosshair away."""
        super().focusOutEvent(event)
        if self._key_at is not None:
            self._key_at = None
            self.hovered.emit(None)

    def event(self, event: QEvent) -> bool:
        """Claim the keys of the map before the window takes them."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            moves = self.has_key_crosshair and event.key() in (*_MOVES, Qt.Key.Key_Escape)
            if _is_way(event) or moves:
                event.accept()
                return True
        return super().event(event)


def _is_way(event: QKeyEvent) -> bool:
    """Return whether a key goes back or forward."""
    with_alt = event.modifiers() & ~_KEYPAD == Qt.KeyboardModifier.AltModifier
    return with_alt and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right)
