"""What is known of own networks before they are imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="network",
    title="Own network",
    section="Yours",
    summary=(
        "Train a network of your own on your own data: its sharpness is measured on the way, "
        "against the limit of the optimiser."
    ),
    cadence=60.0,
    picture_share=0.15,
    steps_per_call=64,
    long_step="Measuring the sharpness…",
    needs=("torch",),
)
