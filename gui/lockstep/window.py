"""The window of runs side by side: a column for each, axes in common, and one transport."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.core.errors import LabError
from engine.core.versions import NAME
from engine.core.views import PlaneView, TimeView, View
from engine.text.mathtext import to_plain
from engine.text.numbers import whole
from gui.lockstep.feed import Feed
from gui.plots.canvas.range import Ends
from gui.plots.link import TimeLink
from gui.plots.panes.canvas_pane import CanvasPane
from gui.plots.panes.pane import Shown
from gui.plots.panes.plane import PlanePane
from gui.plots.panes.time import TimePane
from gui.style import scaling
from gui.style.icons import IconButton, swatch
from gui.style.theme import current_theme
from gui.widgets.words import bold

if TYPE_CHECKING:
    from engine.run.lockstep import Side
    from engine.run.snapshot import Snapshot

SPEEDS = (1, 2, 5, 10, 50, 200, 1000)
"""Steps a frame that can be chosen."""
USUAL = 1
SHOWN = 2
"""Plots that each run has at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A run, its plots as its experiment describes them, and its colour where it is pinned."""

    side: Side
    views: tuple[View, ...]
    color: str = ""


class LockstepWindow(QWidget):
    """Shows the same step of several runs, each plot on the same axes for all.

    Parameters
    ----------
    title : str
        What is compared.
    columns : sequence of Column
    parent : QWidget
        The window beside which it stands.

    Attributes
    ----------
    failed : Signal(object)
        Why there is nothing to be shown; the window is closed.
    panes : dict of str to list of CanvasPane
        By the plot, in the order of the runs.
    step : QLabel
        The step that is shown.
    """

    failed = Signal(object)

    def __init__(self, title: str, columns: Sequence[Column], parent: QWidget | None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setObjectName("plotWindow")
        self.setWindowTitle(f"{title} – {NAME}")
        self._columns = tuple(columns)
        self._link = TimeLink(self)
        self._snapshots: tuple[Snapshot, ...] = ()
        self._zooms: dict[str, tuple[Ends | None, Ends | None]] = {}
        self.panes: dict[str, list[CanvasPane[Any]]] = {}
        self._outcomes = [QLabel() for _ in columns]
        self._grid = QGridLayout()
        self._views = _common(columns)
        self._chosen = [view.id for view in self._views if view.shown][:SHOWN]
        self._chosen = self._chosen or [view.id for view in self._views[:SHOWN]]
        self._lay_out()
        self._build()
        self.feed = Feed([column.side for column in columns], self)
        self.feed.shown.connect(self._show)
        self.feed.failed.connect(self._on_failed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        scaling.least(self, width=640, height=420)
        self.resize(scaling.whole(420 * max(len(columns), 2)), scaling.whole(760))

    # Building.

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        scaling.margins(column, 12, 10, 12, 8)
        scaling.spacing(column, 6)
        scaling.spacing(self._grid, 6)
        for place, (each, outcome) in enumerate(zip(self._columns, self._outcomes, strict=True)):
            self._grid.addWidget(self._name(each, outcome), 0, place)
            self._grid.setColumnStretch(place, 1)
        column.addLayout(self._grid, 1)
        column.addLayout(self._transport())

    def _name(self, each: Column, outcome: QLabel) -> QWidget:
        """Make the head of a run: its name, how it stands, and the colour that its pin has."""
        name = QLabel(each.side.label)
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setFont(bold(name.font()))
        for label in (name, outcome):
            label.setWordWrap(True)
        outcome.setObjectName("hint")
        head = QWidget()
        layout = QGridLayout(head)
        layout.setContentsMargins(0, 0, 0, 0)
        if each.color:
            sign = QLabel()
            sign.setPixmap(swatch(current_theme().color(each.color), self).pixmap(14, 14))
            sign.setToolTip("The colour of this pinned run on the plots of the window")
            layout.addWidget(sign, 0, 0)
        layout.addWidget(name, 0, 1)
        layout.addWidget(outcome, 1, 1)
        layout.setColumnStretch(1, 1)
        layout.setRowStretch(2, 1)
        return head

    def _transport(self) -> QHBoxLayout:
        row = QHBoxLayout()
        scaling.spacing(row, 6)
        self.step = QLabel("step 0")
        self.play_button = IconButton("play", "Play", "Play or pause (Space)")
        buttons: tuple[tuple[IconButton, Callable[[], object]], ...] = (
            (IconButton("reset", "Reset", "Go back to step 0 (R)"), self.reset),
            (IconButton("back", "Step back", "One step back (←)"), lambda: self._by(-1)),
            (self.play_button, self.toggle_play),
            (IconButton("step", "Step", "One step (→)"), lambda: self._by(1)),
        )
        for button, act in buttons:
            button.clicked.connect(lambda checked=False, act=act: act())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        row.addWidget(self.step)
        row.addStretch(1)
        self.speed = QComboBox()
        self.speed.setAccessibleName("Steps a frame")
        self.speed.setToolTip("Steps that all runs make from one picture to the next")
        self.speed.addItems([f"{whole(n)} step{'s' if n > 1 else ''} a frame" for n in SPEEDS])
        self.speed.setCurrentIndex(SPEEDS.index(USUAL))
        self.speed.currentIndexChanged.connect(self._on_speed)
        self.plots_button = QPushButton("Plots")
        self.plots_button.setToolTip("Choose the plots that each run has")
        self.plots_button.setMenu(self._plots_menu())
        row.addWidget(self.speed)
        row.addWidget(self.plots_button)
        return row

    def _plots_menu(self) -> QMenu:
        menu = QMenu(self)
        for view in self._views:
            action = menu.addAction(to_plain(view.title))
            action.setCheckable(True)
            action.setChecked(view.id in self._chosen)
            action.toggled.connect(lambda on, name=view.id: self.choose(name, on))
        return menu

    def choose(self, view_id: str, shown: bool) -> None:
        """Show a plot of every run, or leave it out."""
        names = {*self._chosen, view_id} if shown else {*self._chosen} - {view_id}
        self._chosen = [view.id for view in self._views if view.id in names]
        self._build()
        self._draw()

    def _build(self) -> None:
        """Make the panes of the plots that are chosen."""
        for row in range(1, self._grid.rowCount()):
            for place in range(len(self._columns)):
                item = self._grid.itemAtPosition(row, place)
                widget = None if item is None else item.widget()
                if widget is not None:
                    self._grid.removeWidget(widget)
                    widget.hide()
                    widget.deleteLater()
            self._grid.setRowStretch(row, 0)
        self.panes, self._zooms = {}, {}
        for row, view_id in enumerate(self._chosen, start=1):
            self.panes[view_id] = [
                self._pane(view_id, place, row) for place in range(len(self._columns))
            ]
            self._grid.setRowStretch(row, 1)

    def _pane(self, view_id: str, place: int, row: int) -> CanvasPane[Any]:
        view = next(view for view in self._columns[place].views if view.id == view_id)
        pane: CanvasPane[Any]
        pane = TimePane(view, self._link) if isinstance(view, TimeView) else _plane(view)
        frame, header = QWidget(), QLabel(to_plain(view.title))
        header.setObjectName("hint")
        header.setToolTip(to_plain(view.help))
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(header)
        layout.addWidget(pane, 1)
        self._grid.addWidget(frame, row, place)
        pane.canvas.zoomed.connect(lambda x, y: self._zoom(view_id, x, y))
        pane.canvas.reset_requested.connect(lambda: self._zoom(view_id, None, None))
        return pane

    # Stepping.

    def toggle_play(self) -> None:
        """Play or pause."""
        if self.feed.is_playing:
            self.feed.pause()
        else:
            self.feed.play(SPEEDS[self.speed.currentIndex()])
        self._show_playing()

    def reset(self) -> None:
        """Go back to step 0."""
        self.feed.pause()
        self.feed.seek(0)
        self._show_playing()

    def _by(self, n: int) -> None:
        self.feed.pause()
        self.feed.advance(n)
        self._show_playing()

    def _on_speed(self) -> None:
        if self.feed.is_playing:
            self.feed.play(SPEEDS[self.speed.currentIndex()])

    def _show_playing(self) -> None:
        name = ("pause", "Pause") if self.feed.is_playing else ("play", "Play")
        self.play_button.set_icon_name(name[0])
        self.play_button.setAccessibleName(name[1])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step, play and reset by the keys of the main window; Escape closes."""
        act = {
            Qt.Key.Key_Space: self.toggle_play,
            Qt.Key.Key_Right: lambda: self._by(1),
            Qt.Key.Key_Left: lambda: self._by(-1),
            Qt.Key.Key_R: self.reset,
            Qt.Key.Key_Escape: self.close,
        }.get(Qt.Key(event.key()))
        if act is None:
            super().keyPressEvent(event)
        else:
            act()

    # Showing.

    def _show(self, step: int, snapshots: tuple[Snapshot, ...], ended: bool) -> None:
        self._snapshots = snapshots
        self.step.setText(f"step {whole(step)}" + (", all have ended" if ended else ""))
        for label, snapshot in zip(self._outcomes, snapshots, strict=True):
            behind = f"Ended at step {whole(snapshot.step)}. " if snapshot.step < step else ""
            label.setText(to_plain(f"{behind}{snapshot.outcome.message}"))
        self._show_playing()
        self._draw()

    def _draw(self) -> None:
        if not self._snapshots:
            return
        self._link.follow(max(self._snapshots, key=lambda snapshot: snapshot.step))
        for view_id, panes in self.panes.items():
            for pane, snapshot in zip(panes, self._snapshots, strict=True):
                bounds = {bound.id: bound.value for bound in snapshot.theory}
                pane.show_data(Shown(snapshot.observation, bounds, snapshot))
            self._share(view_id)

    def _share(self, view_id: str) -> None:
        """Put the same ends on the axes of a plot of all runs."""
        panes = self.panes[view_id]
        x, y = self._zooms.get(view_id, (None, None))
        for name, chosen in (("x_axis", x), ("y_axis", y)):
            if name == "x_axis" and isinstance(panes[0], TimePane):
                continue  # the link has them
            axes = [getattr(pane.canvas, name) for pane in panes]
            ends = chosen or _around([axis.auto.ends for axis in axes])
            for axis, pane in zip(axes, panes, strict=True):
                if axis.manual != ends:
                    axis.manual = ends
                    pane.canvas.refresh_axes()

    def _zoom(self, view_id: str, x: Ends | None, y: Ends | None) -> None:
        before = self._zooms.get(view_id, (None, None)) if x or y else (None, None)
        self._zooms[view_id] = x or before[0], y or before[1]
        self._share(view_id)

    def _on_failed(self, error: Exception) -> None:
        self.failed.emit(error)
        self.close()
        if not isinstance(error, LabError):
            raise error

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the runs."""
        self.feed.close()
        super().closeEvent(event)


def _plane(view: View) -> PlanePane:
    assert isinstance(view, PlaneView)
    return PlanePane(view)


def _common(columns: Sequence[Column]) -> list[View]:
    """List the plots with axes that all runs have."""
    shared = set.intersection(*({view.id for view in column.views} for column in columns))
    return [
        view
        for view in columns[0].views
        if view.id in shared and isinstance(view, TimeView | PlaneView)
    ]


def _around(ends: Sequence[Ends]) -> Ends:
    """Return the ends of an axis that holds all."""
    return min(low for low, _ in ends), max(high for _, high in ends)
