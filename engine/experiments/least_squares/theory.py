"""What Section 2 says of least squares: the critical step and Lyapunov's two balls."""

from __future__ import annotations

import math

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.claims import Bound, Claim, Lamp, Verdict
from engine.core.outcome import Outcome, OutcomeKind
from engine.experiments.least_squares.problem import (
    LeastSquaresParams,
    Quadratic,
    critical_step,
    factors,
    largest_factor,
    largest_growth,
)

_UNKNOWN = "The points are drawn or loaded when the run starts."
_EDGE = 1e-12


def ball(params: LeastSquaresParams, problem: Quadratic) -> float | None:
    """Radius of the largest ball whose runs stay within epsilon of the minimum, if there is one."""
    growth = largest_growth(params, problem)
    return params.epsilon / growth if math.isfinite(growth) else None


def bounds(params: LeastSquaresParams, problem: Quadratic | None) -> tuple[Bound, ...]:
    """Return the critical step, that of plain descent, the radius of the ball, and stability."""
    if problem is None and params.data == "generated":
        values = np.array(params.eigenvalues or [params.eigenvalue_high])
        problem = Quadratic(np.diag(values), values, 0.0, np.sort(values), np.eye(len(values)))
        return _bounds(params, problem, spectrum=bool(params.eigenvalues))
    return _bounds(params, problem, spectrum=problem is not None)


def _bounds(
    params: LeastSquaresParams, problem: Quadratic | None, *, spectrum: bool
) -> tuple[Bound, ...]:
    top = None if problem is None else float(problem.eigenvalues[-1])
    critical = None if problem is None else critical_step(params, problem)
    plain = None if top is None else theory.least_squares_bound(top)
    worst = None
    radius = None
    if problem is not None and spectrum:
        worst = float(np.max(np.abs(factors(params, problem))))
        radius = ball(params, problem)
    beta = params.optimiser != "gradient-descent"
    none = "No radius works: there are starts as near as you like whose runs leave the ε ball."
    return (
        Bound(
            id="delta_max",
            name="Critical step size",
            symbol=r"\delta_{\max}",
            value=critical,
            source="Section 2",
            field="step_size" if critical is not None else "",
            formula=rf"\delta_{{\max}} = {params.described.divisor}/\lambda_{{\max}}(XX^\top)",
            note=_UNKNOWN
            if critical is None
            else "The same for every minimum and every start, because the system is linear.",
        ),
        Bound(
            id="delta_plain",
            name="Critical step without momentum",
            symbol=r"\delta_0",
            value=plain,
            source="Section 2",
            formula=r"\delta_0 = 2/\lambda_{\max}(XX^\top)",
            field="step_size" if plain is not None else "",
            note=_UNKNOWN if plain is None else "",
        ),
        Bound(
            id="factor",
            name="Largest factor of the iteration",
            symbol=r"\rho",
            value=worst,
            source="Section 2",
            formula="" if beta else r"\rho = \max_i |1 - \delta\lambda_i|",
            note=_UNKNOWN
            if worst is None
            else "Below 1 every run converges; of magnitude 1 where "
            "X Xᵀ is singular, along which nothing moves.",
        ),
        Bound(
            id="ball",
            name="Radius that keeps the run in the ε ball",
            symbol=r"\delta(\epsilon)",
            value=radius,
            source="Definition of stability, Figure 1",
            formula=r"\delta(\epsilon) = \epsilon / \sup_k \|T^k\|",
            note=_UNKNOWN
            if worst is None
            else none
            if radius is None
            else "Without momentum it is ε itself: no error ever grows."
            if not beta
            else "Momentum lets an error grow before it decays.",
        ),
        Bound(
            id="stability",
            name="Stability",
            symbol=params.described.ratio,
            value=None if critical is None else params.step_size / critical,
            source="Section 2",
            formula=r"\delta / \delta_{\max}",
            measured=None if critical is None else params.step_size / critical,
            measured_symbol=r"\delta / \delta_{\max}" if critical is not None else "",
            note=_UNKNOWN if critical is None else "The Hessian is the same everywhere.",
        ),
    )


def claims(
    params: LeastSquaresParams,
    problem: Quadratic,
    outcome: Outcome,
    distance: float,
    farthest: FloatArray,
    began: FloatArray,
    moving: bool,
) -> tuple[Claim, ...]:
    """Confront convergence, and the definition of stability, with the run.

    Parameters
    ----------
    distance : float
        Of the first start from its minimum.
    farthest, began : ndarray, shape (starts,)
        Largest distance of every run since it began, or was pushed, and its distance then.
    moving : bool
        Whether a push met runs with momentum, which the definition does not know.
    """
    return (
        _convergence(params, problem, outcome, distance),
        _lyapunov(params, problem, farthest, began, moving),
    )


def _convergence(
    params: LeastSquaresParams, problem: Quadratic, outcome: Outcome, distance: float
) -> Claim:
    worst = abs(largest_factor(params, problem))
    converges = worst < 1.0 - _EDGE
    neutral = abs(worst - 1.0) <= _EDGE
    lamps = (
        Lamp("The start is not the minimum", distance > 0, f"distance {distance:.3g}"),
        Lamp(
            "Not exactly at the critical step",
            not neutral,
            f"largest factor {worst:.9g}",
        ),
    )
    is_open = outcome.kind is OutcomeKind.MAX_STEPS
    fate = "undecided" if is_open else outcome.kind
    verdict = Verdict.UNDECIDED
    ended = {OutcomeKind.CONVERGED: True, OutcomeKind.DIVERGED: False}.get(outcome.kind)
    if ended is not None:
        verdict = Verdict.HOLDS if ended == converges else Verdict.VIOLATED
    elif outcome.kind is OutcomeKind.CONVERGING and converges:
        verdict = Verdict.HOLDS
    return Claim(
        id="least-squares",
        title="Converges only if all factors are below 1",
        source="Section 2",
        statement="Every equilibrium is asymptotically stable, and gradient descent converges to "
        "it, only if all eigenvalues of I − δXXᵀ have magnitude less than 1.",
        assumptions=lamps,
        predicted="neither: the steepest part neither grows nor shrinks"
        if neutral
        else "convergence"
        if converges
        else "divergence",
        measured=f"{fate} at step {outcome.step}; largest factor {worst:.6g}",
        verdict=verdict if all(lamp.on for lamp in lamps) else Verdict.NOT_APPLICABLE,
        note="X Xᵀ is singular: along its null space the factor is 1 and nothing moves, so the "
        "run converges to the nearest of many minima."
        if problem.null.any()
        else "",
    )


def _lyapunov(
    params: LeastSquaresParams,
    problem: Quadratic,
    farthest: FloatArray,
    began: FloatArray,
    moving: bool,
) -> Claim:
    radius = ball(params, problem)
    inside = np.zeros(0, bool) if radius is None else began < radius
    stayed = bool(np.all(farthest[inside] <= params.epsilon * (1 + 1e-9)))
    lamps = (
        Lamp(
            "There is a radius that works",
            radius is not None,
            "" if radius is None else f"radius {radius:.6g}",
        ),
        Lamp("A start lies within it", bool(inside.any()), f"nearest start at {began.min():.4g}"),
        Lamp("Begun at rest", not moving, "pushed while it had momentum" if moving else ""),
    )
    applies = all(lamp.on for lamp in lamps)
    left = int(np.sum(farthest > params.epsilon))
    return Claim(
        id="lyapunov-stability",
        title="Runs from the small ball stay in the ε ball",
        source="Definition of stability, Figure 1",
        statement="For every ε there is a radius such that a run begun within it of the minimum "
        "never leaves the ball of radius ε.",
        assumptions=lamps,
        predicted="all of them stay" if radius is not None else "no radius keeps them",
        measured=f"{int(inside.sum())} runs from within, farthest "
        f"{farthest[inside].max():.4g} of {params.epsilon:.4g}"
        if applies
        else f"{left} of {len(farthest)} runs have left the ε ball",
        verdict=(Verdict.HOLDS if stayed else Verdict.VIOLATED)
        if applies
        else Verdict.NOT_APPLICABLE,
    )
