"""How fast displacements grow along many runs at once: Lyapunov exponents with standard errors."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner, kernel
from engine.kernels.maps.advance import CHUNK, Motion, Pack, Room, advance_pushed

SETTLING = 6
"""Chunks of steps in which a displacement turns into its direction of growth."""
BATCHES = 16
"""Batches of steps whose means give the standard error."""
SIGMAS = 5.0
"""Standard errors by which an exponent must be above 0 before a run is called aperiodic."""
PARTED = 8.0
"""Least log growth of a displacement before a run is called aperiodic."""
UNIFORM = 0.2
"""Least ratio of the changes over p steps in two quarters of motion that is stationary."""
REPEATS = 1e-9
"""Change over p steps, relative to the size of the point, that counts as none."""
LAG = 24
"""Longest period that motion may have no part of."""


@inner
def _norm(pack: Pack, lane: int) -> float:
    """Return the length of a displacement, and make it 1."""
    total = 0.0
    for i in range(pack.pushes.shape[0]):
        total += pack.pushes[i, lane] * pack.pushes[i, lane]
    size = math.sqrt(total)
    if 0.0 < size < math.inf:
        for i in range(pack.pushes.shape[0]):
            pack.pushes[i, lane] /= size
    return size


@inner
def _note_changes(pack: Pack, lane: int, row: int, changes: Any) -> None:
    """Widen the largest changes over 1 to `LAG` steps, for one quarter of the way."""
    for p in range(1, LAG + 1):
        largest = changes[row, p - 1, lane]
        for k in range(LAG, CHUNK + 1):
            for i in range(pack.trail.shape[1]):
                moved = abs(pack.trail[k, i, lane] - pack.trail[k - p, i, lane])
                largest = max(largest, moved)
        changes[row, p - 1, lane] = largest


@inner
def _is_stationary(changes: Any, lane: int, size: float) -> bool:
    """Return whether states change alike over any number of steps in all quarters of the way."""
    for p in range(LAG):
        least, largest = math.inf, 0.0
        for row in range(changes.shape[0]):
            least = min(least, changes[row, p, lane])
            largest = max(largest, changes[row, p, lane])
        if least < max(UNIFORM * largest, REPEATS * size):
            return False
    return True


@kernel
def grow(
    motion: Motion,
    address: int,
    states: FloatArray,
    fixed: FloatArray,
    limits: FloatArray,
    begin: FloatArray,
    chunks: int,
    pack: Pack,
    changes: FloatArray,
    logs: FloatArray,
    exponents: FloatArray,
    errors: FloatArray,
    parted: NDArray[Any],
    left: FloatArray,
    room: Room,
) -> None:
    """Measure the growth of a displacement along runs that go on from states.

    Parameters
    ----------
    motion : Motion
    address : int
        Of the machine code for packs with displacements; 0 for none.
    states : ndarray, shape (m, copies * n)
        Overwritten by the last ones.
    fixed, limits : ndarray
        As of `engine.kernels.maps.outcomes.follow`.
    begin : ndarray, shape (copies * n,)
        The displacement at first.
    chunks : int
        Measured after `SETTLING`, a multiple of `BATCHES`.
    pack : Pack
    changes, logs : ndarray, shapes (4, LAG, W) and (chunks, W)
        Scratch.
    exponents, errors : ndarray, shape (m,)
        Receive the mean log growth per step and its standard error; nan where a run left.
    parted : ndarray of bool, shape (m,)
        Receives whether neighbouring runs part exponentially, beyond doubt, and nothing repeats.
    left : ndarray, shape (m,)
        Receives the step, from here, up to which a run has diverged; nan where it has not.
    room : Room
    """
    count, size = states.shape
    width = pack.points.shape[1]
    for first in range(0, count, width):
        for lane in range(width):
            cell = min(first + lane, count - 1)
            for i in range(size):
                pack.points[i, lane], pack.pushes[i, lane] = states[cell, i], begin[i]
            for i in range(pack.fixed.shape[0]):
                pack.fixed[i, lane] = fixed[cell, i]
            pack.made[lane] = 0
            if first + lane < count:
                left[cell] = math.nan
        changes[:] = 0.0
        for chunk in range(-SETTLING, chunks):
            advance_pushed(motion, address, pack, CHUNK, room)
            for lane in range(min(width, count - first)):
                norm = _norm(pack, lane)
                if chunk >= 0:
                    logs[chunk, lane] = math.log(norm) if norm > 0.0 else -math.inf
                    if chunk % 4 == 0:
                        _note_changes(pack, lane, 4 * chunk // chunks, changes)
                is_within = pack.peaks[lane] <= limits[first + lane]
                for i in range(size):
                    is_within = is_within and abs(pack.points[i, lane]) < math.inf
                if not is_within and left[first + lane] != left[first + lane]:
                    left[first + lane] = float(pack.made[lane])
        for lane in range(min(width, count - first)):
            _conclude(pack, lane, first + lane, chunks, changes, logs, exponents, errors, parted)
            if left[first + lane] == left[first + lane]:
                exponents[first + lane], errors[first + lane] = math.nan, math.nan
                parted[first + lane] = False
            for i in range(size):
                states[first + lane, i] = pack.points[i, lane]


@inner
def _conclude(
    pack: Pack,
    lane: int,
    cell: int,
    chunks: int,
    changes: Any,
    logs: Any,
    exponents: Any,
    errors: Any,
    parted: Any,
) -> None:
    """Average the growth of a lane, and say what it shows."""
    each = chunks // BATCHES
    total, squares = 0.0, 0.0
    for batch in range(BATCHES):
        part = 0.0
        for chunk in range(batch * each, (batch + 1) * each):
            part += logs[chunk, lane]
        total += part / (each * CHUNK)
    mean = total / BATCHES
    for batch in range(BATCHES):
        part = 0.0
        for chunk in range(batch * each, (batch + 1) * each):
            part += logs[chunk, lane]
        off = part / (each * CHUNK) - mean
        squares += off * off
    exponents[cell] = mean
    errors[cell] = math.sqrt(squares / (BATCHES - 1) / BATCHES)
    size = 1.0
    for i in range(pack.points.shape[0]):
        size = max(size, abs(pack.points[i, lane]))
    least = max(SIGMAS * errors[cell], PARTED / (chunks * CHUNK))
    parted[cell] = mean > least and _is_stationary(changes, lane, size)
