"""Everything within reach of the keyboard: names for a screen reader, and a focus that is seen."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QScrollBar, QTabBar, QWidget
from pytestqt.qtbot import QtBot

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from gui.plots.canvas.canvas import Canvas
from gui.window.main_window import MainWindow
from tests.gui.windows import open_window

TAB = Qt.FocusPolicy.TabFocus.value


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    listed = [entry for entry in registry.entries() if entry.id == "least-squares"]
    made = open_window(qtbot, listed)
    qtbot.waitUntil(lambda: made.control.snapshot is not None, timeout=60_000)
    qtbot.waitUntil(lambda: bool(made.control.snapshot.theory), timeout=60_000)
    yield made
    made.close()


def reachable(window: MainWindow) -> list[QWidget]:
    """List what the Tab key reaches."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy().value & TAB
        if widget.focusProxy() is None and not isinstance(widget, QScrollBar)
    ]


def test_all_that_the_keyboard_reaches_has_a_name(window: MainWindow) -> None:
    found = reachable(window)
    assert len(found) > 30
    unnamed = [
        (type(widget).__name__, widget.objectName())
        for widget in found
        if not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
        and not widget.inherits("QTabBar")
    ]
    assert unnamed == []


def test_tab_goes_round_all_of_the_transport_and_the_header(window: MainWindow) -> None:
    window.activateWindow()
    parts = window.transport, window.header
    wanted = {w for w in reachable(window) if any(part.isAncestorOf(w) for part in parts)}
    seen: set[QWidget] = set()
    for _ in range(3 * len(reachable(window))):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused is not None:
            seen.add(focused)
    assert {type(widget).__name__ for widget in wanted - seen} == set()


def pixels(widget: QWidget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).copy()


def test_the_focus_is_seen_on_every_control(window: MainWindow) -> None:
    window.activateWindow()
    unseen = []
    for widget in reachable(window):
        tabs = isinstance(widget, QTabBar) or isinstance(widget.parentWidget(), QTabBar)
        if isinstance(widget, Canvas) or tabs or not window.isAncestorOf(widget):
            continue  # plots draw it over their picture, and tab bars are Qt's own
        window.setFocus()
        before = pixels(widget.parentWidget())
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        if np.array_equal(before, pixels(widget.parentWidget())):
            unseen.append((type(widget).__name__, widget.objectName(), widget.accessibleName()))
    assert unseen == []


def test_a_handle_is_chosen_and_moved_with_keys(window: MainWindow, qtbot: QtBot) -> None:
    pane = window.panels.plots.panes["portrait"]
    canvas, pointer = pane.canvas, pane.canvas.pointer
    qtbot.waitUntil(lambda: len(pointer.grips) > 1)
    canvas.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    first = pointer.chosen
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert pointer.chosen not in ("", first), "Enter goes on to the next handle"
    before = window.control.params
    QTest.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: window.control.params != before)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert pointer.chosen == ""
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=60_000)
