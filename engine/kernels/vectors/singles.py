"""Packs of eight single-precision floats inside kernels.

For sums that a compiler keeps in memory because it cannot prove that arrays do not overlap; in
packs they stay in registers. All functions here may be called only inside functions compiled by
`engine.kernels.jit.kernel`, with contiguous arrays of float32 and indices that are not negative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError

from engine.kernels.vectors.codegen import Codegen, Pack, hold_in, intrinsic, reader, spread, writer

LANES = 8
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_ALIGN = 4
_declare: Callable[..., Any] = cgutils.get_or_insert_function


class _Pack(Pack):
    """Type of a pack inside a kernel."""

    def __init__(self) -> None:
        super().__init__("Pack8")


_PACK = _Pack()
hold_in(_VECTOR, _Pack)


def _require_packed(array: Any) -> None:
    is_single = isinstance(array, types.Array) and array.dtype == types.float32
    if not is_single or array.layout != "C":
        raise TypingError(f"array: {array} is not allowed; give a C-contiguous array of float32.")


@intrinsic
def load(_typing: Any, array: Any, index: Any) -> tuple[Any, Codegen]:
    """Read eight consecutive numbers, counted from the array's first one."""
    _require_packed(array)
    return _PACK(array, types.intp), reader(_VECTOR, _ALIGN)


@intrinsic
def store(_typing: Any, array: Any, index: Any, pack: Any) -> tuple[Any, Codegen]:
    """Write eight consecutive numbers, counted from the array's first one."""
    _require_packed(array)
    return types.void(array, types.intp, _PACK), writer(_VECTOR, _ALIGN)


@intrinsic
def splat(_typing: Any, value: Any) -> tuple[Any, Codegen]:
    """Make a pack of eight copies of a number."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return spread(builder, _VECTOR, args[0])

    return _PACK(types.float32), generate


@intrinsic
def subtract(_typing: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """Subtract lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.fsub(args[0], args[1])

    return _PACK(_PACK, _PACK), generate


@intrinsic
def multiply_add(_typing: Any, a: Any, b: Any, c: Any) -> tuple[Any, Codegen]:
    """Compute a b + c lane by lane, fused where the processor can."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        signature = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        fused = _declare(builder.module, signature, f"llvm.fmuladd.v{LANES}f32")
        return builder.call(fused, list(args))

    return _PACK(_PACK, _PACK, _PACK), generate
