"""Products of large single-precision matrices inside kernels, by the BLAS that SciPy brings.

It is the function that numba itself calls for ``np.dot``, here with leading dimensions, sums and
transposes, so that parts of arrays need not be copied. Matrices are row-major and lie in flat
contiguous arrays: a first number, and the numbers from one row to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba.core import types
from numba.np.linalg import ensure_blas
from numpy.typing import NDArray

from engine.kernels.jit import helper

F32 = NDArray[np.float32]

ensure_blas()  # type: ignore[no-untyped-call]

_NUMBERS = types.CPointer(types.float32)  # type: ignore[no-untyped-call]
_SIGNATURE = types.intc(
    types.char,
    types.char,
    types.char,
    types.intp,
    types.intp,
    types.intp,
    _NUMBERS,
    _NUMBERS,
    types.intp,
    _NUMBERS,
    types.intp,
    _NUMBERS,
    _NUMBERS,
    types.intp,
)
_gemm: Callable[..., int] = types.ExternalFunction("numba_xxgemm", _SIGNATURE)
_SINGLE = ord("s")
PLAIN, ACROSS = ord("n"), ord("t")
"""Whether a factor is taken as it lies, or transposed."""


class Part(NamedTuple):
    """A matrix within a flat array: its first number, numbers from row to row, and its form."""

    numbers: F32
    first: int
    step: int
    form: int


@helper
def multiply(m: int, n: int, k: int, a: Part, b: Part, c: Part, add: bool) -> None:
    """Write C = A B, or add it to C, for A (m, k), B (k, n) and C (m, n).

    A factor that is `ACROSS` lies in its array with rows and columns exchanged; C is `PLAIN`.
    """
    # Rows of ours are columns of the BLAS's: it is asked for Cᵀ = Bᵀ Aᵀ.
    factors = np.ones(2, np.float32)
    factors[1] = 1 if add else 0
    _gemm(
        _SINGLE,
        b.form,
        a.form,
        n,
        m,
        k,
        factors.ctypes,
        b.numbers[b.first :].ctypes,
        b.step,
        a.numbers[a.first :].ctypes,
        a.step,
        factors[1:].ctypes,
        c.numbers[c.first :].ctypes,
        c.step,
    )
