"""The smoke test itself, and that it notices what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.core.views import (
    BarView,
    Curve,
    Heat,
    ImageView,
    PlaneView,
    Rule,
    Series,
    TableView,
    TimeView,
)
from gui.app import drive, screenshot, smoke
from gui.app.drive import Driver
from gui.app.smoke import view_has_data
from tests.gui.fakes import FakeExperiment, FakeParams, snapshot
from tests.registered import only

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Any:
    def register(*experiments: Any) -> None:
        only(monkeypatch, *experiments)

    return register


@pytest.fixture
def driver(registry: Any, qtbot: QtBot) -> Iterator[Any]:
    made: list[Driver] = []

    def build(*experiments: Any) -> Driver:
        registry(*experiments)
        made.append(Driver())
        return made[-1]

    yield build
    for item in made:
        item.close()


def test_a_good_experiment_passes(driver: Any) -> None:
    assert smoke.check(driver(FakeExperiment()), "fake") == ""


def test_a_run_that_breaks_is_named(driver: Any) -> None:
    class Broken(FakeExperiment):  # type: ignore[misc]
        def advance(self, state: Any, n: int, stride: int = 1) -> Any:
            raise RuntimeError("the kernel broke")

    assert smoke.check(driver(Broken()), "fake") == "RuntimeError: the kernel broke"


def test_a_run_that_cannot_begin_is_named(driver: Any) -> None:
    class Broken(FakeExperiment):  # type: ignore[misc]
        def init(self, params: Any, seed: int) -> Any:
            raise ValueError("no start")

    assert smoke.check(driver(Broken()), "fake") == "ValueError: no start"


def test_an_empty_plot_is_named(driver: Any) -> None:
    class Empty(FakeExperiment):  # type: ignore[misc]
        def views(self, params: FakeParams) -> Any:
            shown = TimeView(
                id="nothing", title="N", y_label="y", series=(Series(key="none", label="n"),)
            )
            return (*super().views(params), shown)

    assert smoke.check(driver(Empty()), "fake") == "no data in nothing"


def test_a_plot_that_fills_late_is_waited_for(driver: Any) -> None:
    class Late(FakeExperiment):  # type: ignore[misc]
        def views(self, params: FakeParams) -> Any:
            late = PlaneView(
                id="late", title="L", x_label="", y_label="", items=(Curve(x="x", y="late"),)
            )
            return (*super().views(params), late)

        def observe(self, state: Any, recent: Any) -> Any:
            late = np.ones(3) if state.step >= 25 else np.empty(0)
            return {**super().observe(state, recent), "late": late}

    opened = driver(Late())
    assert smoke.check(opened, "fake") == ""
    assert opened.window.control.snapshot.step == 30


def test_silence_is_a_failure(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    window = driver(FakeExperiment())
    monkeypatch.setattr(drive, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(window.window.control, "step", lambda n: None)
    assert smoke.check(window, "fake").startswith("nothing came within")


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (TimeView(id="a", title="", y_label="", series=(Series(key="weight", label=""),)), True),
        (TimeView(id="a", title="", y_label="", series=(Series(key="other", label=""),)), False),
        (PlaneView(id="a", title="", x_label="", y_label="", items=(Curve(x="x", y="y"),)), True),
        (PlaneView(id="a", title="", x_label="", y_label="", items=(Curve(x="x", y="q"),)), False),
        (
            PlaneView(
                id="a", title="", x_label="", y_label="", items=(Heat(key="image", extent_key="e"),)
            ),
            True,
        ),
        (
            PlaneView(id="a", title="", x_label="", y_label="", items=(Rule(label="", value=1.0),)),
            False,
        ),
        (ImageView(id="a", title="", key="image"), True),
        (ImageView(id="a", title="", key="hole"), False),
        (TableView(id="a", title="", key="rows", headings=("a",)), True),
        (TableView(id="a", title="", key="empty", headings=("a",)), False),
        (
            BarView(
                id="a",
                title="",
                categories_key="names",
                keys=("y",),
                labels=("",),
                colors=("1",),
                y_label="",
            ),
            True,
        ),
    ],
)
def test_what_counts_as_data(view: Any, expected: bool) -> None:
    shown = snapshot()
    observation = {
        **shown.observation,
        "image": np.zeros((2, 2)),
        "hole": np.full((2, 2), np.nan),
        "rows": [["a"]],
        "empty": [],
    }
    assert view_has_data(view, snapshot(observation=observation)) is expected


def test_the_command_opens_everything(registry: Any, capsys: pytest.CaptureFixture[str]) -> None:
    registry(FakeExperiment())
    assert smoke.main() == 0
    assert capsys.readouterr().out == "fake: ok\n"


def test_the_command_fails_with_the_reason(
    registry: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(FakeExperiment):  # type: ignore[misc]
        def advance(self, state: Any, n: int, stride: int = 1) -> Any:
            raise RuntimeError("the kernel broke")

    registry(Broken())
    assert smoke.main() == 1
    assert "fake: RuntimeError: the kernel broke" in capsys.readouterr().out
    assert smoke.main(["--no-such"]) == 2


def _program(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )


def test_the_program_says_when_its_window_shows_and_ends() -> None:
    done = _program("--fresh", "--startup-time")
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert words[:3] == ["window", "visible", "after"]
    assert 0 < float(words[3]) < float(words[8])


SHOWN = """
import sys
from gui.app import application as app
from gui.window.main_window import MainWindow

restore = MainWindow.restore

def say(window):
    heavy = ("torch", "torchvision", "matplotlib", "numba", "scipy")
    print([name for name in heavy if name in sys.modules])
    window.close()

def look(window, **options):
    restore(window, **options)
    window.first_painted.connect(lambda: say(window))

MainWindow.restore = look
sys.exit(app.main(["--fresh"]))
"""
"""Names what is loaded when the window shows."""


def test_nothing_heavy_is_loaded_before_the_window_shows() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOWN],
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_a_picture_of_an_unknown_experiment_is_bad_input(tmp_path: Path) -> None:
    done = _program("screenshot", "--out", str(tmp_path), "--experiment", "nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("experiment: 'nothing' is not allowed")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x"])
def test_a_picture_stays_within_its_folder(
    qapp: QApplication, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / "out"
    assert screenshot.main(["--out", str(out), "--name", name, "--steps", "0"]) == 2
    assert capsys.readouterr().err.startswith("file name: ")
    assert list(tmp_path.iterdir()) == [out] and list(out.iterdir()) == []


@pytest.mark.parametrize("size", ["1280", "0x0", "100000x100", "axb"])
def test_a_picture_of_no_size_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: str
) -> None:
    assert screenshot.main(["--out", str(tmp_path), "--size", size]) == 2
    assert "size" in capsys.readouterr().err


def test_there_is_no_picture_to_wait_for_of_a_run_that_cannot_begin(
    registry: Any,
    qapp: QApplication,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(FakeExperiment):  # type: ignore[misc]
        def init(self, params: Any, seed: int) -> Any:
            raise ValueError("no start")

    waited: list[float] = []
    monkeypatch.setattr(Driver, "settle", lambda _, seconds: waited.append(seconds))
    registry(Broken())
    assert screenshot.main(["--out", str(tmp_path), "--experiment", "fake"]) == 1
    assert capsys.readouterr().err == "ValueError: no start\n"
    assert waited == [] and list(tmp_path.iterdir()) == []
