"""The maps of a system over one of its parameters, seen in a set that none of them leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.analysis.carrier import Carrier, SystemCarrier
from engine.core.arrays import FloatArray
from engine.core.system import InvariantSet, System


@dataclass(frozen=True, slots=True, eq=False)
class Lap:
    """Where a lap leads from a point, with derivatives; not finite beyond a float's range.

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
class Frame:
    """The coordinates of a set that a map does not leave.

    Attributes
    ----------
    dimension : int
        Number n of coordinates of the whole space.
    within : InvariantSet or None
        The set; None for the whole space.
    """

    dimension: int
    within: InvariantSet | None = None
    basis: FloatArray = field(init=False, repr=False)
    """Orthonormal directions of the set, shape (n, k)."""
    out: FloatArray = field(init=False, repr=False)
    """Orthonormal directions out of it, shape (n, n - k)."""

    def __post_init__(self) -> None:
        basis, out = np.eye(self.dimension), np.zeros((self.dimension, 0))
        if self.within is not None:
            basis = self.within.basis
            out = np.linalg.svd(basis)[0][:, basis.shape[1] :]
        object.__setattr__(self, "basis", basis)
        object.__setattr__(self, "out", out)

    @property
    def count(self) -> int:
        """Number k of coordinates of a point of the set."""
        return int(self.basis.shape[1])

    def placed(self, x: FloatArray) -> FloatArray:
        """Return the point of the whole space that coordinates stand for."""
        return x if self.within is None else self.within.origin + self.basis @ x

    def seen(self, z: FloatArray) -> FloatArray:
        """Return the coordinates of points of the whole space, shape (..., n)."""
        return z if self.within is None else (z - self.within.origin) @ self.basis


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """The maps of a system over one of its parameters, seen in a set that none of them leaves.

    Attributes
    ----------
    carrier : Carrier
        Of one parameter.
    low, high : float
        The values between which branches are followed.
    frame : Frame
        The set in whose coordinates points are given.
    size : float
        Least size of points that steps along a branch are measured by: near 0 there is none.
    """

    carrier: Carrier
    low: float
    high: float
    frame: Frame
    size: float = 1e-3

    @classmethod
    def of(
        cls,
        at: Callable[[float], System[Any]],
        low: float,
        high: float,
        within: InvariantSet | None = None,
    ) -> Family:
        """Return the family of given systems.

        Parameters
        ----------
        at : callable
            Returns the system at a value of the parameter; raises an `InputError` where there is
            none.
        low, high : float
        within : InvariantSet, optional
            By default the whole space.
        """
        carrier = SystemCarrier(at, np.array([low]), np.array([high]))
        return cls(carrier, low, high, Frame(carrier.dimension, within))

    def size_at(self, x: FloatArray) -> float:
        """Return what steps along a branch at a point are measured by."""
        return max(float(np.linalg.norm(x)), self.size)

    def cycle(self, x: FloatArray, a: float, period: int) -> FloatArray:
        """Return the points that `period` steps from a point pass, itself first, (period, n)."""
        return self.carrier.orbit(self.frame.placed(x), np.array([a]), period - 1)

    def image(self, x: FloatArray, a: float, period: int) -> FloatArray:
        """Return where `period` steps lead from a point, shape (k,); NaN where there are none."""
        return self.frame.seen(self.carrier.orbit(self.frame.placed(x), np.array([a]), period)[-1])

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
        frame = self.frame
        made = self.carrier.carried(frame.placed(x), np.array([a]), period, drift=by_parameter)
        if frame.within is None:
            return Lap(made.image, made.slope, made.drift[:, 0], np.empty((0, 0)))
        with np.errstate(all="ignore"):
            return Lap(
                image=frame.seen(made.image),
                slope=frame.basis.T @ made.slope @ frame.basis,
                by_parameter=frame.basis.T @ made.drift[:, 0],
                across=frame.out.T @ made.slope @ frame.out,
            )
