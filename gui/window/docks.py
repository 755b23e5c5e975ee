"""The panels beside the plots, as docks that can be moved, hidden and brought back."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QTabBar,
    QToolBar,
    QWidget,
)

from gui.plots.arrange import columns_of
from gui.style import scaling
from gui.style.icons import IconButton
from gui.widgets.controls import QuietScrollArea
from gui.widgets.dock import Dock
from gui.widgets.dock_shares import DockShares, resize_docks
from gui.widgets.dock_state import is_sound

LAYOUT_VERSION = 1
WIDE, HIGH = 1100, 580
"""Width of the window below which the docks at the left give way to the plots, and height below
which those at the right share a place; both at a scale of 1."""
LEFT, RIGHT = 216, 340
"""Widths at first, in pixels."""
LOWEST_PAGE = 80
"""Height at least of a page of tabs, in pixels."""
NARROW, LOW = 900, 480
"""Sizes of a screen in pixels below which the window may be smaller than its parts need."""
SETTLING_MS = 1000
"""Time in which a window system gives a window another size after it was asked to."""
LIST_AND_PINS = (830, 170)
"""Heights at first of the experiments and the pinned runs, in proportion to each other."""
FORM_AND_THEORY = (550, 450)
"""Heights at first of the parameters and the theory, in proportion to each other."""


class _TitleBar(QWidget):
    """A dock's name or tabs, to be dragged by, and a button that hides the dock."""

    def __init__(self, title: str, dock: QDockWidget, tabs: QTabBar | None = None) -> None:
        super().__init__()
        self.setObjectName("dockTitle")
        name: QWidget = tabs or QLabel(title)
        if tabs is None:
            name.setObjectName("heading")
        close = IconButton("close", f"Hide {title}", "Hide; the menu View brings it back", size=14)
        close.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        scaling.margins(row, 12 if tabs is None else 4, 6, 4, 2)
        row.addWidget(name)
        row.addStretch(1)
        row.addWidget(close)


class _Page(QuietScrollArea):
    """A page that scrolls up and down where the window is too low for it."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self._page = page
        self.setWidget(page)

    def minimumSizeHint(self) -> QSize:
        """Return the width of the page, which does not scroll sideways, and a small height."""
        least = self._page.minimumSizeHint().expandedTo(self._page.minimumSize())
        return QSize(least.width(), min(least.height(), scaling.whole(LOWEST_PAGE)))

    def sizeHint(self) -> QSize:
        """Return the size of the page."""
        return self._page.sizeHint()


class Tabs(QStackedWidget):
    """Pages whose tabs stand in the dock's title bar."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = QTabBar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setUsesScrollButtons(False)  # they would hide a tab that comes later
        self.bar.currentChanged.connect(self.setCurrentIndex)
        self._names: list[str] = []

    def add(self, name: str, page: QWidget) -> None:
        """Add a page at the end; it scrolls where it is too high."""
        self._names.append(name)
        self.addWidget(_Page(page))
        self.bar.addTab(name)

    def show_page(self, name: str) -> None:
        """Bring a page to the front."""
        self.bar.setCurrentIndex(self._names.index(name))

    @property
    def front(self) -> str:
        """The name of the page at the front."""
        return self._names[self.bar.currentIndex()] if self._names else ""

    def bring_back(self, name: str) -> None:
        """Bring a page to the front again, if it is offered now."""
        if name in self._names and self.bar.isTabVisible(self._names.index(name)):
            self.show_page(name)

    def offer(self, name: str, offered: bool) -> None:
        """Show or hide a tab; a hidden one gives way to the first."""
        index = self._names.index(name)
        self.bar.setTabVisible(index, offered)
        self.bar.updateGeometry()
        self.bar.resize(self.bar.sizeHint())  # else it would stay scrolled to a tab that fits
        if not offered and self.bar.currentIndex() == index:
            self.bar.setCurrentIndex(0)


@dataclass(frozen=True, slots=True)
class Fit:
    """What a window has no room for, or an audience no use.

    Attributes
    ----------
    is_narrow : bool
        The docks at the left are hidden.
    is_short : bool
        The docks at the right share a place.
    has_audience : bool
        All docks are hidden.
    """

    is_narrow: bool = False
    is_short: bool = False
    has_audience: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether anything gives way."""
        return self.is_narrow or self.is_short or self.has_audience


class Docks:
    """The docks of a window, and its bar at the bottom.

    Parameters
    ----------
    window : QMainWindow
        Which gets the docks.
    experiments, pins : QWidget
        Contents of these docks; the dock of the parameters and the tabs of the theory's dock are
        filled later.
    transport : QWidget
        Goes to the bottom.
    """

    def __init__(
        self,
        window: QMainWindow,
        *,
        experiments: QWidget,
        pins: QWidget,
        transport: QWidget,
    ) -> None:
        self._window = window
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        window.setDockNestingEnabled(True)
        self.experiments = self._dock("experiments", "Experiments", experiments, left)
        self.pins = self._dock("pins", "Pinned runs", pins, left)
        self.parameters = self._dock("parameters", "Parameters", QWidget(), right)
        self.tabs = Tabs()
        self.theory = self._dock("theory", "Theory", self.tabs, right, self.tabs.bar)
        self.all = (self.experiments, self.pins, self.parameters, self.theory)
        bar = QToolBar("Transport")
        bar.setObjectName("transport")
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.addWidget(transport)
        window.addToolBar(Qt.ToolBarArea.BottomToolBarArea, bar)
        bar.toggleViewAction().setVisible(False)
        self._first: QByteArray | None = None
        self._scale = 1.0
        self._full: QByteArray | None = None
        self._fit = Fit()
        self._widths: dict[QDockWidget, float] = {}
        self._settling = QTimer(window, singleShot=True, interval=SETTLING_MS)
        self._left_shares = DockShares(window, lambda: _columns(self.experiments, self.pins))
        self._shares = DockShares(window, lambda: _columns(self.parameters, self.theory))

    def _dock(
        self,
        name: str,
        title: str,
        widget: QWidget,
        area: Qt.DockWidgetArea,
        tabs: QTabBar | None = None,
    ) -> QDockWidget:
        dock = Dock(title, self._window)
        dock.setObjectName(name)
        dock.setWidget(widget)
        dock.setTitleBarWidget(_TitleBar(title, dock, tabs))
        self._window.addDockWidget(area, dock)
        return dock

    def set_parameters(self, form: QWidget) -> None:
        """Put the form into the dock of the parameters."""
        before = self.parameters.widget()
        self.parameters.setWidget(form)
        form.show()
        before.deleteLater()

    def show_theory(self) -> None:
        """Show the dock of the theory, before others that share its place."""
        self.theory.show()
        self.theory.raise_()

    def show_pins(self) -> None:
        """Show the dock of the pinned runs."""
        self.pins.show()

    def actions(self) -> list[QAction]:
        """Return the switches of the docks."""
        return [dock.toggleViewAction() for dock in self.all]

    def arrange(self) -> None:
        """Set the docks' first sizes, and remember this layout as the first."""
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        window = self._window
        self._scale = scaling.factor()
        widths = [scaling.whole(LEFT), scaling.whole(RIGHT)]
        window.resizeDocks([self.experiments, self.parameters], widths, horizontal)
        window.resizeDocks([self.experiments, self.pins], list(LIST_AND_PINS), vertical)
        window.resizeDocks([self.parameters, self.theory], list(FORM_AND_THEORY), vertical)
        names, pins = LIST_AND_PINS
        self._left_shares.set({self.experiments: (0.0, names), self.pins: (0.0, pins)})
        form, theory = FORM_AND_THEORY
        self._shares.set({self.parameters: (0.0, form), self.theory: (0.0, theory)})
        self._first = window.saveState(LAYOUT_VERSION)

    def rescale(self) -> None:
        """Keep the docks at the sides as wide as before, in units of the scale."""
        grown, self._scale = scaling.factor() / self._scale, scaling.factor()
        sides = self._sides()
        widths = [dock.width() * grown for dock in sides]
        resize_docks(self._window, sides, widths, Qt.Orientation.Horizontal)

    @property
    def fit(self) -> Fit:
        """What of the layout gave way."""
        return self._fit

    def make_room(self, fit: Fit) -> None:
        """Hide or stack docks, or bring back the layout from before the first gave way."""
        if fit == self._fit:
            return
        if not self._fit.is_needed:
            self._full = self._window.saveState(LAYOUT_VERSION)
            self._widths = {dock: dock.width() / scaling.factor() for dock in self._sides()}
        self._fit = fit
        if self._full is not None:
            self._window.restoreState(self._full, LAYOUT_VERSION)
            self._forget_shares()
        self._give_way()
        self._settling.start()
        QTimer.singleShot(0, self._window, self.settle)

    def settle(self) -> None:
        """Keep the widths from before while the window gets the size of another layout."""
        if self._settling.isActive():
            sides = self._sides()
            widths = [scaling.whole(self._widths.get(dock, dock.width())) for dock in sides]
            resize_docks(self._window, sides, widths, Qt.Orientation.Horizontal)

    def _sides(self) -> list[QDockWidget]:
        """List the docks whose widths are those of their sides."""
        return [dock for dock in (self.experiments, self.parameters) if dock.isVisible()]

    def _give_way(self) -> None:
        fit = self._fit
        hidden = self.all if fit.has_audience else (self.experiments, self.pins)
        if fit.has_audience or fit.is_narrow:
            for dock in hidden:
                if not dock.isFloating():
                    dock.hide()
        if fit.is_short and not fit.has_audience:
            both = self.parameters, self.theory
            if all(dock.isVisibleTo(self._window) and not dock.isFloating() for dock in both):
                self._window.tabifyDockWidget(*both)
                self.parameters.raise_()

    def reset(self) -> None:
        """Go back to the first layout."""
        if self._first is not None:
            self._window.restoreState(self._first, LAYOUT_VERSION)
            self._full = self._first
            self._forget_shares()
            self._give_way()

    def save(self) -> QByteArray:
        """Return the present layout, or that from before docks gave way."""
        if self._fit.is_needed and self._full is not None:
            return self._full
        return self._window.saveState(LAYOUT_VERSION)

    def restore(self, state: QByteArray) -> bool:
        """Apply a layout; returns False if it is none of this version."""
        if not is_sound(bytes(state.data()), LAYOUT_VERSION):
            return False
        if not self._window.restoreState(state, LAYOUT_VERSION):
            return False
        self._forget_shares()
        if self._fit.is_needed:
            self._full = state
            self._give_way()
        return True

    def _forget_shares(self) -> None:
        self._left_shares.forget()
        self._shares.forget()


def _columns(*pair: QDockWidget) -> list[list[QDockWidget]]:
    """Return the column of two docks that stand above each other, if they do."""
    docks = [dock for dock in pair if dock.isVisible() and not dock.isFloating()]
    return [column for column in columns_of(docks) if len(column) > 1]
