"""Texts with mathematics that Qt draws: laid out once, crisp and without Matplotlib."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QStaticText, QTextOption

from engine.text.mathtext import to_html, to_plain


class Label:
    """A typeset text that is laid out once and drawn many times.

    Parameters
    ----------
    text : str
        May hold mathtext between dollars.
    font : QFont
        Its font; scripts are two thirds of it.
    """

    def __init__(self, text: str, font: QFont) -> None:
        self.font = font
        markup = to_html(text)
        self._static = QStaticText(markup)
        rich = Qt.TextFormat.RichText if "<" in markup or "&" in markup else Qt.TextFormat.PlainText
        self._static.setTextFormat(rich)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        self._static.setTextOption(option)
        self._static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        self._static.prepare(font=font)

    @property
    def size(self) -> QSizeF:
        """Width and height when drawn."""
        return self._static.size()

    def draw(self, painter: QPainter, at: QPointF, color: QColor) -> None:
        """Draw with the upper left corner at a point."""
        painter.setFont(self.font)
        painter.setPen(color)
        painter.drawStaticText(at, self._static)


@lru_cache(maxsize=1024)
def _cached_label(text: str, key: str) -> Label:
    font = QFont()
    font.fromString(key)
    return Label(text, font)


def fitting_label(text: str, font: QFont, width: float) -> Label:
    """Return a laid-out text that is not wider than asked: in plain letters with … if need be."""
    typeset = label(text, font)
    if typeset.size.width() <= width:
        return typeset
    plain = to_plain(text)
    return label(QFontMetricsF(font).elidedText(plain, Qt.TextElideMode.ElideRight, width), font)


def label(text: str, font: QFont) -> Label:
    """Return a laid-out text, from a cache of those drawn lately."""
    return _cached_label(text, font.toString())
