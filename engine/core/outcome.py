"""How a run stands or ended: the kind, where it rests, and the words for both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CONVERGED = 1e-10
"""Relative error up to which a run counts as converged."""
CONVERGED_IN_ENSEMBLE = 1e-8
"""The same for a run of an ensemble.

Its budget of steps is shared by all seeds and step sizes, among them some that shrink the error by
a small share per step only, and of its steps a few checkpoints are kept: whether the last digits
are still shrinking, which lets a single run wait for 1e-10, is not seen. The tables of shares in
the reference are counted with this number.
"""


class OutcomeKind(StrEnum):
    """How a run stands or ended; the values are the public contract of `run.json`."""

    CONVERGED = "converged"
    CONVERGING = "converging"
    OSCILLATING = "oscillating"
    APERIODIC = "aperiodic"
    DIVERGED = "diverged"
    MAX_STEPS = "max_steps"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Standing(StrEnum):
    """Where a run rests, or which rest it comes nearer to, as its last steps show.

    A saddle is any equilibrium that is no minimum and is known by a name.
    """

    OPEN = "open"
    """It moves on, or is undecided."""
    SETTLING = "settling"
    """It comes to rest, whether at a minimum or not."""
    NEARING_MINIMUM = "nearing a minimum"
    AT_MINIMUM = "at a minimum"
    AT_UNSTABLE_MINIMUM = "at an unstable minimum"
    """Exactly on a minimum that its step size cannot hold."""
    NEARING_SADDLE = "nearing a saddle"
    AT_SADDLE = "at a saddle"
    AT_NO_MINIMUM = "at no minimum"
    """It does not move, and the error there is large."""

    @property
    def is_precarious(self) -> bool:
        """Whether a run rests where the smallest push drives it away, or where no minimum is."""
        return self in (Standing.AT_UNSTABLE_MINIMUM, Standing.AT_SADDLE, Standing.AT_NO_MINIMUM)

    @property
    def is_by_minimum(self) -> bool:
        """Whether a run is at a minimum or comes nearer to one."""
        at = (Standing.AT_MINIMUM, Standing.AT_UNSTABLE_MINIMUM)
        return self is Standing.NEARING_MINIMUM or self in at

    @property
    def is_elsewhere(self) -> bool:
        """Whether a run rests or comes to rest where no minimum is."""
        at = (Standing.AT_SADDLE, Standing.AT_NO_MINIMUM)
        return self is Standing.NEARING_SADDLE or self in at


@dataclass(frozen=True, slots=True)
class Ending:
    """A way in which runs of one experiment end, for maps of many of them.

    Attributes
    ----------
    name : str
        In the legend.
    color : str
        A role of `engine.core.views`, or ``"ramp"`` for one that is shaded by the step of the end.
    """

    name: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponent:
    """A Lyapunov exponent in nats per step, as measured over the recent steps.

    `error` is the standard error, None where it is not known (too few steps) or where the value
    is that of a point and not an average. `of` names the displacements that grow or shrink so.
    """

    value: float
    error: float | None = None
    of: str = ""

    def __str__(self) -> str:
        """Write the value with its standard error, and what it is of."""
        error = "" if self.error is None else f" ± {self.error:.2g}"
        return f"{self.value:.4g}{error} per step" + (f" {self.of}" if self.of else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the recent steps show.

    `phase` is the short text of the phase badge ("monotone", "period 2", "diverged at k = 41"),
    which is for reading; `standing` is what it says of rest. `lyapunov` is the largest exponent per
    step (nats) where it is known, `exponents` that and the others, each with its standard error and
    its directions; `orbit` the points of a cycle and `orbit_of` what they are values of ("w", "the
    product"). `since` is the step of the last change or push, after which the evidence begins; None
    where there was none.
    """

    kind: OutcomeKind
    step: int
    message: str
    phase: str = ""
    standing: Standing = Standing.OPEN
    period: int | None = None
    orbit: tuple[float, ...] = ()
    orbit_of: str = ""
    lyapunov: float | None = None
    exponents: tuple[Exponent, ...] = ()
    since: int | None = None
