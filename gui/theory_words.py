"""Texts of the theory panel: they wrap, can be selected, and are set only when they change."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QLabel, QSizePolicy, QWidget

from gui.formula_text import plain_text
from gui.param_controls import draw_focus, tint
from gui.param_ink import ink
from gui.param_numbers import number_text, short_text
from gui.param_row import InkLabel

COPIED_MS = 900
"""How long a number says that it was copied."""


def small(font: QFont) -> QFont:
    """Give the font of what is said beside."""
    font = QFont(font)
    font.setPointSizeF(max(6.0, font.pointSizeF() * 0.92))
    return font


def bold(font: QFont) -> QFont:
    """Give the font of what matters most."""
    font = QFont(font)
    font.setWeight(QFont.Weight.DemiBold)
    return font


class Words(InkLabel):
    """A wrapped text that the mouse can select.

    Parameters
    ----------
    role : str
        Colour by role.
    fine : bool
        Whether it is set small.
    steady : bool
        Whether the label stays as high as its longest text was, so that what is below rests.
    """

    def __init__(self, role: str = "text", *, fine: bool = False, steady: bool = False) -> None:
        super().__init__("", role)
        self._tallest: dict[int, int] = {}
        self._steady = steady
        self._source = ""
        if fine:
            self.setFont(small(self.font()))
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def say(self, text: str) -> bool:
        """Show a text, mathtext between dollars as Unicode; tell whether it is another."""
        if text == self._source:
            return False
        self._source = text
        self.setText(plain_text(text))
        return True

    def forget_height(self) -> None:
        """Let a steady label be low again."""
        if self._tallest:
            self._tallest.clear()
            self.updateGeometry()

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Give the height of the text, or of the tallest so far."""
        height = super().heightForWidth(width)
        if not self._steady:
            return height
        self._tallest[width] = max(height, self._tallest.get(width, 0))
        return self._tallest[width]


class Figure(QAbstractButton):
    """A number; a click copies it with all its digits.

    Its place never gets narrower, so that changing digits move nothing.
    """

    copied = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, strong: bool = True) -> None:
        super().__init__(parent)
        self._value: float | None = None
        self._name = ""
        self._widest = 0
        self._thanks = QTimer(self)
        self._thanks.setSingleShot(True)
        self._thanks.setInterval(COPIED_MS)
        self._thanks.timeout.connect(self.update)
        self.setFont(bold(self.font()) if strong else small(self.font()))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._on_clicked)

    @property
    def value(self) -> float | None:
        """The number."""
        return self._value

    def show_value(self, name: str, value: float | None, absent: str = "—") -> None:
        """Show a number, or what stands in its place."""
        text = absent if value is None else short_text(value)
        self._value = value
        if (text, name) == (self.text(), self._name):
            return
        self._name = name
        self.setText(text)
        self.setEnabled(value is not None)
        self.setAccessibleName(f"{name} {text}")
        self.setToolTip("" if value is None else f"{number_text(value)}\nClick to copy")
        metrics = QFontMetrics(self._font())
        width = max(metrics.horizontalAdvance(text), metrics.horizontalAdvance("copied")) + 8
        if width > self._widest:
            self._widest = width
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Give room for the longest number so far."""
        return QSize(self._widest, self.fontMetrics().height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the number, on a tint that answers the mouse."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isEnabled() and (self.underMouse() or self.isDown()):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint(0.16 if self.isDown() else 0.08))
            painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        thanks = self._thanks.isActive()
        painter.setPen(ink("good" if thanks else "text" if self.isEnabled() else "muted"))
        painter.setFont(small(self.font()) if thanks else self._font())
        box = self.rect().adjusted(4, 0, -4, 0)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, right, "copied" if thanks else self.text())
        if self.hasFocus():
            draw_focus(painter, QRectF(self.rect()), 4)
        painter.end()

    def _font(self) -> QFont:
        """Give the font of a number, or of the words in its place."""
        font = small(self.font()) if self._value is None else QFont(self.font())
        if self._value is None:
            font.setWeight(QFont.Weight.Normal)
        return font

    def _on_clicked(self) -> None:
        if self._value is None:
            return
        text = number_text(self._value)
        QGuiApplication.clipboard().setText(text)
        self._thanks.start()
        self.update()
        self.copied.emit(text)


def heading(text: str) -> QLabel:
    """Make the heading of a part of the panel."""
    label = QLabel(text)
    label.setFont(bold(label.font()))
    label.setContentsMargins(2, 4, 0, 0)
    return label
