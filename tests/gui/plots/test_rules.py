"""Labels of straight lines: off each other and off other lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont

from gui.plots.canvas.lines import Mapper
from gui.plots.canvas.paint import Scene
from gui.plots.canvas.rules import RuleLine, RulesLayer
from gui.style.theme import LIGHT

PLOT = QRectF(40, 10, 240, 150)


def placed(beside: bool, *values: float) -> list[tuple[float, QRectF]]:
    """Return the pixels of lines and where their labels stand, from above."""
    scene = Scene(Mapper(PLOT, (0.0, 1.0), (0.0, 2.0)), LIGHT)
    rules = tuple(RuleLine(f"line {index}", value) for index, value in enumerate(values))
    made = RulesLayer(QFont(), rules, beside).labels(scene)
    heights = scene.mapper.py
    found = [(float(heights(np.array([rule.value]))[0]), place) for rule, place in made]
    return sorted(found, key=lambda pair: pair[1].top())


@pytest.mark.parametrize(
    "values", [(1.0, 1.1), (1.1, 1.0), (1.0, 1.02, 1.04), (0.02, 1.98), (0.5, 0.7, 0.9, 1.1)]
)
def test_labels_meet_neither_each_other_nor_a_line(qapp, values) -> None:
    found = placed(False, *values)
    assert len(found) == len(values)
    for (_, above), (_, below) in pairwise(found):
        assert not above.intersects(below)
    for _, place in found:
        assert PLOT.contains(place)
        assert not any(place.top() + 1 < line < place.bottom() - 1 for line, _ in found)


def test_labels_beside_the_plot_stand_at_their_lines_where_there_is_room(qapp) -> None:
    for line, place in placed(True, 0.5, 1.5):
        assert abs(place.center().y() - line) < 1
    (_, first), (_, second) = placed(True, 1.0, 1.02)
    assert not first.intersects(second)
