"""Tapes as kernels run them: value and gradient, and derivatives along directions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.expressions.tape import Tape
from engine.kernels.jit import inner
from engine.kernels.tape.codes import SPREAD
from engine.kernels.tape.interpreter import LANES, ORDERS, Part, backward, forward

BLOCK = 64
"""Rows that are evaluated at once."""

Ints = NDArray[np.int64]


class Program(NamedTuple):
    """A function of n variables for kernels.

    Attributes
    ----------
    shared, rows : ndarray of int64, shape (m, 3)
        Operations of the two parts, see `engine.expressions.tape.Tape`.
    numbers : ndarray, shape (p,)
    data : ndarray, shape (columns, rows in whole blocks)
        Filled up by copies of the last row.
    shape : ndarray of int64, shape (5,)
        Numbers of variables, constants and rows of data (0 without data), places of the result and
        of the residual.
    """

    shared: Ints
    rows: Ints
    numbers: FloatArray
    data: FloatArray
    shape: Ints


class Work(NamedTuple):
    """Working arrays of a program, of one thread: see `workspace`."""

    shared: Part
    rows: Part
    sums: FloatArray
    total: FloatArray
    element: FloatArray


def program(tape: Tape, data: FloatArray | None = None) -> Program:
    """Make the program of a tape.

    Parameters
    ----------
    tape : Tape
    data : ndarray, shape (columns, N), optional
        Rows of the tape's columns; asked for where it has any.
    """
    count = 0 if data is None else data.shape[1]
    width = BLOCK if count > BLOCK else -(-count // LANES) * LANES
    blocks = -(-count // width) if width else 0
    filled = np.zeros((len(tape.columns), blocks * width))
    if data is not None and count:
        filled[:, :count] = data
        filled[:, count:] = data[:, -1:]
    shape = [len(tape.variables), len(tape.constants), count, tape.root, tape.residual]
    return Program(
        np.ascontiguousarray(tape.shared),
        np.ascontiguousarray(tape.rows),
        np.ascontiguousarray(tape.numbers),
        filled,
        np.array(shape, np.int64),
    )


def workspace(program: Program, size: int = 1) -> Work:
    """Make the working arrays of a program, for elements of `size` coefficients."""
    leaves = int(program.shape[:2].sum()) + program.numbers.size
    width = min(program.data.shape[1], BLOCK)
    return Work(
        _part(leaves, len(program.shared), size, 1),
        _part(program.data.shape[0], len(program.rows), size, width),
        np.zeros(len(program.rows) * size * LANES),
        np.zeros(size * LANES),
        np.zeros(size),
    )


def _part(leaves: int, operations: int, size: int, width: int) -> Part:
    places = leaves + operations
    return Part(
        np.zeros(places * size * width),
        np.zeros(places * size * width),
        np.zeros(operations * ORDERS * width),
        np.zeros((2, places), np.int64),
        np.zeros(size * width),
    )


@inner
def load_shared(
    program: Program, z: Any, constants: Any, directions: Any, size: int, part: Part
) -> int:
    """Write variables with their directions, constants and numbers; return how many there are."""
    n, fixed = program.shape[0], program.shape[1]
    leaves = n + fixed + program.numbers.size
    for i in range(leaves):
        value = 0.0
        if i < n:
            value = z[i]
        elif i < n + fixed:
            value = constants[i - n]
        else:
            value = program.numbers[i - n - fixed]
        support = 1
        part.values[i * size] = value
        for s in range(1, size):
            part.values[i * size + s] = 0.0
        direction = 0
        while 1 << direction < size:
            if i < n and directions[direction * n + i] != 0.0:
                part.values[i * size + (1 << direction)] = directions[direction * n + i]
                support |= 1 << (1 << direction)
            direction += 1
        part.supports[0, i] = support
    made: int = leaves
    return made


@inner
def load_rows(program: Program, begin: int, size: int, width: int, part: Part) -> None:
    """Write the columns of a block of rows, which no direction changes."""
    for column in range(program.data.shape[0]):
        part.supports[0, column] = 1
        for s in range(size):
            for lane in range(width):
                value = program.data[column, begin + lane] if s == 0 else 0.0
                part.values[(column * size + s) * width + lane] = value


@inner
def clear_bars(part: Part) -> None:
    """Begin all adjoints."""
    for i in range(part.bars.size):
        part.bars[i] = -0.0
    for i in range(part.supports.shape[1]):
        part.supports[1, i] = 0


@inner
def run_rows(program: Program, size: int, work: Work) -> None:
    """Evaluate all rows and propagate their adjoints, block by block."""
    part, above, sums, total = work.rows, work.shared, work.sums, work.total
    columns, root = program.data.shape[0], program.shape[3]
    count = program.shape[2]
    width = min(program.data.shape[1], BLOCK)
    share = 1.0 / count
    for i in range(sums.size):
        sums[i] = -0.0
    for i in range(total.size):
        total[i] = -0.0
    for begin in range(0, program.data.shape[1], width):
        load_rows(program, begin, size, width, part)
        forward(program.rows, columns, part, size, width, above)
        clear_bars(part)
        part.supports[1, root] = 1
        at = root * size * width
        for lane in range(width):
            inside = begin + lane < count
            part.bars[at + lane] = share if inside else 0.0
            if inside:
                for s in range(size):
                    total[s * LANES + lane % LANES] += part.values[at + s * width + lane]
        for lane in range(width, size * width):
            part.bars[at + lane] = 0.0
        backward(program.rows, columns, part, size, width, sums, above)
    for k in range(program.rows.shape[0] - 1, -1, -1):
        if program.rows[k, 0] == SPREAD:
            for s in range(size):
                at = (k * size + s) * LANES
                spread = (sums[at] + sums[at + 1]) + (sums[at + 2] + sums[at + 3])
                above.bars[program.rows[k, 1] * size + s] += spread


@inner
def differentiate(
    program: Program,
    z: Any,
    constants: Any,
    directions: Any,
    size: int,
    values: Any,
    slopes: Any,
    work: Work,
) -> None:
    """Evaluate a function and its gradient as elements of `size` coefficients.

    Parameters
    ----------
    program : Program
    z, constants : ndarray, shapes (n,) and (c,)
    directions : ndarray, shape (m * n,)
        m directions, one after another; `size` is 2^m.
    size : int
        1 for value and gradient; 2, 4 or 8 for derivatives along 1, 2 or 3 directions.
    values : ndarray, shape (size,)
        Receives the function's coefficients.
    slopes : ndarray, shape (size * n,)
        Receives the gradient's, coefficient by coefficient.
    work : Work
    """
    shared = work.shared
    leaves = load_shared(program, z, constants, directions, size, shared)
    forward(program.shared, leaves, shared, size, 1, shared)
    clear_bars(shared)
    n, count, root = program.shape[0], program.shape[2], program.shape[3]
    if count > 0:
        run_rows(program, size, work)
        total = work.total
        for s in range(size):
            at = s * LANES
            both = (total[at] + total[at + 1]) + (total[at + 2] + total[at + 3])
            values[s] = both * (1.0 / count)
    else:
        shared.supports[1, root] = 1
        for s in range(size):
            shared.bars[root * size + s] = 1.0 if s == 0 else 0.0
            values[s] = shared.values[root * size + s]
    backward(program.shared, leaves, shared, size, 1, work.sums, shared)
    for s in range(size):
        for i in range(n):
            slopes[s * n + i] = shared.bars[i * size + s] + 0.0


@inner
def gradient(program: Program, z: Any, constants: Any, slope: Any, work: Work) -> float:
    """Return the value at a point and write the gradient to `slope`, shape (n,)."""
    differentiate(program, z, constants, slope, 1, work.element, slope, work)
    value: float = work.element[0]
    return value
