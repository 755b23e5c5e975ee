"""The surface of a function over a rectangle, seen from far away: which of it is seen, and where.

The surface is the top of a solid block, so that nothing is seen through its sides. Positions are
`across` and `up` in the picture and `towards` the eye, in sides of the block's square floor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.ensemble import Observation
from engine.core.views import SurfaceView
from engine.text.numbers import short

TALL = 0.45
"""Height of the block over the side of its floor."""
RADIUS = math.sqrt(0.5)
"""Distance of the floor's corners from its middle."""
WIDE_RANGE = 100.0
"""Range of values over that of their lowest part from which heights are logarithmic."""
MOST_RANGE = 1e6
"""Range of values over that from which heights are logarithmic, at most."""
LOWEST_PART = 0.02
"""Share of the values among which heights are not logarithmic."""
WIDTH = 280
"""Columns of a picture in a window."""
FINE = 10
"""Parts of a straight line that are hidden or not."""
LARGEST = 1e300
"""Values above this size are not drawn."""
_AZIMUTH, _ELEVATION = -60.0, 55.0
_LIGHT = (-0.62, 0.28, 0.73)
"""Where light comes from: across, towards and above."""
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])

Line = tuple[FloatArray, FloatArray]
"""Positions across and up of a polyline, NaN where it breaks."""


@dataclass(frozen=True, slots=True)
class Eye:
    """Where a surface is seen from: the angle around the vertical axis and above the floor, deg."""

    azimuth: float = _AZIMUTH
    elevation: float = _ELEVATION

    def project(
        self, a: FloatArray, b: FloatArray, height: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return across, up and towards of points of the floor's square at heights from 0 to 1."""
        x, y, z = a - 0.5, b - 0.5, TALL * (height - 0.5)
        turn, lift = math.radians(self.azimuth), math.radians(self.elevation)
        across = -math.sin(turn) * x + math.cos(turn) * y
        towards = math.cos(turn) * x + math.sin(turn) * y
        return across, math.cos(lift) * z - math.sin(lift) * towards, towards

    @property
    def reach(self) -> float:
        """Farthest position up or down of a block, whatever the azimuth."""
        lift = math.radians(self.elevation)
        return math.cos(lift) * TALL / 2 + math.sin(lift) * RADIUS


@dataclass(frozen=True, slots=True)
class Scale:
    """How values become heights from 0 to 1.

    Attributes
    ----------
    low, span : float
        The least value and how far the largest is above it.
    unit : float
        Distance above the least value from which heights are logarithmic; 0 if they are linear.
    """

    low: float
    span: float
    unit: float = 0.0

    @classmethod
    def of(cls, values: FloatArray) -> Scale | None:
        """Return the scale of values; None where all are alike or none is a number."""
        known = values[np.isfinite(values) & (np.abs(values) <= LARGEST)]
        if known.size < 2 or not float(np.ptp(known)) > 0.0:
            return None
        low, span = float(known.min()), float(np.ptp(known))
        part = float(np.quantile(known, LOWEST_PART)) - low
        if part == 0.0 or part * WIDE_RANGE >= span:
            return cls(low, span)
        return cls(low, span, max(part, span / MOST_RANGE))

    def heights(self, values: FloatArray) -> FloatArray:
        """Return heights; NaN for what is no number."""
        above = np.where(np.abs(values) <= LARGEST, values, np.nan) - self.low
        if not self.unit:
            return np.asarray(above / self.span)
        return np.asarray(np.log1p(above / self.unit) / math.log1p(self.span / self.unit))

    def value(self, height: float) -> float:
        """Return the value at a height."""
        if not self.unit:
            return self.low + height * self.span
        return self.low + self.unit * math.expm1(height * math.log1p(self.span / self.unit))

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Heights with their numbers: of the values, or of what they are above the least."""
        if not self.unit:
            values = round_numbers(self.low, self.low + self.span, 5)
            return [((value - self.low) / self.span, short(value, 4)) for value in values]
        first, last = math.ceil(math.log10(self.unit)), math.floor(math.log10(self.span))
        every = max(1, math.ceil((last - first + 1) / 5))
        powers = np.array([10.0**k for k in range(last, first - 1, -every)])
        places = self.heights(self.low + powers)
        found = [(0.0, "0")]
        found += [(float(at), short(value, 4)) for at, value in zip(places, powers, strict=True)]
        return found

    def name(self, label: str) -> str:
        """Return the axis' label, which says what the numbers are and from where they are logs."""
        if not self.unit:
            return label
        above = label
        if abs(self.low) > 1e-3 * self.unit:  # else the numbers are those of the values
            lowest = short(abs(self.low), 4)
            above = f"{label} {'−' if self.low > 0 else '+'} {lowest}"
        return f"{above}, log above {short(self.unit, 2)}"


def round_numbers(low: float, high: float, most: int = 8) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten between two ends, at most so many."""
    if not high > low:
        return []
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(power * k for k in (1, 2, 5, 10, 20) if (high - low) / (power * k) < most)
    first = math.ceil(low / step - 1e-9)
    return [step * k for k in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Text:
    """A text beside the block, pushed away from a position; `away` is a unit vector, y upwards."""

    text: str
    at: tuple[float, float]
    away: tuple[float, float]
    is_label: bool = False


class Relief:
    """A surface as it is seen.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        On a grid that reaches from end to end; row 0 at the least y; NaN where there is none.
    extent : tuple of float
        Ends of the rectangle: x0, x1, y0, y1.
    eye : Eye
    width : int
        Columns of the picture.

    Attributes
    ----------
    scale : Scale or None
        None where there is nothing to draw.
    heights : ndarray, shape (rows, columns)
    """

    def __init__(
        self,
        values: FloatArray,
        extent: tuple[float, float, float, float],
        eye: Eye,
        width: int = WIDTH,
    ) -> None:
        self.values, self.extent, self.eye, self.width = values, extent, eye, width
        self.scale = Scale.of(values)
        self.heights = np.full_like(values, np.nan)
        if self.scale is not None:
            self.heights = self.scale.heights(values)

    # The picture.

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Ends of the picture: left, right, bottom, top."""
        return -RADIUS, RADIUS, -self.eye.reach, self.eye.reach

    @cached_property
    def _columns(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Position up, height and shade, shape (width, depths), from the front to the back.

        Where there is no surface `up` is -inf.
        """
        depths = round(1.5 * self.width)
        across = (np.arange(self.width) + 0.5) / self.width * 2 * RADIUS - RADIUS
        towards = RADIUS - (np.arange(depths) + 0.5) / depths * 2 * RADIUS
        turn, lift = math.radians(self.eye.azimuth), math.radians(self.eye.elevation)
        sine, cosine = math.sin(turn), math.cos(turn)
        a = 0.5 - sine * across[:, None] + cosine * towards
        b = 0.5 + cosine * across[:, None] + sine * towards
        height = _between(self.heights, a, b)
        up = math.cos(lift) * TALL * (height - 0.5) - math.sin(lift) * towards
        return np.where(np.isfinite(up), up, -np.inf), height, _between(self._shades, a, b)

    @property
    def _shades(self) -> FloatArray:
        """Light on the surface, 0 to 1, on the grid of the values."""
        rows, columns = self.heights.shape
        with np.errstate(invalid="ignore"):
            slope_b, slope_a = np.gradient(self.heights, 1.0 / (rows - 1), 1.0 / (columns - 1))
        turn = math.radians(self.eye.azimuth)
        across, towards, above = _LIGHT
        x = -math.sin(turn) * across + math.cos(turn) * towards
        y = math.cos(turn) * across + math.sin(turn) * towards
        lit = above - TALL * (x * slope_a + y * slope_b)
        size = np.sqrt(1.0 + (TALL * slope_a) ** 2 + (TALL * slope_b) ** 2)
        return np.asarray(np.clip(lit / size, 0.0, 1.0))

    @cached_property
    def _highest(self) -> FloatArray:
        """The highest position up of all that is nearer, shape (width, depths)."""
        return np.asarray(np.maximum.accumulate(self._columns[0], axis=1))

    @cached_property
    def seen(self) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
        """Depth (-1 for none), height and shade of what is seen, shape (rows, width), bottom first.

        NaN where no surface is seen.
        """
        up, height, shade = self._columns
        reach = self.eye.reach
        rows = round(self.width * reach / RADIUS)
        at = (np.arange(rows) + 0.5) / rows * 2 * reach - reach
        place = np.stack([np.searchsorted(column, at) for column in self._highest])
        line = np.arange(self.width)[:, None]
        is_seen = place < up.shape[1]
        here = np.minimum(place, up.shape[1] - 1)
        before = np.maximum(here - 1, 0)
        joined = np.isfinite(up[line, before]) & (here > 0)
        # In front of an edge of the surface is a side of the block.
        is_seen &= joined | (up[line, here] - at <= 2 * reach / rows)
        joined &= up[line, before] == self._highest[line, before]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (at - up[line, before]) / (up[line, here] - up[line, before])
            share = np.where(joined, np.clip(share, 0.0, 1.0), 1.0)
            parts = [
                np.where(joined, each[line, before], 0.0) * (1 - share) + each[line, here] * share
                for each in (height, shade)
            ]
        seen = [np.where(is_seen, part, np.nan).T for part in parts]
        return np.where(is_seen, here, -1).T, seen[0], seen[1]

    def colored(self, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return pixels, shape (rows, width, 4), row 0 on top, in 256 colours by height, shaded."""
        _, height, shade = self.seen
        known = np.isfinite(height) & np.isfinite(shade)
        level = np.clip(np.nan_to_num(height) * 255.0, 0, 255).astype(np.int64)
        light = 0.6 + 0.55 * np.nan_to_num(shade)[..., None]
        pixels = np.zeros((*height.shape, 4), np.uint8)
        pixels[..., :3] = np.clip(table[level] * light, 0, 255)
        pixels[..., 3] = np.where(known, 255, 0)
        pixels[~known] = 0
        return pixels[::-1]

    def place_at(self, across: float, up: float) -> tuple[float, float, float] | None:
        """Return x, y and the value of what is seen at a position; None where no surface is."""
        depth, height, _ = self.seen
        left, right, bottom, top = self.box
        if self.scale is None or not (left < across < right and bottom < up < top):
            return None
        row = int((up - bottom) / (top - bottom) * depth.shape[0])
        column = int((across - left) / (right - left) * self.width)
        if depth[row, column] < 0 or not np.isfinite(height[row, column]):
            return None
        towards = RADIUS * (1.0 - 2.0 * (depth[row, column] + 0.5) / self._highest.shape[1])
        turn = math.radians(self.eye.azimuth)
        a = 0.5 - math.sin(turn) * across + math.cos(turn) * towards
        b = 0.5 + math.cos(turn) * across + math.sin(turn) * towards
        x0, x1, y0, y1 = self.extent
        value = self.scale.value(float(height[row, column]))
        return x0 + a * (x1 - x0), y0 + b * (y1 - y0), value

    # What lies on the surface.

    def points(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return across and up of points on the surface, NaN outside, and 1 where one is hidden."""
        x0, x1, y0, y1 = self.extent
        a, b = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        across, up, towards = self.eye.project(a, b, _between(self.heights, a, b))
        across = np.where(np.isfinite(up), across, np.nan)
        return across, up, self._hidden(across, up, towards)

    def _hidden(self, across: FloatArray, up: FloatArray, towards: FloatArray) -> FloatArray:
        width, depths = self._highest.shape
        known = np.isfinite(across) & np.isfinite(up)
        column = np.where(known, (across + RADIUS) / (2 * RADIUS) * width, 0.0)
        depth = np.where(known, (RADIUS - towards) / (2 * RADIUS) * depths - 1.5, 0.0)
        column = np.clip(column.astype(np.int64), 0, width - 1)
        depth = np.clip(depth.astype(np.int64), 0, depths - 1)
        tolerance = 3 * 2 * RADIUS / width
        return np.where(known & (self._highest[column, depth] > up + tolerance), 1.0, 0.0)

    def line(self, x: FloatArray, y: FloatArray) -> tuple[Line, Line]:
        """Return a polyline laid on the surface: what of it is seen, and what is hidden."""
        if len(x) > 1:
            share = np.arange(FINE) / FINE
            last = x[-1:], y[-1:]
            x, y = (
                np.append((p[:-1, None] * (1 - share) + p[1:, None] * share).ravel(), end)
                for p, end in zip((x, y), last, strict=True)
            )
        across, up, hidden = self.points(x, y)
        behind = hidden > 0
        edge = behind.copy()  # both parts reach to where the line goes behind
        edge[1:] |= behind[:-1]
        edge[:-1] |= behind[1:]
        seen = np.where(behind, np.nan, across), np.where(behind, np.nan, up)
        return seen, (np.where(edge, across, np.nan), np.where(edge, up, np.nan))

    # The block.

    def _turned(self) -> tuple[int, int, int, int]:
        """Return the numbers of the corners: in front, left, at the back, right."""
        zeros = np.zeros(4)
        across, _, towards = self.eye.project(_CORNERS[:, 0], _CORNERS[:, 1], zeros)
        front = int(np.argmax(towards))
        sides = sorted(((front + 1) % 4, (front + 3) % 4), key=lambda k: across[k])
        return front, sides[0], (front + 2) % 4, sides[1]

    def _at(self, corner: FloatArray, height: float) -> tuple[float, float]:
        across, up, _ = self.eye.project(corner[:1], corner[1:], np.array([height]))
        return float(across[0]), float(up[0])

    @property
    def heights_of_axis(self) -> FloatArray:
        """Positions up of the lower and the upper end of the height's axis."""
        corner = _CORNERS[self._turned()[1]]
        return np.array([self._at(corner, 0.0)[1], self._at(corner, 1.0)[1]])

    def sides(self) -> list[Line]:
        """Return the outlines of the two sides of the block that are seen."""
        front, left, _, right = self._turned()
        found = []
        for other in (left, right):
            share = np.linspace(0.0, 1.0, 120)
            edge = _CORNERS[front] + share[:, None] * (_CORNERS[other] - _CORNERS[front])
            height = np.nan_to_num(_between(self.heights, edge[:, 0], edge[:, 1]))
            top = self.eye.project(edge[:, 0], edge[:, 1], height)
            floor = self.eye.project(edge[::-1, 0], edge[::-1, 1], np.zeros(len(share)))
            found.append((np.append(top[0], floor[0]), np.append(top[1], floor[1])))
        return found

    def walls(self) -> list[Line]:
        """Return lines behind the block, at the ticks of the height and up its back edges."""
        _, left, back, right = self._turned()
        corners = [_CORNERS[each] for each in (left, back, right)]
        found = []
        if self.scale is not None:
            for height in [0.0, 1.0, *(at for at, _ in self.scale.ticks)]:
                places = np.array([self._at(corner, height) for corner in corners])
                found.append((places[:, 0], places[:, 1]))
        for corner in corners:
            places = np.array([self._at(corner, 0.0), self._at(corner, 1.0)])
            found.append((places[:, 0], places[:, 1]))
        return found

    def mesh(self) -> list[Line]:
        """Return lines on the surface at the ticks of x and y, where they are seen."""
        x0, x1, y0, y1 = self.extent
        x, y = np.linspace(x0, x1, 25), np.linspace(y0, y1, 25)
        lines = [self.line(np.full(25, at), y)[0] for at in round_numbers(x0, x1)]
        return lines + [self.line(x, np.full(25, at))[0] for at in round_numbers(y0, y1)]

    def texts(self, x_label: str, y_label: str, z_label: str, apart: float = 0.12) -> list[Text]:
        """Return the numbers and labels of the axes: along both front edges, and at the left.

        `apart` is the least distance of two numbers of heights.
        """
        front, left, _, right = self._turned()
        found = []
        for other in (left, right):
            begin, end = _CORNERS[front], _CORNERS[other]
            axis = 0 if begin[0] != end[0] else 1
            low, high = self.extent[2 * axis : 2 * axis + 2]
            away = self._away(begin, end)
            for value in round_numbers(low, high):
                corner = begin.copy()
                corner[axis] = (value - low) / (high - low)
                found.append(Text(short(value, 4), self._at(corner, 0.0), away))
            middle = self._at((begin + end) / 2, 0.0)
            found.append(Text((x_label, y_label)[axis], middle, away, is_label=True))
        if self.scale is not None:
            corner = _CORNERS[left]
            last = -np.inf
            for height, text in sorted(self.scale.ticks):
                if height - last >= apart:
                    found.append(Text(text, self._at(corner, height), (-1.0, 0.0)))
                    last = height
            place = self.box[0], self.box[3]  # where no surface is, whatever the side
            found.append(Text(self.scale.name(z_label), place, (1.0, 0.0), is_label=True))
        return found

    def _away(self, begin: FloatArray, end: FloatArray) -> tuple[float, float]:
        """Return the direction at right angles to a front edge, away from the block."""
        (x0, y0), (x1, y1) = self._at(begin, 0.0), self._at(end, 0.0)
        x, y = y1 - y0, x0 - x1
        size = math.hypot(x, y) or 1.0
        sign = -1.0 if y > 0 else 1.0
        return sign * x / size, sign * y / size


def relief_of(
    view: SurfaceView, observation: Observation, eye: Eye, width: int = WIDTH
) -> Relief | None:
    """Return the surface that a view draws; None where there is none."""
    values, extent = observation.get(view.key), observation.get(view.extent_key)
    if values is None or extent is None:
        return None
    grid, ends = np.asarray(values, np.float64), np.asarray(extent, np.float64)
    if grid.ndim != 2 or min(grid.shape) < 2 or ends.shape != (4,):
        return None
    x0, x1, y0, y1 = ends.tolist()
    relief = Relief(grid, (x0, x1, y0, y1), eye, width)
    return relief if relief.scale is not None and x1 > x0 and y1 > y0 else None


def _between(grid: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Interpolate a grid bilinearly at points of the unit square; NaN outside."""
    rows, columns = grid.shape
    with np.errstate(invalid="ignore"):
        inside = (a >= 0) & (a <= 1) & (b >= 0) & (b <= 1)
    x, y = np.where(inside, a, 0.0) * (columns - 1), np.where(inside, b, 0.0) * (rows - 1)
    i = np.minimum(x.astype(np.int64), columns - 2)
    j = np.minimum(y.astype(np.int64), rows - 2)
    x, y = x - i, y - j
    low = grid[j, i] * (1 - x) + grid[j, i + 1] * x
    high = grid[j + 1, i] * (1 - x) + grid[j + 1, i + 1] * x
    return np.where(inside, low * (1 - y) + high * y, np.nan)
