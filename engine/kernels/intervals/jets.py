"""Enclosures of a tape's value, gradient and Hessian over boxes.

A place of the tape holds a *jet*: intervals of its value, of its n first and of its n(n+1)/2 second
derivatives, and every operation makes the jet of its result from those of its arguments by the
chain rule. Since every interval holds all values over the box (`arithmetic`, `functions`), so does
what the last operation makes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.intervals.arithmetic import above, below, plus, sane, squared, times
from engine.kernels.intervals.functions import function, power
from engine.kernels.jit import inner, kernel
from engine.kernels.tape.codes import ADD, MAX, MIN, MUL, POWER, SPREAD, SUB

Ints = NDArray[np.int64]


def coefficients(n: int, order: int) -> int:
    """Return how many coefficients a jet of n variables has to order 0, 1 or 2."""
    return (1, 1 + n, 1 + n + n * (n + 1) // 2)[order]


@inner
def _linear(lo: Any, hi: Any, c: int, a: int, b: int, sign: float, count: int) -> None:
    """Write the jet of a + sign * b."""
    for k in range(count):
        if sign > 0.0:
            made = plus(lo[a, k], hi[a, k], lo[b, k], hi[b, k])
        else:
            made = plus(lo[a, k], hi[a, k], -hi[b, k], -lo[b, k])
        lo[c, k], hi[c, k] = made


@inner
def _scaled(lo: Any, hi: Any, c: int, a: int, b: int, count: int) -> None:
    """Write the jet of a * b for a constant b, of which only the value is looked at."""
    for k in range(count):
        lo[c, k], hi[c, k] = times(lo[b, 0], hi[b, 0], lo[a, k], hi[a, k])


@inner
def _product(lo: Any, hi: Any, c: int, a: int, b: int, n: int, count: int) -> None:
    """Write the jet of a * b."""
    x, y = (lo[a, 0], hi[a, 0]), (lo[b, 0], hi[b, 0])
    lo[c, 0], hi[c, 0] = times(x[0], x[1], y[0], y[1])
    for k in range(1, count):
        p = times(x[0], x[1], lo[b, k], hi[b, k])
        q = times(y[0], y[1], lo[a, k], hi[a, k])
        lo[c, k], hi[c, k] = plus(p[0], p[1], q[0], q[1])
    if count > 1 + n:
        k = 1 + n
        for i in range(1, n + 1):
            for j in range(i, n + 1):
                p = times(lo[a, i], hi[a, i], lo[b, j], hi[b, j])
                q = times(lo[a, j], hi[a, j], lo[b, i], hi[b, i])
                p = plus(p[0], p[1], q[0], q[1])
                lo[c, k], hi[c, k] = plus(lo[c, k], hi[c, k], p[0], p[1])
                k += 1


@inner
def _composed(lo: Any, hi: Any, c: int, a: int, jet: Any, n: int, count: int) -> None:
    """Write the jet of a function of a, from its value and two derivatives over a's interval."""
    lo[c, 0], hi[c, 0] = jet[0], jet[1]
    for k in range(1, count):
        lo[c, k], hi[c, k] = times(jet[2], jet[3], lo[a, k], hi[a, k])
    if count > 1 + n:
        k = 1 + n
        for i in range(1, n + 1):
            for j in range(i, n + 1):
                if i == j:
                    p = squared(lo[a, i], hi[a, i])
                else:
                    p = times(lo[a, i], hi[a, i], lo[a, j], hi[a, j])
                p = times(jet[4], jet[5], p[0], p[1])
                lo[c, k], hi[c, k] = plus(lo[c, k], hi[c, k], p[0], p[1])
                k += 1


@inner
def _greatest(lo: Any, hi: Any, c: int, a: int, b: int, is_max: bool, n: int, count: int) -> None:
    """Write the jet of max(a, b) or min(a, b); where they may be equal it has a kink.

    Where a or b may be undefined, so may the result, though it would be bounded by the other.
    """
    for each in (a, b):
        if lo[each, 0] == -math.inf and hi[each, 0] == math.inf:
            for k in range(count):
                lo[c, k], hi[c, k] = -math.inf, math.inf
            return
    sign = 1.0 if is_max else -1.0
    if sign * (lo[a, 0] if is_max else hi[a, 0]) > sign * (hi[b, 0] if is_max else lo[b, 0]):
        first, second = a, a
    elif sign * (lo[b, 0] if is_max else hi[b, 0]) > sign * (hi[a, 0] if is_max else lo[a, 0]):
        first, second = b, b
    else:
        first, second = a, b
    for k in range(count):
        lo[c, k] = min(lo[first, k], lo[second, k])
        hi[c, k] = max(hi[first, k], hi[second, k])
        if k > n and first != second:
            lo[c, k], hi[c, k] = -math.inf, math.inf
    if first != second:
        if is_max:
            lo[c, 0] = max(lo[a, 0], lo[b, 0])
        else:
            hi[c, 0] = min(hi[a, 0], hi[b, 0])


@inner
def _mark_constants(code: Any, leaves: int, above: Any, constant: Any) -> None:
    """Write which places of a part of a tape do not depend on the variables."""
    for m in range(code.shape[0]):
        op, a, b = code[m, 0], code[m, 1], code[m, 2]
        if op == SPREAD:
            constant[leaves + m] = above[a]
        elif op in (ADD, SUB, MUL, MAX, MIN, POWER):
            constant[leaves + m] = constant[a] and constant[b]
        else:
            constant[leaves + m] = constant[a]


@inner
def _carry_out(
    code: Any,
    leaves: int,
    lo: Any,
    hi: Any,
    above_lo: Any,
    above_hi: Any,
    constant: Any,
    n: int,
    most: int,
) -> None:
    """Make the jets of all operations of one part of a tape; of a constant its value alone."""
    for m in range(code.shape[0]):
        op, a, b = code[m, 0], code[m, 1], code[m, 2]
        c = leaves + m
        count = 1 if constant[c] else most
        if op == SPREAD:
            for k in range(count):
                lo[c, k], hi[c, k] = above_lo[a, k], above_hi[a, k]
        elif op == ADD:
            _linear(lo, hi, c, a, b, 1.0, count)
        elif op == SUB:
            _linear(lo, hi, c, a, b, -1.0, count)
        elif op == MUL and (constant[a] or constant[b]):
            x, fixed = (b, a) if constant[a] else (a, b)
            _scaled(lo, hi, c, x, fixed, count)
        elif op == MUL:
            _product(lo, hi, c, a, b, n, count)
        elif op == MAX or op == MIN:
            _greatest(lo, hi, c, a, b, op == MAX, n, count)
        elif op == POWER:
            jet = power(lo[a, 0], hi[a, 0], lo[b, 0], hi[b, 0])
            _composed(lo, hi, c, a, jet, n, count)
        else:
            _composed(lo, hi, c, a, function(op, lo[a, 0], hi[a, 0]), n, count)
        if constant[c] and not (lo[c, 0] > -math.inf and hi[c, 0] < math.inf):
            for k in range(1, most):  # what is undefined has no derivative
                lo[c, k], hi[c, k] = -math.inf, math.inf


@kernel
def enclose(
    shared: Ints,
    rows: Ints,
    numbers: FloatArray,
    data: FloatArray,
    root: int,
    box_lo: FloatArray,
    box_hi: FloatArray,
    out_lo: FloatArray,
    out_hi: FloatArray,
) -> None:
    """Write the jets of a tape's result over many boxes.

    Parameters
    ----------
    shared, rows : ndarray of int64, shapes (m, 3)
        Operations of the two parts, see `engine.expressions.tape.Tape`.
    numbers : ndarray, shape (c + p,)
        Values of the constants, then the numbers of the tape.
    data : ndarray, shape (columns, N)
        Rows of data over which the result is averaged; N is 0 where there are none.
    root : int
        Place of the result.
    box_lo, box_hi : ndarray, shape (boxes, n)
        Ends of the variables.
    out_lo, out_hi : ndarray, shape (boxes, coefficients)
        Value, then first, then second derivatives (i, j) with i <= j, row by row.
    """
    n, count, columns, many = box_lo.shape[1], out_lo.shape[1], data.shape[0], data.shape[1]
    leaves = n + numbers.size
    lo, hi = (
        np.zeros((leaves + shared.shape[0], count)),
        np.zeros((leaves + shared.shape[0], count)),
    )
    row_lo = np.zeros((columns + rows.shape[0], count))
    row_hi = np.zeros((columns + rows.shape[0], count))
    constant = np.ones(leaves + shared.shape[0], np.bool_)
    row_constant = np.ones(columns + rows.shape[0], np.bool_)
    constant[:n] = False
    _mark_constants(shared, leaves, constant, constant)
    _mark_constants(rows, columns, constant, row_constant)
    for i in range(numbers.size):
        lo[n + i, 0] = hi[n + i, 0] = numbers[i]
    for i in range(n):
        if count > 1:
            lo[i, 1 + i] = hi[i, 1 + i] = 1.0
    for box in range(box_lo.shape[0]):
        for i in range(n):
            lo[i, 0], hi[i, 0] = box_lo[box, i], box_hi[box, i]
        _carry_out(shared, leaves, lo, hi, lo, hi, constant, n, count)
        if many == 0:
            for k in range(count):
                out_lo[box, k], out_hi[box, k] = lo[root, k], hi[root, k]
            continue
        for k in range(count):
            out_lo[box, k] = out_hi[box, k] = 0.0
        for row in range(many):
            for i in range(columns):
                row_lo[i, 0] = row_hi[i, 0] = data[i, row]
            _carry_out(rows, columns, row_lo, row_hi, lo, hi, row_constant, n, count)
            for k in range(count):
                out_lo[box, k], out_hi[box, k] = plus(
                    out_lo[box, k], out_hi[box, k], row_lo[root, k], row_hi[root, k]
                )
        for k in range(count):
            least, most = out_lo[box, k] / many, out_hi[box, k] / many
            out_lo[box, k], out_hi[box, k] = sane(below(least), above(most))
