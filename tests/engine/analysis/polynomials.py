"""Polynomials as tables of coefficients, with derivatives by the rule of the exponent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from itertools import product

import numpy as np

from engine.core.arrays import FloatArray

Terms = Mapping[tuple[int, ...], float]


class Polynomial:
    """A polynomial of n variables: an oracle for theory written against `Derivatives`."""

    def __init__(self, terms: Terms, dimension: int) -> None:
        self.terms, self.dimension = dict(terms), dimension

    def __mul__(self, other: Polynomial) -> Polynomial:
        terms: dict[tuple[int, ...], float] = {}
        for (a, p), (b, q) in product(self.terms.items(), other.terms.items()):
            key = tuple(i + j for i, j in zip(a, b, strict=True))
            terms[key] = terms.get(key, 0.0) + p * q
        return Polynomial(terms, self.dimension)

    def __add__(self, other: Polynomial) -> Polynomial:
        terms = dict(self.terms)
        for key, value in other.terms.items():
            terms[key] = terms.get(key, 0.0) + value
        return Polynomial(terms, self.dimension)

    @cached_property
    def partials(self) -> tuple[Polynomial, ...]:
        """Derivatives by each variable."""
        made = []
        for i in range(self.dimension):
            terms = {
                (*key[:i], key[i] - 1, *key[i + 1 :]): value * key[i]
                for key, value in self.terms.items()
                if key[i]
            }
            made.append(Polynomial(terms, self.dimension))
        return tuple(made)

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray]:
        exponents = np.array(list(self.terms), float).reshape(-1, self.dimension)
        return exponents, np.array(list(self.terms.values()), float)

    def value(self, z: FloatArray) -> float:
        """Return f."""
        exponents, coefficients = self._table
        return float(np.prod(z**exponents, axis=1) @ coefficients)

    def gradient(self, z: FloatArray) -> FloatArray:
        """Return the gradient."""
        return np.array([each.value(z) for each in self.partials])

    def hessian(self, z: FloatArray) -> FloatArray:
        """Return the Hessian."""
        return np.array([each.gradient(z) for each in self.partials])

    def along(self, u: FloatArray) -> Polynomial:
        """Return the derivative along a direction, as a polynomial."""
        made = Polynomial({}, self.dimension)
        for size, each in zip(u, self.partials, strict=True):
            made = made + constant(float(size), self.dimension) * each
        return made

    def third(self, z: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """Return the third derivative along two directions."""
        return self.along(u).along(v).gradient(z)

    def fourth(
        self, z: FloatArray, u: FloatArray, v: FloatArray, w: FloatArray, x: FloatArray
    ) -> float:
        """Return the fourth derivative along four directions."""
        return self.along(u).along(v).along(w).along(x).value(z)

    def kinks(self, z: FloatArray) -> float:
        """Return inf: there are none."""
        return math.inf


def constant(value: float, dimension: int) -> Polynomial:
    """Return a constant."""
    return Polynomial({(0,) * dimension: value}, dimension)


def variable(i: int, dimension: int) -> Polynomial:
    """Return the variable of an index."""
    return Polynomial({tuple(int(i == j) for j in range(dimension)): 1.0}, dimension)


def squares(*residuals: Polynomial, factor: float = 1.0) -> Polynomial:
    """Return the sum of squares of residuals, times a factor."""
    dimension = residuals[0].dimension
    made = constant(0.0, dimension)
    for each in residuals:
        made = made + constant(factor, dimension) * each * each
    return made


def product_loss(depth: int, target: float) -> Polynomial:
    """Return half the squared error of a product of weights."""
    made = constant(1.0, depth)
    for i in range(depth):
        made = made * variable(i, depth)
    return squares(made + constant(-target, depth), factor=0.5)


def himmelblau() -> Polynomial:
    """Return Himmelblau's function: four minima, four saddles, one maximum."""
    x, y = variable(0, 2), variable(1, 2)
    return squares(x * x + y + constant(-11.0, 2), x + y * y + constant(-7.0, 2))
