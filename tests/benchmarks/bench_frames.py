"""Frame intervals of the window while the engine runs at "max", and the memory of a long run.

Usage: ``uv run python tests/benchmarks/bench_frames.py [EXPERIMENT] [--set name=value …]``.

The window is the real one (offscreen unless there is a display), 1600 x 900, all plots open. An
interval is the time between two rounds of the window's own timer, the drawing included; pictures
are the snapshots that were shown. ``--memory`` runs to 10⁶ and to 10⁸ steps and compares.
``--headless`` lets the window and a run without one take turns, and compares their steps.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.core.params import build, parse_setting
from gui.app.application import application, prepare_process, use_offscreen_if_headless
from gui.run.process import resident_bytes

SIZE = (1600, 900)
TURNS, TURN_SECONDS = 7, 8.0
WARM_SECONDS = 4.0


PERIOD_4 = ("depth=20", "step_size=0.034")
"""A run of 20 weights that never settles, so that "max" goes on."""


def frames(
    driver: Any, experiment_id: str, settings: list[str], seconds: float, all_plots: bool
) -> dict[str, Any]:
    """Play an experiment at maximum speed and sum up the intervals."""
    window = driver.window
    driver.open(experiment_id)
    model = window.control.experiment.parameters
    window.control.restore(build(model, dict(parse_setting(model, item) for item in settings)), 0)
    if all_plots:
        for dock in window.panels.plots.docks.values():
            dock.show()
    window.set_speed(None)
    window.control.toggle_play()
    driver.settle(WARM_SECONDS)
    window.bridge.frames.clear()
    window.bridge.pictures.clear()
    first = window.control.snapshot.step
    driver.settle(seconds)
    steps = window.control.snapshot.step - first
    result = {
        "experiment": experiment_id,
        "plots": len(window.panels.plots.docks),
        "status": str(window.control.snapshot.status),
        "steps_per_second": round(steps / seconds),
        "rounds": window.bridge.frames.count,
        "pictures": window.bridge.pictures.count,
    }
    for name, meter in (("interval", window.bridge.frames), ("picture", window.bridge.pictures)):
        for percent in (50, 99, 100):
            value = meter.percentile(percent)
            result[f"{name}_p{percent}_ms"] = None if value is None else round(1000 * value, 1)
    window.control.pause()
    return result


def beside_headless(driver: Any, experiment_id: str) -> dict[str, Any]:
    """Let the window's run, begun anew, and one without a window make the same steps in turns."""
    from engine.run.session import Session

    control = driver.window.control
    steps = max(1, round(TURN_SECONDS * control.snapshot.steps_per_second))
    session = Session(control.experiment, control.snapshot.params, control.snapshot.seed)
    control.reset()
    run_in_window(driver.window, 1)
    session.advance(1)  # measures at the start, too
    rates: dict[str, list[float]] = {"window": [], "headless": []}
    work = {
        "window": lambda: run_in_window(driver.window, steps),
        "headless": lambda: session.advance(steps),
    }
    for turn in range(TURNS):
        for name in sorted(work, reverse=turn % 2 == 0):
            begin = time.perf_counter()
            work[name]()
            rates[name].append(steps / (time.perf_counter() - begin))
    ratios = [a / b for a, b in zip(rates["window"], rates["headless"], strict=True)]
    return {
        "experiment": experiment_id,
        **{f"{name}_steps_per_second": round(statistics.median(v), 1) for name, v in rates.items()},
        "median_window_over_headless": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 2) for ratio in ratios],
    }


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


def memory(driver: Any, experiment_id: str) -> dict[str, Any]:
    """Run to 10⁶ and 10⁸ steps and compare the memory."""
    from gui.app.drive import wait_until

    window = driver.window
    driver.open(experiment_id)
    window.control.reset()
    window.set_speed(None)
    found = {}
    for target in (10**6, 10**8):
        window.control.run(target - found.get("step", 0))
        wait_until(lambda target=target: reached(window) >= target, 600)
        found["step"] = target
        found[f"bytes_at_{target:.0e}"] = resident_bytes()
    return {"experiment": experiment_id, **found}


def reached(window: Any) -> int:
    """Return the step of the run."""
    snapshot = window.control.snapshot
    return -1 if snapshot is None else int(snapshot.step)


def main() -> None:
    """Measure and print one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", nargs="?", default="scalar-product")
    parser.add_argument("--set", action="append", metavar="name=value")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--headless", action="store_true", help="compare with a run headless")
    parser.add_argument("--first-plots", action="store_true", help="leave hidden plots hidden")
    options = parser.parse_args()
    use_offscreen_if_headless()
    prepare_process()
    application()
    from gui.app.drive import Driver

    driver = Driver(*SIZE)
    try:
        settings = options.set or (PERIOD_4 if options.experiment == "scalar-product" else [])
        found = frames(
            driver, options.experiment, settings, options.seconds, not options.first_plots
        )
        print(json.dumps(found), flush=True)
        if options.headless:
            print(json.dumps(beside_headless(driver, options.experiment)), flush=True)
        if options.memory:
            print(json.dumps(memory(driver, options.experiment)), flush=True)
    finally:
        driver.close()


if __name__ == "__main__":
    main()
