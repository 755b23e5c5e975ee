"""What of a trace is drawn along time, for the stretch that is shown."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.views import Series
from engine.run.trace import TraceView

KNOWN_SHARE = 0.01
"""Share of the steps in sight from which the steps that are known exactly are drawn as such."""

Drawn = tuple[FloatArray, FloatArray]
"""Steps, shape (m,), and values, shape (m, lines)."""


def measured(trace: TraceView, series: Series, first: int, last: int) -> Drawn | None:
    """Return what was measured of a series from one step to another; None where nothing was."""
    if series.key not in trace.low:
        return None
    first, last = min(first, trace.last), min(last, trace.last)
    steps, values = trace.line(series.key, series.component, first, last)
    if values.ndim == 1:
        values = values[:, None]
    missing = np.isnan(values).all(axis=1)
    if missing.any():  # not measured at every step: join what was
        steps, values = steps[~missing], values[~missing]
    if len(steps) == 0:
        return None
    return steps, np.abs(values) if series.magnitude else values


def in_buckets(trace: TraceView, steps: FloatArray, first: int) -> FloatArray:
    """Move steps drawn from `first` on that stand for a bucket into its middle."""
    if trace.stride == 1 or min(first, trace.last) >= trace.recent_first:
        return steps
    return np.minimum(steps + (trace.stride - 1) / 2, float(trace.last))


def newest(trace: TraceView, series: Series, first: int, last: int) -> Drawn | None:
    """Return the newest steps exactly where they are in sight but what is drawn is not exact."""
    shown = min(last, trace.last) - min(first, trace.last)
    known = trace.last - trace.recent_first
    if trace.stride == 1 or first >= trace.recent_first or known < KNOWN_SHARE * shown:
        return None
    steps, values = trace.line(series.key, series.component, trace.recent_first)
    if values.ndim == 1:
        values = values[:, None]
    return steps, np.abs(values) if series.magnitude else values
