"""What the theory says of a typed loss: thresholds at its equilibria, and what is beyond them."""

from __future__ import annotations

import numpy as np

from engine.analysis.equilibria import Nature
from engine.analysis.normal_forms import Flip, flip
from engine.core.beside import once
from engine.core.claims import Bound
from engine.experiments.own_loss.analysis import Listed, LossAnalysis, analysis_of
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.phase import SMOOTH, near
from engine.experiments.own_loss.problem import loss_of
from engine.text.numbers import short
from engine.theory.optimisers import describe

SHOWN = 6
"""Minima whose thresholds are listed."""
_SOFT = "Soft: beyond it a stable cycle of period 2 with amplitude {a} grows out of the minimum."
_HARD = "Hard: beyond it nothing near the minimum attracts, and the run leaves."
_DRIFT = (
    "The sharpness has a slope along the manifold of minima: beyond it the run oscillates and "
    "drifts towards flatter minima."
)
_OPEN = {
    True: "What happens beyond it is not decided: the terms of c cancel, or a derivative is no "
    "number.",
    False: "What happens beyond it is not decided: the largest curvature is not simple.",
}


def bounds(params: OwnLossParams, state: OwnLossState | None) -> tuple[Bound, ...]:
    """List the sharpness that the step size allows, and thresholds at the minima found."""
    made = [] if state is None else _here(params, state)
    found = analysis_of(params, 0 if state is None else state.seed)
    if found is None:
        return tuple(made)
    return (*made, *_of_minima(params, state, found))


def _here(params: OwnLossParams, state: OwnLossState) -> list[Bound]:
    """Return the largest stable sharpness for the step size in use, beside the one measured."""
    setting, loss = params.setting.at(state.step), loss_of(params)
    optimiser = describe(setting.optimiser)
    if setting.optimiser not in SMOOTH or setting.rule != "fixed" or setting.scales:
        return []
    if setting.step_size <= 0.0:
        return []
    hessian = loss.hessian(state.weights)
    now = float(np.linalg.eigvalsh(hessian)[-1]) if np.isfinite(hessian).all() else None
    return [
        Bound(
            id="sharpness",
            name="Largest stable sharpness",
            symbol=r"S_{\max}",
            value=optimiser.sharpness_limit(setting),
            source=optimiser.source.text,
            formula=optimiser.sharpness_formula,
            measured=now,
            measured_symbol=r"S(w[k])",
            note=optimiser.sentence,
        )
    ]


def _of_minima(
    params: OwnLossParams, state: OwnLossState | None, found: LossAnalysis
) -> tuple[Bound, ...]:
    """Return thresholds at the minima, that of the one nearest to the run first."""
    minima = list(found.minima)
    if not minima and (state is None or own_minimum(state) is None):
        tried = f"No minimum was found from {found.searches} starts."
        return (
            Bound(
                id="critical",
                name="Critical step size",
                symbol=r"\delta^*",
                value=None,
                source="search",
                note=tried,
            ),
        )
    own = None if state is None else own_minimum(state)
    nearest = own or (minima[0] if state is None else found.nearest_minimum(state.weights))
    if nearest is None:
        return ()
    ordered = [nearest, *(each for each in minima if not _is_same(each, nearest))]
    made = [_critical(params, each, place) for place, each in enumerate(ordered[:SHOWN])]
    return (*made, *_flip_bounds(params, ordered[0]))


def own_minimum(state: OwnLossState) -> Listed | None:
    """Return the minimum that a run is near, None if it is near none."""
    found = near(state)
    if found is None or found.nature is not Nature.MINIMUM:
        return None
    return once(
        state, "own minimum", lambda: Listed(found, flip(loss_of(state.params), found.point))
    )


def _is_same(each: Listed, other: Listed) -> bool:
    """Return whether two minima are the same point to the digits shown."""
    size = max(float(np.linalg.norm(other.at.point)), 1.0)
    return float(np.linalg.norm(each.at.point - other.at.point)) <= 1e-6 * size


def place_of(listed: Listed) -> str:
    """Write where a minimum is, or which one of a manifold it is."""
    point = ", ".join(short(float(number), 4) for number in listed.at.point[:4])
    more = ", …" if len(listed.at.point) > 4 else ""
    return f"({point}{more})"


def _critical(params: OwnLossParams, listed: Listed, place: int) -> Bound:
    """Return the critical step size at a minimum."""
    setting = params.setting
    optimiser = describe(setting.optimiser)
    limit = optimiser.limit(setting)
    which = "one of a manifold of minima, " if listed.at.manifold else ""
    if listed.at.is_flattest:
        which = "the flattest minimum found, "
    name = f"Critical step size at {which}{place_of(listed)}"
    linear = setting.optimiser in SMOOTH and not setting.scales
    is_known = linear and limit is not None and listed.at.sharpness > 0.0
    value = limit / listed.at.sharpness if is_known and limit is not None else None
    note = _beyond(listed.flip, params) if is_known else optimiser.sentence
    return Bound(
        id="critical" if place == 0 else f"critical_{place + 1}",
        name=name,
        symbol=r"\delta^*" if place == 0 else rf"\delta^*_{{{place + 1}}}",
        value=value,
        source=optimiser.source.text,
        formula=rf"{optimiser.limit_formula}/\lambda_{{\max}}(H)" if is_known else "",
        field="step_size" if value is not None and params.has_fixed_step else "",
        note=note,
    )


def _beyond(flip: Flip | None, params: OwnLossParams) -> str:
    """Describe in a sentence what happens beyond the critical step size."""
    if flip is None:
        return "No step size is critical: no curvature is positive."
    if flip.is_soft is None:
        return _OPEN[flip.is_simple]
    if not flip.is_soft:
        return _HARD
    if not flip.is_stationary:
        return _DRIFT
    return _SOFT.format(a=f"√((ηS − 2)/{short(flip.coefficient or 0.0, 4)})")


def _flip_bounds(params: OwnLossParams, listed: Listed) -> tuple[Bound, ...]:
    """Return the flip coefficient of the nearest minimum, and the amplitude that it predicts."""
    flip, setting = listed.flip, params.setting
    step = describe(setting.optimiser).equivalent_step(setting)
    if flip is None or flip.coefficient is None or step is None or setting.scales:
        return ()
    source = "Mulayoff & Stich 2026, arXiv 2602.14789, and Gan 2026, arXiv 2606.15551, for GD"
    where = "With η = 2/S and T = ∇³f[v, v, ·]."
    if setting.optimiser != "gradient-descent":
        where = "With T = ∇³f[v, v, ·]; η is the step size of gradient descent with the same "
        where += "2-cycles, at the critical one ηS = 2."
    coefficient = Bound(
        id="flip",
        name="Flip coefficient there",
        symbol="c",
        value=flip.coefficient,
        source="normal form of the flip",
        formula=r"\frac{\eta}{6}\left(3\,T^\top H^{+}T-\nabla^4 f(v,v,v,v)\right)",
        note=f"{where} {_beyond(flip, params)} Compare {source}.",
    )
    amplitude = flip.amplitude(step) if params.has_fixed_step else None
    if amplitude is None or step * flip.sharpness < 2.0:
        return (coefficient,)
    return (
        coefficient,
        Bound(
            id="amplitude",
            name="Amplitude of the 2-cycle, to leading order",
            symbol="a",
            value=amplitude,
            source="normal form of the flip",
            formula=r"\sqrt{(\eta S-2)/c}",
            note="Half the distance of its points, near the critical step size; η is the step size "
            "of gradient descent with the same 2-cycles.",
        ),
    )
