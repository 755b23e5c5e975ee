"""The bridge over a double of the runner that records its calls."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar
from unittest.mock import ANY, call, create_autospec

import pytest
from pytestqt.qtbot import QtBot

from engine.core.errors import Refusal
from engine.core.outcome import Outcome, OutcomeKind
from engine.run.branches import Branch, Fork
from engine.run.snapshot import Failure, Snapshot, Status
from gui.run.bridge import FRAME_MS, IDLE_MS, IDLE_TICKS, Bridge
from tests.gui.fakes import FakeExperiment, FakeParams, runner_double, snapshot


class OtherExperiment(FakeExperiment):  # type: ignore[misc]
    """Another experiment."""

    listing: ClassVar[Any] = replace(FakeExperiment.listing, id="other")


@pytest.fixture
def runner() -> Any:
    return runner_double()


@pytest.fixture
def bridge(qtbot: QtBot, runner: Any) -> Iterator[Bridge]:
    made = Bridge(runner)
    yield made
    made.close()


def _start(bridge: Bridge) -> None:
    bridge.start(FakeExperiment(), FakeParams(), 3, paused=False)


def test_verbs_reach_the_runner(bridge: Bridge, runner: Any) -> None:
    params = FakeParams(step_size=0.2)
    fork = Fork(create_autospec(Branch, instance=True))
    _start(bridge)
    bridge.play()
    bridge.pause()
    bridge.run(100)
    bridge.step()
    bridge.back(2)
    bridge.seek(7)
    bridge.live()
    bridge.retune(params)
    bridge.nudge(1e-6)
    bridge.set_speed(None)
    bridge.ensemble(50)
    bridge.switch_branch(fork, lambda settings: None)
    bridge.resume(OtherExperiment(), FakeParams(), 4)
    bridge.cancel()
    start, *middle, switch, resume, cancel = runner.method_calls
    assert start == call.start(ANY, FakeParams(), 3, False, None)
    assert middle == [
        call.play(),
        call.pause(),
        call.run(100),
        call.step(1),
        call.back(2),
        call.seek(7),
        call.live(),
        call.retune(params),
        call.nudge(1e-6),
        call.set_speed(None),
        call.ensemble(50),
    ]
    assert switch == call.switch_branch(fork, ANY)
    assert resume == call.resume(ANY, FakeParams(), 4, None)
    assert cancel == call.cancel()


def test_the_newest_snapshot_arrives(bridge: Bridge, runner: Any, qtbot: QtBot) -> None:
    _start(bridge)
    runner.mailbox.put(snapshot(steps=3))
    newest = snapshot(steps=9, frame=1)
    runner.mailbox.put(newest)
    with qtbot.waitSignal(bridge.snapshot_ready) as arrived:
        bridge.play()
    assert arrived.args == [newest]


def test_a_snapshot_of_another_experiment_is_dropped(bridge: Bridge, runner: Any) -> None:
    _start(bridge)
    bridge.start(OtherExperiment(), FakeParams(), 3)
    shown: list[Snapshot] = []
    bridge.snapshot_ready.connect(shown.append)
    runner.mailbox.put(snapshot(run_id=1))
    assert not bridge.poll()
    runner.mailbox.put(snapshot(run_id=2))
    assert bridge.poll()
    assert [item.run_id for item in shown] == [2]


def test_a_drag_that_restarts_shows_pictures_on_its_way(bridge: Bridge, runner: Any) -> None:
    """Of a hundred starts one is in flight; each picture that is made is shown."""
    shown: list[Snapshot] = []
    bridge.snapshot_ready.connect(shown.append)
    for move in range(100):
        bridge.start(FakeExperiment(), FakeParams(depth=move + 3, init="identity"), 0)
        if move % 10 == 9:  # the engine has made a picture
            assert bridge.is_starting
            runner.mailbox.put(snapshot(run_id=runner.start.call_count))
            assert bridge.poll()
    assert len(shown) == 10
    assert not any(bridge.is_newest(item) for item in shown)  # another start followed each
    last = runner.start.call_count
    assert last == 11 and runner.start.call_args.args[1].depth == 102
    runner.mailbox.put(snapshot(run_id=last))
    bridge.poll()
    assert bridge.is_newest(shown[-1]) and not bridge.is_starting
    assert runner.start.call_count == last


def test_commands_to_a_start_that_waits_come_after_it(bridge: Bridge, runner: Any) -> None:
    _start(bridge)
    bridge.play()
    bridge.start(FakeExperiment(), FakeParams(depth=4), 0)
    bridge.step(5)
    bridge.start(FakeExperiment(), FakeParams(depth=5), 0)
    bridge.step(2)
    bridge.ask(lambda session, progress: None, lambda answer: None)
    runner.mailbox.put(snapshot(status=Status.COMPILING))
    bridge.poll()
    assert [made[0] for made in runner.method_calls] == ["start", "play"]
    runner.mailbox.put(snapshot(status=Status.RUNNING, frame=1))
    bridge.poll()
    assert [made[0] for made in runner.method_calls] == ["start", "play", "start", "step", "job"]
    assert runner.start.call_args.args[1].depth == 5
    runner.step.assert_called_once_with(2)


def test_what_was_wrong_with_settings_since_given_up_is_not_said(
    bridge: Bridge, runner: Any
) -> None:
    _start(bridge)
    bridge.start(FakeExperiment(), FakeParams(depth=4), 0)
    rejected: list[str] = []
    bridge.rejected.connect(rejected.append)
    runner.mailbox.put(Failure(run_id=1, message="depth: 3 is not allowed"))
    bridge.poll()
    assert rejected == [] and runner.start.call_count == 2
    runner.mailbox.put(Failure(run_id=2, message="depth: 4 is not allowed"))
    bridge.poll()
    assert rejected == ["depth: 4 is not allowed"] and not bridge.is_starting


def test_an_engine_failure_is_reported_once(bridge: Bridge, runner: Any, qtbot: QtBot) -> None:
    _start(bridge)
    reported: list[str] = []
    bridge.failed.connect(reported.append)
    outcome = Outcome(kind=OutcomeKind.FAILED, step=3, message="The engine stopped with an error.")
    for frame in range(3):
        runner.mailbox.put(
            snapshot(status=Status.FAILED, outcome=outcome, error="Traceback: boom", frame=frame)
        )
        bridge.poll()
    assert reported == ["Traceback: boom"]


def test_a_run_that_cannot_begin_says_why(bridge: Bridge, runner: Any) -> None:
    _start(bridge)
    failed: list[str] = []
    rejected: list[Refusal | str] = []
    bridge.failed.connect(failed.append)
    bridge.rejected.connect(rejected.append)
    refusal = Refusal("start", [], "give 3 numbers")
    runner.mailbox.put(Failure(run_id=1, message=str(refusal), refusal=refusal))
    bridge.poll()
    runner.mailbox.put(Failure(run_id=1, message="The memory is too small."))
    bridge.poll()
    runner.mailbox.put(Failure(run_id=1, message="The run could not begin.", error="Traceback"))
    bridge.poll()
    assert rejected == [refusal, "The memory is too small."]
    assert failed == ["Traceback"]


def test_answers_come_back_on_this_thread(bridge: Bridge, runner: Any) -> None:
    _start(bridge)
    answers: list[Any] = []
    bridge.ask(lambda session, progress: 42, answers.append)
    bridge.ask(lambda session, progress: 1 // 0, answers.append)
    for asked in runner.job.call_args_list:
        asked.args[0](None, None)  # what the engine thread does
    assert answers == []
    bridge.poll()
    assert answers[0] == 42
    assert isinstance(answers[1], ZeroDivisionError)


def test_a_resting_window_polls_slowly_until_woken(bridge: Bridge, runner: Any) -> None:
    _start(bridge)
    for _ in range(IDLE_TICKS):
        bridge._on_timeout()
    assert bridge._timer.interval() == IDLE_MS
    bridge.play()
    assert bridge._timer.interval() == FRAME_MS


def test_a_running_window_polls_at_the_frame_rate(bridge: Bridge, runner: Any) -> None:
    _start(bridge)
    runner.mailbox.put(snapshot(status=Status.RUNNING))
    bridge.poll()
    for _ in range(3 * IDLE_TICKS):
        bridge._on_timeout()
    assert bridge._timer.interval() == FRAME_MS


def test_frames_are_counted_while_running_only(bridge: Bridge, runner: Any) -> None:
    _start(bridge)
    for frame, status in enumerate([Status.RUNNING] * 3 + [Status.PAUSED] * 5):
        runner.mailbox.put(snapshot(status=status, frame=frame))
        bridge._on_timeout()
    assert bridge.pictures.count == 2


def _work() -> None:
    """Work until the clock of this thread shows it, however coarse it is."""
    begin = time.thread_time()
    while time.thread_time() == begin:
        pass


def test_the_runner_learns_what_a_picture_costs_here(bridge: Bridge, runner: Any) -> None:
    _start(bridge)
    bridge.snapshot_ready.connect(lambda _: _work())
    for frame in range(2):
        runner.mailbox.put(snapshot(status=Status.RUNNING, frame=frame))
        bridge.poll()
    assert runner.drawing_seconds > 0


def test_snapshots_come_at_most_once_a_poll(bridge: Bridge, runner: Any) -> None:
    """However many chunks the engine makes, the window draws once a poll."""
    _start(bridge)
    shown: list[Snapshot] = []
    bridge.snapshot_ready.connect(shown.append)
    picture = snapshot(status=Status.RUNNING)
    for tick in range(10):
        for _ in range(10_000):
            runner.mailbox.put(picture)
        bridge._on_timeout()
        assert len(shown) == tick + 1


def test_closing_stops_timer_and_thread(qtbot: QtBot, runner: Any) -> None:
    bridge = Bridge(runner)
    _start(bridge)
    assert bridge.close()
    runner.close.assert_called_once()
    assert not bridge._timer.isActive()
    bridge.play()
    assert not bridge._timer.isActive()


def test_a_bridge_without_a_run_starts_no_thread(qtbot: QtBot) -> None:
    bridge = Bridge()
    bridge.set_speed(5.0)
    bridge.cancel()
    assert bridge.close()
    assert bridge._engine is None


def test_reading_the_engine_late_loads_no_kernels() -> None:
    import subprocess

    code = (
        "import sys, gui.run.control;"
        "print([m for m in ('torch', 'numba', 'matplotlib', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_real_engine_plays(qtbot: QtBot) -> None:
    bridge = Bridge()
    try:
        bridge.set_speed(None)
        with qtbot.waitSignal(bridge.snapshot_ready, check_params_cb=lambda item: item.step > 5):
            bridge.start(FakeExperiment(), FakeParams(step_size=1.0), 0, paused=False)
    finally:
        assert bridge.close()
