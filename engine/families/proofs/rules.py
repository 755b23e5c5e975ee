"""What step rules do to the regions of attraction, measured and proved, as one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.analysis.regions.interval import Bools
from engine.core.arrays import FloatArray
from engine.core.beside import Analysis
from engine.core.ensemble import Progress
from engine.core.views import ImageView, TableView, View
from engine.families.proofs.proofs import LEAST_CUT, region_of
from engine.families.proofs.task import Task, settles
from engine.families.proofs.views import PROVED, SEEN, TINTS
from engine.text.mathtext import to_plain
from engine.text.numbers import short

SIDE = 160
"""Most cells along an axis of the picture; one random start is drawn from each."""
_TIMES = 4
"""Cells of the picture to one that a user asks for of proofs, along an axis, at most."""
UNDERWAY = ("being measured", "being proved")
"""What the table says of step rules that are not compared yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A step rule that is compared with others.

    Attributes
    ----------
    name : str
    rate : float
        Factor by which a step multiplies the residual near the minimum that is compared.
    task : Task
        Of two weights.
    """

    name: str
    rate: float
    task: Task


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleRegion:
    """The regions of one step rule in a box of two weights.

    Attributes
    ----------
    name : str
    rate : float
    seen, proved : ndarray of bool, shape (side, side)
        Whether the start of each cell, row 0 at the smallest y, comes to the attractor.
    area : float
        Of the box.
    """

    name: str
    rate: float
    seen: Bools
    proved: Bools
    area: float

    @property
    def measured_area(self) -> tuple[float, float]:
        """Area from which starts were seen to come there, with its standard error."""
        return self._area_of(self.seen)

    @property
    def proved_area(self) -> tuple[float, float]:
        """Area that is proved, with its standard error: what is proved is counted by starts."""
        return self._area_of(self.proved)

    def _area_of(self, cells: Bools) -> tuple[float, float]:
        """Return the area of a set from one random start a cell, and the standard error of it.

        Of a cell that the border cuts the start's variance is at most 1/4; of the others it is 0.
        Cells with a neighbour of the other kind, corners included, are taken as cut.
        """
        low, high = cells.copy(), cells.copy()
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                moved = np.pad(cells, 1, mode="edge")[1 + dx :, 1 + dy :][
                    : len(cells), : len(cells)
                ]
                low &= moved
                high |= moved
        cell, cut = self.area / cells.size, max(int((high & ~low).sum()), LEAST_CUT)
        return float(cells.sum() * cell), float(0.5 * np.sqrt(cut) * cell)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepRules(Analysis):
    """Step rules side by side.

    Attributes
    ----------
    regions : tuple of RuleRegion
    extent : tuple of float
        x0, x1, y0, y1 of the box.
    total : int
        Step rules that are compared: while that goes on there are regions of the first ones only.
    """

    regions: tuple[RuleRegion, ...]
    extent: tuple[float, float, float, float]
    total: int

    @property
    def is_complete(self) -> bool:
        """Whether all step rules were compared."""
        return len(self.regions) == self.total


def compare(
    candidates: Sequence[Candidate],
    low: FloatArray,
    high: FloatArray,
    progress: Progress,
    on_part: Callable[[StepRules], None] = lambda part: None,
) -> StepRules | None:
    """Measure and prove the regions of step rules in the same box from the same starts.

    Parameters
    ----------
    candidates : sequence of Candidate
    low, high : ndarray, shape (2,)
        The box.
    progress : callable
    on_part : callable, optional
        Called with the first ones when the regions of another are there.

    Returns
    -------
    StepRules or None
        None if `progress` asked to stop.
    """
    rng = np.random.default_rng(0)
    side = min(SIDE, _TIMES * min(each.task.cells for each in candidates))
    rows, columns = np.mgrid[:side, :side]
    cells = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    starts = low + (cells + rng.uniform(size=cells.shape)) / side * (high - low)
    x, y = zip(low.tolist(), high.tolist(), strict=True)
    rules = StepRules(regions=(), extent=(*x, *y), total=len(candidates))
    for each in candidates:
        found = region_of(each.task, progress)
        if found is None:
            return None
        attractor, region = found
        proved = region.holds(each.task.coordinates.seen(starts))
        seen = settles(each.task, attractor, starts, progress)
        if seen is None:
            return None
        shape = (side, side)
        made = RuleRegion(
            name=each.name,
            rate=each.rate,
            seen=(seen | proved).reshape(shape),  # slow ones, too
            proved=proved.reshape(shape),
            area=float(np.prod(high - low)),
        )
        rules = replace(rules, regions=(*rules.regions, made))
        on_part(rules)
    return rules


def observe(rules: StepRules | None) -> dict[str, Any]:
    """Compute what the views draw, of those rules that have been compared so far."""
    if rules is None or not rules.regions:
        return {"rules_status": "being measured and proved…", "rules_rows": [["", "", *UNDERWAY]]}
    done = len(rules.regions)
    rest = [] if rules.is_complete else [[f"{done} of {rules.total} done", "", *UNDERWAY]]
    images = [
        np.where(each.proved, PROVED, np.where(each.seen, SEEN, np.nan))[::-1]
        for each in rules.regions
    ]
    return {
        "rules_images": np.stack(images),
        "rules_names": [each.name for each in rules.regions],
        "rules_extent": np.array(rules.extent),
        "rules_rows": [
            [
                to_plain(each.name),
                _rounded(each.rate),
                _area(each.measured_area),
                _area(each.proved_area),
            ]
            for each in rules.regions
        ]
        + rest,
    }


def _rounded(rate: float) -> str:
    return short(round(rate, 12) + 0.0, 4)


def _area(area: tuple[float, float]) -> str:
    value, error = area
    if not value:
        return "none found"
    digits = max(1 - math.floor(math.log10(error)), 0)
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def views(x_label: str, y_label: str) -> tuple[View, ...]:
    """Describe the picture of the step rules and its table."""
    return (
        ImageView(
            id="step-rules",
            title="Step rules",
            help="The same box of starts under each step rule: from the green part every run is "
            "proved to come to a minimum, from the violet one it was only seen to.",
            key="rules_images",
            captions_key="rules_names",
            extent_key="rules_extent",
            status_key="rules_status",
            x_label=x_label,
            y_label=y_label,
            missing="not in the basin",
            tints=TINTS,
        ),
        TableView(
            id="step-rules-table",
            title="Areas of the step rules",
            help="Areas within the box, from one random start in each of its cells, with their "
            "standard errors; the rate is the factor by which a step multiplies the error near a "
            "balanced minimum.",
            key="rules_rows",
            headings=("step", "rate", "measured basin", "proved"),
        ),
    )
