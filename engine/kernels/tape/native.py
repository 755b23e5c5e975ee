"""Compile the value and gradient of a tape to machine code, with the interpreter's bits.

The same operations come in the same order: forward through the shared part, forward and backward
through each pack of four rows, backward through the shared part. Numbers are read from the table,
not written into the code, so that tapes that differ in numbers only share it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from engine.expressions.tape import Tape
from engine.kernels.tape import codes
from engine.kernels.tape.lanes import DOUBLE, INTEGER, PACK, WIDTH, Lanes, constant
from engine.kernels.tape.sweep import Sweep

MOST_EFFORT = 2000
"""Longer tapes are left to the interpreter: compiling takes more than in proportion to length.

A tape of this many operations takes some 0.5 s, one of 100 hyperbolic tangents 0.7 s.
"""
LONG = 8
"""How many operations a function counts for that is an exponential or made of one."""
KEPT = 256
"""Compiled tapes that are kept, the last ones used."""

_EXPONENTIALS = frozenset(
    {
        codes.EXP,
        codes.SINH,
        codes.COSH,
        codes.TANH,
        codes.SIGMOID,
        codes.SOFTPLUS,
        codes.LOGCOSH,
    }
)
_Key = tuple[int, int, int, int, bytes, bytes, int]
_compiled: OrderedDict[_Key, Code] = OrderedDict()
_pending: set[_Key] = set()


class Code:
    """Machine code of a tape; it lasts as long as this object.

    Attributes
    ----------
    address : int
        Where it begins; called as `engine.kernels.tape.machine.interpret` is, with task 1.
    """

    def __init__(self, tape: Tape) -> None:
        with global_compiler_lock:
            target: Any = cpu_target.target_context
            library = target.codegen().create_library("tape")
            module = library.create_ir_module("tape")
            kind = target.call_conv.get_function_type(types.none, (types.int64,) * 8)
            function = ir.Function(module, kind, "value_and_gradient")
            _Writer(function, tape).write()
            library.add_ir_module(module)
            library.finalize()
            self._library = library
            self.address: int = library.get_pointer_to_function("value_and_gradient")


def compiled(tape: Tape) -> Code | None:
    """Compile a tape, or return its code if it is compiled; None where it is too long."""
    if effort(tape) > MOST_EFFORT:
        return None
    key = _key(tape)
    with global_compiler_lock:
        code = _compiled.pop(key, None) or Code(tape)
        _compiled[key] = code
        while len(_compiled) > KEPT:
            _compiled.popitem(last=False)
    return code


def ready(tape: Tape) -> Code | None:
    """Return the code of a tape if it is compiled, at once."""
    return _compiled.get(_key(tape))


def start(tape: Tape) -> None:
    """Compile a tape in a thread of its own, unless it is compiled, being compiled or too long."""
    key = _key(tape)
    if key in _compiled or key in _pending or effort(tape) > MOST_EFFORT:
        return
    _pending.add(key)
    threading.Thread(target=_compile, args=(tape, key), name="tape compiler").start()


def _compile(tape: Tape, key: _Key) -> None:
    try:
        compiled(tape)
    finally:
        _pending.discard(key)


def effort(tape: Tape) -> int:
    """Return how long the code of a tape is, in basic operations."""
    ops = [*tape.shared[:, 0].tolist(), *tape.rows[:, 0].tolist()]
    return len(ops) + (LONG - 1) * sum(op in _EXPONENTIALS for op in ops)


def _key(tape: Tape) -> _Key:
    """Return all that the code of a tape depends on."""
    sizes = (len(tape.variables), len(tape.constants), len(tape.columns), tape.numbers.size)
    return (*sizes, tape.shared.tobytes(), tape.rows.tobytes(), tape.root)


class _Writer:
    """Writes one function of LLVM's."""

    def __init__(self, function: Any, tape: Tape) -> None:
        self._function = function
        self._tape = tape
        self._builder = ir.IRBuilder(function.append_basic_block("entry"))
        z, fixed, _, _, value, slope, table, _ = function.args[-8:]
        floats = DOUBLE.as_pointer()
        self._z = self._builder.inttoptr(z, floats)
        self._constants = self._builder.inttoptr(fixed, floats)
        self._value = self._builder.inttoptr(value, floats)
        self._slope = self._builder.inttoptr(slope, floats)
        self._table = self._builder.inttoptr(table, INTEGER.as_pointer())

    def _entry(self, i: int) -> Any:
        """Read an entry of the table."""
        where = self._builder.gep(self._table, [ir.Constant(INTEGER, i)])
        return self._builder.load(where)

    def _load(self, where: Any, i: int) -> Lanes:
        at = self._builder.gep(where, [ir.Constant(INTEGER, i)])
        return Lanes(self._builder, self._builder.load(at))

    def write(self) -> None:
        """Write the function."""
        tape, builder = self._tape, self._builder
        numbers = builder.inttoptr(self._entry(11), DOUBLE.as_pointer())
        leaves = [self._load(self._z, i) for i in range(len(tape.variables))]
        leaves += [self._load(self._constants, i) for i in range(len(tape.constants))]
        leaves += [self._load(numbers, i) for i in range(tape.numbers.size)]
        shared = Sweep(builder, tape.shared, leaves)
        shared.forward(lambda a: leaves[a])
        if len(tape.rows):
            value = self._rows(shared)
            shared.propagate()
        else:
            value = shared.values[tape.root]
            shared.backward(tape.root, constant(builder, DOUBLE, 1.0))
        for i in range(len(tape.variables)):
            bar = shared.bars[i]
            made = constant(builder, DOUBLE, 0.0) if bar is None else bar + 0.0
            builder.store(made.value, builder.gep(self._slope, [ir.Constant(INTEGER, i)]))
        builder.store(value.value, self._value)
        builder.ret(ir.Constant(ir.IntType(32), 0))

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
        count = self._entry(2)
        data = builder.inttoptr(self._entry(12), DOUBLE.as_pointer())
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
