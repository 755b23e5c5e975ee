r"""Proofs with momentum for a manifold of minima: losses that are the square of one residual.

Let :math:`f=\tfrac C2r^2`. A step of momentum moves the point (w, v) to
:math:`v'=\beta v-s\nabla f(y),\ w'=w+v'` with y = w (heavy ball) or y = w + βv (Nesterov). The
equilibria (w, 0) with r(w) = 0 form a manifold. As in `residual`, one function falls and bounds
where a run can go: a quadratic form of :math:`u=(r(w),v)`.

*u is multiplied by a matrix.* By the mean value theorem there are means :math:`\bar a` of
:math:`\nabla r` between w and w', and :math:`\tilde a` between w and y, so that with
:math:`a=\nabla r(y)`

.. math:: v'=Nv-sC\,a\,r,\qquad r(w')=r+\bar a\cdot v',\qquad N=\beta(1-sC\,a\tilde a^\top),

where the last term of N is absent for the heavy ball. On a box Ω these vectors lie in the interval
vector A that holds :math:`\nabla r` on Ω, as it is convex. Let :math:`P\succ0` and
:math:`\theta^2P-M^\top PM\succ0` for all matrices M of this form. Then
:math:`V(u)=u^\top Pu` falls at least by the factor θ² at every step within Ω.

*The run stays.* :math:`|v_i|\leq h_i\sqrt V` with the half-widths h of the ellipsoid V <= 1. The
next velocity does not depend on :math:`\bar a`, so its bound is known before w' is; and w moves by
at most :math:`g_i\sqrt V,\ g=h\theta/(1-\theta)`, in all, y by :math:`\beta h_i\sqrt V` more. If
that fits into Ω, then V, hence r and v, tend to 0, the weights form a Cauchy sequence, and the run
converges to an equilibrium of the manifold.
"""

from __future__ import annotations

import numpy as np

from engine.analysis.regions.definite import half_widths, is_positive_definite, lyapunov_matrix
from engine.analysis.regions.interval import Interval, dot, interval, product
from engine.analysis.regions.maps import joined
from engine.analysis.regions.residual import SquareDescent, pieces
from engine.core.arrays import FloatArray


def proved_ball_with_momentum(
    square: SquareDescent, center: FloatArray, radius: float
) -> float | None:
    """Return r such that runs from within r of an equilibrium are proved to stay within `radius`.

    They converge to equilibria of the manifold. Distances are Euclidean, of weights and velocity
    together, from the equilibrium to which a run from `center` converges.

    Parameters
    ----------
    square : SquareDescent
        With momentum and a fixed step size.
    center : ndarray, shape (2n,)
        Next to an equilibrium: weights, then velocity.
    radius : float

    Returns
    -------
    float or None
        None where nothing is proved.
    """
    n = square.residual.dimension
    weights, velocity = center[:n], center[n:]
    slopes = square.residual.slopes(pieces(Interval.around(weights, radius)))[1]
    slope = Interval(slopes.lo.min(axis=0), slopes.hi.max(axis=0))
    if not np.isfinite(slope.size).all():
        return None
    matrix = momentum_matrix(square, slope)
    found = _contracting(matrix)
    if found is None:
        return None
    weight, rate, widths, steepness = found
    bound = _norm(Interval.point(widths[1:]))
    moves = bound * rate * (1.0 - Interval.point(rate)).inverse()
    here = square.residual.value(Interval.point(weights[None]))
    u = joined((here, Interval.point(velocity)), axis=0)
    level = _root(dot(u, product(weight, u[:, None])[:, 0]))
    away = moves * level + _norm(Interval.point(velocity))  # of the equilibrium from the floats
    steepest = _norm(Interval.point(slope.size))
    grows = _root(steepness * (1.0 + steepest.squared()))
    room = Interval.point(radius) - away - away - bound * level
    made = float((room * (1.0 + grows * (moves + bound)).inverse()).lo)
    return made if made > 0.0 else None


def momentum_matrix(square: SquareDescent, slope: Interval) -> Interval:
    """Enclose M over all means of gradients in an interval vector, shape (1 + n, 1 + n)."""
    n, descent = slope.shape[0], square.map
    push = descent.step_size * square.factor
    kept = Interval.point(descent.momentum * np.eye(n))
    column, row = slope[:, None], slope[None, :]
    if descent.looks_ahead:
        kept = kept - descent.momentum * (push * product(column, row))
    pulled = -(push * column)
    kept_residual = 1.0 - push * product(row, column)  # the two vectors need not be the same
    upper = joined((kept_residual, product(row, kept)), 1)
    return joined((upper, joined((pulled, kept), 1)), 0)


def _contracting(matrix: Interval) -> tuple[FloatArray, float, FloatArray, Interval] | None:
    """Return P, θ, half-widths of the ellipsoid, and a bound of P's norm; None without proof."""
    radius = float(np.abs(np.linalg.eigvals(matrix.mid)).max())
    if not radius < 1.0:
        return None
    rate = 0.5 + 0.5 * radius
    weight = lyapunov_matrix(matrix.mid / rate)
    widths = None if weight is None else half_widths(weight)
    if weight is None or widths is None:
        return None
    falls = Interval.point(rate).squared() * interval(weight)
    falls = falls - product(matrix.turned(), product(weight, matrix))
    top = float(np.linalg.eigvalsh(weight)[-1]) * (1.0 + 1e-6)
    bounds = is_positive_definite(interval(top * np.eye(len(weight))) - interval(weight))
    if not (bool(is_positive_definite(falls)) and bool(bounds)):
        return None
    return weight, rate, widths, Interval.point(top)


def _norm(vector: Interval) -> Interval:
    return _root(vector.squared().sum())


def _root(x: Interval) -> Interval:
    """Return upper bounds of square roots, as numbers."""
    return Interval.point(np.sqrt(np.maximum(x.hi, 0.0)) * (1.0 + 1e-15))
