"""Recorded series along the step, on paper."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from engine.core.arrays import FloatArray
from engine.core.views import Series, TimeView
from engine.figures.data import FigureData, chains
from engine.figures.parts import Entry, bundle, draw_notes, draw_rules, drawable, set_log
from engine.figures.style import LINESTYLES, PALETTE, color, colors
from engine.figures.zero_notes import ZeroNote, of_series
from engine.run.trace import TraceView
from engine.text.numbers import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 60
"""Points up to which they are drawn larger."""
DENSE = 250
"""Points from which a line that keeps turning is drawn as the band that it fills."""
COLUMNS = 200
"""Columns of a band, each with an edge below and above."""
BAND_ALPHA, EDGE_WIDTH = 0.25, 0.9
KNOWN_ALPHA, POINT_SIZE = 0.12, 1.6
KNOWN_SHARE = 0.01
"""Share of the run from which the steps that are known exactly are drawn one by one."""
CHAIN_SHARE = 0.02
"""Share of the run below which changes of one parameter are those of one drag."""
PIN_WIDTH, PIN_ORDER = 0.8, 1.5
"""Width of the lines of pinned runs, and their place: above the grid, below the run's own lines."""
MANY_POINTS = 3000
"""Points from which they are pixels in a vector file."""


def draw_time(axes: Axes, view: TimeView, data: FigureData) -> list[Entry]:
    """Draw recorded series along the step."""
    axes.set_xlabel("step $k$")
    axes.set_ylabel(view.y_label)
    if view.log_y:
        set_log(axes, "y")
    is_held = data.steady.hold(axes, view.id)
    if is_held:
        axes.set_autoscale_on(False)  # each line and rule would ask for ends
    pinned = _draw_pins(axes, view, data)
    entries = []
    for series in view.series:
        if series.key in data.trace.low:
            entries += _series(axes, series, data, log=view.log_y)
    entries += draw_rules(axes, view.rules, data.theory, data.observation, view.log_y, False)
    _draw_changes(axes, data)
    entries += _draw_step(axes, data) + pinned
    if not is_held:
        fit(axes, view.y_limit, log=view.log_y)
        axes.set_xlim(0, max(data.trace.last, 1))
    if view.log_y:
        draw_notes(axes, (_note(view, series, data.trace) for series in view.series))
    return entries


def _draw_pins(axes: Axes, view: TimeView, data: FigureData) -> list[Entry]:
    """Draw what was measured of pinned runs up to the run's last step, behind its own lines."""
    entries = []
    last = max(data.trace.last, 1)
    for number, pin in enumerate(data.pins, 1):
        lines: list[Line2D] = []
        for series in view.series:
            if series.key not in pin.trace.low or series.dash != "solid":
                continue
            steps, table = measured(pin.trace, series, 0, log=view.log_y)
            seen = steps <= last
            lines += axes.plot(
                steps[seen],
                table[seen],
                color=color(pin.color),
                linewidth=PIN_WIDTH,
                gid=f"pin-{number}-{series.key}",
                zorder=PIN_ORDER,
            )
        entries += bundle(lines, pin.label.replace("$", r"\$"))
    return entries


def _draw_step(axes: Axes, data: FigureData) -> list[Entry]:
    """Mark the step that other plots show, where the run goes on after it."""
    if data.step >= data.trace.last:
        return []
    line = axes.axvline(data.step, color=PALETTE["text"], linewidth=0.8, gid="shown-step")
    return bundle([line], f"shown: $k$ = {whole(data.step)}")


def _draw_changes(axes: Axes, data: FigureData) -> None:
    """Draw a line at each change, and a band over those of one drag."""
    steps = [float(change.step) for change in data.changes]
    names = [" ".join(sorted(change.values)) for change in data.changes]
    for first, last in chains(steps, names, CHAIN_SHARE * max(data.trace.last, 1)):
        for step in {steps[first], steps[last]}:
            axes.axvline(step, color=PALETTE["muted"], linewidth=0.6, linestyle=(0, (2, 2)))
        if steps[first] < steps[last]:
            axes.axvspan(steps[first], steps[last], color=PALETTE["muted"], alpha=0.12, linewidth=0)


def _note(view: TimeView, series: Series, trace: TraceView) -> ZeroNote | None:
    """Return a note where the axis has no place for a series."""
    if series.key not in trace.low:
        return None
    drawn = measured(trace, series, 0, log=False)
    return of_series(series, trace, drawn, whole, named=len(view.series) > 1)


def _series(axes: Axes, series: Series, data: FigureData, *, log: bool) -> list[Entry]:
    steps, table = measured(data.trace, series, 0, log=log)
    known = _known(data.trace, series, log=log)
    shades = colors(series.color, table.shape[1])
    style = LINESTYLES[series.dash]
    lines = []
    for index, shade in enumerate(shades):
        (line,) = axes.plot(
            steps,
            table[:, index],
            color=shade,
            linestyle="none" if series.points else style,
            marker="." if series.points or _is_sparse(data.trace, steps) else None,
            markersize=2.5 if len(steps) > FEW else 5.0,
        )
        line.set_gid(f"{series.key}-{index if series.component is None else series.component}")
        key = Line2D([], [])
        key.update_from(line)
        lines.append(key)  # the legend's is never see-through
        if not series.points and keeps_turning(table[:, index]):
            as_band(axes, line, None if known is None else (known[0], known[1][:, index]))
    return bundle(lines, series.label)


def _is_sparse(trace: TraceView, steps: FloatArray) -> bool:
    """Return whether a series was measured so seldom that its points are to be seen as such."""
    return int(np.count_nonzero(np.diff(steps))) <= COLUMNS and trace.is_sparse(steps)


def measured(
    trace: TraceView, series: Series, start: int, *, log: bool
) -> tuple[FloatArray, FloatArray]:
    """Return steps and values, shape (steps, lines), as they are drawn from a step on."""
    steps, values = trace.line(series.key, series.component, start)
    table = values if values.ndim == 2 else values[:, None]
    measured = ~np.isnan(table).all(axis=1)  # a line joins what was measured only now and then
    steps, table = steps[measured], table[measured]
    return steps, drawable(np.abs(table) if series.magnitude else table, log=log)


def _known(trace: TraceView, series: Series, *, log: bool) -> tuple[FloatArray, FloatArray] | None:
    """Return the steps that are known one by one, if there are enough of them to be seen."""
    first = 0 if trace.stride == 1 else trace.recent_first
    if trace.last - first < KNOWN_SHARE * trace.last:
        return None
    return measured(trace, series, first, log=log)


def keeps_turning(values: FloatArray) -> bool:
    """Return whether a line goes up and down so often that it would fill the plot with ink."""
    slopes = np.diff(values)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        turns = np.count_nonzero(np.sign(slopes[1:]) * np.sign(slopes[:-1]) < 0)
    return len(values) > DENSE and bool(turns > len(values) / 2)


def as_band(axes: Axes, line: Line2D, known: tuple[FloatArray, FloatArray] | None) -> None:
    """Draw a line translucently with its values, or with its edges where only these are known."""
    solid = Line2D([], [])
    solid.update_from(line)
    steps, values = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    begin = math.inf if known is None else float(known[0][0])
    line.set(alpha=KNOWN_ALPHA if begin <= steps[0] else BAND_ALPHA, linestyle="-")
    if known is not None:
        (points,) = axes.plot(*known)
        points.update_from(solid)
        points.set(linestyle="none", marker=".", markersize=POINT_SIZE, markeredgewidth=0.0)
        points.set(rasterized=len(known[0]) > MANY_POINTS, gid=f"points-{line.get_gid()}")
    before = steps < begin
    steps, values = steps[before], values[before]
    if len(steps) == 0:
        return
    starts = np.arange(0, len(values), -(-len(values) // COLUMNS))
    places = np.append(steps[starts], steps[-1])
    for reduce, name in ((np.fmin, "low"), (np.fmax, "high")):
        heights = reduce.reduceat(values, starts)
        (drawn,) = axes.plot(places, np.append(heights, heights[-1]))
        drawn.update_from(solid)
        drawn.set(linewidth=EDGE_WIDTH, gid=f"{name}-edge-{line.get_gid()}")


def fit(axes: Axes, limit: tuple[float | None, float | None], *, log: bool) -> None:
    """Show all that was drawn, but nothing beyond `limit`."""
    axes.relim()
    axes.autoscale_view()
    low, high = axes.get_ylim()
    box = axes.dataLim
    if not np.isfinite([box.y0, box.y1]).all():
        axes.set_ylim((1e-1, 1.0) if log else (0.0, 1.0))
        return
    wanted_low, wanted_high = limit
    if wanted_low is not None and low < wanted_low and not (log and wanted_low <= 0):
        low = wanted_low
    if wanted_high is not None and high > wanted_high:
        high = wanted_high
    if low < high:
        axes.set_ylim(low, high)
