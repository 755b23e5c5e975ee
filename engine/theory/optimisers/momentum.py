"""Gradient descent without and with momentum, by name and momentum alone."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.theory.optimisers.catalogue import describe
from engine.theory.optimisers.linear import dominant
from engine.theory.optimisers.setting import Setting

Optimiser = Literal["gradient-descent", "heavy-ball", "nesterov"]


def stability_limit(optimiser: Optimiser, momentum: float) -> float:
    r"""Return the largest step size times sharpness at which a minimum is stable.

    2 for gradient descent, :math:`2(1+\beta)` for the heavy ball and
    :math:`2(1+\beta)/(1+2\beta)` for Nesterov's momentum.
    """
    limit = describe(optimiser).limit(Setting(optimiser=optimiser, momentum=momentum))
    assert limit is not None  # the three have one
    return limit


def sharpness_limit(optimiser: Optimiser, momentum: float, step_size: float) -> float:
    """Return the largest sharpness of a minimum that is stable at a step size."""
    return stability_limit(optimiser, momentum) / step_size


def iteration_eigenvalues(
    curvature: npt.ArrayLike, optimiser: Optimiser, momentum: float
) -> npt.NDArray[np.complex128]:
    """Return the eigenvalues of the iteration, from step size times Hessian eigenvalue.

    Parameters
    ----------
    curvature : array_like, shape (n,)
        Step size times each eigenvalue of the Hessian.
    optimiser, momentum

    Returns
    -------
    ndarray, shape (n,) or (2n,)
        One per eigenvalue for gradient descent; with momentum the n first and the n second roots.
    """
    setting = Setting(optimiser=optimiser, momentum=momentum)
    return describe(optimiser).multipliers(curvature, setting)


def iteration_jacobian(
    hessian: npt.NDArray[np.float64], step_size: float, optimiser: Optimiser, momentum: float
) -> npt.NDArray[np.float64]:
    r"""Return the derivative of one step of an optimiser.

    With momentum the step is :math:`v^+=\beta v-\delta\nabla f(w+a\beta v)`,
    :math:`w^+=w+v^+`, where a is 1 for Nesterov's momentum and 0 for the heavy ball.

    Parameters
    ----------
    hessian : ndarray, shape (n, n)
        Where the step takes its gradient: for Nesterov's momentum at :math:`w+\beta v`.
    step_size, optimiser, momentum

    Returns
    -------
    ndarray, shape (n, n) or (2n, 2n)
        By w, and with momentum by w and then v.
    """
    pull = step_size * hessian
    identity = np.eye(len(hessian))
    if optimiser == "gradient-descent":
        return np.asarray(identity - pull)
    carried = momentum * (identity - pull if optimiser == "nesterov" else identity)
    return np.block([[identity - pull, carried], [-pull, carried]])


def dominant_factor(curvature: float, optimiser: Optimiser, momentum: float) -> float:
    """Return the factor by which an error is multiplied per step in the long run.

    The eigenvalue of largest modulus; of a complex pair its modulus, negative, for the error then
    changes its sign.
    """
    return dominant(iteration_eigenvalues([curvature], optimiser, momentum))
