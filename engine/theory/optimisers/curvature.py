r"""The curvature that an optimiser's threshold is about.

Where the steps of the coordinates are divided by a positive diagonal P, a step acts on
:math:`P^{1/2}w` as gradient descent on a quadratic with the Hessian :math:`P^{-1/2}HP^{-1/2}`,
whose eigenvalues are those of :math:`P^{-1}H`. A decay of :math:`\lambda` in the gradient adds
:math:`\lambda I` to H; one that is decoupled does not.
"""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray
from engine.theory.optimisers.setting import Setting

ADAPTIVE = ("rmsprop", "adam", "adamw")
"""Optimisers that divide by the root of a mean square."""
PENALISED = ("gradient-descent", "heavy-ball", "nesterov", "rmsprop", "adam")
"""Optimisers whose decay of the weights is a term of the gradient."""


def preconditioner(
    setting: Setting, size: int, squares: FloatArray | None = None, age: int | None = None
) -> FloatArray:
    """Return the diagonal P by which the coordinates' steps are divided, shape (n,).

    Parameters
    ----------
    setting : Setting
    size : int
        Number n of weights.
    squares : ndarray, shape (n,), optional
        The mean squares of an adaptive optimiser; 0, as at a minimum, if none are given.
    age : int or None
        Steps since the moments were 0, for Adam's correction of their bias; None for infinitely
        many.
    """
    scales = np.array(setting.scales, np.float64) if setting.scales else np.ones(size)
    if setting.optimiser not in ADAPTIVE:
        return np.asarray(1.0 / scales)
    found = np.zeros(size) if squares is None else squares
    known = 1.0
    if age is not None and setting.optimiser != "rmsprop":
        known = 1.0 - setting.square_decay ** max(age, 1)
    return np.asarray((np.sqrt(found / known) + setting.epsilon) / scales)


def gradient_decay(setting: Setting) -> float:
    """Return the coefficient of the decay that is part of the gradient."""
    return setting.weight_decay if setting.optimiser in PENALISED else 0.0


def sharpness(
    hessian: FloatArray,
    setting: Setting,
    squares: FloatArray | None = None,
    age: int | None = None,
) -> float:
    """Return the largest eigenvalue of the curvature: what is compared with the limit.

    Parameters
    ----------
    hessian : ndarray, shape (n, n)
    setting : Setting
    squares, age
        See `preconditioner`.

    Returns
    -------
    float
        NaN where the Hessian or the mean squares are not finite.
    """
    diagonal = preconditioner(setting, len(hessian), squares, age)
    matrix = curvature(hessian, setting, diagonal)
    return float(np.linalg.eigvalsh(matrix)[-1]) if np.isfinite(matrix).all() else float("nan")


def curvature(hessian: FloatArray, setting: Setting, diagonal: FloatArray) -> FloatArray:
    r"""Return :math:`P^{-1/2}(H+\lambda I)P^{-1/2}`, symmetric, shape (..., n, n).

    Parameters
    ----------
    hessian : ndarray, shape (..., n, n)
    setting : Setting
    diagonal : ndarray, shape (..., n)
        P, as `preconditioner` returns it.
    """
    whole = hessian + gradient_decay(setting) * np.eye(hessian.shape[-1])
    root = np.sqrt(diagonal)
    return np.asarray(whole / (root[..., :, None] * root[..., None, :]))
