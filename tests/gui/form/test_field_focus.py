"""After Enter and Escape the keyboard is the window's again, unless there is a text to mend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from engine.core.params import update
from engine.run.snapshot import Status
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment, FakeParams
from tests.gui.windows import open_window

ENTER, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Escape
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    window = open_window(qtbot, [FakeExperiment()])
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    params = update(FakeParams(), source="typed")
    window.control.edit_params(params)
    qtbot.waitUntil(
        lambda: (
            window.control.snapshot is not None
            and window.control.snapshot.params == params
            and window.control.snapshot.status is Status.PAUSED
        )
    )
    yield window
    window.close()


def boxes(window: MainWindow) -> dict[str, tuple[QLineEdit, str, str]]:
    """Return fields that are typed into, with a good text and one that is refused."""
    form, transport = window.panels.form, window.transport
    typed = {"step_size": ("0.4", "-1"), "depth": ("7", "0"), "matrix": ("2 0; 0 1", "1 a")}
    found = {name: (form.row(name).control, *texts) for name, texts in typed.items()}
    found["seed"] = (form.footer.box, "12", "1.5")
    found["steps"] = (transport.run_steps, "3", "x")
    return found  # type: ignore[return-value]


def press(qtbot: QtBot, key: Qt.Key) -> None:
    """Press a key wherever the keyboard is."""
    focused = QGuiApplication.focusObject()
    assert isinstance(focused, QWidget)
    qtbot.keyClick(focused, key)


def fill(qtbot: QtBot, box: QLineEdit, text: str) -> None:
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)


@pytest.mark.parametrize("name", ["step_size", "depth", "matrix", "seed", "steps"])
def test_enter_takes_a_good_text_and_leaves(window: MainWindow, qtbot: QtBot, name: str) -> None:
    box, good, _ = boxes(window)[name]
    fill(qtbot, box, good)
    press(qtbot, ENTER)
    assert not box.hasFocus()
    assert box.text() == good
    assert window.hasFocus()


@pytest.mark.parametrize("name", ["step_size", "depth", "matrix", "seed", "steps"])
@pytest.mark.parametrize("by_enter", [True, False])
def test_a_refused_text_keeps_the_keyboard_until_escape(
    window: MainWindow, qtbot: QtBot, name: str, by_enter: bool
) -> None:
    box, _, bad = boxes(window)[name]
    before = box.text()
    fill(qtbot, box, bad)
    if by_enter:
        press(qtbot, ENTER)
        assert box.hasFocus()
        assert box.text() == bad
        assert box.property("invalid") is True
        assert box.selectedText() == bad
    press(qtbot, ESCAPE)
    assert not box.hasFocus()
    assert box.text() == before
    assert not box.property("invalid")
    assert window.hasFocus()


def test_keys_after_enter_are_the_windows(window: MainWindow, qtbot: QtBot) -> None:
    box = window.panels.form.row("step_size").control
    qtbot.mouseClick(box, LEFT)
    fill(qtbot, box, "0.4")  # type: ignore[arg-type]
    press(qtbot, ENTER)
    press(qtbot, Qt.Key.Key_1)  # a digit alone is not for the window
    press(qtbot, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.control.is_running)
    assert window.control.params.step_size == 0.4


def test_escape_in_a_field_that_was_only_entered_leaves_it(
    window: MainWindow, qtbot: QtBot
) -> None:
    box = window.panels.form.row("curvature").control
    qtbot.mouseClick(box, LEFT)
    assert box.hasFocus()
    press(qtbot, ESCAPE)
    assert window.hasFocus()
    press(qtbot, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: window.control.snapshot.step == 1)


def test_tab_goes_on_from_the_field_that_was_left(window: MainWindow, qtbot: QtBot) -> None:
    box = window.panels.form.row("curvature").control
    fill(qtbot, box, "1.5")  # type: ignore[arg-type]
    press(qtbot, ENTER)
    assert window.hasFocus()
    press(qtbot, Qt.Key.Key_Tab)
    focused = QGuiApplication.focusObject()
    assert focused is window.panels.form.row("curvature").slider
    assert window.control.params.curvature == 1.5


def test_enter_leaves_a_choice(window: MainWindow, qtbot: QtBot) -> None:
    combo = window.panels.form.row("source").control
    combo.setFocus(Qt.FocusReason.TabFocusReason)
    press(qtbot, ENTER)
    assert window.hasFocus()
