"""The ensemble panel, driven as a user drives it."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from engine.core.ensemble import Ensemble, Share
from engine.core.views import Curve, PlaneView
from gui.ensemble.dock import EnsemblePanel
from gui.ensemble.table import EnsembleTable, readable_key, text_of
from gui.widgets.words import Figure
from tests.gui.fakes import FakeExperiment, FakeParams, snapshot

LEFT = Qt.MouseButton.LeftButton


def ensemble(runs: int = 12, steps: int = 30) -> Ensemble:
    params = FakeParams(ensemble=runs, init="random", step_size=0.8)
    return FakeExperiment().ensemble(params, 5, steps, lambda done, text: True)


@pytest.fixture
def panel(qtbot: QtBot) -> EnsemblePanel:
    panel = EnsemblePanel()
    qtbot.addWidget(panel)
    panel.set_experiment(FakeExperiment(), FakeParams())
    panel.resize(340, 700)
    panel.show()
    return panel


def texts(table: EnsembleTable, column: int) -> list[str]:
    model = table.model()
    return [model.index(row, column).data() for row in range(model.rowCount())]


def test_run_asks_with_the_typed_numbers(panel: EnsemblePanel, qtbot: QtBot) -> None:
    asked: list[tuple[str, int]] = []
    panel.runs_edited.connect(lambda runs: asked.append(("runs", runs)))
    panel.run_requested.connect(lambda steps: asked.append(("run", steps)))
    panel.runs.selectAll()
    qtbot.keyClicks(panel.runs, "50")
    panel.steps.selectAll()
    qtbot.keyClicks(panel.steps, "1e4")
    qtbot.mouseClick(panel.run, LEFT)
    assert asked == [("runs", 50), ("run", 10_000)]


def test_progress_with_time_left_and_cancel(panel: EnsemblePanel, qtbot: QtBot) -> None:
    assert not panel.bar.isVisible() and not panel.cancel.isEnabled()
    panel.show_snapshot(snapshot(progress=0.25, seconds_left=62.0, message="run 5"))
    assert panel.bar.isVisible() and panel.bar.value() == 250
    assert panel.state.text() == "25 % · run 5 · 1 min 2 s left"
    assert not panel.run.isEnabled()
    with qtbot.waitSignal(panel.cancel_requested):
        qtbot.mouseClick(panel.cancel, LEFT)
    panel.show_snapshot(snapshot())
    assert not panel.bar.isVisible() and panel.run.isEnabled()


def test_cancelling_stops_the_bar_and_the_count_of_runs_asked_for_stays(
    panel: EnsemblePanel, qtbot: QtBot
) -> None:
    asked = FakeParams(ensemble=2000)
    panel.show_snapshot(snapshot(asked, progress=0.09, message="run 180"))
    qtbot.mouseClick(panel.cancel, LEFT)
    for progress in (0.095, 1.0):
        panel.show_snapshot(snapshot(asked, progress=progress, message="run 185"))
        assert not panel.bar.isVisible() and "%" not in panel.state.text()
    done = dataclasses.replace(ensemble(185), cancelled=True)
    for frame in range(2):
        panel.show_snapshot(snapshot(asked, ensemble=done, frame=frame))
    assert panel.count.text() == "185 of 2\u2009000 runs, cancelled"
    assert panel.state.isVisible() and "185 of 2\u2009000" in panel.state.text()
    panel.show_snapshot(snapshot(asked, progress=0.1, ensemble=done))
    assert panel.bar.isVisible() and panel.bar.value() == 100


def test_an_ensemble_is_shown_once(panel: EnsemblePanel) -> None:
    shown: list[Ensemble] = []
    panel.ensemble_shown.connect(shown.append)
    result = ensemble()
    for frame in range(3):
        panel.show_snapshot(snapshot(ensemble=result, frame=frame))
    assert shown == [result]
    assert panel.table.model().rowCount() == 12
    assert panel.count.text() == "12 runs"
    runs = panel.summary.figures["runs"]
    assert isinstance(runs, Figure) and runs.value == 12
    panel.show_snapshot(snapshot(ensemble=dataclasses.replace(result, cancelled=True)))
    assert panel.count.text() == "12 of 20 runs, cancelled"


def test_a_table_is_left_to_the_pictures(panel: EnsemblePanel) -> None:
    summary = {"runs": 2, "levels": [0.1, 0.9], "table": [{"step_size": 0.1}, {"step_size": 0.2}]}
    panel.show_ensemble(dataclasses.replace(ensemble(), summary=summary))
    assert list(panel.summary.figures) == ["runs", "levels"]


def test_the_number_of_runs_follows_the_parameters(panel: EnsemblePanel) -> None:
    edited: list[int] = []
    panel.runs_edited.connect(edited.append)
    panel.show_snapshot(snapshot(FakeParams(ensemble=33)))
    assert panel.runs.count == 33 and edited == []


def test_an_ensemble_of_one_is_offered_to_nobody_who_did_not_ask(
    panel: EnsemblePanel, qtbot: QtBot
) -> None:
    asked: list[tuple[str, int]] = []
    panel.runs_edited.connect(lambda runs: asked.append(("runs", runs)))
    panel.run_requested.connect(lambda steps: asked.append(("run", steps)))
    single = FakeParams(ensemble=1)
    panel.set_experiment(FakeExperiment(), single)
    panel.show_snapshot(snapshot(single))
    assert panel.runs.count == 20 and asked == []
    qtbot.mouseClick(panel.run, LEFT)
    assert asked == [("runs", 20), ("run", FakeExperiment.default_steps)]
    panel.show_snapshot(snapshot(FakeParams(ensemble=20)))
    asked.clear()
    qtbot.mouseClick(panel.run, LEFT)
    assert asked == [("run", FakeExperiment.default_steps)]


def test_who_asks_for_one_run_gets_one(panel: EnsemblePanel, qtbot: QtBot) -> None:
    single = FakeParams(ensemble=1)
    panel.set_experiment(FakeExperiment(), single)
    edited: list[int] = []
    panel.runs_edited.connect(edited.append)
    panel.runs.selectAll()
    qtbot.keyClicks(panel.runs, "1")
    qtbot.mouseClick(panel.run, LEFT)
    panel.show_snapshot(snapshot(single))
    assert panel.runs.count == 1 and edited == [1]
    panel.set_experiment(FakeExperiment(), single)
    assert panel.runs.count == 20


def test_columns_sort_as_numbers_with_gaps_last(qtbot: QtBot) -> None:
    table = EnsembleTable()
    qtbot.addWidget(table)
    table.set_columns(
        {
            "seed": [0, 1, 2, 3, 10],
            "error": [10.0, None, 9.0, float("nan"), 1e-3],
            "outcome": ["converged", "diverged", "converged", "", "period 2"],
        }
    )
    assert texts(table, 0) == ["0", "1", "2", "3", "10"]
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert texts(table, 1) == ["0.001", "9", "10", "—", "—"]
    assert texts(table, 0)[-1] == "1"
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert texts(table, 1)[1:] == ["10", "9", "0.001", "—"]
    assert texts(table, 0)[-1] == "1"
    table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert texts(table, 0) == ["10", "3", "2", "1", "0"]
    table.set_columns({"seed": [2, 1]})
    assert texts(table, 0) == ["2", "1"]


def test_a_header_click_sorts(panel: EnsemblePanel, qtbot: QtBot) -> None:
    panel.show_snapshot(snapshot(ensemble=ensemble()))
    header = panel.table.horizontalHeader()
    place = header.viewport().rect().topLeft()
    place.setX(header.sectionViewportPosition(1) + 20)
    place.setY(header.height() // 2)
    qtbot.mouseClick(header.viewport(), LEFT, pos=place)
    once = texts(panel.table, 1)
    qtbot.mouseClick(header.viewport(), LEFT, pos=place)
    assert texts(panel.table, 1) == once[::-1] and once != once[::-1]


def test_selected_cells_are_copied_in_full(qtbot: QtBot) -> None:
    table = EnsembleTable()
    qtbot.addWidget(table)
    table.set_columns({"seed": [0, 1], "error": [0.1 + 0.2, None]})
    table.show()
    table.setFocus()
    table.selectAll()
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "0\t0.30000000000000004\n1\t"
    table.selectionModel().select(
        table.model().index(1, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect
    )
    assert table.selected_text() == "1"


def test_the_table_is_exported(panel: EnsemblePanel, tmp_path: Path) -> None:
    said: list[str] = []
    panel.message_requested.connect(said.append)
    result = ensemble(3)
    panel.show_ensemble(result)
    panel._on_file_selected(str(tmp_path / "runs.csv"))
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    assert lines[0] == "seed,error" and len(lines) == 4
    assert float(lines[1].split(",")[1]) == result.columns["error"][0]
    assert said == ["runs.csv is written."]
    panel._on_file_selected(str(tmp_path / "missing" / "runs.csv"))
    assert said[1].startswith("runs.csv could not be written: ")


def test_pictures_have_a_place(panel: EnsemblePanel, qtbot: QtBot) -> None:
    area = QLabel("pictures")
    panel.set_pictures(area)
    assert not area.isVisible()
    view = PlaneView(
        id="bands", title="Bands", x_label="k", y_label="error", items=(Curve(x="x", y="y"),)
    )
    panel.show_ensemble(dataclasses.replace(ensemble(), views=(view,)))
    assert area.isVisible()
    panel.show_ensemble(ensemble())
    assert not area.isVisible()


def test_another_experiment_empties_the_panel(panel: EnsemblePanel) -> None:
    panel.show_ensemble(ensemble())
    assert panel.table.isVisible()
    panel.set_experiment(FakeExperiment(), FakeParams(ensemble=7))
    assert panel.ensemble is None and not panel.table.isVisible()
    assert panel.runs.count == 7 and panel.steps.count == FakeExperiment.default_steps


def test_values_are_written_for_reading() -> None:
    assert readable_key("fraction_diverged") == "Fraction diverged"
    assert readable_key(r"$\delta_c$") == "δc"
    values = {None: "—", True: "yes", 3: "3", 0.1234567: "0.123457", "x": "x"}
    assert [text_of(value) for value in values] == list(values.values())
    assert text_of({"low": 1.0, "high": [2.0, None]}) == "Low 1; High 2, —"
    assert text_of({"fits": Share(46, 50)}) == "Fits 92 % (46 of 50)"


def test_a_share_is_not_taken_for_a_count(panel: EnsemblePanel, qtbot: QtBot) -> None:
    summary = {"runs": 50, "converged": Share(50, 50), "median": 1.0}
    panel.show_ensemble(dataclasses.replace(ensemble(), summary=summary))
    shown = {name: figure.text() for name, figure in panel.summary.figures.items()}
    assert shown == {"runs": "50", "converged": "100 % (50 of 50)", "median": "1"}
    share = panel.summary.figures["converged"]
    assert share.accessibleName() == "Converged 100 % (50 of 50)"
    qtbot.mouseClick(share, LEFT)
    assert QGuiApplication.clipboard().text() == "1"  # the number that the files have


def test_the_panel_is_freed(qtbot: QtBot) -> None:
    panel = EnsemblePanel()
    panel.show_ensemble(ensemble())
    gone = weakref.ref(panel)
    panel.deleteLater()
    del panel
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("typed", ["abc", "0", "1e400", "123456", "2.5"])
def test_a_number_of_runs_that_is_not_allowed_runs_nothing(
    panel: EnsemblePanel, qtbot: QtBot, typed: str
) -> None:
    asked: list[object] = []
    sentences: list[str] = []
    cleared: list[str] = []
    panel.runs_edited.connect(asked.append)
    panel.run_requested.connect(asked.append)
    panel.refused.connect(sentences.append)
    panel.error_cleared.connect(cleared.append)
    panel.set_experiment(FakeExperiment(), FakeParams())
    panel.runs.setFocus()
    panel.runs.selectAll()
    qtbot.keyClicks(panel.runs, typed)
    assert panel.runs.is_refused
    qtbot.mouseClick(panel.run, LEFT)
    assert asked == [] and panel.runs.text() == typed
    assert sentences == [
        f"Runs: '{typed}' is not allowed; give a whole number from 1 to 10\u2009000."
    ]
    panel.runs.selectAll()
    qtbot.keyClicks(panel.runs, "30")
    assert cleared == sentences
    qtbot.mouseClick(panel.run, LEFT)
    assert asked == [30, FakeExperiment.default_steps]


def test_what_is_said_of_a_number_goes_with_its_experiment(
    panel: EnsemblePanel, qtbot: QtBot
) -> None:
    cleared: list[str] = []
    panel.error_cleared.connect(cleared.append)
    panel.set_experiment(FakeExperiment(), FakeParams())
    panel.runs.setFocus()
    panel.runs.selectAll()
    qtbot.keyClicks(panel.runs, "0")
    qtbot.keyClick(panel.runs, Qt.Key.Key_Return)
    panel.set_experiment(FakeExperiment(), FakeParams())
    assert len(cleared) == 1 and panel.runs.text() == "20" and not panel.runs.is_refused


def test_runs_that_do_not_go_with_the_rest_run_nothing(panel: EnsemblePanel, qtbot: QtBot) -> None:
    asked: list[int] = []
    panel.run_requested.connect(asked.append)
    panel.runs_edited.connect(lambda runs: panel.reject_runs())
    panel.set_experiment(FakeExperiment(), FakeParams())
    panel.runs.selectAll()
    qtbot.keyClicks(panel.runs, "30")
    qtbot.mouseClick(panel.run, LEFT)
    qtbot.mouseClick(panel.run, LEFT)
    assert asked == []
