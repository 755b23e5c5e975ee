"""The optimisers, each described once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.theory.optimisers import linear
from engine.theory.optimisers.description import OptimiserDescription, Source
from engine.theory.optimisers.hyperparameters import (
    DECOUPLED_DECAY,
    EPSILON,
    LOWEST_LOSS,
    MEAN_DECAY,
    MOMENTUM,
    RADIUS,
    SQUARE_DECAY,
    WEIGHT_DECAY,
)
from engine.theory.optimisers.setting import OptimiserId

_COHEN_2022 = "Cohen et al. 2022, arXiv:2207.14484, abstract"
_COHEN_2021 = "Cohen et al. 2021, arXiv:2103.00065, appendix"

_PLAIN = OptimiserDescription(
    id="gradient-descent",
    title="gradient descent",
    step=r"w \leftarrow w - \delta g",
    hyperparameters=(WEIGHT_DECAY,),
    limit_formula="2",
    sharpness_formula=r"2/\delta",
    sentence="A minimum is stable if its sharpness is less than 2/δ, and unstable if it is more.",
    source=Source(
        citation="Proposition 1, eq. (1)",
        derivation="Along an eigenvector of the Hessian an error is multiplied by 1 - δh, which "
        "is -1 at δh = 2.",
    ),
    limit_of=linear.plain_limit,
    multipliers_of=linear.plain_multipliers,
    equivalent=lambda setting: setting.step_size,
)
_HEAVY_BALL = OptimiserDescription(
    id="heavy-ball",
    title="the heavy ball",
    step=r"v \leftarrow \beta v - \delta g,\quad w \leftarrow w + v",
    hyperparameters=(MOMENTUM, WEIGHT_DECAY),
    carried=("velocity",),
    limit_formula=r"2(1+\beta)",
    sharpness_formula=r"2(1+\beta)/\delta",
    sentence="A minimum is stable if its sharpness is less than 2(1 + β)/δ, and unstable if it is "
    "more.",
    source=Source(
        derivation="A multiplier z solves z² - (1 + β - δh)z + β = 0; it is -1 at δh = 2(1 + β).",
        further=_COHEN_2021,
    ),
    limit_of=linear.heavy_ball_limit,
    multipliers_of=linear.heavy_ball_multipliers,
    equivalent=lambda setting: setting.step_size / (1.0 + setting.momentum),
)
_NESTEROV = OptimiserDescription(
    id="nesterov",
    title="Nesterov's momentum",
    step=r"v \leftarrow \beta v - \delta g(w + \beta v),\quad w \leftarrow w + v",
    hyperparameters=(MOMENTUM, WEIGHT_DECAY),
    carried=("velocity",),
    limit_formula=r"2(1+\beta)/(1+2\beta)",
    sharpness_formula=r"2(1+\beta)/((1+2\beta)\delta)",
    sentence="A minimum is stable if its sharpness is less than 2(1 + β)/((1 + 2β)δ), and unstable "
    "if it is more.",
    source=Source(
        derivation="A multiplier z solves z² - (1 + β)(1 - δh)z + β(1 - δh) = 0; it is -1 at "
        "δh = 2(1 + β)/(1 + 2β).",
        further=_COHEN_2021,
    ),
    limit_of=linear.nesterov_limit,
    multipliers_of=linear.nesterov_multipliers,
    equivalent=lambda setting: (
        setting.step_size * (1.0 + 2.0 * setting.momentum) / (1.0 + setting.momentum)
    ),
)
_RMSPROP = OptimiserDescription(
    id="rmsprop",
    title="RMSprop",
    step=r"v \leftarrow \beta_2 v + (1-\beta_2)g^2,\quad w \leftarrow w - \delta g/P,\quad "
    r"P = \sqrt{v} + \epsilon",
    hyperparameters=(replace(SQUARE_DECAY, default=0.99), EPSILON, WEIGHT_DECAY),
    carried=("mean square",),
    curvature=r"\lambda_{\max}(P^{-1}H)",
    limit_formula="2",
    sharpness_formula=r"2/\delta",
    sentence="With P frozen, steps overshoot where the largest eigenvalue of P⁻¹H exceeds 2/δ. At "
    "a minimum P sinks to ε, so that a run stays only where the sharpness is less than 2ε/δ.",
    source=Source(
        derivation="With P frozen it is gradient descent in the coordinates P^(1/2) w, whose "
        "limit is 2/δ.",
        further="Cohen et al. 2022, arXiv:2207.14484",
    ),
    limit_of=linear.plain_limit,
    multipliers_of=linear.rmsprop_multipliers,
)
_ADAM_STEP = (
    r"m \leftarrow \beta_1 m + (1-\beta_1)g,\quad v \leftarrow \beta_2 v + (1-\beta_2)g^2,\quad "
)
_ADAM_P = r"\quad P = \sqrt{v/(1-\beta_2^{k})} + \epsilon"
_ADAM = OptimiserDescription(
    id="adam",
    title="Adam",
    step=_ADAM_STEP + r"w \leftarrow w - \delta P^{-1}m/(1-\beta_1^{k})," + _ADAM_P,
    hyperparameters=(MEAN_DECAY, SQUARE_DECAY, EPSILON, WEIGHT_DECAY),
    carried=("mean gradient", "mean square"),
    curvature=r"\lambda_{\max}(P^{-1}H)",
    limit_formula=r"(2+2\beta_1)/(1-\beta_1)",
    sharpness_formula=r"(2+2\beta_1)/((1-\beta_1)\delta)",
    short_ratio=r"\lambda_{\max}(P^{-1}H)/S_{\max}",
    sentence="With P frozen and the bias corrected, steps overshoot where the largest eigenvalue "
    "of P⁻¹H exceeds (2 + 2β₁)/((1 - β₁)δ), 38/δ at β₁ = 0.9. At a minimum P sinks to ε, so that a "
    "run stays only where the sharpness is less than that times ε.",
    source=Source(
        citation=f"{_COHEN_2022} (38/δ at β₁ = 0.9)",
        derivation="With P frozen a multiplier z solves z² - (1 + β₁ - (1 - β₁)δh)z + β₁ = 0; it "
        "is -1 at δh = (2 + 2β₁)/(1 - β₁).",
    ),
    limit_of=linear.adam_limit,
    multipliers_of=linear.adam_multipliers,
)
_ADAMW = OptimiserDescription(
    id="adamw",
    title="AdamW",
    step=_ADAM_STEP
    + r"w \leftarrow (1-\delta\lambda)w - \delta P^{-1}m/(1-\beta_1^{k}),"
    + _ADAM_P,
    hyperparameters=(
        MEAN_DECAY,
        SQUARE_DECAY,
        EPSILON,
        DECOUPLED_DECAY,
    ),
    carried=("mean gradient", "mean square"),
    curvature=r"\lambda_{\max}(P^{-1}H)",
    limit_formula=r"(2-\delta\lambda)(1+\beta_1)/(1-\beta_1)",
    sharpness_formula=r"(2-\delta\lambda)(1+\beta_1)/((1-\beta_1)\delta)",
    short_ratio=r"\lambda_{\max}(P^{-1}H)/S_{\max}",
    sentence="With P frozen and the bias corrected, steps overshoot where the largest eigenvalue "
    "of P⁻¹H exceeds (2 - δλ)(1 + β₁)/((1 - β₁)δ). A run rests where P⁻¹g = -λw, which is no "
    "minimum of f unless w = 0 there or λ = 0.",
    source=Source(
        derivation="With P frozen a multiplier z solves z² - (1 - δλ + β₁ - (1 - β₁)δh)z + "
        "β₁(1 - δλ) = 0; it is -1 at δh = (2 - δλ)(1 + β₁)/(1 - β₁)."
    ),
    limit_of=linear.adamw_limit,
    multipliers_of=linear.adamw_multipliers,
)
_NORMALISED = OptimiserDescription(
    id="normalised-gd",
    title="normalised gradient descent",
    step=r"w \leftarrow w - \delta g/\|g\|",
    is_smooth=False,
    can_rest=False,
    sharpness_formula=r"2\|g\|/\delta",
    sentence="No minimum is stable: every step has the length δ. Along one eigenvector a run ends "
    "up δ/2 on either side of it.",
    source=Source(
        derivation="It is gradient descent with the step size δ/‖g‖, which grows without limit "
        "towards a minimum."
    ),
)
_SAM = OptimiserDescription(
    id="sam",
    title="SAM",
    step=r"w \leftarrow w - \delta g(w + \rho\,g/\|g\|)",
    hyperparameters=(RADIUS,),
    is_smooth=False,
    can_rest=False,
    sharpness_formula=r"\frac{\|g\|}{2\rho}"
    r"\left(\sqrt{1+\frac{8\rho}{\delta\|g\|}}-1\right)",
    short_ratio=r"S/S_{\mathrm{SAM}}",
    sentence="No minimum is stable: the gradient is taken at the distance ρ, so that a run crosses "
    "the minimum for ever. The edge is where a step along the gradient turns it over; it moves "
    "with ‖g‖ and sinks to 0.",
    source=Source(
        citation="Long and Bartlett 2023, arXiv:2309.12488, abstract and the authors' program",
        derivation="Along an eigenvector an error is multiplied by 1 - δh(1 + ρh/‖g‖), which is "
        "-1 at the edge.",
    ),
)
_POLYAK = OptimiserDescription(
    id="polyak",
    title="Polyak's step",
    step=r"w \leftarrow w - \frac{f - f^*}{\|g\|^2}\,g",
    hyperparameters=(LOWEST_LOSS,),
    is_smooth=False,
    sharpness_formula=r"2\|g\|^2/(f-f^*)",
    sentence="No sharpness is too large: for a convex loss with the minimum f* no step leads away "
    "from a minimum. Along one eigenvector every step halves the distance.",
    source=Source(
        derivation="For a convex loss ‖w⁺ - w*‖² ≤ ‖w - w*‖² - (f - f*)²/‖g‖², because "
        "g·(w - w*) ≥ f - f*.",
        further="Polyak 1969",
    ),
)

OPTIMISERS: Mapping[OptimiserId, OptimiserDescription] = MappingProxyType(
    {
        each.id: each
        for each in (
            _PLAIN,
            _HEAVY_BALL,
            _NESTEROV,
            _RMSPROP,
            _ADAM,
            _ADAMW,
            _NORMALISED,
            _SAM,
            _POLYAK,
        )
    }
)
"""All optimisers by their ids."""


def describe(optimiser: OptimiserId) -> OptimiserDescription:
    """Return the description of an optimiser."""
    return OPTIMISERS[optimiser]
