"""Functions of one and two variables that a user types, over NumPy with two derivatives.

The reader of all typed functions (`engine.expressions.grammar`) makes a tree, of which `parse`
makes closures. No text is ever executed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from engine.core.arrays import FloatArray
from engine.expressions.functions import FOLDS, NUMBERS
from engine.expressions.grammar import MOST_DEPTH, ExpressionError, read_tree
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
from engine.families.functions.jets import FUNCTIONS, KINKED, Jet
from engine.text.numbers import short

__all__ = ["MOST_CHARACTERS", "MOST_DEPTH", "Expression", "parse"]

MOST_CHARACTERS = 300
MOST_TERMS = 1000
"""Parts that sums and products over an index have, written out."""
LARGEST_NUMBER = 1e12
LARGEST_EXPONENT = 32.0

VARIABLES = {"x": 0, "x1": 0, "y": 1, "x2": 1}
PAIRS = {"max": 1.0, "min": -1.0}
"""Functions of two variables: max, and min as the mirror image of max."""

Indices = Mapping[str, int]


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
    tree = read_tree(text, field, MOST_CHARACTERS, LARGEST_NUMBER)
    writer = _Writer(text, field, 2 if dimensions is None else dimensions)
    made = writer.write(tree, {})
    return Expression(text, dimensions or writer.dimensions, writer.smooth, made)


class _Writer:
    """Makes closures of a tree; what depends on no variable is computed at once."""

    def __init__(self, text: str, field: str, allowed: int) -> None:
        self._text = text
        self._field = field
        self._allowed = allowed
        self._place: Place = (0, 0)
        self._terms = 0
        self.dimensions = 1
        self.smooth = True

    def _refuse(self, reason: str, place: Place | None = None) -> NoReturn:
        raise ExpressionError(self._field, self._text, reason, place or self._place)

    def _names(self) -> str:
        variables = "x" if self._allowed == 1 else "x, y"
        return ", ".join([variables, *NUMBERS, *FUNCTIONS, *PAIRS, *FOLDS])

    def write(self, node: Node, indices: Indices) -> _Node:
        """Return the closure of a part of the tree."""
        self._place = node.place
        match node:
            case Number(value=value):
                return self._number(value)
            case Name(key=key, text=text):
                return self._named(key, text, indices)
            case Sum(terms=terms):
                return self._sum(terms, indices)
            case Product(factors=factors):
                return self._product(factors, indices)
            case Power(base=base, exponent=exponent):
                return self._raised(node, self.write(base, indices), self.write(exponent, indices))
            case Call(function=function, arguments=arguments):
                return self._call(function, [self.write(each, indices) for each in arguments])
            case Fold():
                return self._fold(node, indices)
            case Item() | Whole():
                shown = self._text[slice(*node.place)]
                self._refuse(f"{shown!r} is not known: use {self._names()}", node.place)

    def _named(self, key: str, text: str, indices: Indices) -> _Node:
        if key in indices:
            return self._number(float(indices[key]))
        if key in NUMBERS:
            return self._number(NUMBERS[key])
        if VARIABLES.get(key, self._allowed) >= self._allowed:
            self._refuse(f"{text!r} is not known: use {self._names()}")
        index = VARIABLES[key]
        self.dimensions = max(self.dimensions, index + 1)
        return _Node(None, lambda jets: jets[index])

    def _sum(self, terms: Sequence[tuple[bool, Node]], indices: Indices) -> _Node:
        (negative, first), *rest = terms
        made = self.write(first, indices)
        made = self._scaled(made, -1.0) if negative else made
        for negative, term in rest:
            other = self.write(term, indices)
            made = self._joined(made, self._scaled(other, -1.0) if negative else other, _add)
        return made

    def _product(self, factors: Sequence[tuple[bool, Node]], indices: Indices) -> _Node:
        made = self.write(factors[0][1], indices)
        for divides, factor in factors[1:]:
            other = self.write(factor, indices)
            made = self._joined(made, self._power(other, -1.0) if divides else other, _mul)
        return made

    def _raised(self, node: Power, base: _Node, exponent: _Node) -> _Node:
        self._place = node.place
        if exponent.value is not None:
            return self._power(base, exponent.value)
        if base.value is None or base.value <= 0:
            self._refuse("give a power a number as its exponent, or a positive number as base")
        return self._function("exp", self._scaled(exponent, math.log(base.value)))

    def _call(self, function: str, arguments: Sequence[_Node]) -> _Node:
        self.smooth = self.smooth and function not in KINKED
        made, *rest = arguments
        if function not in PAIRS:
            return self._function(function, made)
        sign = PAIRS[function]
        for other in rest:
            pair = self._scaled(made, sign), self._scaled(other, sign)
            made = self._scaled(self._joined(*pair, Jet.larger), sign)
        return made

    def _fold(self, node: Fold, indices: Indices) -> _Node:
        bounds = [self.write(each, indices).value for each in (node.low, node.high)]
        low, high = (int(each) if each is not None and each % 1 == 0 else None for each in bounds)
        if low is None or high is None or high < low:
            self._refuse("count upwards between whole numbers", node.place)
        self._terms += high - low + 1
        if self._terms > MOST_TERMS:
            self._refuse(f"use at most {MOST_TERMS} terms", node.place)
        join = _add if node.kind == "sum" else _mul
        made = self.write(node.body, {**indices, node.index.key: low})
        for index in range(low + 1, high + 1):
            made = self._joined(
                made, self.write(node.body, {**indices, node.index.key: index}), join
            )
        return made

    def _number(self, value: float) -> _Node:
        if not abs(value) <= LARGEST_NUMBER:
            self._refuse(f"use numbers up to {short(LARGEST_NUMBER, 6)} in size")
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
            self._refuse(f"use exponents up to {short(LARGEST_EXPONENT, 6)} in size")
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
