"""What is measured of both networks at a state, each quantity once."""

from __future__ import annotations

from engine.analysis.spectrum import Extremes
from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.experiments.double_matrix.params import DoubleMatrixState, Side
from engine.families.matrix import descent
from engine.families.matrix import measure as matrix_measure


def look(state: DoubleMatrixState, side: Side, branch: int) -> matrix_measure.Look:
    """Measure one product at a state, once."""
    network: descent.Network = getattr(state, side)
    return once(
        state,
        ("look", side, branch),
        lambda: matrix_measure.look(state.problem, network.matrices(state.problem.size)[branch]),
    )


def estimate(state: DoubleMatrixState) -> FloatArray:
    """Compute the difference of the double network's products, shape (n, n)."""
    return look(state, "double", 0).product - look(state, "double", 1).product


def sharpest(state: DoubleMatrixState, side: Side) -> Extremes:
    """Find the top of one network's Hessian at a state, once."""
    network: descent.Network = getattr(state, side)
    return once(
        state,
        ("sharpest", side),
        lambda: matrix_measure.sharpest(
            state.problem,
            network.matrices(state.problem.size),
            state.params.hessian_count,
            state.seed,
        ),
    )
