"""Threads and processes carry out the same jobs to the same bits, whatever happens to them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError, LabError
from engine.executors import processes
from engine.executors.choice import pool
from engine.executors.executor import Executor
from engine.executors.processes import Processes
from engine.executors.threads import Threads
from tests.engine.executors import jobs

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[str, Executor]]:
    """Return threads and processes, one and two of each."""
    made: dict[str, Executor] = {
        "thread": Threads(1),
        "threads": Threads(3),
        "process": Processes(1),
        "processes": Processes(2),
    }
    for each in made.values():  # with all their threads, which outlive a test
        list(each.run(jobs.power, 1, range(50), never()))
    yield made
    for each in made.values():
        each.close()


def never() -> threading.Event:
    return threading.Event()


@given(
    numbers=st.lists(st.integers(0, 10**6), max_size=30, unique=True),
    exponent=st.integers(1, 5),
)
def test_results_do_not_depend_on_the_pool(
    pools: dict[str, Executor], numbers: list[int], exponent: int
) -> None:
    right = {number: jobs.power(exponent, number, never()) for number in numbers}
    for each in pools.values():
        assert dict(each.run(jobs.power, exponent, numbers, never())) == right


@pytest.mark.parametrize("name", ["threads", "processes"])
def test_jobs_are_taken_as_workers_become_free(pools: dict[str, Executor], name: str) -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for number in range(10**9):
            taken.append(number)
            yield number

    stop = never()
    for count, _ in enumerate(pools[name].run(jobs.power, 2, endless(), stop)):
        assert len(taken) <= count + 1 + 2 * pools[name].workers + 2
        if count == 50:
            stop.set()
    assert count == 50


@pytest.mark.parametrize("name", ["threads", "processes"])
def test_an_error_of_a_job_is_raised_and_the_pool_goes_on(
    pools: dict[str, Executor], name: str
) -> None:
    with pytest.raises(InputError) as caught:
        list(pools[name].run(jobs.refuse, "number", range(10), never()))
    assert caught.value.refusal == InputError("number", 3, "give another").refusal
    assert dict(pools[name].run(jobs.power, 1, [7], never())) == {7: jobs.power(1, 7, never())}


def test_an_error_that_cannot_travel_is_told_in_words(pools: dict[str, Executor]) -> None:
    with pytest.raises(LabError, match="Local: only here"):
        list(pools["processes"].run(jobs.unportable, None, [1], never()))


@pytest.mark.parametrize("name", ["threads", "processes"])
def test_jobs_hear_that_they_should_stop(
    pools: dict[str, Executor], name: str, tmp_path: Path
) -> None:
    assert (
        list(pools[name].run(jobs.obedient, tmp_path, range(100), jobs.OnceBegun(tmp_path))) == []
    )
    assert len(dict(pools[name].run(jobs.power, 1, range(5), never()))) == 5


@pytest.mark.parametrize("name", ["threads", "processes"])
def test_whoever_takes_no_more_results_ends_the_jobs(pools: dict[str, Executor], name: str) -> None:
    results = pools[name].run(jobs.power, 2, range(10**9), never())
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator's
    assert len(dict(pools[name].run(jobs.power, 1, range(5), never()))) == 5


def test_a_process_that_does_not_stop_is_ended() -> None:
    with Processes(2) as pool:
        stop = never()
        for _ in pool.run(jobs.stubborn, None, range(100), stop):
            stop.set()
        kept = dict(pool.run(jobs.who, None, range(20), never()))
        assert len(kept) == 20


def test_a_job_whose_worker_dies_is_carried_out_again(tmp_path: Path) -> None:
    with Processes(2) as pool:
        done = dict(pool.run(jobs.killed_once, tmp_path, range(20), never()))
    assert (tmp_path / "killed").exists()
    assert done == {number: number * number for number in range(20)}


def test_workers_that_are_killed_are_replaced() -> None:
    with Processes(2) as pool:
        before = set(dict(pool.run(jobs.who, None, range(30), never())).values())
        for process in before:
            os.kill(process, signal.SIGKILL)
        after = dict(pool.run(jobs.who, None, range(30), never()))
    assert len(after) == 30
    assert not before & set(after.values())


def test_a_job_that_keeps_killing_its_worker_is_given_up_in_one_sentence() -> None:
    with Processes(2) as pool:
        with pytest.raises(LabError, match=r"3 worker processes .* status -9: 2\.$"):
            list(pool.run(jobs.deadly, None, range(5), never()))
        assert len(dict(pool.run(jobs.power, 1, range(5), never()))) == 5


def test_workers_that_cannot_start_are_no_endless_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_serve", os.abort)  # takes no arguments
    with Processes(2) as pool, pytest.raises(LabError, match="No worker process starts"):
        list(pool.run(jobs.power, 1, range(5), never()))


PARENT = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from engine.executors.processes import Processes
from tests.engine.executors import jobs
if __name__ == "__main__":
    with Processes(2) as pool:
        known = dict(pool.run(jobs.who, None, range(30), threading.Event()))
        for process in sorted(set(known.values())):
            print(process, flush=True)
        for job, _ in pool.run(jobs.stubborn, None, range(10), threading.Event()):
            print("busy", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = []
        for line in parent.stdout:
            if line == "busy\n":
                break
            workers.append(os.pidfd_open(int(line)))
        parent.kill()
    assert workers
    for worker in workers:
        assert select.select([worker], [], [], 30)[0], "it has ended"
        os.close(worker)


def test_the_pool_is_of_the_kind_that_serves() -> None:
    with pool(has_threads=True, workers=1) as threads, pool(has_threads=False) as others:
        assert isinstance(threads, Threads)
        assert isinstance(others, Processes)
