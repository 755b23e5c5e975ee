"""A field for counts of steps: large whole numbers, typed as 1000, 1 000, 1e5 or 10k."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.core.errors import InputError
from engine.text.arithmetic import NumberError, read_whole
from engine.text.numbers import whole
from gui.widgets.focus import give_back, is_marked, mark

LARGEST = 2**53


def parse_count(text: str) -> int | None:
    """Return the whole number that a person typed; None if it is none from 0 to 2⁵³."""
    try:
        number = read_whole(text)
    except NumberError:
        return None
    return number if 0 <= number <= LARGEST else None


class CountField(QLineEdit):
    """A whole number, with its thousands apart; the last good one stays in force.

    The arrow keys up and down change the leading digit but one.

    Parameters
    ----------
    count, minimum : int
    keeps : bool
        Whether a text that is no such number stays when the field is left, marked and said to be
        so, because a button beside it is about what it shows; else the last good number is back.

    Attributes
    ----------
    edited : Signal(object)
        The user gave this number, an int.
    refused : Signal(str)
        One sentence on a text that Enter was pressed on and that is no such number.
    error_cleared : Signal(str)
        That sentence no longer holds.
    """

    edited = Signal(object)
    refused = Signal(str)
    error_cleared = Signal(str)

    def __init__(
        self,
        count: int = 0,
        minimum: int = 0,
        parent: QWidget | None = None,
        *,
        keeps: bool = False,
    ) -> None:
        super().__init__(parent)
        self._keeps = keeps
        self._count = count
        self._minimum, self._maximum = minimum, LARGEST
        self._sentence = ""
        self.setText(whole(count))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.textEdited.connect(self._on_text_edited)
        self.editingFinished.connect(self._on_finished)

    @property
    def count(self) -> int:
        """The number."""
        return self._count

    @property
    def is_refused(self) -> bool:
        """Whether the text that is being typed is no number that may be given."""
        return is_marked(self)

    def set_limits(self, minimum: int, maximum: int = LARGEST) -> None:
        """Set the least and the greatest number that may be given."""
        self._minimum, self._maximum = minimum, min(maximum, LARGEST)

    def forget(self) -> None:
        """Discard what is being typed, and its error."""
        self.setModified(False)
        self.commit()

    def show_count(self, count: int) -> None:
        """Show a number: at once, or when the user who is typing one gives that up."""
        changed, self._count = count != self._count, count
        typing = (self.hasFocus() and self.isModified()) or (self._keeps and self.is_refused)
        if changed and not typing:
            self.setText(whole(count))

    def commit(self) -> None:
        """Apply what was typed, or go back to the last good number."""
        typed = parse_count(self.text()) if self.isModified() else None
        self.setModified(False)
        self._mark(False)
        if typed is not None and self._allows(typed):
            self._take(typed)
        else:
            self.setText(whole(self._count))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with the arrows; leave with Enter, or with Escape, which gives up typing."""
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not self.isReadOnly():
            self.commit()
            unit = 10 ** max(0, len(str(self._count)) - 2)
            up = key == Qt.Key.Key_Up
            self._take(
                min(max(self._count + (unit if up else -unit), self._minimum), self._maximum)
            )
        elif key == Qt.Key.Key_Escape:
            self.forget()
            give_back(self)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.is_refused:
            self.refuse()
        else:
            super().keyPressEvent(event)
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                give_back(self)

    def refuse(self) -> None:
        """Show what is wrong with the text, and select it for correction."""
        self._say_refused()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.selectAll()

    def _say_refused(self) -> None:
        low, high = whole(self._minimum), whole(self._maximum)
        allowed = f"give a whole number from {low} to {high}"
        self._sentence = str(InputError(self.accessibleName(), self.text(), allowed))
        self.refused.emit(self._sentence)

    def _on_finished(self) -> None:
        if self._keeps and self.is_refused:
            self._say_refused()
        else:
            self.commit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select all, so that typing replaces the number."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def _take(self, count: int) -> None:
        self._count = count
        self.setText(whole(count))
        self.edited.emit(count)

    def _on_text_edited(self, text: str) -> None:
        typed = parse_count(text)
        self._mark(typed is None or not self._allows(typed))

    def _allows(self, count: int) -> bool:
        return self._minimum <= count <= self._maximum

    def _mark(self, invalid: bool) -> None:
        if self.is_refused != invalid:
            mark(self, invalid)
        if not invalid and self._sentence:
            sentence, self._sentence = self._sentence, ""
            self.error_cleared.emit(sentence)
