"""Whether a cycle that a matrix network is on holds it.

The error repeats long before a displacement that grows from rounding shows in it, and where
eigenspaces decouple it shows in second order only. So the displacement itself is followed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from engine.core.beside import once
from engine.core.experiment import State
from engine.families.matrix import descent
from engine.families.matrix.descent import Network
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem, step_of
from engine.kernels.matrix.padding import padded

MOST_BYTES = 64 * 2**20
"""Memory for the points of a lap; of a longer lap nothing is said."""
WORK = 3e8
"""Multiplications that a displacement is followed for, in the order of a few tenths of a second."""
STEPS = (64, 2048)
"""Steps that it is followed for, at least and at most."""
GROWN = 0.8
"""Log growth over the later half of the steps from which on a cycle repels: along the directions in
which factors can be exchanged between matrices a displacement grows linearly at most, by log 2."""


def asked_once(
    state: State[Any], network: Network, params: NetworkParams, problem: Problem
) -> Callable[[int], bool | None]:
    """Return what `repels` answers for a period at a state, kept beside the state."""

    def ask(period: int) -> bool | None:
        what = partial(repels, network, params, problem, state.step, period)
        return once(state, ("repels", id(network), period), what)

    return ask


def repels(
    network: Network, params: NetworkParams, problem: Problem, step: int, period: int
) -> bool | None:
    """Return whether a small displacement of a network on a cycle grows exponentially.

    Parameters
    ----------
    network : Network
        At a point of the cycle, after `step` updates.
    period : int
        Steps of a lap; 1 at an equilibrium.

    Returns
    -------
    bool or None
        None where it is not known: the step or its batch depends on the state, or a lap is too
        large to be kept.
    """
    from engine.kernels.matrix.calculus import Linearisation

    if params.step_rule != "fixed" or params.batch not in ("full", "orthonormal"):
        return None
    if 4 * period * network.weights.nbytes > MOST_BYTES:
        return None
    beta = 0.0 if params.optimiser == "gradient-descent" else params.momentum
    ahead = beta if params.optimiser == "nesterov" else 0.0
    lap = []
    for k in range(period):
        point = network.weights + ahead * (network.weights - network.previous)
        lap.append(Linearisation(point, problem.padded_target, problem.padded_moment))
        network, _ = descent.carry_on(network, params, problem, step + k, 1)
        if network.diverged_at is not None:
            return True
    size = step_of(params, problem)
    shape = network.matrices(problem.size).shape
    moved = padded(np.random.default_rng(problem.seed).standard_normal(shape))
    speed = np.zeros_like(moved)
    affordable = WORK / (20.0 * network.weights.size * network.weights.shape[-1])
    laps = 2 * math.ceil(min(max(affordable, STEPS[0]), STEPS[1]) / (2 * period))
    grown = 0.0
    for turn in range(laps):
        for place in lap:
            speed = beta * speed - size * place.hessian_product(moved + ahead * speed)
            moved = moved + speed
        norm = math.hypot(float(np.linalg.norm(moved)), float(np.linalg.norm(speed)))
        if not 0.0 < norm < math.inf:
            return norm > 0.0
        moved, speed = moved / norm, speed / norm
        grown += math.log(norm) if turn >= laps // 2 else 0.0
    return grown > GROWN
