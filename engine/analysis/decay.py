r"""Whether a series shrinks to 0, and whether it does so exponentially or as a power of k.

A window is cut into parts, and the largest magnitude of each is compared with the next. With
:math:`s=-\mathrm d\log|e|/\mathrm dk` the rate and :math:`D` the fall of the logarithm over a
stretch of the window, the relative fall of the rate over the same stretch is

- 0 for an exponential,
- :math:`D/p` for the power law :math:`k^{-p}`, seen early or late,
- :math:`D\,a/(|e|-a)` where the series levels off at :math:`a`,
- negative where it accelerates, as on the way from a saddle.

The ratio of the two therefore distinguishes the cases at every scale, where the motion is smooth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

PARTS = 8
"""Parts of a window; by chance their maxima fall from one to the next in 1 of 40,000 cases."""
STEEPEST_POWER = 8.0
"""Largest exponent p of a power law that is looked for."""
UNEVEN = 0.25
"""Largest relative spread of the rate of an exponential, where it is seen over many e-folds."""
CLEAR = 0.25
"""Share of the power law's own change of the rate within which a rate counts as constant."""


@dataclass(frozen=True, slots=True)
class Decay:
    """A series whose maxima fall from part to part.

    `rate` is that of the last half of the window per step, `fall` the drop of the logarithm between
    the maxima of the first and the last part, `bend` the relative fall of the rate over the drop of
    the logarithm (0: exponential, 1/p: power law), `spread` the relative spread of the rates, and
    `last` the maximum of the last part.
    """

    rate: float
    fall: float
    bend: float
    spread: float
    last: float

    @property
    def factor(self) -> float:
        """The factor per step."""
        return math.exp(-self.rate)

    @property
    def is_exponential(self) -> bool:
        """Whether the rate is constant, and a power law of any usual exponent would not be."""
        return self.spread <= min(UNEVEN, CLEAR * self.fall / STEEPEST_POWER)

    @property
    def is_power_law(self) -> bool:
        """Whether the rate falls as that of a power law from 1/8 to 8 does."""
        return 1.0 / STEEPEST_POWER <= self.bend <= STEEPEST_POWER and not self.is_exponential


def decay_of(values: Array) -> Decay | None:
    """Measure how a series shrinks; None where it does not shrink in every part of the window.

    Parameters
    ----------
    values : ndarray, shape (m,)
        Errors or distances of consecutive steps.
    """
    if values.size < PARTS:
        return None
    length = values.size // PARTS
    used = np.abs(values[-PARTS * length :]).reshape(PARTS, length)
    peaks = used.max(axis=1)
    if not (np.all(peaks > 0.0) and np.all(np.isfinite(peaks))):
        return None
    logs = np.log(peaks)
    rates = -np.diff(logs) / length
    if not np.all(rates > 0.0):
        return None
    early, late = float(np.mean(rates[:3])), float(np.mean(rates[-3:]))
    middle = float(np.mean(rates))
    drop = 4.0 * length * middle  # of the logarithm between the middles of both
    return Decay(
        rate=late,
        fall=float(logs[0] - logs[-1]),
        bend=(early - late) / (middle * drop),
        spread=float(np.ptp(rates)) / middle,
        last=float(peaks[-1]),
    )
