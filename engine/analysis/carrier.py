"""What carries points of a map along, with derivatives: all that continuation asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.system import System

SLOPE = 1e-5
"""Width of the difference that gives the derivative by a parameter, relative to its size."""
WIDTH = 2e-3
"""Width of the differences of the Jacobian, relative to the size of the point or 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Where some steps lead from a point, with derivatives; not finite beyond a float's range.

    Attributes
    ----------
    image : ndarray, shape (n,)
    slope : ndarray, shape (n, n)
        By the point.
    drift : ndarray, shape (n, q)
        By the parameters.
    """

    image: FloatArray
    slope: FloatArray
    drift: FloatArray


class Carrier(ABC):
    """The maps of R^n over q parameters.

    Attributes
    ----------
    dimension : int
        Number n of coordinates.
    is_exact : bool
        Whether `bends` is exact up to rounding.
    """

    dimension: int
    is_exact: bool

    @abstractmethod
    def orbit(self, z: FloatArray, values: FloatArray, steps: int) -> FloatArray:
        """Return the points that steps lead to, the first one before them, (steps + 1, n).

        NaN where there is no map at these values of the parameters.
        """

    @abstractmethod
    def carried(
        self, z: FloatArray, values: FloatArray, steps: int, *, drift: bool = True
    ) -> Carried:
        """Return where steps lead from a point, with derivatives.

        Parameters
        ----------
        z : ndarray, shape (n,)
        values : ndarray, shape (q,)
        steps : int
        drift : bool
            Whether the derivative by the parameters is wanted; else it is 0.
        """

    @abstractmethod
    def bends(
        self, z: FloatArray, values: FloatArray, u: FloatArray, width: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return the first and second derivative of a step's Jacobian along a direction, (n, n).

        Parameters
        ----------
        z : ndarray, shape (n,)
        values : ndarray, shape (q,)
        u : ndarray, shape (n,)
        width : float
            Of the differences that they are taken from where they are not exact, in units of
            `WIDTH`.
        """


class SystemCarrier(Carrier):
    """Steps of systems, one after the other.

    Parameters
    ----------
    at : callable
        Returns the system at values of the parameters; raises an `InputError` where there is none.
    lows, highs : sequence of float
        Ends of the parameters' ranges, at which there are systems.
    """

    is_exact = False

    def __init__(self, at: Callable[..., System[Any]], lows: FloatArray, highs: FloatArray) -> None:
        self._at = at
        self._lows, self._highs = np.asarray(lows, np.float64), np.asarray(highs, np.float64)
        self.dimension = at(*self._highs.tolist()).dimension

    def _defined(self, values: FloatArray) -> System[Any] | None:
        try:
            return self._at(*values.tolist())
        except InputError:
            return None

    def orbit(self, z: FloatArray, values: FloatArray, steps: int) -> FloatArray:
        """Return the points that steps lead to."""
        system, points = self._defined(values), np.full((steps + 1, len(z)), np.nan)
        points[0] = z
        if system is not None:
            for k in range(steps):
                points[k + 1] = z = system.step(z)
        return points

    def carried(
        self, z: FloatArray, values: FloatArray, steps: int, *, drift: bool = True
    ) -> Carried:
        """Return where steps lead, with derivatives; those by the parameters by differences."""
        sides = self._sides(values) if drift else []
        system = self._defined(values)
        n, count = len(z), len(values)
        if system is None or any(one is None or two is None for one, two, _ in sides):
            return Carried(*(np.full(shape, np.nan) for shape in (n, (n, n), (n, count))))
        slope, moved = np.eye(n), np.zeros((n, count))
        with np.errstate(all="ignore"):
            for _ in range(steps):
                factor = system.jacobian(z)
                moved = factor @ moved
                for place, (ahead, behind, width) in enumerate(sides):
                    if ahead is not None and behind is not None:
                        moved[:, place] += (ahead.step(z) - behind.step(z)) / width
                slope, z = factor @ slope, system.step(z)
        return Carried(z, slope, moved)

    def _sides(
        self, values: FloatArray
    ) -> list[tuple[System[Any] | None, System[Any] | None, float]]:
        """Return systems beside the values of each parameter, and how far they are apart."""
        found = []
        for place, value in enumerate(values):
            low, high = float(self._lows[place]), float(self._highs[place])
            width = SLOPE * max(abs(value), high - low)
            ahead, behind = values.copy(), values.copy()
            ahead[place] = min(value + width, max(high, value))
            behind[place] = max(value - width, min(low, value))
            apart = float(ahead[place] - behind[place])
            found.append((self._defined(ahead), self._defined(behind), apart))
        return found

    def bends(
        self, z: FloatArray, values: FloatArray, u: FloatArray, width: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return derivatives of the Jacobian, from its differences, extrapolated."""
        system = self._at(*values.tolist())
        size = float(np.linalg.norm(u))
        h = width * WIDTH * max(float(np.linalg.norm(z)), 1.0) / size
        near, far = (
            [system.jacobian(z + side * reach * u) for side in (1.0, -1.0)] for reach in (h, 2 * h)
        )
        middle = system.jacobian(z)
        first = (8.0 * (near[0] - near[1]) - (far[0] - far[1])) / (12.0 * h)
        second = (16.0 * (near[0] + near[1]) - (far[0] + far[1]) - 30.0 * middle) / (12.0 * h * h)
        return first, second
