"""What can be measured: a name, what it measures, its peers, and the function that measures."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.benchmarks.timing import Measurement, Timer

Measure = Callable[[bool, Timer], Iterable[Measurement]]
"""Given whether to be quick, and a timer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Something to measure, in a process of its own: libraries fix their threads at the start.

    Attributes
    ----------
    name, measures : str
        A word, and a phrase.
    peers : tuple of str
        Other programs that do the same job in turns with ours.
    run : callable
    """

    name: str
    measures: str
    peers: tuple[str, ...]
    run: Measure


NAMES = (
    "scalar",
    "matrix",
    "piecewise",
    "mnist",
    "own_loss",
    "network",
    "network_frames",
    "basins",
    "maps",
    "cluster",
    "startup",
    "figures",
    "frames",
    "map_frames",
    "plots",
    "planes",
)
"""All benchmarks, in the order in which they run; `bench_<name>` holds each."""


def get(name: str) -> Benchmark:
    """Return a benchmark by its name.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    if name not in NAMES:
        raise KeyError(name)
    found: Benchmark = importlib.import_module(f"tests.benchmarks.bench_{name}").BENCHMARK
    return found
