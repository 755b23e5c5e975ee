"""Rows of the form for what is not a number: switches, choices, texts, lists and paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QMenu, QPushButton, QWidget

from engine.core.params import Hint, ParamSpec, format_value, parse_value
from engine.text.numbers import exact_text
from gui.form.row import FieldRow
from gui.form.spin import TextBox
from gui.style import scaling
from gui.widgets.controls import QuietCombo, Segments, Switch, readable

SEGMENT_CHOICES = 4
"""A choice of more is a combo box."""
SEGMENT_WIDTH = 256
"""Pixels that segments may need, so that they fit the narrowest dock."""
PLACEHOLDERS = {
    "file": "path of a file",
    "folder": "path of a folder",
    "path": "path of a file or folder",
}
"""What an empty field of a path says, by the field's widget."""
BESIDE_WIDTH = 150
"""Pixels that a combo box may need to stand beside its label rather than below."""


class BoolRow(FieldRow):
    """Yes or no, as a switch."""

    def __init__(self, spec: ParamSpec, optional: bool = False) -> None:
        super().__init__(spec, optional)
        self.switch = Switch()
        self._as_input(self.switch)
        self._place_beside(self.switch)
        self.switch.clicked.connect(self._on_clicked)

    @property
    def control(self) -> QWidget:
        """The switch."""
        return self.switch

    def show_value(self, value: Any) -> None:
        """Show a value."""
        self.switch.setChecked(bool(value))

    def _on_clicked(self, on: bool) -> None:
        self.grabbed.emit()
        self._give(on)


class ChoiceRow(FieldRow):
    """One of several: segments where they are few and short, else a combo box."""

    def __init__(self, spec: ParamSpec, optional: bool = False) -> None:
        super().__init__(spec, optional)
        self.segments: Segments | None = None
        self.combo: QuietCombo | None = None
        segments = Segments(spec.choices)
        few = len(spec.choices) <= SEGMENT_CHOICES
        if few and segments.sizeHint().width() <= SEGMENT_WIDTH:
            self.segments = segments
            segments.chosen.connect(self._on_chosen)
            self._as_input(segments)
            segments.set_names(self._label_text(), self.help_html)
            self._place_above(segments)
            return
        segments.deleteLater()
        self.combo = QuietCombo()
        for choice in spec.choices:
            self.combo.addItem(readable(choice), choice)
        self.combo.activated.connect(self._on_activated)
        self._as_input(self.combo)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.combo.ensurePolished()
        if self.combo.sizeHint().width() <= BESIDE_WIDTH:
            scaling.least(self.combo, width=BESIDE_WIDTH)
            self._place_beside(self.combo)
        else:
            self._place_above(self.combo)

    @property
    def control(self) -> QWidget:
        """The segments or the combo box."""
        control: QWidget | None = self.segments or self.combo
        assert control is not None
        return control

    def show_value(self, value: Any) -> None:
        """Show a value."""
        if self.segments is not None:
            self.segments.set_value(str(value))
        elif self.combo is not None:
            self.combo.setCurrentIndex(self.spec.choices.index(str(value)))

    def _on_chosen(self, value: str) -> None:
        self.grabbed.emit()
        self._give(value)

    def _on_activated(self, index: int) -> None:
        self._on_chosen(self.spec.choices[index])


class TextRow(FieldRow):
    """A text, or a list of numbers as "1, 2, 3"."""

    def __init__(self, spec: ParamSpec, optional: bool = False) -> None:
        super().__init__(spec, optional)
        self._value: Any = None
        self.box = TextBox(patient=spec.kind == "text")
        if spec.kind == "floats":
            self.box.setPlaceholderText("1, 2, 3")
        self._as_input(self.box)
        self._place()
        self._listen_to(self.box)

    @property
    def control(self) -> QWidget:
        """The text box."""
        return self.box

    def show_value(self, value: Any) -> None:
        """Show a value."""
        self._value = value
        self.box.show_text(self._text(value))

    def accept(self, value: Any) -> None:
        """Keep the text as it was typed."""
        self._value = value
        if self.box.is_edited and self.box.hasFocus():
            self.box.keep_text()
        else:
            self.box.show_text(self._text(value))

    def show_hint(self, hint: Hint) -> None:
        """Show what the other fields say about this one."""
        super().show_hint(hint)
        if hint.placeholder:
            self.box.setPlaceholderText(hint.placeholder)

    def read(self, text: str) -> Any:
        """Return the value that a text stands for."""
        if self.spec.kind != "text":
            text = text.strip()
        return None if not text and self.optional else parse_value(self.spec, text)

    def _place(self) -> None:
        self._place_above(self.box)

    def _text(self, value: Any) -> str:
        if value is None:
            return ""
        if self.spec.kind == "floats":
            return ", ".join(exact_text(number) for number in value)
        return format_value(self.spec, value)


class PathRow(TextRow):
    """A file, a folder, or either, as the field's widget says."""

    def _place(self) -> None:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(line, 6)
        self.browse = QPushButton("Browse")
        self.browse.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.browse.setAccessibleName(f"Browse for {self.spec.label}")
        if self.spec.widget == "path":
            menu = QMenu(self.browse)
            menu.addAction("File…").triggered.connect(self._on_file_wanted)
            menu.addAction("Folder…").triggered.connect(self._on_folder_wanted)
            self.browse.setMenu(menu)
        elif self.spec.widget == "folder":
            self.browse.clicked.connect(self._on_folder_wanted)
        else:
            self.browse.clicked.connect(self._on_file_wanted)
        line.addWidget(self.box, 1)
        line.addWidget(self.browse)
        self.box.setPlaceholderText(PLACEHOLDERS[self.spec.widget])
        self._place_above(holder)
        self.label.setBuddy(self.box)

    def _on_file_wanted(self) -> None:
        self._ask(QFileDialog.FileMode.ExistingFile)

    def _on_folder_wanted(self) -> None:
        self._ask(QFileDialog.FileMode.Directory)

    def _ask(self, mode: QFileDialog.FileMode) -> None:
        dialog = QFileDialog(self, self.spec.label)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        start = Path(self.box.text()).expanduser()
        if start.parent.is_dir():
            dialog.setDirectory(str(start if start.is_dir() else start.parent))
        dialog.fileSelected.connect(self._on_selected)
        dialog.open()

    def _on_selected(self, path: str) -> None:
        self.grabbed.emit()
        self.box.show_text(path)
        self._give(path)
