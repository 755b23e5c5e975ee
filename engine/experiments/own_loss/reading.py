"""The typed function of a loss, read once and without compiling anything."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from engine.core.errors import InputError
from engine.expressions.constants import read_constants
from engine.expressions.functions import FOLDS, FUNCTIONS, NUMBERS
from engine.expressions.grammar import ExpressionError
from engine.expressions.reader import Expression, Rule, read, read_variables

MOST_CHARACTERS = 20_000
Minimised = Literal["function", "least-squares", "logistic"]
RULES: dict[Minimised, Rule] = {
    "function": Rule.FUNCTION,
    "least-squares": Rule.SQUARES,
    "logistic": Rule.LOGISTIC,
}


@lru_cache(maxsize=32)
def expression_of(function: str, variables: str, minimise: Minimised) -> Expression:
    """Read the function.

    Raises
    ------
    ExpressionError
        If it cannot be used; it knows the place.
    InputError
        If the variables cannot.
    """
    if not function.strip():
        rule = "write a function, such as (x*y - 2)^2/2"
        raise ExpressionError("function", function, rule, (0, len(function)))
    rule_of_it = RULES[minimise]
    names = read_variables(variables, rule_of_it)
    expression = read(function, names, rule_of_it, most_characters=MOST_CHARACTERS)
    if not expression.tape.variables:
        rule = "use a variable, such as w1" + (" or x" if minimise == "function" else "")
        raise ExpressionError("function", function, rule, (0, len(function)))
    return expression


def constants_of(text: str, expression: Expression) -> dict[str, float]:
    """Return the values of those named constants that a function uses, by their keys.

    Raises
    ------
    InputError
        If the text cannot be read, or names what is no constant in the function.
    """
    given = read_constants(text)
    tape = expression.tape
    for key, constant in given.items():
        if key in (*FUNCTIONS, *FOLDS, *NUMBERS, *tape.variables):
            raise InputError("constants", constant.name, "the function uses this name otherwise")
    return {key: each.value for key, each in given.items() if key in tape.constants}


def check_columns(expression: Expression, width: int) -> None:
    """Refuse a function of columns that rows of `width` numbers do not have.

    Raises
    ------
    InputError
    """
    for key in expression.tape.columns:
        if key != "y" and int(key[1:]) > width - 1:
            count = width - 1
            rule = f"the data have {count} column{'s' if count > 1 else ''} beside y"
            raise InputError("function", key, rule)
