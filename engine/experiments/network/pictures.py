"""Arrays for the pictures of a training run."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.core.experiment import Recent
from engine.experiments.network.data.dataset import Dataset
from engine.experiments.network.descent import last_expansion, last_look
from engine.experiments.network.measure import LARGEST_SIDE
from engine.experiments.network.nets.functional import outputs_at
from engine.experiments.network.state import NetworkState
from engine.text.numbers import short, whole

CURVE = 401
CELLS = 72
"""Points of a drawn curve, and of each side of a drawn plane."""
MARGIN = 0.15
"""Part of the samples' range by which a picture reaches beyond them."""
SHOWN = 1000
"""Samples that are drawn."""


def observe(state: NetworkState, recent: Recent) -> dict[str, Any]:
    """Compute everything that the plots draw besides series."""
    data = state.problem.data
    made: dict[str, Any] = {"status": status(state)}
    if data.dimension == 1 and (data.classes or data.targets.shape[1] == 1):
        made |= _line(state, data)
    elif data.dimension == 2:
        made |= _plane(state, data)
    return made | once(state, "spectra", lambda: _spectra(state))


def answers(state: NetworkState, inputs: FloatArray) -> FloatArray:
    """Compute the outputs of the network, shape (N, t), for inputs, shape (N, d)."""
    torch.set_num_threads(1)
    problem = state.problem
    with torch.no_grad():
        weights = problem.tensor(state.weights)
        made = outputs_at(problem.architecture, weights, problem.tensor(inputs))
    return made.cpu().numpy().astype(np.float64)


def scores(state: NetworkState, inputs: FloatArray) -> FloatArray:
    """Reduce the outputs to one number: of classes, how far the second is above the first."""
    made = answers(state, inputs)
    if state.problem.data.classes and made.shape[1] > 1:
        made = made[:, 1:2] - made[:, 0:1]
    return np.asarray(np.where(np.isfinite(made[:, 0]), made[:, 0], np.nan))


def _span(values: FloatArray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def _line(state: NetworkState, data: Dataset) -> dict[str, Any]:
    x = np.linspace(*_span(data.inputs[:, 0]), CURVE)
    return {
        "line_x": x,
        "line_y": scores(state, x[:, None]),
        "sample_x": data.inputs[:SHOWN, 0],
        "sample_y": _numbers(data.targets[:SHOWN]),
        "held_x": data.held_inputs[:SHOWN, 0],
        "held_y": _numbers(data.held_targets[:SHOWN]),
    }


def _numbers(targets: Any) -> FloatArray:
    """Return the targets as one number each."""
    return np.asarray(targets, np.float64).reshape(len(targets), -1)[:, 0]


def _plane(state: NetworkState, data: Dataset) -> dict[str, Any]:
    (x0, x1), (y0, y1) = (_span(data.inputs[:, axis]) for axis in (0, 1))
    x, y = np.meshgrid(np.linspace(x0, x1, CELLS), np.linspace(y0, y1, CELLS))
    heat = scores(state, np.stack([x.ravel(), y.ravel()], axis=1)).reshape(CELLS, CELLS)
    made: dict[str, Any] = {"extent": np.array([x0, x1, y0, y1])}
    if data.classes:
        reach = max(float(np.nanmax(np.abs(heat))), 1e-300) if np.isfinite(heat).any() else 1.0
        made["heat"] = np.clip(heat / reach, -1.0, 1.0)
    else:
        made["heat"] = heat
    points = data.inputs[:SHOWN]
    labels = data.targets[:SHOWN] if data.classes else np.full(len(points), 2)
    for name, chosen in (("first", labels == 0), ("second", labels == 1), ("other", labels > 1)):
        made |= {f"{name}_x": points[chosen, 0], f"{name}_y": points[chosen, 1]}
    return made


def _spectra(state: NetworkState) -> dict[str, Any]:
    matrices = state.problem.architecture.matrices(state.weights)
    x, y = [], []
    for layer, matrix in enumerate(matrices, start=1):
        if max(matrix.shape) <= LARGEST_SIDE:
            values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
            x.append(np.full(len(values), float(layer)))
            y.append(values)
    none = np.zeros(0)
    return {
        "spectrum_x": np.concatenate(x) if x else none,
        "spectrum_y": np.concatenate(y) if y else none,
    }


def status(state: NetworkState) -> list[list[str]]:
    """Return the rows of the table about the run."""
    problem, params, edge = state.problem, state.params, state.edge
    data, architecture = problem.data, problem.architecture
    rows = [
        ["Samples", f"{whole(data.count)} for training, {whole(len(data.held_inputs))} held out"],
        ["Layers", architecture.in_words],
        ["Weights", whole(architecture.count)],
        ["Numbers", f"{params.precision} on {params.device}"],
    ]
    look = last_look(state)
    if look is not None:
        ended = "" if look.converged else ", not converged"
        cost = f"{look.products} products, {1e3 * look.seconds:.3g} ms{ended}"
        rows.append([f"Look at the Hessian at k = {whole(look.step)}", cost])
    began = {
        "Edge of stability since k": edge.onset,
        "Catapult since k": edge.catapult,
        "Landed at k": edge.landed,
    }
    rows += [[name, whole(step)] for name, step in began.items() if step is not None]
    flow = state.central
    if params.has_central_flow and flow is None:
        rows.append(["Central flow", "left: more than four eigenvalues at the limit, or no number"])
    elif flow is not None and flow.onset is not None:
        rows.append(["Central flow at the limit since k", whole(flow.onset)])
        rows.append(["Eigenvalues that it holds there", whole(flow.at_edge)])
    found = last_expansion(state)
    if found is not None:
        rows.append(
            ["Derivatives along v at k = " + whole(found.step), f"{1e3 * found.seconds:.3g} ms"]
        )
    if edge.mean is not None:
        rows.append(["Mean over the limit since the onset", short(edge.mean, 5)])
    return rows
