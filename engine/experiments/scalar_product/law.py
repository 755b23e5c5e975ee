"""The law of the scalar product network: which numbers may differ from run to run.

Weights that begin with the same magnitude keep it, also where rounding could part them; such a
class of weights is one variable, whose step is that of each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.params import describe
from engine.core.system import Dial
from engine.experiments.scalar_product.params import ScalarParams
from engine.experiments.scalar_product.start import starting_weights
from engine.families.products import product_tape
from engine.theory.optimisers import Setting
from engine.theory.optimisers.law import DescentLaw, Place

MOST_COORDINATES = 20
"""Weights whose start may be an axis each."""


def descent_law(params: ScalarParams, seed: int, apart: Sequence[str]) -> DescentLaw | None:
    """Describe how runs move that differ in target, step size and the like; None where it is long.

    Parameters
    ----------
    params : ScalarParams
    seed : int
    apart : sequence of str
        Weights, as w1, that begin elsewhere than the others of their class.

    Raises
    ------
    InputError
        If start or inputs cannot be used.
    """
    start = starting_weights(params, seed)
    names = [f"w{i + 1}" for i in range(params.depth)]
    free = [name for name in apart if name in names]
    classes = _classes(start, [names.index(name) for name in free])
    if len(classes) > MOST_COORDINATES:
        return None
    signs = np.concatenate([np.sign(start[c]) * np.sign(start[c[0]] or 1.0) for c in classes])
    setting = Setting(
        optimiser=params.optimiser,
        step_size=params.step_size,
        rule=params.step_rule,
        alpha=params.alpha,
        step_cap=params.step_cap,
        momentum=params.momentum,
        scales=tuple(1.0 / len(each) for each in classes),
    )
    if params.step_rule != "fixed" and any(len(each) > 1 for each in classes):
        return None  # the curvature of the classes is not that of the weights
    dials, places = _parameters(params)
    shown = names if params.depth <= MOST_COORDINATES else []
    for number, name in enumerate(shown):
        value = float(start[number])
        reach = max(4.0, 1.25 * abs(value))
        dials.append(Dial.coordinate(name, rf"w_{{{name[1:]}}}", value, reach))
    members = {names[i]: number for number, each in enumerate(classes) for i in each}
    places |= {name: Place(variables=(members[name],)) for name in shown}
    variables = tuple(names[each[0]] for each in classes)

    def written(chosen: Mapping[str, float], begin: FloatArray | None) -> dict[str, Any]:
        made: dict[str, Any] = {key: v for key, v in chosen.items() if places[key].variables == ()}
        if begin is not None:
            weights = start.copy()
            for value, each in zip(begin, classes, strict=True):
                turned = np.sign(start[each]) * np.sign(start[each[0]] or 1.0)
                weights[each] = value * np.where(turned == 0.0, 1.0, turned)
            made |= {"init": "list", "weights": tuple(map(float, weights)), "noise": 0.0}
        return made

    return DescentLaw(
        dials=tuple(dials),
        variables=variables,
        labels={name: rf"w_{{{name[1:]}}}" for name in names},
        tape=product_tape(
            [len(each) for each in classes], is_negative=bool(np.sum(signs < 0.0) % 2)
        ),
        constants=np.array([params.power, params.target]),
        setting=setting,
        start=np.array([start[each[0]] for each in classes]),
        places=places,
        written=written,
    )


def _classes(start: FloatArray, free: Sequence[int]) -> list[list[int]]:
    """Return the classes of weights of equal magnitude; those that are free are alone."""
    made: list[list[int]] = []
    for i, size in enumerate(np.abs(start)):
        for each in made:
            if i not in free and each[0] not in free and abs(start[each[0]]) == size:
                each.append(i)
                break
        else:
            made.append([i])
    return made


def _parameters(params: ScalarParams) -> tuple[list[Dial], dict[str, Place]]:
    """Return the parameters on which a run depends, but not its start."""
    places = {
        "step_size": Place(field="step_size"),
        "alpha": Place(field="alpha"),
        "step_cap": Place(field="step_cap"),
        "momentum": Place(field="momentum"),
        "target": Place(constant=1),
        "input_power": Place(constant=0),
    }
    if params.init in ("disproportionate", "minimum"):
        del places["target"]  # these starts depend on it
    values = params.model_dump()
    dials = []
    for spec in describe(ScalarParams):
        if spec.name not in places or not spec.is_active(values):
            continue
        value = float(values[spec.name])
        if spec.name == "target":
            dials.append(Dial.of(spec, value, *sorted([0.1 * value, 2.0 * value])))
        else:
            dials.append(Dial.of(spec, value))
    return dials, {dial.name: places[dial.name] for dial in dials}
