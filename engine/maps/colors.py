"""Colours of maps: shades of one hue whose lightness runs evenly, and maps of numbers to colours.

Lightness and hue are those of Oklab (Ottosson 2020), in which equal distances look equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.palette import MAPS, RAMP, ROLES, SERIES

Table = NDArray[np.uint8]
"""Colours, shape (n, 3)."""

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_CONES, _FROM_LAB = np.linalg.inv(_TO_CONES), np.linalg.inv(_TO_LAB)
LEVELS = 256
"""Shades of a class, and colours of a map of numbers."""
_CYCLES = (4, 1, 5, 2, 0, 6)
"""Categories of periods 2 to 7; the next have them nearer to ink, the last nearer to the ground."""
_TOWARD_INK, _TOWARD_GROUND = 0.6, 0.45


class Palette(Protocol):
    """The colours by role that a picture is made of: a theme of the window, or `PAPER`."""

    @property
    def is_dark(self) -> bool:
        """Whether the ground is dark."""
        ...

    @property
    def surface(self) -> str:
        """The ground."""
        ...

    @property
    def text(self) -> str:
        """Text."""
        ...

    @property
    def muted(self) -> str:
        """Text of second rank."""
        ...

    @property
    def bound(self) -> str:
        """A limit of the theory."""
        ...

    @property
    def good(self) -> str:
        """What holds."""
        ...

    @property
    def bad(self) -> str:
        """What fails."""
        ...

    @property
    def series(self) -> tuple[str, ...]:
        """Categories."""
        ...

    @property
    def ramp(self) -> tuple[str, ...]:
        """Stops of the map for many lines."""
        ...

    @property
    def sequential(self) -> tuple[str, ...]:
        """Stops of the map for numbers."""
        ...

    @property
    def diverging(self) -> tuple[str, ...]:
        """Stops of the map for numbers of either sign."""
        ...

    @property
    def gray(self) -> tuple[str, ...]:
        """Stops from the ground to ink."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPalette:
    """The colours of a printed page."""

    is_dark: bool = False
    surface: str = "#ffffff"
    text: str = ROLES["text"]
    muted: str = ROLES["muted"]
    bound: str = ROLES["bound"]
    good: str = ROLES["good"]
    bad: str = ROLES["bad"]
    series: tuple[str, ...] = SERIES
    ramp: tuple[str, ...] = RAMP
    sequential: tuple[str, ...] = MAPS["sequential"]
    diverging: tuple[str, ...] = MAPS["diverging"]
    gray: tuple[str, ...] = MAPS["gray"]


PAPER = PaperPalette()


def channels(color: str) -> tuple[int, int, int]:
    """Return red, green and blue of ``#rrggbb``, 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def hexadecimal(color: Sequence[int] | Table) -> str:
    """Write red, green and blue as ``#rrggbb``."""
    red, green, blue = (int(value) for value in color)
    return f"#{red:02x}{green:02x}{blue:02x}"


def to_oklab(rgb: NDArray[np.generic]) -> FloatArray:
    """Convert colours of 0 to 255, shape (..., 3), to lightness (0 to 1), a and b of Oklab."""
    share = np.asarray(rgb, np.float64) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T)


def from_oklab(lab: FloatArray) -> Table:
    """Convert colours of Oklab, shape (..., 3), to 0 to 255; what no screen shows is clipped."""
    linear = np.clip((lab @ _FROM_LAB.T) ** 3 @ _FROM_CONES.T, 0.0, 1.0)
    share = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255.0 * share), np.uint8)


def mixed(one: str, other: str, share: float) -> str:
    """Return a colour between two, evenly to the eye: `share` 0 is the first, 1 the second."""
    a, b = to_oklab(np.array(channels(one))), to_oklab(np.array(channels(other)))
    return hexadecimal(from_oklab(a + share * (b - a)))


@cache
def shades(color: str, dark_ground: bool) -> Table:
    """Return shades of one hue, shape (`LEVELS`, 3): the first is nearest the ground.

    Lightness runs evenly; the colour itself is where its lightness has its place.
    """
    lightness, a, b = to_oklab(np.array(channels(color)))
    ends = (0.34, 0.90) if dark_ground else (0.90, 0.34)
    run = np.linspace(*ends, LEVELS)
    # Full colour at its own lightness, and less towards both ends, which stay within the gamut.
    reach = np.where(run > lightness, max(ends) - lightness, lightness - min(ends))
    fade = np.clip(np.abs(run - lightness) / np.maximum(reach, 0.05), 0.0, 1.0)
    keep = 1.0 - 0.55 * fade**1.5
    return from_oklab(np.stack([run, a * keep, b * keep], axis=1))


@cache
def color_map(stops: tuple[str, ...]) -> Table:
    """Interpolate equally spaced stops to `LEVELS` colours, evenly to the eye."""
    lab = to_oklab(np.array([channels(stop) for stop in stops]))
    at = np.linspace(0, len(stops) - 1, LEVELS)
    return from_oklab(np.stack([np.interp(at, range(len(stops)), lab[:, k]) for k in range(3)], 1))


def role_color(role: str, palette: Palette) -> str:
    """Return the colour of a class or curve by its role (`engine.maps.kind.CellClass`)."""
    if role.startswith("limit:"):
        return limit_color(int(role.partition(":")[2]), palette)
    if role.startswith("cycle:"):
        return cycle_color(int(role.partition(":")[2]), palette)
    if role.isdigit():
        return palette.series[(int(role) - 1) % len(palette.series)]
    if role.startswith("#"):
        return role
    named = {
        "good": palette.good,
        "bad": palette.bad,
        "bound": palette.bound,
        "muted": palette.muted,
        "ramp": palette.ramp[len(palette.ramp) // 2],
    }
    return named.get(role, palette.text)


def limit_color(index: int, palette: Palette) -> str:
    """Return the colour of one of several limits: the categories', then steps along the ramp."""
    usual = palette.series[:7]  # the eighth is the grey of what is undecided
    if index < len(usual):
        return usual[index]
    table = color_map(palette.ramp)
    golden = ((index - len(usual)) * 0.6180339887 + 0.11) % 1.0
    return hexadecimal(table[round(golden * (LEVELS - 1))])


def cycle_color(period: int, palette: Palette) -> str:
    """Return the colour of cycles of a period from 2 to 19; no two are the same."""
    place, depth = (period - 2) % len(_CYCLES), (period - 2) // len(_CYCLES)
    color = palette.series[_CYCLES[place]]
    if depth == 0:
        return color
    if depth == 1:
        return mixed(color, palette.text, _TOWARD_INK)
    return mixed(color, palette.surface, _TOWARD_GROUND)
