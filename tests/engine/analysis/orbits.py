"""Orbits of known fate: the map of equal weights iterated far in plain NumPy, by its formula alone.

Nothing here uses the program. A fate is found from the last of very many steps: what the weights
come to (a minimum, the saddle at 0, a cycle of up to 64 points), or a Lyapunov exponent above 0
over 40,000 steps, or divergence. An orbit of which none can be said is "slow".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FAR = 60_000
"""Steps after which an orbit is looked at."""
SEEN = 40_000
"""Last steps over which the exponent is averaged."""
KEPT = 512


@dataclass(frozen=True)
class Fate:
    """What an orbit comes to: "minimum", "saddle", "cycle", "chaos", "diverged" or "slow"."""

    kind: str
    period: int = 0
    exponent: float = math.nan


@dataclass(frozen=True)
class Case:
    """An orbit of w - step w^(L-1) (w^L - target) from a start."""

    depth: int
    target: float
    step: float
    start: float = 1.0

    @property
    def flattest(self) -> float:
        """Largest step size at which a minimum is stable."""
        return 2.0 / (self.depth * abs(self.target) ** (2.0 * (self.depth - 1) / self.depth))


def fates(cases: list[Case]) -> list[Fate]:
    """Iterate all orbits at once and say what each comes to."""
    depth, target, step, w = (
        np.array([getattr(case, name) for case in cases])
        for name in ("depth", "target", "step", "start")
    )
    logs, rows = np.zeros(len(cases)), np.empty((KEPT, len(cases)))
    with np.errstate(all="ignore"):
        for k in range(FAR):
            power = w ** (depth - 2)
            if k >= FAR - SEEN:
                bend = (2 * depth - 1) * (power * w) ** 2 - (depth - 1) * target * power
                logs += np.log(np.maximum(np.abs(1.0 - step * bend), 1e-300))
            if k >= FAR - KEPT:
                rows[k - FAR + KEPT] = w
            w = w - step * power * w * (power * w * w - target)
            w = np.where(np.abs(w) < 1e6, w, np.inf)
    return [_fate(case, rows[:, i], logs[i] / SEEN) for i, case in enumerate(cases)]


def rows_from_start(cases: list[Case], count: int) -> list[np.ndarray]:
    """Return the first weights of every orbit, at most `count`, up to where it is lost."""
    depth, target, step, start = (
        np.array([getattr(case, name) for case in cases])
        for name in ("depth", "target", "step", "start")
    )
    rows = np.empty((count, len(cases)))
    rows[0] = start
    with np.errstate(all="ignore"):
        for k in range(1, count):
            power = rows[k - 1] ** (depth - 1)
            rows[k] = rows[k - 1] - step * power * (power * rows[k - 1] - target)
    lost = ~(np.abs(rows) < 1e6)
    ends = np.where(lost.any(axis=0), lost.argmax(axis=0), count)
    return [rows[:end, i].copy() for i, end in enumerate(ends)]


def _fate(case: Case, w: np.ndarray, exponent: float) -> Fate:
    if not np.all(np.isfinite(w)):
        return Fate("diverged")
    error = np.abs(w**case.depth - case.target)
    if error.max() < 1e-9 * abs(case.target):
        return Fate("minimum", 1, exponent)
    size = np.abs(w)
    astray = np.all(w**case.depth * case.target <= 0.0)
    if astray and np.all(np.diff(size) <= 0.0) and size.max() < 0.9:
        return Fate("saddle", 1, exponent)
    for period in range(2, 65):
        change = float(np.max(np.abs(w[period:] - w[:-period])))
        apart = min(np.max(np.abs(w[q:] - w[:-q])) for q in range(1, period) if period % q == 0)
        if change < 1e-10 and change < 0.02 * apart * -math.expm1(min(exponent * period, 0.0)):
            return Fate("cycle", period, exponent)
    return Fate("chaos", 0, exponent) if exponent > 5e-3 else Fate("slow", 0, exponent)
