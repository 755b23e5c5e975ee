"""What is seen of a plot: a pyqtgraph view of two axes and of the layers between them.

It is a `pyqtgraph.GraphicsView` around one `ViewBox` and two `AxisItem`. The ends of the axes are
decided by `gui.plots.canvas.range` and given to the view box when they change, never by its
auto-range; the axes draw the ticks of `gui.plots.canvas.axes` and are kept as pixmaps, so that new
data do not cost the typesetting of numbers; and what lies on the plot is kept as another, so that
moving a crosshair over it costs next to nothing (see `gui.plots.canvas.graphics`). There is no
`PlotItem` around them: its form of transforms and averages takes 12 ms to build, for each plot, and
none of it is used here.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QCoreApplication, QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.plots.canvas.axes import Axis, Frame, Margins, draw_grid, draw_x_axis, draw_y_axis, lay_out
from gui.plots.canvas.graphics import (
    GraphicsView,
    LayersItem,
    TickAxis,
    ViewItem,
    draw_layers,
    new_view_box,
)
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.paint import Scene, painting
from gui.style.theme import current_theme


class PlotView(GraphicsView):
    """Two axes and layers between them.

    Attributes
    ----------
    x_axis, y_axis : Axis
        Change them, then call `refresh_axes`.
    layers, overlays : list of Layer
        What is drawn with the picture, and what is drawn over it at each paint.
    margins : Margins
    equal : bool
        Whether a unit is as long on both axes.
    box : pyqtgraph.ViewBox
        The rectangle between the axes; its ranges are their ends, powers of ten on a log axis.
    paint_seconds : float
        How long the latest painting of layers took.
    """

    _frame: Frame | None = None  # events come before there is anything to lay out

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.x_axis, self.y_axis = Axis(), Axis()
        self.overlays: list[Layer] = []
        self.margins = Margins()
        self.equal = False
        self.paint_seconds = 0.0
        self._layers: list[Layer] = []
        self._image_ratio = 0.0
        self._make_items()
        self.setViewportUpdateMode(GraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)

    def _make_items(self) -> None:
        self._page = self.centralWidget
        self.box = new_view_box(self._page)
        self._left = TickAxis("left", self.box, self._draw_y_axis)
        self._bottom = TickAxis("bottom", self.box, self._draw_x_axis)
        self._inside = LayersItem(self.box, self.drawing)
        self._outside = ViewItem(self._page, self._draw_outside)
        self._over = ViewItem(self._page, self._draw_over)
        order = (self._left, self._bottom, self.box, self._outside, self._over)
        for height, item in enumerate(order):
            item.setZValue(height)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(360, 220)

    @property
    def small_font(self) -> QFont:
        """The font of numbers and labels: a little smaller than the program's."""
        font = QFont(self.font())
        font.setPointSizeF(max(6.5, font.pointSizeF() - 1.0))
        return font

    @property
    def layers(self) -> list[Layer]:
        """What is drawn with the picture."""
        return self._layers

    @layers.setter
    def layers(self, layers: list[Layer]) -> None:
        self._layers = layers
        self._inside.layers = [layer for layer in layers if not layer.outside]

    @property
    def paints(self) -> int:
        """How often the layers were drawn."""
        return self._inside.paints

    @property
    def frame(self) -> Frame:
        """The axes as laid out now."""
        if self._frame is not None and self._frame.size == self.size():
            return self._frame
        return self._lay_out()

    def _lay_out(self) -> Frame:
        frame = self._frame = lay_out(
            self.size(), self.x_axis, self.y_axis, self.margins, self.small_font, self.equal
        )
        self._place(frame)
        return frame

    def _place(self, frame: Frame) -> None:
        """Return the items their room and the view box its ranges."""
        plot, width, height = frame.mapper.plot, frame.size.width(), frame.size.height()
        self.resetCachedContent()  # the ground and the grid
        self.box.setGeometry(plot)
        self.box.setRange(xRange=frame.mapper.x, yRange=frame.mapper.y, padding=0)
        self._left.place(QRectF(0, 0, plot.left(), height))
        self._bottom.place(QRectF(0, plot.bottom(), width, height - plot.bottom()))
        for item in (self._inside, self._outside, self._over):
            item.place()

    def refresh(self) -> None:
        """Draw the layers anew."""
        self._inside.refresh()
        self._outside.update()
        self._over.update()

    def refresh_axes(self) -> None:
        """Lay out and draw everything anew."""
        if self._frame is not None:
            self._frame = None
            before_painting = Qt.EventPriority.HighEventPriority.value
            QCoreApplication.postEvent(self, QEvent(QEvent.Type.LayoutRequest), before_painting)

    def refresh_overlays(self) -> None:
        """Draw the overlays and handles anew."""
        self._over.update()

    def set_margins(self, margins: Margins) -> None:
        """Give other room beside the plot."""
        if margins != self.margins:
            self.margins = margins
            self.refresh_axes()

    def drawing(self) -> Scene:
        """Return what layers need to draw themselves now."""
        ratio = self._image_ratio or self.devicePixelRatioF()
        return Scene(self.frame.mapper, current_theme(), ratio)

    def to_image(self, ratio: float = 2.0) -> QImage:
        """Draw everything, but no overlay, on an image with `ratio` pixels per logical pixel."""
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        self._image_ratio = ratio
        self._over.hide()
        try:
            with painting(image) as painter:
                self.render(painter, QRectF(self.rect()), self.rect())
        finally:
            self._image_ratio = 0.0
            self._over.show()
            self._inside.refresh()
        return image

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the scene, and learn how long it takes with new layers."""
        begin, before = time.perf_counter(), self.paints
        if self._frame is None or self._frame.size != self.size():
            self._lay_out()
        super().paintEvent(event)
        if self.paints != before:
            self.paint_seconds = time.perf_counter() - begin

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """Draw the ground and the grid, which the view keeps as a pixmap."""
        scene = self.drawing()
        painter.fillRect(self.rect(), scene.theme.color("surface"))
        draw_grid(painter, self.frame, scene.theme, scene.ratio)

    def _draw_x_axis(self, painter: QPainter) -> None:
        scene, text = self.drawing(), self.x_axis.text
        draw_x_axis(painter, self.frame, text, scene.theme, self.small_font, scene.ratio)

    def _draw_y_axis(self, painter: QPainter) -> None:
        draw_y_axis(painter, self.frame, self.y_axis.text, current_theme(), self.small_font)

    def _draw_outside(self, painter: QPainter) -> None:
        draw_layers(painter, self.drawing(), [layer for layer in self._layers if layer.outside])

    def _draw_over(self, painter: QPainter) -> None:
        draw_layers(painter, self.drawing(), self.overlays)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew."""
        super().resizeEvent(event)
        self.refresh_axes()

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the colours and font of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.refresh_axes()

    def event(self, event: QEvent) -> bool:
        """Lay out once for all that asked for it."""
        if event.type() == QEvent.Type.LayoutRequest and self._frame is None:
            self._lay_out()  # before painting: what moves during it is painted again
        return super().event(event)
