"""The registry: every experiment of the program, an explicit tuple.

Importing it loads none of them; each is imported when it is asked for, and its kernels at first
use. The texts are those of the experiments' classes; `tests/engine/test_registry.py` compares them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from engine.errors import InputError
from engine.listing import Listed, Listing

if TYPE_CHECKING:
    from engine.experiment import AbstractExperiment

    Experiment = AbstractExperiment[Any, Any]


@cache
def _least_squares() -> Experiment:
    from engine.experiments.least_squares import LeastSquares

    return LeastSquares()


@cache
def _scalar_product() -> Experiment:
    from engine.experiments.scalar_product import ScalarProduct

    return ScalarProduct()


@cache
def _matrix_product() -> Experiment:
    from engine.experiments.matrix_product import MatrixProduct

    return MatrixProduct()


@cache
def _double_scalar() -> Experiment:
    from engine.experiments.double_scalar import DoubleScalar

    return DoubleScalar()


@cache
def _double_matrix() -> Experiment:
    from engine.experiments.double_matrix import DoubleMatrix

    return DoubleMatrix()


@cache
def _convex_shape() -> Experiment:
    from engine.experiments.convex_shape import ConvexShape

    return ConvexShape()


@cache
def _piecewise_fit() -> Experiment:
    from engine.experiments.piecewise_fit import PiecewiseFit

    return PiecewiseFit()


@cache
def _mnist() -> Experiment:
    from engine.experiments.mnist import Mnist

    return Mnist()


EXPERIMENTS: tuple[Listed, ...] = (
    Listing(
        id="least-squares",
        title="Least squares",
        section="Section 2, Figure 1",
        summary="Gradient descent on a quadratic is linear: one critical step size for all minima.",
        load=_least_squares,
    ),
    Listing(
        id="scalar-product",
        title="Scalar product network",
        section="Section 2, Propositions 1 to 3",
        summary=(
            "L numbers learn a product: monotone, oscillating, periodic, chaotic or divergent, "
            "as the step size decides."
        ),
        load=_scalar_product,
    ),
    Listing(
        id="matrix-product",
        title="Matrix product network",
        section="Section 2, equations (4) and (5), Theorems 1 and 2",
        summary="Gradient descent on a product of L matrices that should become R.",
        load=_matrix_product,
    ),
    Listing(
        id="double-scalar",
        title="Double scalar network",
        section="Section 3.2, equations (9a, b)",
        summary=(
            "The difference of two products learns what a single product cannot: a negative λ."
        ),
        load=_double_scalar,
    ),
    Listing(
        id="double-matrix",
        title="Double matrix network",
        section="Section 3.2, Figure 3",
        summary="The difference of two products of matrices learns what one product cannot.",
        load=_double_matrix,
    ),
    Listing(
        id="convex-shape",
        title="Convex shapes",
        section="Section 3.1, equations (6) to (8), Figure 2",
        summary="Residual layers bend a function upwards; two networks make any smooth function.",
        load=_convex_shape,
    ),
    Listing(
        id="piecewise-fit",
        title="Piecewise fit",
        section="Section 4, equations (10) to (12), Figure 4",
        summary=(
            "Two pairs of residual networks fit a function; only their biases start differently."
        ),
        load=_piecewise_fit,
    ),
    Listing(
        id="mnist",
        title="MNIST",
        section="Section 5, Figure 5",
        summary=(
            "Ten pairs of residual networks learn handwritten digits: accuracy, sharpness, "
            "and the convex and concave part of every answer."
        ),
        load=_mnist,
    ),
)


def get(experiment_id: str) -> Experiment:
    """Load an experiment by its public id.

    Raises
    ------
    InputError
        If there is none of that id; the sentence lists those there are.
    """
    for listed in EXPERIMENTS:
        if listed.id == experiment_id:
            return listed.load()
    known = ", ".join(listed.id for listed in EXPERIMENTS)
    raise InputError("experiment", experiment_id, f"give one of {known}")
