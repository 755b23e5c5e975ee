"""A plot torn off the page, in a window of its own with a frame of the system's."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.core.versions import NAME

FIRST = QSize(640, 440)
LEAST = QSize(280, 200)
"""Size of a window at first, and that below which a plot cannot be read."""
FRAME = 32
"""Height of the title bar that the system puts on top."""


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
        """Say that the plot can be seen."""
        super().showEvent(event)
        self.shown.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hand the keys that the plot has no use for to the main window."""
        parent = self.parentWidget()
        if parent is not None:
            QCoreApplication.sendEvent(parent.window(), event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let the plot be taken back."""
        self.closing.emit()
        super().closeEvent(event)
