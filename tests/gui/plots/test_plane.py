"""Planes, images, bars and tables: items, handles, strokes, readings, bad data."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QApplication, QScrollArea

from engine.core.outcome import Outcome, OutcomeKind
from engine.core.palette import PALE
from engine.core.views import (
    CIRCLE_X,
    CIRCLE_Y,
    Curve,
    Handle,
    Heat,
    ImageView,
    PlaneView,
    Points,
    Rule,
    Tint,
    View,
)
from gui.plots.area import PlotArea
from gui.plots.canvas.axes import Axis, Margins, lay_out
from gui.plots.canvas.layers import CurveLayer, HeatLayer, PointsLayer, symbol_path, to_levels
from gui.plots.canvas.notes import OffAxisLayer
from gui.plots.panes.bars import BarPane
from gui.plots.panes.images import ImagePane, tiles
from gui.plots.panes.pane import Shown
from gui.plots.panes.plane import PATIENCE, PlanePane, grips_of
from gui.plots.panes.tables import TablePane, cell_text
from gui.style.ink import mixed
from gui.style.theme import current_theme
from tests.gui.fakes import FakeParams
from tests.gui.plot_feed import (
    ALL_VIEWS,
    COBWEB,
    DIGITS,
    FIT,
    LANDSCAPE,
    NORMS,
    PRODUCT,
    RUNS,
    SPECTRUM,
    Feed,
    observation,
)


@pytest.fixture
def area(qtbot) -> PlotArea:
    made = PlotArea()
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    qtbot.waitExposed(made)
    return made


def shown(area: PlotArea, *views: View, **changes):
    """Show views with the feed's observation; `changes` replace arrays (None takes one away)."""
    area.set_views(views)
    data = {**observation(3), **changes}
    area.show_observation({key: value for key, value in data.items() if value is not None})
    area._refresh_all()
    QApplication.processEvents()
    return area.docks[views[0].id].pane


def pixel(pane: PlanePane, x: float, y: float) -> QPoint:
    return pane.canvas.frame.mapper.point(x, y).toPoint()


def drag(qtbot, pane: PlanePane, begin: QPoint, *way: QPoint, shift: bool = False) -> None:
    left = Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    qtbot.mousePress(pane.canvas.viewport(), left, keys, pos=begin)
    for place in way:
        qtbot.mouseMove(pane.canvas.viewport(), place)
    qtbot.mouseRelease(pane.canvas.viewport(), left, keys, pos=way[-1] if way else begin)


# Planes.


def test_equal_axes_have_equal_units(area) -> None:
    pane = shown(area, SPECTRUM)
    mapper = pane.canvas.frame.mapper
    across = mapper.plot.width() / (mapper.x[1] - mapper.x[0])
    up = mapper.plot.height() / (mapper.y[1] - mapper.y[0])
    assert across == pytest.approx(up)
    assert mapper.x[0] < -1.2
    assert mapper.y[1] > 1.0
    area.resize(900, 400)
    QApplication.processEvents()
    mapper = pane.canvas.frame.mapper
    assert mapper.plot.width() / (mapper.x[1] - mapper.x[0]) == pytest.approx(
        mapper.plot.height() / (mapper.y[1] - mapper.y[0])
    )


def test_given_ranges_are_kept_and_a_zoom_changes_them(area) -> None:
    pane = shown(area, LANDSCAPE)
    assert pane.canvas.frame.mapper.x == (-2.5, 2.5)
    pane.canvas.zoom(0.5, pane.canvas.frame.mapper.plot.center())
    assert pane.canvas.frame.mapper.x == pytest.approx((-1.25, 1.25), abs=0.01)
    assert pane.is_manual
    pane.reset_view()
    assert pane.canvas.frame.mapper.x == (-2.5, 2.5)


BOUNDED = dataclasses.replace(SPECTRUM, x_extent=CIRCLE_X, y_extent=CIRCLE_Y)


def arrows_of(pane: PlanePane) -> list[tuple[int, int, str]]:
    pane.canvas.grab()
    layer = next(layer for layer in pane.canvas.layers if isinstance(layer, OffAxisLayer))
    return [(arrow.points.axis, arrow.points.sign, arrow.text) for arrow in layer.shown]


def test_an_extent_shows_the_unit_circle_and_grows_to_what_is_outside(area) -> None:
    inside = {"eig_re": np.array([0.5, -0.5]), "eig_im": np.zeros(2)}
    none = {"bad_re": None, "bad_im": None}
    pane = shown(area, BOUNDED, **inside, **none)
    home = pane.canvas.frame.mapper.x
    assert home[0] <= -2.2 and home[1] >= 1.8
    ends = []
    for far in np.linspace(-1.0, -3.0, 80):
        data = {**observation(3), **inside, "eig_re": np.array([0.5, far])}
        area.show_observation({k: v for k, v in data.items() if k not in none})
        area._refresh_all()
        ends.append(pane.canvas.frame.mapper.x)
        assert ends[-1][0] < far and ends[-1][1] >= 1.8
        assert arrows_of(pane) == []
    assert len(set(ends)) <= 4  # it grows in few large steps, not with every frame


def test_points_outside_an_extent_are_an_arrow_with_its_value(area) -> None:
    far = {"eig_re": np.array([0.5, -40.0, -12.0, 900.0]), "eig_im": np.array([0.0, 0.0, 0, 0])}
    pane = shown(area, BOUNDED, **far, bad_re=np.array([0.0, np.nan]), bad_im=np.array([-70.0, 0]))
    mapper = pane.canvas.frame.mapper
    circle = mapper.point(1, 0).x() - mapper.point(-1, 0).x()
    assert circle > 150  # pixels: what lies far away takes no room from it
    assert arrows_of(pane) == [(0, -1, "−40 +1"), (0, 1, "900"), (1, -1, "−70")]


def test_points_outside_both_extents_are_one_arrow_with_its_larger_number(area) -> None:
    far = {"eig_re": np.array([0.5, -9.0]), "eig_im": np.array([0.0, 70.0])}
    pane = shown(area, BOUNDED, **far, bad_re=None, bad_im=None)
    assert arrows_of(pane) == [(1, 1, "70")]


def test_a_log_axis_tells_at_its_low_end_what_has_no_place_on_it(area) -> None:
    points = {"eig_re": np.array([0.5, -9.0]), "eig_im": np.array([0.1, 0.2])}
    pane = shown(area, BOUNDED, **points, bad_re=None, bad_im=None)
    pane.set_log_axis("x", True)
    assert arrows_of(pane) == [(0, -1, "−9")]


def test_an_arrow_is_drawn_where_its_point_is(area) -> None:
    """Pixels of the colour of the points stand at the left edge, at the height of the axis."""
    far = {"eig_re": np.array([0.5, -40.0]), "eig_im": np.zeros(2)}
    pane = shown(area, BOUNDED, **far, bad_re=None, bad_im=None)
    image = pane.canvas.grab().toImage()
    mapper = pane.canvas.frame.mapper
    at = QPoint(round(mapper.plot.left()) + 5, round(mapper.point(0, 0).y()))
    color = image.pixelColor(at * image.devicePixelRatio())
    assert color == current_theme().color("1")


def test_a_handle_is_dragged_along_its_axis(area, qtbot) -> None:
    pane = shown(area, COBWEB)
    moved: list[tuple[str, float, float]] = []
    released: list[bool] = []
    area.handle_dragged.connect(lambda *where: moved.append(where))
    area.handle_released.connect(lambda: released.append(True))
    start = observation(3)["start"]
    begin = pixel(pane, start, 0.0)
    drag(qtbot, pane, begin, begin + QPoint(-20, 15), begin + QPoint(-60, 40))
    assert [where[0] for where in moved] == ["start", "start"]
    unit = 1 / (pixel(pane, start, 0).x() - pixel(pane, start - 1, 0).x())
    assert moved[-1][1] == pytest.approx(start - 60 * unit, abs=1.5 * unit)
    assert moved[-1][2] == 0.0, "the handle moves along x only"
    assert released == [True]


def test_handles_of_an_array_are_told_apart(area, qtbot) -> None:
    pane = shown(area, LANDSCAPE)
    moved: list[tuple[str, float, float]] = []
    area.handle_dragged.connect(lambda *where: moved.append(where))
    begin = pixel(pane, -0.8, 1.2)
    drag(qtbot, pane, begin, begin + QPoint(0, 30))
    assert moved[-1][0] == "knots:1"
    assert moved[-1][1] == pytest.approx(-0.8, abs=0.02)
    assert moved[-1][2] < 1.1


def test_a_handle_in_the_hand_is_not_moved_by_new_data_nor_is_the_plot(area, qtbot) -> None:
    pane = shown(area, COBWEB)
    begin = pixel(pane, observation(3)["start"], 0.0)
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(pane.canvas.viewport(), left, pos=begin)
    qtbot.mouseMove(pane.canvas.viewport(), begin + QPoint(-50, 0))
    held, ends = pane.canvas.pointer.grips[0].x, pane.canvas.x_axis.ends
    area.show_observation({**observation(3), "grid": np.linspace(-50, 50, 240)})
    area._refresh_all()
    assert pane.canvas.pointer.grips[0].x == held
    assert pane.canvas.x_axis.ends == ends
    qtbot.mouseRelease(pane.canvas.viewport(), left, pos=begin + QPoint(-50, 0))
    area._refresh_all()
    assert pane.canvas.pointer.grips[0].x == observation(3)["start"]
    assert pane.canvas.x_axis.ends[1] >= 50


def test_a_chosen_handle_moves_with_the_arrow_keys(area, qtbot) -> None:
    pane = shown(area, COBWEB)
    moved: list[tuple[str, float, float]] = []
    area.handle_dragged.connect(lambda *where: moved.append(where))
    begin = pixel(pane, observation(3)["start"], 0.0)
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Right)
    assert moved == [], "without a chosen handle the arrows belong to the window"
    drag(qtbot, pane, begin)
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Right)
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert moved[0][1] > observation(3)["start"] > moved[1][1]
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Escape)
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Right)
    assert len(moved) == 2


def test_a_stroke_fills_the_drawable_parameter(area, qtbot) -> None:
    pane = shown(area, FIT)
    drawn: list[tuple[str, list]] = []
    area.stroke_drawn.connect(lambda name, rows: drawn.append((name, rows)))
    a, b = pixel(pane, 0.3, 0.4), pixel(pane, 0.6, 0.2)
    drag(qtbot, pane, a, (a + b) / 2, b)
    assert drawn[0][0] == "points"
    rows = np.array(drawn[0][1])
    assert rows.shape == (3, 2)
    assert rows[0] == pytest.approx([0.3, 0.4], abs=0.01)
    assert rows[-1] == pytest.approx([0.6, 0.2], abs=0.01)
    qtbot.mouseClick(pane.canvas.viewport(), Qt.MouseButton.LeftButton, pos=b)
    assert len(drawn[1][1]) == 1, "a click draws one point"
    assert drawn[1][1][0] == pytest.approx([0.6, 0.2], abs=0.01)
    frame = pane.canvas.frame.mapper
    drag(qtbot, pane, a, QPoint(-50, -50))
    assert drawn[2][1][-1] == pytest.approx([frame.x[0], frame.y[1]], abs=0.01)
    actions = {a.text(): a for a in area.docks["fit"].make_menu().actions()}
    actions["Reset drawing"].trigger()
    assert drawn[3] == ("points", [])
    handle = pixel(pane, 0.2, 0.0)
    drag(qtbot, pane, handle, handle + QPoint(20, 0))
    assert len(drawn) == 4, "on a handle a drag moves the handle"


def test_the_reading_names_the_point_under_the_pointer(area, qtbot) -> None:
    pane = shown(area, SPECTRUM)
    heard: list[str] = []
    area.hovered.connect(heard.append)
    qtbot.mouseMove(pane.canvas.viewport(), pixel(pane, 1.15, 0.2) + QPoint(2, 1))
    assert heard[-1].startswith("unstable")
    assert "Re = 1.150" in heard[-1]
    qtbot.mouseMove(pane.canvas.viewport(), pixel(pane, 0.0, 0.0))
    assert heard[-1].startswith("Re = ")
    QApplication.sendEvent(pane.canvas, QEvent(QEvent.Type.Leave))
    assert heard[-1] == ""


def test_the_reading_tells_the_value_of_an_image(area, qtbot) -> None:
    pane = shown(area, LANDSCAPE)
    heard: list[str] = []
    area.hovered.connect(heard.append)
    qtbot.mouseMove(pane.canvas.viewport(), pixel(pane, -1.0, 1.7))
    value = float(heard[-1].rpartition("= ")[2].replace("−", "-"))
    assert value == pytest.approx(math.log10(0.5 * (-1.7 - 2) ** 2 + 1e-3), abs=0.05)


def test_missing_empty_and_odd_arrays_are_not_drawn(area) -> None:
    pane = shown(area, COBWEB, grid=None, web_x=np.array([]), start=None)
    assert not any(isinstance(layer, CurveLayer) for layer in pane.canvas.layers)
    assert pane.canvas.pointer.grips == []
    pane = shown(area, LANDSCAPE, loss=np.zeros(3), extent=[0, 1], path_x="text", knot_x=[1.0])
    assert not any(isinstance(layer, HeatLayer) for layer in pane.canvas.layers)
    pane = shown(area, SPECTRUM, eig_re=np.array([1.0, np.nan, np.inf]), eig_im=np.array([0.0]))
    points = [layer for layer in pane.canvas.layers if isinstance(layer, PointsLayer)]
    assert points[0].x.tolist() == [1.0]


@pytest.mark.parametrize("value", [1e12, 1e300, np.inf, np.nan, -1e308])
def test_wild_values_break_no_axis(area, value: float) -> None:
    pane = shown(area, SPECTRUM, eig_re=np.full(12, value))
    for low, high in (pane.canvas.frame.mapper.x, pane.canvas.frame.mapper.y):
        assert low < high
        assert math.isfinite(high - low)
    pane = shown(area, COBWEB, web_y=np.full(24, value), map=np.full(240, value), start=value)
    assert math.isfinite(pane.canvas.frame.mapper.y[1])
    shown(area, LANDSCAPE, loss=np.full((4, 4), value), knot_y=np.full(3, value))


def test_a_plane_keeps_its_view_when_the_run_diverges(area) -> None:
    area.set_views((COBWEB,))
    feed = Feed().advance(3)
    area.show_snapshot(feed.snapshot())
    area._refresh_all()
    pane = area.docks["cobweb"].pane
    before = pane.canvas.x_axis.ends
    wild = {**observation(3), "web_x": np.geomspace(1, 1e12, 24)}
    outcome = Outcome(kind=OutcomeKind.DIVERGED, step=4, message="")
    area.show_snapshot(feed.snapshot(observation=wild, outcome=outcome))
    area._refresh_all()
    assert pane.canvas.x_axis.ends == before


def web(reach: float) -> dict[str, object]:
    """Return an observation whose cobweb reaches up to a height."""
    grid = np.linspace(0.0, 1.0, 20)
    small = {"web_x": grid, "web_y": grid, "grid": grid, "start": 0.5, "zero": 0.0}
    return {**observation(3), **small, "map": reach * grid}


@pytest.mark.parametrize("given", [{"run_id": 7}, {"params": FakeParams(curvature=3.0)}])
def test_a_plane_is_fitted_at_once_to_a_new_run_and_to_other_parameters(area, given) -> None:
    area.set_views((COBWEB,))
    feed = Feed().advance(3)
    area.show_snapshot(feed.snapshot(observation=web(50.0)))
    area._refresh_all()
    pane = area.docks["cobweb"].pane
    assert pane.canvas.y_axis.ends[1] > 50
    area.show_snapshot(feed.snapshot(observation=web(2.0)))
    area._refresh_all()
    assert pane.canvas.y_axis.ends[1] > 50, "within a run it is calm"
    area.show_snapshot(feed.snapshot(observation=web(2.0), step=0, **given))
    area._refresh_all()
    assert pane.canvas.y_axis.ends[1] < 3


def test_a_plane_that_fills_little_of_its_axes_for_long_is_fitted_again(area) -> None:
    area.set_views((COBWEB,))
    feed = Feed().advance(3)
    area.show_snapshot(feed.snapshot(observation=web(4.0)))
    area._refresh_all()
    pane = area.docks["cobweb"].pane
    wide, seen = pane.canvas.y_axis.ends, []
    for _ in range(PATIENCE.frames + 2):
        area._refreshed_at = area._clock()  # a frame is shown once, however slow the machine
        area.show_snapshot(feed.snapshot(observation=web(2.0)))
        area._refresh_all()
        seen.append(pane.canvas.y_axis.ends)
    assert seen[PATIENCE.frames - 10] == wide
    assert seen[-1][1] < 2.5
    assert len(set(seen)) == 2, "it moves once"


def test_a_plane_that_was_empty_at_first_is_fitted_to_a_run_that_has_diverged(area) -> None:
    area.set_views((COBWEB,))
    feed = Feed().advance(3)
    area.show_snapshot(feed.snapshot(observation={}))
    area._refresh_all()
    outcome = Outcome(kind=OutcomeKind.DIVERGED, step=4, message="")
    area.show_snapshot(feed.snapshot(observation=web(30.0), outcome=outcome))
    area._refresh_all()
    assert area.docks["cobweb"].pane.canvas.x_axis.ends != (0.0, 1.0)


def test_the_axes_do_not_reach_out_to_a_curve_of_the_ground(area) -> None:
    far = {"far": np.array([-50.0, 50.0])}
    items = (Curve(x="far", y="far", ground=True), Points(x="grid", y="grid"))
    pane = shown(area, PlaneView(id="p", title="p", x_label="", y_label="", items=items), **far)
    reach = float(np.abs(observation(3)["grid"]).max())
    assert pane.canvas.x_axis.ends[1] < 2 * reach < 50
    assert any(isinstance(layer, CurveLayer) for layer in pane.canvas.layers)


def test_rules_follow_numbers_and_bounds(area) -> None:
    view = PlaneView(
        id="rules",
        title="Rules",
        x_label="x",
        y_label="y",
        items=(
            Curve(x="grid", y="map"),
            Rule(label="a", key="start"),
            Rule(label="b", bound="nothing"),
            Rule(label="c", value=0.5, vertical=True),
        ),
    )
    pane = shown(area, view)
    assert [rule.text for rule in pane._rules.rules] == ["a", "c"]
    assert pane._rules.rules[0].value == observation(3)["start"]


def test_log_planes(area) -> None:
    view = PlaneView(
        id="log", title="Log", x_label="x", y_label="y", items=(Points(x="x", y="y"),), log_y=True
    )
    pane = shown(area, view, x=np.arange(5.0), y=np.array([0.0, -1.0, 1e-8, 1.0, 1e4]))
    low, high = pane.canvas.frame.mapper.y
    assert -9.5 < low < -8
    assert 4 < high < 5.5
    pane.set_log_axis("y", False)
    assert pane.canvas.frame.mapper.y[1] > 1e4


def test_many_points_are_drawn_as_a_density(area) -> None:
    rng = np.random.default_rng(0)
    view = PlaneView(
        id="cloud", title="Cloud", x_label="x", y_label="y", items=(Points(x="x", y="y"),)
    )
    x, y = rng.uniform(0, 1, 200_000), rng.uniform(0, 0.5, 200_000)
    pane = shown(area, view, x=np.append(x, 0.5), y=np.append(y, 1.0))
    image = pane.canvas.to_image(1.0)
    ground = QColor("white").rgb()
    low, high = pixel(pane, 0.3, 0.25), pixel(pane, 0.3, 0.75)
    around = [(i, j) for i in range(-4, 5) for j in range(-4, 5)]
    assert sum(image.pixel(low.x() + i, low.y() + j) != ground for i, j in around) > 40
    assert sum(image.pixel(high.x() + i, high.y() + j) != ground for i, j in around) < 20


def test_an_image_in_the_plane_has_row_0_at_the_smallest_y(area) -> None:
    view = PlaneView(
        id="heat",
        title="Heat",
        x_label="x",
        y_label="y",
        items=(Heat(key="image", extent_key="at", colormap="gray"),),
        x_range=(0.0, 2.0),
        y_range=(0.0, 2.0),
    )
    pane = shown(area, view, image=np.array([[0.0, 1.0], [0.5, np.nan]]), at=[0, 2, 0, 2])
    image = pane.canvas.to_image(1.0)

    def light(x: float, y: float) -> int:
        return QColor(image.pixel(pixel(pane, x, y))).lightness()

    assert light(1.5, 0.5) < light(0.5, 1.5) < light(0.5, 0.6) + 1
    assert light(0.4, 0.4) > 240, "gray runs from paper to ink"
    assert light(1.6, 1.6) > 240, "what is not finite is not drawn"


def test_areas_have_the_paled_colours_of_their_roles_and_stand_in_the_legend(area) -> None:
    tints = (Tint(value=1.0, label="proved", color="good"), Tint(value=0.4, label="s", color="bad"))
    heat = Heat(key="image", extent_key="at", missing="outside", tints=tints)
    view = PlaneView(
        id="areas",
        title="Areas",
        x_label="x",
        y_label="y",
        items=(heat,),
        x_range=(0.0, 2.0),
        y_range=(0.0, 2.0),
    )
    pane = shown(area, view, image=np.array([[0.4, 1.0], [np.nan, 0.4]]), at=[0, 2, 0, 2])
    image, theme = pane.canvas.to_image(1.0), current_theme()

    def color(x: float, y: float) -> QColor:
        return QColor(image.pixel(pixel(pane, x, y)))

    surface = QColor(theme.surface)
    assert color(1.33, 0.33).rgb() == mixed(surface, theme.color("good"), PALE).rgb()
    assert color(0.33, 0.33).rgb() == mixed(surface, theme.color("bad"), PALE).rgb()
    assert color(0.33, 1.33).rgb() == surface.rgb(), "what has no tint is not drawn"
    assert [entry.text for entry in pane.entries()] == ["proved", "s", "outside"]
    assert [heat.meaning(value) for value in (1.0, 0.4, 0.7)] == ["proved", "s", ""]
    for place, meaning in (((1.33, 0.33), "proved"), ((0.33, 1.33), "outside")):
        read = [(item.text, item.value) for item in pane._heat_at(*place)]
        assert read == [(meaning, "")], "the value of an area is no measurement"


def test_an_image_that_stays_is_not_made_again(area) -> None:
    items = (Heat(key="image", extent_key="at"), Points(x="x", y="x"))
    view = PlaneView(id="heat", title="Heat", x_label="x", y_label="y", items=items)
    image, at, x = np.array([[0.0, 1.0], [0.5, 0.2]]), np.array([0.0, 2, 0, 2]), np.ones(1)

    def drawn(**changes) -> HeatLayer:
        area.show_observation({"image": image, "at": at, "x": x, **changes})
        area._refresh_all()
        return next(layer for layer in pane.canvas.layers if isinstance(layer, HeatLayer))

    pane = shown(area, view, image=image, at=at, x=x)
    first = drawn()
    assert drawn(x=np.zeros(1)) is first
    assert drawn(at=np.array([0.0, 3, 0, 2])).extent[1] == 3
    assert drawn(image=image[::-1].copy()).levels[0, 0] != first.levels[0, 0]


@pytest.mark.parametrize("symbol", ["o", "s", "t", "d", "+", "x", "star"])
def test_symbols_are_as_large_as_asked(symbol) -> None:
    box = symbol_path(symbol, 10.0).boundingRect()
    assert 8 < max(box.width(), box.height()) < 13
    assert box.contains(QPointF(0, 0))


def test_levels_keep_the_transparent_one_for_what_is_not_finite() -> None:
    levels = to_levels(np.array([np.nan, -1.0, 0.0, 0.5, 1.0, 9.0]), (0.0, 1.0))
    assert levels.tolist() == [0, 1, 1, 128, 255, 255]
    assert to_levels(np.array([3.0]), (3.0, 3.0)).tolist() == [1]


def test_handles_need_places_that_fit() -> None:
    handle = Handle(id="h", x="x", y="y")
    assert [g.id for g in grips_of(handle, {"x": 1.0, "y": 2.0})] == ["h"]
    many = grips_of(handle, {"x": [1.0, np.nan, 3.0], "y": 0.0})
    assert [(g.id, g.x, g.y) for g in many] == [("h:0", 1.0, 0.0), ("h:2", 3.0, 0.0)]
    assert grips_of(handle, {"x": [1.0, 2.0], "y": [1.0, 2.0, 3.0]}) == []
    assert grips_of(handle, {"x": 1.0}) == []


# Images.


def test_tiles_are_square_cells_that_fill_the_room() -> None:
    boxes = tiles(QRectF(0, 0, 400, 200), 16, 6, 6, 14.0, 1.0)
    assert len(boxes) == 16
    assert all(box.width() == box.height() for box in boxes)
    assert max(box.right() for box in boxes) <= 400
    assert max(box.bottom() for box in boxes) <= 200
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert tiles(QRectF(0, 0, 5, 5), 16, 6, 6, 14.0, 1.0) == ()


def test_a_matrix_tells_its_cell(area, qtbot) -> None:
    pane = shown(area, PRODUCT)
    assert isinstance(pane, ImagePane)
    heard: list[str] = []
    area.hovered.connect(heard.append)
    box = pane.boxes[0]
    cell = box.width() / 5
    at = box.topLeft() + QPointF(1.5 * cell, 2.5 * cell)
    qtbot.mouseMove(pane, at.toPoint())
    value = float(observation(3)["matrix"][2, 1])
    assert heard[-1].startswith("[r3, r2]")
    assert float(heard[-1].rpartition("= ")[2].replace("−", "-")) == pytest.approx(value, rel=1e-3)
    QApplication.sendEvent(pane, QEvent(QEvent.Type.Leave))
    assert heard[-1] == ""


def test_a_diverging_map_has_zero_in_its_middle(area) -> None:
    pane = shown(area, PRODUCT, matrix=np.array([[-1.0, 4.0]]), names=None)
    assert pane._calm.ends == (-4.0, 4.0)
    shown(area, PRODUCT, matrix=np.zeros((3, 3)))


@pytest.mark.parametrize(
    "values", [None, np.zeros((0, 4)), np.zeros(5), np.full((2, 2), np.nan), "text", 1.0]
)
def test_no_image_where_there_are_no_numbers(area, values) -> None:
    pane = shown(area, PRODUCT, matrix=values)
    assert not pane.to_image().isNull()


def test_a_grid_of_images_with_captions(area, qtbot) -> None:
    pane = shown(area, DIGITS)
    assert len(pane.boxes) == 16
    heard: list[str] = []
    area.hovered.connect(heard.append)
    qtbot.mouseMove(pane, pane.boxes[5].center().toPoint())
    assert heard[-1].startswith("filter 6 [")
    large = shown(area, ImageView(id="one", title="One", key="big"), big=np.eye(300))
    assert len(large.boxes) == 1


# Bars and tables.


def test_bars_stand_on_zero_with_their_categories(area, qtbot) -> None:
    pane = shown(area, NORMS)
    assert isinstance(pane, BarPane)
    assert pane.canvas.x_axis.names == ("W", "V", "b", "c", "d")
    assert pane.canvas.frame.mapper.y[0] == 0.0
    heard: list[str] = []
    area.hovered.connect(heard.append)
    qtbot.mouseMove(pane.canvas.viewport(), pane.canvas.frame.mapper.point(0, 1.0).toPoint())
    assert heard[-1].startswith("W   weights = 2.1")
    pane.set_entry_shown("0", False)
    assert pane._values.shape == (5, 1)
    pane.set_log_axis("y", True)
    assert pane.canvas.frame.mapper.log_y


def test_bars_of_any_values(area) -> None:
    for values in ([-1.0, 2.0, np.nan, np.inf, 1e12], [0.0] * 5, [], None, ["a"] * 5):
        shown(area, NORMS, weight_norm=None if values is None else np.array(values))


def test_a_table_shows_sorts_and_copies_numbers(area, qtbot) -> None:
    pane = shown(area, RUNS)
    assert isinstance(pane, TablePane)
    table = pane.table
    assert table.model().rowCount() == 12
    assert table.model().headerData(1, Qt.Orientation.Horizontal) == "f"
    assert table.model().index(0, 1).data() == "3.2×10⁻⁵"
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert table.model().index(0, 0).data() == "11"
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "11\t0.065536\tholds"
    rows = observation(3)["rows"]
    area.show_observation({"rows": [*rows[:-1], [99, None, "new"]]})
    area._refresh_all()
    assert any(row[0] == 99 for row in pane.model.rows)
    area.show_observation({})
    area._refresh_all()
    assert table.model().rowCount() == 0


def test_columns_fit_other_rows_until_the_user_sizes_them(area) -> None:
    pane = shown(area, RUNS, rows=[["", "being proved", ""]])
    header = pane.table.horizontalHeader()
    narrow = header.sectionSize(0)
    area.show_observation({"rows": [["a long name of a row", 1.0, ""]] * 2})
    area._refresh_all()
    assert header.sectionSize(0) > narrow
    header.resizeSection(0, 40)
    area.show_observation({"rows": [["a long name of a row", 1.0, ""]] * 3})
    area._refresh_all()
    assert header.sectionSize(0) == 40
    cut = pane.table.model().index(0, 0)
    assert cut.data(int(Qt.ItemDataRole.ToolTipRole)) == "a long name of a row"


def test_cells_of_all_kinds() -> None:
    cells = [None, True, 3, 2.5, math.nan, "$w_1$"]
    assert [cell_text(cell) for cell in cells] == ["—", "yes", "3", "2.5", "—", "w₁"]


def test_every_kind_of_view_is_drawn_in_both_themes(area, qapp) -> None:
    from gui.style.theme import DARK, LIGHT, apply_theme

    area.resize(1600, 1000)
    area.set_views(ALL_VIEWS)
    area.show_snapshot(Feed().advance(300).snapshot())
    for theme in (DARK, LIGHT):
        apply_theme(qapp, theme)
        area._refresh_all()
        QApplication.processEvents()
        ground = QColor(theme.surface)
        for view in ALL_VIEWS:
            image = area.image(view.id)
            colors = {
                image.pixel(x, y)
                for x in range(0, image.width(), 7)
                for y in range(0, image.height(), 7)
            }
            assert len(colors) > 2, view.id
            corner = QColor(image.pixel(image.width() - 2, 1))
            assert abs(corner.lightness() - ground.lightness()) < 12, view.id


def test_short_names_of_categories_are_all_written_where_there_is_room(qapp) -> None:
    digits = Axis(names=tuple("0123456789"), manual=(-0.6, 9.6))
    long = Axis(names=tuple(f"category {i}" for i in range(10)), manual=(-0.6, 9.6))
    size = QSize(320, 200)
    assert lay_out(size, digits, Axis(), Margins(), QFont()).x.labels == digits.names
    assert len(lay_out(size, long, Axis(), Margins(), QFont()).x.labels) < 5


def wheel_over(pane: PlanePane) -> bool:
    """Turn the wheel in the middle of a plot; return whether the plot took it."""
    at = pane.canvas.frame.mapper.plot.center()
    event = QWheelEvent(
        at,
        QPointF(pane.canvas.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    pane.canvas.wheelEvent(event)
    return event.isAccepted()


def test_the_wheel_scrolls_a_page_of_plots_until_a_plot_is_chosen(qtbot) -> None:
    page = QScrollArea()
    qtbot.addWidget(page)
    pane = PlanePane(SPECTRUM)
    page.setWidget(pane)
    pane.resize(400, 900)
    page.resize(420, 300)
    page.show()
    page.activateWindow()
    pane.show_data(Shown(observation(3)))
    assert not wheel_over(pane) and not pane.is_manual
    pane.canvas.setFocus()
    qtbot.waitUntil(pane.canvas.hasFocus)
    assert wheel_over(pane) and pane.is_manual


def test_the_wheel_zooms_a_plot_that_is_on_no_page(area) -> None:
    area.set_views((SPECTRUM,))
    area.show_snapshot(Feed().advance(10).snapshot())
    pane = area.docks["spectrum"].pane
    assert wheel_over(pane) and pane.is_manual


@pytest.mark.parametrize("count", [2, 10, 12])
def test_the_label_of_categories_covers_no_name(qapp, count: int) -> None:
    names = tuple(map(str, range(count)))
    axis = Axis(text="class", names=names, manual=(-0.6, count - 0.4))
    size = QSize(400, 220)
    plain = lay_out(size, Axis(names=names), Axis(text="y"), Margins(), QFont())
    frame = lay_out(size, axis, Axis(text="y"), Margins(), QFont())
    assert frame.x.labels == names
    line = QFontMetricsF(QFont()).height()
    assert plain.mapper.plot.bottom() - frame.mapper.plot.bottom() >= line - 2


def test_bars_keep_to_the_limits_of_their_view(area) -> None:
    view = dataclasses.replace(NORMS, y_limit=(0.0, 1.0))
    area.set_views((view,))
    area.show_snapshot(
        Feed().snapshot(observation={"kinds": ["a"], "weight_norm": [0.98], "gradient_norm": [1.0]})
    )
    area._refresh_all()
    assert area.docks["norms"].pane.canvas.y_axis.ends == (0.0, 1.0)


def test_axes_are_fitted_anew_to_the_parameters_that_come_after_fit_next(area) -> None:
    area.set_views((COBWEB,))
    feed = Feed().advance(3)
    area.show_snapshot(feed.snapshot(observation=web(40.0)))
    area._refresh_all()
    pane = area.docks["cobweb"].pane
    wide = pane.canvas.y_axis.ends
    area.fit_next()
    area.show_snapshot(feed.snapshot(observation=web(40.0)))
    area._refresh_all()
    assert pane.canvas.y_axis.ends == wide, "what is shown is still that from before"
    area.show_snapshot(feed.snapshot(observation=web(36.0), run_id=99))
    area._refresh_all()
    assert pane.canvas.y_axis.ends[1] < wide[1], "a run that is a little smaller, too"
