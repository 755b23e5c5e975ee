"""The pad that takes a digit drawn with the mouse."""

from __future__ import annotations

import gc
import weakref

import numpy as np
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from gui.panels.digit_pad import DigitPad


def _shown(qtbot: QtBot) -> DigitPad:
    pad = DigitPad()
    qtbot.addWidget(pad)
    pad.resize(520, 300)
    pad.show()
    qtbot.waitExposed(pad)
    return pad


def _draw(qtbot: QtBot, pad: DigitPad, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    middle = pad.canvas.rect().center()
    qtbot.mousePress(pad.canvas, button, pos=middle - QPoint(0, 60))
    for y in range(-60, 61, 10):
        qtbot.mouseMove(pad.canvas, middle + QPoint(0, y))
    qtbot.mouseRelease(pad.canvas, button, pos=middle + QPoint(0, 60))


def test_a_stroke_is_sent_and_answered(qtbot: QtBot) -> None:
    pad = _shown(qtbot)
    with qtbot.waitSignal(pad.drawn) as heard:
        _draw(qtbot, pad)
    ink = heard.args[0]
    assert ink.shape == (280, 280)
    assert 0.02 < ink.mean() < 0.3
    rows, columns = np.nonzero(ink > 0.5)
    assert np.ptp(rows) > 2 * np.ptp(columns)
    probabilities = np.full(10, 0.01)
    probabilities[1] = 0.91
    pad.show_answer(
        {"convex": np.arange(10.0), "concave": np.ones(10), "probabilities": probabilities}
    )
    assert pad.answer.accessibleDescription() == "Digit 1 with probability 91%"
    assert not pad.grab().isNull()


def test_clear_wipes_sheet_and_answer(qtbot: QtBot) -> None:
    pad = _shown(qtbot)
    with qtbot.waitSignal(pad.drawn):
        _draw(qtbot, pad)
    one = {key: np.full(10, 0.1) for key in ("convex", "concave", "probabilities")}
    pad.show_answer(one)
    pad.canvas.clear()
    assert not pad.canvas.ink().any()
    qtbot.waitUntil(lambda: pad.answer.accessibleDescription() == "")


def test_the_pad_dies_with_its_last_reference(qtbot: QtBot) -> None:
    pad = DigitPad()
    gone = weakref.ref(pad)
    del pad
    gc.collect()
    assert gone() is None
