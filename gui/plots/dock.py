"""One plot as a dock: a header in place of the title bar, and the pane below it.

A plot that floats is lent to a window of its own (`gui.plots.window`): Qt gives a floating dock
with a title bar of its own no frame on X11 and Wayland, so that no window manager could move it.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMenu, QVBoxLayout, QWidget

from engine.core.views import View
from engine.text.mathtext import to_plain
from gui.plots.header import PlotHeader
from gui.plots.panes.pane import Pane
from gui.plots.window import PlotWindow
from gui.widgets.dock import Dock

TAB_LETTERS = 24
"""Letters of a title that fit on a tab."""
SQUEEZED = QSize(150, 130)
"""Size below which a plot is not read: a dock pressed to its least has hardly less."""
DRAG_MS = 40
"""How often a dock that is being dragged is looked at: when let go outside, it becomes a window."""


class PlotDock(Dock):
    """A view's header and pane.

    Attributes
    ----------
    pane : Pane
    place : QRect or None
        Where the plot's own window is, or was last.
    seen : Signal(str)
        The plot of this id can be seen again, so that it is to be brought up to date.
    """

    seen = Signal(str)

    def __init__(self, view: View, pane: Pane[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(view.id)
        self._window: PlotWindow | None = None
        self._set_title(view.title)
        self.pane = pane
        self.place: QRect | None = None
        self._on_top = True
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
        self.header = PlotHeader(view.title, view.help)
        self.setTitleBarWidget(self.header)
        self._body = QWidget()
        self._body.setObjectName("plotBody")
        self._body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(1, 0, 1, 1)
        layout.addWidget(pane)
        self.setWidget(self._body)
        self._dragged = QTimer(self, interval=DRAG_MS)
        self._dragged.timeout.connect(self._on_dragged)
        self.topLevelChanged.connect(self._on_top_level)
        self.header.menu_requested.connect(self.open_menu)
        self.header.close_requested.connect(self.hide_plot)
        self.header.float_requested.connect(lambda: self.set_afloat(not self.is_afloat))
        self.header.legend.toggled.connect(pane.set_entry_shown)
        self.header.legend.alone_requested.connect(pane.show_only)
        pane.entries_changed.connect(self._show_entries)
        pane.reading_changed.connect(self.header.legend.set_reading)
        self.visibilityChanged.connect(self._on_visibility)
        self._show_entries()

    @property
    def can_be_seen(self) -> bool:
        """Whether the plot is shown and on top of its tabs, or in a window of its own."""
        if self._window is not None:
            return self._window.isVisible() and not self._window.isMinimized()
        return self.isVisible() and self._on_top and not self.window().isMinimized()

    @property
    def is_on_page(self) -> bool:
        """Whether the plot takes room among the docked ones."""
        return self.isVisible() and self._on_top and not self.isFloating()

    @property
    def is_afloat(self) -> bool:
        """Whether the plot has a window of its own."""
        return self._window is not None

    def set_afloat(self, afloat: bool) -> None:
        """Return the plot a window of its own, where it was last, or dock it again."""
        if afloat and self._window is None:
            self._tear_off()
        elif not afloat and self._window is not None:
            self._take_back()
            self.show()
            self.raise_()

    def hide_plot(self) -> None:
        """Hide the plot, also where it floats."""
        if self._window is not None:
            self._take_back()
        self.close()

    def leave_screen(self) -> None:
        """Hide the plot's own window, because the main window goes."""
        if self._window is not None:
            self._note_place()
            self._window.hide()

    def _tear_off(self) -> None:
        beside = self.window().frameGeometry()
        self.hide()
        window = self._window = PlotWindow(self.toggleViewAction().text(), self)
        self.setTitleBarWidget(QWidget())  # without one, Qt would put its own
        self.header.show_afloat(True)
        window.take(self.header, self._body)
        window.closing.connect(lambda: self.set_afloat(False))
        window.shown.connect(lambda: self.seen.emit(self.objectName()))
        window.show_at(self.place, beside)

    def _take_back(self) -> None:
        self._note_place()
        window, self._window = self._window, None
        empty = self.titleBarWidget()
        self.setTitleBarWidget(self.header)
        self.setWidget(self._body)
        self.header.show_afloat(False)
        self.header.show()
        self._body.show()
        for gone in (empty, window):
            if gone is not None:
                gone.hide()
                gone.deleteLater()

    def _note_place(self) -> None:
        if self._window is not None and not self._window.isMinimized():
            self.place = self._window.geometry()

    def geometry_afloat(self) -> QRect | None:
        """Return where the plot's own window is, or was last."""
        self._note_place()
        return self.place

    def _on_top_level(self, floating: bool) -> None:
        """Make what Qt floats a window, once it is let go."""
        if floating:
            self._dragged.start()

    def _on_dragged(self) -> None:
        if QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            return
        self._dragged.stop()
        if self.isFloating():
            place = QRect(self.mapToGlobal(QPoint(0, 0)), self.size())
            self.setFloating(False)
            self.place = place if self.place is None else QRect(place.topLeft(), self.place.size())
            self.set_afloat(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the header know how much room there is."""
        super().resizeEvent(event)
        self.header.set_room(self.height())

    def showEvent(self, event: QShowEvent) -> None:
        """Have the plot back when its dock is shown."""
        super().showEvent(event)
        if self._window is not None:
            self._take_back()

    def set_view(self, view: View) -> None:
        """Take another description of the same kind of view."""
        self._set_title(view.title)
        self.header.set_texts(view.title, view.help)
        self.pane.set_view(view)

    def _set_title(self, title: str) -> None:
        """Name the dock: in full in menus, short on a tab."""
        name = to_plain(title)
        words, short = name.split(), ""
        while words and len(short) + len(words[0]) < TAB_LETTERS:
            short = f"{short} {words.pop(0)}".strip()
        self.setWindowTitle(name if not words or not short else f"{short} …")
        self.toggleViewAction().setText(name)
        if self._window is not None:
            self._window.set_title(name)

    def _show_entries(self) -> None:
        self.header.legend.set_entries(self.pane.entries(), self.pane.hidden)

    @property
    def is_squeezed(self) -> bool:
        """Whether the plot is shown on the page with no room to be read."""
        squeezed = self.width() < SQUEEZED.width() or self.height() < SQUEEZED.height()
        return self.isVisible() and self._on_top and squeezed

    def _on_visibility(self, visible: bool) -> None:
        self._on_top = visible
        if visible:
            self.seen.emit(self.objectName())

    def open_menu(self, at: QPoint | None = None) -> None:
        """Open the plot's menu below its button, or at a point of the screen."""
        menu = self.make_menu()
        button = self.header.menu_button
        menu.popup(at or button.mapToGlobal(QPoint(0, button.height())))

    def make_menu(self) -> QMenu:
        """Make the plot's menu; it deletes itself when it closes."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.pane.fill_menu(menu)
        menu.addSeparator()
        menu.addAction("Dock" if self.is_afloat else "Float").triggered.connect(
            lambda: self.set_afloat(not self.is_afloat)
        )
        menu.addAction("Hide").triggered.connect(self.hide_plot)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the plot's menu at the pointer."""
        self.open_menu(event.globalPos())
        event.accept()
