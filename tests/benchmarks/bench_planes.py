"""Planes painted by us against planes of pyqtgraph's own items, with the same data, in turns.

A plane holds a heat map with its colour bar, four curves of 600 points, 300 coloured points, a
circle, two labelled rules and a handle; all move in every snapshot. The other form is a `PlotItem`
with `ImageItem`, `ColorBarItem`, `PlotDataItem`, `ScatterPlotItem`, `InfiniteLine` and
`TargetItem`, without the notes, arrows and readings of `gui.plots`. Measured of both: the time to
build a plot, to update and draw one, and the intervals between frames. Aim: 99th percentile
<= 25 ms. CONTRIBUTING has figures of one machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QGraphicsEllipseItem, QVBoxLayout, QWidget

from engine.core.views import Circle, Curve, Handle, Heat, PlaneView, Points, Rule, View
from gui.plots.area import PlotArea
from gui.plots.panes.pane import Pane, Shown
from gui.plots.panes.plane import PlanePane
from gui.run.frames import FrameMeter
from gui.style.theme import LIGHT, apply_theme, current_theme
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, median_ratio

LINES, POINTS, MARKERS, CELLS = 4, 600, 300, 96
FRAME_MS = 16


def view(number: int) -> PlaneView:
    """Describe a plane with an item of every kind."""
    return PlaneView(
        id=f"plane{number}",
        title=f"Plane {number}",
        x_label="$x$",
        y_label="$y$",
        x_range=(-2.0, 2.0),
        y_range=(-2.0, 2.0),
        items=(
            Heat(key="heat", extent_key="extent", label="loss"),
            Curve(x="x", y="curves", label="Curves", color="ramp"),
            Points(x="px", y="py", values="pv", label="Points"),
            Circle(radius=1.0, label="Circle"),
            Rule(label="$y^*$", value=0.5),
            Rule(label="$x^*$", value=-0.5, vertical=True),
            Handle(id="h", x="hx", y="hy", label="start"),
        ),
    )


def observation(frame: int) -> dict[str, Any]:
    """Compute the arrays of one frame."""
    phase = 0.05 * frame
    x = np.linspace(-2.0, 2.0, POINTS)
    lines = np.arange(LINES) / LINES
    grid = np.linspace(-2.0, 2.0, CELLS)
    turn = np.linspace(0.0, 40.0, MARKERS)
    return {
        "heat": np.sin(grid[:, None] * 2 + phase) * np.cos(grid[None, :] * 2),
        "extent": np.array([-2.0, 2.0, -2.0, 2.0]),
        "x": x,
        "curves": 1.5 * np.sin(3.0 * x[:, None] + 3.0 * lines + phase) * (0.2 + lines),
        "px": 1.8 * np.cos(turn + phase) * turn / 40.0,
        "py": 1.8 * np.sin(turn + phase) * turn / 40.0,
        "pv": turn,
        "hx": np.array(np.cos(phase)),
        "hy": np.array(np.sin(phase)),
    }


class Surface(pyqtgraph.PlotWidget):  # type: ignore[misc]
    """A `PlotWidget` that knows how long its latest painting took."""

    paint_seconds = 0.0
    paints = 0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, and take the time."""
        begin = time.perf_counter()
        super().paintEvent(event)
        self.paint_seconds, self.paints = time.perf_counter() - begin, self.paints + 1


class PlotItemPane(Pane[PlaneView]):
    """The plane of `view`, of pyqtgraph's own items."""

    def __init__(self, described: PlaneView, parent: QWidget | None = None) -> None:
        super().__init__(described, parent)
        theme = current_theme()
        self.canvas = Surface()
        plot = self.canvas.getPlotItem()
        plot.setLabel("bottom", described.x_label.strip("$"))
        plot.setLabel("left", described.y_label.strip("$"))
        plot.showGrid(x=True, y=True, alpha=0.15)
        plot.disableAutoRange()
        plot.setRange(xRange=described.x_range, yRange=described.y_range, padding=0)
        self._image = pyqtgraph.ImageItem(axisOrder="row-major")
        plot.addItem(self._image)
        bar = pyqtgraph.ColorBarItem(values=(-1.0, 1.0), colorMap="viridis", label="loss")
        bar.setImageItem(self._image, insert_in=plot)
        self._curves = [
            plot.plot([], [], pen=pyqtgraph.mkPen(color, width=1), antialias=True)
            for color in theme.line_colors("ramp", LINES)
        ]
        self._points = pyqtgraph.ScatterPlotItem(size=7.0, pen=None)
        self._brushes = [pyqtgraph.mkBrush(c) for c in theme.line_colors("ramp", MARKERS)]
        plot.addItem(self._points)
        circle = QGraphicsEllipseItem(-1.0, -1.0, 2.0, 2.0)
        circle.setPen(pyqtgraph.mkPen(theme.color("bound"), width=1))
        plot.addItem(circle)
        for angle, value, text in ((0, 0.5, "y*"), (90, -0.5, "x*")):
            plot.addItem(pyqtgraph.InfiniteLine(value, angle, label=text))
        self._handle = pyqtgraph.TargetItem((0.0, 0.0), movable=True, label="start")
        plot.addItem(self._handle)
        layout = QVBoxLayout(self)
        layout.addWidget(self.canvas)

    def show_data(self, shown: Shown) -> None:
        """Update all items, and learn how long that takes."""
        begin = time.perf_counter()
        super().show_data(shown)
        took = time.perf_counter() - begin + self.canvas.paint_seconds
        self.seconds += 0.2 * (took - self.seconds)

    def redraw(self) -> None:
        """Give the items what was given last."""
        if self._shown is None:
            return
        data = self._shown.observation
        x0, x1, y0, y1 = data["extent"]
        self._image.setImage(data["heat"], autoLevels=False)
        self._image.setRect(x0, y0, x1 - x0, y1 - y0)
        for curve, y in zip(self._curves, data["curves"].T, strict=True):
            curve.setData(data["x"], y)
        self._points.setData(data["px"], data["py"], brush=self._brushes)
        self._handle.setPos(float(data["hx"]), float(data["hy"]))


class NativeArea(PlotArea):
    """A page whose planes are of pyqtgraph's own items."""

    def _pane_of(self, described: View) -> Pane[Any]:
        assert isinstance(described, PlaneView)
        return PlotItemPane(described)


class OwnArea(PlotArea):
    """A page whose planes are those of the window."""

    def _pane_of(self, described: View) -> Pane[Any]:
        assert isinstance(described, PlaneView)
        return PlanePane(described)


def show_frames(area: PlotArea, seconds: float) -> FrameMeter:
    """Show a moving plane for some seconds, and measure the intervals between frames."""
    meter, timer, end = FrameMeter(), QTimer(), QEventLoop()
    begin, frame = time.perf_counter(), 0

    def tick() -> None:
        nonlocal frame
        meter.tick()
        frame += 1
        area.show_observation(observation(frame))
        if time.perf_counter() - begin > seconds:
            end.quit()

    timer.timeout.connect(tick)
    timer.start(FRAME_MS)
    end.exec()
    timer.stop()
    return meter


def page(form: type[PlotArea], plots: int, seconds: float) -> dict[str, float]:
    """Build a page of planes, show them for some seconds, and return milliseconds."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    apply_theme(app, LIGHT)
    area = form()
    area.resize(1600, 900)
    begin = time.perf_counter()
    area.set_views(tuple(view(number) for number in range(plots)))
    area.show()
    app.processEvents()
    built = time.perf_counter() - begin
    seen: list[Any] = []
    while not seen:
        show_frames(area, min(1.0, seconds))
        seen = [p for p in area.panes.values() if p.isVisible() and p.canvas.paints > 1]
    meter = show_frames(area, seconds)
    result = {
        "building a plot": 1000 * built / plots,
        "updating and drawing a plot": 1000 * float(np.median([p.seconds for p in seen])),
        "between frames, 99 %": 1000 * (meter.percentile(99) or 0),
    }
    area.close()
    area.deleteLater()
    app.processEvents()
    return result


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure both forms in turns, on pages of more and more plots."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    forms = {"ours": OwnArea, "pyqtgraph's items": NativeArea}
    for plots in (6,) if quick else (6, 13, 17):
        found: dict[str, list[dict[str, float]]] = {name: [] for name in forms}
        for _ in range(timer.rounds):
            for name, form in forms.items():
                found[name].append(page(form, plots, 0.6 if quick else 5.0))
        for what in found["ours"][0]:
            first = [one[what] for one in found["ours"]]
            for name, pages in found.items():
                samples = [one[what] for one in pages]
                yield Measurement(
                    name=f"{plots} plots, {name}: {what}",
                    unit="ms",
                    samples=tuple(samples),
                    peer=name != "ours",
                    times_as_fast=median_ratio(samples, first),
                )


BENCHMARK = Benchmark(
    name="planes",
    measures="planes of the window, and of pyqtgraph's own items",
    peers=("pyqtgraph's items",),
    run=measure,
)
