"""The formats of figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")
DPI = 200
"""Pixels per inch of a PNG figure where nothing else is asked for."""


def formats(names: Iterable[str]) -> tuple[Format, ...]:
    """Return the formats among some names, in their order."""
    return tuple(kind for name in names for kind in FORMATS if kind == name)
