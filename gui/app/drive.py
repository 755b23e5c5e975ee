"""Driving a window by program: for the smoke test and for pictures of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

from engine.run.snapshot import Snapshot, Status
from gui.settings import Settings
from gui.window.main_window import MainWindow

if TYPE_CHECKING:
    from engine.storage.presets import Preset

BEAT_MS = 10
WAIT_SECONDS = 180.0
"""The first run of a kernel may have to compile it."""


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Run the event loop until a condition holds; returns False if it never did."""
    beat = QTimer()  # without it the loop would sleep on when nothing happens
    beat.start(BEAT_MS)
    end = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() <= end:
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    beat.stop()
    return met


class Driver:
    """A window with no memory of earlier ones, and what went wrong in it.

    Parameters
    ----------
    width, height : int
        Size in pixels; 0 for that which the window has at a first start.

    Attributes
    ----------
    window : MainWindow
        Shown, with its plots.
    errors : list of str
        Tracebacks and refusals since the last `take_errors`.
    """

    def __init__(self, width: int = 1280, height: int = 800) -> None:
        self.window = MainWindow(Settings(None))
        self.errors: list[str] = []
        self.window.bridge.failed.connect(self.errors.append)
        self.window.bridge.rejected.connect(lambda reason: self.errors.append(str(reason)))
        self.window.restore()
        if width and height:
            self.window.resize(width, height)
        self.window.show()
        self.window.begin()

    def take_errors(self) -> list[str]:
        """Return the errors and forget them."""
        errors, self.errors[:] = list(self.errors), []
        return errors

    def open(self, experiment_id: str) -> None:
        """Show an experiment and wait for its first picture."""
        self.window.open_experiment(experiment_id)
        self._wait_for(lambda shown: shown.status is not Status.COMPILING)

    def choose(self, preset: Preset) -> None:
        """Begin a run of a preset, paused."""
        self.window.control.restore(preset.params, preset.seed)
        self.window.control.reset()
        if preset.speed is not None:
            self.window.set_speed(preset.speed)

    def run(self, steps: int) -> Snapshot | None:
        """Make steps from where the run is, and wait for their picture."""
        first = self.window.control.snapshot
        target = steps + (0 if first is None else first.step)
        self.window.control.step(steps)
        self._wait_for(lambda shown: shown.step >= target or shown.status is Status.FINISHED)
        return self.window.control.snapshot

    def settle(self, seconds: float) -> None:
        """Run the window's event loop for a while."""
        loop = QEventLoop()
        QTimer.singleShot(round(1000 * seconds), loop, loop.quit)
        loop.exec()

    def close(self) -> None:
        """Close the window."""
        self.window.close()
        self.window.deleteLater()
        QCoreApplication.processEvents()

    def _wait_for(self, condition: Callable[[Snapshot], bool]) -> None:
        control = self.window.control

        def done() -> bool:
            if self.errors:
                return True
            shown = control.snapshot
            if shown is None or shown.experiment != control.experiment.id:
                return False
            return shown.status is Status.FAILED or condition(shown)

        if not wait_until(done, WAIT_SECONDS):
            self.errors.append(f"nothing came within {WAIT_SECONDS:.0f} s")
