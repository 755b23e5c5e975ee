"""Bounded history of a run: every recent step exactly, all older ones as minimum and maximum.

A plain every-m-th sample shows a period-2 orbit as a line; a minimum and a maximum per bucket of
consecutive steps show it as the band that it is, at a memory that does not grow with the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.chunk import Chunk

BUCKETS = 1024
"""Buckets kept; a screen has about as many pixel columns."""
WINDOW = 2048
"""Recent steps kept exactly."""


SPARSE = 3.0
"""Strides between measurements, on average, from which each is marked."""


@dataclass(frozen=True, slots=True, eq=False)
class TraceView:
    """A frozen copy of a trace, equal to itself alone.

    `low` and `high` hold one row per bucket of `stride` steps, beginning at step 0; `recent` the
    exact rows of the steps from `recent_first` to `last`.
    """

    last: int
    stride: int
    low: Mapping[str, FloatArray]
    high: Mapping[str, FloatArray]
    recent_first: int
    recent: Mapping[str, FloatArray]

    def is_sparse(self, steps: FloatArray) -> bool:
        """Return whether a series measured at these steps has gaps, so that points are to be seen.

        Parameters
        ----------
        steps : ndarray, shape (m,)
            As `line` returns them.
        """
        apart = int(np.count_nonzero(np.diff(steps)))
        return apart > 0 and float(steps[-1] - steps[0]) / apart >= SPARSE * self.stride

    def line(
        self, key: str, component: int | None = None, start: int = 0, stop: int | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the points of a series between two steps, to be joined by a line.

        Exact values where all steps from `start` on are still known, else a low and a high point
        per bucket. A series of width w gives y of shape (points, w) unless `component` picks one;
        there are no points of a component that it does not have, as a run with fewer weights.

        Returns
        -------
        steps : ndarray, shape (points,)
        values : ndarray, shape (points,) or (points, w)
        """
        stop = self.last if stop is None else stop
        if start >= self.recent_first or self.stride == 1:
            return self._exact(key, component, start, stop)
        first, final = max(start // self.stride, 0), stop // self.stride + 1
        low = _column(self.low[key][first:final], component)
        high = _column(self.high[key][first:final], component)
        values = np.empty((2 * len(low), *low.shape[1:]))
        values[0::2], values[1::2] = low, high
        begin = np.arange(first, first + len(low), dtype=np.float64) * self.stride
        steps = np.repeat(begin, 2)
        return np.minimum(steps, float(self.last)), values

    def _exact(
        self, key: str, component: int | None, start: int, stop: int
    ) -> tuple[FloatArray, FloatArray]:
        if start >= self.recent_first:
            offset, rows = self.recent_first, self.recent[key]
        else:  # one step a bucket: low and high are the values themselves
            offset, rows = 0, self.low[key]
        values = _column(rows[max(start - offset, 0) : stop - offset + 1], component)
        begin = max(start, offset)
        return np.arange(begin, begin + len(values), dtype=np.float64), values

    def at(self, key: str, step: int) -> FloatArray | None:
        """Look up the exact row of a step, or None if only its bucket is known."""
        if self.recent_first <= step <= self.last:
            row: FloatArray = self.recent[key][step - self.recent_first]
            return row
        if self.stride == 1 and 0 <= step < len(self.low[key]):
            row = self.low[key][step]
            return row
        return None


def _column(rows: FloatArray, component: int | None) -> FloatArray:
    """Pick a component of rows of shape (m, w); none of the rows has one beyond w."""
    if component is None or rows.ndim == 1:
        return rows
    return rows[:, component] if component < rows.shape[1] else rows[:0, 0]


class Trace:
    """History that grows by chunks and can be cut back to an earlier step.

    Parameters
    ----------
    initial : mapping of str to ndarray
        The record of the state at step 0; its names and shapes are those of every later chunk.
    buckets, window : int
        How many buckets and exact steps are kept.
    """

    def __init__(
        self, initial: Mapping[str, FloatArray], buckets: int = BUCKETS, window: int = WINDOW
    ) -> None:
        self.last = 0
        self.stride = 1
        self._buckets = buckets
        self._window = window
        self._initial = {k: np.array(value, np.float64)[None] for k, value in initial.items()}
        shapes = {key: row.shape[1:] for key, row in self._initial.items()}
        self._low = {key: np.full((buckets, *shape), np.nan) for key, shape in shapes.items()}
        self._high = {key: np.full((buckets, *shape), np.nan) for key, shape in shapes.items()}
        # Twice the window, filled from the left and moved back when full, so rows stay together.
        self._exact = {key: np.empty((2 * window, *shape)) for key, shape in shapes.items()}
        self._filled = 0
        self._add_buckets(Chunk.exact(0, self._initial))
        self._add_exact(self._initial)

    @property
    def exact_from(self) -> int:
        """The step of the first exact row that is still known, with all those after it."""
        return self.last - self._filled + 1

    def exact(self, first: int, last: int) -> dict[str, FloatArray]:
        """Copy the rows from a step to another, ``exact_from <= first <= last <= self.last``."""
        rows = slice(first - self.exact_from, last - self.exact_from + 1)
        return {key: values[rows].copy() for key, values in self._exact.items()}

    def stride_at(self, step: int) -> int:
        """Return how long the buckets will be once the run has come to `step`."""
        stride = self.stride
        while step // stride >= self._buckets:
            stride *= 2
        return stride

    def add(self, chunk: Chunk) -> None:
        """Append a chunk that begins at the step after the last."""
        if chunk.count == 0:
            return
        if chunk.first != self.last + 1:
            raise ValueError(f"a chunk from step {chunk.first} cannot follow step {self.last}")
        self.last = chunk.first + chunk.count - 1
        self._add_buckets(chunk)
        if chunk.stride == 1:
            self._add_exact(chunk.low)
        else:
            self._filled = 0

    def cut(self, step: int) -> int:
        """Forget what comes after `step`, and return the first step that must be added again.

        A bucket that mixes `step` with later ones has to be emptied, so the returned step can be
        up to `stride` smaller than ``step + 1``.
        """
        if step >= self.last:
            return self.last + 1
        bucket = (step + 1) // self.stride
        resume = bucket * self.stride
        for store in (self._low, self._high):
            for values in store.values():
                values[bucket:] = np.nan
        self._filled = max(0, resume - self.exact_from)
        self.last = resume - 1
        if resume == 0:
            self.last = 0
            self._add_buckets(Chunk.exact(0, self._initial))
            self.refill(self._initial)
        return self.last + 1

    def refill(self, rows: Mapping[str, FloatArray]) -> None:
        """Replace the exact rows by `rows`, of which the last belongs to step `last`."""
        self._filled = 0
        self._add_exact(rows)

    def view(self) -> TraceView:
        """Copy what is kept."""
        used = self.last // self.stride + 1
        count = min(self._filled, self._window)
        begin = self._filled - count
        return TraceView(
            last=self.last,
            stride=self.stride,
            low={key: values[:used].copy() for key, values in self._low.items()},
            high={key: values[:used].copy() for key, values in self._high.items()},
            recent_first=self.last - count + 1,
            recent={key: rows[begin : self._filled].copy() for key, rows in self._exact.items()},
        )

    def recent(self) -> dict[str, FloatArray]:
        """Return the exact recent rows without copying; valid until the next change."""
        begin = max(0, self._filled - self._window)
        return {key: rows[begin : self._filled] for key, rows in self._exact.items()}

    def _add_exact(self, rows: Mapping[str, FloatArray]) -> None:
        count = len(next(iter(rows.values())))
        fresh = min(count, self._window)
        if self._filled + fresh > 2 * self._window:
            keep = 0 if fresh == self._window else self._window
            for values in self._exact.values():
                values[:keep] = values[self._filled - keep : self._filled]
            self._filled = keep
        for key, values in self._exact.items():
            values[self._filled : self._filled + fresh] = rows[key][count - fresh :]
        self._filled += fresh

    def _add_buckets(self, chunk: Chunk) -> None:
        while self.last // self.stride >= self._buckets:
            self._coarsen()
        starts = chunk.first + chunk.stride * np.arange(len(next(iter(chunk.low.values()))))
        index = starts // self.stride
        groups = np.flatnonzero(np.diff(index, prepend=index[0] - 1))
        target = index[groups]
        with np.errstate(invalid="ignore"):
            for key, values in self._low.items():
                values[target] = np.fmin(
                    values[target], np.fmin.reduceat(chunk.low[key], groups, axis=0)
                )
            for key, values in self._high.items():
                values[target] = np.fmax(
                    values[target], np.fmax.reduceat(chunk.high[key], groups, axis=0)
                )

    def _coarsen(self) -> None:
        half = self._buckets // 2
        with np.errstate(invalid="ignore"):
            for values in self._low.values():
                values[:half] = np.fmin(values[0::2], values[1::2])
                values[half:] = np.nan
            for values in self._high.values():
                values[:half] = np.fmax(values[0::2], values[1::2])
                values[half:] = np.nan
        self.stride *= 2
