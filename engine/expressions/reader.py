"""The one reader of typed functions: from a text to a tree and a straight-line program.

Names that are no function are variables, columns of data, numbers (``pi``, ``e``) or constants,
whose values are given apart. Without a list of variables, ``w1`` to ``w20`` and ``x``, ``y``,
``z``, ``u``, ``v`` are variables; over data ``x1``, ``x2`` ... (``x`` where there is one) and ``y``
are columns, and only the others of these are variables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.core.errors import InputError
from engine.expressions.functions import FOLDS, FUNCTIONS, KINKED, NUMBERS, Op
from engine.expressions.grammar import MOST_CHARACTERS, ExpressionError, read_tree
from engine.expressions.lowering import Lowering
from engine.expressions.tape import MOST_OPERATIONS, Builder, Tape, TooLongError
from engine.expressions.tree import Node
from engine.text.arithmetic import name_key

MOST_VARIABLES = 20
_VARIABLE = re.compile(r"[wx][1-9][0-9]{0,3}|[xyzuv]")
_COLUMN = re.compile(r"x[1-9][0-9]{0,3}|[xy]")
_NAME = re.compile(r"[A-Za-zͰ-Ͽ][A-Za-zͰ-Ͽ0-9_₀₁₂₃₄₅₆₇₈₉]*")
_DOTS = re.compile(r"\s*(?:\.{2,3}|…)\s*")
_RANGE = re.compile(r"([A-Za-z])_?([0-9]{1,4})\.\.\1?_?([0-9]{1,4})")


class Rule(StrEnum):
    """What is minimized of a function: itself, or a mean over the rows of data.

    Of a residual r the mean of r²/2; of a score s the mean of the logistic loss log(1 + exp(∓s))
    for labels y = ±1, 0 standing for -1.
    """

    FUNCTION = "function"
    SQUARES = "least squares"
    LOGISTIC = "logistic"


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A typed function.

    Attributes
    ----------
    text : str
        As it was typed.
    tree : Node
    rule : Rule
    tape : Tape
        Its `variables`, `constants` and `columns` are the keys of the names.
    smooth : bool
        Whether it is free of abs, pos, relu, max and min, which have kinks.
    """

    text: str
    tree: Node
    rule: Rule
    tape: Tape
    smooth: bool


def read(
    text: str,
    variables: Sequence[str] = (),
    rule: Rule = Rule.FUNCTION,
    field: str = "function",
    most_characters: int = MOST_CHARACTERS,
) -> Expression:
    """Read a typed function.

    Parameters
    ----------
    text : str
    variables : sequence of str, optional
        Names of the variables in their order, any spelling; those that occur, sorted, if empty.
    rule : Rule
        Anything but `Rule.FUNCTION` makes ``x`` and ``y`` columns of data. A least-squares text
        without ``y`` is the model, and the residual is the model minus y.
    field : str
        Names the text in error sentences.

    Raises
    ------
    ExpressionError
        If the text cannot be used; it knows the place.
    InputError
        If the variables cannot.
    """
    tree = read_tree(text, field, most_characters)
    names = _Names(tuple(_checked(name, rule) for name in variables), rule)
    builder, root = _lower(tree, text, field, names)
    used = builder.names([root])
    columns = tuple(sorted(filter(names.is_column, used), key=_order))
    found = names.listed or tuple(sorted(filter(names.is_variable, used), key=_order))
    if len(found) > MOST_VARIABLES:
        refusal = f"use at most {MOST_VARIABLES} variables, not {len(found)}"
        raise ExpressionError(field, text, refusal, (0, len(text)))
    try:
        root, residual, columns = _with_rule(builder, root, rule, columns)
    except TooLongError:
        refusal = f"use at most {MOST_OPERATIONS} operations"
        raise ExpressionError(field, text, refusal, (0, len(text))) from None
    constants = tuple(key for key in used if key not in found and key not in columns)
    tape = builder.tape(root, residual, found, constants, columns)
    met = {*tape.shared[:, 0].tolist(), *tape.rows[:, 0].tolist()}
    return Expression(text, tree, rule, tape, met.isdisjoint(KINKED))


def read_variables(
    text: str, rule: Rule = Rule.FUNCTION, field: str = "variables"
) -> tuple[str, ...]:
    """Return the keys of variables from a list, such as ``w1..w5, x``; empty for an empty text.

    Raises
    ------
    InputError
        If it is no list of names, or one occurs twice.
    """
    made: list[str] = []
    for part in filter(None, re.split(r"[,;\s]+", _DOTS.sub("..", text))):
        span = _RANGE.fullmatch(part)
        if span is None:
            made.append(_checked(part, rule, field))
            continue
        letter, low, high = span[1], int(span[2]), int(span[3])
        if not low <= high < low + MOST_VARIABLES:
            raise InputError(field, part, f"count upwards, up to {MOST_VARIABLES} variables")
        made += [_checked(f"{letter}{i}", rule, field) for i in range(low, high + 1)]
    if len(set(made)) < len(made):
        raise InputError(field, text, "write every name once")
    if len(made) > MOST_VARIABLES:
        raise InputError(field, text, f"use at most {MOST_VARIABLES} variables")
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Names:
    """What names stand for."""

    listed: tuple[str, ...]
    rule: Rule

    def is_column(self, key: str) -> bool:
        return self.rule is not Rule.FUNCTION and _COLUMN.fullmatch(key) is not None

    def is_variable(self, key: str) -> bool:
        if self.listed:
            return key in self.listed
        return not self.is_column(key) and _VARIABLE.fullmatch(key) is not None

    def is_active(self, key: str) -> bool:
        return self.is_column(key) or self.is_variable(key)


def _checked(name: str, rule: Rule, field: str = "variables") -> str:
    """Return the key of a variable's name."""
    key = name_key(name)
    if not _NAME.fullmatch(name):
        raise InputError(field, name, "write names, such as w1, w2 or x")
    if key in (*FUNCTIONS, *FOLDS, *NUMBERS):
        raise InputError(field, name, "a function or a number cannot be a variable")
    if _Names((), rule).is_column(key):
        raise InputError(field, name, "over data x and y are columns, not variables")
    return key


def _order(key: str) -> tuple[str, int]:
    """Return what names are sorted by: w2 before w10."""
    letters = key.rstrip("0123456789")
    return letters, int(key[len(letters) :] or 0)


def _lower(tree: Node, text: str, field: str, names: _Names) -> tuple[Builder, int]:
    """Lower a tree, twice where it sums a vector whose entries occur elsewhere in it."""
    aliases = {} if names.rule is Rule.FUNCTION else {"x": "x1"}
    entries: tuple[str, ...] = names.listed
    for last in (False, True):
        vectors = {
            letter: tuple(
                sorted((k for k in entries if re.fullmatch(rf"{letter}\d+", k)), key=_order)
            )
            for letter in "wx"
        }
        builder = Builder()
        lowering = Lowering(builder, text, field, vectors, aliases, names.is_active)
        root = lowering.lower(tree, {})
        if not lowering.unknown_vectors:
            break
        node = lowering.unknown_vectors[0]
        met = builder.names(range(len(builder.entries)))
        sizes = [_order(k)[1] for k in met if re.fullmatch(rf"{node.key}\d+", k)]
        entries = tuple(f"{node.key}{i + 1}" for i in range(min(max(sizes, default=0), 999)))
        if last or not entries:
            example = f"{node.kind}({node.key}[i], i = 1..5)"
            rule = f"write how many there are, as {example}, or name the variables"
            lowering.refuse(rule, node.place)
    return builder, root


def _with_rule(
    builder: Builder, root: int, rule: Rule, columns: tuple[str, ...]
) -> tuple[int, int | None, tuple[str, ...]]:
    """Return the node that is averaged over rows, the residual's, and the columns needed."""
    if rule is Rule.FUNCTION:
        return root, None, ()
    target = builder.name("y", True)
    with_target = columns if "y" in columns else (*columns, "y")
    if rule is Rule.LOGISTIC:
        grown = builder.unary(Op.SOFTPLUS, root)
        loss = builder.binary(Op.SUB, grown, builder.binary(Op.MUL, target, root))
        return loss, None, with_target
    residual = root if "y" in columns else builder.binary(Op.SUB, root, target)
    half = builder.binary(Op.MUL, builder.number(0.5), builder.unary(Op.SQUARE, residual))
    return half, residual, with_target
