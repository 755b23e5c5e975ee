"""Where the straight lines across a plot lie, one answer for the window and for paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.core.views import Rule

FARTHEST = 1e290
"""Magnitude beyond which a rule is not drawn: the margins of an axis that reaches it overflow."""


def rule_value(
    rule: Rule, bounds: Mapping[str, float | None], observation: Mapping[str, Any]
) -> float | None:
    """Return where a rule lies, or None where that is not known or too far to be drawn.

    Parameters
    ----------
    rule : Rule
    bounds : mapping of str to float or None
        Values of the bounds by id.
    observation : mapping of str to object
        What the experiment observed; a rule's key names one number in it.
    """
    value: Any = rule.value
    if rule.bound:
        value = bounds.get(rule.bound)
    elif rule.key:
        value = observation.get(rule.key)
    if value is None:
        return None
    try:
        number = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return None
    return float(number.item()) if number.size == 1 and abs(number.item()) <= FARTHEST else None
