"""A surface over a rectangle, projected: a shaded image, and a wireframe of what is not hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray

COLUMNS, ROWS = 150, 125
_SAMPLES = 240
_LINES = 17
_PER_LINE = 81
_HALF = 0.9
"""Half the width of the square that is drawn."""
_HIDDEN = 0.02
"""How far behind the nearest surface a line must lie to be hidden, seen from above."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A projected surface.

    Attributes
    ----------
    image : ndarray, shape (ROWS, COLUMNS)
        Value of the function where the surface is seen, NaN beside it; row 0 at the bottom.
    extent : ndarray, shape (4,)
        x0, x1, y0, y1 of the image.
    lines_x, lines_y : ndarray, shape (m,)
        Wireframe, NaN where it breaks or is hidden.
    floor_x, floor_y : ndarray, shape (k,)
        Outline of the domain under the surface.
    marks_x, marks_y : ndarray, shape (l,)
        Lines on the surface that were given.
    """

    image: FloatArray
    extent: FloatArray
    lines_x: FloatArray
    lines_y: FloatArray
    floor_x: FloatArray
    floor_y: FloatArray
    marks_x: FloatArray
    marks_y: FloatArray


def picture(
    function: Callable[[FloatArray], FloatArray],
    upper: FloatArray,
    azimuth: float,
    elevation: float,
    marks: FloatArray,
) -> Picture:
    """Draw the surface of a function on [0, upper_1] x [0, upper_2] as seen from far away.

    The domain and the values are scaled to a cube of side one. `azimuth` turns the cube around
    the vertical axis, `elevation` lifts the eye, both in degrees. `marks` (l, 2) is a polyline in
    the domain, broken by NaN, to be drawn on the surface.
    """
    share = np.linspace(0.0, 1.0, _SAMPLES)
    a, b = (part.ravel() for part in np.meshgrid(share, share))
    values = function(np.stack([a * upper[0], b * upper[1]], axis=1))
    low, high = float(values.min()), float(values.max())
    span = high - low if high > low else 1.0
    view = _View(np.radians(azimuth), np.radians(elevation))
    across, up, depth = view.project(a, b, (values - low) / span)
    image, nearest = _rasterise(across, up, depth, values)
    scene = _Scene(function, upper, view, nearest, low, span)
    fixed, along = np.meshgrid(np.linspace(0, 1, _LINES), np.linspace(0, 1, _PER_LINE + 1))
    along[-1] = np.nan  # ends a line
    grid = np.stack([fixed.T.ravel(), along.T.ravel()], axis=1)
    lines_x, lines_y = scene.draw(np.concatenate([grid, grid[:, ::-1]]))
    marks_x, marks_y = scene.draw(_finely(marks / upper))
    a, b = np.array([[0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0]])
    floor_x, floor_y, _ = view.project(a, b, np.zeros(5))
    return Picture(
        image=image,
        extent=np.array([-_HALF, _HALF, -_HALF * ROWS / COLUMNS, _HALF * ROWS / COLUMNS]),
        lines_x=lines_x,
        lines_y=lines_y,
        floor_x=floor_x,
        floor_y=floor_y,
        marks_x=marks_x,
        marks_y=marks_y,
    )


@dataclass(frozen=True, slots=True)
class _View:
    """A direction to look from, angles in radians."""

    azimuth: float
    elevation: float

    @property
    def tolerance(self) -> float:
        """Difference in nearness that a flat surface can have within a pixel."""
        pixel = 2 * _HALF / COLUMNS
        return float(_HIDDEN + pixel / max(np.tan(self.elevation), 0.1))

    def project(
        self, a: FloatArray, b: FloatArray, height: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return position across and up, and nearness, of points of the unit cube."""
        x, y, z = a - 0.5, b - 0.5, 0.8 * (height - 0.5)
        sine, cosine = np.sin(self.azimuth), np.cos(self.azimuth)
        across, towards = -sine * x + cosine * y, cosine * x + sine * y
        up = np.cos(self.elevation) * z - np.sin(self.elevation) * towards
        near = np.sin(self.elevation) * z + np.cos(self.elevation) * towards
        return across, up, near


def _pixels(across: FloatArray, up: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find the column and row of points."""
    column = (across + _HALF) / (2 * _HALF) * COLUMNS
    row = (up * COLUMNS / ROWS + _HALF) / (2 * _HALF) * ROWS
    return np.clip(column, 0, COLUMNS - 1e-9), np.clip(row, 0, ROWS - 1e-9)


def _rasterise(
    across: FloatArray, up: FloatArray, depth: FloatArray, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the value and the nearness of what is seen in each pixel (NaN, -inf for nothing)."""
    column, row = _pixels(across, up)
    order = np.argsort(depth, kind="stable")  # the nearest is written last
    place = (row.astype(np.int64) * COLUMNS + column.astype(np.int64))[order]
    image = np.full(ROWS * COLUMNS, np.nan)
    nearest = np.full(ROWS * COLUMNS, -np.inf)
    image[place] = values[order]
    nearest[place] = depth[order]
    return image.reshape(ROWS, COLUMNS), nearest.reshape(ROWS, COLUMNS)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A surface and what of it is seen."""

    function: Callable[[FloatArray], FloatArray]
    upper: FloatArray
    view: _View
    nearest: FloatArray
    low: float
    span: float

    def draw(self, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Draw a NaN-broken polyline (m, 2) of the unit square on the surface, NaN where hidden."""
        broken = np.isnan(shares[:, 0] + shares[:, 1])
        inside = np.where(np.isnan(shares), 0.0, shares)
        heights = (self.function(inside * self.upper) - self.low) / self.span
        across, up, depth = self.view.project(inside[:, 0], inside[:, 1], heights)
        column, row = (part.astype(np.int64) for part in _pixels(across, up))
        gone = broken | (self.nearest[row, column] > depth + self.view.tolerance)
        return np.where(gone, np.nan, across), np.where(gone, np.nan, up)


def _finely(marks: FloatArray) -> FloatArray:
    """Put points between those of a polyline, so that parts of a line can be hidden."""
    if len(marks) < 2:
        return marks
    share = np.linspace(0.0, 1.0, 24)[:, None]
    parts = marks[:-1, None] * (1 - share) + marks[1:, None] * share
    return parts.reshape(-1, 2)
