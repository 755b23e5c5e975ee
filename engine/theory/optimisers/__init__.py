"""Optimisers: their steps, and where a minimum is stable under each."""

from __future__ import annotations

from engine.theory.optimisers.momentum import (
    Optimiser,
    dominant_factor,
    iteration_eigenvalues,
    iteration_jacobian,
    stability_limit,
)

__all__ = [
    "Optimiser",
    "dominant_factor",
    "iteration_eigenvalues",
    "iteration_jacobian",
    "stability_limit",
]
