"""What is known of own losses before they are imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="own-loss",
    title="Own loss",
    section="Yours",
    summary="Any function of up to 20 variables: type it, and its theory is computed.",
    cadence=20.0,
)
