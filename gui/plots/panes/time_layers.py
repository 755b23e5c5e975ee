"""What lies over lines along time, and where its rules are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter

from engine.core.arrays import FloatArray
from gui.plots.canvas.groups import draw_groups
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.paint import Group, Scene, crisp, draw_dots, draw_straight, hair_pen
from gui.plots.canvas.range import Ends
from gui.plots.canvas.rules import RuleLine

HEADS = 8
"""Lines up to which the newest point is marked."""
WILD = 6.0
"""Multiple of the median beyond which values of a diverged run do not stretch a linear axis."""


@dataclass
class Crosshair(Layer):
    """A vertical line at a step, dots on the lines there, and the line nearest the pointer."""

    x: float | None = None
    dots: tuple[tuple[float, QColor], ...] = ()
    line: Group | None = None

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw it."""
        if self.x is None:
            return
        at = float(scene.mapper.px(np.array([self.x]))[0])
        place = crisp(at, scene.ratio)
        pen = hair_pen(scene.theme.color("muted"))
        top, bottom = QPointF(place, scene.plot.top()), QPointF(place, scene.plot.bottom())
        draw_straight(painter, top, bottom, pen)
        if self.line is not None:
            draw_groups(painter, scene, (self.line,))
        for value, color in self.dots:
            y = scene.mapper.py(np.array([value]))
            draw_dots(painter, np.array([at]), y, scene.theme.color("surface"), 8.0)
            draw_dots(painter, np.array([at]), y, color, 5.5)


@dataclass
class Heads(Layer):
    """Dots at the newest point of each line."""

    groups: tuple[Group, ...] = ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw a dot at the end of each line, unless they are many or predictions."""
        for group in self.groups:
            if len(group.x) == 0 or group.dash != "solid" or len(group.colors) > HEADS:
                continue
            x, heights = scene.mapper.px(group.x[-1:]), scene.mapper.py(group.y[-1])
            for height, color in zip(heights, group.colors, strict=True):
                draw_dots(painter, x, height[None], color, 5.0)


def without_first_zeros(values: FloatArray) -> FloatArray:
    """Let lines that begin at zero begin where a log axis has a place for them."""
    with np.errstate(invalid="ignore"):
        begun = np.logical_or.accumulate(values > 0, axis=0)
    return np.where(begun, values, np.nan)


def with_rules(ends: Ends, rules: tuple[RuleLine, ...], log: bool) -> Ends:
    """Widen ends to rules that are not far off."""
    low, high = ends
    reach = 2.0 if log else 1.5 * max(high - low, 0.2 * max(abs(low), abs(high)))
    for rule in rules:
        if rule.vertical or (log and rule.value <= 0):
            continue
        value = math.log10(rule.value) if log else rule.value
        if ends[0] - reach <= value <= ends[1] + reach:
            low, high = min(low, value), max(high, value)
    return low, high


def with_predicted(ends: Ends, predicted: Ends | None, log: bool) -> Ends:
    """Widen ends towards predictions, which may be far off: a little, and not down a log axis."""
    if predicted is None:
        return ends
    reach = 1.0 if log else 0.5 * (ends[1] - ends[0])
    low = ends[0] if log else min(ends[0], max(predicted[0], ends[0] - reach))
    return low, max(ends[1], min(predicted[1], ends[1] + reach))
