"""The table of compared runs: one row a run, its name, colour and whether it is drawn first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from engine.run.snapshot import Snapshot
from engine.storage.comparison import Compared, Comparison, compare, text
from engine.text.numbers import NONE, exact_text
from gui.compare.pins import Pin, Pins
from gui.compare.results import result_of
from gui.style import scaling
from gui.widgets.sorting import SORT_ROLE, Sorted

PRESENT = "present run"
SWATCH = 12
HEADING = 92
"""Pixels at which a heading goes on in another line."""
WIDEST, BEFORE = 260, 76
"""Pixels of a name at most, and of its box, its colour and the room around them."""
_Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole


class RunsModel(QAbstractTableModel):
    """The present run and those pinned to its experiment.

    Parameters
    ----------
    pins : Pins
        Which are renamed and toggled from here.
    color_of : callable
        Returns the colour of a role in the theme.
    """

    def __init__(self, pins: Pins, color_of: Callable[[str], QColor]) -> None:
        super().__init__()
        self._pins = pins
        self._color_of = color_of
        self._rows: tuple[Pin | None, ...] = ()
        self.comparison: Comparison = compare(())

    def show_runs(self, snapshot: Snapshot | None, pins: Sequence[Pin]) -> None:
        """Show other runs, or the same as they are now."""
        runs = [] if snapshot is None else [_present(snapshot)]
        rows = (*([] if snapshot is None else [None]), *pins)
        comparison = compare([*runs, *map(_compared, pins)])
        if comparison == self.comparison and rows == self._rows:
            return
        same = len(rows) == len(self._rows) and _names(comparison) == _names(self.comparison)
        if not same:
            self.beginResetModel()
        self._rows, self.comparison = rows, comparison
        if same:
            last = self.index(len(rows) - 1, len(comparison.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
        else:
            self.endResetModel()

    def pin(self, row: int) -> Pin | None:
        """Return the pin of a row; None for the present run."""
        return self._rows[row]

    def rowCount(self, parent: _Index | None = None) -> int:
        """Count runs."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Count columns."""
        return 0 if parent is not None and parent.isValid() else len(self.comparison.columns)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Allow to rename and to toggle a pinned run in the first column."""
        flags = super().flags(index)
        if index.isValid() and index.column() == 0 and self._rows[index.row()] is not None:
            flags |= Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: _Index, role: int = Role.DisplayRole) -> Any:
        """Return a cell for reading, for sorting, or in full."""
        pin = self._rows[index.row()]
        value = self.comparison.columns[index.column()].values[index.row()]
        if index.column() == 0 and pin is not None:
            if role == Role.DecorationRole:
                return _swatch(self._color_of(pin.color))
            if role == Role.CheckStateRole:
                return Qt.CheckState.Checked if pin.visible else Qt.CheckState.Unchecked
            if role == Role.EditRole:
                return pin.title
        if role == Role.DisplayRole:
            return text(value)
        if role == Role.ToolTipRole:
            return exact_text(value) if isinstance(value, float) else str(value)
        if role == SORT_ROLE:
            return value
        if role == Role.TextAlignmentRole:
            return self._alignment(index.column())
        return None

    def _alignment(self, column: int) -> int:
        """Return the side of a column of numbers, or of texts."""
        right = any(map(_is_number, self.comparison.columns[column].values))
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)

    def setData(self, index: _Index, value: Any, role: int = Role.EditRole) -> bool:
        """Rename or toggle a pinned run."""
        pin = self._rows[index.row()]
        if pin is None or index.column() != 0:
            return False
        if role == Role.CheckStateRole:
            self._pins.show(pin.id, Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        if role == Role.EditRole:
            self._pins.rename(pin.id, "" if str(value) == pin.label else str(value))
            return True
        return False

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        """Name a column, over its numbers; the tip is its name in files."""
        if orientation == Qt.Orientation.Vertical:
            return None
        column = self.comparison.columns[section]
        if role == Role.DisplayRole:
            return column.heading
        if role == Role.ToolTipRole:
            return f"{column.heading} ({column.name})"
        if role == Role.TextAlignmentRole:
            side = self._alignment(section) & ~int(Qt.AlignmentFlag.AlignVCenter)
            return side | int(Qt.AlignmentFlag.AlignBottom | Qt.TextFlag.TextWordWrap)
        return None


class WrappedHeader(QHeaderView):
    """Headings in several lines, so that a column is hardly wider than what stands in it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def sectionSizeFromContents(self, section: int) -> QSize:  # noqa: N802
        """Return the size of a heading: as wide as its longest word, or a few words."""
        whole = super().sectionSizeFromContents(section)
        text = str(self.model().headerData(section, self.orientation()))
        metrics = self.fontMetrics()
        longest = max(map(metrics.horizontalAdvance, text.split()), default=0)
        room = max(longest, min(scaling.whole(HEADING), metrics.horizontalAdvance(text)))
        wrapped = metrics.boundingRect(QRect(0, 0, room, 10_000), Qt.TextFlag.TextWordWrap, text)
        line = metrics.boundingRect(text)
        beside = whole - QSize(metrics.horizontalAdvance(text), line.height())
        return QSize(room + max(beside.width(), 0), wrapped.height() + max(beside.height(), 0))


class RunsTable(QTableView):
    """The table; the run under the mouse stands out in the plots.

    Attributes
    ----------
    hovered : Signal(int or None)
        The row of the model under the mouse.
    """

    hovered = Signal(object)

    def __init__(self, model: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = model
        self._sorted = Sorted(self)
        self._sorted.setSourceModel(model)
        self.setModel(self._sorted)
        header = WrappedHeader(self)
        self.setHorizontalHeader(header)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setMouseTracking(True)
        self.setAccessibleName("Compared runs")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        model.modelReset.connect(self._widen)
        model.dataChanged.connect(self._widen)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        scaling.least(self, width=420, height=180)
        self.entered.connect(lambda index: self.hovered.emit(self._row(index)))

    @property
    def row(self) -> int | None:
        """The row of the model that is chosen."""
        found = self.selectionModel().selectedRows()
        return self._row(found[0]) if found else None

    def choose(self, row: int) -> None:
        """Choose a row of the model."""
        self.selectRow(self._sorted.mapFromSource(self._source.index(row, 0)).row())

    @property
    def room(self) -> QSize:
        """The size at which all columns and rows can be seen."""
        header = self.horizontalHeader()
        rows = (self._source.rowCount() + 1) * self.verticalHeader().defaultSectionSize()
        return QSize(header.length() + scaling.whole(4), header.sizeHint().height() + rows)

    def unsort(self) -> None:
        """Show the runs in their own order."""
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)

    def _widen(self) -> None:
        """Make room for the names and what stands before them; hide what no run has."""
        for number, column in enumerate(self._source.comparison.columns):
            self.setColumnHidden(number, all(text(value) == NONE for value in column.values))
        names = (str(index.data()) for index in map(self._name, range(self._source.rowCount())))
        widest = max(map(self.fontMetrics().horizontalAdvance, names), default=0)
        self.setColumnWidth(0, min(widest, scaling.whole(WIDEST)) + scaling.whole(BEFORE))

    def _name(self, row: int) -> QModelIndex:
        return self._source.index(row, 0)

    def _row(self, index: QModelIndex) -> int:
        return self._sorted.mapToSource(index).row()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Notice where no run is under the mouse."""
        super().mouseMoveEvent(event)
        if not self.indexAt(event.position().toPoint()).isValid():
            self.hovered.emit(None)

    def leaveEvent(self, event: Any) -> None:
        """Notice that the mouse is gone."""
        super().leaveEvent(event)
        self.hovered.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Toggle the chosen run with the space bar."""
        if event.key() == Qt.Key.Key_Space and self.row is not None:
            index = self._source.index(self.row, 0)
            state = index.data(Role.CheckStateRole)
            if state is not None:
                other = Qt.CheckState.Unchecked if state == Qt.CheckState.Checked else None
                self._source.setData(index, other or Qt.CheckState.Checked, Role.CheckStateRole)
            return
        super().keyPressEvent(event)


def _present(snapshot: Snapshot) -> Compared:
    return Compared(
        label=PRESENT,
        experiment=snapshot.experiment,
        params=snapshot.params,
        seed=snapshot.seed,
        result=result_of(snapshot),
        trace=snapshot.trace,
        changes=len(snapshot.changes),
    )


def _compared(pin: Pin) -> Compared:
    return Compared(
        label=pin.title.replace("\u00a0", " "),
        experiment=pin.experiment,
        params=pin.params,
        seed=pin.seed,
        result=pin.result,
        trace=pin.trace,
        changes=pin.changes,
    )


def _names(comparison: Comparison) -> list[str]:
    return [f"{column.group}.{column.name}" for column in comparison.columns]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _swatch(color: QColor) -> QIcon:
    side = scaling.whole(SWATCH)
    pixels = QPixmap(side, side)
    pixels.fill(color)
    return QIcon(pixels)
