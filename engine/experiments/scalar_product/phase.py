"""The phase of a run of the scalar product network."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine import theory
from engine.analysis.phase import Phase, Window, classify
from engine.core.arrays import FloatArray
from engine.core.experiment import Recent
from engine.core.outcome import Outcome, OutcomeKind, Standing
from engine.experiments.scalar_product.params import ScalarState, law_of

DEEP_WINDOW = 256
"""Steps over which the Lyapunov exponent of a network too deep to be shown whole is measured."""


def weight_rows(state: ScalarState, recent: Recent) -> FloatArray | None:
    """Return all weights at the recent steps, shape (m, L), or None where they were not recorded.

    Of deep networks only quantiles are; where all weights are equal in magnitude these are enough.
    """
    rows = recent["weights"]
    if rows.shape[1] == state.weights.size:
        return rows
    if not state.is_symmetric:
        return None
    mixed = bool(np.any(state.sign < 0.0))
    first = rows[:, -1] if mixed and state.start[0] >= 0.0 else rows[:, 0]
    return first[-DEEP_WINDOW:, None] * state.sign[None, : state.weights.size]


def growth(state: ScalarState, recent: Recent) -> FloatArray | None:
    """Return the log growth of a small displacement per recent step, or None where unknown."""
    params = state.params
    rows = weight_rows(state, recent)
    if rows is None or len(rows) < 3 or params.step_rule == "hessian":
        return None
    from engine.kernels.scalar.descent import growth_logs

    steps = recent["step_size"][-len(rows) :]
    logs = growth_logs(rows, steps, state.ties, law_of(params))
    return logs[1:] if params.optimiser != "gradient-descent" else logs


def local_multiplier(state: ScalarState, recent: Recent) -> float | None:
    """Return the factor by which a small error is multiplied at the current point.

    It is 1 - step * S for gradient descent, also where the step depends on the state.
    """
    if state.params.optimiser != "gradient-descent":
        return None
    return 1.0 - 2.0 * float(recent["stability"][-1])


def phase_of(state: ScalarState, recent: Recent) -> Phase:
    """Say in which phase a run is, from its recent steps."""
    params = state.params
    error, product = recent["error"], recent["product"]
    logs = growth(state, recent)
    exponent = None if logs is None else float(np.mean(logs[-max(8, len(logs) // 2) :]))
    later = slice(len(product) // 2, None)
    astray = bool(np.all(product[later] * np.sign(params.target) <= 0.0))
    sizes = np.max(np.abs(recent["weights"][later]), axis=1)
    with np.errstate(over="ignore", under="ignore"):
        first_error = abs(float(np.prod(state.start)) - params.target)
    phase = classify(
        Window(
            step=state.step,
            error=error,
            states=recent["weights"],
            scale=abs(params.target),
            first_error=first_error,
            diverged_at=state.diverged_at,
            lyapunov=exponent,
            multiplier=local_multiplier(state, recent),
            rest=sizes if astray else None,
            first_rest=float(np.max(np.abs(state.start))),
        )
    )
    if phase.kind is OutcomeKind.DIVERGED:
        return replace(phase, lyapunov=None)
    factor = local_multiplier(state, recent)
    if phase.standing is Standing.AT_SADDLE:
        return replace(phase, message=f"{phase.message} {_zero_words(state, recent)}")
    if phase.kind is OutcomeKind.CONVERGED and factor is not None:
        # The surface of minima itself is neutral; what counts is the direction across it.
        return replace(phase, lyapunov=math.log(abs(factor)) if factor != 0.0 else None)
    if phase.period is not None and logs is not None and len(logs) >= phase.period:
        turns = max(1, min(len(logs) // 2, 512) // phase.period)
        phase = replace(phase, lyapunov=float(np.mean(logs[-turns * phase.period :])))
    return phase


def _zero_words(state: ScalarState, recent: Recent) -> str:
    """Say why 0 cannot hold a run although the sharpness, and with it δS/2, is 0 there."""
    params, step = state.params, float(recent["step_size"][-1])
    if params.depth != 2:
        return "It is a saddle, of which the Hessian, 0 there, tells nothing."
    if params.optimiser != "gradient-descent":
        return "It is a saddle."
    radius = theory.zero_radius(step, params.target, params.depth, params.power)
    return f"It is a saddle: the Jacobian's spectral radius there is {radius:.6g}."


AGREE = 1e-6
"""Relative difference up to which weights are one in a plot, and told as one."""


def orbit_points(state: ScalarState, phase: Phase, recent: Recent) -> tuple[tuple[float, ...], str]:
    """Return the points of a cycle, ascending: of the weights where they agree, else the product.

    Returns
    -------
    points : tuple of float
    of : str
        What they are values of; both are empty where there is no cycle.
    """
    if phase.period is None or phase.orbit is None:
        return (), ""
    sizes = np.abs(phase.orbit)
    if float(np.max(np.ptp(sizes, axis=1))) <= AGREE * max(1.0, float(np.max(sizes))):
        whole = sizes.shape[1] == state.weights.size
        points = phase.orbit[:, 0] * np.sign(state.start[0]) if whole else phase.orbit[:, -1]
        return tuple(sorted(float(point) for point in points)), "w"
    return tuple(sorted(float(p) for p in recent["product"][-phase.period :])), "the product"


def outcome_of(state: ScalarState, recent: Recent) -> Outcome:
    """Word the phase as the outcome of a run."""
    phase = phase_of(state, recent)
    orbit, of = orbit_points(state, phase, recent)
    if of:
        phase = replace(phase, message=f"{phase.message} Its orbit is that of {of}.")
    step = state.step if state.diverged_at is None else state.diverged_at
    return phase.outcome(step, orbit, of)
