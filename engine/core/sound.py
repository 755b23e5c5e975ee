"""No claim holds on numbers that are not finite: enforced for every experiment in one place."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from engine.core.claims import Claim, Verdict

NOTE = "Not judged: a number of this run is not finite."
_NOT_A_NUMBER = re.compile(r"(?<![\w.])[-+−]?nan(?!\w)", re.IGNORECASE)


def sound(claims: Iterable[Claim], arrays: Mapping[str, Any]) -> tuple[Claim, ...]:
    """Take back the verdict of claims about a network that is not finite, or that name a NaN.

    Parameters
    ----------
    claims : iterable of Claim
        As the experiment judged them.
    arrays : mapping of str to ndarray
        Parameters of the networks that they are about.

    Returns
    -------
    tuple of Claim
        The same, but undecided where they held or were violated on such numbers.
    """
    is_finite = all(np.isfinite(values).all() for values in arrays.values())
    return tuple(
        claim if is_finite and not _names_nan(claim) else _taken_back(claim) for claim in claims
    )


def _names_nan(claim: Claim) -> bool:
    texts = (claim.predicted, claim.measured, *(lamp.detail for lamp in claim.assumptions))
    return any(_NOT_A_NUMBER.search(text) for text in texts)


def _taken_back(claim: Claim) -> Claim:
    if claim.verdict not in (Verdict.HOLDS, Verdict.VIOLATED):
        return claim
    note = f"{NOTE} {claim.note}".rstrip()
    return dataclasses.replace(claim, verdict=Verdict.UNDECIDED, note=note)


def soundly(claims: Callable[..., tuple[Claim, ...]]) -> Callable[..., tuple[Claim, ...]]:
    """Wrap an experiment's `claims` in `sound`."""

    @functools.wraps(claims)
    def judged(self: Any, params: Any, state: Any, recent: Any) -> tuple[Claim, ...]:
        return sound(claims(self, params, state, recent), self.arrays(state))

    return judged


def is_sound(claims: Callable[..., Any]) -> bool:
    """Return whether an experiment's `claims` pass through `sound`."""
    return hasattr(claims, "__wrapped__")
