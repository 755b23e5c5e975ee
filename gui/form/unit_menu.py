"""The menu of a unit button: each unit as it is typeset, beside its name."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget, QWidgetAction

from gui.style.ink import ink
from gui.style.scaling import px, whole
from gui.typeset.formula import draw_formula, formula_size, typesetter
from gui.widgets.glyphs import draw_glyph

_EDGE, _CHECK, _GAP, _HIGH = 8, 22, 18, 6
"""Pixels before the check mark, of the check mark, between the columns, and around a line."""


class UnitMenu(QMenu):
    """Units to choose from; the action's data is the key, its text is for a screen reader."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hovered.connect(lambda action: self._refresh())
        typesetter().ready.connect(self._on_ready)

    @property
    def entries(self) -> tuple[UnitEntry, ...]:
        """The lines."""
        shown = (action.defaultWidget() for action in self._actions())
        return tuple(entry for entry in shown if isinstance(entry, UnitEntry))

    @property
    def column(self) -> int:
        """Width of the column of units."""
        return max((entry.unit_size().width() for entry in self.entries), default=0)

    def add_unit(self, key: str, formula: str, name: str, text: str, checked: bool) -> None:
        """Append a unit: mathtext without dollars, or none, and what it is called."""
        action = QWidgetAction(self)
        action.setText(text)
        action.setData(key)
        action.setCheckable(True)
        action.setChecked(checked)
        action.setDefaultWidget(UnitEntry(self, action, formula, name))
        self.addAction(action)

    def _actions(self) -> list[QWidgetAction]:
        return [action for action in self.actions() if isinstance(action, QWidgetAction)]

    def _refresh(self) -> None:
        for entry in self.entries:
            entry.update()

    def _on_ready(self, mathtext: str) -> None:
        if any(entry.formula == mathtext for entry in self.entries):
            for entry in self.entries:
                entry.updateGeometry()
            self._refresh()


class UnitEntry(QWidget):
    """One line: check mark, unit, name. The mouse belongs to the menu."""

    def __init__(self, menu: UnitMenu, action: QWidgetAction, formula: str, name: str) -> None:
        super().__init__(menu)
        self._menu = menu
        self._action = action
        self.formula = formula
        self._name = name
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(action.text())

    def unit_size(self) -> QSize:
        """Return the size of the unit; the number itself has none but its name."""
        return formula_size(self.formula, self.font()) if self.formula else QSize(0, 0)

    def sizeHint(self) -> QSize:
        """Reserve room for the widest unit of the menu and for the name."""
        metrics = self.fontMetrics()
        edge, check, gap, high = map(whole, (_EDGE, _CHECK, _GAP, _HIGH))
        between = gap if self.formula else 0
        column = self._menu.column if self.formula else 0
        width = 2 * edge + check + column + between + metrics.horizontalAdvance(self._name) + gap
        return QSize(width, max(metrics.height(), self.unit_size().height()) + 2 * high)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line as the theme draws those of other menus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._menu.activeAction() is self._action:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink("soft_accent"))
            painter.drawRoundedRect(QRectF(self.rect()), px(4), px(4))
        if self._action.isChecked():
            middle = QPointF(px(_EDGE + 6), self.height() / 2)
            draw_glyph(painter, middle, "check", ink("accent"), 12)
        left = whole(_EDGE + _CHECK)
        if self.formula:
            column = self._menu.column
            box = QRectF(left, 2, column, self.height() - 4)
            draw_formula(painter, box, self.formula, self.font(), ink("text"))
            left += column + whole(_GAP)
        painter.setFont(self.font())
        painter.setPen(ink("muted" if self.formula else "text"))
        room = self.rect().adjusted(left, 0, -whole(_EDGE), 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self._name)
        painter.end()
