"""The list of experiments, under the sections of the paper."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from engine.core.registry import Listed
from gui.style.scaling import px, whole
from gui.style.theme import current_theme
from gui.widgets.controls import draw_focus
from gui.widgets.shortcuts import experiment_keys, native_text

ID_ROLE = Qt.ItemDataRole.UserRole
KEYS_ROLE = Qt.ItemDataRole.UserRole + 1

_Index = QModelIndex | QPersistentModelIndex


class _Delegate(QStyledItemDelegate):
    """Paints a title and, if there is room, its muted keys; a section as a small heading.

    What an experiment is about stands in the header of the window, and in the tooltip.
    """

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return the height of one line, with room around it."""
        return QSize(0, QFontMetrics(option.font).height() + whole(14))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw the item."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.data(ID_ROLE) is None:
            self._paint_section(painter, option, index)
        else:
            self._paint_experiment(painter, option, index)
        painter.restore()

    def _paint_section(
        self, painter: QPainter, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        font = QFont(option.font)
        font.setPointSizeF(font.pointSizeF() * 0.88)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(option.palette.color(QPalette.ColorRole.PlaceholderText))
        rect = option.rect.adjusted(whole(10), 0, -whole(10), -whole(3))
        flags = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
        text = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, rect.width()
        )
        painter.drawText(rect, flags, text)

    def _paint_experiment(
        self, painter: QPainter, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        palette = option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_background(painter, option, selected)
        area = option.rect.adjusted(whole(12), 0, -whole(12), 0)
        small = QFont(option.font)
        small.setPointSizeF(small.pointSizeF() * 0.88)
        keys, middle = str(index.data(KEYS_ROLE)), Qt.AlignmentFlag.AlignVCenter
        title_font = QFont(option.font)
        title_font.setWeight(QFont.Weight.DemiBold if selected else QFont.Weight.Medium)
        taken = QFontMetrics(small).horizontalAdvance(keys) + whole(8)
        if taken + QFontMetrics(title_font).horizontalAdvance(str(index.data())) > area.width():
            keys, taken = "", 0
        painter.setFont(small)
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | middle, keys)
        painter.setFont(title_font)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        room = area.adjusted(0, 0, -taken, 0)
        title = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | middle, title)

    @staticmethod
    def _paint_background(painter: QPainter, option: QStyleOptionViewItem, selected: bool) -> None:
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if not selected and not hovered:
            return
        theme = current_theme()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("soft_accent" if selected else "grid"))
        box = QRectF(option.rect).adjusted(px(4), px(1), -px(4), -px(1))
        painter.drawRoundedRect(box, px(6), px(6))
        if selected:
            painter.setBrush(theme.color("accent"))
            bar = QRectF(box.left(), box.top() + px(6), px(3), box.height() - px(12))
            painter.drawRoundedRect(bar, px(1.5), px(1.5))
        if option.state & QStyle.StateFlag.State_HasFocus:
            draw_focus(painter, box, px(6))


def _title_width(title: str) -> int:
    """Return the width in pixels of an item that shows a title in full, beside a scroll bar."""
    font = QFont(QApplication.font())
    font.setWeight(QFont.Weight.DemiBold)
    return QFontMetrics(font).horizontalAdvance(title) + whole(24 + 12)


class _List(QListWidget):
    """A list that leaves the plain keys of the window alone."""

    def __init__(self) -> None:
        super().__init__()
        self.in_key = False
        """Whether the selection is being moved by a key."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the arrows up and down, Home and End; let Space, letters and digits through."""
        kept = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End)
        if event.key() in kept:
            self.in_key = True
            try:
                super().keyPressEvent(event)
            finally:
                self.in_key = False
        else:
            event.ignore()


class ExperimentPanel(QWidget):
    """The experiments in order, grouped by section.

    Attributes
    ----------
    experiment_chosen : Signal(str)
        The user selected the experiment of this id with the mouse.
    experiment_browsed : Signal(str)
        The same with a key, which may be one of many.
    """

    experiment_chosen = Signal(str)
    experiment_browsed = Signal(str)

    def __init__(self, experiments: Sequence[Listed], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = _List()
        self.list.setObjectName("experimentList")
        self.list.setAccessibleName("Experiments")
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self._fill(experiments)
        self.list.setMinimumWidth(max((_title_width(e.title) for e in experiments), default=0))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        self.list.currentItemChanged.connect(self._on_current_changed)

    def _fill(self, experiments: Sequence[Listed]) -> None:
        section = None
        for number, experiment in enumerate(experiments, start=1):
            part = experiment.listing.section.partition(",")[0]
            if part != section:
                section = part
                heading = QListWidgetItem(f"Section {part}" if part[:1].isdigit() else part)
                heading.setFlags(Qt.ItemFlag.NoItemFlags)
                self.list.addItem(heading)
            item = QListWidgetItem(experiment.title)
            item.setData(ID_ROLE, experiment.id)
            keys = native_text(experiment_keys(number))
            item.setData(KEYS_ROLE, keys)
            item.setToolTip(
                "\n".join(
                    filter(None, (experiment.listing.summary, experiment.listing.section, keys))
                )
            )
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole,
                f"{experiment.title}. {experiment.listing.summary}",
            )
            self.list.addItem(item)

    @property
    def current_id(self) -> str:
        """Id of the selected experiment, or an empty text."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(ID_ROLE))

    def select(self, experiment_id: str) -> None:
        """Select an experiment without saying that the user did."""
        for row in range(self.list.count()):
            if self.list.item(row).data(ID_ROLE) == experiment_id:
                blocked = self.list.blockSignals(True)
                self.list.setCurrentRow(row)
                self.list.blockSignals(blocked)
                return

    def _on_current_changed(self, current: QListWidgetItem | None) -> None:
        if current is not None and current.data(ID_ROLE) is not None:
            chosen = self.experiment_browsed if self.list.in_key else self.experiment_chosen
            chosen.emit(current.data(ID_ROLE))
