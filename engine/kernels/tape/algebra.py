"""Arithmetic with derivatives: numbers with up to three nilpotent parts.

An element is x_0 + x_1 ε_1 + x_2 ε_2 + x_3 ε_1 ε_2 + ... with ε_i² = 0: the coefficient s belongs
to the ε of the bits of s. With z + ε_1 u + ε_2 v for the variables, the last coefficient of a
function is its second derivative along u and v, exactly, for rounding alone. `size` is 1, 2, 4 or
8 coefficients, side by side in a flat array.

Bit s of a support says that coefficient s may differ from zero. What is zero by structure is left
out of products, so that an infinite derivative in one direction spoils no other.

Sums begin at -0.0, to which adding is exact in all bits.
"""

from __future__ import annotations

from typing import Any

from engine.kernels.jit import inner


@inner
def product_support(p: int, q: int, size: int) -> int:
    """Return the support of a product."""
    made = 0
    for s in range(size):
        for t in range(size):
            if s & t == 0 and (p >> s) & 1 and (q >> t) & 1:
                made |= 1 << (s | t)
    return made


@inner
def add_product(
    x: Any, a: int, p: int, y: Any, b: int, q: int, out: Any, c: int, size: int
) -> None:
    """Add the product of two elements, with supports p and q, to a third one."""
    for s in range(size):
        part = s
        while True:
            rest = s ^ part
            if (p >> part) & 1 and (q >> rest) & 1:
                out[c + s] += x[a + part] * y[b + rest]
            if part == 0:
                break
            part = (part - 1) & s


@inner
def compose(g: Any, first: int, x: Any, a: int, p: int, out: Any, c: int, size: int) -> int:
    """Write a function of an element, from its derivatives; return the support.

    The function and its next derivatives begin at ``first`` of `g`.
    """
    out[c] = g[first]
    support = 1
    for s in range(1, size):
        total, met = -0.0, False
        if (p >> s) & 1:
            met = True
            total += g[first + 1] * x[a + s]
        part = (s - 1) & s
        while part:  # every split of s in two, once
            rest = s ^ part
            if part < rest and (p >> part) & 1 and (p >> rest) & 1:
                met = True
                total += g[first + 2] * (x[a + part] * x[a + rest])
            part = (part - 1) & s
        if s == 7 and (p >> 1) & 1 and (p >> 2) & 1 and (p >> 4) & 1:
            met = True
            total += g[first + 3] * (x[a + 1] * x[a + 2] * x[a + 4])
        out[c + s] = total if met else 0.0
        support |= met << s
    return support
