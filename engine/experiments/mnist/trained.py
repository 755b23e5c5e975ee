"""A trained network with what its file says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.experiments.mnist.datasets import Bytes
from engine.experiments.mnist.network import model as models
from engine.experiments.mnist.network.batched import BatchedNetwork
from engine.experiments.mnist.network.cpu import EVALUATION_BATCH
from engine.experiments.mnist.network.model import Architecture, Parameters

ABOUT = "lyapunov-lab.about"
"""Name under which other forms keep what is known of a network: step, seed, data, settings."""


@dataclass(frozen=True, slots=True)
class Model:
    """A trained network; `about` is what its file says of it (step, seed, data, settings)."""

    architecture: Architecture
    parameters: Parameters
    about: Mapping[str, Any] = field(default_factory=dict)

    def answers(self, images: Bytes) -> NDArray[np.float32]:
        """Compute cᵀ h_L of every network for images (N, 28, 28), shape (N, K)."""
        network = BatchedNetwork(self.parameters, EVALUATION_BATCH, training=False)
        return network.all_answers(images)

    def scores(self, images: Bytes) -> NDArray[np.float32]:
        """Compute r_k - s_k + d_k for images (N, 28, 28), shape (N, 10)."""
        answers = torch.from_numpy(self.answers(images))
        d = self.parameters.parts["d"]
        return models.scores(self.architecture, answers, d).numpy()


def read_about(text: object) -> dict[str, Any]:
    """Read what another form keeps of a network; nothing where it keeps nothing that can be read.

    It is shown and never computed with, so a missing or damaged text does not refuse a network.
    """
    try:
        about = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        about = {}
    return about if isinstance(about, dict) else {}
