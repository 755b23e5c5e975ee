"""Starting the program: options, uncaught errors, signals, pictures of itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

import main as program
from gui.app import application as app
from gui.app import options, screenshot
from gui.app.ending import SIGNALS, EndRequests
from gui.app.starting import Start
from gui.settings import Settings
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment
from tests.registered import only

EXPERIMENT = FakeExperiment()


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(Settings(None), experiments=[EXPERIMENT])
    qtbot.addWidget(made)
    made.restore()
    yield made
    made.close()


@pytest.fixture
def hook() -> Iterator[None]:
    before = sys.excepthook
    yield
    sys.excepthook = before


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("--fresh", True),
        ("--theme=dark", True),
        ("--startup-time", True),
        ("--open", True),
        ("run", False),
        ("list", False),
        ("--version", False),
    ],
)
def test_which_arguments_ask_for_the_window(argument: str, expected: bool) -> None:
    assert options.is_window_option(argument) is expected


@pytest.mark.parametrize("arguments", [["--theme", "purple"], ["--open"], ["--fresh", "--no"]])
def test_a_bad_option_of_the_window_is_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert arguments[-1] in said


@pytest.mark.parametrize("name", ["run.toml", "run.json", "model.NPZ", "with space.safetensors"])
def test_a_file_asks_for_the_window(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert not options.is_window_option(str(path))  # the command line says what is wrong
    path.touch()
    assert options.is_window_option(str(path))
    assert options.parser().parse_args([str(path), "--fresh"]).file == path


def test_words_go_to_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["run", "no-such-experiment", "--out", "x"]) == 2
    assert "no-such-experiment" in capsys.readouterr().err


@pytest.mark.usefixtures("hook")
def test_an_error_nobody_caught_is_shown_and_the_window_lives(
    window: MainWindow, capsys: pytest.CaptureFixture[str]
) -> None:
    app.catch_errors(window)
    try:
        raise RuntimeError("nobody caught this")
    except RuntimeError:
        sys.excepthook(*sys.exc_info())
    assert not window.message_bar.isHidden()
    assert "nobody caught this" in window.message_bar.text.text()
    assert "nobody caught this" in capsys.readouterr().err
    assert window.isEnabled()


@pytest.mark.usefixtures("hook")
def test_ctrl_c_closes_the_window(window: MainWindow, qtbot: QtBot) -> None:
    before = [signal.getsignal(number) for number in numbers()]
    requests = EndRequests()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        assert requests.is_pending  # nothing is closed before the event loop runs
        window.show()
        requests.watch(window.close)
        assert window.isVisible()
        qtbot.waitUntil(lambda: not window.isVisible())
        assert not requests.is_pending
    finally:
        requests.stop()
    assert [signal.getsignal(number) for number in numbers()] == before


def numbers() -> list[int]:
    return [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]


def test_a_first_paint_is_told_once(window: MainWindow, qtbot: QtBot) -> None:
    told: list[bool] = []
    window.first_painted.connect(lambda: told.append(True))
    window.show()
    qtbot.waitUntil(lambda: bool(told))
    window.repaint()
    window.resize(1200, 700)
    qtbot.waitUntil(lambda: window.width() == 1200)
    assert told == [True]


LOOK_WHEN_IT_SHOWS = """
import sys
from gui.app import application as app
from gui.window import main_window

begin = main_window.MainWindow.begin

def look(window, run=True):
    print("shown with", [name for name in ("pyqtgraph", "gui.plots.area") if name in sys.modules])
    begin(window, run)
    print("filled with", [name for name in ("pyqtgraph", "gui.plots.area") if name in sys.modules])

main_window.MainWindow.begin = look
sys.exit(app.main(["--fresh", "--startup-time"]))
"""


def test_the_window_shows_before_pyqtgraph_is_imported() -> None:
    here = Path(program.__file__).resolve().parent
    command = [sys.executable, "-c", LOOK_WHEN_IT_SHOWS]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "shown with []"
    assert lines[1] == "filled with ['pyqtgraph', 'gui.plots.area']"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, EXPERIMENT)
    monkeypatch.setattr(screenshot, "SETTLE_SECONDS", 0.05)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_program_draws_itself(
    tmp_path: Path, theme: str, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path), "--size", "1280x800", "--theme", theme, "--steps", "12"]
    assert screenshot.main([*arguments, "--experiment", "fake"]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == tmp_path / f"fake-{theme}.png"
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1280, 800)
    assert (image.pixelColor(3, 3).lightness() > 128) is (theme == "light")


@pytest.mark.usefixtures("registry")
def test_an_unknown_preset_is_bad_input(
    tmp_path: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path), "--experiment", "fake", "--preset", "nothing"]
    assert screenshot.main(arguments) == 2
    assert capsys.readouterr().err.startswith("preset: 'nothing' is not allowed")


def test_the_window_remembers_unless_it_is_fresh(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    import gui.settings

    path = tmp_path / "settings.ini"
    monkeypatch.setattr(gui.settings, "default_path", lambda: path)
    monkeypatch.setattr(Start, "_on_shown", lambda start: start._window.close())
    before = [signal.getsignal(number) for number in numbers()]
    kept: Any = sys.excepthook
    try:
        assert app.main(["--fresh"]) == 0
        assert not path.exists()
        assert app.main(["--theme", "light"]) == 0
        assert "theme=light" in path.read_text("utf-8")
        assert [signal.getsignal(number) for number in numbers()] == before
    finally:
        sys.excepthook = kept
