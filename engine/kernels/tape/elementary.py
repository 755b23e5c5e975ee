"""The functions of a tape with their first four derivatives, sound wherever they are defined."""

from __future__ import annotations

import math
from typing import Any

from engine.kernels.jit import inner
from engine.kernels.tape.codes import (
    ABS,
    ATAN,
    COS,
    COSH,
    EXP,
    LOG,
    LOGCOSH,
    RECIP,
    SIGMOID,
    SIN,
    SINH,
    SQRT,
    SQUARE,
    TAN,
    TANH,
)

LN2 = math.log(2.0)


@inner
def power(x: float, p: float) -> Any:
    """Return x^p and its derivatives; those of a whole power are polynomials, also at zero."""
    factor = 1.0
    made = (0.0, 0.0, 0.0, 0.0, 0.0)
    g0 = x**p
    factor = p
    g1 = factor * x ** (p - 1.0) if factor != 0.0 else 0.0
    factor *= p - 1.0
    g2 = factor * x ** (p - 2.0) if factor != 0.0 else 0.0
    factor *= p - 2.0
    g3 = factor * x ** (p - 3.0) if factor != 0.0 else 0.0
    factor *= p - 3.0
    g4 = factor * x ** (p - 4.0) if factor != 0.0 else 0.0
    made = (g0, g1, g2, g3, g4)
    return made


@inner
def algebraic(op: int, x: float) -> Any:
    """Return square, reciprocal or square root."""
    if op == SQUARE:
        return (x * x, 2.0 * x, 2.0, 0.0, 0.0)
    if op == RECIP:
        r = 1.0 / x
        r2 = r * r
        return (r, -r2, 2.0 * r2 * r, -6.0 * r2 * r2, 24.0 * r2 * r2 * r)
    s = math.sqrt(x)
    r = 1.0 / x
    first = 0.5 / s
    second = -0.5 * first * r
    third = -1.5 * second * r
    return (s, first, second, third, -2.5 * third * r)


@inner
def transcendental(op: int, x: float) -> Any:
    """Return exponential, logarithm, a trigonometric or a hyperbolic function of no bound."""
    if op == EXP:
        y = math.exp(x)
        return (y, y, y, y, y)
    if op == LOG:
        r = 1.0 / x
        r2 = r * r
        return (math.log(x), r, -r2, 2.0 * r2 * r, -6.0 * r2 * r2)
    if op == SIN or op == COS:
        s, c = math.sin(x), math.cos(x)
        return (s, c, -s, -c, s) if op == SIN else (c, -s, -c, s, c)
    if op == TAN:
        t = math.tan(x)
        q = 1.0 + t * t
        return (t, q, 2.0 * t * q, q * (2.0 + 6.0 * t * t), q * t * (16.0 + 24.0 * t * t))
    if op == ATAN:
        d = 1.0 / (1.0 + x * x)
        third = (6.0 * (x * d) * (x * d) - 2.0 * d * d) * d
        fourth = 24.0 * (x * d) * (d - x * (x * d)) * d * d
        return (math.atan(x), d, -2.0 * (x * d) * d, third, fourth)
    s, c = math.sinh(x), math.cosh(x)
    return (s, c, s, c, s) if op == SINH else (c, s, c, s, c)


@inner
def bounded(op: int, x: float) -> Any:
    """Return tanh, sigmoid, softplus or log cosh.

    With e = exp(-|2x|), or exp(-|x|), nothing overflows, and the derivatives keep their relative
    accuracy where they vanish.
    """
    a = abs(x)
    scaled = 2.0 * a if op == TANH or op == LOGCOSH else a
    e = math.exp(-scaled)
    t = -math.expm1(-scaled) / (1.0 + e)
    t = t if x > 0.0 else -t
    if op == TANH or op == LOGCOSH:
        q = 4.0 * e / ((1.0 + e) * (1.0 + e))
        second = -2.0 * t * q
        third = q * (6.0 * t * t - 2.0)
        if op == TANH:
            return (t, q, second, third, q * t * (16.0 - 24.0 * t * t))
        half = math.sinh(0.5 * x) if a < 1.0 else 0.0
        y = math.log1p(2.0 * half * half) if a < 1.0 else a + math.log1p(e) - LN2
        return (y, t, q, second, third)
    d = e / ((1.0 + e) * (1.0 + e))
    s = 1.0 / (1.0 + e) if x > 0.0 else e / (1.0 + e)
    second, third = -d * t, d * (1.0 - 6.0 * d)
    if op == SIGMOID:
        return (s, d, second, third, -d * t * (1.0 - 12.0 * d))
    return (max(x, 0.0) + math.log1p(e), s, d, second, third)


@inner
def kinked(op: int, x: float) -> Any:
    """Return magnitude or positive part, whose slope at the kink counts as 0."""
    slope = 1.0 if x > 0.0 else 0.0
    if op == ABS and x < 0.0:
        slope = -1.0
    return (slope * x if slope != 0.0 else 0.0 if x <= 0.0 else x, slope, 0.0, 0.0, 0.0)


@inner
def derivatives(op: int, x: float) -> Any:
    """Return a function of one argument and its first four derivatives."""
    if op <= SQRT:
        return algebraic(op, x)
    if op <= COSH:
        return transcendental(op, x)
    if op <= LOGCOSH:
        return bounded(op, x)
    return kinked(op, x)
