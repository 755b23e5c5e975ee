"""Speed of the picture of basins beside NumPy, and its cost with more pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from engine.kernels.scalar.descent import Method
from engine.kernels.scalar.maps import Motion, landings
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, by_size, rates

STEP, TARGET, REACH, MOST, NEAR, FAR = 0.55, 2.0, 3.0, 300, 1e-6, 1e3
CELLS, SIDES = 160, (40, 80, 160, 320)
KERNEL, NUMPY = "kernel", "NumPy, whole arrays"


def starts_of(cells: int) -> np.ndarray:
    """Return the starts along an axis."""
    return (2.0 * np.arange(cells) + 1.0 - cells) * (REACH / cells)


def kernel(cells: int) -> Callable[[], None]:
    """Return what finds where all starts of a square end."""
    starts, found = starts_of(cells), np.empty((cells, cells))
    law = Motion(TARGET, 1.0, 2, int(Method.GRADIENT_DESCENT), 0.0, FAR * REACH)
    return lambda: landings(starts, STEP, law, MOST, NEAR, found)


def with_numpy(cells: int) -> None:
    """Make the same steps from all starts at once, and leave out none that has settled."""
    first, second = np.meshgrid(starts_of(cells), starts_of(cells))
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(MOST):
            error = STEP * (first * second - TARGET)
            first, second = first - error * second, second - error * first


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure one picture both ways, then pictures of several sizes."""
    timer = timer.by_processor()
    seconds = timer.in_turns({KERNEL: kernel(CELLS), NUMPY: lambda: with_numpy(CELLS)})
    yield from rates(seconds, dict.fromkeys(seconds, CELLS**2), "pixels/s", (KERNEL,))
    sides = SIDES[:-1] if quick else SIDES
    yield from by_size(timer, "pixels", {s**2: kernel(s) for s in sides}, "kernel, one picture")


BENCHMARK = Benchmark(
    name="basins",
    measures="pixels of the basins of two weights",
    peers=(NUMPY,),
    run=measure,
)
