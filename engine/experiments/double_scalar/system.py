"""The double scalar network as a dynamical system of R^2L: equations (9a) and (9b)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.system import InvariantSet, System, symbols, varied
from engine.experiments.double_scalar.measure import full, pair_hessian
from engine.experiments.double_scalar.params import (
    DoubleScalarParams,
    DoubleScalarState,
    make_start,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class DoubleScalarSystem(System[DoubleScalarState]):
    """The pair w, z of a run; its single network u goes its own way beside it.

    Equal weights of a network stay equal to the last bit. A step has the bits of the run's.
    """

    params: DoubleScalarParams

    def step(self, z: FloatArray) -> FloatArray:
        """Make one update of w and then z, shape (2L,)."""
        w, other = np.split(z, 2)
        of_w, of_z = theory.tied_cofactors(w), theory.tied_cofactors(other)
        params = self.params
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            error = of_w[-1] * w[-1] - of_z[-1] * other[-1] - params.target
            pull = params.input_power * error
            slopes = np.concatenate([of_w * pull, of_z * -pull])
            return np.asarray(z - params.step_size * slopes)

    def jacobian(self, z: FloatArray) -> FloatArray:
        """Compute the derivative of `step`, shape (2L, 2L)."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            hessian = pair_hessian(self.params, z.reshape(2, -1))
            return np.asarray(np.eye(len(z)) - self.params.step_size * hessian)

    def point(self, state: DoubleScalarState) -> FloatArray:
        """Return w and then z, all L weights of each."""
        return full(state)[:2].ravel()

    def start(self, seed: int) -> FloatArray:
        """Return the start of w and then z."""
        weights = make_start(self.params, seed)[:2]
        return np.broadcast_to(weights, (2, self.params.depth)).ravel()


def system_of(params: DoubleScalarParams) -> DoubleScalarSystem:
    """Describe the map."""
    depth = params.depth
    return DoubleScalarSystem(
        coordinates=symbols("w", depth) + symbols("z", depth),
        varied=varied(params, "step_size", "target", "input_power"),
        invariant_sets=_invariant_sets(depth),
        params=params,
    )


def _invariant_sets(depth: int) -> tuple[InvariantSet, ...]:
    """Return the plane of equal weights, and for L >= 2 the subspaces of one network at 0."""
    if depth < 2:
        return ()
    origin, identity = np.zeros(2 * depth), np.eye(2 * depth)
    equal = np.kron(np.eye(2), np.full((depth, 1), 1.0 / np.sqrt(depth)))
    return (
        InvariantSet("all w equal, and all z equal", equal, origin),
        InvariantSet("all z at 0", identity[:, :depth], origin),
        InvariantSet("all w at 0", identity[:, depth:], origin),
    )
