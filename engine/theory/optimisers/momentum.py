r"""Stability of a minimum under gradient descent and its momentum variants.

Along an eigenvector of the Hessian with eigenvalue h the iteration is linear, and with
:math:`x=\delta h` its eigenvalues are

- gradient descent: :math:`1-x`;
- heavy ball: the roots of :math:`z^2-(1+\beta-x)z+\beta`;
- Nesterov: the roots of :math:`z^2-(1+\beta)(1-x)z+\beta(1-x)`.

The first to leave the unit circle as x grows does so at -1, which gives the limits below
(Polyak 1964; Cohen et al. 2021, Appendix B).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Optimiser = Literal["gradient-descent", "heavy-ball", "nesterov"]


def stability_limit(optimiser: Optimiser, momentum: float) -> float:
    r"""Return the largest step size times sharpness at which a minimum is stable.

    2 for gradient descent, :math:`2(1+\beta)` for the heavy ball and
    :math:`2(1+\beta)/(1+2\beta)` for Nesterov's momentum.
    """
    if optimiser == "heavy-ball":
        return 2.0 * (1.0 + momentum)
    if optimiser == "nesterov":
        return 2.0 * (1.0 + momentum) / (1.0 + 2.0 * momentum)
    return 2.0


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
    plain = 1.0 - np.asarray(curvature, np.float64)
    if optimiser == "gradient-descent":
        return plain.astype(np.complex128)
    if optimiser == "heavy-ball":
        trace, determinant = plain + momentum, np.full_like(plain, momentum)
    else:
        trace, determinant = (1.0 + momentum) * plain, momentum * plain
    root = np.sqrt((trace * trace - 4.0 * determinant).astype(np.complex128))
    return np.concatenate([0.5 * (trace + root), 0.5 * (trace - root)])


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
    values = iteration_eigenvalues([curvature], optimiser, momentum)
    largest = values[int(np.argmax(np.abs(values)))]
    size = float(abs(largest))
    return size if largest.imag == 0.0 and largest.real >= 0.0 else -size
