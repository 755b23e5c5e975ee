"""What the theory says of the piecewise fit in numbers: stability limits, slopes, pieces."""

from __future__ import annotations

import math

from engine import theory
from engine.core.beside import once
from engine.core.claims import Bound
from engine.experiments.piecewise_fit.observe import estimate
from engine.experiments.piecewise_fit.params import (
    FitParams,
    FitState,
    largest_sharpness,
    momentum_at,
    samples_of,
)
from engine.experiments.piecewise_fit.run import measured
from engine.families import piecewise

_UNKNOWN = "It depends on where the run is; there is none yet."


def bounds(params: FitParams, state: FitState | None) -> tuple[Bound, ...]:
    """List the bounds, with what is measured at a state."""
    found = samples_of(params) if state is None else state.samples
    listed = [*_stability(params, state)]
    for which in range(2):
        listed.append(
            Bound(
                id=f"lipschitz-{which + 1}",
                name=f"Lipschitz constant of f, beside that of estimate {which + 1}",
                symbol=r"\mathrm{Lip}(f)",
                value=found.lipschitz,
                source="Section 4",
                measured=None if state is None else float(measured(state)["lipschitz"][which]),
                measured_symbol=rf"\mathrm{{Lip}}(\hat f_{which + 1})",
                note="The slope of f has no bound on [0, 1], as far as floats can tell."
                if found.lipschitz is None
                else "The paper expects no estimate to be steeper than f anywhere. Its global "
                "constant is about that of f; what is smaller is the slope where it does not fit.",
            )
        )
        pieces = None if state is None else float(len(estimate(state, which).whole.slopes))
        listed.append(
            Bound(
                id=f"pieces-{which + 1}",
                name=f"Most affine pieces of estimate {which + 1}",
                symbol="2L + 1",
                value=2.0 * params.depth + 1.0,
                source="Section 4, eqs. (10a)-(10c)",
                measured=pieces,
                measured_symbol="m",
                note="Each layer of a network with nonnegative weights adds at most one kink.",
            )
        )
    note = found.note or "They are equispaced or as they were given, both ends included."
    listed.append(
        Bound(
            id="points",
            name="Points that are fitted",
            symbol="N",
            value=float(found.x.size),
            source="eq. (11)",
            note=note,
        )
    )
    return tuple(listed)


def _stability(params: FitParams, state: FitState | None) -> list[Bound]:
    """Return the limit beside the sharpness of each estimate, and the step each would bear."""
    step = 0 if state is None else state.step
    limit = largest_sharpness(params, step)
    described = theory.describe(params.optimiser)
    note = "Above it the descent cannot stay at a minimum."
    if params.optimiser != "gradient-descent":
        note += f" With the momentum of this step, β = {momentum_at(params, step):.6g}."
    listed = []
    for which in range(2):
        sharpness = None if state is None else _sharpness(state, which)
        listed.append(
            Bound(
                id=f"sharpness-{which + 1}",
                name=f"Largest stable sharpness, beside that of estimate {which + 1}",
                symbol=described.sharpness_formula,
                value=limit,
                source="Proposition 1, for this loss",
                formula=rf"\lambda_{{\max}}(H) \leq {described.sharpness_formula}",
                measured=sharpness,
                measured_symbol=r"\lambda_{\max}(H)",
                note=note,
            )
        )
        usable = sharpness is not None and sharpness > 0
        value = limit * params.step_size / sharpness if usable and sharpness else None
        listed.append(
            Bound(
                id=f"step-{which + 1}",
                name=f"Largest stable step at estimate {which + 1}",
                symbol=rf"\delta_{{\max,{which + 1}}}",
                value=value,
                source="Proposition 1, for this loss",
                formula=rf"\delta_{{\max}} = {described.divisor}/\lambda_{{\max}}(H)",
                field="step_size" if usable else "",
                measured=params.step_size,
                measured_symbol=r"\delta",
                note=(_UNKNOWN if state is None else "The loss does not curve upwards here.")
                if value is None
                else "For the momentum in use; the curvature is that of the current point.",
            )
        )
    return listed


def _sharpness(state: FitState, which: int) -> float | None:
    """Return the Hessian's largest eigenvalue now, None beyond the range of numbers."""
    theta, found = state.theta[which], state.samples
    value = once(
        state,
        ("sharpness", which),
        lambda: float(piecewise.top_eigenvalues(theta, found.x, found.y, 1)[0]),
    )
    return value if math.isfinite(value) else None
