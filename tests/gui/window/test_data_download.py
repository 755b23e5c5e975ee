"""Data sets fetched on request: progress, failure in one sentence, and use."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from engine.core.errors import LabError
from engine.experiments import EXPERIMENTS
from engine.experiments.mnist import datasets
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.window.data_download import DataDownload


@pytest.fixture
def parts(qtbot: QtBot):  # type: ignore[no-untyped-def]
    bridge, window = Bridge(), QWidget()
    qtbot.addWidget(window)
    control = RunControl(bridge)  # no run was ever begun
    yield DataDownload(EXPERIMENTS, control, window), control
    assert bridge.close()


def _action(download: DataDownload, menu: QMenu, index: int = 0):  # type: ignore[no-untyped-def]
    download.fill(menu)
    return menu.actions()[index]


def test_a_data_set_is_fetched_with_progress(parts, qtbot, monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    asked = []

    def fetch(name: str, folder: Path | None = None, progress=None) -> Path:  # type: ignore[no-untyped-def]
        asked.append(name)
        assert progress(0.5, "Half.")
        return tmp_path

    monkeypatch.setattr(datasets, "download", fetch)
    download, _ = parts
    heard: list[str] = []
    download.message_requested.connect(heard.append)
    menu = QMenu()
    qtbot.addWidget(menu)
    _action(download, menu).trigger()
    qtbot.waitUntil(lambda: any("MNIST is downloaded" in text for text in heard))
    assert asked == ["mnist"]


def test_a_failure_is_one_sentence(parts, qtbot, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def fetch(name: str, folder: Path | None = None, progress=None) -> Path:  # type: ignore[no-untyped-def]
        raise LabError("No address answered.")

    monkeypatch.setattr(datasets, "download", fetch)
    download, _ = parts
    menu = QMenu()
    qtbot.addWidget(menu)
    action = _action(download, menu, 1)
    with qtbot.waitSignal(download.refused) as heard:
        action.trigger()
    assert heard.args == ["No address answered."]


def test_a_cancelled_download_ends_and_says_nothing(parts, qtbot, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    asked, cancelled, ended = threading.Event(), threading.Event(), threading.Event()
    answers: list[bool] = []

    def fetch(name: str, folder: Path | None = None, progress=None) -> Path:  # type: ignore[no-untyped-def]
        answers.append(progress(0.1, "Some."))
        asked.set()
        assert cancelled.wait(20)
        answers.append(progress(0.2, "More."))
        ended.set()
        raise LabError("It was cancelled.")

    monkeypatch.setattr(datasets, "download", fetch)
    download, _ = parts
    heard: list[str] = []
    download.refused.connect(heard.append)
    mnist = next(entry for entry in EXPERIMENTS if entry.listing.data_sets)
    download.begin(mnist, mnist.listing.data_sets[0])
    assert asked.wait(20)
    download.background.cancel()
    cancelled.set()
    assert ended.wait(20)
    assert answers == [True, False] and heard == [] and not download.background.is_busy
