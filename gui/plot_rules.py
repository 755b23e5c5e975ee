"""Straight lines with a label: limits of the theory, and moments of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from engine.views import Dash
from gui.plot_layers import Layer
from gui.plot_paint import Scene, crisp, draw_straight, hair_pen
from gui.plot_text import label

BESIDE = 0.12
"""Share of the width that labels of rules may take beside a plot."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A line across the plot at a value."""

    text: str
    value: float
    vertical: bool = False
    color: str = "bound"
    dash: Dash = "dash"


def room_beside(texts: Iterable[str], font: QFont, width: float) -> float | None:
    """Give the room that labels of rules need beside a plot; None if they take too much of it."""
    widest = max((label(text, font).size.width() for text in texts if text), default=0.0)
    if widest > BESIDE * width:
        return None
    return 8.0 + widest + QFontMetricsF(font).horizontalAdvance("↑ ") if widest else 12.0


@dataclass
class RulesLayer(Layer):
    """Straight lines across a plot, their labels where no curve is.

    Labels of horizontal rules stand to the right of the plot if there is room (`beside`); an arrow
    there says that a rule is above or below what is shown.
    """

    font: QFont
    rules: tuple[RuleLine, ...] = ()
    beside: bool = True
    outside = True

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw lines and labels; labels keep off each other."""
        taken: list[QRectF] = []
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for rule in self.rules:
            if rule.vertical:
                self._paint_vertical(painter, scene, rule, taken)
            else:
                self._paint_horizontal(painter, scene, rule, taken)

    def _paint_horizontal(
        self, painter: QPainter, scene: Scene, rule: RuleLine, taken: list[QRectF]
    ) -> None:
        plot, color = scene.plot, scene.theme.color(rule.color)
        at = float(scene.mapper.py(np.array([rule.value]))[0])
        shown = plot.top() <= at <= plot.bottom()
        if shown:
            line = crisp(at, scene.ratio)
            pen = hair_pen(color, rule.dash, scene.ratio)
            for index in range(max(1, round(1.4 * scene.ratio))):
                left = QPointF(plot.left(), line + index / scene.ratio)
                draw_straight(painter, left, QPointF(plot.right(), left.y()), pen)
        if not rule.text:
            return
        name = rule.text if shown else f"{'↑' if at < plot.top() else '↓'} {rule.text}"
        typeset = label(name, self.font)
        size = typeset.size
        if self.beside:
            low, high = plot.top() - 4, plot.bottom() - size.height() + 4
            place = QRectF(QPointF(plot.right() + 5, at - size.height() / 2), size)
        else:
            low, high = plot.top(), plot.bottom() - size.height()
            place = QRectF(QPointF(plot.right() - size.width() - 4, at - size.height()), size)
        place.moveTop(min(max(place.top(), low), high))
        _avoid(place, taken, low, high)
        if not self.beside:
            _veil(painter, scene, place)
        typeset.draw(painter, place.topLeft(), color)

    def _paint_vertical(
        self, painter: QPainter, scene: Scene, rule: RuleLine, taken: list[QRectF]
    ) -> None:
        plot, color = scene.plot, scene.theme.color(rule.color)
        at = float(scene.mapper.px(np.array([rule.value]))[0])
        if not plot.left() <= at <= plot.right():
            return
        line = crisp(at, scene.ratio)
        pen = hair_pen(color, rule.dash, scene.ratio)
        for index in range(max(1, round(1.4 * scene.ratio))):
            top = QPointF(line + index / scene.ratio, plot.top())
            bottom = QPointF(top.x(), plot.bottom())
            draw_straight(painter, top, bottom, pen)
        if rule.text:
            typeset = label(rule.text, self.font)
            size = typeset.size
            left = line + 4 if line + 4 + size.width() < plot.right() else line - 4 - size.width()
            place = QRectF(QPointF(left, plot.top() + 1), size)
            _avoid(place, taken, plot.top() + 1, plot.bottom() - size.height())
            _veil(painter, scene, place)
            typeset.draw(painter, place.topLeft(), color)


def _avoid(place: QRectF, taken: list[QRectF], low: float, high: float) -> None:
    """Move a label off those drawn before it, as far as there is room."""
    for step in range(8):
        hit = next((other for other in taken if other.intersects(place)), None)
        if hit is None:
            break
        down = hit.bottom() + 0.5
        up = hit.top() - place.height() - 0.5
        place.moveTop(down if down <= high and (step % 2 == 0 or up < low) else max(up, low))
    taken.append(QRectF(place))


def _veil(painter: QPainter, scene: Scene, place: QRectF) -> None:
    """Lighten what is under a label."""
    ground = scene.theme.color("surface")
    ground.setAlphaF(0.8)
    painter.fillRect(place.adjusted(-2, 1, 2, -1), ground)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the time axis: where, what to write there, and its colour."""

    x: float
    text: str
    color: str
    strong: bool = False


@dataclass
class MarksLayer(Layer):
    """Thin vertical lines at moments, their texts in the strip above the plot."""

    font: QFont
    marks: tuple[Mark, ...] = ()
    outside = True

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw lines closer than 3 pixels once, and the texts that fit, the latest first."""
        plot = scene.plot
        if not self.marks:
            return
        places = scene.mapper.px(np.array([mark.x for mark in self.marks]))
        drawn: list[float] = []
        taken: list[tuple[float, float]] = []
        order = sorted(range(len(self.marks)), key=lambda i: (not self.marks[i].strong, -places[i]))
        for index in order:
            at, mark = float(places[index]), self.marks[index]
            if not plot.left() <= at <= plot.right() or any(abs(at - x) < 3 for x in drawn):
                continue
            drawn.append(at)
            color = scene.theme.color(mark.color)
            line = crisp(at, scene.ratio)
            pen = hair_pen(color, "solid" if mark.strong else "dot", scene.ratio)
            draw_straight(painter, QPointF(line, plot.top() - 2), QPointF(line, plot.bottom()), pen)
            self._write(painter, scene, mark, line, taken)

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
