"""The experiments of the program, registered in the order of the list.

Importing this package loads none of them; each is imported when it is asked for, and its kernels at
first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.registry import Entry, register
from engine.experiments.convex_shape.listing import LISTING as CONVEX_SHAPE
from engine.experiments.double_matrix.listing import LISTING as DOUBLE_MATRIX
from engine.experiments.double_scalar.listing import LISTING as DOUBLE_SCALAR
from engine.experiments.least_squares.listing import LISTING as LEAST_SQUARES
from engine.experiments.matrix_product.listing import LISTING as MATRIX_PRODUCT
from engine.experiments.mnist.listing import LISTING as MNIST
from engine.experiments.network.listing import LISTING as NETWORK
from engine.experiments.own_loss.listing import LISTING as OWN_LOSS
from engine.experiments.piecewise_fit.listing import LISTING as PIECEWISE_FIT
from engine.experiments.scalar_product.listing import LISTING as SCALAR_PRODUCT
from engine.experiments.trace.listing import LISTING as TRACE

if TYPE_CHECKING:
    from engine.core.registry import Experiment


def _least_squares() -> Experiment:
    from engine.experiments.least_squares.experiment import LeastSquares

    return LeastSquares()


def _scalar_product() -> Experiment:
    from engine.experiments.scalar_product.experiment import ScalarProduct

    return ScalarProduct()


def _matrix_product() -> Experiment:
    from engine.experiments.matrix_product.experiment import MatrixProduct

    return MatrixProduct()


def _double_scalar() -> Experiment:
    from engine.experiments.double_scalar.experiment import DoubleScalar

    return DoubleScalar()


def _double_matrix() -> Experiment:
    from engine.experiments.double_matrix.experiment import DoubleMatrix

    return DoubleMatrix()


def _convex_shape() -> Experiment:
    from engine.experiments.convex_shape.experiment import ConvexShape

    return ConvexShape()


def _piecewise_fit() -> Experiment:
    from engine.experiments.piecewise_fit.experiment import PiecewiseFit

    return PiecewiseFit()


def _mnist() -> Experiment:
    from engine.experiments.mnist.experiment import Mnist

    return Mnist()


def _own_loss() -> Experiment:
    from engine.experiments.own_loss.experiment import OwnLoss

    return OwnLoss()


def _network() -> Experiment:
    from engine.experiments.network.experiment import Network

    return Network()


def _trace() -> Experiment:
    from engine.experiments.trace.experiment import Trace

    return Trace()


EXPERIMENTS: tuple[Entry, ...] = (
    register(LEAST_SQUARES, _least_squares),
    register(SCALAR_PRODUCT, _scalar_product),
    register(MATRIX_PRODUCT, _matrix_product),
    register(DOUBLE_SCALAR, _double_scalar),
    register(DOUBLE_MATRIX, _double_matrix),
    register(CONVEX_SHAPE, _convex_shape),
    register(PIECEWISE_FIT, _piecewise_fit),
    register(MNIST, _mnist),
    register(OWN_LOSS, _own_loss),
    register(NETWORK, _network),
    register(TRACE, _trace),
)
