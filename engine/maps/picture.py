"""Pictures of maps: what is known of the cells, as colours with a legend, for a theme or paper.

Classes have colours that are distinct with every kind of colour blindness; a field that shades a
class runs from near the ground to far from it. Undecided cells are grey and hatched, and cells that
are not computed yet are the ground.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.maps.colors import (
    LEVELS,
    Palette,
    Table,
    channels,
    color_map,
    from_oklab,
    hexadecimal,
    mixed,
    role_color,
    shades,
    to_oklab,
)
from engine.maps.kind import CellClass, CellField

Rgba = NDArray[np.uint8]
"""Pixels, shape (rows, columns, 4), not multiplied by their opacity; row 0 has the least y."""
Arrays = Mapping[str, NDArray[Any]]
"""Fields by name, each of shape (rows, columns) or (rows, columns, width)."""

CLASSES = "outcome"
"""Layer of the classes, and the field that holds their codes."""
POINTS = "points"
"""Layer of an orbit diagram, and the field that holds the points of each column."""
NOT_YET = 255
"""Code of a cell that is not computed yet."""
HATCHED = "muted"
"""Role of classes of which nothing is known."""
HATCH = 6
"""Pixels of a picture between the lines of the hatching."""
_MOST = 20_000
"""Values, evenly spread, that decide on the ends of colours where there are more."""
_TAILS = 0.5
"""Percent of the values at either end of a field that do not stretch its colours."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Colours for numbers: what lies between two values.

    Attributes
    ----------
    label : str
        May hold mathtext.
    low, high : float
        Values of the first and the last colour.
    log : bool
        Whether colours are spread by ratios.
    stops : tuple of str
        Equally spaced colours.
    """

    label: str
    low: float
    high: float
    log: bool
    stops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Swatch:
    """A line of the legend: a class, how many cells are of it, and how it is shaded.

    Attributes
    ----------
    code : int
    name : str
        May hold mathtext.
    color : str
        ``#rrggbb``.
    count : int
        Computed cells of the class.
    share : float
        Of the cells computed so far.
    hatched, is_ramp : bool
        Whether the class is hatched, or coloured along the palette's ramp.
    bar : Bar or None
        What its shades stand for.
    """

    code: int
    name: str
    color: str
    count: int
    share: float
    hatched: bool = False
    is_ramp: bool = False
    bar: Bar | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Colours of the cells and what they mean.

    Attributes
    ----------
    rgba : ndarray, shape (rows, columns, 4)
        Row 0 has the least y; opacity 0 where nothing is drawn.
    swatches : tuple of Swatch
        Of the classes that there are, the largest first.
    bar : Bar or None
        Of a field that is drawn alone.
    hatched : ndarray of bool, shape (rows, columns), or None
        Cells that whoever shows the picture is to hatch; None where it has its hatching, or none.
    """

    rgba: Rgba
    swatches: tuple[Swatch, ...] = ()
    bar: Bar | None = None
    hatched: NDArray[np.bool_] | None = None


def layers_of(fields: tuple[CellField, ...]) -> dict[str, str]:
    """List what can be drawn of a map: names of fields with their labels, the usual one first."""
    labels = {field.name: field.label for field in fields}
    first = CLASSES if CLASSES in labels else POINTS if POINTS in labels else ""
    rest = [field.name for field in fields if field.width == 1 and field.name != first]
    return {name: labels[name] for name in [*([first] if first else []), *rest]}


# Classes.


def picture_of_classes(
    classes: tuple[CellClass, ...],
    fields: tuple[CellField, ...],
    arrays: Arrays,
    known: NDArray[np.bool_],
    palette: Palette,
    grain: tuple[int, int] = (1, 1),
    *,
    has_hatching: bool = True,
) -> Picture:
    """Draw the classes of cells, shaded by what shades each.

    Parameters
    ----------
    classes, fields
        Of the map (`engine.maps.kind.Prepared`).
    arrays : mapping
        Fields by name; ``outcome`` and those that shade classes are read.
    known : ndarray of bool, shape (rows, columns)
        Cells that are computed; the others repeat a neighbour and count in no share.
    palette : Palette
    grain : tuple of int
        Rows and columns of the picture that a cell has, so that lines of the hatching are as
        close where cells are large.
    has_hatching : bool
        Whether the pixels have the hatching; a screen draws it at its own pixels instead.
    """
    codes = arrays[CLASSES]
    is_whole = bool(known.all())
    counted = codes.ravel() if is_whole else codes[known]
    counts = np.bincount(counted, minlength=NOT_YET + 1)
    table = np.zeros((NOT_YET + 1, LEVELS, 3), np.uint8)
    level = np.full(codes.shape, LEVELS // 2, np.uint8)
    bars: dict[int, Bar] = {}
    named = {field.name: field for field in fields}
    for each in classes:
        field = named.get(each.shade)
        table[each.code] = class_table(each, palette)
        if field is None or not counts[each.code]:
            continue
        mine = codes == each.code
        values = np.asarray(arrays[field.name][mine], np.float64)
        ends = ends_of(values if is_whole else values[known[mine]], log=field.log)
        if ends is not None:
            level[mine] = levels(values, *ends, log=field.log)
            bars[each.code] = Bar(field.label, *ends, field.log, stops_of(table[each.code]))
    rgba = _colored(table, codes, level)
    swatches = _swatches(classes, counts, table, bars)
    if grain != (1, 1):
        rgba, codes = (each.repeat(grain[0], 0).repeat(grain[1], 1) for each in (rgba, codes))
    unknown = [each.code for each in classes if each.color == HATCHED and counts[each.code]]
    if not unknown:
        return Picture(rgba, swatches)
    hatched = np.isin(codes, unknown)
    if not has_hatching:
        return Picture(rgba, swatches, hatched=hatched)
    row, column = np.nonzero(hatched)
    on = (row + column) % HATCH == 0
    rgba[row[on], column[on], :3] = channels(hatch_color(palette))
    return Picture(rgba, swatches)


def _colored(
    table: NDArray[np.uint8], codes: NDArray[np.uint8], level: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the colour of every cell with its opacity, all four bytes at once."""
    colors = np.full((NOT_YET + 1, LEVELS, 4), 255, np.uint8)
    colors[..., :3] = table
    colors[NOT_YET, :, 3] = 0
    place = codes.astype(np.intp)
    place *= LEVELS
    place += level
    return colors.view(np.uint32).reshape(-1).take(place)[..., None].view(np.uint8)


def hatch_color(palette: Palette) -> str:
    """Return the colour of the lines over cells of which nothing is known."""
    return mixed(area_color(HATCHED, palette), palette.text, 0.35)


def class_table(each: CellClass, palette: Palette) -> Table:
    """Return the colours of a class, shape (`LEVELS`, 3): its shades, or one colour throughout."""
    if each.shade and each.color == "ramp":
        stops = palette.ramp if palette.is_dark else palette.ramp[::-1]
        return color_map(stops)
    color = area_color(each.color, palette)
    if each.shade:
        return shades(color, palette.is_dark)
    return np.broadcast_to(np.array(channels(color), np.uint8), (LEVELS, 3))


def area_color(role: str, palette: Palette) -> str:
    """Return the colour of an area of a role: large areas of grey or of ink are nearer the ground.

    What diverged or is undecided often fills half of a map and is not what one looks for.
    """
    color = role_color(role, palette)
    toward = {"muted": 0.76 if palette.is_dark else 0.66, "text": 0.12}
    toward["bad"] = 0.45 if palette.is_dark else 0.3
    return mixed(color, palette.surface, toward[role]) if role in toward else color


def _swatches(
    classes: tuple[CellClass, ...],
    counts: NDArray[np.int64],
    table: NDArray[np.uint8],
    bars: Mapping[int, Bar],
) -> tuple[Swatch, ...]:
    total = int(counts[:NOT_YET].sum())
    found = [
        Swatch(
            code=each.code,
            name=each.name,
            color=hexadecimal(table[each.code, LEVELS // 2]),
            count=int(counts[each.code]),
            share=int(counts[each.code]) / total,
            hatched=each.color == HATCHED,
            is_ramp=each.color == "ramp" and each.code in bars,
            bar=bars.get(each.code),
        )
        for each in classes
        if counts[each.code]
    ]
    return tuple(sorted(found, key=lambda swatch: -swatch.count))


# Numbers.


def picture_of_field(
    field: CellField, values: NDArray[Any], known: NDArray[np.bool_], palette: Palette
) -> Picture:
    """Draw one field alone; what is not finite, or not positive on a log scale, is left out."""
    numbers = as_numbers(field, values)
    stops = {
        "sequential": palette.sequential,
        "diverging": palette.diverging,
        "gray": palette.gray,
    }[field.colormap]
    ends = ends_of(numbers[known], log=field.log)
    rgba = np.zeros((*numbers.shape, 4), np.uint8)
    if ends is None:
        return Picture(rgba)
    if field.colormap == "diverging" and not field.log:
        reach = max(abs(ends[0]), abs(ends[1]))
        ends = (-reach, reach)
    table = color_map(_off_ground(stops, palette))
    shown = np.isfinite(numbers) & ((numbers > 0) if field.log else True)
    rgba[shown, :3] = table[levels(numbers[shown], *ends, log=field.log)]
    rgba[shown, 3] = 255
    return Picture(rgba, bar=Bar(field.label, *ends, field.log, stops_of(table)))


def as_numbers(field: CellField, values: NDArray[Any]) -> FloatArray:
    """Return a field as floats: NaN where a cell is not computed."""
    numbers = np.asarray(values, np.float64)
    dtype = np.dtype(field.dtype)
    if dtype.kind in "iu":
        numbers = np.where(values == np.iinfo(dtype).max, np.nan, numbers)
    return np.asarray(numbers)


def _off_ground(stops: tuple[str, ...], palette: Palette) -> tuple[str, ...]:
    """Return stops of which the first is not the ground: a cell of the least value is there."""
    first = mixed(stops[0], stops[1], 0.55) if stops[0] != palette.surface else stops[1]
    return (first, *stops[1:])


def ends_of(values: FloatArray, *, log: bool = False) -> tuple[float, float] | None:
    """Return the values of the first and the last colour; None where there is none to show.

    Half a percent of the values at either end does not stretch the colours.
    """
    finite = values[np.isfinite(values) & ((values > 0) if log else True)]
    if finite.size == 0:
        return None
    some = finite[:: max(1, finite.size // _MOST)]
    low, high = (float(end) for end in np.percentile(some, [_TAILS, 100.0 - _TAILS]))
    if low < high:
        return low, high
    low, high = float(finite.min()), float(finite.max())
    if low < high:
        return low, high
    return (low / 1.1, high * 1.1) if log else (low - 0.5, high + 0.5)


def levels(values: FloatArray, low: float, high: float, *, log: bool = False) -> NDArray[np.uint8]:
    """Return the place of values between two ends as 0 to `LEVELS` - 1, clipped."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if log:
            values, low, high = np.log(values), math.log(low), math.log(high)
        share = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(np.rint(np.nan_to_num(share) * (LEVELS - 1)), np.uint8)


def stops_of(table: Table) -> tuple[str, ...]:
    """Return some equally spaced colours of a table."""
    return tuple(hexadecimal(table[place]) for place in range(0, LEVELS, (LEVELS - 1) // 15))


# Orbit diagrams.


def picture_of_points(
    points: FloatArray, low: float, high: float, rows: int, palette: Palette
) -> Picture:
    """Draw the points of an orbit diagram as their density.

    Parameters
    ----------
    points : ndarray, shape (columns, width)
        Values of the observable; NaN where there is none.
    low, high : float
        Ends of the axis of the observable.
    rows : int
        Of the picture.

    Returns
    -------
    Picture
        Ink that is the stronger the more points of a column share a row.
    """
    columns = len(points)
    with np.errstate(invalid="ignore"):
        place = np.floor((points - low) / (high - low) * rows)
        inside = (place >= 0) & (place < rows)
    column = np.broadcast_to(np.arange(columns)[:, None], points.shape)
    flat = place[inside].astype(np.int64) * columns + column[inside]
    counts = np.bincount(flat, minlength=rows * columns).reshape(rows, columns)
    number = np.maximum(np.isfinite(points).sum(axis=1), 1)
    strength = np.clip((8.0 * counts / number) ** 0.45, 0.0, 1.0)
    strength = np.where(counts > 0, np.maximum(strength, 0.25), 0.0)
    rgba = np.zeros((rows, columns, 4), np.uint8)
    rgba[..., :3] = _inks(palette)[np.asarray(np.rint(strength * (LEVELS - 1)), np.uint8)]
    rgba[..., 3] = np.where(counts > 0, np.rint(255 * np.minimum(1.0, 0.25 + strength)), 0)
    return Picture(rgba)


def _inks(palette: Palette) -> Table:
    """Return ink from faint to strong, shape (`LEVELS`, 3)."""
    ends = [role_color("1", palette), mixed(role_color("1", palette), palette.text, 0.55)]
    lab = to_oklab(np.array([channels(end) for end in ends]))
    share = np.linspace(0.0, 1.0, LEVELS)[:, None]
    return from_oklab(lab[0] + share * (lab[1] - lab[0]))
