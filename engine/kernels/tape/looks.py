"""What is asked of a program from Python: derivatives, values at points, residuals, kinks."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner, kernel
from engine.kernels.tape.codes import ABS, MAX, MIN, RELU, SPREAD
from engine.kernels.tape.interpreter import backward, forward
from engine.kernels.tape.program import (
    BLOCK,
    Program,
    Work,
    clear_bars,
    differentiate,
    gradient,
    load_rows,
    load_shared,
)


@kernel
def jet(
    program: Program,
    z: FloatArray,
    constants: FloatArray,
    directions: FloatArray,
    size: int,
    values: FloatArray,
    slopes: FloatArray,
    work: Work,
) -> None:
    """Do what `differentiate` does, called from Python."""
    differentiate(program, z, constants, directions, size, values, slopes, work)


@kernel
def hessian(
    program: Program, z: FloatArray, constants: FloatArray, out: FloatArray, work: Work
) -> None:
    """Write the Hessian at a point, shape (n, n), symmetric to the last bit.

    `work` is for elements of two coefficients.
    """
    n = z.size
    direction, slopes = np.zeros(n), np.zeros(2 * n)
    values = np.zeros(2)
    for j in range(n):
        direction[j] = 1.0
        differentiate(program, z, constants, direction, 2, values, slopes, work)
        direction[j] = 0.0
        for i in range(n):
            out[i, j] = slopes[n + i]
    for i in range(n):
        for j in range(i):
            out[i, j] = out[j, i] = 0.5 * (out[i, j] + out[j, i])


@kernel
def values_at(
    program: Program, points: FloatArray, constants: FloatArray, out: FloatArray, work: Work
) -> None:
    """Write the values at points, shape (m, n), to `out`, shape (m,)."""
    slope = np.zeros(points.shape[1])
    for i in range(points.shape[0]):
        out[i] = gradient(program, points[i], constants, slope, work)


@kernel
def residuals(
    program: Program,
    z: FloatArray,
    constants: FloatArray,
    out: FloatArray,
    slopes: FloatArray,
    work: Work,
) -> None:
    """Write the residuals of N rows, shape (N,), and their derivatives, shape (N, n)."""
    shared, rows = work.shared, work.rows
    leaves = load_shared(program, z, constants, z, 1, shared)
    forward(program.shared, leaves, shared, 1, 1, shared)
    columns, root = program.data.shape[0], program.shape[4]
    width = min(program.data.shape[1], BLOCK)
    for begin in range(0, program.data.shape[1], width):
        load_rows(program, begin, 1, width, rows)
        forward(program.rows, columns, rows, 1, width, shared)
        clear_bars(rows)
        rows.supports[1, root] = 1
        for lane in range(width):
            rows.bars[root * width + lane] = 1.0
        backward(program.rows, columns, rows, 1, width, work.sums, shared)
        for lane in range(min(width, out.size - begin)):
            out[begin + lane] = rows.values[root * width + lane]
            clear_bars(shared)
            for k in range(program.rows.shape[0]):
                node = columns + k
                if program.rows[k, 0] == SPREAD and rows.supports[1, node] != 0:
                    shared.bars[program.rows[k, 1]] += rows.bars[node * width + lane]
                    shared.supports[1, program.rows[k, 1]] = 1
            backward(program.shared, leaves, shared, 1, 1, work.sums, shared)
            for i in range(z.size):
                slopes[begin + lane, i] = shared.bars[i] + 0.0


@inner
def nearest(code: Any, leaves: int, values: Any, width: int, lanes: int, least: float) -> float:
    """Return the least distance from a kink of an argument in some lanes, `least` at most."""
    for k in range(code.shape[0]):
        op, a, b = code[k, 0], code[k, 1] * width, code[k, 2] * width
        if op == ABS or op == RELU or op == MAX or op == MIN:
            for lane in range(lanes):
                x = values[a + lane]
                if op == MAX or op == MIN:
                    x -= values[b + lane]
                least = min(least, abs(x))
    return least


@kernel
def kink_distance(program: Program, z: FloatArray, constants: FloatArray, work: Work) -> float:
    """Return the least distance of an argument from its kink, relative to max(1, max |z_i|)."""
    shared, rows = work.shared, work.rows
    leaves = load_shared(program, z, constants, z, 1, shared)
    forward(program.shared, leaves, shared, 1, 1, shared)
    least = nearest(program.shared, leaves, shared.values, 1, 1, np.inf)
    columns, count = program.data.shape[0], program.shape[2]
    width = min(program.data.shape[1], BLOCK)
    for begin in range(0, count, max(width, 1)):
        load_rows(program, begin, 1, width, rows)
        forward(program.rows, columns, rows, 1, width, shared)
        lanes = min(width, count - begin)
        least = nearest(program.rows, columns, rows.values, width, lanes, least)
    scale = 1.0
    for i in range(z.size):
        scale = max(scale, abs(z[i]))
    return least / scale
