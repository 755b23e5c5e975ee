"""Presets one after the other, and as pictures to choose from."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.core.params import update
from engine.storage.presets import presets
from gui.window.header import NONE
from gui.window.main_window import MainWindow
from tests.gui.windows import open_window

quiet = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
"""The offscreen platform grabs no keyboard for a popup."""
ID = "least-squares"
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = open_window(qtbot, [entry for entry in registry.entries() if entry.id == ID])
    qtbot.waitUntil(lambda: made.control.snapshot is not None, timeout=60_000)
    made.apply_preset(presets(ID)[0])
    yield made
    made.close()


def test_the_sentence_of_the_preset_stays_beside_the_plots(window: MainWindow) -> None:
    first = presets(ID)[0]
    assert window.header.summary.text == first.description
    window.control.edit_params(update(window.control.params, step_size=0.123))
    assert window.header.summary.text == first.description, "it says what to try"
    box = window.header.presets
    assert box.currentIndex() == -1
    assert box.placeholderText() == f"Changed: {first.title}"


def test_keys_and_buttons_go_through_the_presets(window: MainWindow) -> None:
    header, known = window.header, presets(ID)
    assert not header.previous_button.isEnabled(), "there is none before the first"
    header.next_button.click()
    assert header.presets.last == known[1]
    assert window.control.params == known[1].params
    QTest.keyClick(window, Qt.Key.Key_Right, ALT)
    assert header.presets.last == known[2]
    QTest.keyClick(window, Qt.Key.Key_Left, ALT)
    header.previous_button.click()
    assert header.presets.last == known[0]
    for _ in known:
        QTest.keyClick(window, Qt.Key.Key_Right, ALT)
    assert header.presets.last == known[-1] and not header.next_button.isEnabled()
    assert known[-2].title in header.previous_button.toolTip()


def test_another_experiment_begins_without_a_preset(window: MainWindow) -> None:
    listed = next(entry for entry in registry.entries() if entry.id == "double-scalar")
    window.header.set_experiment(listed, presets(listed.id))
    assert window.header.presets.last is None
    assert window.header.presets.placeholderText() == NONE
    assert window.header.summary.text == listed.listing.summary


@quiet
def test_a_picture_that_is_clicked_plays_its_preset(window: MainWindow, qtbot: QtBot) -> None:
    known = presets(ID)
    window.header.gallery_button.click()
    gallery = window.gallery
    assert gallery.isVisible() and gallery.cards.count() == len(known)
    assert gallery.cards.currentRow() == 0
    item = gallery.cards.item(2)
    at = gallery.cards.visualItemRect(item).center()
    QTest.mouseClick(gallery.cards.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert not gallery.isVisible()
    assert window.control.params == known[2].params
    qtbot.waitUntil(lambda: (s := window.control.snapshot) is not None and s.step > 0)


@quiet
def test_the_gallery_is_walked_with_keys(window: MainWindow) -> None:
    known = presets(ID)
    QTest.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    cards = window.gallery.cards
    QTest.keyClick(cards, Qt.Key.Key_Right)
    assert cards.currentRow() == 1
    QTest.keyClick(cards, Qt.Key.Key_Return)
    assert window.control.params == known[1].params and not window.gallery.isVisible()
    window.show_gallery()
    QTest.keyClick(window.gallery, Qt.Key.Key_Escape)
    assert not window.gallery.isVisible()
    names = [cards.item(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(len(known))]
    assert all(preset.title in name for preset, name in zip(known, names, strict=True))


@quiet
@pytest.mark.usefixtures("usual_size")
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_the_gallery_stays_on_the_screen(window: MainWindow, scale: float) -> None:
    window.size_chosen.choose(scale)
    window.show_gallery()
    room = window.screen().availableGeometry()
    assert room.contains(window.gallery.geometry())
    window.gallery.close()
