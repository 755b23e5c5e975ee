"""A map has the same bits, whatever pool makes it and however its cells are grouped."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.registry import get
from engine.executors.cluster import Cluster
from engine.executors.executor import Executor
from engine.executors.processes import Processes
from engine.executors.threads import Threads
from engine.maps import making
from engine.maps.axis import Axis
from engine.maps.catalogue import kind
from engine.maps.kind import Prepared
from engine.maps.spec import MapSpec
from engine.maps.tiles import Tile, tiles
from tests.engine.executors.dask_cluster import local_cluster
from tests.engine.maps import logistic

Arrays = making.Arrays


def whole_runs(columns: int = 6, rows: int = 5, steps: int = 40) -> Prepared:
    """Return a small map of whole runs of least squares."""
    spec = MapSpec(
        kind="trainability",
        experiment="least-squares",
        params=get("least-squares").parameters(),
        x=Axis(name="step_size", low=0.01, high=0.4, count=columns, log=True),
        y=Axis(name="eigenvalue_high", low=1.0, high=30.0, count=rows),
        steps=steps,
    )
    return kind("trainability").prepare(spec)


def same(one: Arrays, other: Arrays) -> bool:
    """Return whether two maps have the same bits."""
    return one.keys() == other.keys() and all(
        values.tobytes() == other[name].tobytes() for name, values in one.items()
    )


@pytest.fixture(scope="module")
def right() -> Mapping[str, Arrays]:
    """Return both maps as one call computes them, cell by cell."""
    found = {}
    for name, prepared in (("runs", whole_runs()), ("region", logistic.Region(logistic.spec()))):
        arrays = making.empty(prepared)
        for tile in tiles(prepared.spec, 1):
            making.put(arrays, tile, making.compute(prepared, tile, threading.Event()))
        found[name] = arrays
    return found


@pytest.fixture(scope="module")
def pools() -> Iterator[Mapping[str, Executor]]:
    """Return pools of all sorts."""
    with local_cluster(2) as machines:
        made: dict[str, Executor] = {
            "inline": logistic.Inline(),
            "threads": Threads(2),
            "processes": Processes(2),
            "cluster": Cluster(machines.address),
        }
        for each in made.values():  # with all their threads, which outlive a test
            making.made(whole_runs(steps=1), each, threading.Event())
        yield made
        for each in made.values():
            each.close()


@settings(max_examples=8)
@given(most=st.integers(1, 13), shuffle=st.randoms(use_true_random=False))
@pytest.mark.parametrize("name", ["inline", "threads", "processes", "cluster"])
@pytest.mark.parametrize("which", ["runs", "region"])
def test_bits_do_not_depend_on_pool_grouping_or_order(
    pools: Mapping[str, Executor],
    right: Mapping[str, Arrays],
    which: str,
    name: str,
    most: int,
    shuffle: random.Random,
) -> None:
    prepared = whole_runs() if which == "runs" else logistic.Region(logistic.spec())
    chosen = list(tiles(prepared.spec, most if which == "runs" else 40 * most))
    shuffle.shuffle(chosen)
    arrays = making.empty(prepared)
    for tile, cells in making.make(prepared, pools[name], threading.Event(), chosen):
        making.put(arrays, tile, cells)
    assert same(arrays, right[which])


def test_an_orbit_diagram_has_one_value_or_row_of_values_a_column() -> None:
    prepared = logistic.Orbit(logistic.spec("orbit", columns=300, steps=20))
    with Threads(2) as pool:
        arrays = making.made(prepared, pool, threading.Event())
    assert {name: values.shape for name, values in arrays.items()} == {
        "points": (300, logistic.Orbit.WIDTH),
        "exponent": (300,),
    }
    every = prepared.cells(prepared.spec.x.values, np.empty(0), threading.Event())
    assert same(arrays, dict(every))


def test_tiles_know_their_cells() -> None:
    assert str(Tile(range(0, 9, 4), range(2, 3), 4)) == "rows 0 to 8 and columns 2"
