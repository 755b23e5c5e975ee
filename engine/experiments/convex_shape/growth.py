"""Residual networks (7a)-(7c) that approximate a convex function, built kink by kink.

The network begins as the first-order estimate (6) at the origin, f(0) + grad f(0)'x, which c and d
keep. What is missing is made of ridges a (v'x - b)_+ with a >= 0: greedy growth adds the ridge
that lowers the squared error most, then moves every ridge in turn to its best place and solves
for all amounts (least squares with a >= 0). In one dimension k ridges are a network of k layers
with V = 1; in two dimensions one layer of k units.

Tangent growth, in one dimension, adds the tangents of a convex function from left to right, so
that k layers are the largest of its first k + 1 tangents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.experiments.convex_shape.network import ConvexNetwork, Layer

DIRECTIONS = 13
THRESHOLDS = 16
_REFINEMENTS = 4
_SWEEPS = 4
_WORTHWHILE = 0.99
"""A ridge moves if its new place leaves less than this share of the squared error."""


@dataclass(frozen=True, slots=True)
class Ridges:
    """A sum of a_j (v_j'x - b_j)_+.

    Attributes
    ----------
    directions : ndarray, shape (k, n)
        The v_j, of length one.
    places : ndarray, shape (k,)
        The b_j.
    amounts : ndarray, shape (k,)
        The a_j >= 0.
    """

    directions: FloatArray
    places: FloatArray
    amounts: FloatArray

    @classmethod
    def none(cls, n: int) -> Ridges:
        """Start without a ridge in n dimensions."""
        return cls(np.empty((0, n)), np.empty(0), np.empty(0))

    def each(self, points: FloatArray) -> FloatArray:
        """Evaluate all (v_j'x - b_j)_+ at points (N, n), shape (N, k)."""
        return np.maximum(points @ self.directions.T - self.places, 0.0)


def grow(ridges: Ridges, points: FloatArray, missing: FloatArray, signed: bool = False) -> Ridges:
    """Add a ridge, move each to its best place in turn, and solve for all amounts.

    Parameters
    ----------
    ridges : Ridges
    points : ndarray, shape (N, n)
        n is 1 or 2; in one dimension sorted.
    missing : ndarray, shape (N,)
        What the ridges should sum to.
    signed : bool
        Whether directions may have negative entries (two dimensions).
    """
    search = _Search(points, missing, signed)
    direction, place, _ = search.best(ridges.each(points))
    directions = np.concatenate([ridges.directions, direction[None]])
    grown = _solved(directions, np.append(ridges.places, place), points, missing)
    for _ in range(_SWEEPS):
        moved = False
        for j in range(len(grown.places)):
            columns = grown.each(points)
            others, own = np.delete(columns, j, axis=1), columns[:, j : j + 1]
            direction, place, error = search.best(others)
            if error < _WORTHWHILE * search.error(own, others):
                directions, places = grown.directions.copy(), grown.places.copy()
                directions[j], places[j] = direction, place
                tried = _solved(directions, places, points, missing)
                if _square_error(tried, points, missing) < _square_error(grown, points, missing):
                    grown, moved = tried, True
        if not moved:
            break
    return grown


def _square_error(ridges: Ridges, points: FloatArray, missing: FloatArray) -> float:
    return float(np.square(missing - ridges.each(points) @ ridges.amounts).sum())


def _solved(
    directions: FloatArray, places: FloatArray, points: FloatArray, missing: FloatArray
) -> Ridges:
    """Solve for the amounts >= 0 that leave the least squared error."""
    unsolved = Ridges(directions, places, np.zeros(len(places)))
    columns = unsolved.each(points)
    scale = np.maximum(np.linalg.norm(columns, axis=0), 1e-12)
    columns /= scale
    amounts = nonnegative_solution(columns.T @ columns, columns.T @ missing)
    return Ridges(directions, places, amounts / scale)


def nonnegative_solution(gram: FloatArray, moment: FloatArray) -> FloatArray:
    """Find the x >= 0 that minimises x'Gx/2 - x'm, by Lawson and Hanson's active sets.

    Parameters
    ----------
    gram : ndarray, shape (k, k)
        Positive semidefinite with ones (or zeros) on the diagonal.
    moment : ndarray, shape (k,)
    """
    count = len(moment)
    gram = gram + 1e-13 * np.eye(count)
    x, free = np.zeros(count), np.zeros(count, bool)
    threshold = 1e-12 * float(np.abs(moment).max(initial=0.0))
    for _ in range(3 * count):
        slope = np.where(free, -np.inf, moment - gram @ x)
        if slope.max(initial=-np.inf) <= threshold:
            break
        free[int(slope.argmax())] = True
        while free.any():
            trial = np.zeros(count)
            trial[free] = np.linalg.solve(gram[np.ix_(free, free)], moment[free])
            falling = free & (trial <= 0.0)
            if not falling.any():
                x = trial
                break
            share = (x[falling] / (x[falling] - trial[falling])).min()
            x = x + share * (trial - x)
            free &= x > 1e-15
            x[~free] = 0.0
    return x


class _Search:
    """Looks for the ridge that, with the others refitted, leaves the least squared error."""

    def __init__(self, points: FloatArray, missing: FloatArray, signed: bool) -> None:
        self._points = points
        self._missing = missing
        if points.shape[1] == 1:
            self._columns = np.maximum(points - points[1:-1, 0], 0.0)
            return
        self._range = (-0.5 * np.pi if signed else 0.0, 0.5 * np.pi)
        self._angles = np.linspace(*self._range, DIRECTIONS * (2 if signed else 1))
        self._shares = np.linspace(0.0, 1.0, THRESHOLDS + 2)[1:-1]
        self._columns, self._places = _candidates(points, self._angles, self._shares)

    def best(self, others: FloatArray) -> tuple[FloatArray, float, float]:
        """Find direction and place beside `others` (N, k), and the squared error that is left."""
        basis = np.linalg.qr(others)[0]
        rest = self._missing - basis @ (basis.T @ self._missing)
        gains = _gains(self._columns, rest, basis)
        index = int(np.argmax(gains))
        if self._points.shape[1] == 1:
            place = float(self._points[1 + index, 0])
            return np.ones(1), place, float(rest @ rest - gains[index])
        row, column = divmod(index, len(self._shares))
        found = float(gains[index]), self._angles[row], self._shares[column]
        place = float(self._places[index])
        step, spread = self._angles[1] - self._angles[0], self._shares[1] - self._shares[0]
        for _ in range(_REFINEMENTS):
            around = np.linspace(-0.6, 0.6, 5)
            angles = np.clip(found[1] + step * around, *self._range)
            shares = np.clip(found[2] + spread * around, 0.0, 0.999)
            columns, places = _candidates(self._points, angles, shares)
            gains = _gains(columns, rest, basis)
            index = int(np.argmax(gains))
            if gains[index] > found[0]:
                row, column = divmod(index, 5)
                found = float(gains[index]), angles[row], shares[column]
                place = float(places[index])
            step, spread = 0.5 * step, 0.5 * spread
        direction = np.array([np.cos(found[1]), np.sin(found[1])])
        direction = np.where(np.abs(direction) < 1e-12, 0.0, direction)
        return direction, place, float(rest @ rest) - found[0]

    def error(self, own: FloatArray, others: FloatArray) -> float:
        """Return the squared error that a ridge (N, 1) leaves which is there already."""
        basis = np.linalg.qr(others)[0]
        rest = self._missing - basis @ (basis.T @ self._missing)
        return float(rest @ rest - _gains(own, rest, basis)[0])


def _candidates(
    points: FloatArray, angles: FloatArray, shares: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Evaluate ridges of all angles, at shares of the range of v'x: (N, t), and their places."""
    u = points @ np.stack([np.cos(angles), np.sin(angles)])
    low, high = u.min(axis=0), u.max(axis=0)
    places = np.maximum(low[:, None] + np.outer(high - low, shares), 0.0)
    columns = np.maximum(u[:, :, None] - places, 0.0)
    return columns.reshape(len(points), -1), places.ravel()


def _gains(z: FloatArray, rest: FloatArray, basis: FloatArray) -> FloatArray:
    """Fall of the squared error by each column of `z` (N, t), with those in `basis` refitted."""
    from engine.kernels.greedy_gains import gains  # compiled at first use

    return gains(np.ascontiguousarray(z), rest, np.ascontiguousarray(basis))


def to_network(ridges: Ridges, value: float, gradient: FloatArray) -> ConvexNetwork:
    """Make the network value + gradient . x + ridges; gradient > 0 becomes c, value d.

    In one dimension layer i has the i-th kink from the left: with slopes s_i of the pieces,
    w_i = s_i / s_{i-1} - 1 and b_i is the network's h_{i-1} at the kink. In two dimensions the
    units' increments go along c: W = a c' / ||c||^2.
    """
    network = first_order(value, gradient)
    if len(network.c) > 1:
        if not len(ridges.places):
            return network
        W = np.outer(network.c / (network.c @ network.c), ridges.amounts)
        return network.grown(Layer(W, ridges.directions.T.copy(), ridges.places))
    order = np.argsort(ridges.places, kind="stable")
    slope = float(network.c[0])
    for place, amount in zip(ridges.places[order], ridges.amounts[order], strict=True):
        bias = float(network.hidden(np.array([[place]]))[0, 0])
        network = network.grown(_unit(amount / slope, bias))
        slope += amount
    return network


def first_order(value: float, gradient: FloatArray) -> ConvexNetwork:
    """Make the estimate (6): value + gradient . x, no layer yet."""
    return ConvexNetwork((), np.asarray(gradient, np.float64), float(value))


def tangent_network(
    x: FloatArray, value: FloatArray, slope: FloatArray, bend: FloatArray, depth: int
) -> ConvexNetwork:
    """Build the network whose first k layers are the maximum of k + 1 tangents from the left.

    Tangent points are spread by the square root of the second derivative, which evens out the
    error.

    Parameters
    ----------
    x, value, slope, bend : ndarray, shape (N,)
        Grid from 0 on and a convex function there with its first two derivatives; slope[0] > 0.
    depth : int
    """
    density = np.sqrt(np.maximum(bend, 0.0)) + 1e-9
    mass = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(x))])
    share = 2.0 * np.arange(1, depth + 1) / (2.0 * depth + 1.0)
    touch = np.concatenate([[0.0], np.interp(share * mass[-1], mass, x)])
    at, slopes = np.interp(touch, x, value), np.interp(touch, x, slope)
    network = first_order(at[0], slopes[:1])
    for i in range(1, depth + 1):
        rise = slopes[i] - slopes[i - 1]
        place = touch[i]
        if rise > 1e-12 * abs(slopes[i]):
            offsets = at[i - 1 : i + 1] - slopes[i - 1 : i + 1] * touch[i - 1 : i + 1]
            place = (offsets[0] - offsets[1]) / rise
        weight = max(rise / slopes[i - 1], 0.0)
        bias = float(network.hidden(np.array([[place]]))[0, 0])
        network = network.grown(_unit(weight, max(bias, 0.0)))
    return network


def _unit(weight: float, bias: float) -> Layer:
    return Layer(np.full((1, 1), weight), np.ones((1, 1)), np.full(1, bias))
