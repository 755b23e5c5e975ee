"""Notes on plots in the window: into a run file with the run, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.run.notes import Note
from engine.run.snapshot import Status
from engine.storage import runfile
from gui.plots.area import PlotArea
from gui.plots.panes.canvas_pane import CanvasPane
from gui.settings import Settings
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment
from tests.registered import only


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    experiment = FakeExperiment()
    only(monkeypatch, experiment)
    made = MainWindow(Settings(tmp_path / "settings.ini"), experiments=[experiment])
    qtbot.addWidget(made)
    made.restore()
    made.begin()
    qtbot.waitUntil(lambda: step_of(made) == 0)
    yield made
    made.close()


def step_of(window: MainWindow) -> int:
    snapshot = window.control.snapshot
    return -1 if snapshot is None or snapshot.status is Status.COMPILING else snapshot.step


def plots_of(window: MainWindow) -> PlotArea:
    assert window.panels is not None
    return window.panels.plots


def saved(window: MainWindow, qtbot: QtBot, path: Path) -> tuple[Note, ...]:
    path.unlink(missing_ok=True)
    window.files.save(path)
    qtbot.waitUntil(path.is_file)
    return runfile.load(path).notes


def test_notes_go_into_a_run_file_and_come_back(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    plots, path = plots_of(window), tmp_path / "run.toml"
    view = next(name for name, pane in plots.panes.items() if isinstance(pane, CanvasPane))
    note = Note(view, 3.0, 0.5, "look here")
    plots.set_notes((note,))
    assert saved(window, qtbot, path) == (note,)
    window.control.reset()  # a new run has the same plots, and the same notes on them
    run_id = window.control.snapshot.run_id if window.control.snapshot else 0
    qtbot.waitUntil(lambda: getattr(window.control.snapshot, "run_id", 0) > run_id)
    assert saved(window, qtbot, tmp_path / "again.toml") == (note,)
    plots.set_notes(())
    assert saved(window, qtbot, tmp_path / "none.toml") == ()
    window.files.open(path)
    qtbot.waitUntil(lambda: plots.notes == (note,))
