"""A sentence whose formulas are typeset, wrapped to the width there is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QSize
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.text.mathtext import plain_math, to_plain
from gui.style.ink import ink
from gui.style.scaling import px, whole

if TYPE_CHECKING:
    from gui.typeset.typesetter import Typeset

_FORMULA = re.compile(r"\$([^$]+)\$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: letters as they are, or mathtext."""

    text: str
    is_formula: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece with its place on a line: pixels from the left, number of the line."""

    piece: Piece
    x: float
    line: int


def words_of(text: str) -> tuple[tuple[Piece, ...], ...]:
    """Split a sentence into words, between which a line may end; formulas stay in one piece."""
    words: list[list[Piece]] = [[]]
    for index, part in enumerate(_FORMULA.split(text)):
        if index % 2:
            words[-1].append(Piece(part, True))
            continue
        first, *others = re.split(r"[ \n]+", part)
        if first:
            words[-1].append(Piece(first, False))
        for other in others:
            words.append([Piece(other, False)] if other else [])
    return tuple(tuple(word) for word in words if word)


class Sentence(QWidget):
    """Shows a text with mathtext between dollars; what is not typeset yet is shown in letters.

    Parameters
    ----------
    role : str
        Colour by role.
    """

    def __init__(self, role: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = role
        self._text = ""
        self._words: tuple[tuple[Piece, ...], ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._is_listening = False

    @property
    def text(self) -> str:
        """The text, with its mathtext."""
        return self._text

    @property
    def formulas(self) -> tuple[str, ...]:
        """The mathtext in the text."""
        pieces = (piece for word in self._words for piece in word)
        return tuple(piece.text for piece in pieces if piece.is_formula)

    def say(self, text: str) -> None:
        """Show another text."""
        if text == self._text:
            return
        self._text, self._words = text, words_of(text)
        self.setAccessibleName(to_plain(text))
        for formula in self.formulas:
            _made(formula)
        if self.formulas and not self._is_listening:
            from gui.typeset.typesetter import typesetter

            self._is_listening = True
            typesetter().ready.connect(self._on_ready)
        self._fit()

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Return True: the height depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of all lines."""
        placed = self.lay_out(width)
        return round(self._line_height * (placed[-1].line + 1)) + whole(2) if placed else 0

    def sizeHint(self) -> QSize:
        """Return the size on few lines."""
        width = min(whole(720), max(self.width(), whole(240)))
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Take any width."""
        return QSize(whole(80), 0)

    def lay_out(self, width: float) -> tuple[Placed, ...]:
        """Place all pieces in lines of a width."""
        font = self.font()
        space = QFontMetricsF(font).horizontalAdvance(" ")
        x, line = 0.0, 0
        placed: list[Placed] = []
        for word in self._words:
            widths = [_width_of(piece, font) for piece in word]
            if x > 0 and x + sum(widths) > width:
                x, line = 0.0, line + 1
            for piece, wide in zip(word, widths, strict=True):
                placed.append(Placed(piece, x, line))
                x += wide
            x += space
        return tuple(placed)

    @property
    def _line_height(self) -> float:
        return QFontMetricsF(self.font()).height() + px(3)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw letters and formulas on common baselines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, color = QFontMetricsF(self.font()), ink(self._role)
        for item in self.lay_out(self.width()):
            at = QPointF(item.x, px(1) + item.line * self._line_height + metrics.ascent())
            made = _made(item.piece.text) if item.piece.is_formula else None
            if made is None:
                painter.setPen(color)
                painter.drawText(at, _letters(item.piece))
                continue
            em = _em_of(self.font())
            painter.save()
            painter.translate(at.x(), round(at.y()))
            painter.scale(em, em)
            painter.fillPath(made.path, color)
            painter.restore()
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the height that goes with another width."""
        super().resizeEvent(event)
        if event.oldSize().width() != self.width():
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Take the height that goes with another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        """Claim the height of all lines: plots would else take that of the last."""
        self.setMinimumHeight(self.heightForWidth(max(self.width(), whole(80))))
        self.updateGeometry()
        self.update()

    def _on_ready(self, mathtext: str) -> None:
        if mathtext in self.formulas:
            self._fit()


def _made(mathtext: str) -> Typeset | None:
    """Return a formula as it is drawn, None while it is being typeset."""
    from gui.typeset.typesetter import typesetter  # what it needs takes longer than the window

    return typesetter().get(mathtext)


def _em_of(font: QFont) -> float:
    from gui.typeset.formula import em_of

    return em_of(font)


def _letters(piece: Piece) -> str:
    return plain_math(piece.text) if piece.is_formula else piece.text


def _width_of(piece: Piece, font: QFont) -> float:
    made = _made(piece.text) if piece.is_formula else None
    if made is not None:
        return made.width * _em_of(font)
    return QFontMetricsF(font).horizontalAdvance(_letters(piece))
