"""Pictures of least squares: the phase portrait of Figure 1 and the eigenvalue plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.ensemble import Observation
from engine.core.experiment import Recent
from engine.core.views import (
    CIRCLE_X,
    CIRCLE_Y,
    Circle,
    Curve,
    Handle,
    Item,
    PlaneView,
    Points,
    Rule,
    Series,
    TimeView,
    View,
)
from engine.experiments.least_squares.problem import (
    LeastSquaresParams,
    LeastSquaresState,
    Quadratic,
    factors,
)
from engine.experiments.least_squares.theory import ball

COMPONENTS = 20
"""Eigenvectors whose components are recorded."""
LEVELS, APART = 24, 6.0
"""Level curves, and how many of them cut the radius of the picture."""
BEYOND = 4.0
"""Radii beyond which they are cut, outside the picture in a plot of any shape."""
SIDES = 120
"""Points of a level curve."""
TAIL = 400
"""Steps of the path that are drawn."""


def shown_components(size: int) -> NDArray[np.intp]:
    """Choose the eigenvectors whose components are recorded, the ends of the spectrum included."""
    return np.unique(np.linspace(0, size - 1, min(size, COMPONENTS)).round().astype(np.intp))


def observation(state: LeastSquaresState, recent: Recent) -> Observation:
    """Compute what the pictures need at a state."""
    params, problem = state.params, state.problem
    found = factors(params, problem)
    radius = ball(params, problem)
    arrays: dict[str, Any] = {
        "factor_re": found.real,
        "factor_im": found.imag,
        "spectrum_index": np.arange(1.0, problem.size + 1.0),
        "spectrum": problem.eigenvalues,
        "critical": params.curvature_limit / params.step_size,
        "epsilon": params.epsilon,
    }
    if radius is not None:
        arrays["ball"] = radius
    if problem.size == 2:
        arrays |= _portrait(state, recent)
    return arrays


def _portrait(state: LeastSquaresState, recent: Recent) -> dict[str, Any]:
    """Compute the plane around the minimum: level curves, paths, starts, points and handles."""
    gaps = state.points - state.minima
    begin = state.start - state.minima
    path = recent["path"][-TAIL:]
    path = path[np.isfinite(path).all(axis=1)].reshape(-1, len(gaps), 2)
    broken = np.concatenate([path, np.full((1, *path.shape[1:]), np.nan)]).transpose(1, 0, 2)
    size = max(float(np.linalg.norm(begin[0])), state.params.epsilon)
    levels = _level_curves(state.problem, size)
    return {
        "level_x": levels[:, 0],
        "level_y": levels[:, 1],
        "path_x": broken[..., 0].ravel(),
        "path_y": broken[..., 1].ravel(),
        "first_x": path[:, 0, 0],
        "first_y": path[:, 0, 1],
        "start_x": begin[:, 0],
        "start_y": begin[:, 1],
        "now_x": np.clip(gaps[:, 0], -1e3 * size, 1e3 * size),
        "now_y": np.clip(gaps[:, 1], -1e3 * size, 1e3 * size),
        "handle_x": float(begin[0, 0]),
        "handle_y": float(begin[0, 1]),
        "epsilon_x": state.params.epsilon,
        "epsilon_y": 0.0,
    }


def _level_curves(problem: Quadratic, size: float) -> FloatArray:
    """Ellipses of equal loss around the minimum, parted by NaN, shape (points, 2)."""
    angles = np.linspace(0.0, 2.0 * np.pi, SIDES + 1)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    top = float(problem.eigenvalues[-1])
    # A flat direction has no ellipse: cut far outside the picture.
    axes = np.minimum(1.0 / np.sqrt(np.maximum(problem.eigenvalues / top, 1e-300)), 1e3)
    rings = []
    for fraction in np.arange(1, LEVELS + 1) / APART:
        ring = (circle * axes * size * fraction) @ problem.eigenvectors.T
        ring[np.abs(ring).max(axis=1) > BEYOND * size] = np.nan
        rings += [ring, np.full((1, 2), np.nan)]
    return np.concatenate(rings)


def views(params: LeastSquaresParams) -> tuple[View, ...]:
    """Describe the plots; the phase portrait only in two dimensions."""
    plane = params.data != "file" and params.width == 2
    return (*((_portrait_view(),) if plane else ()), *_others(params))


def _portrait_view() -> PlaneView:
    items: tuple[Item, ...] = (
        Curve(x="level_x", y="level_y", color="muted", width=0.8, label="equal loss", ground=True),
        # The inner first and dotted: where both are one, both are seen.
        Circle(radius_key="ball", label=r"ball that stays in it", color="good", dash="dot"),
        Circle(radius_key="epsilon", label=r"$\epsilon$ ball", color="bad"),
        Curve(x="path_x", y="path_y", color="3", width=1.0, label="runs"),
        Curve(x="first_x", y="first_y", color="1", width=2.0, label="first run"),
        Points(x="start_x", y="start_y", color="3", size=5.0, hollow=True),
        Points(x="now_x", y="now_y", color="1", size=6.0),
        Handle(id="start", x="handle_x", y="handle_y", label="start"),
        Handle(id="epsilon", x="epsilon_x", y="epsilon_y", label=r"$\epsilon$", axis="x"),
    )
    return PlaneView(
        id="portrait",
        title="Phase portrait (Figure 1)",
        help="Runs around the minimum at the origin, on curves of equal loss. A minimum is stable "
        "if for every ball of radius ε there is a smaller one (green) from which no run leaves it. "
        "Drag ε and the start.",
        x_label=r"$w_1 - w_1^*$",
        y_label=r"$w_2 - w_2^*$",
        items=items,
        equal=True,
    )


def _others(params: LeastSquaresParams) -> tuple[View, ...]:
    return (
        PlaneView(
            id="factors",
            title="Eigenvalues of the iteration",
            help="Each is the factor by which the error along one eigenvector is multiplied a "
            "step. All must lie inside the unit circle.",
            x_label="real part",
            y_label="imaginary part",
            items=(
                Circle(label="unit circle"),
                Points(
                    x="factor_re",
                    y="factor_im",
                    color="1",
                    label=r"$1 - \delta\lambda_i$"
                    if params.optimiser == "gradient-descent"
                    else "factors",
                ),
            ),
            equal=True,
            x_extent=CIRCLE_X,
            y_extent=CIRCLE_Y,
        ),
        TimeView(
            id="error",
            title="Distance to the minimum",
            help="Of every start; the first is drawn on top.",
            y_label=r"$\|w - w^*\|$",
            series=(
                Series(key="distances", label="all starts", color="muted"),
                Series(key="error", label="first start", color="1"),
            ),
            log_y=True,
        ),
        TimeView(
            id="components",
            title="Components by eigenvector",
            help="Magnitude of the first run's error along eigenvectors of X Xᵀ, from the least "
            "eigenvalue to the largest: each decays by its own factor.",
            y_label=r"$|v_i^\top (w - w^*)|$",
            series=(
                Series(
                    key="components", label="flattest to steepest", color="ramp", magnitude=True
                ),
            ),
            log_y=True,
        ),
        TimeView(
            id="loss",
            title="Loss above its least",
            help="Half the squared residual minus what no weights can avoid.",
            y_label="excess loss",
            series=(Series(key="excess", label="", color="1"),),
            log_y=True,
            shown=False,
        ),
        PlaneView(
            id="spectrum",
            title="Spectrum against the step",
            help="Eigenvalues of X Xᵀ in order; those above the line make the run diverge.",
            x_label="index",
            y_label=r"$\lambda_i$",
            items=(
                Points(x="spectrum_index", y="spectrum", color="1"),
                Rule(label=rf"${params.described.sharpness_formula}$", key="critical", color="bad"),
            ),
            shown=False,
        ),
    )
