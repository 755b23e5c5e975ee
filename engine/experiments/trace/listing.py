"""What is known of own traces before they are imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="trace",
    title="Own trace",
    section="Yours",
    summary=(
        "The log of a training run of yours: its sharpness against the limit of its optimiser, "
        "and where the edge of stability begins."
    ),
    cadence=120.0,
)
"""The recorded run is played, not computed."""
