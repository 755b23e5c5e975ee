"""What is loaded when the window first shows, and what happens until the rest is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from gui.app.starting import Loader, Start
from gui.settings import Settings
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment

ROOT = Path(__file__).resolve().parents[3]
EXPERIMENT = FakeExperiment()
HEAVY = "numpy scipy pydantic numba torch matplotlib pyqtgraph imageio qtawesome".split()
LOADED = r"engine\.experiments\.\w+\.(?!listing$)\w+"
START = """
import json, sys
from gui.app.application import application
app = application()
from PySide6.QtCore import QEventLoop
from gui.window.main_window import MainWindow
from gui.settings import Settings
window = MainWindow(Settings(None))
window.restore()
loop = QEventLoop()
window.first_painted.connect(loop.quit)
window.show()
loop.exec()
assert window.isVisible()
shown = list(sys.modules)
window.begin(run=False)
begun = list(sys.modules)
window.close()
print(json.dumps([shown, begun]))
"""


@pytest.fixture(scope="module")
def modules() -> tuple[set[str], set[str]]:
    """Start the window in a process of its own: what is loaded when it shows, and with plots."""
    command = [sys.executable, "-W", "error", "-c", START]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    shown, begun = json.loads(run.stdout.splitlines()[-1])
    return set(shown), set(begun)


def test_the_window_shows_before_anything_heavy_is_loaded(
    modules: tuple[set[str], set[str]],
) -> None:
    assert modules[0] & set(HEAVY) == set()
    assert not [name for name in modules[0] if re.fullmatch(LOADED, name)]


def test_the_first_experiment_loads_no_other(modules: tuple[set[str], set[str]]) -> None:
    others = "least_squares matrix_product double_scalar convex_shape piecewise_fit mnist".split()
    assert "engine.experiments.scalar_product.experiment" in modules[1]
    assert modules[1] & {f"engine.experiments.{name}.experiment" for name in others} == set()
    assert modules[1] & {"torch", "matplotlib", "numba"} == set()


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(Settings(None), experiments=[EXPERIMENT])
    qtbot.addWidget(made)
    made.restore()
    yield made
    made.close()


def test_until_it_is_loaded_the_window_names_what_comes(window: MainWindow) -> None:
    assert window.windowTitle().startswith("Parabola")
    assert window.header.title.text() == "Parabola"
    assert window.experiment_panel.current_id == "fake"
    assert not window.control.has_experiment


def test_what_needs_an_experiment_waits_for_one(window: MainWindow) -> None:
    names = "save export play step back reset run live pin unpin help".split()
    assert not any(window.actions_by_name[name].isEnabled() for name in names)
    assert not window.transport.isEnabled()
    for name in names:  # as their keys would
        window.actions_by_name[name].trigger()
    window.begin(run=False)
    assert all(window.actions_by_name[name].isEnabled() for name in names)
    assert window.transport.isEnabled()


def test_an_experiment_can_be_chosen_before_the_last_one_is_loaded(qtbot: QtBot) -> None:
    class Second(FakeExperiment):  # type: ignore[misc]
        listing = replace(FakeExperiment.listing, id="second")

    window = MainWindow(Settings(None), experiments=[EXPERIMENT, Second()])
    qtbot.addWidget(window)
    window.restore()
    with qtbot.waitSignal(window.bridge.snapshot_ready):
        window.open_experiment("second")
    window.begin()
    assert window.panels is not None
    assert window.control.experiment.id == "second"
    snapshot = window.control.snapshot
    assert snapshot is not None and window.panels.plots._shown.snapshot is snapshot
    window.close()


def test_a_window_opened_with_a_file_begins_with_its_experiment(qtbot: QtBot) -> None:
    class Second(FakeExperiment):  # type: ignore[misc]
        listing = replace(FakeExperiment.listing, id="second", title="Second")

    for first, title in (("second", "Second"), ("unknown", "Parabola"), ("", "Parabola")):
        window = MainWindow(Settings(None), experiments=[EXPERIMENT, Second()])
        qtbot.addWidget(window)
        window.restore(first=first)
        assert window.header.title.text() == title
        window.begin(run=False)
        assert window.control.experiment.listing.title == title
        window.close()


def test_a_window_whose_last_experiment_cannot_be_loaded_opens_others(qtbot: QtBot) -> None:
    class Broken(FakeExperiment):  # type: ignore[misc]
        listing = replace(FakeExperiment.listing, id="broken")

        def load(self) -> Any:
            raise ImportError("a library of it is missing")

    window = MainWindow(Settings(None), experiments=[Broken(), EXPERIMENT])
    qtbot.addWidget(window)
    window.restore()
    window.begin()
    assert window.message_bar.isVisibleTo(window)
    assert "a library of it is missing" in window.message_bar.text.text()
    assert not window.transport.isEnabled()
    with qtbot.waitSignal(window.bridge.snapshot_ready):
        window.open_experiment("fake")
    assert window.transport.isEnabled()
    assert window.panels.plots.docks
    window.close()


def test_a_loader_works_elsewhere_and_says_when_it_is_done(qtbot: QtBot) -> None:
    threads: list[threading.Thread] = []
    loader = Loader(lambda: threads.append(threading.current_thread()))
    with qtbot.waitSignal(loader.done):
        loader.start()
    loader.start()
    loader.wait()
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


def test_a_loader_that_fails_is_done_too(qtbot: QtBot) -> None:
    loader = Loader(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    with qtbot.waitSignal(loader.done):
        loader.start()


def test_a_window_closed_while_it_loads_is_saved_first_and_stays_closed(
    window: MainWindow, qtbot: QtBot
) -> None:
    go_on, begun, saved = threading.Event(), threading.Event(), []

    def load() -> None:
        begun.set()
        assert go_on.wait(20)

    def look() -> None:
        saved.append(not window.settings.blob("geometry").isEmpty() and not window.isVisible())
        go_on.set()

    window.closed.connect(look)  # before the start, which waits then for what is being imported
    start = Start(window, load=load)
    window.show()
    qtbot.waitUntil(begun.is_set)
    with qtbot.waitSignal(start.loader.done):
        window.close()
    assert saved == [True]
    qtbot.wait(0)
    assert window.panels is None


def test_a_window_closed_before_it_is_drawn_loads_nothing(window: MainWindow, qtbot: QtBot) -> None:
    loaded: list[bool] = []
    Start(window, load=lambda: loaded.append(True))
    window.close()
    window.show()
    with qtbot.waitSignal(window.first_painted):
        window.repaint()
    assert loaded == []
    assert window.panels is None
