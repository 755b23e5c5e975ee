"""An optimiser with the values of its hyperparameters."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

from engine.theory.optimisers.schedules import CONSTANT, Schedule

OptimiserId = Literal[
    "gradient-descent",
    "heavy-ball",
    "nesterov",
    "rmsprop",
    "adam",
    "adamw",
    "normalised-gd",
    "sam",
    "polyak",
]
"""All optimisers; the kernels know each by its place in `engine.theory.optimisers.OPTIMISERS`."""
StepRule = Literal["fixed", "sharpness", "hessian"]
STEP_RULES: tuple[StepRule, ...] = ("fixed", "sharpness", "hessian")
"""The rules of the step size; the kernels know each by its place here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    r"""One optimiser and its hyperparameters; those that it does not have are ignored.

    Attributes
    ----------
    optimiser : OptimiserId
    step_size : float
        :math:`\delta`, :math:`\eta` in the literature; Polyak's step does without.
    rule : {"fixed", "sharpness", "hessian"}
        Whether the step size is `step_size` (times the schedule), or `alpha` over the largest
        eigenvalue of the Hessian, or over its largest magnitude.
    alpha : float
        Numerator of a step size that depends on the state.
    step_cap : float
        Largest step size that depends on the state; Polyak's, too.
    momentum : float
        :math:`\beta` of heavy ball and Nesterov's momentum, :math:`\beta_1` of Adam and AdamW.
    square_decay : float
        :math:`\beta_2`, the part of the mean square that is kept.
    epsilon : float
        :math:`\epsilon`, added to the root of the mean square.
    weight_decay : float
        Coefficient of the decay: decoupled for AdamW, of a term in the gradient for descent without
        and with momentum, RMSprop and Adam; the others have none.
    radius : float
        :math:`\rho` of SAM.
    lowest_loss : float
        :math:`f^*` of Polyak's step.
    scales : tuple of float
        Factors of the coordinates' step sizes; empty where all are 1.
    schedule : Schedule
    """

    optimiser: OptimiserId = "gradient-descent"
    step_size: float = 0.1
    rule: StepRule = "fixed"
    alpha: float = 1.0
    step_cap: float = math.inf
    momentum: float = 0.9
    square_decay: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    radius: float = 0.05
    lowest_loss: float = 0.0
    scales: tuple[float, ...] = ()
    schedule: Schedule = CONSTANT

    def at(self, k: int) -> Setting:
        """Return the setting with the constant step size of the step that follows `k` others."""
        if self.schedule.is_constant:
            return self
        step_size = self.step_size * self.schedule.factor(k)
        return dataclasses.replace(self, step_size=step_size, schedule=CONSTANT)
