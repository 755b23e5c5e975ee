"""Ensembles on a typed loss: many starts, each run under one optimiser or raced under several.

Every run goes on with the kernels of a single one, and how it ends is judged as there. Once all
have ended the least loss of all is known; how fast each got there is then counted by going along
the runs again, which needs no memory of their losses.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.beside import keep
from engine.core.ensemble import Ensemble, Progress
from engine.core.params import spec_of, update
from engine.executors import together
from engine.experiments.own_loss.analysis import (
    Listed,
    LossAnalysis,
    analyse,
    analysis_of,
    key_of,
)
from engine.experiments.own_loss.ensemble_views import assemble
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.phase import SMOOTH, near, phase_of
from engine.experiments.own_loss.problem import check_scales, loss_of, starting_point
from engine.experiments.own_loss.raced import Batch, Entry, Raced
from engine.experiments.own_loss.racers import customary, racers_of
from engine.families.ensembles.runs import Points, points_of
from engine.theory.optimisers import OptimiserId, describe

if TYPE_CHECKING:
    from engine.families.loss.loss import Loss
    from engine.kernels.optimisers.descent import Recording

WORK = 10_000_000
"""Operations of the loss between two looks at the cancel button, about."""
CHUNK = 20_000
"""Steps between two looks at most."""
RECENT = 2048
"""Last rows by which a run is judged, as many as of a single run."""
DRAWS = 1000
"""Starts that are drawn at most until the loss is defined at one."""
CLOSE = 1e-6
"""Loss above the least of all, relative to its size where that is above 1, that counts as it."""


def run(
    params: OwnLossParams,
    seed: int,
    steps: int,
    progress: Progress,
    workers: int | None = None,
) -> Ensemble:
    """Run every start under every optimiser of the race.

    Parameters
    ----------
    params : OwnLossParams
    seed : int
        The first.
    steps : int
    progress : callable
    workers : int, optional
        Threads; as many as cores by default. The result does not depend on them.

    Raises
    ------
    InputError
        If the loss, a factor of the step size or the number of steps cannot be used.
    """
    loss, points = loss_of(params), points_of(steps)
    check_scales(params, loss.dimension)
    found = analysis_of(params, seed) or analyse(params, seed, _part(progress, 0.0, 0.1))
    if found is None:
        return Ensemble(columns={}, summary={}, cancelled=True)
    keep(key_of(params, seed), found)
    entries = _entries(params, loss, seed, found)
    loss.compiled()
    jobs: list[together.Job[Raced]] = [partial(_follow, entry, points) for entry in entries]
    made = together.run_all(jobs, _part(progress, 0.1, 0.7), workers=workers)
    runs = [each for each in made if each is not None]
    least = min((each.least for each in runs if each.diverged_at is None), default=None)
    cancelled = len(runs) < len(entries)
    if least is not None and not cancelled:
        timed = _timed(runs, least, steps, _part(progress, 0.7, 1.0), workers)
        cancelled, runs = timed is None, runs if timed is None else timed
    return assemble(
        Batch(
            params=params,
            seed=seed,
            points=points,
            found=found,
            runs=tuple(runs),
            least=least,
            cancelled=cancelled,
        )
    )


def _part(progress: Progress, low: float, high: float) -> Progress:
    """Return a progress that runs over a part of another."""
    return lambda done, text: progress(low + done * (high - low), text)


def _entries(params: OwnLossParams, loss: Loss, seed: int, found: LossAnalysis) -> list[Entry]:
    """List the runs, optimiser by optimiser: all have the same starts."""
    is_one = params.starts_from == "noise" and params.noise == 0.0  # every seed has that start
    seeds = range(seed, seed + (1 if is_one else params.ensemble))
    starts = [start_of(params, loss, number) for number in seeds]
    racers = racers_of(params.race, params.optimiser, params.racers)
    return [
        _entry(own, number, start, found)
        for own in (_own(params, racer) for racer in racers)
        for number, start in zip(seeds, starts, strict=True)
    ]


def start_of(params: OwnLossParams, loss: Loss, seed: int) -> FloatArray:
    """Draw a start, shape (n,); where the loss is not defined there another, as far as possible."""
    if params.starts_from == "noise":
        return starting_point(params, loss.dimension, seed)
    rng = np.random.default_rng(seed)
    point = np.zeros(loss.dimension)
    for _ in range(DRAWS):
        point = rng.uniform(-params.reach, params.reach, loss.dimension)
        if np.isfinite(loss.value(point)) and np.isfinite(loss.gradient(point)).all():
            break
    return point


def _own(params: OwnLossParams, optimiser: OptimiserId) -> OwnLossParams:
    """Return the parameters under an optimiser, with its customary ones unless it was chosen."""
    if optimiser == params.optimiser:
        return params
    return update(params, optimiser=optimiser, **customary(optimiser))


def _entry(params: OwnLossParams, seed: int, start: FloatArray, found: LossAnalysis) -> Entry:
    """Set the step size of a run."""
    critical = critical_step(params, found.nearest_minimum(start))
    chosen_by: str = "given" if params.setting.rule == "fixed" else params.step_rule
    if params.optimiser == "polyak":
        chosen_by = "Polyak's rule"
    step = None if critical is None else params.race_part * critical
    if (
        params.race_steps == "critical"
        and step is not None
        and spec_of(type(params), "step_size").includes(step)
    ):
        params = update(params, step_size=step, step_rule="fixed")
        chosen_by = f"{params.race_part:g} of critical"
    return Entry(seed=seed, params=params, start=start, critical=critical, chosen_by=chosen_by)


def critical_step(params: OwnLossParams, minimum: Listed | None) -> float | None:
    """Return the step size beyond which a minimum repels; None where the optimiser has none."""
    setting = params.setting
    limit = describe(setting.optimiser).limit(setting)
    if minimum is None or limit is None or setting.optimiser not in SMOOTH or setting.scales:
        return None
    return limit / minimum.at.sharpness if minimum.at.sharpness > 0.0 else None


@dataclass(slots=True)
class _Walker:
    """A run on its way, and the last rows of it."""

    entry: Entry
    loss: Loss
    weights: FloatArray
    moments: FloatArray
    step: int = 0
    is_over: bool = False
    is_undefined: bool = False
    rows: list[FloatArray] = field(default_factory=list)
    gradients: list[FloatArray] = field(default_factory=list)

    @classmethod
    def at_start(cls, entry: Entry, loss: Loss) -> _Walker:
        """Begin at the start."""
        slope = np.linalg.norm(loss.gradient(entry.start))
        rows, gradients = [entry.start[None]], [np.array([slope], np.float64)]
        moments = np.zeros((2, loss.dimension))
        return cls(entry, loss, entry.start, moments, rows=rows, gradients=gradients)

    def go(self, n: int) -> Recording:
        """Make up to `n` steps."""
        from engine.kernels.optimisers.descent import Ending, descend

        made = descend(
            self.loss.program,
            self.loss.constants,
            self.weights,
            self.moments,
            self.entry.params.setting,
            first=self.step,
            n=n,
            reach=float(np.max(np.abs(self.entry.start))),
            code=self.loss.steps(self.entry.params.setting),
        )
        self.weights, self.moments = made.weights, made.moments
        self.step += made.made
        self.is_over = made.ending is not Ending.DONE
        self.is_undefined = made.ending is Ending.UNDEFINED
        self.rows = _last([*self.rows, made.low["w"]])
        self.gradients = _last([*self.gradients, made.low["gradient_norm"]])
        return made

    def state(self) -> OwnLossState:
        """Return the run as the judgement of a single one takes it."""
        return OwnLossState(
            params=self.entry.params,
            seed=self.entry.seed,
            step=self.step,
            weights=self.weights,
            start=self.entry.start,
            moments=self.moments,
            diverged_at=self.step + 1 if self.is_over else None,
            is_undefined=self.is_undefined,
        )

    def recent(self) -> dict[str, FloatArray]:
        """Return the last rows."""
        return {"weights": self.rows[0], "gradient": self.gradients[0]}


def _last(parts: list[FloatArray]) -> list[FloatArray]:
    return [np.concatenate(parts)[-RECENT:].copy()]


def _chunk(loss: Loss) -> int:
    """Return the steps between two looks at the cancel button."""
    program = loss.interpreted
    count = program.data.shape[1] if program.data.size else 1
    work = len(program.shared) + len(program.rows) * count + 100
    return max(1, min(CHUNK, WORK // work))


def _follow(entry: Entry, points: Points, stop: threading.Event) -> Raced | None:
    """Make a run to the last checkpoint; None when stopped."""
    if stop.is_set():
        return None
    loss = loss_of(entry.params)
    walker, chunk = _Walker.at_start(entry, loss), _chunk(loss)
    losses, least = np.full(len(points), np.nan), loss.value(entry.start)
    losses[0] = least
    while walker.step < points[-1] and not walker.is_over:
        if stop.is_set():
            return None
        begin = walker.step
        values = walker.go(min(chunk, int(points[-1]) - begin)).low["loss"]
        inside = (points > begin) & (points <= walker.step)
        losses[inside] = values[points[inside] - begin - 1]
        least = float(np.fmin(least, values.min(initial=np.inf)))
    state = walker.state()
    over = state.diverged_at is not None
    hessian = loss.hessian(state.weights)
    is_known = not over and bool(np.isfinite(hessian).all())
    return Raced(
        entry=entry,
        losses=losses,
        least=np.inf if over else least,
        end=state.weights,
        phase=phase_of(state, walker.recent()),
        diverged_at=state.diverged_at,
        equilibrium=None if over else near(state),
        sharpness=float(np.linalg.eigvalsh(hessian)[-1]) if is_known else None,
    )


def _timed(
    runs: Sequence[Raced], least: float, steps: int, progress: Progress, workers: int | None
) -> list[Raced] | None:
    """Count the steps of every run to the least loss of all; None when stopped."""
    target = least + CLOSE * max(abs(least), 1.0)
    those = [each for each in runs if each.diverged_at is None and each.least <= target]
    jobs: list[together.Job[int]] = [
        partial(_first_below, each.entry, target, steps) for each in those
    ]
    counts = together.run_all(jobs, progress, "runs timed", workers)
    if any(count is None for count in counts):
        return None
    found = {id(each): count for each, count in zip(those, counts, strict=True)}
    return [replace(each, first_close=found.get(id(each))) for each in runs]


def _first_below(entry: Entry, target: float, steps: int, stop: threading.Event) -> int | None:
    """Return the first step of a run at which its loss is at most `target`; None when stopped."""
    if stop.is_set():
        return None
    loss = loss_of(entry.params)
    if loss.value(entry.start) <= target:
        return 0
    walker, chunk = _Walker.at_start(entry, loss), _chunk(loss)
    while walker.step < steps and not stop.is_set():
        begin = walker.step
        close = walker.go(min(chunk, steps - begin)).low["loss"] <= target
        if close.any():
            return begin + 1 + int(np.argmax(close))
    return None
