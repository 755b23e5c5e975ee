"""An interpreter of one part of a tape: forward for values, backward for adjoints.

Both sweeps take elements of `engine.kernels.tape.algebra`: one coefficient for values and
gradients, more for derivatives of higher order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner
from engine.kernels.tape.algebra import add_product, compose, product_support
from engine.kernels.tape.codes import ADD, MAX, MIN, MUL, NEG, POWER, SPREAD, SUB
from engine.kernels.tape.intrinsics import function, raised

ORDERS = 5
"""A function and its first four derivatives."""

Ints = NDArray[np.int64]


class Part(NamedTuple):
    """Working arrays of one part of a tape with n places, of which m are operations.

    ``values`` and ``bars`` (n * size): elements and adjoints. ``slopes`` (m * 5): functions and
    derivatives at their arguments. ``supports`` (2 * n): of elements, then of adjoints.
    ``element`` (size): scratch.
    """

    values: FloatArray
    bars: FloatArray
    slopes: FloatArray
    supports: Ints
    element: FloatArray


@inner
def forward(code: Any, leaves: int, part: Part, size: int, above: Part) -> None:
    """Evaluate all operations; `above` is the shared part, for those that spread it over rows."""
    values, slopes, supports = part.values, part.slopes, part.supports
    for k in range(code.size // 3):
        op, i, j = code[3 * k], code[3 * k + 1], code[3 * k + 2]
        node = leaves + k
        a, b, c, g = i * size, j * size, node * size, k * ORDERS
        p, q = supports[i], supports[j]
        if op == SPREAD:
            p = above.supports[i]
            for s in range(size):
                values[c + s] = above.values[a + s]
        elif op == ADD:
            p |= q
            for s in range(size):
                values[c + s] = values[a + s] + values[b + s]
        elif op == SUB:
            p |= q
            for s in range(size):
                values[c + s] = values[a + s] - values[b + s]
        elif op == MUL:
            for s in range(size):
                values[c + s] = -0.0
            add_product(values, a, p, values, b, q, values, c, size)
            p = product_support(p, q, size)
        elif op == NEG:
            for s in range(size):
                values[c + s] = -values[a + s]
        elif op == MAX or op == MIN:
            x, y = values[a], values[b]
            is_first = x != x or (x >= y if op == MAX else x <= y)
            slopes[g] = 1.0 if is_first else 0.0
            p = p if is_first else q
            for s in range(size):
                values[c + s] = values[a + s] if is_first else values[b + s]
        else:
            made = raised(values[a], values[b]) if op == POWER else function(op, values[a])
            slopes[g], slopes[g + 1], slopes[g + 2] = made[0], made[1], made[2]
            slopes[g + 3], slopes[g + 4] = made[3], made[4]
            p = compose(slopes, g, values, a, p, values, c, size)
        supports[node] = p


@inner
def backward(
    code: Any, leaves: int, part: Part, size: int, sums: Any, lane: int, above: Part
) -> None:
    """Propagate adjoints from results to leaves.

    Adjoints of what an operation spreads over the rows are added to ``sums`` (m * size * 4), to
    the one of a lane.
    """
    values, bars, slopes, supports = part.values, part.bars, part.slopes, part.supports
    places, above_places = supports.size // 2, above.supports.size // 2
    for k in range(code.size // 3 - 1, -1, -1):
        op, i, j = code[3 * k], code[3 * k + 1], code[3 * k + 2]
        node = leaves + k
        p = supports[places + node]
        if p == 0:
            continue
        a, b, c, g = i * size, j * size, node * size, k * ORDERS
        if op == SPREAD:
            above.supports[above_places + i] |= p
            for s in range(size):
                sums[(k * size + s) * 4 + lane] += bars[c + s]
            continue
        if op == MUL:
            r = supports[j]
            supports[places + j] |= product_support(p, supports[i], size)
            add_product(bars, c, p, values, a, supports[i], bars, b, size)
            add_product(bars, c, p, values, b, r, bars, a, size)
            p = product_support(p, r, size)
        elif op == NEG:
            for s in range(size):
                bars[a + s] -= bars[c + s]
        elif op == ADD or op == SUB or op == MAX or op == MIN:
            sign = -1.0 if op == SUB else 1.0
            is_sum = op == ADD or op == SUB
            if is_sum or slopes[g] == 0.0:
                supports[places + j] |= p
                for s in range(size):
                    bars[b + s] += sign * bars[c + s]
            if not is_sum and slopes[g] == 0.0:
                continue
            for s in range(size):
                bars[a + s] += bars[c + s]
        else:
            r = compose(slopes, g + 1, values, a, supports[i], part.element, 0, size)
            add_product(bars, c, p, part.element, 0, r, bars, a, size)
            p = product_support(p, r, size)
        supports[places + i] |= p
