"""Descent on a typed loss as a map of the augmented state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.system import System, varied
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.phase import SMOOTH
from engine.experiments.own_loss.problem import loss_of, starting_point
from engine.theory.optimisers import StepMap

if TYPE_CHECKING:
    from engine.families.loss.loss import Loss


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnLossSystem(System[OwnLossState]):
    """The weights, with momentum also their velocities."""

    params: OwnLossParams
    loss: Loss
    map: StepMap

    def step(self, z: FloatArray) -> FloatArray:
        """Make one update."""
        return self.map.step(z)

    def jacobian(self, z: FloatArray) -> FloatArray:
        """Compute the derivative of `step`."""
        return self.map.jacobian(z)

    def point(self, state: OwnLossState) -> FloatArray:
        """Return the weights, with momentum also the velocities."""
        return self._point(state.weights, state.moments[0])

    def start(self, seed: int) -> FloatArray:
        """Return the start, at rest."""
        point = starting_point(self.params, self.loss.dimension, seed)
        return self._point(point, np.zeros_like(point))

    def _point(self, weights: FloatArray, velocity: FloatArray) -> FloatArray:
        plain = self.params.optimiser == "gradient-descent"
        return weights if plain else np.concatenate([weights, velocity])


def system_of(params: OwnLossParams) -> OwnLossSystem | None:
    """Describe the map of an optimiser that is the same smooth one at every step; else None."""
    if params.optimiser not in SMOOTH or not params.has_fixed_step:
        return None
    loss = loss_of(params)
    coordinates = tuple(symbol_of(name) for name in loss.variables)
    if params.optimiser != "gradient-descent":
        coordinates += tuple(rf"v_{{{name}}}" for name in coordinates)
    return OwnLossSystem(
        coordinates=coordinates,
        varied=varied(params, "step_size", "momentum"),
        params=params,
        loss=loss,
        map=StepMap(
            setting=params.setting, value=loss.value, gradient=loss.gradient, hessian=loss.hessian
        ),
    )


def symbol_of(name: str) -> str:
    """Return the mathtext of a variable, such as ``w_{12}`` of w12."""
    letters = name.rstrip("0123456789")
    digits = name[len(letters) :]
    head = letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
    return f"{head}_{{{digits}}}" if digits else head
