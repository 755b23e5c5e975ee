"""The row of a number: exact box and slider; where the theory has bounds, also units and snaps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.core.params import ParamSpec, parse_value
from engine.text.arithmetic import names_in
from engine.text.mathtext import plain_math, to_plain
from engine.text.numbers import exact_text, short
from gui.form.row import FieldRow
from gui.form.scale import (
    USUAL_STEP,
    SliderScale,
    clamp,
    shown_step,
    slider_scale,
    step_by,
    usual_scale,
)
from gui.form.slider import TICKS, ValueSlider
from gui.form.snaps import Mark, SnapStrip
from gui.form.spin import NumberBox
from gui.form.unit import UnitButton
from gui.style import scaling
from gui.style.scaling import whole
from gui.typeset.formula import FormulaLabel
from gui.widgets.labels import Line

_CAPTION_ROOM = 4
"""Pixels that a symbol with a subscript is higher than a line of text."""
_REPEAT_S = 1.0
"""Presses of a step button closer together than this are one gesture."""


class NumberRow(FieldRow):
    """A whole or real number.

    Dragging the slider gives a value at every move; a typed number is kept to its last digit.
    The unit changes only what the box shows and reads, never the value.
    """

    def __init__(self, spec: ParamSpec, optional: bool = False) -> None:
        super().__init__(spec, optional)
        self._whole = spec.kind == "int"
        self._value: float | None = None
        self._marks: tuple[Mark, ...] = ()
        self._scale: SliderScale | None = None
        self._scale_marks: tuple[float, ...] = ()
        self._last_step = -math.inf
        self._built = False
        self._reserved = False
        self.box = NumberBox(self._whole)
        self.box.name(self._label_text(), to_plain(spec.help))
        self._as_input(self.box)
        self.slider = ValueSlider()
        self.slider.setAccessibleName(f"{self._label_text()}, slider")
        self._place_beside(self.box)
        self._track = QVBoxLayout()  # no gap between the slider's marks and the strip below
        self._track.setSpacing(0)
        self._track.addWidget(self.slider)
        self.grid.addLayout(self._track, 2, 0, 1, 3)
        self._listen_to(self.box)
        self.box.stepped.connect(self._on_stepped)
        self.slider.stepped.connect(self._on_slider_stepped)
        self.slider.grabbed.connect(self.grabbed)
        self.slider.dragged.connect(self._on_dragged)

    @property
    def control(self) -> QWidget:
        """The text box."""
        return self.box

    @property
    def value(self) -> float | None:
        """The number in force, or last given."""
        return self._value

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The bounds that are offered."""
        return self._marks

    def show_value(self, value: Any) -> None:
        """Show a number as the one in force."""
        self._value = None if value is None else float(value)
        self.box.show_text(self._text())
        self._show_around()

    def accept(self, value: Any) -> None:
        """Keep what was typed as it was typed, if the box is still in use."""
        self._value = None if value is None else float(value)
        if self.box.is_edited and self.box.hasFocus():
            self.box.keep_text()
        else:
            self.box.show_text(self._text())
        self._show_around()

    def read(self, text: str) -> Any:
        """Return the number that a text stands for, in the unit that is chosen.

        A text that names a bound, as "1.1 delta_max", is the number itself.
        """
        text = text.strip()
        if not text and self.optional:
            return None
        names = {mark.id: mark.value for mark in self._marks}
        names |= {plain_math(mark.symbol): mark.value for mark in self._marks}
        value, unit = parse_value(self.spec, text, names), self._unit_value()
        return value if unit == 1.0 or names_in(text) else value * unit

    def reserve(self, reserved: bool) -> None:
        """Keep the room that bounds need, before and while there are none."""
        if reserved != self._reserved:
            self._reserved = reserved
            self._show_parts()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Offer bounds as marks, units and snaps."""
        if tuple(marks) == self._marks:
            return
        self._marks = tuple(marks)
        self._show_parts()
        if self._built:
            self.unit.set_marks(marks)
            if self.unit.unit and not self.box.is_edited:
                self.box.show_text(self._text())
        self._show_around()

    def set_wide(self) -> None:
        """Stand the slider beside the box, where there is a whole line for both."""
        self.reserve(True)
        self.grid.removeItem(self._track)
        self.grid.addLayout(self._track, 0, 3, 2, 1, Qt.AlignmentFlag.AlignVCenter)
        self.grid.setColumnStretch(0, 0)
        self.grid.setColumnStretch(3, 1)

    def _show_parts(self) -> None:
        """Show what belongs to bounds where there are some, or may be."""
        shown = bool(self._marks) or self._reserved
        if shown and not self._built:
            self._build_bounded()
        if self._built:
            self.unit.setEnabled(bool(self._marks))
            for widget in (self.unit, self.strip, self.times, self.reference):
                widget.setVisible(shown)

    def _build_bounded(self) -> None:
        """Move the box to a line of its own, with the unit beside it and the strip below."""
        self._built = True
        self.unit = UnitButton(self.spec.label)
        self.unit.chosen.connect(self._on_unit_chosen)
        self.strip = SnapStrip(self.slider)
        self.strip.snapped.connect(self._on_snapped)
        self.strip.lit.connect(self.slider.light)
        self.times = Line("muted", "right")
        self.reference = FormulaLabel("", role="muted")
        self.reference.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        caption = QHBoxLayout()
        scaling.spacing(caption, 3)
        caption.addWidget(self.times)
        caption.addWidget(self.reference)
        caption.addStretch(1)
        line = QHBoxLayout()
        scaling.spacing(line, 6)
        self.grid.removeWidget(self.box)
        line.addWidget(self.box, 1)
        line.addWidget(self.unit)
        self.grid.addLayout(caption, 0, 2)
        self.grid.setRowMinimumHeight(0, self.fontMetrics().height() + whole(_CAPTION_ROOM))
        self.grid.addLayout(line, 1, 0, 1, 3)
        self._track.addWidget(self.strip)
        QWidget.setTabOrder(self.box, self.unit)
        QWidget.setTabOrder(self.unit, self.slider)

    def _unit_value(self) -> float:
        if self._built and self.unit.unit:
            return next(mark.value for mark in self._marks if mark.id == self.unit.unit)
        return 1.0

    def _text(self) -> str:
        unit = self._unit_value()
        if self._value is None or unit == 1.0:
            return exact_text(self._value, self._whole)
        return exact_text(float(f"{self._value / unit:.12g}"))

    def _show_around(self) -> None:
        """Bring slider, marks and caption up to the value."""
        value = self._value
        self.slider.setEnabled(value is not None)
        for button in (self.box.minus, self.box.plus):
            button.setEnabled(value is not None)
        if value is None:
            return
        if not self.slider.isSliderDown():
            self._rescale(value)
        assert self._scale is not None
        places = [self._scale.position(mark.value) for mark in self._marks]
        zero = 0.0 if self._scale.log else self._scale.position(0.0)
        seen = [
            (mark.id, place)
            for mark, place in zip(self._marks, places, strict=True)
            if self._scale.contains(mark.value)
        ]
        self.slider.set_marks(seen, zero)
        self.box.setToolTip("" if len(self.box.text()) < 10 else self.box.text())
        if self._built:
            self.strip.set_marks(self._marks, places, self.spec.label, value)
            self._show_caption(value)

    def _rescale(self, value: float) -> None:
        """Choose the slider's range anew where the value or the marks have left it.

        A range that was stretched for one number far away is given up with that number.
        """
        marks = tuple(mark.value for mark in self._marks)
        usual = usual_scale(self.spec, marks)
        if marks != self._scale_marks or usual.is_amidst(value):
            self._scale = usual if usual.is_amidst(value) else None
        if self._scale is None or not self._scale.low < value < self._scale.high:
            self._scale = slider_scale(self.spec, value, marks)
        self._scale_marks = marks
        self.slider.set_place(self._scale.position(value))

    def _show_caption(self, value: float) -> None:
        """Show the number in the other form: as a multiple, or as itself."""
        if not self._marks:
            self.times.say("")
            self.reference.set_formula("")
            return
        if self.unit.unit:
            self.times.say(f"= {short(value, 6)}")
            self.reference.set_formula("")
            return
        mark = next((m for m in self._marks if "max" in m.id), self._marks[0])
        self.times.say(f"= {short(value / mark.value, 4)} ×")
        self.reference.set_formula(mark.inline)

    def _put(self, value: float, moving: bool) -> None:
        """Return a number that a control made."""
        self._value = value
        self.box.show_text(self._text())
        self._show_around()
        self._give(int(value) if self._whole else value, moving)

    def _on_stepped(self, count: int, exponent: int) -> None:
        if self._value is None:
            return
        now = time.monotonic()
        if now - self._last_step > _REPEAT_S:
            self.grabbed.emit()
        self._last_step = now
        if self._whole:
            value = self._value + count * 10 ** max(exponent, 0)
            low, high = self.spec.minimum, self.spec.maximum
            value = max(value, low) if low is not None else value
            value = min(value, high) if high is not None else value
        else:
            unit = self._unit_value()
            shown = self._value if unit == 1.0 else float(f"{self._value / unit:.12g}")
            if self.box.has_usual_step:
                exponent += shown_step(shown) - USUAL_STEP
            value = step_by(shown, count, exponent, self.spec.default or 1.0) * unit
            value = clamp(self.spec, value, self._value)
        if value != self._value or self.is_pending:
            self._put(value, True)

    def _on_slider_stepped(self, count: int, exponent: int) -> None:
        self._on_stepped(count, exponent if self._whole else exponent - 2)

    def _on_dragged(self, place: float, moving: bool) -> None:
        if self._scale is None:
            return
        value = self._scale.value(place, TICKS)
        if value != self._value:
            self._put(value, moving)
        elif not moving:
            self._show_around()
            self._give(int(value) if self._whole else value, False)

    def _on_snapped(self, mark_id: str) -> None:
        self.grabbed.emit()
        self._put(next(mark.value for mark in self._marks if mark.id == mark_id), False)

    def _on_unit_chosen(self, unit: str) -> None:
        self.box.show_text(self._text())
        self._show_around()
