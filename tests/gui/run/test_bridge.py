"""The bridge over a runner that only records what it was told."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.core.errors import Refusal
from engine.core.outcome import Outcome, OutcomeKind
from engine.run.mailbox import Mailbox
from engine.run.snapshot import Failure, Snapshot, Status
from gui.run.bridge import FRAME_MS, IDLE_MS, IDLE_TICKS, Bridge
from tests.gui.fakes import FakeExperiment, FakeParams, snapshot


class FakeRunner:
    """Takes every verb, and hands out run ids."""

    def __init__(self) -> None:
        self.mailbox: Mailbox[Snapshot | Failure] = Mailbox()
        self.calls: list[tuple[Any, ...]] = []
        self.runs = 0

    def start(
        self, experiment: Any, params: Any, seed: int, paused: bool = True, start: Any = None
    ) -> int:
        self.runs += 1
        self.calls.append(("start", experiment.id, params, seed, paused))
        return self.runs

    def __getattr__(self, name: str) -> Any:
        def record(*arguments: Any) -> bool:
            self.calls.append((name, *arguments))
            return True

        return record

    @property
    def verbs(self) -> list[str]:
        return [call[0] for call in self.calls]


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def bridge(qtbot: QtBot, runner: FakeRunner) -> Any:
    made = Bridge(runner)  # type: ignore[arg-type]
    yield made
    made.close()


def _start(bridge: Bridge) -> None:
    bridge.start(FakeExperiment(), FakeParams(), 3, paused=False)


def test_verbs_reach_the_runner(bridge: Bridge, runner: FakeRunner) -> None:
    params = FakeParams(step_size=0.2)
    _start(bridge)
    bridge.play()
    bridge.pause()
    bridge.run(100)
    bridge.step()
    bridge.back(2)
    bridge.seek(7)
    bridge.live()
    bridge.retune(params)
    bridge.set_speed(None)
    bridge.ensemble(50)
    bridge.cancel()
    assert runner.calls == [
        ("start", "fake", FakeParams(), 3, False),
        ("play",),
        ("pause",),
        ("run", 100),
        ("step", 1),
        ("back", 2),
        ("seek", 7),
        ("live",),
        ("retune", params),
        ("set_speed", None),
        ("ensemble", 50),
        ("cancel",),
    ]


def test_the_newest_snapshot_arrives(bridge: Bridge, runner: FakeRunner, qtbot: QtBot) -> None:
    _start(bridge)
    runner.mailbox.put(snapshot(steps=3))
    newest = snapshot(steps=9, frame=1)
    runner.mailbox.put(newest)
    with qtbot.waitSignal(bridge.snapshot_ready) as arrived:
        bridge.play()
    assert arrived.args == [newest]


def test_a_snapshot_of_an_older_run_is_dropped(
    bridge: Bridge, runner: FakeRunner, qtbot: QtBot
) -> None:
    _start(bridge)
    _start(bridge)
    shown: list[Snapshot] = []
    bridge.snapshot_ready.connect(shown.append)
    runner.mailbox.put(snapshot(run_id=1))
    assert not bridge.poll()
    runner.mailbox.put(snapshot(run_id=2))
    assert bridge.poll()
    assert [item.run_id for item in shown] == [2]


def test_an_engine_failure_is_told_once(bridge: Bridge, runner: FakeRunner, qtbot: QtBot) -> None:
    _start(bridge)
    told: list[str] = []
    bridge.failed.connect(told.append)
    outcome = Outcome(kind=OutcomeKind.FAILED, step=3, message="The engine stopped with an error.")
    for frame in range(3):
        runner.mailbox.put(
            snapshot(status=Status.FAILED, outcome=outcome, error="Traceback: boom", frame=frame)
        )
        bridge.poll()
    assert told == ["Traceback: boom"]


def test_a_run_that_cannot_begin_says_why(bridge: Bridge, runner: FakeRunner) -> None:
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


def test_answers_come_back_on_this_thread(bridge: Bridge, runner: FakeRunner) -> None:
    _start(bridge)
    answers: list[Any] = []
    bridge.ask(lambda session, progress: 42, answers.append)
    bridge.ask(lambda session, progress: 1 // 0, answers.append)
    for call in runner.calls:
        if call[0] == "job":
            call[1](None, None)  # what the engine thread does
    assert answers == []
    bridge.poll()
    assert answers[0] == 42
    assert isinstance(answers[1], ZeroDivisionError)


def test_a_resting_window_polls_slowly_until_woken(bridge: Bridge, runner: FakeRunner) -> None:
    _start(bridge)
    for _ in range(IDLE_TICKS):
        bridge._on_timeout()
    assert bridge._timer.interval() == IDLE_MS
    bridge.play()
    assert bridge._timer.interval() == FRAME_MS


def test_a_running_window_polls_at_the_frame_rate(bridge: Bridge, runner: FakeRunner) -> None:
    _start(bridge)
    runner.mailbox.put(snapshot(status=Status.RUNNING))
    bridge.poll()
    for _ in range(3 * IDLE_TICKS):
        bridge._on_timeout()
    assert bridge._timer.interval() == FRAME_MS


def test_frames_are_counted_while_running_only(bridge: Bridge, runner: FakeRunner) -> None:
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


def test_the_runner_learns_what_a_picture_costs_here(bridge: Bridge, runner: FakeRunner) -> None:
    _start(bridge)
    bridge.snapshot_ready.connect(lambda _: _work())
    for frame in range(2):
        runner.mailbox.put(snapshot(status=Status.RUNNING, frame=frame))
        bridge.poll()
    assert runner.drawing_seconds > 0


def test_snapshots_come_at_most_once_a_poll(bridge: Bridge, runner: FakeRunner) -> None:
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


def test_closing_stops_timer_and_thread(qtbot: QtBot, runner: FakeRunner) -> None:
    bridge = Bridge(runner)  # type: ignore[arg-type]
    _start(bridge)
    assert bridge.close()
    assert "close" in runner.verbs
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
        "import sys, gui.run.bridge;"
        "print([m for m in ('torch', 'numba', 'matplotlib', 'pyqtgraph') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_real_engine_plays(qtbot: QtBot) -> None:
    bridge = Bridge()
    try:
        bridge.set_speed(None)
        with qtbot.waitSignal(
            bridge.snapshot_ready, check_params_cb=lambda item: item.step > 5, timeout=10_000
        ):
            bridge.start(FakeExperiment(), FakeParams(step_size=1.0), 0, paused=False)
    finally:
        assert bridge.close()
