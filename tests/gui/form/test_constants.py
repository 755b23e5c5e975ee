"""Named constants of a typed function: sliders, numbers, ranges and their text."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.core.params import update
from engine.experiments.own_loss.experiment import OwnLoss
from engine.experiments.own_loss.params import OwnLossParams
from engine.expressions.constants import read_constants
from gui.form.constants import ConstantLine, ConstantsRow
from gui.form.form import ParamForm
from tests.gui.windows import has_ended, open_window

LEFT = Qt.MouseButton.LeftButton
PARAMS = OwnLossParams(
    function="a*(x*y - lambda)^2/2 + epsilon*x^4", constants="lambda = 2 in 0.25..4; k = 7"
)


@pytest.fixture
def form(qtbot: QtBot) -> ParamForm:
    form = ParamForm()
    qtbot.addWidget(form)
    form.set_experiment(OwnLoss(), PARAMS, 0)
    form.resize(320, 1000)
    form.show()
    return form


@pytest.fixture
def edits(form: ParamForm) -> list[Any]:
    made: list[Any] = []
    form.params_edited.connect(lambda params, live: made.append((params, live)))
    return made


def constants(form: ParamForm) -> ConstantsRow:
    row = form.row("constants")
    assert isinstance(row, ConstantsRow)
    return row


def values(params: Any) -> dict[str, float]:
    return {key: each.value for key, each in read_constants(params.constants).items()}


def type_into(qtbot: QtBot, box: Any, text: str) -> None:
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def drag(qtbot: QtBot, line: ConstantLine, *moves: int) -> None:
    slider = line.slider
    start = QPoint(round(slider.x_of(slider.value() / 10_000)), 10)
    qtbot.mousePress(slider, LEFT, pos=start)
    for dx in moves:
        qtbot.mouseMove(slider, start + QPoint(dx, 0))
    qtbot.mouseRelease(slider, LEFT, pos=start + QPoint(moves[-1], 0))


def test_every_constant_of_the_function_has_a_line(form: ParamForm) -> None:
    lines = constants(form).lines
    assert set(lines) == {"a", "lambda", "epsilon"}
    assert lines["lambda"].box.text() == "2" and lines["lambda"].name.formula == r"\lambda"
    assert (lines["lambda"].low.text(), lines["lambda"].high.text()) == ("0.25", "4")
    assert lines["a"].box.text() == "1"  # named by nothing but the function
    assert constants(form).none.isHidden()


def test_lines_come_and_go_with_the_function(form: ParamForm) -> None:
    row = constants(form)
    kept = row.lines["lambda"]
    form.set_params(update(PARAMS, function="(x*y - lambda)^2 + b*x^2"))
    assert set(row.lines) == {"lambda", "b"} and row.lines["lambda"] is kept
    form.set_params(update(PARAMS, function="x^2 + y^2"))
    assert row.lines == {} and row.none.isVisible()
    assert row.control is row.box


def test_a_slider_changes_the_run_at_every_move(
    form: ParamForm, edits: list[Any], qtbot: QtBot
) -> None:
    drag(qtbot, constants(form).lines["lambda"], 5, 10, 15)
    assert all(live for _, live in edits)
    found = [values(params)["lambda"] for params, _ in edits]
    assert len(set(found)) == 3 and found == sorted(found) and found[0] > 2
    assert values(edits[-1][0])["k"] == 7, "what the function does not use is kept"
    assert constants(form).lines["lambda"].box.text() == f"{found[-1]:g}"


def test_a_drag_is_one_gesture(form: ParamForm, edits: list[Any], qtbot: QtBot) -> None:
    before = form.gesture
    drag(qtbot, constants(form).lines["a"], 3)
    between = form.gesture
    drag(qtbot, constants(form).lines["a"], 3)
    assert len({before, between, form.gesture}) == 3


def test_a_number_is_typed_or_stepped_beyond_the_range(
    form: ParamForm, edits: list[Any], qtbot: QtBot
) -> None:
    line = constants(form).lines["lambda"]
    type_into(qtbot, line.box, "10/4")
    assert values(edits[-1][0])["lambda"] == 2.5
    type_into(qtbot, line.box, "9")
    assert values(edits[-1][0])["lambda"] == 9 and line.high.text() == "9"
    qtbot.mouseClick(line.box.plus, LEFT)
    assert values(edits[-1][0])["lambda"] == 9.01
    line.slider.setFocus()
    qtbot.keyClick(line.slider, Qt.Key.Key_Left)
    assert values(edits[-1][0])["lambda"] < 9.01


def test_the_ends_of_a_slider_are_typed(form: ParamForm, edits: list[Any], qtbot: QtBot) -> None:
    line = constants(form).lines["epsilon"]
    type_into(qtbot, line.high, "1000")
    type_into(qtbot, line.low, "0.001")
    found = read_constants(edits[-1][0].constants)["epsilon"]
    assert (found.low, found.high, found.value) == (0.001, 1000.0, 1.0)
    assert line.slider.value() == 5000, "a positive range of many decades is logarithmic"


@pytest.mark.parametrize(("which", "text"), [("low", "3"), ("high", "-"), ("box", "1e99")])
def test_what_cannot_be_marks_its_own_box(
    form: ParamForm, edits: list[Any], qtbot: QtBot, which: str, text: str
) -> None:
    row = constants(form)
    box = getattr(row.lines["lambda"], which)
    type_into(qtbot, box, text)
    assert row.error.isVisible() and row.error.text().startswith("Constants: ")
    marked = [each for line in row.lines.values() for each in line.boxes if each.is_refused]
    assert marked == [box] and row.box.isHidden()
    assert form.params == PARAMS and edits == []
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert row.error.text() == "" and not box.is_refused
    type_into(qtbot, row.lines["lambda"].box, "3")
    assert values(edits[-1][0])["lambda"] == 3


def test_constants_are_written_as_a_text(form: ParamForm, edits: list[Any], qtbot: QtBot) -> None:
    row = constants(form)
    assert row.box.isHidden()
    qtbot.mouseClick(row.as_text, LEFT)
    assert row.box.isVisible() and row.box.text() == PARAMS.constants
    type_into(qtbot, row.box, "lambda = 3; a = 0.5 in 0..1")
    assert row.lines["a"].box.text() == "0.5" and row.lines["lambda"].box.text() == "3"
    type_into(qtbot, row.box, "lambda = ")
    assert row.box.is_refused and row.error.text()
    drag(qtbot, row.lines["a"], 10)
    assert values(edits[-1][0])["lambda"] == 3, "a text that is refused changes nothing"


def test_a_name_taken_by_the_function_is_refused_with_the_text_shown(
    form: ParamForm, edits: list[Any], qtbot: QtBot
) -> None:
    row = constants(form)
    box: Any = form.row("function").control
    box.setFocus()
    box.selectAll()
    box.insertPlainText("k*x + exp(k)")
    box.take()
    assert set(row.lines) == {"k"} and row.lines["k"].box.text() == "7"
    variables: Any = form.row("variables").control
    type_into(qtbot, variables, "k")
    assert row.error.text() and row.box.isVisible() and row.box.is_refused


def test_a_slider_steers_the_run_without_a_new_one(qtbot: QtBot) -> None:
    window = open_window(qtbot, [OwnLoss()])
    control = window.control
    qtbot.waitUntil(lambda: control.snapshot is not None, timeout=60_000)
    window.actions_by_name["step"].trigger()
    qtbot.waitUntil(lambda: control.snapshot.step > 0, timeout=60_000)
    restarted: list[bool] = []
    control.restarted.connect(lambda: restarted.append(True))
    drag(qtbot, constants(window.panels.form).lines["lambda"], 20, 40)
    qtbot.waitUntil(lambda: control.snapshot.params == control.params, timeout=60_000)
    assert values(control.params)["lambda"] > 2 and restarted == []
    assert control.snapshot.step > 0
    window.actions_by_name["undo"].trigger()
    assert values(control.params)["lambda"] == 2
    QApplication.processEvents()
    assert constants(window.panels.form).lines["lambda"].box.text() == "2"
    window.close()
    qtbot.waitUntil(has_ended, timeout=60_000)
