"""Ensembles of least squares: other data for every seed, several step sizes.

The system is linear, so the theory says all: whether a run converges, how fast, and how far an
error can ever grow. The ensemble holds each run against its own prediction.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.core import ensemble, views
from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp
from engine.core.ensemble import Ensemble, Progress
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind
from engine.core.params import update
from engine.experiments.least_squares.problem import (
    LeastSquaresParams,
    Quadratic,
    critical_step,
    factors,
    largest_growth,
    make_quadratic,
    random_start,
)
from engine.families.ensembles import views as shared
from engine.families.ensembles.runs import Points, Run, Setting, Tracker, carry_out, median_known

CHUNK = 2000
"""Steps between two looks at the cancel button, fewer in many dimensions."""
FLOOR = 1e-11
"""Relative distance below which it is rounding and says nothing of the rate."""
LEAST = 20
"""Steps above the floor that are needed to measure a rate."""
NEAR = 0.01
"""Relative difference up to which two rates, or a step and the critical one, are the same."""


def run(params: LeastSquaresParams, seed: int, steps: int, progress: Progress) -> Ensemble:
    """Run gradient descent over seeds and step sizes."""
    if not any(params.start):
        rule = "give a start other than the minimum for an ensemble"
        raise InputError("start", list(params.start), rule)

    def work(setting: Setting, number: int, points: Points, stop: threading.Event) -> Run | None:
        return None if stop.is_set() else _work(update(params, **setting), number, points, stop)

    settings = [{"step_size": size} for size in params.step_sizes or (params.step_size,)]
    batch = carry_out(work, settings, range(seed, seed + params.ensemble), steps, progress)
    rows = [_row(setting, group) for setting, group in batch.groups()]
    return shared.assemble(
        batch,
        rows,
        ("runs",),
        _claims(batch.runs),
        arrays=_arrays(batch.runs),
        pictures=(_critical_view(), _rate_view()),
    )


def _work(
    params: LeastSquaresParams, seed: int, points: Points, stop: threading.Event
) -> Run | None:
    """Follow one start to the last checkpoint; None when stopped."""
    from engine.kernels.least_squares import LIMIT, descend

    problem = make_quadratic(params, seed)
    here = random_start(params, problem, seed)
    minimum, before = problem.nearest(here), here
    first = float(np.linalg.norm(here - minimum))
    if first == 0.0:
        raise InputError("start", list(params.start), "give a start off the minima")
    tracker = Tracker(points, 1.0)
    chunk = max(1, CHUNK * 100 // max(problem.size**2, 100))
    distances = [np.ones(1)]
    while tracker.missing:
        if stop.is_set():
            return None
        made = descend(
            here,
            before,
            problem.gram,
            problem.load,
            minimum,
            min(chunk, tracker.missing),
            params.step_size,
            momentum=params.beta,
            nesterov=params.optimiser == "nesterov",
            limit=LIMIT * max(1.0, first),
        )
        here, before = made.points, made.previous
        errors = made.distances[:, 0] / first
        tracker.add(np.append(errors, np.inf) if made.diverged else errors, diverged=made.diverged)
        distances.append(errors)
    facts = _facts(params, problem, np.concatenate(distances))
    return Run(seed, {"step_size": params.step_size}, (tracker.track(),), facts)


def _facts(params: LeastSquaresParams, problem: Quadratic, distances: FloatArray) -> dict[str, Any]:
    """Hold a run's rate and growth against those predicted."""
    moving = np.tile(~problem.null, 1 if params.optimiser == "gradient-descent" else 2)
    growth = largest_growth(params, problem)
    return {
        "critical_step": critical_step(params, problem),
        "delta_over_critical": params.step_size / critical_step(params, problem),
        "predicted_rate": float(np.max(np.abs(factors(params, problem)[moving]))),
        "rate": rate_of(distances),
        "predicted_growth": growth if np.isfinite(growth) else None,
        "growth": float(distances.max()),
    }


def rate_of(distances: FloatArray) -> float | None:
    """Factor per step of an error that is 1 at first, from a line through its logarithms.

    The line is laid through the second half of what lies above rounding, where the slowest
    direction is alone; None where that is too short.
    """
    below = np.flatnonzero(distances < FLOOR)
    end = int(below[0]) if len(below) else len(distances)
    if end < LEAST:
        return None
    steps = np.arange(end // 2, end, dtype=np.float64)
    logs = np.log(np.maximum(distances[end // 2 : end], 1e-300))
    slope = np.polyfit(steps - steps.mean(), logs, 1)[0]
    return float(np.exp(slope))


def _row(setting: Setting, group: Sequence[Run]) -> dict[str, Any]:
    own = [run.tracks[0] for run in group]
    gaps = [abs(run.facts["rate"] - run.facts["predicted_rate"]) for run in _rated(group)]
    return {
        **setting,
        "runs": len(group),
        "below_critical": ensemble.fraction([_ratio(run) < 1 for run in group]),
        "converged": ensemble.fraction([track.fate is OutcomeKind.CONVERGED for track in own]),
        "diverged": ensemble.fraction([track.fate is OutcomeKind.DIVERGED for track in own]),
        "median_delta_over_critical": ensemble.median([_ratio(run) for run in group]),
        "median_predicted_rate": ensemble.median([run.facts["predicted_rate"] for run in group]),
        "median_rate": median_known([run.facts["rate"] for run in group]),
        "median_rate_gap": ensemble.median(gaps),
        "largest_growth": max(run.facts["growth"] for run in group),
        "median_relative_error": median_known([track.known for track in own]),
    }


def _ratio(run: Run) -> float:
    return float(run.facts["delta_over_critical"])


def _rated(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.facts["rate"] is not None]


def _arrays(runs: Sequence[Run]) -> dict[str, Any]:
    """Rates of all runs, against the step and against the prediction."""
    rated = _rated(runs)
    predicted = np.array([run.facts["predicted_rate"] for run in rated])
    ends = np.array([predicted.min(), predicted.max()]) if rated else np.zeros(0)
    return {
        "ratio": np.array([_ratio(run) for run in rated]),
        "rate": np.array([run.facts["rate"] for run in rated]),
        "predicted_rate": predicted,
        "diagonal": ends,
    }


def _critical_view() -> views.PlaneView:
    return views.PlaneView(
        id="critical",
        title="Rate against the critical step",
        help="A point per run: the factor by which its error changes a step. It passes 1 where the "
        "step passes the critical one of that run's own data.",
        x_label=r"$\delta / \delta_{\max}$",
        y_label="measured factor",
        items=(
            views.Points(x="ratio", y="rate", label="runs", color="1", size=5.0),
            views.Rule(label="no decay", value=1.0, color="bad"),
            views.Rule(label="critical step", value=1.0, vertical=True, color="bound"),
        ),
    )


def _rate_view() -> views.PlaneView:
    return views.PlaneView(
        id="rates",
        title="Measured and predicted rate",
        help="A point per run: the factor that was measured against the spectral radius of the "
        "iteration, the largest magnitude of its factors off the null space.",
        x_label=r"$\rho = \max_i |\mu_i|$",
        y_label="measured factor",
        items=(
            views.Curve(x="diagonal", y="diagonal", label="equal", color="bound", dash="dash"),
            views.Points(x="predicted_rate", y="rate", label="runs", color="1", size=5.0),
        ),
    )


def _claims(runs: Sequence[Run]) -> tuple[Claim, ...]:
    return (_critical_decides(runs), _rates_agree(runs), _growth_bounded(runs))


def _critical_decides(runs: Sequence[Run]) -> Claim:
    """Claim that errors shrink exactly below the critical step."""
    own = [run for run in runs if abs(_ratio(run) - 1) > NEAR]
    lamps = (Lamp("A run off the critical step", bool(own), f"{len(own)} of {len(runs)} runs"),)
    return shared.agreement(
        "critical-decides",
        "Errors shrink if and only if δ is below the critical step",
        "Gradient descent converges, from every start, only if all eigenvalues of the iteration "
        "off the null space have magnitude below 1.",
        answers=[_decided(run) for run in own],
        lamps=lamps,
        predicted="the same in every run",
        source="Section 2, over seeds",
        note=f"Runs within {NEAR:.0%} of the critical step are left out: they need very long.",
    )


def _decided(run: Run) -> bool | None:
    """Return whether a run did what the critical step says, None where that is open."""
    shrinks = _shrinks(run)
    return None if shrinks is None else bool(shrinks == (_ratio(run) < 1))


def _shrinks(run: Run) -> bool | None:
    """Return whether the error shrinks in the end, None where that is unknown."""
    fate, rate = run.tracks[0].fate, run.facts["rate"]
    if fate in (OutcomeKind.CONVERGED, OutcomeKind.DIVERGED):
        return fate is OutcomeKind.CONVERGED
    return None if rate is None else bool(rate < 1)


def _rates_agree(runs: Sequence[Run]) -> Claim:
    """Claim that an error's factor per step is the spectral radius of the iteration."""
    own = _rated(runs)
    near = [abs(run.facts["rate"] - run.facts["predicted_rate"]) for run in own]
    answers = [
        True if gap <= NEAR * run.facts["predicted_rate"] else None
        for gap, run in zip(near, own, strict=True)
    ]
    return shared.agreement(
        "rates",
        "The slowest factor sets the pace",
        "Along each eigenvector the error is multiplied by a factor of its own; in the end the "
        "largest is alone.",
        answers=answers,
        lamps=(Lamp("A run long enough for a rate", bool(own), f"{len(own)} of {len(runs)} runs"),),
        predicted=f"measured factors within {NEAR:.0%} of the spectral radius",
        source="Section 2, over seeds",
        note="More steps let the slowest direction stand out.",
    )


def _growth_bounded(runs: Sequence[Run]) -> Claim:
    """Claim that no error grows by more than the largest growth of the iteration."""
    own = [run for run in runs if run.facts["predicted_growth"] is not None]
    answers = [run.facts["growth"] <= run.facts["predicted_growth"] * (1 + 1e-9) for run in own]
    lamps = (Lamp("A stable step", bool(own), f"{len(own)} of {len(runs)} runs"),)
    return shared.agreement(
        "growth",
        "No run leaves the ε ball from within the δ ball",
        "For every ε there is a radius such that no run begun within it leaves the ball of radius "
        "ε: here ε over the largest growth of an error.",
        answers=answers,
        lamps=lamps,
        predicted="in all runs, without exception",
        source="Definition of stability, over seeds",
        share=1.0,
    )
