"""Plots along time: ranges, the crosshair, marks, ghosts, legend, log axes, zoom."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu

from engine.core.change import Change, Nudge
from engine.core.chunk import Chunk
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.params import Params
from engine.core.views import Series, TimeView
from engine.run.snapshot import Status
from engine.run.trace import Trace
from gui.plots.area import Ghost, PlotArea
from gui.plots.link import TimeScale, values_at
from gui.plots.panes.time import TimePane
from tests.gui.fakes import FakeParams
from tests.gui.plot_feed import ERROR, STABILITY, WEIGHTS, Feed, change

VIEWS = (ERROR, WEIGHTS, STABILITY)


@pytest.fixture
def area(qtbot) -> PlotArea:
    made = PlotArea()
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.set_views(VIEWS)
    made.show()
    qtbot.waitExposed(made)
    QApplication.processEvents()
    return made


def pane_of(area: PlotArea, view_id: str) -> TimePane:
    pane = area.docks[view_id].pane
    assert isinstance(pane, TimePane)
    return pane


def show(area: PlotArea, snapshot) -> None:
    area.show_snapshot(snapshot)
    area._refresh_all()
    QApplication.processEvents()


def hover(qtbot, pane: TimePane, step: float, y: float | None = None) -> None:
    mapper = pane.canvas.frame.mapper
    x = mapper.px(pane._link.to_axis(np.array([float(step)])))[0]
    at = QPoint(round(x), round(mapper.plot.center().y() if y is None else y))
    qtbot.mouseMove(pane.canvas.viewport(), at + QPoint(1, 0))
    qtbot.mouseMove(pane.canvas.viewport(), at)
    QApplication.processEvents()


def test_all_time_axes_are_the_same_and_grow_in_round_steps(area) -> None:
    feed, ends = Feed(), set()
    for _ in range(60):
        feed.advance(50)
        show(area, feed.snapshot())
        axes = {pane_of(area, view.id).canvas.x_axis.ends for view in VIEWS}
        assert len(axes) == 1
        ends |= axes
    assert max(end for _, end in ends) >= 3000
    assert len(ends) < 15


def test_the_y_axis_holds_the_data_and_hardly_moves(area) -> None:
    feed = Feed(swing=0.1)
    pane, moves, before = pane_of(area, "weights"), 0, None
    for _ in range(60):
        feed.advance(10)
        show(area, feed.snapshot())
        low, high = pane.canvas.y_axis.ends
        values = np.concatenate([feed.trace.view().low["weights"].ravel()])
        assert low < np.nanmin(values)
        assert high > np.nanmax(values)
        moves += (low, high) != before
        before = (low, high)
    assert moves < 8


def test_a_limit_bounds_the_axis_and_a_rule_nearby_is_seen(area) -> None:
    show(area, Feed().advance(400).snapshot())
    low, high = pane_of(area, "stability").canvas.y_axis.ends
    assert (low, high) != (0.0, 1.0)
    assert 0.0 <= low < 1.0
    assert 1.25 < high <= 3.0
    rules = pane_of(area, "stability")._rules.rules
    assert [rule.value for rule in rules] == [1.0, 1.25]


def test_a_bound_without_a_value_is_not_drawn(area) -> None:
    show(area, Feed().advance(4).snapshot(theory=()))
    assert [rule.value for rule in pane_of(area, "stability")._rules.rules] == [1.0]


def test_predictions_do_not_stretch_a_log_axis_down(area) -> None:
    show(area, Feed().advance(3000).snapshot())
    pane = pane_of(area, "error")
    assert pane.canvas.y_axis.log
    assert pane.canvas.y_axis.ends[0] > -17  # the envelope falls to 1e-53


def test_a_run_that_diverged_is_shown_up_to_where_it_left(area) -> None:
    feed = Feed(lines=3)
    rows = {key: values.copy() for key, values in feed.series(np.arange(1, 41)).items()}
    rows["weights"][30:] *= 10.0 ** np.arange(0, 60, 6)[:, None]
    from engine.core.chunk import Chunk

    feed.trace.add(Chunk.exact(1, rows))
    outcome = Outcome(kind=OutcomeKind.DIVERGED, step=41, message="")
    show(area, feed.snapshot(outcome=outcome, status=Status.FINISHED))
    pane = pane_of(area, "weights")
    assert pane.canvas.y_axis.ends[1] < 100
    assert [mark.text for mark in pane._marks.marks] == ["diverged"]


def test_huge_values_missing_series_and_nans_break_nothing(area) -> None:
    feed = Feed(lines=2)
    from engine.core.chunk import Chunk

    rows = {
        key: np.full_like(values, 1e300) for key, values in feed.series(np.arange(1, 9)).items()
    }
    rows["weights"][2] = np.nan
    rows["error"][3] = np.inf
    feed.trace.add(Chunk.exact(1, rows))
    show(area, feed.snapshot())
    for view in VIEWS:
        assert np.isfinite(pane_of(area, view.id).canvas.y_axis.ends).all()
    trace = feed.trace.view()
    bare = dataclasses.replace(trace, low={}, high={}, recent={})
    show(area, feed.snapshot(trace=bare))
    assert pane_of(area, "weights")._groups == {}


def test_a_line_that_begins_at_zero_begins_later_on_a_log_axis(area) -> None:
    from engine.core.chunk import Chunk

    feed = Feed(lines=2)
    rows = {key: values.copy() for key, values in feed.series(np.arange(1, 40)).items()}
    rows["error"][:5], rows["error"][20:] = 0.0, 0.0
    first = {key: values[0] for key, values in rows.items()}
    feed.trace = Trace(first)
    feed.trace.add(Chunk.exact(1, rows))
    show(area, feed.snapshot())
    y = pane_of(area, "error")._groups["0"].y[:, 0]
    assert np.isnan(y[:6]).all()
    assert (y[21:] == 0).all(), "one that falls to zero is seen to fall"
    pane_of(area, "error").set_log_axis("y", False)
    assert pane_of(area, "error")._groups["0"].y[0, 0] == 0.0


def test_the_axes_fit_when_the_run_pauses(area) -> None:
    feed = Feed().advance(5)
    show(area, feed.snapshot())
    pane = pane_of(area, "weights")
    pane.canvas.y_axis.auto.follow((-5.0, 9.0))
    feed.advance(3)
    show(area, feed.snapshot())
    assert pane.canvas.y_axis.ends[1] > 9
    show(area, feed.snapshot(status=Status.PAUSED))
    assert pane.canvas.y_axis.ends[1] < 4


def test_sparse_measurements_are_joined(area) -> None:
    show(area, Feed().advance(400).snapshot())
    group = pane_of(area, "stability")._groups["1"]
    assert group.x.tolist() == list(range(0, 401, 50))
    assert np.isfinite(group.y).all()


def test_the_crosshair_is_on_all_plots_with_exact_values(area, qtbot) -> None:
    feed = Feed().advance(400)
    show(area, feed.snapshot())
    exact = feed.trace.view().at("error", 123)
    heard: list[str] = []
    area.hovered.connect(heard.append)
    hover(qtbot, pane_of(area, "error"), 123)
    legend = area.docks["error"].header.legend
    assert legend.reading is not None
    assert legend.reading.lead == "$k$ = 123"
    assert float(legend.reading.items[0].value) == pytest.approx(float(exact), rel=1e-4)
    assert heard[-1].startswith("k = 123   |e| = 0.03")
    for view in VIEWS:
        assert pane_of(area, view.id)._crosshair.x == 123.0
        assert area.docks[view.id].header.legend.reading is not None
        assert not any(chip.isVisible() for chip in area.docks[view.id].header.legend.chips)
    QApplication.sendEvent(pane_of(area, "error").canvas, QEvent(QEvent.Type.Leave))
    assert heard[-1] == ""
    assert pane_of(area, "weights")._crosshair.x is None
    assert all(chip.isVisible() for chip in area.docks["error"].header.legend.chips)


def test_the_line_nearest_the_pointer_is_named(area, qtbot) -> None:
    feed = Feed(swing=0.1).advance(30)
    show(area, feed.snapshot())
    pane = pane_of(area, "weights")
    row = feed.trace.view().at("weights", 20)
    hover(qtbot, pane, 20, pane.canvas.frame.mapper.py(row)[7])
    reading = area.docks["weights"].header.legend.reading
    assert reading is not None
    assert reading.items[0].text == "$w_{8}$"
    assert float(reading.items[0].value) == pytest.approx(float(row[7]), rel=1e-4)
    assert pane._crosshair.line is not None
    assert (pane._crosshair.line.y[:, 0] == pane._groups["0"].y[:, 7]).all()
    other = area.docks["error"].header.legend.reading
    assert other is not None


def test_in_the_old_part_the_least_and_greatest_value_are_read(area, qtbot) -> None:
    feed = Feed(swing=0.2).advance(30_000)
    show(area, feed.snapshot())
    trace = feed.trace.view()
    assert values_at(trace, "error", trace.last)[0] == trace.at("error", trace.last)
    low, high = values_at(trace, "weights", 40)
    assert (low < high).all()
    assert values_at(trace, "weights", trace.last + 1) is None
    assert values_at(trace, "nothing", 3) is None
    hover(qtbot, pane_of(area, "stability"), 40)
    reading = area.docks["stability"].header.legend.reading
    assert "…" in reading.items[0].value


def test_changes_of_live_parameters_are_marked_old_to_new(area) -> None:
    feed = Feed().advance(100)
    show(area, feed.snapshot())
    feed.advance(100)
    changed = FakeParams(step_size=0.25)
    show(area, feed.snapshot(params=changed, changes=(change(100, step_size=0.25),)))
    marks = pane_of(area, "weights")._marks.marks
    assert [(mark.x, mark.text) for mark in marks] == [(100.0, r"$\delta$ 0.3 → 0.25")]
    assert pane_of(area, "weights").canvas.margins.top > 16
    feed.advance(10)
    many = (change(100, step_size=0.25), change(150, momentum=0.5, projected=True))
    show(area, feed.snapshot(params=changed, changes=many))
    assert pane_of(area, "error")._marks.marks[1].text == (r"$\beta$ 0.9 → 0.5, projected off → on")


def test_a_nudge_is_marked_like_a_change_and_hides_no_old_value(area) -> None:
    nudged = Change(30, nudge=Nudge(1e-6))
    show(area, Feed().advance(100).snapshot(changes=(nudged,)))
    assert [(m.x, m.text) for m in pane_of(area, "error")._marks.marks] == [(30.0, "nudge 10⁻⁶")]
    changes = (nudged, change(100, step_size=0.25))
    show(area, Feed().advance(150).snapshot(params=FakeParams(step_size=0.25), changes=changes))
    assert pane_of(area, "error")._marks.marks[1].text == r"$\delta$ 0.3 → 0.25"


def test_a_change_seen_first_in_the_middle_of_a_run_has_no_old_value(area) -> None:
    snapshot = Feed().advance(100).snapshot(changes=(change(50, step_size=0.25),))
    show(area, snapshot)
    assert pane_of(area, "error")._marks.marks[0].text == r"$\delta$ → 0.25"


def test_the_cursor_is_marked_while_looking_back(area) -> None:
    feed = Feed().advance(100)
    show(area, feed.snapshot(cursor=40, status=Status.PAUSED))
    pane = pane_of(area, "error")
    assert [(mark.x, mark.text) for mark in pane._marks.marks] == [(40.0, "$k$ = 40")]
    assert pane._heads.groups == ()
    show(area, feed.snapshot())
    assert pane._marks.marks == ()
    assert {group.x[-1] for group in pane._heads.groups} == {100.0}


def test_pinned_runs_lie_behind_in_their_color(area) -> None:
    ghost = Ghost("first run", "4", Feed(lines=20, run_id=7).advance(60).trace.view())
    area.set_ghosts((ghost,))
    show(area, Feed().advance(100).snapshot())
    groups = pane_of(area, "weights")._lines.groups
    assert groups[0].is_ghost
    assert {color.name() for color in groups[0].colors} == {"#8c1d59"}
    assert not groups[1].is_ghost
    texts = [chip.entry.text for chip in area.docks["weights"].header.legend.chips]
    assert texts == ["$w_i$", "first run"]
    area.set_ghosts(())
    assert len(pane_of(area, "weights")._lines.groups) == 1


def test_a_click_on_the_legend_hides_a_line_and_ctrl_shows_it_alone(area, qtbot) -> None:
    show(area, Feed().advance(100).snapshot())
    legend, pane = area.docks["stability"].header.legend, pane_of(area, "stability")
    first, second = legend.chips
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert set(pane._groups) == {"1"}
    assert not first.isChecked()
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert set(pane._groups) == {"0", "1"}
    ctrl = Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(second, Qt.MouseButton.LeftButton, ctrl)
    assert set(pane._groups) == {"1"}
    qtbot.mouseClick(second, Qt.MouseButton.LeftButton, ctrl)
    assert set(pane._groups) == {"0", "1"}
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Space)
    assert set(pane._groups) == {"1"}


def test_log_axes_from_the_menu(area) -> None:
    show(area, Feed().advance(100).snapshot())
    pane = pane_of(area, "weights")
    actions = {a.text(): a for a in area.docks["weights"].make_menu().actions()}
    assert not actions["Log y"].isChecked()
    actions["Log y"].trigger()
    assert pane.canvas.y_axis.log
    assert pane.canvas.frame.mapper.log_y
    actions["Log x"].trigger()
    QApplication.processEvents()
    assert all(pane_of(area, view.id).canvas.frame.mapper.log_x for view in VIEWS)
    low, high = pane.canvas.x_axis.ends
    assert -0.1 < low <= 0.0
    assert high >= 2.0


def test_following_the_last_steps(area) -> None:
    feed = Feed(swing=0.1).advance(5000)
    show(area, feed.snapshot())
    menu = area.docks["error"].make_menu()
    windows = next(a.menu() for a in menu.actions() if a.menu() is not None)
    assert isinstance(windows, QMenu)
    next(a for a in windows.actions() if "100" in a.text()).trigger()
    assert area.link.ends == (4900.0, 5002.0)
    feed.advance(50)
    show(area, feed.snapshot())
    assert area.link.ends == (4950.0, 5052.0)
    x = pane_of(area, "weights")._groups["0"].x
    assert (np.diff(x) == 1).all(), "recent steps are exact"


def test_the_wheel_zooms_all_time_axes_and_a_double_click_resets(area, qtbot) -> None:
    show(area, Feed().advance(100).snapshot())
    pane = pane_of(area, "error")
    before_x, before_y = pane.canvas.x_axis.ends, pane.canvas.y_axis.ends
    at = pane.canvas.frame.mapper.plot.center()
    turn = QWheelEvent(
        at,
        pane.canvas.mapToGlobal(at.toPoint()).toPointF(),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(pane.canvas.viewport(), turn)
    QApplication.processEvents()
    zoomed = pane.canvas.x_axis.ends
    assert zoomed[1] - zoomed[0] == pytest.approx((before_x[1] - before_x[0]) / 1.44)
    assert pane_of(area, "weights").canvas.x_axis.ends == zoomed
    assert pane.canvas.y_axis.ends == before_y
    show(area, Feed().advance(110).snapshot())
    assert pane.canvas.x_axis.ends == zoomed, "new data do not undo a zoom"
    actions = {a.text(): a for a in area.docks["error"].make_menu().actions()}
    assert not actions["Auto range"].isChecked()
    qtbot.mouseDClick(pane.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert pane.canvas.x_axis.ends == before_x


def test_zooming_never_reaches_what_numbers_cannot_tell_apart(area) -> None:
    show(area, Feed().advance(100).snapshot())
    canvas = pane_of(area, "error").canvas
    middle = canvas.frame.mapper.plot.center()
    for factor in (0.001, 1000.0):
        for _ in range(120):
            canvas.zoom(factor, middle)
        QApplication.processEvents()
        for low, high in (canvas.frame.mapper.x, canvas.frame.mapper.y):
            assert low < high
            assert np.isfinite(high - low)


def test_dragging_pans_and_shift_zooms_into_a_box(area, qtbot) -> None:
    show(area, Feed().advance(100).snapshot())
    pane = pane_of(area, "error")
    canvas, plot = pane.canvas, pane.canvas.frame.mapper.plot
    before = canvas.x_axis.ends
    begin = plot.center().toPoint()
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=begin)
    qtbot.mouseMove(canvas.viewport(), begin + QPoint(50, 0))
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=begin + QPoint(50, 0))
    unit = (before[1] - before[0]) / plot.width()
    assert canvas.x_axis.ends[0] == pytest.approx(before[0] - 50 * unit, rel=1e-3)
    pane.reset_view()
    mapper = canvas.frame.mapper
    corner = QPoint(int(plot.left()) + 20, int(plot.top()) + 20)
    qtbot.mousePress(
        canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, pos=corner
    )
    qtbot.mouseMove(canvas.viewport(), corner + QPoint(100, 60))
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=corner + QPoint(100, 60))
    assert canvas.x_axis.ends == pytest.approx(
        (mapper.x_at(corner.x()), mapper.x_at(corner.x() + 100)), rel=1e-6
    )
    assert canvas.frame.mapper.y_at(corner.y()) != mapper.y_at(corner.y())


def test_time_is_the_sum_of_step_sizes(area, qtbot) -> None:
    area.set_axis_scaled(True)
    feed = Feed().advance(100)
    show(area, feed.snapshot())
    pane = pane_of(area, "weights")
    assert pane._groups["0"].x[-1] == pytest.approx(50.0, abs=1.0)  # the recorded δ is 0.5
    assert "delta" in pane.canvas.x_axis.text
    hover(qtbot, pane, 60)
    assert area.docks["weights"].header.legend.reading.lead.startswith("$k$ = 60,")
    area.set_axis_scaled(False)
    assert pane._groups["0"].x[-1] == 100.0


def test_a_time_scale_goes_there_and_back_over_changing_steps() -> None:
    scale = TimeScale(np.array([0.0, 10.0, 30.0]), np.array([0.0, 5.0, 7.0]))
    assert scale.to_time(np.array([5.0, 20.0, 50.0])) == pytest.approx([2.5, 6.0, 9.0])
    for step in (0.0, 4.0, 25.0, 90.0):
        assert scale.to_step(float(scale.to_time(np.array([step]))[0])) == pytest.approx(step)


def test_without_a_step_size_the_axis_stays_in_steps(area) -> None:
    feed = Feed().advance(50)
    trace = feed.trace.view()
    low = {key: value for key, value in trace.low.items() if key != "step_size"}
    bare = dataclasses.replace(trace, low=low)
    area.set_axis_scaled(True)
    show(area, feed.snapshot(trace=bare, params=Params()))
    assert not area.link.is_scaled
    assert pane_of(area, "weights")._groups["0"].x[-1] == 50.0


def test_magnitudes_and_single_components(qtbot, area) -> None:
    view = TimeView(
        id="signed",
        title="Signed",
        y_label="x",
        series=(
            Series(key="weights", label="one", component=3),
            Series(key="wave", label="wave", magnitude=True),
        ),
    )
    area.set_views((view,))
    feed = Feed()
    trace = feed.advance(30).trace.view()
    k = np.arange(31.0)
    wave = np.where(k % 2 == 0, -1.0, 2.0)
    trace = dataclasses.replace(
        trace,
        low={**trace.low, "wave": wave},
        high={**trace.high, "wave": wave},
        recent={**trace.recent, "wave": wave},
    )
    show(area, feed.snapshot(trace=trace))
    pane = pane_of(area, "signed")
    assert pane._groups["0"].y.shape == (31, 1)
    assert set(pane._groups["1"].y[:, 0]) == {1.0, 2.0}
    hover(qtbot, pane, 4)
    reading = area.docks["signed"].header.legend.reading
    assert [item.value for item in reading.items][1] == "1"


def test_the_picture_shows_the_line_in_its_color(area) -> None:
    show(area, Feed().advance(100).snapshot())
    image = area.image("error")
    assert image.devicePixelRatio() == 2.0
    wanted = QColor("#2458d8")
    found = False
    for x in range(0, image.width(), 3):
        for y in range(0, image.height(), 3):
            color = QColor(image.pixel(x, y))
            gap = abs(color.red() - wanted.red()) + abs(color.blue() - wanted.blue())
            found = found or gap < 12
    assert found


def test_hovering_outside_the_plot_reads_nothing(area, qtbot) -> None:
    show(area, Feed().advance(100).snapshot())
    pane = pane_of(area, "error")
    hover(qtbot, pane, 50)
    assert area.link.hover == 50
    qtbot.mouseMove(pane.canvas.viewport(), QPoint(2, 2))
    QApplication.processEvents()
    assert area.link.hover is None
    assert pane.canvas.frame.mapper.plot.contains(QPointF(2, 2)) is False


def test_a_run_after_one_that_diverged_has_axes_of_its_own(area) -> None:
    feed = Feed().advance(60)
    k = np.arange(61, 70)
    wild = {key: values * 1e9 for key, values in feed.series(k).items()}
    feed.trace.add(Chunk.exact(61, wild))
    lost = Outcome(kind=OutcomeKind.DIVERGED, step=69, message="")
    show(area, feed.snapshot(outcome=lost))
    pane = pane_of(area, "weights")
    wide = pane.canvas.y_axis.ends
    show(area, Feed(run_id=2).snapshot(status=Status.PAUSED))
    low, high = pane.canvas.y_axis.ends
    assert high - low < 0.3 * (wide[1] - wide[0])
    assert -5 < low < high < 5


def test_what_is_measured_now_and_then_is_marked_where_it_was(area) -> None:
    views = (dataclasses.replace(STABILITY, series=(Series(key="slow", label="looks"),)), WEIGHTS)
    area.set_views(views)
    show(area, Feed().advance(400).snapshot())
    (looks,) = pane_of(area, "stability")._groups.values()
    assert looks.points and len(looks.x) == 9
    (weights,) = pane_of(area, "weights")._groups.values()
    assert not weights.points
