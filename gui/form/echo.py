"""What was typed as it is set in print: a function below its field, term by term."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QColor,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.core.errors import InputError
from engine.expressions.grammar import read_tree
from engine.expressions.typeset import to_mathtext
from engine.text.mathtext import plain_math
from gui.style.ink import ink
from gui.style.scaling import whole
from gui.typeset.formula import draw_formula, formula_size, typesetter
from gui.widgets.controls import QuietScrollArea

MOST_LETTERS = 1500
"""Letters of mathtext that are set; matplotlib is slow with more."""
MOST_HEIGHT = 128
"""Pixels, at a scale of 1, after which the formula scrolls."""
REST_MS = 120
"""Rest in typing after which a formula is typeset, so that the first picture of a run comes first:
matplotlib keeps Python's lock meanwhile."""
PATIENCE_MS = 300
"""How long the last formula then stands for one that is not yet typeset."""
LEAST_SCALE = 0.62
"""Size that a wide term shrinks to; one that is wider still scrolls sideways."""
_GAP, _LINE, _EDGE = 5, 4, 3
"""Pixels between terms of a line, between lines, and above and below all."""
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)


def terms_of(mathtext: str) -> tuple[str, ...]:
    r"""Split a sum into its terms, the signs in front of them.

    >>> terms_of(r"x^{2} + \frac{a + b}{2} - |y - 1|")
    ('x^{2}', '+\\;\\frac{a + b}{2}', '-\\;|y - 1|')
    """
    terms, term, depth, bars = [], "", 0, 0
    tokens = _TOKEN.findall(mathtext)
    for i, token in enumerate(tokens):
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(token, 0)
        bars ^= token == "|"
        between = 0 < i < len(tokens) - 1 and tokens[i - 1] == tokens[i + 1] == " "
        if token in "+-" and between and depth == 0 and not bars:
            terms.append(_trimmed(term))
            term = token + r"\;"
        else:
            term += token
    return (*terms, _trimmed(term))


def _trimmed(term: str) -> str:
    return re.sub(r"^([+-]\\;)\s+", r"\1", term.strip())


@dataclass(frozen=True, slots=True)
class _Placed:
    """A term with its place on the page."""

    term: str
    box: QRectF


class _Page(QWidget):
    """Draws terms in lines."""

    def __init__(self) -> None:
        super().__init__()
        self.terms: tuple[str, ...] = ()
        self.words = ""
        self.is_old = False
        self._placed: list[_Placed] = []

    def lay_out(self, width: int) -> QSize:
        """Place the terms in lines of a width; returns the size that they need."""
        self._placed = []
        waiting: list[tuple[str, QSize]] = []
        x, y, widest = 0, whole(_EDGE), 0
        for term in self.terms:
            size = formula_size(term, self.font())
            if size.width() > width:
                scale = max(LEAST_SCALE, width / size.width())
                size = QSize(int(size.width() * scale), int(size.height() * scale))
            if waiting and x + size.width() > width:
                y = self._set(waiting, y)
                waiting, x = [], 0
            waiting.append((term, size))
            widest = max(widest, x + size.width())
            x += size.width() + whole(_GAP)
        y = self._set(waiting, y)
        if self.words:
            return QSize(1, self.fontMetrics().height() + 2 * whole(_EDGE))
        return QSize(max(widest, 1), y - whole(_LINE) + whole(_EDGE))

    def _set(self, line: list[tuple[str, QSize]], y: int) -> int:
        """Place a line at a height; returns that of the next."""
        height = max((size.height() for _, size in line), default=0)
        x = 0
        for term, size in line:
            box = QRectF(x, y + (height - size.height()) / 2, size.width(), size.height())
            self._placed.append(_Placed(term, box))
            x += size.width() + whole(_GAP)
        return y + height + whole(_LINE) if line else y

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the terms, faintly where they are not those of the text as it stands."""
        painter = QPainter(self)
        color = QColor(ink("text"))
        if self.is_old:
            color.setAlphaF(0.38)
        if self.words:
            painter.setPen(ink("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, self.words)
        for placed in self._placed:
            draw_formula(painter, placed.box, placed.term, self.font(), color)
        painter.end()


class Echo(QuietScrollArea):
    """A typed function as a formula; what is too wide or too high scrolls.

    While a text is no function the last that was one stays, faint.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(40)
        self._mathtext = ""
        self._next: tuple[str, ...] = ()
        self._rest, self._late = QTimer(self), QTimer(self)
        for timer, wait in ((self._rest, REST_MS), (self._late, PATIENCE_MS)):
            timer.setSingleShot(True)
            timer.setInterval(wait)
        self._rest.timeout.connect(self._ask)
        self._late.timeout.connect(self._set)
        self._page = _Page()
        self.setWidget(self._page)
        copy = QAction("Copy formula", self)
        copy.triggered.connect(self._on_copy)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        typesetter().ready.connect(self._on_ready)
        self._fit()

    @property
    def formula(self) -> str:
        """The mathtext of the last text that was a function."""
        return self._mathtext

    @property
    def is_old(self) -> bool:
        """Whether the formula is not that of the text as it stands."""
        return self._page.is_old

    def show_text(self, text: str) -> None:
        """Show a text; one that cannot be read leaves the last formula, faint."""
        try:
            mathtext = to_mathtext(read_tree(text, most_characters=MOST_LETTERS))
        except InputError:
            too_long = len(text) > MOST_LETTERS
            self._page.is_old = not too_long
            if too_long:
                self._show("")
            self._page.update()
            return
        self._page.is_old = False
        self._show(mathtext if len(mathtext) <= MOST_LETTERS else "")
        self._page.update()

    def sizeHint(self) -> QSize:
        """Return the present height, and a width that no long formula makes greater."""
        return QSize(120, self.height())

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(40, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines anew."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Break the lines anew for another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:  # as with another scale of the interface
            self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the form where there is nothing to scroll."""
        bars = self.verticalScrollBar(), self.horizontalScrollBar()
        if any(bar.maximum() > 0 for bar in bars):
            super().wheelEvent(event)
        else:
            event.ignore()

    def _show(self, mathtext: str) -> None:
        """Show a formula when its terms are typeset, or in plain letters if that takes long."""
        self._mathtext = mathtext
        self._page.words = "" if mathtext else "Too long to be typeset."
        self._page.setAccessibleName(plain_math(mathtext))
        self._next = terms_of(mathtext) if mathtext else ()
        if not self._page.terms or self._is_settled():
            self._ask()
            self._set()
        else:
            self._rest.start()

    def _ask(self) -> None:
        """Request the terms from the typesetter, and show plain letters if it takes long."""
        for term in self._next:
            typesetter().get(term)
        if not self._is_settled():
            self._late.start()

    def _is_settled(self) -> bool:
        return all(map(typesetter().is_settled, self._next))

    def _set(self) -> None:
        self._rest.stop()
        self._late.stop()
        self._page.terms = self._next
        self._fit()

    def _on_ready(self, mathtext: str) -> None:
        if mathtext in self._next and (self._is_settled() or self._page.terms == self._next):
            self._set()

    def _fit(self) -> None:
        """Be as high as the formula, up to a height."""
        width = max(self.viewport().width(), 40)
        needed = self._page.lay_out(width)
        most = whole(MOST_HEIGHT)
        if needed.height() > most:  # a scroll bar takes room
            width = max(self.width() - self.verticalScrollBar().sizeHint().width() - 2, 40)
            needed = self._page.lay_out(width)
        self._page.resize(max(needed.width(), width), needed.height())
        self._page.move(QPoint(0, 0))
        self._page.update()
        wide = needed.width() > width
        bar = self.horizontalScrollBar().sizeHint().height() if wide else 0
        height = min(needed.height(), most) + bar + 2
        if height != self.maximumHeight():
            self.setFixedHeight(height)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(f"${self._mathtext}$")
