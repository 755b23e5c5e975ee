"""The theory of a typed loss, computed in the background: equilibria and their flips."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis import equilibria
from engine.analysis.equilibria import Equilibrium, Nature
from engine.analysis.normal_forms import Flip, flip
from engine.core.arrays import FloatArray
from engine.core.beside import Analysis, keep, recall
from engine.core.ensemble import Progress
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.problem import loss_of, problem_key, starting_point

if TYPE_CHECKING:
    from engine.families.loss.loss import Loss


@dataclass(frozen=True, slots=True)
class Listed:
    """An equilibrium that was found, and the flip of gradient descent there.

    `flip` is None where it is no minimum, or none of its curvatures is positive.
    """

    at: Equilibrium
    flip: Flip | None


@dataclass(frozen=True, slots=True)
class LossAnalysis(Analysis):
    """What is known of a loss.

    Attributes
    ----------
    equilibria : tuple of Listed
        By ascending loss.
    searches : int
        Starts from which they were looked for.
    """

    equilibria: tuple[Listed, ...]
    searches: int

    @property
    def minima(self) -> tuple[Listed, ...]:
        """Those that are minima."""
        return tuple(each for each in self.equilibria if each.at.nature is Nature.MINIMUM)

    def nearest_minimum(self, point: FloatArray) -> Listed | None:
        """Return the listed minimum nearest to a point, None without any."""
        return min(
            self.minima,
            key=lambda each: float(np.linalg.norm(each.at.point - point)),
            default=None,
        )


def key_of(params: OwnLossParams, seed: int) -> Hashable:
    """Name what the analysis depends on."""
    return (
        "own-loss",
        problem_key(params),
        params.start,
        params.noise,
        seed if params.noise > 0.0 else 0,
        params.reach,
        params.searches,
    )


def analysis_of(params: OwnLossParams, seed: int) -> LossAnalysis | None:
    """Return the analysis of a loss, None while it is not there."""
    found = recall(key_of(params, seed))
    return found if isinstance(found, LossAnalysis) else None


def known_of(params: OwnLossParams, seed: int) -> LossAnalysis | None:
    """Return the analysis of a loss; while it is not there, the last one from another start.

    What was found then is true as well, but need not be all that this start finds. A plane through
    a minimum stays where it is by it while the start is dragged.
    """
    found = analysis_of(params, seed) or recall(_any_start(params))
    return found if isinstance(found, LossAnalysis) else None


def _any_start(params: OwnLossParams) -> Hashable:
    return "own-loss from any start", problem_key(params)


def analyse(params: OwnLossParams, seed: int, progress: Progress) -> LossAnalysis | None:
    """Look for equilibria in the box around 0 that holds the start, and compute their flips."""
    loss = loss_of(params)
    start = starting_point(params, loss.dimension, seed)
    reach = np.maximum(params.reach, 1.25 * np.abs(start))
    zero = np.zeros(loss.dimension)
    tries = equilibria.starts(zero, reach, params.searches, seed=0, also=[start, zero])
    found = equilibria.find(loss, tries, progress)
    if found is None:
        return None
    made = LossAnalysis(tuple(_listed(loss, each) for each in found), len(tries))
    keep(_any_start(params), made)
    return made


def _listed(loss: Loss, each: Equilibrium) -> Listed:
    return Listed(each, flip(loss, each.point) if each.nature is Nature.MINIMUM else None)
