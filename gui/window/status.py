"""The status bar: state of the run, speed, memory, and messages."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from engine.run.snapshot import Snapshot, Status
from engine.text.mathtext import to_plain
from engine.text.numbers import duration, memory, rate, whole
from gui.run import process
from gui.run.bridge import Bridge
from gui.style import scaling
from gui.widgets.waiting import PATIENCE_MS, PREPARING

SHOW_SECONDS = 0.2
"""How often the numbers change while running: faster cannot be read."""
SLOW_MS = 1000
MESSAGE_MS = 8000
LONG_MS, LONG = 1000, 5
"""Time, and multiple of the last interval of pictures, after which a step is called a long one."""
_NO_RATE, _NO_FRAMES = "– steps/s", "– frames/s"
_WORDS = {
    Status.IDLE: "Ready",
    Status.COMPILING: "Compiling…",
    Status.PAUSED: "Paused",
    Status.RUNNING: "Running",
    Status.FINISHED: "Ended",
    Status.FAILED: "Failed",
}


class Field(QLabel):
    """A text that changes often: it only ever grows, so that the window is not laid out anew."""

    def __init__(self, name: str, text: str, tip: str) -> None:
        super().__init__()
        font = QFont(self.font())
        font.setFeature(QFont.Tag("tnum"), 1)
        self.setFont(font)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        scaling.margins(self, 6, 0, 6, 0)
        self.say(text)

    def changeEvent(self, event: QEvent) -> None:
        """Take other room for a text of another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.text():
            text = self.text()
            self.setMinimumSize(0, 0)
            self.setText("")
            self.say(text)

    def say(self, text: str) -> None:
        """Show a text."""
        if text == self.text():
            return
        needed = self.fontMetrics().horizontalAdvance(text) + scaling.whole(14)
        if needed > self.maximumWidth() or self.minimumWidth() == 0:
            self.setFixedSize(needed, self.fontMetrics().height() + scaling.whole(4))
        self.setText(text)


class StatusBar(QStatusBar):
    """Messages on the left; state, step, speed, memory and device on the right.

    How fast the window draws is of interest to developers, and hidden until `show_frames`.

    Parameters
    ----------
    bridge : Bridge
        Whose frame intervals are shown, and whose long job the Cancel button stops.

    """

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._shown_at = 0.0
        self._last_message = ("", 0)
        self._compiling = False
        self._last: tuple[int, int, float] | None = None
        self.setSizeGripEnabled(False)
        scaling.margins(self, 8, 0, 8, 0)
        self.progress = QProgressBar()
        scaling.most(self.progress, 200)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the long job")
        self.progress_text = QLabel()
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop the long job")
        self.cancel_button.clicked.connect(bridge.cancel)
        for widget in (self.progress, self.progress_text, self.cancel_button):
            self.addWidget(widget)
        self.state = self._field("State of the run", "Ready", "")
        self.step = self._field("Step k", "k = 0", "Steps made since the start")
        self.rate = self._field("Steps per second", _NO_RATE, "Steps the engine makes a second")
        self.frames = self._field(
            "Frames per second",
            _NO_FRAMES,
            "Pictures shown a second while running, and the 99th percentile of the interval at "
            "which the window answers",
        )
        self.frames.hide()
        self.memory = self._field("Memory", "", process.HELD)
        self.device = self._field("Device", "CPU", "Where the experiment is computed")
        self._show_progress(None)
        self._slow = QTimer(self, interval=SLOW_MS)
        self._slow.timeout.connect(self._show_memory)
        self._slow.start()
        self._starting = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._starting.timeout.connect(self._on_slow_start)
        self._long_step_text = ""
        self._seen: tuple[int, float] | None = None
        self._long_step = QTimer(self, singleShot=True)
        self._long_step.timeout.connect(self._on_long_step)
        bridge.rejected.connect(lambda: self._end_run(Status.IDLE))
        bridge.failed.connect(lambda: self._end_run(Status.FAILED))

    def _field(self, name: str, text: str, tip: str) -> Field:
        field = Field(name, text, tip)
        self.addPermanentWidget(field)
        return field

    @property
    def device_name(self) -> str:
        """Name of the device that the experiment is computed on."""
        return self.device.text()

    def set_long_step(self, text: str) -> None:
        """Set what is shown as the state of a run while a step takes long."""
        self._long_step_text = text

    def show_frames(self, shown: bool) -> None:
        """Show how fast the window draws, or hide it."""
        self.frames.setVisible(shown)

    def show_message(self, text: str) -> None:
        """Show a sentence for a while."""
        self.showMessage(text, MESSAGE_MS)

    def begin_run(self) -> None:
        """Show that a run is being prepared if its first picture does not come at once."""
        self._compiling = False
        self._starting.start()

    def _on_slow_start(self) -> None:
        self.state.say(_WORDS[Status.COMPILING] if self._compiling else PREPARING)

    def forget_run(self) -> None:
        """Show that no step was made: the run shown is over, and the next has no picture yet."""
        self._last, self._last_message, self._shown_at = None, ("", 0), 0.0
        self._seen = None
        self._long_step.stop()
        if self.state.text() not in (PREPARING, _WORDS[Status.COMPILING]):
            self.state.say(_WORDS[Status.IDLE])
        self.step.say("k = 0")
        self.rate.say(_NO_RATE)
        self.frames.say(_NO_FRAMES)
        self._show_progress(None)

    def _watch(self, snapshot: Snapshot, now: float) -> None:
        """Start the timer that shows `long_step` if the next picture of the run is late."""
        before, self._seen = self._seen, (snapshot.run_id, now)
        if snapshot.status is not Status.RUNNING or snapshot.progress is not None:
            self._seen = None
            self._long_step.stop()
        elif before is not None and before[0] == snapshot.run_id:
            self._long_step.start(max(LONG_MS, round(1000 * LONG * (now - before[1]))))

    def _on_long_step(self) -> None:
        """Show what the experiment does in a step that takes long."""
        if self._seen is not None:
            self.state.say(self._long_step_text)
            self._shown_at = 0.0  # the next picture replaces the text

    def _end_run(self, status: Status) -> None:
        self._starting.stop()
        self._long_step.stop()
        self.state.say(_WORDS[status])

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show where a run is; the numbers of a running one change five times a second."""
        self._compiling = snapshot.status is Status.COMPILING
        if self._compiling and self._starting.isActive():
            return  # that word is only said of what takes its time
        self._starting.stop()
        now = time.monotonic()
        running = snapshot.status is Status.RUNNING
        self._watch(snapshot, now)
        if running and now < self._shown_at + SHOW_SECONDS:
            return
        self._show_rate(snapshot, now, running)
        self._shown_at = now
        said = f"Compiling {snapshot.compiling}…" if snapshot.compiling else ""
        self.state.say(said or _WORDS[snapshot.status])
        behind = "" if snapshot.is_live else f" of {whole(snapshot.step)}"
        self.step.say(f"k = {whole(snapshot.cursor)}{behind}")
        device = snapshot.observation.get("device")
        self.device.say(device if isinstance(device, str) else "CPU")
        self._show_progress(snapshot)
        message = (snapshot.message, len(snapshot.changes))  # two pushes say the same, one by one
        if message != self._last_message and snapshot.progress is None:
            outcome = snapshot.outcome
            at_risk = outcome.standing.is_precarious and snapshot.message.startswith(
                outcome.message
            )
            sign = "⚠ " if at_risk else ""
            self.show_message(sign + to_plain(snapshot.message))
        self._last_message = message

    def _show_rate(self, snapshot: Snapshot, now: float, running: bool) -> None:
        if not running:
            self._last = None
            return
        last, self._last = self._last, (snapshot.run_id, snapshot.step, now)
        if last is not None and last[0] == snapshot.run_id and now > last[2]:
            made = max(0, snapshot.step - last[1])
            self.rate.say(f"{rate(made / (now - last[2]))} steps/s")
        shown = self._bridge.pictures.frames_per_second()
        p99 = self._bridge.frames.percentile(99)
        if shown is not None and p99 is not None:
            self.frames.say(f"{shown:.0f} frames/s · p99 {1000 * p99:.0f} ms")

    def _show_progress(self, snapshot: Snapshot | None) -> None:
        fraction = None if snapshot is None else snapshot.progress
        for widget in (self.progress, self.progress_text, self.cancel_button):
            widget.setVisible(fraction is not None)
        if snapshot is None or fraction is None:
            return
        self.clearMessage()
        self.progress.setValue(round(100 * fraction))
        left = snapshot.seconds_left
        rest = "" if left is None else f" · {duration(left)} left"
        self.progress_text.setText(snapshot.message + rest)

    def _show_memory(self) -> None:
        amount = process.held_bytes()
        if amount is not None:
            self.memory.say(memory(amount))
