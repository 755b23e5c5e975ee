"""The runs of an ensemble over seeds and settings: their errors, their fates, their shares.

A *track* is what is kept of one network of one run; a run of a comparison has two. Runs that share
a *setting* (a step size, and perhaps a target) are one row of the table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core import ensemble
from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress
from engine.core.errors import InputError
from engine.core.outcome import CONVERGED_IN_ENSEMBLE, OutcomeKind
from engine.executors import together

Points = NDArray[np.int64]
Setting = Mapping[str, float]
SIDES = ("single", "double")
"""Names of the tracks of a run with two networks."""

RISES = 20
"""Rises of the error above which a run that does not diverge counts as oscillating."""
ROUNDING = 1e-9
"""Relative error below which a rise may be rounding."""
EQUAL = 1e-12
"""Relative error below which two networks have both arrived: what is left is rounding."""


@dataclass(frozen=True, slots=True)
class Track:
    """One network of one run.

    `errors` are relative errors at the checkpoints, NaN after a divergence; `rises` counts the
    steps at which an error above rounding grew.
    """

    errors: FloatArray
    last: float
    diverged_at: int | None
    rises: int

    @property
    def fate(self) -> OutcomeKind:
        """Return whether it diverged, converged, oscillates or converges."""
        if self.diverged_at is not None:
            return OutcomeKind.DIVERGED
        if self.last <= CONVERGED_IN_ENSEMBLE:
            return OutcomeKind.CONVERGED
        return OutcomeKind.OSCILLATING if self.rises > RISES else OutcomeKind.CONVERGING

    @property
    def is_unstable(self) -> bool:
        """Whether it diverged, or rose many times."""
        return self.diverged_at is not None or self.rises > RISES

    @property
    def known(self) -> float | None:
        """The last relative error, or None after a divergence."""
        return None if self.diverged_at is not None else self.last


class Tracker:
    """Takes the errors of a run piece by piece and keeps those at the checkpoints.

    Parameters
    ----------
    points : ndarray of int, shape (m,)
        Steps whose errors are kept, ascending from 0.
    first : float
        Relative error at step 0.
    """

    def __init__(self, points: Points, first: float) -> None:
        self._points = points
        self._errors = np.full(len(points), np.nan)
        self._errors[0] = first
        self._last = first
        self._rises = 0
        self.step = 0
        self.diverged_at: int | None = None

    @property
    def missing(self) -> int:
        """Steps that are still to be made; none after a divergence."""
        return 0 if self.diverged_at is not None else int(self._points[-1]) - self.step

    def add(self, errors: FloatArray, *, diverged: bool) -> None:
        """Take the relative errors of the next steps.

        Where the run has diverged the last of them is the limit, which is not kept.
        """
        values = np.concatenate([[self._last], errors])
        self._rises += int(np.sum((np.diff(values) > 0) & (values[1:] > ROUNDING)))
        good = len(errors) - diverged
        inside = (self._points > self.step) & (self._points <= self.step + good)
        self._errors[inside] = errors[self._points[inside] - self.step - 1]
        self.step += len(errors)
        self._last = float(values[-1])
        if diverged:
            self.diverged_at = self.step

    def track(self) -> Track:
        """Sum up what has been taken."""
        return Track(self._errors, self._last, self.diverged_at, self._rises)


@dataclass(frozen=True, slots=True)
class Run:
    """One seed under one setting; `facts` are further entries of its row in the table of runs."""

    seed: int
    setting: Setting
    tracks: tuple[Track, ...]
    facts: Mapping[str, Any]


Work = Callable[[Setting, int, Points, threading.Event], Run | None]
"""Makes the run of a setting and a seed, or returns None once the event is set."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All runs that were not cancelled, and what they have in common."""

    runs: tuple[Run, ...]
    points: Points
    first_seed: int
    cancelled: bool

    def groups(self) -> list[tuple[Setting, list[Run]]]:
        """Sort the runs by setting, in order of first appearance."""
        found: dict[tuple[float, ...], tuple[Setting, list[Run]]] = {}
        for run in self.runs:
            found.setdefault(tuple(run.setting.values()), (run.setting, []))[1].append(run)
        return list(found.values())

    def columns(self, sides: Sequence[str]) -> dict[str, list[Any]]:
        """Return the table of runs, with the names of the tracks where there are several."""
        names = self.runs[0].facts if self.runs else {}
        given = self.runs[0].setting if self.runs else {}
        found: dict[str, list[Any]] = {"seed": [run.seed for run in self.runs]}
        found |= {name: [run.setting[name] for run in self.runs] for name in given}
        found |= {name: [run.facts[name] for run in self.runs] for name in names}
        for index, side in enumerate(sides):
            tracks = [run.tracks[index] for run in self.runs]
            prefix = f"{side}_" if len(sides) > 1 else ""
            found |= {
                f"{prefix}outcome": [track.fate.value for track in tracks],
                f"{prefix}diverged_at": [track.diverged_at for track in tracks],
                f"{prefix}relative_error": [track.known for track in tracks],
                f"{prefix}rises": [track.rises for track in tracks],
            }
        return found

    def summary(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the numbers of one setting as they are, those of several as a table."""
        head: dict[str, Any] = {"first_seed": self.first_seed, "steps": int(self.points[-1])}
        return {**head, **rows[0]} if len(rows) == 1 else {**head, "table": list(rows)}


def points_of(steps: int) -> Points:
    """Choose the steps whose errors an ensemble keeps.

    Raises
    ------
    InputError
        For less than one step.
    """
    if steps < 1:
        raise InputError("steps", steps, "give a whole number >= 1 for an ensemble")
    return ensemble.checkpoints(steps)


def carry_out(
    work: Work, settings: Sequence[Setting], seeds: range, steps: int, progress: Progress
) -> Batch:
    """Make the runs of all settings and seeds on the pool in force, all cores by default.

    Raises
    ------
    InputError
        For less than one step.
    """
    points = points_of(steps)
    jobs: list[together.Job[Run]] = [
        partial(work, setting, seed, points) for setting in settings for seed in seeds
    ]
    results = together.run_all(jobs, progress, "runs")
    runs = tuple(run for run in results if run is not None)
    return Batch(runs, points, seeds.start, len(runs) < len(jobs))


def comparison(setting: Setting, runs: Sequence[Run], points: Points) -> dict[str, Any]:
    """Compare a single network, the first track of every run, with a double one, the second."""
    single = [run.tracks[0] for run in runs]
    double = [run.tracks[1] for run in runs]
    both = [run for run in runs if all(track.diverged_at is None for track in run.tracks)]
    row: dict[str, Any] = {
        **setting,
        "runs": len(runs),
        "single_diverged": ensemble.fraction([t.diverged_at is not None for t in single]),
        "double_diverged": ensemble.fraction([t.diverged_at is not None for t in double]),
        "single_unstable": ensemble.fraction([t.is_unstable for t in single]),
        "double_unstable": ensemble.fraction([t.is_unstable for t in double]),
        "only_single_unstable": ensemble.fraction(
            [s.is_unstable and not d.is_unstable for s, d in zip(single, double, strict=True)]
        ),
        "double_better": ensemble.fraction([double_is_better(run, -1) for run in runs]),
        "median_single": ensemble.median([run.tracks[0].last for run in both]),
        "median_double": ensemble.median([run.tracks[1].last for run in both]),
    }
    for share in (0.1, 0.25, 0.5):
        index = int(np.argmin(np.abs(points - share * points[-1])))
        row[f"double_better_at_{points[index]}"] = ensemble.fraction(
            [double_is_better(run, index) for run in runs]
        )
    return row


def double_is_better(run: Run, index: int) -> bool:
    """Return whether the double network's error is lower; a diverged one counts as infinite."""
    single, double = (np.nan_to_num(track.errors[index], nan=np.inf) for track in run.tracks)
    return bool(max(double, EQUAL) < single)


def median_known(values: Sequence[float | None]) -> float | None:
    """Median of the values that are there."""
    return ensemble.median([np.nan if value is None else value for value in values])
