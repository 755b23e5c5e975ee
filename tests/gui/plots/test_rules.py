"""Labels of straight lines: off each other and off other lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont

from gui.plots.canvas.lines import Mapper
from gui.plots.canvas.paint import Scene
from gui.plots.canvas.rules import WITHIN, Mark, MarksLayer, RuleLine, RulesLayer
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


def test_a_long_label_within_a_plot_leaves_room_to_the_data(qapp) -> None:
    scene = Scene(Mapper(PLOT, (0.0, 1.0), (0.0, 2.0)), LIGHT)
    rules = tuple(RuleLine("the least error of the single one " * n, n / 4) for n in (1, 2, 3))
    for _, place in RulesLayer(QFont(), rules, beside=False).labels(scene):
        assert PLOT.contains(place)
        assert place.width() <= WITHIN * PLOT.width() + 1


def test_labels_of_vertical_lines_stand_above_the_plot_where_there_is_room(qapp) -> None:
    scene = Scene(Mapper(PLOT, (0.0, 1.0), (0.0, 2.0)), LIGHT)
    rules = tuple(RuleLine(f"d{index}", x, vertical=True) for index, x in enumerate((0.2, 0.8)))
    places = [place for _, place in RulesLayer(QFont(), rules, above=True).labels(scene)]
    assert all(place.bottom() <= PLOT.top() for place in places)
    close = tuple(RuleLine("limit", x, vertical=True) for x in (0.5, 0.51))
    first, second = (place for _, place in RulesLayer(QFont(), close, above=True).labels(scene))
    assert not first.intersects(second)


def drag(*places: float, name: str = "d") -> tuple[Mark, ...]:
    """Return marks of changes of one parameter, each by 1."""
    return tuple(
        Mark(x, f"{name} {i} → {i + 1}", "muted", change=(name, str(i), str(i + 1)))
        for i, x in enumerate(places)
    )


def test_a_drag_is_one_band_from_the_first_value_to_the_last(qapp) -> None:
    scene = Scene(Mapper(PLOT, (0.0, 100.0), (0.0, 2.0)), LIGHT)
    marks = (*drag(*np.linspace(20.0, 60.0, 40).tolist()), Mark(70.0, "nudge", "muted"))
    shown = MarksLayer(QFont(), marks).shown(scene)
    assert [(mark.x, mark.until, mark.text) for mark in shown] == [
        (70.0, None, "nudge"),
        (20.0, 60.0, "d 0 → 40"),
    ]
    two = (*drag(20.0, 21.0), *drag(22.0, 23.0, name="L"))
    assert {mark.text for mark in MarksLayer(QFont(), two).shown(scene)} == {"d 0 → 2", "L 0 → 2"}
    near = Scene(Mapper(PLOT, (19.0, 21.5), (0.0, 2.0)), LIGHT)
    assert all(mark.until is None for mark in MarksLayer(QFont(), drag(20.0, 21.0)).shown(near))


def test_a_name_that_is_cut_can_be_read_in_full(qapp) -> None:
    scene = Scene(Mapper(PLOT, (0.0, 1.0), (0.0, 2.0)), LIGHT)
    long, short = "the least error of the single network", "top"
    layer = RulesLayer(QFont(), (RuleLine(long, 0.5), RuleLine(short, 1.5)), beside=False)
    places = {rule.text: place for rule, place in layer.labels(scene)}
    assert layer.cut_at(scene, places[long].center()) == long
    assert layer.cut_at(scene, places[short].center()) == "", "it is whole"
    assert layer.cut_at(scene, QPointF(PLOT.left() + 1, PLOT.top() + 1)) == ""
