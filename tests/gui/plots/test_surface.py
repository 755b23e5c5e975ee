"""A surface is turned by hand, read, and drawn in the window and on paper."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.core.views import Curve, Points, SurfaceView
from engine.figures.relief import Eye
from engine.storage.view_data import view_keys, view_rows
from gui.plots.panes.pane import Reading, Shown
from gui.plots.panes.surface import HIGHEST, SurfacePane
from gui.style.theme import current_theme

SIDE = np.linspace(-2.0, 2.0, 21)
X, Y = np.meshgrid(SIDE, SIDE)
VIEW = SurfaceView(
    id="surface",
    title="Surface",
    key="f",
    extent_key="ends",
    x_label="$x$",
    y_label="$y$",
    z_label="$f$",
    items=(
        Curve(x="path_x", y="path_y", label="path", color="1"),
        Points(x="min_x", y="min_y", label="minimum", color="bad", size=14.0),
    ),
)
DATA = {
    "f": X**2 + Y**2,
    "ends": np.array([-2.0, 2.0, -2.0, 2.0]),
    "path_x": np.array([1.5, 0.5, 0.0]),
    "path_y": np.array([1.0, 0.2, 0.0]),
    "min_x": np.array([0.0]),
    "min_y": np.array([0.0]),
}


@pytest.fixture
def pane(qtbot: QtBot) -> SurfacePane:
    made = SurfacePane(VIEW)
    qtbot.addWidget(made)
    made.resize(420, 340)
    made.show()
    qtbot.waitExposed(made)
    made.show_data(Shown(DATA))
    return made


def pixel(pane: SurfacePane, x: float, y: float) -> QPointF:
    assert pane.relief is not None
    across, up, _ = pane.relief.points(np.array([x]), np.array([y]))
    return pane._transform().map(QPointF(float(across[0]), float(up[0])))


def test_the_surface_is_turned_by_hand_and_keeps_its_side(pane: SurfacePane) -> None:
    usual, left = pane.eye, Qt.MouseButton.LeftButton
    begin = pane.rect().center()
    QTest.mousePress(pane, left, pos=begin)
    QTest.mouseMove(pane, begin + QPointF(50, 0).toPoint())
    QTest.mouseRelease(pane, left, pos=begin + QPointF(50, 0).toPoint())
    assert pane.eye.azimuth < usual.azimuth and pane.eye.elevation == usual.elevation
    QTest.keyClick(pane, Qt.Key.Key_Down)
    assert pane.eye.elevation > usual.elevation
    other = SurfacePane(VIEW)
    other.load(pane.save())
    assert other.eye == pane.eye
    other.load({"eye": ["a", None]})
    other.load({"eye": [float("nan"), 1.0]})
    assert other.eye == pane.eye
    pane.look_from(Eye(500.0, 200.0))
    assert (pane.eye.azimuth, pane.eye.elevation) == (140.0, HIGHEST)
    QTest.mouseDClick(pane, left, pos=begin)
    assert pane.eye == usual and "eye" not in pane.save()


def test_the_pointer_reads_the_surface_that_it_is_on(pane: SurfacePane) -> None:
    heard: list[Reading | None] = []
    pane.reading_changed.connect(heard.append)
    QTest.mouseMove(pane, pixel(pane, 0.4, 0.8).toPoint())
    reading = heard[-1]
    assert reading is not None
    x, y, f = (float(item.value.replace("−", "-")) for item in reading.items)
    assert (x, y) == pytest.approx((0.4, 0.8), abs=0.06)
    assert f == pytest.approx(x * x + y * y, abs=0.06)
    QTest.mouseMove(pane, QPointF(2, 2).toPoint())
    assert heard[-1] is None


def test_marks_lie_on_the_surface_and_can_be_hidden(pane: SurfacePane) -> None:
    at = pixel(pane, 0.0, 0.0).toPoint()
    mark = QColor(current_theme().color("bad"))
    assert pane.grab().toImage().pixelColor(at) == mark
    pane.set_entry_shown("1", False)
    assert pane.grab().toImage().pixelColor(at) != mark


def test_the_same_surface_is_not_made_again(pane: SurfacePane) -> None:
    before = pane.relief
    pane.show_data(Shown(DATA | {"f": DATA["f"].copy(), "path_x": np.zeros(3)}))
    assert pane.relief is before
    pane.show_data(Shown(DATA | {"f": 2.0 * DATA["f"]}))
    assert pane.relief is not before


@pytest.mark.parametrize("values", [None, np.zeros((5, 5)), np.full((3, 3), np.nan), np.ones(4)])
def test_there_is_no_surface_where_there_are_no_heights(pane: SurfacePane, values: object) -> None:
    pane.show_data(Shown(DATA | {"f": values}))
    assert pane.relief is None and not pane.to_image().isNull()
    QTest.mouseMove(pane, pane.rect().center())


def test_its_data_are_values_at_the_points_of_the_grid_and_the_items() -> None:
    assert set(view_keys(VIEW)) == set(DATA)
    _, *rows = view_rows(VIEW, DATA)
    assert len(rows) == 21 * 21 + 3 + 1
    for _, _, x, y, value in rows[: 21 * 21]:
        assert value == pytest.approx(x * x + y * y, abs=1e-12)
