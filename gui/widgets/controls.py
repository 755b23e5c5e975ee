"""Small painted controls: switch, segments, and the fine buttons of a number box.

They are painted from the theme's colours, scale with the font and the screen, and show focus. The
Tab key reaches them; a click leaves the focus where it is, so that Space goes on playing and
pausing, and the wheel goes on scrolling.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QRadioButton,
    QScrollArea,
    QSizePolicy,
    QWidget,
)

from gui.style import scaling
from gui.style.ink import ink, mixed
from gui.style.scaling import px, whole
from gui.widgets.focus import give_back


class Switch(QCheckBox):
    """A check box drawn as a switch."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the size of the switch."""
        return QSize(whole(40), whole(24))

    def minimumSizeHint(self) -> QSize:
        """Return the size of the switch."""
        return self.sizeHint()

    def hitButton(self, position: QPoint) -> bool:  # noqa: N802
        """Take a click anywhere on the control."""
        return self.rect().contains(position)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the track, and the knob at the side of the state."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(self.width() - px(35), (self.height() - px(18)) / 2, px(33), px(18))
        on = self.isChecked()
        fill = ink("accent") if on else ink("strong_border")
        if not self.isEnabled():
            fill = mixed(fill, ink("surface"), 0.5)
        if self.underMouse() and self.isEnabled():
            fill = mixed(fill, ink("text"), 0.12)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        knob = QRectF(0, 0, px(13), px(13))
        side = track.right() - px(9) if on else track.left() + px(9)
        knob.moveCenter(QPointF(side, track.center().y()))
        painter.setBrush(ink("on_accent") if on else ink("surface"))
        painter.drawEllipse(knob)
        if self.hasFocus():
            draw_focus(painter, track.adjusted(-2, -2, 2, 2), track.height() / 2 + 2)
        painter.end()


def draw_focus(painter: QPainter, box: QRectF, radius: float) -> None:
    """Draw the ring that says where the keyboard is."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(ink("accent"), px(1.5)))
    inset = px(0.75)
    painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), radius, radius)


class StepButton(QAbstractButton):
    """A minus or plus sign at an end of a number box; repeats while held down."""

    def __init__(self, sign: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._sign = sign
        self.setAutoRepeat(True)
        self.setAutoRepeatDelay(350)
        self.setAutoRepeatInterval(45)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)

    @property
    def sign(self) -> int:
        """Direction of a press: -1 or 1."""
        return self._sign

    def sizeHint(self) -> QSize:
        """Return a square that a finger or a shaky hand can hit."""
        return QSize(whole(26), whole(26))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the sign over a tint that answers the mouse."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.isEnabled() and (self.isDown() or self.underMouse()):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint(0.2 if self.isDown() else 0.1))
            painter.drawRoundedRect(box, px(4), px(4))
        strong = self.underMouse() and self.isEnabled()
        pen = QPen(ink("text") if strong else ink("muted"), px(1.5))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        center = QPointF(round(box.center().x()) + 0.5, round(box.center().y()) + 0.5)
        painter.drawLine(center - QPointF(px(4), 0), center + QPointF(px(4), 0))
        if self._sign > 0:
            painter.drawLine(center - QPointF(0, px(4)), center + QPointF(0, px(4)))
        painter.end()


def tint(strength: float, role: str = "text") -> QColor:
    """Return a see-through colour to lay over whatever is below."""
    color = QColor(ink(role))
    color.setAlphaF(strength)
    return color


class _Segment(QRadioButton):
    """One of a row of joined buttons; arrow keys move between them as between radio buttons."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(
            metrics.horizontalAdvance(self.text()) + whole(16), metrics.height() + whole(12)
        )

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, position: QPoint) -> bool:  # noqa: N802
        return self.rect().contains(position)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        chosen = self.isChecked()
        painter.setPen(Qt.PenStyle.NoPen)
        if chosen:
            painter.setPen(QPen(mixed(ink("soft_accent"), ink("accent"), 0.35), 1))
            painter.setBrush(ink("soft_accent"))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), px(5), px(5))
        elif self.underMouse() and self.isEnabled():
            painter.setBrush(tint(0.07))
            painter.drawRoundedRect(box, px(5), px(5))
        color = ink("text") if chosen else mixed(ink("text"), ink("muted"), 0.6)
        painter.setPen(color if self.isEnabled() else ink("muted"))
        font = self.font()
        painter.setFont(font)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.hasFocus():
            draw_focus(painter, QRectF(self.rect()), px(6))
        painter.end()


class Segments(QWidget):
    """A choice of a few, all in sight.

    Attributes
    ----------
    chosen : Signal(str)
        The user picked this value.
    """

    chosen = Signal(str)

    def __init__(self, choices: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        scaling.margins(layout, 1, 1, 1, 1)
        layout.setSpacing(0)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, _Segment] = {}
        for choice in choices:
            button = _Segment(readable(choice), self)
            self._buttons[choice] = button
            self._group.addButton(button)
            layout.addWidget(button)
        self._group.buttonClicked.connect(self._on_clicked)
        self.setFocusProxy(next(iter(self._buttons.values())))

    @property
    def buttons(self) -> dict[str, _Segment]:
        """The buttons by value."""
        return self._buttons

    def value(self) -> str:
        """Return the picked value, empty before the first."""
        return next((name for name, button in self._buttons.items() if button.isChecked()), "")

    def set_value(self, value: str) -> None:
        """Pick a value without a signal."""
        if value in self._buttons:
            self._buttons[value].setChecked(True)
            self.setFocusProxy(self._buttons[value])

    def set_names(self, name: str, help: str) -> None:
        """Name the buttons for a screen reader."""
        self.setAccessibleName(name)
        for button in self._buttons.values():
            button.setAccessibleName(f"{name}: {button.text()}")
            button.setToolTip(help)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the trough that the buttons lie in."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink("border"), 1))
        painter.setBrush(tint(0.04))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), px(6), px(6))
        painter.end()

    def _on_clicked(self, button: QAbstractButton) -> None:
        value = next(name for name, known in self._buttons.items() if known is button)
        self.setFocusProxy(button)
        self.chosen.emit(value)


class QuietScrollArea(QScrollArea):
    """A frameless area that scrolls up and down, and leaves Left and Right to the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll with the vertical keys only."""
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()
        else:
            super().keyPressEvent(event)


class Foot(QWidget):
    """What stands below a scroll area, and is as wide as what scrolls in it.

    Parameters
    ----------
    foot : QWidget
    area : QScrollArea
        The room that its vertical scroll bar takes is left free here, too, while it shows.
    """

    def __init__(self, foot: QWidget, area: QScrollArea, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = area.verticalScrollBar()
        self._free = QWidget()
        self._free.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(foot, 1)
        row.addWidget(self._free)
        self._bar.rangeChanged.connect(self._fit)

    def _fit(self, low: int, high: int) -> None:
        self._free.setFixedWidth(self._bar.sizeHint().width())
        self._free.setVisible(high > low)


class QuietCombo(QComboBox):
    """A combo box that the wheel changes only while it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area unless the box was chosen first."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the box on Enter and Escape."""
        leaving = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
        if event.key() in leaving:
            give_back(self)
            event.accept()
        else:
            super().keyPressEvent(event)


_INITIALS = ("cpu", "cuda", "mps")


def readable(choice: str) -> str:
    """Write a choice for people: ``at-minimum`` as ``At minimum``, ``cpu`` as ``CPU``."""
    if choice in _INITIALS:
        return choice.upper()
    text = choice.replace("-", " ").replace("_", " ")
    return text[:1].upper() + text[1:]


def draw_arrow(painter: QPainter, center: QPointF, is_open: bool, lively: bool) -> None:
    """Draw an arrow that points down where something is open, to the right where it is folded."""
    pen = QPen(ink("text") if lively else ink("muted"), px(1.6))
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if is_open:
        offsets = (-4.0, -2.0), (0.0, 2.0), (4.0, -2.0)
    else:
        offsets = (-2.0, -4.0), (2.0, 0.0), (-2.0, 4.0)
    painter.drawPolyline([center + QPointF(px(x), px(y)) for x, y in offsets])
