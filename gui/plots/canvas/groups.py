"""Lines along time: as lines, as bands, and as the points that they go through.

Between the least and the greatest value of a column of pixels a 2-cycle, a 4-cycle and chaos look
alike. Where every step is known its values are counted per pixel instead, in one pass whose time
depends on neither the number of lines nor their order, so that an orbit of period p shows p
branches. The time that drawing takes is bounded, whatever the lines do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from engine.core.arrays import FloatArray
from gui.plots.canvas.lines import COLUMN, Mapper, Stroke, band_picture, columns, strokes
from gui.plots.canvas.paint import Group, Scene, draw_dots, draw_line

OPAQUE, FAINT = 0.85, 0.25
"""Opacity of one point among few and among very many."""
WIDE = 0.75
"""Pixels between steps from which a point is two pixels wide."""
_MOST = 24
"""Points in a pixel beyond which more of them make no difference."""


EDGE_INK = 30_000.0
EDGED_BANDS = 6
"""Pixels of their outline, or number of bands in a plot, up to which they get edges."""
INK_LIMIT = 160_000.0
"""Pixels of stroke beyond which all lines are drawn as bands over wider columns."""
WIDE_COLUMN = 6.0
WEAVE_ALPHA = 0.4
"""Opacity of what joins the points of a line that keeps turning."""
KNOWN_ALPHA, KNOWN_MOST = 0.1, 0.25
"""Opacity of the fill of a band whose values are all shown, and of many such over each other."""
MANY = 8
"""Lines over which each is drawn as one hair line."""
APART = 7.0
"""Pixels between points from which they are marked."""


def density_picture(
    x: FloatArray, y: FloatArray, colors: FloatArray, plot: QRectF, strength: float = 1.0
) -> NDArray[np.uint32]:
    """Count points per pixel and paint them, the denser the more opaque.

    Where lines of several colours meet the colour is their mean: the result does not depend on
    their order.

    Parameters
    ----------
    x : ndarray, shape (points,)
        Horizontal pixels.
    y : ndarray, shape (lines, points)
        Vertical pixels; NaN where there is nothing.
    colors : ndarray, shape (lines, 3)
        Red, green and blue, 0 to 255.
    plot : QRectF
        The rectangle of pixels that the picture covers.
    strength : float
        Opacity of the whole, 0 to 1.

    Returns
    -------
    ndarray of uint32, shape (rows, columns)
        Premultiplied ``0xAARRGGBB``.
    """
    rows, width = max(int(plot.height()), 2), max(int(np.ceil(plot.width())), 2)
    across = np.floor(x - plot.left())
    up = np.floor(y - plot.top() - 0.5)  # a point covers this row and the next
    with np.errstate(invalid="ignore"):
        seen = (across >= 0) & (across < width) & (up >= 0) & (up < rows - 1)
    cells = (up * width + across)[seen].astype(np.int64)
    wide = len(x) < 2 or (x[-1] - x[0]) / (len(x) - 1) >= WIDE

    def counted(weights: FloatArray | None) -> NDArray[Any]:
        found = np.bincount(cells, weights, rows * width).reshape(rows, width)
        found[1:] += found[:-1].copy()
        if wide:
            found[:, 1:] += found[:, :-1].copy()
        return found

    counts = counted(None).astype(np.int64)
    share = len(cells) * (4 if wide else 2) / counts.size
    single = FAINT + (OPAQUE - FAINT) / (1.0 + share)
    opacity = strength * (1.0 - (1.0 - single) ** np.arange(_MOST + 1))
    level = np.minimum(counts, _MOST)
    if (colors == colors[0]).all():
        table = np.append(colors[0, ::-1], 255.0) * opacity[:, None]
        one: NDArray[np.uint32] = table.astype(np.uint8).view(np.uint32)[:, 0][level]
        return one
    picture = np.empty((rows, width, 4), np.uint8)
    shade = opacity[level] / np.maximum(counts, 1)
    line = np.nonzero(seen)[0]
    for channel in range(3):
        picture[..., channel] = counted(colors[line, 2 - channel]) * shade
    picture[..., 3] = 255.0 * opacity[level]
    mean: NDArray[np.uint32] = picture.view(np.uint32)[..., 0]
    return mean


def draw_density(
    painter: QPainter,
    plot: QRectF,
    x: FloatArray,
    y: FloatArray,
    colors: tuple[QColor, ...],
    strength: float = 1.0,
) -> None:
    """Draw lines, pixels of shape (lines, points), as the points that they go through."""
    shades = np.array([[c.red(), c.green(), c.blue()] for c in colors], np.float64)
    pixels = density_picture(x, y, shades, plot, strength)
    rows, width = pixels.shape
    picture = QImage(pixels.data, width, rows, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(QRectF(plot.left(), plot.top(), width, rows), picture)


@dataclass(frozen=True, slots=True)
class _Made:
    """A group in pixels: its strokes, and the pixels and values of the steps that are known."""

    strokes: list[Stroke]
    points: tuple[FloatArray, FloatArray] | None

    @property
    def known_from(self) -> float:
        """The pixel from which every step is known."""
        return math.inf if self.points is None or not len(self.points[0]) else self.points[0][0]


def draw_groups(painter: QPainter, scene: Scene, groups: Sequence[Group]) -> None:
    """Draw lines over a time axis; the time it takes is bounded, whatever the lines do."""
    made = [_made(scene.mapper, group, COLUMN, False) for group in groups]
    column = COLUMN
    if _ink(made) > INK_LIMIT:
        column = WIDE_COLUMN
        made = [_made(scene.mapper, group, column, True) for group in groups]
    ink = _ink(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for group, found in zip(groups, made, strict=True):
        lines = list(zip(found.strokes, group.colors, strict=True))
        bands = [(stroke, color) for stroke, color in lines if stroke.y_high is not None]
        if bands:
            _draw_bands(painter, scene, bands, column, ink, group, found.known_from)
        weight = group.weight if len(lines) <= MANY else 1.0
        for stroke, color in lines:
            if stroke.is_weave:
                faint = QColor(color)
                faint.setAlphaF(WEAVE_ALPHA * color.alphaF())
                draw_line(painter, scene, stroke, faint, group.dash, 1.0, ink)
            elif stroke.y_high is None:
                draw_line(painter, scene, stroke, color, group.dash, weight, ink)
        _draw_known(painter, scene, group, found)
        if group.points:
            _draw_points(painter, scene, group)


def _draw_known(painter: QPainter, scene: Scene, group: Group, made: _Made) -> None:
    """Draw the values of lines that oscillate, where they are known step by step."""
    chosen = [index for index, stroke in enumerate(made.strokes) if stroke.oscillates]
    if not chosen or made.points is None or len(made.points[0]) < 2:
        return
    x, values = made.points
    y = scene.mapper.py(np.ascontiguousarray(values[:, chosen].T))
    colors = tuple(group.colors[index] for index in chosen)
    draw_density(painter, scene.plot, x, y, colors, 0.35 if group.is_ghost else 1.0)


def _draw_points(painter: QPainter, scene: Scene, group: Group) -> None:
    """Mark the points of lines while they are far enough apart to differ from the line."""
    x = scene.mapper.px(group.x)
    inside = (x >= scene.plot.left()) & (x <= scene.plot.right())
    shown = x[inside]
    if len(shown) > 1 and (shown[-1] - shown[0]) / (len(shown) - 1) < APART:
        return
    for y, color in zip(scene.mapper.py(group.y[inside]).T, group.colors, strict=True):
        draw_dots(painter, shown, y, color, 5.0)


def _made(mapper: Mapper, group: Group, width: float, as_bands: bool) -> _Made:
    x = mapper.px(group.x)
    inside = np.flatnonzero((x >= mapper.plot.left()) & (x <= mapper.plot.right()))
    if len(inside) == 0:
        first, last = int(np.searchsorted(x, mapper.plot.left())), 0
        first, last = max(first - 1, 0), min(first + 1, len(x))
    else:  # with one point on each side, so that lines reach the border
        first, last = max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 2, len(x))
    if first > 0 and x[first - 1] == x[first]:
        first -= 1  # least and greatest value stay together
    if 0 < last < len(x) and x[last] == x[last - 1]:
        last += 1
    x, y = x[first:last], group.y[first:last]
    if as_bands and len(x) > 2:
        spacing = (x[-1] - x[0]) / (len(x) - 1)
        width = max(width, 2.5 * spacing)
        if width > WIDE_COLUMN * 4:
            as_bands = False
    reduced = columns(x, y, width)
    points = reduced.steps
    if points is None and group.recent is not None:
        points = (mapper.px(group.recent[0]), group.recent[1])
    return _Made(strokes(reduced, mapper, as_bands and not reduced.is_exact), points)


def _ink(made: list[_Made]) -> float:
    return sum(stroke.ink for found in made for stroke in found.strokes)


def _draw_bands(
    painter: QPainter,
    scene: Scene,
    bands: list[tuple[Stroke, QColor]],
    column: float,
    ink: float,
    group: Group,
    known_from: float,
) -> None:
    """Fill bands, and draw their edges where only these are known."""
    edges = sum(stroke.ink for stroke, _ in bands)
    edged = edges <= EDGE_INK or (len(bands) <= EDGED_BANDS and ink <= INK_LIMIT)
    first = bands[0][0].x
    if len(first) > 1:
        column = max(column, float(np.min(np.diff(first))))
    colors = np.array([[c.red(), c.green(), c.blue()] for _, c in bands], np.float64)
    knows_all = known_from <= max(float(first[0]), scene.plot.left() + 1.0)
    light = min(KNOWN_ALPHA, 1.0 - (1.0 - KNOWN_MOST) ** (1.0 / len(bands)))
    fill = light if knows_all else 0.22 if edged else 0.4
    alpha = (0.3 if group.is_ghost else 1.0) * fill
    if edged and group.fill is not None:  # the edges distinguish the lines
        colors[:] = group.fill.red(), group.fill.green(), group.fill.blue()
    row = 2.0 if len(bands) <= 2 else 4.0
    pixels = band_picture([s for s, _ in bands], colors, scene.plot, column, alpha, row)
    rows, width = pixels.shape
    if not knows_all and known_from < scene.plot.right():
        known = pixels[:, max(0, int((known_from - scene.plot.left()) / column)) :]
        known[:] = (
            (known[..., None].view(np.uint8) * (KNOWN_ALPHA / fill))
            .astype(np.uint8)
            .view(np.uint32)[..., 0]
        )
    picture = QImage(pixels.data, width, rows, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    place = QRectF(scene.plot.left(), scene.plot.top(), width * column, scene.plot.height())
    # Edges hide the steps of small cells.
    smooth = not knows_all and (not edged or row > 2.0)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.drawImage(place, picture)
    if not edged or knows_all:
        return
    upto = int(np.searchsorted(first, known_from))
    for stroke, color in bands:
        assert stroke.y_high is not None
        for y in (stroke.y, stroke.y_high):
            edge = Stroke(stroke.x[:upto], y[:upto], None, 0.0)
            draw_line(painter, scene, edge, color, "solid", 1.0, ink)
