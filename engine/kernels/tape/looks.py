"""What is asked of a program from Python: derivatives, values at points, residuals, kinks."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import kernel
from engine.kernels.tape import program as tapes
from engine.kernels.tape.intrinsics import call
from engine.kernels.tape.program import Program


@kernel
def jet(
    program: Program,
    z: FloatArray,
    constants: FloatArray,
    directions: FloatArray,
    task: int,
    values: FloatArray,
    slopes: FloatArray,
    work: FloatArray,
) -> None:
    """Run a task of `engine.kernels.tape.machine.interpret`."""
    call(program.interpreter, z, constants, directions, task, values, slopes, program.table, work)


@kernel
def hessian(
    program: Program, z: FloatArray, constants: FloatArray, out: FloatArray, work: FloatArray
) -> None:
    """Write the Hessian at a point, shape (n, n), symmetric to the last bit."""
    n = z.size
    tapes.hessian(program, z, constants, np.empty(n), np.empty(2 * n), out, work)


@kernel
def hessians_at(
    program: Program, points: FloatArray, constants: FloatArray, out: FloatArray, work: FloatArray
) -> None:
    """Write the Hessians at points (m, n), symmetric to the last bit, shape (m, n, n)."""
    n = points.shape[1]
    direction, slopes = np.empty(n), np.empty(2 * n)
    for i in range(points.shape[0]):
        tapes.hessian(program, points[i], constants, direction, slopes, out[i], work)


@kernel
def values_at(
    program: Program,
    points: FloatArray,
    constants: FloatArray,
    out: FloatArray,
    slopes: FloatArray,
    work: FloatArray,
) -> None:
    """Write the values at points, shape (m, n), and the gradients, shapes (m,) and (m, n)."""
    for i in range(points.shape[0]):
        out[i] = tapes.gradient(program, points[i], constants, slopes[i], work)
