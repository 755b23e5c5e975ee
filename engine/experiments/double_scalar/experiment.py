r"""The difference of two scalar products beside a single one: equations (9a, b), Proposition 3.

:math:`w \leftarrow w-\delta\sigma w^{L-1}e`, :math:`z \leftarrow z+\delta\sigma z^{L-1}e` with
:math:`e=w^L-z^L-\lambda`, and in lockstep the single network u. Symbols: :math:`\delta`
`step_size`, L `depth`, :math:`\lambda` `target`, :math:`\sigma` `input_power`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from engine import theory
from engine.analysis.exponents import at_minimum
from engine.analysis.phase import classify
from engine.analysis.window import Window
from engine.core.arrays import FloatArray
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent
from engine.core.outcome import Outcome, Standing
from engine.core.params import update
from engine.core.views import View
from engine.experiments.double_scalar import measure, proofs
from engine.experiments.double_scalar import theory as stability
from engine.experiments.double_scalar.law import descent_law
from engine.experiments.double_scalar.listing import LISTING
from engine.experiments.double_scalar.params import (
    DoubleScalarParams,
    DoubleScalarState,
    check_start,
    make_start,
)
from engine.experiments.double_scalar.system import DoubleScalarSystem, system_of
from engine.experiments.double_scalar.views import all_views
from engine.families.proofs.proofs import Proofs
from engine.theory.optimisers.law import DescentLaw

SETTLING = 50_000
"""Steps after which a run is looked at for what it comes to, where that is proved."""
ROUNDING = 1e-12
"""Relative distance within which a step size is that of a threshold."""


@final
class DoubleScalar(AbstractExperiment[DoubleScalarParams, DoubleScalarState]):
    """The double scalar network."""

    listing = LISTING
    parameters = DoubleScalarParams
    default_steps = 1000
    has_ensemble = True
    why_no_nudge = ""

    def init(self, params: DoubleScalarParams, seed: int) -> DoubleScalarState:
        """Make the three networks at step 0."""
        return self._begin(params, seed, make_start(params, seed))

    @staticmethod
    def _begin(params: DoubleScalarParams, seed: int, weights: FloatArray) -> DoubleScalarState:
        flow = weights.copy() if params.flow else np.empty((0, 0))
        return DoubleScalarState(params=params, seed=seed, weights=weights, flow=flow)

    def advance(
        self, state: DoubleScalarState, n: int, stride: int = 1
    ) -> tuple[DoubleScalarState, Chunk]:
        """Make up to n steps of all three networks."""
        from engine.kernels import double_scalar as double

        params, first = state.params, state.step + 1
        if state.diverged_at is not None or n == 0:
            return state, Chunk.exact(first, {})
        made = double.descend(
            state.weights, params.depth, params.target, params.input_power, n, params.step_size
        )
        rows = {name: made.record[:, index] for index, name in enumerate(double.COLUMNS)}
        flow = state.flow
        errors = np.full((2, made.done), np.nan)
        if flow.size and made.done:
            flow, seen = double.flow(
                flow, params.depth, params.target, params.input_power, made.done, params.step_size
            )
            errors[:, : len(seen)] = seen[:, 4:6].T
            if len(seen) < made.done:
                flow = np.empty((0, 0))
        rows["flow_double"], rows["flow_single"] = errors
        measure.add_sizes(rows)
        measure.add_stability(rows, params.step_size)
        step = state.step + made.done
        new = dataclasses.replace(
            state,
            weights=made.weights,
            flow=flow,
            step=step,
            diverged_at=step + 1 if made.diverged else None,
        )
        return new, Chunk.exact(first, rows).bucketed(stride)

    def nudge(self, state: DoubleScalarState, nudge: Nudge) -> DoubleScalarState:
        """Push every weight of all three networks, u in the direction of w; the flow goes on."""
        whole = np.broadcast_to(state.weights, (3, state.params.depth))
        parts = (whole[:2], whole[2:])
        moved = [pushed(part, nudge, np.sqrt(part.size)) for part in parts]  # from 0 as from 1
        return dataclasses.replace(state, weights=np.concatenate(moved), pushed=True)

    def record(self, state: DoubleScalarState) -> Mapping[str, FloatArray]:
        """Measure everything at a state."""
        now, flow = measure.read(state), None
        rows = {name: np.asarray(value) for name, value in dataclasses.asdict(now).items()}
        if state.flow.size:
            flow = measure.read(dataclasses.replace(state, weights=state.flow))
        rows["flow_double"] = np.asarray(np.nan if flow is None else flow.error_double)
        rows["flow_single"] = np.asarray(np.nan if flow is None else flow.error_single)
        measure.add_sizes(rows)
        measure.add_stability(rows, state.params.step_size)
        return rows

    def observe(self, state: DoubleScalarState, recent: Recent) -> Observation:
        """Compute the plane's curves and the Jacobian's eigenvalues."""
        params, now = state.params, measure.read(state)
        limit = theory.double_flow_limit(params.target, params.depth)
        reach = 1.3 * max(limit.w, limit.z, abs(now.w), abs(now.z), 1.0)
        reach = min(reach, 4 * max(limit.w, limit.z, 1.0))
        values = 1 - params.step_size * np.linalg.eigvalsh(measure.hessian(state))
        start = (1.0, 1.0) if params.init == "ones" else (params.start_w, params.start_z)
        return {
            **measure.curves(params, reach),
            "path_w": recent["w"],
            "path_z": recent["z"],
            "now_w": np.array([now.w]),
            "now_z": np.array([now.z]),
            "limit_w": np.array([limit.w]),
            "limit_z": np.array([limit.z]),
            "origin": np.zeros(1),
            "start_w": start[0],
            "start_z": start[1],
            "jacobian_re": values,
            "jacobian_im": np.zeros_like(values),
            **proofs.observe(state, recent),
        }

    def outcome(self, state: DoubleScalarState, recent: Recent) -> Outcome:
        """Classify the pair's run."""
        params, recent = state.params, state.evidence(recent)
        stability_now = float(recent["stability"][-1])
        flattest = theory.double_least_sharpness(params.target, params.depth, params.input_power)
        logs = measure.growth_logs(state, recent)
        phase = classify(
            Window(
                step=state.step,
                error=recent["error_double"],
                states=np.column_stack([recent["w"], recent["z"]]),
                is_whole=state.weights.shape[1] == 1,
                scale=abs(params.target),
                diverged_at=state.diverged_at,
                growth=logs,
                growth_of="with w kept equal, and z",
                multiplier=1 - 2 * stability_now,
                stability=stability_now,
                can_rest=params.step_size * flattest <= 2.0 * (1.0 + ROUNDING),
            )
        )
        if phase.standing.is_by_minimum:
            is_near = phase.standing is Standing.NEARING_MINIMUM
            points = recent["stability"] if is_near else recent["stability"][-1:]
            across = at_minimum(points, lambda x: 1.0 - 2.0 * x, "across the minima")
            phase = dataclasses.replace(phase, exponents=() if across is None else (across,))
        return phase.outcome(state.step, phase.points(), "w", since=state.changed_at or None)

    def theory(
        self, params: DoubleScalarParams, state: DoubleScalarState | None
    ) -> tuple[Bound, ...]:
        """Return the limits of both networks and the flow's minimum."""
        return stability.bounds(params, None if state is None else measure.read(state))

    def claims(
        self, params: DoubleScalarParams, state: DoubleScalarState, recent: Recent
    ) -> tuple[Claim, ...]:
        """Confront Section 3.2's statements with the run."""
        outcome = self.outcome(state, recent)
        made = stability.claims(params, state, measure.read(state), outcome)
        return (*made, *proofs.claims(state, outcome.kind))

    def views(self, params: DoubleScalarParams) -> tuple[View, ...]:
        """Describe the plots."""
        return (*all_views(params), *proofs.plots(params))

    def analysis_key(self, params: DoubleScalarParams, seed: int) -> Hashable | None:
        """Name what proofs depend on, where they are asked for."""
        return proofs.key_of(params, seed)

    def analyse(
        self, params: DoubleScalarParams, state: DoubleScalarState, progress: Progress
    ) -> Proofs | None:
        """Prove what can be proved of what a run from the start comes to."""
        begin = self._begin(
            params.model_copy(update={"flow": False}), state.seed, make_start(params, state.seed)
        )
        settled, _ = self.advance(begin, SETTLING, SETTLING)
        return proofs.analyse(params, settled, progress)

    def final(self, state: DoubleScalarState, recent: Recent) -> Mapping[str, Any]:
        """Return weights, errors and sharpness of both networks."""
        now = measure.read(state)
        return {
            "weights": state.weights[0].tolist(),
            "weights_z": state.weights[1].tolist(),
            "weights_single": state.weights[2].tolist(),
            "error": now.error_double,
            "error_single": now.error_single,
            "sharpness": now.sharpness_double,
            "sharpness_single": now.sharpness_single,
        }

    def arrays(self, state: DoubleScalarState) -> Mapping[str, NDArray[Any]]:
        """Return the weights of the pair and of the single network."""
        return {"w": state.weights[0], "z": state.weights[1], "u": state.weights[2]}

    def with_arrays(
        self, state: DoubleScalarState, arrays: Mapping[str, NDArray[Any]]
    ) -> DoubleScalarState:
        """Begin at given weights."""
        if set(arrays) != {"w", "z", "u"}:
            raise InputError("model", sorted(arrays), "give the arrays u, w and z")
        rows = [np.asarray(arrays[name], np.float64) for name in ("w", "z", "u")]
        shapes = {row.shape for row in rows}
        if shapes not in ({(1,)}, {(state.params.depth,)}) or not np.isfinite(rows).all():
            raise InputError(
                "model", sorted(shapes), f"give three finite lists of {state.params.depth} weights"
            )
        check_start(state.params, np.stack(rows))
        return self._begin(state.params, state.seed, np.stack(rows))

    def system(self, params: DoubleScalarParams, seed: int = 0) -> DoubleScalarSystem:
        """Describe the map of the pair."""
        return system_of(params)

    def law(
        self, params: DoubleScalarParams, seed: int = 0, apart: Sequence[str] = ()
    ) -> DescentLaw | None:
        """Describe how runs move as parameters and start differ."""
        return descent_law(params, seed, apart)

    def drag(
        self, params: DoubleScalarParams, handle: str, x: float, y: float
    ) -> DoubleScalarParams:
        """Begin where the start was dragged to."""
        x, y = (float(np.clip(value, -100, 100)) for value in (x, y))
        return update(params, init="typed", start_w=x, start_z=y)

    def ensemble(
        self, params: DoubleScalarParams, seed: int, steps: int, progress: Progress
    ) -> Ensemble:
        """Run many seeds from scattered starts, for every step size and target of the lists."""
        from engine.experiments.double_scalar.ensemble import run

        return run(params, seed, steps, progress)

    def warm_up(self) -> None:
        """Compile the kernels."""
        self.advance(self.init(DoubleScalarParams(), 0), 2)
