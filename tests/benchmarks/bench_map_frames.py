"""The window while a map is made: its first picture, and the rounds of its event loop meanwhile.

The window is the real one (offscreen unless there is a display), 1600 x 900, the map in its middle.
The first picture counts from the request to the end of its painting. A frame is the time between
two rounds of a timer of 60 Hz on the window's thread while a map is made, pictures included; the
same without a map is beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

from engine.maps.ready import ready_maps
from gui.app.application import application, prepare_process, problem_with_qt
from tests.benchmarks.bench_frames import SIZE
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer

FRAME_MS = 16
SIDE, QUICK_SIDE = 1000, 400
IDLE_SECONDS = 2.0
PATIENCE = 300.0


class Rounds(QObject):
    """Times between the rounds of a timer, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._note)

    def begin(self) -> None:
        """Begin anew."""
        self.gaps, self._last = [], time.perf_counter()
        self._timer.start()

    def end(self) -> dict[str, float]:
        """Stop, and return the median and the 99th percentile."""
        self._timer.stop()
        return {f"{p} %": float(np.percentile(self.gaps, p)) for p in (50, 99)}

    def _note(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1e3 * (now - self._last))
        self._last = now


def make(driver: Any, side: int, turn: int) -> tuple[float, dict[str, float]]:
    """Make the map of fractal basins anew; give the first picture's milliseconds, and frames."""
    from gui.app.drive import wait_until

    maps, rounds = driver.window.panels.maps, Rounds()
    (ready,) = [each for each in ready_maps("own-loss") if each.id == "fractal-basins"]
    spec = ready.spec  # other steps make it another map than that of the turn before
    x, y = (replace(axis, count=side) for axis in (spec.x, spec.y))
    spec = replace(spec, x=x, y=y, steps=spec.steps + turn)
    first: list[float] = []

    def on_shown(shown: Any) -> None:
        if not first:
            maps.page.canvas.repaint()
            first.append(1e3 * (time.perf_counter() - begin))

    maps.source.shown.connect(on_shown)
    rounds.begin()
    begin = time.perf_counter()
    maps.make_ready(replace(ready, spec=spec))
    assert wait_until(lambda: _is_done(maps, spec), PATIENCE)
    found = rounds.end()
    maps.source.shown.disconnect(on_shown)
    return first[0], found


def _is_done(maps: Any, spec: Any) -> bool:
    shown = maps.page.shown
    return shown is not None and shown.state == "done" and shown.spec.steps == spec.steps


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure maps in turns with the window at rest, after one map that compiles."""
    problem = problem_with_qt(offscreen=True)
    if problem:
        raise SystemExit(problem)
    prepare_process()
    application()
    from gui.app.drive import Driver

    driver, found = Driver(*SIZE), dict[str, list[float]]()
    try:
        driver.open("own-loss")
        driver.window.panels.maps.panel.follow.setChecked(False)
        for turn in range(timer.rounds + 1):
            first, frames = make(driver, QUICK_SIDE if quick else SIDE, turn)
            rest = Rounds()
            rest.begin()
            driver.settle(IDLE_SECONDS / (4 if quick else 1))
            if turn:
                found.setdefault("first picture", []).append(first)
                for name, value in frames.items():
                    found.setdefault(f"frames while a map is made, {name}", []).append(value)
                for name, value in rest.end().items():
                    found.setdefault(f"frames at rest, {name}", []).append(value)
    finally:
        driver.close()
    for name, samples in found.items():
        yield Measurement(name=name, unit="ms", samples=tuple(samples))


BENCHMARK = Benchmark(
    name="map_frames",
    measures="the window while a map is made",
    peers=(),
    run=measure,
)
