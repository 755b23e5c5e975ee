"""Cards of the theory panel: framed surfaces, parts that fold, buttons that look like links."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px, whole
from gui.widgets.controls import draw_arrow, draw_focus, tint
from gui.widgets.words import SMALL

RADIUS = 7.0


class Card(QWidget):
    """A framed surface."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.column = QVBoxLayout(self)
        scaling.margins(self.column, 12, 9, 10, 9)
        scaling.spacing(self.column, 6)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw surface and frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink("border"), 1))
        painter.setBrush(ink("surface"))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), px(RADIUS), px(RADIUS)
        )
        painter.end()


class Hairline(QWidget):
    """A line between rows of a card."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), ink("border"))
        painter.end()


class Arrow(QAbstractButton):
    """The arrow that unfolds a part; checked means open."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        scaling.fixed(self, 22, 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the arrow."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint(0.08))
            painter.drawRoundedRect(QRectF(self.rect()), px(4), px(4))
        draw_arrow(painter, QPointF(px(11), px(11)), self.isChecked(), self.underMouse())
        if self.hasFocus():
            draw_focus(painter, QRectF(self.rect()), px(5))
        painter.end()


class Clickable(QWidget):
    """A strip whose click works an arrow."""

    def __init__(self, arrow: Arrow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._arrow = arrow
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Unfold or fold."""
        inside = self.rect().contains(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and inside:
            self._arrow.click()


class Link(QAbstractButton):
    """A small button in the accent colour, without a frame."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        scaling.font(self, SMALL)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the size."""
        metrics = self.fontMetrics()
        return QSize(
            metrics.horizontalAdvance(self.text()) + whole(12), metrics.height() + whole(4)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text, on a tint that answers the mouse."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isEnabled() and (self.underMouse() or self.isDown()):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint(0.2 if self.isDown() else 0.12, "accent"))
            painter.drawRoundedRect(QRectF(self.rect()), px(4), px(4))
        painter.setPen(ink("accent" if self.isEnabled() else "muted"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.hasFocus():
            draw_focus(painter, QRectF(self.rect()), px(4))
        painter.end()
