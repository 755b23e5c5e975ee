"""The law of the pair w, z: which numbers may differ from run to run.

Without noise all weights of a network are equal and stay so, and each network is one variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.params import describe
from engine.core.system import Dial
from engine.experiments.double_scalar.params import DoubleScalarParams, make_start
from engine.families.products import parted, product_tape
from engine.theory.optimisers import Setting
from engine.theory.optimisers.law import DescentLaw, Place, Whole

MOST_WEIGHTS = 20
"""Different weights of a network, where there is noise."""
_PLACES = {
    "step_size": Place(field="step_size"),
    "target": Place(constant=1),
    "input_power": Place(constant=0),
}


def descent_law(params: DoubleScalarParams, seed: int) -> DescentLaw | None:
    """Describe how pairs move that differ in target, step size and the like.

    None where all weights are different and there are many.

    Raises
    ------
    InputError
        If the start is too steep.
    """
    start = make_start(params, seed)[:2]
    count = start.shape[1]
    if count > MOST_WEIGHTS:
        return None
    powers = [params.depth // count] * count
    variables = tuple(
        letter if count == 1 else f"{letter}{i + 1}" for letter in "wz" for i in range(count)
    )
    labels = {name: name if count == 1 else rf"{name[0]}_{{{name[1:]}}}" for name in variables}
    dials, places = _parameters(params), dict(_PLACES)
    if count == 1:
        dials += _coordinates(start[:, 0])
        places |= {"w": Place(variables=(0,)), "z": Place(variables=(1,))}

    def written(chosen: Mapping[str, float], begin: FloatArray | None) -> dict[str, Any]:
        made: dict[str, Any] = {key: value for key, value in chosen.items() if key in _PLACES}
        if begin is not None and count == 1:
            made |= {"init": "typed", "start_w": float(begin[0]), "start_z": float(begin[1])}
        return made

    return DescentLaw(
        dials=tuple(dials),
        variables=variables,
        labels=labels,
        tape=product_tape(powers, powers),
        constants=np.array([params.input_power, params.target]),
        setting=Setting(step_size=params.step_size, scales=(count / params.depth,) * (2 * count)),
        start=start.ravel(),
        places=places,
        written=written,
        whole=_whole(powers) if powers[0] > 1 else None,
    )


def _whole(powers: Sequence[int]) -> Whole:
    """Return the loss in all weights of both networks, whose multiplicities are the same."""
    variables, parts = parted(powers)
    others = tuple(len(powers) + number for number in variables)
    tape = product_tape(parts, parts)
    return Whole(tape=tape, variables=variables + others, powers=parts + parts)


def _coordinates(start: FloatArray) -> list[Dial]:
    return [
        Dial.coordinate(name, name, value, max(2.0, 1.25 * abs(value)))
        for name, value in zip("wz", start.tolist(), strict=True)
    ]


def _parameters(params: DoubleScalarParams) -> list[Dial]:
    values = params.model_dump()
    made = []
    for spec in describe(DoubleScalarParams):
        value = values[spec.name]
        if spec.name == "target":
            made.append(Dial.of(spec, value, *sorted([0.1 * value, 2.0 * value])))
        elif spec.name in _PLACES:
            made.append(Dial.of(spec, value))
    return made
