"""The surface of plots: what pyqtgraph is told, what is kept between paints, keys and focus."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyqtgraph
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from gui.plots.canvas import view as plot_view
from gui.plots.canvas.canvas import Canvas
from gui.plots.canvas.layers import CurveLayer
from gui.plots.canvas.range import CalmRange, Limits
from gui.style.theme import DARK, LIGHT, apply_theme


class Page(QWidget):
    """Holds a canvas, and the keys that it had no use for."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[int] = []
        self.canvas = Canvas()
        QVBoxLayout(self).addWidget(self.canvas)
        self.resize(480, 320)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keys.append(event.key())


@pytest.fixture
def canvas(qtbot) -> Iterator[Canvas]:
    page = Page()
    qtbot.addWidget(page)
    page.canvas.layers = [CurveLayer(np.array([0.0, 1.0]), np.array([[0.0], [1.0]]), "1")]
    page.show()
    qtbot.waitExposed(page)
    QApplication.processEvents()
    yield page.canvas


def set_ends(canvas: Canvas, x: tuple[float, float], y: tuple[float, float]) -> None:
    canvas.x_axis.auto = CalmRange(Limits(fixed=x))
    canvas.y_axis.auto = CalmRange(Limits(fixed=y))
    canvas.refresh_axes()
    QApplication.processEvents()


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("equal", [False, True])
def test_the_view_box_has_the_ends_of_the_axes(canvas: Canvas, log: bool, equal: bool) -> None:
    canvas.y_axis.log, canvas.equal = log, equal
    set_ends(canvas, (-3.0, 40.0), (-7.0, 2.0))
    assert isinstance(canvas, pyqtgraph.GraphicsView)
    mapper = canvas.frame.mapper
    assert canvas.box.viewRange() == [pytest.approx(mapper.x), pytest.approx(mapper.y)]
    assert canvas.box.sceneBoundingRect().topLeft() == mapper.plot.topLeft()
    assert canvas.box.rect().size() == mapper.plot.size()
    canvas.box.updateMatrix()
    there = mapper.point(10.0, 0.01)
    here = canvas.box.mapViewToScene(QPointF(10.0, -2.0 if log else 0.01))
    assert (here.x(), here.y()) == pytest.approx((there.x(), there.y()))


def test_items_of_pyqtgraph_lie_where_layers_do(canvas: Canvas) -> None:
    set_ends(canvas, (0.0, 1.0), (0.0, 1.0))
    canvas.layers = []
    line = pyqtgraph.InfiniteLine(0.25, angle=0, pen=pyqtgraph.mkPen("#ff0000", width=3))
    canvas.box.addItem(line)
    image = canvas.to_image(1.0)
    at = canvas.frame.mapper.point(0.5, 0.25).toPoint()
    assert image.pixelColor(at).red() > 200
    assert image.pixelColor(at).green() < 90
    assert canvas.box.viewRange() == [[0.0, 1.0], [0.0, 1.0]], "items do not move the axes"


def test_new_data_cost_no_typesetting_and_a_crosshair_no_lines(
    canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    for name in ("draw_x_axis", "draw_y_axis", "draw_grid"):
        draw = getattr(plot_view, name)

        def counted(*given, name=name, draw=draw):
            written.append(name)
            draw(*given)

        monkeypatch.setattr(plot_view, name, counted)
    before = canvas.paints
    canvas.refresh()
    canvas.grab()
    assert (canvas.paints, written) == (before + 1, [])
    canvas.refresh_overlays()
    canvas.grab()
    assert (canvas.paints, written) == (before + 1, [])
    set_ends(canvas, (0.0, 2.0), (0.0, 2.0))
    canvas.grab()
    assert canvas.paints == before + 2
    assert sorted(written) == ["draw_grid", "draw_x_axis", "draw_y_axis"]


@pytest.mark.parametrize("span", [1e-250, 1e-9, 1.0, 1e20, 1e299])
def test_ranges_of_any_size_are_drawn(canvas: Canvas, span: float) -> None:
    ends = np.array([-span, span])
    canvas.layers = [CurveLayer(ends, ends[:, None], "bad", width=3.0)]
    set_ends(canvas, (-span, span), (-span, span))
    middle = canvas.frame.mapper.plot.center()
    color = QColor(canvas.to_image(1.0).pixel(middle.toPoint()))
    wanted = LIGHT.color("bad")
    assert abs(color.red() - wanted.red()) + abs(color.blue() - wanted.blue()) < 40


def test_an_image_of_another_resolution_leaves_the_screen_as_it_is(canvas: Canvas) -> None:
    before = canvas.grab().toImage()
    image = canvas.to_image(3.0)
    assert image.size() == 3 * canvas.size()
    assert image.devicePixelRatio() == 3.0
    small = image.scaled(canvas.size(), mode=Qt.TransformationMode.SmoothTransformation)
    small.setDevicePixelRatio(1.0)
    at = canvas.frame.mapper.point(0.5, 0.5).toPoint()
    assert abs(small.pixelColor(at).lightness() - before.pixelColor(at).lightness()) < 60
    assert canvas.grab().toImage() == before


def test_a_theme_changes_ground_and_axes(canvas: Canvas, qapp: QApplication) -> None:
    try:
        apply_theme(qapp, DARK)
        QApplication.processEvents()
        image = canvas.grab().toImage()
        assert image.pixelColor(2, 2) == DARK.color("surface")
        left = round(canvas.frame.mapper.plot.left())
        numbers = image.copy(0, 0, left, image.height())
        lightest = max(
            numbers.pixelColor(x, y).lightness()
            for x in range(numbers.width())
            for y in range(numbers.height())
        )
        assert lightest > 120
    finally:
        apply_theme(qapp, LIGHT)


def test_keys_without_a_use_are_left_to_the_window(canvas: Canvas, qtbot) -> None:
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_R):
        qtbot.keyClick(canvas, key)
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.parentWidget().keys == [  # type: ignore[union-attr]
        Qt.Key.Key_Space,
        Qt.Key.Key_Left,
        Qt.Key.Key_Down,
        Qt.Key.Key_R,
    ]


def test_the_focus_is_shown_if_it_came_by_the_keyboard(canvas: Canvas) -> None:
    accent = LIGHT.color("accent")

    def rim() -> QColor:
        QApplication.processEvents()
        return canvas.grab().toImage().pixelColor(canvas.width() // 2, 1)

    canvas.setFocus(Qt.FocusReason.MouseFocusReason)
    assert rim() == LIGHT.color("surface")
    canvas.clearFocus()
    canvas.setFocus(Qt.FocusReason.TabFocusReason)
    assert abs(rim().red() - accent.red()) < 60
    canvas.clearFocus()
    assert rim() == LIGHT.color("surface")
