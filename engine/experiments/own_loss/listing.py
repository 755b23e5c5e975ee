"""What is known of own losses before they are imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="own-loss",
    title="Own loss",
    section="Any function of up to 20 variables",
    summary="Type a loss: descent, equilibria, thresholds and what happens beyond them.",
    cadence=20.0,
)
