"""Tapes as kernels run them: value, gradient and Hessian at a point, from within other kernels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.expressions.tape import Tape
from engine.kernels.jit import inner
from engine.kernels.tape.interpreter import ORDERS
from engine.kernels.tape.intrinsics import call
from engine.kernels.tape.machine import LANES, interpreter_address

Ints = NDArray[np.int64]


class Program(NamedTuple):
    """A function of n variables for kernels, which ends with the object that made it.

    Attributes
    ----------
    address : int
        Of the code for value and gradient: compiled for this function, or the interpreter.
    interpreter : int
        Address of the code for everything else.
    table : ndarray of int64
        Numbers of variables, constants and rows; places of result and residual; numbers of columns
        and of numbers; then addresses and lengths of what follows.
    shared, rows : ndarray of int64, shape (m, 3)
        Operations of the two parts, see `engine.expressions.tape.Tape`.
    numbers : ndarray, shape (p,)
    data : ndarray, shape (columns, rows in whole packs)
        Filled up by copies of the last row.
    """

    address: int
    interpreter: int
    table: Ints
    shared: Ints
    rows: Ints
    numbers: FloatArray
    data: FloatArray


def program(tape: Tape, data: FloatArray | None = None) -> Program:
    """Make the program of a tape, run by the interpreter.

    Parameters
    ----------
    tape : Tape
    data : ndarray, shape (columns, N), optional
        Rows of the tape's columns; asked for where it has any.
    """
    count = 0 if data is None else data.shape[1]
    filled = np.zeros((len(tape.columns), -(-count // LANES) * LANES))
    if data is not None and count:
        filled[:, :count] = data
        filled[:, count:] = data[:, -1:]
    shared, rows = np.ascontiguousarray(tape.shared), np.ascontiguousarray(tape.rows)
    numbers = np.ascontiguousarray(tape.numbers)
    sizes = [len(tape.variables), len(tape.constants), count, tape.root, tape.residual]
    places = [shared.ctypes.data, len(shared), rows.ctypes.data, len(rows)]
    places += [numbers.ctypes.data, filled.ctypes.data]
    table = np.array([*sizes, len(filled), numbers.size, *places], np.int64)
    address = interpreter_address()
    return Program(address, address, table, shared, rows, numbers, filled)


def workspace(program: Program, size: int = 1) -> FloatArray:
    """Make the working memory of a program, of one thread, for up to `size` coefficients."""
    variables, constants = program.table[:2].tolist()
    leaves = variables + constants + program.numbers.size
    entries = _part(leaves, len(program.shared), size)
    entries += _part(len(program.data), len(program.rows), size)
    entries += (len(program.rows) + 1) * size * LANES
    return np.zeros(entries)


def _part(leaves: int, operations: int, size: int) -> int:
    places = leaves + operations
    return 2 * places * size + operations * ORDERS + 2 * places + size


@inner
def gradient(program: Program, z: Any, constants: Any, slope: Any, work: Any) -> float:
    """Return the value at a point and write the gradient to `slope`, shape (n,).

    Parameters
    ----------
    program : Program
    z, constants : ndarray, shapes (n,) and (c,)
    slope : ndarray, shape (n,)
    work : ndarray
        From `workspace`; its first entry is overwritten at last.
    """
    call(program.address, z, constants, z, 1, work, slope, program.table, work)
    value: float = work[0]
    return value


@inner
def differentiate(
    program: Program,
    z: Any,
    constants: Any,
    directions: Any,
    size: int,
    values: Any,
    slopes: Any,
    work: Any,
) -> None:
    """Write value and gradient with their derivatives along directions.

    Parameters
    ----------
    program : Program
    z, constants : ndarray, shapes (n,) and (c,)
    directions : ndarray, shape (m * n,)
        m directions, one after another.
    size : int
        2^m coefficients, 8 at most: coefficient s is the derivative along the directions of the
        bits of s.
    values, slopes : ndarray, shapes (size,) and (size * n,)
        Receive the coefficients of value and gradient.
    work : ndarray
        From `workspace`, for this size at least.
    """
    call(program.interpreter, z, constants, directions, size, values, slopes, program.table, work)


@inner
def hessian(
    program: Program,
    z: Any,
    constants: Any,
    direction: Any,
    slopes: Any,
    out: Any,
    work: Any,
) -> None:
    """Write the Hessian at a point, symmetric to the last bit, to `out`, shape (n, n).

    Parameters
    ----------
    program : Program
    z, constants : ndarray, shapes (n,) and (c,)
    direction, slopes : ndarray, shapes (n,) and (2 * n,)
        Scratch.
    out : ndarray, shape (n, n)
    work : ndarray
        From `workspace`, for 2 coefficients.
    """
    n = z.size
    for i in range(direction.size):
        direction[i] = 0.0
    for j in range(n):
        direction[j] = 1.0
        differentiate(program, z, constants, direction, 2, work, slopes, work)
        direction[j] = 0.0
        for i in range(n):
            out[i, j] = slopes[n + i]
    for i in range(n):
        for j in range(i):
            mean = 0.5 * (out[i, j] + out[j, i])
            out[i, j] = mean
            out[j, i] = mean
