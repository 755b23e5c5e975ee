r"""Two estimators of one architecture that differ in the start of their biases: Section 4.

Equations (10a)-(12b), Figure 4. Symbols: :math:`\delta` `step_size`, L `depth`, N `points`,
:math:`W_i[0]` `init_weight`, the ranges of :math:`b_i[0]` `bias_range_1` and `bias_range_2`,
c[0] `init_scale`, :math:`\beta` `momentum`.

Each estimator is :math:`\hat f = \hat f_1 - \hat f_2 + d` with two networks
:math:`h_i = h_{i-1} + w_i(h_{i-1}-b_i)_+`, :math:`\hat f_j = c_j h_L(x)`; the loss is half the
mean squared error, so a step is N times that of (11).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.change import Nudge
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent
from engine.core.outcome import Outcome, OutcomeKind, Standing
from engine.core.params import update
from engine.core.views import View
from engine.experiments.piecewise_fit import run as fit_run
from engine.experiments.piecewise_fit.claims import all_claims
from engine.experiments.piecewise_fit.listing import LISTING
from engine.experiments.piecewise_fit.observe import estimate, observe
from engine.experiments.piecewise_fit.params import FitParams, FitState
from engine.experiments.piecewise_fit.theory import bounds
from engine.experiments.piecewise_fit.views import all_views

RESTING = 1e-9
"""Largest entry of the projected gradient of the loss at which a run has converged."""
SWING = 1e-3
"""Relative change of the loss over the last steps that counts as one."""

X_DIGITS, MOST_HEIGHT = 6, 1e6
"""Decimals of x and largest size of y of a drawn point that is moved."""


@final
class PiecewiseFit(AbstractExperiment[FitParams, FitState]):
    """The piecewise fit of Figure 4."""

    listing = LISTING
    parameters = FitParams
    default_steps = 10_000
    has_ensemble = True
    why_no_nudge = ""

    def init(self, params: FitParams, seed: int) -> FitState:
        """Make the points and both estimators at step 0."""
        return fit_run.begin(params, seed)

    def advance(self, state: FitState, n: int, stride: int = 1) -> tuple[FitState, Chunk]:
        """Make up to n steps of both estimators."""
        return fit_run.advance(state, n, stride)

    def nudge(self, state: FitState, nudge: Nudge) -> FitState:
        """Push what is trained of both estimators."""
        return fit_run.push(state, nudge)

    def record(self, state: FitState) -> Mapping[str, FloatArray]:
        """Measure the series of one state."""
        return fit_run.measured(state)

    def observe(self, state: FitState, recent: Recent) -> Observation:
        """Compute the arrays of the plots."""
        return observe(state)

    def outcome(self, state: FitState, recent: Recent) -> Outcome:
        """Return which estimator fits, and whether the run is at rest."""
        now = fit_run.measured(state)
        limit = state.params.fit_limit
        words = [
            f"estimate {which + 1} {'fits' if error < limit else 'does not fit'} (MSE {error:.3g})"
            for which, error in enumerate(now["mse"])
        ]
        message = f"{words[0][0].upper()}{words[0][1:]}, {words[1]}."
        if state.diverged_at is not None:
            text = f"diverged at k = {state.diverged_at}"
            message = f"An estimate left the range of useful numbers at step {state.diverged_at}."
            return Outcome(kind=OutcomeKind.DIVERGED, step=state.step, message=message, phase=text)
        kind, phase, standing = _phase(state, now, recent["mse"])
        return Outcome(kind=kind, step=state.step, message=message, phase=phase, standing=standing)

    def theory(self, params: FitParams, state: FitState | None) -> tuple[Bound, ...]:
        """Return the stability limits, the function's slope and the number of pieces."""
        return bounds(params, state)

    def claims(self, params: FitParams, state: FitState, recent: Recent) -> tuple[Claim, ...]:
        """Confront the statements of Section 4 with the run."""
        return all_claims(params, state, recent)

    def views(self, params: FitParams) -> tuple[View, ...]:
        """Describe the plots."""
        return all_views(params)

    def final(self, state: FitState, recent: Recent) -> Mapping[str, Any]:
        """Sum up the end of the run."""
        now = fit_run.measured(state)
        names = (
            "mse",
            "lipschitz",
            "bias_movement",
            "weight_movement",
            "smallest",
            "gradient_w",
            "gradient_b",
            "gradient_c",
            "residual_12a",
            "residual_12b",
            "residual_b",
        )
        found: dict[str, Any] = {name: now[name].tolist() for name in names}
        found["error"] = now["mse"].tolist()
        found["fits"] = (now["mse"] < state.params.fit_limit).tolist()
        depth = state.params.depth
        found["weights"] = state.theta[:, : 2 * depth].tolist()
        found["biases"] = state.theta[:, 2 * depth : 4 * depth].tolist()
        found["function_lipschitz"] = state.samples.lipschitz
        found["points"] = int(state.samples.x.size)
        found["data_note"] = state.samples.note
        pieces = [estimate(state, which) for which in range(2)]
        found["pieces"] = [
            {"edges": one.whole.edges.tolist(), "slopes": one.whole.slopes.tolist()}
            for one in pieces
        ]
        found["line_distance"] = [one.lines.overall_distance() for one in pieces]
        return found

    def arrays(self, state: FitState) -> Mapping[str, NDArray[Any]]:
        """Return w and b, shape (2, 2, L), c (2, 2) and d (2,): estimator, convex or concave."""
        depth = state.params.depth
        theta = state.theta
        return {
            "w": theta[:, : 2 * depth].reshape(2, 2, depth),
            "b": theta[:, 2 * depth : 4 * depth].reshape(2, 2, depth),
            "c": theta[:, 4 * depth : 4 * depth + 2],
            "d": theta[:, -1],
        }

    def with_arrays(self, state: FitState, arrays: Mapping[str, NDArray[Any]]) -> FitState:
        """Begin at given parameters, from which movement is measured too."""
        parts = []
        for name, own in self.arrays(state).items():
            if name not in arrays or np.shape(arrays[name]) != own.shape:
                raise InputError("model", name, f"give an array {name} of shape {own.shape}")
            given = np.asarray(arrays[name], np.float64)
            if not (np.abs(given) <= 1e6).all():
                raise InputError("model", name, "give finite numbers up to 1e6 in size")
            parts.append(given.reshape(2, -1))
        theta = np.concatenate(parts, axis=1)
        return dataclasses.replace(
            state, theta=theta, previous=theta, start=theta, step=0, clock=1.0, diverged_at=None
        )

    def drag(self, params: FitParams, handle: str, x: float, y: float) -> FitParams:
        """Move a drawn point (``point:i``) or a kink of the start (``start1:i``, ``start2:i``)."""
        name, _, index = handle.partition(":")
        if name == "point":
            return _with_point(params, int(index), x, y)
        row = (float(name.removeprefix("start")), float(index), min(max(x, 0.0), 1.2))
        others = [moved for moved in params.moved_kinks if tuple(moved[:2]) != row[:2]]
        return update(params, moved_kinks=(*others, row))

    def ensemble(self, params: FitParams, seed: int, steps: int, progress: Progress) -> Ensemble:
        """Run many seeds of both estimators, each also with other start weights."""
        from engine.experiments.piecewise_fit.ensemble import run

        return run(params, seed, steps, progress)

    def warm_up(self) -> None:
        """Compile the kernels."""
        state = self.init(FitParams(depth=1, points=3), 0)
        state, _ = self.advance(state, 2)
        self.record(state)


def _with_point(params: FitParams, index: int, x: float, y: float) -> FitParams:
    """Move one of the points drawn; three places at least stay different."""
    points = list(params.drawn)
    if index >= len(points):
        return params
    x = round(min(max(x, 0.0), 1.0), X_DIGITS)
    points[index] = (x, min(max(y, -MOST_HEIGHT), MOST_HEIGHT))
    places = {point[0] for point in points}
    return update(params, drawn=tuple(points)) if len(places) >= 3 else params


def _phase(
    state: FitState, now: Mapping[str, FloatArray], errors: FloatArray
) -> tuple[OutcomeKind, str, Standing]:
    """Classify by the projected gradient, and by how the loss went over the last steps."""
    count = state.samples.x.size
    slope = max(float(now[key].max()) for key in ("residual_12a", "residual_12b", "residual_b"))
    slope = max(slope / count, float(now["gradient_d"].max()))
    if slope < RESTING:
        return OutcomeKind.CONVERGED, "at rest", Standing.OPEN
    if len(errors) < 20:
        return OutcomeKind.MAX_STEPS, "starting", Standing.OPEN
    rises = (np.diff(errors, axis=0) > 1e-9 * errors[:-1]).mean(axis=0)
    low, high = errors.min(axis=0), errors.max(axis=0)
    swings = high - low > np.maximum(SWING * low, 1e-6 * float(np.var(state.samples.y)))
    falls = errors[-1] < 0.99 * errors[0]
    if (swings & ~falls & (rises > 0.2)).any():
        return OutcomeKind.OSCILLATING, "oscillating", Standing.OPEN
    if (swings & falls).any():
        text = "falling" if rises.max() > 0 else "monotone"
        return OutcomeKind.CONVERGING, text, Standing.OPEN
    return OutcomeKind.CONVERGING, "settling", Standing.SETTLING
