"""Optimisers: their steps, and where a minimum is stable under each.

`OPTIMISERS` holds one description each, which every experiment, its dock and its meter read;
`Setting` an optimiser with the values of its hyperparameters; `StepMap` its step as a map.
"""

from __future__ import annotations

from engine.theory.optimisers.catalogue import OPTIMISERS, describe
from engine.theory.optimisers.curvature import curvature, preconditioner, sharpness
from engine.theory.optimisers.description import (
    Carried,
    Hyperparameter,
    OptimiserDescription,
    Source,
)
from engine.theory.optimisers.linear import dominant
from engine.theory.optimisers.maps import StepMap
from engine.theory.optimisers.momentum import (
    Optimiser,
    dominant_factor,
    iteration_eigenvalues,
    iteration_jacobian,
    sharpness_limit,
    stability_limit,
)
from engine.theory.optimisers.schedules import CONSTANT, SCHEDULES, Schedule, ScheduleKind
from engine.theory.optimisers.setting import STEP_RULES, OptimiserId, Setting, StepRule
from engine.theory.optimisers.unsmooth import (
    normalised_amplitude,
    polyak_step,
    sam_amplitude,
    sam_edge,
)

__all__ = [
    "CONSTANT",
    "OPTIMISERS",
    "SCHEDULES",
    "STEP_RULES",
    "Carried",
    "Hyperparameter",
    "Optimiser",
    "OptimiserDescription",
    "OptimiserId",
    "Schedule",
    "ScheduleKind",
    "Setting",
    "Source",
    "StepMap",
    "StepRule",
    "curvature",
    "describe",
    "dominant",
    "dominant_factor",
    "iteration_eigenvalues",
    "iteration_jacobian",
    "normalised_amplitude",
    "polyak_step",
    "preconditioner",
    "sam_amplitude",
    "sam_edge",
    "sharpness",
    "sharpness_limit",
    "stability_limit",
]
