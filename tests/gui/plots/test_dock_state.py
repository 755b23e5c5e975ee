"""What Qt would read as a layout of docks, checked before."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow, QToolBar
from pytestqt.qtbot import QtBot

from gui.widgets.dock_state import is_sound

LEFT, RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    made = QMainWindow()
    qtbot.addWidget(made)
    made.setDockNestingEnabled(True)
    docks = []
    for number in range(6):
        dock = QDockWidget(f"Plot {number}", made)
        dock.setObjectName(f"δ {number}")
        dock.setWidget(QLabel("x"))
        made.addDockWidget(LEFT if number % 2 else RIGHT, dock)
        docks.append(dock)
    made.tabifyDockWidget(docks[0], docks[2])
    made.splitDockWidget(docks[1], docks[3], Qt.Orientation.Horizontal)
    docks[5].hide()
    bar = QToolBar("Bar")
    bar.setObjectName("bar")
    made.addToolBar(Qt.ToolBarArea.BottomToolBarArea, bar)
    return made


def test_what_qt_writes_is_sound(window: QMainWindow) -> None:
    window.show()
    state = window.saveState(3).data()
    assert is_sound(state, 3)
    assert not is_sound(state, 2)
    assert window.restoreState(QByteArray(state), 3)
    window.findChild(QDockWidget, "δ 3").close()
    assert is_sound(window.saveState(3).data(), 3)


def test_damaged_layouts_are_none_or_do_no_harm(window: QMainWindow) -> None:
    state, chance = window.saveState(1).data(), random.Random(1)
    accepted = 0
    for _ in range(400):
        forged = bytearray(state)
        place = chance.randrange(len(forged))
        piece = chance.choice([b"", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)])
        forged[place : place + chance.choice([1, 4, 9])] = piece
        if is_sound(bytes(forged), 1):
            accepted += 1
            window.restoreState(QByteArray(bytes(forged)), 1)
    assert 0 < accepted < 200
    assert not is_sound(b"", 1)
    assert not is_sound(state + b"\0", 1)
    assert not is_sound(bytes(2**17), 1)
