"""Arithmetic of number fields, without any widget: steps and slider scales."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.core.params import ParamSpec

FINEST_STEP = -9
"""Exponent of ten of the smallest step relative to a value's magnitude."""
USUAL_STEP = -2
"""Exponent of ten of the relative step of a button press without modifier keys."""
FINEST_SHOWN = -5
"""Exponent of the finest step that follows the digits shown."""

FAR = 20.0
"""A limit this many times beyond the numbers in use is no end for a slider."""

_EDGE = 0.02
"""Share of a track at each end from which a stretched range does not go back to the usual one."""


def step_by(value: float, count: int, exponent: int = USUAL_STEP, scale: float = 1.0) -> float:
    """Move a number by `count` steps of ``10**exponent`` times its magnitude.

    The magnitude is the power of ten at or below ``abs(value)``, or that of `scale` at zero. The
    sum is made in decimal digits, so that ten steps of 0.1 from 0 are 1 and not 0.9999999999999999.
    """
    exponent = max(exponent, FINEST_STEP)
    origin = Decimal(repr(float(value)))
    reference = origin if origin else Decimal(repr(float(scale) or 1.0))
    step = Decimal(1).scaleb(reference.adjusted() + exponent)
    if count * origin < 0 and abs(origin) == Decimal(1).scaleb(reference.adjusted()):
        step /= 10  # from 1 downward the next number of as many digits is 0.999
    return float(origin + count * step)


def shown_step(value: float) -> int:
    """Return the exponent, relative to the magnitude, of a step in the last digit that is shown.

    It is that of a usual step for numbers of fewer digits, and of so many that nobody sees the
    last.
    """
    last = 1 - len(Decimal(repr(float(value))).normalize().as_tuple().digits)
    return last if FINEST_SHOWN <= last < USUAL_STEP else USUAL_STEP


def clamp(spec: ParamSpec, value: float, previous: float) -> float:
    """Keep a stepped or dragged number within the limits of its field.

    A limit that is itself not allowed is never reached: `previous` is kept instead.
    """
    if not math.isfinite(value):
        return previous
    if spec.minimum is not None and value <= spec.minimum:
        value = previous if spec.exclusive_minimum else spec.minimum
    if spec.maximum is not None and value >= spec.maximum:
        value = previous if spec.exclusive_maximum else spec.maximum
    return value


@dataclass(frozen=True, slots=True)
class SliderScale:
    """A monotone map between the track of a slider, 0 to 1, and numbers from `low` to `high`."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def position(self, value: float) -> float:
        """Return the place of a number on the track, clipped to its ends."""
        if value <= self.low:
            return 0.0
        if value >= self.high:
            return 1.0
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return value / (self.high - self.low) - self.low / (self.high - self.low)

    def value(self, position: float, ticks: int) -> float:
        """Return the number at a place, with no more digits than `ticks` places can resolve."""
        if position <= 0:
            return self.low
        if position >= 1:
            return self.high
        raw = self._raw(position)
        if self.whole:
            return float(min(max(round(raw), self.low), self.high))
        gap = abs(self._raw(min(position + 1 / ticks, 1.0)) - raw)
        if gap <= 0:
            return raw
        digits = -math.floor(math.log10(gap))
        return min(max(round(raw, digits), self.low), self.high)

    def _raw(self, position: float) -> float:
        if self.log:
            return self.low * math.exp(position * math.log(self.high / self.low))
        return self.low + position * (self.high - self.low)

    def is_amidst(self, value: float) -> bool:
        """Return whether a number lies on the track, but for the outermost places."""
        return self.low <= value <= self.high and _EDGE <= self.position(value) <= 1 - _EDGE

    def contains(self, value: float) -> bool:
        """Return whether a number has a place of its own on the track."""
        return self.low <= value <= self.high


def slider_scale(spec: ParamSpec, value: float, marks: Iterable[float] = ()) -> SliderScale:
    """Choose the range of a field's slider so that its value and the marks are well apart.

    A field with both limits shows all that is allowed, unless marks say where things happen;
    an open end is put a decade or two beyond what must be seen.
    """
    whole = spec.kind == "int"
    known = [m for m in marks if math.isfinite(m) and (m > 0 or not spec.log)]
    if isinstance(spec.default, int | float) and not known:
        known = [float(spec.default)]
    if is_log(spec):
        scale = _log_scale(spec, value, known, whole)
    else:
        scale = _linear_scale(spec, value, known, whole)
    return scale


def usual_scale(spec: ParamSpec, marks: Iterable[float] = ()) -> SliderScale:
    """Return the range of a field's slider around its marks, or its default, alone."""
    known = [mark for mark in marks if math.isfinite(mark) and (mark > 0 or not spec.log)]
    default = float(spec.default) if isinstance(spec.default, int | float) else 1.0
    return slider_scale(spec, known[0] if known else default, known)


def is_log(spec: ParamSpec) -> bool:
    """Return whether a slider is logarithmic: where asked for, and for wide whole numbers."""
    if spec.kind == "int" and not spec.log:
        low, high = spec.minimum, spec.maximum
        return low is not None and low >= 1 and high is not None and high / low > 200
    return spec.log


def _log_scale(spec: ParamSpec, value: float, known: list[float], whole: bool) -> SliderScale:
    positive = [number for number in known if number > 0] or [1.0]
    if spec.minimum and spec.maximum and (whole or spec.maximum / spec.minimum <= 1e5):
        low, high = spec.minimum, spec.maximum
    else:
        low, high = min(positive) / 8, max(positive) * 4
        if len(known) == 1:
            low, high = known[0] / 1000, known[0] * 1000
        low, high = _widened(low, high, value)
    if spec.minimum is not None and spec.minimum > 0:
        low = max(low, _inside(spec, spec.minimum, +1))
    if spec.maximum is not None:
        high = min(high, _inside(spec, spec.maximum, -1))
    if whole:
        low, high = max(1.0, math.floor(low)), math.ceil(high)
    return SliderScale(low, max(high, low * 1.0001), log=True, whole=whole)


def _widened(low: float, high: float, value: float) -> tuple[float, float]:
    """Move an end of a logarithmic range, by whole decades, to take in a positive value."""
    if 0 < value <= low:
        low = 10.0 ** (math.floor(math.log10(value)) - 1) if value > 1e-300 else value
    elif value >= high:
        high = 10.0 ** (math.ceil(math.log10(value)) + 1) if value < 1e300 else value
    return low, high


def _linear_scale(spec: ParamSpec, value: float, known: list[float], whole: bool) -> SliderScale:
    usual = max([1.0, abs(value), *(abs(number) for number in known)])
    reach = _round_up(min(2 * usual, 1e300))
    low, high = -reach, reach
    if spec.minimum is not None and abs(spec.minimum) <= FAR * usual:
        low = _inside(spec, spec.minimum, +1)
        high = max(high, low + reach)
    if spec.maximum is not None and abs(spec.maximum) <= FAR * usual:
        high = _inside(spec, spec.maximum, -1)
        low = low if spec.minimum is not None or low < high else high - reach
    if whole:
        low, high = float(math.floor(low)), float(math.ceil(high))
    if not high > low:
        high = low + (1.0 if whole else max(1e-9, abs(low) * 1e-9))
    return SliderScale(low, high, log=False, whole=whole)


def _inside(spec: ParamSpec, limit: float, direction: int) -> float:
    """Return a limit, or the nearest number worth sliding to where the limit is not allowed."""
    exclusive = spec.exclusive_minimum if direction > 0 else spec.exclusive_maximum
    if not exclusive:
        return limit
    if spec.kind == "int":
        return limit + direction
    other = spec.maximum if direction > 0 else spec.minimum
    width = abs(other - limit) if other is not None else max(abs(limit), 1.0)
    return limit + direction * width / 1000


def _round_up(number: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten that is not smaller."""
    power: float = 10.0 ** math.floor(math.log10(number))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= number * 0.999999)
