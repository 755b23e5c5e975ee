"""What an ensemble of the double scalar network says of Section 3.2."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.claims import Claim, Lamp, Verdict
from engine.core.outcome import OutcomeKind
from engine.experiments.double_scalar.params import DoubleScalarParams
from engine.families.ensembles.runs import Run, median_known
from engine.families.ensembles.views import agreement

LEARNED = 1e-3
"""Relative error at which a network counts as having learned the target."""
_SECTION = "Section 3.2, over seeds"


def has_learned(run: Run, index: int) -> bool:
    """Return whether a network, 0 the single one, ends within `LEARNED` of its target."""
    track = run.tracks[index]
    return track.diverged_at is None and track.last <= LEARNED


def both_learned(run: Run) -> bool:
    """Return whether both networks of a run have learned."""
    return has_learned(run, 0) and has_learned(run, 1)


def is_first(run: Run) -> bool:
    """Return whether the pair learned, and no later than the single network."""
    single, double = (run.facts[f"{side}_learned_at"] for side in ("single", "double"))
    return double is not None and (single is None or double <= single)


def sharpness_ratio(run: Run) -> float:
    """Sharpness of the pair's minimum in units of that of the single network's."""
    return float(run.facts["double_sharpness"] / run.facts["single_sharpness"])


def over_seeds(params: DoubleScalarParams, runs: Sequence[Run]) -> tuple[Claim, ...]:
    """Confront Section 3.2's statements with runs from scattered starts."""
    return (
        _pair_learns(params, runs),
        _pair_first(params, runs),
        _minima_hold(runs),
        _pair_sharper(params, runs),
        _leaves_zero(params, runs),
    )


def _near_ones(params: DoubleScalarParams) -> Lamp:
    return Lamp("Starts scattered around 1", params.init == "ones", f"by {params.spread:g}")


def _below(runs: Sequence[Run], *limits: str) -> list[Run]:
    """Select the runs whose step is below the limits of these networks, from all ones."""
    return [run for run in runs if all(run.facts[f"delta_over_{x}_limit"] < 1 for x in limits)]


def _pair_learns(params: DoubleScalarParams, runs: Sequence[Run]) -> Claim:
    own = _below(runs, "pair")
    lamps = (
        _near_ones(params),
        Lamp("A step below the pair's limit", bool(own), f"{len(own)} of {len(runs)} runs"),
    )
    return agreement(
        "pair-learns-over-seeds",
        "The pair learns λ of either sign from every start",
        "One product grows and the other shrinks until their difference is λ, whatever its sign.",
        answers=[_pair_learned(run) for run in own],
        lamps=lamps,
        predicted="all runs below the pair's limit learn",
        source=_SECTION,
    )


def _pair_learned(run: Run) -> bool | None:
    """Return whether the pair has learned, None while it may still do so."""
    if has_learned(run, 1):
        return True
    return False if run.tracks[1].is_unstable else None


def _pair_first(params: DoubleScalarParams, runs: Sequence[Run]) -> Claim:
    own = [run for run in _below(runs, "pair", "single") if not _none_will_learn(run)]
    learned = [run for run in own if has_learned(run, 0) or has_learned(run, 1)]
    lamps = (
        _near_ones(params),
        Lamp(
            "A run below both limits has learned",
            bool(learned),
            f"{len(learned)} of {len(runs)} runs",
        ),
    )
    return agreement(
        "pair-first",
        "The pair learns faster",
        "The convergence of the double network is better, here: it is the first within "
        f"{LEARNED:.1%} of the target.",
        answers=[_was_first(run) for run in own],
        lamps=lamps,
        predicted="in all runs, or nearly so",
        source=_SECTION,
        note="Close to its own limit, which is the lower one, the pair overshoots and is later.",
    )


def _was_first(run: Run) -> bool | None:
    """Return whether the pair was first, None while none has learned."""
    return is_first(run) if has_learned(run, 0) or has_learned(run, 1) else None


def _none_will_learn(run: Run) -> bool:
    """Return whether a run has no winner and will have none."""
    return all(
        track.is_unstable and not has_learned(run, side) for side, track in enumerate(run.tracks)
    )


def _minima_hold(runs: Sequence[Run]) -> Claim:
    """Claim Proposition 1 for every end: nothing stays at a minimum sharper than 2/δ."""
    ends = [
        run.setting["step_size"] * run.facts[f"{side}_sharpness"] / 2
        for run in runs
        for index, side in enumerate(("single", "double"))
        if run.tracks[index].fate is OutcomeKind.CONVERGED
    ]
    lamps = (Lamp("A network has converged", bool(ends), f"{len(ends)} of {2 * len(runs)}"),)
    largest = max(ends, default=0.0)
    return Claim(
        id="minima-hold",
        title="No network stays at a minimum sharper than 2/δ",
        source="Proposition 1, over seeds",
        statement="A minimum is stable only if its sharpness S is at most 2/δ.",
        assumptions=lamps,
        predicted="δS/2 ≤ 1 at every end",
        measured=f"largest δS/2 of {len(ends)} ends: {largest:.4g}",
        verdict=(Verdict.HOLDS if largest <= 1 + 1e-6 else Verdict.VIOLATED)
        if ends
        else Verdict.NOT_APPLICABLE,
        note="Larger steps end at flatter minima than the gradient flow's.",
    )


def _pair_sharper(params: DoubleScalarParams, runs: Sequence[Run]) -> Claim:
    own = [run for run in _below(runs, "pair", "single") if both_learned(run)]
    middle = median_known([sharpness_ratio(run) for run in own])
    lamps = (
        _near_ones(params),
        Lamp(
            "A run below both limits in which both have learned",
            bool(own),
            f"{len(own)} of {len(runs)} runs",
        ),
    )
    return agreement(
        "pair-sharper",
        "The pair's minimum is the sharper one",
        "At the flow's minimum from all ones the larger of w*^L and z*^L exceeds |λ|, so it is "
        "sharper than the single network's.",
        answers=[sharpness_ratio(run) > 1 for run in own],
        lamps=lamps,
        source=_SECTION,
        predicted="in all runs, or nearly so",
        note="" if middle is None else f"Median ratio of the sharpnesses {middle:.3g}.",
    )


def _leaves_zero(params: DoubleScalarParams, runs: Sequence[Run]) -> Claim:
    """Claim that a single network leaves 0 once the symmetry is broken."""
    own = [run for run in _below(runs, "single") if run.setting["target"] < 0]
    left = [run for run in own if has_learned(run, 0)]
    lamps = (
        Lamp(
            "A negative target below the single network's limit",
            bool(own),
            f"{len(own)} of {len(runs)} runs",
        ),
        Lamp("At least two layers", params.depth >= 2, f"L = {params.depth}"),
        _near_ones(params),
    )
    middle = median_known([run.facts["single_learned_at"] for run in left])
    return Claim(
        id="symmetry-needed",
        title="Without exact symmetry a single network can leave 0",
        source="Proposition 3, without its assumption",
        statement="From equal weights a single network sinks to 0 and stays there; the origin is "
        "unstable to all that parts the weights.",
        assumptions=lamps,
        predicted="scattered starts leave 0 after a time that grows with L and falls with the "
        "spread",
        measured=f"{len(left)} of {len(own)} single networks learned λ < 0"
        + ("" if middle is None else f", the median at step {middle:.0f}"),
        verdict=(Verdict.HOLDS if left else Verdict.UNDECIDED)
        if all(lamp.on for lamp in lamps)
        else Verdict.NOT_APPLICABLE,
    )
