"""What is measured at a state is kept beside it, once, and dies with it."""

from __future__ import annotations

import dataclasses
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import beside, registry
from engine.run.session import Session
from tests.engine.linear_map import LinearMap, LinearParams

REWINDABLE = [entry.id for entry in registry.entries() if entry.load().rewindable]


def test_a_quantity_is_computed_once_and_a_copy_is_measured_anew() -> None:
    state = LinearMap().init(LinearParams(), 0)
    made: list[str] = []

    def compute(name: str) -> str:
        made.append(name)
        return name

    assert [beside.once(state, "a", lambda: compute("a")) for _ in range(3)] == ["a"] * 3
    assert beside.once(state, "b", lambda: compute("b")) == "b"
    copy = dataclasses.replace(state)
    beside.once(copy, "a", lambda: compute("a of the copy"))
    assert made == ["a", "b", "a of the copy"]


def test_what_fails_is_not_kept() -> None:
    state = LinearMap().init(LinearParams(), 0)

    def fail() -> int:
        raise ValueError

    with pytest.raises(ValueError):
        beside.once(state, "a", fail)
    assert beside.once(state, "a", lambda: 3) == 3


def test_a_quantity_may_be_made_of_another() -> None:
    state = LinearMap().init(LinearParams(), 0)
    assert beside.once(state, "sum", lambda: 1 + beside.once(state, "a", lambda: 2)) == 3


def test_threads_compute_a_quantity_once() -> None:
    state = LinearMap().init(LinearParams(), 0)
    made: list[int] = []
    begin = threading.Barrier(8)

    def ask(index: int) -> int:
        begin.wait()
        return beside.once(state, "a", lambda: made.append(index) or index)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(made) == 1 and set(found) == set(made)


def test_entries_die_with_their_states() -> None:
    before = beside.count()
    states = [LinearMap().init(LinearParams(), seed) for seed in range(50)]
    for state in states:
        beside.once(state, "a", lambda: np.zeros(3))
    assert beside.count() == before + 50
    del states, state
    gc.collect()
    assert beside.count() == before


@pytest.mark.parametrize("experiment_id", REWINDABLE)
def test_no_state_is_kept_alive_by_what_was_measured_at_it(experiment_id: str) -> None:
    experiment = registry.get(experiment_id)
    session = Session(experiment, experiment.parameters(), 0)
    session.advance(3)
    state = dataclasses.replace(session.state)
    recent = session.recent()
    experiment.record(state)
    experiment.observe(state, recent)
    experiment.outcome(state, recent)
    experiment.theory(session.params, state)
    experiment.claims(session.params, state, recent)
    experiment.final(state, recent)
    watch = weakref.ref(state)
    del state
    gc.collect()
    assert watch() is None
    session.close()
