"""The law of descent on a typed loss: which numbers may differ from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.params import describe
from engine.core.system import Dial
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.problem import check_scales, loss_of, starting_point
from engine.experiments.own_loss.system import symbol_of
from engine.expressions.constants import read_constants, unnamed, with_value
from engine.theory.optimisers.law import DescentLaw, Place, SettingField

_FIELDS: tuple[SettingField, ...] = (
    "step_size",
    "alpha",
    "step_cap",
    "momentum",
    "square_decay",
    "epsilon",
    "weight_decay",
    "radius",
    "lowest_loss",
)
"""Fields of the optimiser's setting that are parameters of the same name."""


def descent_law(params: OwnLossParams, seed: int) -> DescentLaw:
    """Describe how runs move that differ in constants, hyperparameters and start.

    Raises
    ------
    InputError
        If the function, a constant, the data or the scales cannot be used.
    """
    loss = loss_of(params)
    check_scales(params, loss.dimension)
    start = starting_point(params, loss.dimension, seed)
    dials: list[Dial] = []
    places: dict[str, Place] = {}
    specs = {spec.name: spec for spec in describe(OwnLossParams)}
    values = params.model_dump()
    for field in _FIELDS:
        if specs[field].is_active(values) and _counts(params, field):
            dials.append(Dial.of(specs[field], float(values[field])))
            places[field] = Place(field=field)
    given = read_constants(params.constants)
    for number, key in enumerate(loss.expression.tape.constants):
        each = given.get(key) or unnamed(key)
        name = key if key not in specs else f"constants.{key}"
        dials.append(
            Dial(
                name=name,
                label=symbol_of(key) if len(key) == 1 else rf"\{key}" if key in _GREEK else key,
                value=each.value,
                low=each.low,
                high=each.high,
                least=-1e12,
                most=1e12,
            )
        )
        places[name] = Place(constant=number)
    taken = {dial.name for dial in dials}
    variables = tuple(key if key not in taken else f"start.{key}" for key in loss.variables)
    reach = max(params.reach, 1.25 * float(np.max(np.abs(start))))
    for number, (name, key) in enumerate(zip(variables, loss.variables, strict=True)):
        dials.append(Dial.coordinate(name, symbol_of(key), float(start[number]), reach))
        places[name] = Place(variables=(number,))
    data = loss.data
    tape = loss.expression.tape

    def written(chosen: Mapping[str, float], begin: FloatArray | None) -> dict[str, Any]:
        made: dict[str, Any] = {}
        text = params.constants
        for name, value in chosen.items():
            place = places[name]
            if place.field is not None:
                made[place.field] = value
            elif place.constant is not None:
                text = with_value(text, tape.constants[place.constant], value)
        if text != params.constants:
            made["constants"] = text
        if begin is not None:
            made |= {"start": tuple(map(float, begin)), "noise": 0.0}
        return made

    return DescentLaw(
        dials=tuple(dials),
        variables=variables,
        labels={name: symbol_of(key) for name, key in zip(variables, loss.variables, strict=True)},
        tape=tape,
        constants=loss.constants,
        data=None if data is None else data.columns(tape.columns),
        setting=params.setting,
        start=start,
        places=places,
        written=written,
    )


_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi "
    "omega".split()
)


def _counts(params: OwnLossParams, field: str) -> bool:
    """Return whether the optimiser reads a field of its setting."""
    if field == "step_size":
        return params.optimiser != "polyak" and params.setting.rule == "fixed"
    if field == "alpha":
        return params.setting.rule != "fixed"
    if field == "step_cap":
        return params.optimiser == "polyak" or params.setting.rule != "fixed"
    return field != "lowest_loss" or params.optimiser == "polyak"
