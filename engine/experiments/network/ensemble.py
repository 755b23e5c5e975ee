"""Ensembles of training runs: many seeds at once, over step sizes, depths, plain and residual.

The networks of all seeds are trained together: a step is one product of stacked matrices per layer
instead of one for each network, which is what small networks spend their time between.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from engine.core import ensemble
from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp
from engine.core.ensemble import Ensemble, Progress
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind
from engine.core.params import update
from engine.experiments.network import steps as updates
from engine.experiments.network.choices import Form
from engine.experiments.network.descent import FAR
from engine.experiments.network.nets import losses
from engine.experiments.network.nets.functional import FunctionalTrainer, trainer_of
from engine.experiments.network.nets.network import Trainer
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.problem import Problem, Samples, batch_of, problem_of
from engine.families.ensembles import views as shared
from engine.families.ensembles.runs import (
    Batch,
    Points,
    Run,
    Setting,
    Track,
    Tracker,
    median_known,
    points_of,
)
from engine.text.numbers import whole

STACK = 64 * 2**20
"""Bytes of the values of one layer that are held for all seeds trained at once."""
SIDES: tuple[Form, ...] = ("plain", "residual")
"""The forms that are compared, in the order of a run's tracks."""
AGO = "The paper's abstract, on training error and depth"


@dataclass(frozen=True, slots=True)
class _Trained:
    """One network of one seed: its losses relative to the first, and how it does at the end."""

    track: Track
    loss: float
    held_loss: float
    accuracy: float
    held_accuracy: float


def run(params: NetworkParams, seed: int, steps: int, progress: Progress) -> Ensemble:
    """Train the networks of all seeds and settings.

    Raises
    ------
    InputError
        If the data, a network or the number of steps cannot be used.
    """
    points = points_of(steps)
    settings, seeds, sides = _settings(params), range(seed, seed + params.ensemble), _sides(params)
    if params.depths and params.widths.strip():
        raise InputError("depths", list(params.depths), "leave widths empty, or depths")
    if params.depths and "module" in sides.values():
        rule = "leave it empty, as the module has its own depth"
        raise InputError("depths", list(params.depths), rule)
    made: list[Run] = []
    parts = list(itertools.product(settings, _stacks(params, seeds)))
    for index, (setting, stack) in enumerate(parts):
        tracks: list[list[_Trained]] = []
        for place, form in enumerate(sides.values()):
            own = _member(params, form, setting)
            done = (index + place / len(sides)) / len(parts)
            share = partial(_share, progress, done, 1 / (len(parts) * len(sides)))
            found = train(own, stack, points, share)
            if found is None:
                return _assembled(params, made, points, seed, cancelled=True)
            tracks.append(found)
        for number, trained in zip(stack, zip(*tracks, strict=True), strict=True):
            made.append(_run(number, setting, tuple(sides), trained))
    progress(1.0, f"{len(made)} runs")
    return _assembled(params, made, points, seed, cancelled=False)


def _share(progress: Progress, begin: float, width: float, done: float, text: str) -> bool:
    return progress(begin + width * done, text)


def _settings(params: NetworkParams) -> list[Setting]:
    depths = [round(depth) for depth in params.depths] or [problem_of(params).architecture.depth]
    sizes = params.step_sizes or (params.step_size,)
    return [{"step_size": size, "depth": depth} for depth in depths for size in sizes]


def _member(params: NetworkParams, form: Form, setting: Setting) -> NetworkParams:
    """Return the parameters of one member; a module has its own depth."""
    depth = {} if form == "module" else {"depth": int(setting["depth"])}
    return update(params, form=form, step_size=setting["step_size"], **depth)


def _sides(params: NetworkParams) -> dict[str, Form]:
    if params.compare == "plain-and-residual":
        return {side: side for side in SIDES}
    return {params.form: params.form}


def _stacks(params: NetworkParams, seeds: range) -> list[range]:
    """Part the seeds into those that are trained at once, so that they fit the memory."""
    problem = problem_of(params)
    rows = params.batch_size or problem.train.count
    size = rows * problem.architecture.widest * (8 if params.precision == "float64" else 4)
    most = max(1, STACK // size)
    return [seeds[first : first + most] for first in range(0, len(seeds), most)]


def train(
    params: NetworkParams, seeds: range, points: Points, report: Callable[[float, str], bool]
) -> list[_Trained] | None:
    """Train the networks of some seeds together; None if `report` asks to stop."""
    problem, last = problem_of(params), int(points[-1])
    w = problem.tensor(np.stack([problem.begin(params, seed) for seed in seeds]))
    moments = torch.zeros((updates.carried(params.setting), *w.shape), dtype=w.dtype).to(w.device)
    g = torch.zeros_like(w)
    trainer = trainer_of(problem.architecture, problem.loss, w, g)
    there, slope = torch.zeros_like(w), torch.zeros_like(w)
    elsewhere = trainer_of(problem.architecture, problem.loss, there, slope)
    trackers: list[Tracker] = []
    first = np.ones(len(seeds))

    def gradient(step: int, at: torch.Tensor) -> torch.Tensor:
        there.copy_(at)
        elsewhere.step(*_batch(problem, params, seeds, step))
        return slope

    with torch.no_grad():
        for k in range(last + 1):
            found = trainer.step(*_batch(problem, params, seeds, k))[0]
            values = found.double().cpu().numpy()
            if k == 0:
                first = np.where(np.isfinite(values) & (values > 0.0), values, 1.0)
                trackers = [Tracker(points, 1.0) for _ in seeds]
            else:
                _track(trackers, values, first)
            if k == last or all(tracker.diverged_at is not None for tracker in trackers):
                break
            if not report(k / last, f"{len(seeds)} networks, step {k} of {last}"):
                return None
            updates.make(params.setting, w, moments, g, k, partial(gradient, k))
        judged = [_judged(problem, trainer, part) for part in (problem.train, problem.held)]
    return [_summed(tracker, index, judged) for index, tracker in enumerate(trackers)]


def _batch(
    problem: Problem, params: NetworkParams, seeds: range, step: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the samples of a step, of batches those of each seed, shape (S, rows, …)."""
    train = problem.train
    if not params.is_minibatch(train.count):
        return train.x, train.y
    chosen = [batch_of(problem, params, seed, step) for seed in seeds]
    places = torch.stack([batch for batch in chosen if batch is not None])
    return train.x[places], train.y[places]


def _track(trackers: Sequence[Tracker], values: FloatArray, first: FloatArray) -> None:
    for tracker, value, scale in zip(trackers, values.tolist(), first.tolist(), strict=True):
        if tracker.diverged_at is None:
            useful = math.isfinite(value) and value <= FAR * max(scale, 1.0)
            error = value / scale if useful else FAR
            tracker.add(np.array([error]), diverged=not useful)


def _judged(
    problem: Problem, trainer: Trainer | FunctionalTrainer, samples: Samples
) -> tuple[FloatArray, FloatArray]:
    """Return losses and accuracies in percent of all networks; NaN where there are none."""
    made = trainer.outputs(samples.x)
    none = np.full(len(made), np.nan)
    if not samples.count:
        return none, none
    loss = losses.value(problem.loss, made, samples.y).double().cpu().numpy()
    if samples.classes is None:
        return loss, none
    right = losses.right(made, samples.classes).double().cpu().numpy()
    return loss, 100.0 * right / samples.count


def _summed(
    tracker: Tracker, index: int, judged: Sequence[tuple[FloatArray, FloatArray]]
) -> _Trained:
    (loss, accuracy), (held_loss, held_accuracy) = judged
    numbers = [float(each[index]) for each in (loss, held_loss, accuracy, held_accuracy)]
    if tracker.diverged_at is not None:
        numbers = [math.nan] * 4
    return _Trained(tracker.track(), *numbers)


def _run(seed: int, setting: Setting, sides: Sequence[str], trained: Sequence[_Trained]) -> Run:
    facts: dict[str, Any] = {}
    for side, each in zip(sides, trained, strict=True):
        prefix = f"{side}_" if len(sides) > 1 else ""
        for name in ("loss", "held_loss", "accuracy", "held_accuracy"):
            value = getattr(each, name)
            facts[prefix + name] = value if math.isfinite(value) else None
    return Run(seed, setting, tuple(each.track for each in trained), facts)


def _assembled(
    params: NetworkParams, runs: Sequence[Run], points: Points, seed: int, *, cancelled: bool
) -> Ensemble:
    batch = Batch(tuple(runs), points, seed, cancelled)
    sides = tuple(_sides(params))
    rows = [_row(setting, group, sides) for setting, group in batch.groups()]
    claims = _claims(params, batch) if batch.runs else ()
    return shared.assemble(batch, rows, sides, claims)


def _row(setting: Setting, group: Sequence[Run], sides: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {**setting, "runs": len(group)}
    for index, side in enumerate(sides):
        prefix = f"{side}_" if len(sides) > 1 else ""
        diverged = [run.tracks[index].diverged_at is not None for run in group]
        row[f"{prefix}diverged"] = ensemble.fraction(diverged)
        for name in ("loss", "held_loss", "accuracy", "held_accuracy"):
            row[f"median_{prefix}{name}"] = median_known(
                [run.facts[prefix + name] for run in group]
            )
    return row


def _claims(params: NetworkParams, batch: Batch) -> tuple[Claim, ...]:
    """Confront the paper's first sentence with the seeds: what depth does to either form."""
    depths = sorted({run.setting["depth"] for run in batch.runs})
    both = params.compare == "plain-and-residual"
    lamps = (
        Lamp("plain and residual", both),
        Lamp("two depths or more", len(depths) > 1, ", ".join(f"{depth:g}" for depth in depths)),
        Lamp("full batch", not params.is_minibatch(problem_of(params).train.count)),
    )
    pairs = _pairs(batch, depths) if both else []
    steps = _step_claims(params, batch, depths, lamps) if both else ()
    return (
        *steps,
        shared.agreement(
            "plain-degrades",
            "The training error of plain networks grows with depth",
            "While training error of most deep neural networks degrades as the depth of the "
            "network increases, residual networks appear to be an exception.",
            answers=[_grew(low, high, 0) for low, high in pairs],
            lamps=lamps,
            predicted="a larger training loss at the largest depth than at the smallest, in nearly "
            "all runs",
            source=AGO,
            note="After as many steps of the same size. What does not agree stays open until "
            "both runs have diverged or fitted the samples.",
        ),
        shared.agreement(
            "residual-does-not",
            "The training error of residual networks does not grow with depth",
            "Residual networks appear to be an exception.",
            answers=[_grew_not(low, high, 1) for low, high in pairs],
            lamps=lamps,
            predicted="no larger training loss at the largest depth than at the smallest, in "
            "nearly all runs",
            source=AGO,
        ),
    )


def _step_claims(
    params: NetworkParams, batch: Batch, depths: Sequence[float], lamps: tuple[Lamp, ...]
) -> tuple[Claim, ...]:
    """Confront what is said of depth and the stability of descent with the seeds."""
    sizes = sorted({run.setting["step_size"] for run in batch.runs})
    plain = Lamp("plain descent", params.optimiser == "gradient-descent", params.described.title)
    lamps = (*lamps, plain, Lamp("three step sizes or more", len(sizes) > 2, whole(len(sizes))))
    seeds = sorted({run.seed for run in batch.runs})
    ends = (depths[0], depths[-1])
    return (
        shared.agreement(
            "depth-against-step-size",
            "The largest step size at which plain networks do not diverge falls with depth",
            "For an arbitrarily chosen step size, the equilibria of the gradient descent are most "
            "likely to remain stable for the parametrization of residual networks.",
            answers=[_shrinks(batch, seed, ends, 0) for seed in seeds],
            lamps=lamps,
            predicted="a smaller one at the largest depth than at the smallest, for nearly all "
            "seeds",
            source="The paper's abstract",
            note="Of the step sizes of the ensemble, up to the first that diverges; open where "
            "none or all do, or the same at both depths. The paper proves the limit of minima of "
            "linear networks only.",
        ),
        shared.agreement(
            "residual-step-size",
            "That of residual networks does not fall with depth",
            "For an arbitrarily chosen step size, the equilibria of the gradient descent are most "
            "likely to remain stable for the parametrization of residual networks.",
            answers=[_negated(_shrinks(batch, seed, ends, 1)) for seed in seeds],
            lamps=lamps,
            predicted="no smaller one at the largest depth than at the smallest, for nearly all "
            "seeds",
            source="The paper's abstract",
            note="Of the step sizes of the ensemble, as above.",
        ),
    )


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _shrinks(batch: Batch, seed: int, depths: tuple[float, float], side: int) -> bool | None:
    """Return whether the first step size that diverges is smaller at the second depth.

    None where that cannot be seen: where it is the same one the limits lie between the same two.
    """
    first: list[float | None] = []
    for depth in depths:
        runs = [run for run in batch.runs if (run.seed, run.setting["depth"]) == (seed, depth)]
        tried = sorted(run.setting["step_size"] for run in runs)
        fails = [
            run.setting["step_size"] for run in runs if run.tracks[side].diverged_at is not None
        ]
        if not fails or min(fails) == tried[0]:
            first.append(math.inf if not fails else None)
        else:
            first.append(min(fails))
    low, high = first
    if low is None or high is None or low == high:
        return None
    return high < low


def _pairs(batch: Batch, depths: Sequence[float]) -> list[tuple[Run, Run]]:
    """Return the runs of the smallest and the largest depth that are otherwise the same."""
    found: dict[tuple[int, float], dict[float, Run]] = {}
    for run in batch.runs:
        found.setdefault((run.seed, run.setting["step_size"]), {})[run.setting["depth"]] = run
    ends = (depths[0], depths[-1]) if len(depths) > 1 else ()
    return [(each[ends[0]], each[ends[1]]) for each in found.values() if ends and len(each) > 1]


def _grew(low: Run, high: Run, side: int) -> bool | None:
    """Return whether the loss is larger in the second run; None where that may still come."""
    before, after = _loss(low, side), _loss(high, side)
    return True if after > before else (False if _has_ended(low, high, side) else None)


def _grew_not(low: Run, high: Run, side: int) -> bool | None:
    """Return whether the loss is no larger in the second run; None where that may still come."""
    before, after = _loss(low, side), _loss(high, side)
    return True if after <= before < math.inf else (False if _has_ended(low, high, side) else None)


def _has_ended(low: Run, high: Run, side: int) -> bool:
    fates = {run.tracks[side].fate for run in (low, high)}
    return fates <= {OutcomeKind.CONVERGED, OutcomeKind.DIVERGED}


def _loss(run: Run, side: int) -> float:
    """Return the last training loss, of a plain (0) or a residual (1) network; inf if diverged."""
    loss = run.facts[f"{SIDES[side]}_loss"]
    return math.inf if loss is None else float(loss)
