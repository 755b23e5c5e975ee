"""Numbers of LLVM's, alone or in packs of four, with the arithmetic of Python.

The same formulas make the code of kernels and of programs that are compiled for themselves, so
that both have the same bits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from llvmlite import ir

DOUBLE = ir.DoubleType()
INTEGER = ir.IntType(64)
WIDTH = 4
PACK = ir.VectorType(DOUBLE, WIDTH)


class Lanes:
    """A float, or a pack of floats, in the code that a builder makes.

    Attributes
    ----------
    builder : llvmlite.ir.IRBuilder
    value : llvmlite.ir.Value
        Of type `DOUBLE` or `PACK`.
    """

    __slots__ = ("builder", "value")

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    def constant(self, number: float) -> Lanes:
        """Return a number in all lanes."""
        return constant(self.builder, self.value.type, number)

    def _other(self, other: Lanes | float) -> Any:
        return other.value if isinstance(other, Lanes) else self.constant(other).value

    def __add__(self, other: Lanes | float) -> Lanes:
        return Lanes(self.builder, self.builder.fadd(self.value, self._other(other)))

    def __sub__(self, other: Lanes | float) -> Lanes:
        return Lanes(self.builder, self.builder.fsub(self.value, self._other(other)))

    def __mul__(self, other: Lanes | float) -> Lanes:
        return Lanes(self.builder, self.builder.fmul(self.value, self._other(other)))

    def __rsub__(self, other: float) -> Lanes:
        return self.constant(other) - self

    def __rtruediv__(self, other: float) -> Lanes:
        return Lanes(self.builder, self.builder.fdiv(self._other(other), self.value))

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.fdiv(self.value, other.value))

    def __neg__(self) -> Lanes:
        return Lanes(self.builder, self.builder.fneg(self.value))

    def fused(self, factor: Lanes | float, term: Lanes | float) -> Lanes:
        """Return self * factor + term, rounded once."""
        values = [self.value, self._other(factor), self._other(term)]
        return self._intrinsic("fma", values)

    def magnitude(self) -> Lanes:
        """Return the absolute value."""
        return self._intrinsic("fabs", [self.value])

    def root(self) -> Lanes:
        """Return the square root."""
        return self._intrinsic("sqrt", [self.value])

    def with_sign_of(self, other: Lanes) -> Lanes:
        """Return the magnitude of this with the sign of another."""
        return self._intrinsic("copysign", [self.value, other.value])

    def _intrinsic(self, name: str, values: list[Any]) -> Lanes:
        kind = self.value.type
        suffix = f"v{kind.count}f64" if isinstance(kind, ir.VectorType) else "f64"
        function = declared(self.builder, f"llvm.{name}.{suffix}", kind, len(values))
        return Lanes(self.builder, self.builder.call(function, values))

    def times_minus_sign_of(self, other: Lanes) -> Lanes:
        """Return this where another is negative, and this with its sign changed elsewhere."""
        builder, kind = self.builder, self.value.type
        count = kind.count if isinstance(kind, ir.VectorType) else 0
        whole = ir.VectorType(INTEGER, count) if count else INTEGER
        sign = ir.Constant(whole, [-(2**63)] * count if count else -(2**63))
        positive = builder.and_(builder.not_(builder.bitcast(other.value, whole)), sign)
        changed = builder.xor(builder.bitcast(self.value, whole), positive)
        return Lanes(builder, builder.bitcast(changed, kind))

    def library(self, name: str, *others: Lanes) -> Lanes:
        """Return a function of the C library, lane by lane.

        Parameters
        ----------
        name : str
            Of the function, or of LLVM's intrinsic for it.
        *others : Lanes
            More arguments.
        """
        arguments = [self.value, *(other.value for other in others)]
        function = declared(self.builder, name, DOUBLE, len(arguments))
        if not isinstance(self.value.type, ir.VectorType):
            return Lanes(self.builder, self.builder.call(function, arguments))
        made = ir.Constant(self.value.type, ir.Undefined)
        for i in range(self.value.type.count):
            lane = ir.Constant(ir.IntType(32), i)
            each = [self.builder.extract_element(value, lane) for value in arguments]
            made = self.builder.insert_element(made, self.builder.call(function, each), lane)
        return Lanes(self.builder, made)

    def is_(self, comparison: str, other: Lanes | float) -> Any:
        """Return in which lanes a comparison holds; it does not for nan."""
        return self.builder.fcmp_ordered(comparison, self.value, self._other(other))

    def where(self, condition: Any, other: Lanes | float) -> Lanes:
        """Return this where a condition holds and another elsewhere."""
        return Lanes(self.builder, self.builder.select(condition, self.value, self._other(other)))

    def at_least(self, bound: float) -> Lanes:
        """Return this or a bound if that is larger; nan stays."""
        return self.constant(bound).where(self.is_("<", bound), self)

    def at_most(self, bound: float) -> Lanes:
        """Return this or a bound if that is smaller; nan stays."""
        return self.constant(bound).where(self.is_(">", bound), self)

    def power_of_two(self) -> Lanes:
        """Return 2^k, where this is k + 1.5·2⁵² for a whole k between -1022 and 1023."""
        kind = self.value.type
        count = kind.count if isinstance(kind, ir.VectorType) else 0
        whole = ir.VectorType(INTEGER, count) if count else INTEGER
        bits = self.builder.bitcast(self.value, whole)
        shift = ir.Constant(whole, [52] * count if count else 52)
        one = ir.Constant(whole, [1023 << 52] * count if count else 1023 << 52)
        scaled = self.builder.add(self.builder.shl(bits, shift), one)
        return Lanes(self.builder, self.builder.bitcast(scaled, kind))


def constant(builder: Any, kind: Any, number: float) -> Lanes:
    """Return a number in all lanes of a type."""
    count = kind.count if isinstance(kind, ir.VectorType) else 0
    return Lanes(builder, _constant(count, float(number).hex()))


@lru_cache(maxsize=1024)
def _constant(count: int, digits: str) -> Any:
    """Return a constant, which is the longest to write of all that there is in code."""
    number = float.fromhex(digits)
    if not count:
        return ir.Constant(DOUBLE, number)
    return ir.Constant(ir.VectorType(DOUBLE, count), [number] * count)


def declared(builder: Any, name: str, kind: Any, arguments: int) -> Any:
    """Return a function of some arguments and a result of one type, declared once a module."""
    found = builder.module.globals.get(name)
    if found is None:
        found = ir.Function(builder.module, ir.FunctionType(kind, [kind] * arguments), name)
    return found
