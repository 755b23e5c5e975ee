"""The contract between an experiment and everything that runs, shows or records it.

An experiment is one final subclass of `AbstractExperiment`. It is stateless: a run lives in the
frozen `State` that `init` makes and `advance` carries on, so that stepping back, scrubbing,
replaying and splitting a run into chunks are the same arithmetic and give the same bits.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.outcome import Outcome as Outcome  # also found here, as a part of the contract
from engine.outcome import OutcomeKind as OutcomeKind
from engine.params import Params
from engine.snapshot import Nudge
from engine.views import View

FloatArray = NDArray[np.float64]
ParamsT = TypeVar("ParamsT", bound=Params)
Recent = Mapping[str, FloatArray]
"""The last recorded values of every series, one row a step, ending at the current step.

Shape (m,) or (m, width) with m <= a few thousand, the same m for all series; exact, no gaps.
A row holds NaN where the quantity was not measured at that step.
"""
Observation = Mapping[str, Any]
"""Named arrays, numbers and texts that views draw: `engine.views` says which shapes each needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Generic[ParamsT]):
    """A point of a run. Subclasses add arrays, which no one may write to after construction.

    `step` is k, the number of updates made since `init`; `diverged_at` is the step at which the
    run left the range of useful numbers, after which `advance` does nothing more.
    """

    params: ParamsT
    seed: int
    step: int = 0
    diverged_at: int | None = None


StateT = TypeVar("StateT", bound=State[Any])


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was recorded while a state advanced: buckets of `stride` consecutive steps.

    `low` and `high` hold, per series, the smallest and largest value within each bucket, shape
    (buckets,) or (buckets, width). With stride 1 both are the same exact values. The first bucket
    begins at step `first`; `count` steps are covered, so the last bucket may be shorter.
    """

    first: int
    count: int
    stride: int
    low: Mapping[str, FloatArray]
    high: Mapping[str, FloatArray]

    @classmethod
    def exact(cls, first: int, series: Mapping[str, FloatArray]) -> Chunk:
        """Wrap series recorded at every step from `first` on."""
        count = len(next(iter(series.values()))) if series else 0
        return cls(first, count, 1, series, series)

    def bucketed(self, stride: int) -> Chunk:
        """Reduce an exact chunk to the minimum and maximum of every `stride` steps."""
        if stride == self.stride or self.count == 0:
            return self
        starts = np.arange(0, self.count, stride)
        low = {key: np.fmin.reduceat(values, starts, axis=0) for key, values in self.low.items()}
        high = {key: np.fmax.reduceat(values, starts, axis=0) for key, values in self.high.items()}
        return Chunk(self.first, self.count, stride, low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    r"""One number that the theory predicts, with what was measured beside it.

    Attributes
    ----------
    id, name, symbol : str
        Stable key, words, and mathtext (without dollars), for example ``\\delta_{\\max}``.
    value : float or None
        The prediction; None where the formula does not apply (the note says why).
    source : str
        "Proposition 1, eq. (1)".
    formula : str
        Mathtext of the defining formula, without dollars.
    field : str
        Parameter that the value can be given to (snap buttons, "× δ_max" unit), or empty.
    measured, measured_symbol : float or None, str
        The measured counterpart and its mathtext.
    note : str
        When it holds, an erratum, or what the number means, one or two sentences.
    """

    id: str
    name: str
    symbol: str
    value: float | None
    source: str
    formula: str = ""
    field: str = ""
    measured: float | None = None
    measured_symbol: str = ""
    note: str = ""


class Verdict(StrEnum):
    """What a measurement says of a claim."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_APPLICABLE = "does not apply"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Lamp:
    """An assumption of a claim: on, off or unknown (None); `detail` gives the measured number."""

    name: str
    on: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement of the paper, its assumptions, and what this run says of it."""

    id: str
    title: str
    source: str
    statement: str
    assumptions: tuple[Lamp, ...]
    predicted: str
    measured: str
    verdict: Verdict
    note: str = ""


Progress = Callable[[float, str], bool]
"""Called with the fraction done and a short text; returns False when the job should stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Many runs at once: a table with a row per run, numbers that sum it up, and pictures.

    `columns` maps a heading to a list with one entry per run; `summary` holds what `run.json`
    stores under ``final.ensemble``; `views` draw what is in `observation`.
    """

    columns: Mapping[str, list[Any]]
    summary: Mapping[str, Any]
    observation: Observation = field(default_factory=dict)
    views: tuple[View, ...] = ()
    claims: tuple[Claim, ...] = ()
    cancelled: bool = False


class AbstractExperiment(ABC, Generic[ParamsT, StateT]):
    """Base of all experiments; subclasses are final and hold no data of their own.

    Attributes
    ----------
    parameters : type of Params
        The model of the experiment's parameters.
    id, title, section, summary : str
        Public id (kebab-case), name in the list, section of the paper, and one sentence.
    rewindable : bool
        Whether `advance` leaves the given state untouched, so that old states can be kept.
        Where it is False (a network on a GPU) there is no step back.
    default_steps : int
        Steps of a headless run when none are asked for.
    has_ensemble : bool
        Whether `ensemble` works; such an experiment has an integer parameter ``ensemble``.
    steps_per_call : int
        Steps made in one call at most while someone watches; 1 where a step may take long.
    cadence : float
        Steps per second at which a newcomer should first see it play (the window's speed slider).
    picture_share : float
        Share of a core that pictures may take while a run goes as fast as it can; small where the
        steps need all cores, from which drawing takes it away.
    long_step : str
        What a step does that takes much longer than those before it, as a state of the run.
    why_no_nudge : str
        Why `nudge` does not work, as the end of a sentence; empty where it does.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    section: ClassVar[str]
    summary: ClassVar[str]
    parameters: ClassVar[type[Params]]
    rewindable: ClassVar[bool] = True
    default_steps: ClassVar[int] = 1000
    has_ensemble: ClassVar[bool] = False
    steps_per_call: ClassVar[int] = 10**9
    cadence: ClassVar[float] = 60.0
    picture_share: ClassVar[float] = math.inf
    long_step: ClassVar[str] = "Working…"
    why_no_nudge: ClassVar[str] = "this experiment's state cannot be pushed"

    def load(self) -> AbstractExperiment[ParamsT, StateT]:
        """Give the experiment itself, which may stand in a list like any `engine.listing`."""
        return self

    @abstractmethod
    def init(self, params: ParamsT, seed: int) -> StateT:
        """Make the state at step 0.

        Raises
        ------
        InputError
            If the parameters, or a file they name, cannot be used together.
        """

    @abstractmethod
    def advance(self, state: StateT, n: int, stride: int = 1) -> tuple[StateT, Chunk]:
        """Make up to `n` updates in one call that releases the GIL.

        The chunk covers steps ``state.step + 1`` to the new state's step: fewer than `n` when the
        run diverges or ends. The new state has the same bits however `n` is split and whatever
        the stride. Divergence sets `diverged_at`; it never raises, warns or records inf or nan.
        """

    @abstractmethod
    def record(self, state: StateT) -> Mapping[str, FloatArray]:
        """Measure at one state the series that `advance` records, each of shape () or (width,)."""

    @abstractmethod
    def observe(self, state: StateT, recent: Recent) -> Observation:
        """Compute the arrays for pictures at a state; called once per drawn frame at most."""

    @abstractmethod
    def outcome(self, state: StateT, recent: Recent) -> Outcome:
        """Say how the run stands."""

    @abstractmethod
    def theory(self, params: ParamsT, state: StateT | None) -> tuple[Bound, ...]:
        """List what the paper predicts for these parameters, with measurements at `state`."""

    @abstractmethod
    def claims(self, params: ParamsT, state: StateT, recent: Recent) -> tuple[Claim, ...]:
        """Confront the paper's statements with this run."""

    @abstractmethod
    def views(self, params: ParamsT) -> tuple[View, ...]:
        """Describe the plots, the most telling first."""

    @abstractmethod
    def final(self, state: StateT, recent: Recent) -> Mapping[str, Any]:
        """Give the numbers `run.json` stores under ``final`` (JSON-ready, finite or None)."""

    @abstractmethod
    def arrays(self, state: StateT) -> Mapping[str, NDArray[Any]]:
        """Give the learned parameters by name, for export as NPZ or safetensors."""

    def with_arrays(self, state: StateT, arrays: Mapping[str, NDArray[Any]]) -> StateT:
        """Put exported parameters back into a fresh state, so that a run goes on from them.

        Raises
        ------
        InputError
            If names or shapes differ or a value is not finite.
        """
        raise InputError("model", self.id, "this experiment cannot load learned parameters")

    def retune(self, state: StateT, params: ParamsT) -> StateT:
        """Go on from a state with other live parameters."""
        return dataclasses.replace(state, params=params)

    def nudge(self, state: StateT, nudge: Nudge) -> StateT:
        """Push a state by a little, the same for the same `nudge` (see `engine.nudge.pushed`).

        Called only of a state that has not diverged.

        Raises
        ------
        InputError
            If the experiment's state cannot be pushed; `why_no_nudge` then says why.
        """
        raise InputError("nudge", self.id, self.why_no_nudge)

    def steps(self, params: ParamsT) -> int:
        """Give the steps of a headless run when none are asked for."""
        return self.default_steps

    def drag(self, params: ParamsT, handle: str, x: float, y: float) -> ParamsT:
        """Answer a handle of a view being dragged to (x, y) with new parameters."""
        return params

    def ensemble(self, params: ParamsT, seed: int, steps: int, progress: Progress) -> Ensemble:
        """Run many seeds (or step sizes) at once, reporting progress and heeding cancel."""
        raise InputError("ensemble", self.id, "this experiment has no ensemble")

    def warm_up(self) -> None:
        """Compile what the first steps need; called in the background."""

    def close(self, state: StateT) -> None:
        """Let go of what a state holds outside Python's memory."""
