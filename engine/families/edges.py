"""The edge of stability as a statement, confronted with a run."""

from __future__ import annotations

from engine.analysis.edge import Edge
from engine.core.claims import Claim, Lamp, Verdict
from engine.text.numbers import short, whole
from engine.theory.optimisers import Setting, describe

TOLERANCE = 0.1
"""Relative distance of the mean from the limit that counts as hovering at it: the first overshoot
is a part of the mean."""
ENOUGH, MANY = 40, 150
"""Looks since the onset from which a mean is judged: if the sharpness has come back below the limit
`RETURNS` times, which it does at its own pace, and in any case."""
RETURNS = 3
SLOW = 0.999
"""Decay of the mean square from which on P changes slowly enough to count as frozen."""


def edge_claim(
    setting: Setting,
    edge: Edge,
    lamps: tuple[Lamp, ...],
    *,
    diverged: bool = False,
    knows_decay: bool = True,
) -> Claim:
    """Confront the mean of the sharpness since the onset of the edge with the limit.

    Parameters
    ----------
    setting : Setting
    edge : Edge
    lamps : tuple of Lamp
        Assumptions beside those on the optimiser and the start.
    diverged : bool
    knows_decay : bool
        Whether the decay of the mean square is that of the run, and not one taken for it.
    """
    described = describe(setting.optimiser)
    lamps += (
        Lamp("the optimiser has a limit", described.limit(setting) is not None, described.title),
        Lamp(
            "begun below the limit",
            edge.came_from_below,
            "" if edge.first is None else f"at {short(edge.first, 3)} of it",
        ),
    )
    if described.is_adaptive:
        decay = setting.square_decay
        slow = decay >= SLOW if knows_decay else None
        detail = f"β₂ = {short(decay, 6)}" if knows_decay else "not in the log"
        lamps += (Lamp("P changes slowly", slow, detail),)
    began_beyond = edge.came_from_below is False
    measured = "the run began beyond the limit" if began_beyond else "the limit is not reached"
    holds = None
    if edge.left is not None:
        measured = f"the run had left the limit by step {whole(edge.left)}"
    if edge.mean is not None:
        measured = f"{short(edge.mean, 4)} of the limit, over {whole(edge.edge_looks)} looks"
        if edge.edge_looks >= (ENOUGH if edge.returns >= RETURNS else MANY):
            holds = abs(edge.mean - 1.0) <= TOLERANCE
    if diverged:
        holds, measured = None, f"diverged; before that {measured}"
    return Claim(
        id="edge",
        title="The sharpness rises to the optimiser's limit and hovers there",
        source=_source(setting),
        statement="Under full batches the largest eigenvalue of the Hessian (for Adam: of the "
        "preconditioned one) typically comes to the limit of the step size and stays near it.",
        assumptions=lamps,
        predicted=f"a mean since the onset within {100 * TOLERANCE:.0f} % of the limit",
        measured=measured,
        verdict=judged(lamps, holds),
        note="The statement is about what is typical. Once the samples are fitted the sharpness "
        "may stay below the limit, and the mean sinks.",
    )


def _source(setting: Setting) -> str:
    described = describe(setting.optimiser)
    if described.is_adaptive:
        return "Cohen et al. 2022, arXiv:2207.14484, abstract"
    if setting.optimiser == "gradient-descent":
        return "Cohen et al. 2021, arXiv:2103.00065, abstract"
    return described.source.text


def judged(lamps: tuple[Lamp, ...], holds: bool | None) -> Verdict:
    """Return the verdict: undecided while an answer or an assumption is not known."""
    if any(lamp.on is False for lamp in lamps):
        return Verdict.NOT_APPLICABLE
    if holds is None or any(lamp.on is None for lamp in lamps):
        return Verdict.UNDECIDED
    return Verdict.HOLDS if holds else Verdict.VIOLATED
