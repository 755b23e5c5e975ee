"""The double scalar network: equations (9a) and (9b)."""

from __future__ import annotations

import math
from typing import NamedTuple

from engine.theory.floats import check, scaled_power


class DoublePoint(NamedTuple):
    """A point of the symmetric double scalar network: equal weights w and equal weights z."""

    w: float
    z: float


def double_invariant(w: float, z: float, depth: int) -> float:
    r"""Constant of the gradient flow of (9a, b): :math:`w^{2-L}+z^{2-L}`, or :math:`wz` for L = 2.

    It is 2 (1 for L = 2) from the start w = z = 1, and ``inf`` beyond the range of a float.
    """
    if depth == 2:
        return w * z
    try:
        return float(w ** (2 - depth) + z ** (2 - depth))
    except OverflowError:
        return math.inf


def double_flow_limit(target: float, depth: int) -> DoublePoint:
    r"""Minimum :math:`w^L-z^L=\lambda` that the gradient flow of (9a, b) reaches from w = z = 1.

    The limit of gradient descent for vanishing step sizes; found by bisection on log w, to
    rounding.
    """
    check(target, depth, 1.0)
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
    if depth == 1:  # of a weight that is 0, too
        return 2.0 * input_power
    return scaled_power(input_power * depth, abs(w), 2.0 * depth - 2.0) + (
        scaled_power(input_power * depth, abs(z), 2.0 * depth - 2.0) if z != 0 else 0.0
    )


def double_bound(target: float, depth: int, input_power: float = 1.0) -> float:
    """Largest step size that keeps the double network at its flow limit, 2 / sharpness there."""
    point = double_flow_limit(target, depth)
    value = double_sharpness(point.w, point.z, depth, input_power)
    return 2.0 / value if value > 0 else math.inf


def double_least_sharpness(target: float, depth: int, input_power: float = 1.0) -> float:
    r"""Least sharpness of any minimum of the double scalar network.

    By the inequality of the means over the layers it is :math:`\sigma L(|w|^{2(L-1)/L} +
    |z|^{2(L-1)/L})` of the two products at least, whose difference is the target. The power is at
    least 1 for L >= 2, so the least is where both share it, half each with opposite signs: at
    :math:`2\sigma L|\lambda/2|^{2(L-1)/L}`. Equal layers of even depth cannot have the signs, but
    unequal signs in the layers can.
    """
    check(target, depth, input_power)
    return scaled_power(2.0 * input_power * depth, 0.5 * abs(target), 2.0 * (depth - 1) / depth)
