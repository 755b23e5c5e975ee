"""The table of an ensemble: one row a run, sorted by any column, copied to spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from engine.core.ensemble import Share
from engine.text.mathtext import to_plain
from engine.text.numbers import exact_text, short
from gui.style import scaling
from gui.widgets.sorting import SORT_ROLE, Sorted

_Index = QModelIndex | QPersistentModelIndex


def readable_key(name: str) -> str:
    """Write a key for people: ``fraction_diverged`` as ``Fraction diverged``."""
    if "$" in name:
        return to_plain(name)
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def text_of(value: Any) -> str:
    """Write a value of a table or a summary for reading."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Share):
        return value.words
    if isinstance(value, float):
        return short(value, 6)
    if isinstance(value, Mapping):
        return "; ".join(f"{readable_key(str(k))} {text_of(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text_of(item) for item in value)
    return str(value)


class EnsembleModel(QAbstractTableModel):
    """The columns of an ensemble."""

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._columns: tuple[list[Any], ...] = ()

    def set_columns(self, columns: Mapping[str, list[Any]]) -> None:
        """Show other columns."""
        self.beginResetModel()
        self._names = tuple(columns)
        self._columns = tuple(columns.values())
        self.endResetModel()

    def rowCount(self, parent: _Index | None = None) -> int:
        """Count runs."""
        if (parent is not None and parent.isValid()) or not self._columns:
            return 0
        return min(len(column) for column in self._columns)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Count columns."""
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell for reading, for sorting, or in full."""
        value = self._columns[index.column()][index.row()]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if role == Qt.ItemDataRole.DisplayRole:
            return text_of(value)
        if role == Qt.ItemDataRole.ToolTipRole and number:
            return exact_text(value)
        if role == SORT_ROLE:
            return value
        if role == Qt.ItemDataRole.TextAlignmentRole and (number or value is None):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Name a column, or number a row from 1; a name stands where its numbers do."""
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation == Qt.Orientation.Horizontal:
            values = self._columns[section][:1]
            right = bool(values) and isinstance(values[0], int | float | None)
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Horizontal:
            return readable_key(self._names[section])
        return str(section + 1)


class EnsembleTable(QTableView):
    """The table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = EnsembleModel()
        self.source.setParent(self)
        self._sorted = Sorted(self)
        self._sorted.setSourceModel(self.source)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAccessibleName("Runs of the ensemble")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        scaling.least(self, height=160)

    def set_columns(self, columns: Mapping[str, list[Any]]) -> None:
        """Show other columns, in the order in which the runs were made."""
        self.source.set_columns(columns)
        self._sorted.sort(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the selected cells with the usual key."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.selected_text())
            event.accept()
        elif event.key() == Qt.Key.Key_Space:
            event.ignore()  # play and pause
        else:
            super().keyPressEvent(event)

    def selected_text(self) -> str:
        """Return the selected cells with all digits, parted by tabs, for a spreadsheet."""
        rows: dict[int, list[str]] = {}
        for index in sorted(
            self.selectionModel().selectedIndexes(), key=lambda i: (i.row(), i.column())
        ):
            value = index.data(SORT_ROLE)
            exact = isinstance(value, float)
            text = exact_text(value) if exact else "" if value is None else str(value)
            rows.setdefault(index.row(), []).append(text)
        return "\n".join("\t".join(cells) for cells in rows.values())
