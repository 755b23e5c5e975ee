"""A function of n variables with exact derivatives: what theory of a loss is computed from."""

from __future__ import annotations

from typing import Protocol

from engine.core.arrays import FloatArray


class Derivatives(Protocol):
    """A real function of n real variables with its derivatives to fourth order.

    All are exact up to rounding, never differences. Where one is undefined it is inf or nan,
    without a warning.
    """

    @property
    def dimension(self) -> int:
        """Number n of variables."""
        ...

    def value(self, z: FloatArray) -> float:
        """Compute f at a point, shape (n,)."""
        ...

    def gradient(self, z: FloatArray) -> FloatArray:
        """Compute the gradient, shape (n,)."""
        ...

    def hessian(self, z: FloatArray) -> FloatArray:
        """Compute the Hessian, shape (n, n)."""
        ...

    def third(self, z: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """Compute the third derivative along two directions, as a vector, shape (n,)."""
        ...

    def fourth(
        self, z: FloatArray, u: FloatArray, v: FloatArray, w: FloatArray, x: FloatArray
    ) -> float:
        """Compute the fourth derivative along four directions."""
        ...

    def kinks(self, z: FloatArray) -> float:
        """Return how near the point is to a kink of f: inf where f has none.

        The least distance of the argument of an abs, max, min, relu ... from the place of its kink,
        relative to the sizes of what it is computed from.
        """
        ...
