"""The stability of a snapshot: measured, predicted, and its range in the last steps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.run.snapshot import Snapshot
from engine.theory.optimisers import OPTIMISERS, OptimiserDescription

RECENT = 64
"""Recent steps whose range is shown behind the newest value."""
SILENCE = 2
"""After so many of its longest stays on a side of 1 without a crossing, a run crosses no more."""


def stability_of(snapshot: Snapshot) -> tuple[float | None, float | None, tuple[float, float]]:
    """Find the stability in a snapshot: measured at the cursor, predicted, its recent range.

    It is the sharpness over the largest that is stable, δS/2 for gradient descent. The range begins
    after the last change or push, and reaches over 1 only while the run crosses it again and again.

    Measured is the series "stability" at the shown step, else the observation or the bound of that
    name. Predicted is that bound's value, else δ as a multiple of the largest stable step size.
    """
    measured, low, high = _from_trace(snapshot)
    bounds = {bound.id: bound for bound in snapshot.theory}
    named = bounds.get("stability")
    if measured is None:
        measured = _number(snapshot.observation.get("stability"))
    if measured is None and named is not None:
        measured = named.measured
    predicted = named.value if named is not None else None
    step_size = getattr(snapshot.params, "step_size", None)
    if predicted is None and isinstance(step_size, float):
        largest = [
            bound.value
            for bound in snapshot.theory
            if bound.field == "step_size" and "max" in bound.id and bound.value
        ]
        predicted = step_size / largest[0] if largest else None
    if measured is None:
        return None, predicted, (0.0, 0.0)
    return measured, predicted, (min(low, measured), max(high, measured))


def optimiser_of(snapshot: Snapshot) -> OptimiserDescription:
    """Return the description of a snapshot's optimiser, gradient descent unless it says another."""
    name = getattr(snapshot.params, "optimiser", "")
    found = [described for described in OPTIMISERS.values() if described.id == name]
    return found[0] if found else OPTIMISERS["gradient-descent"]


def _from_trace(snapshot: Snapshot) -> tuple[float | None, float, float]:
    rows = snapshot.trace.recent.get("stability")
    if rows is None or not len(rows):
        return None, math.inf, -math.inf
    end = snapshot.cursor - snapshot.trace.recent_first + 1
    if end <= 0:
        return None, math.inf, -math.inf
    since = (snapshot.outcome.since or 0) - snapshot.trace.recent_first
    first = min(max(0, end - RECENT, since), end - 1)
    values = np.asarray(rows[first:end], np.float64)
    if values.ndim == 2:
        values = np.where(np.isnan(values).all(axis=1), np.nan, np.nan_to_num(values).max(axis=1))
    known = values[np.isfinite(values)]
    if not known.size:
        return None, math.inf, -math.inf
    visited = known[_first_still_visited(known > 1) :]
    return float(known[-1]), float(visited.min()), float(visited.max())


def _first_still_visited(above: NDArray[np.bool_]) -> int:
    """Return from where on a run stays on the side of 1 where it is, 0 if it goes to and fro."""
    crossings = np.flatnonzero(np.diff(above)) + 1
    if not crossings.size:
        return 0
    longest = int(np.diff(crossings).max()) if crossings.size > 1 else 0
    gone = above.size - int(crossings[-1]) > SILENCE * longest
    return int(crossings[-1]) if gone else 0


def _number(value: object) -> float | None:
    if isinstance(value, int | float | np.number) and math.isfinite(float(value)):
        return float(value)
    return None
