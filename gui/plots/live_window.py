"""A time plot in a window of its own, with pyqtgraph's transforms: FFT, derivative, phase portrait.

A plot of the page can be floated, too; what this window adds is `PlotItem` with its menu, whose
transforms work on `PlotDataItem` and on all the points. One such item a series is enough here: a
window shows one plot, and long curves are not antialiased.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QCloseEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from engine.core.arrays import FloatArray
from engine.core.versions import NAME
from engine.core.views import Rule, Series, TimeView, View
from engine.figures.rules import rule_value
from engine.run.snapshot import Snapshot
from engine.text.mathtext import to_html, to_plain
from gui.plots.legend import Legend
from gui.plots.panes.pane import Entry
from gui.style import scaling
from gui.style.icons import app_icon
from gui.style.theme import current_theme, theme_signals
from gui.widgets.words import bold

GRID = 0.15
"""Strength of the grid lines."""
MOST_SMOOTH = 4000
"""Points of a curve that are antialiased; more would take too long to draw."""
ROOM = 1.25
"""How far the axis of steps reaches beyond the newest one when it has to grow."""


_STYLES = {"solid": Qt.PenStyle.SolidLine, "dash": Qt.PenStyle.DashLine}


class LiveWindow(QWidget):
    """One time view, streamed into a pyqtgraph plot."""

    def __init__(self, view: TimeView, on_closed: Callable[[str], None]) -> None:
        super().__init__(None, Qt.WindowType.Window)
        import pyqtgraph

        self.view = view
        self._on_closed = on_closed
        self._reach = 0.0
        self._run_id = -1
        self._moved_by_hand = False
        self.setWindowTitle(f"{to_plain(view.title)} – {NAME}")
        self.setWindowIcon(app_icon())
        self.resize(900, 560)
        self.plot: Any = pyqtgraph.PlotWidget()
        self.plot.setAccessibleName(to_plain(view.title))
        self.plot.setFrameShape(QFrame.Shape.NoFrame)
        item = self.plot.getPlotItem()
        item.setLogMode(y=view.log_y)
        item.showGrid(x=True, y=True, alpha=GRID)
        item.setLabel("bottom", to_html("$k$"))
        item.setLabel("left", to_html(view.y_label))
        item.disableAutoRange()
        for name in ("left", "bottom"):
            axis = item.getAxis(name)
            # One level of grid lines is enough; powers of ten have those between them, too.
            axis.setStyle(maxTickLevel=1 if name == "left" and view.log_y else 0, tickLength=0)
            axis.setStyle(tickTextOffset=6)
        item.getViewBox().sigRangeChangedManually.connect(self._on_moved)
        self.curves = [self.plot.plot([], []) for _ in view.series]
        self._rules = [(rule, self._line(pyqtgraph, rule)) for rule in view.rules]
        self.legend = Legend()
        self.legend.set_entries(
            tuple(
                Entry(str(index), series.label, series.color, dash=series.dash)
                for index, series in enumerate(view.series)
            ),
            set(),
        )
        self.legend.toggled.connect(self._on_toggled)
        self.legend.alone_requested.connect(self._on_alone_requested)
        self._lay_out()
        self._apply_theme()
        theme_signals().changed.connect(self._apply_theme)

    def _lay_out(self) -> None:
        name = QLabel(to_plain(self.view.title))
        name.setFont(bold(name.font()))
        name.setToolTip(to_plain(self.view.help))
        head = QHBoxLayout()
        scaling.spacing(head, 12)
        head.addWidget(name)
        head.addWidget(self.legend, 1)
        layout = QVBoxLayout(self)
        scaling.margins(layout, 16, 10, 16, 10)
        scaling.spacing(layout, 6)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)

    def _apply_theme(self) -> None:
        """Apply the colours of the theme, also when it changes."""
        import pyqtgraph

        theme = current_theme()
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, theme.color("surface"))
        self.setPalette(palette)
        self.setAutoFillBackground(True)
        self.plot.setBackground(theme.surface)
        for name in ("left", "bottom"):
            axis = self.plot.getPlotItem().getAxis(name)
            axis.setStyle(tickFont=self.font())
            axis.label.setFont(self.font())
            axis.setPen(theme.strong_border)
            axis.setTextPen(theme.muted)
            axis.setTickPen(theme.muted)
            axis.label.setDefaultTextColor(theme.color("muted"))
        for series, curve in zip(self.view.series, self.curves, strict=True):
            style = _STYLES.get(series.dash, Qt.PenStyle.DotLine)
            curve.setPen(pyqtgraph.mkPen(theme.color(series.color), width=1, style=style))
        for rule, line in self._rules:
            color = theme.color(rule.color)
            line.setPen(pyqtgraph.mkPen(color, style=Qt.PenStyle.DashLine))
            line.label.setColor(color)
            line.label.fill = pyqtgraph.mkBrush(theme.color("surface"))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw the newest history."""
        if snapshot.run_id != self._run_id:
            self._run_id, self._reach, self._moved_by_hand = snapshot.run_id, 0.0, False
        low, high = np.inf, -np.inf
        for series, curve in zip(self.view.series, self.curves, strict=True):
            if series.key not in snapshot.trace.low:
                continue
            steps, values = self._points(snapshot, series)
            smooth = steps.size <= MOST_SMOOTH
            curve.setData(steps, values, connect="finite", skipFiniteCheck=False, antialias=smooth)
            known = values[np.isfinite(values)]
            if known.size:
                low, high = min(low, float(known.min())), max(high, float(known.max()))
        bounds = {bound.id: bound.value for bound in snapshot.theory}
        for rule, line in self._rules:
            value = rule_value(rule, bounds, snapshot.observation)
            line.setVisible(value is not None and (value > 0 or not self.view.log_y))
            if value is not None and line.isVisible():
                line.setValue(np.log10(value) if self.view.log_y and not rule.vertical else value)
        self._follow(float(snapshot.trace.last), low, high)

    def _points(self, snapshot: Snapshot, series: Series) -> tuple[FloatArray, FloatArray]:
        """Join all lines of a series into one, broken by NaN."""
        steps, values = snapshot.trace.line(series.key, series.component)
        if series.magnitude:
            values = np.abs(values)
        if self.view.log_y:
            values = np.where(values > 0, values, np.nan)
        if values.ndim == 1:
            return steps, values
        broken = np.vstack([values, np.full((1, values.shape[1]), np.nan)])
        return np.tile(np.append(steps, np.nan), values.shape[1]), broken.T.ravel()

    def _follow(self, last: float, low: float, high: float) -> None:
        """Grow the axes with the data, unless the user moved them."""
        if self._moved_by_hand or not low <= high:
            return
        box = self.plot.getPlotItem().getViewBox()
        if last > self._reach or self._reach == 0:
            self._reach = max(last * ROOM, 10.0)
            box.setXRange(0, self._reach, padding=0)
        if self.view.log_y:
            low, high = float(np.log10(low)), float(np.log10(high))
        least, most = self.view.y_limit
        if not self.view.log_y:
            low = low if least is None else max(low, least)
            high = high if most is None else min(high, most)
        shown_low, shown_high = box.viewRange()[1]
        if low < shown_low or high > shown_high or high - low < 0.3 * (shown_high - shown_low):
            box.setYRange(low, max(high, low + 1e-9), padding=0.08)

    def _line(self, pyqtgraph: Any, rule: Rule) -> Any:
        line = pyqtgraph.InfiniteLine(
            angle=90 if rule.vertical else 0,
            label=to_plain(rule.label),
            labelOpts={"position": 0.95, "anchors": [(1.0, 0.5), (1.0, 0.5)]},
        )
        line.setVisible(False)
        self.plot.addItem(line)
        return line

    def _on_toggled(self, entry_id: str, on: bool) -> None:
        self.curves[int(entry_id)].setVisible(on)

    def _on_alone_requested(self, entry_id: str) -> None:
        for index, curve in enumerate(self.curves):
            curve.setVisible(str(index) == entry_id)
            self.legend.chips[index].setChecked(str(index) == entry_id)

    def _on_moved(self) -> None:
        self._moved_by_hand = True

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remove the window from those that are open."""
        self._on_closed(self.view.id)
        super().closeEvent(event)


class LiveWindows(QObject):
    """The windows that are open, by the id of their view."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.open_windows: dict[str, LiveWindow] = {}
        self._snapshot: Snapshot | None = None

    def fill(self, menu: QMenu, views: tuple[View, ...]) -> None:
        """List the time views in a menu."""
        menu.clear()
        for view in views:
            if isinstance(view, TimeView):
                action = menu.addAction(to_plain(view.title))
                action.triggered.connect(lambda checked=False, view=view: self.open(view))

    def open(self, view: TimeView) -> LiveWindow:
        """Open a view's window, or bring it to the front."""
        window = self.open_windows.get(view.id)
        if window is None:
            window = LiveWindow(view, self._on_closed)
            window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.open_windows[view.id] = window
        window.show()
        window.activateWindow()
        if self._snapshot is not None:
            window.show_snapshot(self._snapshot)
        return window

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Stream a picture of the run into all windows."""
        self._snapshot = snapshot
        for window in self.open_windows.values():
            if window.isVisible() and not window.isMinimized():
                window.show_snapshot(snapshot)

    def close_all(self) -> None:
        """Close every window, because the experiment changes or the program ends."""
        self._snapshot = None
        for window in tuple(self.open_windows.values()):
            window.close()

    def _on_closed(self, view_id: str) -> None:
        self.open_windows.pop(view_id, None)
