"""Functions that a user types: arithmetic and named functions, read by a parser of their own.

No text is ever executed: `parse` turns it into a tree of closures over NumPy. Everything that is
not a number, an allowed name, ``+ - * / ** ^``, brackets or a comma is refused in one sentence.

Grammar::

    sum     = product { ("+" | "-") product }
    product = signed { ("*" | "/") signed }
    signed  = ("+" | "-") signed | power
    power   = atom [ ("**" | "^") signed ]
    atom    = number | name | function "(" sum { "," sum } ")" | "(" sum ")"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.families.functions.jets import FUNCTIONS, KINKED, Jet
from engine.text.numbers import short

MOST_CHARACTERS = 300
MOST_DEPTH = 40
"""Nested brackets, signs and powers."""
LARGEST_NUMBER = 1e12
LARGEST_EXPONENT = 32.0

CONSTANTS = {"pi": math.pi, "e": math.e}
VARIABLES = {"x": 0, "x1": 0, "y": 1, "x2": 1}
PAIRS = {"max": 1.0, "min": -1.0}
"""Functions of two variables: max, and min as the mirror image of max."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9]*)|(?P<operator>\*\*|[-+*/^(),]))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of the tree: a constant, or a closure from the variables' jets to its own."""

    value: float | None
    jet: Callable[[Sequence[Jet]], Jet]


@dataclass(frozen=True, slots=True)
class Expression:
    """A function of one variable x or of two, x and y (also written x1 and x2).

    Attributes
    ----------
    text : str
        As it was typed.
    dimensions : int
        1 or 2.
    smooth : bool
        Whether it is free of abs, pos, max and min, which have kinks.
    """

    text: str
    dimensions: int
    smooth: bool
    _tree: _Node

    def __call__(self, *coordinates: ArrayLike) -> FloatArray:
        """Evaluate at points given by one array per variable; inf or nan where undefined."""
        return self.jet(*coordinates).value

    def jet(self, *coordinates: ArrayLike) -> Jet:
        """Evaluate with gradient and Hessian; inf or nan where they are undefined."""
        arrays = np.broadcast_arrays(*(np.asarray(values, float) for values in coordinates))
        with np.errstate(all="ignore"):
            return self._tree.jet(Jet.variables(*arrays))


def parse(text: str, dimensions: int | None = None, field: str = "expression") -> Expression:
    """Read a function; `dimensions` (1 or 2) says which variables may occur, None either.

    Raises
    ------
    InputError
        If the text is anything but arithmetic, numbers, variables and named functions, or is
        too long, too deep, or holds a number or exponent that is too large.
    """
    if len(text) > MOST_CHARACTERS:
        raise InputError(field, text, f"write at most {MOST_CHARACTERS} characters")
    parser = _Parser(text, field, 2 if dimensions is None else dimensions)
    tree = parser.whole()
    return Expression(text, dimensions or parser.dimensions, parser.smooth, tree)


class _Parser:
    """Reads one text; each method consumes what its line of the grammar says."""

    def __init__(self, text: str, field: str, allowed: int) -> None:
        self._text = text
        self._field = field
        self._allowed = allowed
        self._tokens = self._split(text.replace("\N{MINUS SIGN}", "-"))
        self._at = 0
        self._depth = 0
        self.dimensions = 1
        self.smooth = True

    def _refuse(self, reason: str) -> InputError:
        return InputError(self._field, self._text, reason)

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, place = [], 0
        text = text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                strange = text[place:].lstrip()[:1]
                known = f"numbers, {self._names()}, + - * / ** and brackets"
                raise self._refuse(f"{strange!r} is not known: use {known}")
            tokens.append((str(match.lastgroup), match.group().strip()))
            place = match.end()
        return [*tokens, ("end", "")]

    def _names(self) -> str:
        variables = "x" if self._allowed == 1 else "x, y"
        return ", ".join([variables, *CONSTANTS, *FUNCTIONS, *PAIRS])

    def _take(self, *operators: str) -> str:
        kind, token = self._tokens[self._at]
        if kind == "operator" and token in operators:
            self._at += 1
            return token
        return ""

    def _expect(self, operator: str) -> None:
        if not self._take(operator):
            raise self._refuse(f"write {operator!r} {self._here()}")

    def _here(self) -> str:
        kind, token = self._tokens[self._at]
        return "at the end" if kind == "end" else f"before {token!r}"

    def whole(self) -> _Node:
        tree = self._sum()
        kind, token = self._tokens[self._at]
        if kind in ("number", "name") or token == "(":
            raise self._refuse(f"write an operator, such as *, before {token!r}")
        if kind != "end":
            raise self._refuse(f"leave out {token!r}, or open a bracket for it")
        return tree

    def _nested(self, read: Callable[[], _Node]) -> _Node:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._refuse(f"nest at most {MOST_DEPTH} brackets, signs and powers")
        node = read()
        self._depth -= 1
        return node

    def _sum(self) -> _Node:
        node = self._product()
        while operator := self._take("+", "-"):
            other = self._product()
            node = self._joined(node, other if operator == "+" else self._scaled(other, -1.0), _add)
        return node

    def _product(self) -> _Node:
        node = self._signed()
        while operator := self._take("*", "/"):
            other = self._signed()
            node = self._joined(node, other if operator == "*" else self._power(other, -1.0), _mul)
        return node

    def _signed(self) -> _Node:
        if sign := self._take("+", "-"):
            node = self._nested(self._signed)
            return node if sign == "+" else self._scaled(node, -1.0)
        base = self._atom()
        if not self._take("**", "^"):
            return base
        exponent = self._nested(self._signed)
        if exponent.value is not None:
            return self._power(base, exponent.value)
        if base.value is None or base.value <= 0:
            raise self._refuse(
                "give a power a number as its exponent, or a positive number as base"
            )
        return self._function("exp", self._scaled(exponent, math.log(base.value)))

    def _atom(self) -> _Node:
        kind, token = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return self._number(float(token))
        if kind == "name":
            return self._named(token)
        if token == "(":
            node = self._nested(self._sum)
            self._expect(")")
            return node
        self._at -= 1
        raise self._refuse(f"write a number, a name or a bracket {self._here()}")

    def _named(self, name: str) -> _Node:
        if name in CONSTANTS:
            return self._number(CONSTANTS[name])
        if name in VARIABLES and VARIABLES[name] < self._allowed:
            index = VARIABLES[name]
            self.dimensions = max(self.dimensions, index + 1)
            return _Node(None, lambda jets: jets[index])
        if name not in FUNCTIONS and name not in PAIRS:
            raise self._refuse(f"{name!r} is not known: use {self._names()}")
        self.smooth = self.smooth and name not in KINKED
        self._expect("(")
        node = self._nested(self._sum)
        if name in PAIRS:
            self._expect(",")
            sign = PAIRS[name]
            pair = self._scaled(node, sign), self._scaled(self._nested(self._sum), sign)
            node = self._scaled(self._joined(*pair, Jet.larger), sign)
        else:
            node = self._function(name, node)
        self._expect(")")
        return node

    def _number(self, value: float) -> _Node:
        if not abs(value) <= LARGEST_NUMBER:
            raise self._refuse(f"use numbers up to {short(LARGEST_NUMBER, 6)} in size")
        return _Node(value, lambda jets: jets[0].constant(value))

    def _folded(self, node: _Node, parts: Sequence[_Node]) -> _Node:
        """Compute at once what depends on no variable."""
        if any(part.value is None for part in parts):
            return node
        with np.errstate(all="ignore"):
            value = float(node.jet(Jet.variables(np.zeros(()))).value)
        return self._number(value)

    def _joined(self, a: _Node, b: _Node, join: Callable[[Jet, Jet], Jet]) -> _Node:
        return self._folded(_Node(None, lambda jets: join(a.jet(jets), b.jet(jets))), (a, b))

    def _scaled(self, node: _Node, factor: float) -> _Node:
        return self._folded(_Node(None, lambda jets: node.jet(jets).scaled(factor)), (node,))

    def _power(self, base: _Node, exponent: float) -> _Node:
        if abs(exponent) > LARGEST_EXPONENT:
            raise self._refuse(f"use exponents up to {short(LARGEST_EXPONENT, 6)} in size")
        return self._folded(_Node(None, lambda jets: base.jet(jets).power(exponent)), (base,))

    def _function(self, name: str, node: _Node) -> _Node:
        value, first, second = FUNCTIONS[name]

        def jet(jets: Sequence[Jet]) -> Jet:
            inner = node.jet(jets)
            z = inner.value
            return inner.chain(value(z), first(z), second(z))

        return self._folded(_Node(None, jet), (node,))


def _add(a: Jet, b: Jet) -> Jet:
    return a.plus(b)


def _mul(a: Jet, b: Jet) -> Jet:
    return a.times(b)
