"""One network of a matrix experiment and how it is carried on from measurement to measurement."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.core.experiment import State
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem, batch_moments, step_of
from engine.kernels.matrix.padding import padded

StateT = TypeVar("StateT", bound=State[Any])

ROUNDS = 3
"""Rounds of power iteration a step, each on from the last; more at the start."""
FIRST_ROUNDS = 30
COLUMNS = ("error", "loss", "step_size", "curvature", "signed_error")
"""What the kernel records after a step."""


@dataclass(frozen=True, slots=True)
class Network:
    """A single (one branch) or double (two) network in a run.

    Attributes
    ----------
    weights, previous, direction : ndarray, shape (branches, L, m, m), padded
        Weights now and one step ago, and the vector of the power iteration.
    diverged_at : int or None
        Step at which it left the range of useful numbers; the weights are those before it.
    """

    weights: FloatArray
    previous: FloatArray
    direction: FloatArray
    diverged_at: int | None = None

    def matrices(self, size: int) -> FloatArray:
        """Weights without the padding, shape (branches, L, n, n)."""
        return np.ascontiguousarray(self.weights[..., :size, :size])


def begin(params: NetworkParams, problem: Problem, start: FloatArray) -> Network:
    """Make a network from its matrices, shape (branches, L, n, n)."""
    weights = padded(start)
    generator = np.random.default_rng(problem.seed)
    direction = padded(generator.standard_normal(start.shape))
    direction /= np.linalg.norm(direction)
    if params.step_rule == "hessian":
        direction = _aligned(problem, weights, direction)
    return Network(weights, weights, direction)


def push(network: Network, problem: Problem, nudge: Nudge) -> Network:
    """Push all matrices of a network; one that has left the range of useful numbers stays."""
    if network.diverged_at is not None:
        return network
    here = network.matrices(problem.size)
    identities = math.sqrt(here.size / problem.size)  # their norm, for matrices that are all 0
    moved = padded(pushed(here, nudge, identities))
    previous = network.previous + (moved - network.weights)  # at the same speed
    return dataclasses.replace(network, weights=moved, previous=previous)


def _aligned(problem: Problem, weights: FloatArray, direction: FloatArray) -> FloatArray:
    """Turn the power iteration's vector towards the top of the Hessian at the start."""
    from engine.kernels.matrix.calculus import Linearisation

    here = Linearisation(weights, problem.padded_target, problem.padded_moment)
    for _ in range(FIRST_ROUNDS):
        image: FloatArray = here.hessian_product(direction)
        size = float(np.linalg.norm(image))
        if not 0.0 < size < np.inf:
            break
        direction = image / size
    return direction


def carry_on(
    network: Network, params: NetworkParams, problem: Problem, first: int, steps: int
) -> tuple[Network, FloatArray]:
    """Make steps `first` + 1 to `first` + `steps`, or those up to the divergence.

    Returns
    -------
    network : Network
    record : ndarray, shape (done, 5)
        `COLUMNS` after every step. The step of a divergence has a row too, with the error at the
        limit of what is recorded and NaN for the rest.
    """
    from engine.kernels.matrix.descent import descend, divergence_limit

    if network.diverged_at is not None or steps == 0:
        return network, np.empty((0, len(COLUMNS)))
    moments = batch_moments(params, problem, first, steps)
    adaptive = params.step_rule == "hessian"
    made = descend(
        network.weights,
        network.previous,
        problem.padded_target,
        problem.padded_moment,
        steps,
        step_of(params, problem),
        batches=None if moments is None else padded(moments),
        momentum=0.0 if params.optimiser == "gradient-descent" else params.momentum,
        nesterov=params.optimiser == "nesterov",
        alpha=params.alpha if adaptive else 0.0,
        direction=network.direction,
        iterations=ROUNDS,
    )
    record = made.record
    diverged_at = None
    if made.diverged:
        diverged_at = first + made.done + 1
        row = np.full((1, len(COLUMNS)), np.nan)
        row[0, 0] = divergence_limit(problem.target.matrix)
        record = np.concatenate([record, row])
    return Network(made.weights, made.previous, made.direction, diverged_at), record


def measure(network: Network, problem: Problem) -> FloatArray:
    """Return the row of `carry_on` that belongs to a state; the step's own size is not known."""
    from engine.kernels.matrix.calculus import Linearisation
    from engine.kernels.matrix.descent import divergence_limit

    row = np.full(len(COLUMNS), np.nan)
    if network.diverged_at is not None:
        row[0] = divergence_limit(problem.target.matrix)
        return row
    here = Linearisation(network.weights, problem.padded_target, problem.padded_moment)
    n = problem.size
    residual = here.residual[:n, :n]
    row[0] = here.error
    row[1] = 0.5 * float(np.vdot(residual @ problem.moment, residual))
    row[4] = float(np.vdot(residual, problem.target.matrix)) / problem.scale
    return row


def follow(flow: FloatArray, problem: Problem, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Carry a gradient flow on for the time that the steps took.

    Returns
    -------
    flow : ndarray
        Its new point, or shape (0,) where it is not asked for or has left the range of numbers.
    errors : ndarray, shape of `times`
        NaN where there is no flow, and for steps of no known size.
    """
    from engine.kernels.matrix.descent import flow as integrate

    errors = np.full(len(times), np.nan)
    times = times[np.isfinite(times)]
    if flow.size == 0 or not len(times):
        return flow, errors
    weights, found = integrate(flow, problem.padded_target, problem.padded_moment, times)
    errors[: len(found)] = found
    return (weights if len(found) == len(times) else np.empty(0)), errors


def in_stretches(
    state: StateT,
    n: int,
    stride: int,
    carry_on: Callable[[StateT, int], tuple[StateT, dict[str, FloatArray]]],
) -> tuple[StateT, Chunk]:
    """Make up to n steps of an experiment, stopping wherever something is to be measured.

    Parameters
    ----------
    carry_on : callable
        Makes so many steps with nothing to be measured but, perhaps, after the last, and gives
        the new state and the recorded rows.
    """
    params, last, first = state.params, state.step + n, state.step + 1
    parts: list[dict[str, FloatArray]] = []
    while state.step < last and state.diverged_at is None:
        stop = next_stop(state.step, last, params.measure_every, params.hessian_every)
        state, rows = carry_on(state, stop - state.step)
        parts.append(rows)
    if not parts:
        return state, Chunk.exact(first, {})
    series = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return state, Chunk.exact(first, series).bucketed(stride)


def next_stop(step: int, last: int, *periods: int) -> int:
    """Find the first step after `step` at which something is measured, or `last`."""
    return min(last, *(step + period - step % period for period in periods))


def error_of(problem: Problem, weights: FloatArray) -> float:
    """Frobenius error at padded weights."""
    from engine.kernels.matrix.calculus import Linearisation

    return Linearisation(weights, problem.padded_target, problem.padded_moment).error
