"""Where the keyboard goes: back to the window after a field, and on from that field with Tab."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget


def give_back(field: QWidget) -> None:
    """Take the keyboard from a field that is done with, so that the window's keys work again."""
    window = field.window()
    if window is field or window.focusPolicy() == Qt.FocusPolicy.NoFocus:
        field.clearFocus()
    else:
        window.setFocus(Qt.FocusReason.OtherFocusReason)


class TabPlace(QObject):
    """Remembers which field a window got the keyboard back from.

    Else the Tab key would begin at the window's first control again after every Enter.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._field: QWidget | None = None
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus_changed)

    def resume(self) -> None:
        """Give the keyboard to the field it came from, for Tab to go on from there."""
        field = self._field
        if not self._window.hasFocus() or field is None or not shiboken6.isValid(field):
            return
        if field.isVisible() and self._window.isAncestorOf(field):
            field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if new is self._window:
            self._field = old
