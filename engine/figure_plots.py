"""Curves on paper: series along the step, and curves, points and images over a plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Circle as CirclePatch
from matplotlib.ticker import LogFormatterSciNotation

from engine.experiment import Bound, FloatArray, Observation
from engine.figure_style import COLORMAPS, LINESTYLES, MARKERS, PALETTE, color, colors
from engine.views import (
    Circle,
    Curve,
    Handle,
    Heat,
    Item,
    PlaneView,
    Points,
    Rule,
    Series,
    TimeView,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from engine.figures import FigureData

MOST_ENTRIES = 14
"""Lines in a legend; what is beyond them has no entry."""


FEW = 60
"""Points up to which they are drawn larger."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a legend: what stands for it (several make a bundle) and its words."""

    handle: Any
    label: str


def draw_time(axes: Axes, view: TimeView, data: FigureData) -> list[Entry]:
    """Draw recorded series along the step."""
    axes.set_xlabel("step $k$")
    axes.set_ylabel(view.y_label)
    if view.log_y:
        set_log(axes, "y")
    entries = []
    for series in view.series:
        if series.key in data.trace.low:
            entries += _series(axes, series, data, log=view.log_y)
    entries += _rules(axes, view.rules, data.theory, data.observation, view.log_y, False)
    for change in data.changes:
        axes.axvline(change.step, color=PALETTE["muted"], linewidth=0.6, linestyle=(0, (2, 2)))
    _fit(axes, view.y_limit, log=view.log_y)
    axes.set_xlim(0, max(data.trace.last, 1))
    return entries


def _series(axes: Axes, series: Series, data: FigureData, *, log: bool) -> list[Entry]:
    steps, values = data.trace.line(series.key, series.component)
    table = values if values.ndim == 2 else values[:, None]
    measured = ~np.isnan(table).all(axis=1)  # a line joins what was measured only now and then
    steps, table = steps[measured], table[measured]
    table = drawable(np.abs(table) if series.magnitude else table, log=log)
    shades = colors(series.color, table.shape[1])
    style = LINESTYLES[series.dash]
    lines = []
    for index, shade in enumerate(shades):
        (line,) = axes.plot(
            steps,
            table[:, index],
            color=shade,
            linestyle="none" if series.points else style,
            marker="." if series.points else None,
            markersize=2.5 if len(steps) > FEW else 5.0,
        )
        line.set_gid(f"{series.key}-{index if series.component is None else series.component}")
        lines.append(line)
    return _bundle(lines, series.label)


def _bundle(lines: list[Line2D], label: str) -> list[Entry]:
    """Let the first, the middle and the last line stand for a family in the legend."""
    if not label or not lines:
        return []
    distinct = {line.get_color() for line in lines}
    if len(distinct) == 1:
        return [Entry(lines[0], label)]
    return [Entry((lines[0], lines[len(lines) // 2], lines[-1]), label)]


LARGEST = 1e290
"""Beyond this, or below its inverse on a log axis, the margins of an axis overflow."""


def drawable(values: FloatArray, *, log: bool) -> FloatArray:
    """Leave a gap where there is no place on the axis: no logarithm, or too large for it."""
    sizes = np.abs(values)
    good = (sizes <= LARGEST) & ((values >= 1 / LARGEST) if log else True)
    kept: FloatArray = np.where(good, values, np.nan)
    return kept


def _rules(
    axes: Axes,
    rules: tuple[Rule, ...],
    theory: tuple[Bound, ...],
    observation: Observation,
    log_y: bool,
    log_x: bool,
) -> list[Entry]:
    entries = []
    for rule in rules:
        value = rule_value(rule, theory, observation)
        if value is None or (value <= 0 and (log_x if rule.vertical else log_y)):
            continue
        draw = axes.axvline if rule.vertical else axes.axhline
        line = draw(value, color=color(rule.color), linestyle=LINESTYLES[rule.dash], linewidth=1.0)
        entries += _bundle([line], rule.label)
    return entries


def rule_value(rule: Rule, theory: tuple[Bound, ...], observation: Observation) -> float | None:
    """Find where a rule lies, or None where that is not known."""
    value: Any = rule.value
    if rule.bound:
        value = next((bound.value for bound in theory if bound.id == rule.bound), None)
    elif rule.key:
        value = observation.get(rule.key)
    number = np.nan if value is None else float(np.asarray(value, np.float64).reshape(-1)[0])
    return number if abs(number) <= LARGEST else None


class _Powers(LogFormatterSciNotation):
    """Writes 10⁻² in plain text: typesetting every tick takes most of a figure's time."""

    _RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Give the label of a tick, empty where there is no room for one."""
        text = super().__call__(x, pos).replace(r"$\mathdefault{", "").removesuffix("}$")
        base, _, power = text.replace(r"\times", "×").partition("^{")
        raised = power.removesuffix("}").translate(self._RAISED)
        return (base + raised).removesuffix("×10⁰")


def set_log(axes: Axes, side: Literal["x", "y"]) -> None:
    """Make an axis logarithmic."""
    axes.set(**{f"{side}scale": "log"})
    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_major_formatter(_Powers())
    axis.set_minor_formatter(_Powers(labelOnlyBase=False, minor_thresholds=(1.0, 0.4)))


def _fit(axes: Axes, limit: tuple[float | None, float | None], *, log: bool) -> None:
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


def draw_plane(axes: Axes, view: PlaneView, data: FigureData) -> list[Entry]:
    """Draw curves, points, circles and images over two continuous axes."""
    axes.set_xlabel(view.x_label)
    axes.set_ylabel(view.y_label)
    if view.log_x:
        set_log(axes, "x")
    if view.log_y:
        set_log(axes, "y")
    if view.equal:
        is_fixed = view.x_range is not None or view.y_range is not None
        axes.set_aspect("equal", adjustable="box" if is_fixed else "datalim")
    painter = _Painter(axes, view, data.observation, data.theory)
    entries = [entry for item in view.items for entry in painter.draw(item)]
    axes.autoscale_view()
    if view.x_range is not None:
        axes.set_xlim(view.x_range)
    if view.y_range is not None:
        axes.set_ylim(view.y_range)
    return entries


class _Painter:
    """Draws the items of a plane; an item whose data are missing is left out."""

    def __init__(
        self, axes: Axes, view: PlaneView, observation: Observation, theory: tuple[Bound, ...]
    ) -> None:
        self._axes = axes
        self._view = view
        self._observation = observation
        self._theory = theory

    def draw(self, item: Item) -> list[Entry]:
        drawers: Mapping[type, Callable[[Any], list[Entry]]] = {
            Curve: self._curve,
            Points: self._points,
            Circle: self._circle,
            Heat: self._heat,
            Handle: self._handle,
            Rule: self._rule,
        }
        return drawers[type(item)](item)

    def _array(self, key: str) -> FloatArray | None:
        value = self._observation.get(key) if key else None
        return None if value is None else np.asarray(value, np.float64)

    def _point_arrays(self, x: str, y: str) -> tuple[FloatArray, FloatArray] | None:
        across, up = self._array(x), self._array(y)
        if across is None or up is None:
            return None
        across, up = np.atleast_1d(across), np.atleast_1d(up)
        return drawable(across, log=self._view.log_x), drawable(up, log=self._view.log_y)

    def _curve(self, item: Curve) -> list[Entry]:
        arrays = self._point_arrays(item.x, item.y)
        if arrays is None or not arrays[0].size:
            return []
        across, up = arrays
        table = up if up.ndim == 2 else up[:, None]
        shades = colors(item.color, table.shape[1])
        lines = []
        for index, shade in enumerate(shades):
            line = Line2D(
                across if across.ndim == 1 else across[:, index],
                table[:, index],
                color=shade,
                linestyle=LINESTYLES[item.dash],
                linewidth=item.width * 0.75,
                gid=f"{item.y}-{index}",
            )
            self._axes.add_line(line)
            lines.append(line)
        lower = self._array(item.fill_to)
        if lower is not None and up.ndim == 1:
            self._axes.fill_between(across, lower, up, color=shades[0], alpha=0.15, linewidth=0)
        return _bundle(lines, item.label)

    def _points(self, item: Points) -> list[Entry]:
        arrays = self._point_arrays(item.x, item.y)
        if arrays is None or not arrays[0].size:
            return []
        across, up = arrays
        if up.ndim == 2 and across.ndim == 1:
            across = np.repeat(across[:, None], up.shape[1], axis=1)
        values = self._array(item.values)
        style: dict[str, Any] = {"c": color(item.color) if item.color != "ramp" else "#3b528b"}
        if values is not None and values.size == across.size:
            style = {"c": values.ravel(), "cmap": COLORMAPS["sequential"]}
        elif item.color == "ramp" and up.ndim == 2:
            style = {"c": colors("ramp", up.shape[1]) * up.shape[0]}
        elif item.hollow:
            style = {"facecolors": "none", "edgecolors": style["c"]}
        handle = self._axes.scatter(
            across.ravel(),
            up.ravel(),
            s=(item.size * 0.75) ** 2,
            marker=MARKERS[item.symbol],
            linewidths=1.0 if item.hollow else 0.0,
            zorder=3,
            gid=f"{item.y}-points",
            **style,
        )
        return [Entry(handle, item.label)] if item.label else []

    def _circle(self, item: Circle) -> list[Entry]:
        center = self._array(item.center_key)
        radius = self._array(item.radius_key)
        if (item.center_key and center is None) or (item.radius_key and radius is None):
            return []
        middle = (0.0, 0.0) if center is None else (float(center[0]), float(center[1]))
        size = item.radius if radius is None else float(radius)
        if not np.isfinite([*middle, size]).all():
            return []
        patch = CirclePatch(
            middle,
            size,
            fill=False,
            edgecolor=color(item.color),
            linestyle=LINESTYLES[item.dash],
            linewidth=1.0,
        )
        self._axes.add_patch(patch)
        line = Line2D([], [], color=color(item.color), linestyle=LINESTYLES[item.dash])
        return _bundle([line], item.label)

    def _heat(self, item: Heat) -> list[Entry]:
        image, extent = self._array(item.key), self._array(item.extent_key)
        if image is None or extent is None:
            return []
        limits = symmetric_limits(image) if item.colormap == "diverging" else {}
        self._axes.grid(False)
        artist = self._axes.imshow(
            image,
            origin="lower",
            extent=extent.tolist(),
            aspect="equal" if self._view.equal else "auto",
            cmap=COLORMAPS[item.colormap],
            zorder=0,
            **limits,
        )
        if item.label:
            bar = self._axes.figure.colorbar(artist, ax=self._axes, label=item.label, pad=0.02)
            bar.outline.set_visible(False)
        return []

    def _handle(self, item: Handle) -> list[Entry]:
        return self._points(Points(x=item.x, y=item.y, label=item.label, color=item.color))

    def _rule(self, item: Rule) -> list[Entry]:
        return _rules(
            self._axes,
            (item,),
            self._theory,
            self._observation,
            self._view.log_y,
            self._view.log_x,
        )


def symmetric_limits(image: FloatArray) -> dict[str, Any]:
    """Give the colour limits that put zero in the middle of a diverging map."""
    finite = np.abs(image[np.isfinite(image)])
    largest = float(finite.max()) if finite.size else 1.0
    largest = largest or 1.0
    return {"vmin": -largest, "vmax": largest}


def add_legend(axes: Axes, entries: list[Entry]) -> None:
    """Put the legend beside the plot, where it hides nothing."""
    unique = list({entry.label: entry for entry in entries}.values())[:MOST_ENTRIES]
    if not unique:
        return
    axes.legend(
        [entry.handle for entry in unique],
        [entry.label for entry in unique],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.1)},
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        handlelength=2.2,
    )
