"""The phase of a run of the scalar product network."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from engine import theory
from engine.analysis.exponents import at_minimum, exponent_of, settled
from engine.analysis.phase import Phase, classify
from engine.analysis.window import Window
from engine.core.experiment import Recent
from engine.core.outcome import Exponent, Outcome, OutcomeKind, Standing
from engine.experiments.scalar_product.exponents import (
    ACROSS,
    Growth,
    growths,
    lap_exponents,
)
from engine.experiments.scalar_product.params import ScalarParams, ScalarState
from engine.experiments.scalar_product.theory import starts_symmetric

ROUNDING = 1e-12
"""Relative distance within which a step size is that of a threshold."""


def local_multiplier(params: ScalarParams, recent: Recent) -> float:
    """Return the factor by which a small error is multiplied at the current point.

    It is 1 - step * S for gradient descent, also where the step depends on the state.
    """
    return _factor(params, float(recent["stability"][-1]))


def _factor(params: ScalarParams, stability: float) -> float:
    curvature = params.curvature_limit * stability
    return theory.dominant_factor(curvature, params.optimiser, params.momentum)


def _can_rest(params: ScalarParams) -> bool | None:
    """Return whether any minimum is stable at this step size; None where the step has no size."""
    if params.step_rule != "fixed":
        return None
    flattest = theory.balanced_sharpness(params.target, params.depth, params.power)
    return params.step_size * flattest <= params.curvature_limit * (1.0 + ROUNDING)


def _ahead(state: ScalarState, recent: Recent) -> float | None:
    """Return the multiplier's magnitude at the balanced minimum, if the run can end there alone."""
    params = state.params
    toward = float(recent["product"][-1]) * params.target > 0.0
    if params.step_rule != "fixed" or not (state.is_symmetric and toward):
        return None
    flattest = theory.balanced_sharpness(params.target, params.depth, params.power)
    factor = theory.dominant_factor(params.step_size * flattest, params.optimiser, params.momentum)
    return abs(factor)


def _is_sure(state: ScalarState) -> bool:
    """Return whether Proposition 2 covers the run from its start, so that it must converge."""
    if state.changed_at is not None or not starts_symmetric(state.params):
        return False
    params = state.params
    return state.largest_step <= theory.delta_c(params.target, params.depth, params.power)


def _window(state: ScalarState, recent: Recent, found: tuple[Growth, ...]) -> Window:
    """Put together what the run's last steps and its equilibria are judged by."""
    params = state.params
    error, product = recent["error"], recent["product"]
    later = slice(len(product) // 2, None)
    astray = bool(np.all(product[later] * np.sign(params.target) <= 0.0))
    sizes = np.max(np.abs(recent["weights"][later]), axis=1)
    rests = state.is_symmetric and params.depth >= 2 and params.step_rule == "fixed"
    return Window(
        step=state.step,
        error=error,
        states=recent["weights"],
        is_whole=not params.has_momentum and recent["weights"].shape[1] == params.depth,
        scale=abs(params.target),
        diverged_at=state.diverged_at,
        growth=found[0].logs if found else None,
        growth_of=found[0].of if found else "",
        multiplier=local_multiplier(params, recent),
        stability=float(recent["stability"][-1]),
        can_rest=_can_rest(params),
        ahead=_ahead(state, recent),
        is_sure=_is_sure(state),
        is_linear=params.depth == 1 and params.step_rule == "fixed",
        rest=sizes if astray and (rests or not np.any(sizes)) else None,
        rest_is_neutral=params.depth > 2,
        start=state.start,
    )


def phase_of(state: ScalarState, recent: Recent) -> Phase:
    """Classify a run by its recent steps since its last change."""
    recent = state.evidence(recent)
    found = () if state.diverged_at is not None else growths(state, recent)
    phase = classify(_window(state, recent, found))
    if phase.kind is OutcomeKind.DIVERGED:
        return phase
    if phase.standing is Standing.AT_SADDLE:
        phase = replace(phase, message=f"{phase.message} {_zero_words(state, recent)}")
    if phase.standing.is_by_minimum:
        return replace(phase, exponents=_across_minima(state, recent, phase.standing))
    exponents = [*phase.exponents]
    for more in found[1:]:
        other = exponent_of(settled(more.logs, phase.period), more.of, phase.period)
        exponents += [] if other is None else [other]
    if phase.period is not None:
        exponents = list(lap_exponents(state, recent, phase.period)) or exponents
    if len(exponents) > 1 and phase.period and exponents[0].value < 0.0 < exponents[1].value:
        words = " Unequal weights would leave the cycle; exact equality holds the run on it."
        phase = replace(phase, message=phase.message + words)
    largest_first = sorted(exponents, key=lambda exponent: -exponent.value)
    return replace(phase, exponents=tuple(largest_first))


def _across_minima(state: ScalarState, recent: Recent, standing: Standing) -> tuple[Exponent, ...]:
    """Return the exponent across the surface of minima: along it nothing moves, and it is 0.

    Of a run that only nears a minimum it is that of the minimum, not of the point that it is at.
    """
    params, is_near = state.params, standing is Standing.NEARING_MINIMUM
    ahead = _ahead(state, recent) if is_near else None
    if ahead:
        return (Exponent(value=math.log(ahead), of=ACROSS),)
    points = recent["stability"] if is_near else recent["stability"][-1:]
    found = at_minimum(points, partial(_factor, params), ACROSS)
    return () if found is None else (found,)


def _zero_words(state: ScalarState, recent: Recent) -> str:
    """Explain why 0 cannot hold a run although the sharpness, and with it δS/2, is 0 there."""
    params, step = state.params, float(recent["step_size"][-1])
    if params.depth != 2:
        return "It is a saddle, of which the Hessian, 0 there, tells nothing."
    if params.optimiser != "gradient-descent":
        return "It is a saddle."
    radius = theory.zero_radius(step, params.target, params.depth, params.power)
    return f"It is a saddle: the Jacobian's spectral radius there is {radius:.6g}."


AGREE = 1e-6
"""Relative difference up to which weights are one in a plot, and count as one."""


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
    return phase.outcome(step, orbit, of, since=state.changed_at or None)
