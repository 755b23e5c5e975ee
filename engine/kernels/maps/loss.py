"""The loss of a law with its derivatives, for analyses in Python."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.tape import looks, program
from engine.kernels.tape.program import Program


class TapeLoss:
    """A function with value, gradient and Hessian; implements a part of `Derivatives`.

    Parameters
    ----------
    of : Program
    constants : ndarray, shape (c,)
    whole : Program, ndarray of int64 and ndarray, shape (p,), optional
        Where variables stand for several equal weights: the loss in coordinates that tell them
        apart, the variables of these and their units, as of `advance.Motion`.
    """

    def __init__(
        self,
        of: Program,
        constants: FloatArray,
        whole: tuple[Program, NDArray[np.int64], FloatArray] | None = None,
    ) -> None:
        self._program, self._whole = of, whole
        self._constants = np.ascontiguousarray(constants, np.float64)
        self._work = program.workspace(of, 2)

    @property
    def dimension(self) -> int:
        """Number n of variables."""
        return int(self._program.table[0])

    def value(self, z: FloatArray) -> float:
        """Compute the loss at a point, shape (n,)."""
        return self._at(z)[0]

    def gradient(self, z: FloatArray) -> FloatArray:
        """Compute the gradient at a point, shape (n,)."""
        return self._at(z)[1]

    def hessian(self, z: FloatArray) -> FloatArray:
        """Compute the Hessian at a point, shape (n, n)."""
        out = np.empty((self.dimension, self.dimension))
        looks.hessian(self._program, _array(z), self._constants, out, self._work)
        return out

    def values(self, points: FloatArray) -> FloatArray:
        """Compute the loss at points, shape (m, n); returns shape (m,)."""
        flat = _array(points)
        out, slopes = np.empty(len(flat)), np.empty_like(flat)
        looks.values_at(self._program, flat, self._constants, out, slopes, self._work)
        return out

    def whole_hessian(self, z: FloatArray) -> FloatArray:
        """Compute at a point a matrix with the eigenvalues of the Hessian in all weights.

        Shape (n, n), or (p, p) where variables stand for several equal weights.
        """
        if self._whole is None:
            return self.hessian(z)
        of, variables, units = self._whole
        out = np.empty((len(variables), len(variables)))
        work = program.workspace(of, 2)
        looks.hessian(of, _array(_array(z)[variables]), self._constants, out, work)
        return np.asarray(units[:, None] * out * units)

    def sharpness(self, points: FloatArray) -> FloatArray:
        """Compute the sharpness at points, shape (m, n); returns shape (m,).

        It is the largest eigenvalue of the Hessian in all weights, across equal ones too.
        """
        hessians = np.array([self.whole_hessian(point) for point in points])
        made = np.full(len(points), np.nan)
        known = np.isfinite(hessians).all(axis=(1, 2))
        if known.any():
            made[known] = np.linalg.eigvalsh(hessians[known])[:, -1]
        return made

    def _at(self, z: FloatArray) -> tuple[float, FloatArray]:
        out, slope = np.empty(1), np.empty((1, self.dimension))
        looks.values_at(self._program, _array(z)[None], self._constants, out, slope, self._work)
        return float(out[0]), slope[0]

    def newton(self, z: FloatArray, most: int = 30) -> FloatArray | None:
        """Return the equilibrium that Newton's steps lead to, None where they come to none."""
        point = _array(z)
        for _ in range(most):
            slope, hessian = self.gradient(point), self.hessian(point)
            if not (np.isfinite(slope).all() and np.isfinite(hessian).all()):
                return None
            step = np.linalg.pinv(hessian, rcond=1e-8, hermitian=True) @ slope
            point = point - step
            if float(np.max(np.abs(step))) <= 1e-12 * max(1.0, float(np.max(np.abs(point)))):
                return point
        return None

    def is_on_manifold(self, point: FloatArray, reach: float = 1e-3) -> bool:
        """Return whether equilibria lead on from one along all flat directions of its Hessian."""
        values, vectors = np.linalg.eigh(self.hessian(point))
        flat = np.abs(values) <= 1e-7 * np.max(np.abs(values))
        size = reach * max(1.0, float(np.max(np.abs(point))))
        for direction in vectors[:, flat].T:
            for sign in (1.0, -1.0):
                other = self.newton(point + sign * size * direction)
                if other is None:
                    return False
                along = float((other - point) @ direction) * sign
                if not 0.5 * size <= along <= 2.0 * size or not math.isfinite(along):
                    return False
        return bool(flat.any())


def _array(values: FloatArray) -> FloatArray:
    return np.ascontiguousarray(values, np.float64)
