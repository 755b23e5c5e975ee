"""Step sizes that change along a run: constant, linear, cosine, each after an optional warm-up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

ScheduleKind = Literal["constant", "linear", "cosine"]
SCHEDULES: tuple[ScheduleKind, ...] = ("constant", "linear", "cosine")
"""The kinds; the kernels know each by its place here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The factor of the step size as a continuous function of the number of steps made.

    It rises in a straight line over the first `warmup` steps, falls over the next `length` as
    `kind` says, and then stays.

    Attributes
    ----------
    kind : {"constant", "linear", "cosine"}
    warmup : int
        Steps until the factor is 1; the first of them has the factor 1 / (warmup + 1). 0: none.
    length : int
        Steps in which the factor falls from 1 to `end`, at least 1.
    end : float
        The factor from then on.
    """

    kind: ScheduleKind = "constant"
    warmup: int = 0
    length: int = 1000
    end: float = 0.0

    @property
    def is_constant(self) -> bool:
        """Return whether the step size never changes."""
        return self.warmup == 0 and (self.kind == "constant" or self.end == 1.0)

    def factor(self, k: float) -> float:
        """Return what the step size is multiplied by at the step that follows `k` others."""
        rise = min((k + 1.0) / (self.warmup + 1.0), 1.0)
        gone = min(max((k - self.warmup) / self.length, 0.0), 1.0)
        if self.kind == "linear":
            return rise * (1.0 + (self.end - 1.0) * gone)
        if self.kind == "cosine":
            return rise * (self.end + (1.0 - self.end) * 0.5 * (1.0 + math.cos(math.pi * gone)))
        return rise


CONSTANT = Schedule()
"""The same step size at every step."""
