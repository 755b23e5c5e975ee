"""Carries out the functions of a page in Python, line by line, as a browser does."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from engine.expressions.functions import VALUES, Op
from engine.pages.lines import Function, Line

BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: np.float64(a) / b,
}


def _sech2(x: float) -> float:
    return 1.0 / math.cosh(x) ** 2


FUNCTIONS: dict[str, Callable[..., float]] = {
    **{op.name.lower(): VALUES[op] for op in VALUES},
    "positive": VALUES[Op.RELU],
    "above": lambda x: 1.0 if x > 0 else 0.0,
    "sign": lambda x: float(np.sign(x)),
    "sech2": _sech2,
    "power_1": lambda x, p: 0.0 if p == 0 else p * VALUES[Op.POWER](x, p - 1),
    "power_2": lambda x, p: 0.0 if p * (p - 1) == 0 else p * (p - 1) * VALUES[Op.POWER](x, p - 2),
    "upper": lambda a, b: 1.0 if a >= b or a != a else 0.0,
    "lower": lambda a, b: 1.0 if a <= b or a != a else 0.0,
    "select": lambda first, a, b: a if first else b,
    "part": lambda bar, slope: 0.0 if bar == 0 or slope == 0 else bar * slope,
    "over": lambda a, size: a / size if size > 0 else 0.0,
    "polyak": lambda loss, lowest, size, cap: min(
        max((loss - lowest) / size / size if size > 0 else 0.0, 0.0), cap
    ),
    "min": min,
    "max": max,
}


@cache
def parsed(text: str) -> ast.expr:
    """Read an expression."""
    return ast.parse(text, mode="eval").body


class Scope:
    """The values of names while a function runs."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = {"PI": math.pi, "NaN": math.nan, "Infinity": math.inf, **names}

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.names[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.value(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return BINARY[type(op)](self.value(left), self.value(right))
            case ast.Subscript(value=array, slice=place):
                return self.value(array)[int(self.value(place))]
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return FUNCTIONS[name](*map(self.value, arguments))
        raise AssertionError(ast.dump(node))

    def run(self, line: Line) -> None:
        value = self.value(parsed(line.value))
        target = parsed(line.target)
        match target, line.kind:
            case ast.Name(id=name), "add":
                self.names[name] += value
            case ast.Name(id=name), "const" | "let":
                assert name not in self.names or line.kind == "const"
                self.names[name] = value
            case ast.Subscript(value=array, slice=place), "set":
                self.value(array)[int(self.value(place))] = value
            case _:
                raise AssertionError(str(line))


def call(function: Function, *arguments: Any, data: Sequence[Any] = ()) -> Any:
    """Carry out a function and return its result."""
    rows = len(data[0]) if len(data) else 0
    scope = Scope(
        {**dict(zip(function.arguments, arguments, strict=True)), "D": data, "ROWS": rows}
    )
    with np.errstate(all="ignore"):
        for line in function.before:
            scope.run(line)
        for r in range(rows if function.rows else 0):
            scope.names["r"] = r
            for line in function.rows:
                scope.run(line)
        for line in function.after:
            scope.run(line)
        if not function.result:
            return None
        return scope.value(parsed(function.result))
