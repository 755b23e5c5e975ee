"""Orbit diagrams: what a run does in the long run, for every value of one parameter."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.system import Dial
from engine.maps.axis import Axis
from engine.maps.kind import CellField, Cells, Kind, Offer, Overlay, Prepared
from engine.maps.kinds.lawful import (
    cells_of,
    check_options,
    dial_of,
    law_for,
    law_of,
    settings_at,
    step_axis,
    theory_lines,
)
from engine.maps.spec import KindId, MapSpec
from engine.theory.optimisers.law import DescentLaw

if TYPE_CHECKING:
    from engine.kernels.maps.runs import Orbits, Runs

CELLS = (640, 400)
"""Cells along the suggested axes."""
POINTS, MOST_POINTS = 192, 4096
"""Points of an orbit that are kept: usually, and at most."""
EXPONENT_CHUNKS, MOST_CHUNKS = 32, 4096
"""Chunks of 48 steps over which an exponent is measured: usually, and at most."""
MOST_STEPS = 10**6
"""Steps that may be left out."""
LOSS, SHARPNESS = "loss", "sharpness"
"""Observables beside the variables."""


class Orbit(Kind):
    """The run of every value of a parameter, from the same start, after a transient."""

    id: KindId = "orbit"
    title = "Orbit diagram"
    help = (
        "Where a run is after many steps, for every value of one parameter: a minimum is one "
        "point, a cycle several, chaos a band. Below, the Lyapunov exponent."
    )

    def offer(self, experiment: str, params: Any, seed: int) -> Offer | None:
        """Return parameters and coordinates of the start, and what can be seen of a run."""
        law = law_of(experiment, params, seed)
        if law is None or not law.dials:
            return None
        first = next((dial for dial in law.dials if dial.name == "step_size"), law.dials[0])
        labels = {name: f"${law.labels[name]}$" for name in law.variables}
        labels |= {
            dial.name: f"${dial.label}$" + (" at the start" if dial.is_start else "")
            for dial in law.dials
            if dial.name not in labels
        }
        return Offer(
            x_names=tuple(dial.name for dial in law.dials),
            y_names=observables(law),
            x=step_axis(law, first, CELLS[0]),
            y=_axis_of_observable(law),
            steps=2000,
            labels={
                **labels,
                LOSS: "loss",
                SHARPNESS: "sharpness",
                "points": "points of an orbit",
                "exponent_steps": "steps for the exponent",
            },
            options={"points": POINTS, "exponent_steps": 48 * EXPONENT_CHUNKS},
        )

    def prepare(self, spec: MapSpec) -> Prepared:
        """Check the axes and options."""
        if not 0 <= spec.steps <= MOST_STEPS:
            raise InputError("steps", spec.steps, "give a whole number from 0 to 10⁶")
        check_options(spec, lambda name: name in ("points", "exponent_steps"))
        law = law_for(spec, (spec.x.name,))
        dial_of(law, "x", spec.x, [dial.name for dial in law.dials])
        if spec.y.name not in observables(law):
            raise InputError("y", spec.y.name, f"give one of {', '.join(observables(law))}")
        points = _whole(spec, "points", POINTS, 1, MOST_POINTS)
        steps = _whole(spec, "exponent_steps", 48 * EXPONENT_CHUNKS, 768, 48 * MOST_CHUNKS)
        points = -(-points // 48) * 48
        label = law.labels.get(spec.y.name, "")
        return Diagram(
            spec=spec,
            chunks=-(-steps // 768) * 16,
            fields=(
                CellField(
                    name="points", label=f"${label}$" if label else spec.y.name, width=points
                ),
                CellField(name="exponent", label="Lyapunov exponent", colormap="diverging"),
                CellField(name="error", label="its standard error"),
                CellField(name="period", label="period", dtype="i4"),
            ),
            cells_a_job=_columns_a_job(law, spec.steps + points + 2 * steps),
        )


def observables(law: DescentLaw) -> tuple[str, ...]:
    """Return what can be seen of a run."""
    return (*law.variables, LOSS, SHARPNESS)


def _axis_of_observable(law: DescentLaw) -> Axis:
    """Suggest an axis for the first variable."""
    name = law.variables[0]
    dial: Dial | None = next((each for each in law.dials if each.name == name), None)
    size = max(1.0, abs(float(law.start[0])))
    low, high = (-2.0 * size, 2.0 * size) if dial is None else (dial.low, dial.high)
    return Axis(name=name, low=low, high=high, count=CELLS[1])


def _columns_a_job(law: DescentLaw, steps: int) -> int:
    operations = 10 + 8 * (len(law.tape.shared) + len(law.tape.rows))
    return int(min(max(0.02 / (operations * steps * 0.4e-9), 4), 512))


def _whole(spec: MapSpec, name: str, usual: int, least: int, most: int) -> int:
    value = spec.options.get(name, usual)
    if not (least <= value <= most and value == round(value)):
        raise InputError(name, value, f"give a whole number from {least} to {most}")
    return int(value)


@dataclass(frozen=True)
class Diagram(Prepared):
    """Follows the run of every column.

    Attributes
    ----------
    spec : MapSpec
    chunks : int
        Chunks of steps over which an exponent is measured.
    """

    spec: MapSpec
    chunks: int
    fields: tuple[CellField, ...] = field(default=())
    cells_a_job: int = 8

    has_threads = True

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: all but machine code."""
        kept = dict(self.__dict__)
        kept.pop("runs", None)
        return kept

    @cached_property
    def runs(self) -> Runs:
        """The runs of the law, compiled when they are first needed."""
        from engine.kernels.maps.runs import Runs

        return Runs(law_for(self.spec, (self.spec.x.name,)))

    @property
    def law(self) -> DescentLaw:
        """The law of all columns."""
        return self.runs.law

    def cells(self, x: FloatArray, y: FloatArray, stop: threading.Event) -> Cells:
        """Follow the runs of some columns."""
        cells = cells_of(self.law, {self.spec.x.name: x}, len(x))
        kept = self.fields[0].width
        orbits = self.runs.orbits(cells, self.spec.steps, kept)
        exponents, errors = orbits.laps.copy(), np.where(orbits.periods > 0, 0.0, np.nan)
        rows = np.flatnonzero(orbits.periods == 0)
        if rows.size and not stop.is_set():
            grown = self.runs.grow(cells[rows], orbits.ends[rows], self.chunks)
            exponents[rows], errors[rows] = grown.exponents, grown.errors
        return {
            "points": self._seen(orbits, cells.constants),
            "exponent": exponents,
            "error": errors,
            "period": np.maximum(orbits.periods, 0).astype(np.int32),
        }

    def call_kernels(self) -> None:
        """Follow a run through a chunk of steps."""
        cells = cells_of(self.law, {}, 1)
        self.runs.grow(cells, self.runs.orbits(cells, 0, 48).ends, 16)

    def start_at(self, x: float, y: float) -> dict[str, Any]:
        """Return the parameters of a live run of a column."""
        return settings_at(self.spec, self.law, {self.spec.x.name: x})

    def overlays(self) -> tuple[Overlay, ...]:
        """Return the theory's bounds of the parameter as lines."""
        return theory_lines(self.spec, self.law)

    def hover(self, cell: Mapping[str, Any]) -> str:
        """Describe a column."""
        if not np.isfinite(cell["points"]).any():
            return "diverged"
        if not self.law.is_smooth:
            return "stays bounded"
        exponent, error, period = cell["exponent"], cell["error"], int(cell["period"])
        what = {0: "no period found", 1: "at rest"}.get(period, f"period {period}")
        if not np.isfinite(exponent):
            return what
        beside = f" ± {error:.2g}" if error > 0.0 else ""
        return f"{what}, Lyapunov exponent {exponent:.6g}{beside}"

    def _seen(self, orbits: Orbits, constants: FloatArray) -> FloatArray:
        """Return the observable along every orbit, shape (m, kept)."""
        name = self.spec.y.name
        if name in self.law.variables:
            return np.ascontiguousarray(orbits.points[:, :, self.law.variables.index(name)])
        made = np.full(orbits.points.shape[:2], np.nan)
        for row, (points, fixed) in enumerate(zip(orbits.points, constants, strict=True)):
            if np.isfinite(points).all():
                loss = self.runs.loss(fixed)
                made[row] = loss.values(points) if name == LOSS else loss.sharpness(points)
        return made
