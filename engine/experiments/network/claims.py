"""Statements of the paper and of others, confronted with a training run."""

from __future__ import annotations

import math

import numpy as np

from engine.core.claims import Claim, Lamp
from engine.core.experiment import Recent
from engine.core.outcome import CONVERGED, OutcomeKind
from engine.experiments.network.choices import DENSE
from engine.experiments.network.flow_claims import central_claim, flip_claim
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.phase import MANY_E_FOLDS, ROUNDING, outcome_of
from engine.experiments.network.state import NetworkState
from engine.experiments.network.theory import SMOOTH
from engine.families.edges import edge_claim, judged
from engine.text.numbers import short, whole

WIDE = 16
"""Units of a hidden layer from which on what is shown of wide networks may be looked for."""


def claims(params: NetworkParams, state: NetworkState, recent: Recent) -> tuple[Claim, ...]:
    """List what the run says of the limit, the edge of stability and the catapult."""
    made: tuple[Claim, ...]
    made = (_edge(params, state), _threshold(params, state, recent), _catapult(params, state))
    common = _common(params, state)
    if params.has_central_flow:
        made += (central_claim(params, state, common),)
    if params.expands:
        made += (flip_claim(params, state, recent, common),)
    return made


def _common(params: NetworkParams, state: NetworkState) -> tuple[Lamp, ...]:
    whole_look = not 0 < params.sharpness_samples < state.problem.train.count
    return (
        Lamp("full batch", not state.is_minibatch),
        Lamp("sharpness on all samples", whole_look),
        Lamp("sharpness is measured", params.sharpness_every > 0),
    )


def _edge(params: NetworkParams, state: NetworkState) -> Claim:
    """Confront the mean of the sharpness since the onset with the limit."""
    lamps = (
        *_common(params, state),
        Lamp("smooth activation", params.is_smooth, params.unit),
        Lamp("squared error", params.loss == "squared-error", params.loss),
    )
    return edge_claim(params.setting, state.edge, lamps, diverged=state.diverged_at is not None)


def _threshold(params: NetworkParams, state: NetworkState, recent: Recent) -> Claim:
    """Confront a run at rest with the optimiser's limit."""
    described, edge = params.described, state.edge
    outcome = outcome_of(state, recent)
    lamps = (
        *_common(params, state),
        Lamp("the limit is one on the Hessian", params.optimiser in SMOOTH, described.title),
        Lamp("smooth activation", params.is_smooth, params.unit),
    )
    resting = outcome.kind is OutcomeKind.CONVERGED and outcome.phase != "goal reached"
    holds, measured = None, "the run does not rest yet"
    if resting and edge.last is not None:
        measured = f"at rest at {short(edge.last, 4)} of the limit"
        holds = True
        if edge.last > 1.0 + ROUNDING:
            # the run may have come to rest below the limit, before the step size was changed
            holds = False if _e_folds_at_rest(state, recent, edge.last) >= MANY_E_FOLDS else None
    return Claim(
        id="threshold",
        title="A run comes to rest only where the sharpness is below the limit",
        source="Proposition 1, eq. (1)" if params.optimiser == "gradient-descent" else (
            described.source.text
        ),
        statement=described.sentence,
        assumptions=lamps,
        predicted="at most the limit, where a run rests",
        measured=measured,
        verdict=judged(lamps, holds),
        note="Except from starts on a set of measure 0.",
    )  # fmt: skip


def _e_folds_at_rest(state: NetworkState, recent: Recent, ratio: float) -> float:
    """Return the e-foldings by which a displacement would have grown while the run was at rest.

    It is multiplied by 1 − 2 × ratio a step. Steps whose gradient is exactly 0 do not count: the
    weights are on the set of measure 0 then, from which nothing grows.
    """
    seen = state.evidence(recent)
    level = CONVERGED * state.first_loss
    size = float(np.linalg.norm(state.weights))
    slopes = seen["gradient"]
    rests = (slopes > 0.0) & ((seen["loss"] <= level) | (slopes * size <= level))
    moving = np.flatnonzero(~rests)
    steps = len(rests) - (int(moving[-1]) + 1 if moving.size else 0)
    return steps * math.log(2.0 * ratio - 1.0)


def _catapult(params: NetworkParams, state: NetworkState) -> Claim:
    """Confront a run that began beyond the limit with what is said of large step sizes."""
    edge = state.edge
    began, hidden, width = edge.first, len(params.hidden), min(params.hidden, default=0)
    linear = params.activation == "linear" and params.form == "plain" and hidden == 1
    dense = params.form in DENSE
    layers = f"{params.unit}, {hidden} hidden" if dense else params.form
    lamps = (
        *_common(params, state),
        Lamp("plain descent", params.optimiser == "gradient-descent", params.described.title),
        Lamp("squared error", params.loss == "squared-error", params.loss),
        Lamp("linear, one hidden layer", linear, layers),
        Lamp("no biases", None if params.form == "module" else not params.biases),
        Lamp("wide", (dense and width >= WIDE) or None, f"{whole(width)} units" if dense else ""),
        Lamp(
            "begun between 1 and 2 times the limit",
            None if began is None else 1.0 < began < 2.0,
            "" if began is None else f"at {short(began, 4)} of it",
        ),
    )
    holds, measured = None, "no catapult so far"
    if edge.catapult is not None:
        measured = f"the loss rose above its start by step {whole(edge.catapult)}"
        if edge.landed is not None:
            holds = True
            measured += f", below the limit at step {whole(edge.landed)}"
    if state.diverged_at is not None:
        holds, measured = False, f"diverged at step {whole(state.diverged_at)}"
    return Claim(
        id="catapult",
        title="From somewhat beyond the limit the loss rises, then the run lands where it is flat",
        source="Lewkowycz et al. 2020, arXiv:2003.02218",
        statement="At large step sizes the loss grows during the early part of training, and the "
        "run converges to a flatter minimum.",
        assumptions=lamps,
        predicted="the loss rises above its start, then the sharpness is below the limit",
        measured=measured,
        verdict=judged(lamps, holds),
        note="Shown for wide linear networks with one hidden layer, up to twice the limit; others "
        "may have catapults, too, or diverge.",
    )
