"""The strip of bounds below a slider: a click gives a field the value of a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from engine.text.mathtext import plain_math
from engine.text.numbers import short
from gui.form.slider import ValueSlider, mark_role
from gui.style import scaling
from gui.style.ink import ink, mixed
from gui.style.scaling import px, whole
from gui.typeset.formula import draw_formula, formula_size, typesetter
from gui.widgets.controls import draw_focus, tint

_SHARE = 0.95
"""Size of the symbols, as a share of that of other texts."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A bound of the theory as a place on a slider."""

    id: str
    name: str
    symbol: str
    value: float

    @property
    def inline(self) -> str:
        """The symbol with its fractions set small, as within a line."""
        return f"{{{self.symbol}}}"


class SnapButton(QAbstractButton):
    """The typeset symbol of a bound; a press gives its value to the field."""

    lit = Signal(str)

    def __init__(self, mark: Mark, parent: QWidget) -> None:
        super().__init__(parent)
        self.mark = mark
        self._current = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        scaling.font(self, _SHARE)

    def set_mark(self, mark: Mark, field: str, current: bool) -> None:
        """Show a bound's present value in the tooltip, and whether the field has just that."""
        if (mark, current) != (self.mark, self._current) or not self.accessibleName():
            self.mark, self._current = mark, current
            name = f"Set {field} to {plain_math(mark.symbol)} = {short(mark.value, 6)}"
            self.setAccessibleName(name)
            self.setToolTip(f"{mark.name}: {name}")
            self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the symbol with room to click."""
        size = formula_size(self.mark.inline, self.font())
        return QSize(
            max(size.width() + whole(10), whole(24)), max(size.height() + whole(4), whole(20))
        )

    def event(self, event: QEvent) -> bool:
        """Light the mark on the slider while the mouse or the focus is here."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.FocusIn):
            self.lit.emit(self.mark.id)
        elif event.type() in (QEvent.Type.Leave, QEvent.Type.FocusOut):
            self.lit.emit("")
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the symbol over a tint that answers the mouse."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        strength = 0.22 if self.isDown() else 0.16 if self._current or self.underMouse() else 0.0
        if strength:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint(strength, mark_role(self.mark.id)))
            painter.drawRoundedRect(box, px(5), px(5))
        inner = QRectF(self.rect()).adjusted(px(4), px(1), -px(4), -px(1))
        color = mixed(ink(mark_role(self.mark.id)), ink("text"), 0.35)
        center = Qt.AlignmentFlag.AlignHCenter
        draw_formula(painter, inner, self.mark.inline, self.font(), color, center)
        if self.hasFocus():
            draw_focus(painter, QRectF(self.rect()), px(5))
        painter.end()


class SnapStrip(QWidget):
    """Buttons for bounds, each below its mark on the slider as nearly as there is room.

    Attributes
    ----------
    snapped : Signal(str)
        The bound with this id was picked.
    lit : Signal(str)
        The mouse is over this bound's button (empty: no longer).
    """

    snapped = Signal(str)
    lit = Signal(str)
    _LEADER = 8
    _LEAST = 30
    """Height of one row of symbols with a subscript: kept while there are none, or plainer ones."""

    def __init__(self, slider: ValueSlider, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = slider
        self._buttons: dict[str, SnapButton] = {}
        self._places: dict[str, float] = {}
        self.setFixedHeight(whole(self._LEAST))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        slider.installEventFilter(self)
        typesetter().ready.connect(self._on_ready)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the slider's marks when it gets another size."""
        if event.type() == QEvent.Type.Resize:
            self._arrange()
        return super().eventFilter(watched, event)

    @property
    def buttons(self) -> dict[str, SnapButton]:
        """The buttons by the bound's id."""
        return self._buttons

    def set_marks(
        self, marks: Sequence[Mark], places: Sequence[float], field: str, value: float | None
    ) -> None:
        """Show these bounds; buttons are made anew only if ids or symbols differ."""
        shown = {(key, button.mark.symbol) for key, button in self._buttons.items()}
        if shown != {(mark.id, mark.symbol) for mark in marks}:
            self._rebuild(marks)
        self._places = {mark.id: place for mark, place in zip(marks, places, strict=True)}
        for mark in marks:
            self._buttons[mark.id].set_mark(mark, field, mark.value == value)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons below their marks again."""
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a leader from each mark to its button."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        high = whole(self._LEADER)
        for key, button in self._buttons.items():
            painter.setPen(QPen(tint(0.55, mark_role(key)), px(1.2)))
            x = round(self._slider.x_of(self._places.get(key, 0.0))) + 0.5
            if button.y() <= high:
                foot = button.geometry().center().x() + 0.5
                foot = x if abs(foot - x) < px(3) else foot
                leader = QPainterPath(QPointF(x, 0))
                leader.cubicTo(x, high * 0.7, foot, px(2), foot, high)
                painter.drawPath(leader)
        painter.end()

    def _rebuild(self, marks: Sequence[Mark]) -> None:
        for button in self._buttons.values():
            button.hide()
            button.deleteLater()
        self._buttons = {}
        for mark in marks:
            button = SnapButton(mark, self)
            button.clicked.connect(self._on_clicked)
            button.lit.connect(self.lit)
            button.show()
            self._buttons[mark.id] = button

    def _arrange(self) -> None:
        """Place buttons left to right, pushed apart, in a second row only where they must."""
        ordered = sorted(self._buttons.items(), key=lambda item: self._places.get(item[0], 0.0))
        sizes = {key: button.sizeHint() for key, button in ordered}
        rows: list[list[str]] = [[]]
        used = 0
        for key, _ in ordered:
            if rows[-1] and used + sizes[key].width() + 2 > self.width():
                rows.append([])
                used = 0
            rows[-1].append(key)
            used += sizes[key].width() + 2
        y = whole(self._LEADER)
        for row in rows:
            height = max((sizes[key].height() for key in row), default=0)
            for key, x in zip(row, self._spread(row, sizes), strict=True):
                self._buttons[key].setGeometry(x, y, sizes[key].width(), height)
            y += height + 1
        self.setFixedHeight(max(y, whole(self._LEAST)))
        self.update()

    def _spread(self, row: list[str], sizes: dict[str, QSize]) -> list[int]:
        """Place the buttons of a row as near to their marks as they go without overlapping."""
        offsets = [0]
        for key in row:
            offsets.append(offsets[-1] + sizes[key].width() + 2)
        wanted = [
            self._slider.x_of(self._places.get(key, 0.0)) - sizes[key].width() / 2 - offset
            for key, offset in zip(row, offsets, strict=False)
        ]
        free = max(0, self.width() - offsets[-1] + 2)
        nearest = increasing(wanted)
        return [
            round(min(max(place, 0), free)) + offset
            for place, offset in zip(nearest, offsets, strict=False)
        ]

    def _on_ready(self, mathtext: str) -> None:
        if any(button.mark.inline == mathtext for button in self._buttons.values()):
            self._arrange()

    def _on_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, SnapButton):
            self.snapped.emit(button.mark.id)


def increasing(numbers: Sequence[float]) -> list[float]:
    """Return the non-decreasing sequence nearest to some numbers (least squares)."""
    pools: list[tuple[float, int]] = []
    for number in numbers:
        mean, count = number, 1
        while pools and pools[-1][0] > mean:
            before, members = pools.pop()
            mean = (mean * count + before * members) / (count + members)
            count += members
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]
