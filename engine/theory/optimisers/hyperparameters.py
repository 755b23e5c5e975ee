"""The hyperparameters of the optimisers, each declared once: limits, symbol, text, usual value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.theory.optimisers.description import Hyperparameter, HyperparameterName

MOMENTUM = Hyperparameter(
    name="momentum",
    symbol=r"\beta",
    label="Momentum",
    default=0.9,
    help="Part of the last step that is kept.",
    ge=0.0,
    lt=1.0,
)
MEAN_DECAY = replace(
    MOMENTUM,
    symbol=r"\beta_1",
    label="Decay of the mean gradient",
    help="Part of the mean gradient that a step keeps.",
)
SQUARE_DECAY = Hyperparameter(
    name="square_decay",
    symbol=r"\beta_2",
    label="Square decay",
    default=0.999,
    help="Part of the mean squared gradient that a step keeps.",
    ge=0.0,
    lt=1.0,
)
EPSILON = Hyperparameter(
    name="epsilon",
    symbol=r"\epsilon",
    label="Epsilon",
    default=1e-8,
    help="Added to the root of the mean square; all that is left to divide by at a minimum.",
    ge=1e-12,
    le=1e3,
    log=True,
)
WEIGHT_DECAY = Hyperparameter(
    name="weight_decay",
    symbol=r"\lambda",
    label="Weight decay",
    default=0.0,
    help="Coefficient of the weights in the gradient, as of the penalty λ‖w‖²/2 in the loss.",
    ge=0.0,
    le=1e3,
)
DECOUPLED_DECAY = replace(
    WEIGHT_DECAY,
    default=0.01,
    help="Part of the weights, times the step size, that a step takes away.",
)
RADIUS = Hyperparameter(
    name="radius",
    symbol=r"\rho",
    label="Radius",
    default=0.05,
    help="How far up the gradient SAM takes the one for its step.",
    ge=1e-9,
    le=1e3,
    log=True,
)
LOWEST_LOSS = Hyperparameter(
    name="lowest_loss",
    symbol=r"f^*",
    label="Lowest loss",
    default=0.0,
    help="Value of the loss at the minimum, for Polyak's step: a lower one makes steps without "
    "limit there, a higher one stops them where the loss is as high.",
    ge=-1e12,
    le=1e12,
)
HYPERPARAMETERS: Mapping[HyperparameterName, Hyperparameter] = MappingProxyType(
    {
        each.name: each
        for each in (MOMENTUM, SQUARE_DECAY, EPSILON, WEIGHT_DECAY, RADIUS, LOWEST_LOSS)
    }
)
"""Those above by name, without the variants of single optimisers."""


def shared(name: HyperparameterName, optimisers: Collection[str]) -> Hyperparameter:
    """Return the declaration of one that several optimisers share, with a text true of them all."""
    found, adaptive = HYPERPARAMETERS[name], {"adam", "adamw"} & set(optimisers)
    if name == "momentum" and adaptive:
        text = "Part of the last step (Adam: of the mean gradient) that is kept."
        return replace(found, help=text)
    if name == "weight_decay" and "adamw" in adaptive:
        if set(optimisers) == {"adamw"}:
            return replace(found, help=DECOUPLED_DECAY.help)
        text = (
            "Coefficient of the weights in the gradient; of AdamW, the part of the weights, times "
            "the step size, that a step takes away."
        )
        return replace(found, help=text)
    return found
