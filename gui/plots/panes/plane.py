"""Curves, points, circles, images and handles over two continuous axes.

Items are read from an observation; what is missing or does not fit is not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QMenu, QWidget

from engine.core.arrays import FloatArray
from engine.core.ensemble import Observation
from engine.core.views import Circle, Curve, Handle, Heat, Item, PlaneView, Points, Rule
from engine.figures import zero_notes as zeros
from engine.figures.rules import rule_value
from engine.figures.zero_notes import ZeroNote
from engine.text.numbers import number
from gui.plots.canvas.axes import Margins
from gui.plots.canvas.colorbar import ColorBarLayer, calm_levels
from gui.plots.canvas.layers import (
    CircleLayer,
    CurveLayer,
    HeatLayer,
    Layer,
    PointsLayer,
    areas_of,
    to_levels,
)
from gui.plots.canvas.notes import NotesLayer, OffAxisLayer
from gui.plots.canvas.pointer import Grip
from gui.plots.canvas.range import CalmRange, Ends, Limits, Patience, data_ends
from gui.plots.canvas.rules import RuleLine, RulesLayer, room_beside
from gui.plots.panes.canvas_pane import CanvasPane
from gui.plots.panes.pane import (
    WILD,
    Entry,
    Reading,
    ReadingItem,
    Shown,
    number_at,
    numbers,
)
from gui.typeset.rich_text import label

NEAR = 14.0
"""Pixels within which the reading names a point rather than the pointer's own place."""

PATIENCE = Patience(share=0.6)
"""A plane that fills little of its axes for a while is fitted again."""


class PlanePane(CanvasPane[PlaneView]):
    """Draws a `PlaneView`."""

    patience = PATIENCE

    def __init__(self, view: PlaneView, parent: QWidget | None = None) -> None:
        super().__init__(view, parent)
        self._rules = RulesLayer(self.canvas.small_font, beside=False)
        self._bar = ColorBarLayer(self.canvas.small_font)
        self._off_axis = OffAxisLayer(self.canvas.small_font)
        self._notes = NotesLayer(self.canvas.small_font)
        self._levels: dict[str, CalmRange] = {}
        self._heats: dict[str, tuple[tuple[Any, ...], HeatLayer]] = {}
        self._has_ends = False
        self.set_log_axis("x", view.log_x)
        self.set_log_axis("y", view.log_y)
        pointer = self.canvas.pointer
        pointer.grip_moved.connect(self.handle_dragged)
        pointer.grip_released.connect(self.handle_released)
        pointer.stroke_drawn.connect(self._on_stroke)

    def set_view(self, view: PlaneView) -> None:
        """Take another description; axes that it describes otherwise begin anew."""
        before, self.view = self.view, view
        for axis in ("x", "y"):
            names = (f"{axis}_range", f"{axis}_extent", f"log_{axis}")
            if any(getattr(view, name) != getattr(before, name) for name in names):
                self.set_log_axis(axis, getattr(view, f"log_{axis}"))
        super().set_view(view)

    def _has_come_to_rest(self, shown: Shown) -> bool:
        """Return also whether the run began anew or its parameters changed: a plane has no past."""
        snapshot, before = shown.snapshot, self._shown.snapshot if self._shown else None
        if snapshot is not None and before is not None:
            if before.run_id != snapshot.run_id or before.params != snapshot.params:
                return True
        return super()._has_come_to_rest(shown)

    def show_data(self, shown: Shown) -> None:
        """Draw what is given, within axes of its own if the run before diverged."""
        if self._is_new_after_divergence(shown):
            self._has_ends = False
        super().show_data(shown)

    def redraw(self) -> None:
        """Draw what was given last."""
        canvas, view = self.canvas, self.view
        canvas.x_axis.text, canvas.y_axis.text = view.x_label, view.y_label
        canvas.equal, canvas.pointer.drawable = view.equal, bool(view.drawable)
        if self._shown is None:
            canvas.refresh_axes()
            return
        observation = self._shown.observation
        layers: list[Layer] = []
        grips: list[Grip] = []
        rules: list[RuleLine] = []
        notes: list[ZeroNote | None] = []
        self._bar.shown = False
        for index, item in enumerate(view.items):
            if str(index) in self.hidden:
                continue
            if isinstance(item, Handle):
                grips += grips_of(item, observation)
            elif isinstance(item, Rule):
                value = rule_value(item, self._shown.bounds, observation)
                if value is not None:
                    rules.append(RuleLine(item.label, value, item.vertical, item.color, item.dash))
            else:
                layer = self._layer(item, observation)
                if layer is not None:
                    layers.append(layer)
                    notes.append(self._note(item, layer))
        layers.sort(key=lambda layer: not isinstance(layer, HeatLayer))
        self._rules.rules = tuple(rules)
        bounded = view.x_extent is not None or view.y_extent is not None
        points = (layer for layer in layers if bounded and isinstance(layer, PointsLayer))
        self._off_axis.points = tuple(points)
        self._notes.notes = zeros.bounded(notes)
        canvas.layers = [*layers, self._rules, self._off_axis, self._notes, self._bar]
        canvas.pointer.set_grips(grips)
        self._give_room()
        # A plot that moves under the hand cannot be aimed at; one that follows a run that has
        # diverged shows nothing but the last step.
        if not canvas.pointer.is_busy and not (self._has_ends and self._shown.has_diverged):
            across, up = self._ends(layers, grips, 0), self._ends(layers, grips, 1)
            self.follow(across, up)
            self._has_ends = self._has_ends or across is not None or up is not None
        canvas.refresh()

    def _layer(self, item: Item, observation: Observation) -> Layer | None:
        if isinstance(item, Curve):
            return curve_layer(item, observation)
        if isinstance(item, Points):
            return points_layer(item, observation)
        if isinstance(item, Circle):
            return circle_layer(item, observation)
        if isinstance(item, Heat):
            return self._heat_layer(item, observation)
        return None

    def _note(self, item: Item, layer: Layer) -> ZeroNote | None:
        """Add a note where a log axis has no place for a named item."""
        if not self.canvas.y_axis.log:
            return None
        if isinstance(layer, CurveLayer) and isinstance(item, Curve) and item.label:
            return zeros.of_curve(item.label, item.color, self.view.x_label, layer.x, layer.y)
        if isinstance(layer, PointsLayer) and layer.name:
            return zeros.of_points(layer.name, layer.color, layer.x, layer.y)
        return None

    def _heat_layer(self, item: Heat, observation: Observation) -> HeatLayer | None:
        values, extent = numbers(observation, item.key), numbers(observation, item.extent_key)
        if values is None or values.ndim != 2 or 0 in values.shape:
            return None
        if extent is None or extent.shape != (4,) or not np.isfinite(extent).all():
            return None
        calm = self._levels.setdefault(item.key, CalmRange(pad=0.0))
        ends = item.ends(*calm_levels(calm, values, item.colormap))
        if item.label:
            self._bar.set(item.label, ends, item.colormap)
        x0, x1, y0, y1 = extent.tolist()
        made_of = (values, ends, (x0, x1, y0, y1), item.colormap)
        known = self._heats.get(item.key)
        if known is None or known[0][0] is not values or known[0][1:] != made_of[1:]:
            roles = tuple(tint.color for tint in item.tints)
            named = [tint.value for tint in item.tints]
            levels = areas_of(values, named) if roles else to_levels(values, ends)
            layer = HeatLayer(levels, (x0, x1, y0, y1), item.colormap, roles)
            self._heats[item.key] = known = made_of, layer
        return known[1]

    def _give_room(self) -> None:
        font = self.canvas.small_font
        self._rules.font = self._bar.font = self._off_axis.font = self._notes.font = font
        named = [rule for rule in self._rules.rules if rule.vertical and rule.text]
        self._rules.above = bool(named)
        line = max((label(rule.text, font).size.height() for rule in named), default=0.0)
        top = 8.0 + line
        if self._bar.shown:
            self.canvas.set_margins(Margins(top, self._bar.width()))
            return
        rules = (item for item in self.view.items if isinstance(item, Rule))
        texts = [rule.label for rule in rules if not rule.vertical]
        right = room_beside(texts, self.canvas.small_font, self.canvas.unit_size.width())
        self._rules.beside = right is not None
        self.canvas.set_margins(Margins(top, right or 12.0))

    def _ends(self, layers: Iterable[Layer], grips: list[Grip], axis: int) -> Ends | None:
        log = (self.canvas.x_axis, self.canvas.y_axis)[axis].log
        firm: list[FloatArray] = []
        loose: list[FloatArray] = []
        for layer in layers:
            if isinstance(layer, HeatLayer):
                firm.append(np.array(layer.extent[2 * axis : 2 * axis + 2]))
            elif isinstance(layer, CircleLayer):
                middle = layer.center[axis]
                firm.append(np.array([middle - layer.radius, middle + layer.radius]))
            elif isinstance(layer, CurveLayer) and layer.ground:
                continue
            elif isinstance(layer, CurveLayer | PointsLayer):
                loose.append(layer.y if axis else layer.x)
        loose.append(np.array([grip.y if axis else grip.x for grip in grips]))
        extent = self.view.y_extent if axis else self.view.x_extent
        if extent is not None:
            low, high = extent.most  # what is off the axis is an arrow, and takes no room
            loose = [values[(values >= low) & (values <= high)] for values in loose]
            firm.append(np.array(extent.home))
        ends = data_ends([*firm, *loose], log)
        if ends is None:
            ends = data_ends([np.array(self._rules_along(axis))], log)
        if ends is None or log or self._shown is None or not self._shown.has_diverged:
            return ends
        known = np.concatenate([values[np.isfinite(values)].ravel() for values in (*firm, *loose)])
        typical = WILD * float(np.median(np.abs(known))) or 1.0
        return max(ends[0], -typical), min(ends[1], typical)

    def _rules_along(self, axis: int) -> list[float]:
        return [rule.value for rule in self._rules.rules if rule.vertical == (axis == 0)]

    def set_log_axis(self, axis: str, log: bool) -> None:
        """Measure axis ``"x"`` or ``"y"`` in powers of ten, or not."""
        given = self.view.x_range if axis == "x" else self.view.y_range
        extent = self.view.x_extent if axis == "x" else self.view.y_extent
        low, high = (None, None) if extent is None else extent.most
        target = self.canvas.x_axis if axis == "x" else self.canvas.y_axis
        self.set_log(target, log, Limits(low, high, fixed=given))
        self.redraw()

    def entries(self) -> tuple[Entry, ...]:
        """List the items that have a label."""
        items = tuple(enumerate(self.view.items))
        heats = [(index, item) for index, item in items if isinstance(item, Heat)]
        areas = tuple(
            Entry(f"{index}-{tint.value}", tint.label, tint.color, "tint", can_hide=False)
            for index, item in heats
            for tint in item.tints
        )
        drawn = tuple(
            entry_of(str(index), item)
            for index, item in items
            if isinstance(item, Curve | Points | Circle) and item.label
        )
        blank = tuple(
            Entry(f"{index}-missing", item.missing, "surface", "area", can_hide=False)
            for index, item in heats
            if item.missing
        )
        return areas + drawn + blank

    def fill_axes_menu(self, menu: QMenu) -> None:
        """Offer log axes, and the drawing that was there at first."""
        for axis, state in (("y", self.canvas.y_axis), ("x", self.canvas.x_axis)):
            action = self.checkable(menu, f"Log {axis}", state.log)
            action.toggled.connect(lambda on, name=axis: self.set_log_axis(name, on))
        if self.view.drawable:
            menu.addSeparator()
            menu.addAction("Reset drawing").triggered.connect(self._on_reset_drawing)

    def _on_reset_drawing(self) -> None:
        self.stroke_drawn.emit(self.view.drawable, [])

    def _on_stroke(self, points: list[list[float]]) -> None:
        """Hand on what was drawn, within fixed axes and to a tenth of a pixel."""
        mapper, ranges = self.canvas.frame.mapper, (self.view.x_range, self.view.y_range)
        here = mapper.plot.center()
        steps = (
            mapper.x_at(here.x() + 0.1) - mapper.x_at(here.x()),
            mapper.y_at(here.y() - 0.1) - mapper.y_at(here.y()),
        )
        rows = [
            [
                _placed(value, abs(step), ends)
                for value, step, ends in zip(p, steps, ranges, strict=True)
            ]
            for p in points
        ]
        self.stroke_drawn.emit(self.view.drawable, rows)

    # The reading.

    def _on_hovered(self, at: QPointF | None) -> None:
        if at is None or self._shown is None:
            self.reading_changed.emit(None)
            return
        mapper = self.canvas.frame.mapper
        x, y = mapper.x_at(at.x()), mapper.y_at(at.y())
        items = []
        near = self._nearest_point(at)
        if near is not None:
            x, y, name, color = near
            items.append(ReadingItem(name, "", color))
        digits = 4
        place = [
            ReadingItem(self.view.x_label or "$x$", number(x, digits)),
            ReadingItem(self.view.y_label or "$y$", number(y, digits)),
        ]
        heat = self._heat_at(x, y)
        self.reading_changed.emit(Reading("", (*items, *place, *heat)))

    def _nearest_point(self, at: QPointF) -> tuple[float, float, str, str] | None:
        best, best_distance = None, NEAR
        mapper = self.canvas.frame.mapper
        for layer in self.canvas.layers:
            if not isinstance(layer, PointsLayer) or len(layer.x) == 0:
                continue
            distance = np.hypot(mapper.px(layer.x) - at.x(), mapper.py(layer.y) - at.y())
            distance = np.where(np.isfinite(distance), distance, math.inf)
            index = int(np.argmin(distance))
            if distance[index] < best_distance:
                best_distance = float(distance[index])
                best = (float(layer.x[index]), float(layer.y[index]), layer.name, layer.color)
        return best

    def _heat_at(self, x: float, y: float) -> list[ReadingItem]:
        assert self._shown is not None
        found = []
        for item in self.view.items:
            if not isinstance(item, Heat):
                continue
            values = numbers(self._shown.observation, item.key)
            extent = numbers(self._shown.observation, item.extent_key)
            if values is None or extent is None or values.ndim != 2 or extent.shape != (4,):
                continue
            x0, x1, y0, y1 = extent.tolist()
            if x0 < x < x1 and y0 < y < y1:
                column = int((x - x0) / (x1 - x0) * values.shape[1])
                row = int((y - y0) / (y1 - y0) * values.shape[0])
                value = float(values[row, column])
                if not item.tints:  # the values of areas only tell them apart
                    found.append(ReadingItem(item.label or "value", number(value)))
                outcome = _outcome(item, value, float(np.nanmax(values, initial=-math.inf)))
                found += [ReadingItem(outcome, "")] if outcome else []
        return found


def _placed(value: float, step: float, ends: Ends | None) -> float:
    """Round a value to about a step, and keep it between the ends of its axis."""
    if 1e-300 < step < 1e300:
        value = round(value, math.ceil(-math.log10(step)))
    return value if ends is None else min(max(value, ends[0]), ends[1])


def _outcome(item: Heat, value: float, most: float) -> str:
    """Return what the value of a cell means, beside its number."""
    if math.isnan(value):
        return item.missing
    return item.meaning(value) or (item.at_top if value == most else "")


def curve_layer(item: Curve, observation: Observation) -> CurveLayer | None:
    """Read a curve; None if a key is missing or shapes do not fit."""
    x, y = numbers(observation, item.x), numbers(observation, item.y)
    if x is None or y is None or x.ndim != 1 or y.ndim not in (1, 2):
        return None
    count = min(len(x), len(y))
    if count == 0:
        return None
    fill = numbers(observation, item.fill_to)
    if fill is not None and (fill.ndim != 1 or len(fill) < count):
        fill = None
    return CurveLayer(
        x[:count],
        y[:count].reshape(count, -1),
        item.color,
        item.dash,
        item.width,
        None if fill is None else fill[:count],
        item.ground,
    )


def points_layer(item: Points, observation: Observation) -> PointsLayer | None:
    """Read points; None if a key is missing."""
    x, y = numbers(observation, item.x), numbers(observation, item.y)
    if x is None or y is None:
        return None
    x, y = np.atleast_1d(x).ravel(), np.atleast_1d(y).ravel()
    count = min(len(x), len(y))
    values = numbers(observation, item.values)
    if values is not None:
        values = np.atleast_1d(values).ravel()
        values = values[:count] if len(values) >= count else None
    return PointsLayer(
        x[:count], y[:count], item.color, item.symbol, item.size, values, item.hollow, item.label
    )


def circle_layer(item: Circle, observation: Observation) -> CircleLayer | None:
    """Read a circle; None if a key is missing or not finite."""
    center, radius = (0.0, 0.0), item.radius
    if item.center_key:
        given = numbers(observation, item.center_key)
        if given is None or given.shape != (2,) or not np.isfinite(given).all():
            return None
        center = (float(given[0]), float(given[1]))
    if item.radius_key:
        known = number_at(observation, item.radius_key)
        if known is None:
            return None
        radius = known
    return CircleLayer(center, abs(radius), item.color, item.dash)


def entry_of(entry_id: str, item: Curve | Points | Circle) -> Entry:
    """Return an item's line in the legend."""
    if isinstance(item, Points):
        kind: Literal["ramp", "point"] = "ramp" if item.values else "point"
        return Entry(entry_id, item.label, item.color, kind, symbol=item.symbol, hollow=item.hollow)
    if isinstance(item, Curve) and item.fill_to:
        return Entry(entry_id, item.label, item.color, "area")
    return Entry(
        entry_id, item.label, item.color, "ramp" if item.color == "ramp" else "line", item.dash
    )


def grips_of(item: Handle, observation: Observation) -> list[Grip]:
    """Read a handle, or one handle for each number of an array."""
    x, y = numbers(observation, item.x), numbers(observation, item.y)
    if x is None or y is None:
        return []
    many = x.ndim > 0 or y.ndim > 0
    xs, ys = np.atleast_1d(x).ravel(), np.atleast_1d(y).ravel()
    if len(xs) != len(ys):
        if 1 not in (len(xs), len(ys)):
            return []
        xs, ys = np.broadcast_arrays(xs, ys)
    return [
        Grip(f"{item.id}:{index}" if many else item.id, px, py, item.axis, item.color, item.label)
        for index, (px, py) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True))
        if math.isfinite(px) and math.isfinite(py)
    ]
