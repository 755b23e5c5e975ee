"""What maps of many runs of one law have in common: their axes, and the theory over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError, LabError
from engine.core.params import update
from engine.core.registry import get
from engine.core.system import Dial
from engine.maps.axis import Axis
from engine.maps.kind import Overlay
from engine.maps.spec import MapSpec
from engine.text.numbers import short
from engine.theory.optimisers import describe
from engine.theory.optimisers.law import DescentLaw

if TYPE_CHECKING:
    from engine.kernels.maps.runs import Cells, Runs

ALONG = 96
"""Points of a curve of the theory."""
_JOB = 0.02
"""Seconds that a job is to take."""
_PACKED, _ALONE = 0.3e-9, 2e-9
"""Seconds for an operation of the tape, in a pack and alone."""
_CELL = 1e-8
"""Seconds for a cell beside its steps."""
MOST_CELLS = 50_000
"""Cells of a job at most, so that no worker waits long for the last one."""
_DASHES = ("solid", "dash", "dot")


def law_of(experiment: str, params: Any, seed: int, apart: Sequence[str] = ()) -> DescentLaw | None:
    """Return the law of an experiment's runs; None where it has none that kernels understand."""
    law = get(experiment).law(params, seed, apart)
    return law if isinstance(law, DescentLaw) else None


def law_for(spec: MapSpec, apart: Sequence[str]) -> DescentLaw:
    """Return the law of the runs of a map.

    Raises
    ------
    InputError
        If the experiment has none at these parameters.
    """
    law = law_of(spec.experiment, spec.params, spec.seed, apart)
    if law is None:
        raise InputError("map", spec.kind, "this experiment has no such map at these parameters")
    return law


def apart_of(spec: MapSpec) -> tuple[str, ...]:
    """Return the coordinates of the start that differ from cell to cell of a map."""
    along = [name.partition(".")[2] for name in spec.options if name[:2] in ("u.", "v.")]
    return (spec.x.name, spec.y.name, *along)


def dial_of(law: DescentLaw, field: str, axis: Axis, names: Sequence[str]) -> Dial:
    """Return the dial that an axis varies.

    Raises
    ------
    InputError
        If it is none of some names, or the axis goes beyond what is allowed.
    """
    if axis.name not in names:
        raise InputError(field, axis.name, f"give one of {', '.join(names)}")
    dial = next(each for each in law.dials if each.name == axis.name)
    for value in axis.values[[0, -1]].tolist():
        if not dial.least <= value <= dial.most:
            allowed = f"{short(dial.least, 6)} to {short(dial.most, 6)}"
            raise InputError(axis.name, value, f"give values from {allowed}")
    return dial


def axis_of(dial: Dial, count: int) -> Axis:
    """Suggest an axis for a dial."""
    low, high = dial.low, dial.high
    if not low < high:
        low, high = dial.value - 1.0, dial.value + 1.0
    return Axis(name=dial.name, low=low, high=high, count=count, log=dial.log and low > 0.0)


def step_axis(law: DescentLaw, dial: Dial, count: int) -> Axis:
    """Suggest an axis for a parameter; that of the step size begins at 0 and is linear."""
    if dial.name != "step_size":
        return axis_of(dial, count)
    return Axis(name=dial.name, low=0.0, high=max(3.0 * dial.value, dial.least), count=count)


def check_steps(spec: MapSpec) -> None:
    """Refuse a number of steps that is none.

    Raises
    ------
    InputError
    """
    if not 1 <= spec.steps <= 10**9:
        raise InputError("steps", spec.steps, "give a whole number from 1 to 10⁹")


def check_options(spec: MapSpec, known: Callable[[str], bool]) -> None:
    """Refuse an option that the kind does not have, or that is no finite number.

    Raises
    ------
    InputError
    """
    for name, value in spec.options.items():
        if not known(name):
            raise InputError("option", name, "this kind of map has no such option")
        if not math.isfinite(value):
            raise InputError(name, value, "give a finite number")


def cells_a_job(runs: Runs, steps: int) -> int:
    """Return as many cells of so many steps as take about 20 ms."""
    tape = runs.law.tape
    rows = 1 if runs.law.data is None else runs.law.data.shape[1]
    operations = 6 + 4 * (len(tape.shared) + len(tape.rows) * rows)
    seconds = operations * (_PACKED if runs.is_packed else _ALONE) * steps + _CELL
    return int(min(max(_JOB / seconds, 8), MOST_CELLS))


def cells_of(law: DescentLaw, values: Mapping[str, FloatArray], count: int) -> Cells:
    """Return runs whose dials have values of shape (m,)."""
    from engine.kernels.maps.runs import Cells

    cells = Cells.of(law, count)
    for name, each in values.items():
        cells.put(law, name, each)
    return cells


def plane_cells(
    law: DescentLaw,
    spec: MapSpec,
    directions: Mapping[str, FloatArray],
    x: FloatArray,
    y: FloatArray,
) -> Cells:
    """Return the runs of cells at values of both axes, shape (m,)."""
    dials = {
        axis.name: values
        for axis, values in ((spec.x, x), (spec.y, y))
        if axis.name not in directions
    }
    cells = cells_of(law, dials, len(x))
    _go_along(cells.starts, spec, directions, x, y)
    return cells


def plane_starts(
    law: DescentLaw,
    spec: MapSpec,
    directions: Mapping[str, FloatArray],
    x: FloatArray,
    y: FloatArray,
) -> FloatArray:
    """Return the starts of cells at values of both axes, none of them a parameter, shape (n, m)."""
    starts = np.empty((len(law.start), len(x)))
    varied: set[int] = set()
    for axis, values in ((spec.x, x), (spec.y, y)):
        if axis.name not in directions:
            for variable in law.places[axis.name].variables:
                starts[variable] = values
                varied.add(variable)
    for variable in set(range(len(starts))) - varied:
        starts[variable] = law.start[variable]
    _go_along(starts.T, spec, directions, x, y)
    return starts


def _go_along(
    starts: FloatArray,
    spec: MapSpec,
    directions: Mapping[str, FloatArray],
    x: FloatArray,
    y: FloatArray,
) -> None:
    """Add to starts what both axes are along directions."""
    for axis, values in ((spec.x, x), (spec.y, y)):
        if axis.name in directions:
            starts += values[:, None] * directions[axis.name]


def settings_at(spec: MapSpec, law: DescentLaw, values: Mapping[str, float]) -> dict[str, Any]:
    """Return the parameters of a live run with some dials at given values.

    Raises
    ------
    InputError
        If no run begins there.
    """
    starts = [name for name in values if law.places[name].variables]
    begin = None
    if starts:
        begin = law.start.copy()
        for name in starts:
            begin[list(law.places[name].variables)] = values[name]
    others = {name: float(value) for name, value in values.items() if name not in starts}
    return checked(spec, law.settings(others, begin))


def checked(spec: MapSpec, settings: dict[str, Any]) -> dict[str, Any]:
    """Return parameters back with which a run begins.

    Raises
    ------
    InputError
        If none does.
    """
    get(spec.experiment).init(update(spec.params, **settings), spec.seed)
    return settings


def theory_curves(spec: MapSpec, law: DescentLaw) -> tuple[Overlay, ...]:
    """Return what the experiment's theory says of one axis as a function of the other.

    Every bound that is given as a value of one of the two parameters is a curve.
    """
    made: list[Overlay] = []
    for along, across, is_x in ((spec.x, spec.y, True), (spec.y, spec.x, False)):
        if any(law.places[axis.name].variables for axis in (along, across)):
            continue
        places = along.at(np.linspace(0.0, along.count, ALONG))
        for found in _bounds_along(spec, law, along, places, across).values():
            values, label, source = found
            x, y = (places, values) if is_x else (values, places)
            dash = _DASHES[len(made) % len(_DASHES)]
            made.append(Overlay(x=x, y=y, label=label, source=source, dash=dash))
    return tuple(made)


def _bounds_along(
    spec: MapSpec, law: DescentLaw, along: Axis, places: FloatArray, across: Axis
) -> dict[str, tuple[FloatArray, str, str]]:
    """Return the bounds of one parameter at values of another: values, label and source by id."""
    experiment = get(spec.experiment)
    found: dict[str, tuple[FloatArray, str, str]] = {}
    for number, value in enumerate(places.tolist()):
        try:
            params = update(spec.params, **law.settings({along.name: value}, None))
            bounds = experiment.theory(params, None)
        except LabError:
            continue
        for bound in bounds:
            if bound.field != across.name or bound.value is None:
                continue
            label = f"${bound.symbol}$, {bound.name[0].lower()}{bound.name[1:]}"
            values, _, _ = found.setdefault(
                bound.id, (np.full(len(places), np.nan), label, bound.source)
            )
            values[number] = bound.value
    return found


def theory_lines(spec: MapSpec, law: DescentLaw) -> tuple[Overlay, ...]:
    """Return the bounds of the parameter along x as lines across the map."""
    if law.places[spec.x.name].variables:
        return ()
    try:
        bounds = get(spec.experiment).theory(spec.params, None)
    except LabError:
        return ()
    return tuple(
        Overlay(
            x=np.full(2, bound.value),
            y=np.array([spec.y.low, spec.y.high]),
            label=f"${bound.symbol}$, {bound.name[0].lower()}{bound.name[1:]}",
            source=bound.source,
            dash="dash",
        )
        for bound in bounds
        if bound.field == spec.x.name
        and bound.value is not None
        and spec.x.low <= bound.value <= spec.x.high
    )


def critical_curve(
    spec: MapSpec, law: DescentLaw, runs: Runs, minimum: FloatArray, at: float
) -> Overlay | None:
    """Return the critical step size at an isolated minimum as a function of the other axis.

    The minimum is followed along that axis from where it was found; where it is lost the curve
    ends.

    Parameters
    ----------
    spec : MapSpec
    law : DescentLaw
    runs : Runs
    minimum : ndarray, shape (n,)
    at : float
        Value of the other axis where it was found.
    """
    names = (spec.x.name, spec.y.name)
    if "step_size" not in names or not law.is_smooth or law.setting.scales:
        return None
    along = spec.y if names[0] == "step_size" else spec.x
    if law.places[along.name].variables:
        return None
    places = along.at(np.linspace(0.0, along.count, ALONG))
    values = _critical_steps(runs, law, along.name, places, minimum, at)
    x, y = (values, places) if names[0] == "step_size" else (places, values)
    optimiser = describe(law.setting.optimiser)
    return Overlay(
        x=x,
        y=y,
        label=rf"${optimiser.limit_formula}/S$, critical step size at a minimum",
        source=optimiser.source.text,
    )


def _critical_steps(
    runs: Runs, law: DescentLaw, name: str, places: FloatArray, minimum: FloatArray, at: float
) -> FloatArray:
    """Return critical step sizes at values of a dial, nan where the minimum is lost."""
    values = np.full(len(places), np.nan)
    middle = int(np.argmin(np.abs(places - at)))
    for order in (range(middle, len(places)), range(middle - 1, -1, -1)):
        point = minimum
        for number in order:
            value = float(places[number])
            following = _followed(runs, law, name, value, point)
            if following is None:
                break
            point = following
            values[number] = _critical(runs, law, name, value, point)
    return values


def _loss_at(runs: Runs, law: DescentLaw, name: str, value: float) -> Any:
    constants = law.constants.copy()
    if law.places[name].constant is not None:
        constants[law.places[name].constant] = value
    return runs.loss(constants)


def _followed(
    runs: Runs, law: DescentLaw, name: str, value: float, point: FloatArray
) -> FloatArray | None:
    """Return the minimum near a point at a value of a dial."""
    loss = _loss_at(runs, law, name, value)
    found = loss.newton(point)
    if found is None or not float(np.linalg.eigvalsh(loss.hessian(found))[0]) > 0.0:
        return None
    reach = 0.25 * max(1.0, float(np.max(np.abs(point))))
    return found if float(np.max(np.abs(found - point))) <= reach else None


def _critical(runs: Runs, law: DescentLaw, name: str, value: float, point: FloatArray) -> float:
    setting = law.setting
    if law.places[name].field == "momentum":
        setting = replace(setting, momentum=value)
    limit = describe(setting.optimiser).limit(setting)
    sharpness = float(np.linalg.eigvalsh(_loss_at(runs, law, name, value).hessian(point))[-1])
    return math.nan if limit is None else limit / sharpness
