"""Stories in a window: scenes, questions, keys, and what is left when the story ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.core import registry
from engine.storage.documents import loads
from engine.storage.story import Story
from gui.window.main_window import MainWindow
from tests.gui.windows import open_window

STORY = """
title = "A small story"

[[scene]]
title = "Below"
experiment = "least-squares"
preset = "figure-1"
views = ["portrait"]
text = "A bowl, $\\\\delta = 0.15$."
ask = "Does it stay?"
reveal = "It does."

[[scene]]
title = "Above"
experiment = "least-squares"
params = { step_size = 0.21 }
text = "Too far."
do = "Look."
steps = 20
"""


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    listed = [entry for entry in registry.entries() if entry.id == "least-squares"]
    made = open_window(qtbot, listed)
    qtbot.waitUntil(lambda: made.control.snapshot is not None, timeout=60_000)
    yield made
    made.close()


def shown(window: MainWindow) -> list[str]:
    return [name for name, dock in window.panels.plots.docks.items() if dock.is_on_page]


def steps(window: MainWindow) -> int:
    snapshot = window.control.snapshot
    return 0 if snapshot is None else snapshot.step


def test_a_story_is_played_scene_by_scene(window: MainWindow, qtbot: QtBot) -> None:
    usual = shown(window)
    window.story.play(loads(Story, STORY, "story"))
    card = window.story_card
    assert card.isVisible() and card.heading.text() == "Below"
    assert window.control.params.step_size == 0.15
    assert shown(window) == ["portrait"]
    assert not card.answer.isVisible() and card.reveal_button.isVisible()
    window.story.forward()
    assert card.answer.isVisible() and not card.reveal_button.isVisible()
    window.story.forward()
    assert card.heading.text() == "Above"
    assert window.control.params.step_size == 0.21
    assert shown(window) == usual
    qtbot.waitUntil(lambda: steps(window) == 20, timeout=60_000)
    window.story.back()
    assert card.heading.text() == "Below"
    assert not card.answer.isVisible()
    window.story.leave()
    assert not card.isVisible() and not window.story.is_playing
    assert shown(window) == usual


def test_the_page_keys_go_through_a_story(window: MainWindow) -> None:
    window.story.play(loads(Story, STORY, "story"))
    window.setFocus()
    for heading, key in (
        ("Below", Qt.Key.Key_PageDown),
        ("Above", Qt.Key.Key_PageDown),
        ("Below", Qt.Key.Key_PageUp),
    ):
        QTest.keyClick(window, key)
        assert window.story_card.heading.text() == heading
    window.story.forward()
    window.story.forward()
    window.story.forward()
    assert not window.story.is_playing, "after the last scene the story is over"
    QTest.keyClick(window, Qt.Key.Key_PageDown)
    assert not window.story_card.isVisible()


def test_a_story_is_there_for_an_audience(window: MainWindow) -> None:
    window.story.play(loads(Story, STORY, "story"))
    window.actions_by_name["full_screen"].setChecked(True)
    assert window.story_card.isVisible()
    window.actions_by_name["full_screen"].setChecked(False)


def test_a_file_that_is_no_story_changes_nothing(window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "no-story.toml"
    path.write_text("title = 3")
    before = window.control.params
    window.story.play_file(path)
    assert "no-story.toml" in window.message_bar.text.text()
    assert not window.story.is_playing and window.control.params == before


def test_a_file_of_ones_own_is_played(window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "story.toml"
    path.write_text(STORY, "utf-8")
    window.story.play_file(path)
    assert window.story.scene is not None and window.story.scene.title == "Below"
