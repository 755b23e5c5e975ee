"""What is known of scalar product network before it is imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="scalar-product",
    title="Scalar product network",
    section="Section 2, Propositions 1 to 3",
    summary=(
        "L numbers learn a product: monotone, oscillating, periodic, chaotic or divergent, "
        "as the step size decides."
    ),
    cadence=30.0,
    opens_first=True,
    kernels=5,
)
