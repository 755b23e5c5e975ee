"""How a matrix run stands, from its last recorded errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.experiment import Outcome
from engine.experiments._matrix_problem import Problem
from engine.phase import Window, classify

FloatArray = NDArray[np.float64]

NEAR = 0.1
"""Distance from a saddle, relative to the error there, at which a run is taken to approach it."""
FLOOR = 1e-11
"""Error, relative to R's norm, below which it is rounding."""


def outcome_of(
    problem: Problem,
    step: int,
    error: FloatArray,
    signed: FloatArray,
    first_error: float,
    diverged_at: int | None,
    plateau: float | None = None,
) -> Outcome:
    """Classify a run.

    Parameters
    ----------
    error, signed : ndarray, shape (m,)
        Frobenius error and signed error along R of the last m steps.
    plateau : float or None
        Error of the saddle to which Proposition 3 says a single network may sink.
    """
    known = np.isfinite(error) & np.isfinite(signed)
    error, signed = error[known], signed[known]
    floor = FLOOR * problem.scale
    error = np.where(error < floor, 0.0, error)
    signed = np.where(np.abs(signed) < floor, 0.0, signed)
    rest, scale = None, problem.scale
    if plateau is not None and plateau > floor and error.size:
        rest = np.maximum(error - plateau, 0.0)
        if rest[-1] < NEAR * plateau:  # what is left must not look small beside a large R
            scale = min(scale, plateau)
    phase = classify(
        Window(
            step=step,
            error=error,
            states=np.column_stack([error, signed]),
            scale=scale,
            first_error=first_error,
            diverged_at=diverged_at,
            rest=rest,
            first_rest=None if rest is None else max(first_error - (plateau or 0.0), 0.0),
            rest_name="the saddle without the negative eigenvalues",
        )
    )
    orbit = () if phase.orbit is None else tuple(float(value) for value in phase.orbit[:, 0])
    return Outcome(
        kind=phase.kind,
        step=step,
        message=phase.message,
        phase=phase.text,
        period=phase.period,
        orbit=orbit,
    )


def plateau_of(problem: Problem, is_identity: bool) -> float | None:
    """Error left when the parts of negative eigenvalue are 0, for symmetric R from the identity."""
    target = problem.target
    values = target.eigenvalues.real
    if not (is_identity and target.is_real and target.is_orthogonal and problem.depth >= 2):
        return None
    negative = values[values < 0]
    return float(np.linalg.norm(negative)) if negative.size else None
