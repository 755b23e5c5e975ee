"""The data of a run as CSV and NPZ, at full resolution.

The live plots keep old steps as minimum and maximum only; here every step is computed again from
the nearest keyframe, to the same bits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.change import Change
from engine.core.ensemble import Observation, Progress
from engine.core.errors import InputError
from engine.core.experiment import State
from engine.core.versions import versions
from engine.core.views import TimeView, View
from engine.run.notes import Note
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.run.trace import WINDOW
from engine.storage.arrays import save_npz
from engine.storage.columns import TABLES, Rows, headings, write_rows, write_series
from engine.storage.runfile import to_table
from engine.storage.view_data import view_arrays, view_rows
from engine.storage.view_plot import plot_of
from engine.text.numbers import whole

EXPORT_VALUES = 100_000_000
"""Numbers that one file takes (0.8 GB as NPZ)."""

Block = tuple[NDArray[np.int64], Rows]
"""Consecutive steps and their rows."""


def export_view(
    session: Session,
    view: View,
    path: Path,
    *,
    first: int = 0,
    last: int | None = None,
    step: int | None = None,
    progress: Progress = lambda fraction, text: True,
) -> bool:
    """Write the data of a plot as ``.csv``, ``.dat`` or ``.npz``; returns False if cancelled.

    A plot along the step gives a column per line and every step from `first` to `last` (where the
    experiment keeps no old states: smallest and largest per bucket, under ``.low`` and ``.high``).
    All other plots give what they show at `step`, by default the run's last. A CSV file names the
    step in its first column, an NPZ file in its description as well.

    Raises
    ------
    InputError
        If the name ends otherwise, the steps were not reached, or there are too many.
    FileError
        If the file cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (*TABLES, ".npz"):
        raise InputError("data file", path.name, "give a name that ends in .csv, .dat or .npz")
    run = to_table(RunSpec.of(session))
    about: dict[str, Any] = {
        "view": view.id,
        "title": view.title,
        "run": run,
        "versions": versions(),
    }
    if isinstance(view, TimeView):
        about["step"] = session.step if last is None else last
        blocks = _series_blocks(session, view, first, last)
        return _write_series(path, view, blocks, about, progress, session.notes)
    state, recent = session.look(session.step if step is None else step)
    about["step"] = state.step
    observation = session.experiment.observe(state, recent)
    if kind == ".npz":
        save_npz(path, view_arrays(view, observation), about)
    else:
        rows = list(_with_step(view, observation, state.step))
        write_rows(path, rows, plot_of(view, rows, session.notes))
    return True


def _with_step(view: View, observation: Observation, step: int) -> Iterator[Sequence[Any]]:
    """Yield the rows of a view's table, its headings first, after a column with the step."""
    for index, row in enumerate(view_rows(view, observation)):
        yield (step if index else "step", *row)


def stream(session: Session, first: int, last: int) -> Iterator[Block]:
    """Compute every recorded row from step `first` to `last` again, a few thousand at a time.

    Raises
    ------
    InputError
        If a step was not reached, or the experiment keeps no old states.
    """
    experiment = session.experiment
    if first == 0:
        row = experiment.record(session.arrival(0))
        yield np.zeros(1, np.int64), {key: np.asarray(row[key], np.float64)[None] for key in row}
    state = session.state_at(max(first - 1, 0))
    changes = [change for change in session.changes if state.step < change.step < last]
    for change in (*changes, Change(last)):
        while state.step < min(change.step, last):
            n = min(change.step, last) - state.step
            state, block = _advance(session, state, min(n, WINDOW))
            yield block
        state = session.changed(state, change)


def _advance(session: Session, state: State[Any], n: int) -> tuple[State[Any], Block]:
    state, chunk = session.experiment.advance(state, n)
    return state, (np.arange(chunk.first, chunk.first + chunk.count), chunk.low)


def _series_blocks(
    session: Session, view: TimeView, first: int, last: int | None
) -> tuple[int, Iterable[Block]]:
    """Return the last step, and blocks of just the series of a view."""
    last = session.step if last is None else last
    if not 0 <= first <= last <= session.step:
        raise InputError("steps", f"{first} to {last}", f"give steps from 0 to {session.step}")
    if not session.experiment.rewindable:
        return last, [_select(view, _buckets(session))]
    width = sum(np.size(row) for row in _select(view, _first_row(session))[1].values())
    most = EXPORT_VALUES // max(width, 1)
    if last - first + 1 > most:
        raise InputError("steps", f"{first} to {last}", f"give at most {whole(most)} steps at once")
    return last, (_select(view, block) for block in stream(session, first, last))


def _first_row(session: Session) -> Block:
    rows = {key: values[-1:] for key, values in session.recent().items()}
    return np.zeros(1, np.int64), rows


def _buckets(session: Session) -> Block:
    trace = session.trace.view()
    rows = {}
    for key, low in trace.low.items():
        rows[f"{key}.low"], rows[f"{key}.high"] = low, trace.high[key]
    return np.arange(trace.last // trace.stride + 1) * trace.stride, rows


def _select(view: TimeView, block: Block) -> Block:
    """Keep the series of a view, and of a wide series the component that is drawn."""
    steps, rows = block
    kept = {}
    for series in view.series:
        for key in (series.key, f"{series.key}.low", f"{series.key}.high"):
            if key in rows and (series.component is None or rows[key].ndim == 1):
                kept[key] = rows[key]
            elif key in rows:
                kept[f"{key}[{series.component}]"] = rows[key][:, series.component]
    return steps, kept


class _CancelledError(Exception):
    """The user thought better of an export."""


def _write_series(
    path: Path,
    view: TimeView,
    source: tuple[int, Iterable[Block]],
    about: Mapping[str, Any],
    progress: Progress,
    notes: Sequence[Note],
) -> bool:
    last, blocks = source

    def watched() -> Iterator[Block]:
        for steps, rows in blocks:
            yield steps, rows
            at = int(steps[-1])
            if not progress((at + 1) / (last + 1), f"step {whole(at)} of {whole(last)}"):
                raise _CancelledError

    try:
        if path.suffix.lower() in TABLES:
            source_blocks = watched()
            begin = next(source_blocks)
            names = ("step", *headings(begin[1]))
            drawn = plot_of(view, [names], notes)
            write_series(path, names, itertools.chain([begin], source_blocks), drawn)
        else:
            parts = list(watched())
            arrays = {"step": np.concatenate([steps for steps, _ in parts])}
            for key in parts[0][1]:
                arrays[key] = np.concatenate([rows[key] for _, rows in parts])
            save_npz(path, arrays, about)
    except _CancelledError:
        return False
    return True
