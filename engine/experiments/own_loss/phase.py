"""How a run on a typed loss stands, judged by its gradient and by the equilibrium it is near.

The gradient alone does not tell a minimum from a saddle, nor from a run that leaves for infinity
along a loss that falls for ever. So a run is at, or nears, an equilibrium only if Newton's steps
from where it is lead to one close by, and the Hessian there says which.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.equilibria import Equilibrium, Nature, classify, polished
from engine.analysis.phase import Phase
from engine.analysis.phase import classify as classify_window
from engine.analysis.window import Window
from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.core.experiment import Recent
from engine.core.outcome import Exponent, Outcome, OutcomeKind, Standing
from engine.experiments.own_loss.params import OwnLossState
from engine.experiments.own_loss.problem import loss_of
from engine.theory.optimisers import describe
from engine.theory.optimisers.setting import Setting

if TYPE_CHECKING:
    from engine.families.loss.loss import Loss

PUSHED = 512
"""Steps over which the growth of a displacement is measured."""
CLOSE = 0.1
"""Distance of an equilibrium, relative to its size, up to which a run can be near it."""
SEARCHED = 1.0
"""Distance from a state, relative to its size, beyond which no equilibrium is looked for."""
AT = 1e-6
"""The same for a run that is at it."""
SMOOTH = ("gradient-descent", "heavy-ball", "nesterov")
"""Optimisers whose steps are linear near every minimum."""
LEAVING = 2.0
"""Stands for a factor above 1 that is not known, where a run cannot stay."""
FLAT = 1e-8
"""Curvature relative to the largest, below which a direction counts as flat."""
_SADDLES = {
    Nature.SADDLE: "a saddle",
    Nature.MAXIMUM: "a maximum",
    Nature.DEGENERATE: "an equilibrium whose Hessian does not decide its nature",
}


def near(state: OwnLossState) -> Equilibrium | None:
    """Return the equilibrium close to a state, None if Newton's steps lead to none close by."""
    return once(state, "equilibrium", lambda: _near(loss_of(state.params), state.weights))


def _near(loss: Loss, w: FloatArray) -> Equilibrium | None:
    point = polished(loss, w, within=SEARCHED)
    if point is None or _distance(point, w) > CLOSE:
        return None
    return classify(loss, point)


def _distance(point: FloatArray, w: FloatArray) -> float:
    """Return the distance of a point, relative to its size where that is above 1."""
    return float(np.linalg.norm(point - w)) / max(float(np.linalg.norm(point)), 1.0)


def multiplier(setting: Setting, eigenvalues: FloatArray) -> float | None:
    """Return the factor of errors across the equilibria, the largest in magnitude.

    None for optimisers without a linear map, and where no direction is curved. Of a complex pair it
    is the modulus, negative.
    """
    if setting.optimiser not in SMOOTH or setting.rule != "fixed" or setting.scales:
        return None
    curved = eigenvalues[np.abs(eigenvalues) > FLAT * np.max(np.abs(eigenvalues))]
    if not curved.size:
        return None
    step = setting.step_size
    values = describe(setting.optimiser).multipliers(step * curved, setting)
    largest = values[int(np.argmax(np.abs(values)))]
    size = float(abs(largest))
    return size if largest.imag == 0.0 and largest.real >= 0.0 else -size


def phase_of(state: OwnLossState, recent: Recent) -> Phase:
    """Classify a run by its recent steps since its last change."""
    recent = state.evidence(recent)
    if state.diverged_at is not None and state.is_undefined:
        text = f"undefined at k = {state.diverged_at}"
        message = f"Step {state.diverged_at} leads to where the loss or its gradient is no number."
        return Phase(kind=OutcomeKind.DIVERGED, text=text, message=message)
    found = near(state) if state.diverged_at is None else None
    phase = classify_window(_window(state, recent, found))
    if phase.standing.is_by_minimum or phase.standing is Standing.AT_NO_MINIMUM:
        phase = _by(state, phase, found)
    if found is not None and phase.standing.is_by_minimum:
        factor = multiplier(state.params.setting.at(state.step), found.eigenvalues)
        of = "across the manifold of minima" if found.manifold else "in all directions"
        if factor:
            phase = replace(phase, exponents=(Exponent(value=math.log(abs(factor)), of=of),))
    return phase


def _window(state: OwnLossState, recent: Recent, found: Equilibrium | None) -> Window:
    setting = state.params.setting.at(state.step)
    gradient = recent["gradient"]
    is_minimum = found is not None and found.nature is Nature.MINIMUM
    factor = multiplier(setting, found.eigenvalues) if found is not None else None
    if found is not None and not _can_stay(setting, found):
        factor = LEAVING
    can_rest = None
    if setting.optimiser in ("normalised-gd", "sam"):
        can_rest = False
    return Window(
        step=state.step,
        error=_signed(state, recent, found),
        states=recent["weights"],
        scale=_scale(state, gradient),
        diverged_at=state.diverged_at,
        growth=growth(state, recent),
        growth_of="in all directions",
        multiplier=factor,
        stability=None,
        can_rest=can_rest,
        ahead=abs(factor) if is_minimum and factor is not None else None,
        start=state.start,
    )


def _can_stay(setting: Setting, found: Equilibrium) -> bool:
    """Return whether an adaptive optimiser can stay at an equilibrium; True for the others.

    What it divides its steps by sinks towards epsilon there, so that the factor of errors grows:
    a run that comes near leaves again.
    """
    optimiser = describe(setting.optimiser)
    if not optimiser.is_adaptive or setting.rule != "fixed":
        return True
    limit = optimiser.resting_limit(setting)
    return limit is not None and found.sharpness <= limit


def _signed(state: OwnLossState, recent: Recent, found: Equilibrium | None) -> FloatArray:
    """Return the norms of the gradient, with the sign of the error in its slowest direction.

    It is that of the displacement along the Hessian's eigenvector whose factor is the largest;
    without an equilibrium near by, or a factor, all are positive.
    """
    gradient, setting = recent["gradient"], state.params.setting.at(state.step)
    if found is None or multiplier(setting, found.eigenvalues) is None:
        return gradient
    values, vectors = np.linalg.eigh(loss_of(state.params).hessian(found.point))
    curved = np.abs(values) > FLAT * np.max(np.abs(values))
    factors = [abs(multiplier(setting, np.array([value])) or 0.0) for value in values[curved]]
    slowest = vectors[:, curved][:, int(np.argmax(factors))]
    return gradient * np.where((recent["weights"] - found.point) @ slowest < 0.0, -1.0, 1.0)


def _scale(state: OwnLossState, gradient: FloatArray) -> float:
    """Return the size of gradients that count as large."""
    loss = loss_of(state.params)
    begin = float(np.linalg.norm(loss.gradient(state.start)))
    return max(begin, float(np.nanmax(gradient)), 1e-300)


def _by(state: OwnLossState, phase: Phase, found: Equilibrium | None) -> Phase:
    """Name the equilibrium that a run with a small or shrinking gradient is at or nears."""
    at = phase.kind is OutcomeKind.CONVERGED or phase.standing is Standing.AT_NO_MINIMUM
    if found is None or (at and _distance(found.point, state.weights) > AT):
        return replace(
            phase,
            kind=OutcomeKind.CONVERGING if at else phase.kind,
            standing=Standing.OPEN,
            text="gradient shrinking, no equilibrium near",
            message="The gradient shrinks, but no equilibrium is near: the run may be on its way "
            "to infinity, or too far from one to tell.",
        )
    if found.nature is Nature.MINIMUM:
        return phase
    name = _SADDLES[found.nature]
    if at:
        return replace(
            phase,
            kind=OutcomeKind.CONVERGED,
            standing=Standing.AT_SADDLE,
            text=f"at rest at {name.split(' whose')[0]}",
            message=f"The run rests at {name}; the gradient vanishes there.",
        )
    return replace(
        phase,
        standing=Standing.NEARING_SADDLE,
        text=f"near {name.split(' whose')[0]}",
        message=f"The gradient shrinks; the equilibrium near the run is {name}.",
    )


def growth(state: OwnLossState, recent: Recent) -> FloatArray | None:
    """Return the log growth of a displacement in each of the last steps, None where unknown."""
    setting, rows = state.params.setting, recent["weights"]
    has_map = setting.optimiser in SMOOTH and setting.rule == "fixed"
    if state.diverged_at is not None or not has_map or len(rows) < 4:
        return None
    loss, rows = loss_of(state.params), rows[-PUSHED:]
    scales = np.array(setting.scales) if setting.scales else np.ones(loss.dimension)
    beta = 0.0 if setting.optimiser == "gradient-descent" else setting.momentum
    ahead = beta if setting.optimiser == "nesterov" else 0.0
    pushes = np.random.default_rng(0).normal(size=(2, loss.dimension))
    push, speed = pushes[0], pushes[1] if beta else np.zeros(loss.dimension)
    logs = np.full(len(rows) - 2, np.nan)
    for k in range(1, len(rows) - 1):
        base, at = push + ahead * speed, rows[k] + ahead * (rows[k] - rows[k - 1])
        step = setting.at(state.step - len(rows) + 1 + k).step_size
        speed = beta * speed - step * scales * loss.curve(at, base)
        push = push + speed
        size = float(np.sqrt(push @ push + speed @ speed if beta else push @ push))
        if not 0.0 < size < np.inf:
            return None
        logs[k - 1] = np.log(size)
        push, speed = push / size, speed / size
    return logs


def outcome_of(state: OwnLossState, recent: Recent) -> Outcome:
    """Word the phase as the outcome of a run."""
    phase = phase_of(state, recent)
    step = state.step if state.diverged_at is None else state.diverged_at
    points = phase.points() if phase.period is not None else ()
    of = loss_of(state.params).variables[0]
    return phase.outcome(step, points, of, since=state.changed_at or None)
