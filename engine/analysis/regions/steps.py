r"""Step sizes that depend on the state, with enclosures.

For :math:`f=\tfrac C2r^2` the Gauss-Newton part of the Hessian has the largest eigenvalue
:math:`S=C|\nabla r|^2`, which is the sharpness of the scalar product network. Polyak's step size
:math:`(f-f^*)/|\nabla f|^2` with :math:`f^*=0` is exactly :math:`1/(2S)`, since
:math:`|\nabla f|^2=C^2r^2|\nabla r|^2=2fS`: it is α/S with α = 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.analysis.regions.definite import is_positive_definite
from engine.analysis.regions.interval import Interval, applied, dot
from engine.analysis.regions.maps import Descent, EnclosedMap, Jets, Slopes


@dataclass(frozen=True, eq=False)
class CappedStep:
    """The step size min(cap, alpha / curvature); implements what `Descent.rule` needs.

    Attributes
    ----------
    curvature : Slopes
        Not negative.
    alpha, cap : float
        Positive.
    """

    curvature: Slopes
    alpha: float
    cap: float

    @property
    def dimension(self) -> int:
        """Number of weights."""
        return self.curvature.dimension

    def value(self, box: Interval) -> Interval:
        """Enclose the step sizes over boxes, shape (m, n); returns shape (m,)."""
        return capped(self.curvature.value(box), self.alpha, self.cap)

    def slopes(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose step sizes and their gradients, shapes (m,) and (m, n).

        Where the cap may take hold, the gradient is all between its own and 0.
        """
        curved, change = self.curvature.slopes(box)
        step = capped(curved, self.alpha, self.cap)
        free = Interval(np.maximum(curved.lo, 0.0), curved.hi).inverse()
        slope = -(self.alpha * free.squared())[:, None] * change
        nothing = Interval.point(np.zeros(slope.shape))
        is_capped = (step.lo >= self.cap)[:, None]
        is_free = (step.hi < self.cap)[:, None]
        mixed = slope.hull(nothing)
        lo = np.where(is_capped, 0.0, np.where(is_free, slope.lo, mixed.lo))
        hi = np.where(is_capped, 0.0, np.where(is_free, slope.hi, mixed.hi))
        return step, Interval(lo, hi)


def capped(curved: Interval, alpha: float, cap: float) -> Interval:
    """Enclose min(cap, alpha / curvature), the cap where the curvature is not positive."""
    curved = Interval(np.maximum(curved.lo, 0.0), np.maximum(curved.hi, 0.0))
    free = alpha * curved.inverse()
    is_positive = curved.lo > 0.0
    least = (alpha * Interval.point(np.maximum(curved.hi, 1e-300)).inverse()).lo
    upper = np.where(is_positive, np.minimum(free.hi, cap), cap)
    lower = np.where(is_positive, free.lo, least)
    return Interval(np.minimum(np.maximum(lower, 0.0), cap), upper)


@dataclass(frozen=True, eq=False)
class SlopeCurvature:
    """The curvature C|∇r|² of a squared residual.

    Attributes
    ----------
    residual : Jets
    factor : Interval, shape ()
        C.
    """

    residual: Jets
    factor: Interval

    @property
    def dimension(self) -> int:
        """Number of weights."""
        return self.residual.dimension

    def value(self, box: Interval) -> Interval:
        """Enclose the values over boxes, shape (m,)."""
        return self.factor * self.residual.slopes(box)[1].squared().sum()

    def slopes(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose values and gradients, shapes (m,) and (m, n)."""
        _, slope, curve = self.residual.curves(box)
        change = 2.0 * self.factor * applied(curve, slope)
        return self.factor * slope.squared().sum(), change


@dataclass(frozen=True, eq=False)
class TopStep:
    """The step size min(cap, alpha / λ) for an eigenvalue λ of the Hessian.

    Nothing is known of its gradient, which third derivatives of the loss decide.

    Attributes
    ----------
    loss : Jets
    alpha, cap : float
        Positive.
    is_norm : bool
        Whether λ is the eigenvalue of largest magnitude, else the largest one.
    """

    loss: Jets
    alpha: float
    cap: float
    is_norm: bool

    def value(self, box: Interval) -> Interval:
        """Enclose the step sizes over boxes, shape (m, n); returns shape (m,)."""
        curve = self.loss.curves(box)[2]
        top = _largest_eigenvalue(curve)
        if self.is_norm:
            bottom = _largest_eigenvalue(-curve)
            top = Interval(np.maximum(top.lo, bottom.lo), np.maximum(top.hi, bottom.hi))
        return capped(top, self.alpha, self.cap)

    def slopes(self, box: Interval) -> None:
        """Return that no gradient is known."""


@dataclass(frozen=True, eq=False)
class Secant(EnclosedMap):
    r"""Descent seen from an equilibrium, whatever its step size s(w).

    As :math:`g(w^*)=0`, :math:`F(w)-w^*=(1-s(w)\bar H)(w-w^*)` with the mean of the Hessian
    between the two. So the "derivatives" of a box that holds w* are :math:`1-sH`, without that of
    s.
    """

    map: Descent

    @property
    def dimension(self) -> int:
        """Number of weights."""
        return self.map.dimension

    def plain_image(self, box: Interval) -> Interval:
        """Enclose images of boxes."""
        return self.map.plain_image(box)

    def enclosures(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose images of boxes, and the matrices that lead from an equilibrium in them."""
        curve = self.map.loss.curves(box)[2]
        slope = np.eye(self.dimension) - self.map.step(box)[:, None, None] * curve
        return self.map.plain_image(box), slope


def _largest_eigenvalue(matrix: Interval) -> Interval:
    """Enclose the largest eigenvalues of symmetric matrices, shape (m, n, n).

    Above it is that of the middles, proved by what it leaves definite, and the largest row sum of
    the half-widths (Weyl); below it is a Rayleigh quotient.
    """
    n = matrix.shape[-1]
    finite = np.asarray(np.isfinite(matrix.size).all(axis=(1, 2)))
    known = Interval(
        np.where(finite[:, None, None], matrix.lo, 0.0),
        np.where(finite[:, None, None], matrix.hi, 0.0),
    )
    middle = 0.5 * (known.mid + np.swapaxes(known.mid, 1, 2))
    values, vectors = np.linalg.eigh(middle)
    top, along = values[:, -1], vectors[:, :, -1]
    spread = (known - middle).size.sum(axis=-1).max(axis=-1) * (1.0 + 1e-14)
    bound = top + 1e-12 * (np.abs(top) + np.abs(middle).max(axis=(1, 2))) + 1e-300
    left = Interval.point(bound)[:, None, None] * np.eye(n) - Interval.point(middle)
    proved = finite & is_positive_definite(left)
    upper = (Interval.point(bound) + Interval.point(spread)).hi
    quotient = dot(along, applied(known, along)) * dot(along, along).inverse()
    return Interval(np.where(finite, quotient.lo, -np.inf), np.where(proved, upper, np.inf))
