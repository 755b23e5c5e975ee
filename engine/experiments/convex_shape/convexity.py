"""Convexity of functions: r - s decomposition of Section 3.1, and violations along chords.

f = r - s with r(x) = alpha/2 x'x + beta'x + f(x) and s(x) = alpha/2 x'x + beta'x. The smallest
alpha that makes r convex is minus the smallest eigenvalue of the Hessian of f over the domain;
beta must exceed minus the gradient of f at the origin.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.families.functions.expression import Expression

Function = Callable[[FloatArray], FloatArray]
"""Maps points of shape (..., n) to values of shape (...)."""

LARGEST_VALUE = 1e6
LARGEST_CURVATURE = 1e9
"""Beyond this the second derivative counts as infinite, as that of a square root at 0."""
_GRID = {1: 4001, 2: 121}
_ZOOMS = 12
_BISECTIONS = 24
_LEAST_FALL = 1e-4
"""Fall of the slope over a segment of 1e-9 that counts as a kink."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """The least curvature of a function over its domain.

    Attributes
    ----------
    value : float
        Smallest eigenvalue of the Hessian; minus infinity at a kink that bends down.
    point : ndarray, shape (n,)
        Where it is taken.
    mixed : float
        Smallest mixed second derivative (0 in one dimension).
    gradient : ndarray, shape (n,)
        Gradient at the origin.
    """

    value: float
    point: FloatArray
    mixed: float
    gradient: FloatArray


@dataclass(frozen=True, slots=True)
class Decomposition:
    """f = r - s with given alpha and beta."""

    function: Expression
    alpha: float
    beta: FloatArray

    def s(self, points: FloatArray) -> FloatArray:
        """Evaluate alpha/2 x'x + beta'x at points (..., n)."""
        value: FloatArray = 0.5 * self.alpha * (points * points).sum(axis=-1) + points @ self.beta
        return value

    def f(self, points: FloatArray) -> FloatArray:
        """Evaluate the function itself at points (..., n)."""
        return self.function(*np.moveaxis(points, -1, 0))

    def r(self, points: FloatArray) -> FloatArray:
        """Evaluate f + s."""
        return self.f(points) + self.s(points)


def grid(upper: FloatArray, count: int) -> FloatArray:
    """Make a regular grid over [0, upper_1] x ..., shape (count^n, n), first axis fastest."""
    axes = [np.linspace(0.0, bound, count) for bound in upper]
    mesh = np.meshgrid(*axes, indexing="xy")
    return np.stack([part.ravel() for part in mesh], axis=-1)


def check_function(function: Expression, upper: FloatArray, field: str = "function") -> None:
    """Refuse a function that is not finite and of moderate size on its domain.

    Raises
    ------
    InputError
        Naming a point where it is not.
    """
    points = grid(upper, _GRID[len(upper)])
    values = function(*points.T)
    bad = ~(np.abs(values) <= LARGEST_VALUE)
    if bad.any():
        place = ", ".join(f"{number:.4g}" for number in points[bad][0])
        rule = f"give a function between -1e6 and 1e6 on its domain, unlike at ({place})"
        raise InputError(field, function.text, rule)


def least_curvature(function: Expression, upper: FloatArray) -> Curvature:
    """Find the least eigenvalue of the Hessian of f over [0, upper_1] x ... .

    A grid of exact second derivatives, then repeated zooms around the smallest: right to rounding
    for functions whose curvature does not oscillate faster than the grid. Where derivatives do
    not exist (a square root at 0) points are left out, unless f bends down there without bound.
    """
    n = len(upper)
    low, high = np.zeros(n), np.asarray(upper, np.float64)
    best, where, mixed = math.inf, low, math.inf
    count = _GRID[n]
    for _ in range(_ZOOMS):
        axes = [np.linspace(a, b, count) for a, b in zip(low, high, strict=True)]
        points = np.stack([part.ravel() for part in np.meshgrid(*axes)], axis=-1)
        values, crossed = _curvatures(function, points)
        mixed = min(mixed, crossed)
        place = int(np.argmin(values))
        if values[place] < best:
            best, where = float(values[place]), points[place]
        reach = 2.0 * (high - low) / (count - 1)
        low = np.maximum(where - reach, 0.0)
        high = np.minimum(where + reach, upper)
        count = 21
    if not function.smooth:
        kink = _downward_kink(function, np.asarray(upper, np.float64))
        if kink is not None:
            best, where = -math.inf, kink
    gradient = function.jet(*np.zeros(n)).gradient
    return Curvature(best, where, mixed if n == 2 else 0.0, gradient)


def _curvatures(function: Expression, points: FloatArray) -> tuple[FloatArray, float]:
    """Smallest eigenvalue of the Hessian at points (inf where undefined); smallest mixed entry."""
    hessian = function.jet(*points.T).hessian
    if len(hessian) == 1:
        values = hessian[0, 0]
        return np.where(np.isnan(values), np.inf, values), math.inf
    a, b, c = hessian[0, 0], hessian[0, 1], hessian[1, 1]
    with np.errstate(all="ignore"):
        values = 0.5 * (a + c) - np.hypot(0.5 * (a - c), b)
    known = b[np.isfinite(b)]
    mixed = float(known.min()) if known.size else math.inf
    return np.where(np.isnan(values), np.inf, values), mixed


def _downward_kink(function: Expression, upper: FloatArray) -> FloatArray | None:
    """Find a point at which the slope along some direction falls at once, if there is one.

    Every short segment of a grid is bisected, each time keeping the half on which the slope falls
    more: a fall that does not shrink with the segment is a kink.
    """
    n = len(upper)
    count = {1: 2003, 2: 62}[n]
    points = grid(upper, count)
    spacing = upper / (count - 1)
    directions = np.array([[1.0]] if n == 1 else [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
    worst, place = -_LEAST_FALL, None
    for direction in directions:
        a = points
        b = np.clip(a + direction * spacing, 0.0, upper)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (a + b)
            left = (_fall(function, a, middle, direction) < _fall(function, middle, b, direction))[
                :, None
            ]
            a, b = np.where(left, a, middle), np.where(left, middle, b)
        falls = _fall(function, a, b, direction)
        if falls.min() < worst:
            worst, place = float(falls.min()), a[int(falls.argmin())]
    return place


def _fall(function: Expression, a: FloatArray, b: FloatArray, direction: FloatArray) -> FloatArray:
    """Change of the slope along a direction from a to b; 0 where it is unknown."""
    change = direction @ (function.jet(*b.T).gradient - function.jet(*a.T).gradient)
    return np.where(np.isfinite(change), change, 0.0)


def smallest_alpha(curvature: Curvature) -> float:
    """Smallest alpha >= 0 for which r is convex; infinite where f bends down without bound."""
    return max(0.0, -curvature.value) if curvature.value > -LARGEST_CURVATURE else math.inf


def smallest_beta(curvature: Curvature) -> FloatArray:
    """Smallest beta >= 0 for which the gradient of r at the origin is not negative."""
    return np.maximum(-curvature.gradient, 0.0) + 0.0  # no negative zero


@dataclass(frozen=True, slots=True)
class Violation:
    """The worst chord found: how far f rises above it, relative and absolute.

    Attributes
    ----------
    amount : float
        Largest f(t a + (1 - t) b) - t f(a) - (1 - t) f(b), at least 0.
    ends : ndarray, shape (2, n)
        The chord's ends.
    middle : ndarray, shape (n,)
        The point above it.
    """

    amount: float
    ends: FloatArray
    middle: FloatArray


def worst_chord(
    function: Function, upper: FloatArray, generator: np.random.Generator, count: int
) -> Violation:
    """Try `count` random chords of the domain and keep the worst (rounding counts as none)."""
    n = len(upper)
    ends = generator.uniform(0.0, 1.0, (2, count, n)) * upper
    share = generator.uniform(0.0, 1.0, (count, 1))
    middle = share * ends[0] + (1 - share) * ends[1]
    left, right, between = function(ends[0]), function(ends[1]), function(middle)
    chord = share[:, 0] * left + (1 - share[:, 0]) * right
    rounding = 1e-13 * (np.abs(left) + np.abs(right) + np.abs(between))
    excess = np.where(between - chord > rounding, between - chord, 0.0)
    place = int(np.argmax(excess))
    return Violation(float(excess[place]), ends[:, place], middle[place])
