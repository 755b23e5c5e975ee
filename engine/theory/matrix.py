"""Least squares and the matrix networks: Section 2, Theorems 1 and 2, Figure 3."""

from __future__ import annotations

import math

from engine.core.errors import InputError
from engine.theory.floats import scaled_power


def least_squares_bound(top_eigenvalue: float) -> float:
    r"""Critical step size :math:`2/\lambda_{\max}(XX^\top)` of least squares."""
    if not math.isfinite(top_eigenvalue) or top_eigenvalue <= 0:
        raise InputError("data", top_eigenvalue, "give points that are not all zero")
    return 2.0 / top_eigenvalue


def _check_matrix(size: float, depth: int) -> None:
    if not math.isfinite(size) or size <= 0:
        raise InputError("target", size, "give a matrix of finite norm > 0")
    if depth < 1:
        raise InputError("depth", depth, "give an integer >= 1")


def theorem1_bound(spectral_radius: float, depth: int) -> float:
    r"""Step size above which no equilibrium is stable, :math:`2/(L\lambda(R)^{2(L-1)/L})`.

    Source: Theorem 1. It assumes Sigma = I, R diagonalisable with real eigenvalues and initial
    matrices with R's eigenvectors; its proof needs those orthogonal. :func:`norm_bound` needs
    none of this and is never larger. A nilpotent R has radius 0 and no bound: infinity, for L > 1.
    """
    if spectral_radius == 0 and depth >= 1:
        return math.inf if depth > 1 else 2.0
    _check_matrix(spectral_radius, depth)
    return scaled_power(2.0 / depth, spectral_radius, -2.0 * (depth - 1) / depth)


def norm_sharpness(spectral_norm: float, depth: int, input_gain: float = 1.0) -> float:
    r"""Least top Hessian eigenvalue of any global minimum, :math:`L\|R\|_2^{2(L-1)/L}`.

    Theorem 1 corrected: true for every R, with the spectral norm for the spectral radius.

    Parameters
    ----------
    spectral_norm : float
        :math:`\|R\|_2`, or :math:`s=\|R\Sigma^{1/2}\|_2` where Sigma is not the identity.
    depth : int
    input_gain : float
        :math:`\|\Sigma^{1/2}v\|^2` with v the top right singular vector of
        :math:`R\Sigma^{1/2}`; 1 for Sigma = I. The bound is
        :math:`L(s^{2(L-1)}\|\Sigma^{1/2}v\|^2)^{1/L}`.
    """
    _check_matrix(spectral_norm, depth)
    return scaled_power(
        depth * float(input_gain ** (1.0 / depth)), spectral_norm, 2.0 * (depth - 1) / depth
    )


def norm_bound(spectral_norm: float, depth: int, input_gain: float = 1.0) -> float:
    r"""Step size above which no global minimum is stable, :math:`2/(L\|R\|_2^{2(L-1)/L})`.

    Theorem 1 corrected; the arguments are those of :func:`norm_sharpness`.
    """
    _check_matrix(spectral_norm, depth)
    return scaled_power(
        2.0 / (depth * float(input_gain ** (1.0 / depth))),
        spectral_norm,
        -2.0 * (depth - 1) / depth,
    )


def theorem2_step(size: float, depth: int) -> float:
    r"""Step size of Theorem 2, :math:`\min\{1, \lambda(R)^{-2(L-1)/L}\}/L`, from identity starts.

    With the spectral radius this is the printed theorem, true for symmetric R; with the spectral
    norm in its place it is the step that also serves R with non-orthogonal eigenvectors.
    """
    return min(1.0 / depth, 0.5 * theorem1_bound(size, depth))


def double_norm_bound(spectral_norm: float, depth: int) -> float:
    r"""Step size up to which a double network can be stable.

    :math:`2\cdot2^{(L-2)/L}/(L\|R\|_2^{2(L-1)/L})`. A pair can split the top singular value
    into two halves of opposite sign (Section 3.2, Figure 3); the factor :math:`2^{(L-2)/L}` over
    :func:`norm_bound` is what it gains. A heuristic that matches the measurements, not a theorem.
    """
    return float(2.0 ** ((depth - 2) / depth)) * norm_bound(spectral_norm, depth)
