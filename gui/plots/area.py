"""The plots of an experiment: docks that can be moved, tabbed, floated, hidden and brought back.

Snapshots may come as fast as they like: the newest one is drawn, at most once a frame, only where
it can be seen, and if all plots together would take longer than a frame may, in turns.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QVBoxLayout, QWidget

from engine.core.claims import Bound
from engine.core.ensemble import Observation
from engine.core.views import BarView, ImageView, PlaneView, SurfaceView, TableView, TimeView, View
from engine.run.notes import Note
from engine.run.snapshot import Snapshot
from gui.plots.arrange import arrange, columns_of
from gui.plots.changes import ChangeLog
from gui.plots.dock import PlotDock
from gui.plots.link import TimeLink
from gui.plots.panes.bars import BarPane
from gui.plots.panes.canvas_pane import CanvasPane
from gui.plots.panes.images import ImagePane
from gui.plots.panes.pane import Ghost, Pane, Reading, Shown
from gui.plots.panes.plane import PlanePane
from gui.plots.panes.surface import SurfacePane
from gui.plots.panes.tables import TablePane
from gui.plots.panes.time import TimePane
from gui.style import scaling
from gui.widgets.dock_shares import DockShares
from gui.widgets.dock_state import is_sound

FRAME_SECONDS = 0.015
"""Least time between two drawings: snapshots that come sooner wait for their frame."""
BUDGET_SECONDS = 0.008
"""Time for drawing plots in one frame; the rest have their turn in the next."""
STATE_VERSION = 1

__all__ = ["Ghost", "PlotArea"]


class PlotArea(QWidget):
    """All plots of an experiment.

    Parameters
    ----------
    clock : callable
        Gives seconds; tests pass their own.

    Attributes
    ----------
    handle_dragged : Signal(str, float, float)
        A handle (its id, or ``id:index``) is being dragged to a place.
    handle_released : Signal
        The handle was released.
    stroke_drawn : Signal(str, list)
        Name of the parameter and rows ``[x, y]`` that it is to have; an empty list to clear it.
    notes_changed : Signal
        The user wrote, moved or removed a note.
    hovered : Signal(str)
        The values under the pointer, for the status bar; empty when it left.
    """

    handle_dragged = Signal(str, float, float)
    handle_released = Signal()
    stroke_drawn = Signal(str, list)
    notes_changed = Signal()
    hovered = Signal(str)

    def __init__(
        self, parent: QWidget | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self.setObjectName("plotArea")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.link = TimeLink(self)
        self.docks: dict[str, PlotDock] = {}
        self.refreshes = 0
        self._views: tuple[View, ...] = ()
        self._shown: Shown | None = None
        self._ghosts: tuple[Ghost, ...] = ()
        self._changes = ChangeLog()
        self._waiting: list[str] = []
        self._refreshed_at = -1.0
        self._arranged = self._restored = False
        self._chosen: tuple[str, ...] = ()
        self._scale = scaling.factor()
        self._unsqueezed: tuple[float, QByteArray] | None = None
        self._menu = QMenu("Plots", self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._inner = QMainWindow()
        self._inner.setWindowFlags(Qt.WindowType.Widget)
        self._inner.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks | QMainWindow.DockOption.AllowTabbedDocks
        )
        self._inner.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._shares = DockShares(self._inner, self._columns)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._inner)
        self._cover = QWidget(self)  # above the plots; what is to lie over it comes later
        self._cover.setObjectName("plotArea")
        self._cover.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._cover.hide()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self._refresh())

    # What is shown.

    @property
    def panes(self) -> dict[str, Pane[Any]]:
        """The pane of each view, by the view's id."""
        return {view_id: dock.pane for view_id, dock in self.docks.items()}

    def set_views(self, views: Sequence[View]) -> None:
        """Show other views.

        Views of the same ids and kinds as before keep their place and zoom; views equal to those
        shown are put back where they were at first.
        """
        views = tuple(views)
        self.uncover()
        same_kinds = [(v.id, type(v)) for v in views] == [(v.id, type(v)) for v in self._views]
        if views and same_kinds and views != self._views:
            self._views = views
            for view in views:
                self.docks[view.id].set_view(view)
        elif views and same_kinds:
            self.reset_layout()
        else:
            notes = self.notes if self._views else ()
            self._views = views
            self._build()
            self.set_notes(notes)
        self._refresh_all()

    @property
    def notes(self) -> tuple[Note, ...]:
        """The user's notes on all plots."""
        panes = (pane for pane in self.panes.values() if isinstance(pane, CanvasPane))
        return tuple(note for pane in panes for note in pane.notes)

    def set_notes(self, notes: Sequence[Note]) -> None:
        """Show other notes; those of plots that are not there are left out."""
        for pane in self.panes.values():
            if isinstance(pane, CanvasPane):
                pane.set_notes(notes)
        self.notes_changed.emit()

    def forget(self) -> None:
        """Start the next views empty: what is shown belongs to another experiment."""
        self._shown, self._views, self._waiting = None, (), []
        self._timer.stop()

    @property
    def is_behind(self) -> bool:
        """Whether plots wait for their turn to show what came last."""
        return bool(self._waiting)

    @property
    def is_covered(self) -> bool:
        """Whether the plots are covered because they belong to no experiment that is named."""
        return self._cover.isVisibleTo(self)

    def cover(self) -> None:
        """Cover the plots until other views are set or `uncover` is called."""
        self._cover.setGeometry(self.rect())
        self._cover.show()

    def uncover(self) -> None:
        """Show the plots again."""
        self._cover.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what is covered covered."""
        super().resizeEvent(event)
        self._cover.setGeometry(self.rect())

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a run at a moment."""
        bounds = {bound.id: bound.value for bound in snapshot.theory}
        self.link.follow(snapshot)
        marks = tuple(self._changes.marks(snapshot))
        for pane in self.panes.values():
            if isinstance(pane, TimePane):
                pane.change_marks = marks
        self._show(Shown(snapshot.observation, bounds, snapshot))

    def show_observation(self, observation: Observation, theory: Sequence[Bound] = ()) -> None:
        """Show arrays that belong to no run, for example those of an ensemble."""
        bounds = {bound.id: bound.value for bound in theory}
        self._show(Shown(observation, bounds))

    def set_ghosts(self, ghosts: tuple[Ghost, ...]) -> None:
        """Show pinned runs behind the present one."""
        self._ghosts = tuple(ghosts)
        for dock in self.docks.values():
            if isinstance(dock.pane, TimePane):
                dock.pane.set_ghosts(self._ghosts)
        self._refresh_all()

    def set_axis_scaled(self, scaled: bool) -> None:
        """Draw time as Σ δ rather than the step."""
        self.link.scaled = scaled
        if self._shown is not None and self._shown.snapshot is not None:
            self.link.follow(self._shown.snapshot)
        self.link.manual = None
        self.link.changed.emit()

    def image(self, view_id: str) -> QImage:
        """Draw one plot on an image of twice the resolution."""
        return self.docks[view_id].pane.to_image()

    # Drawing, within what a frame may take.

    def _show(self, shown: Shown) -> None:
        self._shown = shown
        fresh = [view_id for view_id in self.docks if view_id not in self._waiting]
        self._waiting += fresh  # those that wait longest come first
        since = self._clock() - self._refreshed_at
        if since >= FRAME_SECONDS:
            self._refresh()
        elif not self._timer.isActive():
            self._timer.start(max(1, round(1000 * (FRAME_SECONDS - since))))

    def _refresh(self, budget: float = BUDGET_SECONDS) -> None:
        if self._shown is None:
            return
        self._timer.stop()
        self._refreshed_at = self._clock()
        self.refreshes += 1
        spent = 0.0
        while self._waiting:
            dock = self.docks[self._waiting[0]]
            if dock.can_be_seen:
                if spent > 0 and spent + dock.pane.seconds > budget:
                    self._timer.start(round(1000 * FRAME_SECONDS) + 2)  # unless news come first
                    return
                dock.pane.show_data(self._shown)
                spent += dock.pane.seconds
            self._waiting.pop(0)

    def _refresh_all(self) -> None:
        """Draw everything that can be seen now, for example after the layout changed."""
        self._waiting = list(self.docks)
        self._refresh(math.inf)

    def _on_seen(self, view_id: str) -> None:
        if self._shown is not None and view_id in self.docks:
            self.docks[view_id].pane.show_data(self._shown)

    # Docks.

    def _build(self) -> None:
        self._unsqueezed = None
        for dock in self.docks.values():
            dock.leave_screen()
            self._inner.removeDockWidget(dock)
            dock.setObjectName("")  # a layout finds docks by name, also those about to go
            dock.hide()
            dock.deleteLater()
        self.docks, self._waiting = {}, []
        for view in self._views:
            dock = PlotDock(view, self._pane_of(view), self._inner)
            self.docks[view.id] = dock
            dock.seen.connect(self._on_seen)
            dock.pane.handle_dragged.connect(self.handle_dragged)
            dock.pane.handle_released.connect(self.handle_released)
            dock.pane.stroke_drawn.connect(self.stroke_drawn)
            dock.pane.notes_changed.connect(self.notes_changed)
            dock.pane.reading_changed.connect(
                lambda reading, pane=dock.pane: self._on_reading(pane, reading)
            )
        self.reset_layout()

    def _pane_of(self, view: View) -> Pane[Any]:
        if isinstance(view, TimeView):
            pane = TimePane(view, self.link)
            pane.set_ghosts(self._ghosts)
            return pane
        if isinstance(view, PlaneView):
            return PlanePane(view)
        if isinstance(view, SurfaceView):
            return SurfacePane(view)
        if isinstance(view, ImageView):
            return ImagePane(view)
        if isinstance(view, BarView):
            return BarPane(view)
        if isinstance(view, TableView):
            return TablePane(view)
        raise TypeError(f"no pane draws a {type(view).__name__}")

    def show_only(self, view_ids: Sequence[str]) -> None:
        """Show these plots and no others until called again; the usual ones if none is given."""
        if tuple(view_ids) != self._chosen or view_ids:
            self._chosen = tuple(view_ids)
            self.reset_layout()
            self._refresh_all()

    def _is_shown_at_first(self, view: View) -> bool:
        chosen = [each.id for each in self._views if each.id in self._chosen]
        return view.id in chosen if chosen else view.shown

    def reset_layout(self) -> None:
        """Put the plots back where they were at first, or those of `show_only` alone."""
        first = [view for view in self._views if self._is_shown_at_first(view)]
        shown = [self.docks[view.id] for view in first]
        hidden = [self.docks[view.id] for view in self._views if view not in first]
        for dock in self.docks.values():
            dock.set_afloat(False)
        self._shares.set(arrange(self._inner, shown, hidden, self.size()))
        self._arranged = self.isVisible()

    def fit_next(self) -> None:
        """Fit all axes to the parameters that come next, whatever was shown before."""
        for pane in self.panes.values():
            if isinstance(pane, CanvasPane):
                pane.fit_next()

    def rescale(self) -> None:
        """Arrange the plots anew where they no longer fit at another scale, and back."""
        QTimer.singleShot(0, self, self._fit_scale)

    def _fit_scale(self) -> None:
        """Do so once the docks have their sizes."""
        factor = scaling.factor()
        if self._unsqueezed is not None and factor <= self._unsqueezed[0]:
            self._inner.restoreState(self._unsqueezed[1], STATE_VERSION)
            self._shares.forget()
            self._unsqueezed = None
        elif factor > self._scale and any(dock.is_squeezed for dock in self.docks.values()):
            if self._unsqueezed is None:
                self._unsqueezed = (self._scale, self._inner.saveState(STATE_VERSION))
            self.reset_layout()
        self._scale = factor
        self._refresh_all()

    def _columns(self) -> list[list[PlotDock]]:
        return columns_of([dock for dock in self.docks.values() if dock.is_on_page])

    def showEvent(self, event: QShowEvent) -> None:
        """Arrange the plots in the room there is, once that is known."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._arrange_late)

    def _arrange_late(self) -> None:
        if not self.isVisible():
            return
        restored, self._restored = self._restored, False
        squeezed = restored and any(dock.is_squeezed for dock in self.docks.values())
        if squeezed or not self._arranged:
            self.reset_layout()

    def changeEvent(self, event: QEvent) -> None:
        """Draw everything in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._refresh_all()

    def views_menu(self) -> QMenu:
        """Return the menu that shows and hides plots; it is always the same object."""
        return self._menu

    def _fill_menu(self) -> None:
        self._menu.clear()
        for dock in self.docks.values():
            self._menu.addAction(dock.toggleViewAction())
        self._menu.addSeparator()
        self._menu.addAction("Show all").triggered.connect(self._show_all)
        self._menu.addAction("Reset layout").triggered.connect(self.reset_layout)

    def _show_all(self) -> None:
        for dock in self.docks.values():
            dock.show()

    def leave_screen(self) -> None:
        """Hide the plots that have windows of their own, because the main window goes."""
        for dock in self.docks.values():
            dock.leave_screen()

    # The layout as bytes.

    def save_layout(self) -> bytes:
        """Return where the plots are and how they are set, to be kept."""
        state = self._inner.saveState(STATE_VERSION)
        kept = {
            "docks": base64.b64encode(bytes(state.data())).decode("ascii"),
            "panes": {view_id: dock.pane.save() for view_id, dock in self.docks.items()},
            "places": self._places(),
            "afloat": [view_id for view_id, dock in self.docks.items() if dock.is_afloat],
            "window": self.link.window,
        }
        return json.dumps(kept).encode()

    def restore_layout(self, saved: bytes) -> bool:
        """Take what `save_layout` gave; returns whether it could be used."""
        try:
            kept = json.loads(saved)
            state = base64.b64decode(kept["docks"], validate=True)
            panes = dict(kept["panes"])
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            return False
        if not is_sound(state, STATE_VERSION):
            return False
        if not self._inner.restoreState(QByteArray(state), STATE_VERSION):
            return False
        self._arranged = self._restored = True
        self._shares.forget()
        QTimer.singleShot(0, self, self._arrange_late)  # when the docks have their sizes
        self._restore_afloat(kept.get("places"), kept.get("afloat"))
        for view_id, settings in panes.items():
            if view_id in self.docks and isinstance(settings, dict):
                self.docks[view_id].pane.load(settings)
        if kept.get("window") is None or type(kept["window"]) is int:
            self.link.set_window(kept.get("window"))
        self._refresh_all()
        return True

    def _places(self) -> dict[str, list[int]]:
        known = {view_id: dock.geometry_afloat() for view_id, dock in self.docks.items()}
        return {
            view_id: [place.x(), place.y(), place.width(), place.height()]
            for view_id, place in known.items()
            if place is not None
        }

    def _restore_afloat(self, places: Any, afloat: Any) -> None:
        """Tear off the plots that were, at their places; what cannot be used is as if not kept."""
        for view_id, dock in self.docks.items():
            place = places.get(view_id) if isinstance(places, dict) else None
            if isinstance(place, list) and len(place) == 4 and all(_fits(n) for n in place):
                dock.place = QRect(*place)
            if dock.isFloating():  # kept by a program that left this to Qt
                dock.setFloating(False)
            if isinstance(afloat, list) and view_id in afloat:
                dock.set_afloat(True)

    def _on_reading(self, pane: Pane[Any], reading: Reading | None) -> None:
        if pane.is_pointed_at:
            self.hovered.emit("" if reading is None else reading.plain())


def _fits(number: Any) -> bool:
    return type(number) is int and abs(number) < 2**20
