"""The law of the pair w, z: which numbers may differ from run to run.

Without noise all weights of a network are equal and stay so, and each network is one variable; a
weight that begins elsewhere than the others is one for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
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


def descent_law(params: DoubleScalarParams, seed: int, apart: Sequence[str]) -> DescentLaw | None:
    """Describe how pairs move that differ in target, step size and the like.

    None where all weights are different and there are many.

    Parameters
    ----------
    params : DoubleScalarParams
    seed : int
    apart : sequence of str
        Weights, as w1 or z2, that begin elsewhere than the others of their network.

    Raises
    ------
    InputError
        If the start is too steep.
    """
    start = make_start(params, seed)[:2]
    is_equal = start.shape[1] == 1
    if start.shape[1] > MOST_WEIGHTS:
        return None
    classes = [_classes(letter, params.depth, apart, is_equal=is_equal) for letter in "wz"]
    whole = np.broadcast_to(start, (2, params.depth))
    powers = [[len(each) for each in some] for some in classes]
    variables = tuple(
        letter if len(some) == 1 else f"{letter}{each[0] + 1}"
        for letter, some in zip("wz", classes, strict=True)
        for each in some
    )
    dials, places = _parameters(params), dict(_PLACES)
    if is_equal:
        dials += _coordinates(start[:, 0])
        places |= {
            letter: Place(
                variables=tuple(i for i, name in enumerate(variables) if name[0] == letter)
            )
            for letter in "wz"
        }
    return DescentLaw(
        dials=tuple(dials),
        variables=variables,
        labels={
            name: name if len(name) == 1 else rf"{name[0]}_{{{name[1:]}}}" for name in variables
        },
        tape=product_tape(*powers),
        constants=np.array([params.input_power, params.target]),
        setting=Setting(
            step_size=params.step_size,
            scales=tuple(1.0 / power for some in powers for power in some),
        ),
        start=np.array(
            [row[each[0]] for row, some in zip(whole, classes, strict=True) for each in some]
        ),
        places=places,
        written=_writer(variables, is_equal=is_equal),
        whole=_whole(*powers) if max(map(max, powers)) > 1 else None,
    )


def _classes(
    letter: str, depth: int, apart: Sequence[str], *, is_equal: bool
) -> tuple[tuple[int, ...], ...]:
    """Return the classes of equal weights of a network, by their first weights."""
    alone = [i for i in range(depth) if not is_equal or f"{letter}{i + 1}" in apart]
    others = tuple(i for i in range(depth) if i not in alone)
    made = [(i,) for i in alone] + ([others] if others else [])
    return tuple(sorted(made))


def _writer(
    variables: Sequence[str], *, is_equal: bool
) -> Callable[[Mapping[str, float], FloatArray | None], dict[str, Any]]:
    """Return what writes the parameters of a single run."""

    def written(chosen: Mapping[str, float], begin: FloatArray | None) -> dict[str, Any]:
        made: dict[str, Any] = {key: value for key, value in chosen.items() if key in _PLACES}
        if begin is None or not is_equal:
            return made
        made["init"] = "typed"
        for letter in "wz":
            values = {
                float(x) for x, name in zip(begin, variables, strict=True) if name[0] == letter
            }
            if len(values) > 1:
                rule = "a run begins with equal weights in each network"
                raise InputError(letter, sorted(values), rule)
            made[f"start_{letter}"] = values.pop()
        return made

    return written


def _whole(powers: Sequence[int], others: Sequence[int]) -> Whole:
    """Return the loss in all weights of both networks."""
    variables, parts = parted(powers)
    more, other_parts = parted(others)
    return Whole(
        tape=product_tape(parts, other_parts),
        variables=variables + tuple(len(powers) + number for number in more),
        powers=parts + other_parts,
    )


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
