"""The window with a small real experiment and the real engine."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog, QSlider
from pytestqt.qtbot import QtBot

from engine.core.params import update
from engine.run.snapshot import Status
from engine.storage.presets import Preset
from gui.settings import Settings
from gui.window.about import ReportDialog
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment, FakeParams, snapshot

EXPERIMENT = FakeExperiment()


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Callable[..., MainWindow]]:
    made: list[MainWindow] = []

    def build(settings: Settings | None = None, begin: bool = True) -> MainWindow:
        window = MainWindow(settings or Settings(None), experiments=[EXPERIMENT])
        qtbot.addWidget(window)
        made.append(window)
        window.restore()
        window.resize(1280, 800)
        if begin:
            window.show()
            window.begin()
            qtbot.waitUntil(lambda: _status(window) is Status.PAUSED)
        return window

    yield build
    for window in made:
        window.close()


@pytest.fixture
def window(make: Callable[..., MainWindow]) -> MainWindow:
    return make()


def _status(window: MainWindow) -> Status | None:
    snapshot = window.control.snapshot
    return None if snapshot is None else snapshot.status


def _step(window: MainWindow) -> int:
    snapshot = window.control.snapshot
    return -1 if snapshot is None else snapshot.step


def _cursor(window: MainWindow) -> int:
    snapshot = window.control.snapshot
    return -1 if snapshot is None else snapshot.cursor


def test_it_begins_paused_at_step_0(window: MainWindow) -> None:
    assert _step(window) == 0
    assert window.control.experiment is EXPERIMENT
    assert window.windowTitle().startswith("Parabola")
    assert window.panels.form.params == FakeParams()


def test_space_plays_and_pauses(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: _step(window) > 3)
    assert window.transport.play_button.text() == "Pause"
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: _status(window) is Status.PAUSED)


def test_arrows_step_and_go_back(window: MainWindow, qtbot: QtBot) -> None:
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: _step(window) == 3)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: _cursor(window) == 2)
    assert _step(window) == 3
    qtbot.keyClick(window, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: _cursor(window) == 3)
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: _step(window) == 0)


def test_what_cannot_be_nudged_says_why(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(5)
    qtbot.waitUntil(lambda: _step(window) == 5)
    button, action = window.transport.nudge_button, window.actions_by_name["nudge"]
    assert not button.isEnabled() and not action.isEnabled()
    assert button.toolTip() == f"There is nothing to push: {EXPERIMENT.why_no_nudge}"
    assert action.toolTip() == button.toolTip()
    window.control.nudge(1e-6)  # as a script would
    qtbot.waitUntil(lambda: EXPERIMENT.why_no_nudge in window.status.currentMessage())
    assert _step(window) == 5 and window.control.snapshot.changes == ()  # type: ignore[union-attr]


def test_plain_keys_belong_to_a_field_first(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(5)
    qtbot.waitUntil(lambda: _step(window) == 5)
    field = window.transport.run_steps
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "12 r1n")
    qtbot.keyClick(field, Qt.Key.Key_Left)
    assert "12 r1n" in field.text()
    assert _cursor(window) == 5
    assert _status(window) is Status.PAUSED


def test_arrows_belong_to_a_slider_first(window: MainWindow, qtbot: QtBot) -> None:
    slider: QSlider = window.transport.speed_control.slider
    slider.setFocus()
    before = slider.value()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() == before + 1
    qtbot.wait(0)
    assert _step(window) == 0


def test_a_held_key_plays_once(window: MainWindow, qtbot: QtBot) -> None:
    for repeated in (False, True, True):
        QApplication.sendEvent(
            window,
            QKeyEvent(
                QEvent.Type.KeyPress,
                Qt.Key.Key_Space,
                Qt.KeyboardModifier.NoModifier,
                " ",
                repeated,
            ),
        )
    qtbot.waitUntil(lambda: _step(window) > 1)
    assert _status(window) is Status.RUNNING


@pytest.mark.qt_log_ignore("does not support raise")
def test_a_floating_panel_hands_its_keys_on(window: MainWindow, qtbot: QtBot) -> None:
    window.docks.pins.setFloating(True)
    qtbot.keyClick(window.docks.pins, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: _step(window) == 1)
    window.docks.pins.setFloating(False)


@pytest.mark.qt_log_ignore("does not support raise")
def test_a_floating_plot_hands_its_keys_on(window: MainWindow, qtbot: QtBot) -> None:
    dock = next(dock for dock in window.panels.plots.docks.values() if dock.isVisible())
    dock.set_afloat(True)
    qtbot.keyClick(dock.pane.canvas, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: _step(window) == 1)
    window.close()
    assert not dock.pane.isVisible()


def test_run_n_stops_by_itself(window: MainWindow, qtbot: QtBot) -> None:
    window.set_speed(None)
    window.transport.run_steps.setText("25")
    window.transport.run_steps.setModified(True)
    window.transport.run_button.click()
    qtbot.waitUntil(lambda: _step(window) == 25 and _status(window) is Status.PAUSED)


def test_a_live_edit_goes_on_and_is_noted(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(7)
    qtbot.waitUntil(lambda: _step(window) == 7)
    window.control.edit_params(FakeParams(step_size=0.2))
    qtbot.waitUntil(lambda: bool(window.control.snapshot.changes))
    change = window.control.snapshot.changes[-1]
    assert (change.step, dict(change.values)) == (7, {"step_size": 0.2})
    assert _step(window) == 7


def test_a_live_edit_at_the_start_is_no_change(window: MainWindow, qtbot: QtBot) -> None:
    window.control.edit_params(FakeParams(step_size=0.2))
    qtbot.waitUntil(
        lambda: (
            window.control.snapshot is not None
            and window.control.snapshot.params == FakeParams(step_size=0.2)
        )
    )
    assert window.control.snapshot.changes == ()


def test_a_structural_edit_begins_anew_and_keeps_playing(window: MainWindow, qtbot: QtBot) -> None:
    window.control.toggle_play()
    qtbot.waitUntil(lambda: _step(window) > 2)
    first = window.control.snapshot.run_id
    window.control.edit_params(FakeParams(curvature=1.0))
    qtbot.waitUntil(
        lambda: (
            window.control.snapshot is not None
            and window.control.snapshot.run_id > first
            and _status(window) is Status.RUNNING
        )
    )
    assert window.control.snapshot.params == FakeParams(curvature=1.0)


def test_a_structural_edit_of_a_paused_run_stays_paused(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(4)
    qtbot.waitUntil(lambda: _step(window) == 4)
    window.control.edit_params(FakeParams(curvature=1.0))
    qtbot.waitUntil(lambda: _step(window) == 0)
    assert _status(window) is Status.PAUSED


def test_the_size_of_an_ensemble_is_no_part_of_the_run(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(6)
    qtbot.waitUntil(lambda: _step(window) == 6)
    window.control.seek(2)
    qtbot.waitUntil(lambda: _cursor(window) == 2)
    before = window.control.snapshot.run_id
    window.panels.ensemble.runs_edited.emit(7)
    qtbot.waitUntil(lambda: window.control.snapshot.params.ensemble == 7)
    shown = window.control.snapshot
    assert (shown.run_id, shown.step, shown.cursor, shown.changes) == (before, 6, 2, ())
    window.control.edit_params(update(window.control.params, step_size=0.2))
    qtbot.waitUntil(lambda: bool(window.control.snapshot.changes))
    assert dict(window.control.snapshot.changes[-1].values) == {"step_size": 0.2}
    assert window.control.snapshot.params == FakeParams(step_size=0.2, ensemble=7)


def test_an_edit_in_the_form_reaches_the_run(window: MainWindow, qtbot: QtBot) -> None:
    params = update(FakeParams(), step_size=0.4)
    window.panels.form.params_edited.emit(params, True)
    qtbot.waitUntil(
        lambda: window.control.snapshot is not None and window.control.snapshot.params == params
    )


def test_the_bounds_of_the_theory_reach_the_form(window: MainWindow, qtbot: QtBot) -> None:
    given = []
    row = window.panels.form.row("step_size")
    row.set_marks, before = given.append, row.set_marks  # type: ignore[method-assign]
    try:
        window.control.edit_params(FakeParams(curvature=4.0))
        qtbot.waitUntil(lambda: bool(given))
    finally:
        row.set_marks = before  # type: ignore[method-assign]
    assert [mark.value for mark in given[-1]] == [0.25, 0.5]


def test_undo_and_redo_reach_form_and_run(window: MainWindow, qtbot: QtBot) -> None:
    params = FakeParams(curvature=1.5)
    window.control.edit_params(params)
    assert window.panels.form.params == params
    window.actions_by_name["undo"].trigger()
    assert window.panels.form.params == FakeParams()
    assert window.control.params == FakeParams()
    window.actions_by_name["redo"].trigger()
    assert window.panels.form.params == params
    qtbot.waitUntil(
        lambda: window.control.snapshot is not None and window.control.snapshot.params == params
    )


def test_a_seed_is_undone_too(window: MainWindow) -> None:
    window.control.edit_seed(11)
    assert window.panels.form.seed == 11
    window.actions_by_name["undo"].trigger()
    assert window.control.seed == 0


def test_a_preset_is_applied_and_plays(window: MainWindow, qtbot: QtBot) -> None:
    preset = Preset(
        id="x", title="X", description="Shows x.", params=FakeParams(step_size=0.1), speed=5.0
    )
    window.apply_preset(preset)
    qtbot.waitUntil(lambda: _step(window) > 0)
    assert window.control.params == FakeParams(step_size=0.1)
    assert window.transport.speed == 5.0
    assert window.status.currentMessage() == "Shows x."
    window.actions_by_name["undo"].trigger()
    assert window.control.params == FakeParams()


def test_a_diverged_run_begins_anew_when_its_step_size_is_lowered(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.set_speed(None)
    window.control.edit_params(FakeParams(step_size=5.0))
    window.control.toggle_play()
    qtbot.waitUntil(lambda: _status(window) is Status.FINISHED)
    window.control.edit_params(FakeParams(step_size=0.01))
    qtbot.waitUntil(lambda: _status(window) is Status.RUNNING)
    assert window.control.snapshot.changes == ()


def test_scrub_and_jump_to_live(window: MainWindow, qtbot: QtBot) -> None:
    window.control.step(60)
    qtbot.waitUntil(lambda: _step(window) == 60)
    window.transport.scrub.setValue(20)
    qtbot.waitUntil(lambda: _cursor(window) == 20)
    assert _step(window) == 60
    window.transport.live_button.click()
    qtbot.waitUntil(lambda: _cursor(window) == 60)


def test_a_handle_is_dragged_into_the_parameters(window: MainWindow, qtbot: QtBot) -> None:
    class Draggable(FakeExperiment):  # type: ignore[misc]
        def drag(self, params: Any, handle: str, x: float, y: float) -> Any:
            return update(params, offset=x)

    window.control.choose(Draggable())
    window.panels.plots.handle_dragged.emit("w", 1.5, 0.0)
    window.panels.plots.handle_dragged.emit("w", 2.5, 0.0)
    window.panels.plots.handle_released.emit()
    assert window.control.params.offset == 2.5
    window.actions_by_name["undo"].trigger()
    assert window.control.params.offset == 0.0


def test_a_stroke_adds_to_its_parameter(window: MainWindow) -> None:
    first, stroke = window.control.params.points, ((0.25, 1.0), (0.75, 2.0))
    window.panels.plots.stroke_drawn.emit("points", list(stroke))
    assert window.control.params.points == (*first, *stroke)
    window.panels.plots.stroke_drawn.emit("points", [])
    assert window.control.params.points == first
    window.actions_by_name["undo"].trigger()
    assert window.control.params.points == (*first, *stroke)


def test_what_is_not_allowed_is_one_sentence(window: MainWindow) -> None:
    window.panels.plots.stroke_drawn.emit("start", [[0.0]])
    assert window.status.currentMessage().startswith("Weights w[0]: ")
    assert window.control.params == FakeParams()


def test_a_refusal_leaves_the_status_bar_when_it_is_corrected(
    window: MainWindow, qtbot: QtBot
) -> None:
    box = window.panels.form.row("step_size").control
    box.setFocus()
    box.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(box, "-1")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert window.status.currentMessage().startswith("Step size δ: '-1' is not allowed; ")
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert window.status.currentMessage() == ""
    window.notices.show_message("Something else.")
    window.notices.clear_message("A sentence that is not there.")
    assert window.status.currentMessage() == "Something else."


def test_a_run_is_pinned_and_unpinned(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_name["pin"].trigger()
    assert window.pins.of("fake") == ()
    window.control.step(5)
    qtbot.waitUntil(lambda: _step(window) == 5)
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert len(window.pins.of("fake")) == 1
    window.control.edit_params(FakeParams(curvature=0.5))
    window.control.restore(window.pins.of("fake")[0].params, 0)
    assert window.control.params == FakeParams()
    window.actions_by_name["unpin"].trigger()
    assert window.pins.of("fake") == ()


def test_an_engine_failure_leaves_the_window_alive(window: MainWindow, qtbot: QtBot) -> None:
    class Broken(FakeExperiment):  # type: ignore[misc]
        def advance(self, state: Any, n: int, stride: int = 1) -> Any:
            raise RuntimeError("the kernel broke")

    window.control.choose(Broken())
    window.control.step()
    qtbot.waitUntil(window.message_bar.isVisible)
    assert "the kernel broke" in window.message_bar.text.text()
    window.message_bar.details_button.click()
    dialog = window.findChild(ReportDialog)
    assert "RuntimeError: the kernel broke" in dialog.report
    dialog.close()
    window.control.choose(EXPERIMENT)
    window.control.step()
    qtbot.waitUntil(lambda: _step(window) == 1)
    assert not window.message_bar.isVisible()


def test_a_run_that_cannot_begin_says_why(window: MainWindow, qtbot: QtBot) -> None:
    from engine.core.errors import InputError

    class Refusing(FakeExperiment):  # type: ignore[misc]
        def init(self, params: Any, seed: int) -> Any:
            raise InputError("file", "x.csv", "give a file that exists")

    window.control.choose(Refusing())
    qtbot.waitUntil(window.message_bar.isVisible)
    assert window.message_bar.text.text().startswith("File: 'x.csv' is not allowed")
    assert window.panels.form.row("file").error.text() == window.message_bar.text.text()
    assert window.status.state.text() == "Ready"
    assert not window.status._starting.isActive()
    assert not window.message_bar.details_button.isVisible()


def test_a_step_that_takes_long_says_what_it_does(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, times = window.status, iter([10.0, 10.5, 14.0, 14.5, 15.0])
    assert status._long_step_text == EXPERIMENT.listing.long_step
    status.set_long_step("Measuring…")
    clock = SimpleNamespace(monotonic=lambda: next(times))
    monkeypatch.setattr("gui.window.status.time", clock)
    running = snapshot(status=Status.RUNNING)
    status.show_snapshot(running)
    assert not status._long_step.isActive()  # of what is usual nothing is known yet
    status.show_snapshot(running)
    assert status._long_step.interval() == 2500  # five times as long as the last
    status._long_step.timeout.emit()
    assert status.state.text() == "Measuring…"
    status.show_snapshot(running)
    assert status.state.text() == "Running" and status._long_step.isActive()
    status.show_snapshot(snapshot(status=Status.PAUSED))
    assert status.state.text() == "Paused" and not status._long_step.isActive()


def test_the_status_bar_says_how_many_kernels_are_compiled(window: MainWindow) -> None:
    status = window.status
    status.show_snapshot(snapshot(status=Status.PAUSED, compiling="3 of 9 kernels"))
    assert status.state.text() == "Compiling 3 of 9 kernels…"
    status.show_snapshot(snapshot(status=Status.PAUSED))
    assert status.state.text() == "Paused"


def test_a_run_that_takes_long_to_begin_says_so(window: MainWindow, qtbot: QtBot) -> None:
    go_on = threading.Event()

    class Slow(FakeExperiment):  # type: ignore[misc]
        def init(self, params: Any, seed: int) -> Any:
            assert go_on.wait(20)
            return super().init(params, seed)

    window.control.choose(Slow())
    qtbot.waitUntil(lambda: window.status.state.text() == "Preparing…")
    go_on.set()
    qtbot.waitUntil(lambda: window.status.state.text() == "Paused")


def test_state_comes_back(make: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "settings.ini"
    first = make(Settings(path))
    first.theme_choice.set("dark")
    first.control.edit_params(FakeParams(curvature=7.0))
    first.control.edit_seed(5)
    first.docks.pins.hide()
    first.actions_by_name["scaled_axis"].setChecked(True)
    first.actions_by_name["developer"].setChecked(True)
    first.close()
    second = make(Settings(path))
    assert second.control.params == FakeParams(curvature=7.0)
    assert second.control.seed == 5
    assert second.docks.pins.isHidden()
    assert second.actions_by_name["scaled_axis"].isChecked()
    assert not second.status.frames.isHidden()
    assert second.actions_by_name.theme == "dark"
    second.theme_choice.set("light")


def test_a_damaged_file_does_not_prevent_the_start(
    make: Callable[..., MainWindow], tmp_path: Path
) -> None:
    path = tmp_path / "settings.ini"
    first = make(Settings(path))
    first.close()
    text = path.read_text("utf-8")
    lines = [
        f"{line.partition('=')[0]}=%%%{line[-9:]}" if "=" in line else line
        for line in text.splitlines()
    ]
    path.write_text("\n".join(lines) + "\n[broken", "utf-8")
    second = make(Settings(path))
    assert second.control.params == FakeParams()


def test_layout_is_reset(window: MainWindow) -> None:
    window.docks.theory.hide()
    window.actions_by_name["reset_layout"].trigger()
    assert window.docks.theory.isVisible()


def test_a_dropped_file_that_is_no_run_is_one_sentence(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "run.toml"
    path.write_text("experiment = 3", "utf-8")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(10, 10),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    qtbot.waitUntil(window.message_bar.isVisible)
    assert window.control.experiment is EXPERIMENT


def test_themes_change_the_picture(window: MainWindow) -> None:
    window.theme_choice.set("light")
    light = window.grab().toImage().pixelColor(5, 5)
    window.theme_choice.set("dark")
    dark = window.grab().toImage().pixelColor(5, 5)
    assert dark.lightness() < light.lightness()
    window.theme_choice.set("light")


def test_dialogs_open_beside_the_window(window: MainWindow, qtbot: QtBot) -> None:
    for name in ("help", "shortcuts", "about"):
        window.actions_by_name[name].trigger()
    dialogs = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window]
    assert len(dialogs) == 3
    assert not any(dialog.isModal() for dialog in dialogs)
    for dialog in dialogs:
        dialog.close()


def test_every_menu_action_has_a_text_and_all_keys_differ(window: MainWindow) -> None:
    keys: list[str] = []
    for menu in window.menuBar().actions():
        for action in menu.menu().actions():
            assert action.isSeparator() or action.text()
            keys += [key.toString() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_frames_a_second_are_shown_to_developers_only(window: MainWindow) -> None:
    assert window.status.frames.isHidden()
    window.actions_by_name["developer"].trigger()
    assert not window.status.frames.isHidden()
    window.actions_by_name["developer"].trigger()
    assert window.status.frames.isHidden()


def test_ctrl_and_a_digit_choose_experiments(qtbot: QtBot) -> None:
    class Second(FakeExperiment):  # type: ignore[misc]
        listing = replace(FakeExperiment.listing, id="second", title="Second")

    window = MainWindow(Settings(None), experiments=[EXPERIMENT, Second()])
    qtbot.addWidget(window)
    window.restore()
    window.begin()
    window.control.edit_params(FakeParams(curvature=3.0))
    for key, name in ((Qt.Key.Key_2, "second"), (Qt.Key.Key_1, "fake"), (Qt.Key.Key_9, "fake")):
        before = window.experiment_panel.current_id
        qtbot.keyClick(window, key)
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ShiftModifier)
        assert window.experiment_panel.current_id == before, "a digit alone is typed by accident"
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        assert window.experiment_panel.current_id == name
        window.switching.settle()
        assert window.control.experiment.id == name
    assert window.control.params == FakeParams(curvature=3.0)
    window.close()


def test_faster_and_slower_reach_both_ends(window: MainWindow) -> None:
    for _ in range(40):
        window.actions_by_name["faster"].trigger()
    assert window.transport.speed is None
    window.actions_by_name["slower"].trigger()
    assert window.transport.speed == 1e5
    for _ in range(40):
        window.actions_by_name["slower"].trigger()
    assert window.transport.speed == 0.05


def test_closing_ends_the_engine_thread_and_frees_the_window(
    make: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = make()
    window.control.toggle_play()
    qtbot.waitUntil(lambda: _step(window) > 0)
    event = QCloseEvent()
    window.closeEvent(event)
    assert event.isAccepted()
    assert not window.bridge.engine._thread.is_alive()


def test_a_closed_window_can_be_collected(qtbot: QtBot) -> None:
    import gc

    window = MainWindow(Settings(None), experiments=[EXPERIMENT])
    window.restore()
    window.begin()
    window.close()
    gone = weakref.ref(window)
    window.deleteLater()
    del window
    qtbot.waitUntil(lambda: gc.collect() >= 0 and gone() is None)


def test_nothing_is_clipped_at_the_smallest_supported_size(window: MainWindow) -> None:
    window.resize(1280, 800)
    QApplication.processEvents()
    assert window.width() == 1280
    transport = window.transport
    assert transport.width() >= transport.minimumSizeHint().width()
    right = transport.speed_control.label.mapTo(
        window, transport.speed_control.label.rect().topRight()
    )
    assert right.x() <= window.width()


def test_a_seed_beyond_32_bits_reaches_the_run(window: MainWindow, qtbot: QtBot) -> None:
    seed = 2**62 + 1
    window.panels.form.footer.box.setText(str(seed))
    window.panels.form.footer.box.entered.emit(str(seed))
    assert window.control.seed == seed
    qtbot.waitUntil(
        lambda: window.control.snapshot is not None and window.control.snapshot.seed == seed
    )


def test_a_preset_of_many_runs_brings_the_ensemble_forward_until_the_experiment_changes(
    window: MainWindow,
) -> None:
    from engine.storage.presets import Preset

    one, many = FakeParams(ensemble=1), FakeParams(ensemble=50, init="random")
    window.apply_preset(Preset(id="one", title="One", description="", params=one))
    assert window.panels.theory.isVisible()
    window.apply_preset(Preset(id="many", title="Many", description="", params=many))
    assert window.panels.ensemble.isVisible()
    window.panels.show_experiment(window.control.experiment)
    assert window.panels.theory.isVisible() and not window.panels.ensemble.isVisible()


def test_an_ensemble_leaves_the_preset_named(window: MainWindow) -> None:
    from engine.core.params import update
    from engine.storage.presets import Preset

    presets = window.header.presets
    preset = Preset(
        id="figure-1", title="Figure 1", description="", params=FakeParams(step_size=0.2)
    )
    presets.set_presets((preset,))
    window.control.apply_preset(preset)
    assert presets.currentText() == "Figure 1"
    window.control.edit_params(update(window.control.params, ensemble=7))
    assert presets.currentText() == "Figure 1"
    window.control.edit_params(update(window.control.params, step_size=0.3))
    assert presets.currentIndex() == -1


def test_a_dialog_that_is_open_is_shown_again_rather_than_another(window: MainWindow) -> None:
    dialogs = window.dialogs
    for show in (dialogs.show_help, dialogs.show_shortcuts, dialogs.show_about):
        show()
        show()
    open_now = [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
    titles = sorted(dialog.windowTitle() for dialog in open_now)
    assert len(titles) == 3 and len(set(titles)) == 3
    for dialog in open_now:
        dialog.close()
    dialogs.show_help()
    assert sum(dialog.isVisible() for dialog in window.findChildren(QDialog)) == 1
