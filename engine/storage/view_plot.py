"""How the table of a view is drawn in a document (`engine.storage.columns`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, takewhile
from typing import Any

from engine.core.views import (
    BarView,
    Curve,
    Heat,
    ImageView,
    PlaneView,
    Points,
    SurfaceView,
    TableView,
    TimeView,
    View,
)
from engine.run.notes import Note
from engine.storage.columns import Line, Plot

MOST = 60
"""Lines of a plot at most."""
_X, _Y = 3, 4
"""Places of the coordinates in the table of a plane, after step, item and line."""
_PILED = 6
"""Columns of the table of several images: step, image, caption, row, column and value."""


def plot_of(view: View, rows: Sequence[Sequence[Any]], notes: Sequence[Note] = ()) -> Plot:
    """Return how a table of a view is drawn, with the user's notes; its headings are row one."""
    own = tuple((note.x, note.y, note.text) for note in notes if note.view == view.id)
    return replace(_plot_of(view, rows), notes=own)


def _plot_of(view: View, rows: Sequence[Sequence[Any]]) -> Plot:
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
    if isinstance(view, SurfaceView):
        return Plot(
            lines=_surface(view, rows[1:]),
            title=view.title,
            x_label=view.x_label,
            y_label=view.y_label,
        )
    if isinstance(view, ImageView) and len(rows[0]) == _PILED:
        return Plot(lines=_first_image(rows[1:]), title=view.title, y_down=True)
    return Plot(title=view.title, typeset=isinstance(view, TableView | ImageView))


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


def _items(view: PlaneView | SurfaceView, rows: Sequence[Sequence[Any]]) -> tuple[Line, ...]:
    """Return a line for each stretch of rows of a heat map, of a curve or of points."""
    drawn = {_name(item): item for item in view.items if isinstance(item, Heat | Curve | Points)}
    lines = []
    for name, first, last in _stretches(rows):
        item = drawn.get(name)
        if isinstance(item, Heat):
            across = 0 if item.counts_key else _across(rows[first:last])
            lines.append(_heat(name, first, last, across))
        elif isinstance(item, Points) and item.values:
            lines.append(_heat(name, first, last, 0))
        elif item is not None:
            is_points = isinstance(item, Points)
            lines.append(Line(x=_X, y=_Y, label=name, scatter=is_points, rows=(first, last)))
    return tuple(lines)


def _name(item: Heat | Curve | Points) -> str:
    """Return what the rows of an item are called (`engine.storage.view_data`)."""
    if item.label:
        return item.label
    return item.counts_key or item.key if isinstance(item, Heat) else item.y


def _stretches(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, int, int]]:
    """Yield the name, the first row and the row after the last of each item's lines."""
    first = 0
    for (name, _), group in groupby(rows, key=lambda row: (row[1], row[2])):
        last = first + len(list(group))
        yield name, first, last
        first = last


def _across(rows: Sequence[Sequence[Any]]) -> int:
    """Return how many cells of a grid are side by side: rows with the same second coordinate."""
    return next((n for n, row in enumerate(rows) if row[_Y] != rows[0][_Y]), len(rows))


def _heat(name: str, first: int, last: int, across: int, x: int = _X, y: int = _Y) -> Line:
    """Return the line of rows whose last column is a colour, a grid where cells are in lines."""
    span, is_grid = (first, last), across > 0
    return Line(x=x, y=y, label=name, scatter=not is_grid, rows=span, value=5, across=across)


def _surface(view: SurfaceView, rows: Sequence[Sequence[Any]]) -> tuple[Line, ...]:
    """Return the heat map of a surface, and what lies on it."""
    count = sum(1 for _ in takewhile(lambda row: row[1] == view.z_label, rows))
    below = (_heat(view.z_label, 0, count, _across(rows[:count])),) if count else ()
    return (*below, *_items(view, rows))


def _first_image(rows: Sequence[Sequence[Any]]) -> tuple[Line, ...]:
    """Return the first of several images as a heat map, its rows downwards."""
    count = sum(1 for _ in takewhile(lambda row: row[1] == 0, rows))
    across = next((n for n, row in enumerate(rows) if row[3] != 0), count)
    return (_heat("", 0, count, across, x=4, y=3),) if count else ()
