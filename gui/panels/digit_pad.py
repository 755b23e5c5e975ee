"""Draw a digit with the mouse and see what ten pairs of residual networks make of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.style import scaling
from gui.style.scaling import px, whole
from gui.style.theme import current_theme

SIDE = 280
"""Pixels of the drawing's own raster, ten for each of an MNIST image's."""
PEN = 22.0
INTERVAL_MS = 30
"""A drawing in progress is sent on no more often than this."""


class Canvas(QWidget):
    """A square sheet that the mouse draws on with the left button and erases on with the right."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Drawing of a digit")
        self.setToolTip("Draw a digit with the left button; the right button erases.")
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._image = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
        self._image.fill(0)
        self._last: QPointF | None = None

    def sizeHint(self) -> QSize:
        """Return a size with enough room to draw in."""
        return QSize(whole(220), whole(220))

    def minimumSizeHint(self) -> QSize:
        """Stay large enough to draw in."""
        return QSize(whole(140), whole(140))

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Keep the sheet a square."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Keep the sheet a square."""
        return width

    def ink(self) -> NDArray[np.float32]:
        """Return the drawing as ink from 0 to 1, shape (280, 280)."""
        data = np.frombuffer(self._image.constBits(), np.uint8)
        rows = data.reshape(SIDE, self._image.bytesPerLine())
        return np.asarray(rows[:, :SIDE], np.float32) / np.float32(255)

    def clear(self) -> None:
        """Wipe the sheet."""
        self._image.fill(0)
        self.update()
        self.changed.emit()

    def _sheet(self) -> QRectF:
        side = min(self.width(), self.height()) - 2
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def _on_sheet(self, event: QMouseEvent) -> QPointF:
        sheet = self._sheet()
        return (event.position() - sheet.topLeft()) * (SIDE / sheet.width())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke."""
        self._last = self._on_sheet(event)
        self._stroke(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the stroke."""
        if self._last is not None:
            self._stroke(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke."""
        self._last = None

    def _stroke(self, event: QMouseEvent) -> None:
        erases = bool(event.buttons() & Qt.MouseButton.RightButton)
        here = self._on_sheet(event)
        painter = QPainter(self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = Qt.GlobalColor.black if erases else Qt.GlobalColor.white
        painter.setPen(
            QPen(
                color,
                PEN * (2 if erases else 1),
                Qt.PenStyle.SolidLine,
                Qt.PenCapStyle.RoundCap,
                Qt.PenJoinStyle.RoundJoin,
            )
        )
        start = self._last if self._last is not None else here
        painter.drawLine(start, here + QPointF(0.01, 0.0))  # a click alone leaves a dot
        painter.end()
        self._last = here
        self.update()
        self.changed.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the sheet as ink on paper, or chalk on a board in a dark theme."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        sheet = self._sheet()
        shown = self._image.copy()
        if not theme.is_dark:
            shown.invertPixels()
        painter.drawImage(sheet, shown)
        painter.setPen(QPen(theme.color("strong_border"), 1))
        painter.drawRect(sheet)


class Answer(QWidget):
    """Ten rows: the convex part r to the right, the part s taken from it to the left, and r − s."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Answer of the ten pairs")
        self._parts: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None = (
            None
        )
        scaling.least(self, 180, 220)

    def show_parts(self, answer: Mapping[str, NDArray[np.floating]] | None) -> None:
        """Show `convex`, `concave` and `probabilities`, each of shape (10,), or nothing."""
        self._parts = (
            None
            if answer is None
            else tuple(  # type: ignore[assignment]
                np.asarray(answer[key], np.float64)
                for key in ("convex", "concave", "probabilities")
            )
        )
        if answer is None:
            self.setAccessibleDescription("")
        else:
            best = int(np.argmax(answer["probabilities"]))
            chance = float(answer["probabilities"][best])
            self.setAccessibleDescription(f"Digit {best} with probability {chance:.0%}")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ten rows."""
        theme, painter = current_theme(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetricsF(self.font())
        height, label, percent = self.height() / 10, metrics.horizontalAdvance("88"), px(44)
        left, right = label + px(6), self.width() - percent
        middle, half = (left + right) / 2, max((right - left) / 2 - 2, 1.0)
        best = -1 if self._parts is None else int(np.argmax(self._parts[2]))
        for digit in range(10):
            row = QRectF(0, digit * height, self.width(), height)
            if digit == best:
                painter.fillRect(row, theme.color("soft_accent"))
            painter.setPen(theme.color("text" if digit == best else "muted"))
            vertical = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(
                row.adjusted(px(4), 0, 0, 0), vertical | Qt.AlignmentFlag.AlignLeft, str(digit)
            )
            if self._parts is not None:
                self._bars(painter, row, digit, middle, half)
                text = f"{self._parts[2][digit]:.0%}"
                painter.setPen(theme.color("text" if digit == best else "muted"))
                painter.drawText(
                    row.adjusted(0, 0, -px(4), 0), vertical | Qt.AlignmentFlag.AlignRight, text
                )
        painter.setPen(QPen(theme.color("border"), 1))
        painter.drawLine(QPointF(middle, 0), QPointF(middle, self.height()))

    def _bars(self, painter: QPainter, row: QRectF, digit: int, middle: float, half: float) -> None:
        assert self._parts is not None
        theme, (convex, concave, _) = current_theme(), self._parts
        scale = half / max(float(np.abs(convex).max()), float(np.abs(concave).max()), 1e-9)
        thick = max(row.height() * 0.5, 3.0)
        top = row.center().y() - thick / 2
        painter.fillRect(QRectF(middle, top, convex[digit] * scale, thick), theme.color("1"))
        width = concave[digit] * scale
        painter.fillRect(QRectF(middle - width, top, width, thick), theme.color("2"))


class DigitPad(QWidget):
    """The sheet, the answer beside it, and a button to wipe the sheet.

    `drawn` is emitted with the ink, shape (280, 280), at most every 30 ms while the mouse draws.
    """

    drawn = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = Canvas()
        self.answer = Answer()
        clear = QPushButton("Clear")
        clear.setToolTip("Wipe the sheet")
        self._hint = QLabel("Draw a digit here.")
        self._hint.setWordWrap(True)
        self._hint.setProperty("role", "muted")
        self._timer = QTimer(self, singleShot=True, interval=INTERVAL_MS)
        self._timer.timeout.connect(self._on_due)
        self.canvas.changed.connect(self._on_changed)
        clear.clicked.connect(self.canvas.clear)
        above, below = QHBoxLayout(), QHBoxLayout()
        scaling.spacing(above, 12)
        above.addWidget(self.canvas, 1)
        above.addWidget(self.answer, 1)
        below.addWidget(self._hint, 1)
        below.addWidget(clear)
        layout = QVBoxLayout(self)
        scaling.margins(layout, 8, 8, 8, 8)
        scaling.spacing(layout, 8)
        layout.addLayout(above, 1)
        layout.addLayout(below)

    def show_answer(self, answer: Mapping[str, NDArray[np.floating]] | None) -> None:
        """Show what the networks say of the newest drawing."""
        self.answer.show_parts(answer)
        self._hint.setText(
            "Draw a digit here."
            if answer is None
            else "Right: the convex part r. Left: the part s taken from it."
        )

    def refresh(self) -> None:
        """Request a new answer for the drawing, because the networks changed."""
        if self.canvas.ink().any():
            self._on_changed()

    def _on_changed(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_due(self) -> None:
        ink = self.canvas.ink()
        if ink.any():
            self.drawn.emit(ink)
        else:
            self.show_answer(None)
