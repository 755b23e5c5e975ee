"""Basins: where the run from every start in a plane ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.registry import get
from engine.maps.axis import Axis
from engine.maps.kind import Kind, Offer, Prepared
from engine.maps.kinds.ends import prepared
from engine.maps.kinds.lawful import (
    apart_of,
    axis_of,
    check_options,
    check_steps,
    dial_of,
    law_for,
    law_of,
)
from engine.maps.spec import KindId, MapSpec
from engine.theory.optimisers.law import DescentLaw

CELLS = (640, 400)
"""Cells along the suggested axes."""
DIRECTIONS = ("u", "v")
"""Axes along directions: the options ``u.w1``, ``u.w2`` ... are the components of the first."""


class Basin(Kind):
    """The run from every start in a plane, all at the same parameters."""

    id: KindId = "basin"
    title = "Basins"
    help = "Where a run ends, for every start in a plane: at which minimum, on a cycle, far away."

    def offer(self, experiment: str, params: Any, seed: int) -> Offer | None:
        """Return the coordinates of the start; None where a start has fewer than two."""
        law = law_of(experiment, params, seed)
        if law is None:
            return None
        dials = [dial for dial in law.dials if dial.is_start]
        if len(dials) < 2:
            return None
        names = tuple(dial.name for dial in dials)
        labels = {dial.name: f"${dial.label}$ at the start" for dial in dials}
        options: dict[str, float] = {}
        if len(dials) > 2:
            labels |= {"u": "along the direction $u$", "v": "along the direction $v$"}
            options = {f"u.{names[0]}": 1.0, f"v.{names[1]}": 1.0}
            for direction in DIRECTIONS:
                for dial in dials:
                    label = f"component of ${direction}$ along ${dial.label}$"
                    labels[f"{direction}.{dial.name}"] = label
        return Offer(
            x_names=names if len(dials) == 2 else (*names, "u"),
            y_names=names if len(dials) == 2 else (*names, "v"),
            x=axis_of(dials[0], CELLS[0]),
            y=axis_of(dials[1], CELLS[1]),
            steps=get(experiment).steps(params),
            labels=labels,
            options=options,
        )

    def prepare(self, spec: MapSpec) -> Prepared:
        """Look for the minima that runs reach."""
        check_steps(spec)
        law = law_for(spec, apart_of(spec))
        directions = _directions(law, spec)
        names = [dial.name for dial in law.dials if dial.is_start]
        for field, axis in (("x", spec.x), ("y", spec.y)):
            if axis.name not in directions:
                dial_of(law, field, axis, names)
        if spec.x.name == spec.y.name:
            raise InputError("y", spec.y.name, "give another coordinate than that of x")
        return prepared(spec, directions, is_fixed=True)


def _directions(law: DescentLaw, spec: MapSpec) -> Mapping[str, FloatArray]:
    """Return the directions of axes that are no coordinates.

    Raises
    ------
    InputError
        If an option is none, or a direction has no component.
    """
    coordinates = {dial.name for dial in law.dials if dial.is_start}

    def is_component(name: str) -> bool:
        direction, _, coordinate = name.partition(".")
        return direction in DIRECTIONS and coordinate in coordinates

    check_options(spec, is_component)
    made: dict[str, FloatArray] = {}
    for axis, direction in ((spec.x, "u"), (spec.y, "v")):
        if axis.name != direction or direction in coordinates:
            continue
        vector = np.zeros(len(law.start))
        for name, value in spec.options.items():
            which, _, coordinate = name.partition(".")
            if which == direction:
                vector[list(law.places[coordinate].variables)] = value
        if not vector.any():
            raise InputError(direction, spec.options, _rule(direction, coordinates, axis))
        made[direction] = vector
    return made


def _rule(direction: str, coordinates: set[str], axis: Axis) -> str:
    first = min(coordinates)
    return f"give the direction of {axis.name} a component, as {direction}.{first} = 1"
