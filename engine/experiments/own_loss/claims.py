"""Statements of the theory, confronted with a run on a typed loss."""

from __future__ import annotations

import numpy as np

from engine.analysis.equilibria import Nature
from engine.analysis.phase import Phase
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.experiment import Recent
from engine.core.outcome import OutcomeKind
from engine.experiments.own_loss.analysis import LossAnalysis, analysis_of
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.phase import AT, SMOOTH, near, phase_of
from engine.experiments.own_loss.problem import loss_of
from engine.experiments.own_loss.theory import own_minimum
from engine.text.numbers import short
from engine.theory.optimisers import describe

NEAR_CRITICAL = 0.05
"""Largest ηS − 2 at which the leading order of the amplitude is compared with the run."""
ORDER = 4.0
"""Relative difference from the leading order that is allowed, in units of ηS − 2."""


def claims(params: OwnLossParams, state: OwnLossState, recent: Recent) -> tuple[Claim, ...]:
    """List what the run says of the threshold and of the cycle beyond it."""
    found, phase = analysis_of(params, state.seed), phase_of(state, recent)
    return (_threshold(params, state, phase), *_cycle(params, state, recent, found, phase))


def _smooth_lamps(params: OwnLossParams, state: OwnLossState) -> tuple[Lamp, ...]:
    loss, setting = loss_of(params), params.setting
    kinks = loss.kinks(state.weights)
    detail = "no kinks" if np.isinf(kinks) else f"nearest kink at distance {short(kinks, 3)}"
    return (
        Lamp("smooth here", bool(kinks > AT), detail),
        *describe(setting.optimiser).lamps(setting),
        Lamp("fixed step size", params.has_fixed_step),
    )


def _threshold(params: OwnLossParams, state: OwnLossState, phase: Phase) -> Claim:
    """Confront a minimum at which the run is with the optimiser's threshold."""
    setting = params.setting
    optimiser = describe(setting.optimiser)
    lamps = _smooth_lamps(params, state)
    limit, equilibrium = optimiser.limit(setting), near(state)
    verdict, measured = Verdict.UNDECIDED, "the run is at no minimum"
    predicted = optimiser.sentence
    linear = setting.optimiser in SMOOTH and limit is not None and not setting.scales
    if not linear or limit is None or not all(lamp.on for lamp in lamps):
        verdict = Verdict.NOT_APPLICABLE
    elif equilibrium is not None and equilibrium.nature is Nature.MINIMUM:
        pull = setting.step_size * equilibrium.sharpness
        predicted = f"δS ≤ {short(limit, 6)} where a run converges"
        measured = f"δS = {short(pull, 6)}, {phase.text}"
        if phase.kind is OutcomeKind.CONVERGED and not phase.standing.is_precarious:
            verdict = Verdict.HOLDS if pull <= limit * (1.0 + 1e-6) else Verdict.VIOLATED
    return Claim(
        id="threshold",
        title="A run converges only to minima below the optimiser's threshold",
        source=optimiser.source.text,
        statement=optimiser.sentence,
        assumptions=lamps,
        predicted=predicted,
        measured=measured,
        verdict=verdict,
        note="Except from starts on a set of measure 0, which converge to unstable minima.",
    )


def _cycle(
    params: OwnLossParams,
    state: OwnLossState,
    recent: Recent,
    found: LossAnalysis | None,
    phase: Phase,
) -> tuple[Claim, ...]:
    """Confront the amplitude of a cycle of period 2 with the flip coefficient."""
    setting = params.setting
    optimiser = describe(setting.optimiser)
    step = optimiser.equivalent_step(setting)
    listed = own_minimum(state) or (None if found is None else found.nearest_minimum(state.weights))
    if listed is None or listed.flip is None or step is None or setting.scales:
        return ()
    flip = listed.flip
    beyond = step * flip.sharpness - 2.0
    amplitude = flip.amplitude(step) if beyond > 0.0 else None
    lamps = (
        *_smooth_lamps(params, state),
        Lamp("isolated, or the flattest of its manifold", flip.is_stationary),
        Lamp("eigenvalue −1 simple", flip.is_simple, f"gap {short(flip.gap, 3)}"),
        Lamp("soft", flip.is_soft, f"c = {short(flip.coefficient or 0.0, 5)}"),
        Lamp(
            "just beyond the critical step size",
            0.0 < beyond <= NEAR_CRITICAL,
            f"ηS − 2 = {short(beyond, 4)}",
        ),
    )
    verdict, measured = Verdict.UNDECIDED, phase.text
    if not all(lamp.on for lamp in lamps) or amplitude is None:
        verdict = Verdict.NOT_APPLICABLE
    elif phase.period == 2:
        rows = state.evidence(recent)["weights"][-2:]
        half = 0.5 * float(np.linalg.norm(rows[1] - rows[0]))
        measured = short(half, 6)
        close = abs(half / amplitude - 1.0) <= ORDER * beyond + 1e-6
        verdict = Verdict.HOLDS if close else Verdict.VIOLATED
    return (
        Claim(
            id="flip",
            title="Beyond the threshold a stable 2-cycle grows out of the minimum",
            source="normal form of the flip; compare arXiv 2602.14789 and 2606.15551",
            statement="For c > 0 the run settles on a cycle of period 2 whose points are "
            "2√((ηS − 2)/c) apart, to leading order.",
            assumptions=lamps,
            predicted="nothing of this run" if amplitude is None else short(amplitude, 6),
            measured=measured,
            verdict=verdict,
        ),
    )
