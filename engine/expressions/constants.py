"""Named constants of a typed loss: values with the ranges of their sliders, in one text.

``lambda = 2; a = 0.5 in 0..3`` names two constants; what has no range gets one around its value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.errors import InputError
from engine.text.arithmetic import NumberError, name_key, read_number

MOST = 20
LARGEST = 1e12
_ENTRY = re.compile(
    r"\s*(?P<name>[^=\s]+)\s*=\s*(?P<value>[^=]+?)"
    r"(?:\s+in\s+(?P<low>.+?)\s*(?:\.\.\.?|…)\s*(?P<high>.+?))?\s*"
)
_RULE = "write such as a = 0.5 in 0..3, with semicolons between constants"


@dataclass(frozen=True, slots=True)
class Constant:
    """A named number, and the ends of its slider.

    Attributes
    ----------
    name : str
        As it was typed.
    value, low, high : float
        The value lies within the ends.
    """

    name: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write the constant as it is read."""
        return f"{self.name} = {_plain(self.value)} in {_plain(self.low)}..{_plain(self.high)}"


def unnamed(key: str) -> Constant:
    """Return the constant that a function uses and no text names."""
    return Constant(key, 1.0, -1.0, 3.0)


def read_constants(text: str, field: str = "constants") -> dict[str, Constant]:
    """Read constants by their keys, in the order of the text.

    Raises
    ------
    InputError
        If the text is of another form, a name occurs twice, a number is no number or too large, or
        a range does not hold its value.
    """
    found: dict[str, Constant] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        match = _ENTRY.fullmatch(part)
        key = name_key(match["name"]) if match is not None else ""
        if match is None or not key or key[0].isdigit():
            raise InputError(field, part, _RULE)
        if key in found:
            raise InputError(field, part, "name every constant once")
        found[key] = _constant(match, field, part)
        if len(found) > MOST:
            raise InputError(field, text, f"give at most {MOST} constants")
    return found


def _constant(match: re.Match[str], field: str, part: str) -> Constant:
    value = _number(match["value"], field, part)
    if match["low"] is None:
        reach = max(2.0 * abs(value), 1.0)
        return Constant(match["name"], value, value - reach, value + reach)
    low, high = (_number(match[end], field, part) for end in ("low", "high"))
    if not low <= value <= high or not low < high:
        raise InputError(field, part, "give a range that holds the value")
    return Constant(match["name"], value, low, high)


def _number(text: str, field: str, part: str) -> float:
    try:
        value = read_number(text)
    except NumberError as error:
        raise InputError(field, part, str(error)) from None
    if not (math.isfinite(value) and abs(value) <= LARGEST):
        raise InputError(field, part, f"give numbers up to {LARGEST:g} in size")
    return value


def write_constants(constants: Mapping[str, Constant]) -> str:
    """Write constants as `read_constants` reads them."""
    return "; ".join(map(str, constants.values()))


def with_value(text: str, key: str, value: float) -> str:
    """Return a text of constants with another value of one, its range widened to hold it."""
    found = read_constants(text)
    old = found.get(key) or unnamed(key)
    low, high = min(old.low, value), max(old.high, value)
    return write_constants({**found, key: Constant(old.name, value, low, high)})


def with_range(text: str, key: str, low: float, high: float) -> str:
    """Return a text of constants with another range of one; `read_constants` checks it."""
    found = read_constants(text)
    old = found.get(key) or unnamed(key)
    return write_constants({**found, key: Constant(old.name, old.value, low, high)})


def _plain(number: float) -> str:
    """Write a number with all its digits, whole ones without a point."""
    return repr(number).removesuffix(".0")
