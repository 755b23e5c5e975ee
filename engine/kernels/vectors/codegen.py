"""What the packs of `doubles` and `singles` have in common.

A pack is a vector of LLVM's, held in registers inside a kernel.

Packs stay only where they pay. Times of plain numba loops in units of those of packs (AVX2, one
thread, the shortest of 25 interleaved calls): the scalar network's steps 0.6 for 2 weights, 0.8
for 5, 1.2 for 10, 1.7 for 20, 2.3 for 64, 2.6 for 200; the squared lengths of rows of 4500 numbers
4.6; the gradient of the filters 4.5 for 8 filters and 4.6 for 32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic as numba_intrinsic
from numba.extending import models, register_model

Codegen = Callable[[Any, Any, Any, Sequence[Any]], Any]
"""Emits what an intrinsic does, from context, builder, signature and arguments."""


class Pack(types.Type):
    """Base of the types of packs, each known by its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


def hold_in(vector: Any, pack: type[Pack]) -> None:
    """Register vectors of LLVM as the representation of a pack's type."""

    @register_model(pack)
    class _Model(models.PrimitiveModel):
        def __init__(self, dmm: Any, fe_type: Any) -> None:
            super().__init__(dmm, fe_type, vector)  # type: ignore[no-untyped-call]


def intrinsic(function: Callable[..., tuple[Any, Codegen]]) -> Callable[..., Any]:
    """Make a function that kernels can call, as numba does, with types for a checker."""
    made: Callable[..., Any] = numba_intrinsic(function)
    return made


def place(context: Any, builder: Any, vector: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Point at the vector that begins at an item of a contiguous array, counted from its first."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def spread(builder: Any, vector: Any, value: Any) -> Any:
    """Make a vector of copies of a number."""
    integer = ir.IntType(32)
    single = builder.insert_element(
        ir.Constant(vector, ir.Undefined), value, ir.Constant(integer, 0)
    )
    first = [ir.Constant(integer, 0)] * vector.count
    lanes = ir.Constant(ir.VectorType(integer, vector.count), first)
    return builder.shuffle_vector(single, single, lanes)


def reader(vector: Any, align: int) -> Codegen:
    """Return the code of reading a pack at an index of an array."""

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        where = place(context, builder, vector, signature.args[0], args[0], args[1])
        return builder.load(where, align=align)

    return generate


def writer(vector: Any, align: int) -> Codegen:
    """Return the code of writing a pack at an index of an array."""

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        where = place(context, builder, vector, signature.args[0], args[0], args[1])
        builder.store(args[2], where, align=align)
        return context.get_dummy_value()

    return generate
