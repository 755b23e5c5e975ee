"""An experiment that others register shows in the window like those of the program."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from engine.core import registry
from engine.run.snapshot import Status
from gui.settings import Settings
from tests.gui.windows import open_window
from tests.ninth import ENTRY


def test_a_registered_experiment_shows_in_the_window(qtbot: QtBot) -> None:
    settings = Settings(None)
    settings.set_text("experiment", ENTRY.id)  # as the last one: no other is loaded
    window = open_window(qtbot, registry.entries(), settings)
    assert ENTRY.id in [listed.id for listed in window.experiments]
    assert window.control.experiment.id == ENTRY.id
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=20_000)
    window.control.step(10)
    qtbot.waitUntil(
        lambda: window.control.snapshot is not None and window.control.snapshot.step == 10,
        timeout=20_000,
    )
    snapshot = window.control.snapshot
    assert snapshot is not None
    assert snapshot.experiment == ENTRY.id and snapshot.status is Status.PAUSED
    assert {"x", "y"} <= snapshot.observation.keys()
    assert [claim.id for claim in snapshot.claims] == ["rate"]
    window.close()
