"""Ensembles of matrix runs: many seeds, and many step sizes, each seed with its own R."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine import ensemble
from engine.errors import InputError
from engine.experiment import Claim, Ensemble, Lamp, Observation, Progress, Verdict
from engine.experiments import _matrix_descent as descent
from engine.experiments._matrix_params import NetworkParams
from engine.experiments._matrix_problem import (
    Problem,
    check_batches,
    make_problem,
    make_start,
    step_of,
)
from engine.params import update
from engine.views import Curve, PlaneView, TableView, View

FloatArray = NDArray[np.float64]
ParamsT = TypeVar("ParamsT", bound=NetworkParams)

CHUNK = 250
"""Steps between two looks at the cancel button, for n = L = 20; fewer for larger networks."""
CONVERGED = 1e-8
"""Relative error below which a run has converged."""
RISES = 20
"""Rises of the error above which a run that does not diverge counts as oscillating."""
SHOWN = 6
"""Step sizes whose bands are drawn."""


@dataclass(frozen=True, slots=True)
class Track:
    """One network of one run.

    `errors` are relative errors at the checkpoints, NaN after a divergence; `rises` counts the
    steps at which an error above rounding grew.
    """

    errors: FloatArray
    last: float
    diverged_at: int | None
    rises: int
    matrices: FloatArray

    @property
    def fate(self) -> str:
        """Return diverged, converged, oscillating or converging."""
        if self.diverged_at is not None:
            return "diverged"
        if self.last <= CONVERGED:
            return "converged"
        return "oscillating" if self.rises > RISES else "converging"

    @property
    def is_unstable(self) -> bool:
        """Whether it diverged, or rose many times."""
        return self.diverged_at is not None or self.rises > RISES


@dataclass(frozen=True, slots=True)
class Run:
    """One seed at one step size, with one network (single) or two (single and double)."""

    seed: int
    step_size: float
    problem: Problem
    tracks: tuple[Track, ...]


def _follow(
    params: NetworkParams, problem: Problem, start: FloatArray, points: NDArray[np.int64],
    stop: threading.Event,
) -> Track | None:  # fmt: skip
    """Carry one network through all checkpoints; None when stopped."""
    network = descent.begin(params, problem, start)
    errors = np.full(len(points), np.nan)
    last = descent.error_of(problem, network.weights)
    errors[0] = last / problem.scale
    step, rises = 0, 0
    chunk = max(1, CHUNK * 8000 // max(start[0].size * problem.size // 20, 1))
    while step < points[-1] and network.diverged_at is None:
        if stop.is_set():
            return None
        network, record = descent.carry_on(
            network, params, problem, step, min(chunk, int(points[-1]) - step)
        )
        values = np.concatenate([[last], record[:, 0]])
        rises += int(np.sum((np.diff(values) > 0) & (values[1:] > 1e-9 * problem.scale)))
        good = len(record) - (network.diverged_at is not None)
        inside = (points > step) & (points <= step + good)
        errors[inside] = record[points[inside] - step - 1, 0] / problem.scale
        step += len(record)
        last = float(values[-1])
    return Track(
        errors, last / problem.scale, network.diverged_at, rises, network.matrices(problem.size)
    )


def _job(
    params: NetworkParams, seed: int, points: NDArray[np.int64], sides: Sequence[int],
    stop: threading.Event,
) -> Run | None:  # fmt: skip
    """Make one run with networks of the given numbers of branches."""
    if stop.is_set():
        return None
    problem = make_problem(params, seed)
    tracks = []
    for branches in sides:
        start = np.stack([make_start(params, problem, branch) for branch in range(branches)])
        track = _follow(params, problem, start, points, stop)
        if track is None:
            return None
        tracks.append(track)
    return Run(seed, params.step_size, problem, tuple(tracks))


def _run(
    params: ParamsT, seed: int, steps: int, progress: Progress, sides: Sequence[int]
) -> tuple[list[Run], NDArray[np.int64], bool]:
    """Make all runs; those that were cancelled are left out."""
    check_batches(params)
    if steps < 1:
        raise InputError("steps", steps, "give a whole number >= 1 for an ensemble")
    points = ensemble.checkpoints(steps)
    jobs: list[ensemble.Job[Run]] = [
        partial(_job, update(params, step_size=size), seed + index, points, sides)
        for size in params.step_sizes or (params.step_size,)
        for index in range(params.ensemble)
    ]
    results = ensemble.run_all(jobs, progress, "runs")
    runs = [run for run in results if run is not None]
    return runs, points, len(runs) < len(jobs)


def _by_step(runs: Sequence[Run]) -> dict[float, list[Run]]:
    groups: dict[float, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.step_size, []).append(run)
    return groups


def _common_columns(runs: Sequence[Run], params: NetworkParams) -> dict[str, list[Any]]:
    return {
        "seed": [run.seed for run in runs],
        "step_size": [run.step_size for run in runs],
        "delta": [_delta(run, params) for run in runs],
        "spectral_norm": [run.problem.target.norm for run in runs],
        "spectral_radius": [run.problem.target.radius for run in runs],
        "condition": [run.problem.target.condition for run in runs],
        "delta_over_bound": [_ratio(run, params) for run in runs],
    }


def _ratio(run: Run, params: NetworkParams) -> float:
    return _delta(run, params) / run.problem.norm_bound


def _delta(run: Run, params: NetworkParams) -> float:
    return step_of(update(params, step_size=run.step_size), run.problem)


def run_single(params: NetworkParams, seed: int, steps: int, progress: Progress) -> Ensemble:
    """Run the single network over seeds and step sizes."""
    runs, points, cancelled = _run(params, seed, steps, progress, (1,))
    tracks = [run.tracks[0] for run in runs]
    distances = [_root_distance(run) for run in runs]
    columns = {
        **_common_columns(runs, params),
        "outcome": [track.fate for track in tracks],
        "diverged_at": [track.diverged_at for track in tracks],
        "relative_error": [_known(track) for track in tracks],
        "root_distance": distances,
    }
    rows = []
    for size, group in _by_step(runs).items():
        own = [run.tracks[0] for run in group]
        done = [run for run in group if run.tracks[0].fate == "converged"]
        near = [_root_distance(run) for run in done]
        rows.append({
            "step_size": size,
            "runs": len(group),
            "converged": ensemble.fraction([track.fate == "converged" for track in own]),
            "diverged": ensemble.fraction([track.diverged_at is not None for track in own]),
            "median_relative_error": ensemble.median([_or_nan(_known(track)) for track in own]),
            "median_root_distance": ensemble.median([_or_nan(value) for value in near]),
        })  # fmt: skip
    return Ensemble(
        columns=columns,
        summary=_summary(rows, steps, seed),
        observation=_observation(runs, points, rows, ("single",)),
        views=_views(rows, ("single",)),
        claims=(_norm_decides(runs, params),) if runs else (),
        cancelled=cancelled,
    )


def _root_distance(run: Run) -> float | None:
    """Largest entry of W_i - R^(1/L), or None where there is no root or the run diverged."""
    root = run.problem.root
    if root is None or run.tracks[0].diverged_at is not None:
        return None
    return float(np.abs(run.tracks[0].matrices[0] - root).max())


def run_double(params: NetworkParams, seed: int, steps: int, progress: Progress) -> Ensemble:
    """Run the single and the double network over seeds and step sizes: Figure 3's table."""
    runs, points, cancelled = _run(params, seed, steps, progress, (1, 2))
    columns = _common_columns(runs, params)
    for index, side in enumerate(("single", "double")):
        tracks = [run.tracks[index] for run in runs]
        columns |= {
            f"{side}_outcome": [track.fate for track in tracks],
            f"{side}_diverged_at": [track.diverged_at for track in tracks],
            f"{side}_relative_error": [_known(track) for track in tracks],
            f"{side}_rises": [track.rises for track in tracks],
        }
    columns["double_better"] = [_is_better(run, -1) for run in runs]
    rows = [_double_row(size, group, points) for size, group in _by_step(runs).items()]
    return Ensemble(
        columns=columns,
        summary=_summary(rows, steps, seed),
        observation=_observation(runs, points, rows, ("single", "double")),
        views=_views(rows, ("single", "double")),
        claims=(_figure_3(runs, params),) if runs else (),
        cancelled=cancelled,
    )


def _double_row(size: float, group: Sequence[Run], points: NDArray[np.int64]) -> dict[str, Any]:
    single = [run.tracks[0] for run in group]
    double = [run.tracks[1] for run in group]
    both = [run for run in group if all(track.diverged_at is None for track in run.tracks)]
    row: dict[str, Any] = {
        "step_size": size,
        "runs": len(group),
        "single_diverged": ensemble.fraction([t.diverged_at is not None for t in single]),
        "double_diverged": ensemble.fraction([t.diverged_at is not None for t in double]),
        "single_unstable": ensemble.fraction([t.is_unstable for t in single]),
        "double_unstable": ensemble.fraction([t.is_unstable for t in double]),
        "only_single_unstable": ensemble.fraction(
            [s.is_unstable and not d.is_unstable for s, d in zip(single, double, strict=True)]
        ),
        "double_better": ensemble.fraction([_is_better(run, -1) for run in group]),
        "median_single": ensemble.median([run.tracks[0].last for run in both]),
        "median_double": ensemble.median([run.tracks[1].last for run in both]),
    }
    for share in (0.1, 0.25, 0.5):
        index = int(np.argmin(np.abs(points - share * points[-1])))
        row[f"double_better_at_{points[index]}"] = ensemble.fraction(
            [_is_better(run, index) for run in group]
        )
    return row


def _is_better(run: Run, index: int) -> bool:
    """Tell whether the double network's error is lower; a diverged one counts as infinite."""
    single, double = (np.nan_to_num(track.errors[index], nan=np.inf) for track in run.tracks)
    return bool(double < single)


def _known(track: Track) -> float | None:
    return None if track.diverged_at is not None else track.last


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _summary(rows: Sequence[dict[str, Any]], steps: int, seed: int) -> dict[str, Any]:
    """Give the numbers of one step size as they are, those of several as a table."""
    head: dict[str, Any] = {"first_seed": seed, "steps": steps}
    if len(rows) == 1:
        return {**head, **rows[0]}
    return {**head, "table": list(rows)}


def _observation(
    runs: Sequence[Run],
    points: NDArray[np.int64],
    rows: Sequence[dict[str, Any]],
    sides: Sequence[str],
) -> Observation:
    arrays: dict[str, Any] = {
        "steps": points.astype(np.float64),
        "table": [[_cell(value) for value in row.values()] for row in rows],
    }
    for place, group in enumerate(list(_by_step(runs).values())[:SHOWN]):
        for index, side in enumerate(sides):
            quantiles, alive = ensemble.bands(np.stack([run.tracks[index].errors for run in group]))
            for name, values in zip(("low", "middle", "high"), quantiles, strict=True):
                arrays[f"{side}_{name}_{place}"] = values
            arrays[f"{side}_alive_{place}"] = alive
    return arrays


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def _views(rows: Sequence[dict[str, Any]], sides: Sequence[str]) -> tuple[View, ...]:
    if not rows:
        return ()
    table = TableView(
        id="table",
        title="Fractions and medians",
        help="One row per step size: the share of runs with each fate and the medians of those "
        "in which nothing diverged.",
        key="table",
        headings=tuple(name.replace("_", " ") for name in rows[0]),
    )
    pictures = [_band_view(place, row, sides) for place, row in enumerate(rows[:SHOWN])]
    return (*pictures, table)


def _band_view(place: int, row: dict[str, Any], sides: Sequence[str]) -> PlaneView:
    items = []
    for side in sides:
        color = "1" if side == sides[-1] else "2"
        low, middle, high = (f"{side}_{name}_{place}" for name in ("low", "middle", "high"))
        items += [
            Curve(x="steps", y=low, color=color, width=0.8, fill_to=high),
            Curve(x="steps", y=high, color=color, width=0.8),
            Curve(x="steps", y=middle, label=f"{side}, median", color=color, width=2.0),
        ]
    return PlaneView(
        id=f"bands-{place}",
        title=f"Relative error over seeds, step size {row['step_size']:g}",
        help="Median and the band from 10 % to 90 % of the seeds; a diverged run counts as "
        "infinite, and the band ends where it reaches that.",
        x_label="k",
        y_label="relative error",
        items=tuple(items),
        log_y=True,
    )


def _claim(
    id_: str, title: str, statement: str, agree: int, runs: int, lamps: tuple[Lamp, ...],
    predicted: str, enough: float,
) -> Claim:  # fmt: skip
    share = agree / runs
    verdict = Verdict.HOLDS if share >= enough else Verdict.VIOLATED
    return Claim(
        id=id_,
        title=title,
        source="Measured over seeds",
        statement=statement,
        assumptions=lamps,
        predicted=predicted,
        measured=f"{agree} of {runs} runs",
        verdict=verdict if all(lamp.on for lamp in lamps) else Verdict.NOT_APPLICABLE,
    )


def _norm_decides(runs: Sequence[Run], params: NetworkParams) -> Claim:
    """Claim that a run from the identity converges exactly below the bound with the norm."""
    target = [run.problem.target for run in runs]
    agree = sum((run.tracks[0].fate == "converged") == (_ratio(run, params) < 1) for run in runs)
    lamps = (
        Lamp("Start is the identity", params.init == "identity", params.init),
        Lamp("R has real positive eigenvalues", all(t.is_positive for t in target)),
        Lamp(
            "Gradient descent, fixed step, all points",
            params.is_plain and params.batch == "full",
        ),
    )
    return _claim(
        "norm-decides", "The spectral norm decides over convergence",
        "From the identity a run converges if and only if δ < 2/(L‖R‖₂^(2(L−1)/L)); found in "
        "numbers, not proved.", agree, len(runs), lamps, "the same in every run, or nearly so", 0.9,
    )  # fmt: skip


def _figure_3(runs: Sequence[Run], params: NetworkParams) -> Claim:
    """Claim that the double network's error ends lower in nearly all runs that end at all."""
    ended = [run for run in runs if not all(t.diverged_at is not None for t in run.tracks)]
    agree = sum(_is_better(run, -1) for run in ended)
    lamps = (
        Lamp("Start is the identity", params.init == "identity", params.init),
        Lamp("At least one network of a run has not diverged", bool(ended),
             f"{len(ended)} of {len(runs)} runs"),
    )  # fmt: skip
    return _claim(
        "figure-3-ensemble", "Figure 3: the double network's error is lower",
        "The convergence of the double network is better for all matrices.", agree,
        max(len(ended), 1), lamps, "in all runs, or nearly so", 0.9,
    )  # fmt: skip
