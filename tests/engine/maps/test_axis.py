"""The ends of an axis: what is refused, and why."""

from __future__ import annotations

import math

import pytest

from engine.core.errors import InputError
from engine.maps.axis import check_ends


@pytest.mark.parametrize(
    ("low", "high", "rule"),
    [(1.0, 0.4, "lower end first"), (1.0, 1.0, "differ"), (0.0, math.inf, "finite")],
)
def test_ends_that_cannot_be_used_are_refused_for_what_is_wrong(
    low: float, high: float, rule: str
) -> None:
    with pytest.raises(InputError, match=rule):
        check_ends("step_size", low, high)
