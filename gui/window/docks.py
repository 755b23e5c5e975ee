"""The panels beside the plots, as docks that can be moved, hidden and brought back."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize, Qt
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
from gui.style.icons import IconButton
from gui.widgets.controls import QuietScrollArea
from gui.widgets.dock import Dock
from gui.widgets.dock_shares import DockShares

LAYOUT_VERSION = 1
LEFT, RIGHT = 216, 340
"""Widths at first, in pixels."""
LOWEST_PAGE = 80
"""Height at least of a page of tabs, in pixels."""
NARROW, LOW = 900, 480
"""Sizes of a screen in pixels below which the left docks are hidden at first, and below which
the right ones share a place."""
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
        row.setContentsMargins(12 if tabs is None else 4, 6, 4, 2)
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
        return QSize(least.width(), min(least.height(), LOWEST_PAGE))

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

    def offer(self, name: str, offered: bool) -> None:
        """Show or hide a tab; a hidden one gives way to the first."""
        index = self._names.index(name)
        self.bar.setTabVisible(index, offered)
        self.bar.updateGeometry()
        if not offered and self.bar.currentIndex() == index:
            self.bar.setCurrentIndex(0)


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
        self._shares = DockShares(window, self._right)

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

    def show_pins(self) -> None:
        """Show the dock of the pinned runs."""
        self.pins.show()

    def actions(self) -> list[QAction]:
        """Return the switches of the docks."""
        return [dock.toggleViewAction() for dock in self.all]

    def arrange(self, room: QSize) -> None:
        """Set the docks' first sizes, and remember this layout as the first.

        Parameters
        ----------
        room : QSize
            Size of the screen. On a small one less is shown; the menu View has the rest.
        """
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        window = self._window
        if room.width() < NARROW:
            self.experiments.hide()
            self.pins.hide()
        if room.height() < LOW:
            window.tabifyDockWidget(self.theory, self.parameters)
        window.resizeDocks([self.experiments, self.parameters], [LEFT, RIGHT], horizontal)
        window.resizeDocks([self.experiments, self.pins], [520, 160], vertical)
        window.resizeDocks([self.parameters, self.theory], list(FORM_AND_THEORY), vertical)
        form, theory = FORM_AND_THEORY
        self._shares.set({self.parameters: (0.0, form), self.theory: (0.0, theory)})
        self._first = window.saveState(LAYOUT_VERSION)

    def reset(self) -> None:
        """Go back to the first layout."""
        if self._first is not None:
            self._window.restoreState(self._first, LAYOUT_VERSION)
            self._shares.forget()

    def save(self) -> QByteArray:
        """Return the present layout."""
        return self._window.saveState(LAYOUT_VERSION)

    def restore(self, state: QByteArray) -> bool:
        """Apply a layout; returns False if it is none of this version."""
        if state.isEmpty() or not self._window.restoreState(state, LAYOUT_VERSION):
            return False
        self._shares.forget()
        return True

    def _right(self) -> list[list[QDockWidget]]:
        docks = [d for d in (self.parameters, self.theory) if d.isVisible() and not d.isFloating()]
        return [column for column in columns_of(docks) if len(column) > 1]
