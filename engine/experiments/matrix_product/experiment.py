r"""A product of square matrices that is to become R: equations (4) and (5), Theorems 1 and 2.

Symbols: :math:`\delta` `step_size`, L `depth`, n `width`, R `target`, :math:`\Sigma` `inputs`,
:math:`W_i[0]` `init`, :math:`\beta` `momentum`, :math:`\alpha` `alpha`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from engine.analysis.spectrum import Extremes
from engine.core.arrays import FloatArray, checked
from engine.core.beside import once
from engine.core.change import Nudge
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.experiment import AbstractExperiment, Recent, State
from engine.core.outcome import Outcome
from engine.core.views import Dash, View
from engine.experiments.matrix_product.listing import LISTING
from engine.families.matrix import claims as matrix_claims
from engine.families.matrix import cycles, descent, transverse
from engine.families.matrix import measure as matrix_measure
from engine.families.matrix import theory as matrix_theory
from engine.families.matrix import views as shared
from engine.families.matrix.batches import check_device
from engine.families.matrix.evidence import Evidence
from engine.families.matrix.outcome import can_rest_of, outcome_of, saddle_of
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem, check_batches, make_problem, make_start, step_of
from engine.kernels.matrix.padding import padded


class MatrixProductParams(NetworkParams):
    """Parameters of one network of matrices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixProductState(State[MatrixProductParams]):
    """A network, and the gradient flow beside it.

    `flow` has the shape of the network's weights, or (0,) where it is not asked for or its
    integration left the range of useful numbers.
    """

    problem: Problem
    network: descent.Network
    flow: FloatArray
    start_commutator: float
    start_spread: float
    first_error: float


@final
class MatrixProduct(AbstractExperiment[MatrixProductParams, MatrixProductState]):
    """The matrix product network."""

    listing = LISTING
    parameters = MatrixProductParams
    default_steps = 1000
    has_ensemble = True
    why_no_nudge = ""

    def init(self, params: MatrixProductParams, seed: int) -> MatrixProductState:
        """Make R, Sigma and the matrices at step 0."""
        check_batches(params)
        check_device(params)
        problem = make_problem(params, seed)
        start = make_start(params, problem)
        network = descent.begin(params, problem, start[None])
        seen = matrix_measure.look(problem, start)
        return MatrixProductState(
            params=params,
            seed=seed,
            problem=problem,
            network=network,
            flow=padded(start[None]) if params.flow else np.empty(0),
            start_commutator=matrix_measure.start_commutator(problem, start),
            start_spread=float(seen.spread[0]),
            first_error=descent.error_of(problem, network.weights),
        )

    def advance(
        self, state: MatrixProductState, n: int, stride: int = 1
    ) -> tuple[MatrixProductState, Chunk]:
        """Make up to n steps, stopping in between where something is to be measured."""
        return descent.in_stretches(state, n, stride, self._carry_on)

    def nudge(self, state: MatrixProductState, nudge: Nudge) -> MatrixProductState:
        """Push the matrices; the gradient flow beside them goes on."""
        problem = state.problem
        network = descent.push(state.network, problem, nudge)
        matrices = network.matrices(problem.size)[0]
        seen = matrix_measure.look(problem, matrices)
        return dataclasses.replace(
            state,
            network=network,
            start_commutator=matrix_measure.start_commutator(problem, matrices),
            start_spread=float(seen.spread[0]),
            first_error=descent.error_of(problem, network.weights),
        )

    def _carry_on(
        self, state: MatrixProductState, steps: int
    ) -> tuple[MatrixProductState, dict[str, FloatArray]]:
        """Make steps with nothing to be measured but, perhaps, after the last."""
        params, problem = state.params, state.problem
        network, record = descent.carry_on(state.network, params, problem, state.step, steps)
        done = len(record)
        flow, flow_errors = descent.follow(state.flow, problem, record[:, 2])
        new = dataclasses.replace(
            state,
            step=state.step + done,
            network=network,
            flow=flow,
            diverged_at=network.diverged_at,
        )
        rows = {name: record[:, index] for index, name in enumerate(descent.COLUMNS)}
        rows["limit"] = matrix_measure.stability_limit(params, 1.0) / record[:, 2]
        rows["flow_error"] = flow_errors
        for key, value in self._measured(new, due=True).items():
            rows[key] = np.full((done, *value.shape), np.nan)
            rows[key][-1:] = value
        return new, rows

    def _measured(self, state: MatrixProductState, *, due: bool) -> dict[str, FloatArray]:
        """Measure eigenvalues and Hessian, only where they are `due` or else always."""
        params, problem, step = state.params, state.problem, state.step
        n, nothing = problem.size, np.asarray(np.nan)
        alive = state.diverged_at is None
        rows = {
            "eigenvalues": np.full(n, np.nan),
            "layer_low": np.full(n, np.nan),
            "layer_high": np.full(n, np.nan),
            "singular_values": np.full(n, np.nan),
            "spread": np.full(n, np.nan),
            "balancing_gap": nothing,
            "commutator": nothing,
            "root_distance": nothing,
            "hessian": np.full(params.hessian_count, np.nan),
            "stability": nothing,
            "hessian_products": nothing,
        }
        if alive and (not due or step % params.measure_every == 0):
            seen = self._look(state)
            rows["eigenvalues"] = seen.eigenvalues.real
            rows["layer_low"] = seen.layers.real.min(axis=0)
            rows["layer_high"] = seen.layers.real.max(axis=0)
            rows["singular_values"] = seen.singular_values
            rows["spread"] = seen.spread
            for name in ("balancing_gap", "commutator", "root_distance"):
                rows[name] = np.asarray(getattr(seen, name))
        if alive and params.hessian_count and (not due or step % params.hessian_every == 0):
            found = self._sharpest(state)
            rows["hessian"][: len(found.top)] = found.top
            rows["stability"] = np.asarray(found.top[0] / self._limit(state))
            rows["hessian_products"] = np.asarray(float(found.products))
        return rows

    @staticmethod
    def _look(state: MatrixProductState) -> matrix_measure.Look:
        problem = state.problem
        return once(
            state,
            "look",
            lambda: matrix_measure.look(problem, state.network.matrices(problem.size)[0]),
        )

    @staticmethod
    def _sharpest(state: MatrixProductState) -> Extremes:
        return once(
            state,
            "sharpest",
            lambda: matrix_measure.sharpest(
                state.problem,
                state.network.matrices(state.problem.size),
                state.params.hessian_count,
                state.seed,
            ),
        )

    def _top(self, state: MatrixProductState) -> float | None:
        """Largest eigenvalue of the Hessian, if it is asked for."""
        return float(self._sharpest(state).top[0]) if state.params.hessian_count else None

    def _limit(self, state: MatrixProductState) -> float:
        """Curvature that the step in force can hold (that of the next, if it depends on it)."""
        params, problem = state.params, state.problem
        step = step_of(params, problem)
        if params.step_rule == "hessian":
            top = self._sharpest(state).top[0]
            step = min(params.step_cap, params.alpha / top) if top > 0 else params.step_cap
        return matrix_measure.stability_limit(params, step)

    def record(self, state: MatrixProductState) -> Mapping[str, FloatArray]:
        """Measure everything at a state."""
        row = descent.measure(state.network, state.problem)
        flow_error = np.nan
        if state.flow.size:
            flow_error = descent.error_of(state.problem, state.flow)
        return {
            **{name: np.asarray(row[index]) for index, name in enumerate(descent.COLUMNS)},
            "limit": np.asarray(np.nan),
            "flow_error": np.asarray(flow_error),
            **self._measured(state, due=False),
        }

    def observe(self, state: MatrixProductState, recent: Recent) -> Observation:
        """Compute eigenvalues, matrices and the cost of the Hessian's eigenvalues."""
        problem, seen = state.problem, self._look(state)
        matrix = problem.target.matrix
        return {
            **matrix_measure.planes(problem, seen),
            "matrices": np.stack([matrix, seen.product, seen.product - matrix]),
            "matrix_names": ["R", "product", "product − R"],
            "singular_index": np.arange(1, problem.size + 1, dtype=np.float64),
            "singular_now": seen.singular_values,
            "singular_target": np.linalg.svd(matrix, compute_uv=False),
            "cost": self._cost(state, recent),
        }

    @staticmethod
    def _cost(state: MatrixProductState, recent: Recent) -> list[list[str]]:
        row = matrix_measure.last_known(recent["hessian_products"])
        if row is None:
            return [["not measured yet", ""]]
        return matrix_measure.cost_rows(
            recent["hessian"][row],
            float(recent["hessian_products"][row]),
            state.problem.depth * state.problem.size**2,
            state.step - len(recent["hessian"]) + 1 + row,
        )

    def outcome(self, state: MatrixProductState, recent: Recent) -> Outcome:
        """Classify the run by its error and its signed error along R."""
        recent = state.evidence(recent)
        return outcome_of(
            state.problem,
            state.step,
            recent["error"],
            recent["signed_error"],
            state.diverged_at,
            saddle_of(state.problem, state.params),
            can_rest=can_rest_of(state.problem, state.params),
            repels=cycles.asked_once(state, state.network, state.params, state.problem),
            since=state.changed_at,
        )

    def theory(
        self, params: MatrixProductParams, state: MatrixProductState | None
    ) -> tuple[Bound, ...]:
        """Return Theorems 1 and 2 as printed and with the spectral norm."""
        if state is None:
            return matrix_theory.bounds(params, matrix_theory.problem_of(params), None, None)
        top = self._top(state)
        stability = None if top is None else top / self._limit(state)
        return matrix_theory.bounds(params, state.problem, top, stability)

    def claims(
        self, params: MatrixProductParams, state: MatrixProductState, recent: Recent
    ) -> tuple[Claim, ...]:
        """Confront Theorems 1 and 2 and Proposition 3 with the run."""
        seen = self._look(state)
        evidence = Evidence(
            params=params,
            problem=state.problem,
            outcome=self.outcome(state, recent),
            error=float(recent["error"][-1]),
            start_commutator=state.start_commutator,
            product=seen.product,
            root_distance=seen.root_distance,
            top=self._top(state),
            apart=matrix_measure.apart(state.network.matrices(state.problem.size)[0]),
        )
        return (
            matrix_claims.theorem_1(evidence),
            matrix_claims.norm_theorem(evidence),
            matrix_claims.theorem_2(evidence),
            matrix_claims.proposition_3(evidence),
            matrix_claims.balancing(evidence, state.start_spread, float(seen.spread[0])),
            transverse.decoupling(evidence),
        )

    def views(self, params: MatrixProductParams) -> tuple[View, ...]:
        """Describe the plots."""
        errors: list[tuple[str, str, str, Dash]] = [("error", "gradient descent", "1", "solid")]
        if params.flow:
            errors.append(("flow_error", "gradient flow", "muted", "dash"))
        return (
            shared.error_view(errors),
            shared.eigenvalue_plane(),
            shared.product_tracks(params),
            shared.hessian_view(params),
            shared.decoupling_view(),
            shared.layer_tracks(params),
            shared.balance_view(),
            shared.singular_view(),
            shared.signed_view(),
            shared.matrices_view(),
            shared.cost_table(),
        )

    def final(self, state: MatrixProductState, recent: Recent) -> Mapping[str, Any]:
        """Sum up the end of the run."""
        problem, seen = state.problem, self._look(state)
        found = self._sharpest(state) if state.params.hessian_count else None
        error = float(recent["error"][-1])
        return {
            "weights": state.network.matrices(problem.size)[0].tolist(),
            "error": error,
            "relative_error": error / problem.scale,
            "loss": _finite(float(recent["loss"][-1])),
            "target": problem.target.matrix.tolist(),
            "spectral_norm": problem.target.norm,
            "spectral_radius": problem.target.radius,
            "eigenvector_orthogonality": problem.target.orthogonality,
            "step_size": step_of(state.params, problem),
            "root_distance": _finite(seen.root_distance),
            "spread": seen.spread.tolist(),
            "balancing_gap": seen.balancing_gap,
            "commutator": seen.commutator,
            "hessian": [] if found is None else found.top.tolist(),
            "hessian_products": 0 if found is None else found.products,
        }

    def arrays(self, state: MatrixProductState) -> Mapping[str, NDArray[Any]]:
        """Return the matrices, shape (L, n, n)."""
        return {"weights": state.network.matrices(state.problem.size)[0]}

    def with_arrays(
        self, state: MatrixProductState, arrays: Mapping[str, NDArray[Any]]
    ) -> MatrixProductState:
        """Begin at given matrices."""
        n, depth = state.problem.size, state.problem.depth
        start = checked(arrays, {"weights": (depth, n, n)})["weights"]
        network = descent.begin(state.params, state.problem, start[None])
        seen = matrix_measure.look(state.problem, start)
        return dataclasses.replace(
            state,
            network=network,
            flow=padded(start[None]) if state.params.flow else np.empty(0),
            start_commutator=matrix_measure.start_commutator(state.problem, start),
            start_spread=float(seen.spread[0]),
            first_error=descent.error_of(state.problem, network.weights),
        )

    def ensemble(
        self, params: MatrixProductParams, seed: int, steps: int, progress: Progress
    ) -> Ensemble:
        """Run many seeds, each with its own R."""
        from engine.families.matrix.ensemble import run_single

        return run_single(params, seed, steps, progress)

    def warm_up(self) -> None:
        """Compile the kernels."""
        state = self.init(MatrixProductParams(width=2, depth=2, flow=True), 0)
        state, _ = self.advance(state, 2)
        self.record(state)
        transverse.transverse(0.1, 2, (1.0, 0.5))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
