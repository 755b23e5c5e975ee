"""The transport: reset, back, play, step, run N, scrub, jump to live, and speed."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

from engine.run.snapshot import Snapshot, Status
from engine.text.numbers import whole
from gui.style import scaling
from gui.style.icons import IconButton
from gui.widgets.focus import FieldLabel
from gui.widgets.number_box import CountField
from gui.window.nudge_button import NudgeButton
from gui.window.speed import SpeedControl

SCRUB_POSITIONS = 100_000
"""Positions of the scrub slider at most; a longer run is scrubbed proportionally."""
SEEK_MS = 30
BETWEEN = 10
"""Pixels between what makes steps and what looks at them."""
SHOW_SECONDS = 0.05
"""While running, the slider and the step are redrawn this often."""


class ScrubSlider(QSlider):
    """A slider that a click anywhere takes to that place, to be dragged on from there."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Bring the handle under the pointer first."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        groove, handle = (
            self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, part, self)
            for part in (QStyle.SubControl.SC_SliderGroove, QStyle.SubControl.SC_SliderHandle)
        )
        at = event.position().toPoint()
        if event.button() is Qt.MouseButton.LeftButton and not handle.contains(at):
            left = at.x() - groove.left() - handle.width() // 2
            room = groove.width() - handle.width()
            self.setValue(
                QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), left, room)
            )
        super().mousePressEvent(event)


class Transport(QWidget):
    """Controls of a run.

    Attributes
    ----------
    play_toggled, step_requested, back_requested, reset_requested, live_requested : Signal
        A button was pressed.
    run_requested, seek_requested : Signal(object)
        A number of steps to run, a step to show; an int that may exceed 32 bits.
    speed_changed : Signal(object)
        Steps per frame, or None for as many as possible.
    nudge_requested : Signal(float)
        The state is to be pushed by this share of its norm.
    nudge_offered : Signal(bool, str)
        Whether the state can be nudged, and the tip that says so.
    nudge_size_changed : Signal
        Another size of nudges was chosen.
    refused, error_cleared : Signal(str)
        One sentence on a number that is not allowed; the sentence that no longer holds.
    """

    play_toggled = Signal()
    step_requested = Signal()
    back_requested = Signal()
    reset_requested = Signal()
    live_requested = Signal()
    run_requested = Signal(object)
    seek_requested = Signal(object)
    speed_changed = Signal(object)
    nudge_requested = Signal(float)
    nudge_offered = Signal(bool, str)
    nudge_size_changed = Signal()
    refused = Signal(str)
    error_cleared = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._step = self._cursor = 0
        self._rewindable = True
        self._queued = False
        self._pending: int | None = None
        self._shown_at = 0.0
        self._status: Status | None = None
        self._make_buttons()
        self._make_scrub()
        self.nudge_button = NudgeButton()
        self.nudge_button.nudge_requested.connect(self.nudge_requested)
        self.nudge_button.reason_changed.connect(self._on_nudge_reason)
        self.nudge_button.size_changed.connect(self.nudge_size_changed)
        for field in (self.run_steps, self.cursor_box):
            field.refused.connect(self.refused)
            field.error_cleared.connect(self.error_cleared)
        self.speed_control = SpeedControl()
        self.speed_control.speed_changed.connect(self.speed_changed)
        self._lay_out()
        self._seek_timer = QTimer(self, singleShot=True, interval=SEEK_MS)
        self._seek_timer.timeout.connect(self._send_seek)

    # Building.

    def _make_buttons(self) -> None:
        self.reset_button = IconButton("reset", "Reset", "Go back to step 0 (R)")
        self.back_button = IconButton("back", "Step back", "One step back (←)")
        self.play_button = IconButton(
            "play", "Play", "Play or pause (Space)", size=24, role="on_accent"
        )
        self.play_button.setObjectName("playButton")
        self.step_button = IconButton("step", "Step", "One step (→)")
        self.run_button = IconButton("run", "Run", "Run this many steps, then pause")
        self.run_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.run_steps = CountField(1000, minimum=1, keeps=True)
        scaling.fixed(self.run_steps, width=80)
        self.run_steps.setAccessibleName("Steps to run")
        self.run_steps.setToolTip("How many steps “Run” makes: 1000, 1e5, 10k")
        for button in (self.back_button, self.step_button):
            button.setAutoRepeat(True)
            button.setAutoRepeatInterval(40)
        self.reset_button.clicked.connect(self.reset_requested)
        self.back_button.clicked.connect(self.back_requested)
        self.play_button.clicked.connect(self.play_toggled)
        self.step_button.clicked.connect(self.step_requested)
        self.run_button.clicked.connect(self.ask_run)
        self.run_steps.returnPressed.connect(self.ask_run)

    def _make_scrub(self) -> None:
        self.scrub = ScrubSlider(Qt.Orientation.Horizontal)
        self.scrub.setObjectName("scrub")
        self.scrub.setCursor(Qt.CursorShape.PointingHandCursor)
        scaling.least(self.scrub, width=56)
        self.scrub.setMaximum(0)
        self.scrub.setPageStep(0)
        self.scrub.setAccessibleName("Shown step")
        self.scrub.setToolTip("Click or drag to look back along the run")
        self.scrub.valueChanged.connect(self._on_scrubbed)
        self.scrub.sliderReleased.connect(self._on_released)
        self.cursor_box = CountField()
        scaling.fixed(self.cursor_box, width=96)
        self.cursor_box.setAccessibleName("Step k")
        self.cursor_box.setToolTip("The shown step k; type one to go there")
        self.cursor_box.edited.connect(self._on_step_typed)
        self.live_button = IconButton("live", "Live", "Jump to where the run is")
        self.live_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.live_button.clicked.connect(self._on_live)

    def _lay_out(self) -> None:
        self._steps, self._looks = QHBoxLayout(), QHBoxLayout()
        for row in (self._steps, self._looks):
            scaling.spacing(row, 4)
        for button in (self.reset_button, self.back_button, self.play_button, self.step_button):
            self._steps.addWidget(button)
        scaling.gap(self._steps, 6)
        self._steps.addWidget(self.run_steps)
        self._steps.addWidget(self.run_button)
        self._steps.addWidget(self.nudge_button)
        self._looks.addWidget(FieldLabel("k =", self.cursor_box))
        self._looks.addWidget(self.cursor_box)
        scaling.gap(self._looks, 4)
        self._looks.addWidget(self.scrub, 1)
        self._looks.addWidget(self.live_button)
        scaling.gap(self._looks, 6)
        self._looks.addWidget(self.speed_control)
        self._rows = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        scaling.margins(self._rows, 8, 4, 8, 4)
        scaling.spacing(self._rows, BETWEEN)
        self._rows.addLayout(self._steps)
        self._rows.addLayout(self._looks, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Return the size with one half below the other, which it has where there is no room."""
        halves = (self._steps.minimumSize(), self._looks.minimumSize())
        margins = self._rows.contentsMargins()
        width = max(half.width() for half in halves) + margins.left() + margins.right()
        return QSize(width, self._rows.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Set the halves side by side, or one below the other where there is no room."""
        super().resizeEvent(event)
        self._fold()

    def event(self, event: QEvent) -> bool:
        """Fold or unfold when the controls need more or less room."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fold()
        return super().event(event)

    def _fold(self) -> None:
        margins = self._rows.contentsMargins()
        room = self.width() - margins.left() - margins.right() - scaling.whole(BETWEEN)
        fits = self._steps.minimumSize().width() + self._looks.minimumSize().width() <= room
        sideways, stacked = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        direction = sideways if fits else stacked
        if direction is not self._rows.direction():
            self._rows.setDirection(direction)
            scaling.spacing(self._rows, BETWEEN if fits else 0)
            align = Qt.AlignmentFlag(0) if fits else Qt.AlignmentFlag.AlignLeft
            self._rows.setAlignment(self._steps, align)
            self.updateGeometry()

    @property
    def requests(self) -> tuple[SignalInstance, ...]:
        """The signals by which the user asks something of the run."""
        buttons = self.play_toggled, self.step_requested, self.back_requested, self.reset_requested
        asked = self.run_requested, self.seek_requested, self.live_requested
        return (*buttons, *asked, self.nudge_requested)

    # What is shown.

    @property
    def speed(self) -> float | None:
        """Steps per frame, None for as many as possible."""
        return self.speed_control.speed

    def set_speed(self, steps_per_frame: float | None) -> None:
        """Show a speed without saying that it changed."""
        self.speed_control.set_speed(steps_per_frame)

    def change_speed(self, stops: int) -> None:
        """Go some stops of the speed slider up or down; beyond the last is "max"."""
        self.speed_control.change(stops)

    @property
    def nudge_size(self) -> float:
        """Size of a nudge, as a share of the state's norm."""
        return self.nudge_button.size_chosen

    def set_nudge_size(self, size: object) -> None:
        """Choose the size of nudges, if it is one of those offered."""
        self.nudge_button.choose(size)

    def ask_nudge(self) -> None:
        """Request a nudge of the chosen size."""
        self.nudge_requested.emit(self.nudge_size)

    def _on_nudge_reason(self) -> None:
        self.nudge_offered.emit(not self.nudge_button.reason, self.nudge_button.toolTip())

    def set_experiment(self, rewindable: bool, why_no_nudge: str) -> None:
        """Begin another experiment.

        Parameters
        ----------
        rewindable : bool
            Whether earlier states of its runs can be shown.
        why_no_nudge : str
            Why its state cannot be nudged, as the end of a sentence; empty where it can.
        """
        self.nudge_button.set_reason(why_no_nudge)
        self._on_nudge_reason()
        self._set_rewindable(rewindable)

    def _set_rewindable(self, rewindable: bool) -> None:
        for field in (self.run_steps, self.cursor_box):
            field.forget()
        self._rewindable = rewindable
        tip = "" if rewindable else "This experiment keeps no earlier states"
        self.scrub.setEnabled(rewindable)
        self.cursor_box.setReadOnly(not rewindable)
        self.back_button.setEnabled(rewindable)
        self.back_button.setToolTip(tip or "One step back (←)")
        self.scrub.setToolTip(tip or "Drag to look back along the run")

    def show_queued(self, queued: bool) -> None:
        """Show that the run will play as soon as it has begun, or no longer."""
        self._queued = queued
        if self._status in (None, Status.COMPILING):
            self._set_buttons(running=False, ended=False, cursor=0, live=True)
        else:
            self._show_play(running=self._status is Status.RUNNING, ended=False)

    def forget_run(self) -> None:
        """Show that no step was made: the run shown is over, and the next has no picture yet."""
        self._seek_timer.stop()
        self._pending, self._status, self._step, self._cursor = None, None, 0, 0
        self._shown_at = 0.0
        self._set_buttons(running=False, ended=False, cursor=0, live=True)
        self.nudge_button.forget_run()
        self.cursor_box.show_count(0)
        with QSignalBlocker(self.scrub):
            self.scrub.setMaximum(0)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show where the run is."""
        changed = snapshot.status is not self._status
        self._status = snapshot.status
        now = time.monotonic()
        if (
            not changed
            and snapshot.status is Status.RUNNING
            and now < self._shown_at + SHOW_SECONDS
        ):
            return
        self._shown_at = now
        self._step, self._cursor = snapshot.step, snapshot.cursor
        live = snapshot.is_live
        ended = snapshot.status in (Status.FINISHED, Status.FAILED) and live
        running = snapshot.status is Status.RUNNING
        self._set_buttons(running=running, ended=ended, cursor=snapshot.cursor, live=live)
        self.nudge_button.show_snapshot(snapshot)
        self.cursor_box.show_count(snapshot.cursor)
        if not self.scrub.isSliderDown():
            self._place_scrub()

    def _set_buttons(self, *, running: bool, ended: bool, cursor: int, live: bool) -> None:
        self._show_play(running=running, ended=ended)
        self.step_button.setEnabled(not ended)
        self.run_button.setEnabled(not ended)
        self.back_button.setEnabled(self._rewindable and cursor > 0)
        self.live_button.setEnabled(not live)

    def _show_play(self, *, running: bool, ended: bool) -> None:
        running = running or self._queued
        self.play_button.set_icon_name("pause" if running else "play")
        text = "Pause" if running else "Play again" if ended else "Play"
        if text != self.play_button.text():
            self.play_button.setText(text)
            self.play_button.setAccessibleName(text)

    def _place_scrub(self) -> None:
        if self._pending is None:
            with QSignalBlocker(self.scrub):
                self.scrub.setMaximum(min(self._step, SCRUB_POSITIONS))
                self.scrub.setValue(self._position(self._cursor))

    def _position(self, step: int) -> int:
        if self._step <= SCRUB_POSITIONS:
            return step
        return round(step / self._step * SCRUB_POSITIONS)

    # What the user does.

    def ask_run(self) -> None:
        """Request as many steps as the field shows, or show why that is not allowed."""
        if self.run_steps.is_refused:
            self.run_steps.refuse()
            return
        self.run_steps.commit()
        self.run_requested.emit(self.run_steps.count)

    def _on_scrubbed(self, position: int) -> None:
        if self._step <= SCRUB_POSITIONS:
            self._ask_for(position)
        else:
            self._ask_for(round(position / SCRUB_POSITIONS * self._step))

    def _on_released(self) -> None:
        """Follow the run where it went on while the handle was held."""
        if self.scrub.maximum() != min(self._step, SCRUB_POSITIONS):
            self._place_scrub()

    def _on_step_typed(self, step: int) -> None:
        if step > self._step:
            typed, last = whole(step), whole(self._step)
            self.refused.emit(
                f"Step k: {typed} is not reached yet; the last step, {last}, is shown."
            )
        self._ask_for(step)

    def _ask_for(self, step: int) -> None:
        """Request a step, at most once in a while: only the newest of a drag counts."""
        self._pending = min(step, self._step)
        if not self._seek_timer.isActive():
            self._seek_timer.start()

    def _send_seek(self) -> None:
        if self._pending is not None:
            step, self._pending = self._pending, None
            self.seek_requested.emit(step)

    def _on_live(self) -> None:
        self._pending = None
        self.live_requested.emit()
