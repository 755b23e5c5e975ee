"""Many runs at once: what they come to, quantile bands, and shares of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.claims import Claim
from engine.core.views import View

Observation = Mapping[str, Any]
"""Named arrays, numbers and texts that views draw; `engine.core.views` gives the shapes."""
Progress = Callable[[float, str], bool]
"""Called with the fraction done and a short text; returns False when the job should stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Many runs at once: a table with a row per run, numbers that sum it up, and pictures.

    `columns` maps a heading to a list with one entry per run; `summary` holds what `run.json`
    stores under ``final.ensemble``; `views` draw what is in `observation`.
    """

    columns: Mapping[str, list[Any]]
    summary: Mapping[str, Any]
    observation: Observation = field(default_factory=dict)
    views: tuple[View, ...] = ()
    claims: tuple[Claim, ...] = ()
    cancelled: bool = False


class Share(float):
    """The part of some runs of which something is true: a number that knows what it counted.

    It is stored and computed with as the plain number from 0 to 1; only a text for people
    distinguishes it from a count.

    Parameters
    ----------
    count, total : int
        So many of so many runs, 0 <= count <= total and total > 0.
    """

    __slots__ = ("count", "total")

    count: int
    total: int

    def __new__(cls, count: int, total: int) -> Share:
        """Make the number."""
        share = super().__new__(cls, count / total)
        share.count, share.total = count, total
        return share

    def __getnewargs__(self) -> tuple[int, int]:  # type: ignore[override]
        """Return what makes it again, for a copy."""
        return self.count, self.total

    @property
    def percent(self) -> str:
        """Write it with as many digits as resolve one run: ``92 %``, ``0.5 %`` of 200 runs."""
        digits = max(0, len(str(self.total - 1)) - 2)
        number = f"{100 * self.count / self.total:.{digits}f}"
        return f"{number.rstrip('0').rstrip('.') if digits else number} %"

    @property
    def words(self) -> str:
        """Write it with what was counted: ``92 % (46 of 50)``."""
        return f"{self.percent} ({self.count} of {self.total})"


def checkpoints(steps: int, count: int = 200) -> NDArray[np.int64]:
    """Choose steps at which to keep a value: 0, the last, and up to `count` spread between."""
    return np.unique(np.linspace(0, steps, min(count, steps + 1)).round().astype(np.int64))


def bands(
    values: FloatArray, levels: Sequence[float] = (0.1, 0.5, 0.9)
) -> tuple[FloatArray, FloatArray]:
    """Quantiles over runs, a run that has diverged counting as infinitely bad.

    Parameters
    ----------
    values : ndarray, shape (runs, points)
        NaN where a run has diverged.
    levels : sequence of float

    Returns
    -------
    quantiles : ndarray, shape (levels, points)
        NaN where the quantile is a diverged run.
    alive : ndarray, shape (points,)
        Fraction of runs that have not diverged.
    """
    order = np.sort(np.where(np.isnan(values), np.inf, values), axis=0)
    runs = len(values)
    rows = []
    for level in levels:
        place = level * (runs - 1)
        low = order[int(np.floor(place))]
        high = order[int(np.ceil(place))]
        share = place - np.floor(place)
        finite = np.where(np.isfinite(high), high, 0.0)
        row = np.where(np.isfinite(low), low, 0.0) * (1 - share) + finite * share
        rows.append(np.where(np.isfinite(low) & np.isfinite(high), row, np.nan))
    return np.array(rows), np.mean(~np.isnan(values), axis=0)


def fraction(flags: Sequence[bool] | NDArray[np.bool_]) -> Share | None:
    """Share of true flags, or None where there are none."""
    return Share(int(np.count_nonzero(flags)), len(flags)) if len(flags) else None


def median(values: Sequence[float] | FloatArray) -> float | None:
    """Median of the finite values, or None where there are none."""
    numbers = np.asarray(values, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    return float(np.median(numbers)) if numbers.size else None
