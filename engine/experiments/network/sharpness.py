"""The sharpness of a network: eigenvalues of the Hessian, and of what counts for the optimiser."""

from __future__ import annotations

import time

import numpy as np

from engine.analysis.spectrum import extremes
from engine.experiments.network.look import Look, Numbers
from engine.experiments.network.nets.curvature import HessianProduct
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.problem import Problem
from engine.theory.optimisers import describe, preconditioner
from engine.theory.optimisers.curvature import gradient_decay

TOLERANCE = {"float32": 1e-3, "float64": 1e-5}
"""Residual of the eigenvectors, relative to the largest eigenvalue; that is off by its square."""
MOST_PRODUCTS = 400
VECTOR_MEMORY = 512 * 2**20
"""Bytes of vectors that one look may keep."""


def look(
    problem: Problem,
    params: NetworkParams,
    weights: Numbers,
    moments: Numbers,
    step: int,
    before: Look | None,
    gradient_norm: float,
) -> Look | None:
    """Find the largest eigenvalues of the curvature.

    Parameters
    ----------
    problem, params
    weights : ndarray, shape (n,)
    moments : ndarray, shape (m, n)
    step : int
        Steps made, the first from moments of 0.
    before : Look or None
        An earlier look, with whose eigenvectors to begin.
    gradient_norm : float
        For the limits of optimisers that depend on it.

    Returns
    -------
    Look or None
        None for an adaptive optimiser before its first step, which divides by nothing yet, and
        where the Hessian is not finite.
    """
    setting = params.setting
    described = describe(setting.optimiser)
    if described.is_adaptive and step == 0:
        return None
    began = time.perf_counter()
    x, y = problem.train.first(params.sharpness_samples)
    scales = None
    if described.is_adaptive:
        squares = moments[-1].astype(np.float64)
        diagonal = preconditioner(setting, len(weights), squares, step)
        scales = problem.tensor(diagonal**-0.5)
    product = HessianProduct(
        problem.architecture,
        problem.loss,
        problem.tensor(weights),
        x,
        y,
        scales=scales,
        decay=gradient_decay(setting),
    )
    n, count = len(weights), min(params.eigenvalues, len(weights))
    most = max(min(MOST_PRODUCTS, VECTOR_MEMORY // (weights.itemsize * n)), 4 * count)
    try:
        found = extremes(
            product,
            n,
            count,
            tolerance=TOLERANCE[params.precision],
            max_products=most,
            start=None if before is None else before.vectors.astype(np.float64),
            dtype=problem.numbers,
        )
    except FloatingPointError:
        return None
    limit = described.sharpness_limit(setting, gradient_norm=gradient_norm)
    values = np.full(params.eigenvalues, np.nan)
    values[: len(found.top)] = found.top
    return Look(
        step=step,
        eigenvalues=values,
        limit=limit,
        vectors=found.vectors.astype(problem.numbers),
        products=found.products,
        seconds=time.perf_counter() - began,
        converged=found.converged,
    )
