"""A function that cannot be used: Play says why, and plays the last run that could begin."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.experiments.convex_shape.experiment import ConvexShape
from engine.experiments.convex_shape.params import ShapeParams
from engine.experiments.piecewise_fit.experiment import PiecewiseFit
from engine.experiments.piecewise_fit.params import FitParams
from tests.gui.windows import open_window

CASES = [
    (ConvexShape(), ShapeParams(), "function", "log(x)"),
    (PiecewiseFit(), FitParams(function="typed", depth=2), "expression", "1/x"),
]


@pytest.mark.parametrize(("experiment", "params", "field", "bad"), CASES)
def test_play_after_a_refused_function(experiment, params, field, bad, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    window = open_window(qtbot, [experiment])
    control, play = window.control, window.transport.play_button
    control.edit_params(params)
    qtbot.waitUntil(lambda: control.snapshot is not None, timeout=60_000)
    qtbot.waitUntil(lambda: not control.is_beginning, timeout=60_000)
    box = window.panels.form.row(field).control
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, bad)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.waitUntil(window.message_bar.isVisible, timeout=60_000)
    assert window.panels.form.row(field).error.text()
    assert play.text() == "Play"
    qtbot.mouseClick(play, Qt.MouseButton.LeftButton)
    assert bad in window.status.currentMessage()
    assert getattr(control.params, field) == getattr(params, field)
    qtbot.waitUntil(
        lambda: control.snapshot is not None and control.snapshot.step > 0, timeout=60_000
    )
    window.actions_by_name["undo"].trigger()
    assert getattr(control.params, field) == bad, "what was typed is not lost"
    window.close()
