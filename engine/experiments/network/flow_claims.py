"""Statements on what happens at the limit and beyond, confronted with a training run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp
from engine.core.experiment import Recent
from engine.core.outcome import CONVERGED
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.state import NetworkState
from engine.families.edges import ENOUGH, judged
from engine.text.numbers import short, whole

if TYPE_CHECKING:
    from engine.experiments.network.expansion import Expansion

WITHIN = 0.1
"""Relative distance of the mean loss from that of the flow that counts as agreement."""
NEAR = 0.1
"""Excess of δS over 2 up to which an amplitude to leading order is compared."""
LEADING = 0.25
"""Relative distance of the amplitude that the next order explains."""
SMALL = 1e-3
"""Share of T in flat directions, or in those of negative curvature, that counts as none."""
STEADY = 32
"""Last steps over which a swing has to be steady."""


def central_claim(params: NetworkParams, state: NetworkState, common: tuple[Lamp, ...]) -> Claim:
    """Confront the mean loss and sharpness since the onset with those of the central flow."""
    flow = state.central
    begun = None if flow is None or math.isnan(flow.begun_ratio) else flow.begun_ratio
    lamps = (
        *common,
        Lamp("smooth activation", params.is_smooth, params.unit),
        Lamp("at most 4 eigenvalues at the limit", flow is not None),
        Lamp(
            "the flow begun below the limit",
            None if begun is None else begun < 1.0,
            "" if begun is None else f"at {short(begun, 3)} of it",
        ),
    )
    holds, measured = None, "the flow has not reached the limit"
    predicted = f"a mean loss since the onset within {100 * WITHIN:.0f} % of the flow's"
    if flow is not None and flow.steps and flow.loss_total > 0.0:
        off = flow.run_total / flow.loss_total - 1.0
        mean, own = flow.loss_total / flow.steps, flow.run_total / flow.steps
        predicted += f", {short(mean, 4)}"
        measured = f"{short(own, 4)} over {whole(flow.steps)} steps"
        if flow.looks:
            ratio, seen = flow.ratio_total / flow.looks, flow.run_ratio_total / flow.looks
            predicted += f"; the sharpness at {short(ratio, 4)} of the limit"
            measured += f"; the sharpness at {short(seen, 4)} of it over {whole(flow.looks)} looks"
        if flow.looks >= ENOUGH:
            holds = abs(off) <= WITHIN
    if state.diverged_at is not None:
        holds, measured = None, f"diverged; before that {measured}"
    return Claim(
        id="central-flow",
        title="At the edge of stability the mean of descent follows the central flow",
        source="Cohen et al. 2025, arXiv:2410.24206, as its companion page has it",
        statement="The time average of the training loss is the loss of the central flow plus "
        "tr Σ/δ, with the covariance Σ of the swings that the flow computes.",
        assumptions=lamps,
        predicted=predicted,
        measured=measured,
        verdict=judged(lamps, holds),
        note="Derived informally by its authors and shown by experiments; the tolerance is ours. "
        "The overshoot at the onset is a part of the run's mean.",
    )


def flip_claim(
    params: NetworkParams, state: NetworkState, recent: Recent, common: tuple[Lamp, ...]
) -> Claim:
    """Confront a swing about a minimum left by a change of the step size with its flip."""
    found = state.rest or state.expansion
    beyond = None if found is None else params.step_size * found.sharpness - 2.0
    lamps: tuple[Lamp, ...] = (
        *common,
        Lamp("plain descent", params.optimiser == "gradient-descent", params.described.title),
        Lamp("smooth activation", params.is_smooth, params.unit),
    )
    lamps += _expansion_lamps(found, params.step_size, state.first_loss)
    holds, predicted, measured = None, "known at a minimum", "no swing about a minimum"
    if found is not None and beyond is not None:
        coefficient, error = found.flip(params.step_size)
        predicted = f"c = {short(coefficient, 4)} ± {short(error, 2)}"
        if abs(coefficient) > error and beyond > 0.0:
            swing = math.sqrt(beyond / coefficient) if coefficient > 0.0 else None
            size = None if swing is None else found.sharpness * swing
            predicted += (
                ": nothing near the minimum attracts"
                if size is None
                else f": a cycle of period 2 with ‖∇f‖ = {short(size, 3)} to leading order"
            )
            holds, measured = _swings(state, recent, size)
    return Claim(
        id="flip",
        title="Slightly beyond the limit of a minimum the sign of c decides",
        source="normal form of the flip",
        statement="For c > 0 a stable cycle of period 2 branches off, of amplitude √((δS − 2)/c); "
        "for c < 0 the run leaves.",
        assumptions=lamps,
        predicted=predicted,
        measured=measured,
        verdict=judged(lamps, holds),
        note="To try it, let a run come to rest and raise δ to slightly more than 2/S.",
    )


def _expansion_lamps(
    found: Expansion | None, step_size: float, first_loss: float
) -> tuple[Lamp, ...]:
    """Return what the normal form assumes of the place where the derivatives were found."""
    if found is None:
        return (Lamp("the derivatives are known", None),)
    pull, gap, few = step_size * found.sharpness, found.gap, math.isnan(found.gap)
    second, unknown = (1.0 - gap) * pull, "give two eigenvalues or more"
    return (
        Lamp("derivatives agree with differences", found.smooth),
        Lamp("at a minimum", found.slope <= CONVERGED * first_loss,
             f"‖∇f‖‖w‖ = {short(found.slope, 2)} at k = {whole(found.step)}"),
        Lamp("simple eigenvalue", None if few else gap > 1e-6,
             unknown if few else f"gap {short(gap, 2)}"),
        Lamp("one eigenvalue beyond the limit", None if few else second < 2.0,
             unknown if few else f"δλ₂ = {short(second, 5)}"),
        Lamp("no part of T in flat directions", found.flat <= SMALL, short(found.flat, 2)),
        Lamp("no part of T in negative curvature", found.negative <= SMALL,
             short(found.negative, 2)),
        Lamp("slightly beyond the limit", 0.0 < pull - 2.0 <= NEAR, f"δS = {short(pull, 5)}"),
    )  # fmt: skip


def _swings(state: NetworkState, recent: Recent, size: float | None) -> tuple[bool | None, str]:
    """Return whether a run behaves as c says, and what it does."""
    if state.diverged_at is not None:
        return size is None, f"diverged at step {whole(state.diverged_at)}"
    seen: FloatArray = state.evidence(recent)["gradient"][-STEADY:]
    if state.changed_at is None or seen.size < STEADY:
        return None, "too few steps since the change"
    low, high = float(np.min(seen)), float(np.max(seen))
    pairs = seen[::2].mean(), seen[1::2].mean()
    mean = 0.5 * float(pairs[0] + pairs[1])
    is_steady = max(np.ptp(seen[::2]), np.ptp(seen[1::2])) <= 1e-3 * high
    measured = f"‖∇f‖ from {short(low, 3)} to {short(high, 3)} lately"
    if not is_steady or not mean > 0.0:
        return None, measured
    return size is not None and abs(mean / size - 1.0) <= LEADING, f"{measured}, steady"
