"""The bar above a plot: its name, the legend, and its menu."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QToolButton, QWidget

from engine.text.mathtext import to_plain
from gui.plots.canvas.paint import line_pen, painting
from gui.plots.legend import Legend
from gui.style import scaling
from gui.style.scaling import px
from gui.style.theme import current_theme
from gui.widgets.elided import ElidedLabel

TALL, TALLER = 170, 230
"""Heights of a plot from which its legend may have a line of its own: where it would lose its first
name or several, and where it would lose one."""
_CROSS, _DOTS = "cross", "dots"


class GlyphButton(QToolButton):
    """A small flat button with a painted sign."""

    def __init__(self, glyph: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._glyph = glyph
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        scaling.fixed(self, 20, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground of the style, and the sign."""
        super().paintEvent(event)
        with painting(self) as painter:
            self._draw(painter)

    def _draw(self, painter: QPainter) -> None:
        theme = current_theme()
        color = theme.color("text" if self.underMouse() else "muted")
        middle = QRectF(self.rect()).center()
        if self._glyph == _CROSS:
            painter.setPen(line_pen(color, px(1.4)))
            for sign in (-1, 1):
                tip = QPointF(px(3.6), px(3.6 * sign))
                painter.drawLine(middle - tip, middle + tip)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            for shift in (-4.5, 0.0, 4.5):
                painter.drawEllipse(middle + QPointF(px(shift), 0), px(1.35), px(1.35))


class PlotHeader(QWidget):
    """Name, legend or reading, menu and close button; dragging it moves the plot.

    Attributes
    ----------
    menu_requested : Signal
        The plot's menu is asked for.
    close_requested : Signal
        The plot is to be hidden.
    float_requested : Signal
        The bar was double-clicked: the plot is to float, or to be docked again.
    """

    menu_requested = Signal()
    close_requested = Signal()
    float_requested = Signal()

    def __init__(self, title: str, help_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plotTitle")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = ElidedLabel(title)
        self.name.setObjectName("plotName")
        bold = QFont(self.name.font())
        bold.setWeight(QFont.Weight.DemiBold)
        self.name.setFont(bold)
        self.name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.legend = Legend()
        self.menu_button = GlyphButton(_DOTS, f"Menu of “{title}”")
        self.close_button = GlyphButton(_CROSS, f"Hide “{title}”")
        self.menu_button.clicked.connect(self.menu_requested)
        self.close_button.clicked.connect(self.close_requested)
        self._grid = QGridLayout(self)
        scaling.margins(self._grid, 10, 4, 5, 2)
        scaling.across(self._grid, 4)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(1, 1)
        for column, widget in enumerate((self.name, self.legend)):
            self._grid.addWidget(widget, 0, column)
        self._grid.addWidget(self.menu_button, 0, 2)
        self._grid.addWidget(self.close_button, 0, 3)
        self._room = 0
        self._has_two_lines = False
        self.legend.changed.connect(self._fit)
        self.set_texts(title, help_text)

    @property
    def has_two_lines(self) -> bool:
        """Whether the legend stands below the name."""
        return self._has_two_lines

    def set_room(self, height: int) -> None:
        """Take the height of the whole plot: one that is tall has room for a second line."""
        self._room = height
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose one line or two."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Put the legend below the name where it would lose its first name, or several."""
        buttons = 2 * (self.menu_button.width() + self._grid.horizontalSpacing())
        row = self.width() - 15 - buttons
        beside = self.legend.fitting(row - self.name.sizeHint().width() - 4)
        count = len(self.legend.chips)
        lost = min(count, self.legend.fitting(self.width() - 15)) - beside
        least = TALL if beside == 0 or lost > 1 else TALLER
        wanted = lost > 0 and self._room >= least
        if wanted == self._has_two_lines:
            return
        self._has_two_lines = wanted
        self._grid.removeWidget(self.legend)
        if wanted:
            self._grid.addWidget(self.legend, 1, 0, 1, 4)
            self._grid.removeWidget(self.name)
            self._grid.addWidget(self.name, 0, 0, 1, 2)
        else:
            self._grid.removeWidget(self.name)
            self._grid.addWidget(self.name, 0, 0)
            self._grid.addWidget(self.legend, 0, 1)
        self.legend.set_at_left(wanted)
        self.updateGeometry()

    def show_afloat(self, afloat: bool) -> None:
        """Leave the closing to the frame of the window in which a floating plot stands."""
        self.close_button.setVisible(not afloat)

    def set_texts(self, title: str, help_text: str) -> None:
        """Show another name and explanation."""
        self.name.setText(to_plain(title))
        explanation = to_plain(help_text)
        self.name.setToolTip("\n".join(text for text in (to_plain(title), explanation) if text))
        self.setAccessibleName(to_plain(title))
        self.setAccessibleDescription(explanation)
        self._fit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the plot's menu."""
        self.menu_requested.emit()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Tear the plot off, or put it back."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.float_requested.emit()
            event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the plot's menu with the menu key."""
        if event.key() == Qt.Key.Key_Menu:
            self.menu_requested.emit()
        else:
            super().keyPressEvent(event)
