"""What plots on paper share: legends, rules, logarithmic axes, what an axis can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakSet

import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogFormatterSciNotation

from engine.core.arrays import FloatArray
from engine.core.claims import Bound
from engine.core.ensemble import Observation
from engine.core.palette import PALE
from engine.core.views import Rule, Tint
from engine.figures.rules import FARTHEST, rule_value
from engine.figures.style import LINESTYLES, color
from engine.figures.zero_notes import ZeroNote, bounded
from engine.text.mathtext import to_plain
from engine.text.scripts import raised

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

MOST_ENTRIES = 14
"""Entries in a legend; the rest has none."""
LABEL_WIDTH = 40
"""Characters of a line in a legend, if words allow."""
_WORD = re.compile(r"(?:\$[^$]*\$|[^ \n])+")
"""A word, or a formula between dollars with what adjoins it."""
NOTE_EDGE = 0.015
"""Distance of notes from the sides of a plot, as a share of it."""
TURN = 0.45
"""Place along x, as a share, up to which a note goes on to the right."""
LARGEST = FARTHEST
"""Above this size, or below its inverse on a log axis, the margins of an axis overflow."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a legend: what stands for it (several make a bundle) and its words."""

    handle: Any
    label: str


def bundle(lines: list[Line2D], label: str) -> list[Entry]:
    """Return the lines of a family in the legend: the first, the middle and the last."""
    if not label or not lines:
        return []
    distinct = {line.get_color() for line in lines}
    if len(distinct) == 1:
        return [Entry(lines[0], label)]
    return [Entry((lines[0], lines[len(lines) // 2], lines[-1]), label)]


def wrapped(label: str, width: int = LABEL_WIDTH) -> str:
    """Break a label between words into lines of some `width` characters; formulas stay whole."""
    lines = []
    for given in label.split("\n"):
        line = ""
        for word in _WORD.findall(given):
            longer = f"{line} {word}" if line else word
            if line and len(to_plain(longer)) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return "\n".join(lines)


def add_legend(axes: Axes, entries: list[Entry]) -> None:
    """Put the legend beside the plot, where it hides nothing."""
    unique = list({entry.label: entry for entry in entries}.values())[:MOST_ENTRIES]
    if not unique:
        return
    axes.legend(
        [entry.handle for entry in unique],
        [wrapped(entry.label) for entry in unique],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.1)},
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        handlelength=2.2,
    )


_with_bar: WeakSet[Axes] = WeakSet()
"""The plots that have a bar of colours."""


def color_bar(axes: Axes, image: AxesImage, label: str, *, shrink: float = 1.0) -> None:
    """Put a bar of an image's colours beside the plot, once for all images drawn in it in turn."""
    if axes in _with_bar:
        return
    _with_bar.add(axes)
    bar = axes.figure.colorbar(image, ax=axes, label=label, pad=0.02, shrink=shrink)
    bar.outline.set_visible(False)


def drawable(values: FloatArray, *, log: bool) -> FloatArray:
    """Leave a gap where there is no place on the axis: no logarithm, or too large for it."""
    sizes = np.abs(values)
    good = (sizes <= LARGEST) & ((values >= 1 / LARGEST) if log else True)
    kept: FloatArray = np.where(good, values, np.nan)
    return kept


def draw_rules(
    axes: Axes,
    rules: tuple[Rule, ...],
    theory: tuple[Bound, ...],
    observation: Observation,
    log_y: bool,
    log_x: bool,
) -> list[Entry]:
    """Draw straight lines across a plot, those whose place is known and on the axis."""
    entries = []
    bounds = {bound.id: bound.value for bound in theory}
    for rule in rules:
        value = rule_value(rule, bounds, observation)
        if value is None or (value <= 0 and (log_x if rule.vertical else log_y)):
            continue
        draw = axes.axvline if rule.vertical else axes.axhline
        line = draw(value, color=color(rule.color), linestyle=LINESTYLES[rule.dash], linewidth=1.0)
        entries += bundle([line], rule.label)
    return entries


def draw_notes(axes: Axes, notes: Iterable[ZeroNote | None]) -> None:
    """Write at the foot of a plot what its axis cannot show, near where that begins.

    To be called when the ends of the axes are known.
    """
    low, high = (
        float(np.log10(end)) if axes.get_xscale() == "log" else end for end in axes.get_xlim()
    )
    for row, note in enumerate(bounded(notes)):
        at = np.log10(max(note.at, 1 / LARGEST)) if axes.get_xscale() == "log" else note.at
        share = (at - low) / (high - low)
        to_right = share <= TURN
        place = min(max(share, NOTE_EDGE), TURN) if to_right else 1 - NOTE_EDGE
        axes.text(
            place,
            NOTE_EDGE,
            f"↓ {note.text}" + "\n" * row,
            transform=axes.transAxes,
            ha="left" if to_right else "right",
            va="bottom",
            fontsize="small",
            color=color(note.color),
            gid=f"zeros-{row}",
        )


class _Powers(LogFormatterSciNotation):
    """Writes 10⁻² in plain text: typesetting every tick takes most of a figure's time."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick, empty where there is no room for one."""
        text = super().__call__(x, pos).replace(r"$\mathdefault{", "").removesuffix("}$")
        base, _, power = text.replace(r"\times", "×").partition("^{")
        return (base + raised(power.removesuffix("}"))).removesuffix("×10⁰")


def set_log(axes: Axes, side: Literal["x", "y"]) -> None:
    """Make an axis logarithmic."""
    axes.set(**{f"{side}scale": "log"})
    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_major_formatter(_Powers())
    axis.set_minor_formatter(_Powers(labelOnlyBase=False, minor_thresholds=(1.0, 0.4)))


def tint_places(image: FloatArray, tints: Sequence[Tint]) -> FloatArray:
    """Return the place of each value among tints, from 1; NaN for any other."""
    places = np.full(image.shape, np.nan)
    for place, tint in enumerate(tints, 1):
        places[image == tint.value] = place
    return places


def tint_colors(tints: Sequence[Tint]) -> ListedColormap:
    """Return the colours of tints on white paper, in their order."""
    return ListedColormap([_pale(tint.color) for tint in tints])


def tint_entries(tints: Sequence[Tint], missing: str) -> list[Entry]:
    """Return what a legend says of tints, and of cells without a value."""
    named = [Entry(Patch(facecolor=_pale(tint.color)), tint.label) for tint in tints]
    if not missing:
        return named
    blank = Patch(facecolor="white", edgecolor=color("muted"), linewidth=0.6)
    return [Entry(blank, missing), *named]


def _pale(role: str) -> tuple[float, float, float]:
    """Return the colour of a role on white paper, paled."""
    red, green, blue = (1.0 - PALE * (1.0 - part) for part in to_rgb(color(role)))
    return red, green, blue
