"""Fields of the maps' form: real numbers that are read as everywhere in the program."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.core.errors import InputError
from engine.text.arithmetic import NumberError, read_number
from engine.text.numbers import exact_text
from gui.widgets.focus import give_back, is_marked, mark


class RealField(QLineEdit):
    """A real number: ``0.5``, ``1e-3``, ``2/3``. A text that is none stays, and is marked.

    Attributes
    ----------
    edited : Signal(float)
        The user gave another number.
    """

    edited = Signal(float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = 0.0
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setMinimumWidth(40)
        self.textEdited.connect(self._on_text_edited)
        self.editingFinished.connect(self._take)

    @property
    def value(self) -> float:
        """The last good number."""
        return self._value

    def show_value(self, value: float, digits: int = 6) -> None:
        """Show a number in place of what is there, in at least so many digits."""
        self._value = value
        self.setText(f"{value:.{min(max(digits, 6), 17)}g}")
        self.setToolTip(exact_text(value))
        self.setCursorPosition(0)
        self.setModified(False)
        self.set_error(False)

    def read(self) -> float:
        """Return the number that the text stands for.

        Raises
        ------
        InputError
            If it is none.
        """
        if not self.isModified():
            return self._value
        try:
            return read_number(self.text())
        except NumberError as error:
            raise InputError(self.accessibleName(), self.text(), "give a finite number") from error

    def set_error(self, wrong: bool) -> None:
        """Mark the text as one that is not allowed, or as usual again."""
        if is_marked(self) != wrong:
            mark(self, wrong)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return the keyboard to the window on Enter, and on Escape, which ends typing."""
        if event.key() == Qt.Key.Key_Escape:
            self.show_value(self._value)
            give_back(self)
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not is_marked(self):
            give_back(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select all, so that typing replaces the number."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def _on_text_edited(self, text: str) -> None:
        try:
            read_number(text)
        except NumberError:
            self.set_error(True)
        else:
            self.set_error(False)

    def _take(self) -> None:
        if not self.isModified() or is_marked(self):
            return
        value = self.read()
        if value != self._value:
            self.show_value(value)
            self.edited.emit(value)
