"""What is to be proved of a law of motion, and what a run comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.analysis.regions.cycles import Core, ProvedCycle
from engine.analysis.regions.interval import Bools, Interval, product
from engine.analysis.regions.maps import Slopes
from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress
from engine.families.proofs.laws import Law

_MEASURED_STEPS = 400
_LOOK_EVERY = 3
"""Steps between two looks at which starts have arrived."""

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
    names : tuple of str
        Of the coordinates, as mathtext without dollars.
    start : ndarray or None, shape (d,)
        Of the run; in three and more dimensions it is tried, too.
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
    names: tuple[str, ...] = ()
    start: FloatArray | None = None

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

    @property
    def can_be_seen(self) -> bool:
        """Whether it is known where it is, so that starts can be seen to come to it or not."""
        return self.cycle is not None or self.kind in ("equilibrium", "manifold")


def step_of(law: Law) -> Callable[[FloatArray], FloatArray]:
    """Return the step in floats, of points of shape (m, d)."""
    return lambda points: law.descent.plain_image(Interval.point(points)).mid


def settles(
    task: Task, attractor: Attractor, starts: FloatArray, progress: Progress
) -> Bools | None:
    """Return which starts, shape (m, d), are seen to come to the attractor; None if stopped."""
    step, points, alive = step_of(task.law), starts.copy(), np.arange(len(starts))
    made = np.zeros(len(starts), bool)
    far = 1e3 * float(np.abs(np.stack([task.low, task.high])).max())
    for k in range(_MEASURED_STEPS):
        if not alive.size:
            break
        if not progress(k / _MEASURED_STEPS, "Basin"):
            return None
        points[alive] = step(points[alive])
        if k % _LOOK_EVERY:
            continue
        there = is_there(task, attractor, points[alive])
        made[alive[there]] = True
        kept = ~there & (np.abs(points[alive]) <= far).all(axis=1)
        alive = alive[kept]
    return made


def is_there(task: Task, attractor: Attractor, points: FloatArray) -> Bools:
    """Return which points, shape (m, d), are at the attractor, to what can be seen."""
    square = task.law.square or task.law.carried
    if attractor.kind == "manifold" and square is not None:
        n = square.residual.dimension
        size = square.residual.value(Interval.point(points[:, :n])).size
        speed = np.abs(points[:, n:]).max(axis=1, initial=0.0)
        return np.asarray((size <= 1e-6) & (speed <= 1e-6))
    places = [] if attractor.cycle is None else [each.mid for each in attractor.cycle.points]
    if attractor.kind == "equilibrium" and attractor.cycle is None and attractor.point is not None:
        places = [attractor.point]
    made = np.zeros(len(points), bool)
    for each in places:
        away = np.abs(points - each).max(axis=1)
        made |= away <= 1e-4 * max(1.0, float(np.abs(each).max()))
    return made
