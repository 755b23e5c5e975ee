"""Frame intervals of the window while a network trains on the engine's thread, at "max".

As `bench_frames`, of runs whose steps are many calls of torch, each of which needs the interpreter:
small networks, a wide one, looks at the Hessian at every tenth step, and the flows beside the run.
The target is a 99th percentile of at most 33 ms between frames.
"""

from __future__ import annotations

from collections.abc import Iterator

from gui.app.application import application, prepare_process, problem_with_qt
from tests.benchmarks.bench_frames import (
    QUICK_SPAN,
    QUICK_WARM,
    SIZE,
    SPAN_SECONDS,
    WARM_SECONDS,
    frames,
    play,
)
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer

RUNS: dict[str, tuple[str, ...]] = {
    "digits, 1,000 images": ("step_size=0.4",),
    "two moons": ("data=moons", "points=60", "width=6", "step_size=0.2"),
    "width 512": ("step_size=0.1", "width=512"),
    "both flows": ("data=sines", "points=120", "width=40", "step_size=0.2",
                   "flow=true", "central_flow=true"),
}  # fmt: skip


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure the frames of each run, one after the other."""
    problem = problem_with_qt(offscreen=True)
    if problem:
        raise SystemExit(problem)
    prepare_process()
    application()
    from gui.app.drive import Driver

    driver = Driver(*SIZE)
    warm, span = (QUICK_WARM, QUICK_SPAN) if quick else (WARM_SECONDS, SPAN_SECONDS)
    try:
        for name, settings in RUNS.items():
            play(driver, "network", warm, settings)
            yield from frames(driver, f"network, {name}", span, timer.rounds)
            driver.window.control.pause()
    finally:
        driver.close()


BENCHMARK = Benchmark(
    name="network_frames",
    measures="the window while a network trains, all plots open",
    peers=(),
    run=measure,
)
