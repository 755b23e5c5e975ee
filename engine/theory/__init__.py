r"""The paper's stability bounds as pure functions, one per proposition or theorem.

Source: Nar and Sastry, "Residual Networks: Lyapunov Stability and Convex Decomposition" (2018).
Symbols: step size :math:`\delta` ``step_size``, target :math:`\lambda` ``target``, input power
:math:`\sigma` (mean of :math:`x_i^2`) ``input_power``, depth :math:`L` ``depth``.

Everything is finite-precision aware: roots near 1 through ``expm1``, powers that leave the range
of a float through logarithms. A bound too large for a float is ``inf``, one too small is ``0.0``.
Where the printed statement needs a correction, both versions are here and say which they are.
"""

from __future__ import annotations

from engine.theory.double import (
    DoublePoint,
    double_bound,
    double_flow_limit,
    double_invariant,
    double_least_sharpness,
    double_sharpness,
)
from engine.theory.matrix import (
    double_norm_bound,
    least_squares_bound,
    norm_bound,
    norm_sharpness,
    theorem1_bound,
    theorem2_step,
)
from engine.theory.optimisers import (
    Optimiser,
    OptimiserDescription,
    describe,
    dominant_factor,
    iteration_eigenvalues,
    iteration_jacobian,
    sharpness_limit,
    stability_limit,
)
from engine.theory.scalar import (
    balanced_sharpness,
    bounded_ellipse,
    bounded_level,
    cofactors,
    contraction,
    delta_c,
    delta_max,
    envelope,
    equilibrium_bound,
    log_sharpness,
    pair_cofactors,
    rate,
    root_minus_one,
    sharpness,
    tied_cofactors,
    zero_decay,
    zero_limit,
    zero_radius,
    zero_threshold,
)
from engine.theory.symmetric import (
    CubicThresholds,
    cubic_thresholds,
    symmetric_map,
    symmetric_slope,
)

__all__ = [
    "CubicThresholds",
    "DoublePoint",
    "Optimiser",
    "OptimiserDescription",
    "balanced_sharpness",
    "bounded_ellipse",
    "bounded_level",
    "cofactors",
    "contraction",
    "cubic_thresholds",
    "delta_c",
    "delta_max",
    "describe",
    "dominant_factor",
    "double_bound",
    "double_flow_limit",
    "double_invariant",
    "double_least_sharpness",
    "double_norm_bound",
    "double_sharpness",
    "envelope",
    "equilibrium_bound",
    "iteration_eigenvalues",
    "iteration_jacobian",
    "least_squares_bound",
    "log_sharpness",
    "norm_bound",
    "norm_sharpness",
    "pair_cofactors",
    "rate",
    "root_minus_one",
    "sharpness",
    "sharpness_limit",
    "stability_limit",
    "symmetric_map",
    "symmetric_slope",
    "theorem1_bound",
    "theorem2_step",
    "tied_cofactors",
    "zero_decay",
    "zero_limit",
    "zero_radius",
    "zero_threshold",
]
