"""The scrolled part of the parameter form: rows in groups, of which some are shown."""

from __future__ import annotations

import types
from typing import Union, get_args, get_origin

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from engine.core.params import PATHS, Params, ParamSpec, describe
from gui.form.constants import ConstantsRow
from gui.form.expression import ExpressionRow
from gui.form.group import FieldGroup
from gui.form.matrix import MatrixRow
from gui.form.number import NumberRow
from gui.form.row import FieldRow
from gui.form.texts import BoolRow, ChoiceRow, PathRow, TextRow
from gui.style import scaling
from gui.widgets.controls import QuietScrollArea


class FormBody(QuietScrollArea):
    """The rows of a model's fields; the one in use keeps its place on the screen.

    Attributes
    ----------
    rows : dict of str to FieldRow
        By the field's name.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, FieldRow] = {}
        self._groups: dict[str, FieldGroup] = {}
        self._new_body()

    def build(self, model: type[Params]) -> None:
        """Make the rows of a model in place of those there were."""
        layout = self._new_body()
        self.rows, self._groups = {}, {}
        specs = describe(model)
        first = next((spec.group for spec in specs if spec.live), "")
        # What is turned while a run goes on comes first, the rest as it was declared.
        for spec in sorted(specs, key=lambda spec: spec.group != first):
            group = self._groups.get(spec.group)
            if group is None:
                group = self._groups[spec.group] = FieldGroup(spec.group)
                group.heading.setChecked(spec.group not in model.folded)
                layout.addWidget(group)
            row = make_row(spec, is_optional(model, spec.name))
            self.rows[spec.name] = row
            group.add(row)
        layout.addStretch(1)

    def show_rows(self, shown: set[str]) -> None:
        """Show the rows of some fields, without moving the one in use on the screen."""
        if all(row.isHidden() != (name in shown) for name, row in self.rows.items()):
            return
        body = self._body
        focused = QApplication.focusWidget()
        if focused is not None and not body.isAncestorOf(focused):
            focused = None
        before = _top(focused, body)
        body.setUpdatesEnabled(False)
        for name, row in self.rows.items():
            row.setVisible(name in shown)
        for group in self._groups.values():
            group.show_if_needed()
        self._settle()
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + _top(focused, body) - before)
        body.setUpdatesEnabled(True)

    def unfold(self, row: FieldRow) -> None:
        """Open the group of a row, so that what is said of its value is seen."""
        for group in self._groups.values():
            if group.isAncestorOf(row):
                group.heading.setChecked(True)

    def follow(self, row: FieldRow) -> None:
        """Bring a row that has grown into view, if it is in use."""
        focused = QApplication.focusWidget()
        if focused is not None and row.isAncestorOf(focused):
            self._settle()
            self.ensureWidgetVisible(row, 0, 8)

    def _new_body(self) -> QVBoxLayout:
        self._body = QWidget()
        layout = QVBoxLayout(self._body)
        scaling.margins(layout, 12, 8, 12, 12)
        scaling.spacing(layout, 4)
        self.setWidget(self._body)
        return layout

    def _settle(self) -> None:
        """Lay the rows out now, so that the scroll bar knows their new height."""
        layout = self._body.layout()
        if layout is not None:
            layout.activate()
            width = self._body.width()
            height = max(layout.totalHeightForWidth(width), self.viewport().height())
            self._body.resize(width, height)


def _top(widget: QWidget | None, ancestor: QWidget) -> int:
    """Return a widget's distance from the top of another that holds it."""
    return 0 if widget is None else widget.mapTo(ancestor, QPoint(0, 0)).y()


def make_row(spec: ParamSpec, optional: bool) -> FieldRow:
    """Choose the row for a field."""
    if spec.widget in PATHS:
        return PathRow(spec, optional)
    hinted: dict[str, type[FieldRow]] = {
        "expression": ExpressionRow,
        "constants": ConstantsRow,
    }
    if spec.widget in hinted:
        return hinted[spec.widget](spec, optional)
    rows: dict[str, type[FieldRow]] = {
        "float": NumberRow,
        "int": NumberRow,
        "bool": BoolRow,
        "choice": ChoiceRow,
        "matrix": MatrixRow,
    }
    return rows.get(spec.kind, TextRow)(spec, optional)


def is_optional(model: type[Params], name: str) -> bool:
    """Return whether a field may be None."""
    annotation = model.model_fields[name].annotation
    union = get_origin(annotation) in (Union, types.UnionType)
    return union and type(None) in get_args(annotation)
