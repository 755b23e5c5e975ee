"""Panes whose view has two axes: ranges that follow the data until the user chooses others."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import QPointF
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from engine.core.errors import InputError
from engine.run.notes import Note, from_tables
from engine.run.snapshot import Status
from engine.text.mathtext import to_plain
from gui.plots.canvas.annotations import Placed
from gui.plots.canvas.axes import Axis
from gui.plots.canvas.canvas import Canvas
from gui.plots.canvas.range import CalmRange, Ends, Limits, Patience
from gui.plots.panes.pane import Pane, Shown, ViewT
from gui.style import scaling

JUMP = 20
"""Steps at once after which the axes are fitted anew even without running."""
_DECADE = 1.0


class CanvasPane(Pane[ViewT]):
    """A canvas and the axes' behaviour; subclasses fill `canvas.layers` in `redraw`."""

    patience = Patience()

    def __init__(self, view: ViewT, parent: QWidget | None = None) -> None:
        super().__init__(view, parent)
        self._fit_from: Shown | None = None
        self.canvas = Canvas(self)
        self.canvas.setAccessibleName(to_plain(view.title))
        self.canvas.setAccessibleDescription(to_plain(view.help))
        layout = QVBoxLayout(self)
        scaling.margins(layout, 6, 0, 4, 4)
        layout.addWidget(self.canvas)
        self.canvas.hovered.connect(self._on_hovered)
        self.canvas.zoomed.connect(self._on_zoomed)
        self.canvas.reset_requested.connect(self.reset_view)
        self.canvas.annotations.changed.connect(self.notes_changed)

    def show_data(self, shown: Shown) -> None:
        """Draw what is given, and learn how long that takes."""
        begin = time.perf_counter()
        if self._is_new_after_divergence(shown):
            for axis in (self.canvas.x_axis, self.canvas.y_axis):
                axis.auto.forget()
        if self._fit_from is not None and self._is_changed(shown):
            self._fit_from = None
            for axis in (self.canvas.x_axis, self.canvas.y_axis):
                axis.auto.forget()
        if self._has_come_to_rest(shown):
            for axis in (self.canvas.x_axis, self.canvas.y_axis):
                axis.auto.settle()
        super().show_data(shown)
        took = time.perf_counter() - begin + self.canvas.paint_seconds
        self.seconds += 0.2 * (took - self.seconds)

    def fit_next(self) -> None:
        """Fit the axes to the parameters that come next as if there had been none before."""
        self._fit_from = self._shown

    def _is_changed(self, shown: Shown) -> bool:
        """Return whether other parameters, or another run, are shown than when that was asked."""
        before = None if self._fit_from is None else self._fit_from.snapshot
        now = shown.snapshot
        if before is None or now is None:
            return before is not now
        return (before.run_id, before.params) != (now.run_id, now.params)

    def _has_come_to_rest(self, shown: Shown) -> bool:
        """Return whether the run paused, or jumped while it was paused."""
        snapshot, before = shown.snapshot, self._shown.snapshot if self._shown else None
        if snapshot is None or snapshot.status is Status.RUNNING or snapshot.step == 0:
            return False
        if before is None or before.run_id != snapshot.run_id:
            return True
        return before.status is Status.RUNNING or abs(snapshot.step - before.step) > JUMP

    def _is_new_after_divergence(self, shown: Shown) -> bool:
        """Return whether another run is shown than one that diverged: its range means nothing."""
        before = self._shown
        if before is None or before.snapshot is None or shown.snapshot is None:
            return False
        return before.has_diverged and before.snapshot.run_id != shown.snapshot.run_id

    def set_log(self, axis: Axis, log: bool, limits: Limits) -> None:
        """Measure an axis in powers of ten, or not, between the limits of its values."""
        axis.log = log
        axis.manual = None
        axis.auto = CalmRange(in_decades(limits) if log else limits, patience=self.patience)
        self.canvas.refresh_axes()

    def follow(self, x: Ends | None, y: Ends | None) -> None:
        """Adapt the axes to the ends of what is drawn, and draw."""
        moved = self.canvas.x_axis.auto.follow(x)
        moved = self.canvas.y_axis.auto.follow(y) or moved
        if moved:
            self.canvas.refresh_axes()
        else:
            self.canvas.refresh()

    def reset_view(self) -> None:
        """Follow the data again."""
        for axis in (self.canvas.x_axis, self.canvas.y_axis):
            axis.manual = None
            axis.auto.forget()
        self.redraw()
        self.canvas.refresh_axes()

    def to_image(self) -> QImage:
        """Draw the plot on an image of twice the resolution."""
        return self.canvas.to_image()

    def _on_zoomed(self, x: Ends | None, y: Ends | None) -> None:
        if x is not None:
            self.canvas.x_axis.manual = x
        if y is not None:
            self.canvas.y_axis.manual = y
        self.redraw()
        self.canvas.refresh_axes()

    def _on_hovered(self, at: QPointF | None) -> None:
        raise NotImplementedError

    # The menu.

    def fill_menu(self, menu: QMenu) -> None:
        """Offer a note, log axes, ranges and the picture."""
        self._fill_notes_menu(menu)
        self.fill_axes_menu(menu)
        menu.addSeparator()
        follow = menu.addAction("Auto range")
        follow.setCheckable(True)
        follow.setChecked(not self.is_manual)
        follow.toggled.connect(self._on_auto_toggled)
        menu.addAction("Reset view").triggered.connect(self.reset_view)
        menu.addSeparator()
        super().fill_menu(menu)

    def _fill_notes_menu(self, menu: QMenu) -> None:
        """Offer what can be done with the note under the pointer, or a new one."""
        annotations, at = self.canvas.annotations, self.canvas.take_menu_place()
        number = annotations.at(at)
        if number >= 0:
            menu.addAction("Edit note").triggered.connect(lambda: annotations.edit(number))
            menu.addAction("Delete note").triggered.connect(lambda: annotations.remove(number))
        else:
            add = menu.addAction("Add a note here")
            add.setEnabled(annotations.has_room)
            add.triggered.connect(lambda: annotations.add(at))
        menu.addSeparator()

    @property
    def notes(self) -> tuple[Note, ...]:
        """The user's notes on the plot."""
        placed = self.canvas.annotations.notes
        return tuple(Note(self.view.id, each.x, each.y, each.text) for each in placed if each.text)

    def set_notes(self, notes: Iterable[Note]) -> None:
        """Show the notes of this plot among others."""
        mine = [Placed(n.x, n.y, n.text) for n in notes if n.view == self.view.id]
        if mine != list(self.canvas.annotations.notes):
            self.canvas.annotations.set_notes(mine)

    def fill_axes_menu(self, menu: QMenu) -> None:
        """Offer what changes the axes."""

    @property
    def is_manual(self) -> bool:
        """Whether the user chose an axis' ends."""
        return self.canvas.x_axis.manual is not None or self.canvas.y_axis.manual is not None

    def _on_auto_toggled(self, on: bool) -> None:
        if on:
            self.reset_view()
        else:
            mapper = self.canvas.frame.mapper
            self._on_zoomed(mapper.x, mapper.y)

    @staticmethod
    def checkable(menu: QMenu, text: str, on: bool) -> QAction:
        """Add an action that is on or off."""
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(on)
        return action

    # What is kept.

    def save(self) -> dict[str, Any]:
        """Return what the user set, log axes included."""
        made = super().save() | {
            "log_x": self.canvas.x_axis.log,
            "log_y": self.canvas.y_axis.log,
        }
        return made | ({"notes": [n.to_table() for n in self.notes]} if self.notes else {})

    def load(self, saved: Mapping[str, Any]) -> None:
        """Apply what `save` returned, log axes included."""
        super().load(saved)
        with contextlib.suppress(InputError):
            self.set_notes(from_tables(saved.get("notes", [])))
        for name in ("log_x", "log_y"):
            if type(saved.get(name)) is bool:
                self.set_log_axis(name[-1], saved[name])

    def set_log_axis(self, axis: str, log: bool) -> None:
        """Measure axis ``"x"`` or ``"y"`` in powers of ten, or not."""
        raise NotImplementedError


def in_decades(limits: Limits) -> Limits:
    """Return limits of values as limits of a log axis."""

    def log(value: float | None) -> float | None:
        return math.log10(value) if value is not None and value > 0 else None

    fixed = limits.fixed
    if fixed is not None and fixed[0] > 0:
        return Limits(fixed=(math.log10(fixed[0]), math.log10(fixed[1])))
    return Limits(low=log(limits.low), high=log(limits.high), least=_DECADE)
