r"""A double network of matrices in lockstep with a single one: Section 3.2, Figure 3.

The double network minimises :math:`\tfrac12\|W_L\cdots W_1 - Z_L\cdots Z_1 - R\|_F^2`; the single
one has the same R, start, seed and step size. Symbols: :math:`\delta` `step_size`, L `depth`,
n `width`, R `target`, :math:`\Sigma` `inputs`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray, checked
from engine.core.change import Nudge
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.experiment import AbstractExperiment, Recent
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.views import View
from engine.experiments.double_matrix import measure, text
from engine.experiments.double_matrix.listing import LISTING
from engine.experiments.double_matrix.params import (
    SIDES,
    DoubleMatrixParams,
    DoubleMatrixState,
    Side,
)
from engine.families.matrix import claims as matrix_claims
from engine.families.matrix import cycles, descent
from engine.families.matrix import measure as matrix_measure
from engine.families.matrix.batches import check_device
from engine.families.matrix.evidence import Evidence
from engine.families.matrix.outcome import can_rest_of, outcome_of, saddle_of
from engine.families.matrix.problem import Problem, check_batches, make_problem, make_start, step_of
from engine.families.matrix.theory import problem_of


@final
class DoubleMatrix(AbstractExperiment[DoubleMatrixParams, DoubleMatrixState]):
    """The double matrix network beside the single one."""

    listing = LISTING
    parameters = DoubleMatrixParams
    default_steps = 1000
    has_ensemble = True
    why_no_nudge = ""

    def init(self, params: DoubleMatrixParams, seed: int) -> DoubleMatrixState:
        """Make R, Sigma, and the matrices of both networks at step 0."""
        check_batches(params)
        check_device(params)
        problem = make_problem(params, seed)
        starts = np.stack([make_start(params, problem, branch) for branch in range(2)])
        return self._begin(params, seed, problem, starts[:1], starts)

    @staticmethod
    def _begin(
        params: DoubleMatrixParams,
        seed: int,
        problem: Problem,
        single: FloatArray,
        double: FloatArray,
    ) -> DoubleMatrixState:
        one = descent.begin(params, problem, single)
        two = descent.begin(params, problem, double)
        nothing = np.empty(0)
        return DoubleMatrixState(
            params=params,
            seed=seed,
            problem=problem,
            single=one,
            double=two,
            flow_single=one.weights if params.flow else nothing,
            flow_double=two.weights if params.flow else nothing,
            start_commutator=matrix_measure.start_commutator(problem, single[0]),
            first_errors=(
                descent.error_of(problem, one.weights),
                descent.error_of(problem, two.weights),
            ),
        )

    def advance(
        self, state: DoubleMatrixState, n: int, stride: int = 1
    ) -> tuple[DoubleMatrixState, Chunk]:
        """Make up to n steps of both, stopping in between where something is to be measured."""
        return descent.in_stretches(state, n, stride, self._carry_on)

    def nudge(self, state: DoubleMatrixState, nudge: Nudge) -> DoubleMatrixState:
        """Push the matrices of both networks; the gradient flows beside them go on."""
        problem = state.problem
        one, two = (
            descent.push(network, problem, nudge) for network in (state.single, state.double)
        )
        return dataclasses.replace(
            state,
            single=one,
            double=two,
            start_commutator=matrix_measure.start_commutator(
                problem, one.matrices(problem.size)[0]
            ),
            first_errors=(
                descent.error_of(problem, one.weights),
                descent.error_of(problem, two.weights),
            ),
        )

    def _carry_on(
        self, state: DoubleMatrixState, steps: int
    ) -> tuple[DoubleMatrixState, dict[str, FloatArray]]:
        """Make steps with nothing to be measured but, perhaps, after the last."""
        params, problem = state.params, state.problem
        made = {
            side: descent.carry_on(getattr(state, side), params, problem, state.step, steps)
            for side in SIDES
        }
        done = max(len(record) for _, record in made.values())
        changes: dict[str, Any] = {side: made[side][0] for side in SIDES}
        rows: dict[str, FloatArray] = {}
        for side in SIDES:
            record = np.full((done, len(descent.COLUMNS)), np.nan)
            record[: len(made[side][1])] = made[side][1]
            for index, name in enumerate(descent.COLUMNS):
                if name != "curvature":
                    rows[f"{name}_{side}"] = record[:, index]
            flow, errors = descent.follow(getattr(state, f"flow_{side}"), problem, record[:, 2])
            rows[f"flow_error_{side}"] = errors
            changes[f"flow_{side}"] = flow
        ends = [made[side][0].diverged_at for side in SIDES]
        if None not in ends:
            changes["diverged_at"] = max(end for end in ends if end is not None)
        new = dataclasses.replace(state, step=state.step + done, **changes)
        rows["limit"] = text.limits(params, rows)
        for key, value in self._measured(new, due=True).items():
            rows[key] = np.full((done, *value.shape), np.nan)
            rows[key][-1:] = value
        return new, rows

    def _measured(self, state: DoubleMatrixState, *, due: bool) -> dict[str, FloatArray]:
        """Measure eigenvalues and Hessians, only where they are `due` or else always."""
        params, n, step = state.params, state.problem.size, state.step
        rows: dict[str, FloatArray] = {
            key: np.full(n, np.nan)
            for key in (
                "eigenvalues_single",
                "eigenvalues_double",
                "eigenvalues_w",
                "eigenvalues_z",
            )
        }
        rows["commutator"] = np.full(3, np.nan)
        rows["balancing_gap"] = np.full(3, np.nan)
        rows["stability"] = rows["stability_single"] = np.asarray(np.nan)
        rows["hessian_products"] = np.full(2, np.nan)
        for index, side in enumerate(SIDES):
            rows[f"hessian_{side}"] = np.full(params.hessian_count, np.nan)
            if getattr(state, side).diverged_at is not None:
                continue
            if not due or step % params.measure_every == 0:
                self._measure_eigenvalues(state, side, rows)
            if params.hessian_count and (not due or step % params.hessian_every == 0):
                found = measure.sharpest(state, side)
                rows[f"hessian_{side}"][: len(found.top)] = found.top
                key = "stability" if side == "double" else "stability_single"
                rows[key] = np.asarray(found.top[0] / self._limit(state, side))
                rows["hessian_products"][index] = found.products
        return rows

    def _measure_eigenvalues(
        self, state: DoubleMatrixState, side: Side, rows: dict[str, FloatArray]
    ) -> None:
        if side == "single":
            seen = measure.look(state, "single", 0)
            rows["eigenvalues_single"] = seen.eigenvalues.real
            rows["commutator"][0], rows["balancing_gap"][0] = seen.commutator, seen.balancing_gap
            return
        for branch, name in enumerate("wz"):
            seen = measure.look(state, "double", branch)
            rows[f"eigenvalues_{name}"] = seen.eigenvalues.real
            rows["commutator"][1 + branch] = seen.commutator
            rows["balancing_gap"][1 + branch] = seen.balancing_gap
        rows["eigenvalues_double"] = np.sort(np.linalg.eigvals(measure.estimate(state)).real)[::-1]

    def _limit(self, state: DoubleMatrixState, side: Side) -> float:
        params = state.params
        step = step_of(params, state.problem)
        if params.step_rule == "hessian":
            top = measure.sharpest(state, side).top[0]
            step = min(params.step_cap, params.alpha / top) if top > 0 else params.step_cap
        return matrix_measure.stability_limit(params, step)

    def top(self, state: DoubleMatrixState, side: Side) -> float | None:
        """Largest eigenvalue of a network's Hessian, if it is asked for."""
        return float(measure.sharpest(state, side).top[0]) if state.params.hessian_count else None

    def record(self, state: DoubleMatrixState) -> Mapping[str, FloatArray]:
        """Measure everything at a state."""
        rows: dict[str, FloatArray] = {}
        for side in SIDES:
            row = descent.measure(getattr(state, side), state.problem)
            for index, name in enumerate(descent.COLUMNS):
                if name != "curvature":
                    rows[f"{name}_{side}"] = np.asarray(row[index])
            flow: FloatArray = getattr(state, f"flow_{side}")
            error = descent.error_of(state.problem, flow) if flow.size else np.nan
            rows[f"flow_error_{side}"] = np.asarray(error)
        return {**rows, "limit": np.asarray(np.nan), **self._measured(state, due=False)}

    def observe(self, state: DoubleMatrixState, recent: Recent) -> Observation:
        """Compute eigenvalues of all matrices and products, and the matrices as images."""
        return text.observation(state, recent)

    def outcomes(self, state: DoubleMatrixState, recent: Recent) -> dict[Side, Outcome]:
        """Classify both networks by their errors."""
        recent = state.evidence(recent)
        saddle = saddle_of(state.problem, state.params)
        can_rest = can_rest_of(state.problem, state.params)
        return {
            side: outcome_of(
                state.problem,
                state.step,
                recent[f"error_{side}"],
                recent[f"signed_error_{side}"],
                getattr(state, side).diverged_at,
                saddle if side == "single" else None,
                can_rest=can_rest if side == "single" else None,
                repels=cycles.asked_once(state, getattr(state, side), state.params, state.problem),
                since=state.changed_at,
            )
            for side in SIDES
        }

    def outcome(self, state: DoubleMatrixState, recent: Recent) -> Outcome:
        """Describe how both stand; the kind is that of the double network."""
        both = self.outcomes(state, recent)
        single, double = both["single"], both["double"]
        kind = double.kind
        if kind is OutcomeKind.DIVERGED and state.diverged_at is None:
            kind = single.kind
        return dataclasses.replace(
            double,
            kind=kind,
            phase=f"double {double.phase}, single {single.phase}",
            message=f"Double: {double.message} Single: {single.message}",
        )

    def theory(
        self, params: DoubleMatrixParams, state: DoubleMatrixState | None
    ) -> tuple[Bound, ...]:
        """Return the limits of both networks, of which the double one's is a heuristic."""
        if state is None:
            return text.bounds(params, problem_of(params), {})
        tops: dict[str, float | None] = {side: self.top(state, side) for side in SIDES}
        return text.bounds(params, state.problem, tops)

    def claims(
        self, params: DoubleMatrixParams, state: DoubleMatrixState, recent: Recent
    ) -> tuple[Claim, ...]:
        """Confront Figure 3's two statements, and Proposition 3 for the single network."""
        both = self.outcomes(state, recent)
        evidence = {
            side: Evidence(
                params=params,
                problem=state.problem,
                outcome=both[side],
                error=text.last_error(recent[f"error_{side}"]),
                start_commutator=state.start_commutator,
                product=measure.look(state, "single", 0).product,
                root_distance=np.nan,
                top=self.top(state, side),
                apart=matrix_measure.apart(state.single.matrices(state.problem.size)[0]),
            )
            for side in SIDES
        }
        return (
            *text.figure_3(evidence["single"], evidence["double"], state.step),
            matrix_claims.proposition_3(evidence["single"]),
        )

    def views(self, params: DoubleMatrixParams) -> tuple[View, ...]:
        """Describe the plots."""
        return text.views(params)

    def final(self, state: DoubleMatrixState, recent: Recent) -> Mapping[str, Any]:
        """Sum up the end of the run."""
        problem = state.problem
        errors = {side: text.last_error(recent[f"error_{side}"]) for side in SIDES}
        known = {side: self.top(state, side) for side in SIDES}
        return {
            "error": errors["double"],
            "error_single": errors["single"],
            "relative_error": errors["double"] / problem.scale,
            "relative_error_single": errors["single"] / problem.scale,
            "diverged_at": {side: getattr(state, side).diverged_at for side in SIDES},
            "weights": state.double.matrices(problem.size).tolist(),
            "weights_single": state.single.matrices(problem.size)[0].tolist(),
            "target": problem.target.matrix.tolist(),
            "spectral_norm": problem.target.norm,
            "spectral_radius": problem.target.radius,
            "step_size": step_of(state.params, problem),
            "hessian": known,
        }

    def arrays(self, state: DoubleMatrixState) -> Mapping[str, NDArray[Any]]:
        """Return the matrices W and Z of the double network and those of the single one."""
        n = state.problem.size
        double = state.double.matrices(n)
        return {"w": double[0], "z": double[1], "single": state.single.matrices(n)[0]}

    def with_arrays(
        self, state: DoubleMatrixState, arrays: Mapping[str, NDArray[Any]]
    ) -> DoubleMatrixState:
        """Begin at given matrices."""
        shape = (state.problem.depth, state.problem.size, state.problem.size)
        given = checked(arrays, {"w": shape, "z": shape, "single": shape})
        double = np.stack([given["w"], given["z"]])
        return self._begin(state.params, state.seed, state.problem, given["single"][None], double)

    def ensemble(
        self, params: DoubleMatrixParams, seed: int, steps: int, progress: Progress
    ) -> Ensemble:
        """Run many seeds, each with its own R, at every step size of the list."""
        from engine.families.matrix.ensemble import run_double

        return run_double(params, seed, steps, progress)

    def warm_up(self) -> None:
        """Compile the kernels."""
        state = self.init(DoubleMatrixParams(width=2, depth=2, flow=True), 0)
        state, _ = self.advance(state, 2)
        self.record(state)
