"""Texts in a colour of the theme."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from gui.style.ink import ink

_SIDES = {"left": Qt.AlignmentFlag.AlignLeft, "right": Qt.AlignmentFlag.AlignRight}


_POLISHED = Qt.WidgetAttribute.WA_WState_Polished
"""Of a widget that was shown. Before, each widget that it is put into styles it anew."""


class InkLabel(QLabel):
    """A text in a colour by role that follows the theme."""

    def __init__(self, text: str = "", role: str = "text", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._role = ""
        self.set_role(role)

    @property
    def role(self) -> str:
        """The colour's role."""
        return self._role

    def set_role(self, role: str) -> None:
        """Take another colour."""
        if role != self._role:
            self._role = role
            self.setProperty("role", role)
            self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colour of the new theme."""
        super().changeEvent(event)
        kind = event.type()
        if kind == QEvent.Type.PaletteChange or (
            kind == QEvent.Type.StyleChange and self.testAttribute(_POLISHED)
        ):
            self._tint()

    def _tint(self) -> None:
        color = ink(self._role)
        if self.palette().color(QPalette.ColorRole.WindowText) != color:
            palette = self.palette()
            palette.setColor(QPalette.ColorRole.WindowText, color)
            self.setPalette(palette)


class Line(QWidget):
    """One line of text that changes often: no narrower than before, so that nothing is laid out."""

    def __init__(self, role: str = "text", side: str = "left") -> None:
        super().__init__()
        self._text = ""
        self._role = role
        self._side = _SIDES[side]
        self._widest = 0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """Return the text."""
        return self._text

    def say(self, text: str, forget: bool = False) -> None:
        """Show a text; `forget` lets the line be narrow again."""
        if text == self._text and not forget:
            return
        self._text = text
        self.setAccessibleName(text)
        self._reserve(forget)
        self.update()

    def _reserve(self, forget: bool) -> None:
        width = self.fontMetrics().horizontalAdvance(self._text) + 1
        if width > self._widest or (forget and width != self._widest):
            self._widest = width
            self.updateGeometry()

    def changeEvent(self, event: QEvent) -> None:
        """Reserve other room for a text of another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._reserve(forget=True)

    def sizeHint(self) -> QSize:
        """Reserve room for the longest text so far."""
        return QSize(self._widest, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text."""
        painter = QPainter(self)
        painter.setPen(ink(self._role))
        painter.drawText(self.rect(), self._side | Qt.AlignmentFlag.AlignVCenter, self._text)
        painter.end()
