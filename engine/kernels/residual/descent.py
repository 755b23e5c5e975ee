"""Gradient descent on pairs of scalar residual networks (Section 4, eqs. 10a-c and 11).

f = f_1 - f_2 + d with f_j = c_j h_L and h_l = h_{l-1} + w_l (h_{l-1} - b_l)_+, h_0 = x; the loss
is 1/(2N) sum e^2 (eq. 11 divided by N). A batch of pairs, as many as seeds, runs in one call.

Parameters of a pair are one row of 4L + 3 numbers: weights of the convex part f_1, weights of the
concave part f_2, biases of f_1, biases of f_2, c of both, d.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from engine.kernels.residual import steps as steps_
from engine.kernels.residual.pieces import Data, Floats, Ints
from engine.kernels.residual.steps import (
    COLUMNS,
    CONSTANT,
    GRADIENT,
    HEAVY_BALL,
    LIMIT,
    NESTEROV,
    RATIO,
    SEQUENCE,
    Records,
    Rule,
)

__all__ = [
    "COLUMNS",
    "CONSTANT",
    "GRADIENT",
    "HEAVY_BALL",
    "LIMIT",
    "NESTEROV",
    "RATIO",
    "SEQUENCE",
    "Data",
    "Pairs",
    "Parameters",
    "Records",
    "Rule",
    "advance",
    "gradients",
    "measure",
    "prepare",
    "start_pairs",
    "unpack",
]


class Parameters(NamedTuple):
    """The parameters of a pair by name: ``w``, ``b`` (..., 2, L), ``c`` (..., 2), ``d`` (...)."""

    w: Floats
    b: Floats
    c: Floats
    d: Floats


@dataclass(frozen=True)
class Pairs:
    """A batch of pairs between two calls of ``advance``.

    Attributes
    ----------
    theta, previous, start : arrays (pairs, 4L + 3)
        Current, last and initial parameters.
    diverged : int array (pairs,)
        Step at which a pair diverged, -1 where it has not.
    step : int
        Steps taken.
    clock : float
        Nesterov's t_k.
    """

    theta: Floats
    previous: Floats
    start: Floats
    diverged: Ints
    step: int = 0
    clock: float = 1.0


def prepare(x: Floats, y: Floats) -> Data:
    """Sort points by x and sum them up for the kernels (x, y of shape (N,))."""
    order = np.argsort(x, kind="stable")
    xs = np.ascontiguousarray(x, float)[order]
    ys = np.ascontiguousarray(y, float)[order]
    sums = np.zeros((4, xs.size + 1))
    for row, values in enumerate((xs, xs * xs, ys, xs * ys)):
        np.cumsum(values, out=sums[row, 1:])
    return Data(xs, ys, sums)


def start_pairs(w: Floats, b: Floats, c: Floats, d: Floats) -> Pairs:
    """Pairs at step 0 from ``w``, ``b`` (pairs, 2, L), ``c`` (pairs, 2) and ``d`` (pairs,)."""
    count = b.shape[0]
    theta = np.concatenate(
        [w.reshape(count, -1), b.reshape(count, -1), c.reshape(count, 2), d.reshape(count, 1)],
        axis=1,
    ).astype(float)
    return Pairs(theta, theta.copy(), theta.copy(), np.full(count, -1, np.int64))


def unpack(theta: Floats) -> Parameters:
    """Split rows of 4L + 3 parameters into w, b, c and d (views)."""
    depth = (theta.shape[-1] - 3) // 4
    lead = theta.shape[:-1]
    return Parameters(
        theta[..., : 2 * depth].reshape(*lead, 2, depth),
        theta[..., 2 * depth : 4 * depth].reshape(*lead, 2, depth),
        theta[..., 4 * depth : 4 * depth + 2],
        theta[..., -1],
    )


def advance(
    pairs: Pairs, data: Data, rule: Rule, steps: int, every: int = 1, keep_path: bool = False
) -> tuple[Pairs, Records]:
    """Take ``steps`` steps of every pair; the input is left as it was.

    Row r of the records is the iterate after (r + 1) ``every`` steps of this call; rows after a
    divergence repeat the last one before it, so no number is infinite (a kink that does not exist
    is NaN). Splitting a run into calls of any length gives the same bits.
    """
    records = _blank(pairs, steps // every, keep_path)
    new = replace(
        pairs,
        theta=pairs.theta.copy(),
        previous=pairs.previous.copy(),
        diverged=pairs.diverged.copy(),
        step=pairs.step + steps,
    )
    batch = steps_.Batch(new.theta, new.previous, new.start, new.diverged)
    span = steps_.Span(pairs.step, steps, every)
    clock = steps_.advance_pairs(batch, span, pairs.clock, rule, data, records)
    gone = (new.diverged >= 0) & (new.diverged <= pairs.step + every)
    if gone.any():  # before the first row, if not in an earlier call
        last = measure(pairs, data, rule)
        for rows, row in zip(records, last, strict=True):
            rows[:, gone] = row[:, gone]
    return replace(new, clock=clock), records


def measure(pairs: Pairs, data: Data, rule: Rule) -> Records:
    """Record one row: the pairs as they are, with their parameters."""
    records = _blank(pairs, 1, True)
    steps_.measure_pairs(pairs.theta, pairs.start, data, rule, records)
    return records


def _blank(pairs: Pairs, rows: int, keep_path: bool) -> Records:
    count, width = pairs.theta.shape
    return Records(
        np.zeros((rows, count, len(COLUMNS))),
        np.zeros((rows, count, 2, (width - 3) // 4)),
        np.zeros((rows if keep_path else 0, count, width)),
    )


def gradients(theta: Floats, data: Data) -> Floats:
    """Gradient of 1/(2N) sum e^2 for each row of ``theta`` (pairs, 4L + 3)."""
    grad = np.empty_like(theta)
    work = steps_.make_scratch((theta.shape[1] - 3) // 4, data.x.size)
    for row in range(theta.shape[0]):
        steps_.gradient(theta[row], data, work, grad[row], False)
    return grad
