"""Matrices and pictures: one with its numbers and names, or a grid of them with captions."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.experiment import FloatArray
from engine.views import ImageView
from gui.plot_colorbar import BAR, ColorBarLayer, draw_color_bar, level_ends
from gui.plot_layers import map_stops, picture_of, to_levels
from gui.plot_numbers import number, short
from gui.plot_paint import line_pen
from gui.plot_pane import Pane, Reading, ReadingItem, numbers, texts
from gui.plot_range import CalmRange
from gui.plot_text import label
from gui.theme import color_table, current_theme

GAP = 8.0
LEAST_CELL = 26.0
"""Width of a cell from which its number is written into it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Where one image is drawn, and its index in the grid."""

    index: int
    box: QRectF


class ImagePane(Pane[ImageView]):
    """Draws an `ImageView`."""

    def __init__(self, view: ImageView, parent: QWidget | None = None) -> None:
        super().__init__(view, parent)
        self._calm = CalmRange(pad=0.0)
        self._values: FloatArray | None = None
        self._bar = ColorBarLayer(self._small_font)
        self._images: list[QImage] = []
        self._images_for = ""
        self._tiles: tuple[Tile, ...] = ()
        self._hover: tuple[int, int, int] | None = None
        self.setMouseTracking(True)
        self.setMinimumSize(120, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(view.title)
        self.setAccessibleDescription(view.help)

    def sizeHint(self) -> QSize:
        """Give a comfortable size."""
        return QSize(320, 240)

    @property
    def _small_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(6.5, font.pointSizeF() - 1.0))
        return font

    def redraw(self) -> None:
        """Draw what was given last."""
        values = None if self._shown is None else numbers(self._shown.observation, self.view.key)
        if values is not None and (values.ndim not in (2, 3) or 0 in values.shape):
            values = None
        self._values = None if values is None else values.reshape(-1, *values.shape[-2:])
        if self._values is not None:
            ends = level_ends(self._calm, self._values, self.view.colormap)
            self._bar.set(self.view.color_label, ends, self.view.colormap)
        self._images = []
        self._place()
        self.update()

    def _place(self) -> None:
        """Divide the widget into tiles of the largest size that fits all of them."""
        self._tiles = ()
        if self._values is None:
            return
        count, rows, columns = self._values.shape
        area = self._area()
        caption = self._caption_height() if self.view.captions_key else 0.0
        best: tuple[float, int] = (0.0, 1)
        for across in range(1, count + 1):
            down = math.ceil(count / across)
            cell = min(
                (area.width() - GAP * (across - 1)) / across / columns,
                ((area.height() - GAP * (down - 1)) / down - caption) / rows,
            )
            best = max(best, (cell, across))
        cell, across = best
        if cell <= 0:
            return
        if cell > 2:  # whole device pixels keep all cells alike
            ratio = self.devicePixelRatioF()
            cell = math.floor(cell * ratio) / ratio
        down = math.ceil(count / across)
        step_x = cell * columns + GAP
        step_y = cell * rows + GAP + caption
        left = area.left() + (area.width() - across * step_x + GAP) / 2
        top = area.top() + (area.height() - down * step_y + GAP) / 2
        self._tiles = tuple(
            Tile(
                index,
                QRectF(
                    round(left + index % across * step_x),
                    round(top + index // across * step_y + caption),
                    cell * columns,
                    cell * rows,
                ),
            )
            for index in range(count)
        )

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(self._small_font)
        line = metrics.height()
        area = QRectF(self.rect()).adjusted(10, 4, -8, -8)
        area.setRight(area.right() - self._bar.width())
        if self.view.row_labels_key or self.view.y_label:
            names = self._names(self.view.row_labels_key, 0)
            widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
            area.setLeft(
                area.left() + min(widest, 90.0) + 6 + (line + 4 if self.view.y_label else 0)
            )
        if self.view.column_labels_key:
            area.setBottom(area.bottom() - line)
        if self.view.x_label:
            area.setBottom(area.bottom() - line)
        return area

    def _caption_height(self) -> float:
        return QFontMetricsF(self._small_font).height() + 1

    def _names(self, key: str, axis: int) -> list[str]:
        if self._shown is None or self._values is None or not key:
            return []
        return texts(self._shown.observation, key, self._values.shape[1 + axis])

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw tiles, numbers, captions and the colour bar."""
        begin = time.perf_counter()
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._images_for != theme.name or len(self._images) != len(self._tiles):
            self._make_images()
        for tile, image in zip(self._tiles, self._images, strict=True):
            fine = tile.box.width() * self.devicePixelRatioF() < 2 * image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, fine)
            painter.drawImage(tile.box, image)
            painter.setPen(line_pen(theme.color("border"), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(tile.box.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self._tiles:
            self._paint_texts(painter)
            self._paint_bar(painter)
        painter.end()
        self.seconds += 0.2 * (time.perf_counter() - begin - self.seconds)

    def _make_images(self) -> None:
        assert self._values is not None or not self._tiles
        theme = current_theme()
        self._images_for = theme.name
        self._images = [
            picture_of(
                to_levels(self._values[tile.index], self._calm.ends), theme, self.view.colormap
            )
            for tile in self._tiles
            if self._values is not None
        ]

    def _paint_texts(self, painter: QPainter) -> None:
        theme, font = current_theme(), self._small_font
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        if self.view.annotate:
            self._paint_numbers(painter)
        painter.setPen(theme.color("muted"))
        if self.view.captions_key and self._shown is not None:
            captions = texts(self._shown.observation, self.view.captions_key, len(self._tiles))
            for tile, caption in zip(self._tiles, captions, strict=True):
                typeset = label(caption, font)
                left = tile.box.center().x() - typeset.size.width() / 2
                at = QPointF(left, tile.box.top() - self._caption_height() - 1)
                typeset.draw(painter, at, theme.color("text"))
        if len(self._tiles) == 1:
            self._paint_names(painter, self._tiles[0].box, metrics)

    def _paint_names(self, painter: QPainter, box: QRectF, metrics: QFontMetricsF) -> None:
        theme, font = current_theme(), self._small_font
        assert self._values is not None
        _, rows, columns = self._values.shape
        painter.setPen(theme.color("muted"))
        line, left = metrics.height(), box.left() - 6
        names = self._names(self.view.row_labels_key, 0)
        every = max(1, math.ceil(line * rows / box.height()))
        for row in range(0, len(names), every):
            middle = box.top() + (row + 0.5) * box.height() / rows
            name = metrics.elidedText(names[row], Qt.TextElideMode.ElideRight, 90)
            width = metrics.horizontalAdvance(name)
            painter.drawText(
                QPointF(box.left() - 6 - width, middle + metrics.capHeight() / 2), name
            )
            left = min(left, box.left() - 6 - width)
        names = self._names(self.view.column_labels_key, 1)
        room = box.width() / columns
        widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0) + 4
        every = max(1, math.ceil(widest / room))
        below = box.bottom() + 2
        for column in range(0, len(names), every):
            middle = box.left() + (column + 0.5) * room
            width = metrics.horizontalAdvance(names[column])
            painter.drawText(QPointF(middle - width / 2, below + metrics.ascent()), names[column])
        below += line if names else 0
        if self.view.x_label:
            typeset = label(self.view.x_label, font)
            at = QPointF(box.center().x() - typeset.size.width() / 2, below)
            typeset.draw(painter, at, theme.color("muted"))
        if self.view.y_label:
            typeset = label(self.view.y_label, font)
            painter.save()
            painter.translate(
                left - typeset.size.height() - 3, box.center().y() + typeset.size.width() / 2
            )
            painter.rotate(-90)
            typeset.draw(painter, QPointF(), theme.color("muted"))
            painter.restore()

    def _paint_numbers(self, painter: QPainter) -> None:
        """Write each cell's value where there is room, in ink that shows on its colour."""
        assert self._values is not None
        theme = current_theme()
        table = color_table(map_stops(theme, self.view.colormap))
        metrics = QFontMetricsF(self._small_font)
        for tile in self._tiles:
            values = self._values[tile.index]
            levels = to_levels(values, self._calm.ends)
            wide, high = tile.box.width() / values.shape[1], tile.box.height() / values.shape[0]
            if wide < LEAST_CELL or high < metrics.height():
                continue
            whole = bool((values == np.rint(values)).all())
            for row, column in np.ndindex(*values.shape):
                value = float(values[row, column])
                text = short(value, 5 if whole else 2 if wide < 40 else 3)
                if metrics.horizontalAdvance(text) > wide - 2:
                    continue
                shade = table[levels[row, column]] @ np.array([0.299, 0.587, 0.114])
                painter.setPen(Qt.GlobalColor.black if shade > 140 else Qt.GlobalColor.white)
                cell = QRectF(
                    tile.box.left() + column * wide, tile.box.top() + row * high, wide, high
                )
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_bar(self, painter: QPainter) -> None:
        boxes = [tile.box for tile in self._tiles]
        right = max(box.right() for box in boxes)
        top, bottom = min(box.top() for box in boxes), max(box.bottom() for box in boxes)
        bar = QRectF(right + 10, top, BAR, bottom - top)
        if bar.height() > 30:
            draw_color_bar(painter, bar, current_theme(), self._bar)

    # The pointer, size and theme.

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the value under the pointer."""
        at = event.position()
        for tile in self._tiles:
            if tile.box.contains(at) and self._values is not None:
                rows, columns = self._values.shape[1:]
                row = min(int((at.y() - tile.box.top()) / tile.box.height() * rows), rows - 1)
                column = min(
                    int((at.x() - tile.box.left()) / tile.box.width() * columns), columns - 1
                )
                self._read(tile.index, row, column)
                return
        self.reading_changed.emit(None)

    def _read(self, index: int, row: int, column: int) -> None:
        assert self._values is not None and self._shown is not None
        value = number(float(self._values[index, row, column]))
        rows = self._names(self.view.row_labels_key, 0)
        columns = self._names(self.view.column_labels_key, 1)
        place = f"[{rows[row] if rows else row + 1}, {columns[column] if columns else column + 1}]"
        if self.view.captions_key:
            names = texts(self._shown.observation, self.view.captions_key, len(self._tiles))
            place = f"{names[index]} {place}"
        self.reading_changed.emit(Reading(place, (ReadingItem(self.view.color_label, value),)))

    def leaveEvent(self, event: QEvent) -> None:
        """Take the reading away."""
        self.reading_changed.emit(None)
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the tiles anew."""
        self._place()
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the colours and font of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._bar.font = self._small_font
            self._place()
            self.update()
