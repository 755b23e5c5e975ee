"""The maps of the window, asked for, looked at and chosen from as a user does."""

from __future__ import annotations

import gc
import math
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from engine.core.params import update
from engine.executors.threads import Threads
from engine.maps import catalogue
from engine.maps.axis import Axis
from engine.maps.kind import Prepared
from engine.maps.live.live_map import LiveMap
from engine.maps.ready import ReadyMap
from engine.maps.shown import MapShown, MapWaits
from engine.maps.spec import MapSpec
from engine.run.snapshot import Status
from gui.maps.control import MapControl
from gui.maps.dock import BOTH, MAP, PLOTS
from gui.maps.source import MapSource
from gui.maps.track import middle_of
from gui.maps.zoom import ZoomDialog
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.settings import Settings
from gui.style import theme
from tests.engine.maps.logistic import LogisticKind, Region
from tests.gui.fakes import FakeExperiment, FakeParams, runner_double, snapshot

LEFT = Qt.MouseButton.LeftButton
ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier


class Desk:
    """The maps of a small real experiment, whose run is a double."""

    def __init__(self, qtbot: QtBot, settings: Settings | None = None) -> None:
        self.qtbot = qtbot
        self.kinds = {kind: LogisticKind(kind, "curvature", "offset") for kind in KINDS}
        self.runner = runner_double()
        self.bridge = Bridge(self.runner)
        self.control = RunControl(self.bridge)
        live = LiveMap(lambda kind: self.kinds[kind], lambda prepared, scheduler: Threads(2))
        self.settings = settings or Settings(None)
        self.host = QWidget()
        qtbot.addWidget(self.host)
        source = MapSource(live, self.host)
        self.maps = MapControl(self.control, self.bridge, self.settings, source, self.host)
        self.messages: list[str] = []
        self.modes: list[str] = []
        self.maps.message_requested.connect(self.messages.append)
        self.maps.mode_changed.connect(self.modes.append)
        self.control.settings_changed.connect(lambda *_: self.maps.show_settings())
        self.control.experiment_changed.connect(self.maps.set_experiment)
        for widget, size in ((self.maps.panel, (340, 700)), (self.maps.page, (640, 520))):
            qtbot.addWidget(widget)
            widget.resize(*size)
        self.control.choose(FakeExperiment(), FakeParams(curvature=2.5, offset=0.3))
        self.show()
        self.maps.panel.show()
        self.maps.page.move(400, 0)  # beside the panel, which would take the pointer
        self.maps.page.show()
        self.wait(lambda: bool(self.maps.offers.found))

    def show(self, **known: Any) -> None:
        """Let the engine make a picture of the run."""
        picture = snapshot(self.control.params, run_id=self.bridge._run_id, **known)
        self.runner.mailbox.put(picture)
        self.bridge.poll()
        self.maps.show_snapshot(picture)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window work until a condition holds."""
        self.qtbot.waitUntil(condition)

    def make(self, kind: str = "stability") -> MapShown:
        """Choose a kind of map, press the button and wait for the finished map."""
        form = self.maps.panel.form
        form.kind.setCurrentIndex(form.kind.findData(kind))
        form.kind.activated.emit(form.kind.currentIndex())
        self.qtbot.mouseClick(self.maps.panel.make, LEFT)
        return self.finished()

    def finished(self, condition: Callable[[MapShown], bool] = lambda shown: True) -> MapShown:
        """Wait for a finished map."""
        page = self.maps.page

        def is_there() -> bool:
            shown = page.shown
            return shown is not None and shown.state == "done" and condition(shown)

        self.wait(is_there)
        assert page.shown is not None
        return page.shown

    def pixel(self, x: float, y: float) -> QPoint:
        """Return where a point of the map is on its canvas."""
        canvas = self.maps.page.canvas
        return canvas.frame.mapper.point(x, y).toPoint()

    def close(self) -> None:
        self.maps.close(10.0)
        self.bridge.close()


KINDS = ("orbit", "stability")


@pytest.fixture
def desk(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    kinds = {kind: LogisticKind(kind, "curvature", "offset") for kind in KINDS}
    factories = {kind: lambda kind=kind: kinds[kind] for kind in KINDS}
    monkeypatch.setattr(catalogue, "KINDS", factories)
    desk = Desk(qtbot)
    yield desk
    desk.close()


def test_the_form_shows_what_is_offered(desk: Desk) -> None:
    form = desk.maps.panel.form
    assert [form.kind.itemData(i) for i in range(form.kind.count())] == list(KINDS)
    assert form.across.low.value == 2.0 and form.across.high.value == 4.0
    assert form.across.count.count == 64 and form.steps.count == 60
    assert desk.maps.panel.none.isHidden()


def test_a_map_is_made_and_shown_in_the_middle(desk: Desk) -> None:
    shown = desk.make()
    assert shown.known.all() and desk.modes == [MAP]
    panel = desk.maps.panel
    shares = {swatch.name: swatch.share for swatch in panel.legend.swatches}
    assert shares["fixed point"] > 0.4 and sum(shares.values()) == pytest.approx(1.0)
    assert "cells" in panel.state.text() and panel.bar.isHidden()
    names = [entry.text for entry in (chip.entry for chip in desk.maps.page.header.legend.chips)]
    assert "fixed point" in names


def test_borders_of_basins_are_measured_with_their_errors(desk: Desk) -> None:
    shown, panel = desk.make(), desk.maps.panel
    desk.maps.source.forget()  # the map comes again with its curves, in place of those below
    assert panel.borders.isHidden()
    codes = (np.indices((256, 256)).sum(axis=0) > 260).astype(np.uint8)
    spec = replace(shown.spec, kind="basin")
    basins = replace(shown, number=shown.number, spec=spec, arrays={"outcome": codes})
    desk.maps.source.shown.emit(basins)
    desk.wait(lambda: not panel.borders.isHidden())
    assert "Box dimension" in panel.borders.words.text()
    assert [name for _, name in panel.borders.plots.fits] == ["boxes", "uncertain"]
    assert all("±" in panel.legend.share(each) for each in panel.legend.swatches if each.code < 2)
    image = panel.borders.plots.grab().toImage()
    assert not image.isNull()
    desk.maps.source.shown.emit(replace(basins, number=shown.number + 1, state="making"))
    assert panel.borders.isHidden()
    assert not any("±" in panel.legend.share(each) for each in panel.legend.swatches)


def test_the_theory_lies_over_the_map_and_says_its_source(desk: Desk) -> None:
    desk.make()
    page = desk.maps.page
    desk.wait(lambda: len(page.overlays.overlays) == 3)
    at = desk.pixel(3.0, 1 - 1 / 3.0)
    QTest.mouseMove(page.canvas.viewport(), at)
    desk.wait(lambda: any("fixed point" in line and "1/r" in line for line in page.pointer.lines))


def test_what_the_cells_show_lies_over_a_finished_map(desk: Desk) -> None:
    shown = desk.make()
    page = desk.maps.page
    (curve,) = shown.found
    assert curve.label in [chip.entry.text for chip in page.header.legend.chips]
    place = len(curve.x) // 4
    QTest.mouseMove(page.canvas.viewport(), desk.pixel(curve.x[place], curve.y[place]))
    desk.wait(lambda: curve.label in page.pointer.lines)
    page.header.legend.toggled.emit(curve.label, False)
    assert curve not in page.overlays.visible
    desk.maps.source.shown.emit(replace(shown, number=shown.number + 1, state="making", found=()))
    assert curve.label not in [each.label for each in page.overlays.overlays]


def test_the_pointer_reads_class_and_values(desk: Desk) -> None:
    desk.make()
    texts: list[str] = []
    desk.maps.hovered.connect(texts.append)
    QTest.mouseMove(desk.maps.page.canvas.viewport(), desk.pixel(3.2, 0.4))
    desk.wait(lambda: bool(texts) and "period 2" in texts[-1])
    assert "Steps 60" in texts[-1] and "r = 3." in texts[-1]
    assert desk.maps.page.pointer.swatch == desk.maps.page.shown.color_at(3.2, 0.4)  # type: ignore[union-attr]


def test_a_click_begins_the_run_of_that_point(desk: Desk) -> None:
    desk.make()
    desk.runner.reset_mock()
    desk.qtbot.mouseClick(desk.maps.page.canvas.viewport(), LEFT, pos=desk.pixel(3.3, 0.5))
    params = desk.control.params
    assert isinstance(params, FakeParams)
    assert params.curvature == pytest.approx(3.3, abs=0.02)
    assert params.offset == pytest.approx(0.5, abs=0.02)
    assert (desk.runner.start.called and desk.runner.play.called) or desk.runner.start.call_args


def test_a_click_steers_the_run_where_only_live_parameters_differ(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = desk.make()
    monkeypatch.setattr(shown.prepared, "start_at", lambda x, y: {"step_size": 0.4})
    desk.show(status=Status.RUNNING)
    desk.runner.reset_mock()
    desk.qtbot.mouseClick(desk.maps.page.canvas.viewport(), LEFT, pos=desk.pixel(3.3, 0.5))
    assert desk.runner.retune.called and not desk.runner.start.called


def test_a_click_where_no_run_begins_is_one_sentence(desk: Desk) -> None:
    form = desk.maps.panel.form
    form.across.low.show_value(-3.0)
    desk.qtbot.mouseClick(desk.maps.panel.make, LEFT)
    desk.make()
    before = desk.control.params
    desk.maps.track.pick(-1.0, 0.5)
    assert "not allowed" in desk.messages[-1] and desk.control.params == before


def test_the_run_is_on_the_map(desk: Desk) -> None:
    desk.make()
    run = desk.maps.page.run
    assert (run.x, run.y) == (2.5, 0.3)
    desk.control.edit_params(update(desk.control.params, curvature=3.5))
    assert desk.maps.page.run.x == 3.5


def test_the_wheel_zooms_and_the_way_back_is_kept(desk: Desk) -> None:
    whole = desk.make()
    canvas = desk.maps.page.canvas
    at = QPointF(desk.pixel(3.0, 0.5))
    event = QWheelEvent(
        at, canvas.mapToGlobal(at), QPoint(), QPoint(0, 360), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas.viewport(), event)
    near = desk.finished(lambda shown: shown.spec.x != whole.spec.x)
    assert near.spec.x.high - near.spec.x.low < 2.0
    assert desk.maps.panel.form.across.low.value == near.spec.x.low
    desk.qtbot.mouseClick(desk.maps.page.back, LEFT)
    desk.finished(lambda shown: shown.spec.x == whole.spec.x)
    assert not desk.maps.page.back.isEnabled() and desk.maps.page.forward.isEnabled()
    canvas.setFocus()
    desk.qtbot.keyClick(canvas, Qt.Key.Key_Right, ALT)
    desk.finished(lambda shown: shown.spec.x == near.spec.x)
    desk.qtbot.keyClick(canvas, Qt.Key.Key_Home)
    desk.finished(lambda shown: shown.spec.x == whole.spec.x)


def test_a_rectangle_is_shown_larger_and_a_drag_moves_the_map(desk: Desk) -> None:
    whole = desk.make()
    view = desk.maps.page.canvas.viewport()
    begin, end = desk.pixel(2.4, 0.8), desk.pixel(3.2, 0.2)
    QTest.mousePress(view, LEFT, SHIFT, begin)
    QTest.mouseMove(view, (begin + end) / 2)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, LEFT, SHIFT, end)
    box = desk.finished(lambda shown: shown.spec.x != whole.spec.x)
    assert box.spec.x.low == pytest.approx(2.4, abs=0.02)
    assert box.spec.y.high == pytest.approx(0.8, abs=0.02)
    begin = desk.pixel(2.8, 0.5)
    QTest.mousePress(view, LEFT, Qt.KeyboardModifier.NoModifier, begin)
    for k in range(1, 6):
        QTest.mouseMove(view, begin + QPoint(10 * k, 0))
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, begin + QPoint(50, 0))
    moved = desk.finished(lambda shown: shown.spec.x.low < box.spec.x.low)
    span = box.spec.x.high - box.spec.x.low
    assert moved.spec.x.high - moved.spec.x.low == pytest.approx(span)
    assert desk.control.params.curvature == 2.5  # type: ignore[attr-defined]  # a drag is no click


def test_another_upward_range_of_an_orbit_diagram_computes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = desk.make("orbit")
    fitted = desk.maps.history.present
    assert fitted is not None and fitted.y.low > -0.1 and fitted.y.high < 1.1
    monkeypatch.setattr(desk.kinds["orbit"], "prepare", None)  # would fail if it were called
    desk.maps._on_zoomed(None, (0.4, 0.6))
    desk.finished(lambda now: now.look.ends == (0.4, 0.6))
    assert desk.maps.page.shown is not None and desk.maps.page.shown.number == shown.number
    assert not desk.maps.page.strip.isHidden()


def test_the_exponent_is_below_the_diagram_at_the_same_place(desk: Desk) -> None:
    desk.make("orbit")
    page = desk.maps.page
    desk.wait(lambda: page.strip.isVisible())

    def left(canvas: Any) -> float:
        plot = canvas.frame.mapper.plot
        return canvas.mapTo(page, plot.topLeft().toPoint()).x()

    desk.wait(lambda: abs(left(page.canvas) - left(page.strip.canvas)) <= 1)
    assert page.strip.canvas.x_axis.manual == page.canvas.x_axis.manual


def test_another_layer_is_drawn_without_making_the_map_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.make()
    monkeypatch.setattr(desk.kinds["stability"], "prepare", None)
    layer = desk.maps.panel.layer
    layer.setCurrentIndex(layer.findData("steps"))
    layer.activated.emit(layer.currentIndex())
    shown = desk.finished(lambda shown: shown.layer == "steps")
    assert shown.picture.bar is not None and shown.picture.bar.log
    assert desk.maps.page.bar.bar is not None


def test_a_theme_draws_the_map_in_its_colors(desk: Desk, qapp: QApplication) -> None:
    desk.make()
    before = theme.current_theme()
    try:
        theme.apply_theme(qapp, theme.DARK)
        desk.finished(lambda shown: shown.look.palette is theme.DARK)
    finally:
        theme.apply_theme(qapp, before)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [("4", "2", "2.0"), ("x", "2", "x"), ("2", "inf", "inf"), ("2", "40", "40")],
)
def test_a_range_that_cannot_be_used_is_one_sentence_at_its_field(
    desk: Desk, low: str, high: str, word: str
) -> None:
    form = desk.maps.panel.form
    form.kind.setCurrentIndex(form.kind.findData("stability"))
    form.kind.activated.emit(form.kind.currentIndex())
    for field, text in ((form.across.low, low), (form.across.high, high)):
        field.selectAll()
        desk.qtbot.keyClicks(field, text)
    desk.qtbot.mouseClick(desk.maps.panel.make, LEFT)
    desk.wait(lambda: bool(form.across.error.text()))
    assert word in form.across.error.text() and form.across.error.isVisible()
    assert desk.messages and desk.messages[-1].count(".") >= 1
    assert form.up.error.isHidden()


def test_cancel_keeps_what_is_made_and_the_map_goes_on_from_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, stuck = threading.Semaphore(5), threading.Event()
    live = desk.maps.source.live

    def gate() -> None:
        if not jobs.acquire(blocking=False):
            stuck.set()
            live._stop.wait(30)

    def prepare(wanted: MapSpec) -> Prepared:
        region = Region(wanted, gate)
        region.cells_a_job = 60
        return region

    monkeypatch.setattr(desk.kinds["stability"], "prepare", prepare)
    form = desk.maps.panel.form
    form.kind.setCurrentIndex(form.kind.findData("stability"))
    form.kind.activated.emit(form.kind.currentIndex())
    desk.qtbot.mouseClick(desk.maps.panel.make, LEFT)
    desk.wait(stuck.is_set)
    assert desk.maps.panel.cancel.isEnabled()
    desk.qtbot.mouseClick(desk.maps.panel.cancel, LEFT)
    panel = desk.maps.panel
    desk.wait(lambda: panel.state.text().startswith("Cancelled at"))
    assert panel.cancel.isHidden() and not panel.go_on.isHidden()
    jobs.release(10**6)
    monkeypatch.setattr(desk.kinds["stability"], "prepare", None)  # would fail if it were called
    desk.qtbot.mouseClick(panel.go_on, LEFT)
    shown = desk.finished()
    assert shown.known.all() and panel.go_on.isHidden() and not panel.cancel.isHidden()


def test_what_is_compiled_first_is_said_and_cancelled(desk: Desk) -> None:
    spec = desk.make().spec
    for compiled, state, said in (
        (0, "making", "once"),
        (2, "making", "2"),
        (2, "cancelled", "no"),
    ):
        desk.maps.source.waits.emit(MapWaits(number=9, spec=spec, compiled=compiled, state=state))
        assert said in desk.maps.panel.state.text()
        assert desk.maps.panel.cancel.isEnabled() is (state == "making")


def test_a_quick_map_follows_the_parameters(desk: Desk) -> None:
    desk.make()
    desk.control.edit_params(update(desk.control.params, momentum=0.5, method="momentum"))
    desk.finished(lambda shown: shown.spec.params == desk.control.params)
    assert desk.maps.page.notice.isHidden()


def test_a_map_of_other_parameters_says_so_and_is_made_again(desk: Desk) -> None:
    desk.make()
    desk.maps.panel.follow.setChecked(False)
    desk.control.edit_params(update(desk.control.params, projected=True))
    assert desk.maps.page.notice.isVisible()
    assert "other parameters" in desk.maps.page.notice_text.text()
    desk.qtbot.mouseClick(desk.maps.page.again, LEFT)
    desk.finished(lambda shown: shown.spec.params == desk.control.params)
    assert desk.maps.page.notice.isHidden()


def test_parameters_that_the_axes_vary_leave_the_map_true(desk: Desk) -> None:
    desk.make()
    desk.maps.panel.follow.setChecked(False)
    desk.control.edit_params(update(desk.control.params, curvature=3.9))
    assert desk.maps.page.notice.isHidden()


def test_an_experiment_without_maps_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "KINDS", {})
    desk.maps.set_experiment(FakeExperiment())
    desk.wait(lambda: desk.maps.panel.none.isVisible())
    assert desk.maps.panel.none.text().count(".") == 1
    assert desk.maps.panel.make.isHidden() or not desk.maps.panel.make.isVisible()


def test_a_ready_map_is_made_with_its_parameters(desk: Desk) -> None:
    spec = MapSpec(
        kind="stability",
        experiment="fake",
        params=FakeParams(projected=True),
        x=Axis(name="curvature", low=3.0, high=3.9, count=40),
        y=Axis(name="offset", low=0.1, high=0.9, count=30),
        steps=50,
    )
    ready = ReadyMap(id="one", title="One", description="What is to be seen.", spec=spec)
    panel = desk.maps.panel
    panel.set_ready((ready,))
    panel.ready.setCurrentIndex(1)
    panel.ready.activated.emit(1)
    shown = desk.finished()
    assert shown.spec.shape == (30, 40) and desk.control.params.projected  # type: ignore[attr-defined]
    assert panel.ready_text.text() == "What is to be seen." and desk.maps.page.notice.isHidden()
    assert panel.form.across.low.value == 3.0


def test_the_form_shows_what_the_map_on_screen_was_made_with(desk: Desk) -> None:
    maps, form = desk.maps, desk.maps.panel.form
    stale = maps.offers.found[
        "stability"
    ]  # offers an option that the ready map's parameters do not
    options = {**stale.offer.options, "u.w1": 1.0}
    maps.offers.found["stability"] = replace(stale, offer=replace(stale.offer, options=options))
    spec = MapSpec(
        kind="stability",
        experiment=FakeExperiment.id,
        params=FakeParams(curvature=3.0, offset=0.4),
        seed=0,
        x=Axis(name="curvature", low=3.0, high=3.5, count=40),
        y=Axis(name="offset", low=0.1, high=0.9, count=30),
        steps=50,
    )
    maps.make_ready(ReadyMap(id="one", title="One", description="Seen.", spec=spec))
    shown = desk.finished()
    asked = maps.offers._number
    maps._ask_offers()
    desk.wait(
        lambda: (
            maps.offers._number > asked
            and "u.w1" not in maps.offers.found["stability"].offer.options
        )
    )
    assert shown.spec.options == {}
    assert (form.across.count.count, form.up.count.count) == (40, 30)
    assert form.steps.count == 50 and form.across.low.value == 3.0


@given(
    low=st.floats(-100, 100),
    width=st.floats(1e-6, 100),
    count=st.integers(1, 2000),
    share=st.floats(0.0, 0.999),
)
def test_a_choice_on_a_map_is_short_and_stays_in_its_cell(
    low: float, width: float, count: int, share: float
) -> None:
    axis = Axis(name="x", low=low, high=low + width, count=count)
    value = float(axis.at(share * count))
    place = float(axis.place(value))
    chosen = middle_of(axis, value)
    if 0 <= place < count:
        assert float(axis.place(chosen)) == pytest.approx(math.floor(place) + 0.5, abs=0.06)


def test_a_choice_on_a_map_has_few_digits() -> None:
    axis = Axis(name="x", low=0.1, high=0.9, count=640)
    assert len(repr(middle_of(axis, 0.3333))) <= 7


def test_what_was_asked_for_is_kept(desk: Desk) -> None:
    form = desk.maps.panel.form
    desk.make()
    form.across.low.selectAll()
    desk.qtbot.keyClicks(form.across.low, "3.25")
    desk.qtbot.mouseClick(desk.maps.panel.make, LEFT)
    desk.finished(lambda shown: shown.spec.x.low == 3.25)
    desk.maps.set_experiment(FakeExperiment())
    desk.wait(lambda: bool(desk.maps.offers.found))
    assert form.across.low.value == 3.25
    assert desk.maps.page.shown is None and desk.maps.mode == PLOTS


@pytest.mark.parametrize("kept", [None, 3, [], {"kind": 4}, {"kind": "stability", "x": {}}])
def test_damaged_settings_are_as_if_they_were_not_there(desk: Desk, kept: Any) -> None:
    desk.settings.set_object("maps/fake", kept)
    desk.maps._wanted = None
    desk.maps.set_experiment(FakeExperiment())
    desk.wait(lambda: bool(desk.maps.offers.found))
    assert desk.maps.panel.form.across.low.value == 2.0


def test_files_and_the_command(desk: Desk, tmp_path: Path) -> None:
    desk.make()
    for kind, name in (("data", "m.npz"), ("shares", "m.csv")):
        desk.messages.clear()
        desk.maps.files.write(kind, tmp_path / name)
        desk.wait(lambda: bool(desk.messages))
        assert name in desk.messages[0]
    with np.load(tmp_path / "m.npz") as kept:
        assert kept["outcome"].shape == (48, 64) and kept["x"].shape == (64,)
    assert (tmp_path / "m.csv").read_text().startswith("code,class,cells,share")
    desk.maps.files.copy_command()
    text = QGuiApplication.clipboard().text()
    assert "map stability fake" in text and "--x curvature=2.0:4.0:64" in text


def test_the_zoom_is_offered_as_a_film_beside_the_files(desk: Desk) -> None:
    desk.make()
    for fill in (desk.maps.panel.export_menu_wanted.emit, desk.maps.page.menu_wanted.emit):
        menu = QMenu(desk.host)
        fill(menu)
        (film,) = [each for each in menu.actions() if each.text() == "Animate the zoom…"]
        assert film.isEnabled()
        film.trigger()
        assert "Zoom into the map first" in desk.messages.pop()
    part = replace(desk.maps.history.home, x=replace(desk.maps.history.home.x, high=3.0))
    desk.maps.history.go_to(part)
    desk.maps.files.show_zoom()
    (dialog,) = desk.maps.page.window().findChildren(ZoomDialog)
    dialog.close()
    assert not desk.messages


def test_the_keyboard_moves_the_crosshair_and_chooses(desk: Desk) -> None:
    desk.make()
    canvas = desk.maps.page.canvas
    canvas.setFocus()
    desk.qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert canvas.has_key_crosshair and desk.maps.page.pointer.lines
    before = desk.maps.page.pointer.at
    desk.qtbot.keyClick(canvas, Qt.Key.Key_Right, SHIFT)
    after = desk.maps.page.pointer.at
    assert before is not None and after is not None and after.x() == before.x() + 10
    desk.qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert desk.control.params.offset == pytest.approx(0.5, abs=0.02)  # type: ignore[attr-defined]
    desk.qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert not canvas.has_key_crosshair and desk.maps.page.pointer.at is None


def test_the_middle_shows_one_or_both(desk: Desk) -> None:
    desk.maps.set_mode(BOTH)
    assert desk.maps.mode == PLOTS  # there is no map yet
    desk.make()
    desk.qtbot.mouseClick(desk.maps.panel.mode.buttons[BOTH], LEFT)
    assert desk.modes[-1] == BOTH
    desk.qtbot.mouseClick(desk.maps.page.header.close_button, LEFT)
    assert desk.modes[-1] == PLOTS


def test_closing_ends_the_threads_and_frees_the_maps(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {kind: LogisticKind(kind, "curvature", "offset") for kind in KINDS}
    monkeypatch.setattr(catalogue, "KINDS", {kind: lambda kind=kind: kinds[kind] for kind in KINDS})
    desk = Desk(qtbot)
    desk.make()
    desk.close()
    gone = weakref.ref(desk.maps.source.live)
    assert not [t for t in threading.enumerate() if t.name.startswith("engine-maps")]
    del desk
    gc.collect()
    assert gone() is None or gc.get_referrers(gone())


@pytest.mark.parametrize("height", [300, 500, 2000])
def test_the_buttons_end_where_the_fields_end(desk: Desk, height: int) -> None:
    """Also where a scroll bar takes room from the fields, and none from the buttons."""
    panel = desk.maps.panel
    panel.resize(340, height)

    def end(widget: QWidget) -> int:
        return widget.mapTo(panel, QPoint(widget.width(), 0)).x()

    desk.qtbot.waitUntil(lambda: end(panel.cancel) == end(panel.form), timeout=3000)
