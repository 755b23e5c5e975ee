"""A function of several variables with exact derivatives: what analyses of minima read."""

from __future__ import annotations

from typing import Protocol

from engine.core.arrays import FloatArray


class Derivatives(Protocol):
    """A function of n real variables with exact derivatives to fourth order.

    Where a value or derivative is not defined it is inf or nan, without a warning.
    """

    @property
    def dimension(self) -> int:
        """Number n of variables."""
        ...

    def value(self, z: FloatArray) -> float:
        """Compute the function at a point, shape (n,)."""
        ...

    def gradient(self, z: FloatArray) -> FloatArray:
        """Compute the gradient at a point, shape (n,)."""
        ...

    def hessian(self, z: FloatArray) -> FloatArray:
        """Compute the matrix of second derivatives at a point, shape (n, n)."""
        ...

    def third(self, z: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """Compute the third derivative along two directions, ∇³f[u, v, ·], shape (n,)."""
        ...

    def fourth(
        self, z: FloatArray, u: FloatArray, v: FloatArray, w: FloatArray, x: FloatArray
    ) -> float:
        """Compute the fourth derivative along four directions, ∇⁴f[u, v, w, x]."""
        ...

    def kinks(self, z: FloatArray) -> float:
        """Return how near the point is to a kink (of abs, max, relu and the like).

        Returns
        -------
        float
            Least distance of an argument from its kink, relative to the size of the point where
            that is above 1; inf where there is no kink.
        """
        ...
