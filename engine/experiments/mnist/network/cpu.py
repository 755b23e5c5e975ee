"""Gradient methods on the network of Section 5, one batch at a time, on the CPU."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core.device import explain_memory, workers
from engine.experiments.mnist.datasets import Bytes
from engine.experiments.mnist.network.batched import KINDS, BatchedNetwork, Sink
from engine.experiments.mnist.network.model import Parameters
from engine.kernels.network import updates

Method = Literal["gradient-descent", "heavy-ball", "nesterov", "adam"]

LOSS_LIMIT = 1e4
"""A batch's loss above which a run has diverged; at the start it is 2.3, or about 0.5."""
EVALUATION_BATCH = 250
_ROWS = 256
"""Rows of parameters whose lengths one core sums up at a time."""
BETA1, BETA2 = 0.9, 0.999
"""Averaging of Adam's mean and square."""
ADVICE = "lower width, filters, depth or batch_size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How parameters are changed; may differ from step to step.

    `projection` sets negative entries of W, V, b and c to 0 after each step.
    """

    method: Method = "nesterov"
    step_size: float = 0.05
    momentum: float = 0.9
    projection: bool = True
    squared_error: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step showed, before its update.

    `loss` and `correct` are of the batch; `gradient_norms`, per kind of parameter, and `active`,
    the fraction of ReLUs that are on, per layer, are None unless they were asked for.
    """

    loss: float
    correct: int
    diverged: bool = False
    gradient_norms: NDArray[np.float64] | None = None
    active: NDArray[np.float64] | None = None


class Core(Protocol):
    """Trains and evaluates one set of parameters somewhere."""

    def step(self, index: NDArray[np.int64], rule: Rule, measure: bool = False) -> Batch:
        """Make one update with chosen training images; none if the loss is out of range."""

    def answers(self, images: Bytes) -> NDArray[np.float32]:
        """Compute the networks' answers cᵀ h_L for all images, shape (N, K)."""

    def live(self) -> Parameters:
        """Return the parameters themselves, where they are; they change with the next step."""

    def parameters(self) -> Parameters:
        """Return the parameters on the CPU: the live ones there, else a copy."""

    def load(self, flat: Tensor, buffers: Mapping[str, Tensor]) -> None:
        """Put parameters and the method's memory back."""

    def buffers(self) -> dict[str, Tensor]:
        """Return the method's memory (velocity, or Adam's averages and step count)."""


class Descent:
    """A sink that updates the parameters with each piece of the gradient (fused kernels)."""

    def __init__(self, parameters: Parameters) -> None:
        self._flat = parameters.flat.numpy()
        self._signed = parameters.offsets["A"]
        self.memory: dict[str, NDArray[np.float32]] = {}
        self.count = 0
        self._rule = Rule()
        self._floor = np.float32(0)

    def begin(self, rule: Rule) -> None:
        """Fix the rule of the coming step."""
        self._rule = rule
        self._floor = np.float32(0 if rule.projection else -np.inf)
        self.count += 1
        names = {"gradient-descent": (), "adam": ("mean", "square")}.get(rule.method, ("velocity",))
        for name in names:
            if name not in self.memory:
                self.memory[name] = np.zeros_like(self._flat)

    def take(self, offset: int, gradient: NDArray[np.float32]) -> None:
        """Update the parameters from `offset` on."""
        rule = self._rule
        piece = slice(offset, offset + len(gradient))
        weights = self._flat[piece]
        floor = self._floor if offset >= self._signed else np.float32(-np.inf)
        step_size, momentum = np.float32(rule.step_size), np.float32(rule.momentum)
        if rule.method == "gradient-descent":
            updates.descend(weights, gradient, step_size, floor)
        elif rule.method == "adam":
            updates.descend_adam(
                weights,
                gradient,
                self.memory["mean"][piece],
                self.memory["square"][piece],
                np.float32(rule.step_size / (1 - BETA1**self.count)),
                np.float32(1 - BETA1),
                np.float32(1 - BETA2),
                np.float32(1 / math.sqrt(1 - BETA2**self.count)),
                floor,
            )
        else:
            updates.descend_with_momentum(
                weights,
                gradient,
                self.memory["velocity"][piece],
                step_size,
                momentum,
                rule.method == "nesterov",
                floor,
            )


def loss_and_slopes(
    scores: Tensor, labels: NDArray[np.int64], squared_error: bool
) -> tuple[float, Tensor]:
    """Compute the mean loss and its gradient with respect to the scores, shape (B, 10).

    Cross-entropy, or ½ Σ_k (f_k - y_k)² with one-hot y, both averaged over the batch.
    """
    slopes = torch.empty_like(scores)
    loss = updates.squared_error if squared_error else updates.cross_entropy
    return loss(scores.numpy(), labels, slopes.numpy()), slopes


class CpuCore:
    """The batched network with fused updates, on the cores of this machine.

    Raises
    ------
    LabError
        If the memory is too small.
    """

    def __init__(
        self, parameters: Parameters, images: Bytes, labels: Bytes, batch_size: int
    ) -> None:
        self._parameters = parameters
        self._images = images
        self._labels = labels.astype(np.int64)
        with explain_memory(ADVICE):
            self._network = BatchedNetwork(parameters, batch_size)
            self._descent = Descent(parameters)
            self._evaluator = BatchedNetwork(parameters, EVALUATION_BATCH, training=False)

    def step(self, index: NDArray[np.int64], rule: Rule, measure: bool = False) -> Batch:
        """Make one update with chosen training images; none if the loss is out of range."""
        with explain_memory(ADVICE):
            return self._step(index, rule, measure)

    def _step(self, index: NDArray[np.int64], rule: Rule, measure: bool) -> Batch:
        network = self._network
        labels = self._labels[index]
        scores = network.scores(network.forward(self._images, index))
        value, slopes = loss_and_slopes(scores, labels, rule.squared_error)
        correct = int((scores.numpy().argmax(1) == labels).sum())
        if not value <= LOSS_LIMIT:  # nan included
            return Batch(LOSS_LIMIT, correct, diverged=True)
        active = network.active_fraction() if measure else None
        self._descent.begin(rule)
        network.backward(slopes, self._descent, measure)
        norms = np.sqrt(network.squares.sum(0)) if measure else None
        return Batch(value, correct, gradient_norms=norms, active=active)

    def gradient(self, index: NDArray[np.int64], sink: Sink, squared_error: bool) -> float:
        """Return the gradient of a batch to a sink without an update, and return the loss."""
        scores = self._network.scores(self._network.forward(self._images, index))
        value, slopes = loss_and_slopes(scores, self._labels[index], squared_error)
        self._network.backward(slopes, sink)
        return value

    def answers(self, images: Bytes) -> NDArray[np.float32]:
        """Compute the networks' answers cᵀ h_L for all images, shape (N, K)."""
        return self._evaluator.all_answers(images)

    def live(self) -> Parameters:
        """Return the parameters themselves."""
        return self._parameters

    def parameters(self) -> Parameters:
        """Return the parameters themselves."""
        return self._parameters

    def load(self, flat: Tensor, buffers: Mapping[str, Tensor]) -> None:
        """Put parameters and the method's memory back."""
        self._parameters.flat.copy_(flat)
        self._descent.memory = {
            name: values.numpy().copy() for name, values in buffers.items() if name != "count"
        }
        self._descent.count = int(buffers["count"]) if "count" in buffers else 0

    def buffers(self) -> dict[str, Tensor]:
        """Return the method's memory."""
        memory = {name: torch.from_numpy(v) for name, v in self._descent.memory.items()}
        return {**memory, "count": torch.tensor(self._descent.count)}


def norms_by_kind(parameters: Parameters, flat: Tensor | None = None) -> NDArray[np.float64]:
    """Compute the Euclidean norm of each kind of parameter (`KINDS`), 0 where there are none.

    With `flat`, of the difference from those parameters.
    """
    others = Parameters(parameters.architecture, flat) if flat is not None else None
    squares = {
        name: _squared_lengths(part, None if others is None else others.parts[name])
        for name, part in parameters.parts.items()
    }
    V, c = squares["A"][:, :-1], squares["A"][:, -1]
    conv = squares["conv.weight"].sum() + squares["conv.bias"].sum()
    totals = {"conv": conv, "V": V.sum(), "W": squares["W"].sum(), "b": squares["b"].sum()}
    totals |= {"c": c.sum(), "d": squares["d"].sum()}
    return np.array([math.sqrt(totals[kind]) for kind in KINDS])


def _squared_lengths(values: Tensor, others: Tensor | None) -> NDArray[np.float64]:
    """Compute Σ (x - y)² over the last axis, on the cores of this machine if it is there."""
    if values.device.type != "cpu":
        moved = values if others is None else values - others
        return np.asarray(moved.square().sum(-1).cpu(), np.float64)
    rows = values.detach().reshape(-1, values.shape[-1]).numpy()
    start = np.zeros_like(rows[:1]) if others is None else others.reshape(rows.shape).numpy()
    lengths = np.empty(len(rows))
    team = workers()

    def part(_worker: int, task: int) -> None:
        last = min((task + 1) * _ROWS, len(rows))
        updates.squared_lengths(rows, start, task * _ROWS, last, lengths)

    team.run(-(-len(rows) // _ROWS), part)
    return lengths.reshape(values.shape[:-1])
