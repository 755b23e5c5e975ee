"""What all plots along time share: the stretch of steps shown, its scale, and the crosshair."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.core.arrays import FloatArray
from engine.run.snapshot import Snapshot
from engine.run.trace import TraceView
from gui.plots.canvas.range import Ends, next_horizon

WINDOWS: tuple[int | None, ...] = (None, 100, 500, 2000)
"""Stretches that can be followed: the whole run, or the last so many steps."""


class TimeScale:
    """From the step k to the time t = Σ δ and back, along one run.

    Parameters
    ----------
    steps, times : ndarray, shape (m,)
        Matching values, both increasing; straight in between and beyond.
    """

    def __init__(self, steps: FloatArray, times: FloatArray) -> None:
        self._steps, self._times = steps, times

    @classmethod
    def of(cls, snapshot: Snapshot) -> TimeScale | None:
        """Add up the recorded step size, or read it from the parameters; None without one."""
        trace = snapshot.trace
        if "step_size" in trace.low and trace.low["step_size"].ndim == 1:
            size = (trace.low["step_size"] + trace.high["step_size"]) / 2
            known = np.isfinite(size)
            if not known.any():
                return None
            size = np.where(known, size, size[known].mean())
            steps: FloatArray = np.arange(len(size) + 1, dtype=np.float64) * trace.stride
            times = np.concatenate(([0.0], np.cumsum(size * trace.stride)))
        else:
            size_now = getattr(snapshot.params, "step_size", None)
            if not isinstance(size_now, float):
                return None
            steps = np.array([0.0, float(max(snapshot.step, 1))])
            times = steps * size_now
        if not (np.diff(times) > 0).all():
            return None
        return cls(steps, times)

    def to_time(self, steps: FloatArray) -> FloatArray:
        """Return the times of steps."""
        return _interpolated(steps, self._steps, self._times)

    def to_step(self, time: float) -> float:
        """Return the step at a time."""
        return float(_interpolated(np.array([time]), self._times, self._steps)[0])


def _interpolated(at: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Interpolate, going on straight with the last slope beyond the end."""
    inside: FloatArray = np.interp(at, x, y)
    beyond = at > x[-1]
    if beyond.any():
        slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
        inside = np.where(beyond, y[-1] + (at - x[-1]) * slope, inside)
    return inside


class TimeLink(QObject):
    """The time axis of all plots along time.

    Attributes
    ----------
    changed : Signal
        Ends, scale or log changed: plots are to be drawn anew.
    hover_changed : Signal(int or None)
        The step under the crosshair.
    """

    changed = Signal()
    hover_changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.log = False
        self.scaled = False
        self.window: int | None = None
        self.manual: Ends | None = None
        self.hover: int | None = None
        self._scale: TimeScale | None = None
        self._run_id: int | None = None
        self._last = 0
        self._horizon = next_horizon(0)

    @property
    def is_scaled(self) -> bool:
        """Whether the axis shows times rather than steps."""
        return self.scaled and self._scale is not None

    def follow(self, snapshot: Snapshot) -> None:
        """Update how far the run is; the axis grows in round steps."""
        if snapshot.run_id != self._run_id:
            self._run_id = snapshot.run_id
            self._horizon = next_horizon(snapshot.step)
            self.manual = None
        last = max(snapshot.step, snapshot.trace.last)
        if last < self._last:  # what came after was dropped
            self._horizon = next_horizon(last)
        self._last = last
        if self._last > self._horizon:
            self._horizon = next_horizon(1.2 * self._last)
        self._scale = TimeScale.of(snapshot) if self.scaled else None

    @property
    def ends(self) -> Ends:
        """The ends of the axis, in its coordinates: steps or times, powers of ten if log."""
        if self.manual is not None:
            return self.manual
        first, last = self._stretch()
        low, high = (float(x) for x in self.to_axis(np.array([first, last])))
        if not self.log:
            return low, high if high > low else low + 1.0
        least = float(self.to_axis(np.array([max(first, 1.0)]))[0])
        return float(np.log10(least)) - 0.02, float(np.log10(max(high, 2 * least)))

    def _stretch(self) -> Ends:
        if self.window is None:
            return 0.0, self._horizon
        last = float(max(self._last, self.window))
        return last - self.window, last + 0.02 * self.window

    def steps_shown(self) -> tuple[int, int]:
        """Return the first and last step that may be seen."""
        low, high = self.ends
        if self.log:
            low, high = 10.0 ** min(low, 300), 10.0 ** min(high, 300)
        if self.is_scaled and self._scale is not None:
            low, high = self._scale.to_step(low), self._scale.to_step(high)
        return max(0, int(max(low, 0.0)) - 1), int(min(max(high, 0.0), 1e18)) + 1

    def to_axis(self, steps: FloatArray) -> FloatArray:
        """Return the values of steps on the axis (before any logarithm)."""
        return self._scale.to_time(steps) if self.is_scaled and self._scale else steps

    def to_steps(self, value: float) -> float:
        """Return the step at a value on the axis, also between two and beyond the run."""
        return self._scale.to_step(value) if self.is_scaled and self._scale is not None else value

    def to_step(self, value: float) -> int:
        """Return the step nearest a value on the axis, within the run."""
        if self.is_scaled and self._scale is not None:
            value = self._scale.to_step(value)
        return round(min(max(value, 0.0), float(self._last)))

    def set_hover(self, step: int | None) -> None:
        """Put the crosshair at a step, or take it away."""
        if step != self.hover:
            self.hover = step
            self.hover_changed.emit(step)

    def set_manual(self, ends: Ends | None) -> None:
        """Show other ends; None follows the run again."""
        if ends != self.manual:
            self.manual = ends
            self.changed.emit()

    def set_log(self, log: bool) -> None:
        """Measure the axis in powers of ten, or not."""
        self._set(log=log)

    def set_window(self, window: int | None) -> None:
        """Follow the last so many steps, or show the whole run."""
        self._set(window=window)

    def _set(self, **values: bool | int | None) -> None:
        if any(getattr(self, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(self, name, value)
            self.manual = None
            self.changed.emit()


def values_at(trace: TraceView, key: str, step: int) -> tuple[FloatArray, FloatArray] | None:
    """Look up the least and greatest value known for a step: the same where it is exact.

    Returns two arrays of shape (width,), or None if nothing was recorded there.
    """
    if key not in trace.low or not 0 <= step <= trace.last:
        return None
    row = trace.at(key, step)
    if row is not None:
        exact = np.atleast_1d(row)
        return exact, exact
    bucket = step // trace.stride
    if bucket >= len(trace.low[key]):
        return None
    return np.atleast_1d(trace.low[key][bucket]), np.atleast_1d(trace.high[key][bucket])
