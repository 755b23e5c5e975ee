"""What stands in the middle of the plots until a run that takes long to begin has a picture."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from engine.run.snapshot import Snapshot, Status
from gui.style.ink import ink
from gui.style.scaling import whole

PATIENCE_MS = 150
"""A run that begins sooner says nothing: a word that comes and goes is only unrest."""
PREPARING = "Preparing…"
COMPILING = "Compiling kernels…"
_WHY = "The first run takes a moment."
_MARGIN_X, _MARGIN_Y = 28, 18


class Waiting(QWidget):
    """A quiet card over the plots, there only while they have nothing to show.

    Attributes
    ----------
    shown : Signal
        The run takes longer than `PATIENCE_MS` to begin.
    """

    shown = Signal()

    def __init__(self, area: QWidget) -> None:
        super().__init__(area)
        self._area = area
        self._text = PREPARING
        self.setObjectName("waiting")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._on_impatient)
        area.installEventFilter(self)

    @property
    def text(self) -> str:
        """The text that is shown, or would be."""
        return self._text

    def begin(self) -> None:
        """Show the card if the first picture of a run, begun or named, takes long."""
        if not self.isVisible() and not self._patience.isActive():
            self._say(PREPARING)
            self._patience.start()

    def hold(self) -> None:
        """Stop the timer while the window builds: the wait counts from the next `begin`."""
        self._patience.stop()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Hide when there is a picture; show that kernels are compiled while they are."""
        if snapshot.status is Status.COMPILING:
            self._say(COMPILING)
        else:
            self.end()

    def end(self) -> None:
        """Hide: there is a picture, or there will be none."""
        self._patience.stop()
        self.hide()

    def sizeHint(self) -> QSize:
        """Reserve room for both lines, whatever the first one says."""
        first, second = self._fonts()
        widths = [self._width(first, text) for text in (PREPARING, COMPILING)]
        width = max(*widths, self._width(second, _WHY))
        height = self._height(first) + whole(4) + self._height(second)
        return QSize(width + 2 * whole(_MARGIN_X), height + 2 * whole(_MARGIN_Y))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink("strong_border"), 1))
        painter.setBrush(ink("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        first, second = self._fonts()
        inner = self.rect().adjusted(0, whole(_MARGIN_Y), 0, -whole(_MARGIN_Y))
        top = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        painter.setFont(first)
        painter.setPen(ink("text"))
        painter.drawText(inner, top, self._text)
        painter.setFont(second)
        painter.setPen(ink("muted"))
        painter.drawText(inner.adjusted(0, self._height(first) + whole(4), 0, 0), top, _WHY)
        painter.end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle, and above what is added to the area."""
        if event.type() == QEvent.Type.ChildAdded and self.isVisible():
            QTimer.singleShot(0, self, self.raise_)
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _on_impatient(self) -> None:
        self._place()
        self.raise_()
        self.show()
        self.shown.emit()

    def _say(self, text: str) -> None:
        self._text = text
        self.setAccessibleName(text)
        self.raise_()  # above what was added to the area since
        self.update()

    def _place(self) -> None:
        place = QRect(QPoint(0, 0), self.sizeHint())
        place.moveCenter(self._area.rect().center())
        self.setGeometry(place)

    def _fonts(self) -> tuple[QFont, QFont]:
        first = QFont(self.font())
        first.setPointSizeF(first.pointSizeF() * 1.2)
        first.setWeight(QFont.Weight.DemiBold)
        return first, self.font()

    @staticmethod
    def _width(font: QFont, text: str) -> int:
        return QFontMetrics(font).horizontalAdvance(text)

    @staticmethod
    def _height(font: QFont) -> int:
        return QFontMetrics(font).height()
