"""Where the keyboard goes (to a field from its label, back, on with Tab), and marks on fields."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget


def give_back(field: QWidget) -> None:
    """Clear the focus of a field that is done with, so that the window's keys work again."""
    window = field.window()
    if window is field or window.focusPolicy() == Qt.FocusPolicy.NoFocus:
        field.clearFocus()
    else:
        window.setFocus(Qt.FocusReason.OtherFocusReason)


def go_to(field: QWidget) -> None:
    """Focus a field as its label's key would: what is in it can be typed over."""
    field.setFocus(Qt.FocusReason.ShortcutFocusReason)


def mark(field: QWidget, invalid: bool) -> None:
    """Mark a field as one whose text is not allowed, or as usual again."""
    field.setProperty("invalid", invalid)
    field.style().unpolish(field)
    field.style().polish(field)


def is_marked(field: QWidget) -> bool:
    """Return whether a field is marked as one whose text is not allowed."""
    return bool(field.property("invalid"))


class FieldLabel(QLabel):
    """The name of a field, its buddy: a click on it goes to the field."""

    def __init__(self, text: str, field: QWidget) -> None:
        super().__init__(text)
        self.setBuddy(field)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the field."""
        if event.button() is Qt.MouseButton.LeftButton:
            go_to(self.buddy())
            event.accept()
        else:
            super().mousePressEvent(event)


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
        """Focus the field the keyboard came from, for Tab to go on from there."""
        field = self._field
        if not self._window.hasFocus() or field is None or not shiboken6.isValid(field):
            return
        if field.isVisible() and self._window.isAncestorOf(field):
            field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if new is self._window:
            self._field = old
