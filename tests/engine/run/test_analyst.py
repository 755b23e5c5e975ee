"""What is computed of a run in the background: once a problem, dropped when it is overtaken."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from engine.analysis import equilibria
from engine.core import beside
from engine.core.beside import MOST_KEPT, Analysis, keep, recall
from engine.core.claims import Bound
from engine.core.ensemble import Progress
from engine.core.interrupt import Interrupted, check, watched
from engine.core.params import update
from engine.families.loss.loss import Loss
from engine.run.analyst import Analyst, complete
from engine.run.runner import Runner
from engine.run.snapshot import Snapshot
from tests.engine.linear_map import LinearMap, LinearParams, LinearState

LIMIT = 20.0


@dataclass(frozen=True)
class Found(Analysis):
    """The gain that was analysed."""

    gain: float


class Analysed(LinearMap):
    """The linear map, with an analysis that waits until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.begun = threading.Semaphore(0)
        self.made: list[float] = []
        self.stopped: list[float] = []

    def analysis_key(self, params: LinearParams, seed: int) -> Hashable:
        return (id(self), params.target)

    def analyse(
        self, params: LinearParams, state: LinearState, progress: Progress
    ) -> Analysis | None:
        self.begun.release()
        while not self.may_go_on.wait(0.001):
            if not progress(0.5, "half"):
                self.stopped.append(params.target)
                return None
        self.made.append(params.target)
        return Found(params.target)

    def theory(self, params: LinearParams, state: LinearState | None) -> tuple[Bound, ...]:
        found = recall(self.analysis_key(params, 0))
        value = found.gain if isinstance(found, Found) else None
        return (Bound(id="found", name="Found", symbol="f", value=value, source="test"),)


@pytest.fixture
def analysed() -> Iterator[Analysed]:
    beside.forget()
    made = Analysed()
    yield made
    made.may_go_on.set()
    beside.forget()


@pytest.fixture
def runner() -> Iterator[tuple[Runner, list[Snapshot], threading.Condition]]:
    news, seen = threading.Condition(), []

    def on_snapshot(item: object) -> None:
        with news:
            made.mailbox.take()
            if isinstance(item, Snapshot):
                seen.append(item)
            news.notify_all()

    made = Runner(on_snapshot)
    yield made, seen, news
    assert made.close()


def _value(snapshot: Snapshot) -> float | None:
    return snapshot.theory[0].value if snapshot.theory else None


def _wait(seen: list[Snapshot], news: threading.Condition, value: float | None) -> None:
    def is_there() -> bool:
        return any(item.theory and _value(item) == value for item in seen)

    with news:
        assert news.wait_for(is_there, LIMIT)


def test_theory_is_shown_again_when_the_analysis_is_there(analysed, runner) -> None:
    made, seen, news = runner
    made.start(analysed, LinearParams(target=2.0), 0)
    _wait(seen, news, None)
    analysed.may_go_on.set()
    _wait(seen, news, 2.0)
    assert analysed.made == [2.0]


def test_a_new_problem_stops_the_analysis_of_the_old_one(analysed, runner) -> None:
    made, seen, news = runner
    made.start(analysed, LinearParams(target=2.0), 0)
    assert analysed.begun.acquire(timeout=LIMIT)
    made.start(analysed, LinearParams(target=3.0), 0)
    assert analysed.begun.acquire(timeout=LIMIT)
    analysed.may_go_on.set()
    _wait(seen, news, 3.0)
    assert analysed.made == [3.0] and analysed.stopped == [2.0]


def test_what_is_kept_of_an_analysis_on_its_way_is_shown(analysed, runner) -> None:
    made, seen, news = runner
    made.start(analysed, LinearParams(target=2.0), 0)
    _wait(seen, news, None)
    keep(analysed.analysis_key(LinearParams(target=2.0), 0), Found(1.5))
    _wait(seen, news, 1.5)
    assert analysed.made == []


def test_a_step_size_asks_for_no_new_analysis(analysed, runner) -> None:
    made, seen, news = runner
    params = LinearParams(target=2.0)
    analysed.may_go_on.set()
    made.start(analysed, params, 0)
    _wait(seen, news, 2.0)
    made.retune(update(params, step_size=0.2))
    made.step(3)
    with news:
        assert news.wait_for(lambda: seen[-1].step == 3, LIMIT)
    assert analysed.made == [2.0]


def test_closing_stops_an_analysis(analysed) -> None:
    runner = Runner()
    runner.start(analysed, LinearParams(), 0)
    assert analysed.begun.acquire(timeout=LIMIT)
    assert runner.close()
    assert analysed.stopped == [2.0]


def test_an_analysis_is_made_once(analysed) -> None:
    analysed.may_go_on.set()
    params = LinearParams()
    state = analysed.init(params, 0)
    for _ in range(2):
        assert complete(analysed, params, state, lambda fraction, text: True)
    assert analysed.made == [2.0]


def test_an_experiment_without_analysis_has_none() -> None:
    plain, params = LinearMap(), LinearParams()
    assert complete(plain, params, plain.init(params, 0), lambda fraction, text: False)
    analyst = Analyst(lambda: None)
    analyst.want(plain, params, plain.init(params, 0))
    assert not analyst.is_busy


def test_only_so_many_analyses_are_kept() -> None:
    beside.forget()
    for number in range(MOST_KEPT + 1):
        keep(number, Found(float(number)))
        assert recall(0) == (Found(0.0))
    assert recall(1) is None and recall(MOST_KEPT) is not None
    beside.forget()


class Asking(Analysed):
    """An analysis that asks once whether to go on."""

    def analyse(
        self, params: LinearParams, state: LinearState, progress: Progress
    ) -> Analysis | None:
        self.begun.release()
        self.may_go_on.wait()
        return Found(params.target) if progress(0.5, "half") else None


class Checking(Analysed):
    """An analysis that goes on until who watches its thread stops it."""

    def analyse(
        self, params: LinearParams, state: LinearState, progress: Progress
    ) -> Analysis | None:
        self.begun.release()
        try:
            while True:
                check()
        finally:
            self.may_go_on.set()


def test_an_analysis_is_stopped_within_what_reports_nothing() -> None:
    beside.forget()
    checking, analyst, params = Checking(), Analyst(lambda: None), LinearParams()
    analyst.want(checking, params, checking.init(params, 0))
    checking.begun.acquire()
    analyst.close()
    assert checking.may_go_on.is_set() and not analyst.is_busy
    assert recall(checking.analysis_key(params, 0)) is None


def test_a_search_for_equilibria_is_stopped_within_a_start() -> None:
    asked: list[float] = []

    def stop(fraction: float, text: str) -> bool:
        asked.append(fraction)
        return len(asked) < 5

    loss = Loss.of("(1 - x)^2 + 100*(y - x^2)^2")
    with pytest.raises(Interrupted), watched(stop):
        equilibria.find(loss, [np.array([-1.2, 1.0])], lambda fraction, text: True)
    assert len(asked) == 5


def test_an_analysis_rests_while_it_is_held() -> None:
    beside.forget()
    asking, done = Asking(), threading.Event()
    analyst = Analyst(done.set)
    params = LinearParams()
    analyst.want(asking, params, asking.init(params, 0))
    asking.begun.acquire()
    with analyst.held():
        asking.may_go_on.set()
        assert not done.wait(0.05) and analyst.is_busy
    assert done.wait(LIMIT)
    assert recall(asking.analysis_key(params, 0)) == Found(params.target)
    analyst.close()
    beside.forget()
