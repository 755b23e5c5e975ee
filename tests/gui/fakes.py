"""A small real experiment with a parameter of every kind, snapshots of it, and a runner's double.

Gradient descent on ½ s w²: w ↦ (1 − δs) w. Bounds, outcome and claims are known in closed form.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, Literal, final
from unittest.mock import create_autospec

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from engine.core.arrays import FloatArray
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim, Lamp, Verdict
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent, State
from engine.core.listing import Listing
from engine.core.outcome import Outcome, OutcomeKind, Standing
from engine.core.params import Params, param
from engine.core.views import Curve, Handle, PlaneView, Rule, Series, TimeView, View
from engine.run.mailbox import Mailbox
from engine.run.runner import Runner
from engine.run.snapshot import Snapshot, Status
from engine.run.trace import Trace


class FakeParams(Params):
    """Every kind of field once."""

    depth: int = param(3, "Number of layers.", symbol="L", group="Network", ge=1, le=1000, log=True)
    curvature: float = param(
        2.0,
        "Second derivative of the loss.",
        label="Curvature",
        symbol="s",
        group="Network",
        gt=0,
    )
    offset: float = param(0.0, "A shift of either sign.", group="Network", unit="cm")
    init: Literal["identity", "list", "random"] = param(
        "identity", "Where the run starts.", label="Start", group="Start"
    )
    start: tuple[float, ...] = param(
        (1.0, 1.0, 1.0),
        "One weight per layer.",
        label="Weights",
        symbol="w[0]",
        group="Start",
        when={"init": ["list"]},
    )
    spread: float = param(
        0.1, "Width of the random start.", group="Start", ge=0, le=1, when={"init": ["random"]}
    )
    step_size: float = param(
        0.3,
        "Step size of each update.",
        symbol=r"\delta",
        group="Steps",
        gt=0,
        log=True,
        live=True,
        bounds={"source": ["identity", "typed"]},
    )
    method: Literal["gradient", "momentum", "nesterov"] = param(
        "gradient", "Rule of the update.", group="Steps"
    )
    momentum: float = param(
        0.9,
        "Share of the last update that is kept.",
        symbol=r"\beta",
        group="Steps",
        ge=0,
        lt=1,
        live=True,
        when={"method": ["momentum", "nesterov"]},
    )
    projected: bool = param(False, "Clamp the weights at 0.", group="Steps", live=True)
    source: Literal["identity", "typed", "file", "points", "function", "spectrum"] = param(
        "identity", "Where the data come from.", group="Data"
    )
    matrix: tuple[tuple[float, ...], ...] = param(
        ((1.0, 0.0), (0.0, 1.0)),
        "The matrix itself.",
        symbol="R",
        group="Data",
        when={"source": ["typed"]},
    )
    file: str = param(
        "", "CSV or NPY file.", group="Data", widget="path", when={"source": ["file"]}
    )
    points: tuple[tuple[float, float], ...] = param(
        (),
        "Points x, y drawn on the plot.",
        group="Data",
        widget="points",
        when={"source": ["points"]},
    )
    function: str = param(
        "abs(x)",
        "A function of x.",
        symbol="f(x)",
        group="Data",
        widget="expression",
        when={"source": ["function"]},
    )
    note: str = param("", "A remark kept with the run.", group="Data")
    ensemble: int = param(
        20,
        "Runs of an ensemble.",
        group="Ensemble",
        ge=1,
        le=10_000,
        log=True,
        for_ensemble=True,
    )

    @model_validator(mode="after")
    def _weights_match(self) -> FakeParams:
        if self.init == "list" and len(self.start) != self.depth:
            raise InputError("start", list(self.start), f"give {self.depth} numbers, one a layer")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeState(State[FakeParams]):
    """One weight."""

    weight: float


@final
class FakeExperiment(AbstractExperiment[FakeParams, FakeState]):
    """Gradient descent on a parabola."""

    listing: ClassVar[Listing] = Listing(
        id="fake", title="Parabola", section="2", summary="One weight on a parabola."
    )
    parameters: ClassVar[type[Params]] = FakeParams
    has_ensemble: ClassVar[bool] = True

    def init(self, params: FakeParams, seed: int) -> FakeState:
        weight = 1.0
        if params.init == "random":
            weight += params.spread * float(np.random.default_rng(seed).standard_normal())
        return FakeState(params=params, seed=seed, weight=weight)

    def advance(self, state: FakeState, n: int, stride: int = 1) -> tuple[FakeState, Chunk]:
        params = state.params
        weight, rows = state.weight, []
        diverged_at = state.diverged_at
        for _ in range(n if diverged_at is None else 0):
            weight *= 1 - params.step_size * params.curvature
            if abs(weight) > 1e12:
                diverged_at = state.step + len(rows) + 1
                break
            rows.append(weight)
        values = np.array(rows)
        sharp = np.full(len(rows), params.step_size * params.curvature / 2)
        chunk = Chunk.exact(
            state.step + 1, {"weight": values, "error": values**2 / 2, "stability": sharp}
        )
        last = rows[-1] if rows else state.weight
        after = FakeState(
            params=params,
            seed=state.seed,
            step=state.step + len(rows),
            diverged_at=diverged_at,
            weight=last,
        )
        return after, chunk.bucketed(stride)

    def record(self, state: FakeState) -> Mapping[str, FloatArray]:
        w = state.weight
        half = state.params.step_size * state.params.curvature / 2
        return {
            "weight": np.asarray(w),
            "error": np.asarray(w * w / 2),
            "stability": np.asarray(half),
        }

    def observe(self, state: FakeState, recent: Recent) -> Observation:
        grid = np.linspace(-2, 2, 101)
        s = state.params.curvature
        return {
            "x": grid,
            "y": s * grid**2 / 2,
            "w": state.weight,
            "loss": s * state.weight**2 / 2,
            "stability": state.params.step_size * s / 2,
        }

    def outcome(self, state: FakeState, recent: Recent) -> Outcome:
        factor = 1 - state.params.step_size * state.params.curvature
        exponent = math.log(abs(factor)) if factor else None
        common: dict[str, Any] = {"step": state.step, "lyapunov": exponent}
        if state.diverged_at is not None:
            return Outcome(
                kind=OutcomeKind.DIVERGED,
                message=f"The weight left the range of useful numbers at step {state.diverged_at}.",
                phase=f"diverged at k = {state.diverged_at}",
                **common,
            )
        if factor == -1:
            return Outcome(
                kind=OutcomeKind.OSCILLATING,
                message="The weight jumps between two values.",
                phase="period 2",
                period=2,
                orbit=(state.weight, -state.weight),
                **common,
            )
        phase = "monotone" if factor >= 0 else "oscillating"
        return Outcome(
            kind=OutcomeKind.CONVERGING,
            message="The error shrinks.",
            phase=phase,
            standing=Standing.NEARING_MINIMUM,
            **common,
        )

    def theory(self, params: FakeParams, state: FakeState | None) -> tuple[Bound, ...]:
        s = params.curvature
        measured = params.step_size * s / 2 if state is not None else None
        return (
            Bound(
                id="delta_c",
                name="Monotone up to",
                symbol=r"\delta_c",
                value=1 / s,
                source="Proposition 2",
                formula=r"\frac{1}{s}",
                field="step_size",
            ),
            Bound(
                id="delta_max",
                name="Stable up to",
                symbol=r"\delta_{\max}",
                value=2 / s,
                source="Proposition 1, eq. (1)",
                formula=r"\frac{2}{s}",
                field="step_size",
                measured=2 / s,
                measured_symbol=r"2/S",
                note="Beyond it no equilibrium is stable.",
            ),
            Bound(
                id="stability",
                name="Stability",
                symbol=r"\delta S / 2",
                value=params.step_size * s / 2,
                source="Proposition 1",
                formula=r"\frac{\delta s}{2}",
                measured=measured,
            ),
            Bound(
                id="prop3",
                name="Sinks to 0 up to",
                symbol=r"\frac{1}{\sigma(1-\lambda)}",
                value=None,
                source="Proposition 3",
                field="step_size",
                note="It needs a negative target.",
            ),
        )

    def claims(self, params: FakeParams, state: FakeState, recent: Recent) -> tuple[Claim, ...]:
        holds = params.step_size <= 2 / params.curvature
        return (
            Claim(
                id="proposition-1",
                title="Stable only below δ_max",
                source="Proposition 1",
                statement="An equilibrium is asymptotically stable only if δ ≤ 2/S.",
                assumptions=(
                    Lamp("curvature is positive", True, f"s = {params.curvature:g}"),
                    Lamp("plain gradient descent", params.method == "gradient", params.method),
                ),
                predicted="converges" if holds else "does not converge",
                measured=f"w = {state.weight:.6g}",
                verdict=Verdict.HOLDS if params.method == "gradient" else Verdict.NOT_APPLICABLE,
            ),
        )

    def views(self, params: FakeParams) -> tuple[View, ...]:
        return (
            TimeView(
                id="weight",
                title="Weight",
                help="The weight along the steps.",
                y_label="w",
                series=(Series(key="weight", label="w"),),
                rules=(Rule(label="minimum", value=0.0),),
            ),
            PlaneView(
                id="loss",
                title="Loss",
                help="The parabola and where the run is on it.",
                x_label="w",
                y_label="loss",
                items=(Curve(x="x", y="y"), Handle(id="w", x="w", y="loss", label="start")),
            ),
        )

    def final(self, state: FakeState, recent: Recent) -> Mapping[str, Any]:
        return {"weights": [state.weight], "error": state.weight**2 / 2}

    def arrays(self, state: FakeState) -> Mapping[str, NDArray[Any]]:
        return {"weight": np.array([state.weight])}

    def with_arrays(self, state: FakeState, arrays: Mapping[str, NDArray[Any]]) -> FakeState:
        return dataclasses.replace(state, weight=float(arrays["weight"][0]))

    def ensemble(self, params: FakeParams, seed: int, steps: int, progress: Progress) -> Ensemble:
        errors: list[float | None] = []
        cancelled = False
        for index in range(params.ensemble):
            state = self.init(params, seed + index)
            state, _ = self.advance(state, steps)
            errors.append(None if state.diverged_at is not None else state.weight**2 / 2)
            if not progress((index + 1) / params.ensemble, f"run {index + 1}"):
                cancelled = True
                break
        known = [error for error in errors if error is not None]
        return Ensemble(
            columns={"seed": [seed + i for i in range(len(errors))], "error": errors},
            summary={
                "runs": len(errors),
                "fraction_diverged": 1 - len(known) / max(len(errors), 1),
                "median_error": float(np.median(known)) if known else None,
            },
            cancelled=cancelled,
        )


def snapshot(
    params: FakeParams | None = None,
    *,
    steps: int = 10,
    status: Status = Status.PAUSED,
    run_id: int = 1,
    frame: int = 0,
    **changes: Any,
) -> Snapshot:
    """Run the fake experiment for some steps and take its picture; `changes` replace its fields."""
    experiment = FakeExperiment()
    params = params or FakeParams()
    state = experiment.init(params, 0)
    trace = Trace(experiment.record(state))
    state, chunk = experiment.advance(state, steps)
    trace.add(chunk)
    recent = trace.recent()
    fields: dict[str, Any] = {
        "run_id": run_id,
        "frame": frame,
        "status": status,
        "experiment": experiment.id,
        "params": params,
        "seed": 0,
        "step": state.step,
        "cursor": state.step,
        "target": None,
        "trace": trace.view(),
        "observation": experiment.observe(state, recent),
        "outcome": experiment.outcome(state, recent),
        "theory": experiment.theory(params, state),
        "claims": experiment.claims(params, state, recent),
        "changes": (),
        "steps_per_second": 0.0,
    }
    return Snapshot(**{**fields, **changes})


def runner_double() -> Any:
    """Make a double of the engine's runner: it has its verbs and signatures, and runs nothing.

    `method_calls` has what it was asked; a test puts snapshots into its mailbox. Runs are numbered
    from 1.
    """
    runner = create_autospec(Runner, instance=True)
    ids = count(1)
    runner.start.side_effect = runner.resume.side_effect = lambda *_, **__: next(ids)
    runner.close.return_value = True
    runner.mailbox = Mailbox()
    runner.drawing_seconds = 0.0
    runner.on_drop = None
    return runner
