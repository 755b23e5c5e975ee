"""Texts of the theory panel: they wrap, can be selected, and are set only when they change."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QLabel, QSizePolicy, QWidget

from engine.text.mathtext import to_html, to_plain
from engine.text.numbers import exact_text, short
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px
from gui.widgets.controls import draw_focus, tint
from gui.widgets.glyphs import draw_glyph
from gui.widgets.labels import InkLabel

SMALL = 0.92
"""Size of secondary text, as a share of that of the rest."""
COPIED_MS = 900
"""How long a number says that it was copied."""


def small(font: QFont) -> QFont:
    """Return the font of secondary text."""
    font = QFont(font)
    font.setPointSizeF(max(scaling.px(6.0), font.pointSizeF() * SMALL))
    return font


def bold(font: QFont) -> QFont:
    """Return the font of what matters most."""
    font = QFont(font)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def typeset(label: QLabel, text: str) -> None:
    """Show a text on a label, its scripts and the mathtext between dollars as such."""
    markup = to_html(text)
    is_plain = "<" not in markup
    label.setTextFormat(Qt.TextFormat.PlainText if is_plain else Qt.TextFormat.RichText)
    label.setText(text if is_plain else markup)


class Words(QWidget):
    """A wrapped text that the mouse can select.

    The text stands in a label of its own, which no layout sees: another text of as many lines
    moves nothing, and the panel is not laid out anew a few times a second.

    Parameters
    ----------
    role : str
        Colour by role.
    fine : bool
        Whether it is set small.
    steady : bool
        Whether the place stays as high as the longest text was, so that what is below rests.
    """

    def __init__(self, role: str = "text", *, fine: bool = False, steady: bool = False) -> None:
        super().__init__()
        self._steady = steady
        self._source = ""
        self._tallest = 0
        self._top = 0
        self.label = InkLabel("", role, self)
        if fine:
            scaling.font(self.label, SMALL)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def text(self) -> str:
        """Return the text that is shown, in plain letters."""
        return to_plain(self._source)

    def say(self, text: str) -> bool:
        """Show a text, its scripts and mathtext typeset; returns whether it is another."""
        if text == self._source:
            return False
        self._source = text
        typeset(self.label, text)
        if self.width() != self.label.width() or self.heightForWidth(self.width()) != self.height():
            self.updateGeometry()
        return True

    def name(self, name: str) -> None:
        """Name the text for a screen reader."""
        self.label.setAccessibleName(name)

    def center(self, top: int = 0) -> None:
        """Move the text down by some pixels, to stand beside something higher."""
        self._top = top

    def forget_height(self) -> None:
        """Forget the height reserved for earlier texts of a steady label."""
        if self._tallest:
            self._tallest = 0
            self.updateGeometry()

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Return True: the height depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of the text, or of the tallest so far."""
        height = max(self.label.heightForWidth(width), self.label.fontMetrics().height())
        if self._steady and width == self.width():
            height = self._tallest = max(height, self._tallest)
        return height + self._top

    def sizeHint(self) -> QSize:
        """Return the size of the text on few lines."""
        hint = self.label.sizeHint()
        return QSize(hint.width(), self.heightForWidth(hint.width()))

    def minimumSizeHint(self) -> QSize:
        """Return a size as narrow as a word."""
        return QSize(scaling.whole(48), self.label.fontMetrics().height() + self._top)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Resize the label to fill its place."""
        if event.oldSize().width() != self.width():
            self._tallest = 0
        self.label.setGeometry(self.rect().adjusted(0, self._top, 0, 0))
        if self.heightForWidth(self.width()) != self.height():
            self.updateGeometry()  # the layout knew the height of an earlier text


class Figure(QAbstractButton):
    """A number; a click copies it with all its digits.

    Its place never gets narrower, so that changing digits move nothing.
    """

    def __init__(self, parent: QWidget | None = None, *, strong: bool = True) -> None:
        super().__init__(parent)
        self._value: float | None = None
        self._name = ""
        self._widest = 0
        self._thanks = QTimer(self)
        self._thanks.setSingleShot(True)
        self._thanks.setInterval(COPIED_MS)
        self._thanks.timeout.connect(self.update)
        if strong:
            self.setFont(bold(self.font()))
        else:
            scaling.font(self, SMALL)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._on_clicked)

    @property
    def value(self) -> float | None:
        """The number."""
        return self._value

    def show_value(self, name: str, value: float | None, absent: str = "—", text: str = "") -> None:
        """Show a number, perhaps in a text of its own, or what stands in its place."""
        text = absent if value is None else text or short(value, 6)
        if (value is None) != (self._value is None):
            self._widest = 0
        self._value = value
        if (text, name) == (self.text(), self._name):
            return
        self._name = name
        self.setText(text)
        self.setEnabled(value is not None)
        self.setAccessibleName(f"{name} {text}")
        self.setToolTip("" if value is None else f"{exact_text(value)}\nClick to copy")
        self._reserve()
        self.update()

    def _reserve(self) -> None:
        """Reserve room for the text."""
        width = QFontMetrics(self._font()).horizontalAdvance(self.text()) + scaling.whole(8)
        width = max(width, scaling.whole(24))
        if width > self._widest:
            self._widest = width
            self.updateGeometry()

    def changeEvent(self, event: QEvent) -> None:
        """Reserve other room for a text of another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._widest = 0
            self._reserve()

    def sizeHint(self) -> QSize:
        """Reserve room for the longest number so far."""
        return QSize(self._widest, self.fontMetrics().height() + scaling.whole(4))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the number, on a tint that answers the mouse."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isEnabled() and (self.underMouse() or self.isDown()):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint(0.16 if self.isDown() else 0.08))
            painter.drawRoundedRect(QRectF(self.rect()), px(4), px(4))
        edge = scaling.whole(4)
        box = self.rect().adjusted(edge, 0, -edge, 0)
        if self._thanks.isActive():
            middle = QPointF(box.right() - px(6), self.height() / 2)
            draw_glyph(painter, middle, "check", ink("good"), 12)
        else:
            painter.setPen(ink("text" if self.isEnabled() else "muted"))
            painter.setFont(self._font())
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, right, self.text())
        if self.hasFocus():
            draw_focus(painter, QRectF(self.rect()), px(4))
        painter.end()

    def _font(self) -> QFont:
        """Return the font of a number, or of the words in its place."""
        font = small(self.font()) if self._value is None else QFont(self.font())
        if self._value is None:
            font.setWeight(QFont.Weight.Normal)
        return font

    def _on_clicked(self) -> None:
        if self._value is None:
            return
        text = exact_text(self._value)
        QGuiApplication.clipboard().setText(text)
        self._thanks.start()
        self.update()


def heading(text: str) -> QLabel:
    """Make the heading of a part of the panel."""
    label = QLabel(text)
    label.setFont(bold(label.font()))
    scaling.margins(label, 2, 4, 0, 0)
    return label
