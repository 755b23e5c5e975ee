"""The registry: every experiment of the program, an explicit tuple.

Importing it loads neither Qt nor torch nor numba; experiments import their kernels at first use.
"""

from __future__ import annotations

from typing import Any

from engine.errors import InputError
from engine.experiment import AbstractExperiment
from engine.experiments.convex_shape import ConvexShape
from engine.experiments.double_matrix import DoubleMatrix
from engine.experiments.double_scalar import DoubleScalar
from engine.experiments.least_squares import LeastSquares
from engine.experiments.matrix_product import MatrixProduct
from engine.experiments.mnist import Mnist
from engine.experiments.piecewise_fit import PiecewiseFit
from engine.experiments.scalar_product import ScalarProduct

EXPERIMENTS: tuple[AbstractExperiment[Any, Any], ...] = (
    LeastSquares(),
    ScalarProduct(),
    MatrixProduct(),
    DoubleScalar(),
    DoubleMatrix(),
    ConvexShape(),
    PiecewiseFit(),
    Mnist(),
)


def get(experiment_id: str) -> AbstractExperiment[Any, Any]:
    """Find an experiment by its public id.

    Raises
    ------
    InputError
        If there is none of that id; the sentence lists those there are.
    """
    for experiment in EXPERIMENTS:
        if experiment.id == experiment_id:
            return experiment
    known = ", ".join(experiment.id for experiment in EXPERIMENTS)
    raise InputError("experiment", experiment_id, f"give one of {known}")
