"""A time plot in a window of its own."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from engine.core.views import TimeView
from gui.plots.live_window import LiveWindows
from gui.style import theme
from tests.gui import fakes


def _views() -> tuple[TimeView, ...]:
    views = fakes.FakeExperiment().views(fakes.FakeParams())
    return tuple(view for view in views if isinstance(view, TimeView))


def test_the_window_shows_what_was_recorded_and_follows(qtbot: QtBot) -> None:
    windows = LiveWindows()
    menu = QMenu()
    qtbot.addWidget(menu)
    windows.fill(menu, _views())
    first = fakes.snapshot(steps=50)
    windows.show_snapshot(first)
    menu.actions()[0].trigger()
    (window,) = windows.open_windows.values()
    qtbot.addWidget(window)
    series = window.view.series[0]
    steps, values = first.trace.line(series.key, series.component)
    x, y = window.curves[0].getOriginalDataset()
    expected = np.abs(values) if series.magnitude else values
    known = np.isfinite(y)
    wanted = expected[np.isfinite(expected) & ((expected > 0) | (not window.view.log_y))]
    np.testing.assert_array_equal(np.sort(y[known]), np.sort(wanted.ravel()))
    assert x[np.isfinite(x)].max() == steps.max()
    reach = window.plot.getPlotItem().getViewBox().viewRange()[0][1]
    windows.show_snapshot(fakes.snapshot(steps=500))
    assert window.plot.getPlotItem().getViewBox().viewRange()[0][1] > reach
    assert not window.grab().isNull()


def test_closed_windows_are_forgotten_and_gone(qtbot: QtBot) -> None:
    windows = LiveWindows()
    window = windows.open(_views()[0])
    assert windows.open(_views()[0]) is window
    gone = weakref.ref(window)
    with qtbot.waitSignal(window.destroyed):
        windows.close_all()
    assert not windows.open_windows
    del window
    gc.collect()
    assert gone() is None


def test_the_legend_hides_curves_and_the_colours_follow_the_theme(qtbot: QtBot) -> None:
    view = _views()[0]
    twice = (view.series[0], replace(view.series[0], label="again", color="2", dash="dash"))
    windows = LiveWindows()
    window = windows.open(replace(view, series=twice))
    qtbot.addWidget(window)
    windows.show_snapshot(fakes.snapshot(steps=50))
    first, second = window.legend.chips
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert [curve.isVisible() for curve in window.curves] == [False, True]
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier)
    assert [curve.isVisible() for curve in window.curves] == [True, False]
    assert (first.isChecked(), second.isChecked()) == (True, False)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    try:
        for name in ("dark", "light"):
            theme.apply_theme(app, theme.THEMES[name])
            colors = theme.THEMES[name]
            assert window.plot.backgroundBrush().color() == colors.color("surface")
            assert window.curves[0].opts["pen"].color() == colors.color(twice[0].color)
            assert window.curves[1].opts["pen"].style() == Qt.PenStyle.DashLine
            assert window.grab().toImage().pixelColor(3, 3) == colors.color("surface")
    finally:
        theme.apply_theme(app, theme.LIGHT)
