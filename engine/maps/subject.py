"""What branches are searched for of: an experiment's maps over some of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine.analysis.carrier import Carrier, SystemCarrier
from engine.analysis.family import Frame
from engine.core import registry
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params, update
from engine.core.system import InvariantSet, System
from engine.theory.optimisers.law import DescentLaw

MOST_COORDINATES = 64
"""Dimension of the largest system whose branches are followed."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """An experiment's maps over some of its parameters.

    Attributes
    ----------
    carrier : Carrier
    frame : Frame
        The smallest invariant set that holds the run's start.
    start : ndarray, shape (n,)
    coordinates : tuple of str
        Symbols, as mathtext without dollars.
    names : tuple of str
        Of the weights among the coordinates, as axes of maps name them.
    """

    carrier: Carrier
    frame: Frame
    start: FloatArray
    coordinates: tuple[str, ...]
    names: tuple[str, ...]


def subject_of(
    experiment: str,
    params: Params,
    seed: int,
    ranges: Mapping[str, tuple[float, float]],
) -> Subject:
    """Return an experiment's maps over some of its parameters.

    Its law carries them, if it has one whose every step is the same smooth map, else its system.

    Raises
    ------
    InputError
        If the experiment has no smooth step, too many coordinates, or a parameter cannot be varied
        so.
    """
    made = registry.get(experiment)
    system = made.system(params, seed)
    if system is None:
        rule = "branches need a step that is the same smooth map every time, with a fixed step size"
        raise InputError("experiment", experiment, rule)
    if system.dimension > MOST_COORDINATES:
        rule = f"branches are followed in at most {MOST_COORDINATES} coordinates"
        raise InputError("experiment", f"{experiment} with {system.dimension}", rule)
    law = _law_of(made, system, params, seed)
    known = [dial.name for dial in law.dials if not dial.is_start] if law is not None else []
    names = tuple(dict.fromkeys([*known, *(each.name for each in system.varied)]))
    for name in ranges:
        if name not in names:
            raise InputError("parameter", name, f"give one of {', '.join(names)}")

    @lru_cache(maxsize=256)
    def at(*values: float) -> System[Any]:
        chosen = dict(zip(ranges, values, strict=True))
        changes = chosen if law is None else law.settings(chosen, None)
        there = made.system(update(params, **changes), seed)
        if there is None:
            name, value = next(iter(chosen.items()))
            raise InputError(name, value, "give a value at which the step is a smooth map")
        return there

    lows, highs = (np.array([ends[side] for ends in ranges.values()]) for side in (0, 1))
    at(*lows.tolist())
    start = at(*highs.tolist()).start(seed)
    carrier: Carrier = SystemCarrier(at, lows, highs)
    if law is not None and set(ranges) <= set(known):
        from engine.kernels.maps.carry import LawCarrier  # loads numba

        by_law = LawCarrier(law, tuple(ranges))
        one, other = (each.orbit(start, lows, 1)[1] for each in (by_law, carrier))
        if np.allclose(one, other, rtol=1e-9, atol=1e-12):  # the same coordinates
            carrier = by_law
    return Subject(
        carrier=carrier,
        frame=Frame(system.dimension, set_of(system, start)),
        start=start,
        coordinates=system.coordinates,
        names=() if law is None else _names_of(law),
    )


def _law_of(
    experiment: AbstractExperiment[Any, Any], system: System[Any], params: Params, seed: int
) -> DescentLaw | None:
    """Return the law of a system in the same coordinates; None where there is none."""
    weights = [re.sub("[_{}]", "", symbol) for symbol in system.coordinates]
    law = experiment.law(params, seed, weights)
    if not isinstance(law, DescentLaw) or not law.is_smooth:
        return None
    copies = 1 if law.setting.optimiser == "gradient-descent" else 2
    return law if copies * len(law.variables) == system.dimension else None


def _names_of(law: DescentLaw) -> tuple[str, ...]:
    """Return what an axis names each variable of a law: one name may stand for several."""
    names = list(law.variables)
    for dial in law.dials:
        if len(law.places[dial.name].variables) > 1:
            for number in law.places[dial.name].variables:
                names[number] = dial.name
    return tuple(names)


def set_of(system: System[Any], start: FloatArray) -> InvariantSet | None:
    """Return the smallest invariant set that holds a point; None for the whole space."""
    size = max(float(np.linalg.norm(start)), 1e-300)
    held = [
        each
        for each in system.invariant_sets
        if float(np.linalg.norm(each.project(start) - start)) <= 1e-12 * size
    ]
    return min(held, key=lambda each: each.basis.shape[1], default=None)
