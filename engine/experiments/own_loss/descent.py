"""Steps of a run on a typed loss, with everything that is recorded of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.chunk import Chunk
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.problem import loss_of
from engine.theory.optimisers import curvature, describe, polyak_step, preconditioner
from engine.theory.optimisers.setting import Setting

if TYPE_CHECKING:
    from engine.families.loss.loss import Loss

EARLY = 512
"""Steps after all of which the Hessian is looked at."""
NAMES = {"w": "weights", "gradient_norm": "gradient", "step_norm": "move"}
"""Names of recorded series where they differ from those of the kernel."""


def looks(first: int, n: int, every: int) -> NDArray[np.int64]:
    """Return the steps from `first` + 1 on, of `n`, after which the Hessian is looked at."""
    steps = np.arange(first + 1, first + n + 1)
    return np.asarray(steps[(steps <= EARLY) | (steps % every < 2)], np.int64)


def advance(state: OwnLossState, n: int, stride: int) -> tuple[OwnLossState, Chunk]:
    """Make up to `n` steps and record them."""
    from engine.kernels.optimisers.descent import Ending, descend

    params, loss = state.params, loss_of(state.params)
    made = descend(
        loss.program,
        loss.constants,
        state.weights,
        state.moments,
        params.setting,
        first=state.step,
        n=n,
        stride=stride,
        begun=state.begun,
        reach=float(np.max(np.abs(state.start))),
        marks=looks(state.step, n, params.spectrum_every),
    )
    low, high = ({NAMES.get(k, k): v for k, v in side.items()} for side in (made.low, made.high))
    spectra = _spectra(loss, state, made.marked, made.states)
    for side, reduce in ((low, np.fmin), (high, np.fmax)):
        side["excess"] = side["loss"] - params.lowest_loss
        side |= _placed(spectra, made.marked - state.step - 1, len(side["loss"]), stride, reduce)
    step = state.step + made.made
    ended = made.ending is not Ending.DONE
    new = replace(
        state,
        step=step,
        weights=made.weights,
        moments=made.moments,
        diverged_at=step + 1 if ended else None,
        is_undefined=made.ending is Ending.UNDEFINED,
    )
    return new, Chunk(state.step + 1, made.made, stride, low, high)


def record(state: OwnLossState) -> Mapping[str, FloatArray]:
    """Measure everything at one state."""
    params, loss = state.params, loss_of(state.params)
    w = state.weights
    value, gradient = loss.value(w), _length(loss.gradient(w))
    whole = np.stack([w, *state.moments])[None]
    spectra = _spectra(loss, state, np.array([state.step]), whole)
    numbers = {
        "loss": value,
        "excess": value - params.lowest_loss,
        "gradient": gradient,
        "step_size": step_size_at(state, loss),
        "move": np.nan,
    }
    series = {key: np.asarray(number, np.float64) for key, number in numbers.items()}
    return {"weights": w, **series, **{key: rows[0] for key, rows in spectra.items()}}


def step_size_at(state: OwnLossState, loss: Loss) -> float:
    """Return what multiplies the gradient in the step that leads on from a state."""
    setting, w = state.params.setting, state.weights
    if setting.rule != "fixed":
        return _ruled(loss, setting, w, state.moments[0])
    if setting.optimiser == "polyak":
        return polyak_step(setting, loss.value(w), _length(loss.gradient(w)))
    step = setting.at(state.step).step_size
    if setting.optimiser == "normalised-gd":
        size = _length(loss.gradient(w))
        return step / size if size > 0.0 else 0.0
    return step


def _ruled(loss: Loss, setting: Setting, w: FloatArray, velocity: FloatArray) -> float:
    """Return the step size that the curvature decides, where the gradient for a step is taken.

    It is the cap where the curvature is not positive, too small for another, or no number.
    """
    point = w + setting.momentum * velocity if setting.optimiser == "nesterov" else w
    hessian = loss.hessian(point)
    if not np.isfinite(hessian).all():
        return setting.step_cap
    values = np.linalg.eigvalsh(hessian)
    size = float(values[-1]) if setting.rule == "sharpness" else float(np.max(np.abs(values)))
    return setting.alpha / size if setting.alpha < setting.step_cap * size else setting.step_cap


def _length(vector: FloatArray) -> float:
    """Return the Euclidean norm with the bits that kernels give it, without underflow."""
    parts: list[float] = vector.tolist()
    top = max(map(abs, parts))
    if not 0.0 < top < math.inf or any(map(math.isnan, parts)):
        return math.nan if any(map(math.isnan, parts)) else top
    total = 0.0
    for part in parts:
        total += (part / top) * (part / top)
    return top * math.sqrt(total)


def _spectra(
    loss: Loss, state: OwnLossState, steps: NDArray[np.int64], states: FloatArray
) -> dict[str, FloatArray]:
    """Measure Hessians at states (m, 3, n): eigenvalues, sharpness, and both over the limit."""
    params, n = state.params, loss.dimension
    hessian, sharpness = np.full((len(states), n), np.nan), np.full(len(states), np.nan)
    stability = np.full(len(states), np.nan)
    for row, (step, whole) in enumerate(zip(steps.tolist(), states, strict=True)):
        matrix = loss.hessian(whole[0])
        if not np.isfinite(matrix).all():
            continue
        hessian[row] = np.linalg.eigvalsh(matrix)
        sharpness[row] = hessian[row, -1]
        stability[row] = _over_limit(loss, params, whole, matrix, step, step - state.begun)
    return {"hessian": hessian, "sharpness": sharpness, "stability": stability}


def _over_limit(
    loss: Loss, params: OwnLossParams, whole: FloatArray, hessian: FloatArray, k: int, age: int
) -> float:
    """Return the curvature that counts for the optimiser over its largest stable value."""
    setting = _fixed(loss, params.setting, whole, k)
    if setting is None:
        return float("nan")
    diagonal = preconditioner(setting, len(hessian), whole[2], max(age, 1))
    top = float(np.linalg.eigvalsh(curvature(hessian, setting, diagonal))[-1])
    gradient = float(np.linalg.norm(loss.gradient(whole[0])))
    limit = describe(setting.optimiser).sharpness_limit(
        setting, gradient_norm=gradient, loss=loss.value(whole[0])
    )
    return top / limit if limit > 0.0 else float("nan")


def _fixed(loss: Loss, setting: Setting, whole: FloatArray, k: int) -> Setting | None:
    """Return the setting with the step size in use at a state (3, n); None where it is 0."""
    if setting.rule == "fixed":
        now = setting.at(k)
        return now if now.step_size > 0.0 else None
    return replace(setting, rule="fixed", step_size=_ruled(loss, setting, whole[0], whole[1]))


def _placed(
    spectra: Mapping[str, FloatArray],
    places: NDArray[np.int64],
    buckets: int,
    stride: int,
    reduce: np.ufunc,
) -> dict[str, FloatArray]:
    """Put measurements into their buckets, NaN where there is none."""
    placed = {}
    for key, rows in spectra.items():
        table = np.full((buckets, *rows.shape[1:]), np.nan)
        reduce.at(table, places // stride, rows)
        placed[key] = table
    return placed
