"""Values with first and second derivatives, carried forward through arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray

Function = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Jet:
    """A function of n variables at many points, to second order.

    Attributes
    ----------
    value : ndarray, shape (...)
    gradient : ndarray, shape (n, ...)
    hessian : ndarray, shape (n, n, ...)
    """

    value: FloatArray
    gradient: FloatArray
    hessian: FloatArray

    @staticmethod
    def variables(*coordinates: FloatArray) -> tuple[Jet, ...]:
        """Make the jets of the coordinates themselves; all must have the same shape."""
        n, shape = len(coordinates), coordinates[0].shape
        jets = []
        for i, values in enumerate(coordinates):
            gradient = np.zeros((n, *shape))
            gradient[i] = 1.0
            jets.append(Jet(values, gradient, np.zeros((n, n, *shape))))
        return tuple(jets)

    def constant(self, number: float) -> Jet:
        """Make a constant of the same shape."""
        return Jet(
            np.full_like(self.value, number),
            np.zeros_like(self.gradient),
            np.zeros_like(self.hessian),
        )

    def chain(self, value: FloatArray, first: FloatArray, second: FloatArray) -> Jet:
        """Apply a function of one variable, given with its derivatives at ``self.value``."""
        outer = self.gradient[:, None] * self.gradient[None, :]
        return Jet(value, first * self.gradient, first * self.hessian + second * outer)

    def plus(self, other: Jet) -> Jet:
        """Add."""
        return Jet(
            self.value + other.value,
            self.gradient + other.gradient,
            self.hessian + other.hessian,
        )

    def scaled(self, factor: float) -> Jet:
        """Multiply by a number."""
        return Jet(factor * self.value, factor * self.gradient, factor * self.hessian)

    def times(self, other: Jet) -> Jet:
        """Multiply."""
        mixed = self.gradient[:, None] * other.gradient[None, :]
        return Jet(
            self.value * other.value,
            self.value * other.gradient + other.value * self.gradient,
            self.value * other.hessian
            + other.value * self.hessian
            + mixed
            + np.swapaxes(mixed, 0, 1),
        )

    def power(self, exponent: float) -> Jet:
        """Raise to a constant power."""
        if exponent == 0.0:
            return self.constant(1.0)
        if exponent == 1.0:
            return self
        value, first = self.value**exponent, exponent * self.value ** (exponent - 1.0)
        second = exponent * (exponent - 1.0) * self.value ** (exponent - 2.0)
        return self.chain(value, first, second)

    def larger(self, other: Jet) -> Jet:
        """Take the larger of two pointwise (the first where they are equal)."""
        first = self.value >= other.value
        return Jet(
            np.where(first, self.value, other.value),
            np.where(first, self.gradient, other.gradient),
            np.where(first, self.hessian, other.hessian),
        )


def _one(z: FloatArray) -> FloatArray:
    return np.ones_like(z)


def _zero(z: FloatArray) -> FloatArray:
    return np.zeros_like(z)


def _sigmoid(z: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-z)))


def _bell(z: FloatArray) -> FloatArray:
    return np.asarray(0.25 / np.cosh(z / 2) ** 2)


FUNCTIONS: dict[str, tuple[Function, Function, Function]] = {
    "exp": (np.exp, np.exp, np.exp),
    "log": (np.log, lambda z: 1 / z, lambda z: -1 / z**2),
    "sqrt": (np.sqrt, lambda z: 0.5 / np.sqrt(z), lambda z: -0.25 / (z * np.sqrt(z))),
    "sin": (np.sin, np.cos, lambda z: -np.sin(z)),
    "cos": (np.cos, lambda z: -np.sin(z), lambda z: -np.cos(z)),
    "tan": (np.tan, lambda z: 1 / np.cos(z) ** 2, lambda z: 2 * np.tan(z) / np.cos(z) ** 2),
    "atan": (np.arctan, lambda z: 1 / (1 + z * z), lambda z: -2 * z / (1 + z * z) ** 2),
    "sinh": (np.sinh, np.cosh, np.sinh),
    "cosh": (np.cosh, np.sinh, np.cosh),
    "tanh": (
        np.tanh,
        lambda z: 1 / np.cosh(z) ** 2,
        lambda z: -2 * np.tanh(z) / np.cosh(z) ** 2,
    ),
    "sigmoid": (_sigmoid, _bell, lambda z: -_bell(z) * np.tanh(z / 2)),
    "softplus": (lambda z: np.logaddexp(0.0, z), _sigmoid, _bell),
    "logcosh": (
        lambda z: np.logaddexp(z, -z) - np.log(2.0),
        np.tanh,
        lambda z: 1 / np.cosh(z) ** 2,
    ),
    "abs": (np.abs, np.sign, _zero),
    "pos": (lambda z: np.maximum(z, 0.0), lambda z: np.where(z > 0, _one(z), 0.0), _zero),
}
"""Functions of one variable with their first two derivatives; ``pos`` is the positive part."""
FUNCTIONS |= {"ln": FUNCTIONS["log"], "arctan": FUNCTIONS["atan"], "relu": FUNCTIONS["pos"]}

KINKED = frozenset({"abs", "pos", "relu", "max", "min"})
"""Functions that are not differentiable everywhere."""
