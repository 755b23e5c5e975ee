"""Numbers on plots: short, exact enough, with the minus sign and powers of ten typeset."""

from __future__ import annotations

import math

from gui.widgets.format import count

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUFFIXES = ((10**12, "T"), (10**9, "G"), (10**6, "M"))


def power_of_ten(exponent: int) -> str:
    """Write 10 to a power: 10⁻⁵."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def number(value: float, digits: int = 5) -> str:
    """Write a number with `digits` significant digits: 1.4142, 12 345.7, 3.2100×10⁻⁵."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    size = abs(value)
    if value == int(value) and size < 1e9:
        return step(int(value))
    if 1e-4 <= size < 10 ** max(digits, 6):
        shown = f"{value:.{max(0, digits - 1 - math.floor(math.log10(size)))}f}"
        whole, dot, rest = shown.partition(".")
        return step(int(whole), negative=shown.startswith("-")) + dot + rest
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.replace('-', '−')}×{power_of_ten(int(exponent))}"


def short(value: float, digits: int = 4) -> str:
    """Write a number without trailing zeros: 0.55, 2, 3.2×10⁻⁵, 10¹²."""
    text = number(value, digits)
    mantissa, times, power = text.partition("×")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    if times and mantissa in ("1", "−1"):
        return mantissa[:-1] + power
    return mantissa + times + power


def step(value: int, negative: bool = False) -> str:
    """Write a whole number with thin spaces between thousands."""
    text = count(abs(value))
    return "−" + text if value < 0 or negative else text


def big_step(value: float, unit: int = 1) -> str:
    """Write a tick of the step axis: 20 000, 1.5 M; `unit` is the distance of the ticks."""
    whole = round(value)
    for scale, suffix in _SUFFIXES:
        if abs(whole) >= scale and unit * 100 >= scale:
            return f"{whole / scale:g}\u2009{suffix}".replace("-", "−")
    return step(whole)
