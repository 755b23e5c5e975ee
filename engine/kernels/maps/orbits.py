"""Orbits of many runs at once, after the steps in which they settle."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.jit import kernel
from engine.kernels.maps.advance import CHUNK, Motion, Pack, Room, advance
from engine.kernels.maps.laps import candidate, change, has_derivative, log_lap, size_of
from engine.kernels.maps.rest import NOWHERE, judge


@kernel
def settle(
    motion: Motion,
    starts: FloatArray,
    fixed: FloatArray,
    limits: FloatArray,
    transient: int,
    pack: Pack,
    points: FloatArray,
    laps: FloatArray,
    periods: NDArray[Any],
    ends: FloatArray,
    room: Room,
) -> None:
    """Follow runs from their starts and keep their states after a transient.

    Parameters
    ----------
    motion, starts, fixed, limits, pack, room
        As of `engine.kernels.maps.outcomes.follow`.
    transient : int
        Steps that are left out, in whole chunks.
    points : ndarray, shape (m, kept, n)
        Receives the weights after those; nan of a run that left. Kept are whole chunks.
    laps : ndarray, shape (m,)
        Receives the exponent of a run that repeats, from the derivative of its lap: nan for others.
    periods : ndarray of int64, shape (m,)
        Receives their periods, 1 at an equilibrium; 0 for others.
    ends : ndarray, shape (m, copies * n)
        Receives the last states.
    room : Room
    """
    count, n = starts.shape
    width, size = pack.points.shape[1], pack.points.shape[0]
    kept = points.shape[1]
    for first in range(0, count, width):
        for lane in range(width):
            cell = min(first + lane, count - 1)
            for i in range(size):
                pack.points[i, lane] = starts[cell, i] if i < n else 0.0
            for i in range(pack.fixed.shape[0]):
                pack.fixed[i, lane] = fixed[cell, i]
            pack.made[lane] = 0
        used = min(width, count - first)
        for lane in range(used):
            periods[first + lane] = 0
        for begin in range(0, transient + kept, CHUNK):
            advance(motion, pack, CHUNK, room)
            for lane in range(used):
                is_within = pack.peaks[lane] <= limits[first + lane]
                for i in range(size):
                    is_within = is_within and abs(pack.points[i, lane]) < math.inf
                if not is_within:
                    periods[first + lane] = -1
                for k in range(CHUNK):
                    row = begin + k - transient
                    if 0 <= row < kept:
                        for i in range(n):
                            points[first + lane, row, i] = pack.trail[k + 1, i, lane]
        for lane in range(used):
            cell = first + lane
            laps[cell] = math.nan
            for i in range(size):
                ends[cell, i] = pack.points[i, lane]
            if periods[cell] < 0:
                points[cell] = math.nan
                continue
            if not has_derivative(motion):
                continue
            near = 1e-6 * size_of(pack, lane)
            period = candidate(pack, lane, size_of(pack, lane))
            if period == 1:
                kind, _, factor = judge(motion, pack, lane, near, room)
                if kind != NOWHERE:
                    periods[cell] = 1
                    laps[cell] = math.log(factor) if factor > 0.0 else -math.inf
            elif period > 1:
                log = log_lap(motion, pack, lane, period, room)
                if log < 0.0 or change(pack, lane, period, 2) == 0.0:
                    periods[cell], laps[cell] = period, log / period
