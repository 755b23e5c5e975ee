"""A dialog that edits a matrix or a list of points cell by cell, with paste from spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from engine.text.arithmetic import NumberError, read_number
from engine.text.numbers import exact_text, whole
from gui.style.ink import ink
from gui.widgets.labels import InkLabel

LARGEST = 10_000
"""Rows or columns beyond which a table is better read from a file."""
MOST_CELLS = 100_000
"""Cells of a grid: each is a text of its own, which takes memory and time to check."""
SMALL = 2000
"""Cells of a grid whose columns are fitted to their numbers."""

_Index = QModelIndex | QPersistentModelIndex


def cells_of(text: str) -> list[list[str]]:
    """Split pasted text into cells: by tabs if there are any, else by commas, semicolons, blanks.

    A number with a decimal comma is read as one where tabs part the cells.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    while lines and not lines[-1].strip():
        lines.pop()
    tabbed = "\t" in text
    rows = []
    for line in lines:
        if tabbed:
            cells = [cell.strip() for cell in line.split("\t")]
            cells = [
                c.replace(",", ".") if re.fullmatch(r"[^.]*\d,\d[^.,]*", c) else c for c in cells
            ]
        else:
            cells = [cell for cell in re.split(r"\s*[,;]\s*|\s+", line.strip()) if cell]
        rows.append(cells)
    return rows


def size_error(rows: int, columns: int) -> str:
    """Return one sentence on a grid that is too large to be edited; empty if it is not."""
    if rows <= LARGEST and columns <= LARGEST and rows * columns <= MOST_CELLS:
        return ""
    return (
        f"{whole(rows)} x {whole(columns)} cells are too many: a grid has at most "
        f"{whole(MOST_CELLS)} cells, and {whole(LARGEST)} rows or columns."
    )


def number_of(cell: str) -> float | None:
    """Return the number in a cell; None if it is no finite number."""
    try:
        return read_number(cell)
    except NumberError:
        return None


class GridModel(QAbstractTableModel):
    """Cells as texts, so that nothing typed is lost before it is a number."""

    def __init__(self, rows: Sequence[Sequence[float]], headings: Sequence[str]) -> None:
        super().__init__()
        self._headings = tuple(headings)
        self.cells = [[exact_text(number) for number in row] for row in rows]

    def rowCount(self, parent: _Index | None = None) -> int:
        """Count rows."""
        return 0 if parent is not None and parent.isValid() else len(self.cells)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Count columns."""
        if parent is not None and parent.isValid():
            return 0
        if self._headings:
            return len(self._headings)
        return len(self.cells[0]) if self.cells else 0

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's text, or the colour of one that is no number."""
        cell = self.cells[index.row()][index.column()]
        shown = Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.ToolTipRole
        if role in shown:
            return cell
        if role == Qt.ItemDataRole.ForegroundRole and number_of(cell) is None:
            return ink("bad")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take a cell's text."""
        if role != Qt.ItemDataRole.EditRole:
            return False
        self.cells[index.row()][index.column()] = str(value).strip()
        self.dataChanged.emit(index, index)
        return True

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Make every cell editable."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the number of a row or column, from 1, or the name of a column."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Horizontal and self._headings:
            return self._headings[section]
        return str(section + 1)

    def resize(self, rows: int, columns: int) -> None:
        """Cut, or fill up with zeros."""
        self.beginResetModel()
        self.cells = [
            [
                self.cells[i][j] if i < len(self.cells) and j < len(self.cells[i]) else "0"
                for j in range(columns)
            ]
            for i in range(rows)
        ]
        self.endResetModel()

    def paste(self, row: int, column: int, cells: Sequence[Sequence[str]]) -> None:
        """Write cells from a place on, growing as needed (points stay two columns wide).

        The grid must not become too large: see `size_after`.
        """
        rows, columns = self.size_after(row, column, cells)
        self.resize(rows, columns)
        self.beginResetModel()
        for i, line in enumerate(cells):
            for j, cell in enumerate(line[: columns - column]):
                self.cells[row + i][column + j] = cell
        self.endResetModel()

    def size_after(self, row: int, column: int, cells: Sequence[Sequence[str]]) -> tuple[int, int]:
        """Return rows and columns after cells are pasted from a place on."""
        width = max((len(line) for line in cells), default=0)
        columns = len(self._headings) or max(self.columnCount(), column + width)
        return max(self.rowCount(), row + len(cells)), columns

    def transpose(self) -> None:
        """Exchange rows and columns."""
        self.beginResetModel()
        self.cells = [list(column) for column in zip(*self.cells, strict=True)]
        self.endResetModel()

    def first_bad(self) -> tuple[int, int] | None:
        """Find the first cell that is no number."""
        for i, row in enumerate(self.cells):
            for j, cell in enumerate(row):
                if number_of(cell) is None:
                    return i, j
        return None

    def rows(self) -> tuple[tuple[float, ...], ...]:
        """Return the numbers; only where `first_bad` finds none."""
        return tuple(tuple(read_number(cell) for cell in row) for row in self.cells)


class GridDialog(QDialog):
    """The editor of a matrix (any size) or of a table with given columns.

    Attributes
    ----------
    rows_given : Signal(tuple)
        The user accepted these rows.
    """

    rows_given = Signal(object)

    def __init__(
        self,
        title: str,
        rows: Sequence[Sequence[float]],
        headings: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(520, 420)
        self.model = GridModel(rows, headings)
        self.model.setParent(self)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setAccessibleName(title)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.table.horizontalHeader().setDefaultSectionSize(84)
        self.row_count = self._counter("Rows", self.model.rowCount())
        self.column_count = self._counter("Columns", self.model.columnCount())
        self.column_count.setEnabled(not headings)
        self.message = InkLabel("", "bad")
        self.message.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self._on_accepted)
        self.buttons.rejected.connect(self.reject)
        self._lay_out(bool(headings))
        self.model.dataChanged.connect(self._check)
        self.model.modelReset.connect(self._on_reset)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), self.table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self.paste)
        self._fit_columns()
        self._check()

    def _counter(self, name: str, value: int) -> QSpinBox:
        counter = QSpinBox()
        counter.setRange(0, LARGEST)
        counter.setValue(value)
        counter.setAccessibleName(name)
        counter.setKeyboardTracking(False)
        counter.valueChanged.connect(self._on_count_changed)
        return counter

    def _lay_out(self, fixed_columns: bool) -> None:
        line = QHBoxLayout()
        for counter, name in ((self.row_count, "Rows"), (self.column_count, "Columns")):
            label = QLabel(name)
            label.setBuddy(counter)
            line.addWidget(label)
            line.addWidget(counter)
        line.addStretch(1)
        paste = QPushButton("Paste")
        paste.setToolTip("Paste cells copied from a spreadsheet or a text (Ctrl+V).")
        paste.clicked.connect(self.paste)
        line.addWidget(paste)
        transpose = QPushButton("Transpose")
        transpose.clicked.connect(self.model.transpose)
        transpose.setVisible(not fixed_columns)
        line.addWidget(transpose)
        layout = QVBoxLayout(self)
        layout.addLayout(line)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.message)
        layout.addWidget(self.buttons)

    def paste(self) -> None:
        """Paste from the clipboard, at the current cell."""
        current = self.table.currentIndex()
        cells = cells_of(QGuiApplication.clipboard().text())
        if not cells:
            return
        row, column = max(current.row(), 0), max(current.column(), 0)
        refusal = size_error(*self.model.size_after(row, column, cells))
        if refusal:
            self.message.setText(refusal)
        else:
            self.model.paste(row, column, cells)

    def _check(self) -> None:
        bad = self.model.first_bad()
        if bad is None:
            self.message.setText("")
        else:
            cell = self.model.cells[bad[0]][bad[1]]
            self.message.setText(
                f"Row {bad[0] + 1}, column {bad[1] + 1}: {cell!r} is not a finite number."
            )
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(bad is None)

    def _on_count_changed(self) -> None:
        rows, columns = self.row_count.value(), self.column_count.value()
        refusal = size_error(rows, columns)
        if refusal:
            self._show_size()
            self.message.setText(refusal)
        else:
            self.model.resize(rows, columns)

    def _on_reset(self) -> None:
        self._show_size()
        self._fit_columns()
        self._check()

    def _show_size(self) -> None:
        counts = self.model.rowCount(), self.model.columnCount()
        for counter, count in zip((self.row_count, self.column_count), counts, strict=True):
            with QSignalBlocker(counter):
                counter.setValue(count)

    def _fit_columns(self) -> None:
        """Fit the columns of a small grid to their numbers."""
        if self.model.rowCount() * self.model.columnCount() <= SMALL:
            self.table.resizeColumnsToContents()
            for column in range(self.model.columnCount()):
                width = min(max(self.table.columnWidth(column) + 8, 64), 220)
                self.table.setColumnWidth(column, width)

    def _on_accepted(self) -> None:
        self.rows_given.emit(self.model.rows())
        self.accept()
