"""Machine code of whole steps of an optimiser on one loss, with everything recorded.

State and gradient stay in registers from step to step. The steps, and what is recorded of them,
have the bits of `engine.kernels.optimisers.descent`, which goes on where the code stops: at a step
after which a number is too large or none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from engine.expressions.tape import Tape
from engine.kernels.optimisers.steps import HUGE
from engine.kernels.tape.lanes import DOUBLE, INTEGER, Lanes, constant
from engine.kernels.tape.native import MOST_EFFORT, effort, key_of
from engine.kernels.tape.store import CodeStore, assemble
from engine.kernels.tape.writer import GradientWriter, load, store
from engine.theory.optimisers import OptimiserId, Setting
from engine.theory.optimisers.curvature import gradient_decay

SCHEDULED = 3
"""Numbers of a step that its place in the run decides: step size and two corrections of bias."""
HYPERPARAMETERS = ("momentum", "square_decay", "epsilon", "penalty", "decay", "radius")
FIXED = (*HYPERPARAMETERS, "lowest", "cap", "limit")
"""What the code reads after constants and scales, in order."""
_VELOCITY = ("heavy-ball", "nesterov")
_ADAPTIVE = ("rmsprop", "adam", "adamw")
_AHEAD = ("nesterov", "sam")
_PAIR = ir.VectorType(DOUBLE, 2)


@dataclass(frozen=True)
class Manner:
    """What the code depends on besides the loss.

    Attributes
    ----------
    optimiser : OptimiserId
    is_penalised : bool
        Whether a decay of the weights is part of the gradient.
    """

    optimiser: OptimiserId
    is_penalised: bool

    @classmethod
    def of(cls, setting: Setting) -> Manner | None:
        """Return the manner of a setting; None where its steps are not compiled."""
        if setting.rule != "fixed" and setting.optimiser != "polyak":
            return None
        return cls(setting.optimiser, gradient_decay(setting) != 0.0)


class StepCode:
    """Machine code of steps; it lasts as long as this object.

    Attributes
    ----------
    address : int
        Where it begins; called as `engine.kernels.tape.machine.interpret` is, with a number of
        steps for its task.
    """

    def __init__(self, tape: Tape, manner: Manner) -> None:
        self._library, self.address = assemble(
            "descent", lambda function: _Writer(function, tape, manner).write()
        )


CODES: CodeStore[StepCode] = CodeStore(kept=128)


def can_be_compiled(tape: Tape, setting: Setting) -> bool:
    """Return whether steps on a tape are compiled."""
    return Manner.of(setting) is not None and effort(tape) * _sweeps(setting) <= MOST_EFFORT


def _sweeps(setting: Setting) -> int:
    return 2 if setting.optimiser in _AHEAD else 1


def compiled(tape: Tape, setting: Setting) -> StepCode | None:
    """Compile steps, or return their code if it is there; None where they are not compiled."""
    manner = Manner.of(setting)
    if manner is None or not can_be_compiled(tape, setting):
        return None
    return CODES.made((key_of(tape), manner), lambda: StepCode(tape, manner))


def started(tape: Tape, setting: Setting) -> StepCode | None:
    """Return the code of steps if it is there; else begin to compile it in a thread of its own."""
    manner = Manner.of(setting)
    if manner is None or not can_be_compiled(tape, setting):
        return None
    key = (key_of(tape), manner)
    code = CODES.ready(key)
    if code is None:
        CODES.start(key, lambda: StepCode(tape, manner))
    return code


def carried(optimiser: OptimiserId) -> int:
    """Return how many moments the trail holds."""
    return 2 if optimiser in _ADAPTIVE else 1 if optimiser in _VELOCITY else 0


class _Writer:
    """Writes one function of LLVM's.

    Its arguments are addresses: of the state (3 n): weights and both moments; of constants, scales
    of the coordinates and `FIXED`; of the numbers of `SCHEDULED` a step (steps + 1, 3), those of
    the step that leads on in the row after; the number of steps; of the trail (steps, width), which
    receives what is recorded, the weights and the moments that are carried; of a float that
    receives how many steps were made; of the program's table.
    """

    def __init__(self, function: Any, tape: Tape, manner: Manner) -> None:
        self._tape = tape
        self._manner = manner
        self._size = len(tape.variables)
        self._builder = ir.IRBuilder(function.append_basic_block("entry"))
        z, fixed, schedule, count, trail, made, table, _ = function.args[-8:]
        floats = DOUBLE.as_pointer()
        self._z, self._fixed, self._schedule, self._trail, self._made = (
            self._builder.inttoptr(each, floats) for each in (z, fixed, schedule, trail, made)
        )
        self._count = count
        entries = self._builder.inttoptr(table, INTEGER.as_pointer())
        self._gradient = GradientWriter(self._builder, tape, self._fixed, entries)

    def write(self) -> None:
        """Write the function."""
        builder, n, first = self._builder, self._size, len(self._tape.constants)
        self._scales = [load(builder, self._fixed, first + i) for i in range(n)]
        self._held = {
            name: load(builder, self._fixed, first + n + i) for i, name in enumerate(FIXED)
        }
        begin = [load(builder, self._z, i) for i in range(3 * n)]
        begin += [constant(builder, DOUBLE, 0.0)] * n
        loop = builder.append_basic_block("step")
        entry = builder.block
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(INTEGER)
        index.add_incoming(ir.Constant(INTEGER, 0), entry)
        phis = [builder.phi(DOUBLE) for _ in begin]
        for phi, value in zip(phis, begin, strict=True):
            phi.add_incoming(value.value, entry)
        state = [Lanes(builder, phi) for phi in phis]
        w, moments, moved = state[:n], (state[n : 2 * n], state[2 * n : 3 * n]), state[3 * n :]
        loss, slope = self._gradient.write(w, is_checked=True)
        size, move = self._lengths(slope, moved)
        on = builder.append_basic_block("on")
        left = builder.append_basic_block("left")
        builder.cbranch(self._is_sound(w, loss, size), on, left)
        builder.position_at_end(left)
        self._leave(builder.sub(index, ir.Constant(INTEGER, 1)))
        builder.position_at_end(on)
        step, known = self._step_size(index, loss, size)
        kept = state[: (1 + carried(self._manner.optimiser)) * n]
        self._record(index, [loss, size, step, move, *kept])
        more, done = builder.append_basic_block("more"), builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed("<", index, self._count), more, done)
        builder.position_at_end(done)
        self._leave(index)
        builder.position_at_end(more)
        point, ahead = self._ahead(w, moments[0], slope, size)
        after = self._moved(w, moments, ahead, point, step, known)
        index.add_incoming(builder.add(index, ir.Constant(INTEGER, 1)), builder.block)
        for phi, new in zip(phis, after, strict=True):
            phi.add_incoming(new.value, builder.block)
        builder.branch(loop)

    def _leave(self, made: Any) -> None:
        """Return, with the number of steps made: none where the start is not sound."""
        builder, zero = self._builder, ir.Constant(INTEGER, 0)
        whole = builder.select(builder.icmp_signed("<", made, zero), zero, made)
        store(builder, Lanes(builder, builder.sitofp(whole, DOUBLE)), self._made, 0)
        builder.ret(ir.Constant(ir.IntType(32), 0))

    def _is_sound(self, w: Sequence[Lanes], loss: Lanes, size: Lanes) -> Any:
        """Return whether all numbers are within their limits."""
        builder, limit = self._builder, self._held["limit"]
        sound = builder.and_(loss.magnitude().is_("<=", HUGE), size.is_("<=", HUGE))
        for each in w:
            sound = builder.and_(sound, each.magnitude().is_("<=", limit))
        return sound

    def _lengths(self, slope: Sequence[Lanes], moved: Sequence[Lanes]) -> tuple[Lanes, Lanes]:
        """Write `engine.kernels.optimisers.steps.length` of gradient and move, side by side.

        The order in which numbers are compared does not matter, nor that of the sum, of which only
        matters whether it is a number: a gradient so large that it could overflow is not sound.
        """
        builder = self._builder
        lanes = [ir.Constant(ir.IntType(32), i) for i in (0, 1)]
        pairs = []
        for one, other in zip(slope, moved, strict=True):
            pair = builder.insert_element(ir.Constant(_PAIR, ir.Undefined), one.value, lanes[0])
            pairs.append(Lanes(builder, builder.insert_element(pair, other.value, lanes[1])))
        total = _tree(pairs, lambda one, other: one + other)
        heights = [pair.magnitude() for pair in pairs]
        top = _tree(heights, lambda one, other: one.where(one.is_(">", other), other))
        parts = [pair / top for pair in pairs]
        squares = parts[0] * parts[0]
        for part in parts[1:]:
            squares = squares + part * part
        found = top * squares.root()
        is_plain = builder.and_(top.is_(">", 0.0), top.is_("<", math.inf))
        found = found.where(is_plain, top).where(total.is_("==", total), total)
        first, second = (builder.extract_element(found.value, lane) for lane in lanes)
        return Lanes(builder, first), Lanes(builder, second)

    def _step_size(self, index: Any, loss: Lanes, size: Lanes) -> tuple[Lanes, tuple[Lanes, Lanes]]:
        """Write the step size that leads on, and the corrections of bias for that step."""
        builder, zero = self._builder, constant(self._builder, DOUBLE, 0.0)
        row = builder.gep(self._schedule, [builder.mul(index, ir.Constant(INTEGER, SCHEDULED))])
        step, *known = (load(builder, row, i) for i in range(SCHEDULED))
        method = self._manner.optimiser
        is_moving = size.is_(">", 0.0)
        if method == "polyak":
            wanted = ((loss - self._held["lowest"]) / size / size).where(is_moving, zero)
            wanted, cap = wanted.at_least(0.0), self._held["cap"]
            step = cap.where(cap.is_("<", wanted), wanted)
        elif method == "normalised-gd":
            step = (step / size).where(is_moving, zero)
        return step, (known[0], known[1])

    def _record(self, index: Any, values: Sequence[Lanes]) -> None:
        """Write a row of the trail, but none of the start."""
        builder, one = self._builder, ir.Constant(INTEGER, 1)
        with builder.if_then(builder.icmp_signed(">", index, ir.Constant(INTEGER, 0)), likely=True):
            width = ir.Constant(INTEGER, len(values))
            row = builder.gep(self._trail, [builder.mul(builder.sub(index, one), width)])
            for i, each in enumerate(values):
                store(builder, each, row, i)

    def _ahead(
        self, w: list[Lanes], velocity: list[Lanes], slope: list[Lanes], size: Lanes
    ) -> tuple[list[Lanes], list[Lanes]]:
        """Write the point at which the gradient for a step is taken, and that gradient."""
        method = self._manner.optimiser
        if method == "nesterov":
            beta = self._held["momentum"]
            point = [at + beta * speed for at, speed in zip(w, velocity, strict=True)]
        elif method == "sam":
            zero = constant(self._builder, DOUBLE, 0.0)
            scale = (self._held["radius"] / size).where(size.is_(">", 0.0), zero)
            point = [at + scale * each for at, each in zip(w, slope, strict=True)]
        else:
            return w, slope
        return point, self._gradient.write(point)[1]

    def _moved(
        self,
        w: list[Lanes],
        moments: tuple[list[Lanes], list[Lanes]],
        slope: list[Lanes],
        point: list[Lanes],
        step: Lanes,
        known: tuple[Lanes, Lanes],
    ) -> list[Lanes]:
        """Write a step: weights, both moments and the move, n entries each."""
        method, held = self._manner.optimiser, self._held
        beta, keep = held["momentum"], held["square_decay"]
        after: list[Lanes] = []
        first, second = list(moments[0]), list(moments[1])
        for i, at in enumerate(w):
            g, rate = slope[i], step * self._scales[i]
            if self._manner.is_penalised:
                g = g + held["penalty"] * point[i]
            if method in _VELOCITY:
                first[i] = beta * first[i] - rate * g
                after.append(at + first[i])
            elif method in _ADAPTIVE:
                second[i] = keep * second[i] + (1.0 - keep) * g * g
                if method != "rmsprop":
                    first[i] = beta * first[i] + (1.0 - beta) * g
                    g = first[i] / known[0]
                root = second[i].root() / known[1] + held["epsilon"]
                after.append((1.0 - rate * held["decay"]) * at - rate * g / root)
            else:
                after.append(at - rate * g)
        return [*after, *first, *second, *(new - at for new, at in zip(after, w, strict=True))]


def _tree(values: Sequence[Lanes], join: Callable[[Lanes, Lanes], Lanes]) -> Lanes:
    """Join values two by two, and what that makes, until there is one."""
    level = list(values)
    while len(level) > 1:
        odd = level[len(level) // 2 * 2 :]
        level = [join(a, b) for a, b in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0]
