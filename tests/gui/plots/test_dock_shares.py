"""Docks keep their proportions while their window changes its size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from gui.plots.arrange import arrange, columns_of
from gui.widgets.dock_shares import DockShares, resize_docks


@pytest.fixture
def five(qtbot) -> tuple[QMainWindow, list[QDockWidget], DockShares]:
    """A window of 800 x 640 with two docks at the left and three at the right."""
    window = QMainWindow()
    qtbot.addWidget(window)
    docks = [QDockWidget(str(index), window) for index in range(5)]
    for dock in docks:
        dock.setWidget(QWidget())
    shares = DockShares(window, lambda: columns_of(docks))
    window.resize(800, 640)
    window.show()
    shares.set(arrange(window, docks, [], window.size()))
    settle()
    return window, docks, shares


def settle() -> None:
    for _ in range(4):
        QApplication.processEvents()


def test_rows_grow_evenly_with_the_window_and_come_back(five) -> None:
    window, docks, _ = five
    assert [len(column) for column in columns_of(docks)] == [2, 3]
    before = [(dock.width(), dock.height()) for dock in docks]
    window.resize(1600, 1280)
    settle()
    for (width, height), dock in zip(before, docks, strict=True):
        assert dock.width() == pytest.approx(2 * width, rel=0.05)
        assert dock.height() == pytest.approx(2 * height, rel=0.06)
    window.resize(800, 640)
    settle()
    for (width, height), dock in zip(before, docks, strict=True):
        assert dock.width() == pytest.approx(width, abs=4)
        assert dock.height() == pytest.approx(height, abs=4)


def test_proportions_that_the_user_gave_are_kept(five) -> None:
    window, docks, _ = five
    right = columns_of(docks)[1]
    window.resizeDocks(right, [380, 130, 130], Qt.Orientation.Vertical)
    at = QPointF(600.0, 200.0)
    left = Qt.MouseButton.LeftButton
    released = QMouseEvent(
        QEvent.Type.MouseButtonRelease, at, at, left, left, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(window, released)
    settle()
    ratio = right[0].height() / right[1].height()
    window.resize(800, 1280)
    settle()
    assert right[0].height() / right[1].height() == pytest.approx(ratio, rel=0.08)
    assert right[1].height() == pytest.approx(right[2].height(), abs=4)


@pytest.mark.parametrize("size", [QSize(0, 0), QSize(1, 1), QSize(3, 0)])
def test_a_window_without_room_is_arranged_without_a_warning(qtbot, size) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    docks = [QDockWidget(str(index), window) for index in range(5)]
    sizes = arrange(window, docks, [], size)
    assert set(sizes) == set(docks)


def test_docks_without_room_share_it_without_a_warning(five) -> None:
    _, docks, shares = five
    shares.set({dock: (1.0, 1e-9 if index % 2 else 1.0) for index, dock in enumerate(docks)})
    settle()
    assert all(dock.height() >= 1 for dock in docks)


FATES = ("placed", "hidden", "taken out", "never there", "afloat")


@given(
    fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=4),
    size=st.floats(0.0, 500.0),
)
def test_docks_that_are_gone_are_left_out(qtbot: QtBot, fates: list[str], size: float) -> None:
    """A warning of Qt would fail the test."""
    window = QMainWindow()
    docks = [QDockWidget(fate) for fate in fates]
    for dock, fate in zip(docks, fates, strict=True):
        if fate != "never there":
            window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        if fate == "taken out":
            window.removeDockWidget(dock)
        dock.setVisible(fate == "placed")
        dock.setFloating(fate == "afloat")
    window.show()
    for orientation in (Qt.Orientation.Vertical, Qt.Orientation.Horizontal):
        resize_docks(window, docks, [size] * len(docks), orientation)
    for each in (*docks, window):
        each.close()
        each.deleteLater()
