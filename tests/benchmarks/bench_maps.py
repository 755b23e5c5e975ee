"""Speed of a basin map beside JAX and PyTorch, and its cost with more cells.

All work on two cores: ours by threads on tiles, JAX by a jitted loop for one cell that is mapped
over the grid, PyTorch by eager steps with the gradient written out, once until the last run is
decided, and once as one would write it first, with as many steps for all. The others say less of
each run: that its gradient vanished or that it diverged, and after how many steps. In the first
case four runs in five leave within a few steps and the others come to two minima; in the others
they come to a manifold, stay in chaos, or have momentum.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.core.registry import get
from engine.executors.threads import Threads
from engine.maps.axis import Axis
from engine.maps.catalogue import kind
from engine.maps.kind import Prepared
from engine.maps.making import made
from engine.maps.spec import MapSpec
from tests.benchmarks import jax_peer
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, by_size, rates

STEP, TARGET, PENALTY, REACH, MOST = 1.0, 0.5, 0.2, 4.0, 1000
NEAR, FAR = 1e-6, 1e12
SIDE, SIDES = 1000, (250, 500, 1000, 2000)
WORKERS = 2
PART = 250
"""Cells along a side where a peer makes all steps of all runs, and of the other cases."""
OURS, JAX, TORCH = "tiles in threads", "JAX, jitted loop", "PyTorch, eager"
ALL_STEPS = "PyTorch, eager, all steps"


@dataclass(frozen=True, slots=True)
class Case:
    """A product of two weights with a target and a penalty, and how descent goes down on it."""

    step: float = STEP
    target: float = TARGET
    penalty: float = PENALTY
    momentum: float = 0.0


FIRST = Case()
OTHERS = {
    "a manifold of minima": Case(step=0.45, target=2.0, penalty=0.0),
    "chaos": Case(step=0.8, target=2.0, penalty=0.0),
    "heavy ball": Case(momentum=0.3),
}


def prepared(side: int, case: Case = FIRST) -> Prepared:
    """Return a basin map of a product of two weights, ready to be computed."""
    spec = MapSpec(
        kind="basin",
        experiment="own-loss",
        params=get("own-loss").parameters(
            function="(x*y - a)^2/2 + r/2*(x^2 + y^2)",
            constants=f"a = {case.target}; r = {case.penalty}",
            step_size=case.step,
            optimiser="heavy-ball" if case.momentum else "gradient-descent",
            momentum=case.momentum,
        ),
        x=Axis(name="x", low=-REACH, high=REACH, count=side),
        y=Axis(name="y", low=-REACH, high=REACH, count=side),
        steps=MOST,
    )
    return kind("basin").prepare(spec)


def ours(side: int, pool: Threads, case: Case = FIRST) -> Callable[[], None]:
    """Return what makes a map."""
    ready, stop = prepared(side, case), threading.Event()

    def run() -> None:
        made(ready, pool, stop)

    return run


def starts(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return both weights of all cells."""
    axis = (np.arange(side) + 0.5) / side * 2.0 * REACH - REACH
    x, y = np.meshgrid(axis, axis)
    return x, y


def with_torch(side: int, case: Case = FIRST, *, stops: bool = True) -> Callable[[], None]:
    """Return what follows all cells at once with PyTorch, until all are decided or to the end."""
    import torch

    torch.set_num_threads(WORKERS)
    begin = [torch.tensor(each) for each in starts(side)]

    def run() -> None:
        x, y = begin
        u, v = torch.zeros_like(x), torch.zeros_like(x)
        steps = torch.zeros_like(x)
        going = torch.ones_like(x, dtype=torch.bool)
        for _ in range(MOST):
            error = x * y - case.target
            slope_x, slope_y = error * y + case.penalty * x, error * x + case.penalty * y
            small = torch.maximum(slope_x.abs(), slope_y.abs()) > NEAR
            going = going & small & (x.abs() < FAR) & (y.abs() < FAR)
            if stops and not going.any():
                break
            if case.momentum:
                u, v = (
                    case.momentum * u - case.step * slope_x,
                    case.momentum * v - case.step * slope_y,
                )
                to_x, to_y = x + u, y + v
            else:
                to_x, to_y = x - case.step * slope_x, y - case.step * slope_y
            x, y = torch.where(going, to_x, x), torch.where(going, to_y, y)
            steps = steps + going
        (x > 0.0).sum().item()
        steps.max().item()

    return run


def first_picture() -> float:
    """Return the seconds from a request to the coarsest picture of a map of 640 x 400 cells."""
    begin = time.perf_counter()
    ready, side = prepared(640), (25, 40)
    x = ready.spec.x.at((np.arange(side[1]) + 0.5) * 16.0)
    y = ready.spec.y.at((np.arange(side[0]) + 0.5) * 16.0)
    ready.cells(np.tile(x, side[0]), np.repeat(y, side[1]), threading.Event())
    return time.perf_counter() - begin


def check() -> None:
    """Make sure that all find the same cells bounded."""
    side = 100
    with Threads(WORKERS) as pool:
        ready = prepared(side)
        outcome = made(ready, pool, threading.Event())["outcome"]
    gone = next(each.code for each in ready.classes if each.name == "diverged")
    x, y = starts(side)
    with np.errstate(all="ignore"):
        for _ in range(MOST):
            error = x * y - TARGET
            slope_x, slope_y = error * y + PENALTY * x, error * x + PENALTY * y
            x, y = x - STEP * slope_x, y - STEP * slope_y
    np.testing.assert_array_equal(outcome == gone, ~np.isfinite(x))


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure maps in turns with others, the first picture, and maps of several sizes."""
    check()
    with Threads(WORKERS) as pool:
        yield from beside_others(SIDE // 2 if quick else SIDE, pool, timer)
        for name, case in OTHERS.items():
            seconds = timer.in_turns(
                {
                    f"{OURS}, {name}": ours(PART, pool, case),
                    f"{TORCH}, {name}": with_torch(PART, case),
                }
            )
            counts = dict.fromkeys(seconds, float(PART**2))
            yield from rates(seconds, counts, "cells/s", (f"{OURS}, {name}",))
        first = timer.in_turns({"first picture": first_picture})["first picture"]
        samples = tuple(1e3 * each for each in first)
        yield Measurement(name="first picture of 640 x 400 cells", unit="ms", samples=samples)
        sides = SIDES[:-1] if quick else SIDES
        yield from by_size(timer, "cells", {s**2: ours(s, pool) for s in sides}, "one map")


def beside_others(side: int, pool: Threads, timer: Timer) -> list[Measurement]:
    """Measure one map beside the others, in turns."""
    contenders: dict[str, Callable[[], float | None]] = {
        OURS: ours(side, pool),
        TORCH: with_torch(side),
        ALL_STEPS: with_torch(PART, stops=False),
    }
    if jax_peer.is_there():
        with jax_peer.JaxPeer("basins", one_thread=False) as peer:
            contenders[JAX] = lambda: peer.seconds(side)
            seconds = timer.in_turns(contenders)
    else:
        seconds = timer.in_turns(contenders)
    counts = dict.fromkeys(seconds, float(side**2)) | {ALL_STEPS: float(PART**2)}
    return rates(seconds, counts, "cells/s", (OURS,))


BENCHMARK = Benchmark(
    name="maps",
    measures="cells of a basin map",
    peers=(JAX, TORCH, ALL_STEPS),
    run=measure,
)
