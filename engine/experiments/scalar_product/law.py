"""The law of the scalar product network: which numbers may differ from run to run.

Weights that begin with the same magnitude keep it, also where rounding could part them; such a
class of weights is one variable, whose step is that of each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.params import describe
from engine.core.system import Border, Dial
from engine.experiments.scalar_product.params import ScalarParams
from engine.experiments.scalar_product.start import starting_weights
from engine.families.products import parted, product_tape
from engine.theory.optimisers import Setting
from engine.theory.optimisers.law import DescentLaw, Place, Whole

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
    classes = _classes(start, [names.index(name) for name in apart if name in names])
    many = any(len(each) > 1 for each in classes)
    if len(classes) > MOST_COORDINATES or (params.step_rule != "fixed" and many):
        return None  # the curvature that decides a step is not that of the classes
    signs = _signs(start, classes)
    members = {names[i]: number for number, each in enumerate(classes) for i in each}
    dials, places = _parameters(params)
    for number, name in enumerate(names if params.depth <= MOST_COORDINATES else []):
        value = float(start[number])
        dials.append(Dial.coordinate(name, _symbol(name), value, max(4.0, 1.25 * abs(value))))
        places[name] = Place(variables=(members[name],))
    powers, is_negative = [len(each) for each in classes], bool(np.sum(signs < 0.0) % 2)
    return DescentLaw(
        dials=tuple(dials),
        variables=tuple(names[each[0]] for each in classes),
        labels={name: _symbol(name) for name in names},
        tape=product_tape(powers, is_negative=is_negative),
        constants=np.array([params.power, params.target]),
        setting=_setting(params, powers),
        start=np.array([start[each[0]] for each in classes]),
        places=places,
        written=_writer(places, classes, signs),
        whole=_whole(powers, is_negative) if many else None,
        borders=_borders(params),
    )


def _whole(powers: Sequence[int], is_negative: bool) -> Whole:
    """Return the loss in all weights."""
    variables, parts = parted(powers)
    tape = product_tape(parts, is_negative=is_negative)
    return Whole(tape=tape, variables=variables, powers=parts)


def _borders(params: ScalarParams) -> tuple[Border, ...]:
    """Return the ellipse of bounded starts of two weights, where there is one."""
    gain = params.step_size * params.power
    if params.depth != 2 or not params.is_plain or not 0.0 < gain * abs(params.target) < 2.0:
        return ()
    points = theory.bounded_ellipse(params.step_size, params.target, params.power)
    label = r"$s^2/(2/\delta\sigma+\lambda)+d^2/(2/\delta\sigma-\lambda)=4$, "
    label += "with $s=w_1+w_2$, $d=w_1-w_2$: no run leaves what lies inside"
    source = (
        "derived for this program: a step maps the level u to u' with u' − 1 = (u − 1) g, g > 0"
    )
    return (Border(names=("w1", "w2"), points=points, label=label, source=source),)


def _symbol(name: str) -> str:
    return rf"w_{{{name[1:]}}}"


def _setting(params: ScalarParams, powers: Sequence[int]) -> Setting:
    """Return the optimiser; the gradient of a class is that of all its weights together."""
    return Setting(
        optimiser=params.optimiser,
        step_size=params.step_size,
        rule=params.step_rule,
        alpha=params.alpha,
        step_cap=params.step_cap,
        momentum=params.momentum,
        scales=tuple(1.0 / power for power in powers),
    )


def _writer(
    places: Mapping[str, Place], classes: Sequence[Sequence[int]], signs: FloatArray
) -> Callable[[Mapping[str, float], FloatArray | None], dict[str, Any]]:
    """Return what writes the parameters of a single run."""

    def written(chosen: Mapping[str, float], begin: FloatArray | None) -> dict[str, Any]:
        made: dict[str, Any] = {key: v for key, v in chosen.items() if not places[key].variables}
        if begin is not None:
            weights = signs.copy()
            for value, each in zip(begin, classes, strict=True):
                weights[list(each)] *= value
            made |= {"init": "list", "weights": tuple(map(float, weights)), "noise": 0.0}
        return made

    return written


def _signs(start: FloatArray, classes: Sequence[Sequence[int]]) -> FloatArray:
    """Return of every weight the sign that it has beside the first one of its class, shape (L,)."""
    made = np.ones(len(start))
    for each in classes:
        opposite = np.sign(start[list(each)]) * np.sign(start[each[0]]) < 0.0
        made[list(each)] = np.where(opposite, -1.0, 1.0)
    return made


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
