"""Bounds of Theorems 1 and 2 for a matrix problem, as printed and as corrected."""

from __future__ import annotations

import math

from engine import theory
from engine.core.claims import Bound
from engine.families.matrix.measure import stability_limit
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem, make_problem, step_of

_POWER = r"^{2(L-1)/L}"
_UNKNOWN = "R is drawn or loaded when the run starts."
_NILPOTENT = "R is nilpotent: its spectral radius is 0 and this bound is infinite."


def problem_of(params: NetworkParams) -> Problem | None:
    """Make the problem without a run, where it does not depend on a seed or a file."""
    if params.target_source == "typed" and params.inputs == "identity":
        return make_problem(params, 0)
    return None


def bounds(
    params: NetworkParams, problem: Problem | None, top: float | None, stability: float | None
) -> tuple[Bound, ...]:
    """List the bounds on the step size and the sharpness.

    With momentum that of Theorem 1 is the optimiser's, and what is known for gradient descent only
    (the theorems as printed) is left out.

    Parameters
    ----------
    problem : Problem or None
        None before a run.
    top : float or None
        Largest eigenvalue of the Hessian, measured.
    stability : float or None
        It over the largest that the descent is stable with.
    """
    snap = "step_size" if params.step_unit == "absolute" else ""
    inverse = None if top is None or top <= 0 else params.curvature_limit / top
    depth, described = params.depth, params.described
    is_plain = params.optimiser == "gradient-descent"

    def bound(
        id_: str,
        name: str,
        symbol: str,
        value: float | None,
        source: str,
        formula: str,
        note: str = "",
        field: str = snap,
    ) -> Bound:
        return Bound(
            id=id_,
            name=name,
            symbol=symbol,
            value=value,
            source=source,
            formula=formula,
            note=note if value is not None else _UNKNOWN if problem is None else _NILPOTENT,
            field=field if value is not None else "",
            measured=inverse,
            measured_symbol=rf"{described.divisor}/\lambda_{{\max}}(H)" if inverse else "",
        )

    target = None if problem is None else problem.target
    radius_bound = None if target is None else theory.theorem1_bound(target.radius, depth)
    step = None if problem is None else step_of(params, problem)
    norm_bound = None
    if problem is not None:
        norm_bound = 0.5 * params.curvature_limit * problem.norm_bound
    largest = bound(
        "delta_max",
        "Largest step with a stable minimum",
        r"\delta_{\max}",
        norm_bound,
        "Theorem 1, corrected" + ("" if is_plain else ", with the optimiser's own limit"),
        rf"\delta_{{\max}} = \frac{{{described.limit_formula}}}{{L\,\|R\|_2{_POWER}}}",
        "True for every R and start: no global minimum has a smaller top eigenvalue of the "
        "Hessian than the balanced ones. With inputs other than Σ = I, R Σ^½ takes R's place.",
    )
    printed = (
        bound(
            "delta_radius",
            "Theorem 1 as printed",
            r"\delta_1",
            radius_bound if radius_bound is not None and math.isfinite(radius_bound) else None,
            "Theorem 1",
            r"\delta_1 = \frac{2}{L\,\lambda(R)" + _POWER + "}",
            "With the spectral radius. Its proof needs orthogonal eigenvectors; then it equals "
            "the bound with the norm.",
        ),
        bound(
            "delta_2",
            "Theorem 2's step as printed",
            r"\delta_2",
            None if target is None else theory.theorem2_step(target.radius, depth),
            "Theorem 2",
            r"\delta_2 = \frac{1}{L}\min\left\{1, \lambda(R)^{-2(L-1)/L}\right\}",
            "From identity starts and positive eigenvalues; true where the eigenvectors are "
            "orthogonal.",
        ),
        bound(
            "delta_2_norm",
            "Theorem 2's step with the norm",
            r"\delta_2'",
            None if target is None else theory.theorem2_step(target.norm, depth),
            "Theorem 2, corrected",
            r"\delta_2' = \frac{1}{L}\min\left\{1, \|R\|_2^{-2(L-1)/L}\right\}",
            "Serves R with any eigenvectors in all cases tried; a measurement, not a theorem.",
        ),
    )
    return (
        largest,
        *(printed if is_plain else ()),
        Bound(
            id="sharpness",
            name="Least sharpness of a minimum",
            symbol=r"S_{\min}",
            value=None if problem is None else problem.sharpness_bound,
            source="Theorem 1, corrected",
            formula=r"S_{\min} = L\,\|R\|_2" + _POWER,
            measured=top,
            measured_symbol=r"\lambda_{\max}(H)" if top is not None else "",
            note="Every global minimum has at least this top eigenvalue of the Hessian."
            if problem is not None
            else _UNKNOWN,
        ),
        Bound(
            id="stability",
            name="Stability",
            symbol=described.ratio,
            value=_least_stability(params, problem),
            source="Theorem 1, corrected",
            formula=rf"\delta S_{{\min}} / {described.divisor}",
            measured=stability,
            measured_symbol=rf"\delta\lambda_{{\max}}(H)/{described.divisor}",
            note=_stability_note(params, problem),
        ),
        Bound(
            id="step",
            name="Step size in force",
            symbol=r"\delta",
            value=step,
            source="Equation (5)",
            formula="" if step is None else r"\delta = " + _unit(params),
            note=_UNKNOWN
            if step is None
            else "The largest allowed, where the step depends on the state."
            if params.step_rule == "hessian"
            else "",
        ),
    )


def _least_stability(params: NetworkParams, problem: Problem | None) -> float | None:
    """Return the stability of the flattest minimum, where the step does not depend on the state."""
    if problem is None or params.step_rule != "fixed":
        return None
    step = step_of(params, problem)
    return problem.sharpness_bound / stability_limit(params, step)


def _stability_note(params: NetworkParams, problem: Problem | None) -> str:
    if problem is None:
        return _UNKNOWN
    if params.step_rule != "fixed":
        return "The step depends on the state."
    return "Above 1 no minimum can hold the run."


def _unit(params: NetworkParams) -> str:
    if params.step_rule == "hessian":
        return r"\alpha / |\lambda|_{\max}(H) \leq " + f"{params.step_cap:.6g}"
    return {
        "absolute": f"{params.step_size:.6g}",
        "norm": rf"{params.step_size:.6g} \cdot 2/(L\,\|R\|_2{_POWER})",
        "radius": rf"{params.step_size:.6g} \cdot 2/(L\,\lambda(R){_POWER})",
        "theorem-2": rf"{params.step_size:.6g} \cdot \delta_2",
    }[params.step_unit]
