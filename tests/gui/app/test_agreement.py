"""What the window says of a run is what `run.json` says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.cli.headless import Job, execute
from engine.core.params import build
from engine.core.registry import get
from engine.run.snapshot import Snapshot, Status
from engine.run.spec import RunSpec
from engine.storage.files import plain
from engine.storage.presets import preset
from engine.storage.runfolder import fields_of
from gui.settings import Settings
from gui.window.main_window import MainWindow

COMPILING_MS = 120_000
LONG = 6000
"""More steps than are kept exactly."""


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(Settings(None), experiments=[get("scalar-product"), get("double-scalar")])
    qtbot.addWidget(made)
    made.restore()
    made.begin()
    yield made
    made.close()


def _shown_at(window: MainWindow, qtbot: QtBot, step: int) -> Snapshot:
    """Wait for the complete picture of a run that has come to rest at a step."""

    def is_there() -> bool:
        snapshot = window.control.snapshot
        at_rest = snapshot is not None and snapshot.status in (Status.PAUSED, Status.FINISHED)
        return at_rest and (snapshot.step == step or snapshot.status is Status.FINISHED)

    qtbot.waitUntil(is_there, timeout=COMPILING_MS)
    assert window.control.snapshot is not None
    return window.control.snapshot


def _said(snapshot: Snapshot) -> dict[str, Any]:
    said = {
        "outcome": fields_of(snapshot.outcome),
        "theory": [fields_of(bound) for bound in snapshot.theory],
        "claims": [fields_of(claim) for claim in snapshot.claims],
    }
    table: dict[str, Any] = plain(said)
    return table


CHAOS = build(get("scalar-product").parameters, {"depth": 5, "target": 2.0, "step_size": 0.1745})
RUNS = {
    "chaos": RunSpec(experiment="scalar-product", params=CHAOS, steps=LONG),
    **{
        name: RunSpec(experiment=experiment, params=found.params, seed=found.seed, steps=steps)
        for experiment, name, steps in (
            ("scalar-product", "period-2", LONG),
            ("scalar-product", "divergence", 100),
            ("double-scalar", "positive-target", 300),
        )
        if (found := preset(experiment, name))
    },
}


@pytest.mark.parametrize("name", RUNS)
def test_the_window_and_the_run_file_say_the_same(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    run = RUNS[name]
    assert run.steps is not None
    _shown_at(window, qtbot, 0)
    window.control.choose(get(run.experiment), run.params, run.seed)
    _shown_at(window, qtbot, 0)
    window.set_speed(None)
    reached, shown = 0, None
    for part in (run.steps // 3, run.steps - run.steps // 3):
        window.control.run(part)
        reached += part
        shown = _shown_at(window, qtbot, reached)
        if shown.status is Status.FINISHED:
            break
    assert shown is not None
    result = execute(Job(run=run, folder=tmp_path), lambda fraction, text: True)
    assert _said(shown) == {key: result[key] for key in ("outcome", "theory", "claims")}
