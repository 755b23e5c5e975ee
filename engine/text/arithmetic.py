"""Read numbers as people type them: ``1 382``, ``1,5k``, ``2/3``, ``1.1 δ_max``, ``2*10^-3``.

A recursive-descent reader of sums, products and powers in exact fractions; nothing is executed.

    sum     = product {("+" | "-") product}
    product = signed {("*" | "/") signed | power}
    signed  = {"+" | "-"} power
    power   = atom ["^" signed | raised digits]
    atom    = number [suffix] | name | "(" sum ")"

Two factors side by side are a product: ``2/3 δ_c`` is (2/3)·δ_c. Suffixes are k, M, G and T.
The decimal sign is a point or a comma. Thousands may stand apart (by spaces, apostrophes, commas
or points) in groups of three. ``1,382`` is 1382 where a whole number is asked for; elsewhere it
could as well be 1.382, and is refused.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from engine.text.scripts import exponent_of

LONGEST = 1000
"""Characters that a number may have."""
DEEPEST = 50
"""Brackets, signs and powers within one another that a number may have."""
_BITS = 4096
"""Size of the numerators and denominators that are reckoned with."""
_LARGEST_EXPONENT = 400
"""Exponents of ten beyond this are out of any float's range."""

_SUFFIXES = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SPACES = "\u00a0\u2009\u202f\u2007 "
_SIGNS = str.maketrans("−–×·⋅÷’" + _SPACES, "--***/'" + " " * len(_SPACES))
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TOKEN = re.compile(
    r" *(?:"
    r"(?P<number>(?:[0-9](?:[0-9.,'_ ]*[0-9])?\.?|[.,][0-9]+)(?P<exponent>[eE][+-]?[0-9]+)?)"
    r"(?: ?(?P<suffix>[kMGT])(?!\w))?"
    r"|(?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
    r"|(?P<name>[^\W\d_][^\W⁰¹²³⁴⁵⁶⁷⁸⁹]*)"
    r"|(?P<sign>\*\*|[-+*/^()])"
    r")"
)


class NumberError(ValueError):
    """A text that is no number.

    Attributes
    ----------
    hint : str
        What to write instead, as the end of a sentence; empty where nothing more is known than
        that a number is asked for.
    """

    def __init__(self, hint: str = "") -> None:
        super().__init__(hint or "not a number")
        self.hint = hint


def read_number(text: str, names: Mapping[str, float] | None = None) -> float:
    """Return the finite number that a text stands for.

    Parameters
    ----------
    text : str
        As typed.
    names : mapping, optional
        Values of the names that may occur, with any spelling that `name_key` makes the same.

    Raises
    ------
    NumberError
        If it stands for none, or for more than one.
    """
    if len(text) <= LONGEST and _PLAIN.fullmatch(text.strip()):
        value = float(text)
    else:
        try:
            value = float(_evaluate(text, names or {}, whole=False))
        except OverflowError:
            raise NumberError from None
    if not math.isfinite(value):
        raise NumberError
    return value


def read_whole(text: str, names: Mapping[str, float] | None = None) -> int:
    """Return the whole number that a text stands for, of any size up to a thousand digits.

    Raises
    ------
    NumberError
        If it stands for none.
    """
    value = _evaluate(text, names or {}, whole=True)
    if value.denominator != 1:
        raise NumberError
    return value.numerator


def names_in(text: str) -> frozenset[str]:
    """Return the keys of the names that occur in a text (see `name_key`); none if it is unfit."""
    try:
        return frozenset(name_key(token.text) for token in _tokens(text) if token.kind == "name")
    except NumberError:
        return frozenset()


def name_key(name: str) -> str:
    """Return what spellings of a name have in common: ``δₘₐₓ``, ``δ_max``, ``delta_max``."""
    letters = unicodedata.normalize("NFKC", name)
    return "".join(_spelled(letter) for letter in letters if letter.isalnum())


def _spelled(letter: str) -> str:
    """Return the name of a Greek letter, or the letter itself."""
    words = unicodedata.name(letter, "").split()
    if words[:1] != ["GREEK"] or "LETTER" not in words:
        return letter
    word = words[words.index("LETTER") + 1].lower().replace("lamda", "lambda")
    return word.capitalize() if letter.isupper() else word


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    exponent: str = ""
    suffix: str = ""


def _tokens(text: str) -> list[_Token]:
    if len(text) > LONGEST:
        raise NumberError(f"give at most {LONGEST} characters")
    text = text.translate(_SIGNS).strip()
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise NumberError
        kind = next(key for key in ("number", "name", "raised", "sign") if match[key])
        exponent = match["exponent"] or ""
        body = match[kind].removesuffix(exponent) if exponent else match[kind]
        found.append(_Token(kind, body, exponent, match["suffix"] or ""))
        at = match.end()
    return found


def _evaluate(text: str, names: Mapping[str, float], *, whole: bool) -> Fraction:
    reader = _Reader(_tokens(text), names, whole)
    value = reader.sum()
    if reader.peek() is not None:
        raise NumberError
    return value


class _Reader:
    """A recursive-descent reader of the grammar above."""

    def __init__(self, tokens: list[_Token], names: Mapping[str, float], whole: bool) -> None:
        self._tokens = tokens
        self._names = {name_key(name): value for name, value in names.items()}
        self._known = {name_key(name): name for name in reversed(list(names))}
        self._whole = whole
        self._at = 0
        self._depth = 0

    def peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _takes(self, *signs: str) -> str:
        """Return the sign that comes next and go beyond it, or an empty text."""
        token = self.peek()
        if token is None or token.kind != "sign" or token.text not in signs:
            return ""
        self._at += 1
        return token.text

    def sum(self) -> Fraction:
        value = self._product()
        while sign := self._takes("+", "-"):
            right = self._product()
            value = _sized(value + right if sign == "+" else value - right)
        return value

    def _product(self) -> Fraction:
        value = self._signed()
        while True:
            sign = self._takes("*", "/")
            if sign == "/":
                divisor = self._signed()
                if divisor == 0:
                    raise NumberError("do not divide by 0")
                value = _sized(value / divisor)
            elif sign:
                value = _sized(value * self._signed())
            elif self._is_side_by_side():
                value = _sized(value * self._power())
            else:
                return value

    def _is_side_by_side(self) -> bool:
        """Return whether another factor follows without a sign; two numbers are none."""
        token = self.peek()
        return token is not None and (token.kind == "name" or token.text == "(")

    def _signed(self) -> Fraction:
        negative = False
        while sign := self._takes("+", "-"):
            negative ^= sign == "-"
        value = self._power()
        return -value if negative else value

    def _power(self) -> Fraction:
        base = self._atom()
        token = self.peek()
        if token is not None and token.kind == "raised":
            self._at += 1
            return _power(base, Fraction(exponent_of(token.text)))
        if self._takes("^", "**"):
            self._deeper()
            exponent = self._signed()
            self._depth -= 1
            return _power(base, exponent)
        return base

    def _atom(self) -> Fraction:
        if self._takes("("):
            self._deeper()
            value = self.sum()
            self._depth -= 1
            if not self._takes(")"):
                raise NumberError
            return value
        token = self.peek()
        if token is None or token.kind not in ("number", "name"):
            raise NumberError
        self._at += 1
        return self._named(token.text) if token.kind == "name" else _literal(token, self._whole)

    def _named(self, name: str) -> Fraction:
        value = self._names.get(name_key(name))
        if value is not None and math.isfinite(value):
            return Fraction(value)
        known = ", ".join(sorted(self._known.values()))
        if not known or len(self._tokens) == 1:
            raise NumberError
        raise NumberError(f"give a number, or an expression in {known}")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise NumberError(f"give at most {DEEPEST} brackets within one another")


def _sized(value: Fraction) -> Fraction:
    """Return a fraction that is not too large to go on with."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _BITS:
        raise NumberError("give a number with fewer digits")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    """Return a power: exact where it is of moderate size, else as a float."""
    if base == 0 and exponent < 0:
        raise NumberError("do not divide by 0")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator == 1 and bits * abs(exponent) <= _BITS:
        return Fraction(base**exponent.numerator)
    if base < 0:
        raise NumberError
    try:
        return Fraction(float(base) ** float(exponent))
    except OverflowError:
        raise NumberError from None


def _literal(token: _Token, whole: bool) -> Fraction:
    """Return the value of digits with their decimal sign, groups, exponent and suffix."""
    integer, decimals = _parts(token, whole)
    exponent = int(token.exponent[1:] or 0)
    digits = int(integer + decimals)
    if digits and abs(exponent) > _LARGEST_EXPONENT:
        raise NumberError
    power = (exponent if digits else 0) - len(decimals)
    value = Fraction(digits) * Fraction(10) ** power
    return _sized(value * _SUFFIXES.get(token.suffix, 1))


def _parts(token: _Token, whole: bool) -> tuple[str, str]:
    """Return the digits before and after the decimal sign."""
    body = token.text
    sign = _decimal_sign(token, whole)
    integer, decimals = body, ""
    if sign:
        integer, _, decimals = body.rpartition(sign)
    groups = re.split(r"[.,'_ ]", integer)
    kinds = {letter for letter in integer if not letter.isdigit()}
    if kinds and (
        len(kinds) > 1
        or sign in kinds
        or not 1 <= len(groups[0]) <= 3
        or groups[0].startswith("0")
        or any(len(group) != 3 for group in groups[1:])
    ):
        raise NumberError("write thousands in groups of three, as in 12 345 678")
    if decimals and not decimals.isdigit():
        raise NumberError("write no spaces or commas after the decimal sign")
    return "".join(groups) or "0", decimals


def _decimal_sign(token: _Token, whole: bool) -> str:
    """Return which of point and comma is the decimal sign: the last of both, none, or the one.

    One comma before three digits separates thousands, if it is not the decimal sign.
    """
    body = token.text
    points, commas = body.count("."), body.count(",")
    if points and commas:
        return "." if body.rindex(".") > body.rindex(",") else ","
    if points:
        return "." if points == 1 else ""
    if commas != 1:
        return ""
    before, _, after = body.partition(",")
    grouped = len(after) == 3 and re.fullmatch(r"[1-9][0-9]{0,2}", before)
    if not grouped:
        return ","
    if whole and not token.suffix and not token.exponent:
        return ""
    end = f"{token.exponent}{token.suffix}"
    raise NumberError(f"write {before}.{after}{end} or {before}{after}{end}, whichever is meant")
