"""Images, bars and tables on paper."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.ensemble import Observation
from engine.core.views import BarView, ImageView, TableView
from engine.figures.data import FigureData
from engine.figures.parts import Entry, color_bar, tint_colors, tint_entries, tint_places
from engine.figures.style import COLORMAPS, PALETTE, color
from engine.text.numbers import NONE, short, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
"""Rows of a table on paper; the rest is in the data."""
FONT_SIZE, CHARACTER = 8.5, 0.062
"""Points, and inches of an average character, in a table."""
MOST_IMAGES = 100
MOST_TICKS = 48
MOST_NUMBERS = 400
"""Cells that get their number written into them."""


def draw_image(axes: Axes, view: ImageView, data: FigureData) -> list[Entry]:
    """Draw one image with its axes, or a grid of images with captions."""
    image = data.observation.get(view.key)
    if image is None or not np.asarray(image).size:
        return _nothing(axes, str(data.observation.get(view.status_key, "")))
    values = np.asarray(image, np.float64)
    if values.ndim == 3:
        captions = [str(text) for text in data.observation.get(view.captions_key, ())]
        _draw_grid(axes, view, values[:MOST_IMAGES], captions, data)
    else:
        _draw_single(axes, view, values, data)
    return tint_entries(view.tints, view.missing) if view.tints else []


def _show(axes: Axes, view: ImageView, values: FloatArray, data: FigureData) -> None:
    low, high = data.level_ends(view.key, values, view.colormap) or (0.0, 1.0)
    axes.grid(False)
    cmap: Any = COLORMAPS[view.colormap]
    if view.tints:
        values, low, high = tint_places(values, view.tints), 0.5, len(view.tints) + 0.5
        cmap = tint_colors(view.tints)
    artist = axes.imshow(values, cmap=cmap, vmin=low, vmax=high, aspect="equal")
    if view.color_label:
        color_bar(axes, artist, view.color_label, shrink=0.9)
    if view.annotate and values.ndim == 2 and values.size <= MOST_NUMBERS:
        _write_numbers(axes, values, artist)


def _write_numbers(axes: Axes, values: FloatArray, artist: Any) -> None:
    size = max(4.5, min(8.5, 80 / max(values.shape)))
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        red, green, blue, _ = artist.cmap(artist.norm(value))
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
        text = short(float(value), 3)
        ink = "white" if dark else PALETTE["text"]
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)


def _draw_single(axes: Axes, view: ImageView, values: FloatArray, data: FigureData) -> None:
    _show(axes, view, values, data)
    axes.set_xlabel(view.x_label)
    axes.set_ylabel(view.y_label)
    for key, axis, count in (
        (view.row_labels_key, axes.yaxis, values.shape[0]),
        (view.column_labels_key, axes.xaxis, values.shape[1]),
    ):
        names = [str(name) for name in data.observation.get(key, ())] if key else []
        if len(names) == count and count <= MOST_TICKS:
            axis.set_ticks(range(count), names)
        elif count <= 12:
            axis.set_ticks(range(count), [str(index + 1) for index in range(count)])


def _draw_grid(
    axes: Axes, view: ImageView, images: FloatArray, captions: list[str], data: FigureData
) -> None:
    count, rows, columns = images.shape
    wide = 1.0 if view.extent_key else 1.6
    across = math.ceil(math.sqrt(count * wide * rows / columns))
    down = math.ceil(count / across)
    gap, head = max(1, columns // 10), (max(2, rows // 4) if captions else max(1, rows // 10))
    page = np.full((down * (rows + head), across * (columns + gap) - gap), np.nan)
    for index, image in enumerate(images):
        top = index // across * (rows + head) + head
        left = index % across * (columns + gap)
        page[top : top + rows, left : left + columns] = image
        if index < len(captions):
            middle = left + (columns - 1) / 2
            axes.text(middle, top - 1, captions[index], ha="center", va="bottom", fontsize=7)
        box = (left - 0.5, top - 0.5, columns, rows)
        is_first, is_last = index % across == 0, index + across >= count
        _draw_ends(axes, view, box, data.observation, is_first, is_last)
    _show(axes, view, page, data)
    axes.axis("off")


def _draw_ends(
    axes: Axes,
    view: ImageView,
    box: tuple[float, float, float, float],
    observation: Observation,
    is_first: bool,
    is_last: bool,
) -> None:
    """Frame an image and write what it reaches over: below the last row, beside the first column.

    `box` is its left and upper edge, width and height.
    """
    ends = observation.get(view.extent_key) if view.extent_key else None
    if ends is None:
        return
    left, top, width, height = box
    axes.add_patch(
        Rectangle(
            (left, top), width, height, fill=False, clip_on=False, color=PALETTE["muted"], lw=0.6
        )
    )
    x0, x1, y0, y1 = (short(float(end), 4) for end in ends)
    style: dict[str, Any] = {"fontsize": 7, "clip_on": False}
    below, beside = top + 1.02 * height, left - 0.02 * width
    if is_last:
        axes.text(left, below, x0, ha="left", va="top", **style)
        axes.text(left + width, below, x1, ha="right", va="top", **style)
        axes.text(left + width / 2, below, view.x_label, ha="center", va="top", **style)
    if is_first:
        axes.text(beside, top, y1, ha="right", va="top", **style)
        axes.text(beside, top + height, y0, ha="right", va="bottom", **style)
        axes.text(beside, top + height / 2, view.y_label, ha="right", va="center", **style)


def draw_bars(axes: Axes, view: BarView, data: FigureData) -> list[Entry]:
    """Draw groups of bars, one group per category."""
    names = [str(name) for name in data.observation.get(view.categories_key, ())]
    present = [
        (np.asarray(data.observation[key], np.float64), label, color(role))
        for key, label, role in zip(view.keys, view.labels, view.colors, strict=True)
        if key in data.observation
    ]
    if not names or not present:
        return _nothing(axes)
    places, width = np.arange(len(names)), 0.8 / len(present)
    entries = []
    for index, (values, label, shade) in enumerate(present):
        offset = (index - (len(present) - 1) / 2) * width
        bars = axes.bar(places + offset, values, width * 0.94, color=shade)
        entries.append(Entry(bars, label))
    axes.set_xticks(places, names, rotation=0 if max(map(len, names)) * len(names) < 60 else 40)
    for text in axes.get_xticklabels():
        text.set_horizontalalignment("center" if text.get_rotation() == 0 else "right")
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(view.x_label)
    axes.set_ylabel(view.y_label)
    low, high = axes.get_ylim()
    least, most = view.y_limit
    axes.set_ylim(low if least is None else max(low, least), high if most is None else most)
    data.steady.hold(axes, view.id)
    return entries if len(present) > 1 else []


def draw_table(axes: Axes, view: TableView, data: FigureData) -> list[Entry]:
    """Draw a table as text under a ruled heading."""
    axes.axis("off")
    rows = table_rows(view, data.observation)
    if not rows:
        return _nothing(axes)
    texts, widths = _texts(view, rows)
    shown = rows[:MOST_ROWS]
    numeric = [all(_is_number(row[i]) for row in shown) for i in range(len(widths))]
    edges = np.concatenate([[0.0], np.cumsum(widths)]) / float(widths.sum())
    alone = len(axes.figure.axes) == 1
    height = min(1.0 / (len(texts) + (len(rows) > len(shown))), 1.0 if alone else 0.1)
    place = axes.get_subplotspec()
    columns = 1 if place is None else place.get_gridspec().ncols
    room = axes.figure.bbox.width / axes.figure.dpi / columns
    size = FONT_SIZE * min(1.0, room / (float(widths.sum()) * CHARACTER + 0.4))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for line, row in enumerate(texts):
        for index, text in enumerate(row):
            axes.text(
                edges[index + 1] - 0.03 if numeric[index] else edges[index],
                1 - (line + 0.5) * height,
                text,
                ha="right" if numeric[index] else "left",
                va="center",
                fontsize=size,
                fontweight="bold" if line == 0 else "normal",
            )
    axes.plot([0, 1], [1 - height] * 2, color=PALETTE["muted"], linewidth=0.6)
    if len(rows) > len(shown):
        note = f"and {whole(len(rows) - len(shown))} more rows"
        axes.text(0, 1 - (len(texts) + 0.5) * height, note, va="center", fontsize=size)
    return []


def _texts(view: TableView, rows: list[list[Any]]) -> tuple[list[list[str]], NDArray[np.int64]]:
    """Write the heading and the shown rows; also give the columns' widths in characters."""
    texts = [[str(heading) for heading in view.headings]]
    texts += [[as_text(value) for value in row] for row in rows[:MOST_ROWS]]
    count = len(view.headings)
    return texts, np.array([max(len(_plain(row[i])) for row in texts) + 4 for i in range(count)])


def table_size(view: TableView, observation: Observation) -> tuple[float, float]:
    """Return the inches that a table needs."""
    texts, widths = _texts(view, table_rows(view, observation))
    return max(4.0, float(widths.sum()) * CHARACTER + 0.4), 0.6 + 0.22 * (len(texts) + 1)


def _is_number(value: Any) -> bool:
    return value is None or (
        isinstance(value, int | float | np.number) and not isinstance(value, bool)
    )


def table_rows(view: TableView, observation: Observation) -> list[list[Any]]:
    """Return the rows of a table, each as long as its headings."""
    rows = observation.get(view.key)
    if rows is None:
        return []
    count = len(view.headings)
    return [[*list(row)[:count], *[""] * (count - len(row))] for row in rows]


def as_text(value: Any) -> str:
    """Write one value of a table for people."""
    if value is None:
        return NONE
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return short(float(value), 6)
    return str(value)


def _plain(text: str) -> str:
    return text.replace("$", "").replace("\\", "").replace("{", "").replace("}", "")


def _nothing(axes: Axes, status: str = "") -> list[Entry]:
    axes.axis("off")
    text = status or "nothing to show here yet"
    axes.text(0.5, 0.5, text, ha="center", color=PALETTE["muted"])
    return []
