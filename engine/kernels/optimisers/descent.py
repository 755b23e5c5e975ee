"""Descent by any optimiser over a program, with everything recorded.

Every recorded quantity belongs to the weights after a step; the step size is the one that leads on
from them. Where buckets of several steps are asked for, each holds the smallest and largest value
within it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner, kernel
from engine.kernels.optimisers.code import FIXED as CODE_FIXED
from engine.kernels.optimisers.code import SCHEDULED, StepCode, carried
from engine.kernels.optimisers.eigenvalues import extremes
from engine.kernels.optimisers.steps import (
    ADAM,
    ADAMW,
    FIXED,
    HUGE,
    POLYAK,
    SCALARS,
    SHARPNESS,
    Rule,
    corrections,
    length,
    look_ahead,
    move,
    rule_of,
    step_size,
)
from engine.kernels.tape.intrinsics import call
from engine.kernels.tape.program import Program, gradient, hessian, workspace
from engine.theory.optimisers import Setting

LIMIT = 1e12
"""Magnitude of a weight, in units of the largest at the start, beyond which a run has diverged."""
_FIRST = len(SCALARS)
_BLOCK = 128
"""Steps that machine code makes before they are read off its trail."""


class Ending(IntEnum):
    """Why a descent stopped."""

    DONE = 0
    DIVERGED = 1
    UNDEFINED = 2


class _Span(NamedTuple):
    """Steps made before the records begin, steps of a bucket, and the largest allowed weight."""

    first: int
    stride: int
    limit: float


class _Records(NamedTuple):
    """What is recorded.

    Low and high of each bucket (buckets, 4 + n), the same array where a bucket holds one step;
    the numbers of steps made (m,) after which the state (m, 3, n) is kept.
    """

    low: FloatArray
    high: FloatArray
    marks: NDArray[np.int64]
    states: FloatArray


class _Room(NamedTuple):
    """Working arrays.

    Gradients at the weights and ahead and the point ahead (n,), the last state (3, n), the scalars
    of a step (4,); for the Hessian a direction (n,), slopes (2 n,) and itself (n, n).
    """

    slope: FloatArray
    ahead: FloatArray
    point: FloatArray
    old: FloatArray
    noted: FloatArray
    direction: FloatArray
    columns: FloatArray
    hessian: FloatArray


@inner
def _curvature(
    program: Program, constants: Any, rule: Rule, point: Any, room: _Room, work: Any
) -> float:
    """Return what the step size is to be divided by: an eigenvalue of the Hessian at a point."""
    hessian(program, point, constants, room.direction, room.columns, room.hessian, work)
    least, greatest = extremes(room.hessian)
    return greatest if rule.rule == SHARPNESS else max(abs(least), abs(greatest))


@inner
def _note(row: int, is_fresh: bool, values: Any, w: Any, low: Any, high: Any) -> None:
    """Widen a bucket to the values after a step, or begin it."""
    for column in range(_FIRST + w.size):
        value = w[column - _FIRST] if column >= _FIRST else values[column]
        low[row, column] = value if is_fresh else min(value, low[row, column])
        high[row, column] = value if is_fresh else max(value, high[row, column])


@inner
def _keep(step: int, kept: int, w: Any, moments: Any, marks: Any, states: Any) -> int:
    """Keep the state after a number of steps if it is marked; return how many are kept."""
    if kept >= marks.size or marks[kept] != step:
        return kept
    for i in range(w.size):
        states[kept, 0, i], states[kept, 1, i] = w[i], moments[0, i]
        states[kept, 2, i] = moments[1, i]
    return kept + 1


@inner
def _general(
    program: Program,
    constants: Any,
    w: Any,
    moments: Any,
    rule: Rule,
    scales: Any,
    span: _Span,
    begin: int,
    end: int,
    kept: int,
    records: _Records,
    room: _Room,
    work: Any,
) -> tuple[int, int, int]:
    """Make the steps from `begin` to `end` of the records, one by one.

    Returns how many of the records there are then, why no more, and how many states are kept.
    """
    first, stride, limit = span
    slope, ahead, point, old, noted = room.slope, room.ahead, room.point, room.old, room.noted
    size, step, ending, is_elsewhere = 0.0, 0.0, 0, False
    has_hessian = rule.rule != FIXED and rule.method != POLYAK
    for k in range(begin - 1, end):  # the first round evaluates the start
        if k >= begin:
            for i in range(w.size):
                old[0, i], old[1, i], old[2, i] = w[i], moments[0, i], moments[1, i]
            if is_elsewhere:
                gradient(program, point, constants, ahead, work)
            move(rule, first + k, step, w, moments, ahead if is_elsewhere else slope, point, scales)
        loss = gradient(program, w, constants, slope, work)
        size = length(slope)
        for i in range(w.size):
            if k >= begin and not abs(w[i]) <= limit:
                ending = 1 if w[i] == w[i] else 2
        if k >= begin and ending == 0 and not (abs(loss) <= HUGE and size <= HUGE):
            ending = 1 if abs(loss) > HUGE else 2
        if ending:
            for i in range(w.size):
                w[i], moments[0, i], moments[1, i] = old[0, i], old[1, i], old[2, i]
            return k, ending, kept
        is_elsewhere = look_ahead(rule, w, moments, slope, size, point)
        curvature = 0.0
        if has_hessian:
            curvature = _curvature(program, constants, rule, point, room, work)
        step = step_size(rule, first + k + 1, loss, size, curvature)
        if k < begin:
            continue
        for i in range(w.size):
            old[0, i] = w[i] - old[0, i]
        noted[0], noted[1], noted[2], noted[3] = loss, size, step, length(old[0])
        _note(k // stride, k % stride == 0, noted, w, records.low, records.high)
        kept = _keep(first + k + 1, kept, w, moments, records.marks, records.states)
    return end, ending, kept


class _Steps(NamedTuple):
    """Machine code of steps, and its memory, empty where there is no code.

    Its address; what it reads, see `engine.kernels.optimisers.code`; the state (3 n); the schedule
    (block + 1, 3); the trail (block, width); the number of steps made (1,).
    """

    address: int
    fixed: FloatArray
    state: FloatArray
    schedule: FloatArray
    trail: FloatArray
    made: FloatArray


@inner
def _schedule(rule: Rule, first: int, count: int, out: Any) -> None:
    """Write what the steps that follow depend on by their place in the run."""
    is_steady = rule.schedule == 0 and rule.warmup == 0.0
    for k in range(count + 1):
        step = rule.step_size if is_steady else step_size(rule, first + k, 0.0, 1.0, 0.0)
        out[k, 0] = step
        out[k, 1], out[k, 2] = corrections(rule, first + k)


@inner
def _reduce(trail: Any, begin: int, made: int, stride: int, low: Any, high: Any) -> None:
    """Write steps of the trail, which are the records from `begin` on, into their buckets."""
    for k in range(begin, begin + made):
        bucket, is_fresh = k // stride, k % stride == 0
        for column in range(low.shape[1]):
            value = trail[k - begin, column]
            low[bucket, column] = value if is_fresh else min(value, low[bucket, column])
            high[bucket, column] = value if is_fresh else max(value, high[bucket, column])


@inner
def _load(row: Any, w: Any, moments: Any) -> None:
    """Read a state off a row of the trail."""
    n = w.size
    for i in range(n):
        w[i] = row[_FIRST + i]
        if row.size > _FIRST + n:
            moments[0, i] = row[_FIRST + n + i]
        if row.size > _FIRST + 2 * n:
            moments[1, i] = row[_FIRST + 2 * n + i]


@inner
def _read(
    trail: Any, before: int, made: int, kept: int, w: Any, moments: Any, records: _Records
) -> int:
    """Read marked states and the last one off the trail; return how many states are kept.

    Parameters
    ----------
    trail : ndarray, shape (made or more, width)
    before : int
        Steps made before the trail.
    made, kept : int
    w, moments : ndarray, shapes (n,), (2, n)
    records : _Records
    """
    marks = records.marks
    while kept < marks.size and marks[kept] <= before + made:
        _load(trail[marks[kept] - before - 1], w, moments)
        kept = _keep(marks[kept], kept, w, moments, marks, records.states)
    if made:
        _load(trail[made - 1], w, moments)
    return kept


@kernel
def _record(
    program: Program,
    constants: FloatArray,
    w: FloatArray,
    moments: FloatArray,
    rule: Rule,
    scales: FloatArray,
    span: _Span,
    n: int,
    steps: _Steps,
    records: _Records,
    room: _Room,
    work: FloatArray,
) -> tuple[int, int]:
    """Make up to n steps; return how many, and why no more."""
    k, kept, ending, size = 0, 0, 0, w.size
    is_corrected = rule.method == ADAM or rule.method == ADAMW
    is_same = rule.schedule == 0 and rule.warmup == 0.0 and not is_corrected
    is_direct = span.stride == 1 and steps.trail.shape[1] == records.low.shape[1]
    while k < n:
        end = n
        if steps.address:
            count, before = min(_BLOCK, n - k), span.first + k
            trail = records.low[k : k + count] if is_direct else steps.trail
            for i in range(size):
                steps.state[i] = w[i]
                steps.state[size + i], steps.state[2 * size + i] = moments[0, i], moments[1, i]
            if k == 0 or not is_same:
                _schedule(rule, before, count, steps.schedule)
            call(
                steps.address,
                steps.state,
                steps.fixed,
                steps.schedule,
                count,
                trail,
                steps.made,
                program.table,
                work,
            )
            made = int(steps.made[0])
            if not is_direct:
                _reduce(trail, k, made, span.stride, records.low, records.high)
            kept = _read(trail, before, made, kept, w, moments, records)
            k += made
            if made == count:
                continue
            end = k + 1  # where the code stopped, what is general finds out why
        k, ending, kept = _general(
            program,
            constants,
            w,
            moments,
            rule,
            scales,
            span,
            k,
            end,
            kept,
            records,
            room,
            work,
        )
        if ending:
            break
    return k, ending


@dataclass(frozen=True, slots=True)
class Recording:
    """What `descend` recorded.

    Attributes
    ----------
    weights, moments : ndarray, shapes (n,), (2, n)
        The state after the last step made.
    made : int
    ending : Ending
        `DONE`, or what the next step would lead to: numbers too large, or none.
    low, high : dict of str to ndarray
        Per series the smallest and largest value of every bucket: ``w`` (buckets, n), ``loss``,
        ``gradient_norm``, ``step_size`` (what multiplies the gradient in the step that leads on)
        and ``step_norm`` (length of the step that was made).
    marked : ndarray of int64, shape (m,)
        Those of the steps asked for that were made.
    states : ndarray, shape (m, 3, n)
        Weights and both moments after them.
    """

    weights: FloatArray
    moments: FloatArray
    made: int
    ending: Ending
    low: dict[str, FloatArray]
    high: dict[str, FloatArray]
    marked: NDArray[np.int64]
    states: FloatArray


def descend(
    program: Program,
    constants: FloatArray,
    weights: FloatArray,
    moments: FloatArray,
    setting: Setting,
    *,
    first: int,
    n: int,
    stride: int = 1,
    begun: int = 0,
    reach: float = 1.0,
    marks: NDArray[np.int64] | None = None,
    work: FloatArray | None = None,
    code: StepCode | None = None,
) -> Recording:
    """Make up to `n` steps of an optimiser and record buckets of `stride` consecutive ones.

    The state after them is weights, moments and the number of steps made: from there the run goes
    on with the same bits however it is split.

    Parameters
    ----------
    program : Program
        The loss.
    constants : ndarray, shape (c,)
        Values of its named constants.
    weights, moments : ndarray, shapes (n,), (2, n)
        The state, left untouched; moments are 0 at the start.
    setting : Setting
    first : int
        Number of steps made before.
    n, stride : int
    begun : int
        Number of steps after which the moments were 0, at most `first`.
    reach : float
        Largest magnitude of a weight at the start of the run, or 1 if that is less.
    marks : ndarray of int64, optional
        Ascending numbers of steps made, of which some lie in this call, after which to keep the
        state.
    work : ndarray, optional
        Working memory of the program, made anew if none is given; for 2 coefficients where the step
        size depends on the state.
    code : StepCode, optional
        Machine code of the steps, of this loss and setting; the bits are the same without it.
    """
    w, v = np.array(weights, np.float64), np.array(moments, np.float64)
    size, buckets = w.size, -(-n // stride)
    low = np.empty((buckets, _FIRST + size))
    high = np.empty((buckets, _FIRST + size)) if stride > 1 else low
    asked = np.zeros(0, np.int64) if marks is None else marks
    asked = np.ascontiguousarray(asked[(asked > first) & (asked <= first + n)], np.int64)
    states = np.empty((asked.size, 3, size))
    held = np.ascontiguousarray(constants, np.float64)
    rule, span = rule_of(setting, begun), _Span(first, stride, LIMIT * max(1.0, float(reach)))
    scales = np.array(setting.scales, np.float64) if setting.scales else np.ones(size)
    made, ending = _record(
        program,
        held,
        w,
        v,
        rule,
        scales,
        span,
        int(n),
        _NO_STEPS if code is None else _steps(code, held, scales, setting, rule, span.limit),
        _Records(low, high, asked, states),
        _room(size),
        workspace(program, 1 if setting.rule == "fixed" else 2) if work is None else work,
    )
    kept = int(np.count_nonzero(asked <= first + made))
    used = -(-made // stride)
    return Recording(
        w,
        v,
        made,
        Ending(ending),
        _named(low[:used]),
        _named(high[:used]),
        asked[:kept],
        states[:kept],
    )


_NO_STEPS = _Steps(0, np.zeros(0), np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0)), np.zeros(0))


def _steps(
    code: StepCode,
    constants: FloatArray,
    scales: FloatArray,
    setting: Setting,
    rule: Rule,
    limit: float,
) -> _Steps:
    """Return machine code of steps with its memory."""
    numbers = {**rule._asdict(), "cap": rule.cap, "limit": limit}
    width = _FIRST + (1 + carried(setting.optimiser)) * scales.size
    return _Steps(
        code.address,
        np.concatenate([constants, scales, [numbers[name] for name in CODE_FIXED]]),
        np.empty(3 * scales.size),
        np.empty((_BLOCK + 1, SCHEDULED)),
        np.empty((_BLOCK, width)),
        np.empty(1),
    )


def _room(size: int) -> _Room:
    slope, ahead, point, direction = (np.zeros(size) for _ in range(4))
    return _Room(
        slope,
        ahead,
        point,
        np.zeros((3, size)),
        np.zeros(_FIRST),
        direction,
        np.zeros(2 * size),
        np.zeros((size, size)),
    )


def _named(rows: FloatArray) -> dict[str, FloatArray]:
    """Return the recorded columns by name."""
    return {"w": rows[:, _FIRST:], **{name: rows[:, i] for i, name in enumerate(SCALARS)}}
