"""The maps of a system over one of its parameters, and laps of their cycles with derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.system import InvariantSet, System

SLOPE = 1e-5
"""Width of the difference that gives the derivative by the parameter, relative to its size."""


@dataclass(frozen=True, slots=True, eq=False)
class Lap:
    """Where some steps lead from a point, with derivatives; not finite beyond a float's range.

    Attributes
    ----------
    image : ndarray, shape (k,)
    slope : ndarray, shape (k, k)
        By the point, within the set.
    by_parameter : ndarray, shape (k,)
    across : ndarray, shape (n - k, n - k)
        By displacements out of the set, what they become in it left out; its eigenvalues are the
        transverse multipliers of a cycle.
    """

    image: FloatArray
    slope: FloatArray
    by_parameter: FloatArray
    across: FloatArray

    @property
    def is_finite(self) -> bool:
        """Whether all of it is."""
        parts = (self.image, self.slope, self.by_parameter, self.across)
        return all(bool(np.isfinite(part).all()) for part in parts)


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """The maps of a system over one of its parameters, seen in a set that none of them leaves.

    Attributes
    ----------
    at : callable
        Returns the system at a value of the parameter; raises an `InputError` where there is none.
    low, high : float
        The values between which branches are followed.
    within : InvariantSet or None
        Set in whose coordinates points are given; None for the whole space.
    """

    at: Callable[[float], System[Any]]
    low: float
    high: float
    within: InvariantSet | None = None
    _out: FloatArray = field(init=False, repr=False)
    """Orthonormal directions out of the set, shape (n, n - k)."""

    def __post_init__(self) -> None:
        size = self.at(self.high).dimension if self.within is None else len(self.within.basis)
        out = np.zeros((size, 0))
        if self.within is not None:
            width = self.within.basis.shape[1]
            out = np.linalg.svd(self.within.basis)[0][:, width:]
        object.__setattr__(self, "_out", out)

    @property
    def dimension(self) -> int:
        """Number k of coordinates of a point."""
        return int(self._out.shape[0] - self._out.shape[1])

    @property
    def basis(self) -> FloatArray:
        """Orthonormal directions of the set, shape (n, k)."""
        return np.eye(len(self._out)) if self.within is None else self.within.basis

    def placed(self, x: FloatArray) -> FloatArray:
        """Return the point of the whole space that coordinates stand for."""
        return x if self.within is None else self.within.origin + self.within.basis @ x

    def seen(self, z: FloatArray) -> FloatArray:
        """Return the coordinates of a point of the whole space."""
        return z if self.within is None else self.within.basis.T @ (z - self.within.origin)

    def defined(self, a: float) -> System[Any] | None:
        """Return the system at a value of the parameter, None where there is none."""
        try:
            return self.at(a)
        except InputError:
            return None

    def cycle(self, x: FloatArray, a: float, period: int) -> FloatArray:
        """Return the points that `period` steps from a point pass, itself first, (period, n)."""
        system, z = self.at(a), self.placed(x)
        points = [z]
        for _ in range(period - 1):
            z = system.step(z)
            points.append(z)
        return np.array(points)

    def image(self, x: FloatArray, a: float, period: int) -> FloatArray:
        """Return where `period` steps lead from a point, shape (k,); NaN where there are none."""
        system, z = self.defined(a), self.placed(x)
        if system is None:
            return np.full_like(x, np.nan)
        for _ in range(period):
            z = system.step(z)
        return self.seen(z)

    def lap(self, x: FloatArray, a: float, period: int, *, by_parameter: bool = True) -> Lap:
        """Return where `period` steps lead from a point, and the derivatives.

        Parameters
        ----------
        x : ndarray, shape (k,)
        a : float
        period : int
        by_parameter : bool
            Whether the derivative by the parameter is wanted; else it is 0.
        """
        k, basis = self.dimension, self.basis
        system = self.defined(a)
        width = SLOPE * max(abs(a), self.high - self.low)
        ends = (min(a + width, max(self.high, a)), max(a - width, min(self.low, a)))
        ahead, behind = (self.defined(end) if by_parameter else system for end in ends)
        if system is None or ahead is None or behind is None:
            nothing = np.full((k, k), np.nan)
            return Lap(nothing[0], nothing, nothing[0], np.empty((0, 0)))
        z, frame, drift = self.placed(x), np.hstack([basis, self._out]), np.zeros(len(basis))
        with np.errstate(all="ignore"):
            for _ in range(period):
                slope = system.jacobian(z)
                if by_parameter:
                    change = (ahead.step(z) - behind.step(z)) / (ends[0] - ends[1])
                    drift = slope @ drift + change
                frame, z = slope @ frame, system.step(z)
            return Lap(
                image=self.seen(z),
                slope=basis.T @ frame[:, :k],
                by_parameter=basis.T @ drift,
                across=self._out.T @ frame[:, k:],
            )
