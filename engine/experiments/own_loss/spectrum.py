"""The Lyapunov spectrum along the last steps of a run, by QR factorisations."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.analysis.exponents import exponent_of, settled
from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.core.experiment import Recent
from engine.experiments.own_loss.params import OwnLossState
from engine.experiments.own_loss.system import OwnLossSystem, system_of

FEWEST, MOST = 48, 256
"""Steps over which the spectrum is measured."""
WORK = 1024
"""Steps times dimensions that a picture may take."""
LEAST = 1e-300
"""Least factor of a step that is told from 0, whose logarithm is no number."""


def observe_spectrum(state: OwnLossState, recent: Recent) -> dict[str, Any]:
    """Return the exponents with their standard errors, the largest first; none without a map."""
    return once(state, "spectrum", lambda: _measured(state, recent))


def _measured(state: OwnLossState, recent: Recent) -> dict[str, Any]:
    system = system_of(state.params) if state.diverged_at is None else None
    logs = None if system is None else growths(system, state.evidence(recent)["weights"])
    columns = () if logs is None else logs.T
    found = [exponent_of(settled(column), "one direction") for column in columns]
    known = sorted(
        ((each.value, each.error or 0.0) for each in found if each is not None), reverse=True
    )
    values, errors = np.array(known).reshape(-1, 2).T
    place = np.arange(1.0, len(values) + 1.0)
    gap = np.full_like(place, np.nan)
    return {
        "exponent_place": place,
        "exponent": values,
        "exponent_bar_x": np.column_stack([place, place, gap]).ravel(),
        "exponent_bar_y": np.column_stack([values - errors, values + errors, gap]).ravel(),
    }


def growths(system: OwnLossSystem, weights: FloatArray) -> FloatArray | None:
    """Return the log growth of a volume along its axes at each of the last steps.

    Parameters
    ----------
    system : OwnLossSystem
    weights : ndarray, shape (m, n)
        After consecutive steps.

    Returns
    -------
    ndarray, shape (k, d), or None
        For the d dimensions of the system; None of too few steps, or where a derivative is no
        number.
    """
    points = weights
    if system.dimension > weights.shape[1]:  # the velocity is the last change
        points = np.hstack([weights[1:], np.diff(weights, axis=0)])
    rows = points[-min(max(WORK // system.dimension, FEWEST), MOST) - 1 : -1]
    if len(rows) < FEWEST:
        return None
    frame, logs = np.eye(system.dimension), np.empty((len(rows), system.dimension))
    for k, row in enumerate(rows):
        derivative = system.jacobian(row)
        if not np.isfinite(derivative).all():
            return None
        frame, factors = np.linalg.qr(derivative @ frame)
        logs[k] = np.log(np.maximum(np.abs(np.diagonal(factors)), LEAST))
    return logs
