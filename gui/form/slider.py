"""The slider of a number field, with marks where the theory has bounds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from gui.style.ink import ink
from gui.style.scaling import px, whole
from gui.widgets.controls import draw_focus

LIMIT = "delta_max"
"""Id of the bound beyond which no minimum is stable; its mark is red, as on the plots."""
TICKS = 10_000
"""Places of a slider; more than a screen has pixels."""
MARGIN = 9
"""Pixels between the widget's side and an end of the track: half the knob and the focus ring."""


class ValueSlider(QSlider):
    """A slider that jumps to the mouse, shows marks, and leaves the arithmetic to its owner.

    Attributes
    ----------
    dragged : Signal(float, bool)
        The user moved it to this place (0 to 1); True while the mouse button is down.
    grabbed : Signal
        A drag begins.
    stepped : Signal(int, int)
        An arrow key: number of steps, and their exponent relative to the usual step.
    """

    dragged = Signal(float, bool)
    grabbed = Signal()
    stepped = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, TICKS)
        self.setSingleStep(TICKS // 100)
        self.setPageStep(TICKS // 10)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._marks: tuple[tuple[str, float], ...] = ()
        self._lit = ""
        self._zero = 0.0
        self._anchor: tuple[float, float] | None = None
        self.valueChanged.connect(self._on_value_changed)

    def set_place(self, place: float) -> None:
        """Move the knob to a place on the track (0 to 1) without a signal."""
        value = round(place * TICKS)
        if value != self.value() and not self.isSliderDown():
            self.blockSignals(True)
            self.setValue(value)
            self.blockSignals(False)
            self.update()

    def set_marks(self, marks: Sequence[tuple[str, float]], zero: float = 0.0) -> None:
        """Draw marks, given as id and place; `zero` is where the filled part begins."""
        if (tuple(marks), zero) != (self._marks, self._zero):
            self._marks, self._zero = tuple(marks), zero
            self.update()

    def light(self, mark_id: str) -> None:
        """Emphasise one mark, or none."""
        self._lit = mark_id
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size."""
        return QSize(whole(160), whole(20))

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(whole(80), whole(20))

    @property
    def _room(self) -> float:
        """Pixels from one end of the knob's way to the other."""
        return max(1.0, self.width() - 2 * px(MARGIN))

    def x_of(self, place: float) -> float:
        """Return the pixel column of a place on the track."""
        return px(MARGIN) + place * self._room

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the knob, wherever on the track the button went down."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.grabbed.emit()
        self.setSliderDown(True)
        x = event.position().x()
        if abs(x - self.x_of(self.value() / TICKS)) > px(MARGIN):
            self.setSliderPosition(self._ticks_at(x))
        self._anchor = (x, float(self.sliderPosition()))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse, ten times slower while Shift or Ctrl is held."""
        if self._anchor is None:
            event.ignore()
            return
        x, start = self._anchor
        moved = (event.position().x() - x) / self._room * TICKS
        fine = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
        if event.modifiers() & fine:
            moved /= 10
        self.setSliderPosition(round(min(max(start + moved, 0), TICKS)))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Release the knob."""
        if self._anchor is None or event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._anchor = None
        self.setSliderDown(False)
        self.dragged.emit(self.value() / TICKS, False)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with the arrows as the number box does; Home and End go to the ends."""
        direction = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Down: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: 1,
            Qt.Key.Key_PageDown: -1,
            Qt.Key.Key_PageUp: 1,
        }.get(Qt.Key(event.key()))
        if direction is None:
            super().keyPressEvent(event)
            return
        page = event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)
        self.stepped.emit(direction, 1 if page else step_exponent(event.modifiers()))
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area unless the slider was chosen first."""
        if not self.hasFocus() or not event.angleDelta().y():
            event.ignore()
            return
        direction = 1 if event.angleDelta().y() > 0 else -1
        self.stepped.emit(direction, step_exponent(event.modifiers()))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw track, filled part, marks and knob."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        on = self.isEnabled()
        accent = ink("accent") if on else ink("muted")
        thick = px(4)
        track = QRectF(1, middle - thick / 2, self.width() - 2, thick)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink("strong_border"))
        painter.drawRoundedRect(track, thick / 2, thick / 2)
        here = self.x_of(self.value() / TICKS)
        zero = self.x_of(self._zero) if self._zero else track.left()
        painter.setBrush(accent)
        painter.drawRoundedRect(
            QRectF(QPointF(zero, track.top()), QPointF(here, track.bottom())).normalized(),
            thick / 2,
            thick / 2,
        )
        for mark_id, place in self._marks:
            lit = mark_id == self._lit
            painter.setPen(QPen(ink(mark_role(mark_id)), px(2.5 if lit else 1.5)))
            x = round(self.x_of(place)) + 0.5
            painter.drawLine(QPointF(x, middle - px(7)), QPointF(x, self.height()))
        radius = px(7)
        painter.setPen(QPen(accent, px(2)))
        lively = on and (self.isSliderDown() or self.underMouse())
        painter.setBrush(ink("soft_accent") if lively else ink("surface"))
        painter.drawEllipse(QPointF(here, middle), radius - px(1), radius - px(1))
        if self.hasFocus():
            reach = radius + px(2)
            ring = QRectF(here - reach, middle - reach, 2 * reach, 2 * reach)
            draw_focus(painter, ring, reach)
        painter.end()

    def _ticks_at(self, x: float) -> int:
        share = (x - px(MARGIN)) / self._room
        return round(min(max(share, 0.0), 1.0) * TICKS)

    def _on_value_changed(self, value: int) -> None:
        self.dragged.emit(value / TICKS, self.isSliderDown())


def mark_role(mark_id: str) -> str:
    """Return the colour, by role, of the mark of a bound."""
    return "bad" if mark_id == LIMIT else "bound"


def step_exponent(modifiers: Qt.KeyboardModifier) -> int:
    """Return how much coarser (Shift: +1) or finer (Ctrl: -2, Ctrl+Shift: -4) a step is wanted."""
    control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
    shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
    if control:
        return -4 if shift else -2
    return 1 if shift else 0
