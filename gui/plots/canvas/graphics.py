"""What a plot is made of in pyqtgraph: the view box, its two axes, and the items on them.

Importing pyqtgraph takes most of the time that a start may take, so this module is imported once
the window shows. None of its options is changed: ground, grid, lines and texts are drawn here.

Layers are drawn by custom items (`pyqtgraph.GraphicsObject`) in pixels of the view, since lines of
one device pixel, markers and typeset labels are measured in those, and since Qt cannot invert the
transforms of ranges such as 10³⁰⁰ of a run that diverges. pyqtgraph's own curves were measured
first, for plots of twenty lines of 600 points, antialiased and 1.6 pixels wide, at 530 x 450
pixels: twenty `PlotCurveItem` take 15 ms a plot while the lines are smooth and 2 s while they
oscillate with period 2, one item broken by NaN 22 ms. A plot with a `LayersItem` of 60 000 steps
takes 2 to 3 ms, whatever the lines do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import pyqtgraph
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QGraphicsObject, QGraphicsView, QGraphicsWidget

from gui.plots.canvas.layers import Layer
from gui.plots.canvas.paint import Scene, painting

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

__all__ = [
    "GraphicsView",
    "LayersItem",
    "TickAxis",
    "ViewItem",
    "draw_layers",
    "new_view_box",
]

Draw = Callable[[QPainter], None]


def new_view_box(parent: QGraphicsWidget) -> Any:
    """Make a view box whose ranges nobody but the canvas sets."""
    box = pyqtgraph.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0.0)
    box.setParentItem(parent)  # not as an argument: only so it hears that a painting begins
    box.disableAutoRange()
    return box


class TickAxis(AxisItem):
    """An axis that is drawn by a function, and only when its range, its room or the dress changes.

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
        """Give all the room, in the item's own coordinates."""
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
        painter.drawPixmap(QPointF(), self._picture)

    def _new_picture(self, scene: Scene) -> QPixmap:
        picture = QPixmap((scene.plot.size() * scene.ratio).toSize())
        picture.setDevicePixelRatio(scene.ratio)
        picture.fill(Qt.GlobalColor.transparent)
        with painting(picture) as painter:
            painter.translate(-scene.plot.topLeft())
            draw_layers(painter, scene, self.layers)
        return picture


def draw_layers(painter: QPainter, scene: Scene, layers: Iterable[Layer]) -> None:
    """Draw layers one over the other, each clipped by the axes unless it may be outside."""
    for layer in layers:
        painter.save()
        if not layer.outside:
            painter.setClipRect(scene.plot, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        layer.paint(painter, scene)
        painter.restore()
