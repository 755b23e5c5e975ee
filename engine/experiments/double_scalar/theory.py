"""Bounds and claims of the double scalar network."""

from __future__ import annotations

import numpy as np

from engine import theory
from engine.core.claims import Bound, Claim, Lamp, Verdict
from engine.core.outcome import Outcome, OutcomeKind
from engine.experiments.double_scalar.measure import Reading
from engine.experiments.double_scalar.params import DoubleScalarParams, DoubleScalarState

NEAR_ZERO = 1e-6
"""Error, relative to |λ|, below which a network has learned the target."""


def bounds(params: DoubleScalarParams, reading: Reading | None) -> tuple[Bound, ...]:
    """List the limits of the pair, of the single network, and where the flow would lead."""
    depth, target, power = params.depth, params.target, params.input_power
    flow = theory.double_flow_limit(target, depth)
    pair = theory.double_bound(target, depth, power)
    stability = None if reading is None else params.step_size * reading.sharpness_double / 2
    found = [
        Bound(
            id="delta_pair",
            name="Largest stable step of the pair",
            symbol=r"\delta_{wz}",
            value=pair,
            source="Section 3.2, with Proposition 1's argument",
            field="step_size",
            formula=r"\delta_{wz} = \frac{2}{\sigma L\,(w_*^{2L-2} + z_*^{2L-2})}",
            measured=None if reading is None else _inverse(reading.sharpness_double),
            measured_symbol="" if reading is None else r"2/S_{wz}",
            note="At the minimum that the gradient flow reaches from all ones; other minima of "
            "the pair have limits of their own.",
        ),
        Bound(
            id="delta_max",
            name="Largest stable step of one network",
            symbol=r"\delta_{\max}",
            value=theory.delta_max(target, depth, power),
            source="Proposition 1",
            field="step_size",
            formula=r"\delta_{\max} = \frac{2}{\sigma L\,|\lambda|^{2(L-1)/L}}",
            measured=None if reading is None else _inverse(reading.sharpness_single),
            measured_symbol="" if reading is None else r"2/S_{u}",
            note="The single network's flattest minimum. The one that the pair reaches from all "
            "ones is always the sharper one.",
        ),
        Bound(
            id="stability",
            name="Stability at the flow's minimum",
            symbol=r"\delta S/2",
            value=params.step_size / pair,
            source="Section 3.2",
            formula=r"\frac{\delta S}{2} = \frac{\delta}{\delta_{wz}}",
            measured=stability,
            measured_symbol="" if stability is None else r"\delta S_{wz}/2",
            note="Above 1 the pair cannot stay there.",
        ),
        Bound(
            id="flow_w",
            name="Limit of w",
            symbol="w_*",
            value=flow.w,
            source="Equations (9a, b)",
            formula=r"w_*^L - z_*^L = \lambda",
            measured=None if reading is None else reading.w,
            measured_symbol="" if reading is None else "w[k]",
            note="Where the gradient flow ends that begins at w = z = 1.",
        ),
        Bound(
            id="flow_z",
            name="Limit of z",
            symbol="z_*",
            value=flow.z,
            source="Equations (9a, b)",
            formula=r"w_*^{2-L} + z_*^{2-L} = 2" if depth != 2 else r"w_* z_* = 1",
            measured=None if reading is None else reading.z,
            measured_symbol="" if reading is None else "z[k]",
        ),
    ]
    if target < 0:
        found.append(
            Bound(
                id="zero_threshold",
                name="Step up to which one network sinks to 0",
                symbol=r"\delta_0",
                value=theory.zero_threshold(target, power),
                source="Proposition 3",
                field="step_size",
                formula=r"\delta_0 = \frac{1}{\sigma(1-\lambda)}",
                note="From all ones and for L ≥ 2.",
            )
        )
    return tuple(found)


def _inverse(sharpness: float) -> float | None:
    return 2.0 / sharpness if sharpness > 0 else None


def claims(
    params: DoubleScalarParams, state: DoubleScalarState, reading: Reading, outcome: Outcome
) -> tuple[Claim, ...]:
    """Confront Section 3.2's statements with the run."""
    return (
        _sinks(params, state, reading),
        _reaches(params, state, reading, outcome),
        _leaves_origin(params, state, reading),
        _invariant(params, state, reading),
        _limit(params, state, reading, outcome),
    )


def _ones(params: DoubleScalarParams, state: DoubleScalarState) -> Lamp:
    exact = params.init == "ones" and params.noise == 0 and not state.pushed
    other = "pushed since" if state.pushed else "another start"
    return Lamp("All weights begin at exactly 1", exact, "" if exact else other)


def _deep(params: DoubleScalarParams) -> Lamp:
    return Lamp("At least two layers", params.depth >= 2, f"L = {params.depth}")


def _sinks(params: DoubleScalarParams, state: DoubleScalarState, reading: Reading) -> Claim:
    threshold = (
        theory.zero_threshold(params.target, params.input_power) if params.target < 0 else None
    )
    lamps = (
        Lamp("λ < 0", params.target < 0, f"λ = {params.target:g}"),
        _deep(params),
        _ones(params, state),
        Lamp(
            "δ ≤ 1/(σ(1−λ))",
            None if threshold is None else params.step_size <= threshold,
            "" if threshold is None else f"threshold {threshold:.4g}",
        ),
    )
    verdict = Verdict.NOT_APPLICABLE
    if all(lamp.on for lamp in lamps):
        if not 0 <= reading.u <= 1:
            verdict = Verdict.VIOLATED
        else:
            sunk = abs(reading.error_single + params.target) <= NEAR_ZERO * abs(params.target)
            verdict = Verdict.HOLDS if sunk else Verdict.UNDECIDED
    return Claim(
        id="prop-3-single",
        title="One network sinks to 0",
        source="Proposition 3",
        statement="A single product that begins at all ones cannot become negative: its weights "
        "go to 0.",
        assumptions=lamps,
        predicted="u → 0, error → −λ",
        measured=f"u = {reading.u:.4g} at k = {state.step}, error {reading.error_single:.4g}",
        verdict=verdict,
        note="For L ≥ 3 the way down is slower than any exponential: judge it by the product.",
    )


def _reaches(
    params: DoubleScalarParams, state: DoubleScalarState, reading: Reading, outcome: Outcome
) -> Claim:
    pair = theory.double_bound(params.target, params.depth, params.input_power)
    lamps = (
        _ones(params, state),
        Lamp(
            "δ below the pair's limit",
            params.step_size < pair,
            f"δ/δ_wz = {params.step_size / pair:.4g}",
        ),
    )
    learned = abs(reading.error_double) <= NEAR_ZERO * abs(params.target)
    verdict = Verdict.NOT_APPLICABLE
    if all(lamp.on for lamp in lamps):
        verdict = Verdict.HOLDS if learned else Verdict.UNDECIDED
        if outcome.kind in (OutcomeKind.DIVERGED, OutcomeKind.OSCILLATING, OutcomeKind.APERIODIC):
            verdict = Verdict.VIOLATED
    return Claim(
        id="pair-learns",
        title="The pair learns λ of either sign",
        source="Section 3.2, equations (9a, b)",
        statement="From w = z = 1 one product grows and the other shrinks until their difference "
        "is λ, whatever its sign.",
        assumptions=lamps,
        predicted="w^L − z^L → λ",
        measured=f"error {reading.error_double:.4g} at k = {state.step}",
        verdict=verdict,
    )


def _leaves_origin(params: DoubleScalarParams, state: DoubleScalarState, reading: Reading) -> Claim:
    size = max(abs(reading.w), abs(reading.z))
    verdict = Verdict.NOT_APPLICABLE
    if params.depth >= 2:
        learned = abs(reading.error_double) <= NEAR_ZERO * abs(params.target)
        verdict = Verdict.HOLDS if learned and size > 0.1 else Verdict.UNDECIDED
    growing = (
        "one growing direction, 1 + δσ|λ|"
        if params.depth == 2
        else "the identity: it decides nothing, higher orders do"
    )
    return Claim(
        id="origin-unstable",
        title="The origin cannot be approached",
        source="Section 3.2",
        statement="w = z = 0 is an equilibrium of the pair, but an unstable one.",
        assumptions=(_deep(params),),
        predicted="the run ends away from the origin",
        measured=f"max(|w|, |z|) = {size:.4g} at k = {state.step}",
        verdict=verdict,
        note=f"The linearisation there has {growing}."
        if params.depth >= 2
        else "For L = 1 the origin is no equilibrium.",
    )


def _invariant(params: DoubleScalarParams, state: DoubleScalarState, reading: Reading) -> Claim:
    positive = reading.w > 0 and reading.z > 0
    ratio = params.step_size / theory.double_bound(params.target, params.depth, params.input_power)
    lamps = (
        _ones(params, state),
        _deep(params),
        Lamp("Both weights positive", positive),
        Lamp("Small step, δ < 0.1 δ_wz", ratio < 0.1, f"δ/δ_wz = {ratio:.4g}"),
    )
    value = theory.double_invariant(reading.w, reading.z, params.depth) if positive else np.nan
    expected = 1.0 if params.depth == 2 else 2.0
    drift = abs(value - expected) / expected
    verdict = Verdict.NOT_APPLICABLE
    if all(lamp.on for lamp in lamps):
        # A step of two layers moves wz by a relative (δe)², a run by δ ∫e²dt: of first order in
        # δ, and growing as ln|λ|. With more layers what is far from 1 hardly counts.
        near = ratio * (max(1.0, np.log1p(abs(params.target))) if params.depth == 2 else 1.0)
        verdict = Verdict.HOLDS if drift <= near else Verdict.VIOLATED
    name = "wz" if params.depth == 2 else "w^(2−L) + z^(2−L)"
    return Claim(
        id="flow-invariant",
        title="The run follows the flow's invariant",
        source="Conserved by the gradient flow of (9a, b)",
        statement=f"{name} keeps its value along the gradient flow; gradient descent with a small "
        "step stays close.",
        assumptions=lamps,
        predicted=f"{name} ≈ {expected:g}",
        measured=(f"{value:.6g}" if np.isfinite(value) else "beyond the range of numbers")
        if positive
        else "not defined here",
        verdict=verdict,
        note="Exact only in the limit of small steps; the distance shrinks with δ. Held to a "
        "relative δ/δ_wz, for L = 2 and large targets times ln(1 + |λ|).",
    )


def _limit(
    params: DoubleScalarParams, state: DoubleScalarState, reading: Reading, outcome: Outcome
) -> Claim:
    pair = theory.double_bound(params.target, params.depth, params.input_power)
    above = params.step_size > pair
    lamps = (_ones(params, state), Lamp("δ above the pair's limit", above, f"δ_wz = {pair:.6g}"))
    verdict = Verdict.NOT_APPLICABLE
    measured = outcome.phase or outcome.message
    if all(lamp.on for lamp in lamps):
        verdict = {
            OutcomeKind.MAX_STEPS: Verdict.UNDECIDED,
            OutcomeKind.CONVERGING: Verdict.UNDECIDED,
        }.get(outcome.kind, Verdict.HOLDS)
        if outcome.kind is OutcomeKind.CONVERGED:
            stability = params.step_size * reading.sharpness_double / 2
            verdict = Verdict.HOLDS if stability <= 1 + NEAR_ZERO else Verdict.VIOLATED
            where = (
                "found a flatter minimum" if verdict is Verdict.HOLDS else "stays at its minimum"
            )
            measured = f"{where}, δS/2 = {stability:.4g}"
    return Claim(
        id="pair-has-a-limit",
        title="The pair has a step limit too",
        source="Proposition 1's argument on (9a, b)",
        statement="Above 2/S at the flow's minimum the pair cannot stay there.",
        assumptions=lamps,
        predicted="it does not converge to the flow's minimum",
        measured=measured,
        verdict=verdict,
        note="Large steps can find a flatter minimum than the flow's, where they may stay.",
    )
