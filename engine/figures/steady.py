"""What the pictures of an animation have in common: ends of the axes, and of the colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Range = tuple[float, float]
"""Low and high end."""

FAR = 4.0
"""Ratio of the whole reach to that of most pictures from which the whole is not shown."""
MOST = 0.9
"""Share of the pictures that are most of them."""
ROOM = 0.05
"""Room left beyond what most pictures reach, as a share of it."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of the axes of a plot, and whether these are logarithmic."""

    x: Range
    y: Range
    log_x: bool = False
    log_y: bool = False

    @classmethod
    def of(cls, axes: Axes) -> Ends:
        """Read the ends that a plot has."""
        return cls(
            axes.get_xlim(),
            axes.get_ylim(),
            axes.get_xscale() == "log",
            axes.get_yscale() == "log",
        )


@dataclass(frozen=True, slots=True)
class Steady:
    """What does not change from one picture to the next.

    Attributes
    ----------
    ends : mapping of str to Ends
        By the id of a view.
    levels : mapping of str to (float, float)
        Values of the first and the last colour, by the key of an observation.
    labels : mapping of str to tuple of str
        The legend for which there must be room, by the id of a view.
    """

    ends: Mapping[str, Ends] = field(default_factory=dict)
    levels: Mapping[str, Range] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def hold(self, axes: Axes, view_id: str) -> bool:
        """Set the ends that are kept for a view on its plot; return whether there are any."""
        ends = self.ends.get(view_id)
        if ends is not None:
            axes.set_xlim(ends.x, auto=None)  # else equal units are refused with a warning
            axes.set_ylim(ends.y, auto=None)
        return ends is not None


def shared(parts: Sequence[Steady]) -> Steady:
    """Return what suits all pictures, given what each would have by itself.

    Where a few pictures reach several times farther than all others, as those of a run that
    diverges, what they have beyond is not shown: else the others would be flat.
    """
    names = dict.fromkeys(name for part in parts for name in part.ends)
    keys = dict.fromkeys(key for part in parts for key in part.levels)
    legends = dict.fromkeys(name for part in parts for name in part.labels)
    return Steady(
        ends={
            name: _ends([part.ends[name] for part in parts if name in part.ends]) for name in names
        },
        levels={
            key: common([part.levels[key] for part in parts if key in part.levels]) for key in keys
        },
        labels={
            name: max((part.labels.get(name, ()) for part in parts), key=_room) for name in legends
        },
    )


def _room(labels: tuple[str, ...]) -> tuple[int, int]:
    return max(map(len, labels), default=0), len(labels)


def _ends(found: Sequence[Ends]) -> Ends:
    log_x, log_y = found[-1].log_x, found[-1].log_y
    return Ends(
        common([ends.x for ends in found], log=log_x),
        common([ends.y for ends in found], log=log_y),
        log_x,
        log_y,
    )


def common(ranges: Iterable[Range], *, log: bool = False) -> Range:
    """Return the range that holds all ranges, or most of them if a few reach much farther.

    Parameters
    ----------
    ranges : iterable of (float, float)
        Finite, positive if `log`.
    log : bool
        Whether they are those of a logarithmic axis.
    """
    table = np.array(list(ranges), np.float64)
    if log:
        table = np.log10(table)
    low, high = float(table[:, 0].min()), float(table[:, 1].max())
    least = float(np.quantile(table[:, 0], 1.0 - MOST))
    most = float(np.quantile(table[:, 1], MOST))
    if most > least and high - low > FAR * (most - least):
        room = ROOM * (most - least)
        low, high = max(low, least - room), min(high, most + room)
    return (10.0**low, 10.0**high) if log else (low, high)
