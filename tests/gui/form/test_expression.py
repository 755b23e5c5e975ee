"""Typing a function: what is echoed, underlined, put in force and kept, as a user sees it."""

from __future__ import annotations

import gc
import itertools
import weakref
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QTextCursor, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.core.errors import InputError
from engine.core.params import update
from engine.experiments.convex_shape.params import ShapeParams
from engine.experiments.own_loss.experiment import OwnLoss
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.piecewise_fit.params import FitParams
from engine.expressions.grammar import ExpressionError, read_tree
from engine.expressions.typeset import to_mathtext
from gui.form.body import make_row
from gui.form.echo import MOST_HEIGHT, MOST_LETTERS, Echo, terms_of
from gui.form.expression import ExpressionRow
from gui.form.expression_box import MOST_LINES, ExpressionBox
from gui.form.form import ParamForm
from gui.form.texts import TextRow
from gui.typeset.typesetter import typesetter
from tests.gui.windows import has_ended, open_window

DEFAULT = OwnLossParams()


@pytest.fixture
def form(qtbot: QtBot) -> ParamForm:
    form = ParamForm()
    qtbot.addWidget(form)
    form.set_experiment(OwnLoss(), DEFAULT, 0)
    form.resize(320, 900)
    form.show()
    return form


@pytest.fixture
def edits(form: ParamForm) -> list[Any]:
    made: list[Any] = []
    form.params_edited.connect(lambda params, live: made.append((params, live)))
    return made


def expression(form: ParamForm) -> ExpressionRow:
    row = form.row("function")
    assert isinstance(row, ExpressionRow)
    return row


def fill(qtbot: QtBot, box: ExpressionBox, text: str) -> None:
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)


def test_what_can_be_used_is_in_force_after_a_rest(
    form: ParamForm, edits: list[Any], qtbot: QtBot
) -> None:
    row = expression(form)
    fill(qtbot, row.box, "(1 - x)^2 + 100*(y - x^2)^2")
    assert edits == []
    qtbot.waitUntil(lambda: bool(edits))
    assert edits[-1] == (update(DEFAULT, function="(1 - x)^2 + 100*(y - x^2)^2"), False)
    assert row.box.hasFocus() and row.box.textCursor().atEnd()
    assert row.echo.formula == to_mathtext(read_tree(row.box.text()))
    assert not row.echo.is_old and row.error.text() == ""


def test_the_last_good_function_stays_while_the_text_is_wrong(
    form: ParamForm, edits: list[Any], qtbot: QtBot
) -> None:
    row = expression(form)
    echoed = row.echo.formula
    fill(qtbot, row.box, "(x*y - 2)^2 + ")
    qtbot.waitUntil(lambda: bool(row.error.text()))
    assert form.params == DEFAULT and edits == []
    assert row.echo.is_old and row.echo.formula == echoed
    assert row.error.text().startswith("Function f: ") and row.box.is_refused
    qtbot.keyClicks(row.box, "x")
    qtbot.waitUntil(lambda: bool(edits))
    assert row.error.text() == "" and row.box.underlined is None and not row.box.is_refused


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x + $ y", "$"),
        ("x + 𝛼 + y", "𝛼"),
        ("x*(y + 1", ""),
        ("x*y 2", "2"),
        ("", ""),
        ("3 + 4", "3 + 4"),
        ("bessel(x)", "bessel"),
    ],
)
def test_the_very_characters_at_fault_are_underlined(
    form: ParamForm, text: str, fault: str, qtbot: QtBot
) -> None:
    row = expression(form)
    row.box.setFocus()
    row.box.selectAll()
    row.box.insertPlainText(text)
    row.box.take()
    place = row.box.underlined
    assert place is not None
    assert text[slice(*place)] == fault
    marks = row.box.extraSelections()
    assert [mark.cursor.selectedText() for mark in marks] == ([fault] if fault else [])
    row.box.grab()
    qtbot.keyClick(row.box, Qt.Key.Key_Return)
    assert row.box.hasFocus() and row.box.textCursor().selectedText() == fault


def test_escape_brings_the_function_in_force_back(
    form: ParamForm, edits: list[Any], qtbot: QtBot
) -> None:
    row = expression(form)
    fill(qtbot, row.box, "x*")
    row.box.take()
    assert row.error.text()
    qtbot.keyClick(row.box, Qt.Key.Key_Escape)
    assert row.box.text() == DEFAULT.function and row.error.text() == ""
    assert row.box.underlined is None and not row.echo.is_old
    assert edits == []


def test_all_that_is_typed_in_a_stay_is_one_gesture(
    form: ParamForm, edits: list[Any], qtbot: QtBot
) -> None:
    row = expression(form)
    fill(qtbot, row.box, "x")
    row.box.take()
    gesture = form.gesture
    qtbot.keyClicks(row.box, "^2")
    row.box.take()
    assert len(edits) == 2 and form.gesture == gesture
    qtbot.keyClick(row.box, Qt.Key.Key_Return)
    fill(qtbot, row.box, "y^2")
    row.box.take()
    assert form.gesture != gesture


def test_a_choice_that_the_function_does_not_fit_waits_for_it(
    form: ParamForm, edits: list[Any], qtbot: QtBot
) -> None:
    """Over data x and y are columns: the marked function is to be typed anew."""
    segments = form.row("minimise").control
    qtbot.mouseClick(segments.buttons["least-squares"], Qt.MouseButton.LeftButton)  # type: ignore[attr-defined]
    row = expression(form)
    assert row.error.text() and edits == [] and form.row("rows").isVisible()
    fill(qtbot, row.box, "w1*x + w2")
    qtbot.waitUntil(lambda: bool(edits))
    assert edits[-1][0].minimise == "least-squares" and edits[-1][0].function == "w1*x + w2"


def test_the_box_grows_with_its_text_and_then_scrolls(form: ParamForm, qtbot: QtBot) -> None:
    row = expression(form)
    low = row.box.height()
    form.set_params(update(DEFAULT, function=" + ".join(f"w{i}^2" for i in range(1, 13))))
    QApplication.processEvents()
    middle = row.box.height()
    assert low < middle and row.box.verticalScrollBar().maximum() == 0
    form.set_params(update(DEFAULT, function=" + ".join(["(x - 2)^2"] * 99)))
    QApplication.processEvents()
    line = row.box.fontMetrics().lineSpacing()
    assert middle < row.box.height() < (MOST_LINES + 2) * line
    assert row.box.verticalScrollBar().maximum() > 0
    form.set_params(DEFAULT)
    QApplication.processEvents()
    assert row.box.height() == low


def test_no_part_of_the_row_covers_another(form: ParamForm, qtbot: QtBot) -> None:
    row = expression(form)
    fill(qtbot, row.box, "a*(x*y - lambda)^2/2 + epsilon*cos(x/epsilon)/3 - (2.625 - x)^2 + $")
    row.box.take()
    QApplication.processEvents()
    parts = [row.label, row.box, row.echo, row.error]
    for upper, lower in itertools.pairwise(parts):
        assert upper.geometry().bottom() < lower.geometry().top()
    assert row.box.height() == row.box.maximumHeight()
    assert row.error.height() >= row.error.heightForWidth(row.error.width())


def test_a_wide_or_high_formula_can_be_scrolled_to_its_end(qtbot: QtBot) -> None:
    echo = Echo()
    qtbot.addWidget(echo)
    echo.resize(200, 60)
    echo.show()
    echo.show_text("exp(" + "*".join(["(x + y)"] * 20) + ")")
    qtbot.waitUntil(lambda: all(map(typesetter().is_settled, terms_of(echo.formula))))
    QApplication.processEvents()
    bar = echo.horizontalScrollBar()
    assert bar.maximum() > 0 and bar.maximum() + echo.viewport().width() == echo.widget().width()
    echo.show_text(" + ".join(f"w{i}^2/{i}" for i in range(1, 21)))
    qtbot.waitUntil(lambda: all(map(typesetter().is_settled, terms_of(echo.formula))))
    qtbot.waitUntil(lambda: echo.verticalScrollBar().maximum() > 0)
    assert echo.height() <= MOST_HEIGHT + 2 and echo.horizontalScrollBar().maximum() == 0
    echo.grab()
    echo.show_text("x + " * MOST_LETTERS + "x")
    assert echo.formula == "" and not echo.is_old


def test_the_wheel_over_the_box_scrolls_the_form(form: ParamForm) -> None:
    box = expression(form).box
    center = QPointF(box.rect().center())
    event = QWheelEvent(
        center,
        QPointF(box.mapToGlobal(center.toPoint())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(box.viewport(), event)
    assert not event.isAccepted()


def test_the_start_and_the_variables_say_what_the_function_needs(form: ParamForm) -> None:
    start, variables = form.row("start"), form.row("variables")
    assert isinstance(variables, TextRow)
    assert start.note.text() == "2 numbers: x, y" and variables.box.placeholderText() == "x, y"
    form.set_params(update(DEFAULT, function="sum(w[i]^2, i = 1..19)"))
    assert start.note.isVisible() and start.note.text().startswith("19 numbers: w1, w2, …, w19; 2")
    assert variables.box.placeholderText() == "w1, w2, …, w19"
    form.set_params(update(DEFAULT, function="w1^2"))
    assert start.note.text().startswith("1 number: w1") and "not used" in start.note.text()


@pytest.mark.parametrize(("model", "name"), [(ShapeParams, "function"), (FitParams, "expression")])
def test_other_experiments_have_the_same_field(model: Any, name: str, qtbot: QtBot) -> None:
    form = ParamForm()
    qtbot.addWidget(form)
    params = model(function="typed") if model is FitParams else model()
    form.set_experiment(OwnLoss(), params, 0)
    form.show()
    row = form.row(name)
    assert isinstance(row, ExpressionRow)
    fill(qtbot, row.box, "x^2 + ")
    row.box.take()
    assert form.params == params and row.error.text()
    assert row.box.underlined == (6, 6) or row.box.underlined == (5, 5)


def test_a_refusal_keeps_its_place_wherever_it_comes_from() -> None:
    with pytest.raises(InputError) as caught:
        update(DEFAULT, function="x + ?")
    assert isinstance(caught.value, ExpressionError)
    assert caught.value.refusal.place == (4, 5)


def test_a_run_goes_on_until_the_function_can_be_used(qtbot: QtBot) -> None:
    window = open_window(qtbot, [OwnLoss()])
    control = window.control
    qtbot.waitUntil(lambda: control.snapshot is not None, timeout=60_000)
    window.actions_by_name["play"].trigger()
    qtbot.waitUntil(lambda: control.snapshot.step > 0, timeout=60_000)
    box = window.panels.form.row("function").control
    assert isinstance(box, ExpressionBox)
    box.setFocus()
    box.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(box, " + (")
    box.take()
    assert box.underlined == (len(DEFAULT.function) + 4,) * 2
    assert control.params == DEFAULT and control.snapshot.params == DEFAULT
    qtbot.keyClicks(box, "x)^4")
    wanted = DEFAULT.function + " + (x)^4"
    qtbot.waitUntil(lambda: control.params.function == wanted)
    qtbot.waitUntil(
        lambda: control.snapshot is not None and control.snapshot.params == control.params,
        timeout=60_000,
    )
    window.close()
    qtbot.waitUntil(has_ended, timeout=60_000)


def test_a_form_with_typed_functions_is_let_go(qtbot: QtBot) -> None:
    form = ParamForm()
    form.set_experiment(OwnLoss(), DEFAULT, 0)
    form.show()
    fill(qtbot, expression(form).box, "x + a")
    expression(form).box.take()
    gone = weakref.ref(form)
    form.close()
    form.deleteLater()
    del form
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    assert gone() is None


PART = st.sampled_from(["x", "2", "w1", "a + b", "|x - 1|", r"\frac{a + b}{2}", "(x - y)^{2}"])


@given(st.lists(PART, min_size=1, max_size=8), st.lists(st.sampled_from("+-"), min_size=8))
def test_a_sum_is_split_only_between_its_terms(parts: list[str], signs: list[str]) -> None:
    parts = [part if part != "a + b" else "(a + b)" for part in parts]
    whole = parts[0] + "".join(f" {s} {p}" for s, p in zip(signs, parts[1:], strict=False))
    terms = terms_of(whole)
    assert len(terms) == len(parts)
    bare = [term.removeprefix("+\\;").removeprefix("-\\;") for term in terms]
    assert bare == parts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(text=st.text(alphabet="xyw12+-*/^()[]=,. $λ𝛼\n", max_size=24))
def test_any_text_is_a_function_or_has_its_fault_marked(form: ParamForm, text: str) -> None:
    row = make_row(expression(form).spec, False)
    assert isinstance(row, ExpressionRow)
    row.show_value(text)
    try:
        read_tree(text)
    except ExpressionError as error:
        row.set_error("wrong", error.place)
        assert row.box.underlined == error.place
        start, end = error.place
        chosen = "".join(mark.cursor.selectedText() for mark in row.box.extraSelections())
        assert chosen.replace("\u2029", "\n") == text[start:end]
    row.deleteLater()
