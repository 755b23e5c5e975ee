"""The surface of a function, with what lies on it, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from engine.core.views import Curve, Points, SurfaceView
from engine.figures.data import FigureData
from engine.figures.parts import Entry
from engine.figures.relief import Eye, Relief, relief_of
from engine.figures.style import COLORMAPS, LINESTYLES, MARKERS, PALETTE, color

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 800
"""Columns of a picture on paper."""


def draw_surface(axes: Axes, view: SurfaceView, data: FigureData) -> list[Entry]:
    """Draw a surface from the usual side, with the block it is the top of, and its axes."""
    axes.axis("off")
    relief = relief_of(view, data.observation, Eye(), _WIDTH)
    if relief is None:
        axes.text(0.5, 0.5, "no data", ha="center", va="center", transform=axes.transAxes)
        return []
    axes.set_aspect("equal")
    left, right, bottom, top = relief.box
    axes.set_xlim(left - 0.1, right + 0.1)
    axes.set_ylim(bottom - 0.12, top + 0.06)
    _draw_block(axes, relief)
    for text in relief.texts(view.x_label, view.y_label, view.z_label):
        _write(axes, text.text, text.at, text.away, text.is_label)
    return [entry for item in view.items for entry in _draw_item(axes, relief, item, data)]


def _draw_block(axes: Axes, relief: Relief) -> None:
    muted = PALETTE["muted"]
    walls = [np.stack(line, axis=1) for line in relief.walls()]
    axes.add_collection(LineCollection(walls, colors=muted, linewidths=0.4, alpha=0.6, zorder=0))
    for line in relief.sides():
        outline = np.stack(line, axis=1)
        side = Polygon(outline, facecolor="#ececf0", edgecolor=muted, linewidth=0.5, zorder=1)
        axes.add_patch(side)
    table = (COLORMAPS["sequential"](np.arange(256))[:, :3] * 255).astype(np.uint8)
    style: dict[str, Any] = {"interpolation": "antialiased", "zorder": 2, "aspect": "equal"}
    ends = axes.get_xlim(), axes.get_ylim()
    axes.imshow(relief.colored(table), extent=relief.box, **style)
    axes.set_xlim(ends[0])
    axes.set_ylim(ends[1])
    mesh = [np.stack(line, axis=1) for line in relief.mesh()]
    axes.add_collection(LineCollection(mesh, colors="white", linewidths=0.4, alpha=0.55, zorder=3))


def _write(
    axes: Axes, text: str, at: tuple[float, float], away: tuple[float, float], is_label: bool
) -> None:
    distance = 20.0 if is_label and away[1] < 0 else 5.0
    x, y = away
    axes.annotate(
        text,
        at,
        (distance * x, distance * y),
        textcoords="offset points",
        ha="right" if x < -0.25 else "left" if x > 0.25 else "center",
        va="top" if y < -0.25 else "bottom" if y > 0.25 else "center",
        fontsize=9 if is_label else 7.5,
        color=PALETTE["text"],
    )


def _draw_item(axes: Axes, relief: Relief, item: Curve | Points, data: FigureData) -> list[Entry]:
    x, y = data.observation.get(item.x), data.observation.get(item.y)
    if x is None or y is None:
        return []
    x, y = (np.atleast_1d(np.asarray(each, np.float64)) for each in (x, y))
    if isinstance(item, Points):
        return _draw_points(axes, relief, item, x, y)
    seen, hidden = relief.line(x, y)
    shade, width = color(item.color), 0.75 * item.width
    line = Line2D(*seen, color=shade, linestyle=LINESTYLES[item.dash], linewidth=width, zorder=4)
    axes.add_line(line)
    dots = LINESTYLES["dot"]
    axes.add_line(
        Line2D(*hidden, color=shade, linestyle=dots, linewidth=0.6 * width, alpha=0.7, zorder=4)
    )
    return [Entry(line, item.label)] if item.label else []


def _draw_points(axes: Axes, relief: Relief, item: Points, x: Any, y: Any) -> list[Entry]:
    across, up, hidden = relief.points(x, y)
    shade, marker, size = color(item.color), MARKERS[item.symbol], (0.75 * item.size) ** 2
    behind = hidden > 0
    style: dict[str, Any] = {"marker": marker, "s": size, "zorder": 5}
    axes.scatter(
        across[behind], up[behind], facecolors="none", edgecolors=shade, linewidths=0.8, **style
    )
    front = ~behind
    handle = axes.scatter(
        across[front], up[front], c=shade, edgecolors="white", linewidths=0.5, **style
    )
    return [Entry(handle, item.label)] if item.label else []
