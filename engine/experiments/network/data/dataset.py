"""Training samples, and samples that are held out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray

Targets = NDArray[np.int64] | FloatArray
"""Classes, shape (N,), or numbers, shape (N, t)."""
Image = tuple[int, int, int]
"""Channels, rows and columns of an image."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Samples and what is to be said of them.

    Attributes
    ----------
    inputs, held_inputs : ndarray, shape (N, d) and (M, d)
        For training, and held out (M may be 0).
    targets, held_targets : ndarray
        Classes, whole numbers of shape (N,), or numbers of shape (N, t).
    classes : tuple of str
        Names of the classes; empty where the targets are numbers.
    image : tuple of int or None
        Channels, rows and columns of inputs that are images.
    shift, divisor : ndarray, shape (d,) or ()
        What was subtracted from the inputs, and what they were divided by then.
    """

    inputs: FloatArray
    targets: Targets
    held_inputs: FloatArray
    held_targets: Targets
    classes: tuple[str, ...] = ()
    image: Image | None = None
    shift: FloatArray = field(default_factory=lambda: np.zeros(()))
    divisor: FloatArray = field(default_factory=lambda: np.ones(()))

    @property
    def count(self) -> int:
        """Number N of training samples."""
        return len(self.inputs)

    @property
    def dimension(self) -> int:
        """Number d of inputs."""
        return int(self.inputs.shape[1])

    def scaled(self, how: Literal["whole", "columns", "none"]) -> Dataset:
        """Standardise the inputs by those for training; constant columns become 0."""
        if how == "none":
            return self
        mean = self.inputs.mean(axis=0)
        spread = self.inputs.std(axis=0) if how == "columns" else np.std(self.inputs - mean)
        # What rounding leaves of a constant column is no spread.
        least = 1e-12 * np.maximum(np.abs(mean), 1e-300)
        divisor = np.where(spread > least, spread, np.inf)
        return replace(
            self,
            inputs=(self.inputs - mean) / divisor,
            held_inputs=(self.held_inputs - mean) / divisor,
            shift=mean,
            divisor=divisor,
        )


def split(
    inputs: FloatArray,
    targets: Targets,
    share: float,
    generator: np.random.Generator,
    classes: tuple[str, ...] = (),
) -> Dataset:
    """Hold a share of the samples out, drawn at random; at least one is left for training."""
    held = min(round(share * len(inputs)), len(inputs) - 1)
    order = generator.permutation(len(inputs))
    learnt, kept = np.sort(order[held:]), np.sort(order[:held])
    return Dataset(inputs[learnt], targets[learnt], inputs[kept], targets[kept], classes)
