"""A Dask cluster carries out jobs as threads do, whatever happens to its workers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError, LabError
from engine.core.packages import MissingPackageError
from engine.executors import cluster
from engine.executors.cluster import Cluster
from tests.engine.executors import jobs
from tests.engine.executors.dask_cluster import LocalCluster, local_cluster


@pytest.fixture(scope="module")
def machines() -> Iterator[LocalCluster]:
    """Return a scheduler with two workers."""
    with local_cluster(2) as made:
        yield made


@pytest.fixture(scope="module")
def pool(machines: LocalCluster) -> Iterator[Cluster]:
    """Return a pool of these two."""
    with Cluster(machines.address) as made:
        yield made


def never() -> threading.Event:
    return threading.Event()


@settings(max_examples=10)
@given(
    numbers=st.lists(st.integers(0, 10**6), max_size=50, unique=True), exponent=st.integers(1, 5)
)
def test_results_are_those_of_one_thread(pool: Cluster, numbers: list[int], exponent: int) -> None:
    right = {number: jobs.power(exponent, number, never()) for number in numbers}
    assert dict(pool.run(jobs.power, exponent, numbers, never())) == right


def test_what_all_jobs_have_in_common_may_be_large(pool: Cluster) -> None:
    large = b"0123456789" * (cluster.SMALL // 5)
    found = dict(pool.run(jobs.letter, large, range(20), never()))
    assert found == {number: large[number] for number in range(20)}


def test_all_workers_take_part(pool: Cluster) -> None:
    assert pool.workers == 2
    assert len(set(dict(pool.run(jobs.who, None, range(200), never())).values())) == 2


def test_an_error_of_a_job_is_raised_as_it_is(pool: Cluster) -> None:
    with pytest.raises(InputError) as caught:
        list(pool.run(jobs.refuse, "number", range(10), never()))
    assert caught.value.refusal == InputError("number", 3, "give another").refusal


def test_jobs_hear_that_they_should_stop(pool: Cluster, tmp_path: Path) -> None:
    assert list(pool.run(jobs.obedient, tmp_path, range(100), jobs.OnceBegun(tmp_path))) == []
    assert len(dict(pool.run(jobs.power, 1, range(5), never()))) == 5, "the workers are free"


def test_whoever_takes_no_more_results_ends_the_jobs(pool: Cluster) -> None:
    results = pool.run(jobs.power, 2, range(10**9), never())
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator's
    assert len(dict(pool.run(jobs.power, 1, range(5), never()))) == 5


def test_jobs_of_a_worker_that_is_killed_in_the_middle_are_carried_out_again() -> None:
    with local_cluster(2) as machines, Cluster(machines.address) as pool:
        done = {}
        for job, result in pool.run(jobs.power, 3, range(300), never()):
            done[job] = result
            if len(done) == 20:
                machines.workers[0].kill()
        assert done == {number: jobs.power(3, number, never()) for number in range(300)}


def test_a_job_that_keeps_killing_its_worker_is_given_up(tmp_path: Path) -> None:
    with local_cluster(3) as machines, Cluster(machines.address) as pool:
        with pytest.raises(LabError, match=r"3 workers of the cluster ended .*: 2\.$"):
            list(pool.run(jobs.deadly, None, [2], never()))
        machines.add_worker()
        assert len(dict(pool.run(jobs.power, 1, range(5), never()))) == 5


def test_a_scheduler_that_goes_away_is_one_sentence() -> None:
    with local_cluster(1) as machines, Cluster(machines.address, patience=4.0) as pool:
        with pytest.raises(LabError, match="went away"):
            for _ in pool.run(jobs.power, 2, range(10**9), never()):
                machines.close()
                pool._counted_at = 0.0  # the workers are counted anew, too


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:1", "nonsense", "", "http://[", "tcp://a b", "tcp://127.0.0.1:99999"],
)
def test_an_address_without_a_scheduler_is_bad_input(address: str) -> None:
    with pytest.raises(InputError, match="--scheduler"):
        Cluster(address, patience=0.5)


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_a_server_that_is_no_scheduler_is_bad_input(greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        held = []

        def greet() -> None:
            held.append(server.accept()[0])
            held[0].sendall(greeting)

        with ThreadPoolExecutor() as threads:
            threads.submit(greet)
            with pytest.raises(InputError, match="no scheduler answers"):
                Cluster(address, patience=0.5)
        held[0].close()


def test_a_scheduler_without_workers_is_one_sentence() -> None:
    with local_cluster(0) as machines, pytest.raises(LabError, match="no workers"):
        Cluster(machines.address, patience=0.5)


def test_workers_of_another_version_are_refused(
    machines: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "fingerprint", lambda: "of today")
    with pytest.raises(LabError, match="another version"):
        Cluster(machines.address)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingPackageError, match="uv sync --extra cluster"):
        Cluster("tcp://127.0.0.1:1")
