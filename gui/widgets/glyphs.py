"""Badges and lamps of the theory panel: a shape and a word for everything that has a colour."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.core.claims import Lamp, Verdict
from engine.core.outcome import OutcomeKind, Standing
from engine.text.mathtext import to_plain
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px, whole
from gui.widgets.controls import tint
from gui.widgets.labels import InkLabel

OUTCOMES: dict[OutcomeKind, tuple[str, str]] = {
    OutcomeKind.CONVERGED: ("good", "check"),
    OutcomeKind.CONVERGING: ("good", "fall"),
    OutcomeKind.OSCILLATING: ("accent", "wave"),
    OutcomeKind.APERIODIC: ("bound", "scatter"),
    OutcomeKind.DIVERGED: ("bad", "rise"),
    OutcomeKind.MAX_STEPS: ("muted", "dash"),
    OutcomeKind.FAILED: ("bad", "cross"),
    OutcomeKind.CANCELLED: ("muted", "dash"),
}
"""Colour and shape of a phase."""
STANDINGS: dict[Standing, tuple[str, str]] = {
    Standing.SETTLING: ("muted", "fall"),
    Standing.AT_UNSTABLE_MINIMUM: ("warning", "warning"),
    Standing.NEARING_SADDLE: ("warning", "fall"),
    Standing.AT_SADDLE: ("warning", "warning"),
    Standing.AT_NO_MINIMUM: ("warning", "warning"),
}
"""Colour and shape where a run rests or comes to rest, but not as was sought, whatever its kind."""
VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.HOLDS: ("good", "check"),
    Verdict.VIOLATED: ("bad", "cross"),
    Verdict.NOT_APPLICABLE: ("muted", "dash"),
    Verdict.UNDECIDED: ("accent", "question"),
}
LAMPS: dict[bool | None, tuple[str, str, str]] = {
    True: ("good", "check", "holds"),
    False: ("bad", "cross", "does not hold"),
    None: ("muted", "question", "unknown"),
}
"""Colour, shape and words of an assumption."""


def _line(*points: tuple[float, float]) -> Callable[[QPainter], None]:
    def draw(painter: QPainter) -> None:
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))

    return draw


def _dots(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    for x, y in ((-3.2, 1.8), (-1.0, -2.8), (1.4, 2.6), (3.4, -1.2)):
        painter.drawEllipse(QPointF(x, y), 0.5, 0.5)


def _question(painter: QPainter) -> None:
    arc = [
        (2.0 * math.cos(a), -1.6 + 2.0 * math.sin(a))
        for a in [math.radians(degrees) for degrees in range(-180, 91, 30)]
    ]
    _line(*arc, (0.0, 1.4))(painter)
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(0.0, 3.6), 0.35, 0.35)


def _mark(painter: QPainter) -> None:
    pen = painter.pen()
    pen.setWidthF(1.3)
    painter.setPen(pen)
    painter.drawLine(QPointF(0.0, -1.0), QPointF(0.0, 0.9))
    painter.drawPoint(QPointF(0.0, 2.4))


_SHAPES: dict[str, tuple[Callable[[QPainter], None], ...]] = {
    "check": (_line((-3.2, 0.2), (-0.9, 2.6), (3.3, -2.4)),),
    "cross": (_line((-2.5, -2.5), (2.5, 2.5)), _line((-2.5, 2.5), (2.5, -2.5))),
    "dash": (_line((-2.8, 0.0), (2.8, 0.0)),),
    "question": (_question,),
    "fall": (_line((-3.5, -3.0), (-1.8, 0.8), (0.4, 2.3), (3.6, 2.8)),),
    "rise": (_line((-3.6, 2.8), (-0.4, 2.3), (1.8, 0.6), (3.4, -3.4)),),
    "wave": (_line((-4.0, 0.0), (-2.4, -2.8), (0.0, 2.8), (2.4, -2.8), (4.0, 0.0)),),
    "scatter": (_dots,),
    "warning": (_line((0.0, -3.8), (4.2, 3.6), (-4.2, 3.6), (0.0, -3.8)), _mark),
}


def draw_glyph(
    painter: QPainter, center: QPointF, name: str, color: QColor, size: float = 10.0
) -> None:
    """Draw a small shape around a point, its size given at a scale of 1."""
    painter.save()
    painter.translate(center)
    painter.scale(px(size / 10), px(size / 10))
    pen = QPen(color, 1.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for draw in _SHAPES[name]:
        draw(painter)
    painter.restore()


class Badge(InkLabel):
    """A word in a tinted pill, after a shape; many words wrap where there is no room for them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "muted", parent)
        self._glyph = "dash"
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        self.setFont(font)
        scaling.margins(self, 22, 2, 9, 3)
        policy = QSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def sizeHint(self) -> QSize:
        """Return the size of the words on one line."""
        margins = self.contentsMargins()
        metrics = self.fontMetrics()
        width = metrics.horizontalAdvance(self.text()) + margins.left() + margins.right() + 2
        return QSize(width, metrics.height() + margins.top() + margins.bottom())

    def minimumSizeHint(self) -> QSize:
        """Return a size at which words wrap, but none is cut."""
        hint, words = self.sizeHint(), self.text().split()
        metrics = self.fontMetrics()
        longest = max((metrics.horizontalAdvance(word) for word in words), default=0)
        return QSize(hint.width() - metrics.horizontalAdvance(self.text()) + longest, hint.height())

    @property
    def glyph(self) -> str:
        """Name of the shape."""
        return self._glyph

    def show_word(self, word: str, role: str, glyph: str) -> None:
        """Show a word with its colour and shape."""
        if (word, role, glyph) == (self.text(), self.role, self._glyph):
            return
        self._glyph = glyph
        self.set_role(role)
        self.setText(word)
        self.setAccessibleName(word)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pill and the shape under the text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint(0.13, self.role))
        middle = self.sizeHint().height() / 2  # of the first line
        painter.drawRoundedRect(box, middle, middle)
        draw_glyph(painter, QPointF(px(13), middle), self._glyph, ink(self.role))
        painter.end()
        super().paintEvent(event)


class LampDot(QWidget):
    """The lamp of one assumption: green with a tick, red with a cross, or a grey ring."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._on: bool | None = None
        scaling.fixed(self, 16, 18)

    def show_lamp(self, lamp: Lamp) -> None:
        """Show an assumption."""
        if lamp.on != self._on or not self.accessibleName():
            self._on = lamp.on
            self.update()
        words = LAMPS[lamp.on][2]
        self.setAccessibleName(f"{to_plain(lamp.name)}: {words}")
        self.setToolTip(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lamp."""
        painter = QPainter(self)
        draw_lamp(painter, QPointF(px(8), self.height() / 2), self._on)
        painter.end()


def draw_lamp(painter: QPainter, center: QPointF, on: bool | None) -> None:
    """Draw a lamp around a point, 14 pixels wide."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    role, glyph, _ = LAMPS[on]
    painter.setPen(QPen(ink(role), px(1.2)) if on is None else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush if on is None else ink(role))
    painter.drawEllipse(center, px(6.5), px(6.5))
    draw_glyph(painter, center, glyph, ink(role) if on is None else ink("surface"), 8.0)


class LampRow(QWidget):
    """The lamps of a folded claim, without words."""

    _STEP = 17

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lamps: tuple[bool | None, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_lamps(self, lamps: Sequence[Lamp]) -> None:
        """Show assumptions."""
        states = tuple(lamp.on for lamp in lamps)
        lit = sum(state is True for state in states)
        self.setAccessibleName(f"{lit} of {len(states)} assumptions hold")
        tip = "\n".join(f"{to_plain(lamp.name)}: {LAMPS[lamp.on][2]}" for lamp in lamps)
        if tip != self.toolTip():
            self.setToolTip(tip)
        if states != self._lamps:
            relaid = len(states) != len(self._lamps)
            self._lamps = states
            if relaid:
                self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Reserve room for all lamps."""
        return QSize(whole(self._STEP) * len(self._lamps), whole(18))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lamps side by side."""
        painter = QPainter(self)
        for index, on in enumerate(self._lamps):
            draw_lamp(painter, QPointF(px(8) + whole(self._STEP) * index, self.height() / 2), on)
        painter.end()
