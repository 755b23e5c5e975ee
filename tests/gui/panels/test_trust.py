"""A Python file of the user is executed after a question that shows its path and hash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.core.params import build
from engine.experiments.network.experiment import Network
from engine.experiments.network.params import NetworkParams
from engine.storage import user_code
from gui.panels.trust import TrustDialog, TrustQuestion, breakable
from gui.run.bridge import Bridge
from gui.run.control import RunControl

SMALL = {"data": "moons", "points": 20, "sharpness_every": 0}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    marker = str(tmp_path / "executed")
    path.write_text(
        f"import torch\nopen({marker!r}, 'w').close()\n"
        "def make(inputs, outputs):\n    return torch.nn.Linear(inputs, outputs)\n"
    )
    return path


def params_of(path: Path, **changes: Any) -> NetworkParams:
    values = {**SMALL, "form": "module", "module_file": str(path), **changes}
    return build(NetworkParams, values)


class Desk:
    """A run and the question about its file, without the window around them."""

    def __init__(self, qtbot: QtBot) -> None:
        self.bridge = Bridge()
        self.control = RunControl(self.bridge)
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.trust = TrustQuestion(self.control, self.bridge, self.window)
        self._qtbot = qtbot

    def question(self) -> TrustDialog:
        """Wait for the question."""
        self._qtbot.waitUntil(lambda: self.trust.dialog is not None, timeout=60_000)
        assert self.trust.dialog is not None
        return self.trust.dialog

    def run(self) -> None:
        """Wait until a run has begun."""
        self._qtbot.waitUntil(lambda: self.control.snapshot is not None, timeout=60_000)


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    desk = Desk(qtbot)
    yield desk
    desk.bridge.close()


def test_a_file_is_executed_only_after_the_answer(qtbot: QtBot, desk: Desk, file: Path) -> None:
    code, marker = user_code.read(file, "module_file"), file.parent / "executed"
    desk.control.choose(Network(), params_of(file))
    dialog = desk.question()
    assert not marker.exists() and dialog.path.text().replace("\u200b", "") == str(file)
    assert code.sha256 in dialog.hash.text().replace("\u200b", "")
    dialog.refuse.click()
    assert desk.trust.dialog is None and not user_code.is_trusted(code)
    with qtbot.waitSignal(desk.bridge.rejected, timeout=60_000):
        desk.control.edit_params(params_of(file, start_scale=0.5))
    assert desk.trust.dialog is None  # another value is no wish to be asked again
    desk.control.reset()
    dialog = desk.question()
    assert not marker.exists()
    dialog.execute.click()
    desk.run()
    assert marker.exists() and user_code.is_trusted(code)
    desk.control.reset()
    desk.run()
    assert desk.trust.dialog is None
    file.write_text(file.read_text() + "# changed\n")
    desk.control.reset()
    desk.question().refuse.click()


def test_what_does_not_print_is_escaped() -> None:
    assert breakable("a\n\u202eb").replace("\u200b", "") == "a\\n\\u202eb"
