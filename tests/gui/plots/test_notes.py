"""Notes in a plot on what its log axis cannot show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from engine.core.chunk import Chunk
from engine.core.views import Curve, PlaneView
from engine.figures.zero_notes import ZeroNote
from engine.run.trace import Trace
from gui.plots.area import PlotArea
from gui.plots.canvas.lines import Mapper
from gui.plots.canvas.notes import NotesLayer
from gui.plots.canvas.paint import Scene
from gui.plots.panes.plane import PlanePane
from gui.plots.panes.time import TimePane
from gui.style.theme import current_theme
from tests.gui.plot_feed import ERROR, Feed

PLANE = PlaneView(
    id="plane",
    title="Plane",
    x_label="$k$",
    y_label="error",
    items=(Curve(x="x", y="y", label="median"), Curve(x="x", y="y")),
    log_y=True,
)


@pytest.fixture
def area(qtbot) -> PlotArea:
    made = PlotArea()
    qtbot.addWidget(made)
    made.resize(1000, 500)
    made.set_views((ERROR, PLANE))
    made.show()
    qtbot.waitExposed(made)
    return made


def show_zero_from(area: PlotArea, step: int) -> TimePane:
    """Show a run of 200 steps whose error is 0 from a step on, its prediction never."""
    values = 0.9 ** np.arange(201.0)
    values[step:] = 0.0
    envelope = np.ones(201)
    trace = Trace({"error": values[0], "envelope": envelope[0]})
    trace.add(Chunk.exact(1, {"error": values[1:], "envelope": envelope[1:]}))
    feed = Feed()
    feed.advance(200)
    snapshot = dataclasses.replace(feed.snapshot(), trace=trace.view())
    area.show_snapshot(snapshot)
    area._refresh_all()
    QApplication.processEvents()
    pane = area.docks["error"].pane
    assert isinstance(pane, TimePane)
    return pane


def texts(pane: TimePane | PlanePane) -> list[str]:
    return [note.text for note in pane._notes.notes]


def test_zeros_are_told_on_a_log_axis_only(area) -> None:
    pane = show_zero_from(area, 137)
    assert texts(pane) == ["$|e|$: exactly 0 from $k$ = 137"]
    pane.set_log_axis("y", False)
    assert texts(pane) == []
    pane.set_log_axis("y", True)
    assert texts(pane) == ["$|e|$: exactly 0 from $k$ = 137"]
    pane.set_entry_shown("0", False)
    assert texts(pane) == []


def test_a_zoom_to_where_nothing_is_zero_says_nothing(area) -> None:
    pane = show_zero_from(area, 137)
    area.link.set_manual((0.0, 100.0))
    assert texts(pane) == []
    area.link.set_manual(None)
    assert texts(show_zero_from(area, 201)) == []


def test_a_plane_tells_the_zeros_of_what_has_a_name(area) -> None:
    feed = Feed()
    feed.advance(10)
    observation = {"x": np.arange(20.0), "y": np.where(np.arange(20) < 5, 1.0, 0.0)}
    area.show_snapshot(dataclasses.replace(feed.snapshot(), observation=observation))
    area._refresh_all()
    pane = area.docks["plane"].pane
    assert isinstance(pane, PlanePane)
    assert texts(pane) == ["median: exactly 0 from $k$ = 5"]
    pane.set_log_axis("y", False)
    assert texts(pane) == []


def test_notes_stand_inside_the_plot_and_apart(qapp) -> None:
    plot = QRectF(50, 20, 300, 150)
    scene = Scene(Mapper(plot, (0.0, 100.0), (0.0, 1.0)), current_theme())
    notes = tuple(ZeroNote(f"{name}: exactly 0", at, "1") for name, at in (("a", 0), ("b", 99)))
    long = ZeroNote("a name that is as long as this " * 3, 50.0, "2")
    places = [place for _, place in NotesLayer(QFont(), (*notes, long)).places(scene)]
    assert all(plot.contains(place) for place in places)
    assert not any(one.intersects(other) for one in places for other in places if one != other)
