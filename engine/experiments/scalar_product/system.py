r"""The scalar product network as a dynamical system of R^L, or R^2L with momentum.

The Hessian is :math:`\sigma\,(gg^\top+eP)` with the cofactors g, the error e and the products P of
all weights but two; at a minimum :math:`I-\delta\sigma gg^\top` is the Jacobian of Proposition 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.system import InvariantSet, System, augmented, symbols, varied
from engine.experiments.scalar_product.params import ScalarParams, ScalarState
from engine.experiments.scalar_product.start import starting_weights


@dataclass(frozen=True, eq=False, kw_only=True)
class ScalarSystem(System[ScalarState]):
    """Equation (2) with a fixed step size, with or without momentum.

    Weights of equal magnitude keep it to the last bit, as in a run. Up to L = 3 a step has the bits
    of the run's; the run multiplies deeper products in an order that depends on the number of the
    step, and the two agree to rounding.

    Attributes
    ----------
    params : ScalarParams
        With the step rule "fixed".
    rate : float
        Step size times input power.
    """

    params: ScalarParams
    rate: float

    def step(self, z: FloatArray) -> FloatArray:
        """Make one update of the weights, shape (L,), or of weights and velocities, (2L,)."""
        at, momentum = self._looked_at(z), self.params.momentum
        slopes = theory.tied_cofactors(at)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            pull = (self.rate * self._error(at, slopes)) * slopes
            if not self.params.has_momentum:
                return np.asarray(z - pull)
            weights, velocity = np.split(z, 2)
            speed = momentum * velocity - pull
            return np.concatenate([weights + speed, speed])

    def jacobian(self, z: FloatArray) -> FloatArray:
        """Compute the derivative of `step`, shape (L, L) or (2L, 2L)."""
        params, at = self.params, self._looked_at(z)
        slopes = theory.cofactors(at)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            curved = self._error(at, slopes) * theory.pair_cofactors(at)
            hessian = params.power * (np.outer(slopes, slopes) + curved)
            return theory.iteration_jacobian(
                hessian, params.step_size, params.optimiser, params.momentum
            )

    def point(self, state: ScalarState) -> FloatArray:
        """Return weights, with momentum weights and velocities."""
        if not self.params.has_momentum:
            return state.weights
        return np.concatenate([state.weights, state.velocity])

    def start(self, seed: int) -> FloatArray:
        """Return the starting weights, with momentum at rest."""
        weights = starting_weights(self.params, seed)
        if not self.params.has_momentum:
            return weights
        return np.concatenate([weights, np.zeros_like(weights)])

    def _looked_at(self, z: FloatArray) -> FloatArray:
        """Return the weights at which the gradient is taken, shape (L,)."""
        if not self.params.has_momentum:
            return z
        weights, velocity = np.split(z, 2)
        if self.params.optimiser == "heavy-ball":
            return weights
        return np.asarray(weights + self.params.momentum * velocity)

    def _error(self, weights: FloatArray, slopes: FloatArray) -> float:
        return float(slopes[-1] * weights[-1] - self.params.target)


def system_of(params: ScalarParams) -> ScalarSystem | None:
    """Describe the map; None for a step size that depends on the state.

    Such a step has kinks, where no derivative exists: where its cap takes hold, and over the
    Hessian's norm where two eigenvalues are equal in magnitude.

    Raises
    ------
    InputError
        If the inputs, from which the input power is computed, are none or all zero.
    """
    if params.step_rule != "fixed":
        return None
    coordinates = symbols("w", params.depth)
    sets = _invariant_sets(params.depth)
    if params.has_momentum:
        coordinates += symbols("v", params.depth)
        sets = augmented(sets)
    return ScalarSystem(
        coordinates=coordinates,
        varied=varied(params, "step_size", "momentum", "target", "input_power"),
        invariant_sets=sets,
        params=params,
        rate=params.step_size * params.power,
    )


def _invariant_sets(depth: int) -> tuple[InvariantSet, ...]:
    """Return the lines of weights of equal magnitude: all of one sign, and the last of another."""
    if depth < 2:
        return ()
    origin = np.zeros(depth)
    equal = np.full((depth, 1), 1.0 / np.sqrt(depth))
    opposite = equal.copy()
    opposite[-1] *= -1.0
    return (
        InvariantSet("all weights equal", equal, origin),
        InvariantSet("all weights equal but for the sign of the last", opposite, origin),
    )
