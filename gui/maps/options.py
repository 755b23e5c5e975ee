"""What only one kind of map has: options that most maps leave as they are, folded away."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from engine.core.errors import InputError
from engine.text.mathtext import to_plain
from gui.maps.fields import RealField
from gui.style import scaling
from gui.widgets.cards import Arrow, Clickable
from gui.widgets.focus import FieldLabel
from gui.widgets.labels import InkLabel
from gui.widgets.words import Words

PLANE = "Plane of starts"
PLANE_HELP = (
    "Components of two directions, u and v, along which the start varies from that in force."
)


class FoldedOptions(QWidget):
    """Options of a kind of map below a title that unfolds them; hidden where there are none.

    Attributes
    ----------
    edited : Signal
        The user changed one.
    fields : dict of str to RealField
        By name.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields: dict[str, RealField] = {}
        self._usual: dict[str, float] = {}
        self.arrow = Arrow()
        self.title = InkLabel("Options", "text")
        head = Clickable(self.arrow)
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.title, 1)
        row.addWidget(self.arrow)
        self.help = Words("muted", fine=True)
        self._body = QWidget()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self.help)
        self._grid = QGridLayout()
        scaling.across(self._grid, 8)
        scaling.down(self._grid, 4)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        body.addLayout(self._grid)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(column, 4)
        column.addWidget(head)
        column.addWidget(self._body)
        self.arrow.toggled.connect(self._body.setVisible)
        self._body.hide()
        self.hide()

    def offer(self, options: Mapping[str, float], labels: Mapping[str, str]) -> None:
        """List the options with their usual values."""
        if dict(options) == self._usual:
            return
        self._usual = dict(options)
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.fields = {}
        for row, (name, value) in enumerate(options.items()):
            text = to_plain(labels.get(name) or readable(name, labels))
            field = RealField(text)
            field.show_value(value)
            field.edited.connect(lambda value: self.edited.emit())
            self.fields[name] = field
            self._grid.addWidget(FieldLabel(text, field), row, 0)
            self._grid.addWidget(field, row, 1)
        is_plane = any("." in name for name in options)
        self.title.setText(PLANE if is_plane else "Options")
        self.arrow.setAccessibleName(f"{self.title.text()}: show or hide")
        self.help.say(PLANE_HELP if is_plane else "")
        self.help.setVisible(is_plane)
        self.arrow.setChecked(False)
        self.setVisible(bool(options))

    def fill(self, values: Mapping[str, float]) -> None:
        """Show values; options that differ from the usual ones are unfolded."""
        for name, field in self.fields.items():
            if name in values:
                field.show_value(values[name])
        if any(field.value != self._usual[name] for name, field in self.fields.items()):
            self.arrow.setChecked(True)

    def read(self) -> dict[str, float]:
        """Return the values.

        Raises
        ------
        InputError
            If one is no number; the options are unfolded then.
        """
        try:
            return {name: field.read() for name, field in self.fields.items()}
        except InputError:
            self.arrow.setChecked(True)
            raise


def readable(name: str, labels: Mapping[str, str]) -> str:
    """Write the name of an option for people: ``u.w1`` is the component of u along w1."""
    direction, dot, coordinate = name.partition(".")
    if not dot:
        return name.replace("_", " ").capitalize()
    symbol = labels.get(coordinate, coordinate).removesuffix(" at the start")
    return f"{direction} along {symbol}"
