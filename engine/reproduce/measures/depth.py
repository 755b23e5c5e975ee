"""Measures of products of scalar weights (Section 2 and equations 9a, b)."""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from engine import theory
from engine.experiments.scalar_product import period_doubling

Depth = Annotated[int, Field(ge=2, le=1000)]
Depths = Annotated[list[Annotated[int, Field(ge=1, le=1000)]], Field(min_length=1)]
SPACING = 1e-5
"""Of the differences that check a derivative."""


def period_doublings(
    depth: Depth, target: float, input_power: float = 1.0, count: int = 5
) -> dict[str, float]:
    """Find the step sizes at which the symmetric run doubles its period, and its thresholds.

    Returns
    -------
    dict
        ``delta_c``, ``delta_max``, by the period that begins there ``"4"``, ``"8"`` and so on,
        ``sign``, from where weights can change sign, and under ``over`` the same in units of
        delta_max.
    """
    unit = theory.delta_max(target, depth, input_power)
    found = period_doubling.doublings(depth, count)
    over: dict[str, Any] = {str(2 ** (k + 1)): value for k, value in enumerate(found) if k}
    over["sign"] = period_doubling.crisis(depth)
    made: dict[str, Any] = {name: value * unit for name, value in over.items()}
    made["delta_c"] = theory.delta_c(target, depth, input_power)
    return {**made, "delta_max": unit, "over": over}


def heavy_ball_doubling(depth: Depth, momentum: float, target: float) -> dict[str, float]:
    """Find where heavy-ball momentum turns period 2 into period 4, as a step size."""
    over = period_doubling.heavy_ball_doubling(depth, momentum)
    return {"delta": over * theory.delta_max(target, depth)}


def balanced_flip(depth: Depth, target: float, excess: float) -> dict[str, float]:
    """Compare the 2-cycle just beyond delta_max with the one that the flip coefficient predicts.

    Parameters
    ----------
    depth, target
    excess : float
        How far beyond, as a part of delta_max.

    Returns
    -------
    dict
        ``predicted`` and ``measured`` amplitude in one weight, their ``ratio``, and the
        ``coefficient``.
    """
    size = target ** (1.0 / depth)
    coefficient = 4.0 * (depth - 1) * (5 * depth - 4) / (3.0 * depth * size**2)
    predicted = math.sqrt(2.0 * excess / coefficient / depth)
    near = depth * math.log1p(predicted / size)  # cycles are known by y = L log(w / root)
    cycle = period_doubling.orbit(1.0 + excess, depth, 2, near)
    upper = math.exp(cycle.point / depth)
    lower = period_doubling.step(upper, 1.0 + excess, depth)
    measured = abs(upper - lower) / 2.0 * size
    return {
        "coefficient": coefficient,
        "predicted": predicted,
        "measured": measured,
        "ratio": measured / predicted,
    }


def unbalanced_bounds(depth: Depth, target: float, kappas: list[float]) -> dict[str, float]:
    """Compute bound (1) at minima whose first weights are kappa times the balanced ones.

    Returns
    -------
    dict
        By the number of the kappa from 0.
    """
    root = target ** (1.0 / depth)
    made = {}
    for place, kappa in enumerate(kappas):
        weights = [kappa * root] * (depth - 1) + [kappa ** (1 - depth) * root]
        made[str(place)] = theory.equilibrium_bound(weights)
    return made


def scalar_spectra(depths: Depths, count: int = 20, seed: int = 0) -> dict[str, float]:
    """Compare the derivative of a step at random minima with what the proof of Prop. 1 says.

    The derivative of equation (2) is taken by differences; its eigenvalues should be 1, of
    multiplicity L - 1, and 1 - delta S.

    Returns
    -------
    dict
        ``deviation``, the largest, and ``count``.
    """
    generator = np.random.default_rng(seed)
    worst = 0.0
    for depth in depths:
        for _ in range(count):
            signs = generator.choice([-1.0, 1.0], depth)
            weights = signs * generator.uniform(0.5, 1.5, depth)
            target, step = float(np.prod(weights)), 0.1
            derivative = np.empty((depth, depth))
            for column in range(depth):
                shift = np.zeros(depth)
                shift[column] = SPACING
                ahead = _update(weights + shift, target, step)
                derivative[:, column] = (ahead - _update(weights - shift, target, step)) / (
                    2 * SPACING
                )
            found = np.sort(np.linalg.eigvals(derivative).real)
            wanted = np.ones(depth)
            wanted[0] = 1.0 - step * theory.sharpness(weights)
            worst = max(worst, float(np.max(np.abs(found - np.sort(wanted)))))
    return {"deviation": worst, "count": float(len(depths) * count)}


def _update(weights: Any, target: float, step: float) -> Any:
    """Make the update of equation (2)."""
    return weights - step * (np.prod(weights) - target) * theory.cofactors(weights)


def envelope_grid(
    depths: Depths,
    targets: list[float],
    powers: list[float],
    parts: list[float],
    steps: int = 2000,
) -> dict[str, float]:
    """Follow the symmetric descent over a grid of cases and count where Proposition 2 fails.

    Parameters
    ----------
    depths, targets, powers : list
    parts : list of float
        Step sizes as parts of delta_c.
    steps : int

    Returns
    -------
    dict
        ``cases``, ``violations``, beyond a tolerance of 1e-12 of the larger of 1 and the root, and
        ``worst``, the largest excess over the envelope in units of that.
    """
    grid = list(itertools.product(depths, targets, powers, parts))
    depth, target, power, part = (np.array(column, float) for column in zip(*grid, strict=True))
    critical = [theory.delta_c(t, int(n), p) for n, t, p, _ in grid]
    step = part * np.array(critical)
    rho = np.array(
        [theory.rate(float(s), t, int(n), p) for s, (n, t, p, _) in zip(step, grid, strict=True)]
    )
    distance = np.array([abs(theory.root_minus_one(t, int(n))) for n, t, _, _ in grid])
    root = target ** (1.0 / depth)
    allowed = 1e-12 * np.maximum(1.0, root)
    w, envelope, worst = np.ones(len(grid)), distance.copy(), np.full(len(grid), -np.inf)
    for _ in range(steps):
        lower = w ** (depth - 1)
        w = w - step * power * lower * (lower * w - target)
        envelope = envelope * rho
        worst = np.maximum(worst, np.abs(w - root) - envelope)
    return {
        "cases": float(len(grid)),
        "violations": float(np.count_nonzero(worst > allowed)),
        "worst": float(np.max(worst / allowed)),
    }


def pair_of_products(
    depth: Depth, target: float, starts: float, away: float, step_size: float, steps: int
) -> dict[str, float]:
    """Count the steps after which equations (9a, b) have left a ball around the origin.

    Parameters
    ----------
    depth, target
    starts, away : float
        Both weights at the start, and the radius of the ball.
    step_size : float
    steps : int
        Given up after so many, with the answer -1.
    """
    w = z = starts
    for k in range(1, steps + 1):
        error = w**depth - z**depth - target
        w, z = w - step_size * w ** (depth - 1) * error, z + step_size * z ** (depth - 1) * error
        if max(abs(w), abs(z)) >= away:
            return {"steps": float(k)}
    return {"steps": -1.0}


def symmetric_exponent(
    depth: Depth,
    target: float,
    step_size: float,
    orbits: Annotated[int, Field(ge=2, le=100_000)] = 2000,
    steps: Annotated[int, Field(ge=1, le=100_000)] = 2000,
    seed: int = 0,
) -> dict[str, float]:
    """Average the Lyapunov exponent of equal weights over many orbits of the symmetric map.

    Starts are uniform between half and one and a half times the root; orbits that leave are left
    out, and the first fifth of the steps is not averaged over.

    Returns
    -------
    dict
        ``exponent``, in nats per step, ``error``, its standard error over orbits, and ``kept``, the
        share of orbits that stayed.
    """
    root = target ** (1.0 / depth)
    w = root * np.random.default_rng(seed).uniform(0.5, 1.5, orbits)
    total, transient = np.zeros(orbits), steps // 5
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for k in range(transient + steps):
            lower = w ** (depth - 2) if depth > 2 else np.ones_like(w)
            bend = (2 * depth - 1) * (lower * w) ** 2 - (depth - 1) * lower * target
            if k >= transient:
                total += np.log(np.abs(1.0 - step_size * bend))
            w = w - step_size * lower * w * (lower * w * w - target)
    kept = total[np.isfinite(w) & np.isfinite(total)] / steps
    return {
        "exponent": float(np.mean(kept)),
        "error": float(np.std(kept) / math.sqrt(max(kept.size, 1))),
        "kept": kept.size / orbits,
    }


def flow_sharpness(
    depths: Depths,
    target: Annotated[float, Field(gt=0)],
    starts: Annotated[int, Field(ge=1, le=10_000)],
    steps: Annotated[int, Field(ge=1, le=10**6)],
    seed: int = 0,
) -> dict[str, float]:
    """Follow descents and count the steps at which the gradient flow's solution gets sharper.

    The flow keeps the differences of the squared weights, so that the minimum it would reach from
    a point follows from one number. Starts have positive weights and a step size at which the
    flow's solution is up to 1.5 times too sharp; runs that change a sign or diverge are left out.

    Returns
    -------
    dict
        ``increases``, beyond rounding, and ``runs``, those that were counted.
    """
    generator = np.random.default_rng(seed)
    increases = counted = 0
    for number in range(starts * len(depths)):
        depth = depths[number % len(depths)]
        weights = generator.uniform(0.5, 1.5, depth)
        step = generator.uniform(0.5, 3.0) / _flow_sharpness(weights, target)
        found = [_flow_sharpness(weights, target)]
        for _ in range(steps):
            weights = _update(weights, target, step)
            if not np.all((weights > 0) & (weights < 1e3)):
                break
            found.append(_flow_sharpness(weights, target))
        else:
            counted += 1
            rises = np.diff(found) > 1e-9 * np.array(found[:-1])
            increases += int(np.count_nonzero(rises))
    return {"increases": float(increases), "runs": float(counted)}


def _flow_sharpness(weights: Any, target: float) -> float:
    """Return the sharpness at the minimum that the gradient flow reaches from positive weights."""
    squares = weights * weights
    low, high = -float(np.min(squares)), max(1.0, target ** (2.0 / weights.size))
    for _ in range(200):
        middle = 0.5 * (low + high)
        if np.prod(np.sqrt(squares + middle)) < target:
            low = middle
        else:
            high = middle
    return float(target**2 * np.sum(1.0 / (squares + high)))
