"""The map of equal weights that the scalar product network makes of itself."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.core.errors import InputError
from engine.theory.floats import check

Vector = npt.NDArray[np.float64]


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
    check(target, 2, input_power)
    if target < 0:
        raise InputError("target", target, "give a number > 0")
    scale = 1.0 / (input_power * target)
    return CubicThresholds(
        scale, (math.sqrt(5.0) - 1.0) * scale, (1.5 * math.sqrt(3.0) - 1.0) * scale, 2.0 * scale
    )
