r"""Descent on a loss that the user types, with any optimiser and the theory computed.

:math:`w[k+1] = w[k] - \delta\nabla f(w[k])` for plain gradient descent; other optimisers as
`engine.theory.optimisers` describes them. Symbols: f `function`, :math:`\delta` `step_size`,
w[0] `start`.

Recorded series: ``weights``, ``loss``, ``excess`` (loss above `lowest_loss`), ``gradient`` (norm),
``step_size`` (of the step that leads on), ``move`` (length of the step made); where the Hessian was
looked at ``hessian`` (eigenvalues), ``sharpness`` and ``stability`` (the curvature that counts for
the optimiser over its largest stable value).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray, checked
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.experiment import AbstractExperiment, Recent
from engine.core.outcome import Outcome
from engine.core.params import spec_of, update
from engine.core.views import View
from engine.experiments.own_loss import analysis as analyses
from engine.experiments.own_loss import claims as statements
from engine.experiments.own_loss import descent, phase, pictures, plane, proofs, theory
from engine.experiments.own_loss import views as plots
from engine.experiments.own_loss.analysis import LossAnalysis
from engine.experiments.own_loss.law import descent_law
from engine.experiments.own_loss.listing import LISTING
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.problem import check_scales, loss_of, starting_point
from engine.experiments.own_loss.system import OwnLossSystem, system_of
from engine.families.proofs.proofs import Proofs
from engine.theory.optimisers.law import DescentLaw


@final
class OwnLoss(AbstractExperiment[OwnLossParams, OwnLossState]):
    """Descent on a typed loss: any function, any optimiser, equilibria and flips computed."""

    listing = LISTING
    parameters = OwnLossParams
    default_steps = 1000
    has_ensemble = True
    why_no_nudge = ""

    def init(self, params: OwnLossParams, seed: int) -> OwnLossState:
        """Read the loss and place the start."""
        loss = loss_of(params)
        start = starting_point(params, loss.dimension, seed)
        check_scales(params, loss.dimension)
        return OwnLossState(
            params=params,
            seed=seed,
            weights=start,
            start=start,
            moments=np.zeros((2, loss.dimension)),
        )

    def advance(self, state: OwnLossState, n: int, stride: int = 1) -> tuple[OwnLossState, Chunk]:
        """Make up to `n` steps of the optimiser."""
        if state.diverged_at is not None or n <= 0:
            return state, Chunk(state.step + 1, 0, 1, {}, {})
        return descent.advance(state, n, stride)

    def record(self, state: OwnLossState) -> Mapping[str, FloatArray]:
        """Measure everything at one state."""
        return descent.record(state)

    def observe(self, state: OwnLossState, recent: Recent) -> Observation:
        """Compute level curves, path, equilibria and the eigenvalues of a step."""
        return pictures.observe(state, recent) | proofs.observe(state, recent)

    def outcome(self, state: OwnLossState, recent: Recent) -> Outcome:
        """Name the phase, with the equilibrium that the run is near."""
        return phase.outcome_of(state, recent)

    def theory(self, params: OwnLossParams, state: OwnLossState | None) -> tuple[Bound, ...]:
        """List the optimiser's threshold here and at the minima that were found."""
        return theory.bounds(params, state)

    def claims(
        self, params: OwnLossParams, state: OwnLossState, recent: Recent
    ) -> tuple[Claim, ...]:
        """Confront the threshold, and the cycle beyond it, with the run."""
        made = statements.claims(params, state, recent)
        return (*made, *proofs.claims(state, phase.phase_of(state, recent).kind))

    def views(self, params: OwnLossParams) -> tuple[View, ...]:
        """Describe the plots."""
        return (*proofs.plots(params), *plots.views(params))

    def final(self, state: OwnLossState, recent: Recent) -> Mapping[str, Any]:
        """Return the variables, what was measured last, and the equilibria that are known."""
        measured = self.record(state)
        numbers = {
            key: float(measured[key]) if np.isfinite(measured[key]) else None
            for key in ("loss", "gradient", "step_size", "sharpness", "stability")
        }
        found = analyses.analysis_of(state.params, state.seed)
        listed = () if found is None else found.equilibria
        return {
            "variables": list(loss_of(state.params).variables),
            "weights": state.weights.tolist(),
            **numbers,
            "equilibria": [_summary(each) for each in listed],
        }

    def arrays(self, state: OwnLossState) -> Mapping[str, NDArray[Any]]:
        """Return the variables' values."""
        return {"weights": state.weights}

    def with_arrays(self, state: OwnLossState, arrays: Mapping[str, NDArray[Any]]) -> OwnLossState:
        """Start from given values."""
        start = checked(arrays, {"weights": state.weights.shape})["weights"]
        return replace(state, weights=start, start=start)

    def nudge(self, state: OwnLossState, nudge: Nudge) -> OwnLossState:
        """Push the variables; what the optimiser carries stays."""
        weights = pushed(state.weights, nudge, max(float(np.linalg.norm(state.weights)), 1.0))
        return replace(state, weights=weights, start=weights)

    def system(self, params: OwnLossParams, seed: int = 0) -> OwnLossSystem | None:
        """Describe the map of a smooth optimiser with a fixed step size."""
        return system_of(params)

    def law(
        self, params: OwnLossParams, seed: int = 0, apart: Sequence[str] = ()
    ) -> DescentLaw | None:
        """Describe how runs move as parameters and start differ."""
        return descent_law(params, seed)

    def analysis_key(self, params: OwnLossParams, seed: int) -> Hashable:
        """Name the loss, and where equilibria are looked for."""
        return proofs.key_of(params, seed) or analyses.key_of(params, seed)

    def analyse(
        self, params: OwnLossParams, state: OwnLossState, progress: Progress
    ) -> LossAnalysis | Proofs | None:
        """Look for equilibria and compute their flips; where it is asked for, prove what can be."""
        if proofs.key_of(params, state.seed) is not None:
            return proofs.analyse(params, state, progress)
        return analyses.analyse(params, state.seed, progress)

    def drag(self, params: OwnLossParams, handle: str, x: float, y: float) -> OwnLossParams:
        """Move the start within the plane."""
        if handle != "start":
            return params
        loss = loss_of(params)
        spec = spec_of(type(params), "start")
        point = np.array([x])
        if loss.dimension > 1:
            frame = plane.frame_of(params, loss.dimension, 0)
            if frame is None or (frame.is_stand_in and params.noise > 0.0):
                return params  # the seed, and so what is drawn, is not known here
            if params.plane == "start-to-minimum" and not frame.is_stand_in:
                x, y = max(x, plane.LEAST_PULL * frame.reach), 0.0  # it would turn with the start
            point = frame.placed(x, y)
        ends = spec.minimum, spec.maximum
        values = (float(f"{value:.6g}") for value in np.clip(point, *ends))
        return update(params, start=tuple(values), noise=0.0)

    def ensemble(
        self, params: OwnLossParams, seed: int, steps: int, progress: Progress
    ) -> Ensemble:
        """Run many starts, each under one optimiser or several."""
        from engine.experiments.own_loss.ensemble import run

        return run(params, seed, steps, progress)

    def warm_up(self) -> None:
        """Compile the kernels, or load them from the cache on disk."""
        state, chunk = self.advance(self.init(OwnLossParams(), 0), 16)
        self.outcome(state, chunk.low)


def _summary(each: analyses.Listed) -> dict[str, Any]:
    """Return an equilibrium as `run.json` stores it."""
    at, flip = each.at, each.flip
    return {
        "point": at.point.tolist(),
        "loss": at.loss,
        "nature": str(at.nature),
        "manifold": at.manifold,
        "eigenvalues": at.eigenvalues.tolist(),
        "critical_step_of_gradient_descent": None if flip is None else flip.step_size,
        "flip_coefficient": None if flip is None else flip.coefficient,
    }
