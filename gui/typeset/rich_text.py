r"""Texts on plots: mathtext to HTML that Qt draws, crisp and without Matplotlib.

``to_html(r"error $|w_i - \lambda^{1/L}|$")`` is
``error |<i>w</i><sub><i>i</i></sub> − <i>λ</i><sup>1/<i>L</i></sup>|``.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QStaticText, QTextOption

from engine.text import notation
from gui.typeset.text import plain_math, plain_text

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_]|[A-Za-zα-ωϑϕℓ]+|[^\\{}^_A-Za-zα-ωϑϕℓ]", re.DOTALL)
_UPRIGHT = {"mathrm", "text", "operatorname", "mathbf", "mathsf", "mathtt", "mathbb"}
_FONTS = {"mathit", "mathcal", "mathregular", "mathdefault", "boldsymbol"}
_MARKS = {"hat", "widehat", "bar", "overline", "tilde", "widetilde", "dot", "vec"}
_FRACTIONS = {"frac", "dfrac", "tfrac"}
_WORDS = {"max", "min", "log", "exp", "det", "sup", "inf", "quad", "qquad", "left", "right"}


def to_html(text: str) -> str:
    """Write a text with scripts, and mathtext between dollars, as HTML for Qt."""
    parts = text.split("$")
    if len(parts) % 2 == 0:  # a lone dollar is just that
        return notation.html(text)
    return "".join(
        math_html(part) if odd % 2 else notation.html(part) for odd, part in enumerate(parts)
    )


def to_plain(text: str) -> str:
    """Write a text with mathtext between dollars as plain Unicode."""
    return plain_text(text)


@lru_cache(maxsize=512)
def math_html(mathtext: str) -> str:
    """Write mathtext (without dollars) as HTML for Qt."""
    return _Reader(_TOKEN.findall(mathtext)).sequence().replace("</i><i>", "").strip()


def component_label(label: str, index: int) -> str:
    r"""Name one line of a series of many: ``$w_i$`` becomes ``$w_{3}$`` for index 2."""
    named, count = re.subn(r"_(?:i|\{i\})(?![A-Za-z])", f"_{{{index + 1}}}", label)
    return named if count else f"{label} #{index + 1}"


class _Reader:
    """A recursive-descent reader of mathtext tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._italic = True

    def sequence(self) -> str:
        out = ""
        while self._at < len(self._tokens) and self._tokens[self._at] != "}":
            out += self._item()
        return out

    def _argument(self, italic: bool | None = None) -> str:
        before = self._italic
        self._italic = before if italic is None else italic
        while self._peek() == " ":
            self._at += 1
        if self._peek() == "{":
            self._at += 1
            out = self.sequence()
            self._at += 1  # the closing brace, if there is one
        elif self._peek():
            out = self._letter_or_item()
        else:
            out = ""
        self._italic = before
        return out

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _letter_or_item(self) -> str:
        """Read one item; of a word only its first letter, as TeX does for ``x^ab``."""
        token = self._peek()
        if len(token) > 1 and not token.startswith("\\"):
            self._tokens[self._at] = token[1:]
            return self._styled(token[0])
        return self._item()

    def _item(self) -> str:
        token = self._peek()
        if token == "{":
            return self._argument()
        self._at += 1
        if token == "^":
            return f"<sup>{self._argument()}</sup>"
        if token == "_":
            return f"<sub>{self._argument()}</sub>"
        if token.startswith("\\"):
            return self._command(token)
        if token[0].isalpha():
            return self._styled(token)
        return html.escape("−" if token == "-" else token, quote=False)

    def _command(self, token: str) -> str:
        name = token[1:]
        if name in _FRACTIONS:
            return f"{_bracketed(self._argument())}/{_bracketed(self._argument())}"
        if name == "sqrt":
            return "√" + _bracketed(self._argument())
        if name in _UPRIGHT:
            return self._argument(italic=False)
        if name in _FONTS:
            return self._argument()
        if name in _MARKS:
            inner = re.sub(r"<[^>]*>", "", self._argument())
            marked = plain_math(f"\\{name}{{{html.unescape(inner)}}}")
            return self._styled(unicodedata.normalize("NFC", marked))
        sign = plain_math(token) or (" " if token in (r"\ ", r"\,", r"\;", r"\quad") else "")
        if name in _WORDS or not sign[:1].isalpha() or sign.isupper():
            return html.escape(sign, quote=False)
        if self._peek() == " ":
            self._at += 1  # it only ended the command
        return self._styled(sign)

    def _styled(self, letters: str) -> str:
        text = html.escape(letters, quote=False)
        return f"<i>{text}</i>" if self._italic else text


def _bracketed(text: str) -> str:
    shown = re.sub(r"<[^>]*>", "", text)
    return text if len(shown) <= 1 or shown.isdigit() else f"({text})"


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
