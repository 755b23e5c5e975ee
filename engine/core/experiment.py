"""The contract between an experiment and everything that runs, shows or records it.

An experiment is one final subclass of `AbstractExperiment`. It is stateless: a run lives in the
frozen `State` that `init` makes and `advance` carries on, so that stepping back, scrubbing,
replaying and splitting a run into chunks are the same arithmetic and give the same bits.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray, checked
from engine.core.beside import Analysis
from engine.core.change import Nudge
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.errors import InputError
from engine.core.listing import Listing
from engine.core.outcome import Ending, Outcome
from engine.core.params import Params, describe
from engine.core.sound import soundly
from engine.core.system import Law, System
from engine.core.views import View

ParamsT = TypeVar("ParamsT", bound=Params)
Recent = Mapping[str, FloatArray]
"""The last recorded values of every series, one row a step, ending at the current step.

Shape (m,) or (m, width) with m <= a few thousand, the same m for all series; exact, no gaps.
A row holds NaN where the quantity was not measured at that step.
"""


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True)
class State(Generic[ParamsT]):
    """A point of a run. Subclasses add arrays, which no one may write to after construction.

    What is measured at a state is kept beside it (`engine.core.beside`), never in it.

    `step` is k, the number of updates made since `init`; `diverged_at` is the step at which the
    run left the range of useful numbers, after which `advance` does nothing more. `changed_at` is
    the step at which a live parameter last changed or the state was last pushed, None where neither
    happened: what the run does is judged from the rows after it (`evidence`). The session sets it.
    """

    params: ParamsT
    seed: int
    step: int = 0
    diverged_at: int | None = None
    changed_at: int | None = None

    def evidence(self, recent: Recent) -> Recent:
        """Return the recent rows that belong to the run as it is since its last change.

        The row of the step of the change is that before it; at that step itself the last row is
        all there is.
        """
        if self.changed_at is None:
            return recent
        count = max(self.step - self.changed_at, 1)
        return {key: rows[-count:] for key, rows in recent.items()}


StateT = TypeVar("StateT", bound=State[Any])


class AbstractExperiment(ABC, Generic[ParamsT, StateT]):
    """Base of all experiments; subclasses are final and hold no data of their own.

    Attributes
    ----------
    parameters : type of Params
        The model of the experiment's parameters.
    listing : Listing
        Texts, and how a window should run it; `id`, `title`, `section` and `summary` are its.
    rewindable : bool
        Whether `advance` leaves the given state untouched, so that old states can be kept.
        Where it is False (a network on a GPU) there is no step back.
    default_steps : int
        Steps of a headless run when none are asked for.
    has_ensemble : bool
        Whether `ensemble` works; such an experiment has an integer parameter ``ensemble``.
    model_endings : tuple of str
        Endings of the files that `save_model` writes.
    endings : tuple of Ending
        How runs end, where maps of them tell more apart than the kinds of outcome (`ending`).
    why_no_nudge : str
        Why `nudge` does not work, as the end of a sentence; empty where it does.
    """

    listing: ClassVar[Listing]
    parameters: ClassVar[type[Params]]
    rewindable: ClassVar[bool] = True
    default_steps: ClassVar[int] = 1000
    has_ensemble: ClassVar[bool] = False
    model_endings: ClassVar[tuple[str, ...]] = ()
    endings: ClassVar[tuple[Ending, ...]] = ()
    why_no_nudge: ClassVar[str] = "this experiment's state cannot be pushed"

    def __init_subclass__(cls) -> None:
        """Make claims undecided where they rest on numbers that are not finite."""
        super().__init_subclass__()
        if "claims" in cls.__dict__:
            cls.claims = soundly(cls.claims)  # type: ignore[method-assign]

    @property
    def id(self) -> str:
        """Public id, in kebab-case."""
        return self.listing.id

    @property
    def title(self) -> str:
        """Name in the list."""
        return self.listing.title

    def load(self) -> AbstractExperiment[ParamsT, StateT]:
        """Return the experiment itself, so that it may stand in a list as an entry does."""
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

    def observe(self, state: StateT, recent: Recent) -> Observation:
        """Compute the arrays for pictures at a state; called once per drawn frame at most."""
        return {}

    @abstractmethod
    def outcome(self, state: StateT, recent: Recent) -> Outcome:
        """Describe how the run stands."""

    def ending(self, state: StateT, recent: Recent) -> str:
        """Name which of `endings` a run has come to; asked only where there are some."""
        raise NotImplementedError

    def step_limits(self, params: ParamsT, seed: int) -> tuple[Bound, ...]:
        """List step sizes beyond which the theory has no stable minimum, for curves on maps."""
        return ()

    def theory(self, params: ParamsT, state: StateT | None) -> tuple[Bound, ...]:
        """List what the theory predicts for these parameters, with measurements at `state`."""
        return ()

    def claims(self, params: ParamsT, state: StateT, recent: Recent) -> tuple[Claim, ...]:
        """Confront the statements of the theory with this run."""
        return ()

    @abstractmethod
    def views(self, params: ParamsT) -> tuple[View, ...]:
        """Describe the plots, the most telling first."""

    def final(self, state: StateT, recent: Recent) -> Mapping[str, Any]:
        """Return the numbers `run.json` stores under ``final`` (JSON-ready, finite or None).

        By default the recorded series of one number, as they are at the state.
        """
        row = self.record(state)
        return {
            key: float(value) if np.isfinite(value) else None
            for key, value in row.items()
            if np.ndim(value) == 0
        }

    def arrays(self, state: StateT) -> Mapping[str, NDArray[Any]]:
        """Return the learned parameters by name, for export as NPZ or safetensors.

        By default all arrays of the state.
        """
        values = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    def save_model(self, state: StateT, path: Path) -> str:
        """Write the trained model for other programs, in the form that the ending names.

        Returns
        -------
        str
            What was checked of the file, as a part of a sentence; may be empty.

        Raises
        ------
        InputError
            If this model has no such form.
        LabError
            If a package is missing or the file cannot be written.
        """
        raise InputError("model", path.name, "give a file of learned parameters, .npz")

    def with_arrays(self, state: StateT, arrays: Mapping[str, NDArray[Any]]) -> StateT:
        """Put exported parameters back into a fresh state, so that a run goes on from them.

        Raises
        ------
        InputError
            If names or shapes differ or a value is not finite.
        """
        shapes = {name: values.shape for name, values in self.arrays(state).items()}
        values: dict[str, Any] = dict(checked(arrays, shapes))
        return dataclasses.replace(state, **values)

    def retune(self, state: StateT, params: ParamsT) -> StateT:
        """Go on from a state with other live parameters."""
        return dataclasses.replace(state, params=params)

    def nudge(self, state: StateT, nudge: Nudge) -> StateT:
        """Push a state by a little, the same for the same nudge (`engine.core.change.pushed`).

        Called only of a state that has not diverged.

        Raises
        ------
        InputError
            If the experiment's state cannot be pushed; `why_no_nudge` then says why.
        """
        raise InputError("nudge", self.id, self.why_no_nudge)

    def steps(self, params: ParamsT) -> int:
        """Return the steps of a headless run when none are asked for."""
        return self.default_steps

    def waits(self, state: StateT) -> bool:
        """Return whether more steps may come from outside after the last, and are waited for."""
        return False

    def input_files(self, params: ParamsT) -> Mapping[str, tuple[Path, ...]]:
        """List the files that a run of these parameters reads, by the parameter that names them.

        Raises
        ------
        InputError
            If there are none where they are looked for.
        """
        values = params.model_dump()
        files = {}
        for spec in describe(type(params)):
            value = values[spec.name]
            if spec.widget == "file" and spec.is_active(values) and spec.is_path(value):
                files[spec.name] = (Path(value),)
        return files

    def code_files(self, params: ParamsT) -> Mapping[str, Path]:
        """List the Python files that a run of these parameters executes, by their parameters.

        Only files that the user has trusted are (`engine.storage.user_code`); of others `init`
        raises an error.
        """
        return {}

    def system(self, params: ParamsT, seed: int = 0) -> System[StateT] | None:
        """Describe the step as a smooth map with a derivative; None where it is none.

        `seed` is that of the run; it matters where the run's data are drawn from it.

        Raises
        ------
        InputError
            As `init` does, of the data.
        """
        return None

    def law(self, params: ParamsT, seed: int = 0, apart: Sequence[str] = ()) -> Law | None:
        """Describe how runs move as parameters and start differ; None where that is no data.

        Parameters
        ----------
        params : Params
        seed : int
            Of the run; it matters where the start or the data are drawn from it.
        apart : sequence of str
            Coordinates of the start that differ from run to run, so that what else begins at the
            same value does not stay equal to them.

        Raises
        ------
        InputError
            As `init` does.
        """
        return None

    def analysis_key(self, params: ParamsT, seed: int) -> Hashable | None:
        """Name what `analyse` depends on; None where there is nothing to analyse.

        Parameters that only steer the run (a step size) are not part of it.
        """
        return None

    def analyse(self, params: ParamsT, state: StateT, progress: Progress) -> Analysis | None:
        """Compute what takes longer than a frame (equilibria, normal forms), in the background.

        The result depends on `analysis_key` alone, but may use the state as a hint where to look;
        `theory`, `claims` and `observe` find it with `engine.core.beside.recall`.

        Returns
        -------
        Analysis or None
            None if `progress` asked to stop.
        """
        return None

    def drag(self, params: ParamsT, handle: str, x: float, y: float) -> ParamsT:
        """Answer a handle of a view being dragged to (x, y) with new parameters."""
        return params

    def ensemble(self, params: ParamsT, seed: int, steps: int, progress: Progress) -> Ensemble:
        """Run many seeds (or step sizes) at once, reporting progress and heeding cancel."""
        raise InputError("ensemble", self.id, "this experiment has no ensemble")

    def download(self, name: str, progress: Progress) -> None:
        """Fetch one of the listing's data sets, reporting progress and heeding cancel.

        Raises
        ------
        InputError
            If there is no such data set.
        LabError
            If it could not be fetched, or was cancelled.
        """
        raise InputError("download", name, "this experiment has no data sets")

    def warm_up(self) -> None:
        """Compile what the first steps need; called in the background."""

    def warm_picture(self) -> bool:
        """Call the kernels of a first picture, without what else takes long for one.

        For experiments whose picture takes long for other reasons, too. Returns whether these were
        all that it needs with the usual parameters; where not, it has to be made to find out.
        """
        return False

    def close(self, state: StateT) -> None:
        """Release what a state holds outside Python's memory."""
