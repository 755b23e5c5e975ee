"""Steps and records of the piecewise fit."""

from __future__ import annotations

import dataclasses

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.experiments.piecewise_fit.params import (
    FitParams,
    FitState,
    largest_sharpness,
    rule_of,
    samples_of,
    starts,
)
from engine.families import piecewise

BLOCK = 4096
"""Steps recorded exactly before they are reduced to buckets."""
FARTHEST = 100.0
"""Kinks farther from the data than this are recorded as being there."""

SCALARS = (
    "mse",
    "gradient_w",
    "gradient_b",
    "gradient_c",
    "gradient_d",
    "residual_12a",
    "residual_12b",
    "residual_b",
    "weight_movement",
    "bias_movement",
    "lipschitz",
    "smallest",
)
"""Series with one component per estimator, named as the kernel's columns."""


def begin(params: FitParams, seed: int) -> FitState:
    """Make the state at step 0."""
    from engine.kernels.residual import descent as residual

    found = samples_of(params)
    start = starts(params, seed)
    return FitState(
        params=params,
        seed=seed,
        samples=found,
        data=residual.prepare(found.x, found.y),
        theta=start,
        previous=start,
        start=start,
    )


def advance(state: FitState, n: int, stride: int) -> tuple[FitState, Chunk]:
    """Make up to n steps, in blocks that hold whole buckets."""
    first, last = state.step + 1, state.step + n
    block = max(BLOCK // stride, 1) * stride
    parts: list[Chunk] = []
    while state.step < last and state.diverged_at is None:
        begun = state.step + 1
        state, rows = _advance_exactly(state, min(block, last - state.step))
        if state.step >= begun:
            parts.append(Chunk.exact(begun, rows).bucketed(stride))
    if not parts:
        empty = {key: value[None][:0] for key, value in measured(state).items()}
        return state, Chunk.exact(first, empty)
    low = {key: np.concatenate([part.low[key] for part in parts]) for key in parts[0].low}
    high = low
    if stride > 1:
        high = {key: np.concatenate([part.high[key] for part in parts]) for key in low}
    return state, Chunk(first, state.step - first + 1, stride, low, high)


def push(state: FitState, nudge: Nudge) -> FitState:
    """Push each estimator by a share of its own norm, and project it as a step would.

    Frozen biases stay where they are.
    """
    from engine.kernels.residual import descent as residual

    params = state.params
    moved = np.stack([pushed(row, nudge, 1.0) for row in state.theta])
    parts = residual.unpack(moved)
    if params.projected:
        np.maximum(parts.w, 0.0, out=parts.w)
        np.maximum(parts.b, 0.0, out=parts.b)
        np.maximum(parts.c, params.scale_floor, out=parts.c)
    if not params.train_biases:
        parts.b[...] = residual.unpack(state.theta).b
    previous = state.previous + (moved - state.theta)  # at the same speed
    return dataclasses.replace(state, theta=moved, previous=previous)


def _advance_exactly(state: FitState, steps: int) -> tuple[FitState, dict[str, FloatArray]]:
    from engine.kernels.residual import descent as residual

    pairs = residual.Pairs(
        state.theta,
        state.previous,
        state.start,
        np.full(2, -1, np.int64),
        state.step,
        state.clock,
    )
    rule = rule_of(state.params)
    new, records = residual.advance(pairs, state.data, rule, steps, keep_path=True)
    gone = new.diverged[new.diverged >= 0]
    diverged_at = int(gone.min()) if gone.size else None
    if diverged_at is not None:  # both stop before the step that one of them could not make
        steps = diverged_at - 1 - state.step
        new, records = residual.advance(pairs, state.data, rule, steps, keep_path=True)
    state = dataclasses.replace(
        state,
        step=state.step + steps,
        theta=new.theta,
        previous=new.previous,
        clock=new.clock,
        diverged_at=diverged_at,
    )
    return state, _series(state, records, state.step - steps + 1)


def record(state: FitState) -> dict[str, FloatArray]:
    """Measure the series at one state."""
    from engine.kernels.residual import descent as residual

    pairs = residual.Pairs(state.theta, state.previous, state.start, np.full(2, -1, np.int64))
    records = residual.measure(pairs, state.data, rule_of(state.params))
    return {key: rows[0] for key, rows in _series(state, records, state.step).items()}


def measured(state: FitState) -> dict[str, FloatArray]:
    """Return the record of a state, measured once."""
    return once(state, "record", lambda: record(state))


def _series(state: FitState, records: object, first: int) -> dict[str, FloatArray]:
    """Name the kernel's records; `first` is the step of their first row."""
    from engine.kernels.residual import descent as residual

    assert isinstance(records, residual.Records)
    params, depth = state.params, state.params.depth
    count = len(records.scalars)
    columns = {name: index for index, name in enumerate(residual.COLUMNS)}
    rows = {key: records.scalars[:, :, columns[key]] for key in SCALARS}
    start = residual.unpack(state.start)
    rows["weight_movement"] = rows["weight_movement"] / _sizes(start.w)
    rows["bias_movement"] = rows["bias_movement"] / _sizes(start.b)
    for which in range(2):
        name = str(which + 1)
        kinks = records.kinks[:, which].reshape(count, 2 * depth)
        rows[f"kinks_{name}"] = np.clip(kinks, -FARTHEST, FARTHEST)
        rows[f"eigenvalues_{name}"] = _eigenvalues(state, records.path[:, which], first)
    rows["limit"] = np.array(
        [largest_sharpness(params, step) for step in range(first, first + count)]
    )
    return rows


def _sizes(values: FloatArray) -> FloatArray:
    """Norm of each estimator's values (2, 2, L), 1 where they are all zero."""
    sizes = np.linalg.norm(values.reshape(2, -1), axis=1)
    return np.where(sizes > 0, sizes, 1.0)


def _eigenvalues(state: FitState, path: FloatArray, first: int) -> FloatArray:
    """Find the Hessian's largest eigenvalues where they are due, NaN elsewhere."""
    params, found = state.params, state.samples
    rows = np.full((len(path), params.hessian_count), np.nan)
    every = params.hessian_every
    for row in range(-first % every, len(path), every):
        rows[row] = piecewise.top_eigenvalues(path[row], found.x, found.y, params.hessian_count)
    return rows
