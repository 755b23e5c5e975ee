"""Trainability: how a whole run of any experiment ends, over two of its parameters."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.claims import Bound
from engine.core.errors import InputError, LabError
from engine.core.experiment import AbstractExperiment
from engine.core.interrupt import Interrupted
from engine.core.outcome import OutcomeKind
from engine.core.params import Params, ParamSpec, describe, update
from engine.core.registry import get
from engine.maps.axis import Axis
from engine.maps.kind import CellClass, CellField, Cells, Kind, Offer, Overlay, Prepared
from engine.maps.spec import KindId, MapSpec
from engine.run import replay
from engine.run.convergence import first_converged
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.storage import user_code

CELLS = 24
"""Cells along each suggested axis: a run a cell takes milliseconds to seconds."""
SPAN = 10.0
"""A suggested logarithmic axis reaches from a value divided by this to its product with it."""

_USERS = threading.Lock()
"""Held while a run executes a file of the user, which need not know of threads."""

_KINDS = (
    OutcomeKind.CONVERGED,
    OutcomeKind.CONVERGING,
    OutcomeKind.OSCILLATING,
    OutcomeKind.APERIODIC,
    OutcomeKind.DIVERGED,
)
ELSEWHERE, UNDECIDED, NO_RUN = range(len(_KINDS), len(_KINDS) + 3)
CLASSES: Final = (
    CellClass(code=0, name="converged", color="ramp", shade="steps"),
    CellClass(code=1, name="converging", color="6"),
    CellClass(code=2, name="oscillating", color="5"),
    CellClass(code=3, name="aperiodic", color="4"),
    CellClass(code=4, name="diverged", color="bad"),
    CellClass(code=ELSEWHERE, name="rests where no minimum is", color="7"),
    CellClass(code=UNDECIDED, name="undecided", color="muted"),
    CellClass(code=NO_RUN, name="no run begins there", color="text"),
)
_ERRORS: Mapping[str, str] = {
    "error": "final error",
    "error_double": "final error of the pair",
    "mse": "final mean square error",
    "loss": "final loss",
}
"""Series that say how well a run has learned, the first of which a map keeps, and their labels."""


def varied(params: Params) -> tuple[ParamSpec, ...]:
    """Describe the parameters that an axis may vary: those numbers that change a run's steps.

    Real ones first. A whole number is rounded to the nearest in each cell.
    """
    values = params.model_dump()
    specs = [
        spec
        for spec in describe(type(params))
        if spec.kind in ("float", "int")
        and not (spec.for_ensemble or spec.measures)
        and spec.is_active(values)
        and spec.name not in params.unused
    ]
    return tuple(sorted(specs, key=lambda spec: spec.kind != "float"))


class Trainability(Kind):
    """A whole run of the experiment a cell, from the same seed, over two parameters."""

    id: KindId = "trainability"
    title = "Trainability"
    help = "How a run ends, for every pair of values of two parameters."

    def offer(self, experiment: str, params: Any, seed: int) -> Offer | None:
        """Return the parameters that are numbers; None where fewer than two have an effect.

        None, too, where a run executes a file of the user that is not trusted.
        """
        specs = varied(params)
        if len(specs) < 2 or not _is_trusted(experiment, params):
            return None
        by_name = {spec.name: spec for spec in specs}
        first = by_name.get("step_size", specs[0])
        second = next(spec for spec in specs if spec is not first)
        return Offer(
            x_names=tuple(by_name),
            y_names=tuple(by_name),
            x=_around(first, getattr(params, first.name)),
            y=_around(second, getattr(params, second.name)),
            steps=get(experiment).steps(params),
            labels={spec.name: _label(spec) for spec in specs},
        )

    def prepare(self, spec: MapSpec) -> Prepared:
        """Check the axes and the number of steps; nothing is computed yet."""
        experiment = get(spec.experiment)
        by_name = {each.name: each for each in varied(spec.params)}
        for field, axis in (("x", spec.x), ("y", spec.y)):
            if axis.name not in by_name:
                raise InputError(field, axis.name, f"give one of {', '.join(by_name)}")
            _check_range(by_name[axis.name], axis)
        if spec.x.name == spec.y.name:
            raise InputError("y", spec.y.name, "give another parameter than that of x")
        if spec.steps < 1:
            raise InputError("steps", spec.steps, "give a whole number >= 1")
        if spec.options:
            raise InputError("option", next(iter(spec.options)), "this kind of map has none")
        for code in _code(spec.experiment, spec.params):
            user_code.check(code)
        whole = frozenset(name for name, each in by_name.items() if each.kind == "int")
        return WholeRuns(spec, *_error_of(experiment, spec), whole & {spec.x.name, spec.y.name})


def _code(experiment: str, params: Any) -> list[user_code.UserCode]:
    """Read the files of the user that a run executes, without executing them."""
    files = get(experiment).code_files(params)
    return [user_code.read(path, name) for name, path in files.items()]


def _is_trusted(experiment: str, params: Any) -> bool:
    try:
        return all(map(user_code.is_trusted, _code(experiment, params)))
    except LabError:  # a file that cannot be read
        return False


def _label(spec: ParamSpec) -> str:
    return f"{spec.label} ${spec.symbol}$" if spec.symbol else spec.label


def _around(spec: ParamSpec, value: float) -> Axis:
    """Suggest an axis around the present value, within what the parameter may be."""
    low = -math.inf if spec.minimum is None else spec.minimum
    high = math.inf if spec.maximum is None else spec.maximum
    if spec.log and value > 0.0:
        ends = max(value / SPAN, low), min(value * SPAN, high)
        return Axis(name=spec.name, low=ends[0], high=ends[1], count=CELLS, log=True)
    reach = abs(value) or 1.0
    ends = max(value - reach, low), min(value + reach, high)
    return Axis(name=spec.name, low=ends[0], high=ends[1], count=CELLS)


def _check_range(spec: ParamSpec, axis: Axis) -> None:
    for value in axis.values[[0, -1]].tolist():
        if not spec.includes(round(value) if spec.kind == "int" else value):
            raise InputError(axis.name, value, spec.allowed)


def _error_of(experiment: AbstractExperiment[Any, Any], spec: MapSpec) -> tuple[str, str]:
    """Return the series whose last value a cell keeps, and its label.

    The name is empty where an experiment records no single numbers.
    """
    session = Session(experiment, spec.params, spec.seed)
    try:
        recorded = experiment.record(session.state)
    finally:
        session.close()
    known = [(key, label) for key, label in _ERRORS.items() if key in recorded]
    known += [(key, f"final {key}") for key, value in recorded.items() if np.ndim(value) == 0]
    return known[0] if known else ("", "no number")


@dataclass(frozen=True)
class WholeRuns(Prepared):
    """Makes the runs of some cells, one after the other.

    Attributes
    ----------
    error : str
        The recorded series that says how well a run has learned.
    error_label : str
        The same for people.
    whole : frozenset of str
        The parameters among the two whose values are whole numbers.
    """

    spec: MapSpec
    error: str
    error_label: str
    whole: frozenset[str] = frozenset()

    cells_a_job = 1

    @property
    def here_only(self) -> bool:  # type: ignore[override]
        """Whether the runs execute a file of the user, which this process alone trusts."""
        return bool(get(self.spec.experiment).code_files(self.spec.params))

    @property
    def has_threads(self) -> bool:  # type: ignore[override]
        """Whether the runs are made in this process; they hold the GIL."""
        return self.here_only

    @property
    def classes(self) -> tuple[CellClass, ...]:  # type: ignore[override]
        """The ways in which a run ends; what is built layer by layer is complete at its end."""
        endings = get(self.spec.experiment).endings
        if endings:
            made = tuple(
                CellClass(code=code, name=each.name, color=each.color,
                          shade="steps" if each.color == "ramp" else "")
                for code, each in enumerate(endings)
            )  # fmt: skip
            open_, none = CLASSES[UNDECIDED], CLASSES[NO_RUN]
            return (
                *made,
                replace(open_, code=len(made)),
                replace(none, code=len(made) + 1),
            )
        complete = replace(CLASSES[UNDECIDED], name="complete", color="good")
        if "step_size" in type(self.spec.params).model_fields:
            return CLASSES
        return (*CLASSES[:UNDECIDED], complete, *CLASSES[UNDECIDED + 1 :])

    @property
    def fields(self) -> tuple[CellField, ...]:  # type: ignore[override]
        """The class of a run, the error at its end, and the step at which it was decided."""
        return (
            CellField(name="outcome", label="outcome", dtype="u1"),
            CellField(name="error", label=self.error_label, log=True),
            CellField(name="steps", label="step of the end", dtype="i4", log=True),
        )

    def cells(self, x: FloatArray, y: FloatArray, stop: threading.Event) -> Cells:
        """Make the runs of some cells and return how they ended; code of the user one at a time."""
        with _USERS if self.here_only else contextlib.nullcontext():
            return self._cells(x, y, stop)

    def _cells(self, x: FloatArray, y: FloatArray, stop: threading.Event) -> Cells:
        made: dict[str, NDArray[Any]] = {each.name: each.empty(len(x)) for each in self.fields}
        for place, (at_x, at_y) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
            if stop.is_set():
                break
            outcome, error, steps = self._run(at_x, at_y, stop)
            made["outcome"][place] = outcome
            made["error"][place] = error
            made["steps"][place] = steps
        return made

    def overlays(self) -> tuple[Overlay, ...]:
        """Return the step sizes of the theory along the other parameter."""
        spec, found = self.spec, get(self.spec.experiment)
        other = spec.y if spec.x.name == "step_size" else spec.x
        if "step_size" not in (spec.x.name, spec.y.name):
            return ()
        along = other.at(np.arange(other.count, dtype=np.float64) + 0.5)
        curves: dict[str, tuple[Bound, list[float]]] = {}
        for place, value in enumerate(along.tolist()):
            fits = round(value) if other.name in self.whole else value
            try:
                params = update(spec.params, **{other.name: fits})
                bounds = found.step_limits(params, spec.seed)
            except InputError:
                continue
            for bound in bounds:
                values = curves.setdefault(bound.id, (bound, [math.nan] * len(along)))[1]
                values[place] = math.nan if bound.value is None else bound.value
        return tuple(
            self._curve(along, np.array(values), bound.name, bound.source)
            for bound, values in curves.values()
        )

    def found(self, arrays: Mapping[str, NDArray[Any]]) -> tuple[Overlay, ...]:
        """Return the largest step size below which no run diverged, along the other parameter.

        It is drawn between the middles of the last of these cells and of the first that diverged,
        and not at all where the smallest step size diverged: the largest lies beyond the map.
        """
        spec = self.spec
        if "step_size" not in (spec.x.name, spec.y.name):
            return ()
        code = self._code("diverged")
        across = spec.x.name == "step_size"
        diverged = arrays["outcome"] == code
        rows = diverged if across else diverged.T
        axis, other = (spec.x, spec.y) if across else (spec.y, spec.x)
        if rows.shape != (other.count, axis.count) or not rows.any():
            return ()
        first = np.where(rows.any(axis=1), rows.argmax(axis=1), 0)
        steps = np.where(first == 0, np.nan, axis.at(first.astype(np.float64)))
        if not np.isfinite(steps).any():
            return ()
        along = other.at(np.arange(other.count, dtype=np.float64) + 0.5)
        name = "largest step size below all that diverge"
        return (self._curve(along, steps, name, "of these cells", color="text", dash="solid"),)

    def _curve(
        self,
        along: FloatArray,
        steps: FloatArray,
        label: str,
        source: str,
        *,
        color: str = "bound",
        dash: str = "dash",
    ) -> Overlay:
        x, y = (steps, along) if self.spec.x.name == "step_size" else (along, steps)
        return Overlay(x=x, y=y, label=label, color=color, dash=dash, source=source)

    def start_at(self, x: float, y: float) -> dict[str, Any]:
        """Return the values of the two parameters of a cell."""
        values = {self.spec.x.name: float(x), self.spec.y.name: float(y)}
        values |= {name: round(values[name]) for name in self.whole}
        update(self.spec.params, **values)  # raises where no run begins
        return values

    def _run(self, x: float, y: float, stop: threading.Event) -> tuple[int, float, int]:
        """Make the run of one cell and return its class, its last error, and the deciding step."""
        spec = self.spec
        try:
            params = update(spec.params, **self.start_at(x, y))
            run = RunSpec(
                experiment=spec.experiment, params=params, seed=spec.seed, steps=spec.steps
            )
            session = replay.begin(run)
        except InputError:
            return self._code("no run begins there"), math.nan, 0
        try:
            replay.in_chunks(run, session, lambda *_: not stop.is_set())
            return self._ended(session)
        except Interrupted:
            return self._code("undecided"), math.nan, 0
        finally:
            session.close()

    def _code(self, name: str) -> int:
        return next((each.code for each in self.classes if each.name == name), UNDECIDED)

    def _ended(self, session: Session) -> tuple[int, float, int]:
        outcome = session.outcome()
        kind = outcome.kind
        code = _KINDS.index(kind) if kind in _KINDS else UNDECIDED
        if outcome.standing.is_elsewhere and kind is not OutcomeKind.DIVERGED:
            code = ELSEWHERE
        endings = session.experiment.endings
        if endings:
            name = session.experiment.ending(session.state, session.recent())
            code = [each.name for each in endings].index(name)
        recorded = session.experiment.record(session.state)
        last = np.abs(recorded.get(self.error, math.nan))
        steps = session.step
        if kind is OutcomeKind.CONVERGED and session.experiment.rewindable:
            steps = first_converged(session)
        return code, float(np.max(last)), steps
