"""Ensembles: many jobs on the pool in force, with progress and cancel."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from engine.core.ensemble import Ensemble
from engine.core.params import build
from engine.core.registry import get
from engine.executors.cluster import Cluster
from engine.executors.processes import Processes
from engine.executors.together import pool_in_force, run_all
from engine.storage.files import to_json
from tests.engine.executors import jobs as importable
from tests.engine.executors.dask_cluster import local_cluster


def test_all_jobs_run_and_progress_counts_them():
    seen = []

    def progress(done, text):
        seen.append((done, text))
        return True

    jobs = [lambda stop, i=i: i * i for i in range(20)]
    assert run_all(jobs, progress, "seeds") == [i * i for i in range(20)]
    assert seen[-1] == (1.0, "20 of 20 seeds")
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_two_jobs_run_at_the_same_time():
    meeting = threading.Barrier(2, timeout=20)
    jobs = [lambda stop: meeting.wait() >= 0] * 2
    assert run_all(jobs, lambda *_: True, workers=2) == [True, True]


def test_cancel_stops_what_runs_and_what_waits():
    started = threading.Event()

    def long(stop):
        started.set()
        assert stop.wait(20)

    def progress(done, text):
        return not started.is_set()

    assert run_all([long] * 50, progress, workers=2) == [None] * 50


def test_an_error_in_a_job_comes_out():
    def bad(stop):
        raise RuntimeError("broken")

    def long(stop):
        assert stop.wait(20)

    with pytest.raises(RuntimeError, match="broken"):
        run_all([long, bad], lambda *_: True, workers=2)


def test_processes_carry_out_jobs_that_can_be_sent_to_them():
    jobs = [partial(importable.power, 2, number) for number in range(20)]
    with Processes(2) as pool, pool_in_force(pool):
        made = run_all(jobs, lambda *_: True)
    assert made == run_all(jobs, lambda *_: True)


ENSEMBLES = (
    ("least-squares", {"ensemble": 6}, 50),
    ("double-scalar", {"ensemble": 5}, 50),
    ("matrix-product", {"ensemble": 4}, 20),
    ("piecewise-fit", {"ensemble": 6}, 20),
    ("own-loss", {"ensemble": 4}, 20),
)


def test_an_ensemble_on_a_cluster_is_that_of_threads():
    def made(experiment: str, values: dict, steps: int) -> Ensemble:
        one = get(experiment)
        return one.ensemble(build(one.parameters, values), 3, steps, lambda *_: True)

    here = [made(*each) for each in ENSEMBLES]
    with local_cluster(2) as machines, Cluster(machines.address) as pool, pool_in_force(pool):
        there = [made(*each) for each in ENSEMBLES]
    for mine, other in zip(here, there, strict=True):
        assert not other.cancelled
        assert to_json(other.columns) == to_json(mine.columns)
        assert to_json(other.summary) == to_json(mine.summary)
