"""A small experiment for tests of the run machinery: w ← w − δ(w − λ) with momentum-free steps."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.experiment import AbstractExperiment, Recent, State
from engine.core.listing import Listing
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.params import Params, param
from engine.core.views import Series, TimeView, View


class LinearParams(Params):
    """Parameters of the fake."""

    step_size: float = param(0.1, "Step size", symbol=r"\delta", gt=0, le=10, log=True, live=True)
    target: float = param(2.0, "Target", symbol=r"\lambda")
    width: int = param(2, "Number of coordinates", ge=1, le=8)
    ensemble: int = param(1, "Number of runs", ge=1, le=100, for_ensemble=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearState(State[LinearParams]):
    """State of the fake; `weights` has shape (width,)."""

    weights: FloatArray = field(default_factory=lambda: np.ones(1))


class LinearMap(AbstractExperiment[LinearParams, LinearState]):
    """Exactly solvable: w[k] − λ = (1 − δ)^k (w[0] − λ)."""

    listing = Listing(id="linear-map", title="Linear map", section="test", summary="A fake.")
    parameters = LinearParams
    why_no_nudge = ""

    def __init__(self) -> None:
        self.fail_at: int | None = None
        self.gate = threading.Event()
        self.gate.set()

    def init(self, params: LinearParams, seed: int) -> LinearState:
        start = np.random.default_rng(seed).normal(size=params.width)
        return LinearState(params=params, seed=seed, weights=start)

    def advance(self, state: LinearState, n: int, stride: int = 1) -> tuple[LinearState, Chunk]:
        self.gate.wait(10)
        if self.fail_at is not None and state.step + n >= self.fail_at:
            raise RuntimeError("the fake was told to fail")
        weights, rows, diverged_at = state.weights.copy(), [], state.diverged_at
        step = state.step
        for _ in range(n if diverged_at is None else 0):
            weights = weights - state.params.step_size * (weights - state.params.target)
            step += 1
            if np.abs(weights).max() > 1e12:
                weights, diverged_at = np.clip(weights, -1e12, 1e12), step
            rows.append(weights)
            if diverged_at is not None:
                break
        new = replace(state, weights=weights, step=step, diverged_at=diverged_at)
        table = np.array(rows).reshape(len(rows), state.params.width)
        series = {
            "weights": table,
            "error": np.abs(table - state.params.target).max(axis=1, initial=0),
        }
        return new, Chunk.exact(state.step + 1, series).bucketed(stride)

    def nudge(self, state: LinearState, nudge: Nudge) -> LinearState:
        return replace(state, weights=pushed(state.weights, nudge, 1.0))

    def record(self, state: LinearState) -> Mapping[str, FloatArray]:
        error = np.abs(state.weights - state.params.target).max()
        return {"weights": state.weights, "error": np.asarray(error)}

    def observe(self, state: LinearState, recent: Recent) -> dict[str, Any]:
        return {"weights": state.weights, "rows": len(recent["error"])}

    def outcome(self, state: LinearState, recent: Recent) -> Outcome:
        error = float(recent["error"][-1])
        kind = OutcomeKind.CONVERGED if error < 1e-12 else OutcomeKind.CONVERGING
        if state.diverged_at is not None:
            kind = OutcomeKind.DIVERGED
        return Outcome(kind=kind, step=state.step, message=f"error {error:g}")

    def theory(self, params: LinearParams, state: LinearState | None) -> tuple[Bound, ...]:
        return (
            Bound(
                id="delta_max",
                name="Largest stable step",
                symbol=r"\delta_{\max}",
                value=2.0,
                source="test",
                field="step_size",
            ),
        )

    def claims(self, params: LinearParams, state: LinearState, recent: Recent) -> tuple[Claim, ...]:
        return ()

    def views(self, params: LinearParams) -> tuple[View, ...]:
        return (
            TimeView(
                id="weights",
                title="Weights",
                y_label="w",
                series=(Series(key="weights", label="$w_i$", color="ramp"),),
            ),
        )

    def final(self, state: LinearState, recent: Recent) -> Mapping[str, Any]:
        return {"weights": state.weights.tolist(), "error": float(recent["error"][-1])}

    def arrays(self, state: LinearState) -> Mapping[str, FloatArray]:
        return {"weights": state.weights}
