"""A step of the training of a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.edge import Edge
from engine.core.experiment import State
from engine.experiments.network.look import Look, Numbers
from engine.experiments.network.params import NetworkParams

if TYPE_CHECKING:
    from engine.experiments.network.central import Central
    from engine.experiments.network.expansion import Expansion
    from engine.experiments.network.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkState(State[NetworkParams]):
    """A step of a training run.

    Attributes
    ----------
    problem : Problem
        Shared by all states of a run.
    weights : ndarray, shape (n,)
    moments : ndarray, shape (m, n)
        What the optimiser carries: velocity, or mean gradient and mean square.
    look : Look or None
        The last look at the Hessian, from whose eigenvectors the next begins.
    first_loss : float
        Training loss at step 0 or where the run was last pushed to.
    edge : Edge
    flow : ndarray, shape (n,)
        Weights of the gradient flow at the time δk; (0,) where it is not integrated.
    flow_step : float
        Length of the next step of its integration.
    central : Central or None
        The central flow, where it is integrated and could be followed.
    expansion : Expansion or None
        The last derivatives along the first eigenvector.
    rest : Expansion or None
        The last ones that were found where the gradient vanished.
    """

    problem: Problem
    weights: Numbers
    moments: Numbers
    first_loss: float
    look: Look | None = None
    edge: Edge = field(default_factory=Edge)
    flow: Numbers = field(default_factory=lambda: np.zeros(0))
    flow_step: float = 0.0
    central: Central | None = None
    expansion: Expansion | None = None
    rest: Expansion | None = None

    @property
    def is_minibatch(self) -> bool:
        """Whether a step uses a part of the samples."""
        return self.params.is_minibatch(self.problem.train.count)
