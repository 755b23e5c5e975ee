"""The transport, driven as a user drives it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractSlider
from pytestqt.qtbot import QtBot

from engine.core.outcome import OutcomeKind
from engine.run.snapshot import Status
from gui.widgets.focus import FieldLabel
from gui.widgets.number_box import CountField, parse_count
from gui.window.speed import SPEEDS, speed_text
from gui.window.transport import Transport
from tests.gui.fakes import snapshot


@pytest.fixture
def transport(qtbot: QtBot) -> Transport:
    widget = Transport()
    qtbot.addWidget(widget)
    widget.resize(1280, 40)
    widget.show()
    return widget


def _click(qtbot: QtBot, widget: Any) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("button", "signal"),
    [
        ("reset_button", "reset_requested"),
        ("back_button", "back_requested"),
        ("play_button", "play_toggled"),
        ("step_button", "step_requested"),
    ],
)
def test_buttons_ask(transport: Transport, qtbot: QtBot, button: str, signal: str) -> None:
    transport.show_snapshot(snapshot(steps=5))
    with qtbot.waitSignal(getattr(transport, signal)):
        _click(qtbot, getattr(transport, button))


@pytest.mark.parametrize("by_key", [True, False])
def test_a_number_that_is_refused_runs_nothing(
    transport: Transport, qtbot: QtBot, by_key: bool
) -> None:
    asked: list[int] = []
    transport.run_requested.connect(asked.append)
    transport.run_steps.setFocus()
    qtbot.waitUntil(transport.run_steps.hasFocus)
    transport.run_steps.selectAll()
    qtbot.keyClicks(transport.run_steps, "1x")
    with qtbot.waitSignal(transport.refused):
        if by_key:
            qtbot.keyClick(transport.run_steps, Qt.Key.Key_Return)
        else:
            _click(qtbot, transport.run_button)
    assert asked == []
    assert transport.run_steps.text() == "1x"
    assert transport.run_steps.hasFocus()
    transport.run_steps.selectAll()
    with qtbot.waitSignal(transport.error_cleared):
        qtbot.keyClicks(transport.run_steps, "2")
    qtbot.keyClick(transport.run_steps, Qt.Key.Key_Return)
    assert asked == [2]
    assert not transport.run_steps.hasFocus()


def test_run_asks_for_the_typed_number(transport: Transport, qtbot: QtBot) -> None:
    transport.run_steps.selectAll()
    qtbot.keyClicks(transport.run_steps, "1e5")
    with qtbot.waitSignal(transport.run_requested) as asked:
        _click(qtbot, transport.run_button)
    assert asked.args == [100_000]


def test_return_in_the_number_runs_once(transport: Transport, qtbot: QtBot) -> None:
    asked: list[int] = []
    transport.run_requested.connect(asked.append)
    transport.run_steps.selectAll()
    qtbot.keyClicks(transport.run_steps, "250")
    qtbot.keyClick(transport.run_steps, Qt.Key.Key_Return)
    assert asked == [250]


def test_play_becomes_pause_while_running(transport: Transport) -> None:
    transport.show_snapshot(snapshot(status=Status.RUNNING))
    assert transport.play_button.text() == "Pause"
    transport.show_snapshot(snapshot(status=Status.PAUSED))
    assert transport.play_button.text() == "Play"


def test_an_ended_run_can_only_be_played_again(transport: Transport) -> None:
    transport.show_snapshot(snapshot(status=Status.FINISHED))
    assert transport.play_button.text() == "Play again"
    assert not transport.step_button.isEnabled()
    assert not transport.run_button.isEnabled()
    assert transport.back_button.isEnabled()


def test_an_ended_run_scrubbed_back_goes_on_from_there(transport: Transport) -> None:
    transport.show_snapshot(snapshot(status=Status.FINISHED, cursor=4))
    assert transport.play_button.text() == "Play"
    assert transport.step_button.isEnabled()


def test_scrub_follows_the_run(transport: Transport) -> None:
    transport.show_snapshot(snapshot(steps=40))
    assert (transport.scrub.maximum(), transport.scrub.value()) == (40, 40)
    assert not transport.live_button.isEnabled()
    transport.show_snapshot(snapshot(steps=40, cursor=13))
    assert transport.scrub.value() == 13
    assert transport.cursor_box.count == 13
    assert transport.live_button.isEnabled()


def test_scrubbing_asks_for_the_newest_step_only(transport: Transport, qtbot: QtBot) -> None:
    transport.show_snapshot(snapshot(steps=100))
    asked: list[int] = []
    transport.seek_requested.connect(asked.append)
    for position in (90, 60, 30):
        transport.scrub.setSliderPosition(position)
    qtbot.waitUntil(lambda: bool(asked))
    assert asked == [30]


def test_a_click_beside_the_handle_scrubs_to_there(transport: Transport, qtbot: QtBot) -> None:
    transport.show_snapshot(snapshot(steps=100))
    scrub = transport.scrub
    with qtbot.waitSignal(transport.seek_requested) as asked:
        qtbot.mousePress(scrub, Qt.MouseButton.LeftButton, pos=scrub.rect().center())
    assert asked.args[0] == pytest.approx(50, abs=2)
    assert scrub.isSliderDown()
    with qtbot.waitSignal(transport.seek_requested) as asked:
        qtbot.mouseMove(scrub, scrub.rect().center() - QPoint(scrub.width() // 4, 0))
    assert asked.args[0] == pytest.approx(25, abs=3)
    qtbot.mouseRelease(scrub, Qt.MouseButton.LeftButton)


def test_a_held_handle_follows_the_run_when_let_go(transport: Transport, qtbot: QtBot) -> None:
    transport.show_snapshot(snapshot(steps=3))
    scrub = transport.scrub
    handle = QPoint(scrub.width() - 4, scrub.rect().center().y())
    qtbot.mousePress(scrub, Qt.MouseButton.LeftButton, pos=handle)
    assert scrub.isSliderDown() and scrub.value() == 3
    transport.show_snapshot(snapshot(steps=5))
    assert scrub.maximum() == 3
    qtbot.mouseRelease(scrub, Qt.MouseButton.LeftButton, pos=handle)
    assert (scrub.maximum(), scrub.value()) == (5, 5)


def test_arrow_keys_scrub_step_by_step(transport: Transport, qtbot: QtBot) -> None:
    transport.show_snapshot(snapshot(steps=100))
    with qtbot.waitSignal(transport.seek_requested) as asked:
        transport.scrub.triggerAction(QAbstractSlider.SliderAction.SliderSingleStepSub)
    assert asked.args == [99]


def test_a_long_run_is_scrubbed_proportionally(transport: Transport, qtbot: QtBot) -> None:
    far = snapshot(step=10**10, cursor=10**10)
    transport.show_snapshot(far)
    assert transport.scrub.value() == transport.scrub.maximum()
    with qtbot.waitSignal(transport.seek_requested) as asked:
        transport.scrub.setValue(transport.scrub.maximum() // 2)
    assert asked.args == [5 * 10**9]


def test_a_typed_step_is_shown(transport: Transport, qtbot: QtBot) -> None:
    transport.show_snapshot(snapshot(steps=100))
    transport.cursor_box.selectAll()
    qtbot.keyClicks(transport.cursor_box, "42")
    with qtbot.waitSignal(transport.seek_requested) as asked:
        qtbot.keyClick(transport.cursor_box, Qt.Key.Key_Return)
    assert asked.args == [42]


def test_a_typed_step_beyond_the_run_is_its_end(transport: Transport, qtbot: QtBot) -> None:
    transport.show_snapshot(snapshot(steps=100))
    transport.cursor_box.selectAll()
    qtbot.keyClicks(transport.cursor_box, "1e6")
    with qtbot.waitSignal(transport.seek_requested) as asked:
        qtbot.keyClick(transport.cursor_box, Qt.Key.Key_Return)
    assert asked.args == [100]


def test_showing_asks_for_nothing(transport: Transport, qtbot: QtBot) -> None:
    asked: list[object] = []
    transport.seek_requested.connect(asked.append)
    transport.speed_changed.connect(asked.append)
    for steps in (3, 10, 200):
        transport.show_snapshot(snapshot(steps=steps))
    transport.set_speed(50)
    transport.set_speed(None)
    assert not transport._seek_timer.isActive()
    assert asked == []


def test_without_old_states_there_is_no_way_back(transport: Transport) -> None:
    transport.set_experiment(rewindable=False, why_no_nudge="")
    transport.show_snapshot(snapshot(steps=10))
    assert not transport.scrub.isEnabled()
    assert not transport.back_button.isEnabled()
    assert transport.cursor_box.isReadOnly()


def test_speed_slider_runs_from_slow_motion_to_the_fastest_stop(
    transport: Transport, qtbot: QtBot
) -> None:
    control = transport.speed_control
    with qtbot.waitSignal(transport.speed_changed) as slow:
        control.slider.setValue(0)
    assert slow.args == [0.05]
    with qtbot.waitSignal(transport.speed_changed) as fast:
        control.slider.setValue(control.slider.maximum())
    assert fast.args == [1e5]
    assert list(SPEEDS) == sorted(set(SPEEDS))


def test_max_and_back(transport: Transport, qtbot: QtBot) -> None:
    control = transport.speed_control
    transport.set_speed(20)
    with qtbot.waitSignal(transport.speed_changed) as asked:
        _click(qtbot, control.max_button)
    assert asked.args == [None]
    assert transport.speed is None
    with qtbot.waitSignal(transport.speed_changed) as asked:
        _click(qtbot, control.max_button)
    assert asked.args == [20]
    _click(qtbot, control.max_button)
    control.slider.setValue(3)
    assert not control.max_button.isChecked()


def test_a_speed_between_two_stops_is_kept(transport: Transport) -> None:
    transport.set_speed(3.0)
    assert transport.speed == 3.0
    assert SPEEDS[transport.speed_control.slider.value()] == 2.0


@pytest.mark.parametrize(
    ("speed", "text"),
    [
        (0.05, "3 steps/s"),
        (1.0, "1 step/frame"),
        (20, "20 steps/frame"),
        (1e5, "100\u2009000 steps/frame"),
        (None, "max speed"),
    ],
)
def test_speed_in_words(speed: float | None, text: str) -> None:
    assert speed_text(speed) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1000", 1000),
        ("1 000", 1000),
        ("1,000", 1000),
        ("1\u2009000", 1000),
        ("1e5", 100_000),
        ("10k", 10_000),
        ("2.5M", 2_500_000),
        ("2.5", None),
        ("-1", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
        ("k", None),
    ],
)
def test_counts_as_people_type_them(text: str, number: int | None) -> None:
    assert parse_count(text) == number


@pytest.mark.parametrize("typed", ["1e", "0", "-3", "2.5", ""])
def test_a_count_keeps_its_last_good_value(qtbot: QtBot, typed: str) -> None:
    field = CountField(12, minimum=1)
    field.setAccessibleName("Steps")
    qtbot.addWidget(field)
    field.show()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    edited: list[int] = []
    said: list[str] = []
    unsaid: list[str] = []
    field.edited.connect(edited.append)
    field.refused.connect(said.append)
    field.error_cleared.connect(unsaid.append)
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClicks(field, typed)
    assert field.property("invalid")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert (field.count, field.text(), edited) == (12, typed, [])
    assert field.hasFocus()
    assert said[0].startswith(f"Steps: {typed!r} is not allowed; give a whole number from 1 to ")
    assert unsaid == []
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert (field.count, field.text(), edited) == (12, "12", [])
    assert not field.property("invalid")
    assert not field.hasFocus()
    assert unsaid == said


def test_a_count_is_stepped_with_the_arrows(qtbot: QtBot) -> None:
    field = CountField(1000, minimum=1)
    qtbot.addWidget(field)
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert (field.count, field.text()) == (1100, "1\u2009100")
    for _ in range(20):
        qtbot.keyClick(field, Qt.Key.Key_Down)
    assert 1 <= field.count < 1000


def test_a_count_that_is_being_typed_is_left_alone(qtbot: QtBot) -> None:
    field = CountField(5)
    qtbot.addWidget(field)
    field.show()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, "7")
    field.show_count(99)
    assert field.text() == "57"
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert (field.count, field.text()) == (99, "99")
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, "x")
    field.show_count(98)
    assert field.text() == "99x"
    field.clearFocus()
    assert (field.count, field.text()) == (98, "98")


def test_every_control_has_a_name_and_a_tip(transport: Transport) -> None:
    for widget in (
        transport.reset_button,
        transport.back_button,
        transport.play_button,
        transport.step_button,
        transport.run_button,
        transport.run_steps,
        transport.cursor_box,
        transport.scrub,
        transport.live_button,
        transport.speed_control.slider,
        transport.speed_control.max_button,
    ):
        assert widget.accessibleName()
        assert widget.toolTip()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_a_nudge_has_the_size_that_was_chosen(transport: Transport, qtbot: QtBot) -> None:
    transport.show_snapshot(snapshot(steps=5))
    button = transport.nudge_button
    assert "10⁻⁶ of its size" in button.toolTip()
    with qtbot.waitSignal(button.nudge_requested) as asked:
        _click(qtbot, button)
    assert asked.args == [1e-6]
    next(action for action in button.menu().actions() if action.text() == "10⁻²").trigger()
    assert "10⁻² of its size" in button.toolTip()
    with qtbot.waitSignal(button.nudge_requested) as asked:
        _click(qtbot, button)
    assert asked.args == [0.01]


def test_a_diverged_run_offers_no_nudge(transport: Transport) -> None:
    shown = snapshot(steps=5)
    gone = dataclasses.replace(
        shown, outcome=dataclasses.replace(shown.outcome, kind=OutcomeKind.DIVERGED)
    )
    transport.show_snapshot(gone)
    assert not transport.nudge_button.isEnabled()
    assert "the run has diverged" in transport.nudge_button.toolTip()
    transport.show_snapshot(shown)
    assert transport.nudge_button.isEnabled()


def test_a_click_on_the_name_of_the_step_goes_to_it(transport: Transport, qtbot: QtBot) -> None:
    transport.activateWindow()
    qtbot.waitUntil(transport.isActiveWindow)
    [label] = transport.findChildren(FieldLabel)
    _click(qtbot, label)
    assert transport.cursor_box.hasFocus()
    assert transport.cursor_box.selectedText() == "0"
