"""The hatching of what is not known: in pixels of the screen, and only where the mask is."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from engine.maps.picture import HATCH
from gui.maps.hatch import hatching, mask_of


def inked(image: QImage) -> np.ndarray:
    """Return which pixels have ink, row 0 at the top."""
    alpha = image.convertToFormat(QImage.Format.Format_Alpha8)
    rows = np.frombuffer(alpha.constBits(), np.uint8).reshape(alpha.height(), -1)
    return rows[:, : alpha.width()] > 0


@pytest.mark.parametrize("cells", [2, 8, 40, 200])
@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_lines_are_as_close_however_large_the_cells_are(
    qapp: QApplication, cells: int, ratio: float
) -> None:
    known = np.zeros((cells, cells), bool)
    known[: cells // 2] = True  # the lower half is not known
    box = QRectF(0.0, 0.0, 120.0, 120.0)
    drawn = hatching(mask_of(known), box, box, ratio, QColor("black"))
    ink = inked(drawn)
    half = ink.shape[0] // 2
    assert not ink[: half - 1].any()
    lower = ink[half + 1 :]
    assert lower.mean() == pytest.approx(max(1, round(ratio)) / round(HATCH * ratio), rel=0.1)
    assert drawn.devicePixelRatio() == ratio


def test_what_is_out_of_the_box_is_cut(qapp: QApplication) -> None:
    box = QRectF(10.0, 20.0, 30.0, 40.0)
    mask = mask_of(np.ones((4, 4), bool))
    drawn = hatching(mask, QRectF(-100.0, -100.0, 400.0, 400.0), box, 1.0, QColor("red"))
    assert (drawn.width(), drawn.height()) == (30, 40)
    assert inked(drawn).any()
