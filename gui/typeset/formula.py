r"""Typeset formulas: mathtext to outlines, drawn crisp at any scale and in the theme's colours.

Matplotlib does the typesetting (`gui.typeset.outline`), in a worker thread and only once the event
loop runs; until a formula is ready, and if it has an error, its plain Unicode form is drawn in its
place. The worker ends when it has nothing to do.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QGuiApplication,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.text.mathtext import plain_math
from gui.style.ink import ink
from gui.typeset.typesetter import Typesetter, default_path, typesetter

__all__ = [
    "FormulaLabel",
    "Typesetter",
    "default_path",
    "draw_formula",
    "em_of",
    "formula_size",
    "typesetter",
]

ENLARGED = 1.22
"""How much larger than the text around it a formula is: Computer Modern has small letters."""


def em_of(font: QFont) -> float:
    """Return the size in pixels at which mathtext goes with a font."""
    return QFontInfo(font).pixelSize() * ENLARGED


def formula_size(mathtext: str, font: QFont) -> QSize:
    """Return the size that `draw_formula` needs, with the present font."""
    made = typesetter().get(mathtext)
    if made is None:
        metrics = QFontMetricsF(font)
        width = metrics.horizontalAdvance(plain_math(mathtext))
        return QSize(int(width) + 2, int(metrics.height()) + 1)
    em = em_of(font)
    return QSize(int(made.width * em) + 2, int((made.ascent + made.descent) * em) + 2)


def draw_formula(
    painter: QPainter,
    box: QRectF,
    mathtext: str,
    font: QFont,
    color: QColor,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Draw a formula centred vertically in a box, made smaller where the box is too small."""
    made = typesetter().get(mathtext)
    painter.save()
    if made is None:
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(box, int(align | Qt.AlignmentFlag.AlignVCenter), plain_math(mathtext))
        painter.restore()
        return
    em = em_of(font)
    height = made.ascent + made.descent
    em = min(em, box.width() / max(made.width, 1e-6), box.height() / max(height, 1e-6))
    x = box.left()
    if align & Qt.AlignmentFlag.AlignRight:
        x = box.right() - made.width * em
    elif align & Qt.AlignmentFlag.AlignHCenter:
        x = box.center().x() - made.width * em / 2
    baseline = box.center().y() + (made.ascent - made.descent) * em / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(QPointF(x, round(baseline)))
    painter.scale(em, em)
    painter.fillPath(made.path, color)
    painter.restore()


class FormulaLabel(QWidget):
    """A label that shows one formula; its context menu copies the mathtext.

    Parameters
    ----------
    mathtext : str
        Without dollars.
    role : str
        Colour by role: ``"text"``, ``"muted"``, ``"accent"``, ``"bound"`` …
    scale : float
        Size relative to the widget's font.
    """

    def __init__(
        self,
        mathtext: str = "",
        parent: QWidget | None = None,
        *,
        role: str = "text",
        scale: float = 1.0,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        super().__init__(parent)
        self._mathtext = self._drawn = ""
        self._role = role
        self._scale = scale
        self._align = align
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        copy = QAction("Copy formula", self)
        copy.triggered.connect(self._on_copy)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        typesetter().ready.connect(self._on_ready)
        self.set_formula(mathtext)

    @property
    def formula(self) -> str:
        """The mathtext that is shown."""
        return self._mathtext

    def set_formula(self, mathtext: str) -> None:
        """Show another formula; the old one stays until the new one is typeset."""
        if mathtext == self._mathtext and mathtext:
            return
        self._mathtext = mathtext
        self.setAccessibleName(plain_math(mathtext))
        typesetter().get(mathtext)
        if not self._drawn or not mathtext or typesetter().is_settled(mathtext):
            self._draw(mathtext)

    def _draw(self, mathtext: str) -> None:
        self._drawn = mathtext
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the formula."""
        return formula_size(self._drawn, self._font()) if self._drawn else QSize(0, 0)

    def minimumSizeHint(self) -> QSize:
        """Return half the formula's size: a wide one shrinks to fit."""
        hint = self.sizeHint()
        return QSize(min(hint.width(), max(24, hint.width() // 2)), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the formula in the theme's colour."""
        if not self._drawn:
            return
        painter = QPainter(self)
        color = ink(self._role if self.isEnabled() else "muted")
        box = QRectF(self.rect()).adjusted(1, 0, -1, 0)
        draw_formula(painter, box, self._drawn, self._font(), color, self._align)
        painter.end()

    def _font(self) -> QFont:
        font = QFont(self.font())
        if self._scale != 1.0:
            font.setPixelSize(max(1, round(QFontInfo(font).pixelSize() * self._scale)))
        return font

    def _on_ready(self, mathtext: str) -> None:
        if mathtext == self._mathtext:
            self._draw(mathtext)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(f"${self._mathtext}$")
