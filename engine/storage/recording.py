"""The record of a run on disk: every step where that is small enough, else minima and maxima."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.chunk import Chunk
from engine.core.errors import InputError
from engine.run.session import Session
from engine.run.trace import WINDOW, Trace, TraceView
from engine.storage.arrays import load_npz, save_npz
from engine.storage.columns import Rows, headings, write_series
from engine.text.numbers import whole

FULL_VALUES = 4_000_000
"""Numbers up to which a run is kept step by step (32 MB as NPZ, about 80 MB as CSV)."""
COARSE_STEPS = 1_000_000
"""Steps made at once when only minima and maxima are kept."""


class Recorder:
    """Carries a session on and keeps every recorded row, as long as there are not too many.

    Parameters
    ----------
    session : Session
        A run at its beginning.
    limit : int
        Numbers to keep; with more, only the session's bounded trace is left.
    """

    def __init__(self, session: Session, limit: int = FULL_VALUES) -> None:
        rows = {key: values.copy() for key, values in session.recent().items()}
        self._parts: list[Rows] = [rows]
        self._limit = limit
        self._width = sum(math.prod(values.shape[1:]) for values in rows.values())
        self._values = self._width * len(next(iter(rows.values()), ()))
        self.session = session

    @property
    def is_full(self) -> bool:
        """Whether every step is still there."""
        return bool(self._parts)

    def advance(self, n: int) -> int:
        """Make up to `n` steps, perhaps fewer, and return how many were made."""
        if self._values + min(n, WINDOW) * self._width > self._limit:
            self._parts.clear()
        if not self._parts:
            return self.session.advance(min(n, COARSE_STEPS), coarse=True)
        before = self.session.step
        try:
            self.session.advance(min(n, WINDOW))
        finally:  # an interrupted step leaves those before it
            made = self.session.step - before
            if made:
                recent = self.session.recent()
                self._parts.append({key: values[-made:].copy() for key, values in recent.items()})
                self._values += made * self._width
        return made

    def rows(self) -> dict[str, FloatArray]:
        """Return all rows from step 0 on (only while `is_full`)."""
        first = self._parts[0]
        return {key: np.concatenate([part[key] for part in self._parts]) for key in first}


def save_trace(
    folder: Path, recorder: Recorder, tables: Sequence[str] = (".csv",)
) -> dict[str, Any]:
    """Write ``trace.npz`` and ``trace.csv`` and return what `run.json` says of them.

    `tables` are the endings of what is written beside the NPZ file, of `columns.TABLES`.

    With every step there are an array and columns per series. Otherwise there are ``<key>.low`` and
    ``<key>.high`` per bucket of `stride` steps, `step` being the first of each bucket, and in the
    NPZ file the last steps exactly as ``recent.<key>``.

    Raises
    ------
    FileError
        If the files cannot be written.
    """
    view = recorder.session.trace.view()
    note = "every step"
    if recorder.is_full:
        rows = recorder.rows()
        arrays: dict[str, Any] = {"step": np.arange(view.last + 1), **rows}
        table = rows
    else:
        note = (
            f"the run has more than {whole(FULL_VALUES)} numbers, so this is the smallest and "
            f"largest value of every {whole(view.stride)} steps"
        )
        table = _interleaved(view)
        arrays = _view_arrays(view)
    summary = {
        "full": recorder.is_full,
        "stride": 1 if recorder.is_full else view.stride,
        "last": view.last,
        "note": note,
    }
    save_npz(folder / "trace.npz", arrays, summary)
    files = ["trace.npz"]
    for ending in tables:
        blocks = _blocks(arrays["step"], table)
        files += write_series(folder / f"trace{ending}", ("step", *headings(table)), blocks)
    return {"files": files, **summary}


def _blocks(steps: NDArray[Any], table: Rows) -> Iterator[tuple[NDArray[Any], Rows]]:
    """Yield some thousand rows of a table at a time, with their steps."""
    for begin, end in _pieces(0, len(steps)):
        yield steps[begin:end], {key: values[begin:end] for key, values in table.items()}


def save_view(path: Path, view: TraceView) -> None:
    """Write what is known of a run's record as ``trace.npz``, for `load_trace`.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    summary = {"full": False, "stride": view.stride, "last": view.last}
    save_npz(path, _view_arrays(view), summary)


def _view_arrays(view: TraceView) -> dict[str, Any]:
    table = _interleaved(view)
    recent = {f"recent.{key}": values for key, values in view.recent.items()}
    steps = np.arange(len(next(iter(table.values())))) * view.stride
    recent_steps = np.arange(view.recent_first, view.last + 1)
    return {"step": steps, **table, "recent.step": recent_steps, **recent}


def _interleaved(view: TraceView) -> dict[str, FloatArray]:
    table = {}
    for key, low in view.low.items():
        table[f"{key}.low"], table[f"{key}.high"] = low, view.high[key]
    return table


def load_trace(path: Path) -> TraceView:
    """Read ``trace.npz`` back.

    Raises
    ------
    InputError
        If the file is damaged, was not written by this program, or does not fit together.
    """
    arrays, summary = load_npz(path, what="trace")
    steps = arrays.pop("step", np.empty(0))
    last, stride, full = (summary.get(key) for key in ("last", "stride", "full"))
    if type(last) is not int or type(stride) is not int or type(full) is not bool or not arrays:
        raise _bad(path, "it has no series or no description")
    if any(a.dtype != np.float64 or np.isinf(a).any() for k, a in arrays.items() if k != _RECENT):
        raise _bad(path, "it holds other things than finite numbers")
    if last < 0 or stride < 1 or (full and stride > 1) or steps.shape != (last // stride + 1,):
        raise _bad(path, "it has another number of steps than it says")
    if not np.array_equal(steps, np.arange(len(steps)) * stride):
        raise _bad(path, "its steps do not follow one another")
    for key, values in arrays.items():
        is_recent = key.startswith("recent.") and not full
        if values.ndim not in (1, 2) or (len(values) != len(steps) and not is_recent):
            raise _bad(path, f"{key} has another number of steps")
    return _full_view(arrays) if full else _bucket_view(path, arrays, last, stride)


_RECENT = "recent.step"


def _full_view(rows: Rows) -> TraceView:
    trace = Trace({key: values[0] for key, values in rows.items()})
    count = len(next(iter(rows.values())))
    for begin, end in _pieces(1, count):
        trace.add(Chunk.exact(begin, {key: values[begin:end] for key, values in rows.items()}))
    return trace.view()


def _pieces(first: int, stop: int) -> Iterator[tuple[int, int]]:
    for begin in range(first, stop, WINDOW):
        yield begin, min(begin + WINDOW, stop)


def _bucket_view(path: Path, arrays: Rows, last: int, stride: int) -> TraceView:
    parts: dict[str, dict[str, FloatArray]] = {"low": {}, "high": {}, "recent": {}}
    for key, values in arrays.items():
        if key.startswith("recent."):
            parts["recent"][key.removeprefix("recent.")] = values
        else:
            name, _, side = key.rpartition(".")
            if side not in ("low", "high"):
                raise _bad(path, f"{key} is neither low nor high")
            parts[side][name] = values
    low, high, recent = parts["low"], parts["high"], parts["recent"]
    steps = recent.pop("step", np.empty(0))
    if not low.keys() == high.keys() == recent.keys():
        raise _bad(path, "some series are missing")
    first = last - len(steps) + 1
    if not np.array_equal(steps, np.arange(first, last + 1)):
        raise _bad(path, "its last steps do not follow one another")
    for key, values in low.items():
        exact = recent[key]
        if values.shape != high[key].shape or exact.shape != (len(steps), *values.shape[1:]):
            raise _bad(path, f"{key} has several shapes")
    return TraceView(last, stride, low, high, first, recent)


def _bad(path: Path, reason: str) -> InputError:
    return InputError("trace", path.name, f"give a trace written by this program ({reason})")
