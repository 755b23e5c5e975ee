"""A Python file of the user is executed after a question that shows its path and hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.core.params import build
from engine.experiments.network.experiment import Network
from engine.experiments.network.params import NetworkParams
from engine.storage import user_code
from gui.panels.trust import breakable
from gui.window.main_window import MainWindow
from tests.gui.windows import has_ended, open_window

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


def opened(qtbot: QtBot) -> MainWindow:
    window = open_window(qtbot, [Network()], before_close=lambda window: window.close())
    window.control.choose(Network(), build(NetworkParams, SMALL))
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=60_000)
    return window


def test_a_file_is_executed_only_after_the_answer(qtbot: QtBot, file: Path) -> None:
    window = opened(qtbot)
    assert window.panels is not None
    trust, marker = window.panels.trust, file.parent / "executed"
    code = user_code.read(file, "module_file")
    window.control.edit_params(params_of(file))
    qtbot.waitUntil(lambda: trust.dialog is not None, timeout=60_000)
    assert trust.dialog is not None and not marker.exists()
    assert trust.dialog.path.text().replace("\u200b", "") == str(file)
    assert code.sha256 in trust.dialog.hash.text().replace("\u200b", "")
    trust.dialog.refuse.click()
    assert trust.dialog is None and not user_code.is_trusted(code)
    with qtbot.waitSignal(window.bridge.rejected, timeout=60_000):
        window.control.edit_params(params_of(file, step_size=0.2))
    assert trust.dialog is None  # another value is no wish to be asked again
    window.control.reset()
    qtbot.waitUntil(lambda: trust.dialog is not None, timeout=60_000)
    assert not marker.exists()
    trust.dialog.execute.click()
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=60_000)
    assert marker.exists() and user_code.is_trusted(code)
    window.control.reset()
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=60_000)
    assert trust.dialog is None
    window.close()
    qtbot.waitUntil(has_ended, timeout=60_000)


def test_what_does_not_print_is_escaped() -> None:
    assert breakable("a\n\u202eb").replace("\u200b", "") == "a\\n\\u202eb"
