"""The operations that a typed function consists of, their names, and their values at numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import IntEnum

NAN, INF = math.nan, math.inf


class Op(IntEnum):
    """An operation of a tape; `engine.kernels.tape.codes` has the same numbers.

    `SPREAD` repeats, for every row of the data, what does not depend on them. The exponent of
    `POWER` depends on no variable.
    """

    SPREAD = 0
    ADD = 1
    SUB = 2
    MUL = 3
    MAX = 4
    MIN = 5
    POWER = 6
    NEG = 7
    SQUARE = 8
    RECIP = 9
    SQRT = 10
    EXP = 11
    LOG = 12
    SIN = 13
    COS = 14
    TAN = 15
    ATAN = 16
    SINH = 17
    COSH = 18
    TANH = 19
    SIGMOID = 20
    SOFTPLUS = 21
    LOGCOSH = 22
    ABS = 23
    RELU = 24


BINARY = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.MAX, Op.MIN, Op.POWER})
KINKED = frozenset({Op.MAX, Op.MIN, Op.ABS, Op.RELU})
"""Operations that are not differentiable everywhere."""

FUNCTIONS: dict[str, Op] = {
    "exp": Op.EXP,
    "log": Op.LOG,
    "ln": Op.LOG,
    "sqrt": Op.SQRT,
    "sin": Op.SIN,
    "cos": Op.COS,
    "tan": Op.TAN,
    "atan": Op.ATAN,
    "arctan": Op.ATAN,
    "sinh": Op.SINH,
    "cosh": Op.COSH,
    "tanh": Op.TANH,
    "sigmoid": Op.SIGMOID,
    "softplus": Op.SOFTPLUS,
    "logcosh": Op.LOGCOSH,
    "abs": Op.ABS,
    "pos": Op.RELU,
    "relu": Op.RELU,
    "max": Op.MAX,
    "min": Op.MIN,
}
FOLDS = ("sum", "prod")
NUMBERS = {"pi": math.pi, "e": math.e}


def _exp(a: float) -> float:
    return INF if a > 709.78 else math.exp(a)


def _power(a: float, b: float) -> float:
    try:
        value = a**b
    except OverflowError:
        return INF if a > 0 or b % 2 == 0 else -INF
    except ZeroDivisionError:
        return INF
    return value if isinstance(value, float) else NAN


def _trigonometric(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda a: function(a) if math.isfinite(a) else NAN


def _logarithm(a: float) -> float:
    return math.log(a) if a > 0 else -INF if a == 0 else NAN


def _hyperbolic(sign: float) -> Callable[[float], float]:
    return lambda a: (_exp(a) + sign * _exp(-a)) / 2 if abs(a) > 1 or sign > 0 else math.sinh(a)


def _softplus(a: float) -> float:
    return max(a, 0.0) + math.log1p(_exp(-abs(a)))


def _logcosh(a: float) -> float:
    small = abs(a) < 1
    return math.log1p(2 * math.sinh(a / 2) ** 2) if small else _softplus(2 * abs(a)) - abs(a) - _LN2


_LN2 = math.log(2.0)

VALUES: dict[Op, Callable[..., float]] = {
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
    Op.MUL: lambda a, b: a * b,
    Op.MAX: lambda a, b: a if a >= b else b,
    Op.MIN: lambda a, b: a if a <= b else b,
    Op.POWER: _power,
    Op.NEG: lambda a: -a,
    Op.SQUARE: lambda a: a * a,
    Op.RECIP: lambda a: 1 / a if a else INF,
    Op.SQRT: lambda a: math.sqrt(a) if a >= 0 else NAN,
    Op.EXP: _exp,
    Op.LOG: _logarithm,
    Op.SIN: _trigonometric(math.sin),
    Op.COS: _trigonometric(math.cos),
    Op.TAN: _trigonometric(math.tan),
    Op.ATAN: math.atan,
    Op.SINH: _hyperbolic(-1.0),
    Op.COSH: _hyperbolic(1.0),
    Op.TANH: math.tanh,
    Op.SIGMOID: lambda a: 1 / (1 + _exp(-a)),
    Op.SOFTPLUS: _softplus,
    Op.LOGCOSH: _logcosh,
    Op.ABS: abs,
    Op.RELU: lambda a: max(a, 0.0),
}
"""Values at numbers; inf or nan where there is none, never an exception."""
