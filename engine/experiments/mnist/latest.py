"""What was measured last in a training run, and how a checkpoint keeps it.

A run that goes on from a checkpoint shows what the undisturbed one does: the measurements of their
own steps, not new ones at the step of the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.mnist.datasets import CLASSES, Bytes
from engine.experiments.mnist.judging import Evaluation
from engine.experiments.mnist.network.measures import Lipschitz, Sharpness

KEY = "latest"
"""Name in a checkpoint's description, and prefix of the names of its arrays."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was measured at one step on all test and perhaps all training images."""

    step: int
    test: Evaluation
    train: Evaluation | None


@dataclass(slots=True)
class Latest:
    """The newest measurement of each kind, None where there is none.

    `convexity` is the largest violation of convexity that was found, `minima` the least entries of
    the matrices that convexity needs to be nonnegative.
    """

    look: Look | None = None
    lipschitz: Lipschitz | None = None
    convexity: float | None = None
    minima: dict[str, float] = field(default_factory=dict)
    sharpness: Sharpness | None = None

    def to_checkpoint(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays, and numbers that are JSON-ready."""
        arrays: dict[str, NDArray[Any]] = {}
        numbers: dict[str, Any] = {"convexity": self.convexity, "minima": self.minima}
        if self.look is not None:
            test = self.look.test
            arrays["look.predicted"] = test.predicted.astype(np.uint8)
            arrays["look.lead"] = test.lead
            numbers["look"] = {
                "step": self.look.step,
                "accuracy": test.accuracy,
                "loss": test.loss,
            }
        if self.lipschitz is not None:
            found = self.lipschitz
            arrays |= {"lipschitz.V": found.V, "lipschitz.W": found.W}
            numbers["lipschitz"] = {
                "filters": found.filters,
                "product_bound": found.product_bound,
                "active_bound": found.active_bound,
            }
        if self.sharpness is not None:
            arrays["sharpness.eigenvalues"] = self.sharpness.eigenvalues
            numbers["sharpness"] = {
                "error": self.sharpness.error,
                "products": self.sharpness.products,
                "seconds": self.sharpness.seconds,
            }
        return {f"{KEY}.{name}": values for name, values in arrays.items()}, {KEY: numbers}

    @classmethod
    def from_checkpoint(
        cls, arrays: Mapping[str, NDArray[Any]], numbers: Mapping[str, Any], labels: Bytes
    ) -> Latest:
        """Read `to_checkpoint` back; `labels` are those of the test images.

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or does not fit.
        """
        look = lipschitz = sharpness = None
        if "look" in numbers:
            look = _look(arrays, numbers["look"], labels)
        if "lipschitz" in numbers:
            kept = numbers["lipschitz"]
            lipschitz = Lipschitz(
                V=_floats(arrays, "lipschitz.V"),
                W=_floats(arrays, "lipschitz.W"),
                filters=float(kept["filters"]),
                product_bound=float(kept["product_bound"]),
                active_bound=_optional(kept["active_bound"]),
            )
        if "sharpness" in numbers:
            kept = numbers["sharpness"]
            sharpness = Sharpness(
                _floats(arrays, "sharpness.eigenvalues"),
                float(kept["error"]),
                int(kept["products"]),
                float(kept["seconds"]),
            )
        minima = {str(name): float(value) for name, value in dict(numbers["minima"]).items()}
        return cls(look, lipschitz, _optional(numbers["convexity"]), minima, sharpness)


def _look(arrays: Mapping[str, NDArray[Any]], numbers: Mapping[str, Any], labels: Bytes) -> Look:
    predicted, lead = arrays[f"{KEY}.look.predicted"], arrays[f"{KEY}.look.lead"]
    if predicted.dtype != np.uint8 or predicted.shape != labels.shape:
        raise ValueError("predictions of other images")
    if predicted.max() >= CLASSES or lead.dtype != np.float32 or lead.shape != labels.shape:
        raise ValueError("predictions of other images")
    places = labels.astype(np.int64) * CLASSES + predicted
    confusion = np.bincount(places, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    test = Evaluation(
        float(numbers["accuracy"]),
        float(numbers["loss"]),
        predicted.astype(np.int64),
        lead,
        confusion,
    )
    return Look(int(numbers["step"]), test, None)


def _floats(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float64]:
    values = arrays[f"{KEY}.{name}"]
    if values.dtype != np.float64 or not np.isfinite(values).all():
        raise ValueError(name)
    return values


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)
