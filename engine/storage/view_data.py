"""What a view draws from an observation, as plain arrays and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.ensemble import Observation
from engine.core.views import (
    BarView,
    Circle,
    Curve,
    Handle,
    Heat,
    ImageView,
    Item,
    PlaneView,
    Points,
    Rule,
    SurfaceView,
    TableView,
    TimeView,
    View,
)


def view_keys(view: View) -> tuple[str, ...]:
    """List the keys of the observation that a view can draw, each once."""
    if isinstance(view, TimeView):
        keys = [rule.key for rule in view.rules]
    elif isinstance(view, PlaneView):
        keys = [key for item in view.items for key in item_keys(item)]
    elif isinstance(view, SurfaceView):
        keys = [view.key, view.extent_key]
        keys += [key for item in view.items for key in item_keys(item)]
    elif isinstance(view, ImageView):
        keys = [view.key, view.captions_key, view.row_labels_key, view.column_labels_key]
        keys.append(view.extent_key)
    elif isinstance(view, BarView):
        keys = [view.categories_key, *view.keys]
    elif isinstance(view, TableView):
        keys = [view.key]
    else:
        keys = []
    return tuple(dict.fromkeys(key for key in keys if key))


def item_keys(item: Item) -> tuple[str, ...]:
    """List the keys of the observation that an item of a plane can draw."""
    if isinstance(item, Curve):
        return item.x, item.y, item.fill_to
    if isinstance(item, Points):
        return item.x, item.y, item.values
    if isinstance(item, Circle):
        return item.center_key, item.radius_key
    if isinstance(item, Heat):
        return item.key, item.extent_key, item.counts_key
    if isinstance(item, Handle):
        return item.x, item.y
    return (item.key,)


def view_arrays(view: View, observation: Observation) -> dict[str, NDArray[Any]]:
    """Return the arrays that a view draws, numbers and texts; mixed tables become texts."""
    present = (key for key in view_keys(view) if observation.get(key) is not None)
    return {key: _as_array(observation[key]) for key in present}


def _as_array(values: Any) -> NDArray[Any]:
    """Make one array of numbers, or of texts where there are other things or uneven rows."""
    if _is_numeric(values):
        return np.asarray(values)
    if not isinstance(values, list | tuple):
        return np.array(str(values))
    rows = [list(row) if isinstance(row, list | tuple) else [row] for row in values]
    width = max(map(len, rows), default=0)
    return np.array([[str(item) for item in row] + [""] * (width - len(row)) for row in rows])


def _is_numeric(values: Any) -> bool:
    if isinstance(values, list | tuple):
        sizes = {len(item) if isinstance(item, list | tuple) else -1 for item in values}
        return len(sizes) <= 1 and all(map(_is_numeric, values))
    if isinstance(values, np.ndarray):
        return values.dtype.kind in "biufc"
    return isinstance(values, int | float | complex | np.number | np.bool_)


def view_rows(view: View, observation: Observation) -> Iterator[Sequence[Any]]:
    """Return what a view draws as the rows of a table, its headings first."""
    if isinstance(view, TableView):
        yield view.headings
        yield from observation.get(view.key, ())
    elif isinstance(view, BarView):
        yield ("category", *view.labels)
        columns = [observation.get(key, ()) for key in view.keys]
        for index, name in enumerate(observation.get(view.categories_key, ())):
            yield (name, *(float(c[index]) if index < len(c) else None for c in columns))
    elif isinstance(view, ImageView):
        yield from _image_rows(view, observation)
    elif isinstance(view, PlaneView):
        yield ("item", "line", "x", "y", "value")
        for item in view.items:
            yield from _item_rows(item, observation)
    elif isinstance(view, SurfaceView):
        yield ("item", "line", "x", "y", "value")
        yield from _surface_rows(view, observation)
        for item in view.items:
            yield from _item_rows(item, observation)


def _surface_rows(view: SurfaceView, observation: Observation) -> Iterator[Sequence[Any]]:
    """Yield the values of a surface at the points of its grid."""
    if observation.get(view.key) is None or observation.get(view.extent_key) is None:
        return
    values = np.asarray(observation[view.key], np.float64)
    x0, x1, y0, y1 = (float(edge) for edge in observation[view.extent_key])
    x, y = np.linspace(x0, x1, values.shape[1]), np.linspace(y0, y1, values.shape[0])
    for (row, column), value in np.ndenumerate(values):
        yield view.z_label, row, float(x[column]), float(y[row]), float(value)


def _image_rows(view: ImageView, observation: Observation) -> Iterator[Sequence[Any]]:
    values = np.asarray(observation.get(view.key, np.empty((0, 0))), np.float64)
    if values.ndim == 3:
        captions = observation.get(view.captions_key, ())
        yield ("image", "caption", "row", "column", "value")
        for (image, row, column), value in np.ndenumerate(values):
            caption = captions[image] if image < len(captions) else ""
            yield image, caption, row, column, value
    else:
        names = list(observation.get(view.row_labels_key, ()))
        columns = list(observation.get(view.column_labels_key, ()))
        columns = columns if len(columns) == values.shape[1] else list(range(values.shape[1]))
        yield ("", *columns)
        for index, line in enumerate(values):
            yield (names[index] if len(names) == len(values) else index, *line.tolist())


def _item_rows(item: Item, observation: Observation) -> Iterator[Sequence[Any]]:
    if any(observation.get(key) is None for key in item_keys(item) if key):
        return
    if isinstance(item, Heat):
        yield from _heat_rows(item, observation)
    elif isinstance(item, Circle):
        center = observation[item.center_key] if item.center_key else (0.0, 0.0)
        radius = observation[item.radius_key] if item.radius_key else item.radius
        yield item.label or "circle", 0, float(center[0]), float(center[1]), float(radius)
    elif isinstance(item, Rule):
        if item.key or item.value is not None:
            value = float(observation[item.key] if item.key else item.value or 0.0)
            place = (value, None) if item.vertical else (None, value)
            yield item.label or "rule", 0, *place, None
    else:
        yield from _point_rows(item, observation)


def _heat_rows(item: Heat, observation: Observation) -> Iterator[Sequence[Any]]:
    """Yield the cells of an image with their middles; of counts only those that are not 0."""
    key = item.counts_key or item.key
    image = np.asarray(observation[key])
    x0, x1, y0, y1 = (float(edge) for edge in observation[item.extent_key])
    rows, columns = image.shape
    wanted = image > 0 if item.counts_key else np.ones(image.shape, bool)
    for row, column in np.argwhere(wanted).tolist():
        x = x0 + (column + 0.5) * (x1 - x0) / columns
        y = y0 + (row + 0.5) * (y1 - y0) / rows
        yield item.label or key, 0, x, y, image[row, column].item()


def _point_rows(item: Curve | Points | Handle, observation: Observation) -> Iterator[Sequence[Any]]:
    across = np.atleast_1d(np.asarray(observation[item.x], np.float64))
    up = np.atleast_1d(np.asarray(observation[item.y], np.float64))
    table = up if up.ndim == 2 else up[:, None]
    sides = across if across.ndim == 2 else across[:, None]
    shades = None
    if isinstance(item, Points) and item.values:
        shades = np.asarray(observation[item.values], np.float64).reshape(len(table), -1)
    for line in range(table.shape[1]):
        side = sides[:, min(line, sides.shape[1] - 1)]
        for index, (x, y) in enumerate(zip(side.tolist(), table[:, line].tolist(), strict=True)):
            value = None if shades is None else shades[index, min(line, shades.shape[1] - 1)]
            yield item.label or item.y, line, x, y, value
