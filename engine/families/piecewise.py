"""What the scalar residual pair of Section 4 is between its kinks: pieces, slopes, curvature.

Parameters of a pair are a row of 4L + 3 numbers, as in `engine.kernels.residual.descent`.
Everything here holds for weights of any sign; nothing is sampled.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Pieces:
    """A continuous piecewise affine function on an interval.

    Attributes
    ----------
    edges : ndarray, shape (m + 1,)
        Ends of the pieces, from the lower to the upper end of the interval.
    values : ndarray, shape (m + 1,)
        The function there.
    slopes : ndarray, shape (m,)
    """

    edges: FloatArray
    values: FloatArray
    slopes: FloatArray

    @property
    def lipschitz(self) -> float:
        """Lipschitz constant: the largest absolute slope."""
        return float(np.abs(self.slopes).max())

    def slope_at(self, x: FloatArray) -> FloatArray:
        """Slope of the piece that holds each point (the right one at an edge)."""
        place = np.searchsorted(self.edges, x, side="right") - 1
        return self.slopes[np.clip(place, 0, len(self.slopes) - 1)]


def interpolant(x: FloatArray, y: FloatArray) -> Pieces:
    """Join points by lines; x must increase strictly."""
    return Pieces(x, y, np.diff(y) / np.diff(x))


def network_pieces(w: FloatArray, b: FloatArray, low: float, high: float) -> Pieces:
    """Cut [low, high] at all kinks of h_L (eqs. 10a, b), exactly.

    A layer whose input crosses its bias within a piece cuts that piece in two; with a weight
    below -1 it may do so in several pieces, so there can be more than L + 1.
    """
    edges = np.array([low, high])
    values = edges.copy()
    slopes = np.ones(1)
    for weight, bias in zip(w, b, strict=True):
        gap = values - bias
        cut = np.flatnonzero(gap[:-1] * gap[1:] < 0)
        share = gap[cut] / (gap[cut] - gap[cut + 1])
        place = edges[cut] + share * (edges[cut + 1] - edges[cut])
        edges = np.insert(edges, cut + 1, place)
        values = np.insert(values, cut + 1, bias)
        slopes = np.insert(slopes, cut + 1, slopes[cut])
        active = values[:-1] + values[1:] > 2 * bias
        slopes = np.where(active, (1 + weight) * slopes, slopes)
        values = values + weight * np.maximum(values - bias, 0.0)
    return Pieces(edges, values, slopes)


def pair_pieces(theta: FloatArray, low: float, high: float) -> tuple[Pieces, Pieces, Pieces]:
    """Cut the pair's estimate, its convex part c_1 h_L and its concave part -c_2 h_L into pieces.

    The estimate's edges are those of both parts together.
    """
    depth = (theta.size - 3) // 4
    parts = []
    for net, sign in enumerate((1.0, -1.0)):
        own = network_pieces(
            theta[net * depth : (net + 1) * depth],
            theta[(2 + net) * depth : (3 + net) * depth],
            low,
            high,
        )
        scale = sign * theta[4 * depth + net]
        parts.append(Pieces(own.edges, scale * own.values, scale * own.slopes))
    edges = np.unique(np.concatenate([part.edges for part in parts]))
    middle = 0.5 * (edges[:-1] + edges[1:])
    values = theta[-1] + sum(np.interp(edges, part.edges, part.values) for part in parts)
    slopes = parts[0].slope_at(middle) + parts[1].slope_at(middle)
    return Pieces(edges, values, slopes), parts[0], parts[1]


def evaluate(theta: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Evaluate the estimate, c_1 h_L of the convex and c_2 h_L of the concave part, shape (N,)."""
    depth = (theta.size - 3) // 4
    parts = []
    for net in range(2):
        h = x
        for layer in range(depth):
            unit = np.maximum(h - theta[(2 + net) * depth + layer], 0.0)
            h = h + theta[net * depth + layer] * unit
        parts.append(theta[4 * depth + net] * h)
    return parts[0] - parts[1] + theta[-1], parts[0], parts[1]


@dataclass(frozen=True, slots=True)
class LineFits:
    """Least-squares lines through the data of every piece with at least three points.

    Attributes
    ----------
    left, right : ndarray, shape (m,)
        Ends of the pieces.
    slope, offset : ndarray, shape (m,)
        The line y = slope x + offset.
    count : int array, shape (m,)
        Points of the piece.
    distance : ndarray, shape (m,)
        Root mean square over those points of estimate minus line.
    misfit : ndarray, shape (m,)
        Root mean square of data minus line: what no line can do better.
    """

    left: FloatArray
    right: FloatArray
    slope: FloatArray
    offset: FloatArray
    count: NDArray[np.int64]
    distance: FloatArray
    misfit: FloatArray

    def overall_distance(self) -> float | None:
        """Root mean square of estimate minus line over all points that have a line."""
        total = self.count.sum()
        if total == 0:
            return None
        return float(np.sqrt((self.count * self.distance**2).sum() / total))


def fit_lines(pieces: Pieces, x: FloatArray, y: FloatArray) -> LineFits:
    """Fit a line to the data of each affine piece (x sorted) and compare the estimate with it."""
    split = np.searchsorted(x, pieces.edges[1:-1], side="right")
    ends = np.concatenate([[0], split, [x.size]])
    rows = []
    for piece, (first, last) in enumerate(itertools.pairwise(ends)):
        if last - first < 3:
            continue
        xs, ys = x[first:last], y[first:last]
        mean_x, mean_y = xs.mean(), ys.mean()
        spread = ((xs - mean_x) ** 2).sum()
        if spread == 0:
            continue
        slope = ((xs - mean_x) * (ys - mean_y)).sum() / spread
        offset = mean_y - slope * mean_x
        line = slope * xs + offset
        start, level = pieces.edges[piece], pieces.values[piece]
        estimate = level + pieces.slopes[piece] * (xs - start)
        distance = np.sqrt(np.mean((estimate - line) ** 2))
        misfit = np.sqrt(np.mean((ys - line) ** 2))
        left, right = pieces.edges[piece : piece + 2]
        rows.append((left, right, slope, offset, last - first, distance, misfit))
    columns = np.array(rows, float).reshape(-1, 7).T
    left, right, slope, offset, count, distance, misfit = columns
    return LineFits(left, right, slope, offset, count.astype(np.int64), distance, misfit)


def hessian(theta: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Hessian of 1/(2N) sum e^2 at a pair, shape (4L + 3, 4L + 3).

    On a kink's crossing of a data point the loss has no second derivative; elsewhere the active
    units are fixed and the pair is a polynomial in its parameters, differentiated here along all
    coordinate directions at once.
    """
    size = theta.size
    depth = (size - 3) // 4
    directions = np.eye(size)
    estimate, _, _ = evaluate(theta, x)
    error = (estimate - y) / x.size
    error_dot = np.tile(directions[:, -1:], (1, x.size))
    forward = []
    for net, sign in enumerate((1.0, -1.0)):
        forward.append(_forward(theta, directions, net, x))
        _, _, _, h, h_dot = forward[-1]
        scale = 4 * depth + net
        error_dot += sign * (directions[:, scale, None] * h + theta[scale] * h_dot)
    error_dot /= x.size
    rows = np.empty((size, size))
    rows[:, -1] = error_dot.sum(axis=1)
    for net, sign in enumerate((1.0, -1.0)):
        _backward(theta, directions, net, sign, forward[net], (error, error_dot), rows)
    return 0.5 * (rows + rows.T)


_Layers = tuple[list[FloatArray], list[FloatArray], list[FloatArray], FloatArray, FloatArray]


def _forward(theta: FloatArray, directions: FloatArray, net: int, x: FloatArray) -> _Layers:
    """Units, active masks and units' derivatives of every layer; h_L and its derivatives."""
    depth = (theta.size - 3) // 4
    h, h_dot = x, np.zeros((theta.size, x.size))
    units, masks, units_dot = [], [], []
    for layer in range(depth):
        w, b = net * depth + layer, (2 + net) * depth + layer
        mask = (h > theta[b]).astype(float)
        unit, unit_dot = mask * (h - theta[b]), mask * (h_dot - directions[:, b, None])
        h = h + theta[w] * unit
        h_dot = h_dot + directions[:, w, None] * unit + theta[w] * unit_dot
        units.append(unit)
        masks.append(mask)
        units_dot.append(unit_dot)
    return units, masks, units_dot, h, h_dot


def _backward(
    theta: FloatArray,
    directions: FloatArray,
    net: int,
    sign: float,
    layers: _Layers,
    errors: tuple[FloatArray, FloatArray],
    rows: FloatArray,
) -> None:
    """Fill the Hessian's columns of one network from the derivative of its gradient."""
    units, masks, units_dot, h, h_dot = layers
    error, error_dot = errors
    depth = len(units)
    scale = 4 * depth + net
    rows[:, scale] = sign * (error_dot @ h + h_dot @ error)
    gain = sign * theta[scale] * error
    gain_dot = sign * (directions[:, scale, None] * error + theta[scale] * error_dot)
    for layer in range(depth - 1, -1, -1):
        w, b = net * depth + layer, (2 + net) * depth + layer
        mask, weight, weight_dot = masks[layer], theta[w], directions[:, w, None]
        rows[:, w] = gain_dot @ units[layer] + units_dot[layer] @ gain
        rows[:, b] = -weight * (gain_dot @ mask) - weight_dot[:, 0] * (gain @ mask)
        gain_dot = gain_dot * (1 + weight * mask) + weight_dot * (gain * mask)
        gain = gain * (1 + weight * mask)


def top_eigenvalues(theta: FloatArray, x: FloatArray, y: FloatArray, count: int) -> FloatArray:
    """Find the `count` largest eigenvalues of the Hessian, in descending order.

    NaN where the Hessian leaves the range of floating-point numbers.
    """
    with np.errstate(all="ignore"):
        matrix = hessian(theta, x, y)
    if not np.isfinite(matrix).all():
        return np.full(count, np.nan)
    eigenvalues = np.linalg.eigvalsh(matrix)
    return np.array(eigenvalues[::-1][:count], float)
