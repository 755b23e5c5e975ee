"""What is known of MNIST before it is imported."""

from __future__ import annotations

from engine.core.listing import DataSet, Listing

LISTING = Listing(
    id="mnist",
    title="MNIST",
    section="Section 5, Figure 5",
    summary=(
        "Ten pairs of residual networks learn handwritten digits: accuracy, sharpness, "
        "and the convex and concave part of every answer."
    ),
    steps_per_call=1,
    cadence=60.0,
    picture_share=0.04,
    long_step="Measuring…",
    needs=("torch",),
    data_sets=(
        DataSet(name="mnist", title="MNIST", megabytes=11),
        DataSet(name="fashion-mnist", title="Fashion-MNIST", megabytes=31),
    ),
    kernels=11,
)
