"""Shorter chains of operations that wait for one another, with the same bits.

A run is as slow as the chain from one point to the next; what is off the chain is done while the
processor waits for it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from engine.kernels.tape import codes
from engine.kernels.tape.lanes import Lanes
from engine.kernels.tape.sweep import Sweep

_SUMS = (codes.ADD, codes.SUB)
_OF_TWO = (*_SUMS, codes.MUL, codes.POWER, codes.MAX, codes.MIN)


class Depths:
    """How many operations, one after another, lead from the state of a loop to values."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def of(self, value: Any) -> int:
        """Return the longest chain to a value of LLVM's; 0 where it is the same in every round."""
        known, waiting = self._known, [value]
        while waiting:
            here = waiting[-1]
            inner = [] if _is_source(here) else here.operands
            missing = [each for each in inner if id(each) not in known]
            if missing:
                waiting += missing
                continue
            longest = max((known[id(each)] for each in inner), default=0)
            is_state = getattr(here, "opname", "") == "phi"
            known[id(here)] = 1 if is_state else longest + 1 if longest else 0
            waiting.pop()
        return known[id(value)]


def _is_source(value: Any) -> bool:
    """Return whether a value comes from outside of the loop, as far as chains are concerned."""
    return getattr(value, "opname", "load") in ("load", "phi")


def plus_zero(x: Lanes, depths: Depths) -> Lanes:
    """Return x + 0, which is never -0.

    Where x is a sum, 0 is added to the part of it that is there earlier: the sum of a and b is -0
    only if both are.
    """
    value, builder = x.value, x.builder
    if getattr(value, "opname", "") != "fadd":
        return x + 0.0
    first, second = (Lanes(builder, each) for each in value.operands)
    if depths.of(first.value) < depths.of(second.value):
        return (first + 0.0) + second
    return first + (second + 0.0)


class CheckedSweep(Sweep):
    """A sweep whose results are thrown away unless value and gradient are finite.

    What needs no infinity or NaN to have the bits of `Sweep` is done earlier. Doubling is exact
    unless it overflows, so bar (x + x) is (bar + bar) x. In a square that is a summand of the
    value, times numbers, bar is the same in every round, and only one product waits for x; where
    x + x overflows there, the value is not finite, and where bar + bar does, the gradient.
    """

    def __init__(self, *of: Any) -> None:
        super().__init__(*of)
        self._depths = Depths()
        self._steady: set[int] = set()
        """Places whose adjoint no variable changes."""

    def backward(self, root: int, seed: Lanes) -> None:
        """Write the adjoints of all places on which a result depends."""
        self._steady = self._summands(root)
        super().backward(root, seed)

    def _summands(self, root: int) -> set[int]:
        """Find what is added up to a result, times numbers, and used for nothing else."""
        uses = Counter(a for _, a, _ in self.code)
        uses.update(b for op, _, b in self.code if op in _OF_TWO)
        found = {root}
        for node in range(root, self.leaves - 1, -1):
            op, a, b = self.code[node - self.leaves]
            if node not in found:
                continue
            if op in (*_SUMS, codes.NEG):
                found.update(each for each in ({a, b} if op in _SUMS else {a}) if uses[each] == 1)
            elif op == codes.MUL:
                pairs = ((a, b), (b, a))
                found.update(x for x, by in pairs if uses[x] == 1 and self._is_fixed(by))
        return found

    def _is_fixed(self, place: int) -> bool:
        return self._depths.of(self.values[place].value) == 0

    def _adjoint(self, op: int, a: int, b: int, bar: Lanes, node: int) -> None:
        if op != codes.SQUARE:
            super()._adjoint(op, a, b, bar, node)
        elif node in self._steady:
            self.add(a, (bar + bar) * self.values[a], self.reached.get(node))
        else:
            self.add(a, self._product(bar, self.slopes[node]), self.reached.get(node))

    def _product(self, bar: Lanes, slope: Lanes) -> Lanes:
        """Write a product in which what is there earlier has its sign changed, if anything has."""
        is_late = self._depths.of(slope.value) < self._depths.of(bar.value)
        if is_late and getattr(bar.value, "opname", "") == "fneg":
            return Lanes(self.builder, bar.value.operands[0]) * -slope
        return bar * slope
