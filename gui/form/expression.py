"""The row of a typed function: a box that grows, and the function as a formula below it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from engine.core.params import ParamSpec
from engine.expressions.grammar import ExpressionError, read_tree
from gui.form.echo import Echo
from gui.form.expression_box import ExpressionBox
from gui.form.row import FieldRow


class ExpressionRow(FieldRow):
    """A typed function.

    Attributes
    ----------
    paused : Signal(str, str)
        Name and text after a short rest in typing: it is put in force if it can be.
    """

    paused = Signal(str, str)

    def __init__(self, spec: ParamSpec, optional: bool = False) -> None:
        super().__init__(spec, optional)
        self._grabbed = False
        self.box = ExpressionBox()
        self._as_input(self.box)
        self._place_above(self.box)
        self.echo = Echo()
        self.grid.addWidget(self.echo, 2, 0, 1, 3)
        self._listen_to(self.box)
        self.box.paused.connect(self._on_paused)
        self.box.begun.connect(self._on_begun)

    @property
    def control(self) -> QWidget:
        """The text box."""
        return self.box

    def show_value(self, value: Any) -> None:
        """Show a text."""
        self.box.show_text(str(value))
        self.echo.show_text(str(value))

    def accept(self, value: Any) -> None:
        """Keep the text as it was typed, and the cursor where it is."""
        if self.box.is_edited and self.box.hasFocus():
            self.box.keep_text()
            self.echo.show_text(self.box.text())
        else:
            self.show_value(value)

    def read(self, text: str) -> Any:
        """Return the text; what it means is checked by the parameters."""
        return text

    def set_error(self, sentence: str, place: tuple[int, int] | None = None) -> None:
        """Mark the field, and underline what is at fault in its text."""
        super().set_error(sentence, place)
        if sentence and place is None:
            place = _fault(self.box.text())
        self.box.underline(place if sentence else None)

    def _on_paused(self, text: str) -> None:
        self.echo.show_text(text)
        self.paused.emit(self.spec.name, text)

    def _on_entered(self, text: str) -> None:
        """Emit the text; all that is typed until the box is left is one step of undo."""
        if not self._grabbed:
            self.grabbed.emit()
        self._grabbed = self.box.hasFocus()
        self._give(text)

    def _on_begun(self) -> None:
        self._grabbed = False


def _fault(text: str) -> tuple[int, int] | None:
    """Return where a text is at fault if it is not of the grammar."""
    try:
        read_tree(text)
    except ExpressionError as error:
        return error.place
    return None
