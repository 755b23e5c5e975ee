"""Straight lines with a label: limits of the theory, and moments of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from engine.core.views import Dash
from engine.figures.data import chains
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.paint import Scene, crisp, draw_straight, hair_pen
from gui.typeset.rich_text import Label, fitting_label, label

BESIDE = 0.2
"""Share of the width that labels of rules may take beside a plot."""
WITHIN = 0.49
"""Share of the width that a label of a horizontal rule may take within a plot; … ends a longer."""
DRAG = 14.0
"""Pixels below which changes of one parameter are those of one drag."""
BAND_ALPHA = 0.12


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A line across the plot at a value."""

    text: str
    value: float
    vertical: bool = False
    color: str = "bound"
    dash: Dash = "dash"


def room_beside(texts: Iterable[str], font: QFont, width: float) -> float | None:
    """Return the room that labels of rules need beside a plot; None if they take too much of it."""
    widest = max((label(text, font).size.width() for text in texts if text), default=0.0)
    if widest > BESIDE * width:
        return None
    return 8.0 + widest + QFontMetricsF(font).horizontalAdvance("↑ ") if widest else 12.0


@dataclass
class RulesLayer(Layer):
    """Straight lines across a plot, their labels where no curve is.

    Labels of horizontal rules stand to the right of the plot if there is room (`beside`); an arrow
    there says that a rule is above or below what is shown. Those of vertical rules stand above the
    plot if it leaves room there (`above`), so that they cover no data.
    """

    font: QFont
    rules: tuple[RuleLine, ...] = ()
    beside: bool = True
    above: bool = False
    outside = True

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw lines, and then labels that keep off each other and off the other lines."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shown = [rule for rule in self.rules if self._is_shown(scene, rule)]
        for rule in shown:
            self._draw_line(painter, scene, rule)
        for rule, place in self.labels(scene):
            if place.bottom() > scene.plot.top() and (rule.vertical or not self.beside):
                veil(painter, scene, place)
            color = scene.theme.color(rule.color)
            self._label(scene, rule).draw(painter, place.topLeft(), color)

    def labels(self, scene: Scene) -> list[tuple[RuleLine, QRectF]]:
        """Return the rules that are named, and where their labels stand."""
        lines = [(rule, _line_box(scene, rule)) for rule in self.rules]
        inside = [box for rule, box in lines if self._is_shown(scene, rule)]
        found: list[tuple[RuleLine, QRectF]] = []
        for rule in self.rules:
            if not rule.text or (rule.vertical and not self._is_shown(scene, rule)):
                continue
            taken = [place for _, place in found]
            if rule.vertical:
                found.append((rule, self._beside_vertical(scene, rule, taken)))
                continue
            taken += [] if self.beside else inside
            found.append((rule, self._at_right(scene, rule, taken)))
        return found

    def cut_at(self, scene: Scene, at: QPointF) -> str:
        """Return in full the name at a place that is cut there; empty where none is."""
        for rule, place in self.labels(scene):
            if place.contains(at) and not (rule.vertical or self.beside):
                whole = label(self._name(scene, rule), self.font)
                if whole.size.width() > WITHIN * scene.plot.width():
                    return rule.text
        return ""

    @staticmethod
    def _is_shown(scene: Scene, rule: RuleLine) -> bool:
        at = _pixel(scene, rule)
        if rule.vertical:
            return scene.plot.left() <= at <= scene.plot.right()
        return scene.plot.top() <= at <= scene.plot.bottom()

    def _name(self, scene: Scene, rule: RuleLine) -> str:
        if rule.vertical or self._is_shown(scene, rule):
            return rule.text
        return f"{'↑' if _pixel(scene, rule) < scene.plot.top() else '↓'} {rule.text}"

    def _label(self, scene: Scene, rule: RuleLine) -> Label:
        """Lay out a name; one within a plot leaves the larger part of its width to the data."""
        if rule.vertical or self.beside:
            return label(self._name(scene, rule), self.font)
        return fitting_label(self._name(scene, rule), self.font, WITHIN * scene.plot.width())

    def _draw_line(self, painter: QPainter, scene: Scene, rule: RuleLine) -> None:
        plot, line = scene.plot, crisp(_pixel(scene, rule), scene.ratio)
        pen = hair_pen(scene.theme.color(rule.color), rule.dash, scene.ratio)
        for index in range(max(1, round(1.4 * scene.ratio))):
            at = line + index / scene.ratio
            if rule.vertical:
                begin, end = QPointF(at, plot.top()), QPointF(at, plot.bottom())
            else:
                begin, end = QPointF(plot.left(), at), QPointF(plot.right(), at)
            draw_straight(painter, begin, end, pen)

    def _at_right(self, scene: Scene, rule: RuleLine, taken: Sequence[QRectF]) -> QRectF:
        """Place the label of a horizontal line beside it, or above or below it in the plot."""
        plot, at = scene.plot, _pixel(scene, rule)
        size = self._label(scene, rule).size
        if self.beside:
            place = QRectF(QPointF(plot.right() + 5, at - size.height() / 2), size)
            return _settled(place, taken, plot.top() - 4, plot.bottom() - size.height() + 4)
        place = QRectF(QPointF(plot.right() - size.width() - 4, at - size.height() - 1), size)
        return _settled(place, taken, plot.top(), plot.bottom() - size.height(), at)

    def _beside_vertical(self, scene: Scene, rule: RuleLine, taken: Sequence[QRectF]) -> QRectF:
        plot, line = scene.plot, crisp(_pixel(scene, rule), scene.ratio)
        size = label(rule.text, self.font).size
        if self.above:
            left = min(max(line - size.width() / 2, plot.left()), plot.right() - size.width())
            place = QRectF(QPointF(left, plot.top() - size.height() - 2), size)
            if not any(place.adjusted(-4, 0, 4, 0).intersects(other) for other in taken):
                return place
        left = line + 4 if line + 4 + size.width() < plot.right() else line - 4 - size.width()
        place = QRectF(QPointF(left, plot.top() + 1), size)
        return _settled(place, taken, plot.top() + 1, plot.bottom() - size.height())


def _pixel(scene: Scene, rule: RuleLine) -> float:
    value = np.array([rule.value])
    return float((scene.mapper.px(value) if rule.vertical else scene.mapper.py(value))[0])


def _line_box(scene: Scene, rule: RuleLine) -> QRectF:
    """Return the pixels that a line covers."""
    at, plot = crisp(_pixel(scene, rule), scene.ratio), scene.plot
    if rule.vertical:
        return QRectF(at - 1, plot.top(), 2.5, plot.height())
    return QRectF(plot.left(), at - 1, plot.width(), 2.5)


def _settled(
    place: QRectF, taken: Sequence[QRectF], low: float, high: float, line: float | None = None
) -> QRectF:
    """Return the place nearest to that wanted, between two heights, that meets nothing taken.

    Of a line's label it is the place nearest to the line. Where there is none it is the place that
    meets the least.
    """
    wanted = min(max(place.top(), low), max(low, high))
    height = place.height()
    tops = [wanted, low, max(low, high)]
    for other in taken:
        tops += [other.bottom() + 0.5, other.top() - height - 0.5]

    def cost(top: float) -> tuple[float, float]:
        here = QRectF(place.left(), top, place.width(), height)
        met = (here.intersected(other) for other in taken)
        away = abs(top - wanted) if line is None else abs(top + height / 2 - line)
        return sum(part.width() * part.height() for part in met), round(away)

    best = min((top for top in tops if low <= top <= max(low, high)), key=cost)
    return QRectF(place.left(), best, place.width(), height)


def veil(painter: QPainter, scene: Scene, place: QRectF) -> None:
    """Lighten what is under a label."""
    ground = scene.theme.color("surface")
    ground.setAlphaF(0.85)
    painter.fillRect(place.adjusted(-2, 1, 2, -1), ground)


def change_text(name: str, before: str, after: str) -> str:
    """Write a change, from nothing known if `before` is empty."""
    return f"{name} {before} → {after}" if before else f"{name} → {after}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the time axis: where, what to write there, and its colour.

    `change` is the name of the parameter that changes there, its value before and after; neighbours
    of one name are drawn as one band from `x` to `until`.
    """

    x: float
    text: str
    color: str
    strong: bool = False
    change: tuple[str, str, str] = ("", "", "")
    until: float | None = None


@dataclass
class MarksLayer(Layer):
    """Thin vertical lines at moments, a band over a drag, their texts above the plot."""

    font: QFont
    marks: tuple[Mark, ...] = ()
    outside = True

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw lines closer than 3 pixels once, and the texts that fit, the latest first."""
        plot = scene.plot
        drawn: list[float] = []
        taken: list[tuple[float, float]] = []
        for mark in self.shown(scene):
            ends = [mark.x] if mark.until is None else [mark.x, mark.until]
            places = [float(x) for x in scene.mapper.px(np.array(ends))]
            color = scene.theme.color(mark.color)
            if mark.until is not None:
                left, right = max(places[0], plot.left()), min(places[1], plot.right())
                color.setAlphaF(BAND_ALPHA)
                painter.fillRect(QRectF(left, plot.top(), right - left, plot.height()), color)
                color.setAlphaF(1.0)
            pen = hair_pen(color, "solid" if mark.strong else "dot", scene.ratio)
            inside = [x for x in places if plot.left() <= x <= plot.right()]
            for at in inside:
                if not any(abs(at - x) < 3 for x in drawn):
                    drawn.append(at)
                    line = crisp(at, scene.ratio)
                    top, bottom = QPointF(line, plot.top() - 2), QPointF(line, plot.bottom())
                    draw_straight(painter, top, bottom, pen)
            if inside:
                self._write(painter, scene, mark, sum(inside) / len(inside), taken)

    def shown(self, scene: Scene) -> list[Mark]:
        """Return the marks to draw, those of one drag as one, the most important first."""
        if not self.marks:
            return []
        order = sorted(range(len(self.marks)), key=lambda i: self.marks[i].x)
        marks = [self.marks[i] for i in order]
        places = scene.mapper.px(np.array([mark.x for mark in marks])).tolist()
        found = []
        for first, last in chains(places, [mark.change[0] for mark in marks], DRAG):
            mark = marks[first]
            if first < last:
                name, before, _ = mark.change
                text = change_text(name, before, marks[last].change[2])
                mark = replace(mark, until=marks[last].x, text=text)
            found.append(mark)
        return sorted(found, key=lambda mark: (not mark.strong, -mark.x))

    def _write(
        self,
        painter: QPainter,
        scene: Scene,
        mark: Mark,
        at: float,
        taken: list[tuple[float, float]],
    ) -> None:
        if not mark.text:
            return
        typeset = label(mark.text, self.font)
        width = typeset.size.width()
        left = min(max(at - width / 2, scene.plot.left()), scene.plot.right() - width)
        if left < scene.plot.left() or any(left < b + 6 and left + width > a - 6 for a, b in taken):
            return
        taken.append((left, left + width))
        top = scene.plot.top() - 2 - typeset.size.height()
        typeset.draw(painter, QPointF(left, top), scene.theme.color(mark.color))
