"""The page for an audience: plots, transport and step size in large type."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.settings import Settings
from gui.style import scaling
from gui.window.interface_size import AUDIENCE
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment
from tests.gui.windows import open_window

pytestmark = pytest.mark.usefixtures("usual_size")


def shown(qtbot: QtBot, settings: Settings | None = None) -> MainWindow:
    """Return a window before an audience, with a picture of a run."""
    window = open_window(qtbot, [FakeExperiment()], settings)
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=20_000)
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    return window


def test_there_are_plots_transport_and_step_size_and_no_docks(qtbot: QtBot) -> None:
    window = shown(qtbot)
    assert scaling.factor() == AUDIENCE
    assert not any(dock.isVisible() for dock in window.docks.all)
    assert not window.menuBar().isVisible() and not window.status.isVisible()
    for part in (window.panels.plots, window.transport, window.panels.step_bar, window.header):
        assert part.isVisible()
    window.close()


def test_the_step_size_is_that_of_the_form(qtbot: QtBot) -> None:
    window = shown(qtbot)
    row = window.panels.step_bar.row
    assert row is not None and row.spec.name == "step_size"
    before = window.control.params.step_size
    QTest.mouseClick(row.slider, Qt.MouseButton.LeftButton, pos=QPoint(row.slider.width() // 4, 10))
    qtbot.waitUntil(lambda: window.control.params.step_size != before)
    assert row.value == window.control.params.step_size
    assert window.panels.form.row("step_size").value == row.value
    window.panels.form.edit("step_size", before, False)
    assert row.value == before
    row.box.setText("what")
    row.box.entered.emit("what")
    assert window.panels.form.row("step_size").error.text(), "the form says what is wrong"
    window.close()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_F11])
def test_keys_lead_back_to_the_window_as_it_was(qtbot: QtBot, key: Qt.Key) -> None:
    window = shown(qtbot)
    QTest.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.control.is_running)
    QTest.keyClick(window, key)
    assert not window.isFullScreen() and scaling.factor() == 1.0
    assert window.menuBar().isVisible() and window.status.isVisible()
    assert not window.panels.step_bar.isVisible()
    window.resize(1280, 800)  # the offscreen platform forgets the size before
    assert all(dock.isVisible() for dock in window.docks.all)
    window.close()


def test_the_next_start_is_a_window_as_before(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    shown(qtbot, Settings(path)).close()
    again = open_window(qtbot, [FakeExperiment()], Settings(path))
    assert not again.isFullScreen() and scaling.factor() == 1.0
    assert all(dock.isVisible() for dock in again.docks.all)
    again.close()
