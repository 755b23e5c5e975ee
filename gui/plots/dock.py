"""One plot as a dock, or in a window of its own: a header in place of the title bar, and the pane.

A plot that floats is lent to a window of its own: Qt gives a floating dock with a title bar of its
own no frame on X11 and Wayland, so that no window manager could move it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QDockWidget, QMenu, QVBoxLayout, QWidget

from engine.core.versions import NAME
from engine.core.views import View
from engine.text.mathtext import to_plain
from gui.plots.header import PlotHeader
from gui.plots.panes.pane import Pane
from gui.style import scaling
from gui.widgets.dock import Dock

FIRST = QSize(640, 440)
LEAST = QSize(280, 200)
"""Size of a window at first, and that below which a plot cannot be read."""
FRAME = 32
"""Height of the title bar that the system puts on top."""


TAB_LETTERS = 24
"""Letters of a title that fit on a tab."""
SQUEEZED = QSize(150, 130)
"""Size below which a plot is not read: a dock pressed to its least has hardly less."""
DRAG_MS = 40
"""How often a dock that is being dragged is looked at: when let go outside, it becomes a window."""


def fitted(wanted: QRect | None, screens: Sequence[QRect], beside: QRect) -> QRect:
    """Return a place at which a plot's window can be read and moved.

    Parameters
    ----------
    wanted : QRect or None
        Where it was last: it is moved to be whole on the screen that it is most on, and forgotten
        where it is too small to be read.
    screens : sequence of QRect
        The room of each screen, the first screen first.
    beside : QRect
        The window that the plot is torn off: a new place is in the middle of it.
    """
    if wanted is None or wanted.width() < LEAST.width() or wanted.height() < LEAST.height():
        corner = beside.center() - QPoint(FIRST.width() // 2, FIRST.height() // 2)
        wanted = QRect(corner, FIRST)
    room = max(screens, key=lambda screen: _area(screen, wanted))
    if not room.intersects(wanted):
        room = next((screen for screen in screens if screen.contains(beside.center())), screens[0])
    room = room.adjusted(0, FRAME, 0, 0)
    size = wanted.size().boundedTo(room.size())
    left = min(max(wanted.left(), room.left()), room.right() + 1 - size.width())
    top = min(max(wanted.top(), room.top()), room.bottom() + 1 - size.height())
    return QRect(QPoint(left, top), size)


def _area(one: QRect, other: QRect) -> int:
    shared = one.intersected(other)
    return max(shared.width(), 0) * max(shared.height(), 0)


class PlotWindow(QWidget):
    """Shows what is lent to it, and says when it is to be given back.

    Attributes
    ----------
    closing : Signal
        The user closes the window.
    shown : Signal
        It is on the screen again.
    """

    closing = Signal()
    shown = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("plotWindow")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumSize(LEAST)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.set_title(title)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def set_title(self, title: str) -> None:
        """Name the window."""
        self.setWindowTitle(f"{title} – {NAME}")

    def take(self, *parts: QWidget) -> None:
        """Show widgets below one another, the last as high as there is room for."""
        for part in parts:
            self._column.addWidget(part, part is parts[-1])
            part.show()

    def show_at(self, wanted: QRect | None, beside: QRect) -> None:
        """Show the window where it was last, or else in the middle of another."""
        first = QGuiApplication.primaryScreen()
        screens = sorted(QGuiApplication.screens(), key=lambda screen: screen is not first)
        rooms = [screen.availableGeometry() for screen in screens]
        self.setGeometry(fitted(wanted, rooms, beside))
        self.show()
        self.setFocus()  # or the first button of the header would have it

    def showEvent(self, event: QShowEvent) -> None:
        """Emit `shown`, because the plot can be seen."""
        super().showEvent(event)
        self.shown.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass the keys that the plot has no use for to the main window."""
        parent = self.parentWidget()
        if parent is not None:
            QCoreApplication.sendEvent(parent.window(), event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Emit `closing`, so that the plot is taken back."""
        self.closing.emit()
        super().closeEvent(event)


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
        scaling.margins(layout, 1, 0, 1, 1)
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
        """Float the plot in a window of its own, where it was last, or dock it again."""
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
        """Pass the room there is to the header."""
        super().resizeEvent(event)
        self.header.set_room(self.height())

    def showEvent(self, event: QShowEvent) -> None:
        """Take the plot back when its dock is shown."""
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
        least = SQUEEZED * scaling.factor()
        squeezed = self.width() < least.width() or self.height() < least.height()
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
