r"""Step sizes that depend on the state, with enclosures.

For :math:`f=\tfrac C2r^2` the Gauss-Newton part of the Hessian has the largest eigenvalue
:math:`S=C|\nabla r|^2`, which is the sharpness of the scalar product network. Polyak's step size
:math:`(f-f^*)/|\nabla f|^2` with :math:`f^*=0` is exactly :math:`1/(2S)`, since
:math:`|\nabla f|^2=C^2r^2|\nabla r|^2=2fS`: it is α/S with α = 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.analysis.regions.interval import Interval, applied
from engine.analysis.regions.maps import Jets, Slopes


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
        return self._capped(self.curvature.value(box))

    def _capped(self, curved: Interval) -> Interval:
        curved = Interval(np.maximum(curved.lo, 0.0), curved.hi)
        free = self.alpha * curved.inverse()
        upper = np.where(curved.lo > 0.0, np.minimum(free.hi, self.cap), self.cap)
        lower = np.where(
            curved.lo > 0.0,
            free.lo,
            (self.alpha * Interval.point(np.maximum(curved.hi, 1e-300)).inverse()).lo,
        )
        return Interval(np.minimum(np.maximum(lower, 0.0), self.cap), upper)

    def slopes(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose step sizes and their gradients, shapes (m,) and (m, n).

        Where the cap may take hold, the gradient is all between its own and 0.
        """
        curved, change = self.curvature.slopes(box)
        step = self._capped(curved)
        free = Interval(np.maximum(curved.lo, 0.0), curved.hi).inverse()
        slope = -(self.alpha * free.squared())[:, None] * change
        nothing = Interval.point(np.zeros(slope.shape))
        is_capped = (step.lo >= self.cap)[:, None]
        is_free = (step.hi < self.cap)[:, None]
        mixed = slope.hull(nothing)
        lo = np.where(is_capped, 0.0, np.where(is_free, slope.lo, mixed.lo))
        hi = np.where(is_capped, 0.0, np.where(is_free, slope.hi, mixed.hi))
        return step, Interval(lo, hi)


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
