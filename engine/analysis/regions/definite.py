r"""Definite matrices, proved for all matrices within intervals.

*Positive definite.* Elimination without exchange of rows turns a symmetric matrix A into
:math:`LDL^\top`, and A is positive definite exactly if all entries of D are positive. Carried out
with intervals it holds the elimination of every symmetric matrix in the interval matrix, as long as
all pivots met so far are positive; if all are, every such matrix is positive definite.

*Lyapunov's equation (Stein's).* If :math:`P\succ0` and :math:`P-M^\top PM\succ0` for a square M,
then :math:`V(x)=x^\top Px` falls along :math:`x\mapsto Mx` by a constant factor: M's eigenvalues
lie inside the unit circle. Conversely, if :math:`M^\top QM-Q\succ0` for a symmetric Q with
:math:`v^\top Qv>0` for some v, then along :math:`x_{k+1}=Mx_k,\ x_0=v` the numbers
:math:`q_k=x_k^\top Qx_k` grow by at least a constant times :math:`|x_k|^2\geq q_k/\|Q\|`, so they
and :math:`|x_k|` grow exponentially: an eigenvalue of M lies outside the unit circle. Nothing is
asked of how P and Q were found.
"""

from __future__ import annotations

import numpy as np

from engine.analysis.regions.interval import Bools, Interval, dot, interval, product
from engine.core.arrays import FloatArray


def is_positive_definite(matrix: Interval | FloatArray) -> Bools:
    """Return of which interval matrices all symmetric members are proved positive definite.

    Parameters
    ----------
    matrix : Interval, shape (..., n, n)
        The upper triangle is looked at.

    Returns
    -------
    ndarray of bool, shape (...)
        False where it is not so, or not proved.
    """
    left = interval(matrix)
    n = left.shape[-1]
    rows = {(i, j): left[..., i, j] for i in range(n) for j in range(i, n)}
    proved = np.ones(left.shape[:-2], bool)
    for k in range(n):
        pivot = rows[k, k]
        proved &= pivot.lo > 0.0
        over = pivot.inverse()
        for i in range(k + 1, n):
            factor = rows[k, i] * over
            for j in range(i, n):
                part = rows[k, i].squared() * over if i == j else factor * rows[k, j]
                rows[i, j] = rows[i, j] - part
    return np.asarray(proved)


def lyapunov_matrix(matrix: FloatArray) -> FloatArray | None:
    """Solve P - MᵀPM = 1 for a symmetric P, scaled to norm 1; None where there is none."""
    return _stein(matrix, 1.0)


def growth_matrix(matrix: FloatArray) -> FloatArray | None:
    """Solve MᵀQM - Q = 1 for a symmetric Q, scaled to norm 1; None where there is none."""
    return _stein(matrix, -1.0)


def _stein(matrix: FloatArray, sign: float) -> FloatArray | None:
    from scipy.linalg import solve_discrete_lyapunov  # takes a while to load

    if not np.isfinite(matrix).all():
        return None
    try:
        with np.errstate(all="ignore"):
            found = solve_discrete_lyapunov(matrix.T, sign * np.eye(len(matrix)), method="direct")
    except (np.linalg.LinAlgError, ValueError):
        return None
    found = 0.5 * (found + found.T)
    size = float(np.abs(found).max())
    return found / size if 0.0 < size < np.inf else None


def contracts(matrix: Interval, weight: FloatArray) -> Bools:
    """Return for which interval matrices P and P - MᵀPM are proved positive definite."""
    falls = interval(weight) - product(matrix.turned(), product(weight, matrix))
    return is_positive_definite(falls) & is_positive_definite(weight)


def expands(matrix: Interval, weight: FloatArray) -> bool:
    """Return whether every M in an interval matrix is proved to have an eigenvalue beyond 1."""
    grows = product(matrix.turned(), product(weight, matrix)) - interval(weight)
    if not bool(is_positive_definite(grows)):
        return False
    along = np.linalg.eigh(weight)[1][:, -1]
    return bool(dot(along, product(weight, interval(along)[:, None])[:, 0]).lo > 0.0)


def half_widths(weight: FloatArray) -> FloatArray | None:
    r"""Return a with |x_i| <= a_i wherever xᵀPx <= 1, proved; None where P is not definite.

    That is :math:`P-e_ie_i^\top/a_i^2\succeq0`, which is checked for every i.
    """
    if not bool(is_positive_definite(weight)):
        return None
    n = len(weight)
    widths = np.sqrt(np.diag(np.linalg.inv(weight))) * (1.0 + 1e-6)
    for i in range(n):
        unit = np.zeros((n, n))
        unit[i, i] = 1.0
        over = Interval.point(widths[i]).squared().inverse()
        if not bool(is_positive_definite(interval(weight) - interval(unit) * over)):
            return None
    return np.asarray(widths)
