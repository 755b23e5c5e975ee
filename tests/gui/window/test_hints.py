"""The line for newcomers: shown where it is true, gone when it was followed or dismissed."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.core.params import update
from gui.settings import Settings
from gui.window.hints import HANDLES, KEY, LIMIT, HintBar, Hints
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment
from tests.gui.windows import open_window


def shown(qtbot: QtBot, experiment_id: str, settings: Settings | None = None) -> MainWindow:
    """Return a window with a picture of a run of an experiment."""
    entries = [entry for entry in registry.entries() if entry.id == experiment_id]
    window = open_window(qtbot, entries, settings)
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=120_000)
    qtbot.waitUntil(lambda: bool(window.control.snapshot.theory), timeout=20_000)
    return window


def limit_of(window: MainWindow) -> float:
    return next(b.value for b in window.control.snapshot.theory if b.id == "delta_max")


def test_dragging_the_step_size_past_the_red_mark_is_the_first_hint(
    qtbot: QtBot, tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "settings.ini")
    window = shown(qtbot, "least-squares", settings)
    bar, hints = window.hint_bar, window.hints
    assert bar.isVisible() and hints.shown.id == LIMIT
    assert r"\delta_{\max}" in bar.text.text
    slider, limit = window.panels.form.row("step_size").slider, limit_of(window)
    while window.control.params.step_size <= limit:
        QTest.keyClick(slider, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: hints.shown is None or hints.shown.id != LIMIT)
    assert settings.object(KEY) == [LIMIT]
    window.close()


def test_a_hint_that_is_dismissed_never_comes_back(qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.ini")
    window = shown(qtbot, "least-squares", settings)
    window.hint_bar.close_button.click()
    assert window.hints.shown.id == HANDLES, "the plots have handles"
    window.panels.plots.handle_released.emit()
    assert window.hints.shown is None and not window.hint_bar.isVisible()
    window.close()
    again = shown(qtbot, "least-squares", Settings(tmp_path / "settings.ini"))
    assert not again.hint_bar.isVisible()
    again.close()


def test_while_the_first_run_begins_the_plots_have_the_room_and_no_hint_names_them(
    qtbot: QtBot,
) -> None:
    window = open_window(qtbot, [FakeExperiment()])
    assert window.panels.middle.isVisible() and window.hints.shown is None
    heights = [part.height() for part in (window.header, window.hint_bar)]
    assert max(heights) < window.panels.middle.height()
    qtbot.waitUntil(lambda: window.hints.shown is not None)
    window.close()


def test_there_is_no_hint_of_a_mark_that_is_passed_already(qtbot: QtBot) -> None:
    window = shown(qtbot, "least-squares")
    above = update(window.control.params, step_size=1.5 * limit_of(window))
    window.hints.show_run(above, window.control.snapshot.theory)
    window.hints.forget()
    window.hints.show_run(above, window.control.snapshot.theory)
    assert window.hints.shown is None
    window.close()


@pytest.mark.parametrize("kept", ["3", "{}", '[1, "limit"]', "not json"])
def test_what_is_kept_of_hints_may_be_anything(qtbot: QtBot, tmp_path: Path, kept: str) -> None:
    settings = Settings(tmp_path / "settings.ini")
    settings.set_text(KEY, kept)
    bar = HintBar()
    qtbot.addWidget(bar)
    hints = Hints(bar, settings)
    hints.follow(HANDLES)
    assert HANDLES in settings.object(KEY)
