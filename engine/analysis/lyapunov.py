"""Lyapunov spectrum of a system: the growth of a small volume along an orbit, axis by axis.

An orthonormal frame is carried along by the Jacobian and made orthonormal again at every step by a
QR factorisation; the means of log |R_ii| are the exponents (Benettin et al. 1980).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.analysis.exponents import exponent_of
from engine.core.arrays import FloatArray
from engine.core.outcome import Exponent
from engine.core.system import InvariantSet, System

LEAST = 1e-300
"""Least factor of a step that is told from 0, whose logarithm is no number."""
ALL = "in all directions"


def lyapunov_spectrum(
    system: System[Any],
    z: FloatArray,
    steps: int,
    *,
    transient: int = 0,
    within: InvariantSet | None = None,
) -> tuple[Exponent, ...] | None:
    """Compute the Lyapunov exponents of an orbit, in nats per step, the largest first.

    Parameters
    ----------
    system : System
    z : ndarray, shape (n,)
        Where the orbit begins; left untouched.
    steps : int
        Steps that are averaged over, at least 2; from 16 on there are standard errors.
    transient : int
        Steps made before, in which the orbit reaches its attractor and the frame the directions of
        growth.
    within : InvariantSet, optional
        Set in which the displacements stay, and the orbit if it begins there; by default the whole
        space.

    Returns
    -------
    tuple of Exponent or None
        As many as the set has dimensions, with standard errors of batch means; None where the orbit
        leaves the range of a float.
    """
    frame = np.eye(system.dimension) if within is None else within.basis
    of = ALL if within is None else f"with {within.name}"
    logs = np.empty((steps, frame.shape[1]))
    for k in range(-transient, steps):
        derivative = system.jacobian(z)
        z = system.step(z)
        if not (np.isfinite(derivative).all() and np.isfinite(z).all()):
            return None
        frame, factors = np.linalg.qr(derivative @ frame)
        if k >= 0:
            logs[k] = np.log(np.maximum(np.abs(np.diagonal(factors)), LEAST))
    made = [exponent_of(column, of) for column in logs.T]
    found = [exponent for exponent in made if exponent is not None]
    return tuple(sorted(found, key=lambda exponent: -exponent.value))
