"""Ensembles of the double scalar network: scattered starts, several step sizes and targets.

Every seed scatters the start of all weights, which breaks the exact symmetry that Proposition 3
needs. Pair and single network run apart, so that the divergence of one does not end the other.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import theory
from engine.core import ensemble, views
from engine.core.arrays import FloatArray
from engine.core.ensemble import Ensemble, Progress
from engine.core.params import update
from engine.experiments.double_scalar.ensemble_claims import (
    LEARNED,
    both_learned,
    has_learned,
    is_first,
    over_seeds,
    sharpness_ratio,
)
from engine.experiments.double_scalar.params import DoubleScalarParams, make_start
from engine.families.ensembles import views as shared
from engine.families.ensembles.runs import (
    SIDES,
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

CHUNK = 20_000
"""Steps between two looks at the cancel button."""


def run(params: DoubleScalarParams, seed: int, steps: int, progress: Progress) -> Ensemble:
    """Run pair and single network over seeds, step sizes and targets."""

    def work(setting: Setting, number: int, points: Points, stop: threading.Event) -> Run | None:
        own = update(params, noise=params.spread, **setting)
        start = make_start(own, number)
        tracks, facts = [], _limits(own)
        for side, rows in zip(SIDES, (start[2:], start[:2]), strict=True):
            found = _follow(own, rows, points, stop)
            if found is None:
                return None
            track, facts[f"{side}_learned_at"], facts[f"{side}_sharpness"] = found
            tracks.append(track)
        return Run(number, setting, tuple(tracks), facts)

    settings = [
        {"target": target, "step_size": size}
        for target in params.targets or (params.target,)
        for size in params.step_sizes or (params.step_size,)
    ]
    batch = carry_out(work, settings, range(seed, seed + params.ensemble), steps, progress)
    rows = [_row(setting, group, batch.points) for setting, group in batch.groups()]
    return shared.assemble(
        batch,
        rows,
        SIDES,
        over_seeds(params, batch.runs),
        columns={"double_better": [double_is_better(one, -1) for one in batch.runs]},
        arrays=_sharpness_arrays(batch.runs),
        pictures=(_sharpness_view(),),
    )


def _follow(
    params: DoubleScalarParams, weights: FloatArray, points: Points, stop: threading.Event
) -> tuple[Track, int | None, float] | None:
    """Carry one network through all checkpoints: its track, when it learned, its sharpness."""
    from engine.kernels.double_scalar import watch

    scale = abs(params.target)
    signs = np.array([1.0, -1.0])[: len(weights)]
    first = float(signs @ np.prod(weights, axis=1)) - params.target
    tracker = Tracker(points, abs(first) / scale)
    learned: int | None = None
    sharpness = 0.0
    while tracker.missing:
        if stop.is_set():
            return None
        made = watch(
            weights,
            params.depth,
            params.target,
            params.input_power,
            min(CHUNK, tracker.missing),
            params.step_size,
        )
        weights, sharpness = made.weights, made.sharpness
        errors = np.abs(made.errors) / scale
        below = np.flatnonzero(errors <= LEARNED)
        if learned is None and len(below):
            learned = tracker.step + 1 + int(below[0])
        tracker.add(np.append(errors, np.inf) if made.diverged else errors, diverged=made.diverged)
    return tracker.track(), learned, sharpness


def _limits(params: DoubleScalarParams) -> dict[str, Any]:
    """Return the step in units of the limits of both networks, as predicted from all ones."""
    pair = theory.double_bound(params.target, params.depth, params.input_power)
    single = theory.delta_max(params.target, params.depth, params.input_power)
    return {
        "delta_over_pair_limit": params.step_size / pair,
        "delta_over_single_limit": params.step_size / single,
    }


def _row(setting: Setting, group: Sequence[Run], points: Points) -> dict[str, Any]:
    """Sum up one target and step size."""
    both = [run for run in group if both_learned(run)]
    row = comparison(setting, group, points)
    for index, side in enumerate(SIDES):
        row[f"{side}_learned"] = ensemble.fraction([has_learned(run, index) for run in group])
        row[f"median_{side}_learned_at"] = median_known(
            [run.facts[f"{side}_learned_at"] for run in group if has_learned(run, index)]
        )
    row["double_first"] = ensemble.fraction([is_first(run) for run in group])
    row["double_sharper"] = ensemble.fraction([sharpness_ratio(run) > 1.0 for run in both])
    row["median_sharpness_ratio"] = ensemble.median([sharpness_ratio(run) for run in both])
    return row


def _sharpness_arrays(runs: Sequence[Run]) -> dict[str, Any]:
    """Sharpness of both minima against the step, of every run that learned the target."""
    arrays: dict[str, Any] = {}
    for index, side in enumerate(SIDES):
        own = [run for run in runs if has_learned(run, index)]
        arrays[f"stability_{side}"] = np.array(
            [run.setting["step_size"] * run.facts[f"{side}_sharpness"] / 2 for run in own]
        )
        arrays[f"place_{side}"] = np.array([run.setting["target"] for run in own])
    return arrays


def _sharpness_view() -> views.PlaneView:
    return views.PlaneView(
        id="stability",
        title="Stability of the minima reached",
        help="Half the sharpness times the step, of every network that learned its target: below "
        "1, or it could not have stayed there.",
        x_label=r"target $\lambda$",
        y_label=r"$\delta S/2$",
        items=(
            views.Points(x="place_single", y="stability_single", label="single", color="2"),
            views.Points(
                x="place_double", y="stability_double", label="double", color="1", hollow=True
            ),
            views.Rule(label="limit", value=1.0, color="bad"),
        ),
    )
