"""The parameter form, driven as a user drives it."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from engine.core.claims import Bound
from engine.core.errors import Refusal
from engine.core.params import PATHS, Params, Widget, describe, param, spec_of
from engine.core.registry import Entry
from engine.experiments import EXPERIMENTS
from gui.form.body import FormBody, make_row
from gui.form.expression import ExpressionRow
from gui.form.form import ParamForm
from gui.form.matrix import MatrixRow
from gui.form.number import NumberRow
from gui.form.row import in_words
from gui.form.snaps import increasing
from gui.form.texts import BoolRow, ChoiceRow, PathRow, TextRow
from gui.typeset.typesetter import typesetter
from gui.widgets.controls import readable
from tests.gui.fakes import FakeExperiment, FakeParams

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


class Watch:
    """Collects what a form emits."""

    def __init__(self, form: ParamForm) -> None:
        self.edits: list[tuple[Any, bool]] = []
        self.seeds: list[int] = []
        self.sentences: list[str] = []
        self.error_cleared: list[str] = []
        form.params_edited.connect(lambda params, live: self.edits.append((params, live)))
        form.seed_edited.connect(self.seeds.append)
        form.input_rejected.connect(self.sentences.append)
        form.input_error_cleared.connect(self.error_cleared.append)


@pytest.fixture
def form(qtbot: QtBot) -> ParamForm:
    form = ParamForm()
    qtbot.addWidget(form)
    form.set_experiment(FakeExperiment(), FakeParams(), 7)
    form.set_bounds(FakeExperiment().theory(FakeParams(), None))
    form.resize(320, 900)
    form.show()
    return form


@pytest.fixture
def watch(form: ParamForm) -> Watch:
    return Watch(form)


def number(form: ParamForm, name: str) -> NumberRow:
    row = form.row(name)
    assert isinstance(row, NumberRow)
    return row


def type_into(qtbot: QtBot, box: QWidget, text: str, enter: bool = True) -> None:
    box.setFocus()
    box.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(box, text)
    if enter:
        qtbot.keyClick(box, Qt.Key.Key_Return)


def wheel(widget: QWidget, notches: int) -> bool:
    center = QPointF(widget.rect().center())
    event = QWheelEvent(
        center,
        QPointF(widget.mapToGlobal(center.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def test_choices_are_written_for_people() -> None:
    assert [readable(c) for c in ("at-minimum", "cpu", "cuda", "mps", "auto")] == [
        "At minimum",
        "CPU",
        "CUDA",
        "MPS",
        "Auto",
    ]


def test_every_kind_of_field_has_its_row(form: ParamForm) -> None:
    kinds = {
        "depth": NumberRow,
        "step_size": NumberRow,
        "projected": BoolRow,
        "init": ChoiceRow,
        "source": ChoiceRow,
        "start": TextRow,
        "matrix": MatrixRow,
        "points": MatrixRow,
        "file": PathRow,
        "function": ExpressionRow,
        "note": TextRow,
    }
    for name, kind in kinds.items():
        assert type(form.row(name)) is kind
    init, source = form.row("init"), form.row("source")
    assert isinstance(init, ChoiceRow) and isinstance(source, ChoiceRow)
    assert init.segments is not None
    assert source.combo is not None


def test_setting_from_outside_never_emits(form: ParamForm, watch: Watch) -> None:
    params = FakeParams(step_size=0.7, depth=12, init="random", source="typed", projected=True)
    form.set_params(params)
    form.set_seed(99)
    form.set_bounds(FakeExperiment().theory(params, None))
    form.set_experiment(FakeExperiment(), FakeParams(), 3)
    assert watch.edits == [] and watch.seeds == [] and watch.sentences == []
    assert form.params == FakeParams()
    assert form.seed == 3


def test_a_typed_number_keeps_all_its_digits(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    type_into(qtbot, number(form, "step_size").box, "0.12345678901234567")
    [(params, live)] = watch.edits
    assert params.step_size == 0.12345678901234567
    assert live
    type_into(qtbot, number(form, "curvature").box, "1.5e-3")
    params, live = watch.edits[-1]
    assert params.curvature == 1.5e-3
    assert not live


def test_a_pause_in_typing_is_enough(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    box = number(form, "step_size").box
    type_into(qtbot, box, "0.75", enter=False)
    assert watch.edits == []
    qtbot.waitUntil(lambda: bool(watch.edits))
    assert watch.edits[-1][0].step_size == 0.75
    assert box.text() == "0.75"


def test_a_bad_text_is_marked_and_the_last_good_value_stays(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    row = number(form, "step_size")
    for text in ("-1", "nan", "abc", "", "1e999"):
        type_into(qtbot, row.box, text) if text else (
            row.box.clear(),
            row.box.take(),
        )
        assert row.error.text().startswith("Step size δ: ")
        assert row.error.text().endswith("give a finite number > 0.")
        assert row.error.isVisible()
        assert row.box.property("invalid") is True
        assert row.box.text() == text
        assert watch.sentences[-1] == row.error.text()
        assert form.params == FakeParams()
    assert watch.edits == []
    type_into(qtbot, row.box, "0.4")
    assert row.error.text() == "" and not row.error.isVisible()
    assert row.box.property("invalid") is False
    assert watch.edits[-1][0].step_size == 0.4


def test_a_mark_goes_as_soon_as_what_is_typed_would_do(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    row = number(form, "step_size")
    type_into(qtbot, row.box, "-")
    sentence = row.error.text()
    assert watch.error_cleared == []
    type_into(qtbot, row.box, "0", enter=False)
    assert row.error.text() == sentence and watch.error_cleared == []
    qtbot.keyClicks(row.box, ".5")
    assert row.error.text() == "" and row.box.property("invalid") is False
    assert watch.error_cleared == [sentence]
    assert watch.edits == []  # the value itself waits for a pause as ever
    qtbot.keyClick(row.box, Qt.Key.Key_Return)
    assert watch.edits[-1][0].step_size == 0.5
    assert watch.error_cleared == [sentence]


def test_a_field_that_frees_another_takes_its_mark_away(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    form.set_params(FakeParams(init="list"))
    depth, start, bad = number(form, "depth"), form.row("start"), number(form, "curvature")
    type_into(qtbot, bad.box, "-")
    type_into(qtbot, depth.box, "2")
    assert start.error.text() and bad.error.text()
    type_into(qtbot, depth.box, "3", enter=False)
    assert start.error.text() == ""
    assert bad.error.text()


def test_a_mark_of_the_seed_goes_as_soon_as_what_is_typed_would_do(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    box = form.footer.box
    type_into(qtbot, box, "1.5")
    [sentence] = watch.sentences
    assert form.footer.error.text() == sentence
    type_into(qtbot, box, "15", enter=False)
    assert form.footer.error.text() == "" and watch.error_cleared == [sentence]
    assert watch.seeds == []


def test_a_sentence_says_what_the_form_says(form: ParamForm) -> None:
    refusal = Refusal("start", "step_size", "give one a layer, or lower step_size")
    assert form.in_words(refusal) == (
        "Weights w[0]: 'step_size' is not allowed; give one a layer, or lower Step size δ."
    )
    other = Refusal("model", "start: 'x' is not allowed; ", "give step_size")
    assert form.in_words(other) == str(other)


def test_a_click_on_a_label_goes_to_its_field(form: ParamForm, qtbot: QtBot) -> None:
    form.activateWindow()
    qtbot.waitUntil(form.isActiveWindow)
    for name, row in form.body.rows.items():
        if not row.isVisible():
            continue
        form.body.ensureWidgetVisible(row)
        for part in (row.label, row.symbol):
            if part.isVisible():
                form.setFocus()
                qtbot.mouseClick(part, LEFT)
                focused = QApplication.focusWidget()
                assert focused is not None and row.isAncestorOf(focused), name
    box = number(form, "step_size").box
    qtbot.mouseClick(number(form, "step_size").label, LEFT)
    assert box.hasFocus() and box.selectedText() == "0.3"


def test_the_sentence_of_a_field_in_use_comes_into_view(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    row = number(form, "step_size")
    bottom = row.mapTo(form, QPoint(0, row.height())).y()
    form.resize(320, bottom + form.footer.height())
    QApplication.processEvents()
    type_into(qtbot, row.box, "-1")
    QApplication.processEvents()
    area = form.body.viewport()
    corner = row.error.mapTo(area, QPoint(0, row.error.height()))
    assert corner.y() <= area.height()


def test_other_fields_work_while_one_is_marked(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    bad, good = number(form, "step_size"), number(form, "depth")
    type_into(qtbot, bad.box, "-3")
    type_into(qtbot, good.box, "10")
    assert watch.edits[-1][0] == FakeParams(depth=10)
    assert bad.box.text() == "-3" and bad.error.text()
    assert good.error.text() == ""


def test_escape_brings_the_good_value_back(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    row = number(form, "step_size")
    type_into(qtbot, row.box, "-3")
    qtbot.keyClick(row.box, Qt.Key.Key_Escape)
    assert row.box.text() == "0.3"
    assert row.error.text() == ""
    type_into(qtbot, number(form, "depth").box, "2")
    assert watch.edits[-1][0] == FakeParams(depth=2)


def test_values_that_belong_together_are_taken_together(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    """A rule over two fields marks the one it names; both apply once they fit."""
    form.set_params(FakeParams(init="list"))
    depth, start = number(form, "depth"), form.row("start")
    assert isinstance(start, TextRow)
    type_into(qtbot, depth.box, "2")
    assert start.error.text() == "Weights w[0]: [1.0, 1.0, 1.0] is not allowed; " + (
        "give 2 numbers, one a layer."
    )
    assert watch.edits == []
    type_into(qtbot, start.box, "1, -2")
    assert [edit[0] for edit in watch.edits] == [
        FakeParams(init="list", depth=2, start=(1.0, -2.0))
    ]
    assert start.error.text() == ""


def test_a_choice_shows_only_what_has_an_effect(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    assert form.row("start").isHidden() and form.row("momentum").isHidden()
    method = form.row("method")
    assert isinstance(method, ChoiceRow) and method.segments is not None
    qtbot.mouseClick(method.segments.buttons["nesterov"], LEFT)
    assert watch.edits == [(FakeParams(method="nesterov"), False)]
    assert form.row("momentum").isVisible()
    qtbot.mouseClick(method.segments.buttons["gradient"], LEFT)
    assert form.row("momentum").isHidden()


def test_a_hidden_field_does_not_take_the_view_away(form: ParamForm, qtbot: QtBot) -> None:
    """Fields that appear above the one in use do not move it on the screen."""
    form.resize(320, 400)
    box = number(form, "ensemble").box
    box.setFocus()
    form.body.ensureWidgetVisible(box)
    before = box.mapTo(form, QPoint(0, 0)).y()
    form.set_params(FakeParams(method="momentum", init="random"))
    assert box.hasFocus()
    assert box.mapTo(form, QPoint(0, 0)).y() == pytest.approx(before, abs=1)


def test_dragging_a_live_slider_emits_at_every_move(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    row = number(form, "step_size")
    slider = row.slider
    start = QPoint(round(slider.x_of(slider.value() / 10_000)), 10)
    gesture = form.gesture
    qtbot.mousePress(slider, LEFT, pos=start)
    for dx in (5, 10, 15, 20):
        qtbot.mouseMove(slider, start + QPoint(dx, 0))
    values = [params.step_size for params, live in watch.edits if live]
    assert len(values) == 4 and values == sorted(values)
    qtbot.mouseRelease(slider, LEFT, pos=start + QPoint(20, 0))
    assert form.params is not None
    assert form.params.step_size == values[-1]  # type: ignore[attr-defined]
    assert len(watch.edits) == 4
    assert form.gesture != gesture
    once = form.gesture
    qtbot.mousePress(slider, LEFT, pos=start)
    qtbot.mouseRelease(slider, LEFT, pos=start)
    assert form.gesture != once


def test_dragging_a_structural_slider_emits_on_release(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    slider = number(form, "depth").slider
    start = QPoint(round(slider.x_of(slider.value() / 10_000)), 10)
    qtbot.mousePress(slider, LEFT, pos=start)
    for dx in (20, 40, 60):
        qtbot.mouseMove(slider, start + QPoint(dx, 0))
    assert watch.edits == []
    qtbot.mouseRelease(slider, LEFT, pos=start + QPoint(60, 0))
    [(params, live)] = watch.edits
    assert params.depth > 3 and not live


def test_a_structural_slider_held_still_takes_effect(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    slider = number(form, "depth").slider
    qtbot.mousePress(slider, LEFT, pos=QPoint(150, 10))
    qtbot.waitUntil(lambda: len(watch.edits) == 1)
    qtbot.mouseRelease(slider, LEFT, pos=QPoint(150, 10))
    assert len(watch.edits) == 1


def test_fine_buttons_step_and_repeat(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    row = number(form, "step_size")
    qtbot.mouseClick(row.box.plus, LEFT)
    assert watch.edits[-1][0].step_size == 0.301
    qtbot.mouseClick(row.box.minus, LEFT, SHIFT)
    assert watch.edits[-1][0].step_size == 0.291
    qtbot.mouseClick(row.box.plus, LEFT, CTRL)
    assert watch.edits[-1][0].step_size == 0.29101
    assert all(live for _, live in watch.edits)
    qtbot.mousePress(row.box.plus, LEFT)
    qtbot.waitUntil(lambda: len(watch.edits) >= 7)
    qtbot.mouseRelease(row.box.plus, LEFT)


def test_keys_step_like_the_buttons(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    row = number(form, "step_size")
    row.box.setFocus()
    qtbot.keyClick(row.box, Qt.Key.Key_Up)
    assert watch.edits[-1][0].step_size == 0.301
    qtbot.keyClick(row.box, Qt.Key.Key_Down, CTRL | SHIFT)
    assert watch.edits[-1][0].step_size == 0.3009999
    qtbot.keyClick(row.box, Qt.Key.Key_PageUp)
    assert watch.edits[-1][0].step_size == 0.3109999
    row.slider.setFocus()
    qtbot.keyClick(row.slider, Qt.Key.Key_Right)
    assert watch.edits[-1][0].step_size == 0.3119999
    depth = number(form, "depth")
    depth.box.setFocus()
    qtbot.keyClick(depth.box, Qt.Key.Key_Up, SHIFT)
    form.flush()
    assert watch.edits[-1][0].depth == 13


def test_presses_of_a_structural_button_are_taken_together(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    row = number(form, "depth")
    for _ in range(4):
        qtbot.mouseClick(row.box.plus, LEFT)
    assert watch.edits == []
    qtbot.waitUntil(lambda: bool(watch.edits))
    assert [edit[0].depth for edit in watch.edits] == [7]


def test_a_step_never_leaves_the_limits(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    form.set_params(FakeParams(depth=2))
    row = number(form, "depth")
    qtbot.mouseClick(row.box.minus, LEFT, SHIFT)
    qtbot.mouseClick(row.box.minus, LEFT)
    form.flush()
    assert watch.edits[-1][0].depth == 1
    assert watch.sentences == []


def test_snap_buttons_give_a_bound_exactly(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    params = FakeParams(curvature=3.0)
    form.set_params(params)
    form.set_bounds(FakeExperiment().theory(params, None))
    strip = number(form, "step_size").strip
    assert list(strip.buttons) == ["delta_c", "delta_max"]  # the third has no value
    qtbot.mouseClick(strip.buttons["delta_max"], LEFT)
    assert watch.edits[-1] == (FakeParams(curvature=3.0, step_size=2 / 3), True)
    assert strip.buttons["delta_c"].accessibleName() == "Set Step size to δc = 0.333333"
    strip.buttons["delta_c"].setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(strip.buttons["delta_c"], Qt.Key.Key_Space)
    assert watch.edits[-1][0].step_size == 1 / 3


@pytest.mark.qt_log_ignore("does not support (raise|grabbing)")
def test_the_units_are_typeset_in_their_menu(
    form: ParamForm, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(
        "gui.form.unit_menu.draw_formula",
        lambda painter, box, formula, *rest: drawn.append(formula),
    )
    row = number(form, "step_size")
    menu = row.unit.menu()
    menu.popup(form.mapToGlobal(QPoint(10, 10)))
    QApplication.processEvents()
    menu.grab()
    assert set(drawn) == {r"{\times\,\delta_c}", r"{\times\,\delta_{\max}}"}
    actions = menu.actions()
    qtbot.mouseMove(menu, menu.actionGeometry(actions[2]).center())
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(actions[2]).center())
    assert row.unit.unit == "delta_max" and not menu.isVisible()
    menu.popup(form.mapToGlobal(QPoint(10, 10)))
    assert [action.isChecked() for action in menu.actions()] == [False, False, True]
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    assert menu.activeAction() is menu.actions()[0]
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert row.unit.unit == ""


def test_the_unit_changes_what_is_shown_and_read(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    row = number(form, "step_size")
    menu = row.unit.menu()
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()][:2] == ["value", "× δc: Monotone up to"]
    menu.actions()[2].trigger()
    assert row.unit.unit == "delta_max"
    assert row.box.text() == "0.3"  # 2/s is 1
    assert watch.edits == []
    params = FakeParams(curvature=8.0)
    form.set_params(params)
    form.set_bounds(FakeExperiment().theory(params, None))
    assert row.box.text() == "1.2"
    assert row.times.text() == "= 0.3"
    type_into(qtbot, row.box, "2")
    assert watch.edits[-1][0].step_size == 0.5
    qtbot.mouseClick(row.box.plus, LEFT)
    assert watch.edits[-1][0].step_size == pytest.approx(0.25 * 2.01)


def test_bounds_that_do_not_change_touch_nothing(form: ParamForm, qtbot: QtBot) -> None:
    row = number(form, "step_size")
    buttons = dict(row.strip.buttons)
    form.set_bounds(FakeExperiment().theory(FakeParams(), None))
    form.set_bounds(FakeExperiment().theory(FakeParams(curvature=4.0), None))
    assert row.strip.buttons == buttons
    assert [mark.value for mark in row.marks] == [0.25, 0.5]
    form.set_bounds(())
    assert row.marks == () and not row.unit.isEnabled() and row.strip.buttons == {}
    form.set_params(FakeParams(source="file"))  # where the theory has nothing to say
    assert not row.unit.isVisible() and not row.strip.isVisible()


def test_a_field_keeps_room_for_its_bounds(qtbot: QtBot) -> None:
    form = ParamForm()
    qtbot.addWidget(form)
    form.set_experiment(FakeExperiment(), FakeParams(), 7)
    form.resize(320, 900)
    form.show()
    row = number(form, "step_size")
    assert row.unit.isVisible() and not row.unit.isEnabled()

    def places() -> list[Any]:
        QApplication.processEvents()
        parts = (row, row.box, row.slider, row.unit, row.strip)
        rest = [form.row(name).y() for name in ("method", "projected")]
        return [part.geometry().getRect() for part in parts] + rest

    before = places()
    form.set_bounds(FakeExperiment().theory(FakeParams(), None))
    for mark in row.marks:
        qtbot.waitUntil(lambda mark=mark: typesetter().get(mark.inline) is not None)
    row.reference.updateGeometry()
    assert places() == before
    assert row.times.text() == "= 0.3 ×" and set(row.strip.buttons) == {"delta_c", "delta_max"}
    form.set_bounds(())
    assert places() == before
    assert row.times.text() == ""


def test_the_wheel_scrolls_and_changes_nothing_that_has_no_focus(
    form: ParamForm, watch: Watch
) -> None:
    form.set_params(FakeParams(source="typed"))
    number(form, "depth").box.setFocus()
    source = form.row("source")
    assert isinstance(source, ChoiceRow) and source.combo is not None
    step = number(form, "step_size")
    for widget in (step.box, step.slider, source.combo, number(form, "momentum").box):
        assert not widget.hasFocus()
        wheel(widget, 1)
    form.flush()
    assert watch.edits == []
    step.box.setFocus()
    assert wheel(step.box, 1)
    assert watch.edits[-1][0].step_size == 0.301


def test_space_in_a_number_is_left_to_the_window(form: ParamForm, qtbot: QtBot) -> None:
    box = number(form, "step_size").box
    heard: list[int] = []

    class Window(QWidget):
        def keyPressEvent(self, event: Any) -> None:
            heard.append(event.key())

    window = Window()
    qtbot.addWidget(window)
    form.setParent(window)
    window.show()
    form.show()
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert heard == [Qt.Key.Key_Space]
    assert box.text() == "0.3"
    form.setParent(None)


def test_switch_and_combo(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    projected, source = form.row("projected"), form.row("source")
    assert isinstance(projected, BoolRow)
    assert isinstance(source, ChoiceRow) and source.combo is not None
    qtbot.mouseClick(projected.switch, LEFT)
    assert watch.edits[-1] == (FakeParams(projected=True), True)
    source.combo.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClicks(source.combo, "F")
    assert watch.edits[-1][0].source == "file"
    assert form.row("file").isVisible()


@pytest.mark.parametrize("widget", PATHS)
def test_a_field_of_a_path_asks_for_what_it_takes(widget: Widget, qtbot: QtBot) -> None:
    spec = next(spec for spec in describe(FakeParams) if spec.name == "file")
    row = PathRow(dataclasses.replace(spec, widget=widget))
    qtbot.addWidget(row)
    said = row.box.placeholderText()
    assert ("file" in said, "folder" in said) == (widget != "folder", widget != "file")
    assert (row.browse.menu() is not None) is (widget == "path")
    if widget != "path":
        qtbot.mouseClick(row.browse, LEFT)
        dialog = row.findChild(QFileDialog)
        assert (dialog.fileMode() is QFileDialog.FileMode.Directory) is (widget == "folder")
        dialog.close()


def test_texts_wait_for_enter(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    form.set_params(FakeParams(source="file"))
    path = form.row("file")
    assert isinstance(path, PathRow)
    type_into(qtbot, path.box, "data.csv", enter=False)
    assert not path.box._pause.isActive()
    qtbot.keyClick(path.box, Qt.Key.Key_Return)
    assert watch.edits[-1][0].file == "data.csv"
    note = form.row("note")
    assert isinstance(note, TextRow)
    type_into(qtbot, note.box, "a remark", enter=False)
    path.box.setFocus()
    assert watch.edits[-1][0].note == "a remark"


def test_lists_and_matrices_are_read_as_typed(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    form.set_params(FakeParams(init="list", source="typed"))
    start, matrix = form.row("start"), form.row("matrix")
    assert isinstance(start, TextRow) and isinstance(matrix, MatrixRow)
    type_into(qtbot, start.box, "3, 1 0.5e0")
    assert watch.edits[-1][0].start == (3.0, 1.0, 0.5)
    type_into(qtbot, matrix.box, "1 4; 0 1.1")
    assert watch.edits[-1][0].matrix == ((1.0, 4.0), (0.0, 1.1))
    assert matrix.summary.text() == "2 × 2"
    type_into(qtbot, matrix.box, "1 x; 0 1")
    assert matrix.error.text().startswith("Matrix R: '1 x; 0 1' is not allowed; give rows")


def test_many_numbers_are_summed_up(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    points = tuple((float(i), float(i * i)) for i in range(500))
    form.set_params(FakeParams(source="points", points=points))
    row = form.row("points")
    assert isinstance(row, MatrixRow)
    assert row.summary.text() == "500 points"
    assert row.box.isReadOnly() and row.box.text() == "0 0; 1 1; 2 4 …"
    row.box.take()
    assert watch.edits == []
    qtbot.mouseClick(row.clear, LEFT)
    assert watch.edits[-1][0].points == ()
    assert not row.clear.isEnabled()


def test_the_seed_is_typed_stepped_or_drawn(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    footer = form.footer
    assert footer.box.text() == "7"
    type_into(qtbot, footer.box, "12")
    qtbot.mouseClick(footer.box.plus, LEFT)
    assert watch.seeds == [12, 13]
    type_into(qtbot, footer.box, "-4")
    assert watch.sentences[-1].startswith("Seed: '-4' is not allowed")
    assert form.seed == 13
    qtbot.mouseClick(footer.new, LEFT)
    assert form.seed == int(footer.box.text()) and len(watch.seeds) == 3
    assert footer.error.text() == ""


def test_reset_gives_all_defaults_as_one_edit(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    form.set_params(FakeParams(step_size=0.9, depth=40, init="random"))
    type_into(qtbot, number(form, "step_size").box, "-1")
    qtbot.mouseClick(form.footer.reset, LEFT)
    assert watch.edits == [(FakeParams(), False)]
    assert number(form, "step_size").error.text() == ""
    qtbot.mouseClick(form.footer.reset, LEFT)
    assert len(watch.edits) == 1


def test_what_is_being_typed_survives_a_change_elsewhere(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    row = number(form, "curvature")
    type_into(qtbot, row.box, "1e", enter=False)
    form.set_params(FakeParams(step_size=0.8))
    assert row.box.text() == "1e"
    assert number(form, "step_size").box.text() == "0.8"
    form.set_params(FakeParams(step_size=0.8, curvature=4.0))
    assert row.box.text() == "4"


def test_giving_a_value_is_an_edit(form: ParamForm, watch: Watch) -> None:
    form.give("step_size", 0.125)
    assert watch.edits == [(FakeParams(step_size=0.125), True)]
    assert number(form, "step_size").box.text() == "0.125"
    form.give("step_size", -1.0)
    assert number(form, "step_size").error.text()
    assert form.params == FakeParams(step_size=0.125)
    form.give("no such field", 1)


@given(value=st.text(max_size=90), allowed=st.text(max_size=40))
def test_a_sentence_of_the_form_shows_the_value_whatever_is_in_it(value: str, allowed: str) -> None:
    given_as = (
        repr(value) if len(repr(value)) <= 80 else repr(value)[:37] + "..." + repr(value)[-40:]
    )
    sentence = in_words(Refusal("start", value, allowed), FakeParams)
    assert sentence.startswith(f"Weights w[0]: {given_as} is not allowed; ")


def test_a_refusal_of_the_engine_marks_its_field(form: ParamForm) -> None:
    assert form.mark(Refusal("file", "x.csv", "give a file that exists"))
    assert form.row("file").error.text().startswith("File: ")
    assert not form.mark(Refusal("nothing", "x", "give something"))


def test_a_handler_that_sets_the_same_parameters_ends_there(
    form: ParamForm, watch: Watch, qtbot: QtBot
) -> None:
    form.params_edited.connect(lambda params, live: form.set_params(params))
    type_into(qtbot, number(form, "step_size").box, "0.45")
    qtbot.mouseClick(number(form, "step_size").box.plus, LEFT)
    assert [edit[0].step_size for edit in watch.edits] == [0.45, 0.451]


@given(st.lists(st.floats(-1e3, 1e3), max_size=6))
def test_snap_buttons_are_pushed_apart_no_more_than_needed(numbers: list[float]) -> None:
    placed = increasing(numbers)
    assert placed == sorted(placed)
    assert sum(placed) == pytest.approx(sum(numbers), abs=1e-6)
    if numbers == sorted(numbers):
        assert placed == numbers


def test_close_bounds_have_buttons_that_do_not_overlap(form: ParamForm) -> None:
    def bound(key: str, symbol: str, value: float) -> Bound:
        return Bound(id=key, name=key, symbol=symbol, value=value, source="", field="step_size")

    form.set_bounds(
        (
            bound("a", r"\delta_c", 0.25),
            bound("b", r"\delta_{\max}", 0.5),
            bound("c", r"\frac{2}{S}", 0.5001),
            bound("d", r"\frac{1}{\sigma(1-\lambda)}", 0.51),
        )
    )
    strip = number(form, "step_size").strip
    boxes = [strip.buttons[key].geometry() for key in "abcd"]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.intersects(other)
    assert all(strip.rect().contains(box) for box in boxes)
    assert [box.left() for box in boxes] == sorted(box.left() for box in boxes)


class OptionalParams(Params):
    power: float | None = param(None, "Given, or computed if empty.", gt=0)


def test_an_optional_number_may_be_empty(qtbot: QtBot) -> None:
    class Experiment(FakeExperiment):
        pass

    form = ParamForm()
    qtbot.addWidget(form)
    watch = Watch(form)
    form.set_experiment(FakeExperiment(), OptionalParams(), 0)
    form.show()
    row = number(form, "power")
    assert row.box.text() == "" and not row.slider.isEnabled()
    type_into(qtbot, row.box, "2.5")
    assert watch.edits[-1][0].power == 2.5 and row.slider.isEnabled()
    row.box.clear()
    row.box.take()
    assert watch.edits[-1][0].power is None


def test_another_model_builds_another_form(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    form.set_experiment(FakeExperiment(), OptionalParams(), 1)
    assert list(form.body.rows) == ["power"]
    form.set_experiment(FakeExperiment(), FakeParams(depth=5), 2)
    assert number(form, "depth").box.text() == "5"
    with pytest.raises(ValueError, match="another experiment"):
        form.set_params(OptionalParams())
    assert watch.edits == []


def test_every_control_has_a_name_and_is_reached_by_tab(form: ParamForm, qtbot: QtBot) -> None:
    form.set_params(FakeParams(init="list", method="momentum", source="typed"))
    named = [w for w in form.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    for widget in named:
        if widget.isVisible() and widget.focusProxy() is None:
            assert widget.accessibleName() or widget.objectName().startswith("qt_"), widget
    reached = set()
    form.setFocus()
    for _ in range(60):
        qtbot.keyClick(QApplication.focusWidget() or form, Qt.Key.Key_Tab)
        reached.add(QApplication.focusWidget())
    for name in ("depth", "step_size", "momentum", "projected", "start", "matrix", "source"):
        control = form.row(name).control
        assert control in reached or control.focusProxy() in reached, name
    step = number(form, "step_size")
    assert {step.slider, step.unit, *step.strip.buttons.values()} <= reached


@pytest.mark.parametrize("width", [300, 320, 420])
def test_nothing_is_clipped(form: ParamForm, width: int, qtbot: QtBot) -> None:
    form.set_params(FakeParams(init="list", method="momentum", source="typed"))
    form.resize(width, 900)
    QApplication.processEvents()
    body = form.body.widget()
    assert body.width() <= form.body.viewport().width()
    for row in form.body.rows.values():
        for child in row.findChildren(QWidget):
            if child.isVisible() and child.parent() is row:
                assert row.rect().contains(child.geometry()), (row.spec.name, child)


@pytest.mark.parametrize(
    "choices",
    [
        ("gradient-descent", "heavy-ball", "nesterov"),
        ("a", "b", "c", "d", "a choice that needs some room"),
        ("one", "two", "three", "four", "five"),
    ],
)
def test_choices_are_never_cut_off(choices: tuple[str, ...], qtbot: QtBot) -> None:
    spec = dataclasses.replace(spec_of(FakeParams, "source"), choices=choices)
    row = ChoiceRow(spec)
    qtbot.addWidget(row)
    row.resize(272, row.sizeHint().height())
    row.show()
    assert row.minimumSizeHint().width() <= 272
    if row.combo is not None:
        longest = max(row.combo.fontMetrics().horizontalAdvance(readable(c)) for c in choices)
        assert row.combo.width() >= longest + 36


def test_rows_are_made_for_all_kinds_alone(qtbot: QtBot) -> None:
    for spec in describe(FakeParams):
        row = make_row(spec, False)
        qtbot.addWidget(row)
        row.show_value(spec.default)
        assert spec.help in row.help_html


def test_the_form_is_freed(qtbot: QtBot) -> None:
    form = ParamForm()
    form.set_experiment(FakeExperiment(), FakeParams(), 0)
    form.set_bounds(FakeExperiment().theory(FakeParams(), None))
    form.show()
    gone = weakref.ref(form)
    form.close()
    form.deleteLater()
    del form
    QApplication.sendPostedEvents(None, 52)  # QEvent.Type.DeferredDelete
    gc.collect()
    assert gone() is None


def test_a_refusal_repeats_what_was_typed(form: ParamForm, watch: Watch, qtbot: QtBot) -> None:
    for text in ("0", "1e400", "-0.50"):
        type_into(qtbot, number(form, "step_size").box, text)
        assert watch.sentences[-1] == (
            f"Step size δ: '{text}' is not allowed; give a finite number > 0."
        )
    type_into(qtbot, number(form, "depth").box, "1001")
    assert watch.sentences[-1].endswith("give a whole number ≥ 1 and ≤ 1\u2009000.")


def test_one_large_number_stretches_the_slider_only_while_it_is_there(
    form: ParamForm, qtbot: QtBot
) -> None:
    row = number(form, "step_size")
    type_into(qtbot, row.box, "0.25")
    place = row.slider.value()
    type_into(qtbot, row.box, "1e9")
    assert row.slider.value() != place
    type_into(qtbot, row.box, "0.25")
    assert row.slider.value() == place
    type_into(qtbot, row.box, "1e9")
    form.set_params(FakeParams(step_size=0.25))  # what undo does
    assert row.slider.value() == place
    offset = number(form, "offset")
    type_into(qtbot, offset.box, "1")
    place = offset.slider.value()
    type_into(qtbot, offset.box, "1e9")
    type_into(qtbot, offset.box, "1")
    assert offset.slider.value() == place


class Windows(QObject):
    """Collects the widgets that become windows of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.found.append(type(watched).__name__)
        return False


@pytest.mark.parametrize("entry", EXPERIMENTS, ids=lambda entry: entry.listing.id)
def test_no_part_of_a_form_is_ever_a_window(qtbot: QtBot, entry: Entry) -> None:
    windows, app = Windows(), QApplication.instance()
    assert app is not None
    experiment = entry.load()
    app.installEventFilter(windows)
    try:
        form = ParamForm()
        qtbot.addWidget(form)
        form.set_experiment(experiment, experiment.parameters(), 0)
    finally:
        app.removeEventFilter(windows)
    assert windows.found == []


class FoldedParams(Params):
    """Two groups, of which one is folded at first."""

    folded = ("Rare",)

    often: float = param(1.0, "Often set.", group="Often")
    rare: float = param(1.0, "Rarely set.", group="Rare", ge=0)


def test_a_folded_group_opens_for_what_is_said_of_its_field(qtbot: QtBot) -> None:
    body = FormBody()
    qtbot.addWidget(body)
    body.build(FoldedParams)
    body.show_rows({"often", "rare"})
    often, rare = body.rows["often"], body.rows["rare"]
    assert often.isVisibleTo(body) and not rare.isVisibleTo(body)
    body.unfold(rare)
    assert rare.isVisibleTo(body)


def test_a_refusal_of_the_engine_is_forgotten_as_a_new_run_is_tried(
    form: ParamForm, qtbot: QtBot
) -> None:
    """What it was about, such as a file, may be another by now; a bad text stays marked."""
    count, size = number(form, "depth"), number(form, "step_size")
    type_into(qtbot, size.box, "abc")
    assert form.mark(Refusal("depth", 5, "give another")) and count.error.text()
    form.unmark()
    assert count.error.text() == "" and size.error.text()
