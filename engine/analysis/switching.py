"""Where other branches begin: doubled cycles at a flip, and forks at a branch point."""

from __future__ import annotations

import numpy as np

from engine.analysis.continuation import Walker
from engine.analysis.family import Family
from engine.analysis.multistart import BranchPoint, has_shorter, null_directions, on_cycle
from engine.core.arrays import FloatArray

OFF = 1e-3
"""Length of the first step onto a branch that begins at a bifurcation, relative to the point."""
LENGTHS = (OFF, 4.0 * OFF, 0.25 * OFF)
"""Lengths that are tried, one after the other."""


def _walker(family: Family, at: BranchPoint, period: int) -> Walker:
    size = family.size_at(at.x)
    return Walker(
        family=family, period=period, unit=(family.high - family.low) / size, longest=size
    )


def doubled(family: Family, flip: BranchPoint, period: int) -> BranchPoint | None:
    """Return a point of the doubled cycles that branch off at a flip, its tangent away from it.

    None where none is found.
    """
    lap = family.lap(flip.x, flip.parameter, period)
    values, vectors = np.linalg.eig(lap.slope)
    v = vectors[:, int(np.argmin(np.abs(values + 1.0)))].real
    direction = np.append(v / np.linalg.norm(v), 0.0)
    walker = _walker(family, flip, 2 * period)
    for length in LENGTHS:
        found = _beside(walker, flip, length * direction)
        if found is not None and not has_shorter(family, found.x, found.parameter, 2 * period):
            return found
    return None


def forked(family: Family, fork: BranchPoint, period: int) -> tuple[BranchPoint, ...]:
    """Return points of the branches that cross or leave another at a branch point.

    Parameters
    ----------
    family : Family
    fork : BranchPoint
        Its tangent is that of the known branch.
    period : int

    Returns
    -------
    tuple of BranchPoint
        At most one to each side, tangents away from the branch point; cycles that are the same
        are listed once.
    """
    walker = _walker(family, fork, period)
    lap = family.lap(fork.x, fork.parameter, period)
    rows = null_directions(lap, walker.unit, len(fork.x) - 1)
    known = rows @ fork.tangent  # the known branch, among the directions that go on
    size = float(np.linalg.norm(known))
    if len(rows) != 2 or size == 0.0:
        return ()
    direction = (np.array([-known[1], known[0]]) / size) @ rows
    found: list[BranchPoint] = []
    for side in (1.0, -1.0):
        for length in LENGTHS:
            made = _beside(walker, fork, side * length * direction)
            if made is None:
                continue
            if not any(_is_same(family, made, each, period) for each in found):
                found.append(made)
            break
    return tuple(found)


def _beside(walker: Walker, at: BranchPoint, step: FloatArray) -> BranchPoint | None:
    """Return the point of a branch in the plane through a bifurcation that was moved by a step."""
    length = float(np.linalg.norm(step))
    start = walker.place(at) + walker.longest * step
    found = walker.corrected(start, step / length, step / length)
    if found is None or not walker.family.low <= found.parameter <= walker.family.high:
        return None
    return found


def _is_same(family: Family, one: BranchPoint, other: BranchPoint, period: int) -> bool:
    near = abs(one.parameter - other.parameter) < 1e-9 * (family.high - family.low)
    return near and on_cycle(family, one.x, other.x, one.parameter, period)
