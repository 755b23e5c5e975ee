"""Commands to the engine thread are obeyed by the run that they were given for, and by no other."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from engine.core.params import update
from engine.run.run import Run
from engine.run.runner import Runner
from tests.engine.linear_map import LinearMap, LinearParams

PATIENCE = 60


class OtherParams(LinearParams):
    """Parameters of another experiment."""


class OtherMap(LinearMap):
    """Another experiment."""

    listing = replace(LinearMap.listing, id="other-map")
    parameters = OtherParams


EXPERIMENTS: dict[str, LinearMap] = {e.id: e for e in (LinearMap(), OtherMap())}
SIZES = (1e-6, 2e-6, 3e-6)

Act: TypeAlias = tuple[str, Any]
NAMES = st.sampled_from(sorted(EXPERIMENTS))
ACTS = st.one_of(
    st.tuples(st.just("start"), NAMES),
    st.tuples(st.just("resume"), NAMES),
    st.tuples(st.just("step"), st.integers(1, 5)),
    st.tuples(st.just("retune"), st.sampled_from(SIZES)),
    st.tuples(st.just("nudge"), st.just(1e-3)),
    st.tuples(st.just("job"), st.integers(1, 5)),
)


@dataclass(slots=True)
class Known:
    """What a run should be."""

    experiment: str
    step: int = 0
    size: float = SIZES[0]
    nudges: int = 0


class Model:
    """Runs as they should be, told batch by batch what was asked for in it."""

    def __init__(self) -> None:
        self.present: Known | None = None
        self.shelf: dict[str, Known] = {}

    def obey(self, batch: list[Act]) -> None:
        """Obey what was asked for at once: only the newest start begins, with what follows it."""
        starts = [place for place, (what, _) in enumerate(batch) if what in ("start", "resume")]
        for place, (what, value) in enumerate(batch):
            if what == "start":
                self._drop(value)
            if what in ("start", "resume"):
                if place == starts[-1]:
                    self._begin(value)
            elif not starts or place < starts[0] or place > starts[-1]:
                self._change(what, value)

    def _drop(self, name: str) -> None:
        self.shelf.pop(name, None)
        if self.present is not None and self.present.experiment == name:
            self.present = None

    def _begin(self, name: str) -> None:
        if self.present is not None:
            self.shelf[self.present.experiment] = self.present
        self.present = self.shelf.pop(name, Known(name))

    def _change(self, what: str, value: Any) -> None:
        run = self.present
        if run is None:
            return
        if what in ("step", "job"):
            run.step += value
        elif what == "nudge":
            run.nudges += 1
        else:
            run.size = value

    @property
    def all(self) -> dict[str, Known]:
        """Every run by its experiment."""
        present = {} if self.present is None else {self.present.experiment: self.present}
        return present | self.shelf


def first(name: str) -> LinearParams:
    """Return what an experiment begins with."""
    params = EXPERIMENTS[name].parameters(step_size=SIZES[0])
    assert isinstance(params, LinearParams)
    return params


def ask(runner: Runner, act: Act, latest: str) -> str:
    """Ask the engine for something, and return the experiment whose run was asked for last."""
    what, value = act
    if what == "start":
        runner.start(EXPERIMENTS[value], first(value), 0)
    elif what == "resume":
        runner.resume(EXPERIMENTS[value], first(value), 0)
    elif what == "retune":
        runner.retune(update(first(latest), step_size=value))
    elif what == "job":
        runner.job(lambda session, progress: session.advance(value) and None)
    else:
        getattr(runner, what)(value)
    return value if what in ("start", "resume") else latest


def ask_at_once(runner: Runner, batch: list[Act], latest: str) -> str:
    """Ask for all of a batch before the engine obeys any of it."""
    asked = threading.Event()
    runner.survey(lambda runs: wait(asked))
    for act in batch:
        latest = ask(runner, act, latest)
    asked.set()
    return latest


def wait(event: threading.Event) -> None:
    """Wait for an event that must come."""
    assert event.wait(PATIENCE)


def look(runner: Runner) -> dict[str, Known]:
    """Return what the runs are once the engine has obeyed, the one in force first."""
    found: list[tuple[Run, ...]] = []
    has_answered = threading.Event()

    def take(runs: tuple[Run, ...]) -> None:
        found.append(runs)
        has_answered.set()

    runner.survey(take)
    wait(has_answered)
    return {run.experiment_id: known(run) for run in found[0]}


def known(run: Run) -> Known:
    """Describe a run, whose parameters must be those of its experiment."""
    params = run.session.params
    assert type(params) is run.session.experiment.parameters
    nudges = sum(change.nudge is not None for change in run.session.changes)
    assert isinstance(params, LinearParams)
    return Known(run.experiment_id, run.session.step, params.step_size, nudges)


@given(st.lists(st.lists(ACTS, min_size=1, max_size=8), min_size=1, max_size=6))
def test_no_run_obeys_what_was_asked_of_another(batches: list[list[Act]]) -> None:
    """Starts overtake one another, and take with them what was asked of their runs."""
    runner, model, latest = Runner(), Model(), "linear-map"
    try:
        for batch in [[("start", latest)], *batches]:
            latest = ask_at_once(runner, batch, latest)
            model.obey(batch)
            assert look(runner) == model.all
    finally:
        assert runner.close()
