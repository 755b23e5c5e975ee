"""The scalar product network in the real window, from a preset to a retuned run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.core.change import Change, Nudge
from engine.core.outcome import OutcomeKind
from engine.core.params import update
from engine.core.registry import get
from engine.run.snapshot import Snapshot, Status
from engine.storage.presets import presets
from gui.app.smoke import view_has_data
from gui.plots.changes import ChangeMark
from gui.plots.panes.plane import PlanePane
from gui.plots.panes.time import TimePane
from gui.settings import Settings
from gui.window.main_window import MainWindow

COMPILING_MS = 120_000
EXPERIMENT = get("scalar-product")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(Settings(None), experiments=[EXPERIMENT])
    qtbot.addWidget(made)
    made.restore()
    made.resize(1280, 800)
    made.show()
    made.begin()
    qtbot.waitUntil(lambda: _status(made) is Status.PAUSED, timeout=COMPILING_MS)
    yield made
    made.close()


def _status(window: MainWindow) -> Status | None:
    return None if window.control.snapshot is None else window.control.snapshot.status


def _shown(window: MainWindow) -> Snapshot:
    assert window.control.snapshot is not None
    return window.control.snapshot


def _choose(window: MainWindow, preset_id: str) -> None:
    index = [preset.id for preset in presets("scalar-product")].index(preset_id)
    window.header.presets.setCurrentIndex(index)
    window.header.presets.activated.emit(index)


def test_period_2_is_seen_and_read_off(window: MainWindow, qtbot: QtBot) -> None:
    _choose(window, "period-2")
    window.set_speed(None)
    qtbot.waitUntil(
        lambda: window.control.snapshot is not None and _shown(window).outcome.period == 2,
        timeout=20_000,
    )
    window.control.pause()
    qtbot.waitUntil(lambda: _status(window) is Status.PAUSED)
    orbit = sorted(_shown(window).outcome.orbit)
    assert orbit == pytest.approx([1.15194996, 1.57835139], abs=1e-8)
    snapshot = _shown(window)
    bound = next(b for b in snapshot.theory if b.field == "step_size" and "max" in b.symbol)
    assert bound.value == pytest.approx(0.5)
    views = EXPERIMENT.views(window.control.params)
    assert all(view_has_data(view, snapshot) for view in views if view.shown)


def test_the_run_is_dragged_along_its_orbit_diagram(window: MainWindow, qtbot: QtBot) -> None:
    """From a minimum across the largest stable step size: the same run forks into two branches."""
    window.control.step(20)
    qtbot.waitUntil(lambda: _shown(window).step == 20)
    before = _shown(window)
    pane = window.panels.plots.docks["orbit-diagram"].pane
    assert isinstance(pane, PlanePane)
    place = before.observation
    here = (float(place["orbit_step"]), float(place["orbit_foot"]))
    mapper = pane.canvas.frame.mapper
    begin, end = mapper.point(*here).toPoint(), mapper.point(0.3, here[1]).toPoint()
    qtbot.mousePress(pane.canvas.viewport(), Qt.MouseButton.LeftButton, pos=begin)
    qtbot.mouseMove(pane.canvas.viewport(), (begin + end) / 2)
    qtbot.mouseMove(pane.canvas.viewport(), end)
    qtbot.mouseRelease(pane.canvas.viewport(), Qt.MouseButton.LeftButton, pos=end)
    step = window.control.params.model_dump()["step_size"]
    assert step == pytest.approx(0.3, abs=2 * abs(mapper.x_at(1) - mapper.x_at(0)))
    assert _shown(window).run_id == before.run_id  # it goes on, from the same step
    window.control.step(2000)
    qtbot.waitUntil(lambda: _shown(window).step == before.step + 2000)
    assert len(set(np.round(_shown(window).observation["orbit_y"], 6))) == 2
    window.control.undo_group.undo()  # the whole way is one
    assert window.control.params == before.params


def test_a_nudge_drives_the_run_off_an_unstable_minimum(window: MainWindow, qtbot: QtBot) -> None:
    """The preset stands and says so; a click, and it leaves for the 2-cycle, with a mark."""
    _choose(window, "unstable-minimum")
    window.set_speed(None)
    qtbot.waitUntil(
        lambda: (
            window.control.snapshot is not None
            and _shown(window).outcome.phase == "on an unstable minimum"
            and _status(window) is Status.PAUSED
        ),
        timeout=20_000,
    )
    stood = _shown(window).step
    assert float(_shown(window).trace.recent["error"][-1]) == 0.0
    qtbot.waitUntil(lambda: window.status.currentMessage().startswith("⚠ The run stands exactly"))
    qtbot.mouseClick(window.transport.nudge_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _shown(window).outcome.period == 2, timeout=20_000)
    window.control.pause()
    qtbot.waitUntil(lambda: _status(window) is Status.PAUSED)
    snapshot = _shown(window)
    assert sorted(snapshot.outcome.orbit) == pytest.approx([1.15194996, 1.57835139], abs=1e-8)
    assert snapshot.changes == (Change(stood, nudge=Nudge(1e-6, snapshot.seed)),)
    weights = window.panels.plots.panes["weights"]
    assert isinstance(weights, TimePane)
    assert weights.change_marks == (ChangeMark(stood, "nudge 10⁻⁶"),)


def test_lowering_the_step_size_of_a_cycle_ends_it(window: MainWindow, qtbot: QtBot) -> None:
    _choose(window, "period-2")
    qtbot.waitUntil(
        lambda: window.control.snapshot is not None and _shown(window).step > 10, timeout=20_000
    )
    window.set_speed(None)
    lower = update(window.control.params, step_size=0.3)
    window.panels.form.params_edited.emit(lower, True)
    qtbot.waitUntil(
        lambda: _shown(window).outcome.kind == "converged" and bool(_shown(window).changes),
        timeout=20_000,
    )
    assert _shown(window).changes[-1].values == {"step_size": 0.3}
    assert _shown(window).params == lower


def test_divergence_is_an_outcome(window: MainWindow, qtbot: QtBot) -> None:
    window.control.edit_params(update(window.control.params, depth=2, step_size=1.01))
    window.set_speed(None)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(
        lambda: window.control.snapshot is not None and _status(window) is Status.FINISHED,
        timeout=20_000,
    )
    assert _shown(window).outcome.kind is OutcomeKind.DIVERGED
    assert window.message_bar.isHidden()
    assert window.transport.play_button.text() == "Play again"


def test_scrubbing_shows_what_was_there(window: MainWindow, qtbot: QtBot) -> None:
    _choose(window, "chaos")
    window.control.pause()
    window.control.step(300)
    qtbot.waitUntil(
        lambda: (
            window.control.snapshot is not None
            and _status(window) is Status.PAUSED
            and _shown(window).step >= 300
        )
    )
    end = _shown(window)
    window.transport.scrub.setValue(123)
    qtbot.waitUntil(lambda: _shown(window).cursor == 123)
    assert _shown(window).observation is not end.observation
    qtbot.keyClick(window, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: _shown(window).cursor == end.step)


def test_a_pinned_run_is_drawn_behind(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(50)
    qtbot.waitUntil(lambda: _shown(window).step == 50)
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert window.pins.of("scalar-product")[0].trace.last == 50
    window.control.edit_params(update(window.control.params, step_size=0.1))
    window.control.step(50)
    qtbot.waitUntil(
        lambda: (
            window.control.snapshot is not None
            and _shown(window).step >= 50
            and _shown(window).params == window.control.params
        )
    )
    pane = window.panels.plots.panes["weights"]
    with_ghost = pane.grab().toImage()
    window.pins.clear("scalar-product")
    assert pane.grab().toImage() != with_ghost


def test_every_preset_can_follow_every_other(window: MainWindow, qtbot: QtBot) -> None:
    """The plots of more weights meet the history of the run before, for as long as it is shown."""
    known = presets("scalar-product")
    one_of_each = {preset.params.depth: preset.id for preset in known}  # the history's width
    for preset_id in (*(preset.id for preset in known), *reversed(one_of_each.values())):
        before = 0 if window.control.snapshot is None else _shown(window).run_id
        _choose(window, preset_id)
        qtbot.waitUntil(
            lambda before=before: (
                window.control.snapshot is not None and _shown(window).run_id > before
            ),
            timeout=20_000,
        )
