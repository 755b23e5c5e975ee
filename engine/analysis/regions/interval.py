"""Arrays of intervals with outward rounding.

Why an operation holds all exact values is written in `engine.kernels.intervals.arithmetic`, whose
rules are the same: after every operation rounded to nearest the ends move outwards by at least one
unit in the last place, and what is no number becomes the whole line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray

RELATIVE = 2.3e-16
TINY = 2.3e-308
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Sets of real numbers, each within [lo, hi].

    Attributes
    ----------
    lo, hi : ndarray
        Of the same shape.
    """

    lo: FloatArray
    hi: FloatArray
    __array_ufunc__: ClassVar[None] = None  # an array leaves its operations with these to them

    @classmethod
    def point(cls, x: FloatArray | float) -> Interval:
        """Return the intervals that hold one number each."""
        values = np.asarray(x, np.float64)
        return cls(values, values)

    @classmethod
    def around(cls, center: FloatArray, radius: FloatArray | float) -> Interval:
        """Return intervals that hold all numbers up to a distance from some numbers."""
        return cls.point(center) + _sane(-np.abs(radius), np.abs(radius), np.shape(center))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.lo.shape

    @property
    def mid(self) -> FloatArray:
        """Floats within the intervals, near their middles."""
        with np.errstate(all="ignore"):
            middle = 0.5 * self.lo + 0.5 * self.hi
        return np.asarray(np.clip(middle, self.lo, self.hi))

    @property
    def size(self) -> FloatArray:
        """The greatest magnitudes."""
        return np.asarray(np.maximum(np.abs(self.lo), np.abs(self.hi)))

    def __getitem__(self, key: Any) -> Interval:
        """Return a part of the array."""
        return Interval(np.asarray(self.lo[key]), np.asarray(self.hi[key]))

    def __neg__(self) -> Interval:
        """Return the intervals of the opposite numbers."""
        return Interval(-self.hi, -self.lo)

    def __add__(self, other: Interval | FloatArray | float) -> Interval:
        """Return sums; 0 leaves what it is added to as it is."""
        b = interval(other)
        with np.errstate(all="ignore"):
            lo, hi = _below(self.lo + b.lo), _above(self.hi + b.hi)
        mine, others = _is_zero(self), _is_zero(b)
        if mine.any() or others.any():
            lo = np.where(mine, b.lo, np.where(others, self.lo, lo))
            hi = np.where(mine, b.hi, np.where(others, self.hi, hi))
        return _sane(lo, hi)

    __radd__ = __add__

    def __sub__(self, other: Interval | FloatArray | float) -> Interval:
        """Return differences."""
        return self + (-interval(other))

    def __rsub__(self, other: Interval | FloatArray | float) -> Interval:
        """Return differences."""
        return interval(other) + (-self)

    def __mul__(self, other: Interval | FloatArray | float) -> Interval:
        """Return products; a bounded interval times 0 is 0."""
        b = interval(other)
        with np.errstate(all="ignore"):
            ends = self.lo * b.lo, self.lo * b.hi, self.hi * b.lo, self.hi * b.hi
            lo = _below(np.minimum(np.minimum(*ends[:2]), np.minimum(*ends[2:])))
            hi = _above(np.maximum(np.maximum(*ends[:2]), np.maximum(*ends[2:])))
        nothing = (_is_zero(self) | _is_zero(b)) & np.isfinite(hi)
        if nothing.any():
            lo, hi = np.where(nothing, 0.0, lo), np.where(nothing, 0.0, hi)
        return _sane(lo, hi)

    __rmul__ = __mul__

    def squared(self) -> Interval:
        """Return squares, which are never negative."""
        a, b = np.abs(self.lo), np.abs(self.hi)
        least = np.where((self.lo <= 0.0) & (self.hi >= 0.0), 0.0, np.minimum(a, b))
        with np.errstate(all="ignore"):
            low, high = _below(least * least), _above(np.maximum(a, b) ** 2)
        return _sane(np.maximum(low, 0.0), np.where(np.maximum(a, b) == 0.0, 0.0, high))

    def inverse(self) -> Interval:
        """Return reciprocals; the whole line where 0 is within."""
        away = (self.lo > 0.0) | (self.hi < 0.0)
        with np.errstate(all="ignore"):
            lo, hi = _below(1.0 / self.hi), _above(1.0 / self.lo)
        return _sane(np.where(away, lo, -np.inf), np.where(away, hi, np.inf))

    def sum(self, axis: int = -1) -> Interval:
        """Return sums along an axis."""
        count = self.lo.shape[axis]
        lo, hi = np.moveaxis(self.lo, axis, 0), np.moveaxis(self.hi, axis, 0)
        made = Interval(lo[0], hi[0])
        for i in range(1, count):
            made = made + Interval(lo[i], hi[i])
        return made

    def hull(self, other: Interval) -> Interval:
        """Return the least intervals that hold two each."""
        return Interval(np.minimum(self.lo, other.lo), np.maximum(self.hi, other.hi))

    def meet(self, other: Interval) -> Interval:
        """Return what two enclosures of the same numbers have in common."""
        return Interval(np.maximum(self.lo, other.lo), np.minimum(self.hi, other.hi))

    def inside(self, other: Interval) -> Bools:
        """Return whether each lies in the interior of another."""
        return np.asarray((self.lo > other.lo) & (self.hi < other.hi))

    def apart(self, other: Interval) -> Bools:
        """Return whether two have no number in common."""
        return np.asarray((self.lo > other.hi) | (self.hi < other.lo))

    def turned(self) -> Interval:
        """Return the transposes of matrices, shape (..., n, n)."""
        return Interval(np.swapaxes(self.lo, -1, -2), np.swapaxes(self.hi, -1, -2))


def interval(x: Interval | FloatArray | float) -> Interval:
    """Return intervals as they are, and numbers as intervals."""
    return x if isinstance(x, Interval) else Interval.point(x)


def product(a: Interval | FloatArray, b: Interval | FloatArray) -> Interval:
    """Return products of matrices, shapes (..., n, k) and (..., k, m)."""
    a, b = interval(a), interval(b)
    made = a[..., :, 0, None] * b[..., None, 0, :]
    for k in range(1, a.shape[-1]):
        made = made + a[..., :, k, None] * b[..., None, k, :]
    return made


def applied(matrix: Interval | FloatArray, vector: Interval | FloatArray) -> Interval:
    """Return products of matrices and vectors, shapes (..., n, k) and (..., k)."""
    vector = interval(vector)
    return product(matrix, vector[..., None])[..., 0]


def dot(a: Interval | FloatArray, b: Interval | FloatArray) -> Interval:
    """Return products of vectors, shape (..., n)."""
    return (interval(a) * interval(b)).sum()


def _is_zero(x: Interval) -> Bools:
    return np.asarray((x.lo == 0.0) & (x.hi == 0.0))


def _below(x: FloatArray) -> FloatArray:
    return np.asarray(x - (np.abs(x) * RELATIVE + TINY))


def _above(x: FloatArray) -> FloatArray:
    return np.asarray(x + (np.abs(x) * RELATIVE + TINY))


def _sane(lo: FloatArray, hi: FloatArray, shape: tuple[int, ...] | None = None) -> Interval:
    """Return intervals, the whole line where they are none."""
    if shape is not None:
        lo, hi = np.broadcast_to(lo, shape), np.broadcast_to(hi, shape)
    bad = ~(lo <= hi)
    if bad.any():
        lo, hi = np.where(bad, -np.inf, lo), np.where(bad, np.inf, hi)
    return Interval(np.asarray(lo), np.asarray(hi))
