"""Memory and objects of the window after round upon round through all experiments.

Usage: ``uv run python -m tests.benchmarks.memory [--rounds 10]``.

Megabytes are those that the status bar shows; "with files" counts the pages of libraries, too.
One JSON line at the start, one for each experiment of the first round, which says what a first
visit costs, and one a round. The window is the real one, offscreen unless there is a display.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from typing import Any

from PySide6.QtWidgets import QApplication

from engine.run.engine_thread import REST
from gui.app.application import application, prepare_process, problem_with_qt
from gui.run.process import held_bytes, resident_bytes

SETTLE_SECONDS = REST + 1.0
"""Time to draw, and to give memory back, which the engine does after its rest."""
STEPS = 20
LIBRARIES = ("numba", "scipy", "torch", "matplotlib")


def census(driver: Any, **where: object) -> dict[str, Any]:
    """Count what there is after everything is drawn and collected."""
    driver.settle(SETTLE_SECONDS)
    gc.collect()
    return {
        **where,
        "megabytes": round((held_bytes() or 0) / 1e6),
        "with files": round((resident_bytes() or 0) / 1e6),
        "widgets": len(QApplication.allWidgets()),
        "objects": len(gc.get_objects()),
        "imported": [name for name in LIBRARIES if name in sys.modules],
    }


def main() -> None:
    """Measure and print one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    problem = problem_with_qt(offscreen=True)
    if problem:
        sys.exit(problem)
    prepare_process()
    application()
    from gui.app.drive import Driver

    driver = Driver(1600, 900)
    try:
        print(json.dumps(census(driver, round=0)), flush=True)
        for number in range(1, options.rounds + 1):
            for listed in driver.window.experiments:
                driver.open(listed.id)
                driver.run(STEPS)
                if number == 1:
                    print(json.dumps(census(driver, experiment=listed.id)), flush=True)
            print(json.dumps(census(driver, round=number)), flush=True)
        print("\n".join(driver.take_errors()), end="")
    finally:
        driver.close()


if __name__ == "__main__":
    main()
