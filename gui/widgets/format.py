"""Numbers as short texts for labels."""

from __future__ import annotations

import math

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(number: int) -> str:
    """Write a whole number with thin spaces between thousands: 1 234 567."""
    return f"{number:,}".replace(",", "\u2009")


def rate(per_second: float) -> str:
    """Write a rate with three digits and a prefix: 31.4 M."""
    if not math.isfinite(per_second) or per_second <= 0:
        return "–"
    for scale, prefix in _PREFIXES:
        if per_second >= 0.9995 * scale:
            return f"{per_second / scale:.3g} {prefix}"
    return f"{per_second:.3g}"


def memory(amount: int) -> str:
    """Write a number of bytes as MB or GB (powers of ten)."""
    return f"{amount / 1e9:.2f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    """Write a time left: 42 s, 3 min 5 s, 2 h 10 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
