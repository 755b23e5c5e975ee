"""Docks share the room of their window as before when it grows: Qt would give it to the last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow

Columns = Sequence[Sequence[QDockWidget]]


def resize_docks(
    window: QMainWindow,
    docks: Sequence[QDockWidget],
    sizes: Sequence[float],
    orientation: Qt.Orientation,
) -> None:
    """Set sizes of docks in pixels.

    Qt warns of a size of 0, as where a window is hidden, and of a dock that is in no place of the
    window, as one that was taken out since its size was asked for.
    """
    nowhere = Qt.DockWidgetArea.NoDockWidgetArea
    placed = {
        dock: max(1, round(size))
        for dock, size in zip(docks, sizes, strict=True)
        if window.dockWidgetArea(dock) != nowhere
    }
    window.resizeDocks(list(placed), list(placed.values()), orientation)


class DockShares(QObject):
    """Keeps the proportions of docks in columns while their window changes its size.

    Parameters
    ----------
    window : QMainWindow
    columns : callable
        Gives the docks that stand above each other now, column by column.
    """

    def __init__(self, window: QMainWindow, columns: Callable[[], Columns]) -> None:
        super().__init__(window)
        self._window, self._columns = window, columns
        self._shares: dict[QDockWidget, tuple[float, float]] = {}
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self.apply)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Share new room; a separator that was dragged gives other proportions."""
        if event.type() == QEvent.Type.Resize:
            if not self._timer.isActive() and not self._knows(self._columns()):
                self._note()  # the docks have still their sizes of before
            self._timer.start()
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self.forget()
        return False

    def forget(self) -> None:
        """Keep the proportions that the docks will have when the window changes its size."""
        self._shares = {}

    def set(self, sizes: Mapping[QDockWidget, tuple[float, float]]) -> None:
        """Set widths and heights of docks, in proportion to each other."""
        self._shares = dict(sizes)
        self._timer.start()

    def _note(self) -> None:
        docks = [dock for column in self._columns() for dock in column]
        self._shares = {dock: (float(dock.width()), float(dock.height())) for dock in docks}

    def _knows(self, columns: Columns) -> bool:
        return bool(self._shares) and all(d in self._shares for column in columns for d in column)

    def apply(self) -> None:
        """Resize the docks to their shares of the room there is, if they are the docks known."""
        columns = [list(column) for column in self._columns() if column]
        if not self._knows(columns):
            return
        for column in columns:
            self._share(column, [self._shares[dock][1] for dock in column], Qt.Orientation.Vertical)
        tops = [column[0] for column in columns]
        self._share(tops, [self._shares[dock][0] for dock in tops], Qt.Orientation.Horizontal)

    def _share(
        self, docks: list[QDockWidget], shares: list[float], orientation: Qt.Orientation
    ) -> None:
        is_high = orientation is Qt.Orientation.Vertical
        room = sum(dock.height() if is_high else dock.width() for dock in docks)
        if len(docks) > 1 and sum(shares) > 0:
            sizes = [room * share / sum(shares) for share in shares]
            resize_docks(self._window, docks, sizes, orientation)
