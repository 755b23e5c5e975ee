"""A ninth experiment, outside the program's own: CONTRIBUTING explains it line by line.

Importing this package registers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.listing import Listing
from engine.core.registry import register

if TYPE_CHECKING:
    from engine.core.registry import Experiment

LISTING = Listing(
    id="damped-rotation",
    title="Damped rotation",
    section="Linear maps",
    summary="A point in the plane turns by θ and shrinks by ρ in every step.",
)


def _load() -> Experiment:
    from tests.ninth.experiment import DampedRotation

    return DampedRotation()


ENTRY = register(LISTING, _load)
