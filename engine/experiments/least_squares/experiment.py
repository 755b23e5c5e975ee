r"""Least squares by gradient descent: Section 2 before Proposition 1, and Figure 1.

:math:`w[k+1] = (I - \delta X X^\top) w[k] + \delta X y`. Symbols: :math:`\delta` `step_size`,
n `width`, w[0] `start`, :math:`\epsilon` `epsilon`, the radius of the definition of Lyapunov
stability. (The definition's other radius, also called :math:`\delta` there, is computed.)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from engine.analysis.phase import classify
from engine.analysis.window import Window
from engine.core.arrays import FloatArray, checked
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.experiment import AbstractExperiment, Recent
from engine.core.outcome import Outcome
from engine.core.params import update
from engine.core.views import View
from engine.experiments.least_squares import proofs
from engine.experiments.least_squares import theory as stability
from engine.experiments.least_squares import views as pictures
from engine.experiments.least_squares.law import descent_law
from engine.experiments.least_squares.listing import LISTING
from engine.experiments.least_squares.problem import (
    LeastSquaresParams,
    LeastSquaresState,
    Quadratic,
    largest_factor,
    make_quadratic,
    make_starts,
)
from engine.experiments.least_squares.system import LeastSquaresSystem, system_of
from engine.theory.optimisers.law import DescentLaw

FLOOR = 1e-11
"""Distance, relative to the first, below which it is rounding."""


@final
class LeastSquares(AbstractExperiment[LeastSquaresParams, LeastSquaresState]):
    """Gradient descent on a quadratic: a linear dynamical system."""

    listing = LISTING
    parameters = LeastSquaresParams
    default_steps = 200
    has_ensemble = True
    why_no_nudge = ""

    def init(self, params: LeastSquaresParams, seed: int) -> LeastSquaresState:
        """Draw or load the data and place the starts."""
        problem = make_quadratic(params, seed)
        start = make_starts(params, problem, seed)
        minima = problem.nearest(start)
        began = _distances(start, minima)
        return LeastSquaresState(
            params=params,
            seed=seed,
            problem=problem,
            points=start,
            previous=start,
            start=start,
            minima=minima,
            began=began,
            farthest=began,
        )

    def advance(
        self, state: LeastSquaresState, n: int, stride: int = 1
    ) -> tuple[LeastSquaresState, Chunk]:
        """Make up to n steps from all starts."""
        from engine.kernels.least_squares import LIMIT, descend

        first = state.step + 1
        if state.diverged_at is not None or n <= 0:
            return state, Chunk.exact(first, {})
        params, problem = state.params, state.problem
        limit = LIMIT * max(1.0, state.distance)
        made = descend(
            state.points,
            state.previous,
            problem.gram,
            problem.load,
            state.minima,
            n,
            params.step_size,
            momentum=params.beta,
            nesterov=params.optimiser == "nesterov",
            tracked=_tracked(problem, params),
            directions=_directions(problem),
            limit=limit,
        )
        series = _series(state, made.tracked, made.components, made.distances, made.excess)
        diverged_at = None
        if made.diverged:
            diverged_at = first + made.done
            last = _end(series, limit)
            series = {key: np.concatenate([rows, last[key]]) for key, rows in series.items()}
        new = dataclasses.replace(
            state,
            step=state.step + len(series["error"]),
            points=made.points,
            previous=made.previous,
            diverged_at=diverged_at,
            farthest=np.maximum(state.farthest, made.distances.max(axis=0, initial=0.0)),
        )
        return new, Chunk.exact(first, series).bucketed(stride)

    def nudge(self, state: LeastSquaresState, nudge: Nudge) -> LeastSquaresState:
        """Push all points; along a flat direction that brings other minima into reach."""
        points = pushed(state.points, nudge, max(state.distance, 1.0))
        minima = state.problem.nearest(points)
        began = _distances(points, minima)
        return dataclasses.replace(
            state,
            points=points,
            previous=state.previous + (points - state.points),  # at the same speed
            minima=minima,
            began=began,
            farthest=began,
            moving=state.params.beta > 0 and not np.array_equal(state.points, state.previous),
        )

    def record(self, state: LeastSquaresState) -> Mapping[str, FloatArray]:
        """Measure distances, losses and components at a state."""
        from engine.kernels.least_squares import LIMIT

        problem, gaps = state.problem, state.points - state.minima
        energies = 0.5 * np.einsum("si,ij,sj->s", gaps, problem.gram, gaps)
        series = _series(
            state,
            state.points[None, : _tracked(problem, state.params)],
            (_directions(problem) @ gaps[0])[None],
            np.linalg.norm(gaps, axis=1)[None],
            np.maximum(energies, 0.0)[None],
        )
        if state.diverged_at is not None:
            series = _end(series, LIMIT * max(1.0, state.distance))
        return {key: rows[0] for key, rows in series.items()}

    def observe(self, state: LeastSquaresState, recent: Recent) -> Observation:
        """Compute the phase portrait, the eigenvalue plane and the spectrum."""
        return pictures.observation(state, recent)

    def outcome(self, state: LeastSquaresState, recent: Recent) -> Outcome:
        """Classify the first run by its distance and its component along the steepest direction."""
        recent = state.evidence(recent)
        floor = FLOOR * max(state.distance, 1e-300)
        error, steep = recent["error"], recent["steepest"]
        known = np.isfinite(error) & np.isfinite(steep)
        error = np.where(error[known] < floor, 0.0, error[known])
        steep = np.where(np.abs(steep[known]) < floor, 0.0, steep[known])
        phase = classify(
            Window(
                step=state.step,
                error=error,
                states=np.column_stack([error, steep]),
                scale=max(state.distance, 1e-300),
                diverged_at=state.diverged_at,
                multiplier=largest_factor(state.params, state.problem),
                is_linear=True,
            )
        )
        return phase.outcome(
            state.step,
            phase.points(1),
            "the steepest part of the error",
            since=state.changed_at or None,
        )

    def theory(
        self, params: LeastSquaresParams, state: LeastSquaresState | None
    ) -> tuple[Bound, ...]:
        """Return the critical step size and the ball of the definition of stability."""
        return stability.bounds(params, None if state is None else state.problem)

    def claims(
        self, params: LeastSquaresParams, state: LeastSquaresState, recent: Recent
    ) -> tuple[Claim, ...]:
        """Confront the section's statement, and the definition of stability, with the run."""
        outcome = self.outcome(state, recent)
        made = stability.claims(
            params,
            state.problem,
            outcome,
            state.distance,
            state.farthest,
            state.began,
            state.moving,
        )
        return (*made, *proofs.claims(params, state.problem, outcome.kind))

    def views(self, params: LeastSquaresParams) -> tuple[View, ...]:
        """Describe the plots."""
        return pictures.views(params)

    def final(self, state: LeastSquaresState, recent: Recent) -> Mapping[str, Any]:
        """Sum up the end of the run."""
        loss = float(recent["loss"][-1])
        ball = stability.ball(state.params, state.problem)
        return {
            "weights": state.points[0].tolist(),
            "minimum": state.minima[0].tolist(),
            "error": float(recent["error"][-1]),
            "loss": loss if math.isfinite(loss) else None,
            "least_loss": state.problem.floor,
            "eigenvalues": state.problem.eigenvalues.tolist(),
            "stable_ball": ball,
        }

    def arrays(self, state: LeastSquaresState) -> Mapping[str, NDArray[Any]]:
        """Return the weights of all starts, shape (starts, n)."""
        return {"weights": state.points}

    def with_arrays(
        self, state: LeastSquaresState, arrays: Mapping[str, NDArray[Any]]
    ) -> LeastSquaresState:
        """Begin at given weights."""
        start = checked(arrays, {"weights": state.points.shape})["weights"]
        minima = state.problem.nearest(start)
        began = _distances(start, minima)
        return dataclasses.replace(
            state,
            points=start,
            previous=start,
            start=start,
            minima=minima,
            began=began,
            farthest=began,
        )

    def system(self, params: LeastSquaresParams, seed: int = 0) -> LeastSquaresSystem:
        """Describe the map of one point, for the data of the seed."""
        return system_of(params, seed)

    def law(
        self, params: LeastSquaresParams, seed: int = 0, apart: Sequence[str] = ()
    ) -> DescentLaw | None:
        """Describe how runs move as parameters and start differ."""
        return descent_law(params, seed)

    def drag(
        self, params: LeastSquaresParams, handle: str, x: float, y: float
    ) -> LeastSquaresParams:
        """Move the first start, or the radius epsilon; the minimum is the origin of the plane."""
        if handle == "epsilon":
            return update(params, epsilon=max(math.hypot(x, y), 1e-6))
        if handle == "start":
            return update(params, start=(x, y, *params.start[2:]))
        return params

    def ensemble(
        self, params: LeastSquaresParams, seed: int, steps: int, progress: Progress
    ) -> Ensemble:
        """Run many seeds, each with its own data, at every step size of the list."""
        from engine.experiments.least_squares.ensemble import run

        return run(params, seed, steps, progress)

    def warm_up(self) -> None:
        """Compile the kernel."""
        self.advance(self.init(LeastSquaresParams(), 0), 2)


def _distances(points: FloatArray, minima: FloatArray) -> FloatArray:
    """Distance of each point from its minimum, shape (starts,)."""
    distances: FloatArray = np.linalg.norm(points - minima, axis=1)
    return distances


def _tracked(problem: Quadratic, params: LeastSquaresParams) -> int:
    """Count the starts whose paths are recorded: all in the plane, else none."""
    return params.starts if problem.size == 2 else 0


def _directions(problem: Quadratic) -> FloatArray:
    """Choose the eigenvectors along which the error is recorded, the steepest last."""
    return problem.eigenvectors[:, pictures.shown_components(problem.size)].T


def _series(
    state: LeastSquaresState,
    tracked: FloatArray,
    components: FloatArray,
    distances: FloatArray,
    excess: FloatArray,
) -> dict[str, FloatArray]:
    """Make the recorded series of what the kernel records, one row a step."""
    problem = state.problem
    series = {
        "error": distances[:, 0],
        "loss": excess[:, 0] + problem.floor,
        "excess": excess[:, 0],
        "distances": distances,
        "steepest": components[:, -1],
        "components": components,
    }
    if problem.size == 2:
        rows, width = len(tracked), math.prod(tracked.shape[1:])  # of no rows, reshape infers none
        series["path"] = (tracked - state.minima).reshape(rows, width)
    return series


def _end(series: Mapping[str, FloatArray], limit: float) -> dict[str, FloatArray]:
    """Row of the step at which a run diverged: the distance at its limit, the rest unknown."""
    row = {key: np.full((1, *rows.shape[1:]), np.nan) for key, rows in series.items()}
    row["error"][:] = limit
    return row
