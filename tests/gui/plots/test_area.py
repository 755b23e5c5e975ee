"""The area of plots: what is drawn when, layout, menus, and a clean death."""

from __future__ import annotations

import dataclasses
import gc
import json
import weakref

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow

from engine.core.views import BarView, TimeView, View
from gui.plots.area import FRAME_SECONDS, PlotArea
from gui.plots.arrange import places_for
from gui.plots.dock import PlotDock, PlotWindow, fitted
from gui.style.theme import DARK, LIGHT, apply_theme
from tests.gui.plot_feed import (
    ALL_VIEWS,
    COBWEB,
    ERROR,
    HIDDEN,
    NORMS,
    SPECTRUM,
    STABILITY,
    WEIGHTS,
    Feed,
)

VIEWS: tuple[View, ...] = (ERROR, WEIGHTS, STABILITY, SPECTRUM, HIDDEN)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def area(qtbot, clock: Clock) -> PlotArea:
    made = PlotArea(clock=clock)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.set_views(VIEWS)
    made.show()
    qtbot.waitExposed(made)
    QApplication.processEvents()
    return made


def drawings(area: PlotArea) -> dict[str, int]:
    return {view_id: pane.canvas.paints for view_id, pane in area.panes.items()}


def settle(area: PlotArea) -> None:
    area._refresh_all()
    for _ in range(3):
        QApplication.processEvents()


def test_a_hundred_thousand_steps_cause_no_more_drawings_than_frames(area, clock, qtbot) -> None:
    feed = Feed(lines=3)
    area.show_snapshot(feed.snapshot())
    settle(area)
    before, refreshed, begin = drawings(area), area.refreshes, clock.now
    for _ in range(1000):
        feed.advance(100)
        clock.now += 0.001
        area.show_snapshot(feed.snapshot())
    QApplication.processEvents()
    frames = (clock.now - begin) / FRAME_SECONDS + 2
    assert area.refreshes - refreshed <= frames
    for view_id, count in drawings(area).items():
        assert count - before[view_id] <= frames
    qtbot.waitUntil(lambda: not area._waiting)
    shown = area.docks["error"].pane._shown.snapshot
    assert shown.step == 100_000, "the newest is what stays"


def test_plots_that_take_long_have_their_turns(area, clock, qtbot) -> None:
    feed = Feed().advance(10)
    area.show_snapshot(feed.snapshot())
    settle(area)
    seen: list[list[str]] = []
    for _ in range(8):
        for pane in area.panes.values():
            pane.seconds = 1.0
        feed.advance(1)
        clock.now += 1.0
        area.show_snapshot(feed.snapshot())
        step = feed.trace.last
        panes = area.panes.items()
        seen.append([i for i, p in panes if p._shown and p._shown.snapshot.step == step])
    assert all(len(drawn) == 1 for drawn in seen)
    assert {drawn[0] for drawn in seen} == {"error", "weights", "stability", "spectrum"}
    assert seen[:4] == [[i] for i in ("error", "weights", "stability", "spectrum")]
    qtbot.waitUntil(lambda: not area._waiting)


def test_what_cannot_be_seen_is_not_drawn_until_it_is(area) -> None:
    feed = Feed().advance(10)
    dock = area.docks["weights"]
    dock.close()
    area.show_snapshot(feed.snapshot())
    settle(area)
    assert dock.pane._shown is None
    dock.toggleViewAction().trigger()
    QApplication.processEvents()
    assert dock.pane._shown.snapshot.step == 10
    assert area.docks["hidden"].pane._shown is None


def test_a_plot_behind_a_tab_is_not_drawn_until_it_is_raised(area) -> None:
    error, weights = area.docks["error"], area.docks["weights"]
    area._inner.tabifyDockWidget(error, weights)
    error.raise_()
    QApplication.processEvents()
    before = weights.pane._shown
    area.show_snapshot(Feed().advance(10).snapshot())
    settle(area)
    assert error.pane._shown is not None
    assert weights.pane._shown is before
    weights.raise_()
    QApplication.processEvents()
    assert weights.pane._shown.snapshot.step == 10


def test_a_resting_plot_is_not_drawn_again(area) -> None:
    area.show_snapshot(Feed().advance(10).snapshot())
    settle(area)
    before = drawings(area)
    area.link.set_hover(5)
    area.link.set_hover(6)
    QApplication.processEvents()
    assert drawings(area) == before, "a crosshair does not cost a drawing"


def test_the_first_plot_is_the_largest(area) -> None:
    sizes = {i: d.width() * d.height() for i, d in area.docks.items() if d.isVisible()}
    assert max(sizes, key=sizes.__getitem__) == "error"
    assert set(sizes) == {"error", "weights", "stability", "spectrum"}
    assert all(d.width() >= 250 and d.height() >= 150 for d in area.docks.values() if d.isVisible())


@pytest.mark.parametrize("count", range(1, 14))
@pytest.mark.parametrize(
    "size", [QSize(400, 300), QSize(740, 620), QSize(1300, 900), QSize(2600, 1400)]
)
def test_places_are_never_more_than_plots_nor_too_small(count: int, size: QSize) -> None:
    places = places_for(count, size)
    assert 1 <= sum(places) <= count
    assert all(place >= 1 for place in places)
    assert size.width() / len(places) >= 290 or len(places) == 1


def test_views_of_the_same_kind_keep_their_place_and_zoom(area) -> None:
    area.show_snapshot(Feed().advance(50).snapshot())
    settle(area)
    dock = area.docks["spectrum"]
    dock.pane.canvas.x_axis.manual = (-7.0, 7.0)
    area.docks["weights"].close()
    renamed = tuple(dataclasses.replace(v, title=v.title + " now") for v in VIEWS)
    area.set_views(renamed)
    assert area.docks["spectrum"] is dock
    assert dock.header.name.text() == "Eigenvalues now"
    assert dock.pane.canvas.x_axis.manual == (-7.0, 7.0)
    assert not area.docks["weights"].isVisible()
    area.set_views(renamed)
    assert area.docks["weights"].isVisible(), "the same views again: the first arrangement"


def test_a_view_described_otherwise_gets_other_axes(area) -> None:
    area.show_snapshot(Feed().advance(50).snapshot())
    ranged = dataclasses.replace(SPECTRUM, x_range=(-3.0, 3.0), y_range=(-3.0, 3.0))
    linear = dataclasses.replace(ERROR, log_y=False, y_limit=(0.0, 0.1))
    area.set_views((linear, WEIGHTS, STABILITY, ranged, HIDDEN))
    settle(area)
    assert area.docks["spectrum"].pane.canvas.y_axis.ends == (-3.0, 3.0)
    assert not area.docks["error"].pane.canvas.frame.mapper.log_y
    assert area.docks["error"].pane.canvas.y_axis.ends[1] == 0.1


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_plot_menu_opens_where_the_plot_is_clicked(area, qtbot) -> None:
    canvas = area.docks["error"].pane.canvas
    at = canvas.rect().center()
    click = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, canvas.mapToGlobal(at))
    QApplication.sendEvent(canvas.viewport(), click)
    popup = QApplication.activePopupWidget()
    assert popup is not None
    assert "Log y" in [action.text() for action in popup.actions()]
    popup.close()


def test_the_keyboard_zooms_the_plot_it_reached(area, qtbot) -> None:
    area.show_snapshot(Feed().advance(50).snapshot())
    settle(area)
    canvas = area.docks["spectrum"].pane.canvas
    canvas.setFocus(Qt.FocusReason.TabFocusReason)
    before = canvas.frame.mapper.x
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    zoomed = canvas.frame.mapper.x
    assert zoomed[1] - zoomed[0] < before[1] - before[0]
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.frame.mapper.x == pytest.approx(before)
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.x_axis.manual is None


def test_other_views_replace_them(area) -> None:
    area.show_snapshot(Feed().advance(5).snapshot())
    area.set_views((NORMS, COBWEB))
    settle(area)
    assert list(area.docks) == ["norms", "cobweb"]
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert len(area._inner.findChildren(QDockWidget)) == 2
    assert area.docks["norms"].pane._shown is not None
    area.set_views(())
    settle(area)
    assert area.docks == {}


def test_the_views_of_another_experiment_begin_empty(area) -> None:
    """Series are found by name, and "error" is one of nearly every experiment."""
    area.show_snapshot(Feed().advance(5).snapshot())
    area.forget()
    area.set_views((ERROR, COBWEB))
    settle(area)
    assert area.docks["error"].pane._shown is None
    area.show_snapshot(Feed().advance(3).snapshot())
    settle(area)
    assert area.docks["error"].pane._shown is not None


def test_a_view_that_nothing_draws_is_an_error(area) -> None:
    with pytest.raises(TypeError, match="no pane draws a View"):
        area.set_views((View(id="v", title="v"),))
    area.set_views(VIEWS)


def restored(qtbot, saved) -> PlotArea:
    """Show plots as they are at the next start."""
    area = PlotArea()
    qtbot.addWidget(area)
    area.resize(1000, 700)
    area.set_views(VIEWS)
    assert area.restore_layout(saved)
    area.show()
    qtbot.waitExposed(area)
    return area


def test_the_layout_comes_back_as_it_was(area, qtbot) -> None:
    area.show_snapshot(Feed().advance(50).snapshot())
    area.docks["weights"].close()
    area.docks["stability"].pane.set_entry_shown("0", False)
    area.docks["weights"].pane.set_log_axis("y", True)
    area.link.set_window(500)
    settle(area)
    other = restored(qtbot, area.save_layout())
    QApplication.processEvents()
    assert not other.docks["weights"].isVisible()
    assert other.docks["error"].isVisible()
    assert other.docks["stability"].pane.hidden == {"0"}
    assert other.docks["weights"].pane.canvas.y_axis.log
    assert other.link.window == 500
    widths = (area.docks["error"].width(), other.docks["error"].width())
    assert abs(widths[0] - widths[1]) <= 12


def test_a_layout_comes_back_while_docks_of_the_same_names_go(area) -> None:
    saved = area.save_layout()
    places = {view_id: dock.geometry() for view_id, dock in area.docks.items()}
    area.set_views((NORMS, ERROR, SPECTRUM))
    area.set_views(VIEWS)
    assert area.restore_layout(saved)
    settle(area)
    assert {view_id: dock.geometry() for view_id, dock in area.docks.items()} == places


@pytest.mark.parametrize(
    "saved",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"docks": "AAAA", "panes": {}}',
        b'{"docks": "\xc3\xa9", "panes": {}}',
        b'{"docks": 3, "panes": []}',
    ],
)
def test_a_layout_that_cannot_be_read_changes_nothing(area, saved: bytes) -> None:
    before = area.save_layout()
    assert not area.restore_layout(saved)
    assert area.save_layout() == before


def test_odd_settings_of_panes_are_ignored(area) -> None:
    kept = json.loads(area.save_layout())
    kept["panes"] = {"error": {"hidden": 3, "log_y": "yes"}, "gone": {}, "weights": 7}
    kept["window"] = "all"
    assert area.restore_layout(json.dumps(kept).encode())
    assert area.docks["error"].pane.hidden == set()
    assert area.docks["error"].pane.canvas.y_axis.log


def test_the_menu_shows_and_hides_plots(area) -> None:
    menu = area.views_menu()
    menu.aboutToShow.emit()
    actions = {a.text(): a for a in menu.actions()}
    assert list(actions)[:5] == ["Error", "Weights", "Stability", "Eigenvalues", "Step size"]
    assert actions["Error"].isChecked()
    assert not actions["Step size"].isChecked()
    actions["Step size"].trigger()
    assert area.docks["hidden"].isVisible()
    actions["Error"].trigger()
    assert not area.docks["error"].isVisible()
    actions["Reset layout"].trigger()
    assert area.docks["error"].isVisible()
    assert not area.docks["hidden"].isVisible()
    actions["Show all"].trigger()
    assert all(not dock.isHidden() for dock in area.docks.values())
    assert area.views_menu() is menu


def window_of(dock: PlotDock) -> PlotWindow:
    window = dock.pane.window()
    assert isinstance(window, PlotWindow)
    return window


FLOATING = pytest.mark.qt_log_ignore("This plugin does not support")  # offscreen


@FLOATING
def test_a_plot_floats_and_comes_back(area) -> None:
    dock = area.docks["stability"]
    menu = dock.make_menu()
    next(a for a in menu.actions() if a.text() == "Float").trigger()
    window = window_of(dock)
    assert dock.is_afloat and not dock.isVisible()
    assert window.windowFlags() & Qt.WindowType.WindowType_Mask == Qt.WindowType.Window
    assert not window.windowFlags() & Qt.WindowType.FramelessWindowHint
    assert window.windowTitle() == "Stability – Lyapunov Lab"
    area.show_snapshot(Feed().advance(30).snapshot())
    settle(area)
    assert dock.pane._shown.snapshot.step == 30
    assert dock.header.menu_button.isVisible() and not dock.header.close_button.isVisible()
    menu = dock.make_menu()
    next(a for a in menu.actions() if a.text() == "Dock").trigger()
    assert not dock.is_afloat
    assert dock.isVisible() and dock.pane.isVisible() and dock.header.close_button.isVisible()
    assert dock.pane.window() is area


@FLOATING
def test_closing_the_window_of_a_plot_docks_it_and_keeps_the_place(area) -> None:
    dock = area.docks["stability"]
    dock.set_afloat(True)
    window_of(dock).setGeometry(60, 70, 500, 350)
    window_of(dock).close()
    assert dock.isVisible() and not dock.is_afloat
    dock.header.float_requested.emit()  # a double click
    assert window_of(dock).geometry() == QRect(60, 70, 500, 350)
    dock.toggleViewAction().trigger()  # as in the menu of the plots: show it on the page
    assert dock.pane.window() is area
    dock.set_afloat(True)
    next(a for a in dock.make_menu().actions() if a.text() == "Hide").trigger()
    assert not dock.is_afloat and not dock.isVisible()


@FLOATING
def test_a_dock_dragged_off_the_page_becomes_a_window(area, qtbot) -> None:
    dock = area.docks["stability"]
    dock.setFloating(True)  # as Qt does when it is let go outside
    qtbot.waitUntil(lambda: dock.is_afloat)
    assert not dock.isFloating()
    assert window_of(dock).isVisible()


@FLOATING
def test_floating_plots_come_back_at_the_next_start(area, qtbot) -> None:
    area.docks["stability"].set_afloat(True)
    window_of(area.docks["stability"]).setGeometry(60, 70, 500, 350)
    other = restored(qtbot, area.save_layout())
    settle(other)
    assert window_of(other.docks["stability"]).geometry() == QRect(60, 70, 500, 350)
    assert not any(dock.is_squeezed for dock in other.docks.values())
    other.reset_layout()
    assert other.docks["stability"].isVisible()


@FLOATING
@pytest.mark.parametrize(
    ("places", "afloat"),
    [
        ({"error": [0, 0, 3, 3]}, ["error"]),
        ({"error": [90000, -90000, 500, 400]}, ["error"]),
        ({"error": [0, "x", 1e9, None]}, ["error"]),
        ({"error": [10**30, 0, 500, 400]}, ["error"]),
        (None, ["error", "gone", 3]),
        (7, None),
        ([], "error"),
    ],
)
def test_odd_places_of_floating_plots_give_one_that_can_be_used(area, places, afloat) -> None:
    kept = json.loads(area.save_layout())
    kept["places"], kept["afloat"] = places, afloat
    assert area.restore_layout(json.dumps(kept).encode())
    settle(area)
    dock = area.docks["error"]
    if not dock.is_afloat:
        assert dock.isVisible() and not dock.is_squeezed
        return
    room = QGuiApplication.primaryScreen().availableGeometry()
    assert room.contains(window_of(dock).geometry())
    assert window_of(dock).width() >= 280 and window_of(dock).height() >= 200


def test_a_layout_that_squeezes_a_plot_is_not_taken_back(area, qtbot) -> None:
    area._inner.resizeDocks([area.docks["weights"]], [1], Qt.Orientation.Vertical)
    QApplication.processEvents()
    saved = area.save_layout()
    assert area.docks["weights"].is_squeezed
    assert area.restore_layout(saved)
    qtbot.waitUntil(lambda: not area.docks["weights"].is_squeezed)


SCREENS = (QRect(0, 0, 1280, 800), QRect(1280, 0, 1920, 1080))
PAGE = QRect(0, 0, 1280, 800)


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        (None, QRect(319, 179, 640, 440)),
        (QRect(60, 70, 500, 350), QRect(60, 70, 500, 350)),
        (QRect(1400, 70, 500, 350), QRect(1400, 70, 500, 350)),
        (QRect(60, 70, 2, 2), QRect(319, 179, 640, 440)),
        (QRect(5000, 70, 500, 350), QRect(780, 70, 500, 350)),
        (QRect(60, 5, 500, 350), QRect(60, 32, 500, 350)),
        (QRect(60, 900, 500, 350), QRect(60, 450, 500, 350)),
        (QRect(60, 70, 9000, 9000), QRect(1280, 32, 1920, 1048)),
        (QRect(900, 70, 500, 350), QRect(780, 70, 500, 350)),
        (QRect(-470, 70, 500, 350), QRect(0, 70, 500, 350)),
    ],
)
def test_the_window_of_a_plot_can_be_read_and_held(wanted: QRect | None, place: QRect) -> None:
    assert fitted(wanted, SCREENS, PAGE) == place


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_header_closes_its_plot_and_opens_its_menu(area, qtbot) -> None:
    dock = area.docks["spectrum"]
    qtbot.mouseClick(dock.header.close_button, Qt.MouseButton.LeftButton)
    assert not dock.isVisible()
    header = area.docks["error"].header
    qtbot.mouseClick(header.menu_button, Qt.MouseButton.LeftButton)
    popup = QApplication.activePopupWidget()
    assert popup is not None
    texts = [action.text() for action in popup.actions()]
    assert {"Log y", "Log x", "Auto range", "Reset view", "Copy image", "Float", "Hide"} <= set(
        texts
    )
    popup.close()


def test_the_picture_goes_to_the_clipboard(area) -> None:
    area.show_snapshot(Feed().advance(30).snapshot())
    settle(area)
    actions = {a.text(): a for a in area.docks["error"].make_menu().actions()}
    actions["Copy image"].trigger()
    image = QGuiApplication.clipboard().image()
    assert image.width() == 2 * area.docks["error"].pane.canvas.width()


def test_a_long_name_gives_way_to_the_button_of_the_legend(area) -> None:
    header = area.docks["spectrum"].header
    header.set_room(100)  # none for a second line
    header.set_texts("A name that is far too long for the header of a plot this narrow", "Help.")
    header.resize(260, 28)
    QApplication.processEvents()
    legend = header.legend
    assert legend._more.isVisible() and legend._more.text() == f"+{len(legend.chips)}"
    assert legend.rect().contains(legend._more.geometry())
    assert header.rect().contains(header.menu_button.geometry())
    header.set_texts("Short", "Help.")
    header.resize(700, 28)
    QApplication.processEvents()
    assert all(chip.isVisible() for chip in legend.chips)
    assert header.name.width() >= header.name.sizeHint().width()


def test_the_legend_shows_the_markers_of_the_plot(area) -> None:
    entries = {entry.text: entry for entry in area.docks["spectrum"].pane.entries()}
    assert (entries["unstable"].kind, entries["unstable"].symbol) == ("point", "x")
    chip = next(c for c in area.docks["spectrum"].header.legend.chips if c.entry.symbol == "x")
    image = chip.grab().toImage()
    middle = QPoint(12, chip.height() // 2)
    corner, side = QPoint(2, 2), QPoint(3, 0)
    assert image.pixelColor(middle + corner) != image.pixelColor(middle + side)  # a cross, no disc


def test_the_legend_puts_what_does_not_fit_in_a_menu(area) -> None:
    legend = area.docks["spectrum"].header.legend
    legend.resize(120, 22)
    hidden = [chip for chip in legend.chips if not chip.isVisible()]
    assert hidden
    assert legend._more.text() == f"+{len(hidden)}"
    legend._more_menu.aboutToShow.emit()
    actions = legend._more_menu.actions()
    assert [a.text() for a in actions] == ["1 − δλᵢ", "unstable"][-len(hidden) :]
    actions[-1].trigger()
    assert area.docks["spectrum"].pane.hidden == {"2"}


def test_controls_can_be_named_and_reached(area) -> None:
    for dock in area.docks.values():
        for button in (dock.header.menu_button, dock.header.close_button):
            assert button.accessibleName()
            assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
        for chip in dock.header.legend.chips:
            assert chip.accessibleName()
            assert chip.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert dock.pane.canvas.accessibleName()


def test_a_new_theme_repaints_everything(area, qapp) -> None:
    area.show_snapshot(Feed().advance(30).snapshot())
    settle(area)
    before = drawings(area)
    try:
        apply_theme(qapp, DARK)
        settle(area)
        assert area.docks["error"].pane._groups["0"].colors[0].name() == DARK.series[0]
        assert all(count > before[i] for i, count in drawings(area).items() if i != "hidden")
    finally:
        apply_theme(qapp, LIGHT)


def test_observations_without_a_run(area) -> None:
    area.set_views((NORMS, SPECTRUM))
    area.show_observation({"kinds": ["a"], "weight_norm": [1.0], "gradient_norm": [2.0]})
    settle(area)
    assert isinstance(area.docks["norms"].pane.view, BarView)
    assert area.docks["norms"].pane._values.shape == (1, 2)


def test_an_area_without_views_takes_snapshots(qtbot) -> None:
    area = PlotArea()
    qtbot.addWidget(area)
    area.show_snapshot(Feed().snapshot())
    area.show()
    area.set_views((ERROR,))
    QApplication.processEvents()
    assert isinstance(area.docks["error"].pane.view, TimeView)


def test_every_part_dies_with_the_area(qapp) -> None:
    area = PlotArea()
    area.resize(900, 600)
    area.set_views(ALL_VIEWS)
    area.show()
    area.show_snapshot(Feed().advance(30).snapshot())
    area.link.set_hover(3)
    QApplication.processEvents()
    area.docks["error"].make_menu()
    parts = [weakref.ref(area), weakref.ref(area.link)]
    parts += [weakref.ref(dock.pane) for dock in area.docks.values()]
    parts += [weakref.ref(dock.header.legend) for dock in area.docks.values()]
    canvases = [p.canvas for p in area.panes.values() if hasattr(p, "canvas")]
    parts += [weakref.ref(item) for c in canvases for item in (c, c.box, c.scene())]
    del canvases
    area.close()
    area.deleteLater()
    del area
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
        gc.collect()
    assert [part() for part in parts if part() is not None] == []


def test_changing_views_frees_the_old_ones(area) -> None:
    old = [weakref.ref(dock.pane) for dock in area.docks.values()]
    old += [weakref.ref(dock.pane.canvas.box) for dock in area.docks.values()]
    area.set_views((NORMS,))
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
        gc.collect()
    assert [part() for part in old if part() is not None] == []
    assert isinstance(area._inner, QMainWindow)
