"""The presets of an experiment as pictures, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from engine.storage.thumbnails import path_of
from engine.text.mathtext import to_html, to_plain
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px, whole
from gui.style.theme import current_theme

if TYPE_CHECKING:
    from engine.storage.presets import Preset

PICTURE = QSize(176, 110)
"""Size of a picture at a scale of 1."""
MOST_COLUMNS = 4
_EDGE, _GAP, _TITLE_LINES = 7, 5, 2
_PATH = Qt.ItemDataRole.UserRole
_MISSING = "Needs the MNIST data"

_Index = QModelIndex | QPersistentModelIndex


class _Card(QStyledItemDelegate):
    """Paints a preset's picture over its title."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Make room for the picture and two lines of title."""
        return card_size(option.fontMetrics)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw the card; the one that is chosen, or pointed at, is tinted."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = QRectF(option.rect).adjusted(px(2), px(2), -px(2), -px(2))
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(ink("accent"), px(1.5)) if chosen else Qt.PenStyle.NoPen)
            painter.setBrush(ink("soft_accent"))
            painter.drawRoundedRect(box, px(6), px(6))
        place = QRect(
            option.rect.left() + whole(_EDGE),
            option.rect.top() + whole(_EDGE),
            whole(PICTURE.width()),
            whole(PICTURE.height()),
        )
        self._paint_picture(painter, place, str(index.data(_PATH)))
        painter.setPen(ink("text"))
        words = QRect(place.left(), place.bottom() + whole(_GAP), place.width(), 0)
        words.setBottom(option.rect.bottom() - whole(3))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        painter.drawText(words, flags | Qt.TextFlag.TextWordWrap, str(index.data()))
        painter.restore()

    @staticmethod
    def _paint_picture(painter: QPainter, place: QRect, path: str) -> None:
        picture = QPixmap(path) if path else QPixmap()
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(place), px(4), px(4))
        painter.setPen(QPen(ink("border"), 1))
        painter.setBrush(ink("raised"))
        painter.drawPath(outline)
        if picture.isNull():
            painter.setPen(ink("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(place.adjusted(8, 8, -8, -8), flags, _MISSING)
            return
        painter.setClipPath(outline)
        painter.drawPixmap(place, picture)
        painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(outline)


def card_size(metrics: QFontMetrics) -> QSize:
    """Return the size of a card whose title is written in a font."""
    height = PICTURE.height() + 2 * _EDGE + _GAP
    words = _TITLE_LINES * metrics.lineSpacing()
    return QSize(whole(PICTURE.width() + 2 * _EDGE), whole(height) + words)


class _Cards(QListWidget):
    """Cards in rows, to be walked through with the arrow keys."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave Escape to the gallery, and choose with Enter or Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self.currentItem() is not None:
                self.itemActivated.emit(self.currentItem())
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)


class Gallery(QFrame):
    """A popup with a card for each preset.

    Attributes
    ----------
    preset_chosen : Signal(Preset)
        The user chose a preset, and the gallery has closed.
    """

    preset_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("gallery")
        self._presets: tuple[Preset, ...] = ()
        self.cards = _Cards()
        self.cards.setAccessibleName("Presets as pictures")
        self.cards.setViewMode(QListView.ViewMode.IconMode)
        self.cards.setResizeMode(QListView.ResizeMode.Adjust)
        self.cards.setMovement(QListView.Movement.Static)
        self.cards.setUniformItemSizes(True)
        self.cards.setMouseTracking(True)
        self.cards.setItemDelegate(_Card(self.cards))
        self.cards.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.cards.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.cards.itemClicked.connect(self._on_chosen)
        self.cards.itemActivated.connect(self._on_chosen)
        layout = QVBoxLayout(self)
        scaling.margins(layout, 6, 6, 6, 6)
        layout.addWidget(self.cards)

    def set_presets(
        self, experiment_id: str, presets: Sequence[Preset], current: Preset | None
    ) -> None:
        """Show the presets of an experiment, the current one chosen."""
        self._presets = tuple(presets)
        self.cards.clear()
        for preset in presets:
            item = QListWidgetItem(preset.title)
            path = path_of(experiment_id, preset.id, current_theme().name)
            item.setData(_PATH, str(path) if path.is_file() else "")
            item.setToolTip(f"<p>{to_html(preset.description)}</p>")
            words = f"{preset.title}. {to_plain(preset.description)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
            self.cards.addItem(item)
        chosen = 0 if current is None else self._presets.index(current)
        self.cards.setCurrentRow(chosen)

    def show_below(self, button: QWidget) -> None:
        """Open below a button, as large as needed and as there is room for."""
        card = card_size(self.cards.fontMetrics())
        room = (button.screen() or QGuiApplication.primaryScreen()).availableGeometry()
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent) + whole(8)
        columns = max(1, min(MOST_COLUMNS, len(self._presets)))
        columns = max(1, min(columns, (room.width() - bar - whole(24)) // card.width()))
        rows = -(-len(self._presets) // columns)
        margins = whole(12) + 2 * self.frameWidth()
        corner = button.mapToGlobal(QPoint(button.width(), button.height()))
        high = max(card.height(), room.bottom() - corner.y() - whole(12))
        size = QSize(columns * card.width() + bar + margins, rows * card.height() + margins)
        size.setHeight(min(size.height(), high))
        left = min(max(corner.x() - size.width(), room.left()), room.right() - size.width())
        top = min(corner.y() + whole(2), room.bottom() - size.height())
        self.setGeometry(QRect(QPoint(left, max(top, room.top())), size))
        self.show()
        self.cards.setFocus(Qt.FocusReason.PopupFocusReason)
        self.cards.scrollToItem(self.cards.currentItem())

    def _on_chosen(self, item: QListWidgetItem) -> None:
        preset = self._presets[self.cards.row(item)]
        self.hide()
        self.preset_chosen.emit(preset)
