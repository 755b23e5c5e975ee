"""The engine thread, driven with a fake experiment and events; nothing here sleeps."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core.compiled import Compiling, NotCompiled, compiling
from engine.core.ensemble import Ensemble, Progress
from engine.core.outcome import OutcomeKind
from engine.core.params import build, update
from engine.core.registry import get
from engine.run import engine_thread
from engine.run.branches import DroppedSteps
from engine.run.runner import Runner
from engine.run.session import Session
from engine.run.snapshot import Failure, Snapshot, Status
from engine.run.spec import SettingsInForce
from engine.run.warming import Part
from tests.engine.linear_map import LinearMap, LinearParams


class Watcher:
    """Collects snapshots and waits for one that satisfies a condition."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self.seen: list[Snapshot | Failure] = []
        self.runner = Runner(self._on_snapshot)

    def _on_snapshot(self, item: Snapshot | Failure) -> None:
        self.runner.mailbox.take()
        with self._news:
            self.seen.append(item)
            self._news.notify_all()

    def wait(self, condition: Callable[[Snapshot], bool]) -> Snapshot:
        def found() -> Snapshot | None:
            for item in reversed(self.seen):
                if isinstance(item, Snapshot) and condition(item):
                    return item
            return None

        with self._news:
            assert self._news.wait_for(lambda: found() is not None, timeout=20), self.seen[-1:]
            result = found()
        assert result is not None
        return result

    def wait_failure(self) -> Failure:
        with self._news:
            ok = self._news.wait_for(
                lambda: any(isinstance(item, Failure) for item in self.seen), timeout=20
            )
        assert ok
        return next(item for item in self.seen if isinstance(item, Failure))


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    yield watcher
    assert watcher.runner.close()


def test_step_play_pause_and_finish(watcher: Watcher) -> None:
    runner = watcher.runner
    run_id = runner.start(LinearMap(), LinearParams(), 0)
    first = watcher.wait(lambda s: s.status is Status.PAUSED)
    assert (first.step, first.run_id) == (0, run_id)
    runner.step(3)
    assert watcher.wait(lambda s: s.step == 3).status is Status.PAUSED
    runner.set_speed(None)
    runner.play()
    end = watcher.wait(lambda s: s.status is Status.PAUSED and s.step > 3)
    assert end.outcome.kind is OutcomeKind.CONVERGED  # it pauses itself, once
    runner.play()
    # Pictures of the run before it went back to where it converged may show later steps.
    watcher.wait(lambda s: s.step > end.step and s.frame > end.frame)
    runner.pause()
    watcher.wait(lambda s: s.status is Status.PAUSED and s.step > end.step)


@pytest.mark.parametrize("speed", [1.0, 7.0, 1000.0, None])
def test_a_run_pauses_where_it_converged_however_fast_it_is(
    watcher: Watcher, speed: float | None
) -> None:
    headless = Session(LinearMap(), LinearParams(step_size=0.5), 0)
    while headless.outcome().kind is not OutcomeKind.CONVERGED:
        headless.advance(1)
    runner = watcher.runner
    runner.start(LinearMap(), LinearParams(step_size=0.5), 0)
    runner.set_speed(speed)
    runner.play()
    end = watcher.wait(lambda s: s.status is Status.PAUSED and s.step > 0)
    assert end.step == headless.step
    assert end.outcome.kind is OutcomeKind.CONVERGED


def test_memory_is_given_back_whenever_the_engine_rests(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: queue.SimpleQueue[int] = queue.SimpleQueue()
    monkeypatch.setattr(engine_thread, "REST", 0.01)
    monkeypatch.setattr(engine_thread, "give_back", lambda: given.put(1))
    watcher.runner.start(LinearMap(), LinearParams(), 0)
    assert given.get(timeout=20)
    watcher.runner.step(3)
    watcher.wait(lambda s: s.step == 3)
    assert given.get(timeout=20)


def test_run_n_stops_exactly(watcher: Watcher) -> None:
    watcher.runner.start(LinearMap(), LinearParams(step_size=1e-6), 0)
    watcher.runner.set_speed(None)
    watcher.runner.run(12_345)
    assert watcher.wait(lambda s: s.step == 12_345).target == 12_345
    watcher.runner.step()
    watcher.wait(lambda s: s.step == 12_346)


class Watched(LinearMap):  # type: ignore[misc]
    """One that knows how often it was looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def observe(self, state: Any, recent: Any) -> Any:
        """Count."""
        self.looks += 1
        return super().observe(state, recent)


@pytest.mark.parametrize("plays", [False, True])
def test_a_drag_that_is_faster_than_pictures_gets_one_of_where_it_is(
    watcher: Watcher, plays: bool
) -> None:
    experiment, runner, go_on, done = (
        Watched(),
        watcher.runner,
        threading.Event(),
        threading.Event(),
    )
    runner.start(experiment, LinearParams(step_size=1e-6), 0)
    runner.step(3)
    watcher.wait(lambda s: s.step == 3)
    looks: list[int] = []
    runner.call(lambda session: (looks.append(experiment.looks), go_on.wait()))
    for k in range(50):
        runner.retune(LinearParams(step_size=1e-6 * (k + 2)))
        if plays:
            runner.run(0)  # as after each change of a run that had come to rest
    go_on.set()
    watcher.wait(lambda s: s.params.step_size == 1e-6 * 51)
    watcher.runner.call(lambda session: done.set())
    assert done.wait(20)
    # A run that is told to go on has a picture as it sets out, and one where it pauses.
    assert experiment.looks - looks[0] == (2 if plays else 1)


class Busy(LinearMap):  # type: ignore[misc]
    """One whose steps need all cores."""

    listing = replace(LinearMap.listing, steps_per_call=1, picture_share=0.1)


@pytest.mark.parametrize(("speed", "is_saving"), [(None, True), (0.5, False)])
def test_pictures_take_their_share_of_a_run_that_needs_all_cores(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch, speed: float | None, is_saving: bool
) -> None:
    monkeypatch.setattr("engine.run.pace.LONGEST_REST", np.inf)
    watcher.runner.start(Busy(), LinearParams(step_size=1e-6), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    watcher.runner.drawing_seconds = 1000.0
    watcher.runner.set_speed(speed)
    watcher.runner.run(20)
    watcher.wait(lambda s: s.status is Status.PAUSED and s.step == 20)
    running = [
        s.step for s in watcher.seen if isinstance(s, Snapshot) and s.status is Status.RUNNING
    ]
    assert running == [0] if is_saving else len(running) > 10, running


def test_scrub_detaches_and_live_returns(watcher: Watcher) -> None:
    runner = watcher.runner
    runner.start(LinearMap(), LinearParams(step_size=1e-3), 0)
    runner.step(100)
    live = watcher.wait(lambda s: s.step == 100)
    runner.seek(40)
    past = watcher.wait(lambda s: s.cursor == 40)
    assert past.step == 100
    assert not past.is_live
    reference = live.trace.recent["weights"][40]
    np.testing.assert_array_equal(past.observation["weights"], reference)
    runner.live()
    again = watcher.wait(lambda s: s.is_live and s.frame > past.frame)
    np.testing.assert_array_equal(again.observation["weights"], live.observation["weights"])
    runner.back(10)
    watcher.wait(lambda s: s.cursor == 90 and s.step == 100)
    runner.step(1)  # along what is there already
    along = watcher.wait(lambda s: s.cursor == 91)
    assert along.step == 100
    np.testing.assert_array_equal(along.observation["weights"], live.trace.recent["weights"][91])
    runner.step(12)
    beyond = watcher.wait(lambda s: s.step == 103)
    assert beyond.is_live


def test_retune_while_running_is_recorded(watcher: Watcher) -> None:
    runner = watcher.runner
    params = LinearParams(step_size=1e-6)
    runner.start(LinearMap(), params, 0)
    runner.set_speed(50.0)
    runner.play()
    watcher.wait(lambda s: s.step > 100)
    runner.retune(update(params, step_size=2e-6))
    changed = watcher.wait(lambda s: len(s.changes) == 1)
    assert changed.changes[0].values == {"step_size": 2e-6}
    assert changed.params.step_size == 2e-6  # type: ignore[attr-defined]
    runner.retune(update(params, target=5.0))
    refused = watcher.wait(lambda s: "target" in s.message)
    assert refused.error == "" and refused.refusal is not None
    assert (refused.refusal.field, refused.refusal.value) == ("target", 5.0)
    assert str(refused.refusal) == refused.message
    runner.step(1)
    assert watcher.wait(lambda s: not s.message).refusal is None


def test_a_start_while_running_begins_a_new_run(watcher: Watcher) -> None:
    runner = watcher.runner
    runner.start(LinearMap(), LinearParams(step_size=1e-6), 5)
    runner.play()
    watcher.wait(lambda s: s.step > 3)
    again = runner.start(LinearMap(), LinearParams(step_size=1e-6), 5)
    fresh = watcher.wait(lambda s: s.run_id == again and s.status is Status.PAUSED)
    assert (fresh.step, fresh.seed) == (0, 5)


def test_an_exception_is_a_failed_status_and_the_thread_lives(watcher: Watcher) -> None:
    experiment = LinearMap()
    experiment.fail_at = 50
    watcher.runner.start(experiment, LinearParams(), 0)
    watcher.runner.step(60)
    failed = watcher.wait(lambda s: s.status is Status.FAILED)
    assert "told to fail" in failed.error
    experiment.fail_at = None
    again = watcher.runner.start(experiment, LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED and s.run_id == again)


def test_a_run_that_cannot_begin_is_a_failure(watcher: Watcher) -> None:
    class Broken(LinearMap):
        def init(self, params: LinearParams, seed: int):  # type: ignore[no-untyped-def]
            raise ZeroDivisionError("no start")

    watcher.runner.start(Broken(), LinearParams(), 0)
    assert "no start" in watcher.wait_failure().error
    watcher.runner.start(LinearMap(), LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)


def test_pause_and_close_during_a_long_step() -> None:
    watcher = Watcher()
    experiment = LinearMap()
    watcher.runner.start(experiment, LinearParams(step_size=1e-6), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    experiment.gate.clear()
    watcher.runner.play()
    watcher.runner.pause()
    experiment.gate.set()
    watcher.wait(lambda s: s.status is Status.PAUSED and s.frame > 1)
    experiment.gate.clear()
    watcher.runner.step(5)
    threading.Timer(0.0, experiment.gate.set).start()
    assert watcher.runner.close()


def test_a_run_that_cannot_be_closed_does_not_hold_up_the_next(watcher: Watcher) -> None:
    """A start that comes to nothing is a failure too, or who waits for its picture waits on."""

    class Stuck(LinearMap):  # type: ignore[misc]
        def close(self, state: Any) -> None:
            raise OSError("cannot close")

    watcher.runner.start(Stuck(), LinearParams(), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    watcher.runner.start(Stuck(), LinearParams(), 0)
    assert "cannot close" in watcher.wait_failure().error
    again = watcher.runner.start(LinearMap(), LinearParams(), 0)
    watcher.wait(lambda s: s.run_id == again and s.status is Status.PAUSED)


def test_divergence_finishes_the_run(watcher: Watcher) -> None:
    watcher.runner.start(LinearMap(), LinearParams(step_size=3.0), 0)
    watcher.runner.set_speed(None)
    watcher.runner.play()
    end = watcher.wait(lambda s: s.status is Status.FINISHED)
    assert end.outcome.kind is OutcomeKind.DIVERGED
    assert np.isfinite(end.trace.recent["weights"]).all()


def test_a_long_job_reports_progress_and_heeds_cancel(watcher: Watcher) -> None:
    watcher.runner.start(LinearMap(), LinearParams(step_size=1e-6), 0)
    watcher.runner.step(3)
    heard: list[bool] = []
    cancelled = threading.Event()

    def job(session: Session, progress: Progress) -> None:
        heard.append(progress(0.5, "half"))
        assert cancelled.wait(20)
        heard.append(progress(0.75, "more"))

    watcher.runner.job(job)
    half = watcher.wait(lambda s: s.progress == 0.5)
    assert (half.message, half.status) == ("half", Status.PAUSED)
    assert half.seconds_left is not None
    watcher.runner.cancel()
    cancelled.set()
    end = watcher.wait(lambda s: s.frame > half.frame and s.progress is None)
    assert heard == [True, False]
    assert (end.message, end.step) == ("", 3)


def test_a_run_goes_on_after_a_job(watcher: Watcher) -> None:
    watcher.runner.start(LinearMap(), LinearParams(step_size=1e-6), 0)
    watcher.runner.set_speed(None)
    watcher.runner.play()
    watcher.wait(lambda s: s.step > 0)
    steps: list[int] = []
    watcher.runner.job(lambda session, progress: steps.append(session.step))
    after = watcher.wait(lambda s: bool(steps) and s.step > steps[0])
    assert after.status is Status.RUNNING


class Many(LinearMap):  # type: ignore[misc]
    """A map with an ensemble of nothing."""

    def ensemble(self, params: LinearParams, seed: int, steps: int, progress: Progress) -> Ensemble:
        progress(0.5, "half")
        return Ensemble(columns={}, summary={})


def test_a_finished_run_is_finished_after_an_ensemble(watcher: Watcher) -> None:
    """Else the next press of Play would do nothing but say so."""
    runner = watcher.runner
    runner.start(Many(), LinearParams(step_size=3.0), 0)
    runner.set_speed(None)
    runner.play()
    watcher.wait(lambda s: s.status is Status.FINISHED)
    runner.ensemble()
    assert watcher.wait(lambda s: s.ensemble is not None).status is Status.FINISHED


def test_a_run_goes_on_after_an_ensemble(watcher: Watcher) -> None:
    runner = watcher.runner
    runner.start(Many(), LinearParams(step_size=1e-6), 0)
    runner.play()
    watcher.wait(lambda s: s.status is Status.RUNNING)
    runner.ensemble()
    after = watcher.wait(lambda s: s.ensemble is not None)
    assert (after.status, after.message) == (Status.RUNNING, "Ensemble done.")
    watcher.wait(lambda s: s.step > after.step)


def test_a_nudge_is_noted_and_forks_a_run_that_was_scrubbed(watcher: Watcher) -> None:
    runner = watcher.runner
    runner.start(LinearMap(), LinearParams(), 0)
    runner.step(20)
    runner.seek(8)
    runner.nudge(1e-3)
    shown = watcher.wait(lambda s: bool(s.changes))
    assert (shown.step, shown.cursor, shown.status) == (8, 8, Status.PAUSED)
    assert [(c.step, c.nudge.size) for c in shown.changes if c.nudge] == [(8, 1e-3)]
    plain = Session(LinearMap(), LinearParams(), 0)
    plain.advance(8)
    assert not np.array_equal(shown.observation["weights"], plain.state.weights)


def test_a_nudge_out_of_range_is_a_sentence(watcher: Watcher) -> None:
    runner = watcher.runner
    runner.start(LinearMap(), LinearParams(), 0)
    runner.step(3)
    runner.nudge(5.0)
    shown = watcher.wait(lambda s: "nudge.size" in s.message)
    assert shown.status is Status.PAUSED and shown.changes == ()


def test_a_nudged_run_plays_on_though_it_had_converged(watcher: Watcher) -> None:
    """The rows before the push still tell of a minimum: no reason to pause."""
    runner = watcher.runner
    runner.start(LinearMap(), LinearParams(step_size=0.5), 0)
    runner.step(200)  # converged, and stepped there by hand
    runner.nudge(1e-3)
    runner.set_speed(1.0)
    runner.play()
    watcher.wait(lambda s: s.step > 200 and s.status is Status.RUNNING)


def test_a_pushed_run_pauses_when_it_is_back(watcher: Watcher) -> None:
    runner = watcher.runner
    runner.set_speed(None)
    runner.start(LinearMap(), LinearParams(step_size=0.5), 0, False)
    first = watcher.wait(
        lambda s: s.status is Status.PAUSED and s.outcome.kind is OutcomeKind.CONVERGED
    )
    runner.nudge(1e-6)
    runner.play()
    again = watcher.wait(lambda s: s.status is Status.PAUSED and s.step > first.step)
    assert again.outcome.kind is OutcomeKind.CONVERGED


def test_a_bad_size_of_a_nudge_gives_up_no_later_step(watcher: Watcher) -> None:
    runner = watcher.runner
    runner.start(LinearMap(), LinearParams(step_size=1e-3), 0)
    runner.step(50)
    watcher.wait(lambda s: s.step == 50)
    runner.seek(20)
    watcher.wait(lambda s: s.cursor == 20)
    runner.nudge(7.0)
    refused = watcher.wait(lambda s: "nudge" in s.message)
    assert (refused.step, refused.cursor) == (50, 20)


class Other(LinearMap):  # type: ignore[misc]
    """Another experiment."""

    listing = replace(LinearMap.listing, id="other-map")


def test_a_run_is_taken_up_where_it_was_left(watcher: Watcher) -> None:
    runner, experiment, params = watcher.runner, LinearMap(), LinearParams(step_size=1e-3)
    runner.start(experiment, params, 3)
    runner.step(50)
    runner.retune(update(params, step_size=2e-3))
    runner.nudge(1e-3)
    runner.step(50)
    left = watcher.wait(lambda s: s.step == 100)
    runner.seek(70)
    watcher.wait(lambda s: s.cursor == 70)
    runner.start(Other(), params, 0)
    watcher.wait(lambda s: s.experiment == "other-map" and s.status is Status.PAUSED)
    again = runner.resume(experiment, params, 3)
    back = watcher.wait(lambda s: s.run_id == again)
    assert (back.step, back.cursor, back.status) == (100, 70, Status.PAUSED)
    assert back.changes == left.changes and len(back.changes) == 2
    assert back.params == update(params, step_size=2e-3)
    np.testing.assert_array_equal(back.trace.recent["weights"], left.trace.recent["weights"])
    runner.live()
    runner.step(5)
    watcher.wait(lambda s: s.step == 105)


def test_a_running_run_is_put_aside_paused_and_a_finished_one_finished(watcher: Watcher) -> None:
    runner = watcher.runner
    runner.start(LinearMap(), LinearParams(step_size=1e-6), 0)
    runner.play()
    watcher.wait(lambda s: s.step > 3)
    runner.start(Other(), LinearParams(step_size=3.0), 0)
    runner.set_speed(None)
    runner.play()
    watcher.wait(lambda s: s.experiment == "other-map" and s.status is Status.FINISHED)
    first = runner.resume(LinearMap(), LinearParams(step_size=1e-6), 0)
    assert watcher.wait(lambda s: s.run_id == first).status is Status.PAUSED
    second = runner.resume(Other(), LinearParams(step_size=3.0), 0)
    assert watcher.wait(lambda s: s.run_id == second).status is Status.FINISHED


@pytest.mark.parametrize("is_overtaken", [False, True])
def test_a_run_begun_anew_is_not_taken_up(watcher: Watcher, is_overtaken: bool) -> None:
    """Not even where the new one was overtaken by a switch before it could begin."""
    runner, experiment = watcher.runner, LinearMap()
    runner.start(experiment, LinearParams(), 0)
    runner.step(7)
    watcher.wait(lambda s: s.step == 7)
    if is_overtaken:
        experiment.gate.clear()
        runner.step(1)
    runner.start(LinearMap(), LinearParams(width=3), 0)
    runner.start(Other(), LinearParams(), 0)
    experiment.gate.set()
    watcher.wait(lambda s: s.experiment == "other-map" and s.status is Status.PAUSED)
    again = runner.resume(LinearMap(), LinearParams(width=3), 0)
    fresh = watcher.wait(lambda s: s.run_id == again and s.status is Status.PAUSED)
    assert fresh.step == 0 and fresh.observation["weights"].shape == (3,)


@pytest.mark.parametrize("size", [2.5e-3, 3.0])
def test_dropped_steps_are_brought_back_bit_by_bit(watcher: Watcher, size: float) -> None:
    runner, params = watcher.runner, LinearParams(step_size=1e-3)
    drops: list[DroppedSteps] = []
    runner.on_drop = lambda dropped: (drops.append(dropped), "Dropped.")[1]
    runner.start(LinearMap(), params, 4)
    runner.step(40)
    runner.retune(update(params, step_size=size))
    runner.nudge(1e-2)
    runner.set_speed(None)
    runner.run(60)
    whole = watcher.wait(lambda s: s.step > 60 and s.status is not Status.RUNNING)
    assert (whole.status is Status.FINISHED) == (size == 3.0)
    runner.seek(20)
    other = update(params, step_size=5e-3)
    runner.retune(other)
    cut = watcher.wait(lambda s: s.step == 20)
    assert cut.message == "Dropped."
    (dropped,) = drops
    assert (dropped.first, dropped.last, dropped.params) == (21, whole.step, other)
    runner.step(3)
    branch = watcher.wait(lambda s: s.step == 23)
    settings: list[SettingsInForce | None] = []
    runner.switch_branch(dropped.fork, settings.append)
    back = watcher.wait(lambda s: s.frame > branch.frame and s.progress is None)
    assert (back.step, back.changes, back.params) == (whole.step, whole.changes, whole.params)
    assert back.status is whole.status
    assert settings == [SettingsInForce(whole.params, whole.seed)]
    for key, rows in whole.trace.recent.items():
        np.testing.assert_array_equal(back.trace.recent[key], rows)
    runner.switch_branch(dropped.fork)
    again = watcher.wait(lambda s: s.frame > back.frame and s.progress is None)
    assert (again.step, again.params, again.changes) == (23, other, branch.changes)
    for key, rows in branch.trace.recent.items():
        np.testing.assert_array_equal(again.trace.recent[key], rows)


def test_a_switch_of_branches_that_is_cancelled_leaves_the_run(watcher: Watcher) -> None:
    runner = watcher.runner
    drops: list[DroppedSteps] = []
    runner.on_drop = lambda dropped: (drops.append(dropped), "")[1]
    experiment = LinearMap()
    runner.start(experiment, LinearParams(step_size=1e-3), 4)
    runner.step(500)
    runner.seek(20)
    runner.run(1)
    cut = watcher.wait(lambda s: s.step == 21 and s.status is Status.PAUSED)
    settings: list[SettingsInForce | None] = []
    experiment.gate.clear()
    runner.switch_branch(drops[0].fork, settings.append)
    runner.start(Other(), LinearParams(), 0)  # which cancels what is under way
    experiment.gate.set()
    watcher.wait(lambda s: s.experiment == "other-map" and s.status is Status.PAUSED)
    assert settings == [None]
    again = runner.resume(experiment, LinearParams(step_size=1e-3), 4)
    back = watcher.wait(lambda s: s.run_id == again)
    assert (back.step, back.changes) == (cut.step, cut.changes)


class Compiled(LinearMap):  # type: ignore[misc]
    """A map whose steps need a kernel that lies in no cache until a process has compiled it."""

    is_compiled = False

    def warm_up(self) -> None:
        if compiling() is Compiling.NEVER and not self.is_compiled:
            raise NotCompiled("advance")
        Compiled.is_compiled = True


class PictureCompiled(LinearMap):  # type: ignore[misc]
    """A map whose first picture needs one."""

    is_compiled = False

    def init(self, params: LinearParams, seed: int) -> Any:
        if compiling() is Compiling.NEVER and not self.is_compiled:
            raise NotCompiled("record")
        return super().init(params, seed)


class Foreseen(PictureCompiled):
    """A map that names the kernel before it loads what else a picture needs."""

    started_before: tuple[int, ...] = ()
    is_begun = threading.Event()

    def warm_picture(self) -> bool:
        if compiling() is Compiling.NEVER and not PictureCompiled.is_compiled:
            raise NotCompiled("record")
        return True

    def init(self, params: LinearParams, seed: int) -> Any:
        Foreseen.started_before += (len(Processes.started),)
        self.is_begun.set()
        return super().init(params, seed)


class Processes:
    """Stands for the processes that compile; they are done when the test says so."""

    started: list[Processes]
    at_once: frozenset[Part] = frozenset()

    def __init__(self, kind: type[LinearMap], *parts: Part) -> None:
        self.kind, self.parts = kind, parts
        self.compiled: set[str] = set()
        self.finished = set(self.at_once)
        self.is_closed = False
        self.started.append(self)

    def is_done(self, *parts: Part) -> bool:
        return self.is_closed or self.finished >= set(parts or self.parts)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Processes]:
    started: list[Processes] = []
    monkeypatch.setattr(Processes, "started", started, raising=False)
    monkeypatch.setattr("engine.run.engine_thread.Warming", Processes)
    monkeypatch.setattr(Compiled, "is_compiled", False)
    monkeypatch.setattr(PictureCompiled, "is_compiled", False)
    monkeypatch.setattr(Foreseen, "started_before", ())
    return started


def test_foreseen_kernels_are_compiled_while_the_run_is_made(
    watcher: Watcher, processes: list[Processes]
) -> None:
    watcher.runner.start(Foreseen(), LinearParams(), 0)
    assert Foreseen.is_begun.wait(timeout=20)
    (started,) = processes
    assert started.parts == (Part.PICTURE, Part.STEPS)
    PictureCompiled.is_compiled = True
    started.finished.add(Part.PICTURE)
    shown = watcher.wait(lambda s: s.status is Status.PAUSED)
    assert shown.observation
    assert processes == [started]  # what is under way is not begun anew
    assert set(Foreseen.started_before) == {1}  # they were at work before the run was made


def test_a_picture_waits_for_no_kernel_that_only_steps_need(
    watcher: Watcher, processes: list[Processes]
) -> None:
    watcher.runner.start(Compiled(), LinearParams(), 0)
    first = watcher.wait(lambda s: s.status is Status.PAUSED)
    assert first.observation
    behind = watcher.wait(lambda s: s.compiling == "kernels")
    (started,) = processes
    assert started.parts == (Part.STEPS,)
    started.finished.add(Part.STEPS)
    watcher.wait(lambda s: s.status is Status.PAUSED and not s.compiling and s.frame > behind.frame)
    assert started.is_closed
    assert Compiled.is_compiled


def test_steps_wait_for_their_kernels(watcher: Watcher, processes: list[Processes]) -> None:
    watcher.runner.start(Compiled(), LinearParams(), 0)
    watcher.wait(lambda s: bool(s.compiling))
    watcher.runner.play()
    going = watcher.wait(lambda s: s.status is Status.RUNNING)
    assert going.step == 0
    processes[0].finished.add(Part.STEPS)
    watcher.wait(lambda s: s.step > 0 and not s.compiling)


def test_a_single_step_waits_too(watcher: Watcher, processes: list[Processes]) -> None:
    watcher.runner.start(Compiled(), LinearParams(), 0)
    watcher.wait(lambda s: bool(s.compiling))
    watcher.runner.step()
    processes[0].compiled.add("record")
    processes[0].finished.add(Part.STEPS)
    assert watcher.wait(lambda s: s.step == 1).status is Status.PAUSED


def test_another_experiment_does_not_wait_for_the_kernels_of_the_first(
    watcher: Watcher, processes: list[Processes]
) -> None:
    """Neither while they are compiled behind a picture, nor before there is one."""
    watcher.runner.start(Compiled(), LinearParams(), 0)
    watcher.wait(lambda s: bool(s.compiling))
    watcher.runner.start(PictureCompiled(), LinearParams(), 0)
    watcher.runner.start(LinearMap(), LinearParams(), 0)
    watcher.wait(lambda s: s.run_id == 3 and s.status is Status.PAUSED)
    assert all(each.is_closed for each in processes)


def test_a_run_that_is_taken_up_gets_the_kernels_it_was_left_without(
    watcher: Watcher, processes: list[Processes]
) -> None:
    class Other(LinearMap):  # type: ignore[misc]
        listing = replace(LinearMap.listing, id="other")

    watcher.runner.start(Compiled(), LinearParams(), 0)
    watcher.wait(lambda s: bool(s.compiling))
    watcher.runner.start(Other(), LinearParams(), 0)
    watcher.wait(lambda s: s.run_id == 2 and s.status is Status.PAUSED)
    again = watcher.runner.resume(Compiled(), LinearParams(), 0)
    behind = watcher.wait(lambda s: s.run_id == again and bool(s.compiling))
    assert behind.observation
    left, taken_up = processes
    assert left.is_closed
    assert taken_up.parts == (Part.STEPS,)
    taken_up.finished.add(Part.STEPS)
    watcher.wait(lambda s: s.run_id == again and not s.compiling and s.frame > behind.frame)
    assert Compiled.is_compiled


def test_a_first_picture_waits_for_its_own_kernels_alone(
    watcher: Watcher, processes: list[Processes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Processes, "at_once", frozenset({Part.PICTURE}))
    watcher.runner.start(PictureCompiled(), LinearParams(), 0)
    shown = watcher.wait(lambda s: s.status is Status.PAUSED)
    assert shown.observation
    assert shown.compiling == "kernels"  # those of the steps
    assert processes[0].parts == (Part.PICTURE, Part.STEPS)


def test_where_no_process_can_be_had_kernels_are_compiled_here(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr("engine.run.engine_thread.Warming", refuse)
    monkeypatch.setattr(Compiled, "is_compiled", False)
    watcher.runner.start(Compiled(), LinearParams(), 0)
    watcher.runner.step()
    assert watcher.wait(lambda s: s.step == 1).compiling == ""
    assert Compiled.is_compiled


def test_a_run_waits_for_steps_that_come_from_outside(watcher: Watcher, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f'{{"step": {k}, "loss": 1}}\n' for k in range(5)))
    runner, trace = watcher.runner, get("trace")
    runner.start(trace, build(trace.parameters, {"file": str(path)}), 0)
    watcher.wait(lambda s: s.status is Status.PAUSED)
    runner.set_speed(None)
    runner.play()
    assert watcher.wait(lambda s: s.step == 4).status is Status.RUNNING
    with path.open("a") as file:
        file.write('{"step": 5, "loss": 1}\n{"step": 6, "lo')
    assert watcher.wait(lambda s: s.step == 5).status is Status.RUNNING
    path.write_text("anew")
    end = watcher.wait(lambda s: s.status is Status.FINISHED)
    assert end.step == 5
