"""The ticks of an axis measured and drawn by one tick, which goes from place to place.

A tick of matplotlib is five artists, and making them takes longer than drawing them. While a figure
is laid out, only the box about all labels of an axis counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.ticker import NullLocator
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

_CLOSE = 1e-10
"""Share of an axis that a tick may lie beyond its ends."""

Boxes = tuple[list[Any], list[Any]]
"""The box about all labels on the usual side of an axis, and on the other one; none if none."""


def label_boxes(axis: Any, renderer: Any) -> Boxes:
    """Return the boxes about the labels of an axis, in pixels."""
    sides: tuple[list[NDArray[np.float64]], ...] = ([], [])
    for tick, places, labels in _levels(axis):
        for side, text in zip(sides, (tick.label1, tick.label2), strict=True):
            if labels and text.get_visible() and text.get_in_layout():
                side.append(_box(axis, text, places, labels, renderer))
    first, second = (
        [Bbox([np.min([b[0] for b in side], axis=0), np.max([b[1] for b in side], axis=0)])]
        if side
        else []
        for side in sides
    )
    return first, second


def draw_axis(axis: Any, renderer: Any) -> None:
    """Draw an axis whose ticks are alike, see `matplotlib.axis.Axis.draw`."""
    if not axis.get_visible():
        return
    renderer.open_group("matplotlib.axis", gid=axis.get_gid())
    for tick, places, labels in _levels(axis):
        for place, label in zip(places, labels, strict=True):
            tick.update_position(place)
            tick.label1.set_text(label)
            tick.label2.set_text(label)
            tick.draw(renderer)
    axis._update_label_position(renderer)
    axis.label.draw(renderer)
    axis._update_offset_text_position(*axis._get_ticklabel_bboxes((), renderer))
    axis.offsetText.set_text(axis.major.formatter.get_offset())
    axis.offsetText.draw(renderer)
    renderer.close_group("matplotlib.axis")
    axis.stale = False


def _levels(axis: Any) -> Iterator[tuple[Any, NDArray[np.float64], list[str]]]:
    """Yield a tick, the places and the labels of the major and of the minor ticks in sight."""
    for level, style, get_places, get_ticks in (
        (axis.major, axis._major_tick_kw, axis.get_majorticklocs, axis.get_major_ticks),
        (axis.minor, axis._minor_tick_kw, axis.get_minorticklocs, axis.get_minor_ticks),
    ):
        if not axis._tick_group_visible(style) or isinstance(level.locator, NullLocator):
            continue
        places = np.ma.filled(np.ma.asarray(get_places(), np.float64), np.nan)
        labels = level.formatter.format_ticks(places)
        transform = axis.get_transform()
        low, high = sorted(transform.transform(axis.get_view_interval()))
        margin = _CLOSE * (high - low)
        at = transform.transform(places)
        seen = (low - margin <= at) & (at <= high + margin)
        if seen.any():
            shown = [label for label, is_seen in zip(labels, seen, strict=True) if is_seen]
            yield get_ticks(1)[0], places[seen], shown


def _box(
    axis: Any, text: Any, places: NDArray[np.float64], labels: list[str], renderer: Any
) -> NDArray[np.float64]:
    """Return the lower left and the upper right corner of the box about labels."""
    points = np.tile(np.asarray(text.get_unitless_position(), np.float64), (len(places), 1))
    points[:, 0 if axis.axis_name == "x" else 1] = places
    at = text.get_transform().transform(points)
    corners = np.zeros((len(labels), 2, 2))
    for number, label in enumerate(labels):
        if label:
            text.set_text(label)
            corners[number] = text._get_layout(renderer)[0].get_points()
    corners += at[:, np.newaxis]
    return np.array([corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)])
