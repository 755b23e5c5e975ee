"""Small real maps of x ↦ r x (1 - x), whose behaviour is known in closed form, and a pool.

Its fixed point 1 - 1/r is stable for 1 < r < 3, its 2-cycle up to 1 + √6; orbits stay bounded for
starts in [0, 1] and r ≤ 4.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.params import Params, param
from engine.executors.executor import Executor
from engine.maps.axis import Axis
from engine.maps.kind import CellClass, CellField, Cells, Kind, Offer, Overlay, Prepared
from engine.maps.spec import KindId, MapSpec

CLASSES = (
    CellClass(code=0, name="fixed point", color="limit:0", shade="steps"),
    CellClass(code=1, name="cycle of period 2", color="limit:1"),
    CellClass(code=2, name="diverged", color="bad", shade="steps"),
    CellClass(code=3, name="undecided", color="muted"),
)


class LogisticParams(Params):
    """Rate and start."""

    rate: float = param(2.5, "Rate.", symbol="r", gt=0, le=10, live=True)
    start: float = param(0.2, "Start.", symbol="x_0")
    shift: float = param(0.0, "Added to every point.")


class Region(Prepared):
    """Where orbits go, by rate and start; `gate`, if any, is waited for before every job."""

    fields = (
        CellField(name="outcome", label="Outcome", dtype="u1"),
        CellField(name="steps", label="Steps", dtype="i4", log=True),
        CellField(name="last", label="Last $x$", colormap="diverging"),
    )
    classes = CLASSES

    def __init__(self, spec: MapSpec, gate: Callable[[], None] | None = None) -> None:
        self.spec, self._gate = spec, gate

    def cells(self, x: FloatArray, y: FloatArray, stop: threading.Event) -> Cells:
        if self._gate is not None:
            self._gate()
        z = y.copy()
        steps = np.full(len(x), self.spec.steps, np.int32)
        for k in range(self.spec.steps):
            with np.errstate(over="ignore", invalid="ignore"):
                z = x * z * (1 - z)
            left = (np.abs(z) > 10) & (steps == self.spec.steps)
            steps[left], z[left] = k + 1, np.inf
        with np.errstate(invalid="ignore", over="ignore"):
            once = x * z * (1 - z)
            twice = x * once * (1 - once)
            near, after = np.abs(once - z) < 1e-4, np.abs(twice - z) < 1e-4
        code = np.where(~np.isfinite(z), 2, np.where(near, 0, np.where(after, 1, 3)))
        return {"outcome": code.astype(np.uint8), "steps": steps, "last": z}

    def overlays(self) -> tuple[Overlay, ...]:
        x = self.spec.x.values
        inside = 1 - 1 / np.maximum(x, 1e-9)
        return (
            Overlay(x=x, y=inside, label="$1 - 1/r$", source="fixed point"),
            Overlay(x=np.array([3.0]), y=np.array([0.5]), label="flip", dash="points", color="2"),
        )

    def found(self, arrays: Mapping[str, NDArray[Any]]) -> tuple[Overlay, ...]:
        x, settled = self.spec.x.values, arrays["outcome"] == 0
        if settled.shape != (self.spec.y.count, self.spec.x.count):
            return ()
        highest = np.where(settled, self.spec.y.values[:, None], np.nan)
        y = np.where(settled.any(axis=0), np.max(np.nan_to_num(highest), axis=0), np.nan)
        return (Overlay(x=x, y=y, label="highest start that settles", color="text"),)

    def start_at(self, x: float, y: float) -> dict[str, Any]:
        if not 0 < x <= 10:
            raise InputError(self.spec.x.name, x, "give a number above 0, at most 10")
        return {self.spec.x.name: float(x), self.spec.y.name: float(y)}


class Orbit(Prepared):
    """Points of the orbit and its Lyapunov exponent, by rate."""

    WIDTH = 64
    fields = (
        CellField(name="points", label="$x$", width=WIDTH),
        CellField(name="exponent", label="Lyapunov exponent", colormap="diverging"),
    )
    cells_a_job = 64

    def __init__(self, spec: MapSpec) -> None:
        self.spec = spec

    def cells(self, x: FloatArray, y: FloatArray, stop: threading.Event) -> Cells:
        z = np.full(len(x), 0.2)
        rows, slope = [], np.zeros(len(x))
        with np.errstate(all="ignore"):
            for k in range(self.spec.steps + self.WIDTH):
                z = x * z * (1 - z)
                if k >= self.spec.steps:
                    rows.append(z)
                    slope += np.log(np.abs(x * (1 - 2 * z)))
        return {"points": np.stack(rows, axis=1), "exponent": slope / self.WIDTH}

    def start_at(self, x: float, y: float) -> dict[str, Any]:
        return {self.spec.x.name: float(x)}


class LogisticKind(Kind):
    """Makes either, of an experiment whose parameters have names of their own."""

    def __init__(
        self, kind: KindId = "stability", rate: str = "rate", start: str = "start"
    ) -> None:
        self.id: KindId = kind
        self._rate, self._start = rate, start
        self.title = "Orbit diagram" if kind == "orbit" else "Stability region"
        self.help = "Where orbits of the logistic map go."

    def offer(self, experiment: str, params: Any, seed: int) -> Offer | None:
        rate, start = self._rate, self._start
        is_orbit = self.id == "orbit"
        return Offer(
            x_names=(rate,) if is_orbit else (rate, start),
            y_names=("x",) if is_orbit else (rate, start),
            x=Axis(name=rate, low=2.0, high=4.0, count=64),
            y=Axis(name="x" if is_orbit else start, low=0.0, high=1.0, count=48),
            steps=60,
            labels={rate: "$r$", start: "$x_0$", "x": "$x$"},
        )

    def prepare(self, spec: MapSpec) -> Prepared:
        if spec.x.high > 10:
            raise InputError(spec.x.name, spec.x.high, "give an end of at most 10")
        return Orbit(spec) if self.id == "orbit" else Region(spec)


def spec(
    kind: KindId = "stability", columns: int = 64, rows: int = 48, steps: int = 200, **params: Any
) -> MapSpec:
    """Return a map over rates 2 to 4 and starts 0 to 1."""
    return MapSpec(
        kind=kind,
        experiment="logistic",
        params=LogisticParams(**params),
        x=Axis(name="rate", low=2.0, high=4.0, count=columns),
        y=Axis(name="start", low=0.0, high=1.0, count=rows),
        steps=steps,
    )


class Inline(Executor):
    """Carries out jobs one after another on the calling thread."""

    workers = 1

    def run(
        self,
        function: Callable[[Any, Any, threading.Event], Any],
        shared: Any,
        jobs: Iterable[Any],
        stop: threading.Event,
    ) -> Iterator[tuple[Any, Any]]:
        for job in jobs:
            if stop.is_set():
                return
            yield job, function(shared, job, stop)

    def close(self) -> None:
        pass
