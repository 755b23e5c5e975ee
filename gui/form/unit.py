"""The unit of a number field: the number itself, or a multiple of a bound of the theory."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from engine.text.mathtext import plain_math
from gui.form.snaps import Mark
from gui.form.unit_menu import UnitMenu
from gui.style.ink import ink
from gui.style.scaling import px, whole
from gui.typeset.formula import draw_formula, typesetter
from gui.widgets.controls import draw_focus, tint

WIDTH = 96
"""Pixels that a unit takes from the box beside it; a longer symbol is made smaller."""


class UnitButton(QPushButton):
    """Chooses what a number is a multiple of: itself, or a bound of the theory.

    Attributes
    ----------
    chosen : Signal(str)
        Id of the bound, empty for the number itself.
    """

    chosen = Signal(str)

    def __init__(self, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = label
        self._marks: tuple[Mark, ...] = ()
        self._unit = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._menu = menu = UnitMenu(self)
        menu.aboutToShow.connect(self._on_about_to_show)
        menu.triggered.connect(self._on_triggered)
        self.setMenu(menu)
        typesetter().ready.connect(self._on_ready)
        self._name()

    @property
    def unit(self) -> str:
        """Id of the bound that is the unit, or empty."""
        return self._unit

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Offer these bounds; the unit falls back to the number itself if its bound is gone."""
        self._marks = tuple(marks)
        if self._unit and self._unit not in {mark.id for mark in marks}:
            self._unit = ""
        self._name()

    def set_unit(self, unit: str) -> None:
        """Choose a unit without a signal."""
        self._unit = unit
        self._name()

    def sizeHint(self) -> QSize:
        """Reserve room for any unit, so that the box beside it never moves."""
        return QSize(whole(WIDTH), whole(28))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the unit and an arrow that promises a menu."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(ink("strong_border"), 1))
        lively = self.underMouse() or self.isDown()
        painter.setBrush(tint(0.08) if lively else ink("surface"))
        painter.drawRoundedRect(box, px(5), px(5))
        inner = QRectF(self.rect()).adjusted(px(8), px(2), -px(18), -px(2))
        mark = self._mark()
        if mark is None:
            painter.setPen(ink("muted"))
            painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, "value")
        else:
            draw_formula(painter, inner, self._shown(mark), self.font(), ink("text"))
        pen = QPen(ink("muted"), px(1.5))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        tip = QPointF(self.width() - px(11), self.height() / 2 + px(2))
        arm = px(3.5)
        painter.drawPolyline([tip + QPointF(-arm, -arm), tip, tip + QPointF(arm, -arm)])
        if self.hasFocus():
            draw_focus(painter, QRectF(self.rect()), px(6))
        painter.end()

    def _mark(self) -> Mark | None:
        return next((mark for mark in self._marks if mark.id == self._unit), None)

    @staticmethod
    def _shown(mark: Mark) -> str:
        return rf"{{\times\,{mark.symbol}}}"

    def _name(self) -> None:
        mark = self._mark()
        unit = f"× {plain_math(mark.symbol)}" if mark else "the value itself"
        self.setAccessibleName(f"Unit of {self._label}: {unit}")
        self.setToolTip(f"{self._label} is shown as {'multiple of ' + mark.name if mark else unit}")
        self.updateGeometry()
        self.update()

    def _on_about_to_show(self) -> None:
        menu = self._menu
        menu.clear()
        menu.add_unit("", "", "value", "value", not self._unit)
        for mark in self._marks:
            text = f"× {plain_math(mark.symbol)}: {mark.name}"
            menu.add_unit(mark.id, self._shown(mark), mark.name, text, mark.id == self._unit)

    def _on_triggered(self, action: QAction) -> None:
        self.set_unit(str(action.data()))
        self.chosen.emit(self._unit)

    def _on_ready(self, mathtext: str) -> None:
        if any(self._shown(mark) == mathtext for mark in self._marks):
            self.update()
