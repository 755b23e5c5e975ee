"""A plot as a small picture: lines, points and images between the axes, without a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QPainter

from engine.core.views import BarView, PlaneView, TimeView, View
from engine.run.snapshot import Snapshot
from gui.plots.canvas.axes import Frame, draw_grid, equal_ends
from gui.plots.canvas.canvas import Canvas
from gui.plots.canvas.colorbar import ColorBarLayer
from gui.plots.canvas.layers import Layer
from gui.plots.canvas.lines import Mapper
from gui.plots.canvas.notes import NotesLayer, OffAxisLayer
from gui.plots.canvas.paint import Scene, painting
from gui.plots.canvas.rules import MarksLayer, RulesLayer
from gui.plots.canvas.view import draw_layers
from gui.plots.link import TimeLink
from gui.plots.panes.bars import BarPane
from gui.plots.panes.canvas_pane import CanvasPane
from gui.plots.panes.pane import Shown
from gui.plots.panes.plane import PlanePane
from gui.plots.panes.time import TimePane
from gui.style.theme import current_theme

SIZE = QSize(176, 110)
"""Logical pixels of a thumbnail."""
EDGE = 4.0
"""Pixels between the plot and the picture's sides."""


def can_be_drawn(view: View) -> bool:
    """Return whether a view has axes, between which a thumbnail is drawn."""
    return isinstance(view, TimeView | PlaneView | BarView)


def thumbnail(view: View, snapshot: Snapshot, size: QSize = SIZE, ratio: float = 2.0) -> QImage:
    """Draw a view of a run in the colours of the theme in force.

    Parameters
    ----------
    view : View
        One of lines along time, a plane, or bars.
    snapshot : Snapshot
        What is shown.
    size : QSize
        Logical pixels.
    ratio : float
        Pixels of the image for one of those.
    """
    pane = _pane_of(view, snapshot)
    pane.resize(size)
    bounds = {bound.id: bound.value for bound in snapshot.theory}
    pane.show_data(Shown(snapshot.observation, bounds, snapshot))
    try:
        return _draw(pane.canvas, size, ratio)
    finally:
        pane.deleteLater()


def _pane_of(view: View, snapshot: Snapshot) -> CanvasPane[Any]:
    if isinstance(view, PlaneView):
        return PlanePane(view)
    if isinstance(view, BarView):
        return BarPane(view)
    if isinstance(view, TimeView):
        link = TimeLink()
        link.follow(snapshot)
        pane = TimePane(view, link)
        link.setParent(pane)
        return pane
    raise TypeError(f"no thumbnail shows a {type(view).__name__}")


def _draw(canvas: Canvas, size: QSize, ratio: float) -> QImage:
    scene = Scene(_mapper(canvas, size), current_theme(), ratio)
    image = QImage(size * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(scene.theme.color("surface"))
    with painting(image) as painter:
        _draw_grid(painter, canvas, scene, size)
        draw_layers(painter, scene, list(_wordless(canvas.layers)))
    return image


def _mapper(canvas: Canvas, size: QSize) -> Mapper:
    plot = QRectF(0, 0, size.width(), size.height()).adjusted(EDGE, EDGE, -EDGE, -EDGE)
    x, y = canvas.x_axis.ends, canvas.y_axis.ends
    if canvas.equal:
        x, y = equal_ends(x, y, plot)
    return Mapper(plot, x, y, canvas.x_axis.log, canvas.y_axis.log)


def _draw_grid(painter: QPainter, canvas: Canvas, scene: Scene, size: QSize) -> None:
    mapper = scene.mapper
    frame = Frame(
        mapper,
        replace(canvas.x_axis.ticks(mapper.x, 3.0), minor=()),
        replace(canvas.y_axis.ticks(mapper.y, 3.0), minor=()),
        QSizeF(size),
    )
    draw_grid(painter, frame, scene.theme, scene.ratio)


def _wordless(layers: list[Layer]) -> Iterator[Layer]:
    """Leave out what is made of words, and the words of the rest."""
    for layer in layers:
        if isinstance(layer, RulesLayer):
            yield replace(layer, rules=tuple(replace(rule, text="") for rule in layer.rules))
        elif isinstance(layer, MarksLayer):
            yield replace(layer, marks=tuple(replace(mark, text="") for mark in layer.marks))
        elif not isinstance(layer, NotesLayer | OffAxisLayer | ColorBarLayer):
            yield layer
