"""The law of descent on least squares: which numbers may differ from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.params import describe
from engine.core.system import Dial
from engine.experiments.least_squares.problem import (
    LeastSquaresParams,
    Quadratic,
    make_quadratic,
    make_starts,
)
from engine.expressions.functions import Op
from engine.expressions.tape import Builder, Tape
from engine.theory.optimisers import Setting
from engine.theory.optimisers.law import DescentLaw, Place

MOST_WEIGHTS = 20
"""Dimensions up to which a step is written out."""


def descent_law(params: LeastSquaresParams, seed: int) -> DescentLaw | None:
    """Describe how the first of a run's points moves; None in many dimensions.

    Raises
    ------
    InputError
        If data or start cannot be used.
    """
    problem = make_quadratic(params, seed)
    if problem.size > MOST_WEIGHTS:
        return None
    start = make_starts(params, problem, seed)[0]
    names = tuple(f"w{i + 1}" for i in range(problem.size))
    places = {"step_size": Place(field="step_size"), "momentum": Place(field="momentum")}
    dials = _parameters(params)
    reach = 1.25 * float(np.max(np.abs(start - problem.minimum))) or 1.0
    for i, name in enumerate(names):
        value, middle = float(start[i]), float(problem.minimum[i])
        dials.append(Dial.coordinate(name, rf"w_{{{i + 1}}}", value, reach, middle))
        places[name] = Place(variables=(i,))

    def written(chosen: Mapping[str, float], begin: FloatArray | None) -> dict[str, Any]:
        made: dict[str, Any] = {key: v for key, v in chosen.items() if not places[key].variables}
        if begin is not None:
            made["start"] = tuple(map(float, begin - problem.minimum))
        return made

    return DescentLaw(
        dials=tuple(dials),
        variables=names,
        labels={name: rf"w_{{{name[1:]}}}" for name in names},
        tape=_tape(problem),
        constants=np.zeros(0),
        setting=Setting(
            optimiser=params.optimiser, step_size=params.step_size, momentum=params.momentum
        ),
        start=start,
        places=places,
        written=written,
    )


def _tape(problem: Quadratic) -> Tape:
    """Return the tape of ½ wᵀGw - bᵀw, without what does not depend on w."""
    builder = Builder()
    names = [f"w{i + 1}" for i in range(problem.size)]
    nodes = [builder.name(name, True) for name in names]
    total = builder.number(0.0)
    for i, node in enumerate(nodes):
        part = builder.binary(Op.MUL, builder.number(0.5 * problem.gram[i, i]), node)
        for j in range(i + 1, problem.size):
            factor = builder.number(float(problem.gram[i, j]))
            part = builder.binary(Op.ADD, part, builder.binary(Op.MUL, factor, nodes[j]))
        part = builder.binary(Op.SUB, part, builder.number(float(problem.load[i])))
        total = builder.binary(Op.ADD, total, builder.binary(Op.MUL, node, part))
    return builder.tape(total, None, tuple(names), ())


def _parameters(params: LeastSquaresParams) -> list[Dial]:
    values = params.model_dump()
    return [
        Dial.of(spec, float(values[spec.name]))
        for spec in describe(LeastSquaresParams)
        if spec.name in ("step_size", "momentum") and spec.is_active(values)
    ]
