"""The residual network of (7a)-(7c): values, exact cells and level curves, nonnegativity.

h_0 = x, h_i = h_{i-1} + W_i (V_i' h_{i-1} - b_i)_+, f = c' h_L + d. With W, V, b >= 0 and c > 0
it is convex. In one and two dimensions the network is cut into the cells on which it is affine,
exactly, whatever the signs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of (7b): ``W`` and ``V`` of shape (n, m), ``b`` of shape (m,)."""

    W: FloatArray
    V: FloatArray
    b: FloatArray


@dataclass(frozen=True, slots=True)
class ConvexNetwork:
    """The network (7a)-(7c) on R^n; nothing forces its parameters to be nonnegative."""

    layers: tuple[Layer, ...]
    c: FloatArray
    d: float = 0.0

    def hidden(self, points: FloatArray) -> FloatArray:
        """Evaluate h_L at points of shape (..., n)."""
        h = np.asarray(points, np.float64)
        for layer in self.layers:
            h = h + np.maximum(h @ layer.V - layer.b, 0.0) @ layer.W.T
        return h

    def __call__(self, points: FloatArray) -> FloatArray:
        """Evaluate the network at points of shape (..., n)."""
        value: FloatArray = self.hidden(points) @ self.c + self.d
        return value

    def first(self, count: int) -> ConvexNetwork:
        """Keep the first layers only."""
        return ConvexNetwork(self.layers[:count], self.c, self.d)

    def grown(self, layer: Layer) -> ConvexNetwork:
        """Add a layer at the end."""
        return ConvexNetwork((*self.layers, layer), self.c, self.d)

    def smallest(self) -> dict[str, float]:
        """Smallest entry of W, V, b and c: what the nonnegativity lamps show."""
        found = {
            name: min((float(getattr(layer, name).min()) for layer in self.layers), default=0.0)
            for name in ("W", "V", "b")
        }
        return {**found, "c": float(self.c.min())}

    def distance_from_identity(self) -> float:
        """Largest Lipschitz seminorm of h_i - h_{i-1} as a function of h_{i-1}, over all layers.

        For one unit it is exactly ||W_i|| ||V_i||; for more, the spectral norm of W_i V_i' bounds
        it from below and equals it where all units are active.
        """
        norms = (float(np.linalg.norm(layer.W @ layer.V.T, 2)) for layer in self.layers)
        return max(norms, default=0.0)


def scalar_network(w: FloatArray, b: FloatArray, c: float, d: float) -> ConvexNetwork:
    """Make the one-dimensional network of Section 3.1 with V = 1."""
    one = np.ones((1, 1))
    layers = (
        Layer(np.full((1, 1), weight), one, np.full(1, bias))
        for weight, bias in zip(w, b, strict=True)
    )
    return ConvexNetwork(tuple(layers), np.array([c]), d)


@dataclass(frozen=True, slots=True)
class Cell:
    """A convex polygon on which the network is affine: value gradient . x + offset.

    Attributes
    ----------
    corners : ndarray, shape (k, 2)
        In order around the polygon.
    gradient : ndarray, shape (2,)
    offset : float
    """

    corners: FloatArray
    gradient: FloatArray
    offset: float


@dataclass(frozen=True, slots=True)
class Kink:
    """A piece of the line on which a unit switches, within one cell."""

    layer: int
    unit: int
    ends: FloatArray


@dataclass(frozen=True, slots=True)
class _Region:
    """A polygon with the affine map x -> matrix x + shift that h_i is there."""

    corners: FloatArray
    matrix: FloatArray
    shift: FloatArray


def cells(
    network: ConvexNetwork, upper: FloatArray, most: int = 4000
) -> tuple[list[Cell], list[Kink]]:
    """Cut [0, upper_1] x [0, upper_2] into the cells of a two-dimensional network.

    Layers are added while there are no more than `most` cells.
    """
    right, top = (float(bound) for bound in upper)
    corners = np.array([[0.0, 0.0], [right, 0.0], [right, top], [0.0, top]])
    regions = [_Region(corners, np.eye(2), np.zeros(2))]
    kinks: list[Kink] = []
    for index, layer in enumerate(network.layers):
        if len(regions) > most:
            break
        regions = [
            part for region in regions for part in _through_layer(region, index, layer, kinks)
        ]
    c, d = network.c, network.d
    found = [Cell(r.corners, c @ r.matrix, float(c @ r.shift) + d) for r in regions]
    return found, kinks


def _through_layer(region: _Region, index: int, layer: Layer, kinks: list[Kink]) -> list[_Region]:
    """Split a region by the units of a layer and carry h through it."""
    parts: list[tuple[FloatArray, list[int]]] = [(region.corners, [])]
    for unit in range(len(layer.b)):
        normal = layer.V[:, unit] @ region.matrix
        level = layer.b[unit] - layer.V[:, unit] @ region.shift
        split: list[tuple[FloatArray, list[int]]] = []
        for corners, active in parts:
            below, above, ends = split_polygon(corners, corners @ normal - level)
            if ends is not None:
                kinks.append(Kink(index, unit, ends))
            if below is not None:
                split.append((below, active))
            if above is not None:
                split.append((above, [*active, unit]))
        parts = split
    regions = []
    for corners, active in parts:
        step = layer.W[:, active] @ layer.V[:, active].T
        matrix = region.matrix + step @ region.matrix
        shift = region.shift + step @ region.shift - layer.W[:, active] @ layer.b[active]
        regions.append(_Region(corners, matrix, shift))
    return regions


def split_polygon(
    corners: FloatArray, heights: FloatArray
) -> tuple[FloatArray | None, FloatArray | None, FloatArray | None]:
    """Split a convex polygon where an affine function, known at its corners, is zero.

    Returns the part where it is negative, the part where it is positive, and the two ends of the
    cut; None for what does not exist.
    """
    if (heights <= 0).all():
        return corners, None, None
    if (heights >= 0).all():
        return None, corners, None
    below, above, ends = [], [], []
    count = len(corners)
    for i in range(count):
        j = (i + 1) % count
        if heights[i] <= 0:
            below.append(corners[i])
        if heights[i] >= 0:
            above.append(corners[i])
        if heights[i] == 0:
            ends.append(corners[i])
        elif heights[i] * heights[j] < 0:
            share = heights[i] / (heights[i] - heights[j])
            place = corners[i] + share * (corners[j] - corners[i])
            below.append(place)
            above.append(place)
            ends.append(place)
    return np.array(below), np.array(above), np.array(ends[:2])


def level_curves(found: list[Cell], levels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Draw exact level curves, one segment per cell and level.

    Returns
    -------
    x : ndarray, shape (m,)
    y : ndarray, shape (m, levels)
        NaN breaks the line, and where a segment belongs to another level.
    """
    columns: list[list[FloatArray]] = [[] for _ in levels]
    for cell in found:
        heights = cell.corners @ cell.gradient + cell.offset
        low, high = heights.min(), heights.max()
        for index in np.flatnonzero((levels > low) & (levels < high)).tolist():
            _, _, ends = split_polygon(cell.corners, heights - levels[index])
            if ends is not None and len(ends) == 2:
                columns[index].append(ends)
    x: list[float] = []
    y: list[FloatArray] = []
    blank = np.full(len(levels), np.nan)
    for index, segments in enumerate(columns):
        for segment in segments:
            for place in segment:
                row = blank.copy()
                row[index] = place[1]
                x.append(place[0])
                y.append(row)
            x.append(np.nan)
            y.append(blank)
    return np.array(x), np.array(y).reshape(len(x), len(levels))


def kink_lines(kinks: list[Kink]) -> tuple[FloatArray, FloatArray]:
    """Join the pieces of all kink lines into one NaN-broken polyline (x, y)."""
    gap = np.full((1, 2), np.nan)
    rows = list(itertools.chain.from_iterable((kink.ends, gap) for kink in kinks))
    table = np.concatenate(rows) if rows else np.empty((0, 2))
    return table[:, 0], table[:, 1]


@dataclass(frozen=True, slots=True)
class Normal:
    """A unit's kink line near the origin of its layer: where its normal is drawn.

    ``foot`` is the point of the line nearest to the origin, ``direction`` the unit normal (the
    column of V, divided by its length) and ``distance`` b / ||v||.
    """

    foot: FloatArray
    direction: FloatArray
    distance: float


def normals(layer: Layer) -> list[Normal | None]:
    """Find the normals of the kink lines of a first layer; None for a column of zeros."""
    found: list[Normal | None] = []
    for unit in range(len(layer.b)):
        length = float(np.linalg.norm(layer.V[:, unit]))
        if length == 0:
            found.append(None)
            continue
        direction = layer.V[:, unit] / length
        distance = float(layer.b[unit]) / length
        found.append(Normal(distance * direction, direction, distance))
    return found
