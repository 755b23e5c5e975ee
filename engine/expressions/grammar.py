"""Read typed functions: tokens with their places, and a recursive descent to a tree.

No text is ever executed. Whatever is not of the grammar is refused in one sentence that knows its
place in the text::

    sum     = product {("+" | "-") product}
    product = signed {("*" | "/") signed}
    signed  = {"+" | "-"} power
    power   = atom [("^" | "**") signed | raised digits]
    atom    = number [atom] | name | name "[" sum "]" | "(" sum ")"
            | function "(" sum {"," sum} ")"
            | ("sum" | "prod") "(" sum ["," name "=" sum ".." sum] ")"

A number in front of a name or bracket is a factor: ``2x``, ``3(x + 1)``. Other factors need a
sign of multiplication between them, for ``a(x + 1)`` could as well be a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from engine.core.errors import InputError
from engine.expressions.functions import FOLDS, FUNCTIONS, NUMBERS
from engine.expressions.tree import (
    Call,
    Fold,
    Item,
    Name,
    Node,
    Number,
    Place,
    Power,
    Product,
    Sum,
    Whole,
)
from engine.text.arithmetic import name_key
from engine.text.numbers import short
from engine.text.scripts import exponent_of

MOST_CHARACTERS = 250_000
MOST_DEPTH = 40
"""Brackets and powers within one another."""
LARGEST_NUMBER = 1e300

_SIGNS = str.maketrans("−–×·⋅÷", "--***/")
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-zͰ-Ͽ][A-Za-zͰ-Ͽ0-9₀₁₂₃₄₅₆₇₈₉]*(?:_[A-Za-zͰ-Ͽ0-9]+)*)"
    rf"|(?P<raised>[⁺⁻]?[{_RAISED}]+)"
    r"|(?P<sign>\*\*|\.\.|[-+*/^(),=\[\]]))"
)


class _Token(NamedTuple):
    kind: str
    text: str
    place: Place


class ExpressionError(InputError):
    """A typed function that is refused.

    Parameters
    ----------
    field, value, allowed
        As of `InputError`.
    place : tuple of int
        Where the fault is in the text: its first character, and the one after its last.
    """

    def __init__(self, field: str, value: object, allowed: str, place: Place) -> None:
        super().__init__(field, value, allowed)
        self.place = place


def read_tree(
    text: str,
    field: str = "function",
    most_characters: int = MOST_CHARACTERS,
    largest: float = LARGEST_NUMBER,
) -> Node:
    """Return the tree of a typed function.

    Raises
    ------
    ExpressionError
        If it is not of the grammar, or too long or too deep.
    """
    if len(text) > most_characters:
        rule = f"write at most {short(most_characters, 6)} characters"
        raise ExpressionError(field, text, rule, (most_characters, len(text)))
    return _Parser(text, field, largest).whole()


class _Parser:
    """Reads one text; each method consumes what its line of the grammar says."""

    def __init__(self, text: str, field: str, largest: float) -> None:
        self._text = text
        self._field = field
        self._largest = largest
        self._tokens = self._split(text.translate(_SIGNS))
        self._at = 0
        self._depth = 0

    def _refuse(self, reason: str, place: Place | None = None) -> ExpressionError:
        return ExpressionError(self._field, self._text, reason, place or self._next.place)

    def _split(self, text: str) -> list[_Token]:
        tokens, at = [], 0
        end = len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                at += len(text[at:]) - len(text[at:].lstrip())
                rule = "use numbers, names, + - * / ^ and brackets"
                raise ExpressionError(
                    self._field,
                    self._text,
                    f"{self._text[at]!r} is not known: {rule}",
                    (at, at + 1),
                )
            kind = str(match.lastgroup)
            tokens.append(_Token(kind, match[kind], match.span(kind)))
            at = match.end()
        return [*tokens, _Token("end", "", (end, end))]

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *signs: str) -> str:
        token = self._next
        if token.kind == "sign" and token.text in signs:
            self._at += 1
            return token.text
        return ""

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._refuse(f"write {sign!r} {self._here()}")

    def _here(self) -> str:
        token = self._next
        return "at the end" if token.kind == "end" else f"before {token.text!r}"

    def _since(self, start: int) -> Place:
        """Return the place from a character to the end of the last token."""
        return start, self._tokens[self._at - 1].place[1]

    def whole(self) -> Node:
        """Read to the end."""
        tree = self._sum()
        token = self._next
        if token.kind in ("number", "name") or token.text in ("(", "["):
            raise self._refuse(f"write an operator, such as *, before {token.text!r}")
        if token.text == ")":
            raise self._refuse("leave out ')', or open a bracket for it")
        if token.kind != "end":
            raise self._refuse(f"leave out {token.text!r}")
        return tree

    def _nested(self, read: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._refuse(f"nest at most {MOST_DEPTH} brackets and powers")
        node = read()
        self._depth -= 1
        return node

    def _sum(self) -> Node:
        start = self._next.place[0]
        terms = [(False, self._product())]
        while sign := self._take("+", "-"):
            terms.append((sign == "-", self._product()))
        if len(terms) == 1:
            return terms[0][1]
        return Sum(tuple(terms), self._since(start))

    def _product(self) -> Node:
        start = self._next.place[0]
        factors = [(False, self._signed())]
        while True:
            if sign := self._take("*", "/"):
                factors.append((sign == "/", self._signed()))
            elif self._is_factor(*factors[-1]):
                factors.append((False, self._power()))
            else:
                break
        if len(factors) == 1:
            return factors[0][1]
        return Product(tuple(factors), self._since(start))

    def _is_factor(self, divides: bool, last: Node) -> bool:
        """Return whether a number and what comes next are a product without a sign."""
        token = self._next
        if not (token.kind == "name" or token.text == "("):
            return False
        while isinstance(last, Sum) and len(last.terms) == 1:
            last = last.terms[0][1]
        if not isinstance(last, Number) or self._tokens[self._at - 1].kind != "number":
            return False
        if divides:
            number = last.text
            rule = f"write /{number}*{token.text} or /({number}*{token.text})"
            raise self._refuse(rule, (last.place[0], token.place[1]))
        return True

    def _signed(self) -> Node:
        start, negative = self._next.place[0], False
        while sign := self._take("+", "-"):
            negative ^= sign == "-"
        node = self._power()
        return Sum(((True, node),), self._since(start)) if negative else node

    def _power(self) -> Node:
        start = self._next.place[0]
        base = self._atom()
        if self._next.kind == "raised":
            token = self._next
            self._at += 1
            value = float(exponent_of(token.text))
            exponent: Node = Number(abs(value), short(abs(value), 17), token.place)
            if value < 0:
                exponent = Sum(((True, exponent),), token.place)
            return Power(base, exponent, self._since(start))
        if not self._take("^", "**"):
            return base
        return Power(base, self._nested(self._signed), self._since(start))

    def _atom(self) -> Node:
        token = self._next
        self._at += 1
        if token.kind == "number":
            value = float(token.text)
            if not value <= self._largest:
                rule = f"use numbers up to {short(self._largest, 6)} in size"
                raise self._refuse(rule, token.place)
            return Number(value, token.text, token.place)
        if token.kind == "name":
            return self._named(token)
        if token.text == "(":
            node = self._nested(self._sum)
            self._expect(")")
            return node
        self._at -= 1
        raise self._refuse(f"write a number, a name or a bracket {self._here()}")

    def _named(self, token: _Token) -> Node:
        key = name_key(token.text)
        if key in FUNCTIONS or key in FOLDS:
            self._expect("(")
            node = self._fold(key, token) if key in FOLDS else self._call(key, token)
            self._expect(")")
            return node
        if self._next.text == "(":
            known = ", ".join((*FUNCTIONS, *FOLDS))
            rule = f"{token.text!r} is no function, as are {known}; a product needs a *"
            raise self._refuse(rule, token.place)
        if self._take("["):
            index = self._nested(self._sum)
            self._expect("]")
            return Item(key, index, self._since(token.place[0]))
        return Name(key, token.text, token.place)

    def _call(self, key: str, token: _Token) -> Node:
        arguments = [self._nested(self._sum)]
        if key in ("max", "min"):
            self._expect(",")
            arguments.append(self._nested(self._sum))
            while self._take(","):
                arguments.append(self._nested(self._sum))
        return Call(key, tuple(arguments), self._closed(token))

    def _closed(self, token: _Token) -> Place:
        """Return the place of a call up to its closing bracket, which is next."""
        return token.place[0], self._next.place[1]

    def _fold(self, kind: str, token: _Token) -> Node:
        body = self._nested(self._sum)
        if not self._take(","):
            if isinstance(body, Name) and self._next.text == ")":
                return Whole(kind, body.key, self._closed(token))
            raise self._refuse(f"write an index, as {kind}(w[i]^2, i = 1..5), {self._here()}")
        index = self._next
        if index.kind != "name" or name_key(index.text) in (*FUNCTIONS, *FOLDS, *NUMBERS):
            raise self._refuse(f"write an index, such as i = 1..5, {self._here()}")
        self._at += 1
        self._expect("=")
        low = self._nested(self._sum)
        self._expect("..")
        high = self._nested(self._sum)
        counted = Name(name_key(index.text), index.text, index.place)
        return Fold(kind, body, counted, low, high, self._closed(token))
