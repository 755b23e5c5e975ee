"""Saving a live page from the menu: where it goes, what is said, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from engine.core.registry import get
from engine.run.snapshot import Status
from gui.settings import Settings
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment
from tests.registered import only

Opened = Callable[[Any], MainWindow]


@pytest.fixture
def opened(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Opened]:
    windows = []

    def open_window(experiment: Any) -> MainWindow:
        only(monkeypatch, experiment)
        made = MainWindow(Settings(tmp_path / "settings.ini"), experiments=[experiment])
        windows.append(made)
        qtbot.addWidget(made)
        made.restore()
        made.begin()
        qtbot.waitUntil(lambda: step_of(made) == 0, timeout=30_000)
        return made

    yield open_window
    for window in windows:
        window.close()


def step_of(window: MainWindow) -> int:
    snapshot = window.control.snapshot
    return -1 if snapshot is None or snapshot.status is Status.COMPILING else snapshot.step


def test_the_menu_writes_a_page_of_the_run(
    opened: Opened, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window = opened(get("own-loss"))
    chosen = tmp_path / "page"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(chosen), ""))
    window.actions_by_name["live_page"].trigger()
    path = tmp_path / "page.html"
    qtbot.waitUntil(path.is_file, timeout=30_000)
    assert '"(x*y - lambda)^2/2"' not in path.read_text("utf-8").partition("<script>")[2]
    assert "(x*y - lambda)^2/2" in path.read_text("utf-8")


def test_what_has_no_page_is_refused_before_a_name_is_asked_for(
    opened: Opened, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened(FakeExperiment())
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: pytest.fail("asked"))
    with qtbot.waitSignal(window.dialogs.message_requested) as said:
        window.actions_by_name["live_page"].trigger()
    assert "scalar-product or own-loss" in said.args[0]
