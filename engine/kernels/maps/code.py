"""Machine code that makes steps of many runs at once, each in a lane of a pack.

Gradient descent without and with momentum on a tape without rows. A lane has the bits of a run
that is alone, whatever the width of the pack; the code for one step of all lanes is one straight
line, which the processor carries out several lanes at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from llvmlite import ir

from engine.expressions.tape import Tape
from engine.kernels.tape import codes
from engine.kernels.tape.lanes import DOUBLE, INTEGER, Lanes, constant
from engine.kernels.tape.native import effort
from engine.kernels.tape.store import CodeStore, assemble
from engine.kernels.tape.sweep import Sweep, TangentSweep
from engine.theory.optimisers import OptimiserId

METHODS: tuple[OptimiserId, ...] = ("gradient-descent", "heavy-ball", "nesterov")
"""Optimisers whose steps are compiled."""
MOST_EFFORT = 600
"""Longer tapes are left to the general kernel: compiling packs takes four times as long."""
WIDTHS = ((40, 8), (MOST_EFFORT, 4))
"""Lanes of a pack by the length of the tape: what the processor's registers hold."""

CodeKind = Literal["steps", "tangent", "early"]
"""Steps, steps with a displacement, or runs that are decided early."""
Write = Callable[[Any, Tape, OptimiserId, int], None]
"""Writes a function of LLVM's for a tape, an optimiser and a number of lanes."""


class PackCode:
    """Machine code of the steps of a pack; it lasts as long as this object.

    Attributes
    ----------
    width : int
        Lanes of a pack.
    address : int
        Where it begins; called as `engine.kernels.tape.machine.interpret` is, with a number of
        steps for its task.
    """

    def __init__(
        self, tape: Tape, method: OptimiserId, width: int, kind: CodeKind, write: Write
    ) -> None:
        self.width = width
        self._library, self.address = assemble(
            kind, lambda function: write(function, tape, method, width), with_passes=True
        )


CODES: CodeStore[PackCode] = CodeStore(kept=64)


def width_of(tape: Tape) -> int:
    """Return how many lanes a pack of a tape has."""
    length = effort(tape)
    return next((width for most, width in WIDTHS if length <= most), WIDTHS[-1][1])


def can_be_compiled(tape: Tape, method: OptimiserId) -> bool:
    """Return whether steps of an optimiser on a tape are compiled."""
    if method == "nesterov" and has_edges(tape):
        return False  # its gradient is taken elsewhere than where the loss is looked at
    return method in METHODS and not len(tape.rows) and effort(tape) <= MOST_EFFORT


def has_edges(tape: Tape) -> bool:
    """Return whether the loss may be no number where its gradient is one."""
    return bool(np.any(tape.shared[:, 0] == codes.LOG))


def compiled(
    tape: Tape, method: OptimiserId, *, tangent: bool = False, width: int | None = None
) -> PackCode:
    """Compile the steps of an optimiser on a tape, or return their code if it is there.

    Parameters
    ----------
    tape : Tape
        Without rows.
    method : OptimiserId
        One of `METHODS`.
    tangent : bool
        Whether the derivative along a direction is carried along.
    width : int, optional
        Lanes of a pack; `width_of` the tape by default.
    """

    def write(function: Any, *of: Any) -> None:
        StepsWriter(function, *of, has_tangent=tangent).write()

    return code_for(tape, method, "tangent" if tangent else "steps", write, width)


def code_for(
    tape: Tape, method: OptimiserId, kind: CodeKind, write: Write, width: int | None = None
) -> PackCode:
    """Return the code of a kind for a tape, written and compiled if it is not there."""
    lanes = width_of(tape) if width is None else width
    sizes = (len(tape.variables), len(tape.constants), tape.numbers.size, tape.root)
    key = (*sizes, tape.shared.tobytes(), method, lanes, kind)
    return CODES.made(key, lambda: PackCode(tape, method, lanes, kind, write))


class PackWriter:
    """Writes what all functions over packs have in common: one step, and reading and writing.

    Parameters
    ----------
    function : llvmlite.ir.Function
        Its last 8 arguments are integers.
    tape : Tape
    method : OptimiserId
    width : int
        Lanes of a pack.
    """

    _sweep: type[Sweep] = Sweep

    def __init__(self, function: Any, tape: Tape, method: OptimiserId, width: int) -> None:
        self._tape = tape
        self._method = method
        self._width = width
        self._pack = ir.VectorType(DOUBLE, width)
        self._builder = ir.IRBuilder(function.append_basic_block("entry"))
        self._floats = DOUBLE.as_pointer()

    def _step(
        self,
        point: list[Lanes],
        push: list[Lanes],
        rest: list[Lanes],
        rates: list[Lanes],
        momentum: Lanes,
    ) -> tuple[list[Lanes], list[Lanes], Lanes]:
        """Write one step; return point and direction after it, and the loss before."""
        n = len(rates)
        looks_ahead = self._method == "nesterov"
        at, along = point[:n], push[:n]
        if looks_ahead:
            at = [w + momentum * v for w, v in zip(at, point[n:], strict=True)]
            along = [u + momentum * v for u, v in zip(along, push[n:], strict=True)]
        slopes, turns, loss = self._slopes([*at, *rest], along)
        following = self._moved(point, slopes, rates, momentum)[0]
        turned = self._moved(push, turns, rates, momentum)[0] if push else []
        return following, turned, loss

    def _moved(
        self, point: list[Lanes], slopes: list[Lanes], rates: list[Lanes], momentum: Lanes
    ) -> tuple[list[Lanes], list[Lanes]]:
        """Write what slopes make of a point; return it, and the size of each weight's change."""
        moves = [rate * slope for rate, slope in zip(rates, slopes, strict=True)]
        if self._method == "gradient-descent":
            return [w - move for w, move in zip(point, moves, strict=True)], moves
        n = len(rates)
        speeds = [momentum * v - move for v, move in zip(point[n:], moves, strict=True)]
        return [*(w + v for w, v in zip(point[:n], speeds, strict=True)), *speeds], speeds

    def _slopes(
        self, leaves: list[Lanes], along: list[Lanes]
    ) -> tuple[list[Lanes], list[Lanes], Lanes]:
        """Write the gradient, the Hessian times a direction if there is one, and the loss."""
        builder, tape, n = self._builder, self._tape, len(self._tape.variables)
        zero, one = (constant(builder, self._pack, number) for number in (0.0, 1.0))
        sweep = (
            TangentSweep(builder, tape.shared, leaves, [*along, *[None] * (len(leaves) - n)])
            if along
            else self._sweep(builder, tape.shared, leaves)
        )
        sweep.forward(lambda a: leaves[a])
        sweep.backward(tape.root, one)
        bars = [zero if bar is None else self._signed(bar) for bar in sweep.bars[:n]]
        turns = sweep.turns[:n] if isinstance(sweep, TangentSweep) else []
        turned = [zero if turn is None else turn + 0.0 for turn in turns]
        return bars, turned, sweep.values[tape.root]

    def _signed(self, slope: Lanes) -> Lanes:
        """Return an entry of the gradient with the interpreter's sign of 0."""
        return slope + 0.0

    def _numbers(self, table: Any) -> list[Lanes]:
        """Read the numbers of a program with a table into all lanes."""
        builder = self._builder
        entry = builder.gep(table, [ir.Constant(INTEGER, 11)])
        numbers = builder.inttoptr(builder.load(entry), self._floats)
        return [self._everywhere(numbers, i) for i in range(self._tape.numbers.size)]

    def _everywhere(self, where: Any, i: int) -> Lanes:
        """Read one number into all lanes."""
        number = self._builder.load(self._builder.gep(where, [ir.Constant(INTEGER, i)]))
        return self._spread(number)

    def _spread(self, number: Any) -> Lanes:
        """Put one number into all lanes."""
        builder, undefined = self._builder, ir.Constant(self._pack, ir.Undefined)
        single = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self._width), [0] * self._width)
        return Lanes(builder, builder.shuffle_vector(single, single, lanes))

    def _place(self, where: Any, i: int, offset: Any) -> Any:
        at: Any = ir.Constant(INTEGER, i * self._width)
        if offset is not None:
            at = self._builder.add(offset, at)
        return self._builder.bitcast(self._builder.gep(where, [at]), self._pack.as_pointer())

    def _load(self, where: Any, i: int) -> Lanes:
        return Lanes(self._builder, self._builder.load(self._place(where, i, None), align=8))

    def _store(self, where: Any, value: Lanes, i: int, offset: Any = None) -> None:
        self._builder.store(value.value, self._place(where, i, offset), align=8)


class StepsWriter(PackWriter):
    """Writes steps of one pack, which are kept.

    The arguments are addresses: of the points (m, W) for m numbers a point; of constants, step
    sizes of the coordinates and the momentum (c + n + 1, W); of a direction (m, W); the number of
    steps; of the trail (steps, m, W), which receives the points; of the largest weights on the
    way (W,); and of the program's table.
    """

    def __init__(
        self, function: Any, tape: Tape, method: OptimiserId, width: int, *, has_tangent: bool
    ) -> None:
        super().__init__(function, tape, method, width)
        self._has_tangent = has_tangent
        z, fixed, along, count, trail, peak, table, _ = function.args[-8:]
        self._z, self._fixed, self._along, self._trail, self._peak = (
            self._builder.inttoptr(each, self._floats) for each in (z, fixed, along, trail, peak)
        )
        self._count = count
        self._table = self._builder.inttoptr(table, INTEGER.as_pointer())

    def write(self) -> None:
        """Write the function."""
        builder, n = self._builder, len(self._tape.variables)
        size = n if self._method == "gradient-descent" else 2 * n
        held = len(self._tape.constants)
        constants = [self._load(self._fixed, i) for i in range(held)]
        rates = [self._load(self._fixed, held + i) for i in range(n)]
        momentum = self._load(self._fixed, held + n)
        numbers = self._numbers(self._table)
        begin = [self._load(self._z, i) for i in range(size)]
        if self._has_tangent:
            begin += [self._load(self._along, i) for i in range(size)]
        begin += [constant(builder, self._pack, 0.0)] * 2
        entry, loop = builder.block, builder.append_basic_block("step")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(INTEGER)
        index.add_incoming(ir.Constant(INTEGER, 0), entry)
        phis = [builder.phi(self._pack) for _ in begin]
        for phi, first in zip(phis, begin, strict=True):
            phi.add_incoming(first.value, entry)
        before = [Lanes(builder, phi) for phi in phis]
        point, push, (spoilt, peak) = before[:size], before[size:-2], before[-2:]
        point, push, loss = self._step(point, push, [*constants, *numbers], rates, momentum)
        if has_edges(self._tape):
            spoilt = spoilt + loss * 0.0  # no number from then on
        for each in point[:n]:
            height = each.magnitude()
            peak = peak.where(peak.is_(">=", height), height)  # and nan where it is no number
        row = builder.mul(index, ir.Constant(INTEGER, size * self._width))
        for i, each in enumerate(point):
            self._store(self._trail, each, i, row)
        after = [*point, *push, spoilt, peak]
        following = builder.add(index, ir.Constant(INTEGER, 1))
        index.add_incoming(following, builder.block)
        for phi, new in zip(phis, after, strict=True):
            phi.add_incoming(new.value, builder.block)
        done = builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed("<", following, self._count), loop, done)
        builder.position_at_end(done)
        for i, each in enumerate(point):
            self._store(self._z, each, i)
        for i, each in enumerate(push):
            self._store(self._along, each, i)
        self._store(self._peak, peak + spoilt, 0)
        builder.ret(ir.Constant(ir.IntType(32), 0))
