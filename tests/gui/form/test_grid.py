"""The grid editor of matrices and points, and paste from spreadsheets."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from engine.core.params import spec_of
from engine.text.numbers import exact_text, whole
from gui.form.form import ParamForm
from gui.form.grid import (
    LARGEST,
    MOST_CELLS,
    GridDialog,
    GridModel,
    cells_of,
    number_of,
    size_error,
)
from gui.form.matrix import MatrixRow
from tests.gui.fakes import FakeExperiment, FakeParams

LEFT = Qt.MouseButton.LeftButton
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("1\t2\n3\t4\n", [["1", "2"], ["3", "4"]]),
        ("1\t2\r\n3\t4\r\n\r\n", [["1", "2"], ["3", "4"]]),
        ("1,5\t−2\n0\t1e3", [["1.5", "−2"], ["0", "1e3"]]),
        ("1,234.5\t2", [["1,234.5", "2"]]),
        ("1, 2, 3\n4;5;6", [["1", "2", "3"], ["4", "5", "6"]]),
        ("  1   2 \n3 4", [["1", "2"], ["3", "4"]]),
        ("\t1", [["", "1"]]),
        ("", []),
    ],
)
def test_pasted_text_falls_into_cells(text: str, cells: list[list[str]]) -> None:
    assert cells_of(text) == cells


@given(st.lists(st.lists(FINITE, min_size=3, max_size=3), min_size=1, max_size=5))
def test_a_matrix_goes_through_a_spreadsheet(rows: list[list[float]]) -> None:
    text = "\n".join("\t".join(map(exact_text, row)) for row in rows)
    model = GridModel((), ())
    model.paste(0, 0, cells_of(text))
    assert model.rows() == tuple(tuple(row) for row in rows)


@given(st.text(max_size=30))
def test_any_text_can_be_pasted(text: str) -> None:
    model = GridModel(((1.0, 2.0),), ("x", "y"))
    model.paste(0, 0, cells_of(text))
    assert model.columnCount() == 2
    model.first_bad()


@pytest.mark.parametrize(
    ("cell", "number"), [("−1.5", -1.5), ("nan", None), ("x", None), ("", None)]
)
def test_cells_are_numbers_or_not(cell: str, number: float | None) -> None:
    assert number_of(cell) == number


@pytest.fixture
def dialog(qtbot: QtBot) -> GridDialog:
    dialog = GridDialog("R", ((1.0, 4.0), (0.0, 1.1)))
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def ok(dialog: GridDialog):  # type: ignore[no-untyped-def]
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)


def test_cells_are_edited_and_given(dialog: GridDialog, qtbot: QtBot) -> None:
    index = dialog.model.index(0, 1)
    assert dialog.model.setData(index, " 2.5 ")
    with qtbot.waitSignal(dialog.rows_given) as given_rows:
        qtbot.mouseClick(ok(dialog), LEFT)
    assert given_rows.args == [((1.0, 2.5), (0.0, 1.1))]


def test_a_cell_that_is_no_number_is_named(dialog: GridDialog) -> None:
    dialog.model.setData(dialog.model.index(1, 0), "abc")
    assert dialog.message.text() == "Row 2, column 1: 'abc' is not a finite number."
    assert not ok(dialog).isEnabled()
    assert dialog.model.data(dialog.model.index(1, 0), Qt.ItemDataRole.ForegroundRole)
    dialog.model.setData(dialog.model.index(1, 0), "3")
    assert dialog.message.text() == "" and ok(dialog).isEnabled()


def test_paste_grows_the_grid(dialog: GridDialog, qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText("7\t8\t9\n10\t11\t12")
    dialog.table.setCurrentIndex(dialog.model.index(1, 1))
    dialog.table.setFocus()
    qtbot.keyClick(dialog.table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert dialog.model.rows() == ((1, 4, 0, 0), (0, 7, 8, 9), (0, 10, 11, 12))
    assert (dialog.row_count.value(), dialog.column_count.value()) == (3, 4)


def test_size_and_transpose(dialog: GridDialog) -> None:
    dialog.row_count.setValue(3)
    dialog.column_count.setValue(1)
    assert dialog.model.rows() == ((1.0,), (0.0,), (0.0,))
    dialog.model.transpose()
    assert dialog.model.rows() == ((1.0, 0.0, 0.0),)
    assert (dialog.row_count.value(), dialog.column_count.value()) == (1, 3)


@given(st.integers(0, LARGEST), st.integers(0, LARGEST))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_grid_never_has_too_many_cells(dialog: GridDialog, rows: int, columns: int) -> None:
    dialog.row_count.setValue(rows)
    assert size_error(rows, dialog.model.columnCount()) == "" or dialog.message.text()
    dialog.column_count.setValue(columns)
    count = dialog.model.rowCount(), dialog.model.columnCount()
    assert count == (dialog.row_count.value(), dialog.column_count.value())
    assert size_error(*count) == ""


def test_too_many_cells_are_refused_in_the_dialog(dialog: GridDialog, qtbot: QtBot) -> None:
    for counter in (dialog.row_count, dialog.column_count):
        counter.selectAll()
        qtbot.keyClicks(counter, "10000")
        qtbot.keyClick(counter, Qt.Key.Key_Tab)
    assert (dialog.model.rowCount(), dialog.model.columnCount()) == (10_000, 2)
    assert dialog.column_count.value() == 2
    assert whole(MOST_CELLS) in dialog.message.text()


def test_too_large_a_paste_is_refused_in_the_dialog(dialog: GridDialog) -> None:
    QGuiApplication.clipboard().setText("\n".join(["1\t2\t3"] * 40_000))
    dialog.paste()
    assert dialog.model.rowCount() == 2
    assert whole(MOST_CELLS) in dialog.message.text()


def test_points_have_two_named_columns(qtbot: QtBot) -> None:
    dialog = GridDialog("Points", (), ("x", "y"))
    qtbot.addWidget(dialog)
    assert dialog.model.headerData(0, Qt.Orientation.Horizontal) == "x"
    assert not dialog.column_count.isEnabled()
    QGuiApplication.clipboard().setText("1 2 3\n4 5 6")
    dialog.paste()
    assert dialog.model.rows() == ((1.0, 2.0), (4.0, 5.0))


def test_the_form_opens_the_grid_and_takes_its_rows(qtbot: QtBot) -> None:
    form = ParamForm()
    qtbot.addWidget(form)
    form.set_experiment(FakeExperiment(), FakeParams(source="typed"), 0)
    form.show()
    given_params: list[FakeParams] = []
    form.params_edited.connect(lambda params, live: given_params.append(params))
    row = form.row("matrix")
    assert isinstance(row, MatrixRow)
    qtbot.mouseClick(row.edit, LEFT)
    dialog = row.dialog
    assert dialog is not None and dialog.isVisible()
    dialog.model.setData(dialog.model.index(0, 1), "4")
    qtbot.mouseClick(ok(dialog), LEFT)
    assert [params.matrix for params in given_params] == [((1.0, 4.0), (0.0, 1.0))]
    assert row.box.text() == "1 4; 0 1"


@given(st.lists(st.lists(FINITE, min_size=2, max_size=2), max_size=8))
def test_a_matrix_is_shown_and_read_with_the_same_bits(
    qtbot: QtBot, rows: list[list[float]]
) -> None:
    row = MatrixRow(spec_of(FakeParams, "matrix"))
    qtbot.addWidget(row)
    heard: list[object] = []
    row.edited.connect(lambda name, value, moving: heard.append(value))
    row.show_value(tuple(map(tuple, rows)))
    text = row.box.text()
    row.box.show_text("")
    row.box.setText(text)
    row.box.take()
    assert heard == ([tuple(map(tuple, rows))] if rows else [])
