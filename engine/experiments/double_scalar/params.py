"""Parameters and state of the double scalar network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import field_validator

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.experiment import State
from engine.core.params import Params, param
from engine.families.ensembles.params import GROUP, many_seeds, many_step_sizes
from engine.families.proofs.params import (
    Function,
    asks_for_proofs,
    lyapunov_function,
    proof_cells,
    stability_radius,
    typed_function,
)

STEEPEST = 1e150
"""Sharpness beyond which no run begins: its square must be a number."""

_DESCENT, _PROBLEM, _START, _FLOW = "Descent", "Problem", "Start", "Flow"


class DoubleScalarParams(Params):
    """Parameters of the double scalar network."""

    step_size: float = param(
        0.1,
        "Factor on the gradient.",
        symbol=r"\delta",
        group=_DESCENT,
        ge=1e-30,
        le=100,
        log=True,
        live=True,
        bounds={},
    )
    depth: int = param(
        5, "Number L of weights in each product.", symbol="L", group=_PROBLEM, ge=1, le=100
    )
    target: float = param(
        -1.0, "The number to be learned; not 0.", symbol=r"\lambda", group=_PROBLEM, ge=-1e4, le=1e4
    )
    input_power: float = param(
        1.0,
        "Mean square of the inputs.",
        symbol=r"\sigma",
        group=_PROBLEM,
        ge=1e-12,
        le=1e4,
        log=True,
    )
    init: Literal["ones", "typed"] = param(
        "ones", "Where all weights begin: at 1, or at two numbers.", label="Start", group=_START
    )
    start_w: float = param(
        0.01,
        "First value of every w, and of the single network's weights.",
        symbol="w[0]",
        group=_START,
        ge=-100,
        le=100,
        when={"init": ["typed"]},
    )
    start_z: float = param(
        0.01,
        "First value of every z.",
        symbol="z[0]",
        group=_START,
        ge=-100,
        le=100,
        when={"init": ["typed"]},
    )
    noise: float = param(
        0.0,
        "Standard deviation of what is added to each weight; 0 keeps the exact symmetry.",
        group=_START,
        ge=0,
        le=1,
    )
    flow: bool = param(True, "Follow the gradient flow beside the runs.", group=_FLOW)
    prove: bool = asks_for_proofs()
    lyapunov: Function = lyapunov_function()
    lyapunov_typed: str = typed_function("w1^2 + z1^2")
    epsilon: float = stability_radius()
    cells: int = proof_cells()
    ensemble: int = many_seeds()
    spread: float = param(
        0.1,
        "Noise of the starts of an ensemble, in place of the one above.",
        group=GROUP,
        ge=1e-12,
        le=1,
        log=True,
        for_ensemble=True,
    )
    step_sizes: tuple[float, ...] = many_step_sizes()
    targets: tuple[float, ...] = param(
        (),
        "Targets of an ensemble, none of them 0; an empty list takes the one above.",
        group=GROUP,
        ge=-1e4,
        le=1e4,
        for_ensemble=True,
    )

    @field_validator("target")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        if value == 0:
            raise InputError("target", value, "give a finite number other than 0")
        return value

    @field_validator("targets")
    @classmethod
    def _none_zero(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if 0 in values:
            raise InputError("targets", list(values), "give finite numbers other than 0")
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleScalarState(State[DoubleScalarParams]):
    """Networks w, z and u, shape (3, L), or (3, 1) while the weights of each are equal.

    `flow` has the same shape, or (0, 0) where the flow is not followed; `pushed` is whether the
    run was pushed, so that what holds for its start may not hold for what came after.
    """

    weights: FloatArray
    flow: FloatArray
    pushed: bool = False


def make_start(params: DoubleScalarParams, seed: int) -> FloatArray:
    """Draw the weights of w, z and u at step 0, shape (3, L), or (3, 1) without noise.

    Raises
    ------
    InputError
        If the sharpness there is beyond `STEEPEST`.
    """
    first = (1.0, 1.0) if params.init == "ones" else (params.start_w, params.start_z)
    weights = np.array([[first[0]], [first[1]], [first[0]]])
    if params.noise:
        generator = np.random.default_rng(seed)
        pair = generator.standard_normal((2, params.depth))
        weights = weights + params.noise * np.vstack([pair, pair[:1]])
    check_start(params, weights)
    return weights


def check_start(params: DoubleScalarParams, weights: FloatArray) -> None:
    """Check that a run may begin at weights of shape (3, L) or (3, 1).

    Raises
    ------
    InputError
        If the sharpness there is beyond `STEEPEST`.
    """
    whole = np.broadcast_to(weights, (3, params.depth))
    steep = [theory.sharpness(row, params.input_power) > STEEPEST for row in whole]
    if any(steep):
        field = "start_z" if steep[1] and not steep[0] else "start_w"
        value = float(whole[1 if field == "start_z" else 0, 0])
        rule = f"give a number nearer to 1 for L = {params.depth}: the sharpness is too large"
        raise InputError(field, value, rule)
