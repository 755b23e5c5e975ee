"""The legend of a plot, and the values under the pointer that take its place."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QToolButton, QWidget

from engine.text.mathtext import to_plain
from gui.plots.canvas.layers import paled, symbol_path
from gui.plots.canvas.paint import line_pen, painting
from gui.plots.panes.pane import Entry, Reading
from gui.style.scaling import px, whole
from gui.style.theme import Theme, current_theme
from gui.typeset.rich_text import label

SWATCH = 16.0
MORE = 30
"""Width of the button for the lines that do not fit."""


def draw_swatch(painter: QPainter, box: QRectF, entry: Entry, theme: Theme) -> None:
    """Draw what stands for a line in the legend, in units of the scale."""
    is_tint = entry.kind == "tint"
    color = paled(theme, entry.color) if is_tint else theme.color(entry.color)
    middle = box.center()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if entry.kind == "point":
        open_ = entry.hollow or entry.symbol in ("+", "x")
        painter.setPen(line_pen(color, 1.6) if open_ else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush if open_ else color)
        painter.drawPath(symbol_path(entry.symbol, 7.2).translated(middle))
    elif entry.kind in ("area", "tint"):
        is_blank = entry.color == "surface"
        painter.setPen(line_pen(theme.color("muted"), 1.0) if is_blank else Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(QRectF(middle.x() - 5, middle.y() - 5, 10, 10), 2, 2)
    elif entry.kind == "ramp":
        run = QLinearGradient(box.left(), 0, box.right(), 0)
        for index, stop in enumerate(theme.ramp):
            run.setColorAt(index / (len(theme.ramp) - 1), QColor(stop))
        bar = QRectF(box.left(), middle.y() - 2, box.width(), 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(run)
        painter.drawRoundedRect(bar, 2, 2)
    else:
        painter.setPen(line_pen(color, 2.0, entry.dash))
        painter.drawLine(QPointF(box.left(), middle.y()), QPointF(box.right(), middle.y()))
    painter.setBrush(Qt.BrushStyle.NoBrush)


class LegendChip(QAbstractButton):
    """A line of the legend: a click hides or shows the line, with Ctrl it is shown alone."""

    alone_requested = Signal()

    def __init__(self, entry: Entry, shown: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry
        self.setCheckable(entry.can_hide)
        self.setChecked(shown or not entry.can_hide)
        self.setEnabled(entry.can_hide)
        name = to_plain(entry.text)
        self.setAccessibleName(name)
        if entry.can_hide:
            self.setToolTip(f"{name}: click to hide or show, Ctrl+click to show alone")
        else:
            self.setToolTip(f"{name}: a pinned run" if entry.kind == "line" else name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Return the size of swatch and text."""
        size = label(self.entry.text, self.font()).size
        width = round(px(SWATCH + 14) + size.width())
        return QSize(width, max(whole(20), round(size.height()) + 2))

    def minimumSizeHint(self) -> QSize:
        """Return the size of swatch and text."""
        return self.sizeHint()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Show alone with Ctrl, else toggle."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self.isCheckable():
            self.setDown(False)
            self.alone_requested.emit()
        else:
            super().mouseReleaseEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw swatch and text, faded while the line is hidden."""
        with painting(self) as painter:
            self._draw(painter)

    def _draw(self, painter: QPainter) -> None:
        theme = current_theme()
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.underMouse() or self.hasFocus():
            painter.setPen(
                line_pen(theme.color("accent"), px(1.0))
                if self.hasFocus()
                else Qt.GlobalColor.transparent
            )
            painter.setBrush(theme.color("raised"))
            painter.drawRoundedRect(box, px(4), px(4))
        painter.setOpacity(1.0 if self.isChecked() or not self.isCheckable() else 0.35)
        painter.save()
        painter.scale(px(1), px(1))
        draw_swatch(painter, QRectF(4, 0, SWATCH, self.height() / px(1)), self.entry, theme)
        painter.restore()
        typeset = label(self.entry.text, self.font())
        top = (self.height() - typeset.size.height()) / 2
        typeset.draw(painter, QPointF(px(4 + SWATCH + 4), top), theme.color("text"))


class Legend(QWidget):
    """The chips of a plot in a row; those that do not fit are in a menu behind "+n".

    While the pointer is over the plot, the values there stand in their place.
    """

    toggled = Signal(str, bool)
    alone_requested = Signal(str)
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chips: list[LegendChip] = []
        self._hidden: set[str] = set()
        self._reading: Reading | None = None
        self.at_left = False
        self._more = QToolButton(self)
        self._more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setAccessibleName("More lines")
        self._more.setToolTip("More lines")
        self._more_menu = QMenu(self._more)
        self._more.setMenu(self._more_menu)
        self._more_menu.aboutToShow.connect(self._fill_more)
        self._more.hide()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def reading(self) -> Reading | None:
        """The values shown in place of the chips."""
        return self._reading

    def sizeHint(self) -> QSize:
        """Return the least size: the row takes the room that the name of the plot leaves."""
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        """Make do with the button for what does not fit."""
        return QSize(whole(MORE) if self.chips else 0, whole(22))

    def set_entries(self, entries: tuple[Entry, ...], hidden: set[str]) -> None:
        """Show these lines; those in `hidden` faded."""
        if tuple(chip.entry for chip in self.chips) == entries:
            for chip in self.chips:
                chip.setChecked(chip.entry.id not in hidden)
            self._hidden = set(hidden)
            return
        self._hidden = set(hidden)
        for chip in self.chips:
            chip.hide()
            chip.deleteLater()
        self.chips = [LegendChip(entry, entry.id not in hidden, self) for entry in entries]
        for chip in self.chips:
            chip.clicked.connect(lambda on, entry_id=chip.entry.id: self.toggled.emit(entry_id, on))
            chip.alone_requested.connect(
                lambda entry_id=chip.entry.id: self.alone_requested.emit(entry_id)
            )
        self.updateGeometry()
        self._arrange()
        self.changed.emit()

    def set_reading(self, reading: Reading | None) -> None:
        """Show values, or the chips again (None)."""
        was = self._reading is None
        self._reading = reading
        if was != (reading is None):
            self._arrange()
        self.update()

    def fitting(self, room: float) -> int:
        """Return how many chips fit into a width beside the button for the rest."""
        widths = [chip.sizeHint().width() for chip in self.chips]
        fits = len(widths)
        while fits > 0 and sum(widths[:fits]) > room - (whole(MORE) if fits < len(widths) else 0):
            fits -= 1
        return fits

    def set_at_left(self, at_left: bool) -> None:
        """Place the chips from the left end, as on a line of their own."""
        if at_left != self.at_left:
            self.at_left = at_left
            self._arrange()

    def _arrange(self) -> None:
        """Place chips at the right end, or the left one, as many as fit."""
        widths = [chip.sizeHint().width() for chip in self.chips]
        room, fits = self.width(), self.fitting(self.width())
        showing = self._reading is None
        used = sum(widths[:fits]) + (whole(MORE) if fits < len(widths) else 0)
        left = 0 if self.at_left else room - used
        for index, chip in enumerate(self.chips):
            chip.setVisible(showing and index < fits)
            if index < fits:
                size = chip.sizeHint()
                chip.setGeometry(
                    left, (self.height() - size.height()) // 2, size.width(), size.height()
                )
                left += size.width()
        rest = len(self.chips) - fits
        self._more.setVisible(showing and rest > 0)
        self._more.setText(f"+{rest}")
        more, high = whole(MORE), whole(20)
        self._more.setGeometry(
            left if self.at_left else room - more, (self.height() - high) // 2, more, high
        )

    def _fill_more(self) -> None:
        self._more_menu.clear()
        for chip in self.chips:
            if chip.isVisible():
                continue
            action = self._more_menu.addAction(to_plain(chip.entry.text))
            action.setCheckable(chip.entry.can_hide)
            action.setChecked(chip.entry.id not in self._hidden)
            action.setEnabled(chip.entry.can_hide)
            action.triggered.connect(
                lambda on, entry_id=chip.entry.id: self.toggled.emit(entry_id, on)
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the chips anew."""
        self._arrange()
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the values under the pointer, right-aligned, as many as fit."""
        if self._reading is not None:
            with painting(self) as painter:
                self._draw_reading(painter, self._reading)

    def _draw_reading(self, painter: QPainter, reading: Reading) -> None:
        theme, font = current_theme(), self.font()
        parts = [(reading.lead, "muted", "")] if reading.lead else []
        for item in reading.items:
            text = f"{item.text} = {item.value}" if item.text and item.value else item.text
            parts.append((text or item.value, "text", item.color))
        widths = [
            label(text, font).size.width() + px((10 if color else 0) + 12)
            for text, _, color in parts
        ]
        while len(widths) > 1 and sum(widths) > self.width():
            widths.pop()
            parts.pop()
        left = max(0.0, self.width() - sum(widths) + px(6))
        for (text, role, color), width in zip(parts, widths, strict=True):
            typeset = label(text, font)
            at = left
            if color:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color(color))
                painter.drawEllipse(QPointF(at + px(3), self.height() / 2), px(3.2), px(3.2))
                at += px(10)
            top = (self.height() - typeset.size.height()) / 2
            typeset.draw(painter, QPointF(at, top), theme.color(role))
            left += width
