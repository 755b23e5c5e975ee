"""Parameters that experiments with an ensemble share."""

from __future__ import annotations

from typing import Any

from engine.core.params import param

GROUP = "Ensemble"
"""Heading of the form under which they stand."""


def many_seeds() -> Any:
    """Declare the number of seeds."""
    return param(
        1,
        "Number of seeds in an ensemble, this one the first.",
        symbol="N_s",
        group=GROUP,
        ge=1,
        le=10_000,
        for_ensemble=True,
    )


def many_step_sizes(unit: str = "") -> Any:
    """Declare a list of step sizes; `unit` says what they are multiples of, if of anything."""
    return param(
        (),
        f"Step sizes of an ensemble{unit}; an empty list takes the one above.",
        group=GROUP,
        ge=1e-140,
        le=1000,
        for_ensemble=True,
    )
