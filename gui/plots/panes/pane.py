"""What all panes have: a view, a legend, a reading under the pointer, and state worth keeping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QMenu, QWidget

from engine.core.arrays import FloatArray
from engine.core.ensemble import Observation
from engine.core.outcome import OutcomeKind
from engine.core.views import Dash, Symbol, View
from engine.run.snapshot import Snapshot
from engine.run.trace import TraceView
from engine.text.mathtext import to_plain

ViewT = TypeVar("ViewT", bound=View)
WILD = 6.0
"""Multiple of the median beyond which values of a diverged run do not stretch a linear axis."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """A run kept for comparison: its name, its colour (a role or ``#rrggbb``) and its history.

    One that is marked stands out among the others.
    """

    label: str
    color: str
    trace: TraceView
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What views are drawn from."""

    observation: Observation
    bounds: Mapping[str, float | None] = field(default_factory=dict)
    snapshot: Snapshot | None = None

    @property
    def has_diverged(self) -> bool:
        """Whether the run left the range of useful numbers."""
        return self.snapshot is not None and self.snapshot.outcome.kind is OutcomeKind.DIVERGED


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the legend; the colour of a tint is paled, as that of the cells it stands for."""

    id: str
    text: str
    color: str
    kind: Literal["line", "ramp", "point", "area", "tint"] = "line"
    dash: Dash = "solid"
    can_hide: bool = True
    symbol: Symbol = "o"
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class ReadingItem:
    """One value under the pointer; `color` is a role, empty for none."""

    text: str
    value: str
    color: str = ""

    def plain(self) -> str:
        """Write it in plain letters."""
        return " = ".join(part for part in (to_plain(self.text), self.value) if part)


@dataclass(frozen=True, slots=True)
class Reading:
    """The values under the pointer."""

    lead: str
    items: tuple[ReadingItem, ...] = ()

    def plain(self) -> str:
        """Write it for the status bar and for screen readers."""
        parts = [to_plain(self.lead), *(item.plain() for item in self.items)]
        return "   ".join(part for part in parts if part)


class Pane(QWidget, Generic[ViewT]):
    """Draws one view.

    Attributes
    ----------
    view : View
    hidden : set of str
        Ids of legend entries that are not drawn.
    seconds : float
        How long showing and painting took lately.
    entries_changed : Signal
        The legend is to be read again.
    reading_changed : Signal(Reading or None)
        The values under the pointer.
    notes_changed : Signal
        The user wrote, moved or removed a note.
    handle_dragged, handle_released, stroke_drawn : Signal
        As those of `gui.plots.area.PlotArea`.
    """

    entries_changed = Signal()
    reading_changed = Signal(object)
    notes_changed = Signal()
    handle_dragged = Signal(str, float, float)
    handle_released = Signal()
    stroke_drawn = Signal(str, list)

    def __init__(self, view: ViewT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.hidden: set[str] = set()
        self.seconds = 0.0
        self._shown: Shown | None = None

    @property
    def is_pointed_at(self) -> bool:
        """Whether its reading is of the pointer's own place, not of a linked plot."""
        return True

    def set_view(self, view: ViewT) -> None:
        """Take another description of the same kind of view."""
        self.view = view
        self.entries_changed.emit()
        self.redraw()

    def show_data(self, shown: Shown) -> None:
        """Draw what is given; called only while the pane can be seen."""
        self._shown = shown
        self.redraw()

    def redraw(self) -> None:
        """Draw again what was given last."""
        raise NotImplementedError

    def entries(self) -> tuple[Entry, ...]:
        """List the legend."""
        return ()

    def set_entry_shown(self, entry_id: str, shown: bool) -> None:
        """Hide a line or bring it back."""
        (self.hidden.discard if shown else self.hidden.add)(entry_id)
        self.entries_changed.emit()
        self.redraw()

    def show_only(self, entry_id: str) -> None:
        """Hide all lines but one; all are shown again if it was alone already."""
        others = {entry.id for entry in self.entries() if entry.can_hide} - {entry_id}
        alone = others <= self.hidden and entry_id not in self.hidden
        self.hidden = set() if alone else others
        self.entries_changed.emit()
        self.redraw()

    def fill_menu(self, menu: QMenu) -> None:
        """Add what the pane offers to a menu."""
        menu.addAction("Copy image").triggered.connect(self.copy_image)

    def to_image(self) -> QImage:
        """Draw the pane on an image of twice the resolution."""
        return self.grab().toImage()

    def copy_image(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setImage(self.to_image())

    def save(self) -> dict[str, Any]:
        """Return what the user set, ready for JSON."""
        return {"hidden": sorted(self.hidden)} if self.hidden else {}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take what `save` gave; anything unexpected is ignored."""
        hidden = saved.get("hidden", [])
        known = {entry.id for entry in self.entries()}
        self.hidden = {item for item in hidden if item in known} if type(hidden) is list else set()
        self.entries_changed.emit()


def numbers(observation: Observation, key: str) -> FloatArray | None:
    """Read an array of numbers from an observation; None if it is missing or no numbers."""
    if not key or observation.get(key) is None:
        return None
    try:
        values = np.asarray(observation[key], np.float64)
    except (TypeError, ValueError):
        return None
    return values


def number_at(observation: Observation, key: str) -> float | None:
    """Read one finite number from an observation, or None."""
    values = numbers(observation, key)
    if values is None or values.size != 1 or not np.isfinite(values).all():
        return None
    return float(values.reshape(-1)[0])


def texts(observation: Observation, key: str, count: int) -> list[str]:
    """Read a list of texts from an observation, as many as asked for."""
    given = observation.get(key) if key else None
    found = [str(item) for item in given] if given is not None else []
    return (found + [""] * count)[:count]
