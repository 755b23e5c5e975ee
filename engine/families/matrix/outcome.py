"""How a matrix run stands, from its last recorded errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.analysis.phase import classify
from engine.analysis.window import Window
from engine.core.arrays import FloatArray
from engine.core.outcome import Outcome
from engine.families.matrix.measure import stability_limit
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem, step_of

NEAR = 0.1
"""Distance from a saddle, relative to the error there, at which a run is taken to approach it."""
FLOOR = 1e-11
"""Error, relative to R's norm, below which it is rounding."""
ROUNDING = 1e-12
"""Relative distance within which a step size is that of a threshold."""


@dataclass(frozen=True, slots=True)
class Saddle:
    """An equilibrium that is no minimum: the Frobenius error there, and its name.

    For two matrices it is left and reached exponentially. For more the Hessian vanishes along the
    singular values that are 0 there, and they shrink as a power of k (`is_neutral`).
    """

    error: float
    name: str
    is_neutral: bool


def outcome_of(
    problem: Problem,
    step: int,
    error: FloatArray,
    signed: FloatArray,
    diverged_at: int | None,
    saddle: Saddle | None = None,
    *,
    can_rest: bool | None = None,
    repels: Callable[[int], bool | None] | None = None,
    since: int | None = None,
) -> Outcome:
    """Classify a run.

    Parameters
    ----------
    error, signed : ndarray, shape (m,)
        Frobenius error and signed error along R of the last m steps, since the last change.
    saddle : Saddle or None
        Where the run may get stuck.
    can_rest : bool or None
        Whether any minimum is stable at the step size in use, if that is known (`can_rest_of`).
    repels : callable or None
        Returns whether a cycle of so many steps repels (`engine.families.matrix.cycles`).
    since : int or None
        The step of the last change or push.
    """
    known = np.isfinite(error) & np.isfinite(signed)
    error, signed = error[known], signed[known]
    floor = FLOOR * problem.scale
    error = np.where(error < floor, 0.0, error)
    signed = np.where(np.abs(signed) < floor, 0.0, signed)
    rest, scale = None, problem.scale
    plateau = 0.0 if saddle is None else saddle.error
    if plateau > floor and error.size:
        rest = np.maximum(error - plateau, 0.0)
        if rest[-1] < NEAR * plateau:  # what is left must not look small beside a large R
            scale = min(scale, plateau)
    phase = classify(
        Window(
            step=step,
            error=error,
            states=np.column_stack([error, signed]),
            is_whole=False,
            scale=scale,
            diverged_at=diverged_at,
            can_rest=can_rest,
            rest=rest,
            rest_name="a saddle" if saddle is None else saddle.name,
            rest_is_neutral=None if saddle is None else saddle.is_neutral,
            repels=repels,
        )
    )
    return phase.outcome(step, phase.points(), "the error", since=since or None)


def can_rest_of(problem: Problem, params: NetworkParams) -> bool | None:
    """Return whether any minimum of a single network is stable at its step size.

    By Theorem 1 with the spectral norm; None where the step or its batch depends on the state.
    """
    if params.step_rule != "fixed" or params.batch not in ("full", "orthonormal"):
        return None
    limit = stability_limit(params, step_of(params, problem))
    return problem.sharpness_bound <= limit * (1.0 + ROUNDING)


def saddle_of(problem: Problem, params: NetworkParams) -> Saddle | None:
    """Name the saddle that a single network can be known to sink to, if there is one.

    From the identity, with symmetric R, that is where the parts of negative eigenvalue are 0
    (Proposition 3); from orthogonal matrices whose product has the wrong determinant, where the
    least singular value is missing.
    """
    target = problem.target
    if problem.depth < 2 or not problem.has_identity_moment:
        return None
    plain = params.optimiser == "gradient-descent"  # momentum can change the sign
    if plain and params.init == "orthogonal" and params.determinant == "opposite":
        least = float(np.linalg.svd(target.matrix, compute_uv=False)[-1])
        return Saddle(least, "the saddle without the least singular value", problem.depth > 2)
    values = target.eigenvalues.real
    if params.init == "identity" and target.is_real and target.is_orthogonal and values.min() < 0:
        error = float(np.linalg.norm(values[values < 0]))
        return Saddle(error, "the saddle without the negative eigenvalues", problem.depth > 2)
    return None
