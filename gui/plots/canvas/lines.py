"""Lines in pixels: at most one minimum and maximum per pixel column, and when to fill between.

A run of 10⁸ steps has more points than a screen has columns. What is drawn then is the least and
greatest value in each column of two pixels; an orbit of period 2, which a plain sample would show
as a line, becomes the band that it is, with its values as points where all are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF

from engine.core.arrays import FloatArray
from gui.plots.canvas.range import LARGEST, Ends

COLUMN = 2.0
"""Width of a column, in pixels."""
ROOM = 1.5
"""Pixels between steps from which each step is drawn."""
WEAVE = 5.0
"""Pixels between steps up to which a line that keeps turning is faint between its points."""
FAR = 1e5
"""Pixels beyond which a point may as well be."""
THIN = 1.5
"""Extent in pixels within a column up to which a line is drawn as a line."""
FEW = 5
"""Points a column up to which a line that does not oscillate is drawn through all of them."""
OVERLAP = 0.35
"""Share of its extent in which a line meets its neighbours' from which it is an oscillation."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """From values to pixels of a widget: linear in axis coordinates.

    `x` and `y` are the ends of the axes in axis coordinates, powers of ten on a log axis.
    """

    plot: QRectF
    x: Ends
    y: Ends
    log_x: bool = False
    log_y: bool = False

    def px(self, values: FloatArray) -> FloatArray:
        """Return horizontal pixels of x values; what has no place on a log axis lies far left."""
        scale = self.plot.width() / (self.x[1] - self.x[0])
        place = _coordinates(values, self.log_x)
        return _clipped(self.plot.left() + (place - self.x[0]) * scale, -FAR, FAR)

    def py(self, values: FloatArray) -> FloatArray:
        """Return vertical pixels of y values; what has no place on a log axis lies far below."""
        scale = self.plot.height() / (self.y[1] - self.y[0])
        place = _coordinates(values, self.log_y)
        return _clipped(self.plot.bottom() - (place - self.y[0]) * scale, -FAR, FAR)

    def point(self, x: float, y: float) -> QPointF:
        """Return the pixel of one point."""
        return QPointF(float(self.px(np.array([x]))[0]), float(self.py(np.array([y]))[0]))

    def x_at(self, pixel: float) -> float:
        """Return the x value at a horizontal pixel."""
        place = self.x[0] + (pixel - self.plot.left()) * (self.x[1] - self.x[0]) / max(
            self.plot.width(), 1.0
        )
        return 10.0 ** min(place, 308.0) if self.log_x else place

    def y_at(self, pixel: float) -> float:
        """Return the y value at a vertical pixel."""
        place = self.y[0] + (self.plot.bottom() - pixel) * (self.y[1] - self.y[0]) / max(
            self.plot.height(), 1.0
        )
        return 10.0 ** min(place, 308.0) if self.log_y else place


def _coordinates(values: FloatArray, log: bool) -> FloatArray:
    if not log:
        return _clipped(values, -LARGEST, LARGEST)
    with np.errstate(divide="ignore", invalid="ignore"):
        out: FloatArray = np.log10(_clipped(values, 0.0, LARGEST))
    return out


def _clipped(values: FloatArray, low: float, high: float) -> FloatArray:
    """Clip without the overhead of `numpy.clip`, which is larger than its work here."""
    out: FloatArray = np.minimum(np.maximum(values, low), high)
    return out


@dataclass(frozen=True, slots=True)
class Columns:
    """Lines reduced to columns of pixels.

    `x` has shape (m,); `low` and `high`, in values, shape (m, lines). They are one array, the
    values themselves, where there is no more than one point a column. `width` is that of a column;
    `points` are the x and values that were reduced.
    """

    x: FloatArray
    low: FloatArray
    high: FloatArray
    width: float
    points: tuple[FloatArray, FloatArray]

    @property
    def is_exact(self) -> bool:
        """Whether points are the values themselves."""
        return self.low is self.high

    @property
    def steps(self) -> tuple[FloatArray, FloatArray] | None:
        """The points that were reduced, if they are those of single steps."""
        x = self.points[0]
        return None if len(x) > 1 and x[0] == x[1] else self.points


def columns(x: FloatArray, values: FloatArray, width: float = COLUMN) -> Columns:
    """Reduce lines to the least and greatest value in each column of pixels.

    Parameters
    ----------
    x : ndarray, shape (points,)
        Horizontal pixels, not decreasing.
    values : ndarray, shape (points, lines)
        Values; NaN where there is none. Two points at each x are the least and the greatest value
        of a stretch of steps, as in the older part of a trace.
    width : float
        Width of a column in pixels.
    """
    spacing = (x[-1] - x[0]) / (len(x) - 1) if len(x) > 1 else FAR
    in_pairs = len(x) > 3 and x[0] == x[1] and x[2] == x[3]
    if in_pairs and 2 * spacing >= width:
        return Columns(x[::2], values[::2], values[1::2], 2 * spacing, (x, values))
    if spacing >= (ROOM if width <= COLUMN else width):
        return Columns(x, values, values, spacing, (x, values))
    width = max(width, 2.5 * spacing)  # fewer than two points do not show an oscillation
    column = np.floor(x / width)
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    low = np.fmin.reduceat(values, starts, axis=0)
    high = np.fmax.reduceat(values, starts, axis=0)
    return Columns((column[starts] + 0.5) * width, low, high, width, (x, values))


@dataclass(frozen=True, slots=True)
class Stroke:
    """What to draw of one line: one polyline, or a band between two.

    `x`, `y` (and `y_high` of a band) are pixels of shape (m,); `ink` is about how many pixels long
    the strokes are. `is_weave` says that a polyline goes up and down so closely that its points
    show more than what joins them.
    """

    x: FloatArray
    y: FloatArray
    y_high: FloatArray | None
    ink: float
    is_weave: bool = False

    @property
    def oscillates(self) -> bool:
        """Whether its points are shown."""
        return self.is_weave or self.y_high is not None


def strokes(reduced: Columns, mapper: Mapper, as_bands: bool = False) -> list[Stroke]:
    """Turn reduced lines into strokes, one a line."""
    top, bottom = mapper.plot.top() - 40, mapper.plot.bottom() + 40
    below = mapper.py(np.ascontiguousarray(reduced.low.T))
    if reduced.is_exact and not as_bands:
        rise = np.diff(np.minimum(np.maximum(below, top), bottom), axis=1)
        ink = (np.nansum(np.abs(rise), axis=1) + _length(reduced.x)).tolist()
        weaves = [False] * len(below)
        if reduced.width < WEAVE and len(reduced.x) > FEW:
            turns = np.count_nonzero(rise[:, 1:] * rise[:, :-1] < -1.0, axis=1)
            weaves = (2 * turns > rise.shape[1]).tolist()
        made = zip(below, ink, weaves, strict=True)
        return [Stroke(reduced.x, y, None, i, weave) for y, i, weave in made]
    above = below if reduced.is_exact else mapper.py(np.ascontiguousarray(reduced.high.T))
    lower = np.minimum(np.maximum(below, top), bottom)  # pixels grow downward
    upper = np.minimum(np.maximum(above, top), bottom)
    extent = np.nan_to_num(lower - upper)
    widest, total = extent.max(axis=1, initial=0.0), extent.sum(axis=1)
    meet = np.minimum(lower[:, :-1], lower[:, 1:]) - np.maximum(upper[:, :-1], upper[:, 1:])
    shared = np.nansum(np.maximum(meet, 0.0), axis=1) / np.maximum(total, 1e-9)
    length = _length(reduced.x)
    swings = (widest > THIN) & ((shared >= OVERLAP) | as_bands)
    edges = np.zeros(len(lower))
    if swings.any():
        outline = np.abs(np.diff(lower[swings], axis=1)) + np.abs(np.diff(upper[swings], axis=1))
        edges[swings] = np.nansum(outline, axis=1)
    curve_x, curves = reduced.x, below
    if not swings.all():
        curve_x, curves = _as_curves(reduced, mapper, below, above)
    out = []
    for line, is_band in enumerate(swings.tolist()):
        if is_band:
            ink = 2 * length + float(edges[line])
            out.append(Stroke(reduced.x, below[line], above[line], ink))
        else:
            out.append(Stroke(curve_x, curves[line], None, length + float(total[line])))
    return out


def _length(x: FloatArray) -> float:
    return float(x[-1] - x[0]) if len(x) else 0.0


def _as_curves(
    reduced: Columns, mapper: Mapper, below: FloatArray, above: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return lines that do not oscillate: their points, or the ends of each column in order."""
    x, values = reduced.points
    if len(x) <= FEW * len(reduced.x) and x[0] < x[1]:
        return x, mapper.py(np.ascontiguousarray(values.T))
    middle = (below + above) / 2
    if float(np.nanmax(below - above, initial=0.0)) <= THIN:
        return reduced.x, middle
    going_down = np.zeros(middle.shape, np.bool_)  # pixels grow downward
    going_down[:, :-1] = middle[:, 1:] > middle[:, :-1]
    if middle.shape[1] > 1:  # one column alone, as after zooming far out, goes nowhere
        going_down[:, -1] = going_down[:, -2]
    ends_x, ends_y = np.empty(2 * len(reduced.x)), np.empty((len(middle), 2 * len(reduced.x)))
    ends_x[0::2], ends_x[1::2] = reduced.x - reduced.width / 4, reduced.x + reduced.width / 4
    ends_y[:, 0::2] = np.where(going_down, above, below)
    ends_y[:, 1::2] = np.where(going_down, below, above)
    return ends_x, ends_y


def band_picture(
    strokes: list[Stroke],
    colors: FloatArray,
    plot: QRectF,
    column: float,
    alpha: float,
    row: float = 2.0,
) -> NDArray[np.uint32]:
    """Paint bands over each other, each translucent, in one pass over the picture.

    Where several meet the colour is their mean: the result does not depend on their order.

    Parameters
    ----------
    strokes : list of Stroke
        Bands that share their `x`.
    colors : ndarray, shape (bands, 3)
        Red, green and blue, 0 to 255.
    plot : QRectF
        The rectangle of pixels that the picture covers.
    column, row : float
        Size of the picture's cells in pixels.
    alpha : float
        Opacity of one band.

    Returns
    -------
    ndarray of uint32, shape (rows, columns)
        Premultiplied ``0xAARRGGBB``.
    """
    rows, width = max(int(plot.height() / row), 1), max(int(np.ceil(plot.width() / column)), 1)
    place = np.floor((strokes[0].x - plot.left()) / column)
    inside = (place >= 0) & (place < width)
    cell = place[inside].astype(np.int64)
    upper = np.stack([stroke.y_high[inside] for stroke in strokes if stroke.y_high is not None])
    lower = np.stack([stroke.y[inside] for stroke in strokes])
    first = _clipped((np.nan_to_num(upper, nan=FAR) - plot.top()) / row, 0, rows)
    last = _clipped((np.nan_to_num(lower, nan=-FAR) - plot.top()) / row, 0, rows)
    begin = (first.astype(np.int64) * width + cell).ravel()
    end = (np.maximum(first, last).astype(np.int64) * width + cell).ravel()
    size = (rows + 1) * width

    def covered(weights: FloatArray | None) -> NDArray[Any]:
        change = np.bincount(begin, weights, size) - np.bincount(end, weights, size)
        return np.cumsum(change[: rows * width].reshape(rows, width), axis=0)

    counts = covered(None)
    opacity = 1.0 - (1.0 - alpha) ** np.arange(len(strokes) + 1)
    if (colors == colors[0]).all():
        table = np.append(colors[0, ::-1], 255.0) * opacity[:, None]
        one: NDArray[np.uint32] = table.astype(np.uint8).view(np.uint32)[:, 0][counts]
        return one
    picture = np.empty((*counts.shape, 4), np.uint8)
    shade = (opacity / np.maximum(np.arange(len(opacity)), 1))[counts]
    for channel in range(3):
        weights = np.repeat(colors[:, 2 - channel], len(cell))
        picture[..., channel] = covered(weights) * shade
    picture[..., 3] = (255.0 * opacity)[counts]
    mean: NDArray[np.uint32] = picture.view(np.uint32)[..., 0]
    return mean
