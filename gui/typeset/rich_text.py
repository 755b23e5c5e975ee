"""Texts with mathematics that Qt draws: laid out once, crisp and without Matplotlib."""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QStaticText,
    QTextOption,
)

from engine.text.mathtext import to_html, to_plain

HAT = "\u0302"
"""The circumflex that combines with the letter before it."""
HAT_WIDTH, HAT_HEIGHT, HAT_GAP, HAT_LINE = 0.34, 0.14, 0.12, 0.08
"""Sizes of a drawn circumflex and its distance from the letter, in heights of a capital."""


class Label:
    """A typeset text that is laid out once and drawn many times.

    Circumflexes are drawn by it, clear of their letters: few fonts have a place for one over f.

    Parameters
    ----------
    text : str
        May hold mathtext between dollars.
    font : QFont
        Its font; scripts are two thirds of it.
    """

    def __init__(self, text: str, font: QFont) -> None:
        self.font = font
        markup = _with_loose_hats(to_html(text))
        self._static = _laid_out(markup.replace(HAT, ""), font)
        self._hats = _hats(markup, font) if HAT in markup else None

    @property
    def size(self) -> QSizeF:
        """Width and height when drawn."""
        return self._static.size()

    @property
    def hats(self) -> QRectF:
        """What the circumflexes take of it, empty where there are none."""
        return QRectF() if self._hats is None else self._hats.boundingRect()

    def draw(self, painter: QPainter, at: QPointF, color: QColor) -> None:
        """Draw with the upper left corner at a point."""
        painter.setFont(self.font)
        painter.setPen(color)
        painter.drawStaticText(at, self._static)
        if self._hats is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, HAT_LINE * QFontMetricsF(self.font).capHeight()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._hats.translated(at))
        painter.restore()


def _with_loose_hats(markup: str) -> str:
    """Return a text in which every circumflex is a character of its own."""
    parted = (unicodedata.normalize("NFD", character) for character in markup)
    return "".join(new if new[1:] == HAT else old for old, new in zip(markup, parted, strict=True))


def _laid_out(markup: str, font: QFont) -> QStaticText:
    made = QStaticText(markup)
    rich = Qt.TextFormat.RichText if "<" in markup or "&" in markup else Qt.TextFormat.PlainText
    made.setTextFormat(rich)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    made.setTextOption(option)
    made.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
    made.prepare(font=font)
    return made


def _hats(markup: str, font: QFont) -> QPainterPath:
    """Return the circumflexes of a text whose letters begin at the origin."""
    slanted = QFont(font)
    slanted.setItalic(True)
    metrics, path = QFontMetricsF(slanted), QPainterPath()
    unit, baseline = metrics.capHeight(), QFontMetricsF(font).ascent()
    for index in (i for i, character in enumerate(markup) if character == HAT and i):
        letter, before = markup[index - 1], markup[: index - 1].replace(HAT, "")
        start = _laid_out(f"{before}\u200b", font).size().width()
        ink = metrics.tightBoundingRect(letter)
        # Letters end at whole pixels where glyphs are hinted, one higher than their outlines may.
        gap = max(HAT_GAP * unit, 1.0) + 0.8
        middle, foot = start + ink.center().x(), baseline + math.floor(ink.top()) - gap
        middle += ink.height() * 0.1  # upright above the stem of a slanted letter
        path.moveTo(middle - HAT_WIDTH * unit / 2, foot)
        path.lineTo(middle, foot - HAT_HEIGHT * unit)
        path.lineTo(middle + HAT_WIDTH * unit / 2, foot)
    return path


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
