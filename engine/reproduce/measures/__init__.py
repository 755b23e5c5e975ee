"""Numbers of a study that are no single run, by name.

A measure is a function whose parameters are annotated and whose result is a table of plain values.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call

from engine.core.errors import InputError
from engine.reproduce.measures import depth, linear, maps, regions, sweep

Measure = Callable[..., Mapping[str, Any]]
MEASURES: dict[str, Measure] = {
    "sweep": sweep.sweep,
    "number": sweep.number,
    "lyapunov-exponents": maps.lyapunov_exponents,
    "step-eigenvalues": maps.step_eigenvalues,
    "orbit-end": maps.orbit_end,
    "bifurcations": maps.bifurcations,
    "bounded-starts": maps.bounded_starts,
    "proved-region": regions.proved_region,
    "basin-borders": regions.basin_borders,
    "transverse-exponent": regions.transverse_exponent,
    "period-doublings": depth.period_doublings,
    "heavy-ball-doubling": depth.heavy_ball_doubling,
    "balanced-flip": depth.balanced_flip,
    "symmetric-exponent": depth.symmetric_exponent,
    "unbalanced-bounds": depth.unbalanced_bounds,
    "scalar-spectra": depth.scalar_spectra,
    "envelope-grid": depth.envelope_grid,
    "pair-of-products": depth.pair_of_products,
    "norm-bound": linear.norm_bound,
    "flow-sharpness": depth.flow_sharpness,
    "optimiser-threshold": linear.optimiser_threshold,
    "descent-on-huber": linear.descent_on_huber,
}
"""Measures by the name that a study calls them by."""


def compute(name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Compute a measure with arguments from a file.

    Raises
    ------
    InputError
        For an unknown measure, an unknown or missing argument, or one of another kind.
    """
    function = MEASURES.get(name)
    if function is None:
        raise InputError("function", name, f"give one of {', '.join(MEASURES)}")
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError as error:
        raise InputError("arguments", name, f"give those of the measure ({error})") from None
    checked = validate_call(config=ConfigDict(allow_inf_nan=False))(function)
    try:
        return checked(**arguments)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or name
        raise InputError(field, first["input"], f"give another value ({first['msg']})") from None
