"""From one experiment to another: at once in name, once in deed, and never with old numbers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.run.snapshot import Status
from gui.widgets.waiting import COMPILING, PREPARING
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment, FakeParams, snapshot
from tests.gui.windows import open_window

Key = Qt.Key


class Second(FakeExperiment):  # type: ignore[misc]
    id: ClassVar[str] = "second"
    title: ClassVar[str] = "Second"


class Slow(FakeExperiment):  # type: ignore[misc]
    """One whose run begins, and whose first picture's kernels are compiled, on the test's word."""

    id: ClassVar[str] = "slow"
    title: ClassVar[str] = "Slow"

    def __init__(self) -> None:
        self.may_begin, self.may_run = threading.Event(), threading.Event()

    def release(self, _window: Any = None) -> None:
        """Hold nothing up any more."""
        self.may_begin.set()
        self.may_run.set()

    def init(self, params: Any, seed: int) -> Any:
        assert self.may_begin.wait(20)
        return super().init(params, seed)

    def observe(self, state: Any, recent: Any) -> Any:
        assert self.may_run.wait(20)
        return super().observe(state, recent)


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.release()


@pytest.fixture
def window(qtbot: QtBot, slow: Slow) -> Iterator[MainWindow]:
    window = open_window(qtbot, [FakeExperiment(), Second(), slow], before_close=slow.release)
    qtbot.waitUntil(lambda: is_paused(window, "fake"))
    yield window
    slow.release()
    window.close()


def is_paused(window: MainWindow, experiment_id: str) -> bool:
    shown = window.control.snapshot
    return (
        window.control.experiment.id == experiment_id
        and shown is not None
        and shown.experiment == experiment_id
        and shown.status is Status.PAUSED
    )


def run_for_a_while(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.waitUntil(lambda: window.transport.cursor_box.count > 0)
    qtbot.waitUntil(lambda: window.transport.play_button.text() == "Pause")


def shown_numbers(window: MainWindow) -> tuple[Any, ...]:
    transport, status = window.transport, window.status
    return (
        transport.cursor_box.text(),
        transport.play_button.text(),
        transport.scrub.maximum(),
        transport.back_button.isEnabled(),
        transport.live_button.isEnabled(),
        status.step.text(),
        status.rate.text(),
        status.frames.text(),
    )


NOTHING = ("0", "Play", 0, False, False, "k = 0", "– steps/s", "– frames/s")


def test_only_the_last_of_many_keys_is_built(window: MainWindow, qtbot: QtBot) -> None:
    built: list[str] = []
    window.control.experiment_changed.connect(lambda experiment: built.append(experiment.id))
    for key in (Key.Key_3, Key.Key_1, Key.Key_3, Key.Key_2):
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
    assert built == []
    assert window.experiment_panel.current_id == "second"
    assert window.windowTitle().startswith("Second")
    assert window.panels.plots.is_covered  # they are those of the first
    qtbot.waitUntil(lambda: is_paused(window, "second"))
    assert built == ["second"]
    assert not window.panels.plots.is_covered


def test_a_held_arrow_in_the_list_builds_where_it_stops(window: MainWindow, qtbot: QtBot) -> None:
    built: list[str] = []
    window.control.experiment_changed.connect(lambda experiment: built.append(experiment.id))
    for _ in range(2):
        qtbot.keyClick(window.experiment_panel.list, Key.Key_Down)
    qtbot.keyClick(window.experiment_panel.list, Key.Key_Up)
    qtbot.waitUntil(lambda: is_paused(window, "second"))
    assert built == ["second"]


def test_a_click_in_the_list_builds_at_once(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.experiment_panel
    item = next(
        panel.list.item(row)
        for row in range(panel.list.count())
        if panel.list.item(row).text() == "Second"
    )
    place = panel.list.visualItemRect(item).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.control.experiment.id == "second"
    assert not window.switching.is_pending


def test_there_and_back_builds_nothing(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(5)
    qtbot.waitUntil(lambda: window.transport.cursor_box.count == 5)
    built: list[str] = []
    window.control.experiment_changed.connect(lambda experiment: built.append(experiment.id))
    qtbot.keyClick(window, Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.transport.cursor_box.count == 0
    qtbot.keyClick(window, Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not window.switching.is_pending)
    assert built == []
    assert window.windowTitle().startswith("Parabola")
    assert (window.transport.cursor_box.count, window.status.step.text()) == (5, "k = 5")
    assert not window.panels.waiting.isVisible()
    assert not window.panels.plots.is_covered


def test_what_follows_a_key_is_about_its_experiment(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(window, Key.Key_Right)
    assert window.control.experiment.id == "second"
    qtbot.waitUntil(lambda: window.control.snapshot is not None)
    qtbot.waitUntil(lambda: window.control.snapshot.step == 1)
    qtbot.keyClick(window, Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    qtbot.mouseClick(window.transport.play_button, Qt.MouseButton.LeftButton)
    assert window.control.experiment.id == "fake"
    qtbot.waitUntil(lambda: window.control.is_running)


@pytest.mark.parametrize("by_key", [True, False])
def test_the_numbers_of_the_last_run_go_at_once(
    window: MainWindow, qtbot: QtBot, by_key: bool
) -> None:
    run_for_a_while(window, qtbot)
    if by_key:
        qtbot.keyClick(window, Key.Key_3, Qt.KeyboardModifier.ControlModifier)
        window.switching.show_snapshot(
            snapshot(steps=9)
        )  # the old run goes on until the new one is built
    else:
        window.open_experiment("slow")
    assert shown_numbers(window) == NOTHING
    assert window.status.state.text() == "Ready"
    qtbot.waitUntil(window.panels.waiting.isVisible)
    assert shown_numbers(window) == NOTHING


def test_a_run_that_takes_long_to_begin_says_so_until_its_first_picture(
    window: MainWindow, qtbot: QtBot, slow: Slow
) -> None:
    waiting = window.panels.waiting
    window.open_experiment("slow")
    assert not waiting.isVisible()
    qtbot.waitUntil(waiting.isVisible)
    assert waiting.text == PREPARING
    assert window.status.state.text() == PREPARING
    middle = window.panels.plots.rect().center()
    assert (waiting.geometry().center() - middle).manhattanLength() <= 2
    slow.may_begin.set()
    qtbot.waitUntil(lambda: waiting.text == COMPILING)
    assert waiting.isVisible()
    assert window.status.state.text() == "Compiling…"
    window.resize(1100, 700)
    middle = window.panels.plots.rect().center()
    assert (waiting.geometry().center() - middle).manhattanLength() <= 2
    slow.may_run.set()
    qtbot.waitUntil(lambda: is_paused(window, "slow"))
    assert not waiting.isVisible()
    assert window.status.state.text() == "Paused"


def test_a_run_that_begins_soon_shows_no_word(window: MainWindow, qtbot: QtBot, slow: Slow) -> None:
    slow.may_begin.set()
    slow.may_run.set()
    seen: list[bool] = []
    window.panels.waiting.shown.connect(lambda: seen.append(True))
    words: list[str] = []
    say = window.status.state.say
    window.status.state.say = lambda text: (words.append(text), say(text))[1]  # type: ignore[method-assign]
    window.panels.waiting._patience.setInterval(20_000)
    window.status._starting.setInterval(20_000)
    qtbot.keyClick(window, Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: is_paused(window, "slow"))
    assert seen == []
    assert not window.panels.waiting._patience.isActive()
    assert "Compiling…" not in words


def test_a_run_that_cannot_begin_waits_for_nothing(window: MainWindow, qtbot: QtBot) -> None:
    class Refusing(FakeExperiment):  # type: ignore[misc]
        def init(self, params: Any, seed: int) -> Any:
            from engine.core.errors import InputError

            raise InputError("file", "x.csv", "give a file that exists")

    window.panels.waiting._patience.setInterval(0)
    window.control.choose(Refusing(), FakeParams())
    qtbot.waitUntil(window.message_bar.isVisible)
    assert not window.panels.waiting.isVisible()
    assert not window.panels.waiting._patience.isActive()


def test_a_run_that_is_opened_is_not_overridden_by_a_key_before(
    window: MainWindow, qtbot: QtBot
) -> None:
    qtbot.keyClick(window, Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    window.control.choose(Second(), FakeParams(depth=5), 7)  # what opening a file does
    assert not window.switching.is_pending
    qtbot.keyClick(window, Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    window.control.choose(FakeExperiment(), FakeParams(depth=5), 7)
    qtbot.waitUntil(lambda: is_paused(window, "fake"))
    assert not window.switching.is_pending and window.windowTitle().startswith("Parabola")
    assert window.control.seed == 7


def test_undo_after_a_key_is_about_its_experiment(window: MainWindow, qtbot: QtBot) -> None:
    window.control.edit_params(FakeParams(depth=4))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(window, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.control.experiment.id == "second"
    assert window.control.settings_of_all()["fake"][0] == FakeParams(depth=4)


def test_a_pin_chosen_after_a_key_is_restored_in_its_own_experiment(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.control.step(3)
    qtbot.waitUntil(lambda: window.transport.cursor_box.count == 3)
    qtbot.keyClick(window, Key.Key_P)
    window.control.edit_params(FakeParams(depth=4))
    qtbot.keyClick(window, Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    (pin,) = window.pins.of("fake")
    window.pins_panel.restore_requested.emit(pin)
    assert window.control.experiment.id == "fake" and window.control.params == pin.params
    assert not window.switching.is_pending


def test_play_is_shown_while_it_waits_for_the_kernels(
    window: MainWindow, qtbot: QtBot, slow: Slow
) -> None:
    button = window.transport.play_button
    slow.may_begin.set()
    window.open_experiment("slow")
    assert button.text() == "Play"
    qtbot.keyClick(window, Key.Key_Space)
    assert button.text() == "Pause"
    qtbot.waitUntil(lambda: window.panels.waiting.text == COMPILING)
    assert button.text() == "Pause"
    qtbot.keyClick(window, Key.Key_Space)
    assert button.text() == "Play"
    qtbot.keyClick(window, Key.Key_Space)
    assert button.text() == "Pause"
    slow.may_run.set()
    qtbot.waitUntil(lambda: window.control.is_running)
    assert button.text() == "Pause"
    window.open_experiment("fake")
    qtbot.keyClick(window, Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(window, Key.Key_Space)  # before its run shows: it is taken up, not begun anew
    qtbot.waitUntil(lambda: window.control.is_running)
    assert window.control.snapshot.step > 0
