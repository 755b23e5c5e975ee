"""The legend of a map: its classes with their shares, and what their shades stand for."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from engine.maps.live import MapShown
from engine.maps.picture import Bar, Swatch
from engine.text.numbers import short, whole
from gui.plots.canvas.paint import line_pen, painting
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px
from gui.typeset.rich_text import fitting_label
from gui.widgets.cards import Card
from gui.widgets.words import Figure, Words, small


class Patch(QWidget):
    """A patch of a class's colour, hatched where nothing is known."""

    def __init__(self, swatch: Swatch) -> None:
        super().__init__()
        self._swatch = swatch
        scaling.fixed(self, 16, 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the patch."""
        with painting(self) as painter:
            self._draw(painter)

    def _draw(self, painter: QPainter) -> None:
        box = QRectF(self.rect()).adjusted(px(1), px(1), -px(1), -px(1))
        painter.setPen(line_pen(ink("strong_border"), px(0.8)))
        painter.setBrush(_brush(self._swatch, box))
        painter.drawRoundedRect(box, px(3), px(3))
        if self._swatch.hatched:
            painter.setClipRect(box)
            painter.setPen(line_pen(ink("muted"), px(1.0)))
            for shift in (-0.5, 0.0, 0.5):
                at = QPointF(shift * box.width(), shift * box.height())
                painter.drawLine(box.topRight() + at, box.bottomLeft() + at)


def _brush(swatch: Swatch, box: QRectF) -> QColor | QLinearGradient:
    if swatch.bar is None:
        return QColor(swatch.color)
    return _gradient(swatch.bar, box)


def _gradient(bar: Bar, box: QRectF) -> QLinearGradient:
    run = QLinearGradient(box.topLeft(), box.topRight())
    for index, stop in enumerate(bar.stops):
        run.setColorAt(index / (len(bar.stops) - 1), QColor(stop))
    return run


class ShadeBar(QWidget):
    """The shades of a class, with the values of the first and the last and what they measure."""

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self._bar = bar
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(
            f"{bar.label}: {short(bar.low, 3)} to {short(bar.high, 3)}, from the ground's side"
        )

    def sizeHint(self) -> QSize:
        """Return the height of a bar and a line of small text."""
        line = self.fontMetrics().height()
        return QSize(scaling.whole(80), line + scaling.whole(8))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw bar and texts."""
        with painting(self) as painter:
            self._draw(painter)

    def _draw(self, painter: QPainter) -> None:
        box = QRectF(0, px(1), self.width(), px(6))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_gradient(self._bar, box))
        painter.drawRoundedRect(box, px(3), px(3))
        font, color, top = small(self.font()), ink("muted"), px(8)
        low, high = (fitting_label(short(end, 3), font, self.width() / 3) for end in self._ends)
        low.draw(painter, QPointF(0, top), color)
        high.draw(painter, QPointF(self.width() - high.size.width(), top), color)
        room = self.width() - low.size.width() - high.size.width() - px(12)
        name = fitting_label(self._bar.label, font, room)
        left = low.size.width() + px(6) + (room - name.size.width()) / 2
        name.draw(painter, QPointF(left, top), color)

    @property
    def _ends(self) -> tuple[float, float]:
        return self._bar.low, self._bar.high


class MapLegend(Card):
    """The classes of a map, each with its share of the cells computed so far."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout()
        scaling.across(self._grid, 8)
        scaling.down(self._grid, 4)
        self._grid.setColumnStretch(1, 1)
        self.column.addLayout(self._grid)
        self.swatches: tuple[Swatch, ...] = ()
        self._figures: list[Figure] = []
        self._built: object = None

    def show_map(self, shown: MapShown | None) -> None:
        """Show the classes of a map, or the colours of the field that is drawn alone."""
        swatches = () if shown is None else shown.picture.swatches
        bar = None if shown is None else shown.picture.bar
        steps = 0 if shown is None else shown.spec.steps
        look = (steps, bar, *(_look(each) for each in swatches))
        if look != self._built:
            self._built = look
            self._build(swatches, bar, steps)
        self.swatches = swatches
        for swatch, figure in zip(swatches, self._figures, strict=True):
            figure.show_value(f"Share: {swatch.name}", swatch.share, text=_percent(swatch))
        self.setVisible(bool(swatches) or bar is not None)

    def _build(self, swatches: tuple[Swatch, ...], bar: Bar | None, steps: int) -> None:
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._figures, row = [], 0
        for swatch in swatches:
            name, figure = Words(fine=True), Figure()
            name.say(class_name(swatch, steps))
            self._figures.append(figure)
            self._grid.addWidget(Patch(swatch), row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(name, row, 1)
            self._grid.addWidget(figure, row, 2, Qt.AlignmentFlag.AlignRight)
            row += 1
            if swatch.bar is not None:
                self._grid.addWidget(ShadeBar(swatch.bar), row, 1, 1, 2)
                row += 1
        if bar is not None:
            self._grid.addWidget(ShadeBar(bar), row, 0, 1, 3)


def class_name(swatch: Swatch, steps: int) -> str:
    """Return the name of a class; of what is undecided, after how many steps it is."""
    return f"{swatch.name} after {whole(steps)} steps" if swatch.hatched else swatch.name


def _look(swatch: Swatch) -> tuple[object, ...]:
    """Return what of a line of the legend is not its share."""
    return swatch.code, swatch.name, swatch.color, swatch.hatched, swatch.bar


def _percent(swatch: Swatch) -> str:
    """Write a share so that a few cells never read as none, nor nearly all as all."""
    percent = 100.0 * swatch.share
    if swatch.share >= 1.0:
        return "100 %"
    if percent >= 99.95:
        return "> 99.9 %"
    if percent < 0.05:
        return f"{whole(swatch.count)} cells" if swatch.count > 1 else "1 cell"
    return f"{percent:.1f} %"
