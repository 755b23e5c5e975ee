"""The bounds of the theory: formula, prediction, measurement beside it, source and note."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from engine.core.claims import Bound
from engine.text.mathtext import plain_math, to_plain
from gui.style import scaling
from gui.typeset.formula import FormulaLabel, typesetter
from gui.widgets.cards import Arrow, Card, Hairline, Link
from gui.widgets.labels import InkLabel
from gui.widgets.words import SMALL, Figure, Words


def defined_by(bound: Bound) -> str:
    """Return the mathtext of what a bound is: its formula, made an equation if it is none."""
    if not bound.formula:
        return bound.symbol if bound.value is None else ""
    outer = bound.formula
    while (inner := re.sub(r"\{[^{}]*\}", "", outer)) != outer:
        outer = inner  # the "=" below a sum makes no equation
    is_statement = re.search(r"=|<|>|\\leq|\\geq|\\approx", outer)
    return bound.formula if is_statement else rf"{bound.symbol} = {bound.formula}"


class BoundRow(QWidget):
    """One bound.

    Attributes
    ----------
    value_wanted : Signal(str, float)
        The user wants the parameter of this name to have this value.
    """

    value_wanted = Signal(str, float)

    def __init__(self, bound: Bound, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bound: Bound | None = None
        self._together: bool | None = None
        self.name = Words()
        self.symbol = FormulaLabel(role="muted")
        self.symbol.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.value = Figure()
        self.formula = FormulaLabel()
        self.measured_symbol = FormulaLabel(role="muted", scale=0.92)
        self.measured_symbol.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.measured_word = InkLabel("measured", "muted")
        scaling.font(self.measured_word, SMALL)
        self.measured = Figure(strong=False)
        self.source = Words("muted", fine=True)
        self.use = Link("Use it")
        self.use.clicked.connect(self._on_use_clicked)
        self.arrow = Arrow()
        self.note = Words("muted", fine=True)
        self.note.hide()
        self.arrow.toggled.connect(self.note.setVisible)
        self._lay_out()
        self.show_bound(bound)

    def _lay_out(self) -> None:
        self.name.center(2)
        self.source.center(4)
        policy = self.arrow.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # "Use it" stands in one column
        self.arrow.setSizePolicy(policy)
        self._beside = QWidget()
        measured = QHBoxLayout(self._beside)
        measured.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(measured, 4)
        measured.addWidget(self.measured_word)
        measured.addWidget(self.measured_symbol)
        measured.addWidget(self.measured)
        foot = QHBoxLayout()
        scaling.spacing(foot, 2)
        foot.addWidget(self.source, 1)
        foot.addWidget(self.use)
        foot.addWidget(self.arrow)
        grid = self._grid = QGridLayout(self)
        scaling.margins(grid, 0, 4, 0, 4)
        scaling.across(grid, 8)
        scaling.down(grid, 2)
        grid.setColumnStretch(0, 1)
        head = QHBoxLayout()
        scaling.spacing(head, 2)
        head.addWidget(self.name, 1)
        scaling.gap(head, 8)
        head.addWidget(self.symbol, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.value, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(head, 0, 0, 1, 2)
        grid.addLayout(foot, 3, 0, 1, 2)
        grid.addWidget(self.note, 4, 0, 1, 2)
        self._place_measured()
        typesetter().ready.connect(self._on_ready)

    def _place_measured(self) -> None:
        """Put the measurement beside the formula, or below one that needs the whole width."""
        needed = self.formula.sizeHint().width() + self._beside.sizeHint().width() + 8
        together = needed <= self.width()
        if together == self._together:
            return
        self._together = together
        self._grid.addWidget(self.formula, 1, 0, 1, 1 if together else 2)
        right = Qt.AlignmentFlag.AlignRight
        if together:
            self._grid.addWidget(self._beside, 1, 1, right | Qt.AlignmentFlag.AlignVCenter)
        else:
            self._grid.addWidget(self._beside, 2, 0, 1, 2, right)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange formula and measurement for the new width."""
        super().resizeEvent(event)
        self._place_measured()

    def _on_ready(self, mathtext: str) -> None:
        if mathtext in (self.formula.formula, self.measured_symbol.formula):
            self._place_measured()

    @property
    def bound(self) -> Bound | None:
        """The bound that is shown."""
        return self._bound

    def show_bound(self, bound: Bound) -> None:
        """Show a bound; only what differs is touched."""
        if bound == self._bound:
            return
        self._bound = bound
        symbol = plain_math(bound.symbol)
        self.name.say(bound.name)
        self.value.show_value(symbol, bound.value, "does not apply")
        self.symbol.set_formula(f"{{{bound.symbol}}}" if bound.value is not None else "")
        self.formula.set_formula(defined_by(bound))
        self.formula.setVisible(bool(self.formula.formula))
        self.measured.show_value(f"{symbol} measured", bound.measured)
        self.measured_symbol.set_formula(bound.measured_symbol)
        self._beside.setVisible(bound.measured is not None)
        self.measured_symbol.setVisible(bool(bound.measured_symbol))
        self.source.say(bound.source)
        self.note.say(bound.note)
        self.arrow.setVisible(bool(bound.note))
        self.arrow.setAccessibleName(f"Note on {symbol}")
        self.arrow.setToolTip(to_plain(bound.note))
        self.use.setVisible(bool(bound.field))
        self.use.setEnabled(bound.value is not None)
        self.use.setAccessibleName(f"Set {bound.field} to {symbol}")
        self.use.setToolTip(f"Set {bound.field} to {symbol}")
        self._place_measured()

    def _on_use_clicked(self) -> None:
        if self._bound is not None and self._bound.value is not None:
            self.value_wanted.emit(self._bound.field, self._bound.value)


class BoundsCard(Card):
    """All bounds, one below the other; rows are made for new bounds only."""

    value_wanted = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        scaling.spacing(self.column, 3)
        self.rows: dict[str, BoundRow] = {}
        self._lines: list[Hairline] = []

    def show_bounds(self, bounds: Sequence[Bound]) -> None:
        """Show bounds."""
        if list(self.rows) != [bound.id for bound in bounds]:
            self._rebuild(bounds)
        for bound in bounds:
            self.rows[bound.id].show_bound(bound)

    def _rebuild(self, bounds: Sequence[Bound]) -> None:
        opened = {key for key, row in self.rows.items() if row.arrow.isChecked()}
        before, ids = self.rows, {bound.id for bound in bounds}
        for old in (*before.values(), *self._lines):
            self.column.removeWidget(old)
        for gone in (*self._lines, *(row for key, row in before.items() if key not in ids)):
            gone.hide()
            gone.deleteLater()
        self.rows, self._lines = {}, []
        for bound in bounds:
            if self.rows:
                self._lines.append(Hairline())
                self.column.addWidget(self._lines[-1])
            row = before.get(bound.id) or self._row(bound)
            row.arrow.setChecked(bound.id in opened)
            self.rows[bound.id] = row
            self.column.addWidget(row)
            row.show()  # now, not when the layout gets to it: no empty frame between

    def _row(self, bound: Bound) -> BoundRow:
        row = BoundRow(bound)
        row.value_wanted.connect(self.value_wanted)
        return row
