"""Data sets fetched on request: progress, failure in one sentence, and use."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from engine.core.errors import LabError
from engine.experiments import EXPERIMENTS
from engine.experiments.mnist import datasets
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.window.data_download import DataDownload
from tests.engine.linear_map import LinearMap


@pytest.fixture
def parts(qtbot: QtBot):  # type: ignore[no-untyped-def]
    bridge = Bridge()
    control = RunControl(bridge)
    control.choose(LinearMap())
    yield DataDownload(EXPERIMENTS, control, bridge), control
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
