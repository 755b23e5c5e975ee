"""What may be chosen of a network, its data and its training."""

from __future__ import annotations

from typing import Literal

Source = Literal["digits", "teacher", "moons", "spirals", "line", "sines", "file", "idx"]
Form = Literal["plain", "residual", "pair", "convolutional", "module"]
Pooling = Literal["average", "max"]
Activation = Literal["linear", "relu", "leaky-relu", "tanh", "gelu", "silu", "softplus"]
Branch = Literal["1", "1/sqrt(L)", "1/L"]
Start = Literal[
    "standard",
    "he",
    "xavier",
    "lecun",
    "orthogonal",
    "identity",
    "mup",
    "zero-branch",
    "file",
]
LossName = Literal["squared-error", "cross-entropy", "logistic"]
OptimiserName = Literal[
    "gradient-descent",
    "heavy-ball",
    "nesterov",
    "rmsprop",
    "adam",
    "adamw",
    "normalised-gd",
    "sam",
]
WITH_CLASSES = ("digits", "moons", "spirals", "idx")
"""Data whose targets are classes; a file's may be."""
DENSE: list[Form] = ["plain", "residual", "pair"]
"""Forms of which all layers are dense."""
OWN: list[Form] = [*DENSE, "convolutional"]
"""Forms of the program's own networks."""
STARTS: dict[Form, tuple[Start, ...]] = {
    "convolutional": ("standard", "he", "xavier", "lecun", "orthogonal", "file"),
    "module": ("standard", "file"),
}
"""Starts of the forms that do not have all."""
