r"""How the loss bends along the first eigenvector v of the Hessian H: third and fourth derivatives.

With :math:`T=\nabla^3f(v,v,\cdot)`, which is the gradient of the sharpness S where S is a simple
eigenvalue, a step of gradient descent changes S by :math:`-\delta\,T^\top\nabla f` to first order.
At a minimum whose sharpness comes to :math:`2/\delta` the sign of

.. math:: c=\frac{\delta}{6}\left(3\,T^\top H^+T-\nabla^4f(v,v,v,v)\right)

decides what branches off (`engine.analysis.normal_forms`); on the line along v alone it is that of
:math:`3f'''^2/S-f''''` (Chen & Bruna, arXiv:2206.04172). :math:`H^+T` is not found, only
:math:`T^\top H^+T`, by Lanczos's process from T: over the part of T in eigenvalues beyond
`FLAT` times S in size. The other part is stated: where it is not small, T points along nearly flat
directions, and what the coefficient leaves out is a drift along them.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import eigh_tridiagonal

from engine.analysis.spectrum import dense
from engine.core.arrays import FloatArray
from engine.experiments.network.look import Look, Numbers
from engine.experiments.network.nets.curvature import HessianProduct
from engine.experiments.network.nets.higher import Doubles, Higher
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.problem import Problem
from engine.theory.optimisers.curvature import gradient_decay

FLAT = 1e-3
"""Size of an eigenvalue relative to the largest, below which its direction counts as flat."""
MOST_PRODUCTS = 120
"""Products with the Hessian for Tᵀ H⁺ T."""
DENSE = 120
"""Weights up to which the Hessian is written out instead."""
AGREE = 1e-3
"""Largest relative difference of T from a second difference of gradients."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """The loss along the first eigenvector at one step.

    Attributes
    ----------
    step : int
    sharpness : float
        The curvature along the eigenvector.
    gap : float
        Distance of the second eigenvalue from the first, relative to it; NaN where it is not known.
    third, fourth : float
        ∇³f(v, v, v), of the sign that belongs to that of v, and ∇⁴f(v, v, v, v).
    turn : float
        ‖T‖.
    fall : float
        Tᵀ∇f.
    solved, error : float
        Tᵀ H⁺ T beyond the flat directions, and what its last products with H still changed.
    flat, negative : float
        Shares of ‖T‖² in flat directions and in those of negative curvature.
    slope : float
        ‖∇f‖ times ‖w‖.
    smooth : bool
        Whether T agrees with a difference of gradients, which it does not across a kink.
    seconds : float
        What it cost.
    """

    step: int
    sharpness: float
    gap: float
    third: float
    fourth: float
    turn: float
    fall: float
    solved: float
    error: float
    flat: float
    negative: float
    slope: float
    smooth: bool
    seconds: float

    def line(self, step_size: float) -> float:
        """Return the flip coefficient of the loss on the line along v."""
        return step_size / 6.0 * (3.0 * self.third**2 / self.sharpness - self.fourth)

    def flip(self, step_size: float) -> tuple[float, float]:
        """Return the flip coefficient beyond the flat directions, and its error."""
        value = step_size / 6.0 * (3.0 * self.solved - self.fourth)
        return value, 0.5 * step_size * self.error


def expand(
    problem: Problem, params: NetworkParams, weights: Numbers, look: Look | None, step: int
) -> Expansion | None:
    """Expand the loss along the first eigenvector.

    Parameters
    ----------
    problem, params
    weights : ndarray, shape (n,)
    look : Look or None
        What was found of the Hessian at these weights.
    step : int

    Returns
    -------
    Expansion or None
        None without a look, without a positive curvature, for a preconditioned one, and where a
        number is not finite.
    """
    if look is None or params.described.is_adaptive or not look.eigenvalues[0] > 0.0:
        return None
    began = time.perf_counter()
    x, y = problem.train.first(params.sharpness_samples)
    decay = gradient_decay(params.setting)
    doubles = Doubles(problem.architecture, problem.loss, x, y, decay)
    w = torch.as_tensor(weights.astype(np.float64), device=problem.device)
    v = torch.as_tensor(look.vectors[:, 0].astype(np.float64), device=problem.device)
    v = v / torch.linalg.vector_norm(v)
    higher = Higher(problem.architecture, problem.loss, w, x, y, decay)
    t, fourth = higher.third_and_fourth(v)
    with torch.no_grad():
        slope = doubles.gradient(w)
        again = doubles.third(w, slope, v)
        size = float(torch.linalg.vector_norm(t))
        off = float(torch.linalg.vector_norm(again - t))
        product = doubles.hessian(w)
        try:
            sharpness = float(v.cpu().numpy() @ product(v.cpu().numpy()))
            solved, error, flat, negative = solve(product, t.cpu().numpy(), sharpness)
        except FloatingPointError:
            return None
    top = look.eigenvalues
    gap = float((top[0] - top[1]) / top[0]) if len(top) > 1 else math.nan
    norms = float(torch.linalg.vector_norm(slope) * torch.linalg.vector_norm(w))
    numbers = (float(v @ t), fourth, size, float(t @ slope), solved, error, norms)
    if not (sharpness > 0.0 and all(map(math.isfinite, numbers))):
        return None
    return Expansion(
        step=step,
        sharpness=sharpness,
        gap=gap,
        third=numbers[0],
        fourth=fourth,
        turn=size,
        fall=numbers[3],
        solved=solved,
        error=error,
        flat=flat,
        negative=negative,
        slope=norms,
        smooth=off <= AGREE * size,
        seconds=time.perf_counter() - began,
    )


def solve(
    product: HessianProduct, t: FloatArray, sharpness: float
) -> tuple[float, float, float, float]:
    """Return Tᵀ H⁺ T beyond flat directions with its error, and T's shares there.

    Returns
    -------
    solved, error : float
    flat, negative : float
        Shares of ‖T‖² in flat directions and in directions of negative curvature that are none.
    """
    total = float(t @ t)
    if total == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    if len(t) <= DENSE:
        values, vectors = np.linalg.eigh(dense(product, len(t)))
        parts = (vectors.T @ t) ** 2
        solved = _summed(values, parts, sharpness)
        return (solved, 0.0, *_shares(values, parts / total, sharpness))
    diagonal, beside = _tridiagonal(product, t / math.sqrt(total), min(MOST_PRODUCTS, len(t)))
    sums = []
    for count in (max(3 * len(diagonal) // 4, 1), len(diagonal)):
        values, vectors = eigh_tridiagonal(diagonal[:count], beside[: count - 1])
        parts = total * vectors[0] ** 2
        sums.append(_summed(values, parts, sharpness))
    return (sums[1], abs(sums[1] - sums[0]), *_shares(values, parts / total, sharpness))


def _summed(values: FloatArray, parts: FloatArray, sharpness: float) -> float:
    bent = np.abs(values) > FLAT * sharpness
    return float(np.sum(parts[bent] / values[bent]))


def _shares(values: FloatArray, parts: FloatArray, sharpness: float) -> tuple[float, float]:
    flat = np.abs(values) <= FLAT * sharpness
    return float(parts[flat].sum()), float(parts[~flat & (values < 0.0)].sum())


def _tridiagonal(
    product: HessianProduct, start: FloatArray, count: int
) -> tuple[FloatArray, FloatArray]:
    """Return diagonal and off-diagonal of Lanczos's matrix, with full reorthogonalisation."""
    basis, diagonal, beside = np.zeros((count, len(start))), [], []
    row = start
    for index in range(count):
        basis[index] = row
        image = np.asarray(product(row), np.float64)
        diagonal.append(float(image @ row))
        for _ in range(2):
            image = image - basis[: index + 1].T @ (basis[: index + 1] @ image)
        size = float(np.linalg.norm(image))
        if size <= 1e-12 * max(abs(diagonal[0]), 1e-300):
            break
        beside.append(size)
        row = image / size
    return np.array(diagonal), np.array(beside)
