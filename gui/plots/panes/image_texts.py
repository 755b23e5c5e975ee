"""What is written on and around images: cell values, captions, and names of rows and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from engine.core.arrays import FloatArray
from engine.core.views import Colormap
from engine.text.numbers import short
from gui.plots.canvas.layers import map_stops, to_levels
from gui.plots.canvas.range import Ends
from gui.style.theme import color_table, current_theme
from gui.typeset.rich_text import label

LEAST_CELL = 26.0
"""Width of a cell from which its number is written into it."""
NAME_WIDTH = 90.0
"""Room for the names of rows."""
GAP = 6.0


def draw_numbers(
    painter: QPainter,
    box: QRectF,
    values: FloatArray,
    ends: Ends,
    colormap: Colormap,
    font: QFont,
) -> None:
    """Write each cell's value where there is room, in ink that shows on its colour."""
    table = color_table(map_stops(current_theme(), colormap))
    light = table @ np.array([0.299, 0.587, 0.114]) > 140
    metrics = QFontMetricsF(font)
    rows, columns = values.shape
    wide, high = box.width() / columns, box.height() / rows
    if wide < LEAST_CELL or high < metrics.height():
        return
    levels = to_levels(values, ends)
    digits = 5 if bool((values == np.rint(values)).all()) else 2 if wide < 40 else 3
    painter.setFont(font)
    for row, column in np.ndindex(rows, columns):
        text = short(float(values[row, column]), digits)
        if metrics.horizontalAdvance(text) > wide - 2:
            continue
        on_light = bool(light[levels[row, column]])
        painter.setPen(Qt.GlobalColor.black if on_light else Qt.GlobalColor.white)
        cell = QRectF(box.left() + column * wide, box.top() + row * high, wide, high)
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)


def draw_row_names(
    painter: QPainter, box: QRectF, rows: int, names: Sequence[str], text: str, font: QFont
) -> None:
    """Write the names of rows to the left of an image, and the axis' label beside them."""
    metrics, color = QFontMetricsF(font), current_theme().color("muted")
    left = box.left() - GAP
    every = max(1, math.ceil(metrics.height() * rows / box.height()))
    painter.setFont(font)
    painter.setPen(color)
    for row in range(0, len(names), every):
        middle = box.top() + (row + 0.5) * box.height() / rows
        name = metrics.elidedText(names[row], Qt.TextElideMode.ElideRight, NAME_WIDTH)
        start = box.left() - GAP - metrics.horizontalAdvance(name)
        painter.drawText(QPointF(start, middle + metrics.capHeight() / 2), name)
        left = min(left, start)
    if text:
        typeset = label(text, font)
        painter.save()
        painter.translate(
            left - typeset.size.height() - 3, box.center().y() + typeset.size.width() / 2
        )
        painter.rotate(-90)
        typeset.draw(painter, QPointF(), color)
        painter.restore()


def draw_column_names(
    painter: QPainter, box: QRectF, columns: int, names: Sequence[str], text: str, font: QFont
) -> None:
    """Write the names of columns below an image, and the axis' label under them."""
    metrics, color = QFontMetricsF(font), current_theme().color("muted")
    room, below = box.width() / columns, box.bottom() + 2
    widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0) + 4
    every = max(1, math.ceil(widest / room))
    painter.setFont(font)
    painter.setPen(color)
    for column in range(0, len(names), every):
        middle = box.left() + (column + 0.5) * room
        width = metrics.horizontalAdvance(names[column])
        painter.drawText(QPointF(middle - width / 2, below + metrics.ascent()), names[column])
    if text:
        typeset = label(text, font)
        below += metrics.height() if names else 0.0
        at = QPointF(box.center().x() - typeset.size.width() / 2, below)
        typeset.draw(painter, at, color)


def draw_caption(painter: QPainter, box: QRectF, caption: str, font: QFont) -> None:
    """Write the caption of an image above it."""
    typeset = label(caption, font)
    left = box.center().x() - typeset.size.width() / 2
    top = box.top() - typeset.size.height() - 1
    typeset.draw(painter, QPointF(left, top), current_theme().color("text"))
