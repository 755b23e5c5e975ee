"""The functions of a tape with their first four derivatives, sound wherever they are defined.

Exponential and hyperbolic functions are made of basic arithmetic and one polynomial: a pack of
four takes little longer than one, and the bits are the same on all machines.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from engine.kernels.tape import codes
from engine.kernels.tape.lanes import Lanes

Jet = tuple[Lanes, Lanes, Lanes, Lanes, Lanes]
"""A function and its first four derivatives."""

LN2 = math.log(2.0)
_LN2_REST = 2.3190468138462996e-17
"""What log 2 is more than `LN2`."""
_ROUNDING = 1.5 * 2.0**52
"""Added to a number, it leaves the nearest whole one in the last bits."""
_SERIES = (
    0.5000000000000003,
    0.16666666666666682,
    0.041666666666589865,
    0.008333333333316555,
    0.0013888888928190871,
    0.0001984126989921748,
    2.4801508615223247e-05,
    2.7557231011837625e-06,
    2.7624912393692935e-07,
    2.5113601679172025e-08,
)
"""(exp(r) - 1 - r)/r² for |r| up to log(2)/2, to 3e-17 relative to exp(r) - 1 (Remez)."""
_LEAST, _MOST = -700.0, 710.0
"""Beyond these, exp(x) counts as 0 beside 1, and as infinite."""


def _reduced(x: Lanes, precisely: bool) -> tuple[Lanes, Lanes]:
    """Return k + 1.5·2⁵² for the whole k next to x/log 2, and exp(x - k log 2) - 1.

    Unless `precisely`, it is off by k · 2e-17, which is nothing beside 1 where k < 0.
    """
    shifted = x.fused(1.0 / LN2, _ROUNDING)
    whole = shifted - _ROUNDING
    r = whole.fused(-LN2, x)
    if precisely:
        r = whole.fused(-_LN2_REST, r)
    square = r * r
    even, odd = x.constant(_SERIES[8]), x.constant(_SERIES[9])
    for i in (6, 4, 2, 0):
        even = even.fused(square, _SERIES[i])
        odd = odd.fused(square, _SERIES[i + 1])
    return shifted, square.fused(odd.fused(r, even), r)


def decay(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return exp(x) and exp(x) - 1 for x <= 0, the second to its own last bits."""
    shifted, p = _reduced(x.at_least(_LEAST), precisely=False)
    scale = shifted.power_of_two()
    return p.fused(scale, scale), p.fused(scale, scale - 1.0)


def _exponential(x: Lanes) -> Lanes:
    """Return exp(x), by two factors of 2^(k/2) of which neither overflows."""
    bounded = x.at_least(-750.0).at_most(_MOST)
    shifted, p = _reduced(bounded, precisely=True)
    half = ((shifted - _ROUNDING) * 0.5) + _ROUNDING
    rest = shifted - (half - _ROUNDING)
    return (p + 1.0) * half.power_of_two() * rest.power_of_two()


def exp(x: Lanes) -> Jet:
    """Return exp."""
    y = _exponential(x)
    return y, y, y, y, y


def _square(x: Lanes) -> Jet:
    return x * x, x * 2.0, x.constant(2.0), x.constant(0.0), x.constant(0.0)


def _reciprocal(x: Lanes) -> Jet:
    r = 1.0 / x
    square = r * r
    return r, -square, square * r * 2.0, square * square * -6.0, square * square * r * 24.0


def _root(x: Lanes) -> Jet:
    y, r = x.root(), 1.0 / x
    first = 0.5 / y
    second = first * r * -0.5
    third = second * r * -1.5
    return y, first, second, third, third * r * -2.5


def _log(x: Lanes) -> Jet:
    r = 1.0 / x
    square = r * r
    return x.library("llvm.log.f64"), r, -square, square * r * 2.0, square * square * -6.0


def _sin(x: Lanes) -> Jet:
    s, c = x.library("llvm.sin.f64"), x.library("llvm.cos.f64")
    return s, c, -s, -c, s


def _cos(x: Lanes) -> Jet:
    s, c = x.library("llvm.sin.f64"), x.library("llvm.cos.f64")
    return c, -s, -c, s, c


def _tan(x: Lanes) -> Jet:
    t = x.library("tan")
    square = t * t
    q = square + 1.0
    return t, q, t * q * 2.0, q * (square * 6.0 + 2.0), q * t * (square * 24.0 + 16.0)


def _atan(x: Lanes) -> Jet:
    d = 1.0 / (x * x + 1.0)
    shift = x * d
    third = (shift * shift * 6.0 - d * d * 2.0) * d
    fourth = shift * (d - x * shift) * d * d * 24.0
    return x.library("atan"), d, shift * d * -2.0, third, fourth


def _growth(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return sinh and cosh."""
    size = x.magnitude()
    far = _exponential(size)
    _, near = decay(-size)  # exp(-|x|) - 1
    small = (near * near) / (near + 1.0)  # exp(|x|) + exp(-|x|) - 2
    sinh = (near / (near + 1.0) + near) * -0.5
    inverse = 1.0 / far
    is_small = size.is_("<", 1.0)
    s = sinh.where(is_small, (far - inverse) * 0.5).with_sign_of(x)
    return s, (small * 0.5 + 1.0).where(is_small, (far + inverse) * 0.5)


def _sinh(x: Lanes) -> Jet:
    s, c = _growth(x)
    return s, c, s, c, s


def _cosh(x: Lanes) -> Jet:
    s, c = _growth(x)
    return c, s, c, s, c


def _tanh(x: Lanes) -> Jet:
    _, less = decay(x.magnitude() * -2.0)
    t = (less * (1.0 / (less + 2.0))).times_minus_sign_of(x)
    return _tanh_jet(t, (-t).fused(t, 1.0))


def _tanh_jet(t: Lanes, q: Lanes) -> Jet:
    """Return tanh and its derivatives from its value and slope."""
    square = t * t
    third = q * (square * 6.0 - 2.0)
    return t, q, t * q * -2.0, third, q * t * (square * -24.0 + 16.0)


def _sigmoid(x: Lanes) -> Jet:
    e, less = decay(-x.magnitude())
    r = 1.0 / (less + 2.0)
    t = (less * r).times_minus_sign_of(x)
    s = r.where(x.is_(">", 0.0), e * r)
    d = e * r * r
    return s, d, -(d * t), d * (d * -6.0 + 1.0), d * t * (d * 12.0 - 1.0)


def _softplus(x: Lanes) -> Jet:
    e, _ = decay(-x.magnitude())
    y = x.where(x.is_(">", 0.0), x.constant(0.0).where(x.is_("<=", 0.0), x))
    s, d, second, third, _ = _sigmoid(x)
    return y + e.library("log1p"), s, d, second, third


def _logcosh(x: Lanes) -> Jet:
    size = x.magnitude()
    e, below = decay(size * -2.0)
    _, less = decay(-size)
    half = (less * less) / (less + 1.0) * 0.5  # cosh(x) - 1
    near = half.library("log1p")
    far = size + e.library("log1p") - LN2
    r = 1.0 / (below + 2.0)
    t = (below * r).times_minus_sign_of(x)
    _, q, second, third, _ = _tanh_jet(t, e * r * (r * 4.0))
    return near.where(size.is_("<", 1.0), far), t, q, second, third


def _abs(x: Lanes) -> Jet:
    zero = x.constant(0.0)
    negative = x.constant(-1.0).where(x.is_("<", 0.0), zero)
    return x.magnitude(), x.constant(1.0).where(x.is_(">", 0.0), negative), zero, zero, zero


def _relu(x: Lanes) -> Jet:
    zero = x.constant(0.0)
    is_above = x.is_(">", 0.0)
    y = x.where(is_above, zero.where(x.is_("<=", 0.0), x))
    return y, x.constant(1.0).where(is_above, zero), zero, zero, zero


def power(x: Lanes, p: Lanes) -> Jet:
    """Return x^p; derivatives of whole powers end, also at zero."""
    factor, exponent = x.constant(1.0), p
    made = [x.library("llvm.pow.f64", p)]
    for _ in range(4):
        factor = factor * exponent
        exponent = exponent - 1.0
        part = factor * x.library("llvm.pow.f64", exponent)
        made.append(x.constant(0.0).where(factor.is_("==", 0.0), part))
    return made[0], made[1], made[2], made[3], made[4]


FORMULAS: dict[int, Callable[[Lanes], Jet]] = {
    codes.SQUARE: _square,
    codes.RECIP: _reciprocal,
    codes.SQRT: _root,
    codes.EXP: exp,
    codes.LOG: _log,
    codes.SIN: _sin,
    codes.COS: _cos,
    codes.TAN: _tan,
    codes.ATAN: _atan,
    codes.SINH: _sinh,
    codes.COSH: _cosh,
    codes.TANH: _tanh,
    codes.SIGMOID: _sigmoid,
    codes.SOFTPLUS: _softplus,
    codes.LOGCOSH: _logcosh,
    codes.ABS: _abs,
    codes.RELU: _relu,
}
"""Functions of one argument."""
