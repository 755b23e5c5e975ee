"""Gradient descent on least squares as a linear dynamical system of R^n, or R^2n with momentum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.system import InvariantSet, System, augmented, symbols, varied
from engine.experiments.least_squares.problem import (
    LeastSquaresParams,
    LeastSquaresState,
    Quadratic,
    make_quadratic,
    make_starts,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class LeastSquaresSystem(System[LeastSquaresState]):
    """The first of a run's points.

    A run multiplies all its points by the Gram matrix at once, in an order of the linear algebra
    library's choice, so that a step agrees to rounding.
    """

    params: LeastSquaresParams
    problem: Quadratic

    def step(self, z: FloatArray) -> FloatArray:
        """Make one update of the point, shape (n,), or of point and velocity, (2n,)."""
        params, beta = self.params, self.params.beta
        weights, velocity = self._parts(z)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            carried = beta * velocity
            base = weights + carried if params.optimiser == "nesterov" else weights
            new = base - params.step_size * (self.problem.gram @ base - self.problem.load)
            if params.optimiser == "heavy-ball":
                new = new + carried
            if params.optimiser == "gradient-descent":
                return np.asarray(new)
            return np.concatenate([new, new - weights])

    def jacobian(self, z: FloatArray) -> FloatArray:
        """Return the derivative of `step`, the same everywhere, shape (n, n) or (2n, 2n)."""
        params = self.params
        return theory.iteration_jacobian(
            self.problem.gram, params.step_size, params.optimiser, params.beta
        )

    def point(self, state: LeastSquaresState) -> FloatArray:
        """Return the first point, with momentum also its last change."""
        return self._point(state.points[0], state.previous[0])

    def start(self, seed: int) -> FloatArray:
        """Return the first start, with momentum at rest."""
        first = make_starts(self.params, self.problem, seed)[0]
        return self._point(first, first)

    def _point(self, now: FloatArray, previous: FloatArray) -> FloatArray:
        if self.params.optimiser == "gradient-descent":
            return now
        return np.concatenate([now, now - previous])

    def _parts(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return point and velocity."""
        if self.params.optimiser == "gradient-descent":
            return z, np.zeros_like(z)
        weights, velocity = np.split(z, 2)
        return weights, velocity


def system_of(params: LeastSquaresParams, seed: int) -> LeastSquaresSystem:
    """Describe the map for the data of a seed.

    Raises
    ------
    InputError
        If a file or a list of eigenvalues cannot be used.
    """
    problem = make_quadratic(params, seed)
    coordinates = symbols("w", problem.size)
    sets = tuple(
        InvariantSet(
            f"the error along eigenvector {i + 1}", problem.eigenvectors[:, [i]], problem.minimum
        )
        for i in range(problem.size)
    )
    if params.optimiser != "gradient-descent":
        coordinates += symbols("v", problem.size)
        sets = augmented(sets)
    return LeastSquaresSystem(
        coordinates=coordinates,
        varied=varied(params, "step_size", "momentum"),
        invariant_sets=sets,
        params=params,
        problem=problem,
    )
