"""The page of a map: the map between its axes, with what is known of the cell below the pointer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QLinearGradient, QPainter
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from engine.maps.axis import Axis
from engine.maps.kind import Overlay
from engine.maps.picture import POINTS, Bar, Swatch
from engine.maps.shown import MapShown
from engine.text.mathtext import to_plain
from engine.text.numbers import number
from gui.maps.canvas import MapCanvas
from gui.maps.history import Part
from gui.maps.layers import (
    MapLayer,
    OverlayLayer,
    Patch,
    PointerLayer,
    RunLayer,
    patch_of,
)
from gui.maps.legend import class_name, ordered
from gui.maps.strip import EXPONENT, ExponentStrip
from gui.plots.canvas.axes import Margins
from gui.plots.canvas.layers import CurveLayer, Layer
from gui.plots.canvas.paint import Scene
from gui.plots.canvas.range import Ends, data_ends, padded
from gui.plots.canvas.ticks import Ticks, linear_ticks, log_ticks
from gui.plots.header import PlotHeader
from gui.plots.panes.pane import Entry
from gui.style import scaling
from gui.style.icons import IconButton
from gui.typeset.rich_text import label
from gui.widgets.labels import InkLabel

BAR, ROOM = 9.0, 64.0
"""Width of a colour bar, and the room beside the map that it takes with its numbers."""
_COMMA = re.compile(r",\s+(?=(?:[^$]*\$[^$]*\$)*[^$]*$)")
"""A comma that is not between dollars."""


@dataclass
class BarLayer(Layer):
    """The colour bar of a field that is drawn alone."""

    font: QFont
    bar: Bar | None = None
    outside = True

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw the colours, numbers beside them, and the label above the map's right end."""
        if self.bar is None:
            return
        plot, bar = scene.plot, self.bar
        box = QRectF(plot.right() + 10, plot.top(), BAR, plot.height())
        run = QLinearGradient(box.bottomLeft(), box.topLeft())
        for index, stop in enumerate(bar.stops):
            run.setColorAt(index / (len(bar.stops) - 1), QColor(stop))
        painter.fillRect(box, run)
        painter.setFont(self.font)
        painter.setPen(scene.theme.color("muted"))
        metrics = QFontMetricsF(self.font)
        ends, ticks = self._ticks(plot.height())
        scale = box.height() / (ends[1] - ends[0])
        for place, text in zip(ticks.places, ticks.labels, strict=True):
            at = min(max(box.bottom() - (place - ends[0]) * scale, box.top() + 3), box.bottom() - 3)
            painter.drawText(QPointF(box.right() + 4, at + metrics.capHeight() / 2), text)
        name = f"{bar.label}  ({ticks.common})" if ticks.common else bar.label
        typeset = label(name, self.font)
        painter.save()
        painter.translate(
            plot.right() + ROOM - typeset.size.height() - 2,
            plot.center().y() + typeset.size.width() / 2,
        )
        painter.rotate(-90)
        typeset.draw(painter, QPointF(), scene.theme.color("muted"))
        painter.restore()

    def _ticks(self, height: float) -> tuple[Ends, Ticks]:
        assert self.bar is not None
        low, high = self.bar.low, self.bar.high
        if self.bar.log:
            ends = math.log10(low), math.log10(high)
            return ends, log_ticks(*ends, max(2.0, height / 44))
        return (low, high), linear_ticks(low, high, max(2.0, height / 44))


class MapPage(QWidget):
    """A map, large.

    Attributes
    ----------
    zoomed : Signal(ends, ends)
        The user asks for other ends of both axes, in values; None for an axis that stays.
    picked : Signal(float, float)
        A point was chosen.
    hovered : Signal(str)
        What is below the pointer, for the status bar; empty when it left.
    back_requested, forward_requested, home_requested, close_requested : Signal
    again_requested : Signal
        The map is to be made with the parameters in force.
    overlays_hidden : Signal
        Curves were hidden or brought back.
    """

    zoomed = Signal(object, object)
    picked = Signal(float, float)
    hovered = Signal(str)
    back_requested = Signal()
    forward_requested = Signal()
    home_requested = Signal()
    close_requested = Signal()
    again_requested = Signal()
    menu_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mapPage")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._shown: MapShown | None = None
        self._labels: Mapping[str, str] = {}
        self._part: Part | None = None
        self._base: object = None
        self._hidden: set[str] = set()
        self._theory: tuple[Overlay, ...] = ()
        self._branches: tuple[Overlay, ...] = ()
        self.canvas = MapCanvas(self)
        self.canvas.setAccessibleName("Map")
        self.picture = MapLayer()
        self.curve: CurveLayer | None = None
        self._new: Patch | None = None
        self.overlays, self.run = OverlayLayer(), RunLayer()
        self.pointer = PointerLayer(font=self.canvas.small_font)
        self.bar = BarLayer(self.canvas.small_font)
        self.strip = ExponentStrip()
        self._map_row = QHBoxLayout()
        self._map_row.addWidget(self.canvas)
        self._make_head()
        layout = QVBoxLayout(self)
        scaling.margins(layout, 2, 2, 4, 4)
        layout.setSpacing(0)
        layout.addLayout(self._head)
        layout.addWidget(self.notice)
        layout.addLayout(self._map_row, 7)
        layout.addWidget(self.strip, 2)
        self._connect()
        self.set_history(back=False, forward=False)

    def _make_head(self) -> None:
        self.back = IconButton("previous", "Back", "The part before (Alt+Left)", size=18)
        self.forward = IconButton("next", "Forward", "The part after (Alt+Right)", size=18)
        self.home = IconButton("home", "Home", "The whole map (Home)", size=18)
        self.header = PlotHeader("Map", "")
        self._head = QHBoxLayout()
        scaling.margins(self._head, 6, 0, 0, 0)
        self._head.setSpacing(0)
        for button in (self.back, self.forward, self.home):
            self._head.addWidget(button)
        self._head.addWidget(self.header, 1)
        self.notice = QWidget()
        row = QHBoxLayout(self.notice)
        scaling.margins(row, 14, 0, 8, 2)
        self.notice_text = InkLabel("", "warning")
        self.again = QPushButton("Make again")
        self.again.setToolTip("Make the map with the parameters in force")
        self.again.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self.notice_text)
        row.addWidget(self.again)
        row.addStretch(1)
        self.notice.hide()

    def _connect(self) -> None:
        canvas, header = self.canvas, self.header
        canvas.zoomed.connect(self._on_zoomed)
        self.strip.canvas.zoomed.connect(lambda x, y: self._on_zoomed(x, None))
        self.strip.canvas.reset_requested.connect(self.home_requested)
        canvas.hovered.connect(self._on_hovered)
        canvas.picked.connect(self.picked)
        canvas.reset_requested.connect(self.home_requested)
        for signal, button, asked in (
            (canvas.back_requested, self.back, self.back_requested),
            (canvas.forward_requested, self.forward, self.forward_requested),
        ):
            signal.connect(asked)
            button.clicked.connect(lambda checked=False, asked=asked: asked.emit())
        self.home.clicked.connect(lambda: self.home_requested.emit())
        self.again.clicked.connect(lambda: self.again_requested.emit())
        header.close_requested.connect(self.close_requested)
        header.menu_requested.connect(self._open_menu)
        header.legend.toggled.connect(self._on_toggled)

    # What is shown.

    @property
    def shown(self) -> MapShown | None:
        """The map that is shown."""
        return self._shown

    @property
    def rows(self) -> int:
        """Pixels from the lower end of the map to the upper."""
        height = self.canvas.frame.mapper.plot.height() * scaling.factor()
        return max(40, round(height * self.devicePixelRatioF()))

    def clear(self) -> None:
        """Show no map."""
        self._shown = self._part = self._base = None
        self.picture.patches, self.curve = (), None
        self.strip.hide()
        self.overlays.overlays, self.bar.bar = (), None
        self._theory = self._branches = ()
        self.run = RunLayer()
        self._point(None)
        self._draw()

    def name(self, title: str, help_text: str, labels: Mapping[str, str]) -> None:
        """Show the title of the kind of map, and keep what its axes are called."""
        self._labels = labels
        self.header.set_texts(title, help_text)
        self.canvas.setAccessibleName(to_plain(title))
        self.canvas.setAccessibleDescription(to_plain(help_text))

    def show_part(self, part: Part) -> None:
        """Show a part of the map: what is drawn already is stretched to it."""
        self._part = part
        for axis, shown in ((self.canvas.x_axis, part.x), (self.canvas.y_axis, part.y)):
            axis.text = self._labels.get(shown.name, shown.name)
            axis.log = shown.log
            axis.manual = (
                (math.log10(shown.low), math.log10(shown.high))
                if shown.log
                else (shown.low, shown.high)
            )
        if self.curve is not None:
            self._show_curve()
        x_axis = self.canvas.x_axis
        self.strip.show_ends(x_axis.text, x_axis.manual, x_axis.log)
        self.canvas.refresh_axes()
        self._align_soon()
        self._point(None)

    def show_map(self, shown: MapShown) -> None:
        """Show a map as far as it is made, over what is still finer of the one before."""
        base = base_of(shown)
        is_other = base != self._base
        self._base, self._shown = base, shown
        if shown.spec.kind == "orbit" and shown.layer != POINTS:
            self.picture.patches = ()
            self._show_curve()
        else:
            self.curve = None
            self.canvas.zoom_y = True
            patch = shown.drawn if isinstance(shown.drawn, Patch) else patch_of(shown)
            finished = shown.state == "done" or is_other
            kept = () if finished else tuple(p for p in self.picture.patches if p is not self._new)
            self.picture.patches = (*kept[-1:], patch)
            self._new = patch
        self._theory = (*shown.overlays, *shown.found)
        self.overlays.overlays = (*self._branches, *self._theory)
        self._show_bar(shown.picture.bar if self.curve is None else None)
        self._show_strip(shown)
        self._show_entries(shown)
        self._draw()
        self._point(self.pointer.at)

    def _show_strip(self, shown: MapShown) -> None:
        wanted = shown.layer == POINTS and EXPONENT in shown.arrays
        if wanted:
            self.strip.show_map(shown)
            self._align_soon()
        self.strip.setVisible(wanted)

    def _align_soon(self) -> None:
        QTimer.singleShot(0, self, self._align)

    def _align(self) -> None:
        """Begin map and strip at the same place, whose numbers are not equally wide."""
        if not self.strip.isVisible():
            self._map_row.setContentsMargins(0, 0, 0, 0)
            return
        missing = self.strip.align(self.canvas.frame.mapper.plot.left())
        self._map_row.setContentsMargins(round(scaling.px(missing)), 0, 0, 0)

    def set_branches(self, branches: tuple[Overlay, ...]) -> None:
        """Draw branches of cycles below the theory's curves; none if empty."""
        if not (branches or self._branches):
            return
        self._branches = branches
        self.overlays.overlays = (*branches, *self._theory)
        if self._shown is not None:
            self._show_entries(self._shown)
        self.canvas.refresh()

    def show_run(self, run: RunLayer) -> None:
        """Show where the run is on the map."""
        before = self.run
        same = np.array_equal([before.x, before.y], [run.x, run.y], equal_nan=True)
        if same and before.path.shape == run.path.shape and np.array_equal(before.path, run.path):
            return
        self.run = run
        self.canvas.overlays = [self.run, self.pointer]
        self.canvas.refresh_overlays()

    def set_history(self, *, back: bool, forward: bool) -> None:
        """Enable the buttons of the parts that there are."""
        self.back.setEnabled(back)
        self.forward.setEnabled(forward)
        self.home.setEnabled(back)

    def say(self, text: str, *, can_repeat: bool = False) -> None:
        """Show a sentence above the map, with a button to make it again; none if empty."""
        self.notice_text.setText(text)
        self.again.setVisible(can_repeat)
        self.notice.setVisible(bool(text))

    def _show_curve(self) -> None:
        """Draw a field of an orbit diagram that has one number a column, as a curve."""
        shown = self._shown
        if shown is None:
            return
        field = next(each for each in shown.prepared.fields if each.name == shown.layer)
        known = shown.known[0]
        x = shown.spec.x.values[np.arange(len(known)) * shown.stride][known]
        y = np.asarray(shown.arrays[shown.layer][0], np.float64)[known]
        self.curve = CurveLayer(x, y[:, None], "1")
        ends = data_ends([y])
        axis = self.canvas.y_axis
        axis.text, axis.log = field.label, False
        axis.manual = padded(*ends) if ends is not None else (0.0, 1.0)
        self.canvas.zoom_y = False
        self.canvas.refresh_axes()

    def _show_bar(self, bar: Bar | None) -> None:
        self.bar.bar = bar
        self.canvas.set_margins(Margins(right=12.0 if bar is None else ROOM + 4))

    def _show_entries(self, shown: MapShown) -> None:
        steps = shown.spec.steps
        entries = [_entry(swatch, steps) for swatch in ordered(shown)]
        for each in self.overlays.overlays:
            points = each.dash == "points"
            entries.append(
                Entry(
                    each.label,
                    each.label,
                    each.color,
                    kind="point" if points else "line",
                    dash="dash"
                    if each.dash == "dash"
                    else "dot"
                    if each.dash == "dot"
                    else "solid",
                )
            )
        unique = {entry.id: entry for entry in entries}
        self.header.legend.set_entries(tuple(unique.values()), self._hidden)

    def _draw(self) -> None:
        curve: list[Layer] = [] if self.curve is None else [self.curve]
        self.canvas.layers = [self.picture, *curve, self.overlays, self.bar]
        self.canvas.overlays = [self.run, self.pointer]
        self.canvas.refresh()

    # The pointer.

    def _on_zoomed(self, x: Ends | None, y: Ends | None) -> None:
        """Request other ends, in values."""
        canvas = self.canvas
        if self.curve is not None:
            y = None
        self.zoomed.emit(_values(x, canvas.x_axis.log), _values(y, canvas.y_axis.log))

    def _on_hovered(self, at: QPointF | None) -> None:
        self._point(at if self._shown is not None else None)

    def _point(self, at: QPointF | None) -> None:
        pointer, shown = self.pointer, self._shown
        if at is None and pointer.at is None:
            return
        pointer.at, pointer.lines, pointer.swatch = at, (), ""
        pointer.font = self.canvas.small_font
        text = ""
        if at is not None and shown is not None:
            mapper = self.canvas.frame.mapper
            x, y = mapper.x_at(at.x()), mapper.y_at(at.y())
            lines = self._lines(shown, x, y, at)
            pointer.lines = tuple(lines)
            text = "   ".join(to_plain(line) for line in lines)
        self.hovered.emit(text)
        self.canvas.refresh_overlays()

    def _lines(self, shown: MapShown, x: float, y: float, at: QPointF) -> list[str]:
        """Describe what is at a point: cell, place, and the curve that runs there."""
        cell = shown.cell(x, y)
        if cell is None:
            lines = []
        else:
            lines = _COMMA.split(shown.prepared.hover(cell))
            if not shown.is_computed(x, y):
                lines[0] += ", coarse" if shown.state == "making" else ", of the nearest cell"
            self.pointer.swatch = shown.color_at(x, y)
        names = [(self.canvas.x_axis.text, x), (self.canvas.y_axis.text, y)]
        lines.append(", ".join(f"{name} = {number(value)}" for name, value in names))
        curve = self.overlays.near(self.canvas.frame.mapper, at)
        if curve is not None:
            lines.append(f"{curve.label}: {curve.source}" if curve.source else curve.label)
        return lines

    def _on_toggled(self, entry_id: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(entry_id)
        self.overlays.hidden = frozenset(self._hidden)
        if self._shown is not None:
            self._show_entries(self._shown)
        self.canvas.refresh()

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy image").triggered.connect(self.copy_image)
        self.menu_wanted.emit(menu)
        button = self.header.menu_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def copy_image(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setImage(self.canvas.to_image())

    def changeEvent(self, event: QEvent) -> None:
        """Take the font of another scale."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.bar.font = self.pointer.font = self.canvas.small_font


def base_of(shown: MapShown) -> object:
    """Return what pictures have in common that may lie over one another."""
    spec, look = shown.spec, shown.look
    axes = (spec.x.name, spec.x.log, spec.y.name, spec.y.log)
    rest = (spec.kind, spec.experiment, spec.params, spec.seed, spec.steps)
    options = tuple(sorted(spec.options.items()))
    return (*rest, axes, options, shown.layer, look.palette)


def _entry(swatch: Swatch, steps: int) -> Entry:
    kind: Literal["ramp", "area"] = "ramp" if swatch.is_ramp else "area"
    return Entry(
        f"class {swatch.code}", class_name(swatch, steps), swatch.color, kind=kind, can_hide=False
    )


def _values(ends: Ends | None, log: bool) -> Ends | None:
    """Return the ends of an axis in values."""
    if ends is None or not log:
        return ends
    return 10.0 ** ends[0], 10.0 ** ends[1]


def axis_between(axis: Axis, ends: Ends | None) -> Axis:
    """Return an axis of as many cells between other ends."""
    if ends is None:
        return axis
    return Axis(name=axis.name, low=ends[0], high=ends[1], count=axis.count, log=axis.log)
