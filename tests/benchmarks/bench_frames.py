"""Frame intervals of the window while the engine runs at "max", and the memory of a long run.

The window is the real one (offscreen unless there is a display), 1600 x 900, all plots open. An
interval is the time between two rounds of the window's own timer, the drawing included; pictures
are the snapshots that were shown. The window and a run without one take turns, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QEventLoop

from engine.core.params import build, parse_setting
from gui.app.application import application, prepare_process, problem_with_qt
from gui.run.process import resident_bytes
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, rates

SIZE = (1600, 900)
WARM_SECONDS, SPAN_SECONDS, TURN_SECONDS = 4.0, 4.0, 4.0
QUICK_WARM, QUICK_SPAN, QUICK_TURN = 2.0, 1.0, 0.5
PERIOD_4 = ("depth=20", "step_size=0.034")
"""A run of 20 weights that never settles, so that "max" goes on."""
SETTINGS: dict[str, tuple[str, ...]] = {
    "scalar-product": PERIOD_4,
    "matrix-product": (),
    "double-matrix": (),
}


def play(
    driver: Any, experiment_id: str, warm: float, settings: tuple[str, ...] | None = None
) -> None:
    """Play an experiment at maximum speed, with all plots open; by default with `SETTINGS`."""
    window = driver.window
    driver.open(experiment_id)
    model = window.control.experiment.parameters
    settings = SETTINGS[experiment_id] if settings is None else settings
    window.control.restore(build(model, dict(parse_setting(model, item) for item in settings)), 0)
    for dock in window.panels.plots.docks.values():
        dock.show()
    window.set_speed(None)
    window.control.toggle_play()
    driver.settle(warm)


def frames(driver: Any, name_of: str, span: float, spans: int) -> Iterator[Measurement]:
    """Give medians and 99th percentiles of the intervals, one each a span of some seconds."""
    bridge = driver.window.bridge
    found: dict[str, list[float]] = {}
    for _ in range(spans):
        bridge.frames.clear()
        bridge.pictures.clear()
        driver.settle(span)
        for name, meter in (
            ("between frames", bridge.frames),
            ("between pictures", bridge.pictures),
        ):
            for percent in (50, 99):
                value = meter.percentile(percent)
                if value is not None:
                    found.setdefault(f"{name}, {percent} %", []).append(1000 * value)
    for name, samples in found.items():
        yield Measurement(name=f"{name_of}: {name}", unit="ms", samples=tuple(samples))


def beside_headless(driver: Any, timer: Timer, turn_seconds: float) -> list[Measurement]:
    """Let the window's run, begun anew, and one without a window make the same steps in turns."""
    from engine.run.session import Session

    control = driver.window.control
    steps = max(1, round(turn_seconds * control.snapshot.steps_per_second))
    session = Session(control.experiment, control.snapshot.params, control.snapshot.seed)
    control.reset()
    run_in_window(driver.window, 1)
    session.advance(1)  # measures at the start, too
    seconds = timer.in_turns(
        {
            "steps in the window": lambda: run_in_window(driver.window, steps),
            "steps without a window": lambda: _ignore(session.advance(steps)),
        }
    )
    return rates(seconds, dict.fromkeys(seconds, steps), "steps/s", tuple(seconds))


def run_in_window(window: Any, steps: int) -> None:
    """Make steps and wait until they are shown, in an event loop that only news wake."""
    from engine.run.snapshot import Snapshot, Status

    done = QEventLoop()
    target = (0 if window.control.snapshot is None else window.control.snapshot.step) + steps

    def look(snapshot: Snapshot) -> None:
        if snapshot.status is Status.PAUSED and snapshot.step == target:
            done.quit()

    window.bridge.snapshot_ready.connect(look)
    window.control.run(steps)
    done.exec()
    window.bridge.snapshot_ready.disconnect(look)


def memory(driver: Any) -> Iterator[Measurement]:
    """Run to 10⁶ and on to 10⁸ steps, and give the memory at both."""
    from gui.app.drive import wait_until

    window = driver.window
    driver.open("scalar-product")
    window.control.reset()
    window.set_speed(None)
    before = 0
    for target in (10**6, 10**8):
        window.control.run(target - before)
        wait_until(lambda target=target: reached(window) >= target, 600)
        before = target
        used = (resident_bytes() or 0) / 2**20
        yield Measurement(name="memory", unit="MiB", samples=(used,), size=target, along="steps")


def _ignore(_: object) -> None:
    """Leave the time to the timer."""


def reached(window: Any) -> int:
    """Return the step of the run."""
    snapshot = window.control.snapshot
    return -1 if snapshot is None else int(snapshot.step)


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure frames of experiments, then a run beside one without a window, then memory."""
    problem = problem_with_qt(offscreen=True)
    if problem:
        raise SystemExit(problem)
    prepare_process()
    application()
    from gui.app.drive import Driver

    driver = Driver(*SIZE)
    try:
        for experiment_id in list(SETTINGS)[:1] if quick else SETTINGS:
            play(driver, experiment_id, QUICK_WARM if quick else WARM_SECONDS)
            span = QUICK_SPAN if quick else SPAN_SECONDS
            yield from frames(driver, experiment_id, span, timer.rounds)
            driver.window.control.pause()
        play(driver, "scalar-product", QUICK_WARM)
        driver.window.control.pause()
        yield from beside_headless(driver, timer, QUICK_TURN if quick else TURN_SECONDS)
        if not quick:
            yield from memory(driver)
    finally:
        driver.close()


BENCHMARK = Benchmark(
    name="frames",
    measures="the window at full speed, all plots open",
    peers=(),
    run=measure,
)
