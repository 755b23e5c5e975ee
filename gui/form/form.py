"""The parameter form of an experiment, made from its model alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from engine.core.claims import Bound
from engine.core.effect import Effect, changed_fields, effect_of, effect_of_field
from engine.core.errors import InputError, Refusal
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params, update
from gui.form.body import FormBody
from gui.form.drafts import Drafts
from gui.form.expression import ExpressionRow
from gui.form.footer import FormFooter
from gui.form.number import NumberRow
from gui.form.row import FieldRow, in_words
from gui.form.snaps import Mark
from gui.style import scaling
from gui.widgets.controls import Foot

DEBOUNCE_MS = 250
"""Rest after which a control that is still being moved begins a new run."""


class ParamForm(QWidget):
    """Fields for all parameters of an experiment, in groups, over seed and reset.

    The last good parameters stay in force: a text that is not allowed marks its field with one
    sentence and waits there, while other fields go on working.

    Attributes
    ----------
    body : FormBody
        The rows.
    params_edited : Signal(Params, bool)
        The user gave new, valid parameters; True if only live ones differ, so that a run can go
        on with them. Never emitted by the setters.
    seed_edited : Signal(object)
        The user gave a new seed.
    input_rejected : Signal(str)
        One sentence on what was given and what is allowed, with the label of the field.
    input_error_cleared : Signal(str)
        Such a sentence is no longer true: the field holds a good value again.
    """

    params_edited = Signal(object, bool)
    seed_edited = Signal(object)
    input_rejected = Signal(str)
    input_error_cleared = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._params: Params | None = None
        self._drafts = Drafts()
        self._bounds: dict[str, tuple[Mark, ...]] = {}
        self._gesture = 0
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(DEBOUNCE_MS)
        self._debounce.timeout.connect(self.flush)
        self.body = FormBody()
        self.body.viewport().installEventFilter(self)
        self.footer = FormFooter()
        self.footer.seed_edited.connect(self._on_seed_edited)
        self.footer.reset_requested.connect(self.reset_to_defaults)
        self.footer.refused.connect(self.input_rejected)
        self.footer.error_cleared.connect(self.input_error_cleared)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.body, 1)
        layout.addWidget(Foot(self.footer, self.body))
        scaling.least(self, width=316)

    @property
    def params(self) -> Params | None:
        """The last good parameters; None before the first experiment."""
        return self._params

    @property
    def seed(self) -> int:
        """The seed."""
        return self.footer.seed

    @property
    def gesture(self) -> str:
        """Key of the present gesture: edits of one drag, or of one key held down, share it."""
        return f"form {self._gesture}"

    def row(self, name: str) -> FieldRow:
        """Return the row of a field."""
        return self.body.rows[name]

    def set_experiment(
        self, experiment: AbstractExperiment[Any, Any], params: Params, seed: int
    ) -> None:
        """Show an experiment's parameters; the rows are made anew only for another model."""
        self.set_seed(seed)
        if self._params is not None and type(params) is type(self._params):
            self.set_params(params, everything=True)
            return
        self._params = params
        self._forget(set(self.body.rows))
        self._bounds.clear()
        self._build(type(params))
        for name, row in self.body.rows.items():
            row.show_value(getattr(params, name))
        self._show_active()

    def set_params(self, params: Params, everything: bool = False) -> None:
        """Show other parameters of the same model without a signal.

        What the user is typing in a field whose value does not change is kept, unless
        `everything` is to be shown as given.
        """
        before = self._params
        if before is None or type(params) is not type(before):
            raise ValueError("the parameters are those of another experiment")
        self._debounce.stop()
        self._params = params
        shown = {
            name
            for name in self.body.rows
            if everything
            or name in self._drafts.moving
            or getattr(params, name) != getattr(before, name)
        }
        self._forget(shown)
        for name in shown:
            self.body.rows[name].show_value(getattr(params, name))
        self._show_active()

    def set_seed(self, seed: int) -> None:
        """Show another seed without a signal."""
        self.footer.set_seed(seed)

    def set_bounds(self, bounds: Sequence[Bound]) -> None:
        """Offer the theory's bounds at the fields that they are about; cheap if nothing changed."""
        fields = marks_of(bounds)
        for name, row in self.body.rows.items():
            marks = fields.get(name, ())
            if isinstance(row, NumberRow) and marks != self._bounds.get(name, ()):
                self._bounds[name] = marks
                row.set_marks(marks)

    def give(self, name: str, value: Any) -> None:
        """Set a field as if the user had: the theory panel's "use"."""
        if name in self.body.rows and self._params is not None:
            self.begin_gesture()
            self.edit(name, value, False)
            self._drafts.values.pop(name, None)

    def mark(self, refusal: Refusal) -> bool:
        """Mark the field whose value was refused; returns whether the form has it."""
        row = self.body.rows.get(refusal.field)
        if row is not None:
            self._set_error(row, self.in_words(refusal), refusal.place)
            self.body.unfold(row)
        return row is not None

    def unmark(self) -> None:
        """Take away what `mark` showed, as a new run is tried; what is being typed stays marked."""
        self._forget(())

    def in_words(self, refusal: Refusal) -> str:
        """Write a refusal with the label of the field instead of its name."""
        return str(refusal) if self._params is None else in_words(refusal, type(self._params))

    def reset_to_defaults(self) -> None:
        """Set every field to its default, as one edit of the user."""
        if self._params is None:
            return
        self.begin_gesture()
        before, after = self._params, type(self._params)()
        self.set_params(after, everything=True)
        if after != before:
            self.params_edited.emit(after, False)

    def flush(self) -> None:
        """Apply the values of controls that are still being moved."""
        self._debounce.stop()
        if self._drafts.moving:
            self._try(self._drafts.moving)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Drop the focus from a box when the empty part of the form is clicked."""
        if event.type() == QEvent.Type.MouseButtonPress:
            focused = QApplication.focusWidget()
            if focused is not None and self.isAncestorOf(focused):
                focused.clearFocus()
        return super().eventFilter(watched, event)

    def _build(self, model: type[Params]) -> None:
        self.body.build(model)
        for row in self.body.rows.values():
            row.edited.connect(self.edit)
            row.refused.connect(self.refuse)
            row.grabbed.connect(self.begin_gesture)
            row.abandoned.connect(self._on_abandoned)
            row.typed.connect(self._on_typed)
            if isinstance(row, ExpressionRow):
                row.paused.connect(self._on_paused)

    def begin_gesture(self) -> None:
        """Undo the edits that follow as one step."""
        self._gesture += 1

    def edit(self, name: str, value: Any, moving: bool) -> None:
        """Take a value that the user gave a field, here or where the field is shown once more."""
        waits = moving and effect_of_field(self.body.rows[name].spec) is Effect.RESTART
        self._drafts.give(name, value, waits)
        if waits:
            self._debounce.start()
        else:
            self._debounce.stop()
            self._try(self._drafts.moving | {name})

    def refuse(self, name: str, error: InputError) -> None:
        """Mark a field whose text is no value of its kind."""
        self._drafts.misread(name)
        self._mark_row(name, error.refusal)

    def _on_abandoned(self, name: str) -> None:
        self._forget({name})
        self.body.rows[name].show_value(getattr(self._params, name))

    def _on_typed(self, name: str, text: str) -> None:
        """Take marks away as soon as what is typed would do, before it is put in force."""
        if self._params is None or not self._drafts.marked:
            return
        if not self._fits(name, text):
            return
        for freed in self._drafts.freed_by(name):
            self._set_error(self.body.rows[freed], "")

    def _on_paused(self, name: str, text: str) -> None:
        """Take what is typed as soon as it would do; else without a word, unless it is marked."""
        row = self.body.rows[name]
        assert isinstance(row, ExpressionRow)
        if row.error.text() or self._fits(name, text):
            row.box.take()

    def _fits(self, name: str, text: str) -> bool:
        """Return whether a text can be put in force with all that waits."""
        assert self._params is not None
        try:
            update(self._params, **self._drafts.values | {name: self.body.rows[name].read(text)})
        except InputError:
            return False
        return True

    def _mark_row(self, name: str, refusal: Refusal) -> None:
        """Mark a field, and bring the sentence into view if the field is in use."""
        row, sentence = self.body.rows[name], self.in_words(refusal)
        self._set_error(row, sentence, refusal.place)
        self.body.unfold(row)
        self.body.follow(row)
        self.input_rejected.emit(sentence)

    def _set_error(
        self, row: FieldRow, sentence: str, place: tuple[int, int] | None = None
    ) -> None:
        before = row.error.text()
        row.set_error(sentence, place)
        if before and before != sentence:
            self.input_error_cleared.emit(before)

    def _try(self, names: set[str]) -> None:
        """Put what waits in force, or mark the field that is to blame."""
        assert self._params is not None
        before, newest = self._params, set(names)
        self._drafts.moving.clear()
        try:
            after, taken = self._drafts.attempt(before, newest)
        except InputError as error:
            self._show_active()
            marked = error.field if error.field in self._shown_rows() else sorted(newest)[0]
            self._drafts.blame(newest, marked)
            typed = self.body.rows[marked].typed_text
            is_own = marked in newest and marked == error.field
            if typed and is_own and error.place is None:
                error = InputError(marked, typed, error.allowed)
            self._mark_row(marked, error.refusal)
            return
        self._params = after
        self._forget(taken)
        for name in taken:
            self.body.rows[name].accept(getattr(after, name))
        if changed_fields(before, after):
            self._show_active()
            self.params_edited.emit(after, effect_of(before, after) is not Effect.RESTART)

    def _forget(self, names: Iterable[str]) -> None:
        """Drop what waits in some fields, and every mark that nothing stands for any more."""
        self._drafts.forget(names)
        for name, row in self.body.rows.items():
            if name not in self._drafts.marked:
                self._set_error(row, "")

    def _shown_rows(self) -> set[str]:
        values = {name: getattr(self._params, name) for name in self.body.rows}
        values |= self._drafts.values
        return {name for name, row in self.body.rows.items() if row.spec.is_active(values)}

    def _show_active(self) -> None:
        """Show the fields that have an effect, with hints and room for the bounds they may have."""
        assert self._params is not None
        values = {name: getattr(self._params, name) for name in self.body.rows}
        for name, row in self.body.rows.items():
            row.show_hint(self._params.hint(name))
            if isinstance(row, NumberRow):
                row.reserve(row.spec.is_bounded(values))
        self.body.show_rows(self._shown_rows())

    def _on_seed_edited(self, seed: int) -> None:
        self.flush()
        self.seed_edited.emit(seed)


def marks_of(bounds: Iterable[Bound]) -> dict[str, tuple[Mark, ...]]:
    """Return the bounds that can be drawn on a slider, by the field that they are about."""
    fields: dict[str, tuple[Mark, ...]] = {}
    for bound in bounds:
        value = bound.value
        if bound.field and value is not None and math.isfinite(value) and value > 0:
            mark = Mark(bound.id, bound.name, bound.symbol, value)
            fields[bound.field] = (*fields.get(bound.field, ()), mark)
    return fields
