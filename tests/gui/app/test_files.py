"""Opening, saving and exporting from the window."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QProgressDialog
from pytestqt.qtbot import QtBot

import engine.run.replay
from engine.run.snapshot import Status
from engine.run.spec import RunSpec
from gui.export.export_dialog import ExportDialog
from gui.settings import Settings
from gui.style.theme import LIGHT
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment, FakeParams
from tests.registered import only

EXPERIMENT = FakeExperiment()


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    only(monkeypatch, EXPERIMENT)
    made = MainWindow(Settings(tmp_path / "settings.ini"), experiments=[EXPERIMENT])
    qtbot.addWidget(made)
    made.restore()
    made.begin()
    qtbot.waitUntil(lambda: _step(made) == 0)
    yield made
    made.close()


def _step(window: MainWindow) -> int:
    snapshot = window.control.snapshot
    return -1 if snapshot is None or snapshot.status is Status.COMPILING else snapshot.step


def _run(window: MainWindow, qtbot: QtBot, steps: int) -> None:
    target = _step(window) + steps
    window.control.step(steps)
    qtbot.waitUntil(lambda: _step(window) == target)


def _open(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    window.files.open(path)
    qtbot.waitUntil(lambda: not window.files.background.is_busy)


def test_a_saved_run_opens_to_the_same_bits(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.control.edit_params(FakeParams(curvature=1.7, init="random"))
    window.control.edit_seed(3)
    qtbot.waitUntil(lambda: _step(window) == 0)
    _run(window, qtbot, 12)
    window.control.edit_params(FakeParams(curvature=1.7, init="random", step_size=0.11))
    _run(window, qtbot, 8)
    before = window.control.snapshot
    path = tmp_path / "run.toml"
    window.files.save(path)
    qtbot.waitUntil(path.is_file)
    assert window.status.currentMessage() == "Saved run.toml."
    window.control.edit_params(FakeParams())
    qtbot.waitUntil(lambda: _step(window) == 0)
    _open(window, qtbot, path)
    qtbot.waitUntil(lambda: _step(window) == 20)
    after = window.control.snapshot
    assert after.observation["w"] == before.observation["w"]
    assert after.changes == before.changes
    assert window.control.params == window.panels.form.params == before.params
    assert window.control.seed == 3
    assert window.settings.recent_files() == [path.resolve()]


def test_what_has_to_be_said_of_a_file_is_said_when_it_opens(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.toml"
    window.files.save(path)
    qtbot.waitUntil(path.is_file)
    moved = FakeParams(curvature=1.9)

    def on_this_machine(run: RunSpec) -> tuple[RunSpec, str]:
        return dataclasses.replace(run, params=moved), "It is made on the CPU."

    monkeypatch.setattr(engine.run.replay, "on_this_machine", on_this_machine)
    _open(window, qtbot, path)
    assert window.status.currentMessage() == "Opened run.toml. It is made on the CPU."
    assert window.control.params == moved


def test_the_window_answers_while_a_file_is_read_and_can_cancel_it(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, gate = tmp_path / "run.toml", threading.Event()
    window.control.edit_params(FakeParams(curvature=1.9))
    window.files.save(path)
    qtbot.waitUntil(path.is_file)
    window.control.edit_params(FakeParams())
    qtbot.waitUntil(lambda: _step(window) == 0)
    real = engine.run.replay.on_this_machine

    def slow(run: RunSpec) -> tuple[RunSpec, str]:
        assert gate.wait(20)
        return real(run)

    monkeypatch.setattr(engine.run.replay, "on_this_machine", slow)
    window.files.open(path)
    _run(window, qtbot, 3)  # the window and its run go on
    dialog = window.findChild(QProgressDialog)
    dialog.show()  # that of what is read in a moment is not shown
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not window.files.background.is_busy
    gate.set()
    window.files.open(path)
    qtbot.waitUntil(lambda: not window.files.background.is_busy)
    assert window.control.params == FakeParams(curvature=1.9)


def test_recent_files_are_offered(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    menu = window.actions_by_name.recent_menu
    menu.aboutToShow.emit()
    assert [action.isEnabled() for action in menu.actions()] == [False]
    path = tmp_path / "run.toml"
    window.files.save(path)
    qtbot.waitUntil(path.is_file)
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["run.toml"]


@pytest.mark.parametrize(
    "text",
    [
        "not toml at all [",
        'experiment = "nothing"',
        'format = 99\nexperiment = "fake"',
        'experiment = "fake"\n[params]\nstep_size = -1',
        'experiment = "fake"\nunknown = 1',
    ],
)
def test_a_file_that_cannot_be_used_changes_nothing(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text, "utf-8")
    _open(window, qtbot, path)
    assert not window.message_bar.isHidden()
    assert window.message_bar.text.text()
    assert window.control.params == FakeParams()
    assert window.settings.recent_files() == []


def test_a_folder_that_cannot_be_written_is_one_sentence(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.files.save(tmp_path / "missing" / "run.toml")
    qtbot.waitUntil(lambda: not window.message_bar.isHidden())
    assert window.message_bar.text.text().startswith("run.toml could not be written")


@pytest.fixture
def dialog(window: MainWindow, qtbot: QtBot) -> Iterator[ExportDialog]:
    _run(window, qtbot, 10)
    made = ExportDialog(window.control, window.bridge, window.files)
    qtbot.addWidget(made)
    yield made


def _export(dialog: ExportDialog, qtbot: QtBot, what: str, form: str | None, path: Path) -> None:
    dialog.what.setCurrentText(what)
    if form is not None:
        dialog.format.setCurrentText(form)
    dialog.save(path)
    assert not dialog.save_button.isEnabled()
    qtbot.waitUntil(dialog.save_button.isEnabled, timeout=20_000)


@pytest.mark.parametrize(
    ("what", "form", "start"),
    [
        ("Page of all plots", "PNG", b"\x89PNG"),
        ("Plot: Weight", "PDF", b"%PDF"),
        ("Plot: Loss", "SVG", b"<?xml"),
        ("Data: Weight", "CSV", b"step,weight"),
    ],
)
def test_an_export_is_written(
    dialog: ExportDialog, qtbot: QtBot, tmp_path: Path, what: str, form: str, start: bytes
) -> None:
    path = tmp_path / f"out.{form.lower()}"
    _export(dialog, qtbot, what, form, path)
    assert dialog.outcome.text() == f"Saved {path.name}."
    assert path.read_bytes().startswith(start)


def test_learned_parameters_are_written(
    dialog: ExportDialog, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "weights.npz"
    _export(dialog, qtbot, "Learned parameters", "NPZ", path)
    with np.load(path, allow_pickle=False) as stored:
        assert stored["weight"][0] == window.control.snapshot.observation["w"]


def test_a_whole_run_is_written(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    _export(dialog, qtbot, "Whole run", None, folder)
    result = json.loads((folder / "run.json").read_text("utf-8"))
    assert (result["experiment"], result["outcome"]["step"]) == ("fake", 10)
    assert list((folder / "figures").glob("*.pdf"))


def test_a_run_goes_on_after_an_export(
    dialog: ExportDialog, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.control.edit_params(FakeParams(step_size=1e-6))
    window.control.toggle_play()
    qtbot.waitUntil(lambda: _step(window) > 12)
    _export(dialog, qtbot, "Data: Weight", "CSV", tmp_path / "out.csv")
    reached = _step(window)
    qtbot.waitUntil(lambda: _step(window) > reached + 3)


def test_an_export_that_fails_is_one_sentence(
    dialog: ExportDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    _export(dialog, qtbot, "Data: Weight", "CSV", tmp_path / "missing" / "out.csv")
    assert "could not be written" in dialog.outcome.text()


def test_a_figure_is_copied(dialog: ExportDialog, qtbot: QtBot) -> None:
    dialog.what.setCurrentText("Plot: Weight")
    dialog.copy()
    qtbot.waitUntil(dialog.save_button.isEnabled, timeout=20_000)
    assert not QGuiApplication.clipboard().image().isNull()


def test_only_pictures_have_a_resolution(dialog: ExportDialog) -> None:
    dialog.what.setCurrentText("Plot: Weight")
    dialog.format.setCurrentText("PNG")
    assert dialog.dpi.isEnabled()
    dialog.format.setCurrentText("PDF")
    assert not dialog.dpi.isEnabled()
    dialog.what.setCurrentText("Data: Weight")
    assert not dialog.copy_button.isEnabled()


def test_learned_parameters_are_gone_on_from(
    window: MainWindow, dialog: ExportDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "weights.npz"
    _export(dialog, qtbot, "Learned parameters", "NPZ", path)
    reached = window.control.snapshot.observation["w"]
    _open(window, qtbot, path)
    qtbot.waitUntil(lambda: _step(window) == 0)
    assert window.control.snapshot.observation["w"] == reached
    window.control.edit_params(FakeParams(curvature=9.0))
    qtbot.waitUntil(lambda: _step(window) == 0)
    assert window.control.snapshot.observation["w"] == 1.0


def _look_back(window: MainWindow, qtbot: QtBot, step: int) -> None:
    window.control.seek(step)
    qtbot.waitUntil(lambda: window.control.snapshot.cursor == step)


def _title(path: Path) -> str:
    return path.read_text("utf-8").partition("<dc:title>")[2].partition("<")[0]


def test_the_step_that_is_shown_is_exported(
    window: MainWindow, dialog: ExportDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    last = window.control.snapshot.observation["w"]
    assert dialog.step is None and not dialog.moment.isEnabled()
    _look_back(window, qtbot, 4)
    shown = window.control.snapshot.observation["w"]
    assert shown != last
    assert dialog.moment.isEnabled() and dialog.moment.currentText() == "step 4 of 10, as shown"
    for row, step, weight in ((0, 4, shown), (1, 10, last)):
        dialog.moment.setCurrentIndex(row)
        _export(dialog, qtbot, "Learned parameters", "NPZ", tmp_path / "weights.npz")
        with np.load(tmp_path / "weights.npz", allow_pickle=False) as stored:
            assert stored["weight"][0] == weight
        for what in ("Page of all plots", "Plot: Loss"):
            _export(dialog, qtbot, what, "SVG", tmp_path / "figure.svg")
            assert _title(tmp_path / "figure.svg").endswith(f"step {step}")
        _export(dialog, qtbot, "Data: Loss", "CSV", tmp_path / "loss.csv")
        rows = (tmp_path / "loss.csv").read_text("utf-8").splitlines()
        assert {row.partition(",")[0] for row in rows} == {"step", str(step)}
        _export(dialog, qtbot, "Whole run", None, tmp_path / "run")
        result = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
        assert result["outcome"]["step"] == result["steps"] == step
    assert window.control.snapshot.cursor == 4


def test_a_choice_of_the_last_step_is_kept_while_others_are_shown(
    window: MainWindow, dialog: ExportDialog, qtbot: QtBot
) -> None:
    _look_back(window, qtbot, 4)
    dialog.moment.setCurrentIndex(1)
    _look_back(window, qtbot, 3)
    assert dialog.step is None
    dialog.moment.setCurrentIndex(0)
    _look_back(window, qtbot, 2)
    assert dialog.step == 2
    window.control.live()
    qtbot.waitUntil(lambda: window.control.snapshot.is_live)
    assert dialog.step is None and dialog.moment.count() == 1


def test_all_steps_of_a_plot_along_them_are_exported_whichever_is_shown(
    window: MainWindow, dialog: ExportDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    _look_back(window, qtbot, 4)
    _export(dialog, qtbot, "Data: Weight", "CSV", tmp_path / "weight.csv")
    assert not dialog.moment.isEnabled()
    steps = [row.partition(",")[0] for row in (tmp_path / "weight.csv").read_text().splitlines()]
    assert steps == ["step", *map(str, range(11))]


def test_pinned_runs_that_are_shown_are_in_exported_figures(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    _run(window, qtbot, 5)
    first, second = (window.pins.add(window.control.snapshot) for _ in range(2))
    window.pins.show(second.id, False)
    made = ExportDialog(window.control, window.bridge, window.files, pins=window.pins)
    qtbot.addWidget(made)
    _export(made, qtbot, "Plot: Weight", "SVG", tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text("utf-8")
    assert 'id="pin-1-' in text and 'id="pin-2-' not in text
    assert LIGHT.pins[int(first.color.removeprefix("pin")) - 1] in text


def test_a_run_file_saved_while_looking_back_says_what_it_holds(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    _run(window, qtbot, 10)
    _look_back(window, qtbot, 4)
    path = tmp_path / "run.toml"
    window.files.save(path)
    qtbot.waitUntil(path.is_file)
    message = window.status.currentMessage()
    assert "whole run (steps = 10)" in message and "step 4 " in message
    assert "steps = 10" in path.read_text("utf-8")
