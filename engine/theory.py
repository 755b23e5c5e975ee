r"""The paper's stability bounds as pure functions, one per proposition or theorem.

Source: Nar and Sastry, "Residual Networks: Lyapunov Stability and Convex Decomposition" (2018).
Symbols: step size :math:`\delta` ``step_size``, target :math:`\lambda` ``target``, input power
:math:`\sigma` (mean of :math:`x_i^2`) ``input_power``, depth :math:`L` ``depth``.

Everything is finite-precision aware: roots near 1 through ``expm1``, powers that leave the range
of a float through logarithms. A bound too large for a float is ``inf``, one too small is ``0.0``.
Where the printed statement needs a correction, both versions are here and say which they are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import InputError

Vector = npt.NDArray[np.float64]

_LOG2 = math.log(2.0)


def _check(target: float, depth: int, input_power: float) -> None:
    if not math.isfinite(target) or target == 0:
        raise InputError("target", target, "give a finite number other than 0")
    if depth < 1:
        raise InputError("depth", depth, "give an integer >= 1")
    if not math.isfinite(input_power) or input_power <= 0:
        raise InputError("input_power", input_power, "give a finite number > 0")


def _exp(exponent: float) -> float:
    """Return e to a power, ``inf`` where a float cannot hold it."""
    return math.exp(exponent) if exponent < 709.78 else math.inf


def _scaled_power(scale: float, base: float, exponent: float) -> float:
    """Return ``scale * base**exponent`` for positive arguments, by logarithms where it must be."""
    try:
        power = float(base**exponent)
    except OverflowError:
        power = math.inf
    direct = scale * power
    if 1e-300 < power < 1e300 and 1e-300 < direct < 1e300:
        return direct
    return _exp(math.log(scale) + exponent * math.log(base))


# -- the single scalar network: Propositions 1 to 3 -------------------------------------------


def root_magnitude(target: float, depth: int) -> float:
    """Magnitude of every weight at the balanced minima, |target|^(1/L) (Proposition 1)."""
    _check(target, depth, 1.0)
    return float(abs(target) ** (1.0 / depth))


def root_minus_one(target: float, depth: int) -> float:
    """Signed distance |target|^(1/L) - 1, exact to rounding also for targets near 1."""
    _check(target, depth, 1.0)
    return math.expm1(math.log(abs(target)) / depth)


def cofactors(weights: npt.ArrayLike) -> Vector:
    r"""Products of all weights but one, :math:`g_i = \prod_{j \ne i} w_j`.

    Computed from prefix and suffix products, so a weight may be zero.

    Parameters
    ----------
    weights : array_like, shape (L,)

    Returns
    -------
    ndarray, shape (L,)
    """
    w = np.asarray(weights, dtype=np.float64)
    prefix = np.ones(w.size)
    suffix = np.ones(w.size)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        np.cumprod(w[:-1], out=prefix[1:])
        suffix[:-1] = np.cumprod(w[:0:-1])[::-1]
        return prefix * suffix


def log_sharpness(weights: npt.ArrayLike, input_power: float = 1.0) -> float:
    r"""Logarithm of :func:`sharpness`; finite where the sharpness itself leaves the float range.

    Returns ``-inf`` where two or more weights are zero.
    """
    w = np.abs(np.asarray(weights, dtype=np.float64))
    zeros = np.flatnonzero(w == 0)
    if zeros.size > 1:
        return -math.inf
    if zeros.size == 1:
        others = np.delete(w, zeros[0])
        return math.log(input_power) + 2.0 * math.fsum(np.log(others))
    logs = np.log(w)
    terms = 2.0 * (math.fsum(logs) - logs)
    top = float(np.max(terms))
    with np.errstate(under="ignore"):
        return math.log(input_power) + top + math.log(float(np.sum(np.exp(terms - top))))


def sharpness(weights: npt.ArrayLike, input_power: float = 1.0) -> float:
    r"""Sharpness :math:`S = \sigma \sum_i \prod_{j \ne i} w_j^2` of the scalar network.

    At a minimum this is the only nonzero eigenvalue of the Hessian (proof of Proposition 1);
    elsewhere it is the Gauss-Newton part of it.

    Parameters
    ----------
    weights : array_like, shape (L,)
    input_power : float
        Mean of the squared inputs, sigma.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        g = cofactors(weights)
        direct = input_power * float(np.dot(g, g))
    if 1e-290 < direct < 1e290:
        return direct
    return _exp(log_sharpness(weights, input_power))


def equilibrium_bound(weights: npt.ArrayLike, input_power: float = 1.0) -> float:
    r"""Largest step size at which a minimum can be stable, :math:`2/S` (Proposition 1, bound (1)).

    Parameters
    ----------
    weights : array_like, shape (L,)
        An equilibrium with :math:`\prod_i w_i = \lambda`; any point is accepted.
    input_power : float
        Mean of the squared inputs, sigma.

    Returns
    -------
    float
        ``inf`` where the sharpness is zero.
    """
    value = sharpness(weights, input_power)
    if 0.0 < value < math.inf:
        return 2.0 / value
    return _exp(_LOG2 - log_sharpness(weights, input_power))


def balanced_sharpness(target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Least sharpness of any minimum, :math:`\sigma L |\lambda|^{2(L-1)/L}` (Proposition 1)."""
    _check(target, depth, input_power)
    return _scaled_power(input_power * depth, abs(target), 2.0 * (depth - 1) / depth)


def delta_max(target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Step size above which no minimum is stable, :math:`2/(\sigma L |\lambda|^{2(L-1)/L})`.

    Source: Proposition 1, with the absolute value of the target that the printed formula lacks.
    """
    _check(target, depth, input_power)
    return _scaled_power(2.0 / (input_power * depth), abs(target), -2.0 * (depth - 1) / depth)


def delta_c(target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Largest step size of Proposition 2, below which convergence from all ones is monotone.

    :math:`(L\sigma)^{-1}\lambda^{-2(L-1)/L}` for :math:`\lambda \ge 1` and
    :math:`(1-\lambda^{1/L})/(\sigma(1-\lambda))` for :math:`0 < \lambda < 1`. A negative target
    stands for the remark after the proposition (an odd number of -1): its magnitude counts.
    """
    _check(target, depth, input_power)
    size = abs(target)
    if size >= 1.0:
        return _scaled_power(1.0 / (input_power * depth), size, -2.0 * (depth - 1) / depth)
    log_size = math.log(size)
    return math.expm1(log_size / depth) / math.expm1(log_size) / input_power


def contraction(step_size: float, target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Complement :math:`1-\rho(\delta)` of the rate of Proposition 2, kept apart for precision."""
    _check(target, depth, input_power)
    size = abs(target)
    if size > 1.0:
        log_size = math.log(size)
        growth = math.expm1(log_size) / math.expm1(log_size / depth)
        return step_size * input_power * growth
    return step_size * balanced_sharpness(target, depth, input_power)


def rate(step_size: float, target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Rate :math:`\rho(\delta)` of Proposition 2.

    :math:`1-\delta\sigma(\lambda-1)/(\lambda^{1/L}-1)` for :math:`\lambda > 1`,
    :math:`1-\delta\sigma L\lambda^{2(L-1)/L}` for :math:`\lambda < 1`, and their common limit
    :math:`1-\delta\sigma L` at :math:`\lambda = 1`, which the paper leaves out. It is a rate of
    convergence for 0 < ``step_size`` <= :func:`delta_c` only; the formula's value is returned
    for any step size.
    """
    return 1.0 - contraction(step_size, target, depth, input_power)


def envelope(
    steps: npt.ArrayLike, step_size: float, target: float, depth: int, input_power: float = 1.0
) -> Vector:
    r"""Bound :math:`\rho(\delta)^k|1-|\lambda|^{1/L}|` on the distance of each weight to the root.

    Source: Proposition 2, from all ones (or an odd number of -1 for a negative target).

    Parameters
    ----------
    steps : array_like of int
        Steps k, any shape.
    step_size : float
        In (0, :func:`delta_c`].

    Raises
    ------
    InputError
        Where the step size lies outside the proposition.
    """
    limit = delta_c(target, depth, input_power)
    if not 0.0 < step_size <= limit * (1.0 + 1e-12):
        raise InputError("step_size", step_size, f"give a number > 0 and <= {limit:.17g}")
    k = np.asarray(steps, dtype=np.float64)
    start = abs(root_minus_one(target, depth))
    drop = contraction(step_size, target, depth, input_power)
    if drop >= 1.0:
        return np.where(k == 0, start, 0.0)
    with np.errstate(under="ignore"):
        return np.asarray(start * np.exp(k * math.log1p(-drop)), dtype=np.float64)


def zero_threshold(target: float, input_power: float = 1.0) -> float:
    r"""Step size of Proposition 3, :math:`1/(\sigma(1-\lambda))` for a negative target.

    Up to here all weights started at 1 sink to 0 for every L >= 2; at it, they reach 0 in one
    step. For L = 1 the proposition is false: 0 is no equilibrium and the weight goes to the target.
    """
    _check(target, 1, input_power)
    if target > 0:
        raise InputError("target", target, "give a number < 0")
    return 1.0 / (input_power * (1.0 - target))


def zero_limit(target: float, depth: int, input_power: float = 1.0) -> float:
    """Step size up to which all weights started at 1 are known to end at 0 (corrected Prop. 3).

    For even L the map is odd and the weights reach 0 with alternating signs up to twice
    :func:`zero_threshold`, exclusive; for odd L >= 3 the threshold of the paper stands.
    """
    if depth < 2:
        raise InputError("depth", depth, "give an integer >= 2")
    threshold = zero_threshold(target, input_power)
    return 2.0 * threshold if depth % 2 == 0 else threshold


def zero_decay(
    steps: npt.ArrayLike, step_size: float, target: float, depth: int, input_power: float = 1.0
) -> Vector:
    r"""Asymptotic size of the symmetric weights that sink to 0 (Proposition 3).

    :math:`(\delta\sigma|\lambda|(L-2)k)^{-1/(L-2)}` for L >= 3, slower than exponential;
    :math:`(1-\delta\sigma|\lambda|)^k` for L = 2.
    """
    if depth < 2:
        raise InputError("depth", depth, "give an integer >= 2")
    k = np.asarray(steps, dtype=np.float64)
    gain = step_size * input_power * abs(target)
    if depth == 2:
        return np.asarray(np.abs(1.0 - gain) ** k, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray((gain * (depth - 2) * k) ** (-1.0 / (depth - 2)), dtype=np.float64)


# -- the symmetric map ------------------------------------------------------------------------


def symmetric_map(
    weight: npt.ArrayLike, step_size: float, target: float, depth: int, input_power: float = 1.0
) -> Vector:
    r"""One step of the map of equal weights, :math:`w - \delta\sigma w^{L-1}(w^L-\lambda)`."""
    w = np.asarray(weight, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        power = w ** (depth - 1)
        return np.asarray(w - step_size * input_power * power * (power * w - target))


def symmetric_slope(
    weight: npt.ArrayLike, step_size: float, target: float, depth: int, input_power: float = 1.0
) -> Vector:
    """Slope of :func:`symmetric_map`; its product along an orbit is the orbit's multiplier."""
    w = np.asarray(weight, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        slope = (2 * depth - 1) * w ** (2 * depth - 2)
        if depth > 1:
            slope = slope - (depth - 1) * target * w ** (depth - 2)
        return np.asarray(1.0 - step_size * input_power * slope)


class CubicThresholds(NamedTuple):
    """Step sizes at which the symmetric L = 2 network changes its behaviour."""

    period_two: float
    period_four: float
    sign_change: float
    divergence: float


def cubic_thresholds(target: float, input_power: float = 1.0) -> CubicThresholds:
    r"""Thresholds of the symmetric L = 2 network.

    It is a cubic map with :math:`a = 1+\delta\sigma\lambda`, whose behaviour changes at a = 2
    (period 2), sqrt 5 (period 4), 3 sqrt 3 / 2 (orbits reach negative weights) and 3
    (divergence), for every positive target.
    """
    _check(target, 2, input_power)
    if target < 0:
        raise InputError("target", target, "give a number > 0")
    scale = 1.0 / (input_power * target)
    return CubicThresholds(
        scale, (math.sqrt(5.0) - 1.0) * scale, (1.5 * math.sqrt(3.0) - 1.0) * scale, 2.0 * scale
    )


# -- the matrix networks: Theorems 1 and 2, Figure 3 ------------------------------------------


def _check_matrix(size: float, depth: int) -> None:
    if not math.isfinite(size) or size <= 0:
        raise InputError("target", size, "give a matrix of finite norm > 0")
    if depth < 1:
        raise InputError("depth", depth, "give an integer >= 1")


def theorem1_bound(spectral_radius: float, depth: int) -> float:
    r"""Step size above which no equilibrium is stable, :math:`2/(L\lambda(R)^{2(L-1)/L})`.

    Source: Theorem 1. It assumes Sigma = I, R diagonalisable with real eigenvalues and initial
    matrices with R's eigenvectors; its proof needs those orthogonal. :func:`norm_bound` needs
    none of this and is never larger.
    """
    _check_matrix(spectral_radius, depth)
    return _scaled_power(2.0 / depth, spectral_radius, -2.0 * (depth - 1) / depth)


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
    return _scaled_power(
        depth * float(input_gain ** (1.0 / depth)), spectral_norm, 2.0 * (depth - 1) / depth
    )


def norm_bound(spectral_norm: float, depth: int, input_gain: float = 1.0) -> float:
    r"""Step size above which no global minimum is stable, :math:`2/(L\|R\|_2^{2(L-1)/L})`.

    Theorem 1 corrected; the arguments are those of :func:`norm_sharpness`.
    """
    _check_matrix(spectral_norm, depth)
    return _scaled_power(
        2.0 / (depth * float(input_gain ** (1.0 / depth))),
        spectral_norm,
        -2.0 * (depth - 1) / depth,
    )


def theorem2_step(size: float, depth: int) -> float:
    r"""Step size of Theorem 2, :math:`\min\{1, \lambda(R)^{-2(L-1)/L}\}/L`, from identity starts.

    With the spectral radius this is the printed theorem, true for symmetric R; with the spectral
    norm in its place it is the step that also serves R with non-orthogonal eigenvectors.
    """
    _check_matrix(size, depth)
    return min(1.0 / depth, 0.5 * theorem1_bound(size, depth))


def double_norm_bound(spectral_norm: float, depth: int) -> float:
    r"""Step size up to which a double network can be stable.

    :math:`2\cdot2^{(L-2)/L}/(L\|R\|_2^{2(L-1)/L})`. A pair can split the top singular value
    into two halves of opposite sign (Section 3.2, Figure 3); the factor :math:`2^{(L-2)/L}` over
    :func:`norm_bound` is what it gains. A heuristic that matches the measurements, not a theorem.
    """
    return float(2.0 ** ((depth - 2) / depth)) * norm_bound(spectral_norm, depth)


# -- the double scalar network: equations (9a), (9b) ------------------------------------------


class DoublePoint(NamedTuple):
    """A point of the symmetric double scalar network: equal weights w and equal weights z."""

    w: float
    z: float


def double_invariant(w: float, z: float, depth: int) -> float:
    r"""Constant of the gradient flow of (9a, b): :math:`w^{2-L}+z^{2-L}`, or :math:`wz` for L = 2.

    It is 2 (1 for L = 2) from the start w = z = 1.
    """
    if depth == 2:
        return w * z
    return float(w ** (2 - depth) + z ** (2 - depth))


def double_flow_limit(target: float, depth: int) -> DoublePoint:
    r"""Minimum :math:`w^L-z^L=\lambda` that the gradient flow of (9a, b) reaches from w = z = 1.

    The limit of gradient descent for vanishing step sizes; found by bisection on log w, to
    rounding.
    """
    _check(target, depth, 1.0)
    if target < 0:
        w, z = double_flow_limit(-target, depth)
        return DoublePoint(z, w)
    if depth == 1:
        return DoublePoint(1.0 + 0.5 * target, 1.0 - 0.5 * target)
    if depth == 2:
        log_w = 0.5 * math.asinh(0.5 * target)
        return DoublePoint(math.exp(log_w), math.exp(-log_w))
    low, high = 0.0, math.log1p(target) / depth
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        above = math.expm1(depth * middle) - math.expm1(depth * _log_partner(middle, depth))
        if above > target:
            high = middle
        else:
            low = middle
    return DoublePoint(math.exp(high), math.exp(_log_partner(high, depth)))


def _log_partner(log_w: float, depth: int) -> float:
    """Return log z of the invariant's curve through (1, 1), for w >= 1 and L >= 3."""
    return math.log1p(-math.expm1((2 - depth) * log_w)) / (2 - depth)


def double_sharpness(w: float, z: float, depth: int, input_power: float = 1.0) -> float:
    r"""Sharpness of the double network at a symmetric minimum.

    :math:`\sigma L(w^{2L-2}+z^{2L-2})`, the only nonzero eigenvalue of its Hessian.
    """
    return _scaled_power(input_power * depth, abs(w), 2.0 * depth - 2.0) + (
        _scaled_power(input_power * depth, abs(z), 2.0 * depth - 2.0) if z != 0 else 0.0
    )


def double_bound(target: float, depth: int, input_power: float = 1.0) -> float:
    """Largest step size that keeps the double network at its flow limit, 2 / sharpness there."""
    point = double_flow_limit(target, depth)
    value = double_sharpness(point.w, point.z, depth, input_power)
    return 2.0 / value if value > 0 else math.inf


# -- least squares (Section 2) ----------------------------------------------------------------


def least_squares_bound(top_eigenvalue: float) -> float:
    r"""Critical step size :math:`2/\lambda_{\max}(XX^\top)` of least squares."""
    if not math.isfinite(top_eigenvalue) or top_eigenvalue <= 0:
        raise InputError("data", top_eigenvalue, "give points that are not all zero")
    return 2.0 / top_eigenvalue
