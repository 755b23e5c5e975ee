"""Points of the piecewise fit drawn with the mouse: click, drag and stroke in the real window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.experiments.piecewise_fit.experiment import PiecewiseFit
from engine.experiments.piecewise_fit.params import FitParams
from gui.plots.panes.plane import PlanePane
from gui.window.main_window import MainWindow
from tests.gui.windows import open_window

LEFT = Qt.MouseButton.LeftButton
FIRST = FitParams().drawn


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    window = open_window(qtbot, [PiecewiseFit()])
    window.control.edit_params(FitParams(function="drawn", depth=2))
    qtbot.waitUntil(lambda: shows(window, len(FIRST)), timeout=60_000)
    yield window
    window.close()


def fit(window: MainWindow) -> PlanePane:
    pane = window.panels.plots.docks["fit"].pane
    assert isinstance(pane, PlanePane)
    return pane


def shows(window: MainWindow, count: int) -> bool:
    """Return whether the run in force is shown, with one dot a point drawn."""
    if window.control.snapshot is None:
        return False
    return len(fit(window).canvas.pointer.grips) == count


def place(window: MainWindow, x: float, y: float) -> QPoint:
    return fit(window).canvas.frame.mapper.point(x, y).toPoint()


def drag(qtbot: QtBot, window: MainWindow, *places: QPoint) -> None:
    viewport = fit(window).canvas.viewport()
    qtbot.mousePress(viewport, LEFT, pos=places[0])
    for at in places[1:]:
        qtbot.mouseMove(viewport, at)
    qtbot.mouseRelease(viewport, LEFT, pos=places[-1])


def is_unit_interval(window: MainWindow) -> bool:
    return fit(window).canvas.frame.mapper.x == (0.0, 1.0)


def test_points_are_drawn_by_click_drag_and_stroke(window: MainWindow, qtbot: QtBot) -> None:
    control, viewport = window.control, fit(window).canvas.viewport()
    assert is_unit_interval(window)
    qtbot.mouseClick(viewport, LEFT, pos=place(window, 0.15, 0.2))
    assert control.params.drawn[:-1] == FIRST
    assert control.params.drawn[-1] == pytest.approx((0.15, 0.2), abs=0.02)
    qtbot.waitUntil(lambda: shows(window, 6))
    clicked = control.params.drawn

    begin = place(window, *FIRST[1])
    drag(qtbot, window, begin, begin + QPoint(10, 10), place(window, 0.4, 0.1))
    moved = control.params.drawn
    assert moved[1] == pytest.approx((0.4, 0.1), abs=0.02)
    assert (moved[0], moved[2:]) == (FIRST[0], clicked[2:])
    window.actions_by_name["undo"].trigger()
    assert control.params.drawn == clicked
    qtbot.waitUntil(lambda: shows(window, 6))

    way = [place(window, x, 0.25) for x in (0.55, 0.6, 0.65, 0.7)]
    drag(qtbot, window, *way)
    drawn = control.params.drawn
    assert drawn[:6] == clicked
    assert np.array(drawn[6:])[:, 0] == pytest.approx([0.55, 0.6, 0.65, 0.7], abs=0.02)
    qtbot.waitUntil(lambda: shows(window, 10))
    assert is_unit_interval(window)
    for expected in (clicked, FIRST):
        window.actions_by_name["undo"].trigger()
        assert control.params.drawn == expected


def test_a_stroke_that_leaves_the_plot_is_drawn_to_its_edge(
    window: MainWindow, qtbot: QtBot
) -> None:
    edge = place(window, 1.0, 0.0)
    drag(qtbot, window, edge - QPoint(60, 0), edge - QPoint(20, 0), edge + QPoint(300, 0))
    assert window.control.params.drawn[-1][0] == 1.0
    qtbot.waitUntil(lambda: shows(window, len(FIRST) + 3))
    assert window.message_bar.isHidden()
