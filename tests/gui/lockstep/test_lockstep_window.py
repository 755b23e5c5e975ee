"""The window of runs side by side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.run.snapshot import Status
from gui.lockstep.feed import Feed
from gui.lockstep.window import LockstepWindow
from gui.window.main_window import MainWindow
from tests.gui import windows
from tests.gui.fakes import FakeExperiment, FakeParams
from tests.registered import only


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    experiment = FakeExperiment()
    only(monkeypatch, experiment)
    made = windows.open_window(qtbot, [experiment])
    qtbot.waitUntil(lambda: step(made) == 0)
    yield made
    for beside in made.findChildren(LockstepWindow):
        beside.close()
    made.close()


def step(window: MainWindow) -> int:
    shown = window.control.snapshot
    return -1 if shown is None or shown.status is Status.COMPILING else shown.step


def opened(window: MainWindow, qtbot: QtBot, action: str) -> LockstepWindow:
    with qtbot.waitSignal(window.dialogs.beside.opened) as caught:
        window.actions_by_name[action].trigger()
    beside = caught.args[0]
    qtbot.waitUntil(lambda: len(beside._snapshots) == 2)
    return beside


def test_the_present_run_steps_together_with_a_pinned_one(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_name["side_by_side"].trigger()
    assert "Pin a run" in window.status.currentMessage()
    window.control.step(9)
    qtbot.waitUntil(lambda: step(window) == 9)
    qtbot.keyClick(window, Qt.Key.Key_P)
    window.control.edit_params(FakeParams(step_size=0.9))
    window.control.step(4)
    beside = opened(window, qtbot, "side_by_side")
    for key in (Qt.Key.Key_Right,) * 3 + (Qt.Key.Key_Left,):
        qtbot.keyClick(beside, key)
    qtbot.waitUntil(lambda: beside.step.text() == "step 2")
    assert [snapshot.cursor for snapshot in beside._snapshots] == [2, 2]
    beside.feed.seek(12)  # after the live change
    qtbot.waitUntil(lambda: beside.step.text() == "step 12")
    assert [s.params.step_size for s in beside._snapshots] == [0.9, FakeParams().step_size]
    for panes in beside.panes.values():
        assert panes[0].canvas.y_axis.ends == panes[1].canvas.y_axis.ends
        assert panes[0].canvas.x_axis.ends == panes[1].canvas.x_axis.ends
    first = next(iter(beside.panes.values()))[0]
    first.canvas.zoomed.emit(None, (0.0, 0.5))
    assert {pane.canvas.y_axis.ends for pane in beside.panes[first.view.id]} == {(0.0, 0.5)}
    first.canvas.reset_requested.emit()
    assert first.canvas.y_axis.ends != (0.0, 0.5)


def test_no_thread_outlives_the_windows(window: MainWindow, qtbot: QtBot) -> None:
    first = opened(window, qtbot, "around_bound").feed._thread
    alone = Feed([column.side for column in opened(window, qtbot, "around_bound")._columns])
    window.close()
    qtbot.waitUntil(lambda: not first.is_alive())
    thread = alone._thread
    alone.deleteLater()  # without having been closed
    qtbot.waitUntil(lambda: not thread.is_alive())


def test_below_and_above_the_bound(window: MainWindow, qtbot: QtBot) -> None:
    beside = opened(window, qtbot, "around_bound")
    below, above = (snapshot.params.step_size for snapshot in beside._snapshots)
    bound = next(b.value for b in window.control.snapshot.theory if b.field == "step_size")
    assert below < bound < above
    qtbot.keyClick(beside, Qt.Key.Key_Space)
    assert beside.feed.is_playing
    qtbot.waitUntil(lambda: beside._snapshots[0].cursor >= 2)
    hidden = next(iter(beside.panes))
    beside.choose(hidden, False)
    assert hidden not in beside.panes
    qtbot.keyClick(beside, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: beside.step.text() == "step 0" and not beside.feed.is_playing)
