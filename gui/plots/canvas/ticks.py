"""Where an axis has its ticks and how they read; a log axis is measured in powers of ten."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from engine.text.numbers import MINUS, THIN, fixed, power_of_ten, whole

CROWDED = 1.8
"""Multiple of the usual number of labels that may stand where otherwise only one or two would."""
_SUFFIXES = ((10**12, "T"), (10**9, "G"), (10**6, "M"))
_STEPS = (1.0, 2.0, 5.0, 10.0)
_DECADE_PARTS = {1: (1.0,), 2: (1.0, 3.0), 3: (1.0, 2.0, 5.0)}


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of an axis.

    Attributes
    ----------
    places : tuple of float
        Where labelled ticks are, in axis coordinates (powers of ten on a log axis).
    labels : tuple of str
        What stands there.
    minor : tuple of float
        Where unlabelled lines are.
    common : str
        What all labels are to be read with ("×10⁻⁵", "+ 1.4142"), or empty.
    """

    places: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    minor: tuple[float, ...] = field(default=())
    common: str = ""


def step_label(value: float, unit: int = 1) -> str:
    """Return a tick of the step axis: 20 000, 1.5 M; `unit` is the distance of the ticks."""
    step = round(value)
    for scale, suffix in _SUFFIXES:
        if abs(step) >= scale and unit * 100 >= scale:
            return f"{step / scale:g}{THIN}{suffix}".replace("-", MINUS)
    return whole(step)


def nice_step(span: float, count: float) -> float:
    """Return the round distance (1, 2 or 5 times a power of ten) of about `count` ticks."""
    raw = span / max(count, 1.0)
    scale = 10.0 ** math.floor(math.log10(raw))
    return next(scale * factor for factor in _STEPS if scale * factor >= raw * (1 - 1e-9))


def linear_ticks(low: float, high: float, count: float, *, steps: bool = False) -> Ticks:
    """Place ticks on a linear axis.

    Parameters
    ----------
    low, high : float
        Finite ends of the axis, low < high.
    count : float
        About how many labels there is room for.
    steps : bool
        Whether the axis counts steps, so that ticks are whole numbers.
    """
    distance = _distance(low, high, count)
    if steps:
        distance = max(1.0, distance)
    first, last = _first_and_last(low, high, distance)
    if last - first > 50 or abs(first) > 1e15:  # finer than numbers can be distinguished
        return Ticks()
    places = tuple(index * distance for index in range(first, last + 1))
    if steps:
        return Ticks(places, tuple(step_label(place, int(distance)) for place in places))
    labels, common = _linear_labels(places, distance)
    return Ticks(places, labels, (), common)


def _distance(low: float, high: float, count: float) -> float:
    """Choose a distance of about `count` ticks; a finer one where fewer than three would show."""
    distance = nice_step(high - low, count)
    first, last = _first_and_last(low, high, distance)
    if last - first >= 2:
        return distance
    finer = nice_step(high - low, CROWDED * count)
    first, last = _first_and_last(low, high, finer)
    return finer if last - first < CROWDED * count else distance


def _first_and_last(low: float, high: float, distance: float) -> tuple[int, int]:
    """Return the first and last multiple of a distance on an axis."""
    return math.ceil(low / distance - 1e-9), math.floor(high / distance + 1e-9)


def _linear_labels(places: tuple[float, ...], distance: float) -> tuple[tuple[str, ...], str]:
    largest = max((abs(place) for place in places), default=0.0)
    if largest == 0:
        return tuple("0" for _ in places), ""
    exponent = math.floor(math.log10(largest) + 1e-9)
    decimals = max(0, -math.floor(math.log10(distance) + 1e-9))
    if exponent - math.floor(math.log10(distance) + 1e-9) >= 6:  # zoomed far into a number
        base = math.floor(places[0] / distance) * distance
        shifted = tuple((place - base) for place in places)
        labels, common = _linear_labels(shifted, distance)
        return labels, f"{common} + {fixed(base, decimals)}".replace("+ −", "− ").strip()
    if exponent >= 5 or exponent <= -4:
        scale = 10.0**exponent
        decimals = max(0, exponent - math.floor(math.log10(distance) + 1e-9))
        return (
            tuple(fixed(place / scale, decimals) for place in places),
            "×" + power_of_ten(exponent),
        )
    return tuple(fixed(place, decimals) for place in places), ""


def log_ticks(low: float, high: float, count: float, *, steps: bool = False) -> Ticks:
    """Place ticks on a log axis between 10**low and 10**high.

    Decades, every so many of them if they are many, and parts of a decade if they are few.
    """
    span = high - low
    if span < 0.35:
        return _within_decade(low, high, count, steps)
    if span <= 1.6:
        parts = _DECADE_PARTS[3 if count >= 4 else 2]
        places = [
            decade + math.log10(part)
            for decade in range(math.floor(low), math.ceil(high) + 1)
            for part in parts
        ]
        inside = tuple(place for place in places if low - 1e-9 <= place <= high + 1e-9)
        return Ticks(inside, tuple(_power(place) for place in inside), _minor(low, high))
    every = max(1, math.ceil(span / max(count, 1.0) - 1e-9))
    every = next((step for step in (1, 2, 3, 5, 10, 20, 50, 100, 200) if step >= every), every)
    first, last = math.ceil(low / every - 1e-9), math.floor(high / every + 1e-9)
    decades = tuple(float(index * every) for index in range(first, last + 1))
    minor = _minor(low, high) if span <= min(4.0, 1.2 * count) else ()
    return Ticks(decades, tuple(_power(place) for place in decades), minor)


def _within_decade(low: float, high: float, count: float, steps: bool) -> Ticks:
    ends = 10.0**low, 10.0**high
    if not ends[0] < ends[1]:
        return Ticks()
    plain = linear_ticks(*ends, count, steps=steps)
    kept = [(math.log10(p), text) for p, text in zip(plain.places, plain.labels, strict=True) if p]
    return Ticks(tuple(p for p, _ in kept), tuple(text for _, text in kept), (), plain.common)


def _minor(low: float, high: float) -> tuple[float, ...]:
    return tuple(
        decade + math.log10(part)
        for decade in range(math.floor(low), math.ceil(high))
        for part in range(2, 10)
        if low <= decade + math.log10(part) <= high
    )


def _power(place: float) -> str:
    exponent = round(place)
    if abs(place - exponent) < 1e-6:
        plain = {-2: "0.01", -1: "0.1", 0: "1", 1: "10", 2: "100", 3: whole(1000)}
        return plain.get(exponent, power_of_ten(exponent))
    decade = math.floor(place)
    part = round(10.0 ** (place - decade))
    if -3 <= decade <= 3:
        return fixed(part * 10.0**decade, max(0, -decade))
    return f"{part}×{power_of_ten(decade)}"
