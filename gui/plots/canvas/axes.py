"""The two axes of a plot: their ends, the room they take, and grid, ticks and labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from gui.plots.canvas.lines import Mapper
from gui.plots.canvas.paint import crisp, draw_straight, hair_pen
from gui.plots.canvas.range import CalmRange, Ends
from gui.plots.canvas.ticks import Ticks, linear_ticks, log_ticks
from gui.style.theme import Theme
from gui.typeset.rich_text import fitting_label

SHORT = 13.0
"""Width of an x label that stands beyond the end of the axis, so that a number can stand there."""
WIDEST = 2.5
"""How many times its own ends an axis may reach to be equal to the other."""
_ROOM_X = 78.0
_ROOM_Y = 38.0
"""Pixels that a tick label needs along its axis."""


_BETWEEN = 8.0
"""Pixels between names of categories."""


@dataclass(slots=True)
class Axis:
    """One axis.

    Attributes
    ----------
    text : str
        Its label, with mathtext between dollars.
    log : bool
        Whether it is measured in powers of ten.
    steps : bool
        Whether its values are whole numbers of steps.
    auto : CalmRange
        Ends that follow the data.
    manual : tuple of float or None
        Ends that the user chose instead.
    names : tuple of str
        Categories at 0, 1, 2, … in place of numbers.
    """

    text: str = ""
    log: bool = False
    steps: bool = False
    auto: CalmRange = field(default_factory=CalmRange)
    manual: Ends | None = None
    names: tuple[str, ...] = ()

    @property
    def ends(self) -> Ends:
        """The ends shown, in axis coordinates."""
        return self.manual or self.auto.ends

    def ticks(self, ends: Ends, room: float) -> Ticks:
        """Place ticks for ends that are `room` labels apart."""
        if self.names:
            every = max(1, math.ceil(len(self.names) / max(room, 1.0)))
            shown = range(0, len(self.names), every)
            return Ticks(tuple(map(float, shown)), tuple(self.names[i] for i in shown))
        if self.auto.is_nothing and ends == self.auto.ends and not self.log:
            return Ticks((0.0,), ("0",))
        make = log_ticks if self.log else linear_ticks
        return make(*ends, max(room, 2.0), steps=self.steps)


@dataclass(frozen=True, slots=True)
class Margins:
    """Room around a plot for what stands beside it."""

    top: float = 8.0
    right: float = 12.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Axes laid out in a widget: the mapper and the ticks.

    `has_names` is whether the x axis has categories, which need no lines.
    """

    mapper: Mapper
    x: Ticks
    y: Ticks
    size: QSizeF
    has_names: bool = False


def lay_out(
    size: QSizeF, x: Axis, y: Axis, margins: Margins, font: QFont, equal: bool = False
) -> Frame:
    """Divide a widget between plot and labels.

    The plot begins at even pixels and its left margin changes in steps of eight, so that neither
    grid nor columns of pixels shift while numbers grow.
    """
    metrics = QFontMetricsF(font)
    line = math.ceil(metrics.height())
    top = 2 * round(margins.top / 2)
    rows = 2 if x.names and x.text else 1  # a label must not stand on the name of a category
    height = max(size.height() - top - rows * line - 8, 20)
    ticks_y = y.ticks(y.ends, height / _ROOM_Y)
    widest = max((metrics.horizontalAdvance(text) for text in ticks_y.labels), default=0.0)
    left = 8 * math.ceil((widest + 10 + (line + 2 if y.text else 0)) / 8)
    width = max(size.width() - left - margins.right, 20)
    plot = QRectF(left, top, 2 * (width // 2), 2 * (height // 2))
    if equal:
        plot = narrowed(plot, x.ends, y.ends)
    ends_x, ends_y = (x.ends, y.ends) if not equal else equal_ends(x.ends, y.ends, plot)
    if equal:
        ticks_y = y.ticks(ends_y, height / _ROOM_Y)
    names = [metrics.horizontalAdvance(name) + _BETWEEN for name in x.names]
    ticks_x = x.ticks(ends_x, plot.width() / max(names, default=_ROOM_X))
    mapper = Mapper(plot, ends_x, ends_y, x.log, y.log)
    return Frame(mapper, ticks_x, ticks_y, size, bool(x.names))


def narrowed(plot: QRectF, x: Ends, y: Ends) -> QRectF:
    """Return the part of a plot in whose middle equal axes are drawn.

    In a plot of quite another shape than the data an axis would show little but what is far from
    them: neither gets more than `WIDEST` times its own ends.
    """
    wide, high = plot.width() / (x[1] - x[0]), plot.height() / (y[1] - y[0])
    width = min(plot.width(), 2 * math.ceil(WIDEST * high * (x[1] - x[0]) / 2))
    height = min(plot.height(), 2 * math.ceil(WIDEST * wide * (y[1] - y[0]) / 2))
    left = plot.left() + 2 * ((plot.width() - width) // 4)
    top = plot.top() + 2 * ((plot.height() - height) // 4)
    return QRectF(left, top, width, height)


def equal_ends(x: Ends, y: Ends, plot: QRectF) -> tuple[Ends, Ends]:
    """Widen one axis about its middle so that a unit is as long on both."""
    unit_x, unit_y = (x[1] - x[0]) / plot.width(), (y[1] - y[0]) / plot.height()
    unit = max(unit_x, unit_y)
    return _about(x, unit * plot.width()), _about(y, unit * plot.height())


def _about(ends: Ends, span: float) -> Ends:
    middle = ends[0] + (ends[1] - ends[0]) / 2
    return middle - span / 2, middle + span / 2


def draw_y_axis(painter: QPainter, frame: Frame, text: str, theme: Theme, font: QFont) -> None:
    """Draw the numbers and the label to the left of a plot."""
    mapper, plot = frame.mapper, frame.mapper.plot
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(theme.color("muted"))
    scale = plot.height() / (mapper.y[1] - mapper.y[0])
    for place, number in zip(frame.y.places, frame.y.labels, strict=True):
        at = plot.bottom() - (place - mapper.y[0]) * scale
        width = metrics.horizontalAdvance(number)
        painter.drawText(QPointF(plot.left() - 6 - width, at + metrics.capHeight() / 2), number)
    if text:
        typeset = fitting_label(_with_common(text, frame.y.common), font, frame.size.height())
        painter.save()
        painter.translate(1, plot.center().y() + typeset.size.width() / 2)
        painter.rotate(-90)
        below = (math.ceil(metrics.height()) - typeset.size.height()) / 2
        typeset.draw(painter, QPointF(0, below), theme.color("muted"))
        painter.restore()
    elif frame.y.common:
        painter.drawText(QPointF(2, plot.top() - 2), frame.y.common)


def draw_x_axis(
    painter: QPainter, frame: Frame, text: str, theme: Theme, font: QFont, ratio: float
) -> None:
    """Draw the base line, and the numbers and the label below a plot."""
    mapper, plot = frame.mapper, frame.mapper.plot
    metrics = QFontMetricsF(font)
    base = hair_pen(theme.color("strong_border"))
    low = crisp(plot.bottom(), ratio)
    draw_straight(painter, QPointF(plot.left(), low), QPointF(plot.right(), low), base)
    right_end = _draw_x_text(painter, frame, text, theme, font)
    painter.setFont(font)
    painter.setPen(theme.color("muted"))
    baseline = plot.bottom() + 4 + metrics.ascent()
    scale = plot.width() / (mapper.x[1] - mapper.x[0])
    for place, number in zip(frame.x.places, frame.x.labels, strict=True):
        at = plot.left() + (place - mapper.x[0]) * scale
        width = metrics.horizontalAdvance(number)
        if at + width / 2 < right_end:
            painter.drawText(QPointF(at - width / 2, baseline), number)


def _draw_x_text(painter: QPainter, frame: Frame, label: str, theme: Theme, font: QFont) -> float:
    """Draw the label right of the numbers, or below names; return where the numbers must end."""
    plot = frame.mapper.plot
    text = _with_common(label, frame.x.common)
    if not text:
        return float(frame.size.width())
    typeset = fitting_label(text, font, 0.6 * plot.width())
    width = typeset.size.width()
    if frame.has_names:
        below = plot.bottom() + 4 + QFontMetricsF(font).height()
        middle = max(plot.center().x() - width / 2, plot.left())
        typeset.draw(painter, QPointF(middle, below), theme.color("muted"))
        return float(frame.size.width())
    at = plot.right() + 2 if width <= SHORT else max(plot.right() - width, plot.left())
    typeset.draw(painter, QPointF(at, plot.bottom() + 4), theme.color("muted"))
    return at - 8


def _with_common(text: str, common: str) -> str:
    return f"{text}  ({common})" if text and common else text or common


def draw_grid(painter: QPainter, frame: Frame, theme: Theme, ratio: float) -> None:
    """Draw hair lines at the ticks, fainter ones at those without a number."""
    mapper, plot = frame.mapper, frame.mapper.plot
    strong, faint = theme.color("grid"), theme.color("grid")
    faint.setAlphaF(0.55)
    scale_x = plot.width() / (mapper.x[1] - mapper.x[0])
    scale_y = plot.height() / (mapper.y[1] - mapper.y[0])
    lines_x = () if frame.has_names else ((frame.x.minor, faint), (frame.x.places, strong))
    for places, color in lines_x:
        for place in places:
            at = crisp(plot.left() + (place - mapper.x[0]) * scale_x, ratio)
            draw_straight(
                painter, QPointF(at, plot.top()), QPointF(at, plot.bottom()), hair_pen(color)
            )
    for places, color in ((frame.y.minor, faint), (frame.y.places, strong)):
        for place in places:
            at = crisp(plot.bottom() - (place - mapper.y[0]) * scale_y, ratio)
            draw_straight(
                painter, QPointF(plot.left(), at), QPointF(plot.right(), at), hair_pen(color)
            )
