"""What the engine shows to a watcher: one frozen picture of a run at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.experiment import Bound, Claim, Ensemble, Observation, Outcome
    from engine.params import Params
    from engine.trace import TraceView

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Status(StrEnum):
    """The runner's state machine: idle → compiling → paused ⇄ running → finished | failed."""

    IDLE = "idle"
    COMPILING = "compiling"
    PAUSED = "paused"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Nudge:
    """A random push of a run's state: by `size` times its norm, in a direction made of `seed`."""

    size: float = 1e-6
    seed: int = 0

    @property
    def size_text(self) -> str:
        """The size for reading: 10⁻⁶, or 0.003 where it is no power of ten."""
        mantissa, _, exponent = f"{self.size:.15e}".partition("e")
        if float(mantissa) != 1:
            return f"{self.size:g}"
        return "10" + str(int(exponent)).translate(_SUPERSCRIPT)


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a run when `step` updates had been made.

    Live parameters were given new `values`, or, where there is a `nudge`, its state was pushed.
    Changes of one step are in the order in which they were made.
    """

    step: int
    values: Mapping[str, Any] = field(default_factory=dict)
    nudge: Nudge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run at a moment. `step` is where the run is, `cursor` the step that is shown (≤ step).

    Everything but `trace` belongs to the cursor. `frame` counts snapshots of a run; `run_id`
    changes with every reset, so that a late snapshot of an old run can be dropped. `progress`
    (0 to 1) and `seconds_left` belong to a long job, such as an ensemble; `error` is a traceback.
    """

    run_id: int
    frame: int
    status: Status
    experiment: str
    params: Params
    seed: int
    step: int
    cursor: int
    target: int | None
    trace: TraceView
    observation: Observation
    outcome: Outcome
    theory: tuple[Bound, ...]
    claims: tuple[Claim, ...]
    changes: tuple[Change, ...]
    steps_per_second: float
    ensemble: Ensemble | None = None
    progress: float | None = None
    seconds_left: float | None = None
    message: str = ""
    error: str = ""

    @property
    def is_live(self) -> bool:
        """Whether the shown step is the run's own."""
        return self.cursor == self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A run that could not begin: a sentence, and a traceback unless the input was at fault."""

    run_id: int
    message: str
    error: str = ""
