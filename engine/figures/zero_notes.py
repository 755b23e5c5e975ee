"""Notes on values that are exactly 0, which a logarithmic axis cannot show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.views import Series
from engine.run.trace import TraceView
from engine.text.numbers import short

LEAST_ROWS = 5
LEAST_SHARE = 0.05
"""Rows, and share of those shown, from which a stretch of zeros that ends again gets a note."""
MOST_NOTES = 4
"""The most notes in a plot."""

Write = Callable[[int], str]
"""Formats a step."""


@dataclass(frozen=True, slots=True)
class ZeroNote:
    """A note on zeros: its text, the place along x where they begin, and a colour role."""

    text: str
    at: float
    color: str


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Rows of zeros of one line, from `begin` up to `end`, which is not among them."""

    line: int
    begin: int
    end: int


def of_series(
    series: Series,
    trace: TraceView,
    drawn: tuple[FloatArray, FloatArray],
    write: Write,
    *,
    named: bool,
) -> ZeroNote | None:
    """Return the note on where a recorded series is exactly 0 in the range that is drawn.

    Parameters
    ----------
    series : Series
    trace : TraceView
    drawn : (steps, values)
        What `TraceView.line` gave, shape (m,) and (m, lines): where only buckets are known, two
        rows of the same step each. Rows where nothing was measured may be left out.
    write : callable
    named : bool
        Whether to name the series, as the plot has several.

    Returns
    -------
    ZeroNote or None
        None where nothing is hidden: there are no zeros, or a line merely begins at 0.
    """
    steps, values = drawn
    if not len(steps) or not (values == 0).any():  # the quickest look
        return None
    found = _stretches(values == 0)
    if not found:
        return None
    rows, lines = values.shape
    last = [stretch for stretch in found if stretch.end == rows]
    chosen = last or [max(found, key=lambda stretch: stretch.end - stretch.begin)]
    begin = max(chosen, key=lambda stretch: stretch.begin)
    first = int(steps[begin.begin])
    if begin.begin == 0 and begin.end == rows:
        words = "at all steps shown"
    elif begin.begin == 0:
        words = f"up to $k$ = {_step(trace, int(steps[begin.end - 1]), write)}"
    else:
        first = _refined(series, trace, begin.line, first)
        words = f"from $k$ = {_step(trace, first, write)}"
        if begin.end < rows:
            words += f" to {_step(trace, int(steps[begin.end - 1]), write)}"
    who = f"{series.label}: " if named and series.label else ""
    if lines > 1:
        who += "all " if len(chosen) == lines else f"{len(chosen)} of {lines} "
    return ZeroNote(f"{who}exactly 0 {words}", float(first), _color(series.color))


def _color(role: str) -> str:
    """Return the one colour of a note on a series that is drawn in many."""
    return "muted" if role == "ramp" else role


def _step(trace: TraceView, step: int, write: Write) -> str:
    """Format a step, as approximate where only its bucket is known."""
    is_exact = trace.stride == 1 or step > trace.recent_first
    return write(step) if is_exact else f"about {write(step)}"


def _refined(series: Series, trace: TraceView, line: int, bucket: int) -> int:
    """Return the first zero of a stretch, given the first step of its first all-zero bucket."""
    first = max(bucket - trace.stride, trace.recent_first)
    if trace.stride == 1 or first >= bucket:
        return bucket
    rows = trace.recent[series.key][first - trace.recent_first : bucket - trace.recent_first]
    own = rows.reshape(len(rows), -1)[:, line if series.component is None else series.component]
    other = np.flatnonzero(~np.isnan(own) & (own != 0))
    if not len(other):
        return first
    return first + int(other[-1]) + 1


def _stretches(zeros: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[_Stretch]:
    """Return the stretches that get a note: those up to the last row, and long ones."""
    rows, lines = zeros.shape
    found = []
    for line in range(lines):
        edges = np.flatnonzero(np.diff(zeros[:, line], prepend=False, append=False))
        for begin, end in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
            long = end - begin >= max(LEAST_ROWS, LEAST_SHARE * rows)
            if long or (end == rows and rows > 1 and begin > 0):
                found.append(_Stretch(line, begin, end))
    return found


def of_curve(label: str, color: str, x_label: str, x: FloatArray, y: FloatArray) -> ZeroNote | None:
    """Return the note on where a curve, y of shape (m, 1), is exactly 0 along x of shape (m,)."""
    if y.shape[1] != 1 or not (y == 0).any():
        return None
    found = _stretches(y == 0)
    if not found:
        return None
    stretch = max(found, key=lambda one: (one.end == len(y), one.end - one.begin))
    begin, end = float(x[stretch.begin]), float(x[stretch.end - 1])
    if stretch.begin == 0:
        words = "throughout" if stretch.end == len(y) else f"up to {x_label} = {short(end, 6)}"
    else:
        words = f"from {x_label} = {short(begin, 6)}"
        words += "" if stretch.end == len(y) else f" to {short(end, 6)}"
    return ZeroNote(f"{label}: exactly 0 {words}", begin, _color(color))


def of_points(label: str, color: str, x: FloatArray, y: FloatArray) -> ZeroNote | None:
    """Return the note on how many points, shape (m,), lie at exactly 0."""
    zero = y == 0
    count = int(np.count_nonzero(zero))
    if not count:
        return None
    return ZeroNote(f"{label}: {count} of {len(y)} exactly 0", float(x[zero][0]), _color(color))


def bounded(notes: Iterable[ZeroNote | None]) -> tuple[ZeroNote, ...]:
    """Return the first notes, the last one a count of those left out."""
    known = [note for note in notes if note is not None]
    if len(known) <= MOST_NOTES:
        return tuple(known)
    left = len(known) - MOST_NOTES + 1
    more = ZeroNote(f"… and {left} more exactly 0", known[-1].at, "muted")
    return (*known[: MOST_NOTES - 1], more)
