"""The speed of a run: a slider of stops from slow motion to 100 000 steps a frame, and "max"."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from engine.text.numbers import short
from gui.style import scaling

SPEEDS: tuple[float, ...] = (
    0.05,
    *(round(lead * 10.0**power, 10) for power in range(-1, 5) for lead in (1, 2, 5)),
    1e5,
)
"""Stops of the speed slider, in steps per frame."""


def speed_text(steps_per_frame: float | None) -> str:
    """Write a speed in words, at 60 frames a second."""
    if steps_per_frame is None:
        return "max speed"
    if steps_per_frame < 1:
        return f"{short(60 * steps_per_frame)} steps/s"
    plural = "" if steps_per_frame == 1 else "s"
    return f"{short(steps_per_frame)} step{plural}/frame"


class SpeedControl(QWidget):
    """A slider over `SPEEDS`, a "Max" button, and the speed in words.

    Attributes
    ----------
    speed_changed : Signal(object)
        Steps per frame, or None for as many as possible.
    """

    speed_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._speed: float | None = None
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, len(SPEEDS) - 1)
        self.slider.setPageStep(3)
        scaling.least(self.slider, width=56)
        scaling.most(self.slider, 112)
        self.slider.setAccessibleName("Speed")
        self.slider.setToolTip("Steps per drawn frame, from slow motion to 100\u2009000")
        self.slider.valueChanged.connect(self._on_moved)
        self.max_button = QToolButton()
        self.max_button.setText("Max")
        self.max_button.setCheckable(True)
        self.max_button.setAutoRaise(True)
        self.max_button.setAccessibleName("Maximum speed")
        self.max_button.setToolTip("As many steps as the processor makes")
        self.max_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.max_button.toggled.connect(self._on_max_toggled)
        self.label = QLabel()
        self.label.setObjectName("speedLabel")
        self._reserve()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(row, 4)
        row.addWidget(self.slider)
        row.addWidget(self.max_button)
        scaling.gap(row, 10)  # the speed is no part of the button's name
        row.addWidget(self.label)
        self.set_speed(1.0)

    def _reserve(self) -> None:
        """Leave room for the longest text, so that nothing moves."""
        widest = max((speed_text(speed) for speed in (*SPEEDS, None)), key=len)
        self.label.setMinimumWidth(self.label.fontMetrics().horizontalAdvance(widest) + 4)

    def changeEvent(self, event: QEvent) -> None:
        """Leave other room for texts of another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._reserve()

    @property
    def speed(self) -> float | None:
        """Steps per frame, None for as many as possible."""
        return self._speed

    def set_speed(self, steps_per_frame: float | None) -> None:
        """Show a speed, which may lie between two stops, without saying that it changed."""
        self._speed = steps_per_frame
        with QSignalBlocker(self.slider), QSignalBlocker(self.max_button):
            self.max_button.setChecked(steps_per_frame is None)
            if steps_per_frame is not None:
                wanted = math.log(steps_per_frame)
                stops = range(len(SPEEDS))
                nearest = min(stops, key=lambda stop: abs(math.log(SPEEDS[stop]) - wanted))
                self.slider.setValue(nearest)
        self.label.setText(speed_text(steps_per_frame))

    def change(self, stops: int) -> None:
        """Go some stops of the slider up or down, and say so; beyond the last is "max"."""
        stop = len(SPEEDS) if self._speed is None else self.slider.value()
        stop = max(0, stop + stops)
        self.set_speed(SPEEDS[stop] if stop < len(SPEEDS) else None)
        self.speed_changed.emit(self._speed)

    def _on_moved(self, stop: int) -> None:
        self.set_speed(SPEEDS[stop])
        self.speed_changed.emit(self._speed)

    def _on_max_toggled(self, checked: bool) -> None:
        self.set_speed(None if checked else SPEEDS[self.slider.value()])
        self.speed_changed.emit(self._speed)
