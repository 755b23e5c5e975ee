"""Measures of linear networks, of convex losses and of optimisers."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from engine.core.errors import InputError
from engine.theory.optimisers import OptimiserId, Setting, describe

Width = Annotated[int, Field(ge=1, le=12)]
Depth = Annotated[int, Field(ge=2, le=12)]


def norm_bound(
    widths: Annotated[list[Width], Field(min_length=1)],
    depths: Annotated[list[Depth], Field(min_length=1)],
    count: Annotated[int, Field(ge=1, le=10_000)],
    seed: int = 0,
) -> dict[str, float]:
    r"""Compare the sharpness of random minima of linear networks with its least possible value.

    A minimum of loss 0 is drawn by factors with normal entries; the largest eigenvalue of its
    Hessian is at least :math:`L\|R\|_2^{2(L-1)/L}`, R being their product.

    Returns
    -------
    dict
        ``least``, of the ratios, ``balanced``, the largest deviation of the ratio from 1 at
        balanced factors, and ``count``.
    """
    generator = np.random.default_rng(seed)
    least, deviation = np.inf, 0.0
    for number in range(count):
        width = widths[number % len(widths)]
        depth = depths[number // len(widths) % len(depths)]
        factors = generator.standard_normal((depth, width, width)) / np.sqrt(width)
        least = min(least, _ratio(factors))
        left, values, right = np.linalg.svd(_product(factors))
        root = np.diag(values ** (1.0 / depth))
        balanced = [root] * depth
        balanced[0], balanced[-1] = balanced[0] @ right, left @ balanced[-1]
        deviation = max(deviation, abs(_ratio(np.array(balanced)) - 1.0))
    return {"least": float(least), "balanced": float(deviation), "count": float(count)}


def _product(factors: Any) -> Any:
    """Multiply factors, the first one on the right."""
    whole = np.eye(factors.shape[1])
    for factor in factors:
        whole = factor @ whole
    return whole


def _ratio(factors: Any) -> float:
    r"""Return the sharpness at a minimum of loss 0 over :math:`L\|R\|_2^{2(L-1)/L}`."""
    depth = len(factors)
    blocks = []
    for place in range(depth):
        above, below = _product(factors[place + 1 :]), _product(factors[:place])
        blocks.append(np.kron(below.T, above))
    top = np.linalg.norm(np.hstack(blocks), 2) ** 2
    norm = np.linalg.norm(_product(factors), 2)
    return float(top / (depth * norm ** (2.0 * (depth - 1) / depth)))


def descent_on_huber(
    smoothness: Annotated[float, Field(gt=0)],
    step_size: Annotated[float, Field(gt=0)],
    steps: Annotated[int, Field(ge=1, le=10**6)],
) -> dict[str, float]:
    """Run descent from distance 1 on the two functions that are worst for convex L-smooth ones.

    Returns
    -------
    dict
        ``quadratic`` and ``huber``, the loss after the steps on a parabola and on a Huber function
        whose line begins where the run ends, and ``worst``, the larger of the two.
    """
    contraction = 1.0 - smoothness * step_size
    quadratic = smoothness / 2.0 * contraction ** (2 * steps)
    slope = smoothness / (2.0 * steps * smoothness * step_size + 1.0)
    width = slope / smoothness
    x = 1.0
    for _ in range(steps):
        x -= step_size * (slope if x > width else smoothness * x)
    huber = slope * x - slope * width / 2.0 if x > width else smoothness * x * x / 2.0
    return {"quadratic": quadratic, "huber": huber, "worst": max(quadratic, huber)}


def optimiser_threshold(
    optimiser: OptimiserId,
    step_size: Annotated[float, Field(gt=0)],
    momentum: float = 0.9,
) -> dict[str, float]:
    """Return the largest curvature at which a minimum is stable with an optimiser.

    Returns
    -------
    dict
        ``sharpness``, of the Hessian or, for adaptive optimisers, of the preconditioned one, and
        ``product``, that times the step size.

    Raises
    ------
    InputError
        If it has no threshold.
    """
    setting = Setting(optimiser=optimiser, step_size=step_size, momentum=momentum)
    limit = describe(optimiser).sharpness_limit(setting)
    if limit is None:
        raise InputError("optimiser", optimiser, "give one that has a threshold")
    return {"sharpness": limit, "product": limit * step_size}
