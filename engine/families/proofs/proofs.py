"""All that is proved of one law of motion: its attractor, a region of attraction, level sets."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from engine.analysis.regions.covering import MOST_CUT, Grid, Region, covering
from engine.analysis.regions.cycles import LONGEST, ProvedCycle, core_around, prove_cycle
from engine.analysis.regions.definition import ball_within
from engine.analysis.regions.interval import Bools, Interval
from engine.analysis.regions.maps import Descent, Slopes
from engine.analysis.regions.momentum import proved_ball_with_momentum
from engine.analysis.regions.repelling import is_repelling
from engine.analysis.regions.residual import SquareDescent, proved_ball
from engine.analysis.regions.steps import Secant, TopStep
from engine.analysis.regions.sublevel import Level, Quadratic, certified_level, falls, loss_falls
from engine.core.arrays import FloatArray
from engine.core.beside import Analysis
from engine.core.ensemble import Progress
from engine.families.proofs.scattered import Scattered, scatter
from engine.families.proofs.task import (
    Attractor,
    AttractorKind,
    Task,
    is_there,
    settles,
    step_of,
)

MOST_DIMENSIONS = 6
"""Weights up to which proofs are offered."""
TINY_LEVEL = 1e-12
"""Of (w - w*)ᵀP(w - w*), with P of norm 1: a typed V need not fall where it is at most this."""
NEAR = 1e-9
"""Distance from a point, in each coordinate, within which equilibria are proved to be unstable."""
LEAST_CUT = 4
"""Cells that the border is taken to pass at least: a set finer than the cells may not be seen."""
_SAME = 1e-9
"""Relative distance at which a run has returned to a point."""
_PARTS = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 1e-3, 1e-4)
"""Parts of ε that are tried: what stays within a part of it stays within it."""
_SAMPLES = 48
_BUDGET = 6e7
"""Operations that an enclosure of all cells may take."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proofs(Analysis):
    """What was proved.

    Attributes
    ----------
    task : Task
    attractor : Attractor
    minima : tuple of Attractor
        Of the known equilibria.
    region : Region or None
        In one or two dimensions.
    levels : dict of str to Level
        Of each function V that was tried.
    functions : dict of str to Slopes
    scattered : Scattered or None
        In three and more dimensions, what is proved of starts one by one.
    sample, settles : ndarray, shapes (m, d) and (m,)
        Starts spread over the domain, and which of them were seen to come to the attractor.
    seconds : float
    """

    task: Task
    attractor: Attractor
    minima: tuple[Attractor, ...] = ()
    region: Region | None = None
    scattered: Scattered | None = None
    levels: dict[str, Level] = field(default_factory=dict)
    functions: dict[str, Slopes] = field(default_factory=dict)
    sample: FloatArray | None = None
    settles: Bools | None = None
    seconds: float = 0.0

    @property
    def measured(self) -> float | None:
        """Volume of the domain from which starts were seen to come to the attractor."""
        if self.settles is None:
            return None
        plane = self.task.coordinates
        return float(self.settles.mean() * np.prod(plane.high - plane.low) * plane.scale)

    @property
    def volume(self) -> float:
        """Volume (area) of the proved region."""
        return 0.0 if self.region is None else self.region.volume * self.task.coordinates.scale

    def holds(self, points: FloatArray) -> Bools:
        """Return which points, shape (m, d), are proved to come to the attractor."""
        if self.region is None:
            return np.zeros(len(points), bool)
        return self.region.holds(self.task.coordinates.seen(points))

    def holds_uncut(self, points: FloatArray) -> Bools:
        """Return which points, shape (m, d), lie in what was proved before boxes were cut."""
        if self.region is None:
            return np.zeros(len(points), bool)
        region = self.region.uncut or self.region
        return region.holds(self.task.coordinates.seen(points))

    def has_come(self, points: FloatArray) -> Bools:
        """Return which points, shape (m, d), are at the attractor, to what can be seen."""
        return is_there(self.task, self.attractor, points)

    def is_at_rest(self, point: FloatArray) -> bool:
        """Return whether a point, shape (d,), is proved to lie in the ball of `TINY_LEVEL`."""
        cores = self.attractor.cores
        box = Interval.point(point[None])
        return bool(cores) and bool(cores[0].within_level(TINY_LEVEL).holds(box)[0])

    @property
    def share(self) -> tuple[float, float] | None:
        """Part of the measured basin that is proved, with its standard error.

        A start in the middle of each cell stands for it. The parts of those that the border passes
        are taken as independent and even: the error of each is 1/√12 of a cell.
        """
        if self.region is None or self.settles is None or not self.settles.any():
            return None
        n, count = self.task.law.descent.dimension, int(self.settles.sum())
        cells = self.settles.reshape((round(len(self.settles) ** (1.0 / n)),) * n)
        passed = np.zeros(cells.shape, bool)
        for axis in range(n):
            differ = np.diff(cells, axis=axis)
            passed |= np.insert(differ, 0, False, axis) | np.insert(differ, len(cells) - 1, 0, axis)
        error = math.sqrt(max(int(passed.sum()), LEAST_CUT) / 12.0) / count
        share = min(self.volume / self.measured, 1.0) if self.measured else 0.0
        return share, share * error

    @property
    def best(self) -> str | None:
        """The function V whose proved level set holds most of the sample."""
        if self.sample is None:
            return None
        sizes = {
            name: int((self.functions[name].value(Interval.point(self.sample)).hi < c).sum())
            for name, level in self.levels.items()
            if (c := level.value) is not None
        }
        return max(sizes, key=lambda name: sizes[name]) if sizes else None


def prove(task: Task, progress: Progress) -> Proofs | None:
    """Prove what can be; None if `progress` asked to stop."""
    begin = time.perf_counter()
    attractor = _attractor(task)
    minima = tuple(_judged(task, point) for point in task.minima)
    region = sample = settles = scattered = None
    if task.law.descent.dimension > 2:
        scattered = scatter(task, attractor, progress)
        if scattered is None:
            return None
        sample, settles = scattered.starts, scattered.seen
    else:
        region = _region(task, attractor, progress)
        if region is None:
            return None
        measured = _measured(task, attractor, progress)
        if measured is None:
            return None
        sample, settles = measured
        settles = settles | region.holds(task.coordinates.seen(sample))  # slow ones, too
    functions = _functions(task, attractor)
    levels: dict[str, Level] = {}
    domain = Interval(task.low, task.high)
    core = attractor.cores[0] if attractor.kind == "equilibrium" and attractor.cores else None
    for name, function in functions.items():
        proved = falls(task.law.descent, function)
        if name == "loss":
            proved = loss_falls(task.law.descent)
        own_core = None
        if core is not None and name == "quadratic":
            own_core = core
        elif core is not None and name == "typed":
            own_core = core.within_level(TINY_LEVEL)
        if name != "loss" and core is None:
            continue
        most = int(np.clip(_BUDGET / task.law.operations / 20.0, 200, 60_000))
        level = certified_level(
            task.law.descent, function, domain, proved, own_core, progress, most
        )
        if level is None:
            return None
        levels[name] = level
    if region is not None and attractor.kind == "manifold" and "loss" in levels:
        levels["loss"] = region.loss_level or levels["loss"]
    return Proofs(
        task=task,
        attractor=attractor,
        minima=minima,
        region=region,
        scattered=scattered,
        levels=levels,
        functions=functions,
        sample=sample,
        settles=settles,
        seconds=time.perf_counter() - begin,
    )


def region_of(task: Task, progress: Progress) -> tuple[Attractor, Region] | None:
    """Prove the region of attraction alone, of one or two variables; None if stopped."""
    attractor = _attractor(task)
    region = _region(task, attractor, progress)
    return None if region is None else (attractor, region)


def _attractor(task: Task) -> Attractor:
    """Return what a run from the start comes to."""
    if task.settled is None or not np.isfinite(task.settled).all():
        return Attractor(kind="none", point=None)
    step, point = step_of(task.law), np.array(task.settled, np.float64)[None]
    lap, size = point, max(1.0, float(np.abs(point).max()))
    for period in range(1, LONGEST + 1):
        lap = step(lap)
        if float(np.abs(lap - point).max()) <= _SAME * size:
            return _judged(task, point[0], period)
    return Attractor(kind="none", point=None)


def _judged(task: Task, point: FloatArray, period: int = 1) -> Attractor:
    """Return what is proved of an equilibrium, or of a point of a cycle."""
    law = task.law
    descent, n = law.descent, law.descent.loss.dimension
    cycle = prove_cycle(descent, point, period)
    if period == 1 and isinstance(descent.rule, TopStep):
        cycle = _equilibrium_of(descent, point)
    if cycle is not None:
        kind: AttractorKind = "equilibrium" if period == 1 else "cycle"
        delta = None
        if cycle.cores and period == 1:
            delta = ball_within(cycle.cores[0], task.epsilon)
        return Attractor(
            kind=kind, point=point, cycle=cycle, is_stable=cycle.is_stable, delta=delta
        )
    if period > 1:
        return Attractor(kind="cycle", point=point)
    if law.square is not None:
        at = Interval.point(point[None])
        is_minimum = float(law.square.residual.value(at).size[0]) <= 1e-6
        if is_minimum:
            return _on_manifold(task, point, law.square, proved_ball)
    if law.carried is not None and float(np.abs(point[n:]).max()) <= 1e-6:
        size = law.carried.residual.value(Interval.point(point[None, :n])).size
        if float(size[0]) <= 1e-6:
            return _on_manifold(task, point, law.carried, proved_ball_with_momentum)
    repels = is_repelling(descent, Interval.around(point[:n], NEAR))
    return Attractor(kind="equilibrium", point=point, is_stable=False if repels else None)


def _equilibrium_of(descent: Descent, point: FloatArray) -> ProvedCycle | None:
    """Return what is proved of an equilibrium under a step size whose gradient is not known.

    It is one of any step size; a core is found with the secants from it.
    """
    size = float(descent.step(Interval.point(point[None])).mid[0])
    found = prove_cycle(replace(descent, rule=None, step_size=size), point, 1)
    if found is None:
        return None
    core = core_around(Secant(descent), found.points[0])
    if core is not None:
        return ProvedCycle(found.points, True, (core,))
    return ProvedCycle(found.points, False if is_repelling(descent, found.points[0]) else None)


def _on_manifold(
    task: Task,
    point: FloatArray,
    square: SquareDescent,
    ball: Callable[[SquareDescent, FloatArray, float], float | None],
) -> Attractor:
    """Return what is proved of a minimum on a manifold, by what proves balls around it."""
    deltas = [ball(square, point, task.epsilon * part) for part in _PARTS]
    delta = max((each for each in deltas if each is not None), default=None)
    stable = True if delta is not None else None
    weights = point[: square.residual.dimension]
    if stable is None and is_repelling(square.map, Interval.around(weights, NEAR)):
        stable = False
    return Attractor(kind="manifold", point=point, is_stable=stable, delta=delta)


def _region(task: Task, attractor: Attractor, progress: Progress) -> Region | None:
    from engine.kernels.intervals.growing import grow

    plane = task.coordinates
    descent, cores = plane.law.descent, attractor.cores
    if task.plane is not None and attractor.cycle is not None and cores:
        point = plane.matrix @ attractor.cycle.points[0].mid
        again = prove_cycle(descent, point, attractor.cycle.period)
        cores = () if again is None else again.cores
    most = (_BUDGET / task.law.operations) ** (1.0 / descent.dimension)
    cells = int(np.clip(task.cells, 16, max(most, 24.0)))
    grid = Grid.around(plane.low, plane.high, cells, cores)
    square = plane.law.square if attractor.kind == "manifold" else None
    most = int(min(_BUDGET / task.law.operations, MOST_CUT))
    return covering(descent, grid, cores, square, grow, progress, most)


def _functions(task: Task, attractor: Attractor) -> dict[str, Slopes]:
    made: dict[str, Slopes] = {}
    if not task.law.descent.has_velocity:
        made["loss"] = task.law.descent.loss
    if attractor.kind == "equilibrium" and attractor.cores:
        core = attractor.cores[0]
        made["quadratic"] = Quadratic(core.center, core.weight)
    if task.typed is not None and not task.law.descent.has_velocity:
        made["typed"] = task.typed
    return made


def _measured(
    task: Task, attractor: Attractor, progress: Progress
) -> tuple[FloatArray, Bools] | None:
    """Return starts over the domain, and which were seen to come to the attractor."""
    n = task.law.descent.dimension
    count = _SAMPLES if n > 1 else _SAMPLES**2
    parts = (np.arange(count) + 0.5) / count
    plane = task.coordinates
    sides = [a + parts * (b - a) for a, b in zip(plane.low, plane.high, strict=True)]
    sample = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, n)
    sample = sample @ plane.inverse.T
    found = settles(task, attractor, sample, progress)
    return None if found is None else (sample, found)
