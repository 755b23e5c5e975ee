"""One plot as a dock: a header in place of the title bar, and the pane below it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QDockWidget, QMenu, QVBoxLayout, QWidget

from engine.views import View
from gui.plot_header import PlotHeader
from gui.plot_pane import Pane
from gui.plot_text import to_plain
from gui.window_docks import Dock

TAB_LETTERS = 24
"""Letters of a title that fit on a tab."""


class PlotDock(Dock):
    """A view's header and pane.

    Attributes
    ----------
    pane : Pane
    seen : Signal(str)
        The plot of this id can be seen again, so that it is to be brought up to date.
    """

    seen = Signal(str)

    def __init__(self, view: View, pane: Pane[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(view.id)
        self._set_title(view.title)
        self.pane = pane
        self._on_top = True
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
        self.header = PlotHeader(view.title, view.help)
        self.setTitleBarWidget(self.header)
        body = QWidget()
        body.setObjectName("plotBody")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(1, 0, 1, 1)
        layout.addWidget(pane)
        self.setWidget(body)
        self.header.menu_requested.connect(self.open_menu)
        self.header.close_requested.connect(self.close)
        self.header.legend.toggled.connect(pane.set_entry_shown)
        self.header.legend.alone_requested.connect(pane.show_only)
        pane.entries_changed.connect(self._show_entries)
        pane.reading_changed.connect(self.header.legend.set_reading)
        self.visibilityChanged.connect(self._on_visibility)
        self._show_entries()

    @property
    def can_be_seen(self) -> bool:
        """Whether the plot is shown and on top of its tabs."""
        return self.isVisible() and self._on_top and not self.window().isMinimized()

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

    def _show_entries(self) -> None:
        self.header.legend.set_entries(self.pane.entries(), self.pane.hidden)

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
        menu.addAction("Dock" if self.isFloating() else "Float").triggered.connect(
            lambda: self.setFloating(not self.isFloating())
        )
        menu.addAction("Hide").triggered.connect(self.close)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the plot's menu at the pointer."""
        self.open_menu(event.globalPos())
        event.accept()
