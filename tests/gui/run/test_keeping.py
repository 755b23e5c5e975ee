"""No run is lost without a word: not by a switch, and not by going on from a scrubbed step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.core.outcome import Outcome, OutcomeKind
from engine.core.params import update
from engine.run.snapshot import Snapshot, Status
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment
from tests.gui.windows import open_window

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


class Second(FakeExperiment):  # type: ignore[misc]
    id: ClassVar[str] = "second"
    title: ClassVar[str] = "Second"
    why_no_nudge: ClassVar[str] = ""

    def nudge(self, state: Any, nudge: Any) -> Any:
        from dataclasses import replace

        return replace(state, weight=state.weight * (1 + nudge.size))


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    window = open_window(qtbot, [FakeExperiment(), Second()])
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    wait(window, qtbot, step=0)
    yield window
    window.close()


def shown(window: MainWindow) -> Snapshot:
    snapshot = window.control.snapshot
    assert snapshot is not None
    return snapshot


def wait(
    window: MainWindow, qtbot: QtBot, *, step: int, cursor: int | None = None, of: str = ""
) -> Snapshot:
    def there() -> bool:
        now = window.control.snapshot
        return (
            now is not None
            and now.experiment == (of or window.control.experiment.id)
            and now.status in (Status.PAUSED, Status.FINISHED)
            and now.progress is None
            and (now.step, now.cursor) == (step, step if cursor is None else cursor)
        )

    qtbot.waitUntil(there)
    return shown(window)


def run_steps(window: MainWindow, qtbot: QtBot, count: int) -> None:
    field = window.transport.run_steps
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, str(count))
    qtbot.mouseClick(window.transport.run_button, LEFT)


def look_at(window: MainWindow, qtbot: QtBot, step: int) -> None:
    field = window.transport.cursor_box
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, str(step))
    qtbot.keyClick(field, Key.Key_Return)
    window.setFocus()


def type_step_size(window: MainWindow, qtbot: QtBot, text: str) -> None:
    box = window.panels.form.row("step_size").box  # type: ignore[attr-defined]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Key.Key_Return)
    window.setFocus()


def test_a_stray_digit_costs_nothing(window: MainWindow, qtbot: QtBot) -> None:
    window.set_speed(None)
    run_steps(window, qtbot, 60)
    wait(window, qtbot, step=60)
    type_step_size(window, qtbot, "0.25")
    qtbot.waitUntil(lambda: len(shown(window).changes) == 1)
    run_steps(window, qtbot, 40)
    left = wait(window, qtbot, step=100)
    qtbot.keyClick(window, Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    wait(window, qtbot, step=0, of="second")
    assert window.transport.cursor_box.count == 0
    qtbot.keyClick(window, Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    back = wait(window, qtbot, step=100, of="fake")
    assert back.changes == left.changes and back.params == left.params
    assert (back.trace.recent["weight"] == left.trace.recent["weight"]).all()
    assert window.transport.cursor_box.count == 100
    assert window.status.step.text() == "k = 100" and window.status.state.text() == "Paused"
    assert window.panels.form.params == left.params
    qtbot.keyClick(window, Key.Key_Z, CONTROL)  # what was done to it can still be undone
    qtbot.waitUntil(lambda: window.control.params.step_size == 0.3)  # type: ignore[attr-defined]
    assert shown(window).step == 100
    qtbot.keyClick(window, Key.Key_R)
    wait(window, qtbot, step=0)


def test_a_run_that_plays_is_left_paused(window: MainWindow, qtbot: QtBot) -> None:
    type_step_size(window, qtbot, "1e-9")
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.waitUntil(lambda: window.transport.cursor_box.count > 0)
    qtbot.keyClick(window, Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    wait(window, qtbot, step=0, of="second")
    window.open_experiment("fake")
    qtbot.waitUntil(lambda: window.control.snapshot is not None)
    assert shown(window).status is Status.PAUSED and shown(window).step > 0
    assert window.transport.play_button.text() == "Play"


def test_a_looked_at_step_is_found_again(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(90)
    wait(window, qtbot, step=90)
    look_at(window, qtbot, 30)
    wait(window, qtbot, step=90, cursor=30)
    window.open_experiment("second")
    wait(window, qtbot, step=0, of="second")
    window.open_experiment("fake")
    wait(window, qtbot, step=90, cursor=30, of="fake")


def test_dropped_steps_are_said_and_brought_back(window: MainWindow, qtbot: QtBot) -> None:
    window.set_speed(None)
    window.control.step(582)
    whole = wait(window, qtbot, step=582)
    look_at(window, qtbot, 50)
    wait(window, qtbot, step=582, cursor=50)
    run_steps(window, qtbot, 3)
    wait(window, qtbot, step=53)
    assert window.statusBar().currentMessage() == (
        "Steps 51 to 582 were dropped: Ctrl+Z brings them back."
    )
    assert window.panels.plots.link.ends[1] < 100  # the time axis fits what is left
    assert window.actions_by_name["undo"].text() == "Undo drop of steps 51 to 582"
    qtbot.keyClick(window, Key.Key_Z, CONTROL)
    back = wait(window, qtbot, step=582)
    assert (back.trace.recent["weight"] == whole.trace.recent["weight"]).all()
    assert window.panels.plots.link.ends[1] > 582
    qtbot.keyClick(window, Key.Key_Y, CONTROL)
    wait(window, qtbot, step=53)


def test_a_step_size_typed_at_a_scrubbed_step_is_one_undo(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(200)
    wait(window, qtbot, step=200)
    look_at(window, qtbot, 80)
    wait(window, qtbot, step=200, cursor=80)
    type_step_size(window, qtbot, "0.25")
    wait(window, qtbot, step=80)
    assert "Steps 81 to 200 were dropped" in window.statusBar().currentMessage()
    assert window.actions_by_name["undo"].text() == "Undo Step size 0.3 → 0.25"
    qtbot.keyClick(window, Key.Key_Z, CONTROL)
    back = wait(window, qtbot, step=200)
    assert back.changes == () and back.params == window.control.params
    assert window.control.params.step_size == 0.3  # type: ignore[attr-defined]
    assert window.panels.form.params == window.control.params
    assert not window.control.undo_group.canUndo()
    qtbot.keyClick(window, Key.Key_Y, CONTROL)
    again = wait(window, qtbot, step=80)
    assert [change.step for change in again.changes] == [80]
    assert window.panels.form.params == again.params


def look_back_to_before_a_change(window: MainWindow, qtbot: QtBot) -> None:
    """Make 40 steps with another step size from the 20th on, and show the 10th."""
    window.control.step(20)
    wait(window, qtbot, step=20)
    type_step_size(window, qtbot, "0.25")
    window.control.step(20)
    wait(window, qtbot, step=40)
    look_at(window, qtbot, 10)
    wait(window, qtbot, step=40, cursor=10)


def test_a_run_that_goes_on_from_before_a_change_is_shown_with_what_it_has(
    window: MainWindow, qtbot: QtBot
) -> None:
    look_back_to_before_a_change(window, qtbot)
    window.set_speed(None)
    run_steps(window, qtbot, 5)
    went_on = wait(window, qtbot, step=15)
    assert went_on.changes == () and went_on.params.step_size == 0.3  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: window.control.params == went_on.params)
    assert window.panels.form.params == went_on.params
    qtbot.keyClick(window, Key.Key_Z, CONTROL)
    back = wait(window, qtbot, step=40)
    assert window.panels.form.params == back.params != went_on.params


def test_what_is_typed_while_a_run_goes_on_from_before_a_change_stays(
    window: MainWindow, qtbot: QtBot
) -> None:
    look_back_to_before_a_change(window, qtbot)
    window.control.run(5)
    type_step_size(window, qtbot, "0.2")
    went_on = wait(window, qtbot, step=15)
    assert went_on.params == window.control.params == window.panels.form.params
    assert went_on.params.step_size == 0.2  # type: ignore[attr-defined]


def test_settings_given_before_dropped_steps_are_back_stay(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.control.step(40)
    wait(window, qtbot, step=40)
    look_at(window, qtbot, 10)
    wait(window, qtbot, step=40, cursor=10)
    window.set_speed(None)
    run_steps(window, qtbot, 5)
    wait(window, qtbot, step=15)
    qtbot.waitUntil(window.control.undo_group.canUndo)
    window.control.undo_group.undo()  # a job, whose end the window is told later
    window.control.restore(update(window.control.params, step_size=0.2, depth=4), 7)
    there = wait(window, qtbot, step=0)
    assert (there.params, there.seed) == (window.control.params, window.control.seed)
    assert there.params.step_size == 0.2  # type: ignore[attr-defined]
    assert (window.panels.form.params, window.panels.form.seed) == (there.params, 7)


def test_an_arrow_walks_along_what_is_there(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(10)
    wait(window, qtbot, step=10)
    qtbot.keyClick(window, Key.Key_Left)
    wait(window, qtbot, step=10, cursor=9)
    qtbot.keyClick(window, Key.Key_Right)
    wait(window, qtbot, step=10)
    qtbot.keyClick(window, Key.Key_Right)
    wait(window, qtbot, step=11)
    assert not window.control.undo_group.canUndo()


def test_undo_of_a_step_size_drops_nothing(window: MainWindow, qtbot: QtBot) -> None:
    look_back_to_before_a_change(window, qtbot)
    qtbot.keyClick(window, Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: len(shown(window).changes) == 2)
    assert (shown(window).step, shown(window).cursor) == (40, 40)


def test_a_click_on_the_slider_and_play_can_be_undone(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(300)
    wait(window, qtbot, step=300)
    scrub = window.transport.scrub
    qtbot.mouseClick(scrub, LEFT, pos=QPoint(scrub.width() // 3, scrub.height() // 2))
    qtbot.waitUntil(lambda: not shown(window).is_live)
    qtbot.mouseClick(window.transport.play_button, LEFT)
    qtbot.waitUntil(lambda: window.control.undo_group.canUndo())
    qtbot.keyClick(window, Key.Key_Z, CONTROL)
    wait(window, qtbot, step=300)


def test_a_pushed_run_says_so_and_each_time(window: MainWindow, qtbot: QtBot) -> None:
    window.open_experiment("second")
    wait(window, qtbot, step=0, of="second")
    for count in (1, 2):
        window.statusBar().clearMessage()
        qtbot.keyClick(window, Key.Key_U)
        qtbot.waitUntil(lambda count=count: len(shown(window).changes) == count)
        assert window.statusBar().currentMessage() == "Nudged by 10⁻⁶ of the state's size."
    window.open_experiment("fake")
    assert window.statusBar().currentMessage() == ""


def test_a_diverged_run_is_not_said_to_be_pushed(window: MainWindow, qtbot: QtBot) -> None:
    window.open_experiment("second")
    wait(window, qtbot, step=0, of="second")
    action, button = window.actions_by_name["nudge"], window.transport.nudge_button
    assert action.isEnabled() and button.isEnabled()
    type_step_size(window, qtbot, "3")
    window.control.step(500)
    qtbot.waitUntil(lambda: shown(window).outcome.kind is OutcomeKind.DIVERGED)
    assert not action.isEnabled() and not button.isEnabled()
    qtbot.keyClick(window, Key.Key_U)
    assert "Nudged" not in window.statusBar().currentMessage()
    window.control.nudge(1e-6)  # asked for before the window knew
    qtbot.waitUntil(lambda: "has diverged" in window.statusBar().currentMessage())
    qtbot.keyClick(window, Key.Key_R)
    wait(window, qtbot, step=0)
    assert action.isEnabled() and button.isEnabled()


def test_a_step_beyond_the_run_is_not_clamped_silently(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(582)
    wait(window, qtbot, step=582)
    look_at(window, qtbot, 99999999)
    assert window.statusBar().currentMessage() == (
        "Step k: 99 999 999 is not reached yet; the last step, 582, is shown.".replace(
            " 999", "\u2009999"
        )
    )
    qtbot.waitUntil(lambda: window.transport.cursor_box.count == 582)


def test_a_run_that_converges_at_once_still_says_what_was_dropped(
    window: MainWindow, qtbot: QtBot
) -> None:
    class Resting(Second):  # type: ignore[misc]
        id: ClassVar[str] = "resting"

        def outcome(self, state: Any, recent: Any) -> Any:
            kind = OutcomeKind.CONVERGED if state.step > 50 else OutcomeKind.CONVERGING
            return Outcome(kind=kind, step=state.step, message="At a minimum.", phase="")

    window.control.choose(Resting())
    wait(window, qtbot, step=0, of="resting")
    window.control.step(100)
    wait(window, qtbot, step=100)
    look_at(window, qtbot, 50)
    wait(window, qtbot, step=100, cursor=50)
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.waitUntil(lambda: shown(window).status is Status.PAUSED and shown(window).step < 100)
    assert window.statusBar().currentMessage() == (
        "At a minimum. Steps 51 to 100 were dropped: Ctrl+Z brings them back."
    )


def test_run_runs_what_is_shown_or_nothing(window: MainWindow, qtbot: QtBot) -> None:
    """A click on the button takes the focus from the field first, as on a real screen."""
    field = window.transport.run_steps
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "abc")
    window.setFocus()
    assert field.text() == "abc" and field.is_refused
    sentence = "Steps to run: 'abc' is not allowed; give a whole number from 1 to "
    assert window.statusBar().currentMessage().startswith(sentence)
    qtbot.mouseClick(window.transport.run_button, LEFT)
    qtbot.keyClick(window, Key.Key_N)
    assert field.hasFocus()
    qtbot.keyClicks(field, "5")
    assert window.statusBar().currentMessage() == ""
    qtbot.mouseClick(window.transport.run_button, LEFT)
    wait(window, qtbot, step=5)
    ensemble = window.panels.ensemble
    ensemble.runs.setFocus()
    ensemble.runs.selectAll()
    qtbot.keyClicks(ensemble.runs, "123456")
    window.setFocus()
    ensemble.run.click()
    assert ensemble.runs.text() == "123456" and ensemble.ensemble is None
    assert window.statusBar().currentMessage() == (
        "Runs: '123456' is not allowed; give a whole number from 1 to 10\u2009000."
    )
    window.open_experiment("second")
    assert window.statusBar().currentMessage() == "" and ensemble.runs.text() == "20"


def test_a_diverged_run_goes_on_from_a_scrubbed_step(window: MainWindow, qtbot: QtBot) -> None:
    type_step_size(window, qtbot, "2")
    window.control.step(500)
    qtbot.waitUntil(lambda: shown(window).status is Status.FINISHED)
    last = shown(window).step
    look_at(window, qtbot, 4)
    wait(window, qtbot, step=last, cursor=4)
    type_step_size(window, qtbot, "0.25")
    assert [change.step for change in wait(window, qtbot, step=4).changes] == [4]
    qtbot.keyClick(window, Key.Key_Z, CONTROL)
    back = wait(window, qtbot, step=last)
    assert back.status is Status.FINISHED and back.outcome.kind is OutcomeKind.DIVERGED
    assert window.panels.form.params == back.params
