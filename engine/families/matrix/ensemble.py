"""Ensembles of matrix runs: many seeds, and many step sizes, each seed with its own R."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from engine.core import ensemble
from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp
from engine.core.ensemble import Ensemble, Progress
from engine.core.outcome import OutcomeKind
from engine.core.params import update
from engine.families.ensembles import views as shared
from engine.families.ensembles.runs import (
    SIDES,
    Batch,
    Points,
    Run,
    Setting,
    Track,
    Tracker,
    carry_out,
    comparison,
    double_is_better,
    median_known,
)
from engine.families.matrix import descent
from engine.families.matrix.batches import carry_out_batched, check_device, made_run, starts
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem, check_batches, make_problem

CHUNK = 250
"""Steps between two looks at the cancel button, for n = L = 20; fewer for larger networks."""


def _follow(
    params: NetworkParams,
    problem: Problem,
    start: FloatArray,
    points: Points,
    stop: threading.Event,
) -> tuple[Track, FloatArray] | None:
    """Carry one network through all checkpoints and give its end; None when stopped."""
    network = descent.begin(params, problem, start)
    tracker = Tracker(points, descent.error_of(problem, network.weights) / problem.scale)
    chunk = max(1, CHUNK * 8000 // max(start[0].size * problem.size // 20, 1))
    while tracker.missing:
        if stop.is_set():
            return None
        network, record = descent.carry_on(
            network, params, problem, tracker.step, min(chunk, tracker.missing)
        )
        tracker.add(record[:, 0] / problem.scale, diverged=network.diverged_at is not None)
    return tracker.track(), network.matrices(problem.size)


def _run(
    params: NetworkParams, seed: int, steps: int, progress: Progress, sides: Sequence[int]
) -> Batch:
    """Make all runs with networks of the given numbers of branches."""
    check_batches(params)
    settings = [{"step_size": size} for size in params.step_sizes or (params.step_size,)]
    seeds = range(seed, seed + params.ensemble)
    device = check_device(params)
    if device is not None:
        return carry_out_batched(params, settings, seeds, steps, progress, sides, device)

    def work(setting: Setting, number: int, points: Points, stop: threading.Event) -> Run | None:
        if stop.is_set():
            return None
        own = update(params, **setting)
        problem = make_problem(own, number)
        found = []
        for branches in sides:
            one = _follow(own, problem, starts(own, problem, branches), points, stop)
            if one is None:
                return None
            found.append(one)
        return made_run(own, problem, setting, found)

    return carry_out(work, settings, seeds, steps, progress)


def run_single(params: NetworkParams, seed: int, steps: int, progress: Progress) -> Ensemble:
    """Run the single network over seeds and step sizes."""
    batch = _run(params, seed, steps, progress, (1,))
    rows = [_single_row(setting, group) for setting, group in batch.groups()]
    return shared.assemble(batch, rows, SIDES[:1], (_norm_decides(batch.runs, params),))


def run_double(params: NetworkParams, seed: int, steps: int, progress: Progress) -> Ensemble:
    """Run the single and the double network over seeds and step sizes: Figure 3's table."""
    batch = _run(params, seed, steps, progress, (1, 2))
    rows = [comparison(setting, group, batch.points) for setting, group in batch.groups()]
    better = {"double_better": [double_is_better(run, -1) for run in batch.runs]}
    return shared.assemble(batch, rows, SIDES, (_figure_3(batch.runs, params),), columns=better)


def _single_row(setting: Setting, group: Sequence[Run]) -> dict[str, Any]:
    own = [run.tracks[0] for run in group]
    done = [run for run in group if run.tracks[0].fate is OutcomeKind.CONVERGED]
    return {
        **setting,
        "runs": len(group),
        "converged": ensemble.fraction([track.fate is OutcomeKind.CONVERGED for track in own]),
        "diverged": ensemble.fraction([track.diverged_at is not None for track in own]),
        "median_relative_error": median_known([track.known for track in own]),
        "median_root_distance": median_known([run.facts["root_distance"] for run in done]),
    }


def _norm_decides(runs: Sequence[Run], params: NetworkParams) -> Claim:
    """Claim that a run from the identity converges exactly below the bound with the norm."""
    own = [run for run in runs if run.facts["spectral_norm"] >= 1]
    lamps = (
        Lamp("Start is the identity", params.init == "identity", params.init),
        Lamp("Runs with ‖R‖₂ ≥ 1", bool(own), f"{len(own)} of {len(runs)} runs"),
        Lamp("R has real positive eigenvalues", all(run.facts["real_positive"] for run in runs)),
        Lamp(
            "Gradient descent, fixed step, all points", params.is_plain and params.batch == "full"
        ),
    )
    return shared.agreement(
        "norm-decides",
        "The spectral norm decides over convergence",
        "From the identity and for ‖R‖₂ ≥ 1 a run converges if and only if δ < "
        "2/(L‖R‖₂^(2(L−1)/L)); found in numbers, not proved.",
        answers=[_norm_decided(run) for run in own],
        lamps=lamps,
        predicted="the same in every run, or nearly so",
        note="For ‖R‖₂ < 1 the start is sharper than the minimum: half the bound can diverge.",
    )


def _norm_decided(run: Run) -> bool | None:
    """Return whether a run did what the norm says, None while it is still on its way."""
    fate = run.tracks[0].fate
    if fate is OutcomeKind.CONVERGING:
        return None
    return bool((fate is OutcomeKind.CONVERGED) == (run.facts["delta_over_bound"] < 1))


def _figure_3(runs: Sequence[Run], params: NetworkParams) -> Claim:
    """Claim that the double network's error ends lower in nearly all runs that end at all."""
    ended = [run for run in runs if not all(t.diverged_at is not None for t in run.tracks)]
    lamps = (
        Lamp("Σ = I", params.inputs == "identity", params.inputs),
        Lamp("R has real eigenvalues", all(run.facts["real"] for run in runs)),
        Lamp("Start is the identity", params.init == "identity", params.init),
        Lamp(
            "Gradient descent, fixed step, Σ at every step",
            params.is_plain and params.batch in ("full", "orthonormal"),
        ),
        Lamp(
            "At least one network of a run has not diverged",
            bool(ended),
            f"{len(ended)} of {len(runs)} runs",
        ),
    )
    return shared.agreement(
        "figure-3-ensemble",
        "Figure 3: the double network's error is lower",
        "The convergence of the double network is better for all matrices.",
        answers=[_better(run) for run in ended],
        lamps=lamps,
        predicted="in all runs, or nearly so",
    )


def _better(run: Run) -> bool | None:
    """Return whether the double network is better, None where it may still become so."""
    if double_is_better(run, -1):
        return True
    return None if any(track.fate is OutcomeKind.CONVERGING for track in run.tracks) else False
