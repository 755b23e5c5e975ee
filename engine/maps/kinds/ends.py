"""Where the run of every cell ends: the classes of basins and stability regions."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.maps.kind import CellClass, CellField, Cells, Overlay, Prepared
from engine.maps.kinds.lawful import (
    apart_of,
    cells_a_job,
    cells_of,
    checked,
    critical_curve,
    law_for,
    plane_cells,
    plane_starts,
    settings_at,
    theory_curves,
)
from engine.maps.spec import MapSpec
from engine.text.numbers import short
from engine.theory.optimisers.law import DescentLaw

if TYPE_CHECKING:
    from engine.kernels.maps.early import Early
    from engine.kernels.maps.loss import TapeLoss
    from engine.kernels.maps.outcomes import Found
    from engine.kernels.maps.runs import Runs

LISTED = 12
"""Isolated minima that have a class of their own."""
OTHER_MINIMUM, MANIFOLD, SADDLE, DIVERGED, UNDEFINED, APERIODIC, UNDECIDED = range(LISTED, 19)
CYCLES = 20
"""A cycle of period p has the code `CYCLES` + p."""
NEAR = 40
"""A run that is near the listed minimum i at last, but not at rest, has the code `NEAR` + i."""
CLOSE = 0.05
"""Distance, relative to the size of the point, at which it is near."""
LONGEST = 16
"""Longest period of a cycle that is looked for."""
SAME = 1e-4
"""Distance, relative to the size of the point, below which two minima are one."""
ROUNDING = 1e-9
"""Coordinate of a minimum, relative to its size, that counts as 0."""
SAMPLE, SAMPLE_STEPS = 24, 4000
"""Cells along each side of the sample in which minima are looked for, and steps at most."""
SEARCHES = 64
"""Runs of the sample from whose ends minima are looked for, where few runs rest at one."""
FLAT = 1e-7
"""Curvature relative to the largest, up to which a direction counts as flat."""
TESTED, FEW = 32, 4
"""Equilibria with flat directions that are looked at, whether they are on manifolds, as far as
possible of different losses; and of a batch, where all of those of the sample are."""
SAMPLE_COST = 2e7
"""Steps times operations that the sample of a law without code of its own may take."""
OTHERS = 500
"""Steps that a run takes that is decided neither soon nor by its weights alone."""
_NOT_YET, _CODE = 255, ("runs", "_early")
_BATCH = 2048
"""Cells between two looks whether to stop."""

FIELDS = (
    CellField(name="outcome", label="outcome", dtype="u1"),
    CellField(name="steps", label="steps", dtype="f4", log=True),
    CellField(name="sharpness", label="sharpness reached", dtype="f4"),
    CellField(name="exponent", label="Lyapunov exponent", dtype="f4", colormap="diverging"),
)


@dataclass(frozen=True)
class Ends(Prepared):
    """Follows the run of every cell until it is decided where it ends.

    Attributes
    ----------
    spec : MapSpec
    directions : mapping of str to ndarray, shape (n,)
        Directions of axes that are no dials of the law.
    minima : ndarray, shape (r, n + 1)
        The isolated minima that are listed, by ascending loss, each with its sharpness.
    losses : ndarray, shape (r,)
    has_one_loss : bool
        Whether the loss is the same in all cells, so that the minima are those of all of them.
    is_fixed : bool
        Whether all parameters are, so that all minima that attract do so in all cells.
    found_at : tuple of two floats
        Cell in which the first minimum was found.
    has_manifolds : bool or None
        Whether equilibria with flat directions are on manifolds, if all in the sample are or none
        is; None where that is to be found out in each cell.
    """

    spec: MapSpec
    directions: Mapping[str, FloatArray]
    minima: FloatArray
    losses: FloatArray
    has_one_loss: bool
    is_fixed: bool
    found_at: tuple[float, float]
    has_manifolds: bool | None
    cells_a_job: int = 1000
    fields: tuple[CellField, ...] = FIELDS
    classes: tuple[CellClass, ...] = field(default=())

    has_threads = True

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: all but machine code."""
        return {key: each for key, each in self.__dict__.items() if key not in _CODE}

    @cached_property
    def runs(self) -> Runs:
        """The runs of the law, compiled when they are first needed."""
        return runs_for(self.spec)

    @cached_property
    def _early(self) -> Early | None:
        """What decides most cells of a map at fixed parameters."""
        return self.runs.early(self.minima) if self.is_fixed else None

    @property
    def law(self) -> DescentLaw:
        """The law of all cells."""
        return self.runs.law

    def cells(self, x: FloatArray, y: FloatArray, stop: threading.Event) -> Cells:
        """Follow the runs of some cells."""
        made, left = self._begun(x, y, stop)
        for first in range(0, len(left), _BATCH):
            if stop.is_set():
                break
            rows = left[first : first + _BATCH]
            for name, values in self._batch(x[rows], y[rows], stop).items():
                made[name][rows] = values
        return made

    def _begun(
        self, x: FloatArray, y: FloatArray, stop: threading.Event
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.intp]]:
        """Return the fields with the cells that are decided early, and the numbers of others."""
        if self._early is None or stop.is_set():
            return {each.name: each.empty(len(x)) for each in self.fields}, np.arange(len(x))
        starts = plane_starts(self.law, self.spec, self.directions, x, y)
        codes = np.empty(len(x), np.uint8)
        steps, sharpness = np.empty((2, len(x)), np.float32)
        self._early.decide(starts, self.spec.steps, (_NOT_YET, DIVERGED), (codes, steps, sharpness))
        left = np.flatnonzero(codes == _NOT_YET)
        none = np.broadcast_to(np.float32(np.nan), len(x))
        made: dict[str, NDArray[Any]] = {
            "outcome": codes,
            "steps": steps,
            "sharpness": sharpness,
            "exponent": none.copy() if left.size else none,
        }
        return made, left

    def call_kernels(self) -> None:
        """Measure the growth along one run."""
        runs = self.runs
        cells = cells_of(runs.law, {}, 1)
        runs.grow(cells, runs.follow(cells, 1).ends, 16)

    def start_at(self, x: float, y: float) -> dict[str, Any]:
        """Return the parameters of a live run at a cell."""
        if not self.directions:
            return settings_at(self.spec, self.law, {self.spec.x.name: x, self.spec.y.name: y})
        cell = plane_cells(self.law, self.spec, self.directions, np.array([x]), np.array([y]))
        return checked(self.spec, self.law.settings({}, cell.starts[0]))

    def overlays(self) -> tuple[Overlay, ...]:
        """Return what the theory says of one axis as a function of the other."""
        if self.is_fixed:
            return tuple(self._borders())
        made = theory_curves(self.spec, self.law)
        if made or not len(self.minima):
            return made
        at = self.found_at[1 if self.spec.x.name == "step_size" else 0]
        curve = critical_curve(self.spec, self.law, self.runs, self.minima[0, :-1], at)
        return () if curve is None else (curve,)

    def _borders(self) -> Iterator[Overlay]:
        """Yield the curves that the theory has in the plane of both axes."""
        names = (self.spec.x.name, self.spec.y.name)
        for border in self.law.borders:
            if set(border.names) == set(names):
                x, y = border.points.T if border.names == names else border.points.T[::-1]
                yield Overlay(x=x, y=y, label=border.label, source=border.source)

    def _batch(self, x: FloatArray, y: FloatArray, stop: threading.Event) -> Cells:
        from engine.kernels.maps import outcomes

        cells = plane_cells(self.law, self.spec, self.directions, x, y)
        known = self.minima if self.is_fixed else None
        found = self.runs.follow(cells, self.spec.steps, known, stop)
        codes = np.full(len(x), UNDECIDED, np.uint8)
        for kernel_code, code in (
            (outcomes.AT_SADDLE, SADDLE),
            (outcomes.DIVERGED, DIVERGED),
            (outcomes.UNDEFINED, UNDEFINED),
        ):
            codes[found.codes == kernel_code] = code
        flat = np.flatnonzero(found.codes == outcomes.AT_MANIFOLD)
        codes[flat[self._are_on_manifold(cells.constants[flat], found.ends[flat], stop)]] = MANIFOLD
        turning = found.codes > outcomes.CYCLE
        codes[turning] = CYCLES + found.codes[turning] - outcomes.CYCLE
        at_rest = found.codes == outcomes.AT_MINIMUM
        codes[at_rest] = self._numbers(found.ends[at_rest, : self.runs.size])
        if not self.law.is_smooth:
            self._place(codes, found.ends[:, : self.runs.size])
        steps, exponents = found.steps.copy(), np.full(len(x), np.nan)
        rows = np.flatnonzero(found.codes == outcomes.UNDECIDED)
        if rows.size and self.law.is_smooth and not stop.is_set():
            grown = self.runs.part(cells[rows], found.ends[rows])
            codes[rows[grown.is_aperiodic]] = APERIODIC
            gone = np.isfinite(grown.left)
            codes[rows[gone]] = DIVERGED
            steps[rows[gone]] += grown.left[gone]
            exponents[rows[grown.is_aperiodic]] = grown.exponents[grown.is_aperiodic]
        return {
            "outcome": codes,
            "steps": steps.astype(np.float32),
            "sharpness": found.sharpness.astype(np.float32),
            "exponent": exponents.astype(np.float32),
        }

    def _are_on_manifold(
        self, constants: FloatArray, ends: FloatArray, stop: threading.Event
    ) -> NDArray[np.bool_]:
        """Return which equilibria with flat directions are on manifolds, shape (m,).

        Where the loss is not the same in all cells, some of those of a batch are looked at
        whatever the sample says: if all of them are, so are the others.
        """
        if self.has_one_loss and self.has_manifolds is not None:
            return np.full(len(ends), self.has_manifolds)
        rows = _spread(constants, FEW if self.has_manifolds else TESTED)
        if (
            len(rows) < len(ends)
            and are_on_manifold(self.runs, constants[rows], ends[rows], stop).all()
        ):
            return np.ones(len(ends), np.bool_)
        return are_on_manifold(self.runs, constants, ends, stop)

    def _place(self, codes: NDArray[np.uint8], points: FloatArray) -> None:
        """Note near which minimum runs are at last, of an optimiser that seldom rests at one."""
        if not self.has_one_loss:
            return
        moving = (codes == UNDECIDED) | (codes > CYCLES)
        sizes = CLOSE * np.maximum(1.0, np.abs(points).max(axis=1, initial=0.0))
        for number, row in enumerate(self.minima[:, :-1]):
            close = np.abs(points - row).max(axis=1, initial=0.0) <= sizes
            codes[moving & close] = NEAR + number

    def _numbers(self, points: FloatArray) -> NDArray[np.uint8]:
        """Return the codes of isolated minima, shape (m, n)."""
        if not self.has_one_loss:
            return np.zeros(len(points), np.uint8)
        made = np.full(len(points), OTHER_MINIMUM, np.uint8)
        sizes = SAME * np.maximum(1.0, np.abs(points).max(axis=1, initial=0.0))
        for number, row in enumerate(self.minima[:, :-1]):
            made[np.abs(points - row).max(axis=1, initial=0.0) <= sizes] = number
        return made


def runs_for(spec: MapSpec) -> Runs:
    """Return the runs of a map, compiled.

    Raises
    ------
    InputError
        If the experiment has no law at these parameters.
    """
    from engine.kernels.maps.runs import Runs

    return Runs(law_for(spec, apart_of(spec)))


def prepared(spec: MapSpec, directions: Mapping[str, FloatArray], *, is_fixed: bool) -> Ends:
    """Look for minima in a sample of a map's cells, and list its classes.

    Raises
    ------
    InputError
        If the experiment has no law at these parameters.
    """
    from engine.kernels.maps import outcomes

    runs = runs_for(spec)
    law, side = runs.law, _sample_side(runs, spec)
    x, y = _sample(spec, side)
    cells = plane_cells(law, spec, directions, x, y)
    found = runs.follow(cells, min(spec.steps, SAMPLE_STEPS))
    at_rest = np.flatnonzero(found.codes == outcomes.AT_MINIMUM)
    has_one_loss = all(
        axis.name in directions or law.places[axis.name].constant is None
        for axis in (spec.x, spec.y)
    )
    first = at_rest[0] if len(at_rest) else 0
    if law.is_smooth or not has_one_loss:
        rows = at_rest if has_one_loss else at_rest[:1]
        points, sharpness = found.ends[rows, : runs.size], found.sharpness[rows]
    else:
        points, sharpness = _minima_near(runs, found)
    minima, losses = _listed(runs.loss(cells.constants[first]), points, sharpness)
    return Ends(
        spec=spec,
        directions=directions,
        minima=minima,
        losses=losses,
        has_one_loss=has_one_loss,
        is_fixed=is_fixed,
        found_at=(float(x[first]), float(y[first])),
        has_manifolds=_has_manifolds(runs, cells.constants, found),
        cells_a_job=cells_a_job(runs, _steps_of(found, spec.steps, is_fixed)),
        classes=_classes(minima, losses, has_one_loss, law.is_smooth),
    )


def are_on_manifold(
    runs: Runs, constants: FloatArray, ends: FloatArray, stop: threading.Event | None = None
) -> NDArray[np.bool_]:
    """Return which equilibria with flat directions are on manifolds, shape (m,)."""
    made = np.zeros(len(ends), np.bool_)
    for row in range(len(ends)):
        if stop is not None and stop.is_set():
            break
        made[row] = runs.loss(constants[row]).is_on_manifold(ends[row, : runs.size])
    return made


def _spread(constants: FloatArray, most: int) -> NDArray[np.intp]:
    """Return rows of constants, shape (m, c), at most so many and as different as possible."""
    if len(constants) <= most:
        return np.arange(len(constants))
    rows = np.unique(constants, axis=0, return_index=True)[1]
    if len(rows) < most:
        rows = np.append(rows, np.linspace(0, len(constants) - 1, most).astype(np.intp))
    return np.asarray(rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)])


def _has_manifolds(runs: Runs, constants: FloatArray, found: Found) -> bool | None:
    """Return whether the equilibria with flat directions of a sample are on manifolds."""
    from engine.kernels.maps import outcomes

    flat = np.flatnonzero(found.codes == outcomes.AT_MANIFOLD)
    flat = flat[_spread(constants[flat], TESTED)]
    are = are_on_manifold(runs, constants[flat], found.ends[flat])
    return bool(are[0]) if len(are) and (are == are[0]).all() else None


def _steps_of(found: Found, most: int, is_fixed: bool) -> int:
    """Return how many steps a cell takes, as far as the time for it goes."""
    from engine.kernels.maps import outcomes

    if not is_fixed:
        return min(most, OTHERS)
    is_early = (found.codes == outcomes.DIVERGED) | (found.codes == outcomes.AT_MINIMUM)
    early = np.minimum(found.steps, most)
    return math.ceil(float(np.mean(np.where(is_early, 2.0 * early, min(most, OTHERS)))))


def _sample_side(runs: Runs, spec: MapSpec) -> int:
    """Return how many cells along each side of the sample there are."""
    if runs.is_packed:
        return SAMPLE
    tape = runs.law.tape
    rows = 1 if runs.law.data is None else runs.law.data.shape[1]
    cost = (len(tape.shared) + len(tape.rows) * rows + 1) * min(spec.steps, SAMPLE_STEPS)
    return int(np.clip(np.sqrt(SAMPLE_COST / cost), 3, SAMPLE))


def _sample(spec: MapSpec, side: int) -> tuple[FloatArray, FloatArray]:
    """Return values of both axes at cells spread evenly over a map, shape (side²,)."""
    share = (np.arange(side) + 0.5) / side
    x, y = spec.x.at(share * spec.x.count), spec.y.at(share * spec.y.count)
    return np.tile(x, side), np.repeat(y, side)


def _minima_near(runs: Runs, found: Found) -> tuple[FloatArray, FloatArray]:
    """Return minima, with their sharpness, to which Newton's steps lead from where runs are."""
    from engine.kernels.maps import outcomes

    loss, points, sharpness = runs.loss(), [], []
    gone = (found.codes == outcomes.DIVERGED) | (found.codes == outcomes.UNDEFINED)
    ends = found.ends[~gone, : runs.size]
    for end in ends[:: max(1, len(ends) // SEARCHES)]:
        point = loss.newton(end)
        if point is None:
            continue
        values = np.linalg.eigvalsh(loss.hessian(point))
        whole = np.linalg.eigvalsh(loss.whole_hessian(point))
        size = CLOSE * max(1.0, float(np.max(np.abs(point))))
        if whole[0] < -FLAT * whole[-1]:
            continue  # a saddle across equal weights
        if values[0] > FLAT * values[-1] and float(np.max(np.abs(point - end))) <= size:
            points.append(point)
            sharpness.append(float(whole[-1]))
    return np.array(points).reshape(len(points), runs.size), np.array(sharpness)


def _listed(
    loss: TapeLoss, points: FloatArray, sharpness: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return different minima with their sharpness, by ascending loss, and their losses."""
    different: list[int] = []
    for row, point in enumerate(points):
        size = SAME * max(1.0, float(np.max(np.abs(point))))
        if all(float(np.max(np.abs(point - points[k]))) > size for k in different):
            different.append(row)
    losses = {row: round(loss.value(points[row]), 12) + 0.0 for row in different}
    kept = sorted(different, key=lambda row: (losses[row], tuple(points[row])))[:LISTED]
    made = [[*points[row], sharpness[row]] for row in kept]
    return (
        np.array(made, np.float64).reshape(len(kept), loss.dimension + 1),
        np.array([losses[row] for row in kept]),
    )


def _classes(
    minima: FloatArray, losses: FloatArray, has_one_loss: bool, is_smooth: bool
) -> tuple[CellClass, ...]:
    """Return the classes of cells in the order of a legend."""
    names = [_name(row, loss) for row, loss in zip(minima, losses, strict=True)]
    if has_one_loss:
        made = [
            CellClass(code=i, name=name, color=f"limit:{i}", shade="steps")
            for i, name in enumerate(names)
        ]
        other = f"limit:{LISTED}"
        made.append(
            CellClass(code=OTHER_MINIMUM, name="another minimum", color=other, shade="steps")
        )
        if not is_smooth:
            made += [
                CellClass(code=NEAR + i, name=f"near {name}, not at rest", color=f"limit:{i}")
                for i, name in enumerate(names)
            ]
    else:
        made = [CellClass(code=0, name="at a minimum", color="good", shade="steps")]
    return (
        *made,
        CellClass(code=MANIFOLD, name="on a manifold of minima", color="ramp", shade="sharpness"),
        CellClass(code=SADDLE, name="held at an equilibrium that repels", color="7"),
        *(
            CellClass(
                code=CYCLES + period,
                name=f"cycle of period {period}",
                color=f"cycle:{period}",
            )
            for period in range(2, LONGEST + 1)
        ),
        CellClass(code=APERIODIC, name="aperiodic", color="4"),
        CellClass(code=DIVERGED, name="diverged", color="bad"),
        CellClass(code=UNDEFINED, name="led to where the loss is no number", color="text"),
        CellClass(code=UNDECIDED, name="undecided", color="muted"),
    )


def _name(row: FloatArray, loss: float) -> str:
    """Name a minimum by its place and its loss."""
    size = ROUNDING * max(1.0, float(np.max(np.abs(row[:-1]))))
    shown = [number if abs(number) > size else 0.0 for number in row[:-1].tolist()]
    point = ", ".join(short(number, 4) for number in shown[:4])
    more = ", …" if len(row) > 5 else ""
    return f"minimum ({point}{more}), loss {short(loss, 4)}"
