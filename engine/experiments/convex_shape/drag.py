"""What dragging a handle of the convex shapes does to the parameters."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.params import update
from engine.experiments.convex_shape.growth import Ridges, grow, to_network
from engine.experiments.convex_shape.network import ConvexNetwork
from engine.experiments.convex_shape.observe import kinks_of, weights_and_biases
from engine.experiments.convex_shape.params import (
    ShapeParams,
    problem_of,
    tangents_of,
    typed_network,
)
from engine.experiments.convex_shape.plane import arrow_scale, middles_of

LARGEST = 1e3
"""Size of a weight or bias that the parameters allow."""


def drag(params: ShapeParams, handle: str, x: float, y: float) -> ShapeParams:
    """Answer the handles ``kink:i``, ``weight:i``, ``b:k``, ``V:k`` and ``W:k``."""
    name, _, index = handle.partition(":")
    place = int(index)
    if name in ("kink", "weight"):
        return _drag_layer(params, name, place, x, y)
    return _drag_unit(params, name, place, np.array([x, y]))


def _drag_layer(params: ShapeParams, name: str, layer: int, x: float, y: float) -> ShapeParams:
    """Return a layer another bias or weight; a network that grew becomes a typed one."""
    network = whole_network(params)
    w, b = weights_and_biases(network)
    if layer >= w.size:
        return params
    if name == "kink":
        place = min(max(x, 0.0), params.width)
        b[layer] = float(network.first(layer).hidden(np.array([[place]]))[0, 0])
    else:
        places = kinks_of(network)
        w[layer] = _weight_through(network, layer, x, y)
        b = _biases_at(places, w, b, layer)
    return update(params, placement="typed", biases=tuple(b.tolist()), weights=tuple(w.tolist()))


def whole_network(params: ShapeParams) -> ConvexNetwork:
    """Return the network of the build-up with all its layers."""
    if params.placement == "typed":
        return typed_network(params)
    problem = problem_of(params)
    if params.placement == "tangents":
        return tangents_of(params, problem)
    target, slope = problem.targets[0], problem.slopes[0]
    ridges = Ridges.none(1)
    for _ in range(params.depth):
        ridges = grow(ridges, problem.points, target - target[0] - problem.points @ slope)
    return to_network(ridges, float(target[0]), slope)


def _weight_through(network: ConvexNetwork, layer: int, x: float, y: float) -> float:
    """Find the weight of a layer with which the estimate passes through (x, y), from 0 to 1000.

    All kinks stay where they are. Beyond that of the layer the estimate's rise is then in
    proportion to 1 + w, so that the place of a handle, which follows from the kinks, never moves
    while it is dragged.
    """
    w = float(network.layers[layer].W[0, 0])
    kink = float(kinks_of(network)[layer])
    if not x > kink:
        return w
    low, high = network(np.array([[kink], [x]])).tolist()
    if high == low:
        return w
    return float(np.clip((1.0 + w) * (y - low) / (high - low) - 1.0, 0.0, LARGEST))


def _biases_at(places: FloatArray, w: FloatArray, b: FloatArray, changed: int) -> FloatArray:
    """Return the biases with which kinks lie at `places`, shape (L,), after a weight changed."""
    b = b.copy()
    for layer in range(changed + 1, b.size):
        h = float(places[layer])
        for below in range(layer):
            h += w[below] * max(h - b[below], 0.0)
        b[layer] = np.clip(h, -LARGEST, LARGEST)
    return b


def _drag_unit(params: ShapeParams, name: str, unit: int, point: FloatArray) -> ShapeParams:
    """Move a kink line to pass through a point, or turn a column of V or W to it."""
    network = typed_network(params)
    if unit >= len(params.b):
        return params
    if name == "b":
        b = list(params.b)
        b[unit] = float(np.clip(network.layers[0].V[:, unit] @ point, -100.0, 100.0))
        return update(params, b=tuple(b))
    if name == "V":
        column = _normal_to(point, params.b[unit], np.array(params.V)[:, unit], params.upper)
    else:
        column = (point - middles_of(network, params.upper)[unit]) / arrow_scale(params.upper)
    rows = [list(row) for row in getattr(params, name)]
    for axis in range(2):
        rows[axis][unit] = float(np.clip(column[axis], -100.0, 100.0))
    return update(params, **{name: tuple(tuple(row) for row in rows)})


def _normal_to(tip: FloatArray, bias: float, old: FloatArray, upper: FloatArray) -> FloatArray:
    """Find the column of V whose arrow, from the foot of its own kink line, ends at a point.

    Foot and arrow lie along the column: with its length l the tip is b/l + s l from the origin.
    """
    scale, reach = arrow_scale(upper), float(np.linalg.norm(tip))
    if reach == 0.0:
        return old
    root = float(np.sqrt(max(reach * reach - 4.0 * scale * bias, 0.0)))
    lengths = [(reach + root) / (2.0 * scale), (reach - root) / (2.0 * scale)]
    usable = [length for length in lengths if length > 1e-3]
    now = float(np.linalg.norm(old))
    length = min(usable, key=lambda value: abs(value - now), default=now)
    return length / reach * tip
