"""What is known of matrix product network before it is imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="matrix-product",
    title="Matrix product network",
    section="Section 2, equations (4) and (5), Theorems 1 and 2",
    summary="Gradient descent on a product of L matrices that should become R.",
    cadence=60.0,
    kernels=6,
)
