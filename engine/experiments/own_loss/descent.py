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
from engine.experiments.own_loss.looks import Looks, eigenvalues_at, looks, ruled, spectra
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.problem import loss_of
from engine.theory.optimisers import polyak_step

if TYPE_CHECKING:
    from engine.families.loss.loss import Loss

NAMES = {"w": "weights", "gradient_norm": "gradient", "step_norm": "move"}
"""Names of recorded series where they differ from those of the kernel."""


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
        code=loss.steps(params.setting),
    )
    found = spectra(loss, params, Looks(made.marked, made.states, state.begun))
    places = made.marked - state.step - 1
    low = _named(made.low, found, params, places // stride, np.fmin)
    high = low if stride == 1 else _named(made.high, found, params, places // stride, np.fmax)
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
    found = spectra(loss, params, Looks(np.array([state.step]), whole, state.begun))
    numbers = {
        "loss": value,
        "excess": value - params.lowest_loss,
        "gradient": gradient,
        "step_size": step_size_at(state, loss),
        "move": np.nan,
    }
    series = {key: np.asarray(number, np.float64) for key, number in numbers.items()}
    return {"weights": w, **series, **{key: rows[0] for key, rows in found.items()}}


def step_size_at(state: OwnLossState, loss: Loss) -> float:
    """Return what multiplies the gradient in the step that leads on from a state."""
    setting, w = state.params.setting, state.weights
    if setting.rule != "fixed":
        row = eigenvalues_at(loss, w[None])
        return ruled(loss, setting, w[None], state.moments[:1], row)[0]
    if setting.optimiser == "polyak":
        return polyak_step(setting, loss.value(w), _length(loss.gradient(w)))
    step = setting.at(state.step).step_size
    if setting.optimiser == "normalised-gd":
        size = _length(loss.gradient(w))
        return step / size if size > 0.0 else 0.0
    return step


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


def _named(
    side: Mapping[str, FloatArray],
    spectra: Mapping[str, FloatArray],
    params: OwnLossParams,
    buckets: NDArray[np.int64],
    reduce: np.ufunc,
) -> dict[str, FloatArray]:
    """Return one side of all series: what was measured at looks in its buckets, else NaN."""
    made = {NAMES.get(key, key): rows for key, rows in side.items()}
    made["excess"] = made["loss"] - params.lowest_loss
    for key, rows in spectra.items():
        table = np.full((len(made["loss"]), *rows.shape[1:]), np.nan)
        reduce.at(table, buckets, rows)
        made[key] = table
    return made
