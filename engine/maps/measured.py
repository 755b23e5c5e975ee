"""What is measured of the borders in a finished map of basins, for people and for `map.json`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.maps import borders
from engine.maps.borders import Fit, Share
from engine.maps.kind import Prepared
from engine.maps.kinds.ends import SADDLE
from engine.maps.picture import HATCHED

MOST_UNDECIDED = 0.01
"""Part of the cells that may be undecided: their borders are none of basins."""
MOST_CELLS = 2**25
"""Cells up to which a map is measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """The borders between all classes of a map.

    Attributes
    ----------
    dimension : Fit or None
        Box dimension, over the sides of boxes in cells.
    uncertainty : Fit or None
        Uncertainty exponent alpha, over distances in cells.
    shares : mapping of int to Share
        Part of the area that each class fills, by code; starts that an equilibrium holds that
        repels fill none, and are left out.
    reason : str
        Why there is no fit, in a sentence; empty where there are both.
    """

    dimension: Fit | None = None
    uncertainty: Fit | None = None
    shares: Mapping[int, Share] = field(default_factory=dict)
    reason: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return both fits in words, with mathtext."""
        made = []
        if self.dimension is not None:
            low, high = self.dimension.range
            value = with_error(self.dimension.value, self.dimension.error)
            made.append(f"Box dimension {value}, boxes of {low:g} to {high:g} cells")
        if self.uncertainty is not None:
            low, high = self.uncertainty.range
            value = with_error(self.uncertainty.value, self.uncertainty.error)
            made.append(rf"Uncertainty exponent $\alpha$ = {value}, {low:g} to {high:g} cells")
        return (*made, self.reason) if self.reason else tuple(made)

    def as_table(self) -> dict[str, Any]:
        """Return what `map.json` holds of it, JSON-ready."""
        return {
            "box_dimension": _table(self.dimension),
            "uncertainty_exponent": _table(self.uncertainty),
            "reason": self.reason,
        }


def measured(prepared: Prepared, outcome: NDArray[Any]) -> Measured:
    """Measure the borders of a map of basins.

    Parameters
    ----------
    prepared : Prepared
    outcome : ndarray of u1, shape (rows, columns)
        Codes of the classes, all computed.
    """
    if outcome.size > MOST_CELLS:
        return Measured(reason=f"Borders are measured in at most {MOST_CELLS:,} cells.")
    shares = {each.code: each for each in borders.shares(outcome) if each.code != SADDLE}
    open_codes = [each.code for each in prepared.classes if each.color == HATCHED]
    undecided = sum(shares[code].value for code in open_codes if code in shares)
    if undecided > MOST_UNDECIDED:
        rule = f"{100.0 * undecided:.1f} % of the cells are undecided, and their borders are none"
        return Measured(shares=shares, reason=f"Borders are not measured: {rule} of basins.")
    found = [_fit(measure, outcome) for measure in (borders.box_dimension, borders.uncertainty)]
    reason = "" if all(found) else "The border is too short, or the map too small, for a fit."
    return Measured(dimension=found[0], uncertainty=found[1], shares=shares, reason=reason)


def _fit(measure: Callable[[NDArray[Any]], Fit], outcome: NDArray[Any]) -> Fit | None:
    try:
        return measure(outcome)
    except InputError:
        return None


def with_error(value: float, error: float) -> str:
    """Write a number with its error, to two digits of the error: 1.261 ± 0.020."""
    if not error > 0.0:
        return f"{value:.3g}"
    decimals = min(max(1 - math.floor(math.log10(error)), 0), 6)
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def percent_with_error(share: float, error: float) -> str:
    """Write a part of the area in percent, with its error to one digit: 19.48 ± 0.03 %."""
    shown = 100.0 * error
    if not shown > 0.0:
        return f"{100.0 * share:.3g} %"
    decimals = min(max(-math.floor(math.log10(shown)), 1), 5)
    return f"{100.0 * share:.{decimals}f} ± {shown:.{decimals}f} %"


def _table(fit: Fit | None) -> dict[str, Any] | None:
    if fit is None:
        return None
    return {
        "value": fit.value,
        "error": fit.error,
        "residual": fit.residual,
        "scales": np.asarray(fit.scales).tolist(),
        "counts": np.asarray(fit.counts).tolist(),
    }
