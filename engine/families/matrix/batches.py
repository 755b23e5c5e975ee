"""Runs of a matrix ensemble: what they record, and how a GPU makes many of them at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress
from engine.core.packages import require
from engine.core.params import update
from engine.families.ensembles.runs import Batch, Points, Run, Setting, Track, Tracker, points_of
from engine.families.matrix.params import DEVICES, NetworkParams
from engine.families.matrix.problem import Problem, make_problem, make_start, step_of

if TYPE_CHECKING:
    import torch

MOST_AT_ONCE = 4096
"""Runs in one batch at most; more gain nothing."""
MOST_BYTES = 2**30
"""Size of all weights of a batch at most: a GPU holds `HELD` times as much, this machine three."""
HELD = 10
"""Arrays as large as all weights that a step needs at most, some to spare; seven were measured."""
MEMORY_SHARE = 0.5
"""Part of a GPU's free memory that a batch may take; others may want some meanwhile."""
ADVICE = "give a smaller ensemble, width or depth, or cpu for device"
CHUNK = 200
"""Steps between two looks at the cancel button."""


def starts(params: NetworkParams, problem: Problem, branches: int) -> FloatArray:
    """Draw the matrices of a network of one or two branches, shape (branches, L, n, n)."""
    return np.stack([make_start(params, problem, branch) for branch in range(branches)])


def check_device(params: NetworkParams) -> torch.device | None:
    """Find the GPU of an ensemble, before anything is computed; None stands for the kernels.

    Raises
    ------
    InputError
        If it is not there.
    MissingPackageError
        If torch is not installed.
    """
    if params.device == "cpu":
        return None
    require("torch", what=f"An ensemble on {params.device}")
    from engine.core.device import choose

    return choose(params.device, DEVICES)


def runs_at_once(n: int, depth: int, branches: int, free: int | None) -> int:
    """Return the size of a batch by that of its networks.

    Parameters
    ----------
    n, depth, branches : int
        Side and number of the matrices of a branch, and number of branches.
    free : int or None
        Bytes of free memory where the batch is computed, None if not known.
    """
    size = 8 * branches * (depth + 1) * n * n  # R, the second moment and the residual are one more
    most = min(MOST_AT_ONCE, MOST_BYTES // size)
    if free is not None:
        most = min(most, int(MEMORY_SHARE * free) // (HELD * size))
    return max(most, 1)


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
    """Return the largest Frobenius norm of W_i - R^(1/L), as `measure.look` does.

    It is None where there is no root or the run diverged.
    """
    if problem.root is None or track.diverged_at is not None:
        return None
    return float(np.linalg.norm(matrices[0] - problem.root, axis=(1, 2)).max())


def carry_out_batched(
    params: NetworkParams,
    settings: Sequence[Setting],
    seeds: range,
    steps: int,
    progress: Progress,
    sides: Sequence[int],
    device: torch.device,
) -> Batch:
    """Make the runs of all settings and seeds in batches that fit a device.

    Raises
    ------
    InputError
        For less than one step.
    LabError
        If its memory is too small.
    """
    from engine.core.device import explain_memory, free_memory

    points = points_of(steps)
    n = make_problem(update(params, **settings[0]), seeds.start).size
    size = runs_at_once(n, params.depth, max(sides), free_memory(device))
    blocks = [seeds[i : i + size] for i in range(0, len(seeds), size)]
    jobs = [(setting, block) for setting in settings for block in blocks]
    report = _Report(progress, len(jobs) * (len(sides) + 2), len(settings) * len(seeds))
    runs: list[Run] = []
    for setting, block in jobs:
        with explain_memory(ADVICE, "so many runs at once"):
            made = _make_block(params, setting, block, points, sides, device, report)
        if made is None:
            return Batch(tuple(runs), points, seeds.start, True)
        runs += made
        report.finished = len(runs)
    progress(1.0, f"{len(runs)} of {len(runs)} runs")
    return Batch(tuple(runs), points, seeds.start, False)


@dataclass
class _Report:
    """Reports the progress of all runs, in stages of equal length; False when cancelled."""

    progress: Progress
    stages: int
    runs: int
    stage: int = 0
    finished: int = 0

    def __call__(self, share: float) -> bool:
        done = (self.stage + share) / self.stages
        return self.progress(done, f"{self.finished} of {self.runs} runs")


def _make_block(
    params: NetworkParams,
    setting: Setting,
    seeds: range,
    points: Points,
    sides: Sequence[int],
    device: torch.device,
    report: _Report,
) -> list[Run] | None:
    """Draw the problems of some seeds, carry their networks out and sum up; None when stopped."""
    own = update(params, **setting)
    problems: list[Problem] = []
    for seed in seeds:
        if not report(len(problems) / len(seeds)):
            return None
        problem = make_problem(own, seed)
        problems.append(dataclasses.replace(problem, points=None))  # may be large; not needed
    found = []
    for branches in sides:
        report.stage += 1
        made = _follow_all(own, problems, branches, points, report, device)
        if made is None:
            return None
        found.append(made)
    report.stage += 1
    runs: list[Run] = []
    for problem, tracks in zip(problems, zip(*found, strict=True), strict=True):
        if not report(len(runs) / len(seeds)):
            return None
        runs.append(made_run(own, problem, setting, tracks))
    report.stage += 1
    return runs


def _follow_all(
    params: NetworkParams,
    problems: Sequence[Problem],
    branches: int,
    points: Points,
    report: _Report,
    device: torch.device,
) -> list[tuple[Track, FloatArray]] | None:
    """Carry a network of every problem through all checkpoints; None when stopped."""
    from engine.families.matrix.batched import BatchedDescent
    from engine.kernels.matrix.descent import divergence_limit

    first = []
    for problem in problems:
        if not report(0.0):
            return None
        first.append(starts(params, problem, branches))
    scales = np.array([problem.scale for problem in problems])
    limits = np.array([divergence_limit(problem.target.matrix) for problem in problems])
    made = BatchedDescent(
        np.stack(first),
        np.stack([problem.target.matrix for problem in problems]),
        np.stack([problem.moment for problem in problems]),
        np.array([step_of(params, problem) for problem in problems]),
        limits,
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
        _track(trackers, made.advance(count) / scales, limits / scales)
        step += count
    return [(tracker.track(), own) for tracker, own in zip(trackers, made.weights(), strict=True)]


def _track(trackers: Sequence[Tracker], errors: FloatArray, limits: FloatArray) -> None:
    """Add errors (steps, runs) to the runs' trackers; a diverged run gets its limit once."""
    for tracker, own, limit in zip(trackers, errors.T, limits, strict=True):
        if tracker.missing:
            good = own[np.isfinite(own)]
            gone = len(good) < len(own)
            tracker.add(np.append(good, limit) if gone else good, diverged=gone)
