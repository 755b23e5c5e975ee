"""Rows of numbers: the form's line for a matrix or points, and the grid editor behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from engine.core.params import ParamSpec, parse_value
from engine.text.numbers import exact_text
from gui.form.grid import GridDialog
from gui.form.row import FieldRow
from gui.form.spin import TextBox
from gui.style import scaling
from gui.widgets.labels import InkLabel

LINE_ENTRIES = 64
"""More numbers than this are not written into one line."""

Rows = tuple[tuple[float, ...], ...]


class MatrixRow(FieldRow):
    """A matrix as "1 4; 0 1.1", or a list of points; a grid editor opens on demand."""

    def __init__(self, spec: ParamSpec, optional: bool = False) -> None:
        super().__init__(spec, optional)
        self._value: Rows = ()
        self.dialog: GridDialog | None = None
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(line, 6)
        self.box = TextBox()
        self.box.setPlaceholderText("0 0; 1 1" if spec.widget == "points" else "1 0; 0 1")
        self._as_input(self.box)
        line.addWidget(self.box, 1)
        self.edit = self._button("Edit…", "Edit {} in a grid", self._on_edit_wanted)
        line.addWidget(self.edit)
        self.clear = self._button("Clear", "Clear {}", self._on_clear_wanted)
        if spec.widget != "points":
            self.clear.hide()
        line.addWidget(self.clear)
        self.summary = InkLabel("", "muted")
        self._place_above(holder)
        self.grid.addWidget(self.symbol, 0, 1)
        self.grid.addWidget(self.summary, 0, 2)
        self.label.setBuddy(self.box)
        self._listen_to(self.box)

    def _button(self, text: str, name: str, slot: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(name.format(self.spec.label))
        button.clicked.connect(slot)
        return button

    @property
    def control(self) -> QWidget:
        """The text box."""
        return self.box

    def show_value(self, value: Any) -> None:
        """Show rows of numbers, or only how many there are."""
        self._value = tuple(tuple(float(number) for number in row) for row in value or ())
        self._show_size()
        count = sum(map(len, self._value))
        long = count > LINE_ENTRIES
        self.box.setReadOnly(long)
        rows = self._value[:3] if long else self._value
        text = "; ".join(" ".join(map(exact_text, row[:12])) for row in rows)
        self.box.show_text(text + " …" if long else text)

    def accept(self, value: Any) -> None:
        """Keep the text as it was typed."""
        if self.box.is_edited and self.box.hasFocus():
            self._value = tuple(tuple(float(number) for number in row) for row in value or ())
            self._show_size()
            self.box.keep_text()
        else:
            self.show_value(value)

    def read(self, text: str) -> Rows:
        """Return the rows that a text stands for."""
        return tuple(tuple(row) for row in parse_value(self.spec, text.strip()))

    def _show_size(self) -> None:
        rows = len(self._value)
        self.clear.setEnabled(rows > 0)
        if self.spec.widget == "points":
            self.summary.setText(f"{rows} point" + ("" if rows == 1 else "s"))
        else:
            self.summary.setText(f"{rows} × {len(self._value[0]) if rows else 0}")

    def _give_rows(self, rows: Sequence[Sequence[float]]) -> None:
        self._give(tuple(tuple(row) for row in rows))

    def _on_edit_wanted(self) -> None:
        self.box.take()
        headings = ("x", "y") if self.spec.widget == "points" else ()
        self.dialog = GridDialog(self.spec.label, self._value, headings, self.window())
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.rows_given.connect(self._on_rows_given)
        self.dialog.finished.connect(self._on_finished)
        self.dialog.open()

    def _on_finished(self) -> None:
        self.dialog = None

    def _on_rows_given(self, rows: Rows) -> None:
        self.grabbed.emit()
        self._value = rows
        self.show_value(rows)
        self._give_rows(rows)

    def _on_clear_wanted(self) -> None:
        self._on_rows_given(())
