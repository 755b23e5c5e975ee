"""The runs of an ensemble on a typed loss: what each was given, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.analysis import equilibria
from engine.analysis.equilibria import Equilibrium, Nature
from engine.analysis.phase import Phase
from engine.core.arrays import FloatArray
from engine.experiments.own_loss.analysis import Listed, LossAnalysis
from engine.experiments.own_loss.params import OwnLossParams
from engine.families.ensembles.runs import Points
from engine.theory.optimisers import OptimiserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One start under one optimiser.

    Attributes
    ----------
    seed : int
    params : OwnLossParams
        With the optimiser, its hyperparameters and its step size.
    start : ndarray, shape (n,)
    critical : float or None
        Its critical step size at the listed minimum nearest to the start.
    chosen_by : str
        Where the step size is from.
    """

    seed: int
    params: OwnLossParams
    start: FloatArray
    critical: float | None
    chosen_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Raced:
    """What became of one start under one optimiser.

    Attributes
    ----------
    entry : Entry
    losses : ndarray, shape (m,)
        At the checkpoints, NaN after a divergence.
    least : float
        Smallest loss that was met; infinite after a divergence.
    end : ndarray, shape (n,)
    phase : Phase
    diverged_at : int or None
    equilibrium : Equilibrium or None
        The one that the end is near.
    sharpness : float or None
        At the end.
    first_close : int or None
        First step with a loss that counts as the least of all.
    """

    entry: Entry
    losses: FloatArray
    least: float
    end: FloatArray
    phase: Phase
    diverged_at: int | None
    equilibrium: Equilibrium | None
    sharpness: float | None
    first_close: int | None = None

    @property
    def optimiser(self) -> OptimiserId:
        """Its optimiser."""
        return self.entry.params.optimiser

    @property
    def loss(self) -> float | None:
        """The last loss, None after a divergence."""
        return None if self.diverged_at is not None else float(self.losses[-1])

    def minimum(self, found: LossAnalysis) -> int | None:
        """Return which of the listed minima the end is near, from 1 on; 0 for another one.

        None where it is near no minimum. Of a manifold of minima any point counts, as the list
        has one for all of the same dimension and loss.
        """
        here = self.equilibrium
        if here is None or here.nature is not Nature.MINIMUM:
            return None
        same = (n for n, each in enumerate(found.minima, 1) if _is_listed(here, each))
        return next(same, 0)


def _is_listed(here: Equilibrium, listed: Listed) -> bool:
    other = listed.at
    if here.manifold != other.manifold:
        return False
    if here.manifold:
        scale = max(abs(here.loss), abs(other.loss), 1e-3)
        return abs(here.loss - other.loss) <= equilibria.SAME_LOSS * scale
    size = max(float(np.linalg.norm(other.point)), 1.0)
    return float(np.linalg.norm(here.point - other.point)) <= equilibria.SAME * size


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """All runs that were not cancelled, and what they have in common.

    `least` is the smallest loss that any of them met which did not diverge, None without one.
    """

    params: OwnLossParams
    seed: int
    points: Points
    found: LossAnalysis
    runs: tuple[Raced, ...]
    least: float | None
    cancelled: bool

    def groups(self) -> list[tuple[OptimiserId, list[Raced]]]:
        """Sort the runs by optimiser, in the order of the catalogue."""
        made: dict[OptimiserId, list[Raced]] = {}
        for run in self.runs:
            made.setdefault(run.optimiser, []).append(run)
        return list(made.items())
