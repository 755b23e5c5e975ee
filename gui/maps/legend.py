"""The legend of a map: its classes with their shares, and what their shades stand for.

It is one painted widget: while a map is made its numbers change many times a second, and a layout
of twenty wrapped labels would take longer than a frame each time.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.maps.measured import percent_with_error
from engine.maps.picture import Bar, Swatch
from engine.maps.shown import MapShown
from engine.text.mathtext import to_html, to_plain
from engine.text.numbers import short, whole
from gui.plots.canvas.paint import line_pen, painting
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px
from gui.typeset.rich_text import Label, fitting_label
from gui.widgets.words import bold, small

EDGE, PATCH, GAP = 10.0, 14.0, 7.0
"""Pixels around the legend, side of a patch of colour, and distance to its name."""
BAR, BETWEEN = 6.0, 5.0
"""Height of a bar of shades, and distance of lines."""


class MapLegend(QWidget):
    """The classes of a map, each with its share of the cells computed so far.

    Attributes
    ----------
    swatches : tuple of Swatch
        In the order in which they are shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.swatches: tuple[Swatch, ...] = ()
        self._bar: Bar | None = None
        self._steps = 0
        self._errors: Mapping[int, float] = {}
        self._rows = (0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Legend of the map")

    def show_map(self, shown: MapShown | None) -> None:
        """Show the classes of a map, or the colours of the field that is drawn alone."""
        self.swatches = () if shown is None else ordered(shown)
        self._bar = None if shown is None else shown.picture.bar
        self._steps = 0 if shown is None else shown.spec.steps
        bars = sum(swatch.bar is not None for swatch in self.swatches) + (self._bar is not None)
        if (len(self.swatches), bars) != self._rows:
            self._rows = len(self.swatches), bars
            self.updateGeometry()
            self.setVisible(self._rows != (0, 0))
        self.setAccessibleDescription(self.text())
        self.update()

    def show_errors(self, errors: Mapping[int, float]) -> None:
        """Show the errors of the shares by code, where they are known."""
        self._errors = errors
        self.setAccessibleDescription(self.text())
        self.update()

    def share(self, swatch: Swatch) -> str:
        """Write the share of a class, with its error where that is known."""
        error = self._errors.get(swatch.code, 0.0)
        return percent_with_error(swatch.share, error) if error > 0.0 else percent(swatch)

    def text(self) -> str:
        """Return all of it in plain letters."""
        lines = [
            f"{to_plain(class_name(swatch, self._steps))}: {self.share(swatch)}"
            for swatch in self.swatches
        ]
        return "; ".join(lines)

    def sizeHint(self) -> QSize:
        """Return the height of all lines."""
        rows, bars = self._rows
        line, bar = self._line, self._bar_height
        return QSize(scaling.whole(200), round(2 * px(EDGE) + rows * line + bars * bar))

    def minimumSizeHint(self) -> QSize:
        """Return the same height."""
        return self.sizeHint()

    @property
    def _line(self) -> float:
        return max(self.fontMetrics().height(), px(PATCH)) + px(BETWEEN)

    @property
    def _bar_height(self) -> float:
        return px(BAR) + self.fontMetrics().height() + px(BETWEEN)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the surface, a line a class, and the bars of shades."""
        with painting(self) as painter:
            painter.setPen(line_pen(ink("border"), 1.0))
            painter.setBrush(ink("surface"))
            box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(box, px(7), px(7))
            top = px(EDGE)
            for swatch in self.swatches:
                self._draw_class(painter, swatch, top)
                top += self._line
                if swatch.bar is not None:
                    left = px(EDGE + PATCH + GAP)
                    self._draw_bar(painter, swatch.bar, left, top)
                    top += self._bar_height
            if self._bar is not None:
                self._draw_bar(painter, self._bar, px(EDGE), top)

    def _draw_class(self, painter: QPainter, swatch: Swatch, top: float) -> None:
        height = self._line - px(BETWEEN)
        middle = top + height / 2
        box = QRectF(px(EDGE), middle - px(PATCH) / 2, px(PATCH), px(PATCH))
        draw_patch(painter, swatch, box)
        font = bold(self.font())
        share = fitting_label(self.share(swatch), font, self.width() / 2)
        right = self.width() - px(EDGE) - share.size.width()
        share.draw(painter, QPointF(right, middle - share.size.height() / 2), ink("text"))
        left = box.right() + px(GAP)
        name = self._name(swatch, right - px(GAP) - left)
        name.draw(painter, QPointF(left, middle - name.size.height() / 2), ink("text"))

    def _name(self, swatch: Swatch, room: float) -> Label:
        return fitting_label(class_name(swatch, self._steps), small(self.font()), room)

    def _draw_bar(self, painter: QPainter, bar: Bar, left: float, top: float) -> None:
        """Draw shades, the values of the first and the last, and what they measure."""
        room = self.width() - px(EDGE) - left
        box = QRectF(left, top, room, px(BAR))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient(bar, box))
        painter.drawRoundedRect(box, px(3), px(3))
        font, color, below = small(self.font()), ink("muted"), top + px(BAR)
        low, high = (fitting_label(short(end, 3), font, room / 3) for end in (bar.low, bar.high))
        low.draw(painter, QPointF(left, below), color)
        high.draw(painter, QPointF(left + room - high.size.width(), below), color)
        free = room - low.size.width() - high.size.width() - px(12)
        name = fitting_label(bar.label, font, free)
        at = left + low.size.width() + px(6) + (free - name.size.width()) / 2
        name.draw(painter, QPointF(at, below), color)

    def event(self, event: QEvent) -> bool:
        """Show the whole name of a class and its number of cells while the pointer rests on it."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            swatch = self._at(event.pos())
            if swatch is None:
                QToolTip.hideText()
            else:
                text = f"{class_name(swatch, self._steps)}: {whole(swatch.count)} cells"
                QToolTip.showText(event.globalPos(), f"<p>{to_html(text)}</p>", self)
            return True
        return super().event(event)

    def _at(self, at: QPoint) -> Swatch | None:
        """Return the class whose line is at a place."""
        top = px(EDGE)
        for swatch in self.swatches:
            if top <= at.y() < top + self._line:
                return swatch
            top += self._line + (self._bar_height if swatch.bar is not None else 0.0)
        return None

    def changeEvent(self, event: QEvent) -> None:
        """Take the room of another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()


def ordered(shown: MapShown) -> tuple[Swatch, ...]:
    """Return the classes of a map: the largest first once it is done, in steady order till then."""
    if shown.state != "making":
        return shown.picture.swatches
    return tuple(sorted(shown.picture.swatches, key=lambda swatch: swatch.code))


def class_name(swatch: Swatch, steps: int) -> str:
    """Return the name of a class; of what is undecided, after how many steps it is."""
    return f"{swatch.name} after {whole(steps)} steps" if swatch.hatched else swatch.name


def percent(swatch: Swatch) -> str:
    """Write a share so that a few cells never read as none, nor nearly all as all."""
    percent = 100.0 * swatch.share
    if swatch.share >= 1.0:
        return "100 %"
    if percent >= 99.95:
        return "> 99.9 %"
    if percent < 0.05:
        return f"{whole(swatch.count)} cells" if swatch.count > 1 else "1 cell"
    return f"{percent:.1f} %"


def draw_patch(painter: QPainter, swatch: Swatch, box: QRectF) -> None:
    """Draw a patch of a class's colour, hatched where nothing is known."""
    painter.setPen(line_pen(ink("strong_border"), px(0.8)))
    painter.setBrush(QColor(swatch.color) if swatch.bar is None else gradient(swatch.bar, box))
    painter.drawRoundedRect(box, px(3), px(3))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if swatch.hatched:
        painter.save()
        painter.setClipRect(box)
        painter.setPen(line_pen(ink("muted"), px(1.0)))
        for shift in (-0.5, 0.0, 0.5):
            at = QPointF(shift * box.width(), shift * box.height())
            painter.drawLine(box.topRight() + at, box.bottomLeft() + at)
        painter.restore()


def gradient(bar: Bar, box: QRectF) -> QLinearGradient:
    """Return the shades of a bar from the left to the right of a box."""
    run = QLinearGradient(box.topLeft(), box.topRight())
    for index, stop in enumerate(bar.stops):
        run.setColorAt(index / (len(bar.stops) - 1), QColor(stop))
    return run
