"""The scalar product network: Propositions 1 to 3."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from engine.core.errors import InputError
from engine.theory.floats import LOG2, check, exp, scaled_power

Vector = npt.NDArray[np.float64]


def root_minus_one(target: float, depth: int) -> float:
    """Signed distance |target|^(1/L) - 1, exact to rounding also for targets near 1."""
    check(target, depth, 1.0)
    return math.expm1(math.log(abs(target)) / depth)


def cofactors(weights: npt.ArrayLike) -> Vector:
    r"""Products of all weights but one, :math:`g_i = \prod_{j \ne i} w_j`.

    Computed from prefix and suffix products, so a weight may be zero.

    Parameters
    ----------
    weights : array_like, shape (..., L)

    Returns
    -------
    ndarray, shape (..., L)
    """
    w = np.asarray(weights, dtype=np.float64)
    prefix, suffix = np.ones(w.shape), np.ones(w.shape)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        np.cumprod(w[..., :-1], axis=-1, out=prefix[..., 1:])
        suffix[..., :-1] = np.cumprod(w[..., :0:-1], axis=-1)[..., ::-1]
        return prefix * suffix


def tied_cofactors(weights: npt.ArrayLike) -> Vector:
    """Compute :func:`cofactors`, equal in magnitude to the last bit for weights that are.

    Prefix times suffix rounds differently for each of several equal weights; here all of a class of
    equal magnitude take the value of its first, so that a gradient keeps them equal.

    Returns
    -------
    ndarray, shape (L,)
    """
    w = np.asarray(weights, dtype=np.float64)
    values = cofactors(w)
    if w.size < 3:  # single factors, without rounding
        return values
    sizes = np.abs(w)
    if len(set(sizes.tolist())) == w.size:
        return values
    _, first, inverse = np.unique(sizes, return_index=True, return_inverse=True)
    leader = first[inverse]
    return np.where(np.signbit(w) == np.signbit(w[leader]), values[leader], -values[leader])


def pair_cofactors(weights: npt.ArrayLike) -> Vector:
    r"""Compute the products of all weights but two, :math:`P_{ij}=\prod_{k\ne i,j}w_k`.

    They are the second derivatives of the product of all weights.

    Returns
    -------
    ndarray, shape (L, L)
        Symmetric, with 0 on the diagonal.
    """
    w = np.asarray(weights, dtype=np.float64)
    rows = np.tile(w, (w.size, 1))
    np.fill_diagonal(rows, 1.0)
    found = cofactors(rows)
    np.fill_diagonal(found, 0.0)
    return found


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
    return exp(log_sharpness(weights, input_power))


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
    return exp(LOG2 - log_sharpness(weights, input_power))


def balanced_sharpness(target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Least sharpness of any minimum, :math:`\sigma L |\lambda|^{2(L-1)/L}` (Proposition 1)."""
    check(target, depth, input_power)
    return scaled_power(input_power * depth, abs(target), 2.0 * (depth - 1) / depth)


def delta_max(target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Step size above which no minimum is stable, :math:`2/(\sigma L |\lambda|^{2(L-1)/L})`.

    Source: Proposition 1, with the absolute value of the target that the printed formula lacks.
    """
    check(target, depth, input_power)
    return scaled_power(2.0 / (input_power * depth), abs(target), -2.0 * (depth - 1) / depth)


def delta_c(target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Largest step size of Proposition 2, below which convergence from all ones is monotone.

    :math:`(L\sigma)^{-1}\lambda^{-2(L-1)/L}` for :math:`\lambda \ge 1` and
    :math:`(1-\lambda^{1/L})/(\sigma(1-\lambda))` for :math:`0 < \lambda < 1`. A negative target
    stands for the remark after the proposition (an odd number of -1): its magnitude counts.
    """
    check(target, depth, input_power)
    size = abs(target)
    if size >= 1.0:
        return scaled_power(1.0 / (input_power * depth), size, -2.0 * (depth - 1) / depth)
    log_size = math.log(size)
    return math.expm1(log_size / depth) / math.expm1(log_size) / input_power


def contraction(step_size: float, target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Complement :math:`1-\rho(\delta)` of the rate of Proposition 2, kept apart for precision."""
    check(target, depth, input_power)
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
    check(target, 1, input_power)
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


def zero_radius(step_size: float, target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Spectral radius of gradient descent's Jacobian at w = 0, an equilibrium that is no minimum.

    The Hessian there is :math:`-\sigma\lambda\prod_{k \ne i,j} w_k` off the diagonal and 0 on it:
    for L = 2 its eigenvalues are :math:`\pm\sigma\lambda` and the radius is
    :math:`1+\delta\sigma|\lambda|`, so 0 repels at every step size; for L >= 3 it vanishes, the
    Jacobian is the identity and terms of higher order decide. The sharpness is 0 in both cases.
    """
    check(target, depth, input_power)
    if depth < 2:
        raise InputError("depth", depth, "give an integer >= 2")
    return 1.0 + step_size * input_power * abs(target) if depth == 2 else 1.0


def bounded_level(
    weights: Vector, step_size: float, target: float, input_power: float = 1.0
) -> Vector:
    r"""Return where starts of two weights lie by the ellipse of bounded ones: inside below 1.

    With :math:`s=w_1+w_2`, :math:`d=w_1-w_2` and :math:`\eta=\delta\sigma` the level is
    :math:`u=\tfrac14\left(s^2/(2/\eta+\lambda)+d^2/(2/\eta-\lambda)\right)`, for
    :math:`0<\eta|\lambda|<2`. A step of plain gradient descent maps it to u' with
    :math:`u'-1=(u-1)\,g`, :math:`g=1+4u^2x^2-2cxu(1-2u)-c^2u(1-u)`, where :math:`c=\eta\lambda`
    and x is the cosine of twice the angle on the ellipse. As a quadratic in x, g has the
    discriminant :math:`4u^2(c^2-4)<0`: it is positive, so no step crosses the ellipse. On it the
    angle is tripled.

    Parameters
    ----------
    weights : ndarray, shape (..., 2)
    step_size, target, input_power

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    InputError
        If the step size times input power times target is not between -2 and 2, or 0.
    """
    gain = step_size * input_power
    if not 0.0 < gain * abs(target) < 2.0:
        raise InputError("step_size", step_size, "give δσ|λ| between 0 and 2")
    s, d = weights[..., 0] + weights[..., 1], weights[..., 0] - weights[..., 1]
    level = s * s / (2.0 / gain + target) + d * d / (2.0 / gain - target)
    return np.asarray(0.25 * level)


def bounded_ellipse(
    step_size: float, target: float, input_power: float = 1.0, points: int = 361
) -> Vector:
    """Return points on the border of bounded starts, shape (points, 2); see `bounded_level`."""
    gain = step_size * input_power
    if not 0.0 < gain * abs(target) < 2.0:
        raise InputError("step_size", step_size, "give δσ|λ| between 0 and 2")
    angle = np.linspace(0.0, 2.0 * np.pi, points)
    s = 2.0 * math.sqrt(2.0 / gain + target) * np.cos(angle)
    d = 2.0 * math.sqrt(2.0 / gain - target) * np.sin(angle)
    return np.stack([0.5 * (s + d), 0.5 * (s - d)], axis=-1)


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
