"""Series along the steps: lines, bands, rules, changes, ghosts and the linked crosshair."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QMenu, QWidget

from engine.core.arrays import FloatArray
from engine.core.views import Series, TimeView
from engine.figures.rules import rule_value
from engine.figures.zero_notes import ZeroNote, bounded, of_series
from engine.run.trace import TraceView
from engine.text.numbers import number, whole
from gui.plots.canvas.axes import Margins
from gui.plots.canvas.layers import Groups
from gui.plots.canvas.notes import NotesLayer
from gui.plots.canvas.paint import Group
from gui.plots.canvas.range import Ends, Limits, data_ends
from gui.plots.canvas.rules import Mark, MarksLayer, RuleLine, RulesLayer, room_beside
from gui.plots.changes import ChangeMark
from gui.plots.link import WINDOWS, TimeLink
from gui.plots.panes.canvas_pane import CanvasPane
from gui.plots.panes.crosshair import Crosshair, Heads, read_series
from gui.plots.panes.pane import WILD, Entry, Ghost, Reading
from gui.style.theme import current_theme

KNOWN_SHARE = 0.01
"""Share of the steps in sight from which the steps that are known exactly are drawn as such."""
Drawn = tuple[FloatArray, FloatArray]
"""Steps, shape (m,), and values, shape (m, lines)."""


MARKED = 2.5
"""Width of the lines of a pinned run that stands out."""


class TimePane(CanvasPane[TimeView]):
    """Draws a `TimeView`.

    Parameters
    ----------
    view : TimeView
    link : TimeLink
        The time axis shared with other panes.
    """

    def __init__(self, view: TimeView, link: TimeLink, parent: QWidget | None = None) -> None:
        super().__init__(view, parent)
        self._link = link
        canvas = self.canvas
        canvas.zoom_y = False
        canvas.x_axis.steps = True
        self._lines = Groups()
        self._rules = RulesLayer(canvas.small_font)
        self._marks = MarksLayer(canvas.small_font)
        self._notes = NotesLayer(canvas.small_font)
        self._heads, self._crosshair = Heads(), Crosshair()
        self._groups: dict[str, Group] = {}
        self.change_marks: tuple[ChangeMark, ...] = ()
        self._ghosts: tuple[Ghost, ...] = ()
        self._at_y: float | None = None
        canvas.layers = [self._lines, self._rules, self._marks, self._heads, self._notes]
        canvas.overlays = [self._crosshair]
        self.set_log_axis("y", view.log_y)
        self.canvas.annotations.to_axis = lambda x: float(link.to_axis(np.array([x]))[0])
        self.canvas.annotations.from_axis = link.to_steps
        link.changed.connect(self.redraw)
        link.hover_changed.connect(self._on_hover_step)

    # Showing.

    def set_view(self, view: TimeView) -> None:
        """Take another description; a y axis that it describes otherwise begins anew."""
        before, self.view = self.view, view
        if (view.y_limit, view.log_y) != (before.y_limit, before.log_y):
            self.set_log_axis("y", view.log_y)
        super().set_view(view)

    def redraw(self) -> None:
        """Draw what was given last, for the stretch of time now shown."""
        axis, link = self.canvas.x_axis, self._link
        text = "$k$" if not link.is_scaled else r"$\Sigma\,\delta$"
        moved = axis.manual != link.ends or axis.log != link.log or axis.text != text
        axis.manual, axis.log, axis.text = link.ends, link.log, text
        axis.steps = not link.is_scaled
        self.canvas.y_axis.text = self.view.y_label
        if self._shown is None or self._shown.snapshot is None:
            self.canvas.refresh_axes()
            return
        ghosts = self._ghost_groups()
        self._groups = self._series_groups(self._shown.snapshot.trace)
        self._lines.groups = (*ghosts, *self._groups.values())
        self._show_rules()
        self._show_marks()
        self._follow_data()
        if moved:
            self.canvas.refresh_axes()
        self._on_hover_step(link.hover)

    def _series_groups(self, trace: TraceView) -> dict[str, Group]:
        theme = current_theme()
        groups = {}
        notes: list[ZeroNote | None] = []
        for index, series in enumerate(self.view.series):
            drawn = (
                None
                if str(index) in self.hidden
                else measured(trace, series, *self._link.steps_shown())
            )
            if drawn is None:
                continue
            notes.append(self._note(trace, series, drawn))
            data = self._placed(trace, *drawn)
            count = data[1].shape[1]
            colors = theme.line_colors(series.color, count)
            fill = theme.color(series.color)
            groups[str(index)] = Group(
                *data,
                colors,
                series.dash,
                points=series.points or trace.is_sparse(drawn[0]),
                fill=fill,
                recent=self._recent(trace, series),
            )
        self._notes.notes = bounded(notes)
        return groups

    def _note(self, trace: TraceView, series: Series, drawn: Drawn) -> ZeroNote | None:
        """Add a note where a log axis has no place for a series."""
        if not self.canvas.y_axis.log:
            return None
        note = of_series(series, trace, drawn, whole, named=len(self.view.series) > 1)
        if note is None:
            return None
        return replace(note, at=float(self._link.to_axis(np.array([note.at]))[0]))

    def set_ghosts(self, ghosts: tuple[Ghost, ...]) -> None:
        """Draw pinned runs behind the present one."""
        if ghosts != self._ghosts:
            self._ghosts = ghosts
            self.entries_changed.emit()

    def _ghost_groups(self) -> tuple[Group, ...]:
        theme, found = current_theme(), []
        for ghost in self._ghosts:
            for index, series in enumerate(self.view.series):
                if str(index) in self.hidden or series.dash != "solid":
                    continue
                drawn = measured(ghost.trace, series, *self._link.steps_shown())
                if drawn is not None:
                    data = self._placed(ghost.trace, *drawn)
                    colors = (theme.color(ghost.color),) * data[1].shape[1]
                    marked = ghost.is_marked
                    weight = MARKED if marked else 1.0
                    group = Group(*data, colors, weight=weight, is_ghost=not marked, fill=colors[0])
                    found.append(group)
        return tuple(sorted(found, key=lambda group: not group.is_ghost))

    def _placed(self, trace: TraceView, steps: FloatArray, values: FloatArray) -> Drawn:
        """Return measured values with their places along the axis."""
        if self.canvas.y_axis.log and not (values[0] > 0).all():
            values = without_first_zeros(values)
        return self._link.to_axis(in_buckets(trace, steps, self._link.steps_shown()[0])), values

    def _recent(self, trace: TraceView, series: Series) -> Drawn | None:
        found = newest(trace, series, *self._link.steps_shown())
        return None if found is None else (self._link.to_axis(found[0]), found[1])

    def _follow_data(self) -> None:
        log = self.canvas.y_axis.log
        values = [group.y for group in self._lines.groups if group.dash == "solid"]
        predicted = [group.y for group in self._lines.groups if group.dash != "solid"]
        ends = data_ends(values or predicted, log)
        if ends is not None and not log and self._shown is not None and self._shown.has_diverged:
            typical = WILD * max(float(np.median(np.abs(y))) for y in values or predicted)
            ends = max(ends[0], -typical), min(ends[1], typical)
        if ends is not None:
            ends = with_rules(ends, self._rules.rules, log)
            ends = with_predicted(ends, data_ends(predicted, log), log)
        self.follow(None, ends)

    def _show_rules(self) -> None:
        shown = self._shown
        assert shown is not None
        lines = []
        for rule in self.view.rules:
            value = rule_value(rule, shown.bounds, shown.observation)
            if value is not None:
                if rule.vertical:
                    value = float(self._link.to_axis(np.array([value]))[0])
                lines.append(RuleLine(rule.label, value, rule.vertical, rule.color, rule.dash))
        self._rules.rules = tuple(lines)
        self._give_room()

    def _give_room(self) -> None:
        """Leave room beside the plot for labels of rules, above it for marks."""
        font = self._rules.font = self._marks.font = self._notes.font = self.canvas.small_font
        texts = [rule.label for rule in self.view.rules if not rule.vertical]
        right = room_beside(texts, font, self.canvas.unit_size.width())
        self._rules.beside = right is not None
        top = 8.0 + (QFontMetricsF(font).height() if self._marks.marks else 0.0)
        self.canvas.set_margins(Margins(top, right or 12.0))

    def _show_marks(self) -> None:
        shown = self._shown
        assert shown is not None and shown.snapshot is not None
        snapshot = shown.snapshot
        moments = [
            (at.step, Mark(0.0, at.text, "muted", change=(at.name, at.before, at.after)))
            for at in self.change_marks
        ]
        if shown.has_diverged:
            moments.append((snapshot.outcome.step, Mark(0.0, "diverged", "bad", True)))
        if not snapshot.is_live:
            text = f"$k$ = {whole(snapshot.cursor)}"
            moments.append((snapshot.cursor, Mark(0.0, text, "accent", True)))
        places = self._link.to_axis(np.array([float(moment) for moment, _ in moments]))
        marks = zip(places.tolist(), moments, strict=True)
        self._marks.marks = tuple(replace(mark, x=x) for x, (_, mark) in marks)
        self._give_room()
        self._heads.groups = tuple(self._groups.values()) if snapshot.is_live else ()

    # The crosshair.

    @property
    def is_pointed_at(self) -> bool:
        """Whether the pointer is over this plot, or over none along time."""
        return self._at_y is not None or self._link.hover is None

    def _on_hovered(self, at: QPointF | None) -> None:
        mapper = self.canvas.frame.mapper
        self._at_y = None if at is None else at.y()
        self._link.set_hover(None if at is None else self._link.to_step(mapper.x_at(at.x())))
        self._on_hover_step(self._link.hover)

    def _on_hover_step(self, hovered: int | None) -> None:
        shown = self._shown
        if hovered is None or shown is None or shown.snapshot is None:
            if self._crosshair.x is not None:
                self._crosshair.x = None
                self.canvas.refresh_overlays()
                self.reading_changed.emit(None)
            return
        self._crosshair.x = float(self._link.to_axis(np.array([float(hovered)]))[0])
        self._crosshair.dots, self._crosshair.line = (), None
        items = []
        for index, group in self._groups.items():
            series = self.view.series[int(index)]
            read = read_series(
                series, group, shown.snapshot.trace, hovered, self.canvas.frame.mapper, self._at_y
            )
            if read is not None:
                items.append(read.item)
                self._crosshair.dots += read.dots
                self._crosshair.line = read.line or self._crosshair.line
        lead = f"$k$ = {whole(hovered)}"
        if self._link.is_scaled:
            lead += rf",  $\Sigma\delta$ = {number(self._crosshair.x, 4)}"
        self.reading_changed.emit(Reading(lead, tuple(items)))
        self.canvas.refresh_overlays()

    # The legend, the menu and the axes.

    def entries(self) -> tuple[Entry, ...]:
        """List the series and the pinned runs."""
        lines = tuple(
            Entry(
                str(index),
                series.label,
                series.color,
                "ramp" if series.color == "ramp" else "line",
                series.dash,
            )
            for index, series in enumerate(self.view.series)
            if series.label  # a line alone is what the axis and the title name
        )
        return lines + tuple(
            Entry(f"ghost {ghost.label}", ghost.label, ghost.color, can_hide=False)
            for ghost in self._ghosts
        )

    def set_log_axis(self, axis: str, log: bool) -> None:
        """Measure an axis in powers of ten; the time axis for all plots."""
        if axis == "x":
            self._link.set_log(log)
        else:
            low, high = self.view.y_limit
            self.set_log(self.canvas.y_axis, log, Limits(low, high))
            self.redraw()

    def reset_view(self) -> None:
        """Follow the data again, on all plots along time."""
        self.canvas.y_axis.manual = None
        self.canvas.y_axis.auto.forget()
        self._link.set_manual(None)
        self.redraw()
        self.canvas.refresh_axes()

    @property
    def is_manual(self) -> bool:
        """Whether the user chose the ends of an axis."""
        return self._link.manual is not None or self.canvas.y_axis.manual is not None

    def _on_zoomed(self, x: Ends | None, y: Ends | None) -> None:
        if y is not None:
            self.canvas.y_axis.manual = y
            self.canvas.refresh_axes()
        if x is not None:
            self._link.set_manual(x)

    def fill_axes_menu(self, menu: QMenu) -> None:
        """Offer log axes and the stretch of time that is followed."""
        log_y = self.checkable(menu, "Log y", self.canvas.y_axis.log)
        log_y.toggled.connect(lambda on: self.set_log_axis("y", on))
        log_x = self.checkable(menu, "Log x", self._link.log)
        log_x.toggled.connect(self._link.set_log)
        windows = menu.addMenu("Show")
        for window in WINDOWS:
            text = "Whole run" if window is None else f"Last {whole(window)} steps"
            action = self.checkable(windows, text, self._link.window == window)
            action.triggered.connect(lambda _=False, chosen=window: self._link.set_window(chosen))


def without_first_zeros(values: FloatArray) -> FloatArray:
    """Drop zeros at the start of lines, which have no place on a log axis."""
    with np.errstate(invalid="ignore"):
        begun = np.logical_or.accumulate(values > 0, axis=0)
    return np.where(begun, values, np.nan)


def with_rules(ends: Ends, rules: tuple[RuleLine, ...], log: bool) -> Ends:
    """Widen ends to rules that are not far off."""
    low, high = ends
    reach = 2.0 if log else 1.5 * max(high - low, 0.2 * max(abs(low), abs(high)))
    for rule in rules:
        if rule.vertical or (log and rule.value <= 0):
            continue
        value = math.log10(rule.value) if log else rule.value
        if ends[0] - reach <= value <= ends[1] + reach:
            low, high = min(low, value), max(high, value)
    return low, high


def with_predicted(ends: Ends, predicted: Ends | None, log: bool) -> Ends:
    """Widen ends towards predictions, which may be far off: a little, and not down a log axis."""
    if predicted is None:
        return ends
    reach = 1.0 if log else 0.5 * (ends[1] - ends[0])
    low = ends[0] if log else min(ends[0], max(predicted[0], ends[0] - reach))
    return low, max(ends[1], min(predicted[1], ends[1] + reach))


def measured(trace: TraceView, series: Series, first: int, last: int) -> Drawn | None:
    """Return what was measured of a series from one step to another; None where nothing was."""
    if series.key not in trace.low:
        return None
    first, last = min(first, trace.last), min(last, trace.last)
    steps, values = trace.line(series.key, series.component, first, last)
    if values.ndim == 1:
        values = values[:, None]
    missing = np.isnan(values).all(axis=1)
    if missing.any():  # not measured at every step: join what was
        steps, values = steps[~missing], values[~missing]
    if len(steps) == 0:
        return None
    return steps, np.abs(values) if series.magnitude else values


def in_buckets(trace: TraceView, steps: FloatArray, first: int) -> FloatArray:
    """Move steps drawn from `first` on that stand for a bucket into its middle."""
    if trace.stride == 1 or min(first, trace.last) >= trace.recent_first:
        return steps
    return np.minimum(steps + (trace.stride - 1) / 2, float(trace.last))


def newest(trace: TraceView, series: Series, first: int, last: int) -> Drawn | None:
    """Return the newest steps exactly where they are in sight but what is drawn is not exact."""
    shown = min(last, trace.last) - min(first, trace.last)
    known = trace.last - trace.recent_first
    if trace.stride == 1 or first >= trace.recent_first or known < KNOWN_SHARE * shown:
        return None
    steps, values = trace.line(series.key, series.component, trace.recent_first)
    if values.ndim == 1:
        values = values[:, None]
    return steps, np.abs(values) if series.magnitude else values
