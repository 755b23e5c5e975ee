"""Where many runs of one law end: at a minimum, on a cycle, far away, or nowhere that is known.

The runs are in the lanes of a pack; a lane whose run is decided takes the next one. Every run is
looked at after the same numbers of its own steps, so that what is said of it does not depend on
those beside it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner, kernel
from engine.kernels.maps.advance import (
    CHUNK,
    HUGE,
    Motion,
    Pack,
    Room,
    advance,
    constants_of,
)
from engine.kernels.maps.laps import period_of, size_of
from engine.kernels.maps.rest import MANIFOLD, MINIMUM, REPELLING, judge
from engine.kernels.optimisers.steps import length
from engine.kernels.tape.program import gradient

UNDECIDED, AT_MINIMUM, AT_MANIFOLD, AT_SADDLE, DIVERGED, UNDEFINED = range(6)
"""What a run does; `CYCLE` plus the period for a cycle."""
CYCLE = 16
NEAR = 1e-6
"""Distance of an equilibrium, relative to the size of the point, at which a run has reached it."""
EXACTLY = 1e-12
"""The same for an equilibrium that repels, at which a run has been held by symmetry."""
ROUNDING = 1e-8
"""Change over a step, relative to the distance that is near, that rounding can make."""
FAR = 1e200
"""Weight that no step leads to from where loss and gradient are not too large by far."""
GROWS = 1.25
"""Factor between two steps at which a run is looked at more closely."""


class Found(NamedTuple):
    """What is found of m runs.

    Attributes
    ----------
    codes : ndarray of uint8, shape (m,)
    steps : ndarray, shape (m,)
        Steps to the distance `NEAR` of a minimum, to divergence, or made.
    sharpness : ndarray, shape (m,)
        At the equilibrium that is reached; nan without one.
    ends : ndarray, shape (m, copies * n)
        The equilibrium that is reached, else the last state.
    """

    codes: NDArray[Any]
    steps: FloatArray
    sharpness: FloatArray
    ends: FloatArray


@inner
def _load(
    pack: Pack, lane: int, cell: int, starts: Any, fixed: Any, looks: Any, checked: Any
) -> None:
    """Begin a run in a lane, at rest."""
    n = starts.shape[1]
    for i in range(pack.points.shape[0]):
        pack.points[i, lane] = starts[cell, i] if i < n else 0.0
    for i in range(pack.fixed.shape[0]):
        pack.fixed[i, lane] = fixed[cell, i]
    pack.made[lane] = 0
    looks[lane] = 0
    checked[lane] = 0


@inner
def _left(motion: Motion, pack: Pack, lane: int, limit: float, room: Room) -> tuple[int, int]:
    """Return after which of the last steps a run has diverged or is undefined, and which.

    As of a single run: by its weights, its loss and its gradient. The step is -1 where neither
    holds.
    """
    end, code, is_far = CHUNK + 1, UNDECIDED, False
    for k in range(CHUNK + 1):
        is_number, is_within = True, True
        for i in range(room.weights.size):
            value = pack.trail[k, i, lane]
            is_number = is_number and value == value
            is_within = is_within and abs(value) <= limit
            is_far = is_far or not abs(value) < FAR
        if not is_within:
            end, code = k, DIVERGED if is_number else UNDEFINED
            break
    constants_of(pack, lane, room)
    if motion.has_edges:
        for k in range(end):
            early = _is_steep(motion, pack, lane, k, room)
            if early != UNDECIDED:
                return k, early
    elif is_far:  # loss and gradient grow too large just before the weights do
        while end > 0:
            early = _is_steep(motion, pack, lane, end - 1, room)
            if early == UNDECIDED:
                break
            end, code = end - 1, early
    return (end if code != UNDECIDED else -1), code


@inner
def _is_steep(motion: Motion, pack: Pack, lane: int, row: int, room: Room) -> int:
    """Return whether loss or gradient at a state of the trail are too large, or no numbers."""
    for i in range(room.weights.size):
        room.weights[i] = pack.trail[row, i, lane]
    loss = gradient(motion.program, room.weights, room.constants, room.slope, room.work)
    size = length(room.slope)
    if abs(loss) <= HUGE and size <= HUGE:
        return UNDECIDED
    return DIVERGED if abs(loss) > HUGE or size > HUGE else UNDEFINED


@inner
def _moved(pack: Pack, lane: int, row: int) -> float:
    """Return the largest of the last four changes of a state up to a row of the trail."""
    largest = 0.0
    for k in range(row - 3, row + 1):
        for i in range(pack.trail.shape[1]):
            moved = abs(pack.trail[k, i, lane] - pack.trail[k - 1, i, lane])
            largest = largest if largest >= moved else moved
    return largest


@inner
def _nears(pack: Pack, lane: int, near: float) -> bool:
    """Return whether the changes of a run shrink so that little is left of its way."""
    last = _moved(pack, lane, CHUNK)
    if not last <= 2.0 * near:
        return False
    before = _moved(pack, lane, CHUNK - 16)
    if last <= ROUNDING * near:
        return True
    if not last < before:
        return False
    rate: float = (last / before) ** 0.0625
    return last <= near * (1.0 - rate) or last <= 1e-3 * near * (1.0 - rate * rate)


@inner
def _reached(pack: Pack, lane: int, n: int, at: Any, near: float, checked: int) -> float:
    """Return after which step a run has come within a distance of a point for good."""
    last = _apart(pack, lane, CHUNK, n, at)
    for k in range(CHUNK - 1, -1, -1):
        far = _apart(pack, lane, k, n, at)
        if far > near:
            return float(pack.made[lane] - CHUNK + k + 1)
    first = _apart(pack, lane, 0, n, at)
    if not 0.0 < last < first:
        return float(max(checked, pack.made[lane] - CHUNK))
    rate = math.log(last / first) / CHUNK  # it came near earlier: as fast as now
    step = pack.made[lane] - CHUNK - math.log(near / first) / -rate
    return float(max(math.floor(step), checked))


@inner
def _apart(pack: Pack, lane: int, row: int, n: int, at: Any) -> float:
    far = 0.0
    for i in range(n):
        far = max(far, abs(pack.trail[row, i, lane] - at[i]))
    return far


@inner
def _is_known(pack: Pack, lane: int, known: Any, near: float) -> int:
    """Return the number of the known minimum that a run is near, -1 for none."""
    for row in range(known.shape[0]):
        far = 0.0
        for i in range(known.shape[1] - 1):
            far = max(far, abs(pack.points[i, lane] - known[row, i]))
        if far <= near:
            return row
    return -1


@inner
def _finish(
    pack: Pack, lane: int, cell: int, code: int, steps: float, sharpness: float, found: Found
) -> None:
    """Note what a run does, and where it is."""
    found.codes[cell] = code
    found.steps[cell] = steps
    found.sharpness[cell] = sharpness
    for i in range(pack.points.shape[0]):
        found.ends[cell, i] = pack.points[i, lane]


@inner
def _at_rest(
    motion: Motion,
    pack: Pack,
    lane: int,
    cell: int,
    known: Any,
    checked: Any,
    is_last: bool,
    found: Found,
    room: Room,
) -> bool:
    """Note the equilibrium that a run is at; return whether there is one that decides."""
    n, size = room.weights.size, size_of(pack, lane)
    near = NEAR * size
    row = _is_known(pack, lane, known, near)
    if row >= 0:
        for i in range(n):
            room.weights[i] = known[row, i]
        kind, sharpness = MINIMUM, known[row, n]
    else:
        kind, sharpness, _ = judge(motion, pack, lane, 10.0 * near, room)
    if kind == MINIMUM or kind == MANIFOLD:
        steps = _reached(pack, lane, n, room.weights, near, checked[lane])
        code = AT_MINIMUM if kind == MINIMUM else AT_MANIFOLD
        _finish(pack, lane, cell, code, steps, sharpness, found)
        for i in range(n):
            found.ends[cell, i] = room.weights[i]
        return True
    if kind == REPELLING:
        far = _apart(pack, lane, CHUNK, n, room.weights)
        stands = _moved(pack, lane, CHUNK) == 0.0
        if stands or (is_last and far <= EXACTLY * size):
            _finish(pack, lane, cell, AT_SADDLE, float(pack.made[lane]), sharpness, found)
            return True
    checked[lane] = pack.made[lane]
    return False


@kernel
def follow(
    motion: Motion,
    starts: FloatArray,
    fixed: FloatArray,
    limits: FloatArray,
    known: FloatArray,
    most: int,
    pack: Pack,
    lanes: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    found: Found,
    room: Room,
    progress: NDArray[Any],
    budget: int,
) -> None:
    """Follow runs until it is decided what they do, up to a number of steps.

    It returns when all are decided or the budget is spent; called again, it goes on.

    Parameters
    ----------
    motion : Motion
    starts : ndarray, shape (m, n)
    fixed : ndarray, shape (m, c + n + 9)
        Constants, step sizes of the coordinates and hyperparameters of the runs.
    limits : ndarray, shape (m,)
        Weight beyond which a run has diverged.
    known : ndarray, shape (r, n + 1)
        Isolated minima that attract at all of these parameters, each with its sharpness.
    most : int
    pack : Pack
    lanes : three ndarrays of int64, shape (W,)
        Scratch: run, next closer look, and last look in vain of every lane.
    found : Found
        Receives what is found.
    room : Room
    progress : ndarray of int64, shape (2,)
        The next run that no lane has, -1 at first; and the lanes that have one.
    budget : int
        Chunks of steps of a pack that may be made.
    """
    cells, looks, checked = lanes
    width, following, busy = pack.points.shape[1], progress[0], progress[1]
    if following < 0:
        following = 0
        for lane in range(width):
            cells[lane] = -1
            if following < starts.shape[0]:
                _load(pack, lane, following, starts, fixed, looks, checked)
                cells[lane] = following
                following += 1
                busy += 1
            else:
                _load(pack, lane, 0, starts, fixed, looks, checked)
    while busy and budget > 0:
        budget -= 1
        advance(motion, pack, CHUNK, room)
        for lane in range(width):
            cell = cells[lane]
            if cell < 0:
                continue
            if not _is_decided(
                motion, pack, lane, cell, limits[cell], known, most, looks, checked, found, room
            ):
                continue
            if following < starts.shape[0]:
                _load(pack, lane, following, starts, fixed, looks, checked)
                cells[lane] = following
                following += 1
            else:
                cells[lane] = -1
                busy -= 1
    progress[0], progress[1] = following, busy


@inner
def _is_decided(
    motion: Motion,
    pack: Pack,
    lane: int,
    cell: int,
    limit: float,
    known: Any,
    most: int,
    looks: Any,
    checked: Any,
    found: Found,
    room: Room,
) -> bool:
    """Look at a run after some steps; return whether it need not be followed on."""
    is_number = True
    for i in range(pack.points.shape[0]):
        is_number = is_number and pack.points[i, lane] == pack.points[i, lane]
    if not (pack.peaks[lane] <= limit and is_number):
        step, code = _left(motion, pack, lane, limit, room)
        if step >= 0:
            steps = float(pack.made[lane] - CHUNK + step)
            _finish(pack, lane, cell, code, steps, math.nan, found)
            return True
    made, is_last = pack.made[lane], bool(pack.made[lane] >= most)
    near = NEAR * size_of(pack, lane)
    if (made >= looks[lane] or is_last) and _nears(pack, lane, near):
        if _at_rest(motion, pack, lane, cell, known, checked, is_last, found, room):
            return True
        looks[lane] = int(GROWS * made) + CHUNK
    elif made >= looks[lane] or is_last:
        period = period_of(motion, pack, lane, room)
        if period:
            _finish(pack, lane, cell, CYCLE + period, float(made), math.nan, found)
            return True
        looks[lane] = int(GROWS * made)
    if is_last:
        _finish(pack, lane, cell, UNDECIDED, float(made), math.nan, found)
    return is_last
