"""Whether the orbit of equal weights attracts weights that differ a little."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.analysis.exponents import exponent_of
from engine.core.arrays import FloatArray
from engine.core.outcome import Exponent

TRANSIENT, STEPS = 1024, 4096
"""Steps of the orbit that are left out, and those that are averaged over."""
LONGEST = 64
"""Period up to which an orbit is looked at as a cycle."""
SIGMAS = 3.0
"""Standard errors by which the exponent must be off 0."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The growth of what draws equal weights apart.

    Attributes
    ----------
    exponent : Exponent
        Transverse to the line of equal weights, along the orbit from 1.
    is_cycle : bool
        Whether that orbit repeats itself, so that a negative exponent proves that it attracts. Of
        an aperiodic orbit the exponent is an average: cycles within it may repel.
    """

    exponent: Exponent
    is_cycle: bool

    @property
    def is_stable(self) -> bool | None:
        """Whether it shrinks; None where the error leaves that open."""
        margin = SIGMAS * (self.exponent.error or 0.0)
        if abs(self.exponent.value) <= margin:
            return None
        return self.exponent.value < 0.0


@lru_cache(maxsize=64)
def parting(step: float, depth: int, target: float) -> Parting | None:
    """Compute the transverse exponent of equal weights; None where they diverge.

    Parameters
    ----------
    step : float
        Step size times input power.
    depth : int
        At least 2.
    target : float
    """
    from engine.kernels.scalar.parting import parting_growth

    logs = np.empty(STEPS)
    if not parting_growth(step, depth, target, 1.0, TRANSIENT, logs):
        return None
    exponent = exponent_of(logs, "with the weights drawn apart")
    return None if exponent is None else Parting(exponent, _repeats(logs))


def _repeats(logs: FloatArray) -> bool:
    """Return whether growth rates repeat with a period of at most `LONGEST`."""
    return any(
        np.allclose(logs[period:], logs[:-period], rtol=0.0, atol=1e-6)
        for period in range(1, LONGEST + 1)
    )
