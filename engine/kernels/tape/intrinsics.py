"""What the interpreter's kernels need of LLVM: formulas by number, arrays and calls by address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.np import arrayobj

from engine.kernels.tape.elementary import FORMULAS, power
from engine.kernels.tape.lanes import INTEGER, Lanes
from engine.kernels.vectors.codegen import Codegen, intrinsic

_builders: Any = cgutils
_arrays: Any = arrayobj
_types: Any = types
_JET = _types.UniTuple(types.float64, 5)
_POINTERS = 7
"""Arguments of a compiled program that are addresses, beside the number of coefficients."""


@intrinsic
def function(_typing: Any, op: Any, x: Any) -> tuple[Any, Codegen]:
    """Return a function of one argument, by its number, and its first four derivatives."""

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        made = [_builders.alloca_once(builder, args[1].type) for _ in range(5)]
        last = builder.append_basic_block("made")
        unknown = builder.append_basic_block("unknown")
        switch = builder.switch(args[0], unknown)
        for code, formula in FORMULAS.items():
            block = builder.append_basic_block(f"formula{code}")
            switch.add_case(ir.Constant(args[0].type, code), block)
            with builder.goto_block(block):
                for part, where in zip(formula(Lanes(builder, args[1])), made, strict=True):
                    builder.store(part.value, where)
                builder.branch(last)
        with builder.goto_block(unknown):
            builder.unreachable()
        builder.position_at_end(last)
        values = [builder.load(where) for where in made]
        return context.make_tuple(builder, signature.return_type, values)

    return _JET(types.int64, types.float64), generate


@intrinsic
def raised(_typing: Any, x: Any, p: Any) -> tuple[Any, Codegen]:
    """Return a power and its first four derivatives."""

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        made = power(Lanes(builder, args[0]), Lanes(builder, args[1]))
        values = [part.value for part in made]
        return context.make_tuple(builder, signature.return_type, values)

    return _JET(types.float64, types.float64), generate


def _array_at(context: Any, builder: Any, kind: Any, address: Any, count: Any) -> Any:
    """Make an array of memory that something else keeps."""
    item = context.get_data_type(kind.dtype)
    array = _arrays.make_array(kind)(context, builder)
    size = ir.Constant(INTEGER, 8)
    _arrays.populate_array(
        array,
        data=builder.inttoptr(address, item.as_pointer()),
        shape=[count],
        strides=[size],
        itemsize=size,
        meminfo=None,
    )
    return array._getvalue()  # noqa: SLF001  numba's way to take a record's value


@intrinsic
def floats_at(_typing: Any, address: Any, count: Any) -> tuple[Any, Codegen]:
    """Return an array of floats at an address."""
    kind = types.Array(types.float64, 1, "C")

    def generate(context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return _array_at(context, builder, kind, args[0], args[1])

    return kind(types.int64, types.int64), generate


@intrinsic
def integers_at(_typing: Any, address: Any, count: Any) -> tuple[Any, Codegen]:
    """Return an array of integers at an address."""
    kind = types.Array(types.int64, 1, "C")

    def generate(context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return _array_at(context, builder, kind, args[0], args[1])

    return kind(types.int64, types.int64), generate


@intrinsic
def call(
    _typing: Any,
    address: Any,
    z: Any,
    constants: Any,
    directions: Any,
    size: Any,
    values: Any,
    slopes: Any,
    tables: Any,
    work: Any,
) -> tuple[Any, Codegen]:
    """Call a compiled program or the interpreter at its address.

    The arguments are those of `engine.kernels.tape.interpreter.interpret`, as arrays.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        arguments = []
        for kind, value in zip(signature.args[1:], args[1:], strict=True):
            if isinstance(kind, types.Array):
                data = _arrays.make_array(kind)(context, builder, value).data
                arguments.append(builder.ptrtoint(data, INTEGER))
            else:
                arguments.append(value)
        expected = (types.int64,) * (_POINTERS + 1)
        pointer_type = context.call_conv.get_function_type(types.none, expected).as_pointer()
        target = builder.inttoptr(args[0], pointer_type)
        context.call_conv.call_function(builder, target, types.none, expected, arguments)
        return context.get_dummy_value()

    return (
        types.none(
            types.int64, z, constants, directions, types.int64, values, slopes, tables, work
        ),
        generate,
    )
