"""Where a single run is on a map: at its parameters, at its start, or along its path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import LabError
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params
from engine.run.session import Session


def place_of(
    experiment: AbstractExperiment[Any, Any], params: Params, seed: int, names: Sequence[str]
) -> tuple[float, ...]:
    """Return the values that a run has of what axes vary: parameters, or coordinates of its start.

    NaN for what is neither, such as the observable of an orbit diagram.
    """
    values = params.model_dump()
    known = {name: _real(values[name]) for name in names if name in values}
    if len(known) < len(names):
        try:
            law = experiment.law(params, seed, names)
        except LabError:
            law = None
        dials = () if law is None else law.dials
        known |= {dial.name: dial.value for dial in dials if dial.name not in known}
    return tuple(known.get(name, math.nan) for name in names)


def point_of(session: Session, names: Sequence[str]) -> FloatArray | None:
    """Return coordinates of a run's point, shape (m,); None if it has none of such names."""
    system = session.experiment.system(session.params, session.seed)
    if system is None:
        return None
    plain = [_plain(symbol) for symbol in system.coordinates]
    if not set(names) <= set(plain):
        return None
    point = system.point(session.state)
    return np.array([point[plain.index(name)] for name in names])


def _plain(symbol: str) -> str:
    """Return the name of a variable from its symbol: ``w_{12}`` is ``w12``."""
    return symbol.replace("_", "").replace("{", "").replace("}", "").replace("\\", "")


def _real(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan
