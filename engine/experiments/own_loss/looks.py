"""What is measured where the Hessian is looked at, for many states of a run at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.experiments.own_loss.params import OwnLossParams
from engine.theory.optimisers import curvature, describe, preconditioner
from engine.theory.optimisers.setting import Setting

if TYPE_CHECKING:
    from engine.families.loss.loss import Loss

EARLY = 512
"""Steps after all of which the Hessian is looked at."""


def looks(first: int, n: int, every: int) -> NDArray[np.int64]:
    """Return the steps from `first` + 1 on, of `n`, after which the Hessian is looked at."""
    steps = np.arange(first + 1, first + n + 1)
    return np.asarray(steps[(steps <= EARLY) | (steps % every < 2)], np.int64)


@dataclass(frozen=True)
class Looks:
    """States at which the Hessian is looked at.

    Attributes
    ----------
    steps : ndarray of int64, shape (m,)
        Steps made before.
    states : ndarray, shape (m, 3, n)
        Weights and both moments.
    begun : int
        Step at which the moments were 0.
    """

    steps: NDArray[np.int64]
    states: FloatArray
    begun: int


def spectra(loss: Loss, params: OwnLossParams, at: Looks) -> dict[str, FloatArray]:
    """Measure Hessians: eigenvalues, sharpness, and the curvature that counts over its limit.

    Parameters
    ----------
    loss : Loss
    params : OwnLossParams
    at : Looks

    Returns
    -------
    dict of str to ndarray
        ``hessian`` (m, n), ``sharpness`` (m,) and ``stability`` (m,); NaN where the Hessian is not
        finite.
    """
    matrices = loss.hessians(at.states[:, 0])
    eigenvalues = _eigenvalues(matrices)
    setting, n = params.setting, loss.dimension
    ages = [max(step - at.begun, 1) for step in at.steps.tolist()]
    diagonals = np.array([preconditioner(setting, n)])
    if describe(setting.optimiser).is_adaptive:
        rows = zip(at.states[:, 2], ages, strict=True)
        diagonals = np.array([preconditioner(setting, n, row, age) for row, age in rows])
        diagonals = diagonals.reshape(-1, n)
    tops = _eigenvalues(curvature(matrices, setting, diagonals))[:, -1]
    limits = np.array(_limits(loss, setting, at, eigenvalues), np.float64)
    stability = np.full(len(tops), np.nan)
    with np.errstate(over="ignore"):
        np.divide(tops, limits, out=stability, where=limits > 0.0)
    stability[np.isnan(eigenvalues[:, -1])] = np.nan
    return {"hessian": eigenvalues, "sharpness": eigenvalues[:, -1], "stability": stability}


def _eigenvalues(matrices: FloatArray) -> FloatArray:
    """Return the eigenvalues of symmetric matrices (m, n, n), ascending; NaN where not finite."""
    values = np.full(matrices.shape[:-1], np.nan)
    finite = np.isfinite(matrices).all(axis=(1, 2))
    values[finite] = np.linalg.eigvalsh(matrices[finite])
    return values


def _limits(loss: Loss, setting: Setting, at: Looks, eigenvalues: FloatArray) -> Sequence[float]:
    """Return the largest stable curvature at every state; NaN where no step is made."""
    has_limit = describe(setting.optimiser).limit_of is not None
    if setting.rule != "fixed":
        sizes = ruled(loss, setting, at.states[:, 0], at.states[:, 1], eigenvalues)
        settings = [replace(setting, rule="fixed", step_size=size) for size in sizes]
    elif setting.schedule.is_constant and has_limit:
        return [_limit(setting)] * len(at.steps)
    else:
        settings = [setting.at(step) for step in at.steps.tolist()]
    if has_limit:
        return [_limit(each) for each in settings]
    values, gradients = loss.values_and_gradients(at.states[:, 0])
    norms = [float(np.linalg.norm(each)) for each in gradients]
    rows = zip(settings, norms, values.tolist(), strict=True)
    return [_limit(each, gradient_norm=norm, loss=value) for each, norm, value in rows]


def _limit(setting: Setting, *, gradient_norm: float = 0.0, loss: float = 0.0) -> float:
    """Return the largest stable curvature; NaN where the step size is 0."""
    if setting.step_size <= 0.0:
        return math.nan
    limit = describe(setting.optimiser).sharpness_limit
    return limit(setting, gradient_norm=gradient_norm, loss=loss)


def ruled(
    loss: Loss,
    setting: Setting,
    weights: FloatArray,
    velocities: FloatArray,
    eigenvalues: FloatArray,
) -> list[float]:
    """Return the step sizes that the curvature decides, where the gradient for a step is taken.

    They are the cap where the curvature is not positive, too small for another, or no number.

    Parameters
    ----------
    loss : Loss
    setting : Setting
        With the rule "sharpness" or "hessian".
    weights, velocities, eigenvalues : ndarray, shape (m, n)
        The Hessian's eigenvalues at the weights.
    """
    if setting.optimiser == "nesterov":
        eigenvalues = _eigenvalues(loss.hessians(weights + setting.momentum * velocities))
    is_top = setting.rule == "sharpness"
    sizes = eigenvalues[:, -1] if is_top else np.max(np.abs(eigenvalues), axis=1)
    cap, alpha = setting.step_cap, setting.alpha
    return [alpha / size if alpha < cap * size else cap for size in sizes.tolist()]


def eigenvalues_at(loss: Loss, points: FloatArray) -> FloatArray:
    """Return the Hessian's eigenvalues at points (m, n), ascending; NaN where it is not finite."""
    return _eigenvalues(loss.hessians(points))
