"""Ellipsoids about known minima out of which no step leads, by the Hessian and its measured change.

That change is measured at some points, not bounded over the ellipsoid: what a map says of runs in
them is found, not proved.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.maps.advance import CHUNK
from engine.kernels.maps.loss import TapeLoss
from engine.kernels.maps.outcomes import NEAR
from engine.theory.optimisers import OptimiserId

MOST = 20 * CHUNK
"""Steps after which a run is left undecided, at most."""
NATS = 30.0
"""Log of the factor by which errors shrink within those steps at a minimum that is looked for."""
MARGIN = 0.1
"""Largest part of a trap's contraction that the change of the Hessian within it may take away."""
REACH = 1e-4
"""Distance, relative to the size of the point, over which that change is measured."""
QUICK = 2.001
"""Change over a step, relative to the distance that is near, that leads from what is near to what
is not."""


class Traps(NamedTuple):
    """Ellipsoids about known minima out of which no step leads.

    Attributes
    ----------
    table : ndarray, shape (r, m + 3 + m²)
        The centre, of m numbers a state; the distance of weights that is near; the number of the
        minimum among the known ones; its sharpness; and the matrix of the quadratic form that is
        at most 1 within.
    small : float
        Largest change of a weight over a step from a state that is near, and stays so; -1 without
        minima.
    steps : int
        After which runs that come to them have mostly done so.
    """

    table: FloatArray
    small: float
    steps: int


def traps(
    loss: TapeLoss, known: FloatArray, rates: FloatArray, method: OptimiserId, momentum: float
) -> Traps:
    """Return the traps of those known minima that attract fast enough.

    Parameters
    ----------
    loss : TapeLoss
    known : ndarray, shape (r, n + 1)
        Minima, each with its sharpness.
    rates : ndarray, shape (n,)
        Step sizes of the weights.
    method : OptimiserId
        One of `engine.kernels.maps.code.METHODS`.
    momentum : float
    """
    made, steps, small = [], CHUNK, -1.0
    for row, point in enumerate(known[:, :-1]):
        factor = _factor(loss.hessian(point), rates, method, momentum)
        found = _trap(loss, point, rates, factor)
        if found is not None:
            centre, near, form, most = found
            made.append([*centre, near, row, known[row, -1], *form])
            steps, small = max(steps, most), max(small, _change_of(factor, len(rates)) * near)
    columns = len(rates) if method == "gradient-descent" else 2 * len(rates)
    table = np.array(made, np.float64).reshape(len(made), columns + 3 + columns**2)
    return Traps(table, small, min(-(-steps // CHUNK) * CHUNK, MOST))


def _trap(
    loss: TapeLoss, point: FloatArray, rates: FloatArray, factor: FloatArray
) -> tuple[FloatArray, float, FloatArray, int] | None:
    """Return a minimum's state, what is near it, its trap, and how many steps lead to it."""
    n, size = len(point), max(1.0, float(np.max(np.abs(point))))
    near = NEAR * size
    if not np.isfinite(factor).all():
        return None
    radius = float(np.max(np.abs(np.linalg.eigvals(factor)), initial=0.0))
    if not 0.0 <= radius < math.exp(-NATS / MOST):
        return None
    form = np.diag(1.0 / rates) if len(factor) == n else _form(factor)
    scaled = form * float(np.max(np.linalg.inv(form).diagonal()[:n])) / near**2
    widest = 1.0 / math.sqrt(float(np.linalg.eigvalsh(scaled)[0]))
    inverse = np.linalg.inv(np.linalg.cholesky(scaled)).T
    contraction = 1.0 - float(np.linalg.norm(np.linalg.solve(inverse, factor @ inverse), 2))
    here = loss.hessian(point)
    changes = [
        loss.hessian(point + sign * REACH * size * unit) - here
        for unit in np.eye(n)
        for sign in (1.0, -1.0)
    ]
    bend = max(float(np.linalg.norm(each, 2)) for each in changes) / (REACH * size)
    pull = 2.0 * float(np.max(rates)) * n * bend * widest
    stretch = math.sqrt(float(np.linalg.cond(scaled)))
    if not (contraction > 0.0 and pull * stretch <= MARGIN * contraction):
        return None
    steps = CHUNK if radius == 0.0 else math.ceil(-NATS / math.log(radius))
    centre = np.concatenate([point, np.zeros(len(factor) - n)])
    return centre, near, scaled.ravel(), steps


def _factor(
    hessian: FloatArray, rates: FloatArray, method: OptimiserId, momentum: float
) -> FloatArray:
    """Return the derivative of a step at a minimum, by weights and velocities."""
    same, pull = np.eye(len(rates)), rates[:, None] * hessian
    if method == "gradient-descent":
        return np.asarray(same - pull)
    kept = momentum * (same - pull if method == "nesterov" else same)
    return np.block([[same - pull, kept], [-pull, kept]])


def _change_of(factor: FloatArray, weights: int) -> float:
    """Return the largest change over a step from where the weights are at most 1 from a minimum.

    With velocities only if they are there after the step, too.
    """
    if len(factor) > weights:
        return QUICK
    rows = np.abs(factor - np.eye(weights)).sum(axis=1)
    return min(QUICK, (1.0 + MARGIN) * float(np.max(rows)))


def _form(factor: FloatArray) -> FloatArray:
    """Return the sum of (A^k)ᵀ A^k: a quadratic form that each step A makes smaller."""
    total, power = np.eye(len(factor)), factor
    for _ in range(16):  # doubles the number of terms
        total = total + power.T @ total @ power
        power = power @ power
    return np.asarray(0.5 * (total + total.T))
