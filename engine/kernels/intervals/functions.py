"""Functions of an interval with their first two derivatives, rounded outwards.

A function of the C library is granted an error of `arithmetic.LIBRARY`, and a monotone function
takes its least and greatest values at the ends; where a sine or cosine may have an extremum
inside, -1 or 1 is among its values. Where a function or a derivative is undefined at a point of the
interval, the whole line is returned; at a kink the first derivative is all that lies between the
two one-sided ones, and the second the whole line.
"""

from __future__ import annotations

import math

from engine.kernels.intervals.arithmetic import (
    Pair,
    inverse,
    plus,
    root,
    sane,
    squared,
    times,
    whole,
    widened,
)
from engine.kernels.jit import helper
from engine.kernels.tape.codes import (
    ABS,
    ATAN,
    COS,
    COSH,
    EXP,
    LOG,
    LOGCOSH,
    NEG,
    RECIP,
    RELU,
    SIGMOID,
    SIN,
    SINH,
    SOFTPLUS,
    SQRT,
    SQUARE,
    TAN,
    TANH,
)

Jet = tuple[float, float, float, float, float, float]
"""Ends of a function, of its first and of its second derivative."""
_FAR = 1e6
"""Beyond it no period of a trigonometric function is told apart."""
_WHOLE_POWERS = 4096.0
"""Largest exponent that is taken as repeated multiplication."""
_TURN = 2.0 * math.pi
_LN2 = math.log(2.0)


@helper
def _meets(lo: float, hi: float, first: float, period: float) -> bool:
    """Return whether first + k * period may lie in an interval for a whole k."""
    slack = 1e-9  # more than what is rounded below `_FAR`
    return math.floor((hi - first) / period + slack) >= math.ceil((lo - first) / period - slack)


@helper
def _wave(lo: float, hi: float, phase: float) -> Pair:
    """Return cos(x - phase), for a phase of 0 or π/2."""
    if not (abs(lo) < _FAR and abs(hi) < _FAR):
        return -1.0, 1.0
    if phase == 0.0:
        a, b = math.cos(lo), math.cos(hi)
    else:
        a, b = math.sin(lo), math.sin(hi)
    least, most = widened(min(a, b), max(a, b))
    if _meets(lo, hi, phase, _TURN):
        most = 1.0
    if _meets(lo, hi, phase + math.pi, _TURN):
        least = -1.0
    return max(least, -1.0), min(most, 1.0)


@helper
def _exponential(lo: float, hi: float) -> Pair:
    least, most = widened(math.exp(lo), math.exp(hi))
    return max(least, 0.0), most


@helper
def _logarithm(lo: float, hi: float) -> Pair:
    if not lo > 0.0:
        return -math.inf, math.inf
    return widened(math.log(lo), math.log(hi))


@helper
def _tanh(lo: float, hi: float) -> Pair:
    least, most = widened(math.tanh(lo), math.tanh(hi))
    return max(least, -1.0), min(most, 1.0)


@helper
def _cosh(lo: float, hi: float) -> Pair:
    a, b = abs(lo), abs(hi)
    least = 0.0 if lo <= 0.0 <= hi else min(a, b)
    low, high = widened(math.cosh(least), math.cosh(max(a, b)))
    return max(low, 1.0), high


@helper
def _sigmoid_at(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    grown = math.exp(x)
    return grown / (1.0 + grown)


@helper
def _sigmoid(lo: float, hi: float) -> Pair:
    least, most = widened(_sigmoid_at(lo), _sigmoid_at(hi))
    return max(least, 0.0), min(most, 1.0)


@helper
def _softplus_at(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@helper
def _logcosh_at(size: float) -> float:
    """Return log cosh of a number >= 0, to its own last bits also near 0."""
    if size < 1.0:
        half = math.sinh(0.5 * size)
        return math.log1p(2.0 * half * half)
    return size + math.log1p(math.exp(-2.0 * size)) - _LN2


@helper
def _logcosh(lo: float, hi: float) -> Pair:
    a, b = abs(lo), abs(hi)
    least = 0.0 if lo <= 0.0 <= hi else min(a, b)
    low, high = widened(_logcosh_at(least), _logcosh_at(max(a, b)))
    return max(low, 0.0), high


@helper
def _rise(lo: float, hi: float) -> Pair:
    """Return 1 - t² for t in an interval within [-1, 1]."""
    a, b = squared(lo, hi)
    low, high = plus(1.0, 1.0, -b, -a)
    return max(low, 0.0), min(high, 1.0)


@helper
def _jet(y: Pair, slope: Pair, bend: Pair) -> Jet:
    return y[0], y[1], slope[0], slope[1], bend[0], bend[1]


@helper
def function(op: int, lo: float, hi: float) -> Jet:
    """Return a function of one argument, by its number, with two derivatives."""
    y, slope, bend = whole(), whole(), whole()
    if not (lo > -math.inf and hi < math.inf):
        return _jet(y, slope, bend)
    if op == NEG:
        y, slope, bend = (-hi, -lo), (-1.0, -1.0), (0.0, 0.0)
    elif op == SQUARE:
        y, slope, bend = squared(lo, hi), times(2.0, 2.0, lo, hi), (2.0, 2.0)
    elif op == RECIP:
        y = inverse(lo, hi)
        s = squared(y[0], y[1])
        cube = times(s[0], s[1], y[0], y[1])
        slope, bend = (-s[1], -s[0]), times(2.0, 2.0, cube[0], cube[1])
    elif op == SQRT:
        y, r = root(lo, hi), inverse(lo, hi)
        over = inverse(y[0], y[1])
        slope = times(0.5, 0.5, over[0], over[1])
        half = times(slope[0], slope[1], r[0], r[1])
        bend = times(-0.5, -0.5, half[0], half[1])
    elif op == EXP:
        y = _exponential(lo, hi)
        slope, bend = y, y
    elif op == LOG:
        if lo > 0.0:
            y, slope = _logarithm(lo, hi), inverse(lo, hi)
            s = squared(slope[0], slope[1])
            bend = (-s[1], -s[0])
    elif op == SIN:
        y, slope = _wave(lo, hi, 0.5 * math.pi), _wave(lo, hi, 0.0)
        bend = (-y[1], -y[0])
    elif op == COS:
        y, s = _wave(lo, hi, 0.0), _wave(lo, hi, 0.5 * math.pi)
        slope, bend = (-s[1], -s[0]), (-y[1], -y[0])
    elif op == TAN:
        is_far = not (abs(lo) < _FAR and abs(hi) < _FAR)
        if not is_far and not _meets(lo, hi, 0.5 * math.pi, math.pi):
            y = _tangent(lo, hi)
            s = squared(y[0], y[1])
            slope = plus(1.0, 1.0, s[0], s[1])
            part = times(y[0], y[1], slope[0], slope[1])
            bend = times(2.0, 2.0, part[0], part[1])
    elif op == ATAN:
        y = widened(math.atan(lo), math.atan(hi))
        s = squared(lo, hi)
        d = plus(1.0, 1.0, s[0], s[1])
        slope = inverse(d[0], d[1])
        dd = squared(slope[0], slope[1])
        part = times(lo, hi, dd[0], dd[1])
        bend = times(-2.0, -2.0, part[0], part[1])
    elif op == SINH:
        y, slope = widened(math.sinh(lo), math.sinh(hi)), _cosh(lo, hi)
        bend = y
    elif op == COSH:
        y, slope = _cosh(lo, hi), widened(math.sinh(lo), math.sinh(hi))
        bend = y
    elif op == TANH:
        y = _tanh(lo, hi)
        slope = _rise(y[0], y[1])
        part = times(y[0], y[1], slope[0], slope[1])
        bend = times(-2.0, -2.0, part[0], part[1])
    elif op == SIGMOID:
        y = _sigmoid(lo, hi)
        slope, bend = _logistic(y[0], y[1])
    elif op == SOFTPLUS:
        y, slope = widened(_softplus_at(lo), _softplus_at(hi)), _sigmoid(lo, hi)
        bend = _logistic(slope[0], slope[1])[0]
    elif op == LOGCOSH:
        y, slope = _logcosh(lo, hi), _tanh(lo, hi)
        bend = _rise(slope[0], slope[1])
    elif op == ABS:
        if lo > 0.0:
            y, slope, bend = (lo, hi), (1.0, 1.0), (0.0, 0.0)
        elif hi < 0.0:
            y, slope, bend = (-hi, -lo), (-1.0, -1.0), (0.0, 0.0)
        else:
            y, slope = (0.0, max(-lo, hi)), (-1.0, 1.0)
    elif op == RELU:
        if lo > 0.0:
            y, slope, bend = (lo, hi), (1.0, 1.0), (0.0, 0.0)
        elif hi < 0.0:
            y, slope, bend = (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)
        else:
            y, slope = (0.0, hi), (0.0, 1.0)
    return _jet(y, slope, bend)


@helper
def _tangent(lo: float, hi: float) -> Pair:
    """Return the tangent between two of its poles."""
    a, b = math.tan(lo), math.tan(hi)
    return widened(a, b) if a <= b else whole()


@helper
def _logistic(lo: float, hi: float) -> tuple[Pair, Pair]:
    """Return s(1 - s) and s(1 - s)(1 - 2s) for s in an interval within [0, 1]."""
    slope = times(lo, hi, *plus(1.0, 1.0, -hi, -lo))
    slope = max(slope[0], 0.0), min(slope[1], 0.25)
    twice = times(-2.0, -2.0, lo, hi)
    return slope, times(slope[0], slope[1], *plus(1.0, 1.0, twice[0], twice[1]))


@helper
def _whole_power(x: float, count: float) -> Pair:
    """Return x to a whole power >= 0."""
    made, square, left = (1.0, 1.0), (x, x), int(count)
    while left > 0:
        if left % 2 == 1:
            made = times(made[0], made[1], square[0], square[1])
        left //= 2
        if left > 0:
            square = squared(square[0], square[1])
    return made


@helper
def _raised(lo: float, hi: float, p: float) -> Pair:
    """Return the power of an interval with a whole exponent."""
    size = abs(p)
    if size == 0.0:
        return 1.0, 1.0
    a, b = _whole_power(lo, size), _whole_power(hi, size)
    if size % 2.0 == 1.0 or lo >= 0.0:
        made = sane(a[0], b[1])
    elif hi <= 0.0:
        made = sane(b[0], a[1])
    else:
        made = (0.0, max(a[1], b[1]))
    return made if p >= 0.0 else inverse(made[0], made[1])


@helper
def _power(lo: float, hi: float, plo: float, phi: float) -> Pair:
    """Return x^p for x and p in intervals."""
    if plo == phi and plo == math.floor(plo) and abs(plo) <= _WHOLE_POWERS:
        return _raised(lo, hi, plo)
    if lo > 0.0:
        part = times(plo, phi, *_logarithm(lo, hi))
        return _exponential(part[0], part[1])
    if lo == 0.0 and plo > 0.0 and hi > 0.0:
        part = times(plo, phi, *_logarithm(hi, hi))
        return 0.0, max(_exponential(part[0], part[1])[1], 0.0)
    return whole()


@helper
def power(lo: float, hi: float, plo: float, phi: float) -> Jet:
    """Return x^p and its derivatives by x; those of whole powers end, also at 0."""
    if not (lo > -math.inf and hi < math.inf and plo > -math.inf and phi < math.inf):
        return _jet(whole(), whole(), whole())
    y = _power(lo, hi, plo, phi)
    qlo, qhi = _less_one(plo, phi)
    rlo, rhi = _less_one(qlo, qhi)
    slope, bend = (0.0, 0.0), (0.0, 0.0)
    if not (plo == 0.0 and phi == 0.0):
        slope = times(plo, phi, *_power(lo, hi, qlo, qhi))
        factor = times(plo, phi, qlo, qhi)
        if not (factor[0] == 0.0 and factor[1] == 0.0):
            bend = times(factor[0], factor[1], *_power(lo, hi, rlo, rhi))
    return _jet(y, slope, bend)


@helper
def _less_one(lo: float, hi: float) -> Pair:
    """Return an exponent less 1, exactly where it is whole."""
    if lo == hi and lo == math.floor(lo) and abs(lo) <= _WHOLE_POWERS:
        return lo - 1.0, hi - 1.0
    return plus(lo, hi, -1.0, -1.0)
