"""Measures of basins: what is proved of them, and how their borders look."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from engine.core.errors import InputError
from engine.core.params import build
from engine.core.registry import get
from engine.executors.threads import Threads
from engine.experiments.scalar_product import proofs
from engine.experiments.scalar_product.params import ScalarParams
from engine.families.matrix.transverse import transverse
from engine.families.proofs.proofs import Proofs
from engine.families.proofs.task import step_of
from engine.maps.borders import box_dimension, shares, uncertainty
from engine.maps.catalogue import kind
from engine.maps.kinds.ends import DIVERGED
from engine.maps.making import made
from engine.maps.spec import MapSpec

Seed = Annotated[int, Field(ge=0, lt=2**63)]
_SLOWEST = 20_000
"""Steps that a run from a proved region may take to come to what it is proved to come to."""


def proved_region(
    params: dict[str, Any],
    starts: Annotated[int, Field(ge=1, le=10**6)] = 2000,
    seed: Seed = 0,
) -> dict[str, Any]:
    """Prove what can be of a product of two weights, and follow random starts of what is proved.

    Parameters
    ----------
    params : dict
        Of the experiment ``scalar-product``.
    starts : int
        Drawn from the domain; those in the proved region are followed.
    seed : int

    Returns
    -------
    dict
        ``stable`` of the attractor, ``radius`` of its definition of stability, ``proved`` and
        ``measured`` area of its basin, ``share``, the first over the second, ``tried``, how many
        starts were in the region, and ``contradictions``, those that did not come to the attractor.

    Raises
    ------
    InputError
        If no region can be proved at these parameters.
    """
    built = build(ScalarParams, {**params, "prove": True})
    found = proofs.analyse(built, seed, lambda *_: True)
    if not isinstance(found, Proofs) or found.region is None:
        raise InputError("params", params, "give parameters at which a region is looked for")
    plane = found.task.coordinates
    spread = np.random.default_rng(seed).uniform(plane.low, plane.high, (starts, len(plane.low)))
    points = spread @ plane.inverse.T
    points = points[found.holds(points)]
    step, tried = step_of(found.task.law), len(points)
    for _ in range(_SLOWEST):
        points = points[~found.has_come(points)]
        if not len(points):
            break
        points = step(points)
    attractor = found.attractor
    return {
        "stable": "yes" if attractor.is_stable else "not proved",
        "radius": attractor.delta or 0.0,
        "proved": found.volume,
        "measured": found.measured or 0.0,
        "share": found.share or 0.0,
        "tried": float(tried),
        "contradictions": float(len(points)),
    }


def basin_borders(
    experiment: str,
    params: dict[str, Any],
    reach: Annotated[float, Field(gt=0)],
    side: Annotated[int, Field(ge=64, le=8192)],
    steps: Annotated[int, Field(ge=1, le=10**6)],
    seed: Seed = 0,
) -> dict[str, float]:
    """Make a map of basins over a square of starts and measure its borders.

    Returns
    -------
    dict
        Box dimension of all borders, ``dimension`` with its ``error``, and by the uncertainty
        exponent, ``by-uncertainty``; that of the border of divergence alone, ``divergence`` with
        ``divergence-error``; ``bounded``, the share of the square from which runs stay.

    Raises
    ------
    InputError
        If the experiment has no basins, or there is no border among them.
    """
    built = build(get(experiment).parameters, params)
    basins = kind("basin")
    offer = basins.offer(experiment, built, seed)
    if offer is None:
        raise InputError("experiment", experiment, "give one with maps of basins")
    x, y = (replace(axis, low=-reach, high=reach, count=side) for axis in (offer.x, offer.y))
    prepared = basins.prepare(
        MapSpec(
            kind="basin",
            experiment=experiment,
            params=built,
            seed=seed,
            x=x,
            y=y,
            steps=steps,
            options=offer.options,
        )
    )
    with Threads(1) as pool:
        outcome = made(prepared, pool, threading.Event())["outcome"]
    every, leaving = box_dimension(outcome), box_dimension(outcome, [DIVERGED])
    gone = sum(share.value for share in shares(outcome) if share.code == DIVERGED)
    return {
        "dimension": every.value,
        "error": every.error,
        "by-uncertainty": 2.0 - uncertainty(outcome).value,
        "divergence": leaving.value,
        "divergence-error": leaving.error,
        "bounded": 1.0 - gone,
    }


def transverse_exponent(
    depth: Annotated[int, Field(ge=2, le=64)],
    eigenvalues: Annotated[list[float], Field(min_length=2, max_length=12)],
    step_size: Annotated[float, Field(gt=0)],
) -> dict[str, float]:
    """Compute the largest exponent across the eigenspaces of a symmetric R, from the identity.

    Returns
    -------
    dict
        ``exponent``, in nats per step, and ``error``, its standard error.

    Raises
    ------
    InputError
        If the scalar map of one of the eigenvalues diverges.
    """
    found = transverse(step_size, depth, tuple(eigenvalues)).exponent
    if found is None:
        raise InputError("step_size", step_size, "give one at which the scalar maps stay bounded")
    return {"exponent": found.value, "error": found.error or 0.0}
