r"""What happens beyond the critical step size of a minimum: the flip of gradient descent.

At a minimum with sharpness S, the largest eigenvalue of the Hessian H, the map
:math:`w\mapsto w-\eta\nabla f(w)` has the eigenvalue -1 at :math:`\eta_c=2/S`. With v the unit top
eigenvector, :math:`T=\nabla^3f[v,v,\cdot]` and :math:`H^+` the pseudo-inverse,

.. math:: c = \frac{\eta_c}{6}\left(3\,T^\top H^+T-\nabla^4f(v,v,v,v)\right),\qquad
          a = \sqrt{(\eta S-2)/c}

decides what branches off: a cycle of period 2 at :math:`w^*\pm a v+O(a^2)`. For c > 0 it exists
beyond the critical step and attracts (soft); for c < 0 it exists before it and repels; beyond it
nothing near the minimum attracts (hard). In one dimension c > 0 reads :math:`3f'''^2>f''f''''`, the
condition of Chen & Bruna (arXiv 2206.04172); Mulayoff & Stich (arXiv 2602.14789) give an exact
criterion in several dimensions, and Gan (arXiv 2606.15551) one by the first Lyapunov coefficient.

Derivation. Let the points be :math:`w^*+m\pm d`. Half the sum of both steps gives
:math:`Hm=-\tfrac12a^2T`, so :math:`m=-\tfrac12a^2H^+T` if T has no part in the kernel of H; half
their difference along v gives :math:`2a=\eta(Sa+aT^\top m+\tfrac16a^3\nabla^4f(v,v,v,v))`, which
is :math:`\eta S-2=c\,a^2`. On a manifold of minima the kernel is its tangent space, and the part of
T in it is the slope of the sharpness: where it is not 0 there is no cycle, the oscillating run
drifts towards smaller sharpness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.system import Derivatives

SIMPLE = 1e-6
"""Relative distance of the second eigenvalue from the largest, from which that is simple."""
ZERO = 1e-8
"""Size of an eigenvalue relative to the largest, below which it counts as 0."""
STATIONARY = 1e-6
"""Part of T in the kernel of the Hessian, relative to T, below which it counts as 0."""
DECIDED = 1e-9
"""Size of c relative to its terms, from which its sign is beyond rounding."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Flip:
    """The period doubling of gradient descent at a minimum.

    Attributes
    ----------
    step_size : float
        The critical step size 2/S.
    sharpness : float
        S, the largest eigenvalue of the Hessian.
    direction : ndarray, shape (n,)
        Unit eigenvector v of S, along which the run oscillates.
    gap : float
        Distance of the second eigenvalue from S, relative to S; inf in one dimension.
    coefficient : float or None
        c; None where S is not simple or a derivative is not finite.
    uncertainty : float
        Size of c that rounding alone can make.
    kernel : int
        Number of Hessian eigenvalues that are 0.
    drift : float
        Part of T in the kernel of the Hessian, relative to T; 0 without a kernel.
    """

    step_size: float
    sharpness: float
    direction: FloatArray
    gap: float
    coefficient: float | None
    uncertainty: float = 0.0
    kernel: int = 0
    drift: float = 0.0

    @property
    def is_stationary(self) -> bool:
        """Whether the sharpness does not change to first order along a manifold of minima."""
        return self.drift <= STATIONARY

    @property
    def is_simple(self) -> bool:
        """Whether the eigenvalue -1 is simple, as the theory of the flip asks."""
        return self.gap > SIMPLE

    @property
    def is_soft(self) -> bool | None:
        """Whether a stable cycle is born (True) or an unstable one dies (False).

        None where the sign of c is not known.
        """
        c = self.coefficient
        if c is None or not abs(c) > self.uncertainty:
            return None
        return c > 0.0

    def amplitude(self, step_size: float) -> float | None:
        """Return the leading-order distance of the 2-cycle's points from the minimum.

        None on the side of the critical step size on which there is no cycle, and where the run
        drifts along a manifold of minima.

        Parameters
        ----------
        step_size : float
            For a method with momentum the equivalent step size of gradient descent.
        """
        if self.is_soft is None or self.coefficient is None or not self.is_stationary:
            return None
        square = (step_size * self.sharpness - 2.0) / self.coefficient
        return math.sqrt(square) if square >= 0.0 else None


def flip(loss: Derivatives, minimum: FloatArray) -> Flip | None:
    """Compute the flip of gradient descent at a minimum.

    Parameters
    ----------
    loss : Derivatives
    minimum : ndarray, shape (n,)
        A point where the gradient is 0; one of a manifold of minima will do.

    Returns
    -------
    Flip or None
        None where no Hessian eigenvalue is positive, so that no step size is critical.
    """
    hessian = loss.hessian(minimum)
    if not np.isfinite(hessian).all():
        return None
    values, vectors = np.linalg.eigh(hessian)
    sharpness = float(values[-1])
    if not sharpness > 0.0:
        return None
    v = vectors[:, -1]
    gap = math.inf if len(values) == 1 else float(values[-1] - values[-2]) / sharpness
    step_size = 2.0 / sharpness
    flat = np.abs(values) <= ZERO * sharpness
    along = vectors.T @ loss.third(minimum, v, v)
    coefficient, uncertainty, drift = None, 0.0, 0.0
    if np.isfinite(along).all():
        size = float(np.linalg.norm(along))
        drift = float(np.linalg.norm(along[flat])) / size if size > 0.0 else 0.0
        pull = 3.0 * float(np.sum(along[~flat] ** 2 / values[~flat]))
        push = loss.fourth(minimum, v, v, v, v)
        if gap > SIMPLE and math.isfinite(pull) and math.isfinite(push):
            coefficient = step_size / 6.0 * (pull - push)
            uncertainty = step_size / 6.0 * DECIDED * (abs(pull) + abs(push))
    return Flip(
        step_size=step_size,
        sharpness=sharpness,
        direction=v,
        gap=gap,
        coefficient=coefficient,
        uncertainty=uncertainty,
        kernel=int(np.count_nonzero(flat)),
        drift=drift,
    )


def scalar_coefficient(target: float, depth: int) -> float:
    r"""Return c of the balanced minimum of :math:`\frac12(\prod_i w_i-\lambda)^2` in closed form.

    :math:`c=4(L-1)(5L-4)/(3L\lambda^{2/L})`, for unit v: positive for every depth above 1.
    """
    size = abs(target) ** (2.0 / depth)
    return float(4.0 * (depth - 1) * (5 * depth - 4) / (3.0 * depth * size))
