"""The dialog of animations: what it proposes, refuses, makes and leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtWidgets import QProgressDialog
from pytestqt.qtbot import QtBot

from engine.core.ensemble import Progress
from engine.figures.animation import making
from engine.figures.animation.film import Film, Span, Sweep
from engine.run.snapshot import Status
from gui.export.animation_dialog import AnimationDialog
from gui.settings import Settings
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment
from tests.registered import only

EXPERIMENT = FakeExperiment()


def _step(window: MainWindow) -> int:
    snapshot = window.control.snapshot
    return -1 if snapshot is None or snapshot.status is Status.COMPILING else snapshot.step


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    only(monkeypatch, EXPERIMENT)
    made = MainWindow(Settings(tmp_path / "settings.ini"), experiments=[EXPERIMENT])
    qtbot.addWidget(made)
    made.restore()
    made.begin()
    qtbot.waitUntil(lambda: _step(made) == 0)
    made.control.step(10)
    qtbot.waitUntil(lambda: _step(made) == 10)
    yield made
    made.close()


@pytest.fixture
def dialog(window: MainWindow, qtbot: QtBot) -> Iterator[AnimationDialog]:
    made = AnimationDialog(window.control, window.bridge, window.files)
    qtbot.addWidget(made)
    yield made


@pytest.fixture
def films(monkeypatch: pytest.MonkeyPatch) -> list[Film]:
    """Return what is asked to be made, which takes long and is not carried out."""
    asked: list[Film] = []

    def make(film: Film, path: Path, progress: Progress, workers: int | None = None) -> bool:
        asked.append(film)
        path.write_bytes(b"film")
        return True

    monkeypatch.setattr(making, "make", make)
    return asked


def save(dialog: AnimationDialog, qtbot: QtBot, path: Path) -> None:
    dialog.save(path)
    qtbot.waitUntil(dialog.save_button.isEnabled, timeout=20_000)


def test_the_menu_opens_it(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_name["animation"].trigger()
    (found,) = window.findChildren(AnimationDialog)
    assert (found.first.text(), found.last.text()) == ("0", "10")
    found.close()


def test_a_run_is_shown_from_step_to_step(
    dialog: AnimationDialog, films: list[Film], qtbot: QtBot, tmp_path: Path
) -> None:
    dialog.first.setText("2")
    dialog.film.rate.setCurrentText("10")
    dialog.film.seconds.setText("1/2")
    save(dialog, qtbot, tmp_path / "run")
    (film,) = films
    assert film.course == Span(2, 10)
    assert (film.size, film.rate, film.frames) == ((1280, 720), 10, 5)
    assert dialog.outcome.text() == "Saved run.mp4: 5 frames."
    assert (tmp_path / "run.mp4").is_file()


def test_a_parameter_is_swept(
    dialog: AnimationDialog, films: list[Film], qtbot: QtBot, tmp_path: Path
) -> None:
    index = next(n for n in range(dialog.course.count()) if "δ" in dialog.course.itemText(n))
    dialog.course.setCurrentIndex(index)
    dialog.first.setText("0.1")
    dialog.last.setText("1/4")
    dialog.film.format.setCurrentText("GIF")
    dialog.what.setCurrentIndex(1)
    save(dialog, qtbot, tmp_path / "sweep.gif")
    (film,) = films
    assert film.course == Sweep("step_size", 0.1, 0.25)
    assert film.run.steps == 10 and not film.run.changes
    assert len(film.views) == 1


@pytest.mark.parametrize(
    ("field", "text"),
    [("first", "x"), ("last", "99"), ("last", "-1"), ("seconds", "0"), ("seconds", "soon")],
)
def test_what_is_not_allowed_is_one_sentence(
    dialog: AnimationDialog, films: list[Film], qtbot: QtBot, tmp_path: Path, field: str, text: str
) -> None:
    getattr(dialog.film if field == "seconds" else dialog, field).setText(text)
    save(dialog, qtbot, tmp_path / "a.mp4")
    assert not films and not (tmp_path / "a.mp4").exists()
    assert "is not allowed" in dialog.outcome.text()
    assert "\n" not in dialog.outcome.text()


def test_a_cancel_leaves_nothing(
    dialog: AnimationDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def make(film: Film, path: Path, progress: Progress, workers: int | None = None) -> bool:
        begun.set()
        while progress(0.5, "half"):
            ended.wait(0.01)
        ended.set()
        return False

    monkeypatch.setattr(making, "make", make)
    dialog.save(tmp_path / "a.mp4")
    qtbot.waitUntil(begun.is_set)
    (progress,) = dialog.findChildren(QProgressDialog)
    progress.canceled.emit()
    qtbot.waitUntil(ended.is_set)
    assert dialog.outcome.text() == "Cancelled; nothing was written."
    assert dialog.save_button.isEnabled()


@pytest.mark.slow
def test_a_file_is_made(dialog: AnimationDialog, qtbot: QtBot, tmp_path: Path) -> None:
    dialog.film.seconds.setText("0.3")
    dialog.film.rate.setCurrentText("10")
    dialog.film.pixels.setCurrentIndex(0)
    dialog.what.setCurrentIndex(1)
    dialog.film.format.setCurrentText("GIF")
    dialog.save(tmp_path / "a.gif")
    qtbot.waitUntil(dialog.save_button.isEnabled, timeout=60_000)
    assert dialog.outcome.text() == "Saved a.gif: 3 frames."
    with Image.open(tmp_path / "a.gif") as image:
        assert image.size == (640, 360)
