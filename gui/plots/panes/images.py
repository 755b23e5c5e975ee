"""Matrices and pictures: one with its numbers and names, or a grid of them with captions.

They are drawn in a pyqtgraph view without axes: cells, their numbers and their names are laid out
in pixels together, so that cells are whole pixels wide.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from engine.core.arrays import FloatArray
from engine.core.views import Colormap, ImageView
from engine.text.mathtext import to_plain
from engine.text.numbers import number, short
from gui.plots.canvas.colorbar import BAR, ColorBarLayer, calm_levels, draw_color_bar
from gui.plots.canvas.layers import areas_of, map_stops, picture_of, tinted, to_levels
from gui.plots.canvas.paint import line_pen
from gui.plots.canvas.range import CalmRange, Ends
from gui.plots.canvas.view import ScaledView, ViewItem, small_font
from gui.plots.panes.pane import Entry, Pane, Reading, ReadingItem, numbers, texts
from gui.style import scaling
from gui.style.theme import color_table, current_theme
from gui.typeset.rich_text import label

LEAST_CELL = 26.0
"""Width of a cell from which its number is written into it."""
NAME_WIDTH = 90.0
"""Room for the names of rows."""
NAME_GAP = 6.0


GAP = 8.0


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
    left = box.left() - NAME_GAP
    every = max(1, math.ceil(metrics.height() * rows / box.height()))
    painter.setFont(font)
    painter.setPen(color)
    for row in range(0, len(names), every):
        middle = box.top() + (row + 0.5) * box.height() / rows
        name = metrics.elidedText(names[row], Qt.TextElideMode.ElideRight, NAME_WIDTH)
        start = box.left() - NAME_GAP - metrics.horizontalAdvance(name)
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


def draw_ends(
    painter: QPainter,
    box: QRectF,
    ends: Sequence[float],
    names: tuple[str, str],
    font: QFont,
    *,
    is_first: bool,
    is_last: bool,
) -> None:
    """Write what an image reaches over: below the last row, beside the first column of images."""
    metrics, color = QFontMetricsF(font), current_theme().color("muted")
    painter.setFont(font)
    painter.setPen(color)
    x0, x1, y0, y1 = (short(end, 4) for end in ends)
    if is_last:
        line = box.bottom() + 3 + metrics.ascent()
        painter.drawText(QPointF(box.left(), line), x0)
        painter.drawText(QPointF(box.right() - metrics.horizontalAdvance(x1), line), x1)
        typeset = label(names[0], font)
        place = QPointF(box.center().x() - typeset.size.width() / 2, box.bottom() + 3)
        typeset.draw(painter, place, color)
    if is_first:
        for text, line in ((y1, box.top() + metrics.ascent()), (y0, box.bottom())):
            place = QPointF(box.left() - NAME_GAP - metrics.horizontalAdvance(text), line)
            painter.drawText(place, text)
        typeset = label(names[1], font)
        left = box.left() - NAME_GAP - typeset.size.width()
        typeset.draw(painter, QPointF(left, box.center().y() - typeset.size.height() / 2), color)


def tiles(
    area: QRectF, count: int, rows: int, columns: int, caption: float, ratio: float
) -> tuple[QRectF, ...]:
    """Divide an area into boxes for images of so many cells, as large as fits, cells square.

    `caption` is the height left free above each box, `ratio` the device pixels per pixel.
    """
    cell, across = 0.0, 1
    for tried in range(1, count + 1):
        down = math.ceil(count / tried)
        fits = min(
            (area.width() - GAP * (tried - 1)) / tried / columns,
            ((area.height() - GAP * (down - 1)) / down - caption) / rows,
        )
        cell, across = max((cell, across), (fits, tried))
    if cell <= 0:
        return ()
    if cell > 2:  # whole device pixels keep all cells alike
        cell = math.floor(cell * ratio) / ratio
    down = math.ceil(count / across)
    step_x, step_y = cell * columns + GAP, cell * rows + GAP + caption
    left = area.left() + (area.width() - across * step_x + GAP) / 2
    top = area.top() + (area.height() - down * step_y + GAP) / 2
    return tuple(
        QRectF(
            round(left + index % across * step_x),
            round(top + index // across * step_y + caption),
            cell * columns,
            cell * rows,
        )
        for index in range(count)
    )


class ImagePane(Pane[ImageView]):
    """Draws an `ImageView`."""

    def __init__(self, view: ImageView, parent: QWidget | None = None) -> None:
        super().__init__(view, parent)
        self._calm = CalmRange(pad=0.0)
        self._values: FloatArray | None = None
        self._bar = ColorBarLayer(self._small_font)
        self._images: list[QImage] = []
        self._images_for = ""
        self._boxes: tuple[QRectF, ...] = ()
        self.setMouseTracking(True)
        self._sheet = ScaledView(self)
        self._sheet.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._sheet.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._pictures = ViewItem(self._sheet.centralWidget, self._draw)
        layout = QVBoxLayout(self)
        scaling.margins(layout, 0, 0, 4, 4)  # off the round corners of the dock
        layout.addWidget(self._sheet)
        scaling.least(self, 120, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(view.title)
        self.setAccessibleDescription(to_plain(view.help))

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(320, 240)

    @property
    def boxes(self) -> tuple[QRectF, ...]:
        """Where the images are."""
        return self._boxes

    @property
    def _small_font(self) -> QFont:
        return small_font(self.font())

    def redraw(self) -> None:
        """Draw what was given last."""
        values = None if self._shown is None else numbers(self._shown.observation, self.view.key)
        if values is not None and (values.ndim not in (2, 3) or 0 in values.shape):
            values = None
        self._values = None if values is None else values.reshape(-1, *values.shape[-2:])
        if self._values is not None:
            ends = calm_levels(self._calm, self._values, self.view.colormap)
            if not self.view.tints:
                self._bar.set(self.view.color_label, ends, self.view.colormap)
        self._images = []
        self._place()

    def entries(self) -> tuple[Entry, ...]:
        """List what the colours of areas mean."""
        tints, missing = self.view.tints, self.view.missing
        areas = tuple(
            Entry(str(tint.value), tint.label, tint.color, "tint", can_hide=False) for tint in tints
        )
        blank = (Entry("missing", missing, "surface", "area", can_hide=False),) if missing else ()
        return areas + blank

    def _place(self) -> None:
        self._boxes = ()
        if self._values is not None:
            caption = self._line + 1 if self.view.captions_key else 0.0
            shape, ratio = self._values.shape, self._ratio
            self._boxes = tiles(self._area(), shape[0], shape[1], shape[2], caption, ratio)
        self._sheet.setBackgroundBrush(current_theme().color("surface"))
        self._pictures.place()
        self._pictures.update()

    @property
    def _ratio(self) -> float:
        """Device pixels of a unit."""
        return self.devicePixelRatioF() * scaling.factor()

    @property
    def _line(self) -> float:
        return QFontMetricsF(self._small_font).height()

    def _area(self) -> QRectF:
        """Return the room for images: without that for names, labels and the colour bar."""
        metrics, view = QFontMetricsF(self._small_font), self.view
        area = QRectF(QPointF(), QSizeF(self.size()) / scaling.factor()).adjusted(
            10, 4, -8 - self._bar.width(), -8
        )
        names = self._names(0)
        if names or view.y_label:
            widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
            beside = self._line + 4 if view.y_label else 0.0
            area.setLeft(area.left() + min(widest, NAME_WIDTH) + NAME_GAP + beside)
        ends = self._ends()
        if ends is not None:
            widest = max(metrics.horizontalAdvance(short(end, 4)) for end in ends[2:])
            name = label(view.y_label, self._small_font).size.width()
            area.setLeft(10 + max(widest, name) + NAME_GAP)
        lines = bool(view.column_labels_key) + bool(view.x_label)
        area.setBottom(area.bottom() - lines * self._line)
        return area

    def _ends(self) -> list[float] | None:
        """Return what the images reach over: x0, x1, y0, y1."""
        if self._shown is None:
            return None
        ends = numbers(self._shown.observation, self.view.extent_key)
        return ends.tolist() if ends is not None and ends.shape == (4,) else None

    def _names(self, axis: int) -> list[str]:
        key = (self.view.row_labels_key, self.view.column_labels_key)[axis]
        if self._shown is None or self._values is None or not key:
            return []
        return texts(self._shown.observation, key, self._values.shape[1 + axis])

    def _captions(self) -> list[str]:
        if self._shown is None or not self.view.captions_key:
            return []
        return texts(self._shown.observation, self.view.captions_key, len(self._boxes))

    @property
    def status(self) -> str:
        """What stands where there is no image yet."""
        if self._values is not None or self._shown is None or not self.view.status_key:
            return ""
        return to_plain(str(self._shown.observation.get(self.view.status_key, "")))

    # Painting.

    def _draw(self, painter: QPainter) -> None:
        """Draw images, numbers, captions and the colour bar."""
        begin = time.perf_counter()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._values is not None and self._boxes:
            self._paint_images(painter, self._values)
            self._paint_texts(painter, self._values)
            self._paint_bar(painter)
        elif self.status:
            painter.setFont(self._small_font)
            painter.setPen(current_theme().color("muted"))
            room = QRectF(QPointF(), QSizeF(self.size()) / scaling.factor()).adjusted(8, 4, -8, -4)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, flags, self.status)
        self.seconds += 0.2 * (time.perf_counter() - begin - self.seconds)

    def _paint_images(self, painter: QPainter, values: FloatArray) -> None:
        theme = current_theme()
        if self._images_for != theme.name or len(self._images) != len(values):
            self._images_for = theme.name
            self._images = [self._picture(image) for image in values]
        painter.setPen(line_pen(theme.color("border"), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for box, image in zip(self._boxes, self._images, strict=True):
            fine = box.width() * self._ratio < 2 * image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, fine)
            painter.drawImage(box, image)
            painter.drawRect(box.adjusted(-0.5, -0.5, 0.5, 0.5))

    def _picture(self, values: FloatArray) -> QImage:
        """Make the image of some cells in the colours of the theme."""
        theme, tints = current_theme(), self.view.tints
        if tints:
            levels = areas_of(values, [tint.value for tint in tints])
            return tinted(levels, theme, [tint.color for tint in tints])
        return picture_of(to_levels(values, self._calm.ends), theme, self.view.colormap)

    def _paint_texts(self, painter: QPainter, values: FloatArray) -> None:
        view, font = self.view, self._small_font
        if view.annotate:
            for box, image in zip(self._boxes, values, strict=True):
                draw_numbers(painter, box, image, self._calm.ends, view.colormap, font)
        for box, caption in zip(self._boxes, self._captions(), strict=False):
            draw_caption(painter, box, caption, font)
        ends = self._ends()
        if ends is not None:
            left, bottom = self._boxes[0].left(), max(box.bottom() for box in self._boxes)
            below = [other.left() for other in self._boxes if other.bottom() == bottom]
            for box in self._boxes:
                is_last = box.bottom() == bottom or box.left() not in below
                first = box.left() == left
                names = view.x_label, view.y_label
                draw_ends(painter, box, ends, names, font, is_first=first, is_last=is_last)
        elif len(self._boxes) == 1:
            box, (rows, columns) = self._boxes[0], values.shape[1:]
            draw_row_names(painter, box, rows, self._names(0), view.y_label, font)
            draw_column_names(painter, box, columns, self._names(1), view.x_label, font)

    def _paint_bar(self, painter: QPainter) -> None:
        right = max(box.right() for box in self._boxes)
        top = min(box.top() for box in self._boxes)
        bottom = max(box.bottom() for box in self._boxes)
        if self._bar.shown and bottom - top > 30:
            bar = QRectF(right + 10, top, BAR, bottom - top)
            draw_color_bar(painter, bar, current_theme(), self._bar)

    # The pointer, size and theme.

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the value under the pointer."""
        at = self._sheet.place_of(event)
        for index, box in enumerate(self._boxes):
            if box.contains(at) and self._values is not None:
                rows, columns = self._values.shape[1:]
                row = int((at.y() - box.top()) / box.height() * rows)
                column = int((at.x() - box.left()) / box.width() * columns)
                self._read(index, min(row, rows - 1), min(column, columns - 1))
                return
        self.reading_changed.emit(None)

    def _read(self, index: int, row: int, column: int) -> None:
        assert self._values is not None
        rows, columns, captions = self._names(0), self._names(1), self._captions()
        ends, shape = self._ends(), self._values.shape
        if ends is not None:
            x = ends[0] + (column + 0.5) / shape[2] * (ends[1] - ends[0])
            y = ends[3] - (row + 0.5) / shape[1] * (ends[3] - ends[2])
            place = f"({short(x, 3)}, {short(y, 3)})"
        else:
            names = rows[row] if rows else row + 1, columns[column] if columns else column + 1
            place = f"[{names[0]}, {names[1]}]"
        if captions:
            place = f"{captions[index]} {place}"
        value = float(self._values[index, row, column])
        item = ReadingItem(self.view.color_label, number(value))
        if self.view.tints:
            named = {tint.value: tint.label for tint in self.view.tints}
            item = ReadingItem(named.get(value, self.view.missing), "")
        self.reading_changed.emit(Reading(place, (item,)))

    def leaveEvent(self, event: QEvent) -> None:
        """Take the reading away."""
        self.reading_changed.emit(None)
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the images anew."""
        self._place()
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the colours and font of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._bar.font = self._small_font
            self._place()
