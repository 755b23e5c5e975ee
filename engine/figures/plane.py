"""Curves, points, circles and images over two continuous axes, on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Circle as CirclePatch

from engine.core.arrays import FloatArray
from engine.core.palette import RAMP
from engine.core.views import Circle, Curve, Extent, Handle, Heat, Item, PlaneView, Points, Rule
from engine.figures.data import FigureData
from engine.figures.fine import draw_fine
from engine.figures.off_axis import off_axis
from engine.figures.parts import (
    Entry,
    bundle,
    color_bar,
    draw_notes,
    draw_rules,
    drawable,
    set_log,
    tint_colors,
    tint_entries,
    tint_places,
)
from engine.figures.style import COLORMAPS, LINESTYLES, MARKERS, RAMP_MAP, color, colors
from engine.figures.zero_notes import ZeroNote, of_curve, of_points
from engine.text.numbers import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_plane(axes: Axes, view: PlaneView, data: FigureData) -> list[Entry]:
    """Draw curves, points, circles and images over two continuous axes."""
    axes.set_xlabel(view.x_label)
    axes.set_ylabel(view.y_label)
    if view.log_x:
        set_log(axes, "x")
    if view.log_y:
        set_log(axes, "y")
    if view.equal:
        extents = (view.x_range, view.y_range, view.x_extent, view.y_extent)
        is_fixed = any(extent is not None for extent in extents)
        axes.set_aspect("equal", adjustable="box" if is_fixed else "datalim")
    painter = _Painter(axes, view, data)
    entries = [entry for item in view.items for entry in painter.draw(item)]
    if view.x_extent is not None:
        axes.set_xmargin(0)
    if view.y_extent is not None:
        axes.set_ymargin(0)
    axes.autoscale_view()
    if view.x_range is not None:
        axes.set_xlim(view.x_range)
    if view.y_range is not None:
        axes.set_ylim(view.y_range)
    painter.reach()
    if view.log_y:
        draw_notes(axes, map(painter.note, view.items))
    return entries


def _within(extent: Extent, ends: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of an axis for the ends of its data."""
    (low, high), (least, most) = extent.home, extent.most
    pad = 0.05 * (high - low)
    low = low if ends[0] >= low else max(ends[0] - pad, least)
    return low, high if ends[1] <= high else min(ends[1] + pad, most)


class _Painter:
    """Draws the items of a plane; an item whose data are missing is left out."""

    def __init__(self, axes: Axes, view: PlaneView, data: FigureData) -> None:
        self._axes = axes
        self._view = view
        self._data = data
        self._observation = data.observation

    def draw(self, item: Item) -> list[Entry]:
        drawers: Mapping[type, Callable[[Any], list[Entry]]] = {
            Curve: self._curve,
            Points: self._points,
            Circle: self._circle,
            Heat: self._heat,
            Handle: self._handle,
            Rule: self._rule,
        }
        return drawers[type(item)](item)

    def reach(self) -> None:
        """Set the axes that have an extent, and mark the points outside them at their edges."""
        view, axes = self._view, self._axes
        if not self._data.steady.hold(axes, view.id):
            if view.x_extent is not None:
                axes.set_xlim(_within(view.x_extent, axes.get_xlim()))
            if view.y_extent is not None:
                axes.set_ylim(_within(view.y_extent, axes.get_ylim()))
        if view.x_extent is None and view.y_extent is None:
            return
        for item in view.items:
            arrays = self._point_arrays(item.x, item.y) if isinstance(item, Points) else None
            if arrays is not None and arrays[0].shape == arrays[1].shape:
                self._mark_off_axis(np.array(arrays).reshape(2, -1))

    def note(self, item: Item) -> ZeroNote | None:
        """Return the note on the zeros of a named item, which a log axis cannot show."""
        if not isinstance(item, Curve | Points) or not item.label:
            return None
        x, y = self._array(item.x), self._array(item.y)
        if x is None or y is None or x.ndim != 1 or len(x) != len(y):
            return None
        if isinstance(item, Curve):
            return of_curve(item.label, item.color, self._view.x_label, x, y.reshape(len(y), -1))
        return of_points(item.label, item.color, x, y) if y.ndim == 1 else None

    def _mark_off_axis(self, places: FloatArray) -> None:
        ends = np.array([self._axes.get_xlim(), self._axes.get_ylim()])
        for item in off_axis(places, ends, (self._view.log_x, self._view.log_y)):
            axis, place = item.axis, np.empty(2)
            place[axis], place[1 - axis] = item.value, item.across
            shown = np.clip(place, ends[:, 0], ends[:, 1])
            text = shown.copy()
            inward = -item.sign * np.ptp(ends[axis]) * 0.045
            text[axis] += inward
            self._axes.annotate(
                item.label(short(item.value, 3)),
                shown.tolist(),
                text.tolist(),
                arrowprops={"arrowstyle": "-|>", "color": color("1")},
                ha=("left" if inward > 0 else "right") if axis == 0 else "center",
                va="center" if axis == 0 else ("bottom" if inward > 0 else "top"),
                fontsize="small",
            )

    def _array(self, key: str) -> FloatArray | None:
        value = self._observation.get(key) if key else None
        return None if value is None else np.asarray(value, np.float64)

    def _point_arrays(self, x: str, y: str) -> tuple[FloatArray, FloatArray] | None:
        across, up = self._array(x), self._array(y)
        if across is None or up is None:
            return None
        across, up = np.atleast_1d(across), np.atleast_1d(up)
        return drawable(across, log=self._view.log_x), drawable(up, log=self._view.log_y)

    def _curve(self, item: Curve) -> list[Entry]:
        arrays = self._point_arrays(item.x, item.y)
        if arrays is None or not arrays[0].size:
            return []
        across, up = arrays
        table = up if up.ndim == 2 else up[:, None]
        shades = colors(item.color, table.shape[1])
        lines = []
        for index, shade in enumerate(shades):
            line = Line2D(
                across if across.ndim == 1 else across[:, index],
                table[:, index],
                color=shade,
                linestyle=LINESTYLES[item.dash],
                linewidth=item.width * 0.75,
                gid=f"{item.y}-{index}",
            )
            if item.ground:
                self._axes.add_artist(line)  # which the axes do not reach out to
            else:
                self._axes.add_line(line)
            lines.append(line)
        lower = self._array(item.fill_to)
        if lower is not None and up.ndim == 1:
            self._axes.fill_between(across, lower, up, color=shades[0], alpha=0.15, linewidth=0)
        return bundle(lines, item.label)

    def _points(self, item: Points) -> list[Entry]:
        arrays = self._point_arrays(item.x, item.y)
        if arrays is None or not arrays[0].size:
            return []
        across, up = arrays
        if up.ndim == 2 and across.ndim == 1:
            across = np.repeat(across[:, None], up.shape[1], axis=1)
        values = self._array(item.values)
        style: dict[str, Any] = {
            "c": color(item.color) if item.color != "ramp" else RAMP[len(RAMP) // 2]
        }
        if values is not None and values.size == across.size:
            style = {"c": values.ravel(), "cmap": RAMP_MAP}
            style["vmin"], style["vmax"] = self._data.steady.levels.get(item.values, (None, None))
        elif item.color == "ramp" and up.ndim == 2:
            style = {"c": colors("ramp", up.shape[1]) * up.shape[0]}
        elif item.hollow:
            style = {"facecolors": "none", "edgecolors": style["c"]}
        handle = self._axes.scatter(
            across.ravel(),
            up.ravel(),
            s=(item.size * 0.75) ** 2,
            marker=MARKERS[item.symbol],
            linewidths=1.0 if item.hollow else 0.0,
            zorder=3,
            gid=f"{item.y}-points",
            **style,
        )
        return [Entry(handle, item.label)] if item.label else []

    def _circle(self, item: Circle) -> list[Entry]:
        center = self._array(item.center_key)
        radius = self._array(item.radius_key)
        if (item.center_key and center is None) or (item.radius_key and radius is None):
            return []
        middle = (0.0, 0.0) if center is None else (float(center[0]), float(center[1]))
        size = item.radius if radius is None else float(radius)
        if not np.isfinite([*middle, size]).all():
            return []
        patch = CirclePatch(
            middle,
            size,
            fill=False,
            edgecolor=color(item.color),
            linestyle=LINESTYLES[item.dash],
            linewidth=1.0,
        )
        self._axes.add_patch(patch)
        line = Line2D([], [], color=color(item.color), linestyle=LINESTYLES[item.dash])
        return bundle([line], item.label)

    def _heat(self, item: Heat) -> list[Entry]:
        image, extent = self._array(item.key), self._array(item.extent_key)
        if image is None or extent is None:
            return []
        ends = self._data.level_ends(item.key, image, item.colormap) or (0.0, 1.0)
        low, high = item.ends(*ends)
        if item.tints:
            image, low, high = tint_places(image, item.tints), 0.5, len(item.tints) + 0.5
        self._axes.grid(False)
        style: dict[str, Any] = {
            "aspect": "equal" if self._view.equal else "auto",
            "cmap": tint_colors(item.tints) if item.tints else COLORMAPS[item.colormap],
            "zorder": 0,
            "vmin": low,
            "vmax": high,
        }
        if item.tints:
            artist = self._axes.imshow(image, origin="lower", extent=extent.tolist(), **style)
        else:
            artist = draw_fine(self._axes, image, tuple(extent.tolist()), **style)
        if item.label:
            color_bar(self._axes, artist, item.label)
        return tint_entries(item.tints, item.missing)

    def _handle(self, item: Handle) -> list[Entry]:
        return self._points(Points(x=item.x, y=item.y, label=item.label, color=item.color))

    def _rule(self, item: Rule) -> list[Entry]:
        return draw_rules(
            self._axes,
            (item,),
            self._data.theory,
            self._observation,
            self._view.log_y,
            self._view.log_x,
        )
