"""Lyapunov spectrum of a system: the growth of a small volume along an orbit, axis by axis.

An orthonormal frame is carried along by the Jacobian and made orthonormal again at every step by a
QR factorisation; the means of log |R_ii| are the exponents (Benettin et al. 1980).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    return _exponents(frame, _derivatives(system, z, steps + transient), transient, of)


def transverse_exponents(
    system: System[Any], z: FloatArray, steps: int, across: InvariantSet, *, transient: int = 0
) -> tuple[Exponent, ...] | None:
    """Compute the exponents of displacements out of an invariant set, the largest first.

    The derivative of a step maps the set's directions into themselves; what it does to the others,
    up to these, is a product of matrices of its own. Where the largest exponent is positive, orbits
    in the set are left by their neighbours.

    Parameters
    ----------
    system : System
    z : ndarray, shape (n,)
        Where the orbit begins; it is led back into the set after each step, where rounding may take
        it out.
    steps : int
        As for `lyapunov_spectrum`.
    across : InvariantSet
    transient : int

    Returns
    -------
    tuple of Exponent or None
        As many as the space has dimensions more than the set, with standard errors; None where the
        orbit leaves the range of a float.
    """
    out = np.linalg.svd(across.basis)[0][:, across.basis.shape[1] :]
    of = f"out of the points with {across.name}"
    orbit = _derivatives(system, across.project(z), steps + transient, across)
    factors = (None if each is None else out.T @ each @ out for each in orbit)
    return _exponents(np.eye(out.shape[1]), factors, transient, of)


def _derivatives(
    system: System[Any], z: FloatArray, steps: int, within: InvariantSet | None = None
) -> Iterator[FloatArray | None]:
    """Return the derivatives of steps along an orbit; None where it leaves a float's range."""
    for _ in range(steps):
        derivative = system.jacobian(z)
        z = system.step(z)
        if within is not None:
            z = within.project(z)
        is_finite = np.isfinite(derivative).all() and np.isfinite(z).all()
        yield derivative if is_finite else None


def _exponents(
    frame: FloatArray, factors: Iterable[FloatArray | None], transient: int, of: str
) -> tuple[Exponent, ...] | None:
    """Carry a frame along and average the logs of its growth."""
    logs: list[FloatArray] = []
    for derivative in factors:
        if derivative is None:
            return None
        frame, grown = np.linalg.qr(derivative @ frame)
        logs.append(np.log(np.maximum(np.abs(np.diagonal(grown)), LEAST)))
    made = [exponent_of(column, of) for column in np.array(logs[transient:]).T]
    found = [exponent for exponent in made if exponent is not None]
    return tuple(sorted(found, key=lambda exponent: -exponent.value))
