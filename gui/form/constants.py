"""The row of named constants: for each that the function uses a number, a slider and its range."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from engine.core.errors import InputError
from engine.core.params import Hint, ParamSpec
from engine.expressions.constants import (
    LARGEST,
    Constant,
    read_constants,
    unnamed,
    with_range,
    with_value,
)
from engine.expressions.grammar import read_tree
from engine.expressions.typeset import to_mathtext
from engine.text.arithmetic import NumberError, read_number
from engine.text.mathtext import plain_math
from engine.text.numbers import exact_text
from gui.form.row import FieldRow
from gui.form.scale import SliderScale, step_by
from gui.form.slider import TICKS, ValueSlider
from gui.form.spin import NumberBox, TextBox
from gui.style import scaling
from gui.typeset.formula import FormulaLabel
from gui.widgets.focus import is_marked, mark
from gui.widgets.labels import InkLabel

_LOG_RATIO = 50.0
"""A positive range whose ends are this many times apart has a logarithmic slider."""
_END_WIDTH = 54
"""Pixels of the boxes at the ends of a slider."""
_REPEAT_S = 1.0
"""Presses of a step button closer together than this are one gesture."""
_NONE = "Names in the function that are no variables, such as a or lambda, get sliders here."


class ConstantLine(QWidget):
    """One constant: its name, its number, and a slider between boxes for the ends.

    Attributes
    ----------
    given : Signal(float, bool)
        A new value, and whether the control is still being moved.
    ranged : Signal(float, float)
        New ends of the slider.
    misread : Signal(object, str)
        The box whose text is no number, and the text.
    typing : Signal(str)
        The text of the value's box as it is typed.
    abandoned : Signal
        The user gave up what was typed.
    grabbed : Signal
        A gesture begins whose edits are one step of undo.
    """

    given = Signal(float, bool)
    ranged = Signal(float, float)
    misread = Signal(object, str)
    typing = Signal(str)
    abandoned = Signal()
    grabbed = Signal()

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self._constant = unnamed(key)
        self._last_step = -_REPEAT_S
        self.name = FormulaLabel(_typeset(key))
        self.name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.box = NumberBox(whole=False)
        self.slider = ValueSlider()
        self.low, self.high = self._end("lower"), self._end("upper")
        self.low.setAlignment(Qt.AlignmentFlag.AlignRight)
        spoken = plain_math(_typeset(key))
        self.box.name(spoken, "Value of a constant of the function")
        self.slider.setAccessibleName(f"{spoken}, slider")
        grid = QGridLayout(self)
        scaling.margins(grid, 0, 0, 0, 2)
        scaling.across(grid, 4)
        scaling.down(grid, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.name, 0, 0, 1, 2)
        grid.addWidget(self.box, 0, 1, 1, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.low, 1, 0)
        grid.addWidget(self.slider, 1, 1)
        grid.addWidget(self.high, 1, 2)
        self._connect()

    def _end(self, which: str) -> TextBox:
        box = TextBox()
        box.setProperty("quiet", True)
        scaling.fixed(box, width=_END_WIDTH)
        name = plain_math(_typeset(self.key))
        box.setAccessibleName(f"{which} end of the slider of {name}")
        box.setToolTip(f"The {which} end of the slider; type another number")
        box.entered.connect(self._on_end_entered)
        box.abandoned.connect(self.abandoned)
        return box

    def _connect(self) -> None:
        self.box.entered.connect(self._on_entered)
        self.box.abandoned.connect(self.abandoned)
        self.box.textEdited.connect(self.typing)
        self.box.stepped.connect(self._on_stepped)
        self.slider.stepped.connect(self._on_slider_stepped)
        self.slider.grabbed.connect(self.grabbed)
        self.slider.dragged.connect(self._on_dragged)

    @property
    def boxes(self) -> tuple[TextBox, ...]:
        """The boxes that are typed into."""
        return self.box, self.low, self.high

    @property
    def constant(self) -> Constant:
        """The constant in force."""
        return self._constant

    def show_constant(self, constant: Constant) -> None:
        """Show a constant as the one in force; what was typed of it last stays as it was typed."""
        self._constant = constant
        numbers = constant.value, constant.low, constant.high
        for box, number in zip(self.boxes, numbers, strict=True):
            is_own = box.is_edited and box.hasFocus() and _number(box.text()) == number
            if is_own:
                box.keep_text()
            else:
                box.show_text(exact_text(number))
        scale = self._scale()
        self.slider.set_place(scale.position(constant.value))
        inside = not scale.log and scale.low < 0.0 < scale.high
        self.slider.set_marks((), scale.position(0.0) if inside else 0.0)

    def _scale(self) -> SliderScale:
        low, high = self._constant.low, self._constant.high
        return SliderScale(low, high, log=low > 0.0 and high / low >= _LOG_RATIO)

    def _on_entered(self, text: str) -> None:
        value = _number(text)
        if value is None:
            self.misread.emit(self.box, text)
            return
        self.grabbed.emit()
        self.given.emit(value, False)

    def _on_end_entered(self, text: str) -> None:
        box = self.low if self.sender() is self.low else self.high
        if _number(text) is None:
            self.misread.emit(box, text)
            return
        low, high = _number(self.low.text()), _number(self.high.text())
        self.grabbed.emit()
        ends = self._constant.low, self._constant.high
        self.ranged.emit(ends[0] if low is None else low, ends[1] if high is None else high)

    def _on_stepped(self, count: int, exponent: int) -> None:
        now = time.monotonic()
        if now - self._last_step > _REPEAT_S:
            self.grabbed.emit()
        self._last_step = now
        constant = self._constant
        reach = max(abs(constant.low), abs(constant.high))
        value = step_by(constant.value, count, exponent, reach)
        self.given.emit(min(max(value, -LARGEST), LARGEST), True)

    def _on_slider_stepped(self, count: int, exponent: int) -> None:
        self._on_stepped(count, exponent - 2)

    def _on_dragged(self, place: float, moving: bool) -> None:
        value = self._scale().value(place, TICKS)
        if value != self._constant.value or not moving:
            self.given.emit(value, moving)


class ConstantsRow(FieldRow):
    """Named constants: one line each for those that the function uses, and their text on demand.

    Attributes
    ----------
    lines : dict of str to ConstantLine
        By the constant's key, in the order of the names.
    """

    def __init__(self, spec: ParamSpec, optional: bool = False) -> None:
        super().__init__(spec, optional)
        self.lines: dict[str, ConstantLine] = {}
        self._text = ""
        self._culprit: QWidget | None = None
        holder = QWidget()
        self._layout = QVBoxLayout(holder)
        self._layout.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(self._layout, 4)
        self.none = InkLabel(_NONE, "muted")
        self.none.setWordWrap(True)
        self.as_text = QPushButton("As text")
        self.as_text.setCheckable(True)
        self.as_text.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.as_text.setToolTip("Show all constants with their ranges as a text")
        self.as_text.toggled.connect(self._on_text_wanted)
        self.box = TextBox()
        self.box.setPlaceholderText("a = 0.5 in 0..3; lambda = 2")
        self.box.setAccessibleName(f"{self._label_text()} as text")
        self.box.hide()
        self._place_above(holder)
        self.grid.addWidget(self.as_text, 0, 2, Qt.AlignmentFlag.AlignRight)
        self.grid.addWidget(self.none, 2, 0, 1, 3)
        self.grid.addWidget(self.box, 3, 0, 1, 3)
        self._listen_to(self.box)

    @property
    def control(self) -> QWidget:
        """The box of the first constant, or of their text."""
        return next((line.box for line in self.lines.values()), self.box)

    @property
    def typed_text(self) -> str:
        """What was typed as the text of all constants and is not in force, or nothing."""
        return self.box.text().strip() if self.box.is_edited else ""

    def show_hint(self, hint: Hint) -> None:
        """Make a line for every constant that the function uses."""
        super().show_hint(hint)
        if tuple(self.lines) != hint.names:
            self._make_lines(hint.names)
            self._show_lines()

    def show_value(self, value: Any) -> None:
        """Show constants as those in force."""
        self._text = str(value)
        self.box.show_text(self._text)
        self._show_lines()

    def accept(self, value: Any) -> None:
        """Keep the text as it was typed."""
        self._text = str(value)
        if self.box.is_edited and self.box.hasFocus():
            self.box.keep_text()
        else:
            self.box.show_text(self._text)
        self._show_lines()

    def read(self, text: str) -> Any:
        """Return the text of all constants."""
        return text.strip()

    def set_error(self, sentence: str, place: tuple[int, int] | None = None) -> None:
        """Mark the box that is at fault."""
        at_fault = (self._culprit or self.box) if sentence else None
        if at_fault is self.box:
            self.as_text.setChecked(True)
        if not sentence:
            self._culprit = None
        for box in self._boxes():
            if is_marked(box) is not (box is at_fault):
                mark(box, box is at_fault)
        super().set_error(sentence, place)

    def _boxes(self) -> Iterator[TextBox]:
        yield self.box
        for line in self.lines.values():
            yield from line.boxes

    def _make_lines(self, names: tuple[str, ...]) -> None:
        kept = {key: line for key, line in self.lines.items() if key in names}
        for key, line in self.lines.items():
            if key not in kept:
                self._layout.removeWidget(line)
                if self._culprit in line.boxes:
                    self._culprit = None
                line.hide()
                line.deleteLater()
        self.lines = {key: kept.get(key) or self._line(key) for key in names}
        for at, line in enumerate(self.lines.values()):
            self._layout.insertWidget(at, line)
        self.none.setVisible(not names)
        self.label.setBuddy(self.control)

    def _line(self, key: str) -> ConstantLine:
        line = ConstantLine(key)
        line.given.connect(self._on_given)
        line.ranged.connect(self._on_ranged)
        line.misread.connect(self._on_misread)
        line.typing.connect(self._on_typing)
        line.abandoned.connect(self._abandon)
        line.grabbed.connect(self.grabbed)
        return line

    def _show_lines(self) -> None:
        known = _constants(self._text)
        for key, line in self.lines.items():
            line.show_constant(known.get(key) or unnamed(key))

    def _sending_key(self) -> str:
        line = self.sender()
        assert isinstance(line, ConstantLine)
        return line.key

    def _on_given(self, value: float, moving: bool) -> None:
        self._culprit = None
        key = self._sending_key()
        if abs(value) > LARGEST:
            self._on_misread(self.lines[key].box, repr(value))
            return
        self._give(with_value(self._text, key, value), moving)

    def _on_ranged(self, low: float, high: float) -> None:
        key = self._sending_key()
        line = self.lines[key]
        self._culprit = line.low if low != line.constant.low else line.high
        self._give(with_range(self._text, key, low, high))

    def _on_misread(self, box: TextBox, text: str) -> None:
        self._culprit = box
        rule = f"give a number up to {LARGEST:g} in size"
        self._refuse(InputError(self.spec.name, text, rule))

    def _on_typing(self, text: str) -> None:
        value = _number(text)
        if value is not None and abs(value) <= LARGEST:
            self.typed.emit(self.spec.name, with_value(self._text, self._sending_key(), value))

    def _on_text_wanted(self, wanted: bool) -> None:
        self.box.setVisible(wanted)


def _number(text: str) -> float | None:
    """Return a number as typed, None if it is none."""
    try:
        return read_number(text)
    except NumberError:
        return None


def _constants(text: str) -> Mapping[str, Constant]:
    """Return the constants of a text, none if it cannot be read."""
    try:
        return read_constants(text)
    except InputError:
        return {}


def _typeset(key: str) -> str:
    """Return a constant's name as mathtext."""
    try:
        return to_mathtext(read_tree(key))
    except InputError:
        return rf"\mathrm{{{key}}}"
