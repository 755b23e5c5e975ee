"""Stability regions: where a run ends, over two parameters, beside what the theory says."""

from __future__ import annotations

from typing import Any

from engine.core.errors import InputError
from engine.core.registry import get
from engine.maps.kind import Kind, Offer, Prepared
from engine.maps.kinds.ends import prepared
from engine.maps.kinds.lawful import (
    axis_of,
    check_options,
    check_steps,
    dial_of,
    law_for,
    law_of,
    step_axis,
)
from engine.maps.spec import KindId, MapSpec

CELLS = (640, 400)
"""Cells along the suggested axes."""


class Stability(Kind):
    """The run of every pair of values of two parameters, from the run's own start."""

    id: KindId = "stability"
    title = "Stability region"
    help = "Where a run ends, for every pair of values of two parameters; the theory as curves."

    def offer(self, experiment: str, params: Any, seed: int) -> Offer | None:
        """Return the parameters and coordinates of the start; None where fewer than two differ."""
        law = law_of(experiment, params, seed)
        if law is None or len(law.dials) < 2:
            return None
        names = tuple(dial.name for dial in law.dials)
        ordered = sorted(law.dials, key=lambda dial: (dial.is_start, dial.name == "step_size"))
        first = ordered[0]
        second = next(
            (dial for dial in law.dials if dial.name == "step_size" and dial is not first),
            ordered[1],
        )
        return Offer(
            x_names=names,
            y_names=names,
            x=axis_of(first, CELLS[0]),
            y=step_axis(law, second, CELLS[1]),
            steps=get(experiment).steps(params),
            labels={
                dial.name: f"${dial.label}$" + (" at the start" if dial.is_start else "")
                for dial in law.dials
            },
        )

    def prepare(self, spec: MapSpec) -> Prepared:
        """Check the axes, and look for a minimum that runs reach."""
        check_steps(spec)
        check_options(spec, lambda _: False)
        law = law_for(spec, (spec.x.name, spec.y.name))
        names = [dial.name for dial in law.dials]
        dials = [dial_of(law, *each, names) for each in (("x", spec.x), ("y", spec.y))]
        if dials[0] is dials[1]:
            raise InputError("y", spec.y.name, "give another parameter than that of x")
        return prepared(spec, {}, is_fixed=all(dial.is_start for dial in dials))
