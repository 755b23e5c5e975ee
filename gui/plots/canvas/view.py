"""What is seen of a plot: a pyqtgraph view of two axes and of the layers between them.

It is a `pyqtgraph.GraphicsView` around one `ViewBox` and two `AxisItem`. The ends of the axes are
decided by `gui.plots.canvas.range` and given to the view box when they change, never by its
auto-range; the axes draw the ticks of `gui.plots.canvas.axes` and are kept as pixmaps, so that new
data do not cost the typesetting of numbers; and what lies on the plot is kept as another, so that
moving a crosshair over it costs next to nothing. There is no `PlotItem` around them: its form of
transforms and averages takes 12 ms to build, for each plot, and none of it is used here.

Layers are drawn by custom items (`pyqtgraph.GraphicsObject`) in pixels of the view, or larger units
where the interface is scaled (`gui.style.scaling`), since lines of
one device pixel, markers and typeset labels are measured in those, and since Qt cannot invert the
transforms of ranges such as 10³⁰⁰ of a run that diverges. pyqtgraph's own curves were measured
first, for plots of twenty lines of 600 points, antialiased and 1.6 pixels wide, at 530 x 450
pixels: twenty `PlotCurveItem` take 15 ms a plot while the lines are smooth and 2 s while they
oscillate with period 2, one item broken by NaN 22 ms. A plot with a `LayersItem` of 60 000 steps
takes 2 to 3 ms, whatever the lines do. `tests/benchmarks/bench_planes.py` compares planes.

Importing pyqtgraph takes most of the time that a start may take, so this module is imported once
the window shows. None of its options is changed: ground, grid, lines and texts are drawn here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import pyqtgraph
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QFont,
    QImage,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QSinglePointEvent,
    QTransform,
)
from PySide6.QtWidgets import (
    QGraphicsItem,
    QGraphicsObject,
    QGraphicsView,
    QGraphicsWidget,
    QSizePolicy,
    QWidget,
)

from gui.plots.canvas.axes import Axis, Frame, Margins, draw_grid, draw_x_axis, draw_y_axis, lay_out
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.paint import Scene, painting
from gui.style import scaling
from gui.style.theme import current_theme

if TYPE_CHECKING:  # Qt's own types, since pyqtgraph has none

    class GraphicsObject(QGraphicsObject):
        """`pyqtgraph.GraphicsObject`."""

    class GraphicsView(QGraphicsView):
        """`pyqtgraph.GraphicsView`."""

        centralWidget: QGraphicsWidget  # noqa: N815

    class AxisItem(QGraphicsWidget):
        """`pyqtgraph.AxisItem`."""

        enableAutoSIPrefix: Callable[[bool], None]  # noqa: N815
        setWidth: Callable[[float], None]  # noqa: N815
        setHeight: Callable[[float], None]  # noqa: N815

        def __init__(self, orientation: str, **options: Any) -> None: ...

else:
    from pyqtgraph import AxisItem, GraphicsObject, GraphicsView

__all__ = ["PlotView", "ScaledView", "ViewItem"]

Draw = Callable[[QPainter], None]


def new_view_box(parent: QGraphicsWidget) -> Any:
    """Make a view box whose ranges nobody but the canvas sets."""
    box = pyqtgraph.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0.0)
    box.setParentItem(parent)  # not as an argument: only so does it learn that a painting begins
    box.disableAutoRange()
    return box


class TickAxis(AxisItem):
    """An axis that is drawn by a function, and only when its range, its room or the theme changes.

    Parameters
    ----------
    orientation : {"left", "bottom"}
    box : ViewBox
        Whose range it follows.
    draw : callable
        Draws its numbers and label in pixels of the view.
    """

    def __init__(self, orientation: Literal["left", "bottom"], box: Any, draw: Draw) -> None:
        super().__init__(orientation, parent=box.parentItem(), linkView=box)
        self.enableAutoSIPrefix(False)
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self._draw = draw

    def place(self, room: QRectF) -> None:
        """Take some room of the view, for numbers beyond the ends of the axis too."""
        self.setWidth(room.width())
        self.setHeight(room.height())
        self.setGeometry(room)
        self.update()

    def boundingRect(self) -> QRectF:
        """Return all the room, in the item's own coordinates."""
        return QRectF(0, 0, self.geometry().width(), self.geometry().height())

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw numbers and label."""
        painter.translate(-self.pos())
        self._draw(painter)


class ViewItem(GraphicsObject):
    """What is drawn by a function over all of the view, each time that it is seen.

    For what costs little: laid-out labels, a crosshair, handles.
    """

    def __init__(self, parent: QGraphicsWidget, draw: Draw) -> None:
        super().__init__(parent)
        self._draw = draw

    def place(self) -> None:
        """Follow the view, which got another size."""
        self.prepareGeometryChange()

    def boundingRect(self) -> QRectF:
        """Return the whole view."""
        return self.parentItem().boundingRect()

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw in pixels of the view."""
        self._draw(painter)


class LayersItem(GraphicsObject):
    """Layers within the view box, kept as a pixmap until `refresh`.

    Qt draws anew what lies under an item that moves; under a crosshair that is only this pixmap.

    Attributes
    ----------
    layers : list of Layer
    paints : int
        How often they were drawn.
    """

    def __init__(self, box: Any, scene: Callable[[], Scene]) -> None:
        super().__init__(box)
        self.layers: list[Layer] = []
        self.paints = 0
        self._box, self._scene = box, scene
        self._picture: QPixmap | None = None

    def refresh(self) -> None:
        """Draw anew."""
        self._picture = None
        self.update()

    def place(self) -> None:
        """Follow the box, which got another geometry or range."""
        self.prepareGeometryChange()
        self.refresh()

    def boundingRect(self) -> QRectF:
        """Return the whole box."""
        rect: QRectF = self._box.rect()
        return rect

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Bring the picture up to date and draw it."""
        scene = self._scene()
        if self._picture is None or self._picture.devicePixelRatio() != scene.ratio:
            self._picture = self._new_picture(scene)
            self.paints += 1
        painter.drawPixmap(_to_pixels(painter, scene.ratio), self._picture)

    def _new_picture(self, scene: Scene) -> QPixmap:
        picture = QPixmap((scene.plot.size() * scene.ratio).toSize())
        picture.setDevicePixelRatio(scene.ratio)
        picture.fill(Qt.GlobalColor.transparent)
        with painting(picture) as painter:
            painter.translate(-scene.plot.topLeft())
            draw_layers(painter, scene, self.layers)
        return picture


def _to_pixels(painter: QPainter, ratio: float) -> QPointF:
    """Return how far the origin is from the nearest device pixel, where a pixmap stays sharp."""
    at = painter.deviceTransform().map(QPointF())
    return QPointF(round(at.x()) - at.x(), round(at.y()) - at.y()) / ratio


def draw_layers(painter: QPainter, scene: Scene, layers: Iterable[Layer]) -> None:
    """Draw layers one over the other, each clipped by the axes unless it may be outside."""
    for layer in layers:
        painter.save()
        if not layer.outside:
            painter.setClipRect(scene.plot, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        layer.paint(painter, scene)
        painter.restore()


class ScaledView(GraphicsView):
    """A view whose items are drawn larger where the interface is: a unit is so many pixels."""

    @property
    def unit_size(self) -> QSizeF:
        """Size in units."""
        return QSizeF(self.size()) / scaling.factor()

    def place_of(self, event: QSinglePointEvent) -> QPointF:
        """Return where the pointer is, in units."""
        return event.position() / scaling.factor()

    def fit_scale(self) -> None:
        """Draw at the scale in force."""
        factor = scaling.factor()
        room = QRectF(QPointF(), self.unit_size)
        self.centralWidget.setGeometry(room)
        self.setSceneRect(room)
        self.setTransform(QTransform.fromScale(factor, factor))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the scale, which pyqtgraph sets to 1."""
        super().resizeEvent(event)
        if scaling.factor() != 1.0:
            self.fit_scale()

    def changeEvent(self, event: QEvent) -> None:
        """Follow another scale, which comes with another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.fit_scale()


def small_font(font: QFont) -> QFont:
    """Return the font of numbers and labels in a view: a little smaller than the program's."""
    font = QFont(font)
    font.setPointSizeF(max(6.5, font.pointSizeF() / scaling.factor() - 1.0))
    return font


class PlotView(ScaledView):
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
        scaling.least(self, 120, 80)

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
        """The font of numbers and labels, in units."""
        return small_font(self.font())

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
        if self._frame is not None and self._frame.size == self.unit_size:
            return self._frame
        return self._lay_out()

    def _lay_out(self) -> Frame:
        frame = self._frame = lay_out(
            self.unit_size, self.x_axis, self.y_axis, self.margins, self.small_font, self.equal
        )
        self._place(frame)
        return frame

    def _place(self, frame: Frame) -> None:
        """Set the geometry of the items and the ranges of the view box."""
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
        """Set the room beside the plot."""
        if margins != self.margins:
            self.margins = margins
            self.refresh_axes()

    def drawing(self) -> Scene:
        """Return what layers need to draw themselves now."""
        ratio = self._image_ratio or self.devicePixelRatioF()
        return Scene(self.frame.mapper, current_theme(), ratio * scaling.factor())

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
        if self._frame is None or self._frame.size != self.unit_size:
            self._lay_out()
        super().paintEvent(event)
        if self.paints != before:
            self.paint_seconds = time.perf_counter() - begin

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """Draw the ground and the grid, which the view keeps as a pixmap."""
        scene = self.drawing()
        painter.fillRect(rect, scene.theme.color("surface"))
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
