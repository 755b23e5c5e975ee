"""What the rows of the parameter form have in common: label, symbol, help, error sentence."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QWidget,
)

from engine.core.effect import Effect, effect_of_field
from engine.core.errors import InputError, Refusal
from engine.core.params import NO_HINT, Hint, Params, ParamSpec, describe
from engine.text.mathtext import plain_math, to_html, to_plain
from gui.form.expression_box import ExpressionBox
from gui.form.spin import TextBox
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px
from gui.typeset.formula import FormulaLabel
from gui.widgets.focus import go_to, mark
from gui.widgets.labels import InkLabel

_STYLED = QLineEdit | QPlainTextEdit | QComboBox
"""Inputs that the style sheet outlines."""


class FieldRow(QWidget):
    """One field of the form; subclasses put their controls into `grid` and call `_give`.

    Attributes
    ----------
    edited : Signal(str, object, bool)
        Name, value given by the user, and whether the control is still being moved.
    refused : Signal(str, object)
        Name and the `InputError` of a text that is no value of the field's kind.
    abandoned : Signal(str)
        The user gave up what was typed: the value in force is to be shown again.
    typed : Signal(str, str)
        Name and the text as it stands while it is being typed.
    grabbed : Signal
        A gesture begins whose edits are one step of undo.
    """

    edited = Signal(str, object, bool)
    refused = Signal(str, object)
    abandoned = Signal(str)
    typed = Signal(str, str)
    grabbed = Signal()

    def __init__(self, spec: ParamSpec, optional: bool = False) -> None:
        super().__init__()
        self.spec = spec
        self.optional = optional
        self.grid = QGridLayout(self)
        scaling.margins(self.grid, 2, 2, 2, 2)
        scaling.across(self.grid, 8)
        scaling.down(self.grid, 2)
        self.grid.setColumnStretch(0, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.label = QLabel(self._label_text())
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        scaling.least(self.label, width=72)
        self.symbol = FormulaLabel(spec.symbol, role="muted")
        if not spec.symbol:  # showing what has no parent yet would open a window
            self.symbol.hide()
        self.symbol.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.note = InkLabel("", "muted")
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.hide()
        self._hint = NO_HINT
        self.error = InkLabel("", "bad")
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.error.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.error.hide()
        self.setToolTip(self.help_html)

    @property
    def help_html(self) -> str:
        """The tooltip: name, help and what is allowed."""
        spec = self.spec
        allowed = with_signs(spec.allowed[:1].upper() + spec.allowed[1:])
        restarts = effect_of_field(spec) is Effect.RESTART
        note = "<br><i>A change begins a new run.</i>" if restarts else ""
        return (
            f"<p><b>{escape(spec.label)}</b> <code>{escape(spec.name)}</code><br>"
            f"{to_html(spec.help)}<br><span>{escape(allowed)}.</span>{note}</p>"
        )

    @property
    def control(self) -> QWidget:
        """The control that the keyboard should go to."""
        raise NotImplementedError

    @property
    def is_pending(self) -> bool:
        """Whether the user has typed something that is not in force."""
        return bool(self.error.text())

    @property
    def typed_text(self) -> str:
        """What the user has typed that is not shown as the value in force, or nothing."""
        box = self.control
        if isinstance(box, TextBox | ExpressionBox) and box.is_edited:
            return box.text().strip()
        return ""

    def show_value(self, value: Any) -> None:
        """Show a value as the one in force, without a signal, and drop what was typed."""
        raise NotImplementedError

    def accept(self, value: Any) -> None:
        """Note that a value given by `edited` is now in force."""
        self.show_value(value)

    def read(self, text: str) -> Any:
        """Return the value that a typed text stands for.

        Raises
        ------
        InputError
            If it is none of the field's kind.
        """
        raise NotImplementedError

    def show_hint(self, hint: Hint) -> None:
        """Show what the other fields say about this one."""
        if hint != self._hint:
            self._hint = hint
            self.note.setText(hint.note)
            self.note.setVisible(bool(hint.note))

    def set_error(self, sentence: str, place: tuple[int, int] | None = None) -> None:
        """Mark the field with a sentence, or take the mark away (empty).

        Parameters
        ----------
        sentence : str
        place : tuple of int, optional
            Where the fault is in the text: its first character, and the one after its last.
        """
        if sentence == self.error.text():
            return
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))
        for widget in self.findChildren(QWidget):
            if widget.property("input"):
                mark(widget, bool(sentence))
        help_text = to_plain(self.spec.help)
        described = f"{sentence} {help_text}" if sentence else help_text
        self.control.setAccessibleDescription(described)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the control when the label or the symbol is clicked."""
        clicked = self.childAt(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and clicked in (self.label, self.symbol):
            go_to(self.control)
            event.accept()
        else:
            super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Outline the control of a field that is marked."""
        if self.error.text():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(ink("bad"), px(1.5)))
            for widget in self.findChildren(QWidget):
                styled = isinstance(widget, _STYLED)
                if widget.property("input") and not styled:
                    box = QRectF(widget.geometry()).adjusted(0.75, 0.75, -0.75, -0.75)
                    painter.drawRoundedRect(box, px(6), px(6))
            painter.end()

    def _label_text(self) -> str:
        unit = f" ({self.spec.unit})" if self.spec.unit else ""
        return f"{self.spec.label}{unit}"

    def _as_input(self, widget: QWidget) -> None:
        """Declare the widget that is outlined when the field is marked."""
        widget.setProperty("input", True)
        widget.setAccessibleName(self._label_text())
        widget.setAccessibleDescription(to_plain(self.spec.help))

    def _place_above(self, widget: QWidget) -> None:
        """Lay out label and symbol over a control of full width."""
        self.grid.addWidget(self.label, 0, 0)
        self.grid.addWidget(self.symbol, 0, 1, 1, 2, Qt.AlignmentFlag.AlignRight)
        self.grid.addWidget(widget, 1, 0, 1, 3)
        self.grid.addWidget(self.note, 7, 0, 1, 3)
        self.grid.addWidget(self.error, 8, 0, 1, 3)
        self.label.setBuddy(widget)

    def _place_beside(self, widget: QWidget) -> None:
        """Lay out label, symbol and control in one line."""
        self.grid.addWidget(self.label, 0, 0)
        self.grid.addWidget(self.symbol, 0, 1)
        self.grid.addWidget(widget, 0, 2)
        self.grid.addWidget(self.note, 7, 0, 1, 3)
        self.grid.addWidget(self.error, 8, 0, 1, 3)
        self.label.setBuddy(widget)

    def _listen_to(self, box: TextBox | ExpressionBox) -> None:
        """Take values from a text box."""
        box.entered.connect(self._on_entered)
        box.abandoned.connect(self._abandon)
        if not box.patient:
            box.textEdited.connect(lambda text: self.typed.emit(self.spec.name, text))

    def _on_entered(self, text: str) -> None:
        self.grabbed.emit()
        try:
            value = self.read(text)
        except InputError as error:
            self._refuse(error)
        else:
            self._give(value)

    def _give(self, value: Any, moving: bool = False) -> None:
        self.edited.emit(self.spec.name, value, moving)

    def _abandon(self) -> None:
        self.abandoned.emit(self.spec.name)

    def _refuse(self, error: InputError) -> None:
        self.refused.emit(self.spec.name, error)


def field_words(spec: ParamSpec) -> str:
    """Return a field's label and symbol as the form shows them: ``Step size δ``."""
    return f"{spec.label} {plain_math(spec.symbol)}".rstrip()


def in_words(refusal: Refusal, model: type[Params]) -> str:
    """Write a refusal with the labels of the fields that it is about.

    One that is about no field of the model is written as it is. Of what is allowed, only names are
    replaced that are no English words.
    """
    words = {spec.name: field_words(spec) for spec in describe(model)}
    if refusal.field not in words:
        return str(refusal)
    allowed = refusal.allowed
    if refusal.place is not None:  # the field underlines it
        return f"{words[refusal.field]}: {allowed}."
    for name, label in words.items():
        if "_" in name:
            allowed = re.sub(rf"\b{re.escape(name)}\b", label, allowed)
    return refusal.sentence(words[refusal.field], with_signs(allowed))


def with_signs(allowed: str) -> str:
    """Write ≤ and ≥ as on the plots, where the command line has <= and >=."""
    return allowed.replace("<=", "≤").replace(">=", "≥")
