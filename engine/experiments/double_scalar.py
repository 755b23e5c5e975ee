r"""The difference of two scalar products beside a single one: equations (9a, b), Proposition 3.

:math:`w \leftarrow w-\delta\sigma w^{L-1}e`, :math:`z \leftarrow z+\delta\sigma z^{L-1}e` with
:math:`e=w^L-z^L-\lambda`, and in lockstep the single network u. Symbols: :math:`\delta`
`step_size`, L `depth`, :math:`\lambda` `target`, :math:`\sigma` `input_power`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from engine import theory
from engine.errors import InputError
from engine.experiment import (
    AbstractExperiment,
    Bound,
    Chunk,
    Claim,
    FloatArray,
    Observation,
    Outcome,
    Recent,
    State,
)
from engine.experiments import _double_scalar_text as text
from engine.params import Params, param, update
from engine.phase import Window, classify
from engine.views import View

_DESCENT, _PROBLEM, _START, _FLOW = "Descent", "Problem", "Start", "Flow"
SEEN = 400
"""Points of a curve."""


class DoubleScalarParams(Params):
    """Parameters of the double scalar network."""

    step_size: float = param(
        0.1, "Factor on the gradient.", symbol=r"\delta", group=_DESCENT, gt=0, le=100, log=True,
        live=True,
    )  # fmt: skip
    depth: int = param(
        5, "Number L of weights in each product.", symbol="L", group=_PROBLEM, ge=1, le=100
    )
    target: float = param(
        -1.0, "The number to be learned; not 0.", symbol=r"\lambda", group=_PROBLEM, ge=-1e4, le=1e4
    )
    input_power: float = param(
        1.0, "Mean square of the inputs.", symbol=r"\sigma", group=_PROBLEM, gt=0, le=1e4, log=True
    )
    init: Literal["ones", "typed"] = param(
        "ones", "Where all weights begin: at 1, or at two numbers.", label="Start", group=_START
    )
    start_w: float = param(
        0.01, "First value of every w, and of the single network's weights.", symbol="w[0]",
        group=_START, ge=-100, le=100, when={"init": ["typed"]},
    )  # fmt: skip
    start_z: float = param(
        0.01, "First value of every z.", symbol="z[0]", group=_START, ge=-100, le=100,
        when={"init": ["typed"]},
    )  # fmt: skip
    noise: float = param(
        0.0, "Standard deviation of what is added to each weight; 0 keeps the exact symmetry.",
        group=_START, ge=0, le=1,
    )  # fmt: skip
    flow: bool = param(True, "Follow the gradient flow beside the runs.", group=_FLOW)

    @field_validator("target")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        if value == 0:
            raise InputError("target", value, "give a finite number other than 0")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleScalarState(State[DoubleScalarParams]):
    """Networks w, z and u, shape (3, L), or (3, 1) while the weights of each are equal.

    `flow` has the same shape, or (0, 0) where the flow is not followed.
    """

    weights: FloatArray
    flow: FloatArray


@dataclass(frozen=True, slots=True)
class Reading:
    """What the kernel records of a state: see `engine.kernels.double.COLUMNS`."""

    w: float
    z: float
    u: float
    spread: float
    error_double: float
    error_single: float
    sharpness_double: float
    sharpness_single: float


@final
class DoubleScalar(AbstractExperiment[DoubleScalarParams, DoubleScalarState]):
    """The double scalar network."""

    id = "double-scalar"
    title = "Double scalar network"
    section = "Section 3.2, equations (9a, b)"
    summary = "The difference of two products learns what a single product cannot: a negative λ."
    parameters = DoubleScalarParams
    default_steps = 1000
    cadence = 30.0

    def init(self, params: DoubleScalarParams, seed: int) -> DoubleScalarState:
        """Make the three networks at step 0."""
        first = (1.0, 1.0) if params.init == "ones" else (params.start_w, params.start_z)
        weights = np.array([[first[0]], [first[1]], [first[0]]])
        if params.noise:
            generator = np.random.default_rng(seed)
            pair = generator.standard_normal((2, params.depth))
            weights = weights + params.noise * np.vstack([pair, pair[:1]])
        return self._begin(params, seed, weights)

    @staticmethod
    def _begin(params: DoubleScalarParams, seed: int, weights: FloatArray) -> DoubleScalarState:
        flow = weights.copy() if params.flow else np.empty((0, 0))
        return DoubleScalarState(params=params, seed=seed, weights=weights, flow=flow)

    def advance(
        self, state: DoubleScalarState, n: int, stride: int = 1
    ) -> tuple[DoubleScalarState, Chunk]:
        """Make up to n steps of all three networks."""
        from engine.kernels import double

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
        _add_stability(rows, params.step_size)
        step = state.step + made.done
        new = dataclasses.replace(
            state, weights=made.weights, flow=flow, step=step,
            diverged_at=step + 1 if made.diverged else None,
        )  # fmt: skip
        return new, Chunk.exact(first, rows).bucketed(stride)

    def record(self, state: DoubleScalarState) -> Mapping[str, FloatArray]:
        """Measure everything at a state."""
        rows = {name: np.asarray(value) for name, value in dataclasses.asdict(_read(state)).items()}
        flow = _read(dataclasses.replace(state, weights=state.flow)) if state.flow.size else None
        rows["flow_double"] = np.asarray(np.nan if flow is None else flow.error_double)
        rows["flow_single"] = np.asarray(np.nan if flow is None else flow.error_single)
        _add_stability(rows, state.params.step_size)
        return rows

    def observe(self, state: DoubleScalarState, recent: Recent) -> Observation:
        """Compute the plane's curves and the Jacobian's eigenvalues."""
        params, now = state.params, _read(state)
        limit = theory.double_flow_limit(params.target, params.depth)
        reach = 1.3 * max(limit.w, limit.z, abs(now.w), abs(now.z), 1.0)
        reach = min(reach, 4 * max(limit.w, limit.z, 1.0))
        values = 1 - params.step_size * np.linalg.eigvalsh(_hessian(state))
        start = (1.0, 1.0) if params.init == "ones" else (params.start_w, params.start_z)
        return {
            **_curves(params, reach),
            "path_w": recent["w"], "path_z": recent["z"],
            "now_w": np.array([now.w]), "now_z": np.array([now.z]),
            "limit_w": np.array([limit.w]), "limit_z": np.array([limit.z]),
            "origin": np.zeros(1), "start_w": start[0], "start_z": start[1],
            "jacobian_re": values, "jacobian_im": np.zeros_like(values),
        }  # fmt: skip

    def outcome(self, state: DoubleScalarState, recent: Recent) -> Outcome:
        """Classify the pair's run."""
        params = state.params
        phase = classify(
            Window(
                step=state.step, error=recent["error_double"],
                states=np.column_stack([recent["w"], recent["z"]]),
                scale=abs(params.target), first_error=abs(params.target),
                diverged_at=state.diverged_at,
            )
        )  # fmt: skip
        orbit = () if phase.orbit is None else tuple(float(value) for value in phase.orbit[:, 0])
        return Outcome(
            kind=phase.kind, step=state.step, message=phase.message, phase=phase.text,
            period=phase.period, orbit=orbit, lyapunov=phase.lyapunov,
        )  # fmt: skip

    def theory(
        self, params: DoubleScalarParams, state: DoubleScalarState | None
    ) -> tuple[Bound, ...]:
        """Give the limits of both networks and the flow's minimum."""
        return text.bounds(params, None if state is None else _read(state))

    def claims(
        self, params: DoubleScalarParams, state: DoubleScalarState, recent: Recent
    ) -> tuple[Claim, ...]:
        """Confront Section 3.2's statements with the run."""
        return text.claims(params, state, _read(state), self.outcome(state, recent))

    def views(self, params: DoubleScalarParams) -> tuple[View, ...]:
        """Describe the plots."""
        return text.views(params)

    def final(self, state: DoubleScalarState, recent: Recent) -> Mapping[str, Any]:
        """Give weights, errors and sharpness of both networks."""
        now = _read(state)
        return {
            "weights": state.weights[0].tolist(), "weights_z": state.weights[1].tolist(),
            "weights_single": state.weights[2].tolist(), "error": now.error_double,
            "error_single": now.error_single, "sharpness": now.sharpness_double,
            "sharpness_single": now.sharpness_single,
        }  # fmt: skip

    def arrays(self, state: DoubleScalarState) -> Mapping[str, NDArray[Any]]:
        """Give the weights of the pair and of the single network."""
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
        return self._begin(state.params, state.seed, np.stack(rows))

    def drag(
        self, params: DoubleScalarParams, handle: str, x: float, y: float
    ) -> DoubleScalarParams:
        """Begin where the start was dragged to."""
        x, y = (float(np.clip(value, -100, 100)) for value in (x, y))
        return update(params, init="typed", start_w=x, start_z=y)

    def warm_up(self) -> None:
        """Compile the kernels."""
        self.advance(self.init(DoubleScalarParams(), 0), 2)


def _add_stability(rows: dict[str, FloatArray], step_size: float) -> None:
    rows["stability"] = step_size * rows["sharpness_double"] / 2
    rows["stability_single"] = step_size * rows["sharpness_single"] / 2


def _full(state: DoubleScalarState) -> FloatArray:
    """Give all weights, shape (3, L)."""
    return np.broadcast_to(state.weights, (3, state.params.depth)).copy()


def _read(state: DoubleScalarState) -> Reading:
    """Measure a state as the kernel does."""
    params, weights = state.params, _full(state)
    slopes = [theory.cofactors(row) for row in weights]
    w, z, u = (float(np.prod(row)) for row in weights)
    squares = [params.input_power * float(np.sum(slope**2)) for slope in slopes]
    return Reading(
        w=float(weights[0].mean()), z=float(weights[1].mean()), u=float(weights[2].mean()),
        spread=float(np.ptp(state.weights, axis=1).max()),
        error_double=w - z - params.target, error_single=u - params.target,
        sharpness_double=squares[0] + squares[1], sharpness_single=squares[2],
    )  # fmt: skip


def _hessian(state: DoubleScalarState) -> FloatArray:
    """Hessian of the pair's loss ½σe² at a state, shape (2L, 2L)."""
    params, weights = state.params, _full(state)
    error = float(np.prod(weights[0]) - np.prod(weights[1]) - params.target)
    gradient = np.concatenate([theory.cofactors(weights[0]), -theory.cofactors(weights[1])])
    hessian = np.outer(gradient, gradient)
    for sign, block, row in ((1.0, 0, weights[0]), (-1.0, 1, weights[1])):
        place = slice(block * params.depth, (block + 1) * params.depth)
        hessian[place, place] += sign * error * _second(row)
    return params.input_power * hessian


def _second(row: FloatArray) -> FloatArray:
    """Products of all weights but two, shape (L, L), with 0 on the diagonal."""
    depth = len(row)
    found = np.zeros((depth, depth))
    for i in range(depth if depth > 1 else 0):
        others = [j for j in range(depth) if j != i]
        found[i, others] = theory.cofactors(row[others])
    return found


def _curves(params: DoubleScalarParams, reach: float) -> dict[str, FloatArray]:
    """Curve of minima w^L − z^L = λ and the invariant through (1, 1), both up to `reach`."""
    depth, target = params.depth, params.target
    low = -reach if depth % 2 else 0.0
    along = np.linspace(low, reach, SEEN)
    power = np.abs(along) ** depth * (np.sign(along) if depth % 2 else 1.0)
    rest = power - target  # z^L on the curve of minima
    with np.errstate(invalid="ignore"):
        root = np.sign(rest) * np.abs(rest) ** (1 / depth)
    other = np.where((rest >= 0) | bool(depth % 2), root, np.nan)
    other = np.where(np.abs(other) <= reach, other, np.nan)
    made = {"minima_w": along, "minima_z": other}
    if depth >= 2:
        w = np.geomspace(1 / (4 * reach), reach, SEEN)
        left = 1 / w if depth == 2 else 2 - w ** (2.0 - depth)
        with np.errstate(divide="ignore"):
            root = left if depth == 2 else np.abs(left) ** (1 / (2 - depth))
        z = np.where((left > 0) & (root <= reach), root, np.nan)
        made |= {"invariant_w": w, "invariant_z": z}
    return made
