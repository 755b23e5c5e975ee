"""What is known of piecewise fit before it is imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="piecewise-fit",
    title="Piecewise fit",
    section="Section 4, equations (10) to (12), Figure 4",
    summary="Two pairs of residual networks fit a function; only their biases start differently.",
    cadence=1200.0,
    kernels=2,
)
