"""What is known of double scalar network before it is imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="double-scalar",
    title="Double scalar network",
    section="Section 3.2, equations (9a, b)",
    summary="The difference of two products learns what a single product cannot: a negative λ.",
    cadence=30.0,
    kernels=3,
)
