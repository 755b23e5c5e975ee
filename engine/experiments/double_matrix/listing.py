"""What is known of double matrix network before it is imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="double-matrix",
    title="Double matrix network",
    section="Section 3.2, Figure 3",
    summary="The difference of two products of matrices learns what one product cannot.",
    cadence=120.0,
    kernels=4,
)
