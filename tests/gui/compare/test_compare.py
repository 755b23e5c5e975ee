"""Runs compared in the window: names, order, colours, the table, files, and what is kept."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QEnterEvent, QGuiApplication
from pytestqt.qtbot import QtBot

from engine.run.replay import begin, in_chunks
from engine.run.spec import RunSpec
from engine.storage import runfile
from engine.storage.comparison import Result
from gui.compare.compare_dialog import CompareDialog
from gui.compare.pin_store import PinStore
from gui.compare.pins import LONGEST_NAME, Pins, PinsPanel
from gui.compare.results import from_table, result_of
from gui.run.control import RunControl
from gui.settings import Settings
from tests.gui.fakes import FakeExperiment, FakeParams, snapshot
from tests.registered import only

EXPERIMENT = FakeExperiment()
Check = Qt.ItemDataRole.CheckStateRole


@pytest.fixture
def pins() -> Pins:
    return Pins()


@pytest.fixture
def dialog(qtbot: QtBot, pins: Pins, tmp_path: Path) -> CompareDialog:
    control = create_autospec(RunControl, instance=True)
    control.has_experiment = True
    control.experiment = EXPERIMENT
    control.snapshot = snapshot()
    made = CompareDialog(control, pins, lambda role: QColor("red"), lambda: str(tmp_path))
    qtbot.addWidget(made)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # a test closes it itself
    made.show()
    return made


def names(dialog: CompareDialog) -> list[str]:
    return [dialog.model.index(row, 0).data() for row in range(dialog.model.rowCount())]


def test_the_present_run_stands_beside_the_pinned(dialog: CompareDialog, pins: Pins) -> None:
    assert names(dialog) == ["present run"]
    pins.add(snapshot(FakeParams(step_size=0.2)))
    pins.add(snapshot(FakeParams(step_size=0.25)))
    assert len(names(dialog)) == 3
    columns = {column.name: column.values for column in dialog.model.comparison.columns}
    assert columns["step_size"] == (0.3, 0.2, 0.25)


def test_a_run_is_renamed_in_the_table(dialog: CompareDialog, pins: Pins) -> None:
    pin = pins.add(snapshot(FakeParams(step_size=0.2)))
    index = dialog.model.index(1, 0)
    assert dialog.model.setData(index, "  the\n slow one ")
    assert pins.of("fake")[0].title == "the slow one"
    assert names(dialog)[1] == "the slow one"
    assert dialog.model.setData(dialog.model.index(1, 0), "")
    assert pins.of("fake")[0].title == pin.label
    assert not dialog.model.setData(dialog.model.index(0, 0), "mine")  # the present run


@given(name=st.text(max_size=200))
def test_a_name_is_one_line(name: str) -> None:
    pins = Pins()
    pin = pins.add(snapshot())
    pins.rename(pin.id, name)
    found = pins.of("fake")[0].name
    assert len(found) <= LONGEST_NAME and found == " ".join(found.split())


def test_runs_are_toggled_and_reordered(dialog: CompareDialog, pins: Pins) -> None:
    made = [pins.add(snapshot(FakeParams(step_size=0.1 * n))) for n in (1, 2, 3)]
    assert dialog.model.setData(dialog.model.index(2, 0), Qt.CheckState.Unchecked, Check)
    assert [pin.visible for pin in pins.of("fake")] == [True, False, True]
    dialog.table.choose(3)
    dialog._buttons["up"].click()
    dialog._buttons["up"].click()
    dialog._buttons["up"].click()
    assert [pin.id for pin in pins.of("fake")] == [made[2].id, made[0].id, made[1].id]
    assert dialog._chosen() == made[2].id
    dialog._buttons["down"].click()
    assert [pin.id for pin in pins.of("fake")] == [made[0].id, made[2].id, made[1].id]
    dialog._buttons["remove"].click()
    assert [pin.id for pin in pins.of("fake")] == [made[0].id, made[1].id]


def test_a_run_gets_another_colour(dialog: CompareDialog, pins: Pins) -> None:
    pins.add(snapshot())
    dialog.table.choose(1)
    dialog._buttons["color"].menu().actions()[4].trigger()
    assert pins.of("fake")[0].color == "pin5"


@given(moves=st.lists(st.tuples(st.integers(0, 4), st.integers(-6, 6)), max_size=12))
def test_moving_loses_no_run(moves: list[tuple[int, int]]) -> None:
    pins = Pins()
    made = [pins.add(snapshot(experiment="ab"[n % 2])) for n in range(5)]
    for number, by in moves:
        pins.move(made[number].id, by)
    found = [pin.id for name in "ab" for pin in pins.of(name)]
    assert sorted(found) == [pin.id for pin in made]
    pins.move(99, 1)


def test_a_table_is_sorted_by_any_column(dialog: CompareDialog, pins: Pins) -> None:
    for size in (0.2, 0.05, 0.4):
        pins.add(snapshot(FakeParams(step_size=size)))
    column = [c.name for c in dialog.model.comparison.columns].index("step_size")
    dialog.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    shown = dialog.table.model()
    assert [shown.index(row, column).data() for row in range(4)] == ["0.4", "0.3", "0.2", "0.05"]


def test_the_run_under_the_mouse_stands_out(
    dialog: CompareDialog, pins: Pins, qtbot: QtBot
) -> None:
    pin = pins.add(snapshot())
    with qtbot.waitSignal(pins.marked):
        dialog.table.hovered.emit(1)
    assert pins.mark == pin.id
    dialog.table.hovered.emit(0)
    assert pins.mark is None
    dialog.table.hovered.emit(1)
    dialog.close()
    assert pins.mark is None


def test_the_table_is_copied_and_saved(dialog: CompareDialog, pins: Pins, tmp_path: Path) -> None:
    pins.add(snapshot(FakeParams(step_size=1 / 7)))
    dialog.copy("csv")
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
    assert float(rows[1]["step_size"]) == 1 / 7
    dialog.copy("md")
    assert QGuiApplication.clipboard().text().startswith("| run |")
    dialog.save(tmp_path / "a.md")
    dialog.save(tmp_path / "a.csv")
    assert (tmp_path / "a.md").read_text("utf-8") == QGuiApplication.clipboard().text()
    assert dialog.outcome.text() == "Saved a.csv."
    dialog.save(tmp_path / "a.dat")
    assert (tmp_path / "a.dat").is_file() and "tabular" in (tmp_path / "a.tex").read_text()
    dialog.save(tmp_path / "missing" / "a.csv")
    assert "could not be written" in dialog.outcome.text()


def test_runs_are_added_from_files(
    dialog: CompareDialog,
    pins: Pins,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(monkeypatch, EXPERIMENT)
    run = RunSpec(experiment="fake", params=FakeParams(step_size=0.1), steps=6)
    runfile.save(tmp_path / "slow.toml", run)
    dialog.add([tmp_path / "slow.toml"])
    qtbot.waitUntil(lambda: bool(dialog.outcome.text()))
    (pin,) = pins.of("fake")
    assert (pin.title, pin.trace.last) == ("slow", 6)
    session = begin(run)
    assert in_chunks(run, session, lambda done, text: True)
    assert pin.result is not None and pin.result.outcome == str(session.outcome().kind)
    (tmp_path / "bad.toml").write_text("nonsense", "utf-8")
    dialog.add([tmp_path / "bad.toml"])
    qtbot.waitUntil(lambda: "not allowed" in dialog.outcome.text())
    assert len(pins.of("fake")) == 1


def test_a_row_of_the_dock_makes_its_run_stand_out(pins: Pins, qtbot: QtBot) -> None:
    panel = PinsPanel(pins, lambda role: QColor("red"))
    qtbot.addWidget(panel)
    panel.set_experiment("fake")
    pin = pins.add(snapshot())
    row = panel._layout.itemAt(0).widget()
    row.enterEvent(QEnterEvent(QPointF(), QPointF(), QPointF()))
    assert pins.mark == pin.id
    with qtbot.waitSignal(panel.compare_requested):
        panel.compare_button.click()


def test_names_order_and_results_are_kept(
    pins: Pins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, EXPERIMENT)
    made = [pins.add(snapshot(FakeParams(step_size=0.1 * n))) for n in (1, 2)]
    pins.rename(made[1].id, "later")
    pins.move(made[1].id, -1)
    settings = Settings(tmp_path / "settings.ini")
    PinStore(pins, settings).save()
    again = Pins()
    PinStore(again, settings).bring_back(EXPERIMENT)
    found = again.of("fake")
    assert [pin.name for pin in found] == ["later", ""]
    assert [pin.result for pin in found] == [made[1].result, made[0].result]


@pytest.mark.parametrize("result", [3, {}, {"outcome": {"kind": 1}}, {"final": []}])
def test_a_damaged_result_in_the_settings_is_no_pin(
    pins: Pins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: object
) -> None:
    only(monkeypatch, EXPERIMENT)
    pins.add(snapshot())
    settings = Settings(tmp_path / "settings.ini")
    PinStore(pins, settings).save()
    (entry,) = settings.object("pins/fake")
    settings.set_object("pins/fake", [{**entry, "result": result}, {**entry, "name": 5}])
    again = Pins()
    PinStore(again, settings).bring_back(EXPERIMENT)
    assert [pin.name for pin in again.of("fake")] == [""]


def test_what_came_out_survives_the_settings() -> None:
    result = result_of(snapshot())
    assert isinstance(result, Result)
    assert from_table(result.to_table()) == result
