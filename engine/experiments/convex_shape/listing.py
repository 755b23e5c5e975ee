"""What is known of convex shapes before it is imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="convex-shape",
    title="Convex shapes",
    section="Section 3.1, equations (6) to (8), Figure 2",
    summary="Residual layers bend a function upwards; two networks make any smooth function.",
    cadence=2.0,
    kernels=1,
)
