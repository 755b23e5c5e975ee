"""Write numbers for people: thin spaces between thousands, a true minus sign, typeset powers.

``whole(1382)`` is ``1 382``, ``short(3.21e-5)`` is ``3.21×10⁻⁵``. `exact_text` writes what a field
is edited in. `engine.text.arithmetic` reads them all. Files for machines have Python's own digits.
"""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Decimal

from engine.text.scripts import raised

THIN = "\u2009"
"""What stands between thousands."""
MINUS = "−"
NONE = "—"
"""What stands in the place of a number that is not known."""
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def whole(number: int) -> str:
    """Return a whole number with thin spaces between thousands: 1 234 567."""
    return f"{number:,}".replace(",", THIN).replace("-", MINUS)


def power_of_ten(exponent: int) -> str:
    """Return 10 to a whole power: 10⁻⁵."""
    return "10" + raised(str(exponent))


def number(value: float, digits: int = 5) -> str:
    """Return a number with `digits` significant digits: 1.4142, 12 346, 3.2100×10⁻⁵.

    Whole numbers below 10⁹ are written in full.
    """
    if not math.isfinite(value):
        return NONE if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e9 and value == int(value):
        return whole(int(value))
    if 1e-4 <= size < 10 ** max(digits, 6):
        return fixed(value, max(0, digits - 1 - math.floor(math.log10(size))))
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.replace('-', MINUS)}×{power_of_ten(int(exponent))}"


def short(value: float | None, digits: int = 4) -> str:
    """Return a number without trailing zeros: 0.55, 2, 3.2×10⁻⁵, 10¹²; a dash for None."""
    if value is None:
        return NONE
    mantissa, times, power = number(value, digits).partition("×")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    if times and mantissa in ("1", f"{MINUS}1"):
        return mantissa[:-1] + power
    return mantissa + times + power


def short_below(value: float, digits: int = 4) -> str:
    """Return a number as `short` does, but never more than it: a bound that is proved."""
    if not math.isfinite(value) or value == 0 or (abs(value) < 1e9 and value == int(value)):
        return short(value, digits)
    exact = Decimal(value)
    unit = Decimal((0, (1,), exact.adjusted() - digits + 1))
    return short(float(exact.quantize(unit, ROUND_FLOOR)), digits)


def fixed(value: float, decimals: int) -> str:
    """Return a number with so many decimals, its thousands apart: 12 345.70; no minus zero."""
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace(",", THIN).replace("-", MINUS)


def exact_text(value: float | None, whole: bool = False) -> str:
    """Return a number in plain digits so that reading it gives the same bits; empty for None."""
    if value is None:
        return ""
    if whole:
        return str(int(value))
    text = repr(float(value))
    return text.removesuffix(".0") if "e" not in text else text


def rate(per_second: float) -> str:
    """Return a rate with three digits and a prefix: 31.4 M."""
    if not math.isfinite(per_second) or per_second <= 0:
        return NONE
    for scale, prefix in _PREFIXES:
        if per_second >= 0.9995 * scale:
            return f"{per_second / scale:.3g}{THIN}{prefix}"
    return f"{per_second:.3g}"


def memory(amount: int) -> str:
    """Return a number of bytes as MB or GB (powers of ten)."""
    return f"{amount / 1e9:.2f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    """Return a time left: 42 s, 3 min 5 s, 2 h 10 min."""
    total = max(0, round(seconds))
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600} h {total % 3600 // 60} min"
