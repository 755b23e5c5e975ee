"""Logs of training runs, read from tables, arrays and JSON lines, checked before they are believed.

Columns are known by their names, in small letters, and by what others call them (`NAMES`). A table
without headings holds loss and sharpness, or step, loss and sharpness, or the sharpness alone.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.edge import Edge
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.paths import resource
from engine.experiments.trace.lines import ENDINGS, FIELD, rows_of
from engine.experiments.trace.params import EXAMPLE, TraceParams
from engine.storage.arrays import load_arrays
from engine.storage.files import is_file, user_path
from engine.storage.tables import read_table
from engine.text.numbers import short, whole

MOST_NUMBERS = 4_000_000
MOST_STEPS = 10_000_000
LARGEST = 1e150
NAMES: Mapping[str, tuple[str, ...]] = {
    "step": ("step", "steps", "k", "iteration", "iter", "t"),
    "loss": ("loss", "train_loss", "training_loss"),
    "sharpness": ("sharpness", "lambda_max", "top_eigenvalue", "eigenvalue", "s"),
    "eigenvalues": ("eigenvalues", "eigs", "hessian"),
    "step_size": ("step_size", "lr", "learning_rate", "delta", "eta"),
}
"""Our names of columns, and others that are understood."""
_UNDERSTOOD = {name for names in NAMES.values() for name in names}
_HEADLESS = {
    1: ("sharpness",),
    2: ("loss", "sharpness"),
    3: ("step", "loss", "sharpness"),
}


@dataclass(frozen=True, eq=False)
class Recording:
    """A run that was recorded, NaN where something was not.

    Attributes
    ----------
    steps : ndarray of int, shape (m,)
        Ascending, from 0 or later.
    loss, sharpness, step_size : ndarray, shape (m,)
    eigenvalues : ndarray, shape (m, k)
        In descending order; the first is the sharpness.
    limit : float
        Largest stable step size times curvature.
    """

    steps: NDArray[np.int64]
    loss: FloatArray
    sharpness: FloatArray
    step_size: FloatArray
    eigenvalues: FloatArray
    limit: float

    @property
    def last(self) -> int:
        """The last step."""
        return int(self.steps[-1])

    @cached_property
    def ratios(self) -> FloatArray:
        """The sharpness over its largest stable value, shape (m,)."""
        return np.asarray(self.sharpness * self.step_size / self.limit)

    @cached_property
    def edges(self) -> tuple[NDArray[np.int64], list[Edge]]:
        """The steps at which something of the edge changes, and what is known from each on.

        The count begins anew where the step size changes, as the limit is another one then.
        """
        found, edge = [], Edge(begun=int(self.steps[0]))
        is_look = np.isfinite(self.ratios)
        is_change = np.diff(self.step_size, prepend=self.step_size[0]) != 0.0
        rows = np.flatnonzero(is_look | is_change)
        for row in rows:
            step = int(self.steps[row])
            if is_change[row]:
                edge = Edge(begun=step)
            if is_look[row]:
                edge = edge.seen(step, float(self.ratios[row]), float(self.loss[row]))
            found.append(edge)
        return self.steps[rows], found

    def edge_at(self, step: int) -> Edge:
        """Return what the looks up to a step show."""
        steps, edges = self.edges
        place = int(np.searchsorted(steps, step, side="right"))
        return edges[place - 1] if place else Edge()

    def goes_on(self, before: Recording) -> bool:
        """Return whether it begins with all rows of an earlier one, and has the same columns."""
        count = len(before.steps)
        if len(self.steps) < count or self.eigenvalues.shape[1] != before.eigenvalues.shape[1]:
            return False
        return all(
            np.array_equal(mine[:count], its, equal_nan=True)
            for mine, its in (
                (self.steps, before.steps),
                (self.loss, before.loss),
                (self.sharpness, before.sharpness),
                (self.step_size, before.step_size),
            )
        )

    def rows(self, first: int, last: int) -> dict[str, FloatArray]:
        """Return the rows of all steps from `first` to `last`, NaN where none was recorded."""
        inside = (self.steps >= first) & (self.steps <= last)
        places, made = self.steps[inside] - first, {}
        columns = {
            "loss": self.loss,
            "sharpness": self.sharpness,
            "limit": self.limit / self.step_size,
            "stability": self.ratios,
            "eigenvalues": self.eigenvalues,
        }
        for key, values in columns.items():
            made[key] = np.full((last - first + 1, *values.shape[1:]), np.nan)
            made[key][places] = values[inside]
        return made


def recording_of(params: TraceParams) -> Recording:
    """Return the recording that parameters name; the last ones are kept.

    Raises
    ------
    InputError
        If the file is none of a run.
    """
    path = resource("traces/edge.csv") if params.file == EXAMPLE else _given(params.file)
    try:
        stat = os.stat(path)
        stamp = stat.st_mtime_ns, stat.st_size
    except (OSError, ValueError):
        stamp = 0, 0
    return _read(path, stamp, params.interval, params.step_size, params.limit)


def may_grow(params: TraceParams) -> bool:
    """Return whether more rows of a log are waited for."""
    ending = Path(params.file).suffix.lower()
    return params.follow and params.file != EXAMPLE and ending in ENDINGS


def _given(text: str) -> Path:
    if not text.strip():
        raise InputError(FIELD, text, "name a file with the log of a run, or example")
    path = user_path(text, FIELD)
    if not is_file(path, FIELD):
        raise InputError(FIELD, text, "give a file that exists, or example")
    return path


@lru_cache(maxsize=4)
def _read(
    path: Path, _stamp: tuple[int, int], interval: int, step_size: float, limit: float
) -> Recording:
    suffix = path.suffix.lower()
    if suffix in ENDINGS:
        columns = _of_lines(path)
    elif suffix in (".npz", ".safetensors"):
        columns = load_arrays(path, FIELD)[0]
    else:
        columns = _of_table(path)
    return _checked(path, _named(columns), interval, step_size, limit)


def _of_table(path: Path) -> dict[str, Any]:
    table = read_table(path, FIELD, MOST_NUMBERS)
    names = table.names or _HEADLESS.get(table.columns, ())
    if not names:
        rule = f"give headings, as {path.name} has {table.columns} columns"
        raise InputError(FIELD, path.name, rule)
    return dict(zip(names, table.values.T, strict=True))


def _of_lines(path: Path) -> dict[str, Any]:
    """Read an object a line; what a line lacks is NaN, and a last line may be unfinished."""
    rows = rows_of(path)
    keys = dict.fromkeys(key for row in rows for key in row)
    known = [key for key in keys if _plain(key) in _UNDERSTOOD]
    if not known:
        _named(keys)  # which refuses them
    return {key: _column(key, [row.get(key) for row in rows]) for key in known}


def _column(key: str, values: list[Any]) -> FloatArray:
    """Make a column of numbers, or of lists of them cut to the longest."""
    width = max((len(each) for each in values if isinstance(each, list)), default=0)
    if len(values) * max(width, 1) > MOST_NUMBERS:
        raise InputError(FIELD, key, f"give at most {whole(MOST_NUMBERS)} numbers")
    made = np.full((len(values), max(width, 1)), np.nan)
    for row, value in zip(made, values, strict=True):
        numbers = value if isinstance(value, list) else [value]
        try:
            row[: len(numbers)] = [math.nan if each is None else float(each) for each in numbers]
        except OverflowError:
            raise InputError(FIELD, key, f"give numbers of at most {short(LARGEST)}") from None
    return made if width else made[:, 0]


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _named(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that are understood, by our names."""
    given = {_plain(name): values for name, values in columns.items()}
    made = {}
    for ours, others in NAMES.items():
        found = next((given[name] for name in others if name in given), None)
        if found is not None:
            made[ours] = found
    if not {"sharpness", "eigenvalues", "loss"} & set(made):
        held = ", ".join(given) or "nothing"
        rule = f"give columns step, loss, sharpness or eigenvalues; it holds {held[:80]}"
        raise InputError(FIELD, "no such column", rule)
    return made


def _checked(
    path: Path, columns: Mapping[str, Any], interval: int, step_size: float, limit: float
) -> Recording:
    count = max((len(np.atleast_1d(values)) for values in columns.values()), default=0)
    if count < 2:
        raise InputError(FIELD, path.name, "give two rows or more")
    none = np.full(count, np.nan)
    values = {name: _numbers(path, name, column, count) for name, column in columns.items()}
    if "step" in values:
        given = values["step"].ravel()
        if not np.array_equal(given, np.rint(given)) or given[0] < 0 or (np.diff(given) <= 0).any():
            raise InputError(FIELD, "step", "give ascending whole numbers >= 0 as steps")
        steps = given
    else:
        steps = np.arange(count, dtype=np.float64) * interval
    if steps[-1] > MOST_STEPS:
        raise InputError(FIELD, whole(int(steps[-1])), f"give at most {whole(MOST_STEPS)} steps")
    eigenvalues = values.get("eigenvalues", values.get("sharpness", none)).reshape(count, -1)
    eigenvalues = -np.sort(-eigenvalues, axis=1)  # NaN at the end
    sharpness = values["sharpness"].ravel() if "sharpness" in values else eigenvalues[:, 0]
    sizes = values.get("step_size", np.full(count, step_size)).ravel()
    if not (sizes > 0.0).all():
        raise InputError(FIELD, "step_size", "give step sizes > 0")
    loss = values.get("loss", none).ravel()
    return Recording(steps.astype(np.int64), loss, sharpness, sizes, eigenvalues, limit)


def _numbers(path: Path, name: str, column: Any, count: int) -> FloatArray:
    """Return a column as numbers, one row a step; only eigenvalues may be several."""
    array = np.asarray(column)
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2) or len(array) != count:
        rule = f"give one row a step for each column of {path.name}"
        raise InputError(FIELD, f"{name} of shape {array.shape}", rule)
    if name != "eigenvalues" and array.size != count:
        raise InputError(FIELD, f"{name} of shape {array.shape}", "give one number a step")
    values = np.asarray(array, np.float64)
    values = np.where(np.isfinite(values), values, np.nan)  # as a log of a run that diverged
    if array.size > MOST_NUMBERS:
        raise InputError(FIELD, name, f"give at most {whole(MOST_NUMBERS)} numbers")
    if np.nanmax(np.abs(values), initial=0.0) > LARGEST:
        raise InputError(FIELD, name, f"give numbers of at most {short(LARGEST)}")
    return values
