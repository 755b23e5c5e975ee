"""Texts that Qt draws: the circumflex stands clear of its letter."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from pytestqt.qtbot import QtBot

from gui.typeset.rich_text import HAT, Label

TEXTS = (r"$\hat f$", r"$\hat f$ with 0, 1, 2 layers", r"$\hat r - \hat s$", r"a plain \textt")


def ink(text: str, pixels: int) -> np.ndarray:
    """Return which pixels a text darkens, with four empty rows above it."""
    font = QFont()
    font.setPixelSize(pixels)
    made = Label(text, font)
    image = QImage(round(made.size.width()) + 8, pixels * 2 + 8, QImage.Format.Format_Grayscale8)
    image.fill(QColor("white"))
    painter = QPainter(image)
    made.draw(painter, QPointF(2, 4), QColor("black"))
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width()] < 160


@pytest.mark.parametrize("pixels", [11, 12, 13, 16, 24, 32])
@pytest.mark.parametrize("letter", "frsw")
def test_a_circumflex_does_not_touch_its_letter(qtbot: QtBot, letter: str, pixels: int) -> None:
    rows = np.flatnonzero(ink(rf"$\hat {letter}$", pixels).any(axis=1))
    assert (np.diff(rows) > 1).sum() == 1, "the circumflex, a gap, the letter"


@pytest.mark.parametrize("text", TEXTS)
def test_a_circumflex_takes_no_width_and_few_rows(qtbot: QtBot, text: str) -> None:
    font = QFont()
    font.setPixelSize(13)
    made, bare = Label(text, font), Label(text.replace(r"\hat ", ""), font)
    assert made.size == bare.size
    assert made.hats.isEmpty() == (r"\hat" not in text)
    assert made.hats.top() > -3.0
    assert HAT not in made._static.text()
