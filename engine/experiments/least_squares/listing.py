"""What is known of least squares before it is imported."""

from __future__ import annotations

from engine.core.listing import Listing

LISTING = Listing(
    id="least-squares",
    title="Least squares",
    section="Section 2, Figure 1",
    summary="Gradient descent on a quadratic is linear: one critical step size for all minima.",
    cadence=10.0,
    kernels=1,
)
