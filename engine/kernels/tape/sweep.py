"""Write the operations of a tape, forward for values and backward for adjoints, as LLVM's code.

The operations come in the interpreter's order and have its bits, whether a value is one number or a
pack of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.kernels.tape import codes
from engine.kernels.tape.elementary import FORMULAS, power
from engine.kernels.tape.lanes import Lanes


class Sweep:
    """Values, slopes and adjoints of the places of one part of a tape."""

    def __init__(self, builder: Any, code: Any, leaves: Sequence[Lanes]) -> None:
        self.builder = builder
        self.code: list[list[int]] = code.tolist()
        self.leaves = len(leaves)
        self.values = list(leaves)
        self.slopes: dict[int, Any] = {}
        self.bars: list[Lanes | None] = []
        self.reached: dict[int, Any] = {}
        """In which lanes there is an adjoint, of places that a maximum may not take it from."""

    def forward(self, spread: Callable[[int], Lanes]) -> None:
        """Write all operations; `spread` returns a value of the shared part for all rows."""
        for op, a, b in self.code:
            self.values.append(spread(a) if op == codes.SPREAD else self._operation(op, a, b))

    def _operation(self, op: int, a: int, b: int) -> Lanes:
        x, y = self.values[a], self.values[b]
        if op == codes.ADD:
            return x + y
        if op == codes.SUB:
            return x - y
        if op == codes.MUL:
            return x * y
        if op == codes.NEG:
            return -x
        node = len(self.values)
        if op in (codes.MAX, codes.MIN):
            first = x.is_(">=" if op == codes.MAX else "<=", y)
            first = self.builder.or_(first, self.builder.fcmp_unordered("uno", x.value, x.value))
            self.slopes[node] = first
            return x.where(first, y)
        value, slope, *_ = power(x, y) if op == codes.POWER else FORMULAS[op](x)
        self.slopes[node] = slope
        return value

    def backward(self, root: int, seed: Lanes) -> None:
        """Write the adjoints of all places on which a result depends."""
        self.begin()
        self.bars[root] = seed
        self.propagate()

    def begin(self) -> None:
        """Begin without any adjoints."""
        self.bars = [None] * len(self.values)
        self.reached = {}

    def propagate(self) -> None:
        """Write adjoints from those that there are to the leaves."""
        for k in range(len(self.code) - 1, -1, -1):
            op, a, b = self.code[k]
            bar = self.bars[self.leaves + k]
            if bar is not None and op != codes.SPREAD:
                self._adjoint(op, a, b, bar, self.leaves + k)

    def _adjoint(self, op: int, a: int, b: int, bar: Lanes, node: int) -> None:
        reached = self.reached.get(node)
        if op in (codes.ADD, codes.SUB):
            self.add(a, bar, reached)
            self.add(b, bar if op == codes.ADD else -bar, reached)
        elif op == codes.NEG:
            self.add(a, -bar, reached)
        elif op == codes.MUL:
            x, y = self.values[a], self.values[b]
            self.add(b, bar * x, reached)
            self.add(a, bar * y, reached)
        elif op in (codes.MAX, codes.MIN):
            first = self.slopes[node]
            second = self.builder.not_(first)
            if reached is not None:
                first = self.builder.and_(first, reached)
                second = self.builder.and_(second, reached)
            self.add(b, bar, second)
            self.add(a, bar, first)
        else:
            self.add(a, bar * self.slopes[node], reached)

    def add(self, place: int, part: Lanes, reached: Any = None) -> None:
        """Add to an adjoint, in some lanes only if `reached` is not None."""
        if reached is not None:
            part = part.where(reached, -0.0)  # to which adding is exact
        before = self.bars[place]
        known = self.reached.pop(place, None)
        if before is None:
            known = reached
        elif known is not None and reached is not None:
            known = self.builder.or_(known, reached)
        else:
            known = None
        if known is not None:
            self.reached[place] = known
        self.bars[place] = part if before is None else before + part


class TangentSweep(Sweep):
    """A sweep that carries derivatives along one direction with values and adjoints.

    The adjoints' derivatives at the variables are the Hessian times the direction.

    Parameters
    ----------
    builder, code, leaves
        As of `Sweep`.
    tangents : sequence of Lanes or None
        Entries of the direction, None for leaves that it leaves alone.
    """

    def __init__(
        self, builder: Any, code: Any, leaves: Sequence[Lanes], tangents: Sequence[Lanes | None]
    ) -> None:
        super().__init__(builder, code, leaves)
        self.tangents = list(tangents)
        self.turns: list[Lanes | None] = []
        """Derivatives of the adjoints, None where there is none."""
        self._curves: dict[int, Lanes] = {}

    def _operation(self, op: int, a: int, b: int) -> Lanes:
        x, y = self.values[a], self.values[b]
        u, v = self.tangents[a], self.tangents[b]
        node = len(self.values)
        if op in (codes.ADD, codes.SUB, codes.MUL, codes.NEG, codes.MAX, codes.MIN):
            made = super()._operation(op, a, b)
            if op == codes.MUL:
                first = None if u is None else u * y
                self.tangents.append(_sum(first, None if v is None else x * v))
            elif op in (codes.MAX, codes.MIN):
                self.tangents.append(_chosen(self.slopes[node], u, v))
            elif op == codes.NEG:
                self.tangents.append(None if u is None else -u)
            else:
                self.tangents.append(_sum(u, v, negative=op == codes.SUB))
            return made
        jet = power(x, y) if op == codes.POWER else FORMULAS[op](x)
        self.slopes[node], self._curves[node] = jet[1], jet[2]
        self.tangents.append(None if u is None else jet[1] * u)
        return jet[0]

    def begin(self) -> None:
        """Begin without any adjoints."""
        super().begin()
        self.turns = [None] * len(self.values)

    def _adjoint(self, op: int, a: int, b: int, bar: Lanes, node: int) -> None:
        turn, reached = self.turns[node], self.reached.get(node)
        if op in (codes.ADD, codes.SUB):
            self._turn(b, turn if turn is None or op == codes.ADD else -turn, reached)
            self._turn(a, turn, reached)
        elif op == codes.NEG:
            self._turn(a, None if turn is None else -turn, reached)
        elif op == codes.MUL:
            for place, other in ((b, a), (a, b)):
                x, u = self.values[other], self.tangents[other]
                self._turn(place, None if turn is None else turn * x, reached)
                self._turn(place, None if u is None else bar * u, reached)
        elif op in (codes.MAX, codes.MIN):
            first = self.slopes[node]
            second = self.builder.not_(first)
            if reached is not None:
                first = self.builder.and_(first, reached)
                second = self.builder.and_(second, reached)
            self._turn(b, turn, second)
            self._turn(a, turn, first)
        else:
            u = self.tangents[a]
            self._turn(a, None if turn is None else turn * self.slopes[node], reached)
            self._turn(a, None if u is None else bar * (self._curves[node] * u), reached)
        super()._adjoint(op, a, b, bar, node)

    def _turn(self, place: int, part: Lanes | None, reached: Any) -> None:
        """Add to the derivative of an adjoint, in some lanes only if `reached` is not None."""
        if part is None:
            return
        if reached is not None:
            part = part.where(reached, -0.0)
        before = self.turns[place]
        self.turns[place] = part if before is None else before + part


def _sum(first: Lanes | None, second: Lanes | None, negative: bool = False) -> Lanes | None:
    """Add two derivatives, or subtract the second, where there are any."""
    if second is None:
        return first
    if first is None:
        return -second if negative else second
    return first - second if negative else first + second


def _chosen(is_first: Any, first: Lanes | None, second: Lanes | None) -> Lanes | None:
    """Return the derivative of what was chosen lane by lane."""
    if first is None and second is None:
        return None
    if first is None:
        assert second is not None
        return second.constant(0.0).where(is_first, second)
    return first.where(is_first, 0.0 if second is None else second)
