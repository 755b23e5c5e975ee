"""Runs of a matrix ensemble: what they record, and how a GPU makes many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.experiment import Progress
from engine.experiments._ensemble_runs import (
    Batch,
    Points,
    Run,
    Setting,
    Track,
    Tracker,
    points_of,
)
from engine.experiments._matrix_params import NetworkParams
from engine.experiments._matrix_problem import Problem, make_problem, make_start, step_of
from engine.params import update

if TYPE_CHECKING:
    import torch

FloatArray = NDArray[np.float64]

AT_ONCE = 4096
"""Runs in one batch at most: at n = L = 20 a double network then takes some 6 GB."""
CHUNK = 200
"""Steps between two looks at the cancel button."""


def starts(params: NetworkParams, problem: Problem, branches: int) -> FloatArray:
    """Draw the matrices of a network of one or two branches, shape (branches, L, n, n)."""
    return np.stack([make_start(params, problem, branch) for branch in range(branches)])


def check_device(params: NetworkParams) -> None:
    """Refuse a device that is not there, before anything has been computed.

    Raises
    ------
    InputError
    """
    if params.device != "cpu":
        from engine.device import choose

        choose(params.device)


def made_run(
    params: NetworkParams,
    problem: Problem,
    setting: Setting,
    found: Sequence[tuple[Track, FloatArray]],
) -> Run:
    """Sum up a run by the tracks and the last matrices of its networks."""
    facts = _facts(params, problem)
    if len(found) == 1:
        facts["root_distance"] = _root_distance(problem, *found[0])
    return Run(problem.seed, setting, tuple(track for track, _ in found), facts)


def _facts(params: NetworkParams, problem: Problem) -> dict[str, Any]:
    step, target = step_of(params, problem), problem.target
    return {
        "delta": step,
        "spectral_norm": target.norm,
        "spectral_radius": target.radius,
        "condition": target.condition,
        "real": target.is_real,
        "real_positive": target.is_positive,
        "delta_over_bound": step / problem.norm_bound,
    }


def _root_distance(problem: Problem, track: Track, matrices: FloatArray) -> float | None:
    """Largest entry of W_i - R^(1/L), or None where there is no root or the run diverged."""
    if problem.root is None or track.diverged_at is not None:
        return None
    return float(np.abs(matrices[0] - problem.root).max())


def carry_out_batched(
    params: NetworkParams,
    settings: Sequence[Setting],
    seeds: range,
    steps: int,
    progress: Progress,
    sides: Sequence[int],
    device: torch.device,
) -> Batch:
    """Make the runs of all settings and seeds in batches on a device.

    Raises
    ------
    InputError
        For less than one step.
    """
    points = points_of(steps)
    runs: list[Run] = []
    blocks = [seeds[i : i + AT_ONCE] for i in range(0, len(seeds), AT_ONCE)]
    jobs = [(setting, block) for setting in settings for block in blocks]
    for job, (setting, block) in enumerate(jobs):
        own = update(params, **setting)
        problems = [make_problem(own, seed) for seed in block]
        found = []
        for side, branches in enumerate(sides):
            text = f"{len(runs)} of {len(settings) * len(seeds)} runs"
            place = (job * len(sides) + side, len(jobs) * len(sides))
            report = partial(_report, progress, text, *place)
            made = _follow_all(own, problems, branches, points, report, device)
            if made is None:
                return Batch(tuple(runs), points, seeds.start, True)
            found.append(made)
        runs += [
            made_run(own, problem, setting, tracks)
            for problem, tracks in zip(problems, zip(*found, strict=True), strict=True)
        ]
    progress(1.0, f"{len(runs)} of {len(runs)} runs")
    return Batch(tuple(runs), points, seeds.start, False)


def _report(progress: Progress, text: str, done: int, count: int, share: float) -> bool:
    return progress((done + share) / count, text)


def _follow_all(
    params: NetworkParams, problems: Sequence[Problem], branches: int, points: Points,
    report: Callable[[float], bool], device: torch.device,
) -> list[tuple[Track, FloatArray]] | None:  # fmt: skip
    """Carry a network of every problem through all checkpoints; None when stopped."""
    from engine.batched_matrix import BatchedDescent
    from engine.kernels.matrix import divergence_limit

    scales = np.array([problem.scale for problem in problems])
    made = BatchedDescent(
        np.stack([starts(params, problem, branches) for problem in problems]),
        np.stack([problem.target.matrix for problem in problems]),
        np.stack([problem.moment for problem in problems]),
        np.array([step_of(params, problem) for problem in problems]),
        np.array([divergence_limit(problem.target.matrix) for problem in problems]),
        device,
        momentum=0.0 if params.optimiser == "gradient-descent" else params.momentum,
        nesterov=params.optimiser == "nesterov",
    )
    trackers = [Tracker(points, first) for first in made.errors() / scales]
    step, last = 0, int(points[-1])
    while step < last:
        if not report(step / last):
            return None
        count = min(CHUNK, last - step)
        for tracker, errors in zip(trackers, (made.advance(count) / scales).T, strict=True):
            if tracker.missing:
                good = errors[np.isfinite(errors)]
                gone = len(good) < count
                tracker.add(np.append(good, np.inf) if gone else good, diverged=gone)
        step += count
    weights = made.weights()
    return [(tracker.track(), own) for tracker, own in zip(trackers, weights, strict=True)]
