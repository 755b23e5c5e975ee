"""Measures of an experiment's step as a map (`engine.core.system`)."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from engine.analysis.lyapunov import lyapunov_spectrum
from engine.core.errors import InputError
from engine.core.params import build
from engine.core.registry import get
from engine.core.system import System
from engine.maps import tree
from engine.maps.branches import BranchSpec

Steps = Annotated[int, Field(ge=1, le=10**8)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
FAR = 1e6
"""Size of a point that counts as having left, well beyond what the maps here can come back from."""


def _system(experiment: str, params: dict[str, Any], seed: int) -> System[Any]:
    loaded = get(experiment)
    system = loaded.system(build(loaded.parameters, params), seed)
    if system is None:
        raise InputError("experiment", experiment, "give one whose step is a smooth map")
    return system


def lyapunov_exponents(
    experiment: str,
    params: dict[str, Any],
    steps: Steps,
    transient: Annotated[int, Field(ge=0, le=10**8)] = 1000,
    seed: Seed = 0,
    invariant_set: Annotated[int, Field(ge=0)] | None = None,
) -> dict[str, float]:
    """Compute Lyapunov exponents along an orbit, in all directions or within an invariant set.

    Returns
    -------
    dict
        ``"0"`` the largest, in nats per step, and so on.
    """
    system = _system(experiment, params, seed)
    within = None
    if invariant_set is not None:
        if invariant_set >= len(system.invariant_sets):
            most = len(system.invariant_sets) - 1
            raise InputError("invariant_set", invariant_set, f"give a number from 0 to {most}")
        within = system.invariant_sets[invariant_set]
    found = lyapunov_spectrum(system, system.start(seed), steps, transient=transient, within=within)
    if found is None:
        raise InputError("params", params, "give parameters whose orbit stays bounded")
    return {str(place): exponent.value for place, exponent in enumerate(found)}


def step_eigenvalues(
    experiment: str, params: dict[str, Any], point: list[float], seed: Seed = 0
) -> dict[str, float]:
    """Compute the eigenvalues of the derivative of a step, real parts ascending.

    Returns
    -------
    dict
        ``"0"`` to ``"n-1"``, and ``"imaginary"``, the largest imaginary part in magnitude.
    """
    system = _system(experiment, params, seed)
    if len(point) != system.dimension:
        raise InputError("point", point, f"give {system.dimension} numbers")
    found = np.linalg.eigvals(system.jacobian(np.array(point)))
    parts = {str(place): float(value) for place, value in enumerate(np.sort(found.real))}
    return {**parts, "imaginary": float(np.max(np.abs(found.imag)))}


def orbit_end(
    experiment: str,
    params: dict[str, Any],
    steps: Steps,
    points: Annotated[int, Field(ge=1, le=64)],
    coordinate: Annotated[int, Field(ge=0)] = 0,
    seed: Seed = 0,
) -> dict[str, float]:
    """Follow the map from the start and return its last points, ascending in one coordinate."""
    system = _system(experiment, params, seed)
    z = system.start(seed)
    last = []
    for k in range(steps):
        z = system.step(z)
        if k >= steps - points:
            last.append(float(z[coordinate]))
    return {str(place): value for place, value in enumerate(sorted(last))}


def bounded_starts(
    target: float,
    factor: Annotated[float, Field(gt=0, lt=2)],
    reach: Annotated[float, Field(gt=0)],
    starts: Annotated[int, Field(ge=1, le=10**6)],
    steps: Steps,
    margin: Annotated[float, Field(ge=0)] = 1e-3,
    seed: Seed = 0,
) -> dict[str, float]:
    """Compare where descent on (w1 w2 - target)²/2 stays bounded with the ellipse that borders it.

    Starts are uniform in the square of half-width `reach`; those within a relative `margin` of the
    border are left out.

    Parameters
    ----------
    target : float
        Positive.
    factor : float
        Step size times target.

    Returns
    -------
    dict
        ``misses``, ``counted``, and ``share``, of the square that stays bounded.
    """
    step = factor / target
    generator = np.random.default_rng(seed)
    x, y = generator.uniform(-reach, reach, (2, starts))
    level = (x + y) ** 2 / (2 / step + target) + (x - y) ** 2 / (2 / step - target)
    inside, far = level < 4.0, np.zeros(starts, bool)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            error = x * y - target
            x, y = x - step * error * y, y - step * error * x
            far |= ~(np.maximum(np.abs(x), np.abs(y)) < FAR)
            x, y = np.where(far, 0.0, x), np.where(far, 0.0, y)
    counted = np.abs(level - 4.0) > 4.0 * margin
    return {
        "misses": float(np.count_nonzero(counted & (inside == far))),
        "counted": float(np.count_nonzero(counted)),
        "share": float(np.mean(~far)),
    }


def bifurcations(
    experiment: str,
    params: dict[str, Any],
    name: str,
    low: float,
    high: float,
    near: Annotated[list[tuple[str, int, float]], Field(min_length=1, max_length=100)],
    max_period: Annotated[int, Field(ge=1, le=16)] = 8,
    seed: Seed = 0,
) -> dict[str, float]:
    """Follow the branches of an experiment over one parameter and locate bifurcations on them.

    Parameters
    ----------
    experiment, params, seed
    name, low, high
        The parameter that varies, and its ends.
    near : list of (str, int, float)
        Event ("flip", "fold", ...), period, and about where.
    max_period : int

    Returns
    -------
    dict
        By the number of the entry of `near` from 0, where the nearest such event is.

    Raises
    ------
    InputError
        If there is none of an event and period.
    """
    built = build(get(experiment).parameters, params)
    spec = BranchSpec(
        experiment=experiment,
        params=built,
        seed=seed,
        name=name,
        low=low,
        high=high,
        max_period=max_period,
    )
    found = tree.find(spec, lambda *_: True)
    made = {}
    for place, (event, period, about) in enumerate(near):
        there = [
            special.parameter
            for special in (found.specials if found else ())
            if (special.event, special.period) == (event, period)
        ]
        if not there:
            raise InputError("near", [event, period, about], "give events that there are")
        made[str(place)] = min(there, key=lambda value: abs(value - about))
    return made
