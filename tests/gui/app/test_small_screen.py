"""The window on a screen of 1024 x 700: everything is there, and no name is cut off."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from gui.window.header import Header
from tests.gui.windows import open_window

WIDTH, HEIGHT = 1024, 700


def is_whole(header: Header) -> bool:
    """Return whether title and summary have the room they need."""
    title, summary = header.title, header.summary
    is_high = summary.height() >= summary.heightForWidth(summary.width())
    return is_high and title.width() >= title.sizeHint().width()


def test_the_window_fits_a_small_screen(qtbot: QtBot) -> None:
    window = open_window(qtbot, registry.entries())
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=60_000)
    window.control.step(3)
    qtbot.waitUntil(lambda: window.control.snapshot.step == 3, timeout=60_000)
    window.actions_by_name["pin"].trigger()
    window.resize(WIDTH, HEIGHT)
    for listed in registry.entries():
        window.header.set_experiment(listed)
        qtbot.waitUntil(lambda: (window.width(), window.height()) == (WIDTH, HEIGHT))
        header = window.header
        qtbot.waitUntil(partial(is_whole, header))

    transport = window.transport
    assert transport.width() >= transport.minimumSizeHint().width()
    corner = transport.mapTo(window, QPoint(transport.width(), transport.height()))
    assert corner.x() <= WIDTH and corner.y() <= HEIGHT

    assert not window.experiment_panel.isVisible(), "the list gives way to the plots"
    assert window.header.experiments_button.isVisible()
    assert window.panels.plots.width() >= 0.62 * WIDTH
    window.resize(1280, HEIGHT)
    qtbot.waitUntil(window.experiment_panel.isVisible)
    panel = window.experiment_panel.list
    font = QFont(panel.font())
    font.setWeight(QFont.Weight.DemiBold)
    widest = max(
        QFontMetrics(font).horizontalAdvance(listed.title) for listed in registry.entries()
    )
    assert panel.viewport().width() - 24 >= widest, "the titles are not elided"

    for label in window.pins_panel.findChildren(QLabel):
        if label.isVisible() and label.text():
            words = label.text().split()
            metrics = label.fontMetrics()
            assert max(map(metrics.horizontalAdvance, words)) <= label.width()
            assert label.height() >= label.heightForWidth(label.width())
    window.close()
