"""How the table of a view is drawn in a document (`engine.storage.columns`)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from engine.core.views import BarView, Curve, PlaneView, Points, TimeView, View
from engine.storage.columns import Line, Plot

MOST = 60
"""Lines of a plot at most."""
_X, _Y = 3, 4
"""Places of the coordinates in the table of a plane, after step, item and line."""


def plot_of(view: View, rows: Sequence[Sequence[Any]]) -> Plot:
    """Return how a table of a view is drawn; its headings are the first row."""
    if isinstance(view, TimeView):
        return Plot(
            lines=_series(view, rows[0])[:MOST],
            title=view.title,
            x_label="step $k$",
            y_label=view.y_label,
            log_y=view.log_y,
        )
    if isinstance(view, PlaneView):
        lines = _items(view, rows[1:])[:MOST]
        return Plot(lines=lines, title=view.title, x_label=view.x_label, y_label=view.y_label)
    if isinstance(view, BarView):
        bars = tuple(Line(x=None, y=2 + n, label=name) for n, name in enumerate(view.labels))
        return Plot(lines=bars, title=view.title)
    return Plot(title=view.title)


def _series(view: TimeView, heads: Sequence[Any]) -> tuple[Line, ...]:
    """Return a line for each column that a series is drawn from."""
    lines = []
    for series in view.series:
        for place, head in enumerate(heads[1:], start=1):
            key, _, rest = str(head).partition("[")
            if key.removesuffix(".low").removesuffix(".high") != series.key:
                continue
            if series.component is not None and rest and rest != f"{series.component}]":
                continue
            name = f"{series.label} [{rest}" if rest and series.component is None else series.label
            lines.append(Line(y=place, label=name, magnitude=series.magnitude))
    return tuple(lines)


def _items(view: PlaneView, rows: Sequence[Sequence[Any]]) -> tuple[Line, ...]:
    """Return a line for each stretch of rows of a curve or of points."""
    drawn = {item.label or item.y: item for item in view.items if isinstance(item, Curve | Points)}
    lines, first = [], 0
    for (name, _), group in groupby(rows, key=lambda row: (row[1], row[2])):
        last = first + len(list(group))
        if name in drawn:
            is_points = isinstance(drawn[name], Points)
            lines.append(Line(x=_X, y=_Y, label=name, scatter=is_points, rows=(first, last)))
        first = last
    return tuple(lines)
