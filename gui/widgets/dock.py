"""A dock of the window."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDockWidget


class Dock(QDockWidget):
    """A dock that passes the keys it has no use for to its window, also while it floats."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass the key to the window."""
        parent = self.parentWidget()
        if self.isFloating() and parent is not None:
            QCoreApplication.sendEvent(parent.window(), event)
        else:
            super().keyPressEvent(event)
