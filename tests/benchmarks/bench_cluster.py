"""Maps of whole runs on a Dask cluster of one and two workers, and in processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from engine.core.registry import get
from engine.executors.cluster import Cluster
from engine.executors.executor import Executor
from engine.executors.processes import Processes
from engine.maps.axis import Axis
from engine.maps.catalogue import kind
from engine.maps.kind import Prepared
from engine.maps.making import make
from engine.maps.spec import MapSpec
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, rates
from tests.engine.executors.dask_cluster import ONE_THREAD, local_cluster

TWO, ONE = "cluster, two workers", "cluster, one worker"
PROCESSES = "processes, two"
CELLS, QUICK_CELLS, STEPS = 16, 10, 150


def whole_runs(cells: int) -> Prepared:
    """Return a map of runs of three matrices, a tenth of a second each, on one thread."""
    spec = MapSpec(
        kind="trainability",
        experiment="matrix-product",
        params=get("matrix-product").parameters(),
        x=Axis(name="step_size", low=0.01, high=0.2, count=cells, log=True),
        y=Axis(name="eigenvalue_high", low=1.0, high=4.0, count=cells),
        steps=STEPS,
    )
    return kind("trainability").prepare(spec)


def on(pool: Executor, prepared: Prepared) -> Callable[[], None]:
    """Return what makes a map on a pool and throws it away."""

    def made() -> None:
        for _ in make(prepared, pool, threading.Event()):
            pass

    return made


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure the same map on all pools in turns."""
    cells = QUICK_CELLS if quick else CELLS
    prepared = whole_runs(cells)
    os.environ.update(ONE_THREAD)  # of the processes; those of the clusters have it of their own
    with ExitStack() as stack:
        two, one = (stack.enter_context(local_cluster(count)) for count in (2, 1))
        pools: dict[str, Executor] = {
            TWO: stack.enter_context(Cluster(two.address, 120.0)),
            ONE: stack.enter_context(Cluster(one.address, 120.0)),
            PROCESSES: stack.enter_context(Processes(2)),
        }
        seconds = timer.in_turns({name: on(pool, prepared) for name, pool in pools.items()})
    yield from rates(seconds, dict.fromkeys(seconds, cells**2), "runs/s", tuple(pools))


BENCHMARK = Benchmark(
    name="cluster",
    measures="runs of a map on a cluster of one and two workers",
    peers=(),
    run=measure,
)
"""Two workers on two free cores are 1.7 times as fast as one, or more."""
