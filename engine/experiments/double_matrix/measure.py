"""What is measured of both networks at a state, each quantity once."""

from __future__ import annotations

from engine.analysis.spectrum import Extremes
from engine.core.arrays import FloatArray
from engine.experiments.double_matrix.params import DoubleMatrixState, Side
from engine.families.matrix import descent
from engine.families.matrix import measure as matrix_measure


def look(state: DoubleMatrixState, side: Side, branch: int) -> matrix_measure.Look:
    """Measure one product at a state, once."""
    key = f"look {side} {branch}"
    if key not in state.memo:
        network: descent.Network = getattr(state, side)
        weights = network.matrices(state.problem.size)[branch]
        state.memo[key] = matrix_measure.look(state.problem, weights)
    found: matrix_measure.Look = state.memo[key]
    return found


def estimate(state: DoubleMatrixState) -> FloatArray:
    """Compute the difference of the double network's products, shape (n, n)."""
    return look(state, "double", 0).product - look(state, "double", 1).product


def sharpest(state: DoubleMatrixState, side: Side) -> Extremes:
    """Find the top of one network's Hessian at a state, once."""
    key = f"sharpest {side}"
    if key not in state.memo:
        network: descent.Network = getattr(state, side)
        state.memo[key] = matrix_measure.sharpest(
            state.problem,
            network.matrices(state.problem.size),
            state.params.hessian_count,
            state.seed,
        )
    found: Extremes = state.memo[key]
    return found
