"""The law of descent on a typed loss: which numbers may differ from run to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.params import describe
from engine.core.system import Dial
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.problem import check_scales, loss_of, starting_point
from engine.experiments.own_loss.system import symbol_of
from engine.expressions.constants import LARGEST, read_constants, unnamed, with_value
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

_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi "
    "omega".split()
)
"""Names of constants that are Greek letters."""


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
    tape = loss.expression.tape
    placed = [*_hyperparameters(params), *_constants(params, tape.constants)]
    taken = {dial.name for dial, _ in placed}
    variables = tuple(key if key not in taken else f"start.{key}" for key in loss.variables)
    labels = {name: symbol_of(key) for name, key in zip(variables, loss.variables, strict=True)}
    reach = max(params.reach, 1.25 * float(np.max(np.abs(start))))
    for number, (name, label) in enumerate(labels.items()):
        dial = Dial.coordinate(name, label, float(start[number]), reach)
        placed.append((dial, Place(variables=(number,))))
    places = {dial.name: place for dial, place in placed}
    return DescentLaw(
        dials=tuple(dial for dial, _ in placed),
        variables=variables,
        labels=labels,
        tape=tape,
        constants=loss.constants,
        data=None if loss.data is None else loss.data.columns(tape.columns),
        setting=params.setting,
        start=start,
        places=places,
        written=_writer(params, places, tape.constants),
    )


def _hyperparameters(params: OwnLossParams) -> list[tuple[Dial, Place]]:
    """Return those parameters of the optimiser that it reads."""
    values = params.model_dump()
    specs = {spec.name: spec for spec in describe(OwnLossParams)}
    return [
        (Dial.of(specs[field], float(values[field])), Place(field=field))
        for field in _FIELDS
        if specs[field].is_active(values) and _counts(params, field)
    ]


def _constants(params: OwnLossParams, keys: Sequence[str]) -> list[tuple[Dial, Place]]:
    """Return the named constants of the loss, with the ranges of their sliders."""
    given = read_constants(params.constants)
    made = []
    for number, key in enumerate(keys):
        each = given.get(key) or unnamed(key)
        dial = Dial(
            name=key if key not in OwnLossParams.model_fields else f"constants.{key}",
            label=rf"\{key}" if key in _GREEK else symbol_of(key),
            value=each.value,
            low=each.low,
            high=each.high,
            least=-LARGEST,
            most=LARGEST,
        )
        made.append((dial, Place(constant=number)))
    return made


def _writer(
    params: OwnLossParams, places: Mapping[str, Place], keys: Sequence[str]
) -> Callable[[Mapping[str, float], FloatArray | None], dict[str, Any]]:
    """Return what writes the parameters of a single run."""

    def written(chosen: Mapping[str, float], begin: FloatArray | None) -> dict[str, Any]:
        made: dict[str, Any] = {}
        text = params.constants
        for name, value in chosen.items():
            place = places[name]
            if place.field is not None:
                made[place.field] = value
            elif place.constant is not None:
                text = with_value(text, keys[place.constant], value)
        if text != params.constants:
            made["constants"] = text
        if begin is not None:
            made |= {"start": tuple(map(float, begin)), "noise": 0.0}
        return made

    return written


def _counts(params: OwnLossParams, field: str) -> bool:
    """Return whether the optimiser reads a field of its setting."""
    if field == "step_size":
        return params.optimiser != "polyak" and params.setting.rule == "fixed"
    if field == "alpha":
        return params.setting.rule != "fixed"
    if field == "step_cap":
        return params.optimiser == "polyak" or params.setting.rule != "fixed"
    return field != "lowest_loss" or params.optimiser == "polyak"
