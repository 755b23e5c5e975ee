"""Tables: rows of texts and numbers, sortable, copied as tab-separated text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from engine.core.views import TableView
from engine.text.mathtext import to_plain
from engine.text.numbers import NONE, short
from gui.plots.panes.pane import Pane
from gui.style import scaling

Index = QModelIndex | QPersistentModelIndex
RAW = int(Qt.ItemDataRole.UserRole)


class RowsModel(QAbstractTableModel):
    """Rows under headings; numbers are shown short and sorted as numbers."""

    def __init__(self, headings: Sequence[str]) -> None:
        super().__init__()
        self._headings = [to_plain(text) for text in headings]
        self._rows: list[tuple[Any, ...]] = []

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows shown."""
        return self._rows

    def set_headings(self, headings: Sequence[str]) -> None:
        """Show other headings."""
        self.beginResetModel()
        self._headings = [to_plain(text) for text in headings]
        self.endResetModel()

    def set_rows(self, rows: Sequence[Sequence[Any]]) -> None:
        """Show other rows; as many as before change in place, so that nothing scrolls."""
        fresh = [tuple(row) for row in rows]
        if fresh == self._rows:
            return
        if len(fresh) != len(self._rows):
            self.beginResetModel()
            self._rows = fresh
            self.endResetModel()
            return
        self._rows = fresh
        last = self.index(len(fresh) - 1, len(self._headings) - 1)
        self.dataChanged.emit(self.index(0, 0), last)

    def rowCount(self, parent: Index | None = None) -> int:
        """Count rows."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Count columns."""
        return 0 if parent is not None and parent.isValid() else len(self._headings)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> Any:
        """Return a heading."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            first = self._rows[0] if self._rows else ()
            return _alignment(first[section] if section < len(first) else "")
        return None

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Return a cell's text, number or alignment."""
        row = self._rows[index.row()]
        value = row[index.column()] if index.column() < len(row) else ""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return cell_text(value)  # a column may be narrower than the text
        if role == RAW:
            return (
                value if _is_number(value) and value == value else cell_text(value)
            )  # NaN is a text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(value)
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _alignment(value: Any) -> int:
    side = Qt.AlignmentFlag.AlignRight if _is_number(value) else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def cell_text(value: Any) -> str:
    """Write a cell: numbers short, a dash for None, "yes" and "no" for truth."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return short(float(value), 5)
    return to_plain(str(value))


class _Table(QTableView):
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """Put the selected cells on the clipboard."""
        cells = sorted(self.selectedIndexes(), key=lambda i: (i.row(), i.column()))
        lines: dict[int, list[str]] = {}
        for cell in cells:
            lines.setdefault(cell.row(), []).append(str(cell.data(RAW)))
        QGuiApplication.clipboard().setText("\n".join("\t".join(row) for row in lines.values()))


class TablePane(Pane[TableView]):
    """Draws a `TableView`."""

    def __init__(self, view: TableView, parent: QWidget | None = None) -> None:
        super().__init__(view, parent)
        self.model = RowsModel(view.headings)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model)
        self._sorted.setSortRole(RAW)
        self.table = _Table(self)
        self.table.setModel(self._sorted)
        self.table.setAccessibleName(view.title)
        self.table.setAccessibleDescription(to_plain(view.help))
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.setCornerButtonEnabled(False)
        self.table.setWordWrap(False)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        scaling.margins(layout, 6, 0, 6, 6)
        layout.addWidget(self.table)
        self._fitted_rows = 0
        self._is_fitting = self._is_users = False
        header.sectionResized.connect(self._on_resized)

    def set_view(self, view: TableView) -> None:
        """Take other headings or another key."""
        if view.headings != self.view.headings:
            self.model.set_headings(view.headings)
        super().set_view(view)

    def redraw(self) -> None:
        """Show what was given last."""
        given = None if self._shown is None else self._shown.observation.get(self.view.key)
        rows = [row for row in given if isinstance(row, list | tuple)] if given is not None else []
        self.model.set_rows(rows)
        if rows and len(rows) != self._fitted_rows and not self._is_users:
            self._is_fitting = True
            self.table.resizeColumnsToContents()
            self._is_fitting = False
        self._fitted_rows = len(rows)

    def _on_resized(self, column: int) -> None:
        """Leave the columns as the user makes them; the last one follows the width."""
        is_last = column == self.model.columnCount() - 1
        self._is_users = self._is_users or not (self._is_fitting or is_last)
