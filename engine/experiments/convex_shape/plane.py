"""What the plots of the convex shapes show: functions of two inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.experiments.convex_shape import convexity
from engine.experiments.convex_shape.network import (
    ConvexNetwork,
    cells,
    kink_lines,
    level_curves,
    normals,
)
from engine.experiments.convex_shape.params import ShapeState
from engine.experiments.convex_shape.surface import picture
from engine.families import contours

FINE = 61
"""Points per axis of images and of contours of smooth functions."""
ARROW = 0.2
"""Length of an arrow of length one, relative to the domain."""

Function = Callable[[FloatArray], FloatArray]


def observe_levels(state: ShapeState) -> dict[str, Any]:
    """Compute the arrays of Figure 2."""
    params, network = state.params, state.networks[0]
    found, kinks = cells(network, params.upper)
    values = np.concatenate([cell.corners @ cell.gradient + cell.offset for cell in found])
    levels = _inner_levels(values, params.levels)
    seen: dict[str, Any] = {"extent": _extent(params.upper)}
    seen["level_x"], seen["level_y"] = level_curves(found, levels)
    seen["kink_x"], seen["kink_y"] = kink_lines(kinks)
    seen["heat"] = _image(network, params.upper)
    seen.update(_arrows(state, network))
    middle = np.array([cell.corners.mean(axis=0) for cell in found])
    gradients = np.array([cell.gradient for cell in found])
    seen["cells"] = _cell_rows(middle, gradients)
    seen["gradient_x"], seen["gradient_y"] = _segments(middle, gradients, params.upper)
    seen.update(_surface(state, network, np.stack([seen["kink_x"], seen["kink_y"]], axis=1)))
    return {**seen, **_chord(state, 0)}


def arrow_scale(upper: FloatArray) -> float:
    """Length at which an arrow of length one is drawn."""
    return ARROW * float(np.max(upper))


def feet_of(network: ConvexNetwork) -> FloatArray:
    """Return the points of the first layer's kink lines nearest to the origin, (m, 2), or NaN."""
    found = normals(network.layers[0])
    return np.array([[np.nan, np.nan] if one is None else one.foot for one in found])


def middles_of(network: ConvexNetwork, upper: FloatArray) -> FloatArray:
    """Return the middle of each kink line of the first layer within the domain, (m, 2).

    A line outside is taken at the point of the domain that is nearest to its foot.
    """
    _, kinks = cells(network.first(1), upper)
    points = np.clip(np.nan_to_num(feet_of(network)), 0.0, upper)
    for unit in range(len(points)):
        ends = [end for kink in kinks if kink.unit == unit for end in kink.ends]
        if ends:
            along = np.array([-network.layers[0].V[1, unit], network.layers[0].V[0, unit]])
            order = np.argsort(np.array(ends) @ along)
            points[unit] = 0.5 * (ends[order[0]] + ends[order[-1]])
    return points


def _arrows(state: ShapeState, network: ConvexNetwork) -> dict[str, Any]:
    """Draw normals V at the feet of the kink lines and increments W in their middles."""
    layer, upper = network.layers[0], state.params.upper
    feet, middles = np.nan_to_num(feet_of(network)), middles_of(network, upper)
    scale = arrow_scale(upper)
    seen = {"line_x": middles[:, 0], "line_y": middles[:, 1]}
    for name, columns, start in (("V", layer.V, feet), ("W", layer.W, middles)):
        tips = start + scale * columns.T
        seen[f"{name}_tip_x"], seen[f"{name}_tip_y"] = tips[:, 0], tips[:, 1]
        gap = np.full(len(tips), np.nan)
        for axis, key in enumerate("xy"):
            seen[f"{name}_{key}"] = np.stack([start[:, axis], tips[:, axis], gap], axis=1).ravel()
    return seen


def _cell_rows(middle: FloatArray, gradients: FloatArray) -> list[list[Any]]:
    order = np.lexsort((middle[:, 0], middle[:, 1]))
    return [
        [*(f"{value:.3g}" for value in middle[index]), *(f"{g:.4g}" for g in gradients[index])]
        for index in order[:50]
    ]


def _segments(
    middle: FloatArray, gradients: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Draw the gradients as lines of a common scale."""
    longest = float(np.linalg.norm(gradients, axis=1).max()) or 1.0
    tips = middle + 0.7 * arrow_scale(upper) / longest * gradients
    gap = np.full(len(middle), np.nan)
    x, y = (np.stack([middle[:, i], tips[:, i], gap], axis=1).ravel() for i in range(2))
    return x, y


def observe_parts(state: ShapeState) -> dict[str, Any]:
    """Compute the arrays of a decomposition of a function of x and y."""
    params, problem = state.params, state.problem
    upper = params.upper
    parts = problem.parts
    assert parts is not None
    first, second = state.networks
    seen: dict[str, Any] = {"extent": _extent(upper)}
    for name, exact, network in (("r", parts.r, first), ("s", parts.s, second)):
        image = _image(exact, upper)
        levels = _inner_levels(image, params.levels)
        seen[f"{name}_heat"] = image
        seen[f"{name}_x"], seen[f"{name}_y"] = _contours(image, upper, levels)
        found, kinks = cells(network, upper)
        seen[f"{name}_level_x"], seen[f"{name}_level_y"] = level_curves(found, levels)
        seen[f"{name}_kink_x"], seen[f"{name}_kink_y"] = kink_lines(kinks)
    exact_f, estimate = _image(parts.f, upper), _image(first, upper) - _image(second, upper)
    levels = _inner_levels(exact_f, params.levels)
    seen["f_heat"], seen["error_heat"] = exact_f, estimate - exact_f
    seen["f_x"], seen["f_y"] = _contours(exact_f, upper, levels)
    seen["f_level_x"], seen["f_level_y"] = _contours(estimate, upper, levels)
    if problem.curvature is not None and np.isfinite(problem.curvature.value):
        seen["least_x"], seen["least_y"] = problem.curvature.point[:, None]
    shown: dict[str, Function] = {
        "estimate": lambda p: first(p) - second(p),
        "f": parts.f,
        "r": first,
        "s": second,
    }
    marks = np.empty((0, 2))
    if params.surface in ("r", "s"):
        keys = (f"{params.surface}_kink_x", f"{params.surface}_kink_y")
        marks = np.stack([seen[key] for key in keys], axis=1)
    seen.update(_surface(state, shown[params.surface], marks))
    return {**seen, **_chord(state, 0)}


def _surface(state: ShapeState, function: Function, marks: FloatArray) -> dict[str, Any]:
    params = state.params
    drawn = picture(function, params.upper, params.azimuth, params.elevation, marks)
    return {
        "surface": drawn.image,
        "surface_extent": drawn.extent,
        "wire_x": drawn.lines_x,
        "wire_y": drawn.lines_y,
        "floor_x": drawn.floor_x,
        "floor_y": drawn.floor_y,
        "mark_x": drawn.marks_x,
        "mark_y": drawn.marks_y,
    }


def _extent(upper: FloatArray) -> FloatArray:
    return np.array([0.0, upper[0], 0.0, upper[1]])


def _image(function: Function, upper: FloatArray) -> FloatArray:
    """Evaluate on a grid, shape (FINE, FINE), row 0 at y = 0."""
    return function(convexity.grid(upper, FINE)).reshape(FINE, FINE)


def _inner_levels(values: FloatArray, count: int) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    return np.linspace(low, high, count + 2)[1:-1]


def _contours(
    image: FloatArray, upper: FloatArray, levels: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find level curves of values on the grid of a plane."""
    x, y = (np.linspace(0.0, bound, FINE) for bound in upper)
    return contours.level_curves(x, y, image, levels)


def _chord(state: ShapeState, index: int) -> dict[str, Any]:
    """Draw the worst chord, if any rises above the function."""
    if state.violation[index] == 0:
        return {}
    ends, middle = state.chord[index, :2], state.chord[index, 2]
    return {
        "chord_x": ends[:, 0],
        "chord_y": ends[:, 1],
        "chord_middle_x": middle[:1],
        "chord_middle_y": middle[1:],
    }
