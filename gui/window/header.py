"""The head of the page: which experiment, and its presets one click away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStyleOptionViewItem,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from engine.core.effect import Effect, effect_of
from engine.core.registry import Listed
from engine.text.mathtext import to_html
from gui.style.theme import current_theme
from gui.widgets.elided import ElidedLabel

if TYPE_CHECKING:
    from engine.core.params import Params
    from engine.storage.presets import Preset

DESCRIPTION_ROLE = Qt.ItemDataRole.UserRole + 1
POPUP_WIDTH = 460
BESIDE, BELOW = 8, 4
"""Pixels between the title and the presets."""
MARGINS = 24 + 16
"""Around the text, and for the scroll bar."""

_Index = QModelIndex | QPersistentModelIndex


class _PresetDelegate(QStyledItemDelegate):
    """Paints a preset's title over its description, wrapped."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Make room for the wrapped description."""
        width = POPUP_WIDTH - MARGINS
        height = QFontMetrics(_title_font(option)).height() + 12
        text = index.data(DESCRIPTION_ROLE)
        if text:
            height += math.ceil(_described(text, option, width).size().height())
        return QSize(width, height + 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw the item."""
        painter.save()
        palette = option.palette
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.fillRect(option.rect, current_theme().color("soft_accent"))
        area = option.rect.adjusted(12, 6, -12, -6)
        painter.setFont(_title_font(option))
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        painter.drawText(area, Qt.AlignmentFlag.AlignTop, str(index.data()))
        painter.translate(area.left(), area.top() + painter.fontMetrics().height())
        document = _described(str(index.data(DESCRIPTION_ROLE) or ""), option, area.width())
        context = QAbstractTextDocumentLayout.PaintContext()
        muted = palette.color(QPalette.ColorRole.PlaceholderText)
        context.palette.setColor(QPalette.ColorRole.Text, muted)
        document.documentLayout().draw(painter, context)
        painter.restore()


def _described(text: str, option: QStyleOptionViewItem, width: int) -> QTextDocument:
    """Lay out a description, its scripts small, within a width."""
    document = QTextDocument()
    document.setDocumentMargin(0.0)
    document.setDefaultFont(_small_font(option))
    document.setHtml(to_html(text))
    document.setTextWidth(width)
    return document


def _title_font(option: QStyleOptionViewItem) -> QFont:
    font = QFont(option.font)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _small_font(option: QStyleOptionViewItem) -> QFont:
    font = QFont(option.font)
    font.setPointSizeF(font.pointSizeF() * 0.92)
    return font


class PresetBox(QComboBox):
    """The presets of an experiment; choosing one, or the same again, applies it."""

    preset_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: tuple[Preset, ...] = ()
        self.setAccessibleName("Presets")
        self.setToolTip("Settings that show one thing; choosing one plays it")
        self.setPlaceholderText("Presets")
        self.setMinimumContentsLength(3)
        self.setMaximumWidth(260)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaxVisibleItems(12)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setItemDelegate(_PresetDelegate(self))
        self.view().setFixedWidth(POPUP_WIDTH)
        self.view().setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click, Space still plays and pauses
        self.activated.connect(lambda index: self.preset_chosen.emit(self._presets[index]))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, with the end of a title that is too long left out."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        if self.currentIndex() < 0:
            option.currentText = self.placeholderText()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, field.width() - 4
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def set_presets(self, presets: Sequence[Preset]) -> None:
        """Offer the presets of another experiment."""
        self._presets = tuple(presets)
        self.clear()
        for preset in presets:
            self.addItem(preset.title)
            self.setItemData(self.count() - 1, preset.description, DESCRIPTION_ROLE)
        self.setCurrentIndex(-1)
        self.setEnabled(bool(presets))

    def show_settings(self, params: Params, seed: int) -> None:
        """Show the preset that these settings are, but for what only an ensemble reads, or none."""
        same = [index for index, preset in enumerate(self._presets) if preset.seed == seed]
        exact = [index for index in same if self._presets[index].params == params]
        alike = exact or [
            i for i in same if effect_of(self._presets[i].params, params) is Effect.NONE
        ]
        self.setCurrentIndex(alike[0] if alike else -1)


class _Title(ElidedLabel):
    """The name of an experiment, cut only where there is less room than it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)


class Header(QWidget):
    """Title and section of the experiment, presets, help.

    Attributes
    ----------
    preset_chosen : Signal(Preset)
        The user wants to see a preset.
    help_requested : Signal
        The user asks "What am I looking at?".
    """

    preset_chosen = Signal(object)
    help_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self.title = _Title()
        self.title.setObjectName("title")
        self.summary = QLabel()
        self.summary.setObjectName("hint")
        self.summary.setWordWrap(True)
        self.presets = PresetBox()
        self.presets.preset_chosen.connect(self.preset_chosen)
        self.help_button = QPushButton("Help")
        self.help_button.setAccessibleName("What am I looking at?")
        self.help_button.setToolTip("What am I looking at? A short text on this experiment (F1)")
        self.help_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.help_button.clicked.connect(self.help_requested)
        choice = QHBoxLayout()
        choice.setSpacing(8)
        choice.addStretch(1)
        choice.addWidget(self.presets, 3)
        choice.addWidget(self.help_button)
        choice.addStretch(0)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(BESIDE)
        self._row.addWidget(self.title)
        self._row.addLayout(choice, 1)
        self._choice = choice
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(2)
        column.addLayout(self._row)
        column.addWidget(self.summary)

    def set_experiment(self, experiment: Listed, presets: Sequence[Preset] = ()) -> None:
        """Show another experiment; without presets while it is being loaded."""
        self.title.setText(experiment.title)
        self.summary.setText(experiment.listing.summary)
        self._fit_title()
        self._fit_summary()
        self.presets.set_presets(presets)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole summary in view."""
        super().resizeEvent(event)
        self._fit_title()
        self._fit_summary()

    def set_low(self, low: bool) -> None:
        """Take as little height as possible, without the summary, or as much as is needed."""
        self.summary.setVisible(not low)
        self._fit_title()

    def _fit_title(self) -> None:
        """Place the title on a line of its own where the presets would cut it."""
        margins = self._column.contentsMargins()
        room = self.width() - margins.left() - margins.right() - BESIDE
        wanted = self.title.sizeHint().width() + self._choice.minimumSize().width()
        fits = wanted <= room or self.summary.isHidden()
        sideways, stacked = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._row.setDirection(sideways if fits else stacked)
        self._row.setSpacing(BESIDE if fits else BELOW)
        for place, wide in ((0, fits), (self._choice.count() - 1, not fits)):
            self._choice.setStretch(place, int(wide))  # to the right of the title, or below it

    def _fit_summary(self) -> None:
        """Claim the height of all lines: plots would else take that of the last."""
        margins = self._column.contentsMargins()
        width = self.width() - margins.left() - margins.right()
        self.summary.setMinimumHeight(self.summary.heightForWidth(width))

    def show_settings(self, params: Params, seed: int) -> None:
        """Show which preset these settings are, if any."""
        self.presets.show_settings(params, seed)

    def set_help_enabled(self, enabled: bool) -> None:
        """Enable or disable the help button."""
        self.help_button.setEnabled(enabled)
