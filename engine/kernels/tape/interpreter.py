"""An interpreter of one part of a tape: forward for values, backward for adjoints.

Both sweeps take elements of `engine.kernels.tape.algebra`: one coefficient for values and
gradients, more for derivatives of higher order. All lanes make the same operations, for rows of
data.
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
LANES = 4
"""Running sums over rows: row i goes to sum i mod 4, whatever the width."""

Ints = NDArray[np.int64]


class Part(NamedTuple):
    """Working arrays of one part of a tape with n places, of which m are operations.

    ``values`` and ``bars`` (n * size * width): elements and adjoints. ``slopes``
    (m * 5 * width): functions and derivatives at their arguments. ``supports`` (2 * n): of
    elements, then of adjoints. ``element`` (size * width): scratch.
    """

    values: FloatArray
    bars: FloatArray
    slopes: FloatArray
    supports: Ints
    element: FloatArray


@inner
def fill_slopes(op: int, values: Any, a: int, b: int, slopes: Any, g: int, width: int) -> None:
    """Evaluate a function and its derivatives in all lanes of an argument."""
    for lane in range(width):
        x = values[a + lane]
        made = raised(x, values[b + lane]) if op == POWER else function(op, x)
        for order in range(ORDERS):
            slopes[g + order * width + lane] = made[order]


@inner
def choose(part: Part, op: int, a: int, b: int, c: int, g: int, size: int, width: int) -> None:
    """Take the larger or the smaller of two elements in each lane, the first if they are equal."""
    values, slopes = part.values, part.slopes
    for lane in range(width):
        x, y = values[a + lane], values[b + lane]
        is_first = x >= y if op == MAX else x <= y
        is_first = is_first or x != x
        slopes[g + lane] = 1.0 if is_first else 0.0
        for s in range(size):
            k = s * width + lane
            values[c + k] = values[a + k] if is_first else values[b + k]


@inner
def forward(code: Any, leaves: int, part: Part, size: int, width: int, above: Part) -> None:
    """Evaluate all operations; `above` is the shared part, of width 1, for those that spread it."""
    values, slopes, supports = part.values, part.slopes, part.supports
    step = size * width
    for k in range(code.size // 3):
        op, i, j = code[3 * k], code[3 * k + 1], code[3 * k + 2]
        node = leaves + k
        a, b, c, g = i * step, j * step, node * step, k * ORDERS * width
        if op == SPREAD:
            supports[node] = above.supports[i]
            for s in range(size):
                for lane in range(width):
                    values[c + s * width + lane] = above.values[i * size + s]
        elif op == ADD or op == SUB:
            supports[node] = supports[i] | supports[j]
            if op == ADD:
                for lane in range(step):
                    values[c + lane] = values[a + lane] + values[b + lane]
            else:
                for lane in range(step):
                    values[c + lane] = values[a + lane] - values[b + lane]
        elif op == MUL:
            p, q = supports[i], supports[j]
            supports[node] = product_support(p, q, size)
            for lane in range(step):
                values[c + lane] = -0.0
            add_product(values, a, p, values, b, q, values, c, size, width)
        elif op == NEG:
            supports[node] = supports[i]
            for lane in range(step):
                values[c + lane] = -values[a + lane]
        elif op == MAX or op == MIN:
            supports[node] = supports[i] | supports[j]
            choose(part, op, a, b, c, g, size, width)
        else:
            fill_slopes(op, values, a, b, slopes, g, width)
            p = supports[i]
            supports[node] = compose(slopes, g, values, a, p, values, c, size, width)


@inner
def backward(
    code: Any, leaves: int, part: Part, size: int, width: int, sums: Any, above: Part
) -> None:
    """Propagate adjoints from results to leaves.

    Adjoints of what an operation spreads over the rows are added to ``sums`` (m * size * 4), row
    i to sum i mod 4.
    """
    values, bars, slopes, supports = part.values, part.bars, part.slopes, part.supports
    places, above_places = supports.size // 2, above.supports.size // 2
    step = size * width
    for k in range(code.size // 3 - 1, -1, -1):
        op, i, j = code[3 * k], code[3 * k + 1], code[3 * k + 2]
        node = leaves + k
        p = supports[places + node]
        if p == 0:
            continue
        a, b, c, g = i * step, j * step, node * step, k * ORDERS * width
        if op == SPREAD:
            above.supports[above_places + i] |= p
            for s in range(size):
                for lane in range(width):
                    sums[(k * size + s) * LANES + lane % LANES] += bars[c + s * width + lane]
        elif op == ADD or op == SUB:
            supports[places + i] |= p
            supports[places + j] |= p
            for lane in range(step):
                bars[a + lane] += bars[c + lane]
            if op == ADD:
                for lane in range(step):
                    bars[b + lane] += bars[c + lane]
            else:
                for lane in range(step):
                    bars[b + lane] -= bars[c + lane]
        elif op == MUL:
            q, r = supports[i], supports[j]
            supports[places + i] |= product_support(p, r, size)
            supports[places + j] |= product_support(p, q, size)
            add_product(bars, c, p, values, b, r, bars, a, size, width)
            add_product(bars, c, p, values, a, q, bars, b, size, width)
        elif op == NEG:
            supports[places + i] |= p
            for lane in range(step):
                bars[a + lane] -= bars[c + lane]
        elif op == MAX or op == MIN:
            supports[places + i] |= p
            supports[places + j] |= p
            for s in range(size):
                for lane in range(width):
                    to = a if slopes[g + lane] == 1.0 else b
                    bars[to + s * width + lane] += bars[c + s * width + lane]
        else:
            q = supports[i]
            r = compose(slopes, g + width, values, a, q, part.element, 0, size, width)
            supports[places + i] |= product_support(p, r, size)
            add_product(bars, c, p, part.element, 0, r, bars, a, size, width)
