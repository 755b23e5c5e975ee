"""Items of a plane, read from an observation; what is missing or does not fit is not drawn."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from engine.core.ensemble import Observation
from engine.core.views import Circle, Curve, Handle, Points
from gui.plots.canvas.layers import CircleLayer, CurveLayer
from gui.plots.canvas.pointer import Grip
from gui.plots.canvas.points import PointsLayer
from gui.plots.panes.pane import Entry, number_at, numbers


def curve_layer(item: Curve, observation: Observation) -> CurveLayer | None:
    """Read a curve; None if a key is missing or shapes do not fit."""
    x, y = numbers(observation, item.x), numbers(observation, item.y)
    if x is None or y is None or x.ndim != 1 or y.ndim not in (1, 2):
        return None
    count = min(len(x), len(y))
    if count == 0:
        return None
    fill = numbers(observation, item.fill_to)
    if fill is not None and (fill.ndim != 1 or len(fill) < count):
        fill = None
    return CurveLayer(
        x[:count],
        y[:count].reshape(count, -1),
        item.color,
        item.dash,
        item.width,
        None if fill is None else fill[:count],
        item.ground,
    )


def points_layer(item: Points, observation: Observation) -> PointsLayer | None:
    """Read points; None if a key is missing."""
    x, y = numbers(observation, item.x), numbers(observation, item.y)
    if x is None or y is None:
        return None
    x, y = np.atleast_1d(x).ravel(), np.atleast_1d(y).ravel()
    count = min(len(x), len(y))
    values = numbers(observation, item.values)
    if values is not None:
        values = np.atleast_1d(values).ravel()
        values = values[:count] if len(values) >= count else None
    return PointsLayer(
        x[:count], y[:count], item.color, item.symbol, item.size, values, item.hollow, item.label
    )


def circle_layer(item: Circle, observation: Observation) -> CircleLayer | None:
    """Read a circle; None if a key is missing or not finite."""
    center, radius = (0.0, 0.0), item.radius
    if item.center_key:
        given = numbers(observation, item.center_key)
        if given is None or given.shape != (2,) or not np.isfinite(given).all():
            return None
        center = (float(given[0]), float(given[1]))
    if item.radius_key:
        known = number_at(observation, item.radius_key)
        if known is None:
            return None
        radius = known
    return CircleLayer(center, abs(radius), item.color, item.dash)


def entry_of(entry_id: str, item: Curve | Points | Circle) -> Entry:
    """Return an item's line in the legend."""
    if isinstance(item, Points):
        kind: Literal["ramp", "point"] = "ramp" if item.values else "point"
        return Entry(entry_id, item.label, item.color, kind, symbol=item.symbol, hollow=item.hollow)
    if isinstance(item, Curve) and item.fill_to:
        return Entry(entry_id, item.label, item.color, "area")
    return Entry(
        entry_id, item.label, item.color, "ramp" if item.color == "ramp" else "line", item.dash
    )


def grips_of(item: Handle, observation: Observation) -> list[Grip]:
    """Read a handle, or one handle for each number of an array."""
    x, y = numbers(observation, item.x), numbers(observation, item.y)
    if x is None or y is None:
        return []
    many = x.ndim > 0 or y.ndim > 0
    xs, ys = np.atleast_1d(x).ravel(), np.atleast_1d(y).ravel()
    if len(xs) != len(ys):
        if 1 not in (len(xs), len(ys)):
            return []
        xs, ys = np.broadcast_arrays(xs, ys)
    return [
        Grip(f"{item.id}:{index}" if many else item.id, px, py, item.axis, item.color, item.label)
        for index, (px, py) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True))
        if math.isfinite(px) and math.isfinite(py)
    ]
