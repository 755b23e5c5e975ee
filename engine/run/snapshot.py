"""What the engine shows to a watcher: one frozen picture of a run at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.core.change import Change
    from engine.core.claims import Bound, Claim
    from engine.core.ensemble import Ensemble, Observation
    from engine.core.errors import Refusal
    from engine.core.outcome import Outcome
    from engine.core.params import Params
    from engine.run.trace import TraceView


class Status(StrEnum):
    """The runner's state machine: idle → compiling → paused ⇄ running → finished | failed."""

    IDLE = "idle"
    COMPILING = "compiling"
    PAUSED = "paused"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run at a moment. `step` is where the run is, `cursor` the step that is shown (≤ step).

    Everything but `trace` belongs to the cursor. `frame` counts snapshots of a run; `run_id`
    changes with every reset, so that a late snapshot of an old run can be dropped. `progress`
    (0 to 1) and `seconds_left` belong to a long job, such as an ensemble; `error` is a traceback.
    `refusal` is set where `message` says that a value was refused; `compiling` says how far the
    kernels are that the run needs to go on.
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
    refusal: Refusal | None = None
    compiling: str = ""

    @property
    def is_live(self) -> bool:
        """Whether the shown step is the run's own."""
        return self.cursor == self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A run that could not begin: a sentence, and a traceback unless the input was at fault.

    `refusal` names the value that is at fault, where there is one.
    """

    run_id: int
    message: str
    error: str = ""
    refusal: Refusal | None = None
