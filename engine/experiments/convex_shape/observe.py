"""What the plots of the convex shapes show: functions of one input."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.experiments.convex_shape.network import ConvexNetwork
from engine.experiments.convex_shape.params import ShapeState
from engine.families import piecewise
from engine.families.piecewise import Pieces

MOST_STAGES = 9
"""Networks of fewer layers that are drawn beside the whole."""


def weights_and_biases(network: ConvexNetwork) -> tuple[FloatArray, FloatArray]:
    """Return w and b, shape (L,), of a network of one input with V = 1."""
    w = np.array([float(layer.W[0, 0]) for layer in network.layers])
    b = np.array([float(layer.b[0]) for layer in network.layers])
    return w, b


def pieces_of(network: ConvexNetwork, upper: float) -> Pieces:
    """Cut a network of one input into its affine pieces."""
    w, b = weights_and_biases(network)
    own = piecewise.network_pieces(w, b, 0.0, upper)
    c = float(network.c[0])
    return Pieces(own.edges, c * own.values + network.d, c * own.slopes)


def kinks_of(network: ConvexNetwork) -> FloatArray:
    """Find where each layer of a network with w > -1 switches, shape (L,)."""
    w, b = weights_and_biases(network)
    places = np.empty(w.size)
    for layer in range(w.size):
        h = float(b[layer])
        for below in range(layer - 1, -1, -1):
            if h > b[below]:
                h = (h + float(w[below] * b[below])) / (1.0 + float(w[below]))
        places[layer] = h
    return places


def weight_points(network: ConvexNetwork, upper: float) -> FloatArray:
    """Choose, for each layer, a place beyond its kink at which its weight can be dragged, (L,)."""
    kinks = kinks_of(network)
    edges = np.append(np.sort(kinks[kinks < upper]), upper)
    beyond = np.searchsorted(edges, kinks, side="right")
    following = edges[np.minimum(beyond, edges.size - 1)]
    return np.where(kinks < upper, 0.5 * (kinks + following), np.nan)


def observe_build_up(state: ShapeState) -> dict[str, Any]:
    """Compute the arrays of the one-dimensional build-up."""
    params, network = state.params, state.networks[0]
    x, f = state.problem.points[:, 0], state.problem.targets[0]
    pieces = pieces_of(network, params.width)
    count = len(network.layers)
    shown = np.unique(np.linspace(0, count, min(count + 1, MOST_STAGES)).round().astype(int))
    stages = np.array([network.first(int(depth))(x[:, None]) for depth in shown]).T
    kinks = kinks_of(network)
    inside = np.where((kinks >= 0) & (kinks <= params.width), kinks, np.nan)
    levers = weight_points(network, params.width)
    seen = {
        "x": x,
        "f": f,
        "stages": stages,
        "estimate_x": pieces.edges,
        "estimate_y": pieces.values,
        "kink_x": inside,
        "kink_y": _at(network, inside),
        "lever_x": levers,
        "lever_y": _at(network, levers),
        "error": network(x[:, None]) - f,
        "layer": [str(layer + 1) for layer in range(count)],
        "layer_weight": weights_and_biases(network)[0],
    }
    seen["slope_x"], seen["slope_y"] = staircase(pieces)
    seen["f_slope"] = _bounded(params.expression.jet(x).gradient[0])
    return {**seen, **chord_of(state, 0, network)}


def observe_parts(state: ShapeState) -> dict[str, Any]:
    """Compute the arrays of a decomposition of a function of x."""
    params, problem = state.params, state.problem
    x = problem.points[:, 0]
    assert problem.parts is not None
    seen: dict[str, Any] = {"x": x, "f": problem.parts.f(problem.points)}
    jet = params.expression.jet(x)
    seen["f_bend"] = _bounded(jet.hessian[0, 0])
    seen["r_bend"] = _bounded(jet.hessian[0, 0] + problem.parts.alpha)
    seen["minus_alpha"] = -problem.parts.alpha
    if problem.curvature is not None and np.isfinite(problem.curvature.value):
        seen["least_x"] = problem.curvature.point
        seen["least_y"] = np.array([problem.curvature.value])
    for name, network, target in zip("rs", state.networks, problem.targets, strict=True):
        pieces = pieces_of(network, params.width)
        seen[name] = target
        seen[f"{name}_estimate_x"], seen[f"{name}_estimate_y"] = pieces.edges, pieces.values
        seen[f"{name}_slope_x"], seen[f"{name}_slope_y"] = staircase(pieces)
        seen[f"{name}_corner_x"] = pieces.edges[1:-1]
        seen[f"{name}_corner_y"] = pieces.values[1:-1]
    first, second = (network(x[:, None]) for network in state.networks)
    seen["f_estimate"] = first - second
    seen["error"] = first - second - seen["f"]
    return {**seen, **chord_of(state, 0, state.networks[0])}


def chord_of(state: ShapeState, index: int, network: ConvexNetwork) -> dict[str, Any]:
    """Draw the worst chord of a network of one input, if any rises above the function."""
    if state.violation[index] == 0:
        return {}
    ends, middle = state.chord[index, :2, 0], state.chord[index, 2:, 0]
    return {
        "chord_x": ends,
        "chord_y": _at(network, ends),
        "chord_middle_x": middle,
        "chord_middle_y": _at(network, middle),
    }


def staircase(pieces: Pieces) -> tuple[FloatArray, FloatArray]:
    """Draw the slopes of the pieces as a staircase."""
    return np.repeat(pieces.edges, 2)[1:-1], np.repeat(pieces.slopes, 2)


def _at(network: ConvexNetwork, x: FloatArray) -> FloatArray:
    known = np.where(np.isnan(x), 0.0, x)
    return np.where(np.isnan(x), np.nan, network(known[:, None]))


def _bounded(values: FloatArray) -> FloatArray:
    """Leave out what cannot be drawn."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < 1e9, values, np.nan)
