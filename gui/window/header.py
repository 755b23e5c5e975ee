"""The head of the page: which experiment, its presets one click away, and what they show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, Signal
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
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStyleOptionViewItem,
    QStylePainter,
    QWidget,
)

from engine.core.effect import Effect, effect_of
from engine.core.registry import Listed
from engine.text.mathtext import to_html
from gui.style import scaling
from gui.style.icons import IconButton
from gui.style.scaling import whole
from gui.style.theme import current_theme
from gui.typeset.sentence import Sentence
from gui.widgets.elided import ElidedLabel
from gui.widgets.shortcuts import native_text

if TYPE_CHECKING:
    from engine.core.params import Params
    from engine.storage.presets import Preset

DESCRIPTION_ROLE = Qt.ItemDataRole.UserRole + 1
POPUP_WIDTH = 460
NONE = "Presets"
"""What the box says before a preset is chosen."""
MARGINS = 24 + 16
"""Around the text, and for the scroll bar."""

_Index = QModelIndex | QPersistentModelIndex


class _PresetDelegate(QStyledItemDelegate):
    """Paints a preset's title over its description, wrapped."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Make room for the wrapped description."""
        width = whole(POPUP_WIDTH - MARGINS)
        height = QFontMetrics(_title_font(option)).height() + whole(12)
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
        area = option.rect.adjusted(whole(12), whole(6), -whole(12), -whole(6))
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
        self.setPlaceholderText(NONE)
        self._last: Preset | None = None
        self.setMinimumContentsLength(3)
        scaling.most(self, 260)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaxVisibleItems(12)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setItemDelegate(_PresetDelegate(self))
        scaling.fixed(self.view(), width=POPUP_WIDTH)
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
            option.currentText, Qt.TextElideMode.ElideRight, field.width() - whole(4)
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def set_presets(self, presets: Sequence[Preset]) -> None:
        """Offer the presets of another experiment."""
        self._presets = tuple(presets)
        self._last = None
        self.setPlaceholderText(NONE)
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
        if alike:
            known = self._last in [self._presets[index] for index in alike]
            self._last = self._last if known else self._presets[alike[0]]
        self.setCurrentIndex(-1 if not alike or self._last is None else self._index())
        self.setPlaceholderText(NONE if self._last is None else f"Changed: {self._last.title}")

    def expect(self, preset: Preset) -> None:
        """Note which preset is about to be in force: others may have the same settings."""
        if preset in self._presets:
            self._last = preset

    @property
    def presets(self) -> tuple[Preset, ...]:
        """The presets that are offered."""
        return self._presets

    @property
    def last(self) -> Preset | None:
        """The preset that is in force, or was before its settings were changed."""
        return self._last

    def _index(self) -> int:
        return -1 if self._last is None else self._presets.index(self._last)

    def neighbour(self, direction: int) -> Preset | None:
        """Return the next (1) or previous (-1) preset; None beyond the ends."""
        index = self._index() + direction if self._last is not None or direction > 0 else -1
        return self._presets[index] if 0 <= index < len(self._presets) else None

    def step(self, direction: int) -> None:
        """Choose the next (1) or previous (-1) preset, if there is one."""
        preset = self.neighbour(direction)
        if preset is not None:
            self.preset_chosen.emit(preset)


class _Title(ElidedLabel):
    """The name of an experiment, cut only where there is less room than it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)


class Header(QWidget):
    """Title of the experiment, presets, help, and a sentence on what is seen.

    Attributes
    ----------
    preset_chosen : Signal(Preset)
        The user wants to see a preset.
    help_requested : Signal
        The user asks "What am I looking at?".
    gallery_requested, experiments_requested : Signal
        The user wants to choose from pictures of the presets, or from the experiments.
    """

    preset_chosen = Signal(object)
    help_requested = Signal()
    gallery_requested = Signal()
    experiments_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self._listing_summary = ""
        self.title = _Title()
        self.title.setObjectName("title")
        self.summary = Sentence()
        self.presets = PresetBox()
        self.presets.preset_chosen.connect(self.preset_chosen)
        self.experiments_button = IconButton("list", "Experiments", "Choose an experiment")
        self.experiments_button.clicked.connect(self.experiments_requested)
        self.experiments_button.hide()
        self.previous_button = IconButton("previous", "Previous preset", "")
        self.next_button = IconButton("next", "Next preset", "")
        self.gallery_button = IconButton("tiles", "Presets as pictures", "Presets as pictures")
        self.previous_button.clicked.connect(lambda: self.presets.step(-1))
        self.next_button.clicked.connect(lambda: self.presets.step(1))
        self.gallery_button.clicked.connect(self.gallery_requested)
        self.help_button = QPushButton("Help")
        self.help_button.setAccessibleName("What am I looking at?")
        self.help_button.setToolTip("What am I looking at? A short text on this experiment (F1)")
        self.help_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.help_button.clicked.connect(self.help_requested)
        self._lay_out()
        self._show_neighbours()

    def _lay_out(self) -> None:
        self._named, named = _row(4)
        named.addWidget(self.experiments_button)
        named.addWidget(self.title)
        self._choice, choice = _row(4)
        choice.addStretch(1)
        choice.addWidget(self.previous_button)
        choice.addWidget(self.presets, 100)
        for button in (self.next_button, self.gallery_button, self.help_button):
            choice.addWidget(button)
        self._grid = QGridLayout(self)
        scaling.margins(self._grid, 10, 6, 10, 6)
        scaling.across(self._grid, 8)
        scaling.down(self._grid, 2)
        self._grid.setColumnStretch(1, 1)
        self._is_folded = False
        self._place()

    def _place(self) -> None:
        """Stand presets beside the title, or below it where there is no room."""
        for part in (self._named, self._choice, self.summary):
            self._grid.removeWidget(part)
        self._grid.addWidget(self._named, 0, 0, Qt.AlignmentFlag.AlignLeft)
        self._grid.addWidget(self._choice, *((1, 0, 1, 2) if self._is_folded else (0, 1, 1, 1)))
        self._grid.addWidget(self.summary, 2, 0, 1, 2)

    def set_experiment(self, experiment: Listed, presets: Sequence[Preset] = ()) -> None:
        """Show another experiment; without presets while it is being loaded."""
        self.title.setText(experiment.title)
        self.title.setToolTip(experiment.listing.summary)
        self._listing_summary = experiment.listing.summary
        self.presets.set_presets(presets)
        self._show_neighbours()
        self._fold()

    def set_low(self, low: bool) -> None:
        """Take as little height as possible, without the summary, or as much as is needed."""
        self.summary.setVisible(not low)
        self._fold()

    def set_short(self, is_short: bool) -> None:
        """Leave out title and help, which the window and its menus have, where height is short."""
        self.title.setVisible(not is_short)
        self.help_button.setVisible(not is_short)
        self._fold()

    def show_menu(self, menu: QMenu) -> None:
        """Show a menu below the button of the experiments."""
        button = self.experiments_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def show_experiments_button(self, shown: bool) -> None:
        """Offer the experiments here, because their list is hidden."""
        self.experiments_button.setVisible(shown)
        self._fold()

    def minimumSizeHint(self) -> QSize:
        """Make do with the title and the presets below one another."""
        margins = self._grid.contentsMargins()
        parts = max(part.minimumSizeHint().width() for part in (self._named, self._choice))
        height = self._grid.minimumSize().height()
        return QSize(parts + margins.left() + margins.right(), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stand in as many rows as there is room for."""
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        margins = self._grid.contentsMargins()
        room = self.width() - margins.left() - margins.right() - self._grid.horizontalSpacing()
        needed = self._named.sizeHint().width() + self._choice.minimumSizeHint().width()
        if (needed > room) != self._is_folded:
            self._is_folded = not self._is_folded
            self._place()

    def show_settings(self, params: Params, seed: int) -> None:
        """Show which preset these settings are, if any."""
        self.presets.show_settings(params, seed)
        self._show_neighbours()

    def _show_neighbours(self) -> None:
        """Show the sentence of the preset, and which come before and after it."""
        chosen = self.presets.last
        self.summary.say(self._listing_summary if chosen is None else chosen.description)
        pairs = (self.previous_button, -1, "Alt+Left"), (self.next_button, 1, "Alt+Right")
        for button, direction, keys in pairs:
            preset = self.presets.neighbour(direction)
            name = "" if preset is None else f": {preset.title}"
            button.setEnabled(preset is not None)
            button.setToolTip(f"{button.text()}{name} ({native_text(keys)})")
        self.gallery_button.setEnabled(bool(self.presets.presets))

    def set_help_enabled(self, enabled: bool) -> None:
        """Enable or disable the help button."""
        self.help_button.setEnabled(enabled)


def _row(length: int) -> tuple[QWidget, QHBoxLayout]:
    """Make a part whose widgets stand side by side."""
    part = QWidget()
    row = QHBoxLayout(part)
    row.setContentsMargins(0, 0, 0, 0)
    scaling.spacing(row, length)
    return part, row
