"""Powers that leave the range of a float, and the check of the scalar networks' arguments."""

from __future__ import annotations

import math

from engine.core.errors import InputError

LOG2 = math.log(2.0)


def check(target: float, depth: int, input_power: float) -> None:
    """Refuse a target, depth or input power outside the theory, by an InputError."""
    if not math.isfinite(target) or target == 0:
        raise InputError("target", target, "give a finite number other than 0")
    if depth < 1:
        raise InputError("depth", depth, "give an integer >= 1")
    if not math.isfinite(input_power) or input_power <= 0:
        raise InputError("input_power", input_power, "give a finite number > 0")


def exp(exponent: float) -> float:
    """Return e to a power, ``inf`` where a float cannot hold it."""
    return math.exp(exponent) if exponent < 709.78 else math.inf


def scaled_power(scale: float, base: float, exponent: float) -> float:
    """Return ``scale * base**exponent`` for positive arguments, by logarithms where it must be."""
    try:
        power = float(base**exponent)
    except OverflowError:
        power = math.inf
    direct = scale * power
    if 1e-300 < power < 1e300 and 1e-300 < direct < 1e300:
        return direct
    return exp(math.log(scale) + exponent * math.log(base))
