"""Compile the value and gradient of a tape to machine code, with the interpreter's bits.

Tapes that differ in numbers only share their code.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from engine.expressions.tape import Tape
from engine.kernels.tape import codes
from engine.kernels.tape.lanes import DOUBLE, INTEGER
from engine.kernels.tape.store import CodeStore, assemble
from engine.kernels.tape.writer import GradientWriter, load, store

MOST_EFFORT = 2000
"""Longer tapes are left to the interpreter: compiling takes more than in proportion to length.

A tape of this many operations takes some 0.5 s, one of 100 hyperbolic tangents 0.6 s.
"""
LONG = 8
"""How many operations a function counts for that is an exponential or made of one."""
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
TapeKey = tuple[int, int, int, int, bytes, bytes, int]
"""All that the code of a tape depends on."""


class Code:
    """Machine code of a tape; it lasts as long as this object.

    Attributes
    ----------
    address : int
        Where it begins; called as `engine.kernels.tape.machine.interpret` is, with task 1.
    """

    def __init__(self, tape: Tape) -> None:
        self._library, self.address = assemble("tape", lambda function: _write(function, tape))


CODES: CodeStore[Code] = CodeStore(kept=256)


def compiled(tape: Tape) -> Code | None:
    """Compile a tape, or return its code if it is compiled; None where it is too long."""
    if effort(tape) > MOST_EFFORT:
        return None
    return CODES.made(key_of(tape), lambda: Code(tape))


def ready(tape: Tape) -> Code | None:
    """Return the code of a tape if it is compiled, at once."""
    return CODES.ready(key_of(tape))


def start(tape: Tape) -> None:
    """Compile a tape in a thread of its own, unless it is compiled, being compiled or too long."""
    if effort(tape) <= MOST_EFFORT:
        CODES.start(key_of(tape), lambda: Code(tape))


def effort(tape: Tape) -> int:
    """Return how long the code of a tape is, in basic operations."""
    ops = [*tape.shared[:, 0].tolist(), *tape.rows[:, 0].tolist()]
    return len(ops) + (LONG - 1) * sum(op in _EXPONENTIALS for op in ops)


def key_of(tape: Tape) -> TapeKey:
    """Return all that the code of a tape depends on."""
    sizes = (len(tape.variables), len(tape.constants), len(tape.columns), tape.numbers.size)
    return (*sizes, tape.shared.tobytes(), tape.rows.tobytes(), tape.root)


def _write(function: Any, tape: Tape) -> None:
    """Write a function of LLVM's that is called as the interpreter is."""
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    z, fixed, _, _, value, slope, table, _ = function.args[-8:]
    floats = DOUBLE.as_pointer()
    at, constants, values, slopes = (builder.inttoptr(x, floats) for x in (z, fixed, value, slope))
    writer = GradientWriter(builder, tape, constants, builder.inttoptr(table, INTEGER.as_pointer()))
    made, gradient = writer.write([load(builder, at, i) for i in range(len(tape.variables))])
    for i, each in enumerate(gradient):
        store(builder, each, slopes, i)
    store(builder, made, values, 0)
    builder.ret(ir.Constant(ir.IntType(32), 0))
