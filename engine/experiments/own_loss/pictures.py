"""Arrays for the pictures of a run on a typed loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.experiment import Recent
from engine.experiments.own_loss.analysis import Listed, LossAnalysis, analysis_of
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.phase import SMOOTH
from engine.experiments.own_loss.plane import FAR, marks, observe_plane
from engine.experiments.own_loss.problem import loss_of
from engine.experiments.own_loss.spectrum import observe_spectrum
from engine.experiments.own_loss.theory import place_of
from engine.text.numbers import short
from engine.theory.optimisers import describe

CURVE = 401
"""Points of a drawn curve."""
PATH = 60
"""Steps of the cobweb that are drawn."""


def observe(state: OwnLossState, recent: Recent) -> dict[str, Any]:
    """Compute everything that the plots of this experiment draw besides series."""
    made = observe_plane(state, recent) if len(state.weights) > 1 else _line(state, recent)
    found = analysis_of(state.params, state.seed)
    listed = [row(state.params, each) for each in found.equilibria] if found is not None else []
    none = "none found" if found is not None else "being looked for"
    made["equilibria"] = listed or [["", none, "", "", "", ""]]
    return made | _multipliers(state) | observe_spectrum(state, recent)


def row(params: OwnLossParams, each: Listed) -> list[str]:
    """Write an equilibrium as a row of the table."""
    at, flip = each.at, each.flip
    nature = str(at.nature)
    if at.manifold:
        nature += f", manifold of dimension {at.manifold}"
    setting = params.setting
    limit = describe(setting.optimiser).limit(setting)
    is_known = setting.optimiser in SMOOTH and limit is not None and not setting.scales
    critical = beyond = ""
    if flip is not None and is_known and limit is not None:
        critical = short(limit / flip.sharpness, 6)
        beyond = {True: "soft", False: "hard", None: "open"}[flip.is_soft]
        if flip.is_soft and not flip.is_stationary:
            beyond = "drifts to flatter"
    return [short(at.loss, 6), nature, place_of(each), short(at.sharpness, 6), critical, beyond]


def _multipliers(state: OwnLossState) -> dict[str, Any]:
    setting, loss = state.params.setting.at(state.step), loss_of(state.params)
    if setting.optimiser not in SMOOTH or setting.rule != "fixed":
        return {}
    hessian = loss.hessian(state.weights)
    if not np.isfinite(hessian).all():
        return {}
    root = np.sqrt(np.array(setting.scales)) if setting.scales else np.ones(loss.dimension)
    pull = setting.step_size * np.linalg.eigvalsh(root[:, None] * hessian * root)
    values = describe(setting.optimiser).multipliers(pull, setting)
    return {
        "multiplier_re": np.clip(values.real, -FAR, FAR),
        "multiplier_im": np.clip(values.imag, -FAR, FAR),
    }


def _line(state: OwnLossState, recent: Recent) -> dict[str, Any]:
    """Draw a loss of one variable, and its cobweb."""
    params, loss = state.params, loss_of(state.params)
    found = analysis_of(params, state.seed)
    path = np.clip(recent["weights"][-PATH:, 0], -FAR, FAR)
    reach = max(params.reach, 1.25 * abs(float(state.start[0])))
    x = np.linspace(-reach, reach, CURVE)
    values, slopes = loss.values_and_gradients(x[:, None])
    here = np.array([_value(loss.value(np.array([w]))) for w in path])
    made: dict[str, Any] = {
        "line_x": x,
        "line_y": np.where(np.isfinite(values), values, np.nan),
        "path_x": path,
        "path_y": here,
        "now_x": path[-1:],
        "now_y": here[-1:],
        "start_x": float(state.start[0]),
        "start_y": _value(loss.value(state.start)),
    }
    if found is not None:
        made |= marks(found, lambda points, losses: (points[:, 0], losses))
    step = params.setting.at(state.step).step_size
    return made | _cobweb(params, step, x, slopes[:, 0], path, found)


def _value(number: float) -> float:
    return float(np.clip(number, -FAR, FAR)) if np.isfinite(number) else float("nan")


def _cobweb(
    params: OwnLossParams,
    step_size: float,
    x: FloatArray,
    slopes: FloatArray,
    path: FloatArray,
    found: LossAnalysis | None,
) -> dict[str, Any]:
    scale = params.scales[0] if params.scales else 1.0
    y = x - step_size * scale * slopes
    span = float(x[-1] - x[0])
    far = ~(np.isfinite(y) & (np.abs(y) <= span))
    made: dict[str, Any] = {
        "map_x": x,
        "map_y": np.where(far, np.nan, y),
        "diagonal": x[[0, -1]],
        "stairs_x": np.repeat(path, 2)[:-1],
        "stairs_y": np.repeat(path, 2)[1:],
    }
    if found is not None:
        minima = np.array([each.at.point[0] for each in found.minima])
        made |= {"fixed_x": minima, "fixed_y": minima}
    return made
