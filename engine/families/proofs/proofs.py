"""All that is proved of one law of motion: its attractor, a region of attraction, level sets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.analysis.regions.covering import Grid, Region, covering
from engine.analysis.regions.cycles import LONGEST, Core, ProvedCycle, prove_cycle
from engine.analysis.regions.definition import ball_within
from engine.analysis.regions.interval import Bools, Interval, product
from engine.analysis.regions.maps import Slopes
from engine.analysis.regions.repelling import is_repelling
from engine.analysis.regions.residual import proved_ball
from engine.analysis.regions.sublevel import Level, Quadratic, certified_level, falls, loss_falls
from engine.core.arrays import FloatArray
from engine.core.beside import Analysis
from engine.core.ensemble import Progress
from engine.families.proofs.laws import Law

MOST_DIMENSIONS = 6
"""Weights up to which proofs are offered."""
TINY_LEVEL = 1e-12
"""Of (w - w*)ᵀP(w - w*), with P of norm 1: a typed V need not fall where it is at most this."""
_SAME = 1e-9
"""Relative distance at which a run has returned to a point."""
_PARTS = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 1e-3, 1e-4)
"""Parts of ε that are tried: what stays within a part of it stays within it."""
_SAMPLES = 48
_MEASURED_STEPS = 400
_BUDGET = 6e7
"""Operations that an enclosure of all cells may take."""

AttractorKind = Literal["equilibrium", "cycle", "manifold", "none"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """Coordinates u = Mw in which a region is looked for, where boxes fit the map better.

    Attributes
    ----------
    law : Law
        Of u.
    matrix, inverse : ndarray, shape (d, d)
        M, whose entries are 0, 1 or -1, and its inverse.
    low, high : ndarray, shape (d,)
        Domain, of u.
    names : tuple of str
        Of u, in words.
    """

    law: Law
    matrix: FloatArray
    inverse: FloatArray
    low: FloatArray
    high: FloatArray
    names: tuple[str, ...] = ()

    def seen(self, points: FloatArray) -> Interval:
        """Enclose u of points, shape (m, d)."""
        return product(Interval.point(points), self.matrix.T)

    @property
    def scale(self) -> float:
        """Volume in w over that in u."""
        return float(abs(np.linalg.det(self.inverse)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What is to be proved.

    Attributes
    ----------
    law : Law
    settled : ndarray or None, shape (d,)
        Where the run is after many steps; None where it diverges.
    low, high : ndarray, shape (d,)
        Domain in which regions are looked for.
    minima : tuple of ndarray, each of shape (d,)
        Equilibria that are known.
    cells : int
        Along each axis.
    epsilon : float
    plane : Plane or None
        Other coordinates for the region; its own if None.
    typed : Slopes or None
        A function V that is tried beside the loss and the quadratic form.
    """

    law: Law
    settled: FloatArray | None
    low: FloatArray
    high: FloatArray
    minima: tuple[FloatArray, ...] = ()
    cells: int = 256
    epsilon: float = 0.25
    plane: Plane | None = None
    typed: Slopes | None = None

    @property
    def coordinates(self) -> Plane:
        """Coordinates in which the region is looked for."""
        one = np.eye(len(self.low))
        own = Plane(law=self.law, matrix=one, inverse=one, low=self.low, high=self.high)
        return self.plane or own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attractor:
    """What a run from the start comes to, and what is proved of it.

    Attributes
    ----------
    kind : str
    point : ndarray or None, shape (d,)
        Of it, in floats.
    cycle : ProvedCycle or None
        An isolated equilibrium or a cycle whose existence is proved.
    is_stable : bool or None
        None where neither stability nor instability is proved.
    delta : float or None
        Runs that start within it stay within ε, proved.
    """

    kind: AttractorKind
    point: FloatArray | None
    cycle: ProvedCycle | None = None
    is_stable: bool | None = None
    delta: float | None = None

    @property
    def cores(self) -> tuple[Core, ...]:
        """Ellipsoids from which regions grow."""
        return () if self.cycle is None else self.cycle.cores


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
    sample, settles : ndarray, shapes (m, d) and (m,)
        Starts spread over the domain, and which of them were seen to come to the attractor.
    seconds : float
    """

    task: Task
    attractor: Attractor
    minima: tuple[Attractor, ...] = ()
    region: Region | None = None
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

    def has_come(self, points: FloatArray) -> Bools:
        """Return which points, shape (m, d), are at the attractor, to what can be seen."""
        return _is_there(self.task, self.attractor, points)

    def is_at_rest(self, point: FloatArray) -> bool:
        """Return whether a point, shape (d,), is proved to lie in the ball of `TINY_LEVEL`."""
        cores = self.attractor.cores
        box = Interval.point(point[None])
        return bool(cores) and bool(cores[0].within_level(TINY_LEVEL).holds(box)[0])

    @property
    def share(self) -> float | None:
        """Part of the measured basin that is proved."""
        if self.region is None or not self.measured:
            return None
        return min(self.volume / self.measured, 1.0)

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
    region = sample = settles = None
    if task.law.descent.dimension <= 2:
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
        levels=levels,
        functions=functions,
        sample=sample,
        settles=settles,
        seconds=time.perf_counter() - begin,
    )


def step_of(law: Law) -> Callable[[FloatArray], FloatArray]:
    """Return the step in floats, of points of shape (m, d)."""
    return lambda points: law.descent.plain_image(Interval.point(points)).mid


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
            radii = [task.epsilon * part for part in _PARTS]
            deltas = [proved_ball(law.square, point, each) for each in radii]
            delta = max((each for each in deltas if each is not None), default=None)
            stable = True if delta is not None else None
            if stable is None and is_repelling(descent, Interval.around(point, 1e-9)):
                stable = False
            return Attractor(kind="manifold", point=point, is_stable=stable, delta=delta)
    repels = is_repelling(descent, Interval.around(point[:n], 1e-9))
    return Attractor(kind="equilibrium", point=point, is_stable=False if repels else None)


def _region(task: Task, attractor: Attractor, progress: Progress) -> Region | None:
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
    return covering(descent, grid, cores, square, progress)


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
    step, points, alive = step_of(task.law), sample.copy(), np.arange(len(sample))
    settles = np.zeros(len(sample), bool)
    far = 1e3 * float(np.abs(np.stack([task.low, task.high])).max())
    for k in range(_MEASURED_STEPS):
        if not alive.size:
            break
        if not progress(k / _MEASURED_STEPS, "Basin"):
            return None
        points[alive] = step(points[alive])
        there = _is_there(task, attractor, points[alive])
        settles[alive[there]] = True
        kept = ~there & (np.abs(points[alive]) <= far).all(axis=1)
        alive = alive[kept]
    return sample, settles


def _is_there(task: Task, attractor: Attractor, points: FloatArray) -> Bools:
    """Return which points are at the attractor, to what can be seen."""
    if attractor.kind == "manifold" and task.law.square is not None:
        size = task.law.square.residual.value(Interval.point(points)).size
        return np.asarray(size <= 1e-6)
    if attractor.cycle is None:
        return np.zeros(len(points), bool)
    made = np.zeros(len(points), bool)
    for each in attractor.cycle.points:
        away = np.abs(points - each.mid).max(axis=1)
        made |= away <= 1e-4 * max(1.0, float(np.abs(each.mid).max()))
    return made
