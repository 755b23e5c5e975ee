"""A ninth experiment, outside the program's own; importing this package registers it."""

from __future__ import annotations

from typing import Any

from engine.core.listing import Listing
from engine.core.registry import register

LISTING = Listing(
    id="damped-rotation",
    title="Damped rotation",
    section="Linear maps",
    summary="A point in the plane turns by θ and shrinks by ρ in every step.",
)


def _load() -> Any:
    from tests.ninth.experiment import DampedRotation

    return DampedRotation()


ENTRY = register(LISTING, _load)
