"""Arrays for the pictures of the scalar product network."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.experiment import Recent
from engine.experiments.scalar_product.basins import basins
from engine.experiments.scalar_product.orbit_diagram import orbit_diagram
from engine.experiments.scalar_product.params import ScalarParams, ScalarState, law_of

CURVE = 401
"""Points of a drawn curve."""
CORE = 4.0
"""Reach of the finely drawn part of the cobweb's map, in units of root, start or 1."""
PATH = 60
"""Steps of the cobweb and of the trajectory's end that are drawn."""
LEAST_EXPONENT = -4.0
"""Lyapunov exponents are drawn down to this: where a cycle holds the map's peak it is minus ∞."""
FAR = 1e9
"""Drawn values stay within this, so that a diverging run does not break an axis."""


def step_size_at(state: ScalarState) -> float:
    """Return the step size that leads on from a state (from its weights, if it depends on them)."""
    params = state.params
    if params.step_rule == "fixed":
        return params.step_size
    if params.step_rule == "sharpness":
        curvature = theory.sharpness(state.weights, params.power)
    else:
        from engine.kernels.scalar.descent import hessian_extremes

        curvature = max(map(abs, hessian_extremes(state.weights, params.target, params.power)))
    within = params.alpha < params.step_cap * curvature
    return params.alpha / curvature if within else params.step_cap


def observe(state: ScalarState, recent: Recent) -> dict[str, Any]:
    """Compute everything that the planes of this experiment draw."""
    params = state.params
    step = float(recent["step_size"][-1])
    made: dict[str, Any] = {
        "root": params.root,
        "minus_root": -params.root,
        "stability": float(recent["stability"][-1]),
        **_spectrum(state, step),
        **_cobweb(state, recent, step),
    }
    if params.depth == 2:
        made |= _plane(state, recent, step)
        if params.step_rule == "fixed":
            made |= _basins(state, made)
    if params.step_rule == "fixed":
        made |= _orbits(state, recent)
    return made


def jacobian_eigenvalues(eigenvalues: FloatArray, step: float, params: ScalarParams) -> Any:
    """Return the eigenvalues of the iteration's Jacobian, complex, from those of the Hessian.

    One per Hessian eigenvalue for gradient descent, with momentum two.
    """
    return theory.iteration_eigenvalues(step * eigenvalues, params.optimiser, params.momentum)


def _spectrum(state: ScalarState, step: float) -> dict[str, Any]:
    from engine.kernels.scalar.descent import hessian_eigenvalues

    params = state.params
    eigenvalues = hessian_eigenvalues(state.weights, params.target, params.power)
    jacobian = np.clip(jacobian_eigenvalues(eigenvalues, step, params).view(np.float64), -FAR, FAR)
    return {
        "hessian_eigenvalues": eigenvalues,
        "jacobian_real": jacobian[0::2],
        "jacobian_imag": jacobian[1::2],
    }


def cobweb_orbit(state: ScalarState, recent: Recent) -> tuple[FloatArray, float]:
    """Return the recent equal weight and the target of its map.

    Where the weights differ in magnitude it is the signed geometric mean. Weights of opposite sign
    count as equal with a target of the sign that makes them so.
    """
    params = state.params
    product, depth = recent["product"], params.depth
    signs = float(np.prod(state.sign[:depth])) * math.copysign(1.0, state.start[0]) ** depth
    if state.is_symmetric:
        rows = recent["weights"]
        if rows.shape[1] == depth:
            return rows[:, 0] * np.sign(state.start[0]), float(params.target * signs)
        return rows[:, -1], float(params.target * signs)
    return np.sign(product) * np.abs(product) ** (1.0 / depth), params.target


def _cobweb(state: ScalarState, recent: Recent, step: float) -> dict[str, Any]:
    params = state.params
    orbit, target = cobweb_orbit(state, recent)
    path = np.clip(orbit[-PATH:], -FAR, FAR)
    root = math.copysign(params.root, target) if target > 0 or params.depth % 2 else params.root
    marks = np.array([0.0, 1.25 * root, 1.0, 1.25 * float(path.min()), 1.25 * float(path.max())])
    low, high = _rounded(float(marks.min()), -1), _rounded(float(marks.max()), 1)
    x = _curve_points(low, high, CORE * max(params.root, 1.0, float(np.abs(state.start).max())))
    y = np.clip(theory.symmetric_map(x, step, target, params.depth, params.power), -FAR, FAR)
    span = high - low
    y = np.where((y < low - span) | (y > high + span), np.nan, y)
    stairs_x, stairs_y = np.repeat(path, 2)[:-1], np.repeat(path, 2)[1:]
    made: dict[str, Any] = {
        "map_x": x,
        "map_y": y,
        "diagonal": np.array([low, high]),
        "stairs_x": stairs_x,
        "stairs_y": stairs_y,
        "here_x": path[-1:],
        "here_y": path[-1:],
    }
    if target > 0 or params.depth % 2:
        made["fixed_x"] = made["fixed_y"] = np.array([root])
    return made


def _orbits(state: ScalarState, recent: Recent) -> dict[str, Any]:
    """Put the run's last weights on the orbit diagram of its map of equal weights."""
    params = state.params
    orbit, target = cobweb_orbit(state, recent)
    start, target = map_of_orbits(state, target)
    diagram = orbit_diagram(replace(law_of(params), target=target), start)
    if diagram is None:
        return {}
    step, last = params.step_size, orbit[-PATH:]
    here = (last >= diagram.low) & (last <= diagram.high) & (step <= diagram.end)
    return {
        "orbit_density": diagram.density,
        "orbit_count": diagram.counts,
        "orbit_extent": diagram.extent,
        "orbit_steps": diagram.steps,
        "orbit_exponent": np.maximum(diagram.exponents, LEAST_EXPONENT),
        "orbit_x": np.full(int(here.sum()), step),
        "orbit_y": last[here],
        "orbit_step": min(step, diagram.end),
        "orbit_foot": diagram.low,
    }


def _basins(state: ScalarState, plane: dict[str, Any]) -> dict[str, Any]:
    """Compute the basins in a square that the run does not move, and what of the plane is in it.

    It holds the start, and where the target leaves it room what stays bounded: on the axes of the
    plane about |w| <= 2 / sqrt(step size times input power).
    """
    params = state.params
    bounded = 2.0 / math.sqrt(params.step_size * params.power)
    start = float(np.max(np.abs(state.start)))
    reach = max(1.25 * start, 1.6 * params.root, min(1.25 * bounded, 4.0 * params.root))
    reach = _rounded(min(reach, FAR), 1)
    made: dict[str, Any] = {
        "basins": basins(law_of(params), reach),
        "basins_extent": np.array([-reach, reach, -reach, reach]),
    }
    gain = params.step_size * params.power * abs(params.target)
    if params.optimiser == "gradient-descent" and 0.0 < gain < 2.0:
        border = theory.bounded_ellipse(params.step_size, params.target, params.power)
        border = np.where(np.abs(border).max(axis=1, keepdims=True) <= reach, border, np.nan)
        made |= {"ellipse_x": border[:, 0], "ellipse_y": border[:, 1]}
    for name in ("minima", "path", "now"):
        x, y = plane[f"{name}_x"], plane[f"{name}_y"]
        inside = np.maximum(np.abs(x), np.abs(y)) <= reach
        made[f"basins_{name}_x"] = np.where(inside, x, np.nan)
        made[f"basins_{name}_y"] = np.where(inside, y, np.nan)
    return made


def map_of_orbits(state: ScalarState, target: float) -> tuple[float, float]:
    """Return start and target of the map of equal weights that a run is seen on.

    Of equal weights it is their own, whose target is given (`cobweb_orbit`). Others reach minima,
    whose product has the target's sign whatever that of the start: from its size so does the map.
    Of an even number of weights, which are never equal there, it is the mirror image of the one
    with a positive target.
    """
    params, start = state.params, state.start
    if state.is_symmetric:
        return float(abs(start[0])), target
    with np.errstate(divide="ignore"):
        size = math.exp(float(np.log(np.abs(start)).mean()))
    mirrored = abs(params.target) if params.depth % 2 == 0 else params.target
    return math.copysign(size, params.target), mirrored


def _curve_points(low: float, high: float, core: float) -> FloatArray:
    """Place points between two ends, and as many where the map bends if that is a small part.

    A run that diverges takes the ends far away, while the plot goes on to show what it showed.
    """
    x = np.linspace(low, high, CURVE)
    inner = max(low, -core), min(high, core)
    if not 0.0 < inner[1] - inner[0] < 0.5 * (high - low):
        return x
    return np.union1d(x, np.linspace(*inner, CURVE))


def _rounded(value: float, direction: int) -> float:
    """Move a number outwards to a multiple of a quarter of its decade, so that ranges are calm."""
    if value == 0.0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(abs(value))) / 4.0
    rounding = math.ceil if direction > 0 else math.floor
    return rounding(value / unit) * unit


def _plane(state: ScalarState, recent: Recent, step: float) -> dict[str, Any]:
    """Draw the minima of L = 2, w1 w2 = target, each with its own bound (1) on the step size."""
    params = state.params
    power, target = params.power, params.target
    path = np.clip(recent["weights"], -FAR, FAR)
    reach = 1.6 * max(params.root, float(np.max(np.abs(state.start))), 1.0)
    reach = _rounded(max(reach, 1.1 * float(np.max(np.abs(path[-PATH:])))), 1)
    first = np.geomspace(abs(target) / reach, reach, CURVE)
    if abs(target) >= reach * reach:
        first = np.array([params.root])
    gap = np.array([np.nan])
    w1 = np.concatenate([first, gap, -first])
    w2 = target / w1
    limit = params.curvature_limit / (power * (w1 * w1 + w2 * w2))
    stable = limit >= step
    return {
        "minima_x": w1,
        "minima_y": w2,
        "minima_limit": np.where(np.isnan(limit), 0.0, limit),
        "stable_x": np.where(stable, w1, np.nan),
        "stable_y": np.where(stable, w2, np.nan),
        "unstable_x": np.where(stable, np.nan, w1),
        "unstable_y": np.where(stable, np.nan, w2),
        "path_x": path[:, 0],
        "path_y": path[:, 1],
        "now_x": path[-1:, 0],
        "now_y": path[-1:, 1],
        "start_x": float(np.clip(state.start[0], -FAR, FAR)),
        "start_y": float(np.clip(state.start[1], -FAR, FAR)),
        "reach_x": np.array([-reach, reach]),
        "reach_y": np.array([-reach, reach]),
    }
