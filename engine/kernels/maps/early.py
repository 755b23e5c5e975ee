"""Runs that are decided early: those that diverge, and those that come to a known minimum.

Machine code goes through the starts, a pack after another. A lane is done when its weights are too
large, or when its state is in the trap of a known minimum: an ellipsoid that no step leads out of
and in which the weights are as near as `NEAR` says. What is not decided so is left to
`engine.kernels.maps.outcomes`, which looks at the states of a run; most runs need no such look.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.expressions.tape import Tape
from engine.kernels.maps.advance import CHUNK
from engine.kernels.maps.code import PackCode, PackWriter, code_for
from engine.kernels.maps.outcomes import FAR
from engine.kernels.maps.traps import Traps
from engine.kernels.optimisers.descent import LIMIT
from engine.kernels.tape import codes
from engine.kernels.tape.lanes import DOUBLE, INTEGER, Lanes, constant
from engine.kernels.tape.program import Program
from engine.kernels.tape.sweep import Sweep
from engine.theory.optimisers import OptimiserId

_LEAVES, _SMALL, _FAR, _OPEN, _GONE, _STEPS, _LOOKED = range(7)
"""Places of the numbers that the code is given; the last two hold integers."""
_NUMBERS = 8
WIDTH = 4
"""Lanes of a pack: what the registers hold; wider ones are no faster."""
_POLYNOMIAL = (codes.ADD, codes.SUB, codes.MUL, codes.NEG, codes.SQUARE)
_COUNTS = 0x4330000000000000
"""The bits of 2⁵²: one more is 1 more."""
_CODES, _SINCE, _SHARPNESS = range(3)
"""Places of what is known of the lanes of a pack."""

_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 8
)


class Early:
    """Decides early what runs do that differ in their starts alone.

    Parameters
    ----------
    tape : Tape
    method : OptimiserId
    program : Program
        Of the tape.
    fixed : ndarray, shape (k,)
        Constants, step sizes of the coordinates, and the momentum first of the rest.
    found : Traps
    """

    def __init__(
        self,
        tape: Tape,
        method: OptimiserId,
        program: Program,
        fixed: FloatArray,
        found: Traps,
    ) -> None:
        self._code: PackCode = code_for(tape, method, "early", _write, WIDTH)
        self._call = _SIGNATURE(self._code.address)
        self._program, self._fixed, self._traps = program, np.ascontiguousarray(fixed), found

    def decide(
        self,
        starts: FloatArray,
        most: int,
        names: tuple[int, int],
        found: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    ) -> None:
        """Write what is known of runs.

        Parameters
        ----------
        starts : ndarray, shape (n, m)
        most : int
            Steps of a run.
        names : tuple of two int
            Codes of a run that is not decided, and of one that diverged.
        found : ndarrays of uint8, float32 and float32, shape (m,)
            Receive codes, that of a minimum being its number; steps to divergence, or after which
            the weights are near the minimum for good; and sharpness of the minimum.
        """
        count, width = starts.shape[1], self._code.width
        if count < width:
            wide = np.repeat(starts[:, -1:], width, axis=1)
            wide[:, :count] = starts
            codes_made, steps_made, sharpness_made = (np.empty(width, each.dtype) for each in found)
            more = (codes_made, steps_made, sharpness_made)
            self.decide(wide, most, names, more)
            for each, made in zip(found, more, strict=True):
                each[:] = made[:count]
            return
        begin, numbers = np.ascontiguousarray(starts), np.zeros(_NUMBERS + 3 * width)
        numbers[: _GONE + 1] = LIMIT, self._traps.small, FAR, *names
        steps = min(-(-most // CHUNK) * CHUNK, self._traps.steps)
        numbers.view(np.int64)[_STEPS] = steps
        outputs = [np.ascontiguousarray(each) for each in found]
        places = np.array([each.ctypes.data for each in outputs], np.int64)
        self._call(
            None,
            None,
            begin.ctypes.data,
            self._fixed.ctypes.data,
            self._traps.table.ctypes.data,
            count,
            numbers.ctypes.data,
            places.ctypes.data,
            self._program.table.ctypes.data,
            len(self._traps.table),
        )
        for each, made in zip(found, outputs, strict=True):
            if each is not made:
                each[:] = made


def _write(function: Any, *of: Any) -> None:
    _Writer(function, *of).write()


class _Sweep(Sweep):
    """A sweep in which doubling, which is exact, is done outside of the loop where it can be."""

    def _adjoint(self, op: int, a: int, b: int, bar: Lanes, node: int) -> None:
        if op == codes.SQUARE:
            self.add(a, self.values[a] * (bar + bar), self.reached.get(node))
        else:
            super()._adjoint(op, a, b, bar, node)


class _Writer(PackWriter):
    """Writes the function.

    Its arguments are addresses: of the starts (n, m); of what is fixed; of the traps (r, ...);
    the number m; addresses of the numbers, of the addresses of what it writes, and of the
    program's table; and the number r.

    What is needed at a look at the traps only is kept in memory, not in registers.
    """

    _sweep = _Sweep

    def __init__(self, function: Any, tape: Tape, method: OptimiserId, width: int) -> None:
        super().__init__(function, tape, method, width)
        builder, integers = self._builder, INTEGER.as_pointer()
        starts, fixed, traps_at, count, numbers, places, table, rows = function.args[-8:]
        self._starts, self._fixed, self._traps, self._given = (
            builder.inttoptr(each, self._floats) for each in (starts, fixed, traps_at, numbers)
        )
        self._whole_numbers = builder.inttoptr(numbers, integers)
        self._lanes = builder.gep(self._given, [ir.Constant(INTEGER, _NUMBERS)])
        self._table = builder.inttoptr(table, integers)
        self._count, self._rows = count, rows
        outputs = builder.inttoptr(places, integers)
        self._outputs = [builder.load(self._at(outputs, i)) for i in range(3)]
        self._mask = ir.VectorType(INTEGER, width)
        self._is_polynomial = bool(np.isin(tape.shared[:, 0], _POLYNOMIAL).all())
        self._n = len(tape.variables)
        self._size = self._n if method == "gradient-descent" else 2 * self._n

    def write(self) -> None:
        """Write the loop over packs."""
        builder, held = self._builder, len(self._tape.constants)
        constants = [self._everywhere(self._fixed, i) for i in range(held)]
        self._rates = [self._everywhere(self._fixed, held + i) for i in range(self._n)]
        self._momentum = self._everywhere(self._fixed, held + self._n)
        self._rest = [*constants, *self._numbers(self._table)]
        self._leaves, self._small, self._far = (
            self._everywhere(self._given, i) for i in (_LEAVES, _SMALL, _FAR)
        )
        self._steps = builder.load(self._at(self._whole_numbers, _STEPS))
        last = builder.sub(self._count, ir.Constant(INTEGER, self._width))
        entry, loop = builder.block, builder.append_basic_block("pack")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(INTEGER)
        index.add_incoming(ir.Constant(INTEGER, 0), entry)
        is_whole = builder.icmp_signed("<", index, last)
        first = builder.select(is_whole, index, last)  # the last pack repeats some of those before
        self._write_pack(first)
        index.add_incoming(builder.add(index, ir.Constant(INTEGER, self._width)), builder.block)
        done = builder.append_basic_block("done")
        builder.cbranch(is_whole, loop, done)
        builder.position_at_end(done)
        builder.ret(ir.Constant(ir.IntType(32), 0))

    def _write_pack(self, first: Any) -> None:
        """Write what is done with the runs from a number on."""
        builder, begin = self._builder, []
        for i in range(self._n):
            row = builder.mul(self._count, ir.Constant(INTEGER, i))
            where = builder.gep(self._starts, [builder.add(row, first)])
            begin.append(self._load(where, 0))
        open_code = self._everywhere(self._given, _OPEN)
        self._store(self._lanes, open_code, _CODES)
        self._store(self._lanes, constant(builder, self._pack, math.nan), _SHARPNESS)
        builder.store(ir.Constant(INTEGER, -1), self._at(self._whole_numbers, _LOOKED))
        height = begin[0].magnitude()
        for each in begin[1:]:
            height = _larger(height, each.magnitude())
        limit = _larger(self._leaves, self._leaves * height)
        zero = constant(builder, self._pack, 0.0)
        state, within, steps = self._follow([*begin, *[zero] * (self._size - self._n)], limit)
        is_known = limit.is_("<", self._far)  # else loss and gradient may be too large before
        for each in state[: self._n]:
            is_known = builder.and_(is_known, each.magnitude().is_("<", self._far))
        found = self._load(self._lanes, _CODES)
        has_arrived = builder.not_(found.is_("==", open_code))
        steps = self._load(self._lanes, _SINCE).where(has_arrived, steps)
        is_gone = builder.and_(builder.not_(builder.or_(within, has_arrived)), is_known)
        found = self._everywhere(self._given, _GONE).where(is_gone, found)
        whole = builder.fptosi(found.value, ir.VectorType(ir.IntType(32), self._width))
        byte, single = ir.IntType(8), ir.FloatType()
        self._put(builder.trunc(whole, ir.VectorType(byte, self._width)), byte, 0, first)
        for place, each in ((1, steps), (2, self._load(self._lanes, _SHARPNESS))):
            shorter = builder.fptrunc(each.value, ir.VectorType(single, self._width))
            self._put(shorter, single, place, first)

    def _put(self, values: Any, kind: Any, place: int, first: Any) -> None:
        """Write values of the lanes from a number on."""
        where = self._builder.inttoptr(self._outputs[place], kind.as_pointer())
        where = self._builder.gep(where, [first])
        where = self._builder.bitcast(where, values.type.as_pointer())
        self._builder.store(values, where, align=1)

    def _follow(self, begin: list[Lanes], limit: Lanes) -> tuple[list[Lanes], Any, Lanes]:
        """Write the loop over steps.

        Returns
        -------
        list of Lanes
            The last states of those that go on, or else those after which they do not.
        lanes of bool
            Which go on, or are at a minimum.
        Lanes
            Steps made.
        """
        builder, n = self._builder, self._n
        entry, loop = builder.block, builder.append_basic_block("step")
        near, on = builder.append_basic_block("near"), builder.append_basic_block("on")
        out = builder.append_basic_block("out")
        builder.branch(loop)
        builder.position_at_end(loop)
        phis = [builder.phi(self._pack) for _ in begin]
        for phi, each in zip(phis, begin, strict=True):
            phi.add_incoming(each.value, entry)
        active, made, number = (
            builder.phi(self._mask),
            builder.phi(self._mask),
            builder.phi(INTEGER),
        )
        active.add_incoming(self._constant_mask(-1), entry)
        made.add_incoming(self._constant_mask(_COUNTS), entry)
        number.add_incoming(ir.Constant(INTEGER, 0), entry)
        state = [Lanes(builder, phi) for phi in phis]
        following, changes = self._next(state)
        is_small = self._holds(active)
        for change in changes:
            is_small = builder.and_(is_small, change.magnitude().is_("<=", self._small))
        builder.cbranch(self._any(is_small), near, on)
        plain = builder.block
        builder.position_at_end(near)
        looked = self._look(state, active, number)
        near_end = builder.block
        builder.branch(on)
        builder.position_at_end(on)
        going = builder.phi(self._mask)
        going.add_incoming(active, plain)
        going.add_incoming(looked, near_end)
        goes = self._holds(going)
        after = [new.where(goes, old) for new, old in zip(following, state, strict=True)]
        is_within = after[0].magnitude().is_("<=", limit)
        for each in after[1:n]:
            is_within = builder.and_(is_within, each.magnitude().is_("<=", limit))
        still = builder.and_(going, builder.sext(is_within, self._mask))
        count = builder.sub(made, going)
        next_number = builder.add(number, ir.Constant(INTEGER, 1))
        for phi, value in (
            *((phi, each.value) for phi, each in zip(phis, after, strict=True)),
            (active, still),
            (made, count),
            (number, next_number),
        ):
            phi.add_incoming(value, builder.block)
        has_time = builder.icmp_signed("<", next_number, self._steps)
        builder.cbranch(builder.and_(has_time, self._any(self._holds(still))), loop, out)
        builder.position_at_end(out)
        whole = Lanes(builder, builder.bitcast(count, self._pack))
        return after, is_within, whole - 2.0**52

    def _next(self, state: list[Lanes]) -> tuple[list[Lanes], list[Lanes]]:
        """Write one step; return the state after it, and the changes of the weights."""
        n, at = self._n, state[: self._n]
        if self._method == "nesterov":
            at = [w + self._momentum * v for w, v in zip(at, state[n:], strict=True)]
        slopes, _, _ = self._slopes([*at, *self._rest], [])
        return self._moved(state, slopes, self._rates, self._momentum)

    def _signed(self, slope: Lanes) -> Lanes:
        """Return an entry of the gradient, where the sign of 0 makes no difference as it is."""
        return slope if self._is_polynomial else super()._signed(slope)

    def _look(self, state: list[Lanes], active: Any, number: Any) -> Any:
        """Write a look at all traps; return which lanes go on."""
        builder, columns = self._builder, self._size
        entry, loop = builder.block, builder.append_basic_block("trap")
        done = builder.append_basic_block("looked")
        builder.branch(loop)
        builder.position_at_end(loop)
        row, is_near, caught = (
            builder.phi(INTEGER),
            builder.phi(self._mask),
            builder.phi(self._mask),
        )
        row.add_incoming(ir.Constant(INTEGER, 0), entry)
        is_near.add_incoming(self._constant_mask(0), entry)
        caught.add_incoming(self._constant_mask(0), entry)
        length = ir.Constant(INTEGER, columns + 3 + columns**2)
        at = builder.gep(self._traps, [builder.mul(row, length)])
        errors = [each - self._everywhere(at, i) for i, each in enumerate(state)]
        is_here, width = self._holds(active), self._everywhere(at, columns)
        for each in errors[: self._n]:
            is_here = builder.and_(is_here, each.magnitude().is_("<=", width))
        is_in = builder.and_(is_here, self._form(errors, at, columns + 3).is_("<=", 1.0))
        for place, column in ((_CODES, columns + 1), (_SHARPNESS, columns + 2)):
            known = self._everywhere(at, column).where(is_in, self._load(self._lanes, place))
            self._store(self._lanes, known, place)
        near_now = builder.or_(is_near, builder.sext(is_here, self._mask))
        caught_now = builder.or_(caught, builder.sext(is_in, self._mask))
        following = builder.add(row, ir.Constant(INTEGER, 1))
        row.add_incoming(following, builder.block)
        is_near.add_incoming(near_now, builder.block)
        caught.add_incoming(caught_now, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, self._rows), loop, done)
        builder.position_at_end(done)
        self._note_since(near_now, active, number)
        return builder.and_(active, builder.not_(caught_now))

    def _form(self, errors: list[Lanes], at: Any, begin: int) -> Lanes:
        """Write the quadratic form of a trap."""
        total, size = constant(self._builder, self._pack, 0.0), len(errors)
        for i, one in enumerate(errors):
            part = constant(self._builder, self._pack, 0.0)
            for j, other in enumerate(errors):
                part = part + other * self._everywhere(at, begin + i * size + j)
            total = total + part * one
        return total

    def _note_since(self, is_near: Any, active: Any, number: Any) -> None:
        """Write after which step the lanes that go on have been near, as far as is known.

        Between two looks that do not follow each other no lane was near.
        """
        builder = self._builder
        looked = self._at(self._whole_numbers, _LOOKED)
        here = self._spread(builder.sitofp(number, DOUBLE))
        noted = self._load(self._lanes, _SINCE)
        is_next = builder.icmp_signed(
            "==", builder.load(looked), builder.sub(number, ir.Constant(INTEGER, 1))
        )
        begun = builder.icmp_signed(">", number, ir.Constant(INTEGER, 0))
        before = Lanes(
            builder, builder.select(builder.and_(is_next, begun), noted.value, here.value)
        )
        since = before.where(self._holds(is_near), here + 1.0)
        self._store(self._lanes, since.where(self._holds(active), noted), _SINCE)
        builder.store(number, looked)

    def _constant_mask(self, number: int) -> Any:
        return ir.Constant(self._mask, [number] * self._width)

    def _holds(self, mask: Any) -> Any:
        """Return in which lanes the bits of a mask are set."""
        return self._builder.icmp_signed("<", mask, self._constant_mask(0))

    def _any(self, condition: Any) -> Any:
        """Return whether a condition holds in a lane."""
        bits = self._builder.bitcast(condition, ir.IntType(self._width))
        return self._builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(self._width), 0))

    def _at(self, where: Any, i: int) -> Any:
        return self._builder.gep(where, [ir.Constant(INTEGER, i)])


def _larger(first: Lanes, second: Lanes) -> Lanes:
    return first.where(first.is_(">=", second), second)
