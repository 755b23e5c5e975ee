r"""The scalar product network: L numbers whose product should become a target (Section 2).

Equation (2): :math:`w_i \leftarrow w_i-\delta\sigma(\prod_j w_j-\lambda)\prod_{j\ne i}w_j`;
Propositions 1, 2 and 3. Symbols: step size :math:`\delta` ``step_size``, target :math:`\lambda`
``target``, depth :math:`L` ``depth``, input power :math:`\sigma` ``input_power``.

Recorded series: ``weights``, ``product``, ``error`` (signed), ``error_size`` (its magnitude),
``loss``, ``gap``, ``sharpness``, ``stability`` (step size times sharpness over its largest stable
value, which is 2 without momentum), ``step_size``, ``distance`` (of the magnitudes from the
balanced one), ``hessian``, ``jacobian`` (eigenvalues), ``edge`` (as ``stability``, of the greatest
Hessian eigenvalue), and ``envelope`` (of Proposition 2) where the start is that of the paper.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Observation, Progress
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent
from engine.core.outcome import Outcome
from engine.core.params import spec_of, update
from engine.core.views import View
from engine.experiments.scalar_product import claims as statements
from engine.experiments.scalar_product import phase as phases
from engine.experiments.scalar_product import pictures
from engine.experiments.scalar_product import theory as stability
from engine.experiments.scalar_product import views as plots
from engine.experiments.scalar_product.law import descent_law
from engine.experiments.scalar_product.listing import LISTING
from engine.experiments.scalar_product.params import ScalarParams, ScalarState, law_of
from engine.experiments.scalar_product.start import starting_weights
from engine.experiments.scalar_product.system import ScalarSystem, system_of
from engine.theory.optimisers.law import DescentLaw

if TYPE_CHECKING:
    from engine.families.proofs.proofs import Proofs
    from engine.families.proofs.rules import StepRules

LEAST_DRAGGED = 1e-3
"""Least step size that the mouse can set, in units of delta_max: there is none at 0."""
FLOOR = 1e-17
"""Where the envelope ends, in units of the root: rounding hides what is below."""


@final
class ScalarProduct(AbstractExperiment[ScalarParams, ScalarState]):
    """Gradient descent on the product of L scalar weights, with Propositions 1, 2 and 3."""

    listing = LISTING
    parameters = ScalarParams
    default_steps = 1000
    why_no_nudge = ""

    def init(self, params: ScalarParams, seed: int) -> ScalarState:
        """Make the start; the weights that begin equal in magnitude stay so."""
        from engine.kernels.scalar.descent import Ties

        weights = starting_weights(params, seed)
        ties = Ties.of(weights)
        covered = stability.starts_symmetric(params)
        distance = abs(theory.root_minus_one(params.target, params.depth))
        log_start = (math.log(distance) if distance > 0 else -math.inf) if covered else math.nan
        return ScalarState(
            params=params,
            seed=seed,
            weights=weights,
            velocity=np.zeros_like(weights),
            start=weights,
            leader=ties.leader,
            sign=ties.sign,
            log_envelope=log_start,
            largest_step=params.step_size,
            smallest_step=params.step_size,
        )

    def advance(self, state: ScalarState, n: int, stride: int = 1) -> tuple[ScalarState, Chunk]:
        """Make up to `n` steps of equation (2), or of the chosen optimiser."""
        from engine.kernels.scalar import descent as scalar

        params = state.params
        if state.diverged_at is not None:
            return state, Chunk(state.step + 1, 0, 1, {}, {})
        made = scalar.advance(
            state.weights,
            state.velocity,
            state.ties,
            law_of(params),
            first=state.step,
            n=n,
            stride=stride,
            every=params.spectrum_every,
        )
        low, high = made.low, made.high
        if stability.starts_symmetric(params):
            begins = np.arange(state.step + 1, state.step + made.made + 1, stride)
            ends = np.minimum(begins + stride - 1, state.step + made.made)
            low = {**low, "envelope": envelope(state, ends)}
            high = {**high, "envelope": envelope(state, begins)}
        low, high = (
            {
                **side,
                **_over_limit(side, params),
                "error_size": _error_size(side["loss"], params.power),
            }
            for side in (low, high)
        )
        step = state.step + made.made
        new = replace(
            state,
            step=step,
            weights=made.weights,
            velocity=made.velocity,
            diverged_at=step + 1 if made.diverged else None,
            capped=state.capped + made.capped,
        )
        return new, Chunk(state.step + 1, made.made, stride, low, high)

    def record(self, state: ScalarState) -> Mapping[str, FloatArray]:
        """Measure everything at one state."""
        from engine.kernels.scalar import descent as scalar

        params, weights = state.params, state.weights
        step = pictures.step_size_at(state)
        sizes = np.abs(weights)
        with np.errstate(over="ignore", under="ignore"):
            product = float(np.prod(weights))
        error = product - params.target
        sharpness = theory.sharpness(weights, params.power)
        if params.depth <= scalar.WEIGHTS_SHOWN:
            shown = weights
            eigenvalues = scalar.hessian_eigenvalues(weights, params.target, params.power)
        else:
            shown = np.asarray(np.quantile(weights, scalar.QUANTILES))
            extremes = scalar.hessian_extremes(weights, params.target, params.power)
            eigenvalues = np.array(extremes)
        jacobian = pictures.jacobian_eigenvalues(eigenvalues, step, params)
        plain = params.optimiser == "gradient-descent"
        largest = np.abs(jacobian).reshape(-1, eigenvalues.size).max(axis=0)
        numbers = {
            "product": product,
            "error": error,
            "error_size": abs(error),
            "loss": 0.5 * params.power * error * error,
            "gap": float(sizes.max() - sizes.min()),
            "sharpness": sharpness,
            "stability": step * sharpness / params.curvature_limit,
            "step_size": step,
            "distance": float(np.max(np.abs(sizes - params.root))),
            "edge": step * float(eigenvalues[-1]) / params.curvature_limit,
        }
        if stability.starts_symmetric(params):
            numbers["envelope"] = float(envelope(state, np.array([state.step]))[0])
        series = {key: np.asarray(value, np.float64) for key, value in numbers.items()}
        spectra = {"hessian": eigenvalues, "jacobian": jacobian.real if plain else largest}
        return {"weights": np.asarray(shown, np.float64), **series, **spectra}

    def observe(self, state: ScalarState, recent: Recent) -> Observation:
        """Compute the complex plane, the cobweb and, for L = 2, the hyperbola of minima."""
        made = pictures.observe(state, recent)
        if not state.params.prove:
            return made
        from engine.experiments.scalar_product import proofs

        return made | proofs.observe(state, recent)

    def outcome(self, state: ScalarState, recent: Recent) -> Outcome:
        """Name the phase, with period, orbit and Lyapunov exponent."""
        return phases.outcome_of(state, recent)

    def theory(self, params: ScalarParams, state: ScalarState | None) -> tuple[Bound, ...]:
        """List bound (1), the largest and the monotone step size, the rate, and thresholds."""
        return stability.bounds(params, state)

    def claims(self, params: ScalarParams, state: ScalarState, recent: Recent) -> tuple[Claim, ...]:
        """Confront Propositions 1, 2 and 3 with the run."""
        from engine.kernels.scalar.descent import hessian_eigenvalues

        eigenvalues = hessian_eigenvalues(state.weights, params.target, params.power)
        phase = phases.phase_of(state, recent)
        made = statements.claims(statements.Evidence(params, state, recent, phase, eigenvalues))
        if not params.prove:
            return made
        from engine.experiments.scalar_product import proofs

        return (*made, *proofs.claims(state, phase.kind))

    def views(self, params: ScalarParams) -> tuple[View, ...]:
        """Describe the plots."""
        covered = stability.starts_symmetric(params)
        made = plots.views(params, has_envelope=covered)
        if not params.prove:
            return made
        from engine.experiments.scalar_product import proofs

        return (*proofs.plots(params), *made)

    def analysis_key(self, params: ScalarParams, seed: int) -> Hashable | None:
        """Name what proofs depend on, where they are asked for."""
        if not params.prove:
            return None
        from engine.experiments.scalar_product import proofs

        return proofs.analysis_key(params, seed)

    def analyse(
        self, params: ScalarParams, state: ScalarState, progress: Progress
    ) -> Proofs | StepRules | None:
        """Prove what can be proved of stability and regions of attraction."""
        from engine.experiments.scalar_product import proofs

        return proofs.analyse(params, state.seed, progress)

    def final(self, state: ScalarState, recent: Recent) -> Mapping[str, Any]:
        """Return weights, error, cycle and what was measured last."""
        phase = phases.phase_of(state, recent)
        orbit, of = phases.orbit_points(state, phase, recent)
        numbers = {
            key: float(recent[key][-1])
            for key in ("error", "product", "loss", "sharpness", "stability", "step_size", "gap")
        }
        measured = self.record(state)
        return {
            "weights": state.weights.tolist(),
            **numbers,
            "phase": phase.text,
            "period": phase.period,
            "orbit": list(orbit) if orbit else None,
            "orbit_of": of or None,
            "lyapunov": phase.lyapunov,
            "hessian_top": float(measured["hessian"][-1]),
            "capped_steps": state.capped,
        }

    def arrays(self, state: ScalarState) -> Mapping[str, NDArray[Any]]:
        """Return the weights."""
        return {"weights": state.weights}

    def with_arrays(self, state: ScalarState, arrays: Mapping[str, NDArray[Any]]) -> ScalarState:
        """Start from given weights."""
        if set(arrays) != {"weights"}:
            raise InputError("model", sorted(arrays), "give an array named weights")
        weights = np.asarray(arrays["weights"], dtype=np.float64)
        depth = state.params.depth
        if weights.shape != (depth,) or not np.isfinite(weights).all():
            raise InputError("weights", weights.shape, f"give {depth} finite numbers")
        from engine.kernels.scalar.descent import Ties

        ties = Ties.of(weights)
        return replace(
            state,
            weights=weights.copy(),
            start=weights.copy(),
            leader=ties.leader,
            sign=ties.sign,
            log_envelope=math.nan,
        )

    def retune(self, state: ScalarState, params: ScalarParams) -> ScalarState:
        """Go on with other live parameters; the envelope goes on at the new rate."""
        reached = state.log_envelope
        if state.step > state.envelope_step:
            reached += (state.step - state.envelope_step) * _log_rate(state.params)
        unused = state.step == 0
        return replace(
            state,
            params=params,
            log_envelope=reached,
            envelope_step=state.step,
            largest_step=params.step_size if unused else max(state.largest_step, params.step_size),
            smallest_step=params.step_size
            if unused
            else min(state.smallest_step, params.step_size),
        )

    def nudge(self, state: ScalarState, nudge: Nudge) -> ScalarState:
        """Push the weights; those that were equal in magnitude are so no more.

        What claims state of the start they state of the pushed weights from here on.
        """
        from engine.kernels.scalar.descent import Ties

        weights = pushed(state.weights, nudge, math.sqrt(state.params.depth) * state.params.root)
        ties = Ties.of(weights)
        return replace(
            state,
            weights=weights,
            start=weights,
            leader=ties.leader,
            sign=ties.sign,
            log_envelope=math.nan,
            envelope_step=state.step,
        )

    def system(self, params: ScalarParams, seed: int = 0) -> ScalarSystem | None:
        """Describe the map of a fixed step size; a state-dependent one has no derivative."""
        return system_of(params)

    def law(
        self, params: ScalarParams, seed: int = 0, apart: Sequence[str] = ()
    ) -> DescentLaw | None:
        """Describe how runs move as parameters and start differ."""
        return descent_law(params, seed, apart)

    def drag(self, params: ScalarParams, handle: str, x: float, y: float) -> ScalarParams:
        """Take the step size from the orbit diagram, or for L = 2 the start from its plane."""
        if handle == "step_size":
            least = LEAST_DRAGGED * theory.delta_max(params.target, params.depth, params.power)
            most = spec_of(type(params), "step_size").maximum or math.inf
            return update(params, step_size=float(f"{min(max(x, least), most):.4g}"))
        if handle == "start":
            return update(params, init="list", weights=(x, y), noise=0.0)
        return params

    def warm_up(self) -> None:
        """Compile the kernels, or load them from the cache on disk."""
        for depth in (ScalarParams().depth, 2):  # two weights have pictures of their own
            state = self.init(ScalarParams(depth=depth), 0)
            state, chunk = self.advance(state, 16)
            self.outcome(state, chunk.low)
            self.observe(state, chunk.low)


def _error_size(loss: FloatArray, power: float) -> FloatArray:
    """Return the error's magnitude: for a bucket with both signs the error's ends have none."""
    return np.asarray(np.sqrt(loss * (2.0 / power)))


def _over_limit(side: Mapping[str, FloatArray], params: ScalarParams) -> dict[str, FloatArray]:
    """Measure stability by the optimiser's own limit: the kernel knows that without momentum."""
    share = 2.0 / params.curvature_limit
    keys = ("stability", "edge") if params.has_momentum else ()
    return {key: np.asarray(share * side[key]) for key in keys}


def _log_rate(params: ScalarParams) -> float:
    """Return the logarithm of Proposition 2's rate, NaN where the step size is above delta_c."""
    limit = theory.delta_c(params.target, params.depth, params.power)
    if params.step_size > limit * (1.0 + 1e-12):
        return math.nan
    drop = theory.contraction(params.step_size, params.target, params.depth, params.power)
    return math.log1p(-drop) if drop < 1.0 else -math.inf


def envelope(state: ScalarState, steps: NDArray[np.int64]) -> FloatArray:
    """Return Proposition 2's bound on the distance at some steps; NaN where it does not hold."""
    if math.isnan(state.log_envelope):
        return np.full(len(steps), np.nan)
    log_rate = _log_rate(state.params)
    later = np.maximum(steps - state.envelope_step, 0).astype(np.float64)
    if math.isinf(log_rate):
        logs = np.where(later > 0, -math.inf, state.log_envelope)
    else:
        logs = state.log_envelope + later * log_rate
    values: FloatArray = np.exp(np.maximum(logs, math.log(FLOOR * state.params.root)))
    return values
