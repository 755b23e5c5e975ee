"""The stability meter: sharpness over the largest that is stable, on a gauge with limit 1."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEasingCurve, QPointF, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from engine.core.outcome import Standing
from engine.text.mathtext import plain_math
from engine.text.numbers import short
from engine.theory.optimisers import OptimiserDescription, describe
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px, whole
from gui.typeset.formula import draw_formula, typesetter
from gui.widgets.controls import tint
from gui.widgets.words import SMALL, bold

FULL = 2.0
"""The gauge ends here; the limit 1 is in its middle."""
MOVE_MS = 180
_INKS = {"stable": "good", "unstable": "bad", "above the edge": "bad", "no minimum": "warning"}
_TIP = (
    "The sharpness S, at a minimum the largest eigenvalue of the Hessian, over the largest that is "
    "stable with {title}. Below 1 a run can stay at a minimum; above 1 it is driven away. "
    "{sentence}"
)
_TIP_ELSEWHERE = (
    " Here is no minimum: at a saddle the Hessian has other eigenvalues, below 0 or none but 0, "
    "and a push can lead away whatever S is."
)


class StabilityMeter(QWidget):
    """A horizontal gauge with the measured value as a bar and the predicted one as a mark."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measured: float | None = None
        self._predicted: float | None = None
        self._begun = True
        self._standing = Standing.AT_MINIMUM
        self._described = describe("gradient-descent")
        self._target = (0.0, 0.0, 0.0)
        self._shown = (0.0, 0.0, 0.0)
        self._from = (0.0, 0.0, 0.0)
        self._motion = QVariantAnimation(self)
        self._motion.setStartValue(0.0)
        self._motion.setEndValue(1.0)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.valueChanged.connect(self._on_moved)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        scaling.font(self, SMALL)
        typesetter().ready.connect(self._on_ready)
        self.show_values(None, None, (0.0, 0.0))

    @property
    def measured(self) -> float | None:
        """The measured value."""
        return self._measured

    @property
    def predicted(self) -> float | None:
        """The predicted value."""
        return self._predicted

    @property
    def verdict(self) -> str:
        """What the last steps say; an orbit that goes round a minimum is on both sides of 1.

        Only a minimum that the run has or nears is stable: elsewhere S is not what decides. No
        minimum is where the optimiser rests at none.
        """
        _, low, high = self._target
        if self._measured is None:
            return ""
        if not self._begun:
            return "at the start"
        if self._standing.is_elsewhere:
            return "no minimum"
        if low <= 1 < high:
            return "crossing 1"
        if not self._described.can_rest:
            return "above the edge" if self._measured > 1 else "below the edge"
        if self._measured > 1:
            return "unstable"
        return "stable" if self._standing.is_by_minimum else "below 1"

    def show_optimiser(self, described: OptimiserDescription) -> None:
        """Show the ratio of the optimiser in use, δS/2 for gradient descent."""
        if described is not self._described:
            self._described = described
            self._describe()
            self.update()

    def show_values(
        self,
        measured: float | None,
        predicted: float | None,
        spread: Sequence[float],
        begun: bool = True,
        standing: Standing = Standing.AT_MINIMUM,
    ) -> None:
        """Show the stability as measured and predicted, and its range in the last steps.

        Before a step was made (`begun` is False) the value says nothing of the run yet; `standing`
        says whether it is that of a minimum at all.
        """
        target = (measured or 0.0, spread[0], spread[1])
        shown = (self._measured, self._predicted, self._target, self._begun, self._standing)
        if (measured, predicted, target, begun, standing) == shown:
            return
        fresh = self._measured is None
        self._begun, self._standing = begun, standing
        self._measured, self._predicted = measured, predicted
        self._describe()
        if target != self._target:
            self._target, self._from = target, self._shown
            self._motion.stop()
            style = self.style()
            calm = style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, self)
            if fresh or not calm or not self.isVisible():
                self._shown = target
            else:
                self._motion.setDuration(MOVE_MS)
                self._motion.start()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size."""
        return QSize(whole(200), self.fontMetrics().height() * 3 + whole(33))

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(whole(140), self.sizeHint().height())

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop moving while nobody looks."""
        self._motion.stop()
        self._shown = self._target
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw title and value, gauge, scale and legend."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        self._paint_title(painter, QRectF(0, 0, self.width(), line + px(4)))
        self._paint_gauge(painter, QRectF(px(6), line + px(14), self.width() - px(12), px(8)))
        self._paint_scale(painter, line + px(27))
        self._paint_legend(painter, 2 * line + px(31))
        painter.end()

    def _role(self, value: float) -> str:
        """Choose the colour of a value: neither green nor red away from a minimum."""
        if self._standing.is_elsewhere:
            return "muted"
        return "bad" if value > 1 else "good"

    def _x(self, value: float) -> float:
        return px(6) + min(max(value, 0.0), FULL) / FULL * (self.width() - px(12))

    def _paint_title(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(ink("text"))
        painter.setFont(self.font())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, "Stability")
        start = self.fontMetrics().horizontalAdvance("Stability") + px(8)
        draw_formula(
            painter, box.adjusted(start, 0, 0, 0), self._described.ratio, self.font(), ink("muted")
        )
        if self._measured is not None:
            painter.setFont(bold(self.font()))
            painter.setPen(ink(_INKS.get(self.verdict, "text")))
            words = f"{short(self._measured, 4)}  {self.verdict}"
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words
            )
            painter.setFont(self.font())

    def _paint_gauge(self, painter: QPainter, box: QRectF) -> None:
        limit, (value, low, high) = self._x(1.0), self._shown
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint(0.12))
        painter.drawRoundedRect(box, px(4), px(4))
        painter.setClipRect(QRectF(limit, box.top(), box.right() - limit, box.height()))
        painter.setBrush(tint(0.13, "bad"))
        painter.drawRoundedRect(box, px(4), px(4))
        painter.setClipping(False)
        if self._measured is not None:
            if high > low:
                painter.setBrush(tint(0.35, self._role(high)))
                spread = QRectF(self._x(low), box.top(), self._x(high) - self._x(low), px(8))
                painter.drawRoundedRect(spread.adjusted(-px(2), 0, px(2), 0), px(4), px(4))
            bar = QRectF(
                box.left(), box.top() + px(1), max(self._x(value) - box.left(), px(6)), px(6)
            )
            painter.setBrush(ink(self._role(min(value, 1.0))))
            painter.drawRoundedRect(bar, px(3), px(3))
            if value > 1:
                painter.setClipRect(QRectF(limit, box.top(), box.width(), box.height()))
                painter.setBrush(ink(self._role(value)))
                painter.drawRoundedRect(bar, px(3), px(3))
                painter.setClipping(False)
        painter.setPen(QPen(ink("text"), px(1.5)))
        painter.drawLine(QPointF(limit, box.top() - px(4)), QPointF(limit, box.bottom() + px(4)))
        if self._predicted is not None:
            self._paint_mark(painter, QPointF(self._x(self._predicted), box.top() - px(1)), box)

    def _paint_mark(self, painter: QPainter, tip: QPointF, box: QRectF) -> None:
        """Draw the predicted value: a triangle from above and a hairline through the gauge."""
        painter.setPen(QPen(ink("bound"), px(1.5)))
        painter.drawLine(tip, QPointF(tip.x(), box.bottom() + px(1)))
        painter.setBrush(ink("bound"))
        offsets = ((0, 0), (-4, -6), (4, -6))
        painter.drawPolygon(QPolygonF([tip + QPointF(px(x), px(y)) for x, y in offsets]))

    def _paint_scale(self, painter: QPainter, top: float) -> None:
        painter.setPen(ink("muted"))
        for value, text in ((0.0, "0"), (1.0, "1"), (FULL, "2")):
            width = self.fontMetrics().horizontalAdvance(text)
            x = min(max(self._x(value) - width / 2, 0), self.width() - width)
            painter.drawText(QRectF(x, top, width + 1, px(16)), Qt.AlignmentFlag.AlignTop, text)
        self._paint_overflow(painter, top)

    def _paint_overflow(self, painter: QPainter, top: float) -> None:
        """Write that a value is beyond the end of the gauge."""
        if max(self._measured or 0.0, self._predicted or 0.0) > FULL:
            box = QRectF(self.width() - px(60), top, px(46), px(16))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, "beyond")

    def _paint_legend(self, painter: QPainter, top: float) -> None:
        metrics = self.fontMetrics()
        middle = top + metrics.height() / 2
        x = px(6)
        if self._measured is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink(self._role(self._measured)))
            painter.drawRoundedRect(QRectF(x, middle - px(3), px(12), px(6)), px(3), px(3))
            x = self._write(painter, x + px(17), top, "measured") + px(16)
        if self._predicted is not None:
            painter.setPen(QPen(ink("bound"), px(1.5)))
            painter.setBrush(ink("bound"))
            tip = QPointF(x + px(4), middle + px(4))
            offsets = ((0, 0), (-4, -6), (4, -6))
            painter.drawPolygon(QPolygonF([tip + QPointF(px(a), px(b)) for a, b in offsets]))
            self._write(painter, x + px(13), top, f"predicted {short(self._predicted, 4)}")

    def _write(self, painter: QPainter, x: float, top: float, text: str) -> float:
        metrics = self.fontMetrics()
        painter.setPen(ink("muted"))
        painter.drawText(QPointF(x, top + metrics.ascent()), text)
        return x + metrics.horizontalAdvance(text)

    def _describe(self) -> None:
        parts = [f"Stability, {plain_math(self._described.ratio)}, limit 1"]
        if self._measured is not None:
            parts.append(f"measured {short(self._measured, 6)}")
        if self._predicted is not None:
            parts.append(f"predicted {short(self._predicted, 6)}")
        if self._standing.is_elsewhere:
            parts.append("no minimum")
        self.setAccessibleName("; ".join(parts))
        tip = _TIP.format(title=self._described.title, sentence=self._described.sentence)
        self.setToolTip(tip + (_TIP_ELSEWHERE if self._standing.is_elsewhere else ""))

    def _on_moved(self, share: float) -> None:
        self._shown = (
            self._from[0] + (self._target[0] - self._from[0]) * share,
            self._from[1] + (self._target[1] - self._from[1]) * share,
            self._from[2] + (self._target[2] - self._from[2]) * share,
        )
        self.update()

    def _on_ready(self, mathtext: str) -> None:
        if mathtext == self._described.ratio:
            self.update()
