"""What a map is made of: its kind, what its axes vary and between which ends, steps and options."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from engine.core.errors import InputError, Refusal
from engine.core.params import Params
from engine.maps.axis import MOST_CELLS, Axis
from engine.maps.kind import Offer
from engine.maps.spec import MapSpec
from engine.text.mathtext import to_plain
from gui.maps.fields import RealField
from gui.maps.options import FoldedOptions
from gui.style import scaling
from gui.widgets.controls import QuietCombo, Switch
from gui.widgets.focus import FieldLabel
from gui.widgets.number_box import CountField
from gui.widgets.words import SMALL, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the form asks for.

    Attributes
    ----------
    kind : str
        Id of the kind of map.
    x, y : Axis
    steps : int
    options : mapping of str to float
    """

    kind: str
    x: Axis
    y: Axis
    steps: int
    options: Mapping[str, float]

    def spec(self, experiment: str, params: Params, seed: int) -> MapSpec:
        """Return the map of an experiment at some parameters."""
        return MapSpec(
            kind=self.kind,  # type: ignore[arg-type]
            experiment=experiment,
            params=params,
            seed=seed,
            x=self.x,
            y=self.y,
            steps=self.steps,
            options=self.options,
        )


def _small(text: str, field: QWidget) -> FieldLabel:
    label = FieldLabel(text, field)
    label.setProperty("hint", True)
    scaling.font(label, SMALL)
    return label


class AxisForm(QWidget):
    """What one axis varies, between which ends, and in how many cells.

    Parameters
    ----------
    title : str
    captions : bool
        Whether the fields have names above them; those of another form may stand for them.

    Attributes
    ----------
    edited : Signal
        The user changed something.
    """

    edited = Signal()

    def __init__(self, title: str, captions: bool) -> None:
        super().__init__()
        self._title = title
        self._names: tuple[str, ...] = ()
        self.name = QuietCombo()
        self.low, self.high = RealField(f"{title}: from"), RealField(f"{title}: to")
        self.count = CountField(100, 1, keeps=True)
        self.count.set_limits(1, MOST_CELLS)
        self.count.setAccessibleName(f"{title}: cells")
        self.log = Switch()
        self.log.setToolTip("Equal ratios in place of equal steps")
        self.log.setAccessibleName(f"{title}: equal ratios")
        self.error = Words("bad", fine=True)
        self.error.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        scaling.across(grid, 6)
        scaling.down(grid, 2)
        self._caption = FieldLabel(title, self.name)
        grid.addWidget(self._caption, 0, 0)
        grid.addWidget(self.name, 0, 1, 1, 3)
        columns: tuple[tuple[str, QWidget], ...] = (
            ("From", self.low),
            ("To", self.high),
            ("Cells", self.count),
            ("Ratios", self.log),
        )
        for column, (text, field) in enumerate(columns):
            if captions:
                grid.addWidget(_small(text, field), 1, column)
            grid.addWidget(field, 2, column)
        grid.addWidget(self.error, 3, 0, 1, 4)
        for column, stretch in enumerate((3, 3, 2, 0)):
            grid.setColumnStretch(column, stretch)
        self.name.activated.connect(lambda index: self.edited.emit())
        self.log.clicked.connect(lambda on: self.edited.emit())
        for number in (self.low, self.high):
            number.edited.connect(lambda value: self.edited.emit())
        self.count.edited.connect(lambda value: self.edited.emit())

    def offer(self, names: Sequence[str], labels: Mapping[str, str]) -> None:
        """List what may be varied; the choice stays where it can."""
        if tuple(names) == self._names:
            return
        chosen = self.name.currentData()
        self._names = tuple(names)
        self.name.clear()
        for name in names:
            self.name.addItem(to_plain(labels.get(name, name)), name)
        self.name.setAccessibleName(f"{self._title} varies")
        self.name.setCurrentIndex(max(0, self.name.findData(chosen)))
        self.name.setEnabled(len(names) > 1)

    def show_axis(self, axis: Axis) -> None:
        """Show an axis."""
        index = self.name.findData(axis.name)
        if index >= 0:
            self.name.setCurrentIndex(index)
        digits = digits_of(axis)
        self.low.show_value(axis.low, digits)
        self.high.show_value(axis.high, digits)
        self.count.show_count(axis.count)
        self.log.setChecked(axis.log)
        self.set_error("")

    def read(self) -> Axis:
        """Return the axis that is asked for.

        Raises
        ------
        InputError
            If there is none; the sentence stands below the fields too.
        """
        try:
            if self.count.is_refused:
                self.count.refuse()
                raise InputError("cells", self.count.text(), f"give 1 to {MOST_CELLS} cells")
            self.count.commit()
            return Axis(
                name=str(self.name.currentData()),
                low=self.low.read(),
                high=self.high.read(),
                count=self.count.count,
                log=self.log.isChecked(),
            )
        except InputError as error:
            self.refuse(error.refusal)
            raise

    def refuse(self, refusal: Refusal) -> None:
        """Show what is not allowed, in the words of the form."""
        self.set_error(refusal.sentence(label=self.label))

    def set_error(self, sentence: str) -> None:
        """Show a sentence below the fields and mark them, or none."""
        self.error.say(sentence)
        self.error.setVisible(bool(sentence))
        for field in (self.low, self.high):
            field.set_error(bool(sentence))

    @property
    def label(self) -> str:
        """What the axis varies, in plain letters."""
        return self.name.currentText() or self._title


def digits_of(axis: Axis) -> int:
    """Return the digits in which the ends of an axis differ from numbers within it."""
    size = max(abs(axis.low), abs(axis.high))
    return 4 + math.ceil(math.log10(max(size / (axis.high - axis.low), 1.0)))


class MapForm(QWidget):
    """Kind, axes, steps and options.

    Attributes
    ----------
    kind_chosen : Signal(str)
        Another kind of map is to be made.
    edited : Signal
        The user changed something else.
    """

    kind_chosen = Signal(str)
    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.kind = QuietCombo()
        self.kind.setAccessibleName("Kind of map")
        self.help = Words("muted", fine=True)
        self.across, self.up = AxisForm("Across", True), AxisForm("Up", False)
        self.steps = CountField(1000, 1, keeps=True)
        self.steps.setAccessibleName("Steps")
        self.steps.setToolTip("Steps after which a run counts as undecided")
        steps = QGridLayout()
        scaling.across(steps, 8)
        steps.addWidget(FieldLabel("Steps", self.steps), 0, 0)
        steps.addWidget(self.steps, 0, 1)
        steps.setColumnStretch(0, 1)
        steps.setColumnStretch(1, 1)
        self.more = FoldedOptions()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(column, 8)
        column.addWidget(self.kind)
        column.addWidget(self.help)
        column.addWidget(self.across)
        column.addWidget(self.up)
        column.addLayout(steps)
        column.addWidget(self.more)
        self.kind.activated.connect(lambda index: self.kind_chosen.emit(self.kind.currentData()))
        for axis in (self.across, self.up):
            axis.edited.connect(self.edited)
        self.steps.edited.connect(lambda value: self.edited.emit())
        self.more.edited.connect(self.edited)

    def list_kinds(self, kinds: Mapping[str, str]) -> None:
        """List the kinds of map there are, by id with their titles; the choice stays if it can."""
        chosen = self.kind.currentData()
        self.kind.clear()
        for kind_id, title in kinds.items():
            self.kind.addItem(title, kind_id)
        self.kind.setCurrentIndex(max(0, self.kind.findData(chosen)))

    def choose_kind(self, kind_id: str) -> None:
        """Show a kind."""
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind_id)))

    def offer(self, help_text: str, offer: Offer) -> None:
        """Show what a kind of map offers; numbers stay as they are."""
        self.help.say(help_text)
        self.across.offer(offer.x_names, offer.labels)
        self.up.offer(offer.y_names, offer.labels)
        self.more.offer(offer.options, offer.labels)

    def fill(self, wanted: Wanted) -> None:
        """Show numbers."""
        self.across.show_axis(wanted.x)
        self.up.show_axis(wanted.y)
        self.steps.show_count(wanted.steps)
        self.more.fill(wanted.options)

    def read(self) -> Wanted:
        """Return what is asked for.

        Raises
        ------
        InputError
            If a field holds what cannot be used; the field is marked.
        """
        if self.steps.is_refused:
            self.steps.refuse()
            raise InputError("Steps", self.steps.text(), "give a whole number of at least 1")
        self.steps.commit()
        return Wanted(
            kind=str(self.kind.currentData()),
            x=self.across.read(),
            y=self.up.read(),
            steps=self.steps.count,
            options=self.more.read(),
        )

    def clear_errors(self) -> None:
        """Show that all is allowed."""
        self.across.set_error("")
        self.up.set_error("")

    def refuse(self, refusal: Refusal, wanted: Wanted) -> bool:
        """Show a refusal where it belongs; returns whether it is that of an axis."""
        for axis, form, key in ((wanted.x, self.across, "x"), (wanted.y, self.up, "y")):
            if refusal.field in (axis.name, key):
                form.refuse(refusal)
                return True
        return False
