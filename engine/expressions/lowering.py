"""From the tree of a typed function to the nodes of a straight-line program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import NoReturn

from engine.expressions.functions import FUNCTIONS, NUMBERS, Op
from engine.expressions.grammar import ExpressionError
from engine.expressions.tape import MOST_OPERATIONS, Builder, TooLongError
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

MOST_BY_SQUARING = 64
"""Whole exponents up to this size are products, which have all derivatives at zero."""
LARGEST_INDEX = 10**6

Indices = Mapping[str, int]


class Lowering:
    """Writes a tree into a builder.

    Parameters
    ----------
    builder : Builder
    text, field : str
        For error sentences.
    vectors : mapping
        Keys of the entries of each vector that may be summed as a whole.
    aliases : mapping
        Keys that stand for others, as ``x`` for ``x1``.
    is_active : callable
        Whether a key is of a variable or a column, and not of a constant.
    """

    def __init__(
        self,
        builder: Builder,
        text: str,
        field: str,
        vectors: Mapping[str, tuple[str, ...]],
        aliases: Mapping[str, str],
        is_active: Callable[[str], bool],
    ) -> None:
        self._builder = builder
        self._text = text
        self._field = field
        self._vectors = vectors
        self._aliases = aliases
        self._is_active = is_active
        self._visits = 0
        self.unknown_vectors: list[Whole] = []
        """Sums and products over vectors of which no entry is known yet; they count as 1."""

    def refuse(self, reason: str, place: Place) -> NoReturn:
        """Raise the error of a part of the text."""
        raise ExpressionError(self._field, self._text, reason, place)

    def lower(self, node: Node, indices: Indices) -> int:
        """Return the node of the program for a node of the tree."""
        self._visits += 1
        if self._visits > MOST_OPERATIONS:
            self._too_long(node.place)
        try:
            made = self._lowered(node, indices)
        except TooLongError:
            self._too_long(node.place)
        value = self._builder.value(made)
        if value is not None and not isfinite(value):
            self.refuse("this part is no finite number", node.place)
        return made

    def _too_long(self, place: Place) -> NoReturn:
        self.refuse(f"use at most {MOST_OPERATIONS} operations", place)

    def _lowered(self, node: Node, indices: Indices) -> int:
        match node:
            case Number(value=value):
                return self._builder.number(value)
            case Name(key=key):
                return self._name(key, indices)
            case Item(key=key):
                return self._item(node, key, indices)
            case Sum():
                return self._sum(node, indices)
            case Product():
                return self._product(node, indices)
            case Power():
                return self._power(node, indices)
            case Call():
                return self._call(node, indices)
            case Fold():
                return self._fold(node, indices)
            case Whole():
                return self._whole(node)

    def _name(self, key: str, indices: Indices) -> int:
        if key in indices:
            return self._builder.number(float(indices[key]))
        if key in NUMBERS:
            return self._builder.number(NUMBERS[key])
        return self._leaf(key)

    def _leaf(self, key: str) -> int:
        key = self._aliases.get(key, key)
        return self._builder.name(key, self._is_active(key))

    def _item(self, node: Item, key: str, indices: Indices) -> int:
        number = self._whole_number(node.index, indices)
        if key not in self._vectors:
            known = " or ".join(f"{each}[…]" for each in self._vectors)
            self.refuse(f"only {known} has entries", node.place)
        if number < 1:
            self.refuse(f"entries count from 1, and here it is {key}[{number}]", node.place)
        return self._leaf(f"{key}{number}")

    def _sum(self, node: Sum, indices: Indices) -> int:
        total: int | None = None
        for negative, term in node.terms:
            made = self.lower(term, indices)
            if total is None:
                total = self._builder.unary(Op.NEG, made) if negative else made
            else:
                total = self._builder.binary(Op.SUB if negative else Op.ADD, total, made)
        return self._builder.number(0.0) if total is None else total

    def _product(self, node: Product, indices: Indices) -> int:
        total = self._builder.number(1.0)
        for divides, factor in node.factors:
            made = self.lower(factor, indices)
            if divides:
                if self._builder.value(made) == 0:
                    self.refuse("this divides by zero", factor.place)
                made = self._builder.unary(Op.RECIP, made)
            total = self._builder.binary(Op.MUL, total, made)
        return total

    def _power(self, node: Power, indices: Indices) -> int:
        builder = self._builder
        base = self.lower(node.base, indices)
        exponent = self.lower(node.exponent, indices)
        x, p = builder.value(base), builder.value(exponent)
        if p is None:
            if (x is not None and x > 0) or builder.active[exponent]:
                log = builder.unary(Op.LOG, base)
                return builder.unary(Op.EXP, builder.binary(Op.MUL, log, exponent))
            return builder.binary(Op.POWER, base, exponent)
        if x is not None:
            return builder.binary(Op.POWER, base, exponent)
        if p == 0.5:
            return builder.unary(Op.SQRT, base)
        if p.is_integer() and abs(p) <= MOST_BY_SQUARING:
            return builder.whole_power(base, int(p))
        return builder.binary(Op.POWER, base, exponent)

    def _call(self, node: Call, indices: Indices) -> int:
        op = FUNCTIONS[node.function]
        made, *rest = [self.lower(each, indices) for each in node.arguments]
        if op not in (Op.MAX, Op.MIN):
            return self._builder.unary(op, made)
        for each in rest:
            made = self._builder.binary(op, made, each)
        return made

    def _fold(self, node: Fold, indices: Indices) -> int:
        low = self._whole_number(node.low, indices)
        high = self._whole_number(node.high, indices)
        if high < low:
            span = node.low.place[0], node.high.place[1]
            self.refuse(f"count upwards: {low}..{high} is empty", span)
        if high - low >= MOST_OPERATIONS:
            self._too_long(node.place)
        op = Op.ADD if node.kind == "sum" else Op.MUL
        total = self._builder.number(0.0 if op is Op.ADD else 1.0)
        for index in range(low, high + 1):
            made = self.lower(node.body, {**indices, node.index.key: index})
            total = self._builder.binary(op, total, made)
        return total

    def _whole(self, node: Whole) -> int:
        entries = self._vectors.get(node.key, ())
        if not entries:
            self.unknown_vectors.append(node)
        op = Op.ADD if node.kind == "sum" else Op.MUL
        total = self._builder.number(0.0 if op is Op.ADD else 1.0)
        for key in entries:
            total = self._builder.binary(op, total, self._leaf(key))
        return total

    def _whole_number(self, node: Node, indices: Indices) -> int:
        """Compute an index or a bound of one, which depends on numbers and other indices only."""
        value = self._builder.value(self.lower(node, indices))
        if value is None or not value.is_integer() or abs(value) > LARGEST_INDEX:
            self.refuse("write a whole number here", node.place)
        return int(value)
