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
from numba.extending import intrinsic, models, register_model

LANES = 8
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_Codegen = Callable[[Any, Any, Any, Sequence[Any]], Any]
_declare: Callable[..., Any] = cgutils.get_or_insert_function


class _Pack(types.Type):
    """Type of a pack inside a kernel."""

    def __init__(self) -> None:
        super().__init__(name="Pack8")


_PACK = _Pack()


@register_model(_Pack)
class _PackModel(models.PrimitiveModel):
    """A pack is held in one vector register, or two."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _VECTOR)  # type: ignore[no-untyped-call]


def _intrinsic(function: Callable[..., tuple[Any, _Codegen]]) -> Callable[..., Any]:
    made: Callable[..., Any] = intrinsic(function)
    return made


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


def _require_packed(array: Any) -> None:
    is_single = isinstance(array, types.Array) and array.dtype == types.float32
    if not is_single or array.layout != "C":
        raise TypingError(f"array: {array} is not allowed; give a C-contiguous array of float32.")


@_intrinsic
def load(_typing: Any, array: Any, index: Any) -> tuple[Any, _Codegen]:
    """Read eight consecutive numbers, counted from the array's first one."""
    _require_packed(array)

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        place = _pointer(context, builder, signature.args[0], args[0], args[1])
        return builder.load(place, align=4)

    return _PACK(array, types.intp), generate


@_intrinsic
def store(_typing: Any, array: Any, index: Any, pack: Any) -> tuple[Any, _Codegen]:
    """Write eight consecutive numbers, counted from the array's first one."""
    _require_packed(array)

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        place = _pointer(context, builder, signature.args[0], args[0], args[1])
        builder.store(args[2], place, align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, _PACK), generate


@_intrinsic
def splat(_typing: Any, value: Any) -> tuple[Any, _Codegen]:
    """Make a pack of eight copies of a number."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        integer = ir.IntType(32)
        single = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), args[0], ir.Constant(integer, 0)
        )
        mask = ir.Constant(ir.VectorType(integer, LANES), [ir.Constant(integer, 0)] * LANES)
        return builder.shuffle_vector(single, single, mask)

    return _PACK(types.float32), generate


@_intrinsic
def subtract(_typing: Any, a: Any, b: Any) -> tuple[Any, _Codegen]:
    """Subtract lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.fsub(args[0], args[1])

    return _PACK(_PACK, _PACK), generate


@_intrinsic
def multiply_add(_typing: Any, a: Any, b: Any, c: Any) -> tuple[Any, _Codegen]:
    """Compute a b + c lane by lane, fused where the processor can."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        signature = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        fused = _declare(builder.module, signature, f"llvm.fmuladd.v{LANES}f32")
        return builder.call(fused, list(args))

    return _PACK(_PACK, _PACK, _PACK), generate
