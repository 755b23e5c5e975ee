"""Products of small square matrices inside kernels, faster there than a BLAS call.

A BLAS spends most of its time on argument checks and packing when matrices are 20 x 20. Here a
tile of 4 rows and up to 12 columns of the result stays in registers while the inner index runs;
the tile is written in LLVM's vector instructions, which fit any processor. A multiplication and
an addition may be fused where the processor can, always in the same way, so the bits of a run do
not depend on how it is split. Plain numba loops take 3.9 times as long at a side of 4, 3.0 at 20
and 2.9 at 64.

Matrices are row-major, contiguous, of a side ``m`` that is a multiple of 4 (see
`engine.kernels.matrix.padding`), and lie in flat arrays at given offsets: slicing in a kernel would
cost a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.core.arrays import FloatArray
from engine.kernels.matrix.padding import TILE

_Multiply = Callable[[FloatArray, int, FloatArray, int, FloatArray, int, int], None]

_VECTOR = ir.VectorType(ir.DoubleType(), TILE)
_LANES = ir.VectorType(ir.IntType(32), TILE)
_INDEX = ir.IntType(64)

_declare: Callable[..., Any] = cgutils.get_or_insert_function
_room: Callable[..., Any] = cgutils.alloca_once


class _Product:
    """Emits a function (A, B, C, m) that computes one kind of product, tile by tile."""

    def __init__(self, function: Any, transposed: bool, add: bool) -> None:
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))
        self.a, self.b, self.c, self.m = function.args
        self.transposed = transposed
        self.add = add
        signature = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        self.multiply_add = _declare(function.module, signature, f"llvm.fmuladd.v{TILE}f64")

    def emit(self) -> None:
        """Cover the columns with tiles 3 vectors wide, and what is left with 2 (or the only 1)."""
        builder = self.builder
        three = ir.Constant(_INDEX, 3)
        vectors = builder.udiv(self.m, ir.Constant(_INDEX, TILE))
        twos = builder.urem(builder.shl(vectors, ir.Constant(_INDEX, 1)), three)
        threes = builder.sdiv(builder.sub(vectors, builder.add(twos, twos)), three)
        single = builder.icmp_unsigned("==", vectors, ir.Constant(_INDEX, 1))
        zero = ir.Constant(_INDEX, 0)
        threes = builder.select(single, zero, threes)
        twos = builder.select(single, zero, twos)
        middle = builder.mul(threes, ir.Constant(_INDEX, 3 * TILE))
        with cgutils.for_range_slice(builder, zero, self.m, ir.Constant(_INDEX, TILE)) as (i, _):
            with builder.if_then(single):
                self.tile(1, i, zero)
            with cgutils.for_range(builder, threes) as loop:
                self.tile(3, i, builder.mul(loop.index, ir.Constant(_INDEX, 3 * TILE)))
            with cgutils.for_range(builder, twos) as loop:
                offset = builder.mul(loop.index, ir.Constant(_INDEX, 2 * TILE))
                self.tile(2, i, builder.add(middle, offset))
        builder.ret_void()

    def element(self, base: Any, row: Any, column: Any) -> Any:
        builder = self.builder
        return builder.gep(base, [builder.add(builder.mul(row, self.m), column)])

    def vector(self, base: Any, row: Any, column: Any) -> Any:
        return self.builder.bitcast(self.element(base, row, column), _VECTOR.as_pointer())

    def shifted(self, index: Any, by: int) -> Any:
        return self.builder.add(index, ir.Constant(_INDEX, by))

    def shuffle(self, first: Any, second: Any, lanes: list[int]) -> Any:
        return self.builder.shuffle_vector(first, second, ir.Constant(_LANES, lanes))

    def tile(self, vectors: int, i: Any, j: Any) -> None:
        sums = self.accumulate(vectors, i, j)
        if self.transposed:
            self.store_transposed(sums, i, j)
        else:
            self.store(sums, i, j)

    def accumulate(self, vectors: int, i: Any, j: Any) -> list[list[Any]]:
        """Sum over the inner index; the sums live in registers."""
        builder = self.builder
        zero = ir.Constant(_VECTOR, [0.0] * TILE)
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        sums = [[_room(builder, _VECTOR) for _ in range(vectors)] for _ in range(TILE)]
        for row in sums:
            for place in row:
                builder.store(zero, place)
        with cgutils.for_range(builder, self.m) as loop:
            k = loop.index
            right = [
                builder.load(self.vector(self.b, k, self.shifted(j, TILE * v)), align=8)
                for v in range(vectors)
            ]
            for r in range(TILE):
                number = builder.load(self.element(self.a, self.shifted(i, r), k))
                single = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
                left = self.shuffle(single, undefined, [0] * TILE)
                for v in range(vectors):
                    place = sums[r][v]
                    total = builder.call(self.multiply_add, [left, right[v], builder.load(place)])
                    builder.store(total, place)
        return [[builder.load(place) for place in row] for row in sums]

    def store(self, sums: list[list[Any]], i: Any, j: Any) -> None:
        for r, row in enumerate(sums):
            for v, value in enumerate(row):
                self.put(value, self.vector(self.c, self.shifted(i, r), self.shifted(j, TILE * v)))

    def store_transposed(self, sums: list[list[Any]], i: Any, j: Any) -> None:
        """Transpose each 4 x 4 block in registers and store it at its mirrored place."""
        for v in range(len(sums[0])):
            x = [row[v] for row in sums]
            even = [self.shuffle(x[r], x[r + 1], [0, 4, 2, 6]) for r in (0, 2)]
            odd = [self.shuffle(x[r], x[r + 1], [1, 5, 3, 7]) for r in (0, 2)]
            rows = [
                self.shuffle(even[0], even[1], [0, 1, 4, 5]),
                self.shuffle(odd[0], odd[1], [0, 1, 4, 5]),
                self.shuffle(even[0], even[1], [2, 3, 6, 7]),
                self.shuffle(odd[0], odd[1], [2, 3, 6, 7]),
            ]
            for q, value in enumerate(rows):
                self.put(value, self.vector(self.c, self.shifted(j, TILE * v + q), i))

    def put(self, value: Any, place: Any) -> None:
        if self.add:
            value = self.builder.fadd(self.builder.load(place, align=8), value)
        self.builder.store(value, place, align=8)


def _product_function(module: Any, transposed: bool, add: bool) -> Any:
    """Declare and fill a product's function in a module, once; never inlined, to compile fast."""
    double = ir.DoubleType().as_pointer()
    signature = ir.FunctionType(ir.VoidType(), [double] * 3 + [_INDEX])
    name = f"lab_multiply{'_transposed' * transposed}{'_add' * add}"
    function = _declare(module, signature, name)
    if not function.blocks:
        function.linkage = "linkonce_odr"
        function.attributes.add("noinline")
        _Product(function, transposed, add).emit()
    return function


def _product(transposed: bool, add: bool) -> _Multiply:
    """Make the intrinsic (a, ia, b, ib, c, ic, m) for one kind of product."""

    def product(
        typing: Any, a: Any, ia: Any, b: Any, ib: Any, c: Any, ic: Any, m: Any
    ) -> tuple[Any, Any]:
        whole = types.intp
        signature = types.void(a, whole, b, whole, c, whole, whole)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointers = []
            for position in (0, 2, 4):
                kind = signature.args[position]
                array = context.make_array(kind)(context, builder, args[position])
                pointers.append(builder.gep(array.data, [args[position + 1]]))
            function = _product_function(builder.module, transposed, add)
            builder.call(function, [*pointers, args[6]])
            return context.get_dummy_value()

        return signature, generate

    return cast("_Multiply", intrinsic(product))


multiply = _product(transposed=False, add=False)
"""Write ``C = A B``, as ``multiply(a, ia, b, ib, c, ic, m)``; C must not overlap A or B."""

multiply_add = _product(transposed=False, add=True)
"""Write ``C = C + A B``."""

multiply_transposed = _product(transposed=True, add=False)
"""Write ``C = (A B)^T``."""

multiply_transposed_add = _product(transposed=True, add=True)
"""Write ``C = C + (A B)^T``."""
