"""Intervals between frames of the plots alone, while a thread computes beside them.

Six plots of twenty lines at 1600 x 900: intervals between two rounds of a frame timer, the drawing
included, and what drawing one plot costs. Aim: 99th percentile <= 25 ms. `bench_frames` measures
the real window.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from engine.core.chunk import Chunk
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.params import Params
from engine.core.views import Rule, Series, TimeView
from engine.run.mailbox import Mailbox
from engine.run.snapshot import Snapshot, Status
from engine.run.trace import Trace
from gui.plots.area import PlotArea
from gui.run.frames import FrameMeter
from gui.style.theme import LIGHT, apply_theme
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer

FRAME_MS = 16
PLOTS, LINES = 6, 20
SHAPES = ("converging", "period2", "chaos")


def views(keys: list[str]) -> tuple[TimeView, ...]:
    """Make one view of twenty lines for each series."""
    return tuple(
        TimeView(
            id=key,
            title=key.capitalize(),
            y_label="$w_i$",
            series=(Series(key=key, label="$w_i$", color="ramp"),),
            rules=(Rule(label=r"$\lambda$", value=1.0),),
        )
        for key in keys
    )


def series(shape: str, k: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Make six series of twenty lines at steps k."""
    index = np.arange(LINES)
    drift = 1 + 0.3 * np.sin(k[:, None] / 5e4 + index / 5)
    if shape == "converging":
        lines = drift * (1 + np.exp(-k / 3e4)[:, None] * (index - 10) / 20)
    elif shape == "period2":
        lines = drift + 0.4 * (1.0 - 2.0 * (k % 2))[:, None] * (1 + index / 40)
    else:
        lines = drift + rng.uniform(-0.5, 0.5, (len(k), LINES))
    return {f"series {i + 1}": lines * (1 + i / 10) for i in range(PLOTS)}


class FakeEngine:
    """A thread that computes without the interpreter's lock and leaves snapshots in a mailbox.

    The series are made beforehand, so that what it does with the lock is what the real one does:
    keep a trace, and copy it for each snapshot.
    """

    def __init__(self, shape: str) -> None:
        self.mailbox: Mailbox[Snapshot] = Mailbox()
        rng = np.random.default_rng(0)
        self._rows = series(shape, np.arange(1, 200_001), rng)
        self._trace = Trace({key: values[0] for key, values in self._rows.items()})
        self._load = rng.bytes(1 << 20)
        self._stop = threading.Event()
        self._frame = 0
        self._thread = threading.Thread(target=self._run, name="engine-fake", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End and wait."""
        self._stop.set()
        self._thread.join()

    def chunk(self, steps: int = 500) -> None:
        """Add the next steps, from the beginning again when the rows are used up."""
        first = self._trace.last + 1
        at = (first - 1) % (200_000 - steps)
        rows = {key: values[at : at + steps] for key, values in self._rows.items()}
        self._trace.add(Chunk.exact(first, rows).bucketed(self._trace.stride))

    def snapshot(self) -> Snapshot:
        """Take a picture."""
        self._frame += 1
        return snapshot(self._trace, self._frame)

    def _run(self) -> None:
        while not self._stop.is_set():
            begin = time.perf_counter()
            while time.perf_counter() - begin < 0.008:
                hashlib.sha256(self._load)  # without the interpreter's lock, as a kernel is
            self.chunk()
            if self.mailbox.is_empty:
                self.mailbox.put(self.snapshot())


def snapshot(trace: Trace, frame: int) -> Snapshot:
    """Take a picture of a trace."""
    return Snapshot(
        run_id=1,
        frame=frame,
        status=Status.RUNNING,
        experiment="fake",
        params=Params(),
        seed=0,
        step=trace.last,
        cursor=trace.last,
        target=None,
        trace=trace.view(),
        observation={},
        outcome=Outcome(kind=OutcomeKind.CONVERGING, step=trace.last, message=""),
        theory=(),
        claims=(),
        changes=(),
        steps_per_second=0.0,
    )


def watch(mailbox: Mailbox[Snapshot], area: PlotArea, seconds: float) -> FrameMeter:
    """Show what comes for some seconds, and measure the intervals between frames."""
    meter = FrameMeter()
    timer, end = QTimer(), QEventLoop()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    begin = time.perf_counter()

    def tick() -> None:
        meter.tick()
        newest = mailbox.take()
        if newest is not None:
            area.show_snapshot(newest)
        if time.perf_counter() - begin > seconds:
            end.quit()

    timer.timeout.connect(tick)
    timer.start(FRAME_MS)
    end.exec()
    timer.stop()
    return meter


def spans(shape: str, seconds: float, count: int) -> list[dict[str, float]]:
    """Return milliseconds of frames and plots for each of some spans of a shape."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    sys.setswitchinterval(0.001)
    apply_theme(app, LIGHT)
    area = PlotArea()
    area.resize(1600, 900)
    area.set_views(views([f"series {i + 1}" for i in range(PLOTS)]))
    area.show()
    fake = FakeEngine(shape)
    fake.start()
    watch(fake.mailbox, area, 1.5)
    found = []
    for _ in range(count):
        meter = watch(fake.mailbox, area, seconds)
        found.append(
            {
                "between frames, 50 %": 1000 * (meter.percentile(50) or 0),
                "between frames, 99 %": 1000 * (meter.percentile(99) or 0),
                "drawing one plot": 1000 * max(pane.seconds for pane in area.panes.values()),
            }
        )
    fake.close()
    area.close()
    area.deleteLater()
    app.processEvents()
    return found


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure lines of several shapes."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for shape in SHAPES[1:2] if quick else SHAPES:
        found = spans(shape, 1.0 if quick else 4.0, timer.rounds)
        for name in found[0]:
            samples = tuple(one[name] for one in found)
            yield Measurement(name=f"{shape}: {name}", unit="ms", samples=samples)


BENCHMARK = Benchmark(
    name="plots",
    measures="six plots of twenty lines each, while a thread computes",
    peers=(),
    run=measure,
)
