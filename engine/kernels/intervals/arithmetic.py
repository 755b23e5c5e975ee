r"""Sums, products and reciprocals of intervals, rounded outwards.

An interval [lo, hi] stands for a set of real numbers that lies within it. Every operation returns
an interval that holds all values of the operation on real numbers of its arguments.

*Why that is so.* IEEE 754 rounds a sum, product, quotient or root to the nearest float, so the
exact number is at most half a unit in the last place (ulp) from what is computed. `below` subtracts
at least one ulp of x: :math:`2.3\cdot10^{-16}|x|+2.3\cdot10^{-308}`, since an ulp is at most
:math:`2^{-52}|x|` above the least normal number, and less than the second term below it. The
subtraction itself is off by half an ulp of its result at most, so what comes out is at most the
exact number. `above` is its mirror image.

What is undefined or unknown somewhere is the whole line: a comparison that came out as nan, or an
infinite bound that met another, becomes [-inf, inf]. So nothing that rests on an undefined value is
ever proved.
"""

from __future__ import annotations

import math

from engine.kernels.jit import helper

RELATIVE = 2.3e-16
"""More than the relative size of one unit in the last place."""
TINY = 2.3e-308
"""More than the least normal number."""
LIBRARY = 16.0 * RELATIVE
"""Relative error that a function of the C library is granted: 16 units in the last place.

glibc, musl, macOS and Windows state or show less than 4 for all that are used here; a test compares
with mpmath.
"""
Pair = tuple[float, float]


@helper
def below(x: float) -> float:
    """Return a number that is at most the exact one which `x` was rounded from."""
    return x - (abs(x) * RELATIVE + TINY)


@helper
def above(x: float) -> float:
    """Return a number that is at least the exact one which `x` was rounded from."""
    return x + (abs(x) * RELATIVE + TINY)


@helper
def whole() -> Pair:
    """Return the whole line."""
    return -math.inf, math.inf


@helper
def sane(lo: float, hi: float) -> Pair:
    """Return an interval, or the whole line for what is none."""
    if lo <= hi:
        return lo, hi
    return -math.inf, math.inf


@helper
def widened(lo: float, hi: float) -> Pair:
    """Return an interval wider by what a function of the C library may be off."""
    return sane(lo - (abs(lo) * LIBRARY + TINY), hi + (abs(hi) * LIBRARY + TINY))


@helper
def is_zero(lo: float, hi: float) -> bool:
    """Return whether an interval is the number 0."""
    return lo == 0.0 and hi == 0.0


@helper
def plus(alo: float, ahi: float, blo: float, bhi: float) -> Pair:
    """Return the sum; what is added to the number 0 stays as it is."""
    if is_zero(alo, ahi):
        return blo, bhi
    if is_zero(blo, bhi):
        return alo, ahi
    return sane(below(alo + blo), above(ahi + bhi))


@helper
def times(alo: float, ahi: float, blo: float, bhi: float) -> Pair:
    """Return the product; a bounded interval times the number 0 is the number 0."""
    p, q, r, s = alo * blo, alo * bhi, ahi * blo, ahi * bhi
    if not abs(p) + abs(q) + abs(r) + abs(s) < math.inf:
        return -math.inf, math.inf
    if is_zero(alo, ahi) or is_zero(blo, bhi):
        return 0.0, 0.0
    return below(min(min(p, q), min(r, s))), above(max(max(p, q), max(r, s)))


@helper
def squared(lo: float, hi: float) -> Pair:
    """Return the square, which is never negative."""
    a, b = abs(lo), abs(hi)
    least = 0.0 if lo <= 0.0 <= hi else min(a, b)
    most = max(a, b)
    if not most < math.inf:
        return -math.inf, math.inf
    if most == 0.0:
        return 0.0, 0.0
    return max(below(least * least), 0.0), above(most * most)


@helper
def inverse(lo: float, hi: float) -> Pair:
    """Return the reciprocal; the whole line where 0 is in the interval."""
    if not (lo > 0.0 or hi < 0.0):
        return -math.inf, math.inf
    return sane(below(1.0 / hi), above(1.0 / lo))


@helper
def root(lo: float, hi: float) -> Pair:
    """Return the square root; the whole line where a part of the interval is negative."""
    if not lo >= 0.0:
        return -math.inf, math.inf
    return sane(max(below(math.sqrt(lo)), 0.0), above(math.sqrt(hi)))
