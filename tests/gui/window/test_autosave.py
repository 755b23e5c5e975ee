"""What was changed is on the disk soon, whatever becomes of the program; pins come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.settings import Settings
from gui.window.main_window import MainWindow
from tests.gui import windows
from tests.gui.fakes import FakeExperiment, FakeParams

Open = Callable[[], MainWindow]


class Second(FakeExperiment):  # type: ignore[misc]
    id: ClassVar[str] = "second"
    title: ClassVar[str] = "Second"


@pytest.fixture
def open_window(qtbot: QtBot, tmp_path: Path) -> Iterator[Open]:
    opened: list[MainWindow] = []

    def open_window() -> MainWindow:
        settings = Settings(tmp_path / "settings.ini")
        window = windows.open_window(qtbot, [FakeExperiment(), Second()], settings)
        window.state._due.setInterval(0)
        opened.append(window)
        qtbot.waitUntil(lambda: window.control.snapshot is not None)
        return window

    yield open_window
    for window in opened:
        window.close()


def saved(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.state._due.isActive())


def make_steps(window: MainWindow, qtbot: QtBot, count: int) -> None:
    window.control.step(count)
    qtbot.waitUntil(lambda: window.transport.cursor_box.count == count)


def test_a_killed_program_has_kept_what_was_changed(open_window: Open, qtbot: QtBot) -> None:
    killed = open_window()
    qtbot.keyClick(killed, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: killed.control.experiment.id == "second")
    box = killed.panels.form.row("step_size").box  # type: ignore[attr-defined]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "0.125")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    button = killed.transport.nudge_button
    next(action for action in button.menu().actions() if action.data() == 1e-9).trigger()
    saved(killed, qtbot)
    again = open_window()  # nothing was closed before
    assert again.control.experiment.id == "second"
    assert again.control.params == FakeParams(step_size=0.125)
    assert again.transport.nudge_button.size_chosen == 1e-9


def test_a_resting_window_writes_nothing(open_window: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = open_window()
    saved(window, qtbot)
    make_steps(window, qtbot, 5)
    assert not window.state._due.isActive()
    window.control.edit_params(FakeParams(step_size=0.2))
    assert window.state._due.isActive()
    saved(window, qtbot)
    assert not window.state._due.isActive()


def test_pins_come_back_with_their_curves(open_window: Open, qtbot: QtBot, tmp_path: Path) -> None:
    first = open_window()
    make_steps(first, qtbot, 3000)
    qtbot.keyClick(first, Qt.Key.Key_P)
    first.control.edit_params(FakeParams(depth=4))
    make_steps(first, qtbot, 7)
    qtbot.keyClick(first, Qt.Key.Key_P)
    pins = first.pins.of("fake")
    first.pins.show(pins[0].id, False)
    first.pins.recolor(pins[1].id, "pin8")
    saved(first, qtbot)
    second = open_window()
    back = second.pins.of("fake")
    assert [(pin.label, pin.color, pin.visible, pin.params) for pin in back] == [
        (pin.label, pin.color, pin.visible, pin.params) for pin in first.pins.of("fake")
    ]
    for before, after in zip(pins, back, strict=True):
        assert (after.trace.last, after.trace.stride) == (before.trace.last, before.trace.stride)
        for side in ("low", "high", "recent"):
            for key, values in getattr(before.trace, side).items():
                np.testing.assert_array_equal(getattr(after.trace, side)[key], values)
    second.pins.remove(back[0].id)
    saved(second, qtbot)
    assert [path.name for path in (tmp_path / "pins" / "fake").iterdir()] == ["2.npz"]
    assert len(open_window().pins.of("fake")) == 1


def test_damaged_pins_are_as_if_they_were_not_there(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = open_window()
    make_steps(window, qtbot, 9)
    for _ in range(3):
        window.pins.add(window.control.snapshot)
    saved(window, qtbot)
    folder = tmp_path / "pins" / "fake"
    (folder / "1.npz").write_bytes(b"no archive")
    (folder / "2.npz").unlink()
    settings = Settings(tmp_path / "settings.ini")
    entries = settings.object("pins/fake")
    forged = [{**entries[2], "file": "../fake/3.npz"}, {"file": 1}, "x", None]
    settings.set_object("pins/fake", [*forged, *entries])
    settings.save()
    again = open_window()
    assert [pin.trace.last for pin in again.pins.of("fake")] == [9]
