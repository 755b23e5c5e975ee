"""The one number that is turned before an audience, large and on a line of its own."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.core.claims import Bound
from engine.core.params import Params, ParamSpec, describe
from gui.form.form import ParamForm, marks_of
from gui.form.number import NumberRow
from gui.style import scaling

USUAL = "step_size"
"""The field that is shown of a model in which the theory bounds none."""


def turned_field(params: Params) -> ParamSpec | None:
    """Return the number that the theory bounds, or else the step size; None without either."""
    specs = [spec for spec in describe(type(params)) if spec.kind in ("float", "int")]
    values = {name: getattr(params, name) for name in type(params).model_fields}
    active = [spec for spec in specs if spec.is_active(values)]
    bounded = [spec for spec in active if spec.is_bounded(values)]
    usual = [spec for spec in active if spec.name == USUAL]
    return next(iter(bounded + usual), None)


class StepBar(QWidget):
    """A row of the form once more, beside which nothing else of the form is seen.

    Parameters
    ----------
    form : ParamForm
        Which gets what is edited here as if it had been edited there.
    """

    def __init__(self, form: ParamForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stepBar")
        self._form = form
        self._bounds: tuple[Bound, ...] = ()
        self.row: NumberRow | None = None
        self._column = QVBoxLayout(self)
        scaling.margins(self._column, 14, 6, 14, 0)
        self.hide()

    def show_params(self, params: Params) -> None:
        """Show the number of these parameters; the row is made anew only for another field."""
        spec = turned_field(params)
        if spec is None or self.row is None or spec != self.row.spec:
            self._make_row(spec)
        if self.row is not None:
            self.row.show_value(getattr(params, self.row.spec.name))

    def set_bounds(self, bounds: Sequence[Bound]) -> None:
        """Offer the theory's bounds at the slider."""
        self._bounds = tuple(bounds)
        if self.row is not None:
            self.row.set_marks(marks_of(bounds).get(self.row.spec.name, ()))

    def _make_row(self, spec: ParamSpec | None) -> None:
        if self.row is not None:
            self.row.hide()
            self.row.deleteLater()
        self.row = None
        if spec is None:
            return
        row = self.row = NumberRow(spec)
        row.set_wide()
        row.edited.connect(self._form.edit)
        row.grabbed.connect(self._form.begin_gesture)
        row.refused.connect(self._form.refuse)
        row.abandoned.connect(self._on_abandoned)
        self._column.addWidget(row)
        self.set_bounds(self._bounds)

    def _on_abandoned(self) -> None:
        params = self._form.params
        if params is not None:
            self.show_params(params)
