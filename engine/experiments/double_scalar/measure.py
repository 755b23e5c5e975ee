"""What is measured and drawn of the double scalar network at one state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.experiment import Recent
from engine.experiments.double_scalar.params import DoubleScalarParams, DoubleScalarState

SEEN = 400
"""Points of a curve."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the kernel records of a state: see `engine.kernels.double_scalar.COLUMNS`."""

    w: float
    z: float
    u: float
    spread: float
    error_double: float
    error_single: float
    sharpness_double: float
    sharpness_single: float


def add_stability(rows: dict[str, FloatArray], step_size: float) -> None:
    """Add step size times sharpness over 2 of both networks to recorded rows."""
    rows["stability"] = step_size * rows["sharpness_double"] / 2
    rows["stability_single"] = step_size * rows["sharpness_single"] / 2


SIGNED = {
    "error_double": "error_size_double",
    "error_single": "error_size_single",
    "flow_double": "flow_size_double",
    "flow_single": "flow_size_single",
}
"""Signed errors, and the series of their magnitudes."""


def add_sizes(rows: dict[str, FloatArray]) -> None:
    """Add magnitudes of errors: of a bucket with both signs the ends of the error tell none."""
    for signed, size in SIGNED.items():
        rows[size] = np.abs(rows[signed])


def full(state: DoubleScalarState) -> FloatArray:
    """Return all weights, shape (3, L)."""
    return np.broadcast_to(state.weights, (3, state.params.depth)).copy()


def read(state: DoubleScalarState) -> Reading:
    """Measure a state as the kernel does."""
    params, weights = state.params, full(state)
    slopes = [theory.cofactors(row) for row in weights]
    w, z, u = (float(np.prod(row)) for row in weights)
    squares = [params.input_power * float(np.sum(slope**2)) for slope in slopes]
    return Reading(
        w=float(weights[0].mean()),
        z=float(weights[1].mean()),
        u=float(weights[2].mean()),
        spread=float(np.ptp(state.weights, axis=1).max()),
        error_double=w - z - params.target,
        error_single=u - params.target,
        sharpness_double=squares[0] + squares[1],
        sharpness_single=squares[2],
    )


def growth_logs(state: DoubleScalarState, recent: Recent) -> FloatArray | None:
    """Return the log growth per step of a displacement of w and z, None where layers differ."""
    if state.weights.shape[1] != 1:
        return None
    from engine.kernels.double_scalar import growth

    params = state.params
    logs: FloatArray = np.empty(max(len(recent["w"]) - 1, 0))
    growth(
        np.ascontiguousarray(recent["w"]),
        np.ascontiguousarray(recent["z"]),
        params.depth,
        params.target,
        params.step_size * params.input_power,
        logs,
    )
    return logs


def hessian(state: DoubleScalarState) -> FloatArray:
    """Hessian of the pair's loss ½σe² at a state, shape (2L, 2L)."""
    return pair_hessian(state.params, full(state)[:2])


def pair_hessian(params: DoubleScalarParams, weights: FloatArray) -> FloatArray:
    """Compute the Hessian of the pair's loss ½σe² at weights of shape (2, L), shape (2L, 2L)."""
    error = float(np.prod(weights[0]) - np.prod(weights[1]) - params.target)
    gradient = np.concatenate([theory.cofactors(weights[0]), -theory.cofactors(weights[1])])
    found = np.outer(gradient, gradient)
    for sign, block, row in ((1.0, 0, weights[0]), (-1.0, 1, weights[1])):
        place = slice(block * params.depth, (block + 1) * params.depth)
        found[place, place] += sign * error * theory.pair_cofactors(row)
    return params.input_power * found


def curves(params: DoubleScalarParams, reach: float) -> dict[str, FloatArray]:
    """Curve of minima w^L − z^L = λ and the invariant through (1, 1), both up to `reach`."""
    depth, target = params.depth, params.target
    low = -reach if depth % 2 else 0.0
    along = np.linspace(low, reach, SEEN)
    power = np.abs(along) ** depth * (np.sign(along) if depth % 2 else 1.0)
    rest = power - target  # z^L on the curve of minima
    with np.errstate(invalid="ignore"):
        root = np.sign(rest) * np.abs(rest) ** (1 / depth)
    other = np.where((rest >= 0) | bool(depth % 2), root, np.nan)
    other = np.where(np.abs(other) <= reach, other, np.nan)
    made = {"minima_w": along, "minima_z": other}
    if depth >= 2:
        w = np.geomspace(1 / (4 * reach), reach, SEEN)
        left = 1 / w if depth == 2 else 2 - w ** (2.0 - depth)
        with np.errstate(divide="ignore"):
            root = left if depth == 2 else np.abs(left) ** (1 / (2 - depth))
        z = np.where((left > 0) & (root <= reach), root, np.nan)
        made |= {"invariant_w": w, "invariant_z": z}
    return made
