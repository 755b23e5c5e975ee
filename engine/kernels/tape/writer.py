"""Write the value and gradient of a tape as LLVM's code, into whatever function needs them.

The same operations come in the same order as in the interpreter: forward through the shared part,
forward and backward through each pack of four rows, backward through the shared part. Numbers are
read from the program's table, not written into the code.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from engine.expressions.tape import Tape
from engine.kernels.tape import codes
from engine.kernels.tape.chains import CheckedSweep, Depths, plus_zero
from engine.kernels.tape.lanes import DOUBLE, INTEGER, PACK, WIDTH, Lanes, constant
from engine.kernels.tape.sweep import Sweep

NUMBERS, DATA, ROWS = 11, 12, 2
"""Entries of a program's table: addresses of numbers and data, the number of rows."""


class GradientWriter:
    """Writes value and gradient at points, wherever a builder stands.

    Parameters
    ----------
    builder : llvmlite.ir.IRBuilder
        Where numbers and constants are read, once for all points.
    tape : Tape
    constants : llvmlite.ir.Value
        Pointer to the values of the named constants.
    table : llvmlite.ir.Value
        Pointer to the program's table.
    """

    def __init__(self, builder: Any, tape: Tape, constants: Any, table: Any) -> None:
        self._builder = builder
        self._tape = tape
        self._table = table
        numbers = builder.inttoptr(self._entry(NUMBERS), DOUBLE.as_pointer())
        self._fixed = [load(builder, constants, i) for i in range(len(tape.constants))]
        self._fixed += [load(builder, numbers, i) for i in range(tape.numbers.size)]

    def write(self, point: list[Lanes], *, is_checked: bool = False) -> tuple[Lanes, list[Lanes]]:
        """Write value and gradient at a point of n numbers.

        Parameters
        ----------
        point : list of Lanes
        is_checked : bool
            Whether both are thrown away unless they are finite, and may have other bits then.
        """
        tape, builder = self._tape, self._builder
        leaves = [*point, *self._fixed]
        shared = (CheckedSweep if is_checked else Sweep)(builder, tape.shared, leaves)
        shared.forward(lambda a: leaves[a])
        if len(tape.rows):
            value = self._rows(shared)
            shared.propagate()
        else:
            value = shared.values[tape.root]
            shared.backward(tape.root, constant(builder, DOUBLE, 1.0))
        zero, depths = constant(builder, DOUBLE, 0.0), Depths()
        bars = shared.bars[: len(point)]
        return value, [zero if bar is None else plus_zero(bar, depths) for bar in bars]

    def _entry(self, i: int) -> Any:
        """Read an entry of the table."""
        return self._builder.load(self._builder.gep(self._table, [ir.Constant(INTEGER, i)]))

    def _pack(self, x: Any) -> Any:
        """Repeat a number in all lanes."""
        lane = ir.Constant(ir.IntType(32), 0)
        single = self._builder.insert_element(ir.Constant(PACK, ir.Undefined), x, lane)
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return self._builder.shuffle_vector(single, single, lanes)

    def _sum(self, pack: Any) -> Lanes:
        """Add the lanes as the interpreter does."""
        lanes = [
            Lanes(
                self._builder, self._builder.extract_element(pack, ir.Constant(ir.IntType(32), i))
            )
            for i in range(WIDTH)
        ]
        return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])

    def _rows(self, shared: Sweep) -> Lanes:
        """Write the loop over packs of rows; return the mean, and begin the shared adjoints."""
        tape, builder = self._tape, self._builder
        count = self._entry(ROWS)
        data = builder.inttoptr(self._entry(DATA), DOUBLE.as_pointer())
        three = ir.Constant(INTEGER, WIDTH - 1)
        stride = builder.and_(builder.add(count, three), ir.Constant(INTEGER, -WIDTH))
        share = 1.0 / Lanes(builder, builder.sitofp(count, DOUBLE))
        seed = Lanes(builder, self._pack(share.value))
        spreads = [k for k, (op, _, _) in enumerate(tape.rows.tolist()) if op == codes.SPREAD]
        spread = {
            int(a): Lanes(builder, self._pack(shared.values[a].value))
            for a in tape.rows[spreads, 1].tolist()
        }
        entry, loop = builder.block, builder.append_basic_block("rows")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(INTEGER)
        index.add_incoming(ir.Constant(INTEGER, 0), entry)
        sums = [builder.phi(PACK) for _ in range(len(spreads) + 1)]
        for each in sums:
            each.add_incoming(constant(builder, PACK, -0.0).value, entry)
        rows = Sweep(builder, tape.rows, self._columns(data, index, stride))
        rows.forward(lambda a: spread[a])
        inside = self._inside(index, count)
        rows.backward(tape.root, seed.where(inside, 0.0))
        after = [Lanes(builder, sums[0]) + rows.values[tape.root].where(inside, -0.0)]
        for k, before in zip(spreads, sums[1:], strict=True):
            bar = rows.bars[rows.leaves + k]
            here = Lanes(builder, before)
            after.append(here if bar is None else here + bar)
        following = builder.add(index, ir.Constant(INTEGER, WIDTH))
        index.add_incoming(following, builder.block)
        for phi, new in zip(sums, after, strict=True):
            phi.add_incoming(new.value, builder.block)
        done = builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed("<", following, count), loop, done)
        builder.position_at_end(done)
        shared.begin()
        for k, new in reversed(list(zip(spreads, after[1:], strict=True))):
            if rows.bars[rows.leaves + k] is not None:
                shared.add(int(tape.rows[k, 1]), self._sum(new.value))
        return self._sum(after[0].value) * share

    def _columns(self, data: Any, index: Any, stride: Any) -> list[Lanes]:
        """Read a pack of rows of every column."""
        builder, made = self._builder, []
        for column in range(len(self._tape.columns)):
            at = builder.add(builder.mul(stride, ir.Constant(INTEGER, column)), index)
            where = builder.bitcast(builder.gep(data, [at]), PACK.as_pointer())
            made.append(Lanes(builder, builder.load(where, align=8)))
        return made

    def _inside(self, index: Any, count: Any) -> Any:
        """Return which lanes are rows, and not copies of the last one."""
        builder = self._builder
        left = builder.sitofp(builder.sub(count, index), DOUBLE)
        lanes = ir.Constant(PACK, [float(i) for i in range(WIDTH)])
        return builder.fcmp_ordered("<", lanes, self._pack(left))


def load(builder: Any, where: Any, i: int) -> Lanes:
    """Read entry i of an array of floats."""
    return Lanes(builder, builder.load(builder.gep(where, [ir.Constant(INTEGER, i)])))


def store(builder: Any, value: Lanes, where: Any, i: int) -> None:
    """Write entry i of an array of floats."""
    builder.store(value.value, builder.gep(where, [ir.Constant(INTEGER, i)]))
