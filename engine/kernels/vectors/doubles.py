"""Packs of four floats inside kernels: one vector instruction instead of four scalar ones.

The loops of the scalar network are chains of products, which a compiler may not reorder and so
cannot vectorise by itself. Four chains side by side, one in each lane of a pack, keep IEEE
arithmetic and a fixed order of operations, hence the same bits on every processor.

All functions here may be called only inside functions compiled by `engine.kernels.jit.kernel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import types

from engine.kernels.vectors.codegen import Codegen, Pack, hold_in, intrinsic, reader, spread, writer

LANES = 4
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_BITS = ir.VectorType(ir.IntType(64), LANES)
_ALIGN = 8


class _Pack(Pack):
    """Type of a pack inside a kernel."""

    def __init__(self) -> None:
        super().__init__("Pack4")


_PACK = _Pack()
hold_in(_VECTOR, _Pack)


@intrinsic
def load(_typing: Any, array: Any, index: Any) -> tuple[Any, Codegen]:
    """Read four consecutive items of a contiguous array, from a non-negative index on."""
    return _PACK(array, types.intp), reader(_VECTOR, _ALIGN)


@intrinsic
def store(_typing: Any, array: Any, index: Any, pack: Any) -> tuple[Any, Codegen]:
    """Write four consecutive items of a contiguous array, from a non-negative index on."""
    return types.void(array, types.intp, _PACK), writer(_VECTOR, _ALIGN)


@intrinsic
def splat(_typing: Any, value: Any) -> tuple[Any, Codegen]:
    """Make a pack of four copies of a float."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return spread(builder, _VECTOR, args[0])

    return _PACK(types.float64), generate


def _mask(*lanes: int) -> Any:
    integer = ir.IntType(32)
    return ir.Constant(ir.VectorType(integer, LANES), [ir.Constant(integer, i) for i in lanes])


@intrinsic
def mul(_typing: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """Multiply lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.fmul(args[0], args[1])

    return _PACK(_PACK, _PACK), generate


@intrinsic
def add(_typing: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """Add lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.fadd(args[0], args[1])

    return _PACK(_PACK, _PACK), generate


@intrinsic
def sub(_typing: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """Subtract lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.fsub(args[0], args[1])

    return _PACK(_PACK, _PACK), generate


@intrinsic
def smaller(_typing: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """Minimum of each lane; the second where either is NaN."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[0], args[1])

    return _PACK(_PACK, _PACK), generate


@intrinsic
def larger(_typing: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """Maximum of each lane; the second where either is NaN."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[0], args[1])

    return _PACK(_PACK, _PACK), generate


@intrinsic
def magnitude(_typing: Any, a: Any) -> tuple[Any, Codegen]:
    """Absolute value of each lane."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        bits = builder.bitcast(args[0], _BITS)
        without_sign = ir.Constant(_BITS, [ir.Constant(ir.IntType(64), 2**63 - 1)] * LANES)
        return builder.bitcast(builder.and_(bits, without_sign), _VECTOR)

    return _PACK(_PACK), generate


@intrinsic
def lane(_typing: Any, a: Any, index: Any) -> tuple[Any, Codegen]:
    """Take one lane, 0 to 3, as a float."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.extract_element(args[0], builder.trunc(args[1], ir.IntType(32)))

    return types.float64(_PACK, types.intp), generate


@intrinsic
def neighbours(_typing: Any, a: Any) -> tuple[Any, Codegen]:
    """Swap lanes within pairs: (1, 0, 3, 2)."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.shuffle_vector(args[0], args[0], _mask(1, 0, 3, 2))

    return _PACK(_PACK), generate


@intrinsic
def halves(_typing: Any, a: Any) -> tuple[Any, Codegen]:
    """Swap the two halves: (2, 3, 0, 1)."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.shuffle_vector(args[0], args[0], _mask(2, 3, 0, 1))

    return _PACK(_PACK), generate


@intrinsic
def gather(_typing: Any, array: Any, indices: Any, start: Any) -> tuple[Any, Codegen]:
    """Read the items of an array at four consecutive indices of another, not negative."""

    def generate(context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        data = context.make_array(array)(context, builder, args[0]).data
        where = context.make_array(indices)(context, builder, args[1]).data
        pack = ir.Constant(_VECTOR, ir.Undefined)
        for i in range(LANES):
            position = builder.add(args[2], context.get_constant(types.intp, i))
            index = builder.load(builder.gep(where, [position]))
            item = builder.load(builder.gep(data, [index]))
            pack = builder.insert_element(pack, item, ir.Constant(ir.IntType(32), i))
        return pack

    return _PACK(array, indices, types.intp), generate
