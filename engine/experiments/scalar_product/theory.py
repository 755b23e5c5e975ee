"""What Section 2 predicts for the scalar product network, with measurements beside it."""

from __future__ import annotations

import math
from dataclasses import replace

from engine import theory
from engine.analysis.normal_forms import scalar_coefficient
from engine.core.claims import Bound
from engine.experiments.scalar_product import period_doubling as cascade
from engine.experiments.scalar_product.params import ScalarParams, ScalarState
from engine.text.numbers import short
from engine.theory.optimisers import Setting


def bounds(params: ScalarParams, state: ScalarState | None) -> tuple[Bound, ...]:
    """List the predictions of Propositions 1 to 3, the snap points of the step size first.

    With momentum Proposition 1's bounds are those of the optimiser, and what is known for gradient
    descent only (Propositions 2 and 3, where signs change) is left out.
    """
    made = [_delta_max(params, state)]
    if params.has_momentum:
        made += _sharpness(params, state)
    else:
        zero = _zero_thresholds(params) if params.target < 0 else []
        made += [_delta_c(params), *zero, *_sharpness(params, state), _rate(params, state)]
    if params.depth >= 2 and params.step_rule == "fixed":
        made.append(_flip(params))
        if params.target > 0:
            made += _doublings(params)
    return tuple(_representable(bound) for bound in made)


def _representable(bound: Bound) -> Bound:
    """Leave out numbers that a float cannot hold."""
    if bound.measured is not None and not math.isfinite(bound.measured):
        bound = replace(bound, measured=None)
    fits = bound.value is None or (math.isfinite(bound.value) and (bound.value or not bound.field))
    if fits:
        return bound
    note = f"{bound.note} It lies outside the range of a float here."
    return replace(bound, value=None, field="", note=note)


def _flip(params: ScalarParams) -> Bound:
    """Return the flip coefficient of the flattest minima, which says what is beyond delta_max."""
    c = scalar_coefficient(params.target, params.depth)
    flattest = theory.balanced_sharpness(params.target, params.depth, params.power)
    step = params.described.equivalent_step(
        Setting(optimiser=params.optimiser, step_size=params.step_size, momentum=params.momentum)
    )
    note = (
        "Positive at every depth, so that the flip is soft: just beyond δ_max a stable cycle of "
        "period 2 lies at the distance a = √((ηS − 2)/c) from a flattest minimum, to leading order"
    )
    beyond = 0.0 if step is None else step * flattest - 2.0
    note += f"; here a = {short(math.sqrt(beyond / c))}." if 0.0 < beyond <= 0.2 else "."
    if params.has_momentum:
        note += " η is the step size of gradient descent with the same cycles."
    return Bound(
        id="flip",
        name="Flip coefficient of the flattest minima",
        symbol="c",
        value=c,
        source="normal form of the flip",
        formula=r"c=\frac{4(L-1)(5L-4)}{3L\,|\lambda|^{2/L}}",
        note=note,
    )


def _snap(params: ScalarParams) -> str:
    return "step_size" if params.step_rule == "fixed" else ""


def _source(params: ScalarParams, source: str) -> str:
    return source if not params.has_momentum else f"{source}, with the optimiser's own limit"


def _delta_max(params: ScalarParams, state: ScalarState | None) -> Bound:
    share = 0.5 * params.curvature_limit
    measured = None
    if state is not None:
        measured = share * theory.equilibrium_bound(state.weights, params.power)
    note = (
        "Bound (1) at the flattest minima, |w_i| = |λ|^(1/L); measured is bound (1) at the "
        "current weights. Above it no minimum is stable."
    )
    if params.has_momentum:
        note += f" Momentum multiplies gradient descent's by {share:.6g}."
    return Bound(
        id="delta_max",
        name="Largest stable step size",
        symbol=r"\delta_{\max}",
        value=share * theory.delta_max(params.target, params.depth, params.power),
        source=_source(params, "Proposition 1"),
        formula=rf"\delta_{{\max}}=\frac{{{params.described.limit_formula}}}"
        r"{\sigma L\,|\lambda|^{2(L-1)/L}}",
        field=_snap(params),
        measured=measured,
        measured_symbol=rf"{params.described.divisor}/S(w[k])",
        note=note,
    )


def starts_symmetric(params: ScalarParams) -> bool:
    """Return whether Proposition 2 covers the start: |w_i| = 1 with the sign of the target."""
    if params.noise > 0 or not params.is_plain:
        return False
    if params.init == "odd-negatives":
        return params.target < 0
    if params.init == "list":
        negative = sum(weight < 0 for weight in params.weights)
        ones = all(abs(weight) == 1.0 for weight in params.weights)
        return ones and (negative == 0 if params.target > 0 else negative % 2 == 1)
    return params.init == "ones" and params.target > 0


def _delta_c(params: ScalarParams) -> Bound:
    covered = params.target > 0 or params.init == "odd-negatives"
    note = "Up to here the weights go from |w_i| = 1 to the root without overshooting."
    if params.target < 0:
        note = (
            "For λ < 0 the paper's remark needs an odd number of -1 and |λ| in the formula."
            if covered
            else "Proposition 2 needs λ > 0, or an odd number of -1 in the start."
        )
    return Bound(
        id="delta_c",
        name="Largest monotone step size",
        symbol=r"\delta_c",
        value=theory.delta_c(params.target, params.depth, params.power) if covered else None,
        source="Proposition 2",
        formula=r"\delta_c=\frac{1}{L\sigma}|\lambda|^{-2(L-1)/L}"
        if abs(params.target) >= 1
        else r"\delta_c=\frac{1-|\lambda|^{1/L}}{\sigma(1-|\lambda|)}",
        field=_snap(params),
        note=note,
    )


def _rate(params: ScalarParams, state: ScalarState | None) -> Bound:
    value = None
    note = "Proposition 2 does not cover this start or optimiser."
    if starts_symmetric(params):
        limit = theory.delta_c(params.target, params.depth, params.power)
        note = "The step size is above δ_c, where Proposition 2 says nothing."
        if params.step_size <= limit:
            value = max(theory.rate(params.step_size, params.target, params.depth, params.power), 0)
            note = "Each step brings the weights nearer to the root by at least this factor."
    size = abs(params.target)
    if size > 1:
        formula = r"\rho(\delta)=1-\delta\sigma\frac{|\lambda|-1}{|\lambda|^{1/L}-1}"
    elif size < 1:
        formula = r"\rho(\delta)=1-\delta\sigma L|\lambda|^{2(L-1)/L}"
    else:
        formula = r"\rho(\delta)=1-\delta\sigma L"
        note += " At |λ| = 1 the paper leaves the rate out; this is its limit."
    measured = None
    if state is not None and params.is_plain:
        measured = abs(1.0 - params.step_size * theory.sharpness(state.weights, params.power))
    return Bound(
        id="rate",
        name="Rate of convergence",
        symbol=r"\rho(\delta)",
        value=value,
        source="Proposition 2",
        formula=formula,
        measured=measured,
        measured_symbol=r"|1-\delta S(w[k])|",
        note=note + ("" if value != 0 else " It is 0: the root is reached in one step."),
    )


def _zero_thresholds(params: ScalarParams) -> list[Bound]:
    depth = params.depth
    threshold = theory.zero_threshold(params.target, params.power)
    made = [
        Bound(
            id="delta_zero",
            name="Threshold of sinking to 0",
            symbol=r"\delta_0",
            value=threshold if depth >= 2 else None,
            source="Proposition 3",
            formula=r"\delta_0=\frac{1}{\sigma(1-\lambda)}",
            field=_snap(params),
            note="Up to here weights that all start at 1 sink to 0, which is no minimum."
            if depth >= 2
            else "For L = 1 Proposition 3 is false: 0 is no equilibrium, the weight goes to λ.",
        )
    ]
    if depth >= 2 and depth % 2 == 0:
        made.append(
            Bound(
                id="delta_zero_even",
                name="End of sinking to 0, even L",
                symbol=r"2\delta_0",
                value=theory.zero_limit(params.target, depth, params.power),
                source="Proposition 3, corrected",
                formula=r"2\delta_0=\frac{2}{\sigma(1-\lambda)}",
                field=_snap(params),
                note="For even L there is no real root of λ < 0: the weights sink to 0 with "
                "changing signs up to here, stay at ±1 at it, and diverge above.",
            )
        )
    return made


def _sharpness(params: ScalarParams, state: ScalarState | None) -> list[Bound]:
    flattest = theory.balanced_sharpness(params.target, params.depth, params.power)
    now = top = limit = ratio = measured_ratio = None
    step = params.step_size if params.step_rule == "fixed" else None
    if state is not None:
        from engine.experiments.scalar_product.pictures import step_size_at
        from engine.kernels.scalar.descent import hessian_extremes

        now = theory.sharpness(state.weights, params.power)
        top = hessian_extremes(state.weights, params.target, params.power)[1]
        step = step_size_at(state)
        measured_ratio = step * now / params.curvature_limit
    if step is not None:
        limit = params.curvature_limit / step
        ratio = step * flattest / params.curvature_limit
    most, over = params.described.limit_formula, params.described.divisor
    none = "" if step is not None else "The step size depends on the state; there is none yet."
    return [
        Bound(
            id="sharpness_limit",
            name="Largest stable sharpness",
            symbol=rf"{over}/\delta",
            value=limit,
            source=_source(params, "Proposition 1, eq. (1)"),
            formula=r"S=\sigma\sum_{i=1}^{L}\prod_{j\neq i}w_j^2\leq"
            rf"\frac{{{most}}}{{\delta}}",
            measured=now,
            measured_symbol=r"S(w[k])",
            note=none or "A minimum can be stable only if its sharpness is at most this.",
        ),
        Bound(
            id="sharpness_min",
            name="Sharpness of the flattest minima",
            symbol=r"S_{\min}",
            value=flattest,
            source="Proposition 1",
            formula=r"S_{\min}=\sigma L\,|\lambda|^{2(L-1)/L}",
            measured=now,
            measured_symbol=r"S(w[k])",
            note="No minimum is flatter than the balanced ones.",
        ),
        Bound(
            id="hessian_top",
            name="Greatest Hessian eigenvalue",
            symbol=r"S(w[k])",
            value=now,
            source="Proof of Proposition 1",
            formula=r"\lambda_{\max}(\nabla^2 f(w^*))=S(w^*)",
            measured=top,
            measured_symbol=r"\lambda_{\max}(\nabla^2 f(w[k]))",
            note="At a minimum the Hessian has this one nonzero eigenvalue; elsewhere the error "
            "adds to it." + ("" if state is not None else " Measured once a run is there."),
        ),
        Bound(
            id="stability",
            name="Stability of the flattest minima",
            symbol=rf"\delta S_{{\min}}/{over}",
            value=ratio,
            source=_source(params, "Proposition 1"),
            formula=rf"\delta S/{over}\leq 1",
            measured=measured_ratio,
            measured_symbol=rf"\delta S(w[k])/{over}",
            note=none or "Above 1 a minimum is unstable; this is δ/δ_max.",
        ),
    ]


def _doublings(params: ScalarParams) -> list[Bound]:
    unit = theory.delta_max(params.target, params.depth, params.power)
    source = "Symmetric map, beyond the paper"
    if params.optimiser == "nesterov":
        return []
    if params.optimiser == "heavy-ball":
        four = Bound(
            id="delta_4",
            name="Period 2 becomes period 4",
            symbol=r"\delta_4",
            value=unit * cascade.heavy_ball_doubling(params.depth, params.momentum),
            source=source,
            formula=r"(f\circ f)'(w)=-\left(\frac{1-\beta}{1+\beta}\right)^2",
            note="For equal weights: the 2-cycles are those of gradient descent at δ/(1 + β), "
            "and lose their stability where its multiplier is this.",
        )
        return [four]
    return [
        Bound(
            id="delta_4",
            name="Period 2 becomes period 4",
            symbol=r"\delta_4",
            value=unit * cascade.doublings(params.depth, 2)[1],
            source=source,
            formula=r"(f\circ f)'(w)=-1",
            note="For equal weights, from the cycle's multiplier; (√5 - 1)/(σλ) for L = 2.",
        ),
        Bound(
            id="delta_sign",
            name="Orbits reach negative weights",
            symbol=r"\delta_{\pm}",
            value=unit * cascade.crisis(params.depth),
            source=source,
            formula=r"f(f(w_{\mathrm{crit}}))=0",
            note="Beyond it equal weights can change their sign: they hop between the minima for "
            "even L and creep to the saddle at 0 for odd L.",
        ),
    ]
