"""Progress and cancel within one step that takes long."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import interrupt
from engine.core.beside import once
from engine.core.change import Change, Nudge
from engine.core.device import Workers
from engine.core.ensemble import Progress
from engine.core.interrupt import Interrupted, watched
from engine.run import engine_thread
from engine.run.pace import Chunks
from engine.run.replay import in_chunks
from engine.run.runner import Runner
from engine.run.session import Session
from engine.run.snapshot import Snapshot, Status
from engine.run.spec import RunSpec
from engine.storage.recording import Recorder
from engine.storage.runfile import load
from engine.storage.tables import read_table
from tests.engine.linear_map import LinearMap, LinearParams
from tests.engine.run.test_runner import Watcher, watcher  # noqa: F401


class Looking(LinearMap):  # type: ignore[misc]
    """Keeps no old states, and looks at something in each step until its gate is open."""

    rewindable = False

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.is_looking = threading.Event()

    def advance(self, state: Any, n: int, stride: int = 1) -> Any:
        self.looks += 1
        while True:
            interrupt.report(0.25, "a look")
            if self.gate.wait(1e-4):
                return super().advance(state, n, stride)
            self.is_looking.set()


def _stop_after(calls: int) -> Callable[[float, str], bool]:
    left = iter(range(calls))
    return lambda fraction, text: next(left, None) is not None


@settings(max_examples=40, deadline=None)
@given(stops=st.lists(st.integers(0, 9), max_size=6))
def test_a_run_that_is_interrupted_and_goes_on_has_the_same_bits(stops: list[int]) -> None:
    whole, session = (Session(Looking(), LinearParams(), 3) for _ in range(2))
    whole.advance(40)
    recorder = Recorder(session)
    for calls in stops:
        before = session.step
        with pytest.raises(Interrupted), watched(_stop_after(calls)):
            recorder.advance(40 - before)
        assert session.step == session.trace.last and not session.finished
        if session.step + 10 > 40:
            break
    recorder.advance(40 - session.step)
    np.testing.assert_array_equal(session.state.weights, whole.state.weights)
    rows = recorder.rows()["weights"]
    np.testing.assert_array_equal(rows, whole.trace.view().recent["weights"])


def test_a_stretch_ends_where_a_step_is_interrupted() -> None:
    said: list[str] = []

    def report(inside: str) -> bool:
        said.append(inside)
        return not inside

    session = Session(Looking(), LinearParams(), 3)
    chunks = Chunks(session.advance, report, 1)
    assert chunks.advance(5) == 0 and chunks.cancelled
    assert session.step == 0 and said == ["a look, 25%"]


def test_what_must_not_be_interrupted_is_reported_all_the_same() -> None:
    heard: list[tuple[float, str]] = []

    def stop(fraction: float, text: str) -> bool:
        heard.append((fraction, text))
        return False

    interrupt.report(0.1, "nobody watches")
    with watched(stop):
        with interrupt.uninterrupted():
            interrupt.report(0.5, "saving")
        with pytest.raises(Interrupted):
            interrupt.check()
    assert heard == [(0.5, "saving"), (0.5, "saving")]


def test_what_reports_nothing_can_be_broken_off() -> None:
    former, calls = sys.gettrace(), 0

    def call() -> None:
        nonlocal calls
        calls += 1

    def work() -> None:
        with interrupt.breakable():
            while calls < 10**6:
                call()

    with pytest.raises(Interrupted), watched(_stop_after(3)):
        work()
    assert calls < 10**5
    assert sys.gettrace() is former


@pytest.mark.parametrize("name", ["run.toml", "table.csv"])
def test_the_reading_of_a_large_file_can_be_broken_off(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    numbers = [f"[{k}, {k % 7}]" for k in range(20_000)]
    head = 'experiment = "piecewise-fit"\n[params]\ndrawn = ['
    text = f"{head}{', '.join(numbers)}]" if path.suffix == ".toml" else "1, 2\n" * 20_000
    path.write_text(text)
    read: Callable[[], object] = partial(load, path)
    if path.suffix == ".csv":
        read = partial(read_table, path, "points", 10**6)
    with pytest.raises(Interrupted), watched(_stop_after(2)):
        read()


@pytest.mark.parametrize("count", [1, 3])
def test_an_error_in_one_task_leaves_the_others_undone(count: int) -> None:
    team, caller, done = Workers(count), threading.get_ident(), list[int]()
    others = threading.Event()

    def work(worker: int, task: int) -> None:
        if threading.get_ident() == caller:
            others.set()
            raise Interrupted
        others.wait(10)
        done.append(task)

    with pytest.raises(Interrupted):
        team.run(100_000, work)
    assert len(done) < 100_000 - 1
    team.close()


Ask = Callable[[Runner, Any], object]
ASKED: dict[str, Ask] = {
    "pause": lambda runner, fake: runner.pause(),
    "cancel": lambda runner, fake: runner.cancel(),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("begins", ["play", "step"])
def test_a_long_step_shows_how_far_it_is_and_is_left_at_once(
    watcher: Watcher,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    begins: str,
) -> None:
    monkeypatch.setattr(engine_thread, "LONG_STEP", 0.0)
    fake = Looking()
    watcher.runner.start(fake, LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    fake.gate.clear()
    getattr(watcher.runner, begins)()
    shown = watcher.wait(lambda s: s.progress is not None)
    assert (shown.progress, shown.message, shown.step) == (0.25, "Step 1: a look", 0)
    frame = shown.frame
    ASKED[asked](watcher.runner, fake)
    left = watcher.wait(
        lambda s: s.frame > frame and s.progress is None and s.status is Status.PAUSED
    )
    assert left.step == 0
    fake.gate.set()
    watcher.runner.step(3)
    assert watcher.wait(lambda s: s.step == 3).status is Status.PAUSED


class Measuring(LinearMap):  # type: ignore[misc]
    """Finds what it records by long work that says how far it is, once a state."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def advance(self, state: Any, n: int, stride: int = 1) -> Any:
        self.record(state)
        return super().advance(state, n, stride)

    def record(self, state: Any) -> Any:
        return once(state, "record", lambda: self._measured(state))

    def _measured(self, state: Any) -> Any:
        self.found.append(state)
        interrupt.report(0.5, "measuring")
        return super().record(state)


def test_a_job_within_whose_step_a_picture_is_due_shows_the_last_one(
    watcher: Watcher,  # noqa: F811
) -> None:
    """A picture of the state at hand would need what the step is about to find."""
    fake, said = Measuring(), threading.Event()
    pushed = Change(0, nudge=Nudge(1e-3, 1))
    run = RunSpec(
        experiment="linear-map", params=LinearParams(), seed=0, steps=4, changes=(pushed,)
    )

    def job(session: Session, progress: Progress) -> None:
        assert in_chunks(run, session, progress)
        said.set()

    watcher.runner.start(fake, LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    watcher.runner.job(job)
    assert watcher.wait(lambda s: s.step == 4 and s.progress is None).status is Status.PAUSED
    assert said.is_set()


def test_a_step_after_a_push_shows_how_far_it_is(
    watcher: Watcher,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is recorded of the pushed state is being found then."""
    monkeypatch.setattr(engine_thread, "LONG_STEP", 0.0)
    fake = Measuring()
    watcher.runner.start(fake, LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    with monkeypatch.context() as patched:  # its next picture comes after the step
        patched.setattr(Runner, "_publish", lambda self, **how: None)
        watcher.runner.nudge(1e-3)
        watcher.runner.step(1)
        done = threading.Event()
        watcher.runner.call(lambda session: done.set())
        assert done.wait(20)
    shown = [item for item in watcher.seen if isinstance(item, Snapshot)]
    assert any(s.progress == 0.5 and s.message == "Step 1: measuring" for s in shown)
    assert len({id(state) for state in fake.found}) == len(fake.found)


def test_a_new_run_begins_though_a_step_of_the_old_one_takes_long(
    watcher: Watcher,  # noqa: F811
) -> None:
    fake = Looking()
    watcher.runner.start(fake, LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    fake.gate.clear()
    watcher.runner.play()
    assert fake.is_looking.wait(20)
    run_id = watcher.runner.start(LinearMap(), LinearParams(), 1)
    watcher.wait(lambda s: s.run_id == run_id and s.status is Status.PAUSED)


def test_closing_waits_for_no_long_step() -> None:
    watcher, fake = Watcher(), Looking()  # noqa: F811
    watcher.runner.start(fake, LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    fake.gate.clear()
    watcher.runner.play()
    assert fake.is_looking.wait(20)
    assert watcher.runner.close()


def test_a_pause_without_a_run_interrupts_no_later_step(watcher: Watcher) -> None:  # noqa: F811
    watcher.runner.pause()
    watcher.runner.start(Looking(), LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    watcher.runner.step(2)
    watcher.wait(lambda s: s.step == 2)


class LookingBack(Looking):
    """Keeps old states, and looks at something in each step that is made again, too."""

    rewindable = True


def test_an_earlier_step_that_takes_long_is_left_at_once(
    watcher: Watcher,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_thread, "LONG_STEP", 0.0)
    fake = LookingBack()
    watcher.runner.start(fake, LinearParams(), 0)
    watcher.runner.step(500)
    there = watcher.wait(lambda s: s.step == 500 and s.progress is None)
    fake.gate.clear()
    watcher.runner.seek(250)
    shown = watcher.wait(lambda s: s.frame > there.frame and s.progress is not None)
    watcher.runner.cancel()
    left = watcher.wait(lambda s: s.frame > shown.frame and s.progress is None)
    assert (left.step, left.cursor, left.status) == (500, 500, Status.PAUSED)
    assert "Cancelled" in left.message
    fake.gate.set()
    watcher.runner.seek(250)
    assert watcher.wait(lambda s: s.cursor == 250).step == 500


def test_the_way_back_to_where_a_run_converged_can_be_cancelled(
    watcher: Watcher,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_thread, "LONG_STEP", 0.0)

    class Stopping(LookingBack):
        """Looks for long only at what is made again."""

        farthest = 0

        def advance(self, state: Any, n: int, stride: int = 1) -> Any:
            if state.step < self.farthest:
                self.gate.clear()
            self.farthest = max(self.farthest, state.step + n)
            return super().advance(state, n, stride)

    fake = Stopping()
    watcher.runner.start(fake, LinearParams(step_size=0.05), 0)
    watcher.runner.set_speed(None)
    watcher.runner.play()
    shown = watcher.wait(lambda s: s.status is Status.PAUSED and s.progress is not None)
    watcher.runner.cancel()
    left = watcher.wait(lambda s: s.frame > shown.frame and s.progress is None)
    assert left.status is Status.PAUSED and "Cancelled" in left.message
    assert left.step == left.cursor == shown.step
    fake.gate.set()
